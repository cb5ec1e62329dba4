/**
 * Makes the log's file again from its events, where its trees cannot be made again in place: one that cannot be walked gives no page
 * back, and pages that two of them have must not be. The file as it was is kept beside.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { FILE_MODE } from '../../../core/files/folders.ts'
import type { Sqlite, SqlValue } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { openHead } from './head.ts'
import { openKinds } from './kinds.ts'
import { rebuildLookups } from './lookups-repair.ts'
import { openReader } from './reader.ts'
import { kindChecksum } from './row.ts'
import { type EventFileOptions, openEventFile, reopenEventFile, unguarded } from './schema.ts'

/** Rows that are copied in one go. */
const PAGE_ROWS = 2_000

const syncPath = (path: string): void => {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** From here on nobody else reads or writes the file, and no journal stands beside it. @throws {SqliteError} busy */
const holdAlone = (db: Sqlite): void => {
  const inUse = (cause?: unknown): SqliteError =>
    new SqliteError(
      'busy',
      `${db.path}: the file is to be made again, and another process uses it: end the service, then lexichron repair`,
      { cause },
    )
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    if (db.pragma('journal_mode = DELETE') !== 'delete') throw inUse()
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    throw error instanceof SqliteError && error.kind === 'busy' ? inUse(error) : error
  }
}

/** Every event that there is, and the positions of those that do not fit their checksum. */
type Census = { readonly events: number; readonly unsound: readonly number[] }

/** A row that the table does not lead to any more counts as one that does not fit. @throws {SqliteError} */
const censusOf = (db: Sqlite): Census => {
  const reader = openReader(db)
  const cursor = reader.cursor()
  const head = reader.head()
  const unsound: number[] = []
  let events = 0
  for (let position = 0; ; ) {
    const page = cursor.next(position, head)
    events += page.events.length
    for (const event of page.events) if (event.damaged) unsound.push(Number(event.position))
    if (page.caughtUp) return { events, unsound }
    position = page.position
  }
}

type Row = readonly [first: SqlValue, ...rest: SqlValue[]]
const TEXTS = ['id', 'name', 'data', 'meta']
const NUMBERS = ['position', 'stream', 'revision', 'kind', 'recorded', 'checksum']

/** As they are, also what fits nothing: texts go as their bytes. */
const copyEvents = (old: Sqlite, fresh: Sqlite): void => {
  const page = old.prepare<Row>(
    `SELECT ${[...NUMBERS, ...TEXTS.map(text => `CAST(${text} AS BLOB)`)].join(', ')}
     FROM events NOT INDEXED WHERE position > ? ORDER BY position LIMIT ${PAGE_ROWS}`,
    { bigints: true },
  )
  const insert = fresh.prepare(
    `INSERT INTO events (${[...NUMBERS, ...TEXTS].join(', ')})
     VALUES (${[...NUMBERS.map(() => '?'), ...TEXTS.map(() => 'CAST(? AS TEXT)')].join(', ')})`,
  )
  let after: SqlValue = -1n
  for (let rows = page.all(after); rows.length > 0; rows = page.all(after))
    for (const row of rows) {
      insert.run(...row)
      after = row[0]
    }
}

const copyTable = (old: Sqlite, fresh: Sqlite, table: string, columns: readonly string[]): void => {
  const insert = fresh.prepare(
    `INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  )
  const rows = old.prepare(`SELECT ${columns.join(', ')} FROM ${table} NOT INDEXED`, { bigints: true }).all()
  for (const row of rows) insert.run(...row)
}

/** Numbers of streams that have no sound event are known from there alone. What cannot be read of it is not missed otherwise. */
const copyNames = (old: Sqlite, fresh: Sqlite): void => {
  try {
    copyTable(old, fresh, 'names', ['hash', 'number'])
  } catch (error) {
    if (!(error instanceof SqliteError && (error.kind === 'corrupt' || error.kind === 'constraint'))) throw error
  }
}

const fill = (old: Sqlite, fresh: Sqlite): void => {
  unguarded(fresh, () => {
    // One revision may stand twice until `rebuildLookups` has seen to it, which makes this one unique again.
    fresh.exec('DROP INDEX events_stream; CREATE INDEX events_stream ON events (stream, revision); DELETE FROM meta')
    copyTable(old, fresh, 'meta', ['name', 'value'])
    const keep = fresh.prepare('INSERT INTO kinds (id, category, type, checksum) VALUES (?, ?, ?, ?)')
    for (const { id, category, type, mark } of openKinds(old).read(-1).kinds)
      keep.run(id, category, type, kindChecksum(id, mark))
    copyEvents(old, fresh)
    copyNames(old, fresh)
    fresh.prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'events'").run(openHead(old)())
  })
  rebuildLookups(fresh, openReader(fresh))
}

const freeName = (path: string): string => {
  for (let nth = 1; ; nth += 1) {
    const name = nth === 1 ? path : `${path}-${nth}`
    if (!existsSync(name)) return name
  }
}

/** A second name for the file: where the file system has none, a copy. */
const keep = (path: string, kept: string): void => {
  try {
    linkSync(path, kept)
  } catch {
    copyFileSync(path, kept)
    chmodSync(kept, FILE_MODE)
    syncPath(kept)
  }
}

const JOURNALS = ['-wal', '-shm', '-journal']
const remove = (path: string): void => {
  for (const suffix of ['', ...JOURNALS]) rmSync(path + suffix, { force: true })
}

/** `at`: the time, which the name of the file that is kept tells. */
export type RebuildFile = EventFileOptions & { readonly path: string; readonly at: Date }

/**
 * Makes the file again and answers the path of the one before, which is its owner's alone too. Nobody may have it open, this process
 * included. Damaged events stay damaged.
 * @throws {SqliteError} busy where another process has it open; corrupt where the events themselves cannot be read whole. The file is as
 * it was then.
 */
export const rebuildEventFile = ({ path, at, ...options }: RebuildFile): string => {
  const making = `${path}.remade`
  const kept = freeName(`${path}.damaged-${at.toISOString().replaceAll(/[-:]|\.\d+/g, '')}`)
  remove(making)
  const old = reopenEventFile(path, options)
  try {
    holdAlone(old)
    const before = censusOf(old)
    const fresh = openEventFile(making, { logId: '', createdAt: '' }, { ...options, pragmas: {} })
    try {
      fill(old, fresh)
      if (!isDeepStrictEqual(censusOf(fresh), before))
        throw new SqliteError('corrupt', `${path}: its events cannot be read whole: restore a backup`)
      // Its journal has another name than the one that it would need.
      if (fresh.pragma('journal_mode = DELETE') !== 'delete')
        throw new SqliteError('io', `${making}: its journal cannot be folded into it`)
    } finally {
      fresh.close()
    }
    syncPath(making)
    keep(path, kept)
    renameSync(making, path)
    syncPath(dirname(path))
    return kept
  } catch (error) {
    remove(making)
    if (error instanceof SqliteError && error.kind === 'constraint')
      throw new SqliteError('corrupt', `${path}: a row of its events is none any more: restore a backup`, {
        cause: error,
      })
    throw error
  } finally {
    old.close()
  }
}
