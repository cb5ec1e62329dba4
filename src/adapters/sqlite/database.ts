/**
 * The one wrapper on `node:sqlite`: opens a file of this program and no other, and binds only what every runtime binds alike.
 * Its errors are of a closed list of kinds (sqlite/errors.ts). Rows are arrays.
 */
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { makeFolders, makeOwnFile } from '../../core/files/folders.ts'
import { cannotOpen, classify, SqliteError, sentences } from './errors.ts'
import { narrowDatabase, unwritable } from './file.ts'

export type SqlValue = null | number | bigint | string | Uint8Array

/** A prepared statement. Values are bound by position; a date, a boolean, undefined or NaN is a TypeError. */
export type Statement<Row extends readonly SqlValue[]> = {
  all(...values: readonly SqlValue[]): Row[]
  get(...values: readonly SqlValue[]): Row | undefined
  iterate(...values: readonly SqlValue[]): Iterable<Row>
  /** `rowid` is the last inserted one. */
  run(...values: readonly SqlValue[]): { readonly changes: number; readonly rowid: number }
}

/** `bigints`: integers come as bigint, for columns that may pass 2^53, which otherwise throw when read. */
export type PrepareOptions = { readonly bigints?: boolean }

export type Sqlite = {
  readonly path: string
  /** How long one statement waits for another connection's lock. */
  readonly busyTimeoutMs: number
  prepare<Row extends readonly SqlValue[] = readonly SqlValue[]>(sql: string, options?: PrepareOptions): Statement<Row>
  exec(sql: string): void
  /** The value of a pragma that answers with one. */
  pragma(name: string): SqlValue | undefined
  /** BEGIN IMMEDIATE, waiting for other connections' locks for as long as was asked for at opening. */
  begin(): void
  /** Runs the work in BEGIN IMMEDIATE ... COMMIT and rolls back when it throws. Not to be nested. */
  transaction<T>(work: () => T): T
  readonly inTransaction: boolean
  /** Closing twice is harmless. */
  close(): void
}

export type OpenOptions = {
  /** Decides durability: `events` syncs at every commit (an answer means durable), `read` may lose its last commits to a power cut. */
  readonly role: 'events' | 'read'
  /** Written into the file's header: a 31-bit number that tells this program's files from others. */
  readonly applicationId: number
  /** The schema this build writes; a file of a newer one is refused. */
  readonly schemaVersion: number
  /** Brings the schema from version `from` (0: an empty file) to `schemaVersion`; runs inside one transaction. */
  readonly migrate: (db: Sqlite, from: number) => void
  /** Opens without the right to write; the file must be there and of this schema. */
  readonly readOnly?: boolean
  /** How long a statement waits for another connection's lock, in milliseconds; 5000 by default. */
  readonly busyTimeoutMs?: number
  /** How long a transaction waits for it, where that may change while it waits; `busyTimeoutMs` without. */
  readonly patienceMs?: () => number
  /** Set after the role's own; names are checked, values are numbers or words. */
  readonly pragmas?: Readonly<Record<string, string | number>>
}

const rolePragmas = {
  events: { synchronous: 'FULL', cache_size: -32_768, wal_autocheckpoint: 10_000, temp_store: 'MEMORY' },
  read: { synchronous: 'NORMAL', cache_size: -65_536, wal_autocheckpoint: 16_000, temp_store: 'MEMORY' },
} as const

const bindable = (value: unknown): boolean => {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return true
    case 'number':
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    default:
      return value === null || value instanceof Uint8Array
  }
}

const checkBound = (values: readonly SqlValue[]): void => {
  for (let index = 0; index < values.length; index += 1) {
    const value: unknown = values[index]
    if (!bindable(value)) {
      const what = typeof value === 'number' ? String(value) : value instanceof Date ? 'a date' : typeof value
      throw new TypeError(`parameter ${index + 1}: ${what} cannot be bound to a statement`)
    }
  }
}

const wrapStatement = <Row extends readonly SqlValue[]>(inner: StatementSync, path: string): Statement<Row> => {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw classify(error, path)
    }
  }
  return {
    all: (...values) => {
      checkBound(values)
      const rows: unknown = guarded(() => inner.all(...values))
      return rows as Row[]
    },
    get: (...values) => {
      checkBound(values)
      const row: unknown = guarded(() => inner.get(...values))
      return row as Row | undefined
    },
    *iterate(...values) {
      checkBound(values)
      try {
        for (const row of inner.iterate(...values)) {
          const each: unknown = row
          yield each as Row
        }
      } catch (error) {
        throw classify(error, path)
      }
    },
    run: (...values) => {
      checkBound(values)
      const { changes, lastInsertRowid } = guarded(() => inner.run(...values))
      return { changes: Number(changes), rowid: Number(lastInsertRowid) }
    },
  }
}

/** So often it is asked how long a transaction waits, where that may change. */
const SLICE_MS = 20

/** How a transaction waits for a lock: `slice` at a time, in milliseconds, until it has waited for `patience`. */
type Waiting = { readonly slice: number; readonly patience: () => number }

const wrap = (inner: DatabaseSync, path: string, { slice, patience }: Waiting): Sqlite => {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw classify(error, path)
    }
  }
  const prepare: Sqlite['prepare'] = (sql, options = {}) =>
    guarded(() => {
      const statement = inner.prepare(sql)
      statement.setReturnArrays(true)
      if (options.bigints) statement.setReadBigInts(true)
      return wrapStatement(statement, path)
    })
  const exec = (sql: string): void => guarded(() => inner.exec(sql))
  // Nothing has been done yet where it cannot begin.
  const begin = (): void => {
    for (let waited = 0; ; waited += slice) {
      try {
        exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        const isHeld = error instanceof SqliteError && error.kind === 'busy'
        if (!isHeld || waited + slice >= patience()) throw error
      }
    }
  }
  return {
    path,
    busyTimeoutMs: slice,
    prepare,
    exec,
    pragma: name => prepare(`PRAGMA ${name}`).get()?.[0],
    begin,
    transaction: work => {
      begin()
      try {
        const result = work()
        exec('COMMIT')
        return result
      } catch (error) {
        // A full disk or an input/output error has rolled back already.
        if (inner.isTransaction) exec('ROLLBACK')
        throw error
      }
    },
    get inTransaction() {
      return inner.isTransaction
    },
    close: () => {
      if (inner.isOpen) guarded(() => inner.close())
    },
  }
}

const pause = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

// Switching to WAL wants an exclusive lock and does not wait for it as statements do: two processes starting at once.
const enableWal = (db: Sqlite, busyTimeoutMs: number): void => {
  for (let waited = 0; ; waited += 10) {
    try {
      const mode = db.pragma('journal_mode = WAL')
      if (mode === 'wal') return
      throw new SqliteError('cantopen', `${db.path}: the file system does not support a write-ahead log (${mode})`)
    } catch (error) {
      if (!(error instanceof SqliteError && error.kind === 'busy' && waited < busyTimeoutMs)) throw error
      pause(10)
    }
  }
}

const applyPragmas = (db: Sqlite, pragmas: Readonly<Record<string, string | number>>): void => {
  for (const [name, value] of Object.entries(pragmas)) {
    if (!/^[a-z_]+$/.test(name) || !/^-?\w+$/.test(String(value)))
      throw new TypeError(`pragma ${name}: the value must be a number or a word`)
    db.exec(`PRAGMA ${name} = ${value}`)
  }
}

/** Checks whose file it is and which schema it has. */
const identify = (db: Sqlite, options: OpenOptions): { readonly version: number } => {
  const id = Number(db.pragma('application_id'))
  const version = Number(db.pragma('user_version'))
  const empty = id === 0 && version === 0 && Number(db.prepare('SELECT count(*) FROM sqlite_schema').get()?.[0]) === 0
  if (empty) return { version: 0 }
  if (id !== options.applicationId)
    throw new SqliteError('foreign', `${db.path}: the database belongs to another program (application id ${id})`)
  if (version > options.schemaVersion)
    throw new SqliteError(
      'newer',
      `${db.path}: the database has schema ${version}, this build knows ${options.schemaVersion}: use a newer build`,
    )
  return { version }
}

const prepareFile = (db: Sqlite, options: OpenOptions, busyTimeoutMs: number): void => {
  db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  // Before anything is written: another program's file stays as it is.
  const { version } = identify(db, options)
  if (options.readOnly) {
    if (version < options.schemaVersion)
      throw new SqliteError('older', `${db.path}: the database has schema ${version} and is opened for reading only`)
    applyPragmas(db, { cache_size: rolePragmas[options.role].cache_size, ...options.pragmas })
    return
  }
  const cause = unwritable(db.path)
  if (cause) throw new SqliteError('readonly', `${db.path}: ${sentences.readonly}`, { cause })
  try {
    narrowDatabase(db.path)
  } catch (error) {
    throw cannotOpen(error, db.path)
  }
  enableWal(db, busyTimeoutMs)
  applyPragmas(db, { ...rolePragmas[options.role], ...options.pragmas })
  if (version === options.schemaVersion) return
  db.transaction(() => {
    // Another process may have done it in the meantime.
    const from = identify(db, options).version
    if (from === options.schemaVersion) return
    options.migrate(db, from)
    db.exec(`PRAGMA application_id = ${options.applicationId}; PRAGMA user_version = ${options.schemaVersion}`)
  })
}

/**
 * Opens the file, makes its folder when it is missing, checks whose it is and migrates it; the journal is a WAL.
 * @throws {SqliteError} with the kind of fault; the file is closed again and, when it is not ours, untouched.
 */
export const openDatabase = (path: string, options: OpenOptions): Sqlite => {
  const busyTimeoutMs = options.busyTimeoutMs ?? 5_000
  let inner: DatabaseSync
  try {
    if (!options.readOnly) {
      makeFolders(dirname(path))
      makeOwnFile(path)
    }
    inner = new DatabaseSync(path, { readOnly: options.readOnly ?? false })
  } catch (error) {
    throw cannotOpen(error, path)
  }
  const { patienceMs: patience = () => busyTimeoutMs } = options
  const slice = options.patienceMs ? Math.min(SLICE_MS, busyTimeoutMs) : busyTimeoutMs
  const db = wrap(inner, path, { slice, patience })
  try {
    prepareFile(db, options, busyTimeoutMs)
    if (slice !== busyTimeoutMs) db.exec(`PRAGMA busy_timeout = ${slice}`)
  } catch (error) {
    db.close()
    throw error
  }
  return db
}
