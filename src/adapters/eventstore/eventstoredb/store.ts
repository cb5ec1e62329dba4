/** The event store on EventStoreDB 23.10 and later, and KurrentDB: one log, shared by any number of nodes. */
import { randomUUID } from 'node:crypto'
import { type EventStoreDbAddress, readEventStoreDbAddress } from '../../../config/eventstoredb.ts'
import { defined } from '../../../domain/defined.ts'
import type { Clock } from '../../../ports/clock.ts'
import {
  type Append,
  type AppendResult,
  type Batch,
  type CopiedEvent,
  type CopyTarget,
  type EventStore,
  EventStoreError,
  type LogFilter,
  type LoggedEvent,
  type ReadStreamOptions,
} from '../../../ports/event-store.ts'
import { asValue, checkWhole, measure, measureMany } from '../checks.ts'
import { type AppendCounts, DEADLINE_MS, openAppender } from './appender.ts'
import { openConnection } from './connection.ts'
import { failureOf, passes as isPassing } from './errors.ts'
import { checkEvent, tooLarge } from './frame.ts'
import { openHistory } from './history.ts'
import { type LostEnd, openIdentity } from './identity.ts'
import { matchesNothing, openReader, PATIENCE_MS, passes } from './reader.ts'
import { SilentError, within } from './silence.ts'
import { backoff, openTail } from './tail.ts'
import { requireVersion } from './version.ts'

export type EventStoreDbOptions = {
  /** `esdb://...` or `esdb+discover://...`. */
  readonly url: string
  readonly clock: Clock
  readonly newId?: () => string
  /** A number in [0, 1): jitter. */
  readonly random?: () => number
  /** Positions that others have seen, by log id: see `openIdentity`. */
  readonly seen?: ReadonlyMap<string, bigint>
  readonly refuseForeign?: boolean
  /** A database without a log is not given one: `corrupt`. */
  readonly mustExist?: boolean
  /** Milliseconds within which it has to be open, else `unavailable`; 6000 by default: the program's own start takes of the ten seconds, too. */
  readonly openWithinMs?: number
  readonly onBatch?: (appends: number) => void
}

export type LongStream = { readonly stream: string; readonly revision: bigint }

export type EventStoreDbStore = EventStore &
  CopyTarget & {
    readonly lostEnd?: LostEnd
    /** Host and port, without login. */
    readonly shown: string
    stats(): AppendCounts & { readonly restarts: number }
    /** Streams above 1,000 events that this process has written to; the server has no list of them. */
    longStreams(limit: number): Promise<readonly LongStream[]>
  }

const LONG_STREAM = 1_000n
const LONG_STREAMS_KEPT = 1_000
const PAGE_EVENTS = 1_000
const PAGE_CHARACTERS = 8_000_000
/** Tries of a reading that brings nothing, before it is said to be unavailable. */
const READ_TRIES = 3

const readAddress = (url: string): EventStoreDbAddress => {
  const address = readEventStoreDbAddress(url)
  if ('fault' in address) throw new EventStoreError('unavailable', `the URL of the event store ${address.fault}`)
  return address
}

type CopiedAppend = Append & { readonly events: readonly CopiedEvent[] }

const checkAppend = ({ stream, events }: Append): void => {
  if (/^[$_]/.test(stream)) throw new TypeError(`${stream}: streams that begin with $ or _ are not the log's`)
  events.forEach(checkEvent)
}

/**
 * Opens the event store of a server or cluster. @throws {EventStoreError} unavailable (not there, login refused, certificate
 * not trusted, too old), corrupt (the log of another program); its message names the server, never the login.
 */
export const openEventStoreDb = async (options: EventStoreDbOptions): Promise<EventStoreDbStore> => {
  const { clock, newId = randomUUID, random = Math.random } = options
  const address = readAddress(options.url)
  const { shown } = address
  const connection = openConnection(address, clock)
  const reader = openReader(connection, clock)
  const history = openHistory(reader, clock)
  const tail = openTail({ reader, clock, random, history })
  const long = new Map<string, bigint>()
  let known = 0n
  const appender = openAppender({
    connection,
    clock,
    deadlineMs: address.deadlineMs ?? DEADLINE_MS,
    onBatch: options.onBatch,
    known: () => known,
    history,
    written: (stream, revision, position, lastId) => {
      if (position > known) known = position
      if (!stream.startsWith('_')) {
        reader.heard(position)
        history.saw(position, lastId)
      }
      if (revision >= LONG_STREAM && (long.has(stream) || long.size < LONG_STREAMS_KEPT)) long.set(stream, revision)
    },
  })
  const identify = async () => {
    const client = connection.client()
    try {
      requireVersion(await client.serverVersion(), shown)
    } catch (error) {
      connection.failed(client, error)
      throw failureOf(await connection.why(error), shown)
    }
    return openIdentity({
      reader,
      appender,
      clock,
      newId,
      seen: options.seen ?? new Map(),
      refuseForeign: options.refuseForeign ?? false,
      mustExist: options.mustExist ?? false,
    })
  }
  const openWithinMs = options.openWithinMs ?? 6_000
  const { logId, lostEnd } = await within(openWithinMs, clock, identify).catch(async (error: unknown) => {
    connection.close()
    if (!(error instanceof SilentError)) throw error
    throw new EventStoreError('unavailable', `EventStoreDB at ${shown} gave no answer in ${openWithinMs} ms`)
  })

  let closing: Promise<void> | undefined
  const ending = new AbortController()
  const mustBeOpen = (): void => {
    if (closing) throw new EventStoreError('closed', 'the event store is closed')
  }
  /** What fails since the store was closed under it says so. */
  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    mustBeOpen()
    try {
      return await work()
    } catch (error) {
      mustBeOpen()
      throw error
    }
  }

  /** The log after a position up to another one, from the server, through its filter. */
  async function* between(
    after: bigint,
    until: bigint,
    filter: LogFilter | undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<Batch> {
    let position = after
    let tries = 0
    const pause = backoff(clock, random)
    while (position < until && !matchesNothing(filter)) {
      try {
        const following = await whileOpen(() => reader.follow(position, filter))
        try {
          let over = false
          while (!over) {
            const items = await whileOpen(() => following.next(PATIENCE_MS, signal))
            if (!items) break
            let events: LoggedEvent[] = []
            let characters = 0
            for (const item of items) {
              if (item === 'caught-up') over = true
              else if ('reached' in item) over ||= item.reached >= until
              else if (item.position > until) over = true
              else {
                events.push(item)
                characters += item.data.length + item.meta.length
                over ||= item.position === until
              }
              if (over) break
              if (events.length < PAGE_EVENTS && characters < PAGE_CHARACTERS) continue
              tries = 0
              position = events.at(-1)?.position ?? position
              yield { events, position, caughtUp: false }
              events = []
              characters = 0
            }
            if (over) return yield { events, position: until, caughtUp: true }
            if (events.length === 0) continue
            tries = 0
            position = events.at(-1)?.position ?? position
            yield { events, position, caughtUp: false }
          }
        } finally {
          await following.end()
        }
        if (signal?.aborted) return
        mustBeOpen()
      } catch (error) {
        if (!isPassing(error) || tries >= READ_TRIES) throw error
      }
      tries += 1
      await pause.wait(signal)
    }
    yield { events: [], position: position > until ? position : until, caughtUp: true }
  }

  async function* readAll(after: bigint, filter?: LogFilter): AsyncGenerator<Batch> {
    checkWhole(after, 'the position')
    yield* between(after, await whileOpen(reader.head), filter)
  }

  /** What comes: from what the tail keeps, until that does not reach back to the position any more. */
  async function* live(after: bigint, filter: LogFilter | undefined, signal: AbortSignal): AsyncGenerator<Batch> {
    const wanted = passes(filter)
    let position = after
    for (;;) {
      mustBeOpen()
      if (signal.aborted) return
      const events = tail.after(position)
      if (!events) return
      const last = events.at(-1)
      if (!last) {
        await tail.news(signal)
        continue
      }
      position = last.position
      yield { events: events.filter(wanted), position, caughtUp: tail.after(position)?.length === 0 }
    }
  }

  async function* subscribe(after: bigint, filter?: LogFilter, signal?: AbortSignal): AsyncGenerator<Batch> {
    checkWhole(after, 'the position')
    mustBeOpen()
    const either = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
    const pause = backoff(clock, random)
    let position = after
    let told = false
    while (!signal?.aborted) {
      mustBeOpen()
      try {
        if (history.lost) throw history.lost
        // Before the head is looked at: what comes after it is then kept.
        await whileOpen(tail.start)
        const head = await whileOpen(reader.head)
        if (!told || position < head)
          for await (const batch of between(position, head, filter, either)) {
            if (signal?.aborted) return
            pause.reset()
            told ||= batch.caughtUp
            position = batch.position
            yield batch
          }
        for await (const batch of live(position, filter, either)) {
          if (signal?.aborted) return
          pause.reset()
          position = batch.position
          yield batch
        }
        continue
      } catch (error) {
        mustBeOpen()
        if (signal?.aborted) return
        if (!isPassing(error)) throw error
      }
      await pause.wait(either)
    }
  }

  async function* readStream(stream: string, reading: ReadStreamOptions = {}): AsyncGenerator<readonly LoggedEvent[]> {
    mustBeOpen()
    if (reading.from !== undefined) checkWhole(reading.from, 'the first revision')
    try {
      yield* reader.stream(stream, reading)
    } catch (error) {
      mustBeOpen()
      throw error
    }
  }

  const sized = ({ stream, events }: CopiedAppend, characters: number | EventStoreError): number | EventStoreError => {
    if (characters instanceof EventStoreError) return characters
    const why = tooLarge(events, characters)
    return why === undefined ? characters : new EventStoreError('too-large', `${stream}: ${why}`)
  }
  const write = async (append: CopiedAppend): Promise<AppendResult> => {
    const characters = measure(append)
    checkAppend(append)
    const size = sized(append, characters)
    if (size instanceof EventStoreError) throw size
    return appender.append(append.stream, append.expected, append.events, size)
  }

  return {
    logId,
    shown,
    readStream,
    readAll,
    subscribe,
    ...defined({ lostEnd }),
    append: (stream, expected, events) => write({ stream, expected, events }),
    // The server answers an append that it has not written with a timeout, and goes on with those behind it.
    keepsOrder: false,
    appendCopied: (stream, expected, events) => write({ stream, expected, events }),
    appendMany: async appends => {
      const sizes = measureMany(appends)
      appends.forEach(checkAppend)
      return Promise.all(
        appends.map((append, index) => {
          const size = sized(append, sizes[index] ?? 0)
          if (size instanceof EventStoreError) return size
          return appender.append(append.stream, append.expected, append.events, size).catch(asValue)
        }),
      )
    },
    readAt: positions =>
      whileOpen(async () => {
        for (const each of positions) checkWhole(each, 'the position')
        return (await Promise.all(positions.map(reader.at))).filter(each => each !== undefined)
      }),
    head: () =>
      whileOpen(async () => {
        const { lost } = history
        if (lost) throw new EventStoreError('unavailable', lost.message, { cause: lost })
        return reader.head()
      }),
    stats: () => ({ ...appender.counts(), restarts: tail.restarts() }),
    longStreams: async limit => [...long].slice(0, limit).map(([stream, revision]) => ({ stream, revision })),
    close: () => {
      closing ??= (async () => {
        await appender.close()
        ending.abort()
        await tail.close()
        connection.close()
      })()
      return closing
    },
  }
}
