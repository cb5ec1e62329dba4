/**
 * A reading of the history: who looked at what, and how much of it was handed out. A page is one event; a stream is
 * opened first, so that a reading leaves its trace also when the process dies in the middle of it.
 */
import Type, { type Static } from 'typebox'
import type { Aggregate, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'

// Stream

export const historyCategory = 'history'
/** Each reading has a stream of its own: nobody's readings wait for each other, and no stream grows long. */
export const historyStream = (id: string): string => streamName(historyCategory, id)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })

/**
 * What was asked for. Ids are opaque; a stream or correlation that was named but is not in the log is left out and its
 * member stands in `unmatched`, since it may be anything that somebody typed.
 */
export const HistoryFilters = Type.Object(
  {
    stream: Type.Optional(text),
    category: Type.Optional(text),
    type: Type.Optional(text),
    actorKind: Type.Optional(text),
    actor: Type.Optional(text),
    correlationId: Type.Optional(text),
    language: Type.Optional(text),
    from: Type.Optional(text),
    to: Type.Optional(text),
    after: Type.Optional(text),
    before: Type.Optional(text),
    order: Type.Enum(['asc', 'desc']),
    unmatched: Type.Optional(Type.Array(text)),
  },
  strict,
)
export type HistoryFilters = Static<typeof HistoryFilters>

/** A stream of the history begins. */
export const HistoryOpened = eventType('HistoryOpened', Type.Object({ filters: HistoryFilters }, strict))
/** The history was read: `count` events were handed out; `complete` is false when the reader went away before the end. */
export const HistoryRead = eventType(
  'HistoryRead',
  Type.Object(
    {
      filters: HistoryFilters,
      count: Type.Integer({ minimum: 0 }),
      format: Type.Enum(['page', 'stream']),
      complete: Type.Boolean(),
    },
    strict,
  ),
)

export const historyEvents = [HistoryOpened, HistoryRead] as const
export type HistoryEvent = EventOf<(typeof historyEvents)[number]>

// Fold

/** `owner` is the actor id of the reader. */
export type Reading = { readonly owner: string; readonly ended: boolean } | undefined

export const readingAggregate: Aggregate<Reading, HistoryEvent> = {
  category: historyCategory,
  events: historyEvents,
  initial: undefined,
  evolve: (reading, event: Recorded<HistoryEvent>) => ({
    owner: reading?.owner ?? event.meta.actor.id,
    ended: reading?.ended === true || event.type === 'HistoryRead',
  }),
  route: reading => ({ visibility: 'owner', ...defined({ owner: reading?.owner }) }),
}

// Decide

/** A stream begins. */
export const openReading =
  (filters: HistoryFilters) =>
  (reading: Reading): Decision<HistoryEvent> =>
    reading ? [] : [{ type: 'HistoryOpened', data: { filters } }]

/** What was read, at its end: once for each reading. */
export const endReading =
  (read: Extract<HistoryEvent, { readonly type: 'HistoryRead' }>['data']) =>
  (reading: Reading): Decision<HistoryEvent> =>
    reading?.ended ? [] : [{ type: 'HistoryRead', data: read }]
