/**
 * What a reader keeps of stories: bookmarks, subscriptions, how far they have read. One of a kind for each target, since all that
 * is kept of a target is on one stream. Sixteen streams an account, so that none grows with all of somebody's reading.
 */
import { createHash } from 'node:crypto'
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type JsonObject, type Recorded } from '../event.ts'
import { streamName, uuidv5 } from '../ids.ts'
import { type Refusal, refuse, type TextRefusal } from '../refusal.ts'
import { readText } from '../text/text.ts'

/** What is refused of a shelf. */
export type ShelfRefusal = 'shelf-full' | 'progress-too-soon'

// Stream

export const shelfCategory = 'shelf'
const SHELVES = 16

const shelfNamed = (accountId: string, shelf: number): string => streamName(shelfCategory, `${accountId}-${shelf}`)

/** Where all is kept that this account keeps of a target: the first four bits of its hash say which of sixteen. */
export const shelfStream = (accountId: string, target: string): string =>
  shelfNamed(accountId, (createHash('sha256').update(target).digest()[0] ?? 0) % SHELVES)

/** All that an account has. */
export const shelvesOf = (accountId: string): readonly string[] =>
  Array.from({ length: SHELVES }, (_, shelf) => shelfNamed(accountId, shelf))

/** What may be followed. */
export const subscriptionKinds = ['story', 'series', 'author', 'tag'] as const
export type SubscriptionKind = (typeof subscriptionKinds)[number]

const TAGS = '5f0c1f4e-0d6b-5c0e-9a53-7b3f7f2f4c11'
/** What stands for a tag where its text may not: the version 5 UUID of its normal form. */
export const tagTarget = (tag: string): string => uuidv5(TAGS, tag)

// Events

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const own = { seal: 'subject' as const }
const kind = Type.Enum([...subscriptionKinds])
const subject = { subject: (data: JsonObject): string => String(data['accountId']) }

/** A story was bookmarked, or its bookmark changed: the bookmark as a whole. A private one is its owner's alone. */
export const Bookmarked = eventType(
  'Bookmarked',
  Type.Object(
    {
      accountId: id,
      story: id,
      isPrivate: Type.Boolean(),
      note: Type.Optional(Type.String({ minLength: 1, ...own })),
    },
    strict,
  ),
  subject,
)
export const BookmarkRemoved = eventType('BookmarkRemoved', Type.Object({ accountId: id, story: id }, strict))
/** `target`: the id of the story, the series, the author's account; of a tag what `tagTarget` makes of it, whose text is sealed. */
export const Subscribed = eventType(
  'Subscribed',
  Type.Object({ accountId: id, kind, target: id, tag: Type.Optional(Type.String({ minLength: 1, ...own })) }, strict),
  subject,
)
export const Unsubscribed = eventType('Unsubscribed', Type.Object({ accountId: id, kind, target: id }, strict))
/** How far somebody has read: the chapter, and which part of it, 0 to 1. */
export const ProgressMarked = eventType(
  'ProgressMarked',
  Type.Object({ accountId: id, story: id, chapter: id, fraction: Type.Number({ minimum: 0, maximum: 1 }) }, strict),
)
export const ProgressForgotten = eventType('ProgressForgotten', Type.Object({ accountId: id, story: id }, strict))
/** What the owner follows has these chapters published: what they are told of it, which says nothing of it but where it is. */
export const FollowedPublished = eventType(
  'FollowedPublished',
  Type.Object({ accountId: id, story: id, chapters: Type.Array(id) }, strict),
)
/** Its owner's account was erased: nothing is kept any more of what is named here. */
export const ShelfCleared = eventType(
  'ShelfCleared',
  Type.Object(
    {
      accountId: id,
      bookmarks: Type.Array(id),
      subscriptions: Type.Array(Type.Object({ kind, target: id }, strict)),
      progress: Type.Array(id),
    },
    strict,
  ),
)

export const shelfEvents = [
  Bookmarked,
  BookmarkRemoved,
  Subscribed,
  Unsubscribed,
  ProgressMarked,
  ProgressForgotten,
  FollowedPublished,
  ShelfCleared,
] as const
export type ShelfEvent = EventOf<(typeof shelfEvents)[number]>

// Fold

export type Bookmark = { readonly isPrivate: boolean; readonly note?: string; readonly at: string }
export type Subscription = {
  readonly kind: SubscriptionKind
  readonly target: string
  readonly tag?: string
  readonly at: string
}
export type Progress = { readonly chapter: string; readonly fraction: number; readonly at: string }

/** Bookmarks and progress by story, subscriptions by kind and target. Times are RFC 3339. */
export type Shelf = {
  readonly accountId?: string
  readonly bookmarks: ReadonlyMap<string, Bookmark>
  readonly subscriptions: ReadonlyMap<string, Subscription>
  readonly progress: ReadonlyMap<string, Progress>
}

const empty: Omit<Shelf, 'accountId'> = { bookmarks: new Map(), subscriptions: new Map(), progress: new Map() }

export const subscriptionKey = (of: SubscriptionKind, target: string): string => `${of}:${target}`

const having = <T>(map: ReadonlyMap<string, T>, key: string, value: T): ReadonlyMap<string, T> =>
  new Map(map).set(key, value)
const lacking = <T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> =>
  new Map([...map].filter(([name]) => name !== key))

const evolveShelf = (before: Shelf, event: Recorded<ShelfEvent>): Shelf => {
  const { at } = event.meta
  const { accountId } = event.data
  const shelf = { ...before, accountId }
  switch (event.type) {
    case 'Bookmarked': {
      const { story, isPrivate, note } = event.data
      return { ...shelf, bookmarks: having(shelf.bookmarks, story, { isPrivate, at, ...defined({ note }) }) }
    }
    case 'BookmarkRemoved':
      return { ...shelf, bookmarks: lacking(shelf.bookmarks, event.data.story) }
    case 'Subscribed': {
      const { kind: of, target, tag } = event.data
      const subscription = { kind: of, target, at, ...defined({ tag }) }
      return { ...shelf, subscriptions: having(shelf.subscriptions, subscriptionKey(of, target), subscription) }
    }
    case 'Unsubscribed': {
      const { kind: of, target } = event.data
      return { ...shelf, subscriptions: lacking(shelf.subscriptions, subscriptionKey(of, target)) }
    }
    case 'ProgressMarked': {
      const { story, chapter, fraction } = event.data
      return { ...shelf, progress: having(shelf.progress, story, { chapter, fraction, at }) }
    }
    case 'ProgressForgotten':
      return { ...shelf, progress: lacking(shelf.progress, event.data.story) }
    case 'FollowedPublished':
      return shelf
    case 'ShelfCleared':
      return { accountId, ...empty }
  }
}

/** Bytes of what is kept of one target, beside its note. */
const ITEM_BYTES = 300
/** Of text that is not Latin. */
const CHARACTER_BYTES = 2

export const shelfAggregate: Aggregate<Shelf, ShelfEvent> = {
  category: shelfCategory,
  events: shelfEvents,
  initial: empty,
  evolve: evolveShelf,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
  weigh: ({ bookmarks, subscriptions, progress }) => {
    let notes = 0
    for (const { note = '' } of bookmarks.values()) notes += note.length
    return ITEM_BYTES * (1 + bookmarks.size + subscriptions.size + progress.size) + CHARACTER_BYTES * notes
  },
}

// Decide

/** Of one kind on one of sixteen shelves. */
export const MOST_KEPT = 1_000
export const NOTE_LENGTH = 5_000
export const PROGRESS_SECONDS = 60

const full = (): Refusal<ShelfRefusal> =>
  refuse('shelf-full', 'There is no room for more of this kind: take something away first.')

const noteOf = (given: string | undefined): { readonly note?: string } | Refusal<TextRefusal> => {
  if (given === undefined || given.trim() === '') return {}
  const { text, fault } = readText(given.trim(), { max: NOTE_LENGTH, multiline: true })
  if (fault === undefined) return { note: text }
  return refuse('text-invalid', fault, { errors: [{ pointer: '/note', code: 'format', detail: fault }] })
}

export type Bookmarking = { readonly story: string; readonly isPrivate: boolean; readonly note?: string | undefined }

/** Bookmarks a story, or changes the bookmark as a whole: a note that is not given is none. */
export const bookmark =
  (accountId: string, { story, isPrivate, note }: Bookmarking): Decide<Shelf, ShelfEvent, ShelfRefusal> =>
  ({ bookmarks }) => {
    const read = noteOf(note)
    if ('refused' in read) return read
    const now = bookmarks.get(story)
    if (now && now.isPrivate === isPrivate && now.note === read.note) return []
    if (!now && bookmarks.size >= MOST_KEPT) return full()
    return [{ type: 'Bookmarked', data: { accountId, story, isPrivate, ...read } }]
  }

export const removeBookmark =
  (accountId: string, story: string): Decide<Shelf, ShelfEvent, never> =>
  ({ bookmarks }) =>
    bookmarks.has(story) ? [{ type: 'BookmarkRemoved', data: { accountId, story } }] : []

export type Following = { readonly kind: SubscriptionKind; readonly target: string; readonly tag?: string }

export const subscribe =
  (accountId: string, { kind: of, target, tag }: Following): Decide<Shelf, ShelfEvent, ShelfRefusal> =>
  ({ subscriptions }) => {
    if (subscriptions.has(subscriptionKey(of, target))) return []
    if (subscriptions.size >= MOST_KEPT) return full()
    return [{ type: 'Subscribed', data: { accountId, kind: of, target, ...defined({ tag }) } }]
  }

export const unsubscribe =
  (accountId: string, { kind: of, target }: Following): Decide<Shelf, ShelfEvent, never> =>
  ({ subscriptions }) =>
    subscriptions.has(subscriptionKey(of, target))
      ? [{ type: 'Unsubscribed', data: { accountId, kind: of, target } }]
      : []

/** Parts of a chapter that are told apart. */
const FRACTIONS = 1_000

/** Marks how far somebody has read, at most once in a minute: `seconds` of the refusal's context says how long it still is. */
export const markProgress =
  (
    accountId: string,
    place: { readonly story: string; readonly chapter: string; readonly fraction: number },
    now: Date,
  ): Decide<Shelf, ShelfEvent, ShelfRefusal> =>
  ({ progress }) => {
    const { story, chapter } = place
    const fraction = Math.round(place.fraction * FRACTIONS) / FRACTIONS
    const last = progress.get(story)
    if (!last && progress.size >= MOST_KEPT) return full()
    if (last && last.chapter === chapter && last.fraction === fraction) return []
    const seconds = last ? PROGRESS_SECONDS - (now.getTime() - Date.parse(last.at)) / 1000 : 0
    if (seconds > 0)
      return refuse('progress-too-soon', 'How far you are is marked once a minute.', {
        context: { seconds: Math.ceil(seconds) },
      })
    return [{ type: 'ProgressMarked', data: { accountId, story, chapter, fraction } }]
  }

export const forgetProgress =
  (accountId: string, story: string): Decide<Shelf, ShelfEvent, never> =>
  ({ progress }) =>
    progress.has(story) ? [{ type: 'ProgressForgotten', data: { accountId, story } }] : []

/** Tells the owner of what they follow. Each publication is a command of its own: sent again it is found. */
export const tellFollower =
  (accountId: string, story: string, chapters: readonly string[]): Decide<Shelf, ShelfEvent, never> =>
  () => [{ type: 'FollowedPublished', data: { accountId, story, chapters: [...chapters] } }]

/** Takes all away: the owner's account is erased. Repeating it is harmless. */
export const clearShelf =
  (accountId: string): Decide<Shelf, ShelfEvent, never> =>
  ({ bookmarks, subscriptions, progress }) => {
    if (bookmarks.size + subscriptions.size + progress.size === 0) return []
    const followed = [...subscriptions.values()].map(({ kind: of, target }) => ({ kind: of, target }))
    return [
      {
        type: 'ShelfCleared',
        data: {
          accountId,
          bookmarks: [...bookmarks.keys()],
          subscriptions: followed,
          progress: [...progress.keys()],
        },
      },
    ]
  }
