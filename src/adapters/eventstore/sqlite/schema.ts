/** The file of the embedded event store: its tables and indexes. */

import { OwnError } from '../../../domain/own-error.ts'
import { type OpenOptions, openDatabase, type Sqlite } from '../../sqlite/database.ts'
import { fileMarks } from '../../sqlite/marks.ts'
import { openHead } from './head.ts'
import { COLUMNS, type EventRow, kindChecksum, markOf, rowChecksum } from './row.ts'
import { openPlaces } from './streams.ts'

/** Events of more bytes than this are read in small pages; the index `events_large` finds them. */
export const LARGE_EVENT_BYTES = 32_768

/** Events of one stream beyond which operators are warned: streams are loaded whole. */
export const LONG_STREAM = 1_000

/** From the events themselves, whatever the index of revisions says. */
const FILL_STREAMS = `INSERT INTO streams (number, revision) SELECT stream, max(revision) FROM events NOT INDEXED
  WHERE typeof(stream) = 'integer' AND stream > 0 AND typeof(revision) = 'integer' GROUP BY stream`

const LONG_INDEX = `CREATE INDEX IF NOT EXISTS events_long ON events (stream) WHERE revision = ${LONG_STREAM}`

const refuse = (table: string, what: 'UPDATE' | 'DELETE'): string =>
  `CREATE TRIGGER ${table}_${what.toLowerCase()} BEFORE ${what} ON ${table}
   BEGIN SELECT raise(ABORT, '${table} are never ${what === 'UPDATE' ? 'changed' : 'deleted'}'); END;`
const STREAM_INDEX = 'CREATE UNIQUE INDEX events_stream ON events (stream, revision)'
/**
 * What the log is looked up by beside its index of revisions (streams.ts): the number of each name, in two b-trees, and the revision of
 * the last event of each number, which is replaced with every append. `names` has the names' hashes alone: the names stand in the events.
 */
const LOOKUPS = `
  CREATE TABLE names (hash INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;
  CREATE INDEX names_again ON names (hash, number);
  CREATE TABLE streams (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL) STRICT;
`
/** A row of `streams` is replaced and never updated. */
const GUARDS = ['names', 'streams'].flatMap(table => [refuse(table, 'UPDATE'), refuse(table, 'DELETE')]).join('')
const TRIGGERS = ['events', 'kinds'].flatMap(table => [refuse(table, 'UPDATE'), refuse(table, 'DELETE')]).join('')

/**
 * `kinds` numbers the pairs of category and event type: one index on (kind, position) then serves every filter of the
 * log, where one for categories and one for types would cost a second write an event. `events.stream` is an integer
 * because a text in the unique index was the main cost of an append; its name stands in the row so that replay needs
 * no join. `checksum` is over the whole row (row.ts), that of a kind over the kind.
 */
const schema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE kinds (id INTEGER PRIMARY KEY, category TEXT NOT NULL, type TEXT NOT NULL,
    checksum INTEGER NOT NULL, UNIQUE (category, type)) STRICT;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    meta TEXT NOT NULL
  ) STRICT;
  ${STREAM_INDEX};
  ${LOOKUPS}
  CREATE INDEX events_kind ON events (kind);
  CREATE INDEX events_large ON events (position) WHERE octet_length(data) + octet_length(meta) > ${LARGE_EVENT_BYTES};
  ${TRIGGERS} ${GUARDS}
`

export type EventFileOptions = {
  readonly busyTimeoutMs: number
  /** Extra pragmas, after those of the role. */
  readonly pragmas: Readonly<Record<string, string | number>>
}

/** What a file that is still empty gets: the log's id and the time it was made (RFC 3339). */
export type NewLog = { readonly logId: string; readonly createdAt: string }

/**
 * A file of schema 1 gets its checksums: what is in it is taken as it is, and checked from then on. The column `lookup`, which
 * was 0 since the history's read model finds events by their ids, becomes theirs, so that a build of before, should it still
 * run, can write no event without one.
 */
const addChecksums = (db: Sqlite): void => {
  db.exec(`DROP INDEX IF EXISTS events_lookup; DROP TRIGGER events_update; DROP TRIGGER kinds_update;
    ALTER TABLE events RENAME COLUMN lookup TO checksum; ALTER TABLE kinds ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0`)
  const marks = new Map<number, number>()
  const setKind = db.prepare('UPDATE kinds SET checksum = ? WHERE id = ?')
  for (const [id, category, type] of db
    .prepare<[number, string, string]>('SELECT id, category, type FROM kinds')
    .all()) {
    const mark = markOf(category, type)
    marks.set(id, mark)
    setKind.run(kindChecksum(id, mark), id)
  }
  const page = db.prepare<EventRow>(`SELECT ${COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT 1000`)
  const set = db.prepare('UPDATE events SET checksum = ? WHERE position = ?')
  for (let position = -1; ; ) {
    const rows = page.all(position)
    for (const row of rows) {
      set.run(rowChecksum(row, marks.get(row[2]) ?? 0), row[0])
      position = row[0]
    }
    if (rows.length === 0) break
  }
  db.exec(refuse('events', 'UPDATE') + refuse('kinds', 'UPDATE'))
}

/** The numbers stay as they are: of the names that the table before knew, and of those that only first events know. */
const renewLookups = (db: Sqlite): void => {
  db.exec(`DROP TRIGGER streams_update; DROP TRIGGER streams_delete; DROP INDEX IF EXISTS events_first;
    ALTER TABLE streams RENAME TO streams_before; ${LOOKUPS} ${GUARDS} ${FILL_STREAMS}`)
  const place = openPlaces(db)
  const before = db.prepare<[string, number]>(
    "SELECT name, id FROM streams_before WHERE typeof(name) = 'text' AND typeof(id) = 'integer' ORDER BY id",
  )
  for (const [name, number] of before.iterate()) place(name, number)
  const lost = db.prepare<[string, number, number]>(
    `SELECT name, stream, min(position) FROM events AS e NOT INDEXED WHERE revision = 0
     AND NOT EXISTS (SELECT 1 FROM streams_before WHERE name = e.name) GROUP BY name`,
  )
  for (const [name, number] of lost.all()) place(name, number)
  db.exec('DROP TABLE streams_before')
}

const migrate = (db: Sqlite, from: number, log: NewLog): void => {
  if (from > 0) {
    if (from === 1) addChecksums(db)
    renewLookups(db)
    return
  }
  db.exec(schema)
  const insert = db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)')
  insert.run('log_id', log.logId)
  insert.run('created_at', log.createdAt)
}

/**
 * Brings the indexes of an older file up to date. That of long streams has one row each, so it costs nothing; that of event
 * ids cost a write an event, and the history's read model finds them now.
 */
const mendIndexes = (db: Sqlite): void => {
  const has = (name: string): boolean =>
    db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined
  try {
    if (!has('events_long')) db.exec(LONG_INDEX)
    if (has('events_lookup')) db.exec('DROP INDEX IF EXISTS events_lookup')
  } catch {
    // Locked, full or for reading only: the next start does it.
  }
}

/**
 * Makes again what the log is looked up by, within `unguarded`: `number` gives the events their numbers, while no index is in its way,
 * and `name` the names their places.
 */
export const remakeLookups = (db: Sqlite, number: () => void, name: () => void): void => {
  db.exec('DROP INDEX IF EXISTS events_stream; DROP INDEX IF EXISTS events_long')
  number()
  db.exec(`DROP TABLE names; DROP TABLE streams; ${LOOKUPS} ${FILL_STREAMS}`)
  name()
  db.exec(`${STREAM_INDEX}; ${LONG_INDEX};
    DELETE FROM sqlite_sequence WHERE name <> 'events' OR typeof(seq) <> 'integer';
    INSERT INTO sqlite_sequence (name, seq) SELECT 'events', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence);
    UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT max(position) FROM events), 0)) WHERE name = 'events';
    REINDEX events`)
}

/** Runs the work in a transaction, without what keeps rows from being changed. @throws {SqliteError} */
export const unguarded = (db: Sqlite, work: () => void): void =>
  db.transaction(() => {
    const triggers = db.prepare<[string, string]>("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all()
    for (const [name] of triggers) db.exec(`DROP TRIGGER ${name}`)
    work()
    for (const [, sql] of triggers) db.exec(sql)
  })

/** Opens the file and makes its tables when it is empty. @throws {SqliteError} */
export const openEventFile = (path: string, log: NewLog, options: EventFileOptions): Sqlite => {
  const db = openDatabase(path, {
    role: 'events',
    applicationId: fileMarks.events.applicationId,
    schemaVersion: fileMarks.events.schema,
    migrate: (db, from) => migrate(db, from, log),
    ...options,
  })
  mendIndexes(db)
  return db
}

/** Opens the file, which must be there and of this schema, to append to it. @throws {SqliteError} */
export const reopenEventFile = (path: string, options: EventFileOptions & Pick<OpenOptions, 'patienceMs'>): Sqlite =>
  openDatabase(path, {
    role: 'events',
    applicationId: fileMarks.events.applicationId,
    schemaVersion: fileMarks.events.schema,
    migrate: () => {
      throw new OwnError(`${path}: the event store has vanished from under the service`)
    },
    ...options,
  })

/**
 * Gives the log a new id if its head is below `upTo`, and keeps the old one in `meta`. Answers the head then, undefined
 * when nothing is lost or another process was first. @throws {SqliteError}
 */
export const renewLog = (
  db: Sqlite,
  { logId, upTo, newId }: { readonly logId: string; readonly upTo: number; readonly newId: string },
): number | undefined => {
  const headOf = openHead(db)
  if (headOf() >= upTo) return undefined
  return db.transaction(() => {
    const head = headOf()
    if (head >= upTo) return undefined
    const renewed = db.prepare("UPDATE meta SET value = ? WHERE name = 'log_id' AND value = ?").run(newId, logId)
    if (renewed.changes === 0) return undefined
    db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)').run(`lost_end:${logId}`, `${head} of ${upTo}`)
    return head
  })
}
