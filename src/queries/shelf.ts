/** What readers keep, as they read it themselves; and of a story, who bookmarked it for all to see. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Page, Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { type SubscriptionKind, subscriptionKinds } from '../domain/shelf/shelf.ts'
import { storyStream } from '../domain/story/story.ts'
import type { Condition } from '../ports/read-store.ts'
import {
  type BookmarkDocument,
  bookmarksProjection,
  type ProgressDocument,
  progressProjection,
  type SubscriptionDocument,
  subscriptionsProjection,
} from '../projections/shelf.ts'
import { accountOf, keyOf, nextOf, type PageInput, pageOf } from './keyset-pages.ts'
import {
  GoneOr,
  type GoneOrBrief,
  keptBy,
  peopleInBrief,
  type StandingStories,
  standingStories,
} from './standing-stories.ts'
import { shownStory, viewerOf } from './story-view.ts'

/** What reading a shelf is refused for. */
export type ShelfQueryRefusal = 'not-an-account'

export type ShelfReads = StandingStories & {
  readonly bookmarks: View<BookmarkDocument>
  readonly subscriptions: View<SubscriptionDocument>
  readonly progress: View<ProgressDocument>
}

const text = Type.String()
const time = Type.String({ format: 'date-time' })

/** Newest first. */
const ownPage = (accountId: string, { limit, after }: PageInput, more: readonly Condition[] = []) => ({
  where: [{ member: 'accountId', op: 'eq' as const, value: accountId }, ...more],
  order: ['at'],
  backwards: true,
  limit,
  ...keyOf(after),
})

export const BookmarkSchema = Type.Object(
  { storyId: text, isPrivate: Type.Boolean(), note: Type.Optional(text), bookmarkedAt: time, ...GoneOr },
  { $id: 'Bookmark' },
)
export const BookmarksSchema = pageOf(BookmarkSchema, 'Bookmarks')
export type BookmarkItem = GoneOrBrief & {
  readonly storyId: string
  readonly isPrivate: boolean
  readonly note?: string
  readonly bookmarkedAt: string
}

export const myBookmarks = (reads: ShelfReads): Query<PageInput, Page<BookmarkItem>> => ({
  name: 'my-bookmarks',
  permission: 'account:read',
  output: BookmarksSchema,
  reads: [bookmarksProjection],
  closed: ['limit'],
  people: peopleInBrief,
  run: async (input, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const page = await reads.bookmarks.find(ownPage(account, input), input.after?.generation)
    const kept = page.documents.map(({ body }) => body)
    const viewer = viewerOf(reader, reads.people)
    const ids = kept.map(({ story }) => story)
    const stories = await standingStories(reads, ids)
    const items = kept.map(({ story, isPrivate, note, at }) => ({
      storyId: story,
      isPrivate,
      bookmarkedAt: at,
      ...defined({ note }),
      ...keptBy(stories.get(story), viewer),
    }))
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})

export const SubscriptionSchema = Type.Object(
  {
    kind: Type.Enum([...subscriptionKinds]),
    target: Type.String({ description: 'The id of the story, the series or the account; of a tag its text.' }),
    since: time,
    ...GoneOr,
  },
  { $id: 'Subscription' },
)
export const SubscriptionsSchema = pageOf(SubscriptionSchema, 'Subscriptions')
export type SubscriptionItem = GoneOrBrief & {
  readonly kind: SubscriptionKind
  readonly target: string
  readonly since: string
}

export const mySubscriptions = (
  reads: ShelfReads,
): Query<PageInput & { readonly kind?: SubscriptionKind }, Page<SubscriptionItem>> => ({
  name: 'my-subscriptions',
  permission: 'account:read',
  output: SubscriptionsSchema,
  reads: [subscriptionsProjection],
  closed: ['limit', 'kind'],
  people: peopleInBrief,
  run: async (input, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const { kind } = input
    const ofKind = kind === undefined ? [] : [{ member: 'kind', op: 'eq' as const, value: kind }]
    const page = await reads.subscriptions.find(ownPage(account, input, ofKind), input.after?.generation)
    const kept = page.documents.map(({ body }) => body)
    const ids = kept.flatMap(body => (body.kind === 'story' ? [body.target] : []))
    const viewer = viewerOf(reader, reads.people)
    const stories = await standingStories(reads, ids)
    const items = kept.map(({ kind: of, target, tag, at }) => ({
      kind: of,
      target: tag ?? target,
      since: at,
      ...(of === 'story' && keptBy(stories.get(target), viewer)),
    }))
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})

export const ProgressSchema = Type.Object(
  {
    storyId: text,
    chapterId: text,
    fraction: Type.Number({ minimum: 0, maximum: 1, description: 'Of the chapter.' }),
    readAt: time,
    ...GoneOr,
  },
  { $id: 'ReadingProgress' },
)
export const ProgressPageSchema = pageOf(ProgressSchema, 'ReadingProgressPage')
export type ProgressItem = GoneOrBrief & {
  readonly storyId: string
  readonly chapterId: string
  readonly fraction: number
  readonly readAt: string
}

export const myProgress = (reads: ShelfReads): Query<PageInput, Page<ProgressItem>> => ({
  name: 'my-reading-progress',
  permission: 'account:read',
  output: ProgressPageSchema,
  reads: [progressProjection],
  closed: ['limit'],
  people: peopleInBrief,
  run: async (input, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const page = await reads.progress.find(ownPage(account, input), input.after?.generation)
    const kept = page.documents.map(({ body }) => body)
    const viewer = viewerOf(reader, reads.people)
    const ids = kept.map(({ story }) => story)
    const stories = await standingStories(reads, ids)
    const items = kept.map(({ story, chapter, fraction, at }) => ({
      storyId: story,
      chapterId: chapter,
      fraction,
      readAt: at,
      ...keptBy(stories.get(story), viewer),
    }))
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})

export const PublicBookmarkSchema = Type.Object(
  { accountId: text, note: Type.Optional(text), bookmarkedAt: time },
  { $id: 'PublicBookmark' },
)
export const PublicBookmarksSchema = Type.Object(
  {
    items: Type.Array(PublicBookmarkSchema),
    next: Type.Union([text, Type.Null()]),
    total: Type.Integer({ description: 'Of those that are shown.' }),
    totalRelation: Type.Enum(['eq', 'gte']),
    names: Type.Optional(Type.Record(text, text)),
  },
  { $id: 'PublicBookmarks' },
)
export type PublicBookmark = { readonly accountId: string; readonly note?: string; readonly bookmarkedAt: string }

/** Bookmarks that are looked at for a page: it ends short where they are not enough. */
const LOOKED_AT = 400

/** So many that are shown. One more is looked for, so that a `next` never tells of those that are not. */
const shownUnder = async (
  { bookmarks }: Pick<ShelfReads, 'bookmarks'>,
  story: string,
  { limit, after }: PageInput,
  isShown: (accountId: string) => boolean,
) => {
  const found: { readonly body: BookmarkDocument; readonly place: readonly string[] }[] = []
  const query = { where: [{ member: 'shownUnder', op: 'eq' as const, value: story }], order: ['at'], backwards: true }
  let from = keyOf(after)
  for (let left = LOOKED_AT; ; ) {
    const page = await bookmarks.find({ ...query, limit: Math.min(left, limit + 1), ...from }, after?.generation)
    left -= Math.max(1, page.examined)
    for (const { id, body } of page.documents) if (isShown(body.accountId)) found.push({ body, place: [body.at, id] })
    const shown = found.slice(0, limit)
    const isOver = page.next === null || left <= 0
    if (!isOver && found.length <= limit) {
      from = { after: [...(page.next ?? [])] }
      continue
    }
    const next = found.length > limit ? (shown.at(-1)?.place ?? null) : page.next
    return {
      shown: shown.map(({ body }) => body),
      next: nextOf({ generation: page.generation, next }),
      position: page.position,
    }
  }
}

/** Bookmarks that are counted: beyond them the count is a lower bound. */
const MOST_COUNTED = 1_000

/** Those that are not private, of people who let others see what they do, newest first. */
export const storyBookmarks = (
  reads: ShelfReads,
): Query<PageInput & { readonly id: string; readonly adult: boolean }, Page<PublicBookmark>> => ({
  name: 'story-bookmarks',
  permission: 'stories:read',
  output: PublicBookmarksSchema,
  reads: [bookmarksProjection],
  closed: ['limit', 'adult'],
  people: peopleInBrief,
  run: async ({ id, adult, limit, after }, reader) => {
    const { state: story } = await reads.stories.load(storyStream(id))
    const shown = shownStory(story, viewerOf(reader, reads.people, adult))
    if ('refused' in shown) return shown
    const where = [{ member: 'shownUnder', op: 'eq' as const, value: id }]
    const query = { where, order: ['at'], backwards: true, limit: MOST_COUNTED }
    const isShown = (accountId: string): boolean => reads.people.listsFor(accountId, reader)
    const [page, counted] = await Promise.all([
      shownUnder(reads, id, { limit, ...defined({ after }) }, isShown),
      reads.bookmarks.select(query, ['accountId']),
    ])
    const items = page.shown.map(({ accountId, note, at }) => ({ accountId, bookmarkedAt: at, ...defined({ note }) }))
    const total = counted.documents.filter(({ members: [accountId] }) => isShown(String(accountId))).length
    return {
      value: { items, next: page.next, total, totalRelation: counted.next ? 'gte' : 'eq' },
      position: page.position,
    }
  },
})
