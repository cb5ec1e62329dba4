/** Atom feeds of a story, an author, a tag: what whoever asks may find, and nothing else. */
import { hash } from 'node:crypto'
import Type from 'typebox'
import type { Reader } from '../../../core/query/define.ts'
import { defined } from '../../../domain/defined.ts'
import { UUID } from '../../../domain/forms.ts'
import { isRefusal, type Refusal } from '../../../domain/refusal.ts'
import { tagTarget } from '../../../domain/shelf/shelf.ts'
import { tagKey } from '../../../domain/story/content.ts'
import { storyLimits } from '../../../domain/story/terms.ts'
import { chaptersProjection } from '../../../projections/chapters.ts'
import type { People } from '../../../projections/people.ts'
import { storiesProjection } from '../../../projections/stories.ts'
import type { listChapters } from '../../../queries/chapters.ts'
import type { getStory } from '../../../queries/stories.ts'
import type { listStories, StoryListInput } from '../../../queries/story-lists.ts'
import type { StoryView } from '../../../queries/story-view.ts'
import { ATOM, atomOf, type Feed, type FeedEntry } from '../atom.ts'
import type { Edge } from '../edge.ts'
import { noneMatch } from '../etags.ts'
import { problemFrom } from '../problems.ts'
import { type Answer, type Documented, type EdgeRequest, header, type Route } from '../route.ts'
import { StoryParams } from './story-parameters.ts'

export type FeedDeps = {
  readonly getStory: ReturnType<typeof getStory>
  readonly listChapters: ReturnType<typeof listChapters>
  readonly listStories: ReturnType<typeof listStories>
  readonly people: Pick<People, 'nameFor'>
}

const strict = { additionalProperties: false }
export const AdultQuery = Type.Object(
  { adult: Type.Optional(Type.Boolean({ description: 'true: what is for adults is shown as well.' })) },
  strict,
)
const nothing = Type.Object({}, strict)
const AuthorParams = Type.Object({
  id: Type.String({ pattern: UUID, description: 'The id of an account.' }),
})
const TagParams = Type.Object({
  tag: Type.String({ minLength: 1, maxLength: 8 * storyLimits.tag, description: 'A tag, in any spelling of it.' }),
})

const ENTRIES = 50
/** Of a feed that has nothing yet. */
const NEVER = '1970-01-01T00:00:00Z'

const ids = { id: '3f1c2b9e-5d0a-5c4e-8b7a-6e5d4c3b2a10' }
const example = atomOf({
  ...ids,
  title: 'The lighthouse keeper',
  self: '/v1/stories/3f1c2b9e-5d0a-5c4e-8b7a-6e5d4c3b2a10/feed',
  link: '/v1/stories/3f1c2b9e-5d0a-5c4e-8b7a-6e5d4c3b2a10',
  updated: '2026-01-05T10:00:00.000Z',
  entries: [],
})
const answers: Readonly<Record<number, Documented>> = {
  200: { description: 'A feed.', type: 'application/atom+xml', schema: Type.String(), headers: ['ETag'], example },
}
const reading = [
  'validation',
  'header-invalid',
  'projection-behind',
  'projection-building',
  'store-unavailable',
] as const

export const wantsAdult = (query: unknown): boolean =>
  typeof query === 'object' && query !== null && 'adult' in query && query.adult === true

/** @throws {ProblemError} that of the refusal. */
export const accepted = <T extends object>(result: T | Refusal): T => {
  if (isRefusal(result)) throw problemFrom(result)
  return result
}

export const storyFeedRoutes = (
  { getStory, listChapters, listStories, people }: FeedDeps,
  edge: Edge,
): readonly Route[] => {
  const place = (path: string): string => `${edge.publicUrl ?? ''}${path}`
  const named = (accounts: readonly string[], reader: Reader): readonly string[] =>
    accounts.flatMap(id => people.nameFor(id, reader) ?? [])
  const answer = (request: EdgeRequest, feed: Omit<Feed, 'self'>, position: bigint): Answer => {
    const body = atomOf({ ...feed, self: place(request.path) })
    const etag = `"c.${hash('sha256', body, 'base64url').slice(0, 22)}"`
    if (noneMatch(header(request, 'if-none-match'), etag)) return { status: 304, etag, position }
    return { status: 200, type: ATOM, body, etag, position }
  }
  const waited = async ({ after }: EdgeRequest): Promise<void> => {
    if (after !== undefined) await edge.freshness.waitFor([storiesProjection, chaptersProjection], after)
  }
  const entryOf = (story: StoryView, reader: Reader): FeedEntry => ({
    id: story.id,
    title: story.title,
    link: place(`/v1/stories/${story.id}`),
    updated: story.updatedAt,
    authors: named(story.authors, reader),
    tags: story.tags,
    language: story.language,
    ...defined({ published: story.publishedAt, summary: story.summary }),
  })
  /** The stories of a list, the last changed first. */
  const storiesFeed = async (
    request: EdgeRequest,
    about: Pick<Feed, 'id' | 'title'>,
    filters: Pick<StoryListInput, 'author' | 'tag'>,
  ): Promise<Answer> => {
    await waited(request)
    const input = { ...filters, sort: '-updatedAt', limit: ENTRIES } as const
    const { value, position } = accepted(await listStories.run(input, request.requester))
    const entries = value.items.map(story => entryOf(story, request.requester))
    const link = place('/v1/stories')
    return answer(request, { ...about, link, updated: entries[0]?.updated ?? NEVER, entries }, position)
  }
  const shared = { method: 'GET', tag: 'Stories', permission: 'stories:read', rate: 'reads', answers } as const
  return [
    {
      ...shared,
      path: '/v1/stories/:id/feed',
      name: 'story-feed',
      summary: 'The chapters of a story as an Atom feed',
      description: 'Its published chapters, the last published first, 50 at most.',
      params: StoryParams,
      querystring: AdultQuery,
      request: { needs: 'an account', params: ids },
      problems: [...reading, 'story-not-found', 'adult-content'],
      handle: async request => {
        await waited(request)
        const input = { id: request.params['id'] ?? '', adult: wantsAdult(request.query) }
        const { value: story } = accepted(await getStory.run(input, request.requester))
        const { value: contents, position } = accepted(await listChapters.run(input, request.requester))
        const authors = named(story.authors, request.requester)
        const { language, tags } = story
        const link = place(`/v1/stories/${story.id}`)
        const shown = contents.items.flatMap(({ id, title, publishedAt: published, editedAt }) =>
          published === undefined ? [] : [{ id, title, published, updated: editedAt ?? published }],
        )
        const entries = shown
          .toSorted((a, b) => (a.published < b.published ? 1 : -1))
          .slice(0, ENTRIES)
          .map(chapter => ({ ...chapter, link: `${link}/chapters/${chapter.id}`, authors, tags, language }))
        return answer(request, { id: story.id, title: story.title, link, updated: story.updatedAt, entries }, position)
      },
    },
    {
      ...shared,
      path: '/v1/profiles/:id/feed',
      name: 'author-feed',
      summary: 'The stories of an author as an Atom feed',
      description:
        'The last changed first, 50 at most. Of nobody, and of who lets others not see what they do, it is empty.',
      params: AuthorParams,
      querystring: nothing,
      request: { params: { id: '5d9c68c6-c50e-5d3d-a2a5-1b2c3d4e5f60' } },
      problems: reading,
      handle: request => {
        const id = request.params['id'] ?? ''
        const title = people.nameFor(id, request.requester) ?? 'Stories'
        return storiesFeed(request, { id, title }, { author: id })
      },
    },
    {
      ...shared,
      path: '/v1/tags/:tag/feed',
      name: 'tag-feed',
      summary: 'The stories with a tag as an Atom feed',
      description: 'The last changed first, 50 at most.',
      params: TagParams,
      querystring: nothing,
      request: { params: { tag: 'sea' } },
      problems: reading,
      handle: request => {
        const tag = request.params['tag'] ?? ''
        return storiesFeed(request, { id: tagTarget(tagKey(tag)), title: tag }, { tag: [tag] })
      },
    },
  ]
}
