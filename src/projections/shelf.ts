/** What readers keep of stories, one small document for each: found by its owner, by its story, by what is followed. */
import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import {
  Bookmarked,
  BookmarkRemoved,
  ProgressForgotten,
  ProgressMarked,
  ShelfCleared,
  type ShelfEvent,
  Subscribed,
  type SubscriptionKind,
  shelfCategory,
  shelfEvents,
  subscriptionKey,
  Unsubscribed,
} from '../domain/shelf/shelf.ts'

const names: ReadonlySet<string> = new Set(shelfEvents.map(({ type }) => type))
const isShelfEvent = (event: Recorded): event is Recorded<ShelfEvent> => names.has(event.type)

/** Of what one account keeps of one target. */
export const keptId = (accountId: string, target: string): string => `${accountId}:${target}`

/** `shownUnder`: the story, where the bookmark is not private. Times are RFC 3339. */
export type BookmarkDocument = {
  readonly accountId: string
  readonly story: string
  readonly at: string
  readonly isPrivate: boolean
  readonly note?: string
  readonly shownUnder?: string
}

export const bookmarksProjection = projection<BookmarkDocument>({
  name: 'bookmarks',
  version: 1,
  categories: [shelfCategory],
  types: [Bookmarked.type, BookmarkRemoved.type, ShelfCleared.type],
  removals: [ShelfCleared.type],
  indexes: [
    { name: 'owner', on: ['accountId', 'at'] },
    { name: 'story', on: ['shownUnder', 'at'] },
  ],
  key: event => {
    if (!isShelfEvent(event)) return []
    const { accountId } = event.data
    if (event.type === 'ShelfCleared') return event.data.bookmarks.map(story => keptId(accountId, story))
    return 'story' in event.data ? keptId(accountId, event.data.story) : []
  },
  evolve: (document, event) => {
    if (!isShelfEvent(event) || event.type !== 'Bookmarked') return undefined
    const { accountId, story, isPrivate, note } = event.data
    // Its place in the list is that of its beginning: one who changes a note has not bookmarked it anew.
    const at = document?.at ?? event.meta.at
    return { accountId, story, at, isPrivate, ...defined({ note, shownUnder: isPrivate ? undefined : story }) }
  },
})

/** `followed`: kind and target in one, by which those are found who follow it. */
export type SubscriptionDocument = {
  readonly accountId: string
  readonly kind: SubscriptionKind
  readonly target: string
  readonly followed: string
  readonly at: string
  readonly tag?: string
}

export const subscriptionsProjection = projection<SubscriptionDocument>({
  name: 'subscriptions',
  version: 1,
  categories: [shelfCategory],
  types: [Subscribed.type, Unsubscribed.type, ShelfCleared.type],
  removals: [ShelfCleared.type],
  indexes: [
    { name: 'owner', on: ['accountId', 'at'] },
    { name: 'ownerKind', on: ['accountId', 'kind', 'at'] },
    { name: 'followed', on: ['followed'] },
  ],
  key: event => {
    if (!isShelfEvent(event)) return []
    const { accountId } = event.data
    if (event.type === 'ShelfCleared')
      return event.data.subscriptions.map(({ kind, target }) => keptId(accountId, subscriptionKey(kind, target)))
    return 'target' in event.data ? keptId(accountId, subscriptionKey(event.data.kind, event.data.target)) : []
  },
  evolve: (_document, event) => {
    if (!isShelfEvent(event) || event.type !== 'Subscribed') return undefined
    const { accountId, kind, target, tag } = event.data
    const followed = subscriptionKey(kind, target)
    return { accountId, kind, target, followed, at: event.meta.at, ...defined({ tag }) }
  },
})

/** `fraction` of the chapter, 0 to 1. */
export type ProgressDocument = {
  readonly accountId: string
  readonly story: string
  readonly chapter: string
  readonly fraction: number
  readonly at: string
}

export const progressProjection = projection<ProgressDocument>({
  name: 'reading-progress',
  version: 1,
  categories: [shelfCategory],
  types: [ProgressMarked.type, ProgressForgotten.type, ShelfCleared.type],
  removals: [ShelfCleared.type],
  indexes: [{ name: 'owner', on: ['accountId', 'at'] }],
  key: event => {
    if (!isShelfEvent(event)) return []
    const { accountId } = event.data
    if (event.type === 'ShelfCleared') return event.data.progress.map(story => keptId(accountId, story))
    return 'story' in event.data ? keptId(accountId, event.data.story) : []
  },
  evolve: (_document, event) => {
    if (!isShelfEvent(event) || event.type !== 'ProgressMarked') return undefined
    const { accountId, story, chapter, fraction } = event.data
    return { accountId, story, chapter, fraction, at: event.meta.at }
  },
})
