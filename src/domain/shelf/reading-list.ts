/** A reader's own list of stories, in the order they gave it: private, or for everybody to read. */
import Type from 'typebox'
import type { Aggregate, By, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type JsonObject, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { type Refusal, refuse, type TextRefusal } from '../refusal.ts'
import { readText } from '../text/text.ts'

/** What is refused of a reading list. */
export type ReadingListRefusal = 'reading-list-not-found' | 'reading-list-invalid'

// Stream

export const readingListCategory = 'list'
export const readingListStream = (id: string): string => streamName(readingListCategory, id)
export const readingListIdOf = ({ stream }: { readonly stream: string }): string =>
  stream.slice(readingListCategory.length + 1)

// Events

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const title = Type.String({ minLength: 1, seal: 'subject' as const })
const subject = { subject: (data: JsonObject): string => String(data['accountId']) }

/** A list was begun, with nothing in it. The title is sealed under the owner's key, as all that they say of themselves. */
export const ReadingListBegun = eventType(
  'ReadingListBegun',
  Type.Object({ accountId: id, isPrivate: Type.Boolean(), title }, strict),
  subject,
)
/** Title or audience were changed: what is absent stays. */
export const ReadingListEdited = eventType(
  'ReadingListEdited',
  Type.Object({ accountId: id, isPrivate: Type.Optional(Type.Boolean()), title: Type.Optional(title) }, strict),
  subject,
)
/** Which stories it has, in order: the list as a whole. */
export const ReadingListOrdered = eventType(
  'ReadingListOrdered',
  Type.Object({ accountId: id, stories: Type.Array(id) }, strict),
)
export const ReadingListDeleted = eventType('ReadingListDeleted', Type.Object({ accountId: id }, strict))

export const readingListEvents = [ReadingListBegun, ReadingListEdited, ReadingListOrdered, ReadingListDeleted] as const
export type ReadingListEvent = EventOf<(typeof readingListEvents)[number]>

// Fold

/** `title` is absent once its owner's account was erased. Times are RFC 3339. */
export type ReadingList = {
  readonly owner: string
  readonly title?: string
  readonly isPrivate: boolean
  readonly stories: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly deleted?: true
}
export type ReadingListState = ReadingList | undefined

export const evolveReadingList = (list: ReadingListState, event: Recorded<ReadingListEvent>): ReadingListState => {
  const { at } = event.meta
  if (event.type === 'ReadingListBegun') {
    const { accountId: owner, isPrivate, title: named } = event.data
    return { owner, isPrivate, stories: [], createdAt: at, updatedAt: at, ...defined({ title: named }) }
  }
  if (!list) return undefined
  switch (event.type) {
    case 'ReadingListEdited': {
      const { isPrivate, title: named } = event.data
      return { ...list, updatedAt: at, ...defined({ isPrivate, title: named }) }
    }
    case 'ReadingListOrdered':
      return { ...list, updatedAt: at, stories: event.data.stories }
    case 'ReadingListDeleted': {
      const { title: _, ...rest } = list
      return { ...rest, stories: [], updatedAt: at, deleted: true }
    }
  }
}

export const readingListAggregate: Aggregate<ReadingListState, ReadingListEvent> = {
  category: readingListCategory,
  events: readingListEvents,
  initial: undefined,
  evolve: evolveReadingList,
  route: list => ({ visibility: 'owner', ...defined({ owner: list?.owner }) }),
  isRemoved: list => list?.deleted === true,
  isAskedForByAnybody: true,
}

// Decide

export const LIST_TITLE_LENGTH = 255
export const MOST_LISTED = 500

type Deciding = Decide<ReadingListState, ReadingListEvent, ReadingListRefusal>

const absent = (): Refusal<ReadingListRefusal> => refuse('reading-list-not-found', 'There is no such reading list.')

const titleOf = (given: string): string | Refusal<TextRefusal> => {
  const { text, fault } = readText(given.trim(), { max: LIST_TITLE_LENGTH, multiline: false })
  if (fault === undefined) return text
  return refuse('text-invalid', fault, { errors: [{ pointer: '/title', code: 'format', detail: fault }] })
}

/** What is somebody else's is not there: a private list says nothing of itself, and a public one is changed by its owner alone. */
const ownList = (list: ReadingListState, { id: by }: Pick<By, 'id'>): ReadingList | Refusal<ReadingListRefusal> =>
  list && !list.deleted && list.owner === by ? list : absent()

export const beginList =
  (given: { readonly title: string; readonly isPrivate: boolean }, { id: accountId }: Pick<By, 'id'>): Deciding =>
  list => {
    if (list) return refuse('conflict', 'There is a list of this id.')
    const named = titleOf(given.title)
    if (typeof named !== 'string') return named
    return [{ type: 'ReadingListBegun', data: { accountId, isPrivate: given.isPrivate, title: named } }]
  }

export const editList =
  (
    change: { readonly title?: string | undefined; readonly isPrivate?: boolean | undefined },
    by: Pick<By, 'id'>,
  ): Deciding =>
  state => {
    const list = ownList(state, by)
    if ('refused' in list) return list
    const named = change.title === undefined ? list.title : titleOf(change.title)
    if (typeof named === 'object') return named
    const isPrivate = change.isPrivate ?? list.isPrivate
    const renamed = named === list.title ? undefined : named
    const shown = isPrivate === list.isPrivate ? undefined : isPrivate
    if (renamed === undefined && shown === undefined) return []
    return [{ type: 'ReadingListEdited', data: { accountId: by.id, ...defined({ isPrivate: shown, title: renamed }) } }]
  }

/** Gives the list these stories in this order, each once. Whether they may be read is decided before. */
export const orderList =
  (stories: readonly string[], by: Pick<By, 'id'>): Deciding =>
  state => {
    const list = ownList(state, by)
    if ('refused' in list) return list
    const twice = stories.findIndex((story, at) => stories.indexOf(story) < at)
    if (twice >= 0) return invalid(twice, 'A story is in a list once.')
    if (stories.length > MOST_LISTED) return invalid(MOST_LISTED, `A list has ${MOST_LISTED} stories at most.`)
    if (stories.join() === list.stories.join()) return []
    return [{ type: 'ReadingListOrdered', data: { accountId: by.id, stories: [...stories] } }]
  }

const invalid = (at: number, detail: string): Refusal<ReadingListRefusal> =>
  refuse('reading-list-invalid', detail, { errors: [{ pointer: `/stories/${at}`, code: 'invalid', detail }] })

export const deleteList =
  (by: Pick<By, 'id'>): Deciding =>
  list => {
    if (list?.deleted && list.owner === by.id) return []
    const found = ownList(list, by)
    return 'refused' in found ? found : [{ type: 'ReadingListDeleted', data: { accountId: by.id } }]
  }
