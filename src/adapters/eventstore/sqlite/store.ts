/** The embedded event store: one SQLite file, written by a thread, read on this one. */
import { randomUUID } from 'node:crypto'
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
  type Expected,
  type LogFilter,
  type LoggedEvent,
  type ReadStreamOptions,
} from '../../../ports/event-store.ts'
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { identityOf } from '../../sqlite/file.ts'
import { asValue, checkWhole, measure, measureMany } from '../checks.ts'
import { rebuildEventFile } from './file-repair.ts'
import { type LookupReport, lookAtLookups } from './lookups.ts'
import { codeOf, FileReplacedError } from './protocol.ts'
import { openReader } from './reader.ts'
import { openEventFile, renewLog } from './schema.ts'
import { openStreamPages } from './stream-pages.ts'
import { openTail, wanting } from './tail.ts'
import { openWaker } from './waker.ts'
import { openWriter, type StartWorker, startWriter, type WriterStats } from './writer-thread.ts'

export type SqliteEventStoreOptions = {
  readonly path: string
  readonly clock: Clock
  /** Makes the id of a new log; a random UUID by default. */
  readonly newId?: () => string
  /**
   * Positions that others have seen, by log id. A log whose head is below what was seen of it has lost its end (a
   * write-ahead log was truncated, an older copy put back): it gets a new id, as what is written from now on stands at
   * positions that meant other events before.
   */
  readonly seen?: ReadonlyMap<string, bigint>
  /** How long a lock of another process is waited for, in milliseconds; 5000 by default. */
  readonly busyTimeoutMs?: number
  /** How often other processes' commits are looked for while someone waits at the head, in milliseconds; 50 by default. */
  readonly pollMs?: number
  /** Extra pragmas of the writing connection (a size limit, for one). */
  readonly pragmas?: Readonly<Record<string, string | number>>
  /** Starts the writer thread; tests keep the thread they are to kill. */
  readonly startWorker?: StartWorker
  /** Told how many appends each transaction answered. */
  readonly onBatch?: (appends: number) => void
}

/** A stream of more events than any should have, and the revision of its last one. */
export type LongStream = { readonly stream: string; readonly revision: bigint }

/** The id that the log had, the head it was seen to have, the one that it has. */
export type LostEnd = { readonly logId: string; readonly seen: bigint; readonly head: bigint }

export type SqliteEventStore = EventStore &
  CopyTarget & {
    /** What was found as it was opened; told once, by the opener that found it. */
    readonly lostEnd?: LostEnd
    stats(): WriterStats
    /** Folds the journal into the file, if nobody stands in the way; the pages left in it, else -1. */
    foldJournal(): Promise<number>
    /** Compares what the log is looked up by with its events. */
    lookAtLookups(signal: AbortSignal): Promise<LookupReport>
    /**
     * Makes it again from them: in place, or the whole file where that cannot be, which nobody else may have open then. Answers where
     * the file of before is kept. @throws {EventStoreError}: nothing is changed then.
     */
    repairLookups(): Promise<{ readonly kept?: string }>
    /** Streams above `LONG_STREAM` events, `limit` of them at most. */
    longStreams(limit: number): Promise<readonly LongStream[]>
  }

/** Memory of the reading connection's page cache, KiB; the writer has its own. */
const READER_CACHE_KIB = 16_384
/** While the file cannot be read a subscription tries again after this long, in milliseconds. */
const RETRY_MS = 250
/** Whether the file is still the one that was opened is looked at this often on reading, in milliseconds. */
const LOOK_MS = 1_000

/** The failure as the port names it; errors of this program stay as they are. */
const failed = (error: unknown): unknown =>
  error instanceof SqliteError || error instanceof FileReplacedError
    ? new EventStoreError(codeOf(error), error.message, { cause: error })
    : error

const attempt = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw failed(error)
  }
}

const rejecting = async <T>(work: () => T): Promise<T> => attempt(work)

/** Lets input and output have their turn between two pages. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const MAX_INTEGER = BigInt(Number.MAX_SAFE_INTEGER)
const integer = (value: bigint, what: string): number => {
  checkWhole(value, what)
  return Number(value < MAX_INTEGER ? value : MAX_INTEGER)
}

const revisionOf = (expected: Expected): number =>
  expected === 'none' ? -1 : integer(expected, 'the expected revision')

/** The log's id, after it was renewed if the log has lost its end. */
const readMeta = (db: Sqlite, seen: SqliteEventStoreOptions['seen'], newId: () => string) => {
  const readId = db.prepare<[string]>("SELECT value FROM meta WHERE name = 'log_id'")
  const known = readId.get()?.[0]
  if (known === undefined) throw new EventStoreError('corrupt', `${db.path}: the log has no id`)
  const upTo = seen?.get(known) ?? 0n
  const head = upTo > 0n ? renewLog(db, { logId: known, upTo: Number(upTo), newId: newId() }) : undefined
  const logId = readId.get()?.[0] ?? known
  db.exec(`PRAGMA query_only = 1; PRAGMA cache_size = -${READER_CACHE_KIB}`)
  return {
    logId,
    ...defined({ lostEnd: head === undefined ? undefined : { logId: known, seen: upTo, head: BigInt(head) } }),
  }
}

/**
 * Opens the event store of a file, which is made when it is missing.
 * @throws {EventStoreError} unavailable (locked, not writable, disk full, a newer schema), corrupt (damaged, another
 * program's); its cause is the SqliteError with the exact kind.
 */
export const openSqliteEventStore = async (options: SqliteEventStoreOptions): Promise<SqliteEventStore> => {
  const { path, clock } = options
  const file = { busyTimeoutMs: options.busyTimeoutMs ?? 5_000, pragmas: options.pragmas ?? {} }
  const newId = options.newId ?? randomUUID
  const created = { logId: newId(), createdAt: clock.now().toISOString() }
  const openFile = () => {
    const before = identityOf(path)
    const db = attempt(() => openEventFile(path, created, file))
    try {
      return attempt(() => {
        const identity = identityOf(path)
        // While its lock was waited for it was made again (file-repair.ts).
        if (before !== undefined && before !== identity) throw new FileReplacedError(path)
        return { ...readMeta(db, options.seen, newId), db, reader: openReader(db), identity }
      })
    } catch (error) {
      db.close()
      throw error
    }
  }
  const { logId, lostEnd, ...opened } = openFile()
  // Another one of each after the file was made again.
  let { db, reader, identity } = opened

  let tail = openTail(reader)
  let version = reader.dataVersion()
  const changed = (): boolean => {
    try {
      const before = version
      version = reader.dataVersion()
      if (version !== before) tail.renew()
      return version !== before
    } catch {
      // Those who wait find out for themselves what is wrong.
      tail.renew()
      return true
    }
  }
  const waker = openWaker(clock, changed, options.pollMs ?? 50)
  const openWriting = () =>
    openWriter({
      settings: { path, identity, ...file },
      clock,
      start: options.startWorker ?? startWriter,
      committed: () => {
        tail.renew()
        waker.wake()
      },
      ...defined({ onBatch: options.onBatch }),
    }).catch((error: unknown) => {
      db.close()
      throw error
    })
  let writer = await openWriting()

  let closing: Promise<void> | undefined
  let looked = clock.monotonic()
  /** Every read passes here. */
  const read = <T>(work: () => T): T => {
    if (closing) throw new EventStoreError('closed', 'the event store is closed')
    return attempt(() => {
      const now = clock.monotonic()
      if (now - looked >= LOOK_MS) {
        // Stays in the past while it is missing: every read says so, until the file is back.
        if (identityOf(path) !== identity) throw new FileReplacedError(path)
        looked = now
      }
      return work()
    })
  }

  const send = (
    { stream, expected, events }: Append & { readonly events: readonly CopiedEvent[] },
    characters: number,
  ): Promise<AppendResult> => writer.append(stream, revisionOf(expected), events, characters)

  const write = async (stream: string, expected: Expected, events: readonly CopiedEvent[]): Promise<AppendResult> => {
    const append = { stream, expected, events }
    const characters = measure(append)
    if (characters instanceof EventStoreError) throw characters
    return send(append, characters)
  }

  async function* readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<readonly LoggedEvent[]> {
    const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = options
    const from = integer(options.from ?? (direction === 'forwards' ? 0n : MAX_INTEGER), 'the first revision')
    const pages = read(() => openStreamPages(reader, path, { stream, from, direction, limit }))
    while (pages.more()) {
      yield read(pages.next)
      if (pages.more()) await turn()
    }
  }

  async function* readAll(after: bigint, filter?: LogFilter): AsyncGenerator<Batch> {
    const cursor = read(() => reader.cursor(filter))
    let position = integer(after, 'the position')
    const until = Math.max(position, read(reader.head))
    for (;;) {
      const page = read(() => cursor.next(position, until))
      position = page.position
      yield { ...page, position: BigInt(position) }
      if (page.caughtUp) return
      await turn()
    }
  }

  async function* subscribe(after: bigint, filter?: LogFilter, signal?: AbortSignal): AsyncGenerator<Batch> {
    const cursor = read(() => reader.cursor(filter))
    const wants = wanting(filter)
    let position = integer(after, 'the position')
    let told = false
    /** The next page, or nothing when there is none to tell of. */
    const next = (): Batch | 'unavailable' | undefined => {
      try {
        // Nobody looks for others' commits while nobody waits: what is known of the end may be old for who comes.
        if (!told) tail.renew()
        const head = read(tail.head)
        if (told && head <= position) return undefined
        const page = read(() => tail.after(position, wants) ?? cursor.next(position, Math.max(position, head)))
        return { ...page, position: BigInt(page.position) }
      } catch (error) {
        if (error instanceof EventStoreError && error.code === 'unavailable') return 'unavailable'
        throw error
      }
    }
    while (!signal?.aborted) {
      const batch = next()
      if (batch === 'unavailable') await clock.sleep(RETRY_MS, signal)
      else if (batch) {
        position = Number(batch.position)
        told = true
        yield batch
        await turn()
      } else await waker.wait(signal)
    }
  }

  return {
    logId,
    ...defined({ lostEnd }),
    append: write,
    keepsOrder: true,
    appendCopied: write,
    appendMany: async appends => {
      const sizes = measureMany(appends)
      return Promise.all(
        appends.map((append, index) => {
          const characters = sizes[index] ?? 0
          return characters instanceof EventStoreError ? characters : send(append, characters).catch(asValue)
        }),
      )
    },
    readStream,
    readAll,
    subscribe,
    readAt: positions =>
      rejecting(() => read(() => positions.flatMap(each => reader.at(integer(each, 'the position')) ?? []))),
    head: () => rejecting(() => BigInt(read(reader.head))),
    stats: () => writer.stats(),
    foldJournal: () => writer.checkpoint(),
    lookAtLookups: async signal => {
      if (closing) throw new EventStoreError('closed', 'the event store is closed')
      return lookAtLookups(db, reader, { turn, signal }).catch((error: unknown) => {
        throw failed(error)
      })
    },
    repairLookups: async () => {
      try {
        await writer.repair()
        return {}
      } catch (error) {
        if (!(error instanceof EventStoreError && error.code === 'corrupt')) throw error
      }
      await writer.close()
      db.close()
      try {
        return { kept: attempt(() => rebuildEventFile({ path, at: clock.now(), ...file })) }
      } finally {
        const { db: again, reader: reading, identity: which } = openFile()
        db = again
        reader = reading
        tail = openTail(reader)
        identity = which
        writer = await openWriting()
      }
    },
    longStreams: limit => rejecting(() => read(() => reader.longStreams(limit))),
    close: () => {
      closing ??= (async () => {
        // The thread closes last: it is the one to fold the journal into the file.
        db.close()
        waker.close()
        await writer.close()
      })()
      return closing
    },
  }
}
