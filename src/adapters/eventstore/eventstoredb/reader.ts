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
import {
  EventStoreError,
  type LogFilter,
  type LoggedEvent,
  type ReadStreamOptions,
} from '../../../ports/event-store.ts'
import type { EsdbClient } from './client.ts'
import type { Connection } from './connection.ts'
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

/**
 * A follower may be behind, or cut off from the leader without knowing it: a log that seems to end early looks like one that has
 * lost its end.
 */
const LED = { requiresLeader: true } as const
/** Times that a call goes to the next leader before it is said that there is none. */
const LEADERS = 3

/** Stands among the items for the server's word that the subscription has begun. */
const BEGUN = Symbol('begun')

/** What follows in the log: an event of ours, or how far the server has looked for one. */
export type LogItem = LoggedEvent | { readonly reached: bigint } | 'caught-up'

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const anyOf = (texts: readonly string[]): string => `(?:${texts.map(escaped).join('|')})`

export const passes = (filter: LogFilter | undefined): ((event: LoggedEvent) => boolean) => {
  const categories = filter?.categories && new Set(filter.categories)
  const types = filter?.types && new Set(filter.types)
  // Of a damaged event nobody can say whether it is wanted.
  return ({ stream, type, damaged }) =>
    damaged === true || ((categories?.has(categoryOf(stream)) ?? true) && (types?.has(type) ?? true))
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
  /**
   * What there is, nothing yet when the server has only said that it begins. `patienceMs` absent: however long it takes.
   * Undefined at the end of the connection or the abort.
   */
  next(patienceMs?: number, signal?: AbortSignal): Promise<readonly LogItem[] | undefined>
  end(): Promise<void>
}

export const openReader = (connection: Connection, clock: Pick<Clock, 'sleep' | 'monotonic'>): Reader => {
  const { shown } = connection
  let last = 0n
  let looked = 0n

  /** Goes to the leader that a follower names: the client does so with its next call. */
  const led = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1)
      try {
        return await work()
      } catch (error) {
        if (meaningOf(error).kind !== 'not-leader' || tries >= LEADERS) throw error
        await new Promise<void>(resolve => setImmediate(resolve))
      }
  }

  /** Runs a reading on the client; its call is ended and its failure named whatever happens. */
  const reading = <T>(
    open: (client: EsdbClient) => StreamingRead<AllStreamResolvedEvent> | StreamingRead<ResolvedEvent>,
    work: (items: Pull) => Promise<T>,
  ): Promise<T> =>
    led(async () => {
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
    })

  const resolved = (item: unknown): AllStreamResolvedEvent => item as AllStreamResolvedEvent

  /** The last event of ours among so many of the newest before a position; how far it looked when there is none. */
  const newest = (from: ReadPosition, count: number) =>
    reading(
      client => client.readAll({ direction: BACKWARDS, fromPosition: from, maxCount: count, ...LED }),
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

  async function* pagesOf(name: string, options: ReadStreamOptions): AsyncGenerator<readonly LoggedEvent[]> {
    const { direction = 'forwards', from, limit = Number.MAX_SAFE_INTEGER } = options
    const client = connection.client()
    const opened = client.readStream(
      name,
      {
        direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
        fromRevision: from ?? (direction === 'forwards' ? START : END),
        maxCount: limit,
        ...LED,
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

  async function* stream(name: string, options: ReadStreamOptions = {}): AsyncGenerator<readonly LoggedEvent[]> {
    if (options.limit !== undefined && options.limit <= 0) return
    // Only the beginning can be refused by who is no leader.
    const pages = await led(async () => {
      const begun = pagesOf(name, options)
      return { first: await begun.next(), rest: begun }
    })
    try {
      if (pages.first.done) return
      yield pages.first.value
      yield* pages.rest
    } finally {
      await pages.rest.return(undefined)
    }
  }

  const eventAt = (position: bigint): Promise<LoggedEvent | undefined> =>
    reading(
      client => client.readAll({ direction: FORWARDS, fromPosition: at(position), maxCount: 1, ...LED }),
      async items => {
        const { event } = resolved((await items.next(PATIENCE_MS))?.[0] ?? {})
        if (event?.position.commit !== position || !isOurs(event.streamId, event.type)) return undefined
        return fromEvent(event, position)
      },
    )

  const one = async (position: bigint): Promise<LoggedEvent | undefined> => {
    if (position === 0n) return undefined
    // No event begins there: the server says so by an error that others of its errors look like, too.
    for (let tries = 1; ; tries += 1)
      try {
        return await eventAt(position)
      } catch (error) {
        if (meaningOf(error).kind !== 'broken') throw error
        if (tries > 1) return undefined
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
      { fromPosition: at(after), filter: serverFilter(filter, checkpoint), ...LED },
      READABLE,
    )
    opened.on('confirmation', () => opened.push(BEGUN))
    opened.on('caughtUp', () => opened.push({}))
    const items = pull(opened, () => opened.unsubscribe(), clock)
    const wanted = passes(filter)
    let position = after
    const itemOf = (item: unknown): LogItem | undefined => {
      if (item === BEGUN) return undefined
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
          if (!some) return undefined
          const found: LogItem[] = []
          for (const item of some) {
            const known = itemOf(item)
            if (known !== undefined) found.push(known)
          }
          return found
        } catch (error) {
          connection.failed(client, error)
          if (meaningOf(error).kind === 'broken' && position === after && after > 0n && !(await one(after)))
            throw new EventStoreError('corrupt', `EventStoreDB at ${shown} has no event of this log at ${after}`)
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
    async *stream(name, options) {
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
