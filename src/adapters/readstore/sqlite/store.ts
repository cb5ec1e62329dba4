/**
 * The read store in one SQLite file: writes go to a worker thread, reads run here on a few connections of their own. All
 * that it holds can be made again from the log, so a damaged file is set aside and an empty one begun; a file that was
 * deleted or replaced under the running service is noticed within a second and opened anew.
 */
import { closeSync, openSync, readSync, renameSync } from 'node:fs'
import type { Clock } from '../../../ports/clock.ts'
import { type ReadStore, ReadStoreError, type ReadStoreErrorCode } from '../../../ports/read-store.ts'
import { openDatabase } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { identityOf } from '../../sqlite/file.ts'
import { fileMarks } from '../../sqlite/marks.ts'
import { alone, removeLeftovers } from './file-lock.ts'
import { migrate } from './layout.ts'
import { openReader, type Reader } from './reader.ts'
import { setAsideAs, setAsideFiles, shred } from './set-aside.ts'
import type { WorkerRequest } from './worker.ts'
import { packBatch } from './writer.ts'
import { openWrites, WorkerFailure } from './writes.ts'

export type SqliteReadStoreOptions = {
  readonly path: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /** Connections that pages are read on at once; each has a page cache of its own. */
  readonly readers?: number
}

/** Milliseconds between two looks at whether the file is still the one that was opened. */
const LOOK_MS = 1_000
/** Documents loaded before other work of the process has its turn. */
const LOAD_STRIDE = 128

const codes: ReadonlyMap<string, ReadStoreErrorCode> = new Map([
  ['corrupt', 'corrupt'],
  ['notadb', 'corrupt'],
  ['foreign', 'corrupt'],
  ['fenced', 'fenced'],
  ['gone', 'gone'],
])

/**
 * The application id in the header of a file that cannot be opened any more: is it ours to set aside? Never to be asked
 * while this process has the file open: closing any descriptor of it drops SQLite's locks (fcntl(2), POSIX).
 */
const isOurs = (path: string): boolean => {
  try {
    const file = openSync(path, 'r')
    const bytes = Buffer.alloc(4)
    readSync(file, bytes, 0, 4, 68)
    closeSync(file)
    return bytes.readUInt32BE(0) === fileMarks.reads.applicationId
  } catch {
    return false
  }
}

export type SqliteReadStore = ReadStore & {
  /** Folds the journal into the file, if nobody stands in the way; the pages left in it, else -1. */
  foldJournal(): Promise<number>
  /**
   * Overwrites what deleted rows left in the pages of the file from one on, as many as are one short work, and folds the
   * journal: the page to go on from, 0 after the last one, the same when somebody stood in the way.
   */
  scrub(from: number): Promise<number>
  /** Overwrites and removes the damaged files that were set aside; how many. */
  removeSetAside(): Promise<number>
}

/** @throws {ReadStoreError} unavailable, or corrupt when the file is no database of this program. */
export const openSqliteReadStore = async (options: SqliteReadStoreOptions): Promise<SqliteReadStore> => {
  const { path, clock } = options
  const most = options.readers ?? 4
  const writes = openWrites(path)
  let identity: string | undefined
  let opening: Promise<void> | undefined
  let looked = Number.NEGATIVE_INFINITY
  let epoch = 0
  let closed = false
  let idle: Reader[] = []
  let open = 0
  const queue: (() => void)[] = []

  const setAside = (): string | undefined => {
    const damaged = identity
    if (damaged === undefined && open > 0) return undefined
    const move = (): string | undefined => {
      // Another process may have been first: what is there now is not the file that was found damaged.
      if (damaged !== undefined ? identityOf(path) !== damaged : !isOurs(path)) return undefined
      const name = setAsideAs(path, clock.now())
      renameSync(path, name)
      removeLeftovers(path)
      return name
    }
    try {
      return alone(path, move)
    } catch (error) {
      // Another process is at it, or the folder cannot be written: the next call that meets the damage tries again.
      if (error instanceof SqliteError) return undefined
      throw error
    }
  }

  /** What the failure means to the caller; a damaged file is out of the way when this returns. */
  const translate = (error: unknown): unknown => {
    const kind =
      error instanceof WorkerFailure || error instanceof SqliteError
        ? error.kind
        : error instanceof ReadStoreError && error.code === 'corrupt'
          ? 'corrupt'
          : undefined
    if (kind === undefined || !(error instanceof Error)) return error
    if (kind === 'type') return new TypeError(error.message, { cause: error })
    if (kind === 'misuse' && error.message.includes('no such table'))
      return new ReadStoreError('gone', 'the collection was dropped', { cause: error })
    const code = closed ? 'closed' : (codes.get(kind) ?? 'unavailable')
    if (code !== 'corrupt') return new ReadStoreError(code, error.message, { cause: error })
    const aside = setAside()
    looked = Number.NEGATIVE_INFINITY
    const more = aside === undefined ? '' : `; set aside as ${aside}, what it held is made again from the log`
    return new ReadStoreError('corrupt', error.message + more, { cause: error })
  }

  const leave = (reader: Reader): void => {
    open -= 1
    reader.db.close()
  }
  const reopen = async (): Promise<void> => {
    epoch += 1
    for (const each of idle) leave(each)
    idle = []
    identity = undefined
    await writes.send({ op: 'reopen' })
    identity = identityOf(path)
  }
  const ready = async (): Promise<void> => {
    if (closed) throw new ReadStoreError('closed', `${path}: the read store is closed`)
    if (opening) return opening
    const now = clock.monotonic()
    if (identity !== undefined && now - looked < LOOK_MS) return
    looked = now
    if (identity !== undefined && identityOf(path) === identity) return
    opening = reopen().finally(() => {
      opening = undefined
    })
    return opening
  }

  const openOne = (): Reader => {
    const db = openDatabase(path, {
      role: 'read',
      applicationId: fileMarks.reads.applicationId,
      schemaVersion: fileMarks.reads.schema,
      migrate,
      readOnly: true,
      pragmas: { cache_size: -8_192 },
    })
    open += 1
    return openReader(db)
  }
  /** Runs with a connection of its own: a page keeps one snapshot while it lets other work have its turn. */
  const reading = async <T>(work: (reader: Reader) => T | Promise<T>): Promise<T> => {
    try {
      await ready()
      while (idle.length === 0 && open >= most) await new Promise<void>(resolve => queue.push(resolve))
      if (closed) throw new ReadStoreError('closed', `${path}: the read store is closed`)
      const mine = epoch
      const reader = idle.pop() ?? openOne()
      try {
        return await work(reader)
      } finally {
        if (mine === epoch && !closed) idle.push(reader)
        else leave(reader)
        queue.shift()?.()
      }
    } catch (error) {
      throw translate(error)
    }
  }
  const writing = async (request: WorkerRequest): Promise<{ readonly swapped?: boolean; readonly pages?: number }> => {
    try {
      await ready()
      return await writes.send(request)
    } catch (error) {
      throw translate(error)
    }
  }

  const load: ReadStore['load'] = (collection, ids) =>
    reading(async reader => {
      const found = new Map()
      for (let at = 0; at < ids.length; at += LOAD_STRIDE) {
        if (at > 0) await new Promise(resolve => setImmediate(resolve))
        for (const each of reader.load(collection, ids.slice(at, at + LOAD_STRIDE))) found.set(each.id, each)
      }
      return found
    })

  const start = async (): Promise<void> => {
    try {
      await ready()
    } catch (error) {
      const translated = translate(error)
      if (!(translated instanceof ReadStoreError && translated.message.includes('set aside as'))) throw translated
      await ready()
    }
  }
  try {
    await start()
  } catch (error) {
    await writes.close()
    throw error
  }

  return {
    ensure: async (collection, indexes) => {
      await writing({ op: 'ensure', collection, indexes })
    },
    drop: async collection => {
      await writing({ op: 'drop', collection })
    },
    collections: () => reading(reader => reader.collections()),
    get: async (collection, ids) => {
      const found = await load(collection, ids)
      return new Map([...found].flatMap(([id, each]) => ('removed' in each ? [] : [[id, each] as const])))
    },
    load,
    find: (collection, plan) => reading(reader => reader.find(collection, plan)),
    select: (collection, plan, members) => reading(reader => reader.select(collection, plan, members)),
    count: (collection, plan, limit) => reading(reader => reader.count(collection, plan, limit)),
    scan: (...given) => reading(reader => reader.scan(...given)),
    apply: async (collection, documents, checkpoint) => {
      await writing({ op: 'apply', batch: packBatch(collection, documents, checkpoint) })
    },
    checkpoint: consumer => reading(reader => reader.checkpoints(consumer).get(consumer)),
    checkpoints: () => reading(reader => reader.checkpoints()),
    record: name => reading(reader => reader.record(name)),
    records: prefix => reading(reader => reader.records(prefix)),
    swap: async (name, expected, value) => (await writing({ op: 'swap', name, expected, value })).swapped === true,
    foldJournal: async () => (await writing({ op: 'checkpoint' })).pages ?? -1,
    scrub: async from => (await writing({ op: 'scrub', from })).pages ?? from,
    removeSetAside: async () => {
      const found = setAsideFiles(path)
      for (const name of found) await shred(name)
      return found.length
    },
    ping: () => reading(reader => void reader.record('')),
    close: async () => {
      if (closed) return
      closed = true
      for (const each of idle) leave(each)
      idle = []
      for (const each of queue.splice(0)) each()
      await writes.close()
    },
  }
}
