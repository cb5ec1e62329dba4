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
    event: Type.Optional(text),
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

/** Whose personal data was opened for the reader: the subjects of its keys, accounts mostly. Who reads their own is not named. */
const Subjects = Type.Array(text, { minItems: 1 })

/** A stream of the history begins. */
export const HistoryOpened = eventType('HistoryOpened', Type.Object({ filters: HistoryFilters }, strict))
/** A stream is about to hand out personal data of these. What its later parts show of others is another event. */
export const PersonalDataOpened = eventType('PersonalDataOpened', Type.Object({ subjects: Subjects }, strict))
/**
 * The history was read: `count` events were handed out; `complete` is false when the reader went away before the end.
 * `subjects`: whose personal data a page showed.
 */
export const HistoryRead = eventType(
  'HistoryRead',
  Type.Object(
    {
      filters: HistoryFilters,
      count: Type.Integer({ minimum: 0 }),
      format: Type.Enum(['page', 'stream']),
      complete: Type.Boolean(),
      subjects: Type.Optional(Subjects),
    },
    strict,
  ),
)

export const historyEvents = [HistoryOpened, PersonalDataOpened, HistoryRead] as const
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
  // Readings are written once or twice each and never again: there is nothing to gain by keeping them.
  cachedStreams: 64,
}

// Decide

/** A stream begins. */
export const openReading =
  (filters: HistoryFilters) =>
  (reading: Reading): Decision<HistoryEvent, never> =>
    reading ? [] : [{ type: 'HistoryOpened', data: { filters } }]

/** Personal data is about to be handed out, unless the stream has ended. */
export const openPersonalData =
  (subjects: readonly string[]) =>
  (reading: Reading): Decision<HistoryEvent, never> =>
    reading?.ended || subjects.length === 0 ? [] : [{ type: 'PersonalDataOpened', data: { subjects: [...subjects] } }]

/** What was read, at its end: once for each reading. */
export const endReading =
  (read: Extract<HistoryEvent, { readonly type: 'HistoryRead' }>['data']) =>
  (reading: Reading): Decision<HistoryEvent, never> =>
    reading?.ended ? [] : [{ type: 'HistoryRead', data: read }]
