/** Reading stories: one, those of one's own, those that one is invited to. */
import Type from 'typebox'
import type { Log } from '../core/log/log.ts'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query, Reader } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { refuse } from '../domain/refusal.ts'
import type { People } from '../projections/people.ts'
import { type RelationDocument, relationId, relationsProjection } from '../projections/relations.ts'
import { type StoryDocument, storiesProjection } from '../projections/stories.ts'
import { peopleInStory, StorySchema, type StoryView, shownStory, storyView, viewerOf } from './story-view.ts'

/** What the queries of stories read. */
export type StoryReads = {
  readonly stories: View<StoryDocument>
  readonly log: Pick<Log, 'readStream' | 'head'>
  readonly people: Pick<People, 'wantsAdult' | 'listsFor'>
}

/** One story by its id. `adult`: who asks has said that they want to see what is for adults. */
export const getStory = (reads: StoryReads): Query<{ readonly id: string; readonly adult: boolean }, StoryView> => ({
  name: 'get-story',
  people: peopleInStory,
  permission: 'stories:read',
  output: StorySchema,
  reads: [storiesProjection],
  closed: ['adult', 'fields'],
  run: async ({ id, adult }, reader) => {
    // Before the read: what is read then reflects this position at least.
    const position = reads.stories.position()
    const found = (await reads.stories.get([id])).get(id)
    const shown = shownStory(found?.body, viewerOf(reader, reads.people, adult))
    if ('refused' in shown) return shown
    const { story, sight } = shown
    return { value: storyView({ id, revision: story.revision }, story, sight), position, mark: story.mark }
  },
})

const next = Type.Union([Type.String(), Type.Null()])
export const StoryPageSchema = Type.Object({ items: Type.Array(StorySchema), next })

export type OwnInput = { readonly limit: number; readonly after?: Cursor }

const pageFor = async (
  { stories }: Pick<StoryReads, 'stories'>,
  member: 'authors' | 'invited',
  { limit, after }: OwnInput,
  { actor }: Reader,
) => {
  if (actor?.kind !== 'account')
    return refuse('not-an-account', 'A service writes no stories: sign in with an account.')
  const account = actor.id
  const from = Array.isArray(after?.key) ? after.key : undefined
  const page = await stories.find(
    {
      where: [{ member, op: 'any', value: [account] }],
      order: ['updatedAt'],
      backwards: true,
      limit,
      ...defined({ after: from }),
    },
    after?.generation,
  )
  return { ...page, cursor: page.next && { generation: page.generation, key: [...page.next] } }
}

/** Stories that the reader is an author of, drafts and all, the last changed first. */
export const ownStories = (reads: StoryReads): Query<OwnInput, Page<StoryView>> => ({
  name: 'own-stories',
  people: peopleInStory,
  permission: 'account:read',
  output: StoryPageSchema,
  reads: [storiesProjection],
  closed: ['limit', 'fields'],
  run: async (input, reader) => {
    const page = await pageFor(reads, 'authors', input, reader)
    if ('refused' in page) return page
    const items = page.documents.map(({ id, body }) => storyView({ id, revision: body.revision }, body, 'authored'))
    return { value: { items, next: page.cursor }, position: page.position }
  },
})

/** What somebody is told of a story who is asked to write it too: as much as lets them answer. */
export const InvitationSchema = Type.Object(
  {
    storyId: Type.String(),
    title: Type.String(),
    summary: Type.Optional(Type.String()),
    language: Type.String(),
    rating: StorySchema.properties.rating,
    authors: Type.Array(Type.String()),
  },
  { $id: 'Invitation' },
)
export type InvitationView = Type.Static<typeof InvitationSchema>

type Relating = { readonly relations: View<RelationDocument> }

/** Those of the stories that an author of theirs and the account do not stand apart from, one having blocked the other. */
const nearTo = async (
  { relations }: Relating,
  account: string,
  stories: readonly { readonly id: string; readonly body: StoryDocument }[],
) => {
  const pairsOf = (authors: readonly string[]): readonly string[] =>
    authors.flatMap(author => [relationId(account, author), relationId(author, account)])
  const ids = [...new Set(stories.flatMap(({ body }) => pairsOf(body.authors)))]
  const found = ids.length > 0 ? await relations.get(ids) : new Map<string, never>()
  return stories.filter(({ body }) => pairsOf(body.authors).every(id => found.get(id)?.body.blocker === undefined))
}

/** Invitations that the reader has not answered; none to write with somebody who has blocked them, or whom they have blocked. */
export const ownInvitations = (reads: StoryReads & Relating): Query<OwnInput, Page<InvitationView>> => ({
  name: 'own-invitations',
  people: peopleInStory,
  permission: 'account:read',
  output: Type.Object({ items: Type.Array(InvitationSchema), next }),
  reads: [storiesProjection, relationsProjection],
  closed: ['limit'],
  run: async (input, reader) => {
    const page = await pageFor(reads, 'invited', input, reader)
    if ('refused' in page) return page
    const near = await nearTo(reads, reader.actor?.id ?? '', page.documents)
    const items = near.map(({ id, body: { title, summary, language, rating, authors } }) => ({
      storyId: id,
      title,
      ...defined({ summary }),
      language,
      rating,
      authors: [...authors],
    }))
    return { value: { items, next: page.cursor }, position: page.position }
  },
})
