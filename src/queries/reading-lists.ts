/** Reading lists: one's own, and one by its id, with the stories that its reader may see. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Page, Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { refuse } from '../domain/refusal.ts'
import { type ReadingListDocument, readingListsProjection } from '../projections/reading-lists.ts'
import { accountOf, keyOf, nextOf, type PageInput, pageOf } from './keyset-pages.ts'
import {
  GoneOr,
  type GoneOrBrief,
  keptBy,
  listedFor,
  peopleInBrief,
  type StandingStories,
  standingStories,
} from './standing-stories.ts'
import { viewerOf } from './story-view.ts'

export type ReadingListReads = StandingStories & { readonly lists: View<ReadingListDocument> }

const text = Type.String()
const time = Type.String({ format: 'date-time' })
const about = {
  id: text,
  owner: text,
  title: Type.Optional(text),
  isPrivate: Type.Boolean(),
  createdAt: time,
  updatedAt: time,
  revision: text,
}
/** A list without its stories. */
export type ReadingListHead = {
  readonly id: string
  readonly owner: string
  readonly title?: string
  readonly isPrivate: boolean
  readonly createdAt: string
  readonly updatedAt: string
  readonly revision: string
}
export const ReadingListHeadSchema = Type.Object(
  { ...about, count: Type.Integer({ description: 'Stories in it.' }) },
  { $id: 'ReadingListHead' },
)
export const ReadingListsSchema = pageOf(ReadingListHeadSchema, 'ReadingLists')

const ListedStory = Type.Object({ storyId: text, ...GoneOr })
export const ReadingListSchema = Type.Object(
  { ...about, stories: Type.Array(ListedStory), names: Type.Optional(Type.Record(text, text)) },
  { $id: 'ReadingList' },
)
export type ReadingListView = ReadingListHead & {
  readonly stories: readonly (GoneOrBrief & { readonly storyId: string })[]
}

export const headOf = (
  id: string,
  { owner, title, isPrivate, createdAt, updatedAt }: Omit<ReadingListDocument, 'revision' | 'mark' | 'stories'>,
  revision: string,
): ReadingListHead => ({ id, owner, isPrivate, createdAt, updatedAt, revision, ...defined({ title }) })

export const myReadingLists = (
  reads: ReadingListReads,
): Query<PageInput, Page<ReadingListHead & { readonly count: number }>> => ({
  name: 'my-reading-lists',
  permission: 'account:read',
  output: ReadingListsSchema,
  reads: [readingListsProjection],
  closed: ['limit'],
  run: async ({ limit, after }, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const where = [{ member: 'owner', op: 'eq' as const, value: account }]
    const query = { where, order: ['updatedAt'], backwards: true, limit, ...keyOf(after) }
    const page = await reads.lists.find(query, after?.generation)
    const items = page.documents.map(({ id, body }) => ({
      ...headOf(id, body, body.revision),
      count: body.stories.length,
    }))
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})

/** A private one is its owner's alone. Others find in a public one what they could find without it, in the same order. */
export const getReadingList = (reads: ReadingListReads): Query<{ readonly id: string }, ReadingListView> => ({
  name: 'get-reading-list',
  permission: 'stories:read',
  output: ReadingListSchema,
  reads: [readingListsProjection],
  people: shown => {
    if (typeof shown !== 'object' || shown === null) return []
    const stories = 'stories' in shown && Array.isArray(shown.stories) ? shown.stories : []
    return [shown, ...stories].flatMap(peopleInBrief)
  },
  shared: () => false,
  run: async ({ id }, reader) => {
    const found = (await reads.lists.get([id])).get(id)
    const isOwn = found !== undefined && reader.actor?.kind === 'account' && reader.actor.id === found.body.owner
    if (!found || (found.body.isPrivate && !isOwn))
      return refuse('reading-list-not-found', 'There is no such reading list.')
    const { body, position } = found
    const viewer = viewerOf(reader, reads.people)
    const stories = await standingStories(reads, body.stories)
    const look = isOwn ? keptBy : listedFor
    // To others it says nothing of what it has beside what they see: how much that is either.
    const listed = body.stories
      .map(story => ({ storyId: story, ...look(stories.get(story), viewer) }))
      .filter(({ gone }) => isOwn || gone === undefined)
    return {
      value: { ...headOf(id, body, body.revision), stories: listed },
      position: position > reads.lists.position() ? position : reads.lists.position(),
      mark: body.mark,
    }
  },
})
