/** What readers keep of stories: bookmarks, and how far they have read. */
import type { Static } from 'typebox'
import * as shelf from '../../../commands/shelf.ts'
import { defined } from '../../../domain/defined.ts'
import type { Shelf } from '../../../domain/shelf/shelf.ts'
import type { People } from '../../../projections/people.ts'
import {
  BookmarksSchema,
  type myBookmarks,
  type myProgress,
  ProgressPageSchema,
  PublicBookmarksSchema,
  type storyBookmarks,
} from '../../../queries/shelf.ts'
import type { Edge, Routes } from '../edge.ts'
import { type Asking, ownCommandRoute } from '../own-command.ts'
import type { EdgeRequest } from '../route.ts'
import { pageRoute } from '../route-query.ts'
import { reading } from './account-edge.ts'
import {
  at,
  BookmarkBody,
  exampleAccount,
  exampleBrief,
  exampleChapter,
  exampleStory,
  Kept,
  OfStoryQuery,
  PageQuery,
  Progress,
  ProgressBody,
  StoryParams,
  tag,
} from './shelf-schemas.ts'

const readBookmark = reading(BookmarkBody)
const readProgress = reading(ProgressBody)

export type ShelfQueries = {
  readonly bookmarks: ReturnType<typeof myBookmarks>
  readonly progress: ReturnType<typeof myProgress>
  readonly publicBookmarks: ReturnType<typeof storyBookmarks>
}

const idOf = ({ params }: EdgeRequest): string => params['id'] ?? ''
const done = { status: 204 } as const
const own = { tag, permission: 'shelf:write' } as const

const bookmarkOf = ({ bookmarks }: Shelf, story: string): Static<typeof Kept> => {
  const kept = bookmarks.get(story)
  return {
    storyId: story,
    isPrivate: kept?.isPrivate ?? true,
    bookmarkedAt: kept?.at ?? '',
    ...defined({ note: kept?.note }),
  }
}

export type OwnerOf = (asking: Asking) => shelf.Owner

const bookmarkRoutes = (deps: shelf.ShelfDeps, ownerOf: OwnerOf, queries: ShelfQueries, edge: Edge) => [
  ownCommandRoute(
    {
      ...own,
      method: 'PUT',
      path: '/v1/me/bookmarks/:id',
      name: 'bookmark-story',
      summary: 'Bookmark a story',
      description: 'Or change the bookmark, which is sent as a whole: a note that is not given is none.',
      params: StoryParams,
      body: BookmarkBody,
      request: {
        needs: 'an account',
        params: { id: exampleStory },
        body: { isPrivate: false, note: 'Read it again in winter.' },
      },
      answers: {
        200: {
          description: 'The bookmark.',
          schema: Kept,
          example: { storyId: exampleStory, isPrivate: false, note: 'Read it again in winter.', bookmarkedAt: at },
        },
      },
      problems: ['story-not-found', 'shelf-full', 'text-invalid'],
      run: async (request, asking, envelope) => {
        const { isPrivate = true, note } = readBookmark(request.body)
        const given = { story: idOf(request), isPrivate, ...defined({ note: note ?? undefined }) }
        return shelf.keepBookmark(deps, ownerOf(asking), given, envelope)
      },
      answer: ({ state }, request) => ({ status: 200, body: JSON.stringify(bookmarkOf(state, idOf(request))) }),
    },
    edge,
  ),
  ownCommandRoute(
    {
      ...own,
      method: 'DELETE',
      path: '/v1/me/bookmarks/:id',
      name: 'remove-bookmark',
      summary: 'Remove a bookmark',
      params: StoryParams,
      request: { needs: 'an account', params: { id: exampleStory } },
      answers: { 204: { description: 'It is not there, or no longer.' } },
      problems: [],
      run: async (request, asking, envelope) => shelf.dropBookmark(deps, ownerOf(asking), idOf(request), envelope),
      answer: () => done,
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/me/bookmarks',
      summary: 'Your bookmarks, newest first',
      description: 'Of a story that you may no longer see stands its id alone, and `gone`.',
      querystring: PageQuery,
      query: queries.bookmarks,
      input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
      request: { needs: 'an account', query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: BookmarksSchema,
          headers: ['Link'],
          example: {
            items: [{ storyId: exampleStory, isPrivate: true, bookmarkedAt: at, story: exampleBrief }],
            next: null,
          },
        },
      },
      problems: ['not-an-account'],
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/stories/:id/bookmarks',
      summary: 'Who bookmarked a story for all to see, newest first',
      description:
        'Private bookmarks, and those of people who let nobody see what they do, are neither shown nor counted.',
      params: StoryParams,
      querystring: OfStoryQuery,
      query: queries.publicBookmarks,
      input: ({ id, limit, after, query: { adult = false } }) => ({ id, adult, limit, ...defined({ after }) }),
      request: { needs: 'an account', params: { id: exampleStory }, query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: PublicBookmarksSchema,
          headers: ['Link'],
          example: {
            items: [{ accountId: exampleAccount, note: 'Read it again in winter.', bookmarkedAt: at }],
            next: null,
            total: 1,
            totalRelation: 'eq',
          },
        },
      },
      problems: ['story-not-found', 'adult-content'],
    },
    edge,
  ),
]

const progressRoutes = (deps: shelf.ShelfDeps, ownerOf: OwnerOf, queries: ShelfQueries, edge: Edge) => [
  ownCommandRoute(
    {
      ...own,
      method: 'PUT',
      path: '/v1/me/progress/:id',
      name: 'mark-progress',
      summary: 'Mark how far you have read',
      description: 'Once a minute at most: what comes sooner is 429, and Retry-After says when to come again.',
      params: StoryParams,
      body: ProgressBody,
      request: {
        needs: 'an account',
        params: { id: exampleStory },
        body: { chapterId: exampleChapter, fraction: 0.4 },
      },
      answers: {
        200: {
          description: 'It is marked.',
          schema: Progress,
          example: { storyId: exampleStory, chapterId: exampleChapter, fraction: 0.4, readAt: at },
        },
      },
      problems: ['story-not-found', 'chapter-unknown', 'shelf-full', 'progress-too-soon'],
      run: async (request, asking, envelope) => {
        const { chapterId, fraction } = readProgress(request.body)
        const place = { story: idOf(request), chapter: chapterId.toLowerCase(), fraction }
        return shelf.keepProgress(deps, ownerOf(asking), place, envelope)
      },
      answer: ({ state }, request) => {
        const kept = state.progress.get(idOf(request))
        const { chapter: chapterId = '', fraction = 0, at: readAt = '' } = kept ?? {}
        return { status: 200, body: JSON.stringify({ storyId: idOf(request), chapterId, fraction, readAt }) }
      },
    },
    edge,
  ),
  ownCommandRoute(
    {
      ...own,
      method: 'DELETE',
      path: '/v1/me/progress/:id',
      name: 'forget-progress',
      summary: 'Forget how far you have read',
      params: StoryParams,
      request: { needs: 'an account', params: { id: exampleStory } },
      answers: { 204: { description: 'Nothing is marked, or no longer.' } },
      problems: [],
      run: async (request, asking, envelope) => shelf.dropProgress(deps, ownerOf(asking), idOf(request), envelope),
      answer: () => done,
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/me/progress',
      summary: 'How far you have read, newest first',
      querystring: PageQuery,
      query: queries.progress,
      input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
      request: { needs: 'an account', query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: ProgressPageSchema,
          headers: ['Link'],
          example: {
            items: [
              { storyId: exampleStory, chapterId: exampleChapter, fraction: 0.4, readAt: at, story: exampleBrief },
            ],
            next: null,
          },
        },
      },
      problems: ['not-an-account'],
    },
    edge,
  ),
]

/** Whose shelf it is, with what they want to see. */
export const openOwner =
  (people: Pick<People, 'wantsAdult'>): OwnerOf =>
  ({ account, permissions }) => ({ account, permissions, adult: people.wantsAdult(account) })

export const shelfRoutes =
  (deps: shelf.ShelfDeps, ownerOf: OwnerOf, queries: ShelfQueries): Routes =>
  edge => [...bookmarkRoutes(deps, ownerOf, queries, edge), ...progressRoutes(deps, ownerOf, queries, edge)]
