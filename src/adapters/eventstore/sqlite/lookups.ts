/**
 * What the log is looked up by: the table of streams, the indexes, the last position. All of it follows from the events that fit their
 * checksum, so that it is compared with them, and can be built again from them.
 */
import type { Sqlite } from '../../sqlite/database.ts'
import { unguarded } from './schema.ts'

/** What does not fit the events, `SHOWN` of `different` in words. */
export type LookupReport = { readonly different: number; readonly differences: readonly string[] }

/** Positions that are looked at in one go. */
const PAGE_POSITIONS = 2_000
const SHOWN = 100

/** An event that one of them does not lead to: of each, 1 where it does. */
type Lost = [position: number, stream: number, order: number, kind: number, first: number]

const leads = (index: string, condition: string): string =>
  `EXISTS (SELECT 1 FROM events AS i INDEXED BY ${index} WHERE ${condition} AND i.position = e.position)`
const BY_STREAM = 'EXISTS (SELECT 1 FROM streams WHERE streams.name = e.name AND streams.id = e.stream)'
const BY_ORDER = leads('events_stream', 'i.stream = e.stream AND i.revision = e.revision')
const BY_KIND = leads('events_kind', 'i.kind = e.kind')
const BY_FIRST = `(e.revision <> 0 OR ${leads('events_first', 'i.name = e.name AND i.revision = 0')})`
const LOST = `SELECT e.position, ${BY_STREAM}, ${BY_ORDER}, ${BY_KIND}, ${BY_FIRST} FROM events AS e NOT INDEXED
  WHERE e.position > ? AND e.position <= ? AND NOT (${BY_STREAM} AND ${BY_ORDER} AND ${BY_KIND} AND ${BY_FIRST})`

type SoundReader = { at(position: number): { readonly stream: string; readonly damaged?: true } | undefined }

/** `turn` is awaited between two pages. @throws {SqliteError} */
export const lookAtLookups = async (
  db: Sqlite,
  read: SoundReader,
  { turn, signal }: { readonly turn: () => Promise<void>; readonly signal: AbortSignal },
): Promise<LookupReport> => {
  const differences: string[] = []
  let different = 0
  const differs = (what: string): void => {
    different += 1
    if (differences.length < SHOWN) differences.push(what)
  }
  const last = db.prepare<[number | null]>('SELECT max(position) FROM events').get()?.[0] ?? 0
  const head = db.prepare<[number]>("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get()?.[0] ?? 0
  if (head < last) differs(`the log ends at position ${last}, and ${head} is said to be its last`)
  const lost = db.prepare<Lost>(LOST)
  for (let after = 0; after < last && !signal.aborted; after += PAGE_POSITIONS) {
    for (const [position, byStream, byOrder, byKind, byFirst] of lost.all(
      after,
      Math.min(after + PAGE_POSITIONS, last),
    )) {
      const event = read.at(position)
      // What it is found by is part of what is damaged, and it is named as that.
      if (!event || event.damaged) continue
      const missing = [
        ...(byStream ? [] : ['the table of streams']),
        ...(byOrder ? [] : ['the index of revisions']),
        ...(byKind ? [] : ['the index of types']),
        ...(byFirst ? [] : ['the index of first events']),
      ]
      differs(`${missing.join(', ')} does not lead to the event of ${event.stream} at position ${position}`)
    }
    await turn()
  }
  const empty = db.prepare<[string]>(
    `SELECT CAST(name AS TEXT) FROM streams WHERE typeof(name) <> 'text' OR NOT EXISTS
     (SELECT 1 FROM events INDEXED BY events_stream WHERE events.stream = streams.id AND events.name = streams.name)`,
  )
  for (const [name] of empty.iterate()) differs(`the table of streams has ${JSON.stringify(name)}, which has no event`)
  return { different, differences }
}

type Tally = [name: string, id: number]

/** Of each name the number under which most of its events stand; of two names with one number it is that of the larger one. */
const numbersOf = (tallies: Iterable<Tally>, highest: number): ReadonlyMap<string, number> => {
  const numbers = new Map<string, number>()
  const taken = new Set<number>()
  const without = new Set<string>()
  for (const [name, id] of tallies) {
    if (numbers.has(name)) continue
    if (taken.has(id)) without.add(name)
    else {
      numbers.set(name, id)
      taken.add(id)
    }
  }
  let next = highest
  for (const name of without)
    if (!numbers.has(name)) {
      next += 1
      numbers.set(name, next)
    }
  return numbers
}

/**
 * Makes them again from the events that fit their checksum, in one transaction; damaged events stay as they are, and a stream that has
 * no others keeps its name. @throws {SqliteError}: nothing is changed then.
 */
export const rebuildLookups = (db: Sqlite, read: SoundReader): void => {
  db.exec(`CREATE TEMP TABLE tally (name TEXT NOT NULL, id INTEGER NOT NULL, events INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (name, id)) WITHOUT ROWID; CREATE TEMP TABLE number (name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID`)
  try {
    unguarded(db, () => {
      const count = db.prepare(
        'INSERT INTO tally (name, id) VALUES (?, ?) ON CONFLICT (name, id) DO UPDATE SET events = events + 1',
      )
      const page = db.prepare<[number, number]>(
        `SELECT position, stream FROM events NOT INDEXED WHERE position > ? ORDER BY position LIMIT ${PAGE_POSITIONS}`,
      )
      for (let rows = page.all(-1); rows.length > 0; rows = page.all(rows.at(-1)?.[0] ?? 0))
        for (const [position, stream] of rows) {
          const event = read.at(position)
          if (event && !event.damaged) count.run(event.stream, stream)
        }
      const highest = db.prepare<[number | null]>('SELECT max(stream) FROM events NOT INDEXED').get()?.[0] ?? 0
      const tallies = db.prepare<Tally>('SELECT name, id FROM tally ORDER BY events DESC, id').all()
      const number = db.prepare('INSERT INTO number VALUES (?, ?)')
      for (const [name, id] of numbersOf(tallies, highest)) number.run(name, id)
      // Where one name has two lines of events, which stand at the same revisions, nobody but people can say which is to go.
      db.exec(`UPDATE OR IGNORE events SET stream = (SELECT id FROM number WHERE number.name = events.name)
          WHERE EXISTS (SELECT 1 FROM number WHERE number.name = events.name AND number.id <> events.stream);
        INSERT OR IGNORE INTO number SELECT name, id FROM streams WHERE typeof(name) = 'text' AND typeof(id) = 'integer'
          AND id IN (SELECT stream FROM events NOT INDEXED) AND id NOT IN (SELECT id FROM number);
        DELETE FROM streams; INSERT INTO streams (name, id) SELECT name, id FROM number;
        UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT max(position) FROM events), 0)) WHERE name = 'events';
        REINDEX events; REINDEX streams`)
    })
  } finally {
    db.exec('DROP TABLE tally; DROP TABLE number')
  }
}
