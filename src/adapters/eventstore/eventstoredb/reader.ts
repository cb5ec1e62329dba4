/** Reads: the head, streams, single positions, and the log up to a position through a filter on the server. */
import {
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  BACKWARDS,
  END,
  eventTypeFilter,
  type Filter,
  FORWARDS,
  type ReadPosition,
  type ResolvedEvent,
  START,
  type StreamingRead,
  streamNameFilter,
} from '@eventstore/db-client'
import { categoryOf } from '../../../domain/ids.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { LogFilter, LoggedEvent, ReadStreamOptions } from '../../../ports/event-store.ts'
import type { Connection, EsdbClient } from './connection.ts'
import { failureOf, meaningOf } from './errors.ts'
import { fromEvent, isOurs, OUR_STREAMS } from './frame.ts'
import { type Pull, pull, READABLE } from './pull.ts'

/** How long a reading may say nothing, in milliseconds: the client's own reads have no deadline. */
export const PATIENCE_MS = 10_000
/** Events the server looks at before it says how far it has come; measured as the best on the real one. */
const WINDOW = 4_096
/** Events of the server itself that are passed over at first when the last one of ours is looked for. */
const TAIL = 4
/** A page of a stream ends after the event with which it passes this many characters. */
const PAGE_CHARACTERS = 8_000_000

const at = (position: bigint): ReadPosition => (position === 0n ? START : { commit: position, prepare: position })

/** What follows in the log: an event of ours, or how far the server has looked for one. */
export type LogItem = LoggedEvent | { readonly reached: bigint } | 'caught-up'

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/#\s-]/g, '\\$&')
const anyOf = (texts: readonly string[]): string => `(?:${texts.map(escaped).join('|')})`

export const passes = (filter: LogFilter | undefined): ((event: LoggedEvent) => boolean) => {
  const categories = filter?.categories && new Set(filter.categories)
  const types = filter?.types && new Set(filter.types)
  return ({ stream, type }) => (categories?.has(categoryOf(stream)) ?? true) && (types?.has(type) ?? true)
}

export const matchesNothing = (filter: LogFilter | undefined): boolean =>
  filter?.categories?.length === 0 || filter?.types?.length === 0

export type Reader = {
  /** Position of the last event of ours. */
  head(): Promise<bigint>
  /** A position of ours that was heard of elsewhere: the head is never said to be before it. */
  heard(position: bigint): void
  stream(name: string, options?: ReadStreamOptions): AsyncGenerator<readonly LoggedEvent[]>
  at(position: bigint): Promise<LoggedEvent | undefined>
  /** Opens a subscription after a position, filtered by the server. The items come in order; `end` it. */
  follow(after: bigint, filter: LogFilter | undefined): Promise<Following>
}

export type Following = {
  /** `patienceMs` absent: however long it takes. Undefined at the end of the connection or the abort. */
  next(patienceMs?: number, signal?: AbortSignal): Promise<readonly LogItem[] | undefined>
  end(): Promise<void>
}

export const openReader = (connection: Connection, clock: Pick<Clock, 'sleep' | 'monotonic'>): Reader => {
  const { shown } = connection
  let last = 0n
  let looked = 0n

  /** Runs a reading on the client; its call is ended and its failure named whatever happens. */
  const reading = async <T>(
    open: (client: EsdbClient) => StreamingRead<AllStreamResolvedEvent> | StreamingRead<ResolvedEvent>,
    work: (items: Pull) => Promise<T>,
  ): Promise<T> => {
    const client = connection.client()
    const stream = open(client)
    const items = pull(stream, () => stream.cancel(), clock)
    try {
      return await work(items)
    } catch (error) {
      connection.failed(client, error)
      throw error
    } finally {
      await items.end()
    }
  }

  const resolved = (item: unknown): AllStreamResolvedEvent => item as AllStreamResolvedEvent

  /** The last event of ours among so many of the newest before a position; how far it looked when there is none. */
  const newest = (from: ReadPosition, count: number) =>
    reading(
      client => client.readAll({ direction: BACKWARDS, fromPosition: from, maxCount: count, requiresLeader: true }),
      async items => {
        let first: bigint | undefined
        let oldest: bigint | undefined
        let seen = 0
        for (let some = await items.next(PATIENCE_MS); some; some = await items.next(PATIENCE_MS))
          for (const item of some) {
            const { event } = resolved(item)
            if (!event) continue
            seen += 1
            oldest = event.position.commit
            first ??= oldest
            if (isOurs(event.streamId, event.type)) return { found: oldest, first, oldest, over: true }
          }
        return { found: undefined, first, oldest, over: seen < count }
      },
    )

  const head = async (): Promise<bigint> => {
    let from: ReadPosition = END
    let newestSeen: bigint | undefined
    for (let count = TAIL; ; count = Math.min(count * 4, WINDOW)) {
      const { found, first, oldest, over } = await newest(from, count)
      newestSeen ??= first
      if (found !== undefined && found > last) last = found
      if (found !== undefined || over || oldest === undefined || oldest <= looked) break
      from = { commit: oldest, prepare: oldest }
    }
    // What lies before has been looked at: the server's own events are passed over once.
    if (newestSeen !== undefined && newestSeen > looked) looked = newestSeen
    return last
  }

  async function* stream(name: string, options: ReadStreamOptions = {}): AsyncGenerator<readonly LoggedEvent[]> {
    const { direction = 'forwards', from, limit = Number.MAX_SAFE_INTEGER } = options
    if (limit <= 0) return
    const client = connection.client()
    const opened = client.readStream(
      name,
      {
        direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
        fromRevision: from ?? (direction === 'forwards' ? START : END),
        maxCount: limit,
        requiresLeader: true,
      },
      READABLE,
    )
    const items = pull(opened, () => opened.cancel(), clock)
    try {
      for (let some = await items.next(PATIENCE_MS); some; some = await items.next(PATIENCE_MS)) {
        let page: LoggedEvent[] = []
        let characters = 0
        for (const item of some) {
          const { event } = resolved(item)
          if (!event) continue
          const logged = fromEvent(event, event.position.commit)
          page.push(logged)
          characters += logged.data.length + logged.meta.length
          if (characters <= PAGE_CHARACTERS) continue
          yield page
          page = []
          characters = 0
        }
        if (page.length > 0) yield page
      }
    } catch (error) {
      if (meaningOf(error).kind === 'not-found') return
      connection.failed(client, error)
      throw error
    } finally {
      await items.end()
    }
  }

  const one = async (position: bigint): Promise<LoggedEvent | undefined> => {
    if (position === 0n) return undefined
    try {
      return await reading(
        client => client.readAll({ direction: FORWARDS, fromPosition: at(position), maxCount: 1 }),
        async items => {
          const { event } = resolved((await items.next(PATIENCE_MS))?.[0] ?? {})
          if (event?.position.commit !== position || !isOurs(event.streamId, event.type)) return undefined
          return fromEvent(event, position)
        },
      )
    } catch (error) {
      // No event begins there.
      if (meaningOf(error).kind === 'broken') return undefined
      throw error
    }
  }

  const serverFilter = (filter: LogFilter | undefined, checkpoint: FilterCheckpoint): Filter => {
    const options = { maxSearchWindow: WINDOW, checkpointInterval: 1, checkpointReached: checkpoint }
    if (filter?.types) return eventTypeFilter({ regex: `^${anyOf(filter.types)}$`, ...options })
    if (filter?.categories) return streamNameFilter({ regex: `^${anyOf(filter.categories)}(?:-|$)`, ...options })
    return streamNameFilter({ regex: OUR_STREAMS, ...options })
  }

  const follow = async (after: bigint, filter: LogFilter | undefined): Promise<Following> => {
    const client = connection.client()
    // Behind the events before it, as an item of the same queue: who takes it for reached as it comes in loses events.
    const checkpoint: FilterCheckpoint = (subscription, { commit }) => {
      subscription.push({ commitPosition: commit })
    }
    const opened = client.subscribeToAll(
      { fromPosition: at(after), filter: serverFilter(filter, checkpoint) },
      READABLE,
    )
    opened.on('caughtUp', () => opened.push({}))
    const items = pull(opened, () => opened.unsubscribe(), clock)
    const wanted = passes(filter)
    let position = after
    const itemOf = (item: unknown): LogItem | undefined => {
      const { event, commitPosition } = resolved(item)
      if (!event) return commitPosition === undefined ? 'caught-up' : { reached: commitPosition }
      const place = event.position.commit
      // What came twice, or before where we are.
      if (place <= position || !isOurs(event.streamId, event.type)) return undefined
      position = place
      const logged = fromEvent(event, place)
      return wanted(logged) ? logged : undefined
    }
    return {
      next: async (patienceMs, signal) => {
        try {
          const some = await items.next(patienceMs, signal)
          return some?.flatMap(each => itemOf(each) ?? [])
        } catch (error) {
          connection.failed(client, error)
          throw error
        }
      },
      end: () => items.end(),
    }
  }

  /** The failure under its name in the port. */
  const named = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw failureOf(error, shown)
    }
  }
  return {
    head: () => named(head),
    heard: position => {
      if (position > last) last = position
    },
    stream: async function* (name, options) {
      try {
        yield* stream(name, options)
      } catch (error) {
        throw failureOf(error, shown)
      }
    },
    at: position => named(() => one(position)),
    follow: async (after, filter) => {
      const following = await named(() => follow(after, filter))
      return { end: following.end, next: (patience, signal) => named(() => following.next(patience, signal)) }
    },
  }
}

type FilterCheckpoint = (subscription: AllStreamSubscription, position: { readonly commit: bigint }) => void
