/** An event store in memory: keeps every promise of the port but durability. For tests that need a log, not an engine. */
import {
  type Append,
  type AppendResult,
  type Batch,
  type EventStore,
  EventStoreError,
  type Expected,
  type LogFilter,
  type LoggedEvent,
  MAX_APPEND_BYTES,
  MAX_WAITING_APPENDS,
  type StoredEvent,
} from '../../src/ports/event-store.ts'

export type MemoryEventStoreOptions = {
  readonly logId?: string
  readonly now?: () => Date
  /** Events a page at most. */
  readonly pageSize?: number
}

/** Positions skip numbers, so that nobody comes to rely on dense ones. */
const STRIDE = 3n

const categoryOf = (stream: string): string => stream.split('-', 1)[0] ?? stream

const passes = (filter: LogFilter | undefined) => (event: LoggedEvent) =>
  (filter?.categories?.includes(categoryOf(event.stream)) ?? true) && (filter?.types?.includes(event.type) ?? true)

const bytesOf = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, event) => sum + Buffer.byteLength(event.data) + Buffer.byteLength(event.meta), 0)

export const openMemoryEventStore = (options: MemoryEventStoreOptions = {}): EventStore => {
  const { logId = 'memory-log', now = () => new Date(0), pageSize = 500 } = options
  const log: LoggedEvent[] = []
  const streams = new Map<string, LoggedEvent[]>()
  const waiting = new Set<() => void>()
  let closed = false
  /** Appends made in this turn: nobody has their answer yet. */
  let unanswered = 0
  const answered = async (): Promise<void> => {
    await Promise.resolve()
    unanswered = 0
  }

  const open = (): void => {
    if (closed) throw new EventStoreError('closed', 'The event store is closed.')
  }
  const head = (): bigint => log.at(-1)?.position ?? 0n

  const answer = ({ revision, position }: LoggedEvent): AppendResult => ({ outcome: 'written', revision, position })

  /** What a caller's mistake looks like: told before anything is written. */
  const mustBeSound = ({ expected, events }: Append): void => {
    if (events.length === 0) throw new TypeError('An append needs at least one event.')
    if (expected !== 'none' && expected < 0n) throw new TypeError('A revision is 0 or more.')
    for (const { id, type, data, meta } of events)
      if (![id, type, data, meta].every(text => text.isWellFormed()))
        throw new TypeError('An event has ill-formed text.')
  }

  const append = (stream: string, expected: Expected, events: readonly StoredEvent[]): AppendResult => {
    open()
    mustBeSound({ stream, expected, events })
    if (unanswered >= MAX_WAITING_APPENDS) throw new EventStoreError('busy', 'Too many appends wait.')
    unanswered += 1
    if (bytesOf(events) > MAX_APPEND_BYTES)
      throw new EventStoreError('too-large', `An append holds ${MAX_APPEND_BYTES} bytes at most.`)
    const known = streams.get(stream) ?? []
    const start = expected === 'none' ? 0 : Number(expected) + 1
    const there = known.slice(start, start + events.length)
    const last = there.at(-1)
    if (last && there.length === events.length && there.every((event, index) => event.id === events[index]?.id))
      return answer(last)
    if (start !== known.length)
      return { outcome: 'conflict', current: known.length === 0 ? 'none' : BigInt(known.length - 1) }
    const recordedAt = now().toISOString()
    const written = events.map(({ id, type, data, meta }, index) => ({
      id,
      type,
      data,
      meta,
      stream,
      recordedAt,
      revision: BigInt(start + index),
      position: head() + STRIDE * BigInt(index + 1),
    }))
    const newest = written.at(-1)
    if (!newest) throw new TypeError('An append needs at least one event.')
    known.push(...written)
    streams.set(stream, known)
    log.push(...written)
    for (const wake of [...waiting]) wake()
    return answer(newest)
  }

  const indexAfter = (position: bigint): number => {
    let [low, high] = [0, log.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((log[middle]?.position ?? 0n) > position) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The pages between two positions; the last one is caught up, and is there although it may be empty. */
  const pages = function* (after: bigint, until: bigint, filter: LogFilter | undefined): Generator<Batch> {
    let position = after
    do {
      const from = indexAfter(position)
      const page = log.slice(from, Math.min(from + pageSize, indexAfter(until)))
      position = page.at(-1)?.position ?? position
      yield { events: page.filter(passes(filter)), position, caughtUp: position >= until }
    } while (position < until)
  }

  const news = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise(resolve => {
      const wake = (): void => {
        waiting.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      waiting.add(wake)
      signal?.addEventListener('abort', wake)
    })

  return {
    logId,
    append: async (stream, expected, events) => {
      const result = append(stream, expected, events)
      await answered()
      return result
    },
    appendMany: async (appends: readonly Append[]) => {
      if (new Set(appends.map(each => each.stream)).size < appends.length)
        throw new TypeError('A stream occurs twice among the appends.')
      for (const each of appends) mustBeSound(each)
      const results = appends.map(each => {
        try {
          return append(each.stream, each.expected, each.events)
        } catch (error) {
          if (error instanceof EventStoreError) return error
          throw error
        }
      })
      await answered()
      return results
    },
    readStream: async function* (stream, { direction = 'forwards', from, limit = Number.POSITIVE_INFINITY } = {}) {
      open()
      const known = streams.get(stream) ?? []
      const wanted =
        direction === 'forwards'
          ? known.slice(Number(from ?? 0n))
          : known.slice(0, from === undefined ? known.length : Number(from) + 1).reverse()
      const events = wanted.slice(0, Math.min(limit, wanted.length))
      for (let start = 0; start < events.length; start += pageSize) yield events.slice(start, start + pageSize)
    },
    readAll: async function* (after, filter) {
      open()
      yield* pages(after, head(), filter)
    },
    subscribe: async function* (after, filter, signal) {
      open()
      let position = after
      let first = true
      while (!signal?.aborted && !closed) {
        if (first || head() > position)
          for (const batch of pages(position, head(), filter)) {
            yield batch
            if (signal?.aborted) return
            position = batch.position
          }
        first = false
        if (head() <= position && !signal?.aborted && !closed) await news(signal)
      }
    },
    readAt: async positions => {
      open()
      return positions.flatMap(position => log.find(event => event.position === position) ?? [])
    },
    head: async () => {
      open()
      return head()
    },
    close: async () => {
      closed = true
      for (const wake of [...waiting]) wake()
    },
  }
}
