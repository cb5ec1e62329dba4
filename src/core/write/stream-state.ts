/** The folded state of one stream with what transact needs beside it: revision, recent commands, sealing key. */
import type { Aggregate, EventsByRevision } from '../../domain/decider.ts'
import { defined } from '../../domain/defined.ts'
import type { DomainEvent, Recorded } from '../../domain/event.ts'
import { sizeOf } from '../../domain/json.ts'
import { markOf, NO_MARK } from '../../domain/mark.ts'
import type { Expected, Written } from '../../ports/event-store.ts'
import type { Log, NewEvent } from '../log/log.ts'
import { eventsAt } from '../log/revisions.ts'

/** A command that the stream has seen: its last revision, and the hash of its body. */
export type Seen = { readonly revision: bigint; readonly fingerprint: string | undefined; readonly at: string }

export type Loaded<State> = {
  readonly state: State
  readonly revision: Expected
  readonly position: bigint
  /** Id and time of the stream's last event; '' before the first one. */
  readonly lastId: string
  readonly at: string
  /** The stream's last 256 commands, oldest first. */
  readonly recent: ReadonlyMap<string, Seen>
  /** The document key that sealed the stream so far. */
  readonly key: string | undefined
  /** What was folded since the last stored snapshot, or the start: events, and characters of their data. */
  readonly unkept: Unkept
  /** From memory: others may have written since. */
  readonly cached: boolean
  /** Folded without what is sealed: not to be kept in memory. */
  readonly unopened: boolean
}

export type Unkept = { readonly events: number; readonly characters: number }
export const nothingUnkept: Unkept = { events: 0, characters: 0 }

/** A repeat of an older command than these is decided afresh. */
const REMEMBERED = 256

export const begin = <State, E extends DomainEvent>(aggregate: Aggregate<State, E>): Loaded<State> => ({
  state: aggregate.initial,
  revision: 'none',
  position: 0n,
  lastId: '',
  at: '',
  recent: new Map(),
  key: undefined,
  unkept: nothingUnkept,
  cached: false,
  unopened: false,
})

/** The mark of the event that led to the stream's revision. */
export const markAt = ({ lastId, at }: Pick<Loaded<unknown>, 'lastId' | 'at'>): string =>
  lastId === '' ? NO_MARK : markOf(lastId, at)

const belongs = <State, E extends DomainEvent>(aggregate: Aggregate<State, E>, event: Recorded): event is Recorded<E> =>
  aggregate.events.some(each => each.type === event.type)

const unkeptWith = (unkept: Unkept, events: readonly Recorded[]): Unkept => ({
  events: unkept.events + events.length,
  characters: events.reduce((sum, { data }) => sum + sizeOf(data), unkept.characters),
})

const apply = <State, E extends DomainEvent>(
  aggregate: Aggregate<State, E>,
  loaded: Loaded<State>,
  events: readonly Recorded[],
): Loaded<State> => {
  let { state, revision, position, lastId, at, key } = loaded
  const recent = new Map(loaded.recent)
  for (const event of events) {
    if (belongs(aggregate, event)) state = aggregate.evolve(state, event)
    recent.delete(event.meta.commandId)
    recent.set(event.meta.commandId, {
      revision: event.revision,
      fingerprint: event.meta.fingerprint,
      at: event.meta.at,
    })
    ;({ revision, position } = event)
    lastId = event.id
    at = event.meta.at
    key = event.meta.key?.startsWith('document:') ? event.meta.key : key
  }
  for (const oldest of recent.keys()) {
    if (recent.size <= REMEMBERED) break
    recent.delete(oldest)
  }
  const unkept = aggregate.snapshot ? unkeptWith(loaded.unkept, events) : nothingUnkept
  return { state, revision, position, lastId, at, recent, key, unkept, cached: false, unopened: loaded.unopened }
}

/** A stream, how it is folded, and where it is read. */
export type Folded<State, E extends DomainEvent> = {
  readonly log: Pick<Log, 'readStream'>
  readonly aggregate: Aggregate<State, E>
  readonly stream: string
}

/** What the log has after `from`, folded onto it; of it `most` events. */
export const since = async <State, E extends DomainEvent>(
  { log, aggregate, stream }: Folded<State, E>,
  from: Loaded<State>,
  most?: number,
): Promise<Loaded<State>> => {
  let loaded: Loaded<State> = { ...from, cached: false }
  const first = from.revision === 'none' ? 0n : from.revision + 1n
  for await (const page of log.readStream(stream, { from: first, ...defined({ limit: most }) }))
    loaded = apply(aggregate, loaded, page)
  return loaded
}

/** The aggregate's own events at these revisions. */
export const pastOf = async <State, E extends DomainEvent>(
  { log, aggregate, stream }: Folded<State, E>,
  revisions: readonly bigint[],
): Promise<EventsByRevision<E>> => {
  const events = new Map<bigint, Recorded<E>>()
  for (const [revision, event] of await eventsAt(log, stream, revisions))
    if (belongs(aggregate, event)) events.set(revision, event)
  return events
}

/** The stream as it was at a revision before that of `now`: by recalling it where the aggregate can, else folded from the start. */
export const stateAt = async <State, E extends DomainEvent>(
  folded: Folded<State, E>,
  now: Loaded<State>,
  revision: bigint,
): Promise<Loaded<State>> => {
  const { log, aggregate, stream } = folded
  const { earlier } = aggregate
  if (earlier) {
    const events = await pastOf(folded, [...earlier.needs(now.state, revision), revision])
    const event = events.get(revision)
    const state = earlier.recall(now.state, revision, events)
    if (event && state !== undefined)
      return { ...now, state, revision, position: event.position, lastId: event.id, at: event.meta.at }
  }
  let loaded = begin(aggregate)
  for await (const page of log.readStream(stream, { from: 0n, limit: Number(revision) + 1 }))
    loaded = apply(aggregate, loaded, page)
  return loaded
}

/**
 * The time of the next event on a stream: that of the clock which decides, but after that of the event before. So a time names
 * one revision of a stream, whichever node's clock is behind, stands still or is set back.
 */
export const timeAfter = (now: string, before: string): string =>
  now > before ? now : new Date(Date.parse(before) + 1).toISOString()

/** The nth decided event as it will be read, so that state and route can be folded before it is written. */
export const preview = <E extends DomainEvent>(
  event: E,
  at: {
    readonly stream: string
    readonly after: Expected
    readonly index: number
    readonly position: bigint
    readonly recordedAt: string
  },
  envelope: Pick<NewEvent, 'id' | 'meta'>,
): Recorded<E> => ({
  ...event,
  id: envelope.id,
  stream: at.stream,
  revision: (at.after === 'none' ? -1n : at.after) + BigInt(at.index + 1),
  position: at.position,
  recordedAt: at.recordedAt,
  meta: { ...envelope.meta, schema: 0 },
})

/** An append that was answered; `key` seals the stream, where one does. */
export type Appended<E extends DomainEvent> = {
  readonly stream: string
  readonly decided: readonly (E & NewEvent)[]
  readonly written: Written
  readonly key: string | undefined
}

/** The state after it. */
export const advance = <State, E extends DomainEvent>(
  aggregate: Aggregate<State, E>,
  loaded: Loaded<State>,
  { stream, decided, written, key }: Appended<E>,
): Loaded<State> => {
  const { position } = written
  const recorded = decided.map((event, index) =>
    // The store's clock is read with the event; no fold looks at it.
    preview(event, { stream, after: loaded.revision, index, position, recordedAt: event.meta.at }, event),
  )
  return { ...apply(aggregate, loaded, recorded), key: key ?? loaded.key }
}
