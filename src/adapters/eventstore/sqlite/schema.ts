/** The file of the embedded event store: its tables, and how the event ids are indexed. */
import { openDatabase, type Sqlite } from '../../sqlite.ts'

/** "LexE" in ASCII. */
const APPLICATION_ID = 0x4c657845
const SCHEMA_VERSION = 1

/** Events of more bytes than this are read in small pages; the index `events_large` finds them. */
export const LARGE_EVENT_BYTES = 32_768

/** Events of one stream beyond which operators are warned: streams are loaded whole. */
export const LONG_STREAM = 1_000

const LONG_INDEX = `CREATE INDEX IF NOT EXISTS events_long ON events (stream) WHERE revision = ${LONG_STREAM}`

/**
 * `kinds` numbers the pairs of category and event type: one index on (kind, position) then serves every filter of the
 * log, where one for categories and one for types would cost a second write an event. `events.stream` is an integer
 * because a text in the unique index was the main cost of an append; its name stands in the row so that replay needs
 * no join. `lookup` is `lookupKey(position, id)`.
 */
const schema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE streams (name TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE kinds (id INTEGER PRIMARY KEY, category TEXT NOT NULL, type TEXT NOT NULL, UNIQUE (category, type)) STRICT;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    lookup INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    meta TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_stream ON events (stream, revision);
  CREATE INDEX events_kind ON events (kind);
  CREATE INDEX events_lookup ON events (lookup);
  CREATE INDEX events_large ON events (position) WHERE octet_length(data) + octet_length(meta) > ${LARGE_EVENT_BYTES};
  CREATE TRIGGER events_update BEFORE UPDATE ON events BEGIN SELECT raise(ABORT, 'events are never changed'); END;
  CREATE TRIGGER events_delete BEFORE DELETE ON events BEGIN SELECT raise(ABORT, 'events are never deleted'); END;
  CREATE TRIGGER streams_update BEFORE UPDATE ON streams BEGIN SELECT raise(ABORT, 'streams are never changed'); END;
  CREATE TRIGGER streams_delete BEFORE DELETE ON streams BEGIN SELECT raise(ABORT, 'streams are never deleted'); END;
  CREATE TRIGGER kinds_update BEFORE UPDATE ON kinds BEGIN SELECT raise(ABORT, 'kinds are never changed'); END;
  CREATE TRIGGER kinds_delete BEFORE DELETE ON kinds BEGIN SELECT raise(ABORT, 'kinds are never deleted'); END;
`

const BLOCK_BITS = 13
const HASH_RANGE = 2 ** 32

/** FNV-1a over the code units: 32 bits are enough to tell the 8,192 events of a block apart, nearly always. */
const hash = (id: string): number => {
  let value = 0x811c9dc5
  for (let index = 0; index < id.length; index += 1) value = Math.imul(value ^ id.charCodeAt(index), 0x01000193)
  return value >>> 0
}

/**
 * The key of an event id: the block of 8,192 positions it stands in, then a hash of the id. Event ids are random, and an
 * index on them alone dirties a page of its own for every event (40% fewer appends a second at 200,000 events); inside a
 * block the pages stay few and hot (5%). A look-up probes block after block, newest first: 122 probes in a million events.
 */
export const lookupKey = (position: number, id: string): number => (position >>> BLOCK_BITS) * HASH_RANGE + hash(id)

/** The keys that the id may stand under in a log whose last position is `head`, newest block first. */
export function* lookupKeys(head: number, id: string): Generator<number> {
  const low = hash(id)
  for (let block = head >>> BLOCK_BITS; block >= 0; block -= 1) yield block * HASH_RANGE + low
}

export type EventFileOptions = {
  readonly busyTimeoutMs: number
  /** Extra pragmas, after those of the role. */
  readonly pragmas: Readonly<Record<string, string | number>>
}

/** What a file that is still empty gets: the log's id and the time it was made (RFC 3339). */
export type NewLog = { readonly logId: string; readonly createdAt: string }

const migrate = (db: Sqlite, log: NewLog): void => {
  db.exec(schema)
  const insert = db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)')
  insert.run('log_id', log.logId)
  insert.run('created_at', log.createdAt)
}

/** One row a long stream, so it costs nothing; a log from before it was thought of gets it now, or goes without. */
const addLongIndex = (db: Sqlite): void => {
  try {
    if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'events_long'").get()) db.exec(LONG_INDEX)
  } catch {
    // Locked, full or for reading only: long streams go unseen until the next start.
  }
}

/** Opens the file and makes its tables when it is empty. @throws {SqliteError} */
export const openEventFile = (path: string, log: NewLog, options: EventFileOptions): Sqlite => {
  const db = openDatabase(path, {
    role: 'events',
    applicationId: APPLICATION_ID,
    schemaVersion: SCHEMA_VERSION,
    migrate: db => migrate(db, log),
    ...options,
  })
  addLongIndex(db)
  return db
}

/** Opens the file, which must be there and of this schema, to append to it. @throws {SqliteError} */
export const reopenEventFile = (path: string, options: EventFileOptions): Sqlite =>
  openDatabase(path, {
    role: 'events',
    applicationId: APPLICATION_ID,
    schemaVersion: SCHEMA_VERSION,
    migrate: () => {
      throw new Error(`${path}: the event store has vanished from under the service`)
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
  const lastPosition = db.prepare<[number]>("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
  const headOf = (): number => lastPosition.get()?.[0] ?? 0
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
