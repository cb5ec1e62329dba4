/** Makes again what the log is looked up by, from the events that fit their checksum. */
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { remakeKinds } from './kinds.ts'
import type { Reader } from './reader.ts'
import { remakeLookups, unguarded } from './schema.ts'
import { openPlaces, whole } from './streams.ts'

/** Positions that are looked at in one go. */
const PAGE_POSITIONS = 2_000

type Tally = [name: string, id: number]

/** Of each name the number under which most of its events stand; of two names with one number it is that of the larger one. */
const numbersOf = (tallies: Iterable<Tally>, highest: number): ReadonlyMap<string, number> => {
  const numbers = new Map<string, number>()
  const taken = new Set<number>()
  const without = new Set<string>()
  for (const [name, id] of tallies) {
    if (numbers.has(name)) continue
    if (id <= 0 || taken.has(id)) without.add(name)
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

/** More than what a b-tree that is made again takes with it: pages that two of them have. */
const SHARED_PAGE = /reference to page|invalid page number/

/** Making a tree again gives its pages back, and a page that is another's too must not be. @throws {SqliteError} corrupt */
const checkPages = (db: Sqlite): void => {
  const found = db.prepare<[string]>('PRAGMA quick_check(100)').all()
  const [shared] = found.flat().filter(line => SHARED_PAGE.test(line))
  if (shared !== undefined)
    throw new SqliteError('corrupt', `${db.path}: pages of the file are mixed up, restore a backup: ${shared}`)
}

/** The names of streams that have no sound event, with their numbers, as far as they can be read. */
const namesBefore = (db: Sqlite): readonly (readonly [hash: number, number: number])[] => {
  try {
    return db
      .prepare<
        [number, number]
      >(`SELECT hash, number FROM names NOT INDEXED WHERE ${whole('hash')} >= 0 AND ${whole('number')} > 0
      AND number IN (SELECT stream FROM events NOT INDEXED) AND number NOT IN (SELECT id FROM number)`)
      .all()
  } catch (error) {
    if (error instanceof SqliteError && error.kind === 'corrupt') return []
    throw error
  }
}

/**
 * Of events with one stream and one revision the first sound one has it. The others get a number of their own: they stay in the log,
 * and no reading of the stream meets two.
 */
const SET_ASIDE = `UPDATE events SET stream = -position WHERE position IN (SELECT position FROM
  (SELECT position, row_number() OVER (PARTITION BY stream, revision ORDER BY position IN (SELECT position FROM unsound), position) AS nth
   FROM events NOT INDEXED WHERE stream > 0) WHERE nth > 1)`

/**
 * Makes them again from the events that fit their checksum, in one transaction. Damaged events stay as they are, and a stream that has
 * no others keeps its name. Of two events of one revision, which a damaged end may have begun, the later one is set aside.
 * @throws {SqliteError}: nothing is changed then.
 */
export const rebuildLookups = (db: Sqlite, read: Pick<Reader, 'at'>): void => {
  checkPages(db)
  db.exec(`CREATE TEMP TABLE tally (name TEXT NOT NULL, id INTEGER NOT NULL, first INTEGER NOT NULL, events INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (name, id)) WITHOUT ROWID; CREATE TEMP TABLE number (name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TEMP TABLE unsound (position INTEGER PRIMARY KEY)`)
  try {
    unguarded(db, () => {
      remakeKinds(db)
      const count = db.prepare(
        'INSERT INTO tally (name, id, first) VALUES (?, ?, ?) ON CONFLICT (name, id) DO UPDATE SET events = events + 1',
      )
      const unsound = db.prepare('INSERT INTO unsound VALUES (?)')
      const page = db.prepare<[number, number]>(
        `SELECT position, ${whole('stream')} FROM events NOT INDEXED WHERE position > ? ORDER BY position LIMIT ${PAGE_POSITIONS}`,
      )
      let after = -1
      for (let rows = page.all(after); rows.length > 0; rows = page.all(after))
        for (const [position, stream] of rows) {
          if (position <= after)
            throw new SqliteError('corrupt', `${db.path}: the events are out of order: restore a backup`)
          after = position
          const event = read.at(position)
          if (event && !event.damaged) count.run(event.stream, stream, position)
          else unsound.run(position)
        }
      const highest =
        db.prepare<[number | null]>(`SELECT max(${whole('stream')}) FROM events NOT INDEXED`).get()?.[0] ?? 0
      const tallies = db.prepare<Tally>('SELECT name, id FROM tally ORDER BY events DESC, id').all()
      const number = db.prepare('INSERT INTO number VALUES (?, ?)')
      for (const [name, id] of numbersOf(tallies, highest)) number.run(name, id)
      const before = namesBefore(db)
      const renumber = (): void =>
        db.exec(`UPDATE events SET stream = (SELECT id FROM number WHERE number.name = events.name)
          WHERE position NOT IN (SELECT position FROM unsound)
          AND EXISTS (SELECT 1 FROM number WHERE number.name = events.name AND number.id <> events.stream);
          ${SET_ASIDE}`)
      remakeLookups(db, renumber, () => {
        const place = openPlaces(db)
        const sound = db.prepare<[string, number]>(
          'SELECT name, id FROM number ORDER BY (SELECT min(first) FROM tally WHERE tally.name = number.name)',
        )
        for (const [name, id] of sound.all()) place(name, id)
        const keep = db.prepare('INSERT OR IGNORE INTO names (hash, number) VALUES (?, ?)')
        for (const [hash, id] of before) keep.run(hash, id)
      })
    })
  } finally {
    db.exec('DROP TABLE tally; DROP TABLE number; DROP TABLE unsound')
  }
}
