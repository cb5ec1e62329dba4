/**
 * Finds a stream by its name, and believes no single page of the file for it. Whatever an answer rests on stands in two b-trees that are
 * written in one transaction, and where they do not agree one of them is damaged: the number of a name in `names` and in its index, the
 * end of a stream in `streams` and in the index of revisions. That a name has a number, or a stream another event, cannot be lost
 * in silence then.
 */
import { EventStoreError } from '../../../ports/event-store.ts'
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'

/**
 * 47 bits of a name, which take six bytes of a row: two 32-bit products as in cyrb53 (bryc, public domain). No proof against names that
 * are chosen to meet: those cost a look more.
 */
export const hashOf = (name: string): number => {
  let low = 0xdeadbeef
  let high = 0x41c6ce57
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at)
    low = Math.imul(low ^ unit, 2_654_435_761)
    high = Math.imul(high ^ unit, 1_597_334_677)
  }
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
  return (high & 0x7fff) * 0x1_0000_0000 + (low >>> 0)
}

/** Where two names meet the later one stands at the next hash, of so many. */
export const MOST_TRIES = 16

/** May a name stand there? */
export const standsAt = (name: string, hash: number, hashed: typeof hashOf): boolean => {
  const first = hashed(name)
  return hash >= first && hash < first + MOST_TRIES
}

/** What a damaged row may hold is no number, nor one that is too large to come as one. */
export const whole = (column: string): string =>
  `iif(typeof(${column}) = 'integer' AND ${column} BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}, ${column}, -1)`

/** `damaged`: two that should say the same of it do not. */
export type FoundStream =
  | {
      /** Where its name stands, or will stand. */
      readonly hash: number
      /** Absent of a stream that is not there. */
      readonly number?: number
      /** Of the last event; -1 of a stream that is not there. */
      readonly revision: number
      /** False where the last event has another name: whoever reads it sees whether it is damaged itself. */
      readonly named: boolean
    }
  | 'damaged'

/** Finds the number of a stream and the revision of its last event. */
export type FindStream = (name: string) => FoundStream

type Seen = [
  number: number | null,
  again: number | null,
  told: number | null,
  last: number | null,
  holder: string | null,
]

/** `hashed`: for tests of names that meet. */
export const openStreamFinder = (db: Sqlite, hashed = hashOf): FindStream => {
  const last = (what: string): string =>
    `(SELECT ${what} FROM events INDEXED BY events_stream WHERE stream = n.number ORDER BY revision DESC LIMIT 1)`
  // One statement sees one state of the file, whoever writes meanwhile.
  const look = db.prepare<Seen>(
    `SELECT ${whole('n.number')}, (SELECT ${whole('number')} FROM names INDEXED BY names_again WHERE hash = ?1),
       (SELECT ${whole('revision')} FROM streams WHERE number = n.number), ${last(whole('revision'))}, ${last('CAST(name AS TEXT)')}
     FROM (SELECT (SELECT number FROM names NOT INDEXED WHERE hash = ?1) AS number) AS n`,
  )
  return name => {
    const first = hashed(name)
    for (let hash = first; hash < first + MOST_TRIES; hash += 1) {
      const [number, again, told, revision, holder] = look.get(hash) ?? [-1, null, null, null, null]
      if (number === -1 && again === null) return { hash, revision: -1, named: true }
      if (number === null || number < 0 || number !== again) return 'damaged'
      if (told === null || told < 0 || told !== revision) return 'damaged'
      if (holder === name) return { hash, number, revision, named: true }
      if (holder === null || !standsAt(holder, hash, hashed)) return { hash, number, revision, named: false }
    }
    return 'damaged'
  }
}

/** Puts names at their places, each once: in the order in which their streams began. @throws {SqliteError} */
export const openPlaces = (db: Sqlite, hashed = hashOf): ((name: string, number: number) => void) => {
  const insert = db.prepare('INSERT OR IGNORE INTO names (hash, number) VALUES (?, ?)')
  return (name, number) => {
    const first = hashed(name)
    for (let hash = first; hash < first + MOST_TRIES; hash += 1) if (insert.run(hash, number).changes > 0) return
    throw new SqliteError('corrupt', `${db.path}: ${name} finds no place among the names`)
  }
}

/** What is said of a stream that cannot be found as it should. */
export const damagedStream = (path: string, stream: string, what: string): EventStoreError =>
  new EventStoreError('damaged', `${path}: ${what} of ${stream} is damaged: lexichron repair builds it again`)
