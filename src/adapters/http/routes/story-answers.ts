/** How commands and queries of stories are answered: from the fold, in the eyes of who asks. */
import { hash } from 'node:crypto'
import Type from 'typebox'
import type { Accepted } from '../../../core/write/transact.ts'
import type { Json, JsonObject } from '../../../domain/event.ts'
import { idOf } from '../../../domain/ids.ts'
import type { SeriesState } from '../../../domain/story/series.ts'
import { storySight } from '../../../domain/story/sight.ts'
import type { StoryState } from '../../../domain/story/story.ts'
import { peopleInSeries, SeriesSchema, type SeriesView, seriesView } from '../../../queries/series.ts'
import { InvitationSchema } from '../../../queries/stories.ts'
import { StoryHappening } from '../../../queries/story-history.ts'
import { peopleInStory, StorySchema, type StoryView, storyView, viewerOf } from '../../../queries/story-view.ts'
import { TagSchema } from '../../../queries/tags.ts'
import { etagOf } from '../etags.ts'
import { type Names, NamesSchema, withNames } from '../names.ts'
import type { Answer, Documented, Requester } from '../route.ts'

/** Where nobody asks whether somebody wants what is for adults: of one's own story all is shown. */
const nobody = { wantsAdult: () => false }

/** The representation part of an entity tag: which form, in which release, and whether it is that of its authors. */
export const openStoryTags = (version: string) => {
  const form = hash('sha256', version + JSON.stringify([StorySchema, SeriesSchema]), 'base64url').slice(0, 5)
  return {
    ofStory: (view: StoryView, mark: string): string =>
      etagOf(view.revision, mark, `${form}${view.invited ? 'a' : 'r'}`),
    // What a reader is shown of it depends on the stories too.
    ofSeries: (view: SeriesView, mark: string): string =>
      etagOf(view.revision, mark, `${form}${hash('sha256', view.stories.join(), 'base64url').slice(0, 8)}`),
  }
}
export type StoryTags = ReturnType<typeof openStoryTags>

type Shown = Pick<Names, 'nameFor'> | undefined

/** The story after the command; where it is nobody's to see any more who gave it, its id alone. */
export const answerStory =
  (status: 200 | 201, tags: StoryTags, names: Shown) =>
  ({ stream, state, revision, mark }: Accepted<StoryState>, requester: Requester): Omit<Answer, 'position'> => {
    const id = idOf(stream)
    const sight = state ? storySight(state, viewerOf(requester, nobody)) : 'nothing'
    if (!state || sight === 'nothing') return { status, body: JSON.stringify({ id, revision: String(revision) }) }
    const view = storyView({ id, revision: String(revision) }, state, sight)
    const shown = { body: JSON.stringify(view), etag: tags.ofStory(view, mark), people: peopleInStory(view) }
    const headers = status === 201 ? { location: `/v1/stories/${id}` } : {}
    return { status, ...withNames(shown, names, requester), headers }
  }

/** What is left to say to who has nothing more to do with it. */
export const answerLeft = ({ stream, revision }: Accepted<StoryState | SeriesState>): Omit<Answer, 'position'> => ({
  status: 200,
  body: JSON.stringify({ id: idOf(stream), revision: String(revision) }),
})

export const answerDeleted = ({ stream, revision }: Accepted<StoryState | SeriesState>): Omit<Answer, 'position'> => ({
  status: 200,
  body: JSON.stringify({ id: idOf(stream), removed: true, revision: String(revision) }),
})

/** The series after the command, to who made it: with all that it has. */
export const answerSeries =
  (status: 200 | 201, tags: StoryTags, names: Shown) =>
  ({ stream, state, revision, mark }: Accepted<SeriesState>, requester: Requester): Omit<Answer, 'position'> => {
    const id = idOf(stream)
    if (!state) return { status, body: JSON.stringify({ id, revision: String(revision) }) }
    const view = seriesView({ id, revision: String(revision) }, state, state.stories)
    const shown = { body: JSON.stringify(view), etag: tags.ofSeries(view, mark), people: peopleInSeries(view) }
    const headers = status === 201 ? { location: `/v1/series/${id}` } : {}
    return { status, ...withNames(shown, names, requester), headers }
  }

// Documents

const id = '0b6c2a1e-9a54-5f0e-8d0c-4a2b6c8d0e1f'
const author = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
export const ofStoryExample = { id }
export const exampleAccount = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e60'
export const storyBodyExample: JsonObject = {
  language: 'en',
  title: 'The Lighthouse',
  summary: 'Who keeps the light?',
  tags: ['sea', 'slow burn'],
}

export const storyExample: JsonObject = {
  id,
  language: 'en',
  title: 'The Lighthouse',
  summary: 'Who keeps the light?',
  tags: ['sea', 'slow burn'],
  warnings: [],
  rating: 'general',
  visibility: 'public',
  published: true,
  completed: false,
  authors: [author],
  chapters: 2,
  words: 4210,
  revision: '7',
  createdAt: '2026-11-23T10:00:00.000Z',
  updatedAt: '2026-11-24T18:00:00.000Z',
  publishedAt: '2026-11-24T18:00:00.000Z',
}
const ownExample: JsonObject = { ...storyExample, drafts: 1, invited: [] }
const seriesExample: JsonObject = {
  id: '7c2d7b0a-3f5e-5b1c-9e2d-1f0e9d8c7b6a',
  title: 'Lights of the North',
  author,
  stories: [id],
  revision: '1',
  createdAt: '2026-11-23T10:00:00.000Z',
  updatedAt: '2026-11-24T18:00:00.000Z',
}
export const ofSeriesExample = { id: '7c2d7b0a-3f5e-5b1c-9e2d-1f0e9d8c7b6a' }

const names = Type.Optional(NamesSchema)
const next = Type.Union([Type.String(), Type.Null()])
const revised = ['ETag', 'Sync-Token', 'Idempotent-Replayed'] as const
const NamedStory = Type.Object({ ...StorySchema.properties, names }, { $id: 'NamedStory' })
const NamedSeries = Type.Object({ ...SeriesSchema.properties, names }, { $id: 'NamedSeries' })

export const changedStory = (description: string): Documented => ({
  description,
  schema: NamedStory,
  example: ownExample,
  headers: revised,
})
export const createdStory: Documented = {
  ...changedStory('The story, which nobody else sees yet.'),
  headers: ['Location', ...revised],
}
export const leftAnswer: Documented = {
  description: 'It is done.',
  schema: Type.Object({ id: Type.String(), revision: Type.String() }, { $id: 'StoryLeft' }),
  example: { id, revision: '8' },
  headers: ['Sync-Token', 'Idempotent-Replayed'],
}
export const deletedAnswer: Documented = {
  description: 'What is left of it.',
  schema: Type.Object(
    { id: Type.String(), removed: Type.Literal(true), revision: Type.String() },
    { $id: 'StoryRemoved' },
  ),
  example: { id, removed: true, revision: '9' },
  headers: ['Sync-Token', 'Idempotent-Replayed'],
}
export const changedSeries = (description: string): Documented => ({
  description,
  schema: NamedSeries,
  example: seriesExample,
  headers: revised,
})
export const createdSeries: Documented = {
  ...changedSeries('The series, without a story yet.'),
  headers: ['Location', ...revised],
}

export const storyAnswer: Documented = {
  description: 'The story.',
  schema: Type.Partial(NamedStory, { $id: 'ShownStory' }),
  example: storyExample,
  headers: ['ETag', 'Sync-Token'],
}
export const seriesAnswer: Documented = { ...changedSeries('The series.'), headers: ['ETag', 'Sync-Token'] }

const page = (item: Type.TSchema, example: Json, $id: string): Documented => ({
  description: 'A page.',
  schema: Type.Object({ items: Type.Array(item), next, names }, { $id }),
  example: { items: [example], next: null },
  headers: ['Link', 'Sync-Token'],
})
const Listed = Type.Partial(StorySchema, { $id: 'StoryFields' })
export const seriesPageAnswer = page(SeriesSchema, seriesExample, 'SeriesPage')
export const storiesAnswer = page(Listed, storyExample, 'StoryPage')
export const ownStoriesAnswer = page(Listed, ownExample, 'OwnStoryPage')
export const invitationsAnswer = page(
  InvitationSchema,
  { storyId: id, title: 'The Lighthouse', language: 'en', rating: 'general', authors: [author] },
  'InvitationPage',
)
export const tagsAnswer = page(TagSchema, { tag: 'slow burn', stories: 12 }, 'TagPage')
export const storyHistoryAnswer = page(
  StoryHappening,
  {
    revision: '6',
    type: 'StoryEdited',
    at: '2026-11-24T18:00:00.000Z',
    actor: { kind: 'account', id: author },
    changes: { title: 'The Lighthouse' },
  },
  'StoryHistory',
)
