/**
 * What the log is looked up by: the tables of names and streams, the indexes, the last position. All of it follows from the events
 * that fit their checksum, so that it is compared with them here, and made again from them by lookups-repair.ts.
 */
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { openKinds } from './kinds.ts'
import type { Reader } from './reader.ts'
import { LARGE_EVENT_BYTES } from './schema.ts'
import { whole } from './streams.ts'
import { brokenTrees } from './trees.ts'

/**
 * What does not fit the events, `SHOWN` of `different` in words. `setAside`: events of a revision that their stream has twice, which are
 * whole and stand in the log alone since it was repaired.
 */
export type LookupReport = {
  readonly different: number
  readonly differences: readonly string[]
  readonly setAside: readonly string[]
}

/** Positions that are looked at in one go. */
const PAGE_POSITIONS = 2_000
const SHOWN = 100

/** Of each b-tree 1 where it leads to the event; `number` is below 0 of an event that was set aside. */
type Seen = [position: number, number: number, end: number, order: number, kind: number]

// With the plus sign the position is read as readers read it, from the end of the entry, and not compared as a part of the key alone.
const leads = (index: string, condition: string): string =>
  `EXISTS (SELECT 1 FROM events AS i INDEXED BY ${index} WHERE ${condition} AND +i.position = e.position)`
const BY_END =
  '(e.stream < 0 OR EXISTS (SELECT 1 FROM streams WHERE streams.number = e.stream AND streams.revision >= e.revision))'
const BY_ORDER = leads('events_stream', 'i.stream = e.stream AND i.revision = e.revision')
const BY_KIND = leads('events_kind', 'i.kind = e.kind AND i.position = e.position')
/** Those that one of them does not lead to, those that begin a stream, those that were set aside. */
const LOOKED_AT = `SELECT e.position, e.stream, ${BY_END}, ${BY_ORDER}, ${BY_KIND} FROM events AS e NOT INDEXED
  WHERE e.position > ? AND e.position <= ?
  AND (e.revision = 0 OR e.stream < 0 OR NOT (${BY_END} AND ${BY_ORDER} AND ${BY_KIND}))`

type SoundReader = Pick<Reader, 'at' | 'find'>
type Watching = { readonly turn: () => Promise<void>; readonly signal: AbortSignal }
/** Takes what differs, in words. */
type Differs = (what: string) => void

/** @throws {SqliteError} */
const lookAtEvents = async (
  db: Sqlite,
  read: SoundReader,
  { last, turn, signal, differs, aside }: Watching & Record<'differs' | 'aside', Differs> & { readonly last: number },
): Promise<void> => {
  const seen = db.prepare<Seen>(LOOKED_AT)
  for (let after = 0; after < last && !signal.aborted; after += PAGE_POSITIONS) {
    for (const [position, number, end, order, kind] of seen.all(after, Math.min(after + PAGE_POSITIONS, last))) {
      const event = read.at(position)
      // What it is found by is part of what is damaged, and it is named as that.
      if (!event || event.damaged) continue
      const { stream, revision } = event
      if (number < 0)
        aside(
          `${stream} has another event of revision ${revision} at position ${position}, which is read in the log alone`,
        )
      const found = number < 0 ? undefined : read.find(stream)
      const isNamed = found === undefined || (found !== 'damaged' && found.number === number)
      const missing = [
        ...(isNamed ? [] : ['the table of names or of streams']),
        ...(end ? [] : ['the table of streams']),
        ...(order ? [] : ['the index of revisions']),
        ...(kind ? [] : ['the index of types']),
      ]
      if (missing.length > 0)
        differs(`${missing.join(', ')} does not lead to the event of ${stream} at position ${position}`)
    }
    await turn()
  }
}

type Named = [hash: number, number: number, again: number, position: number | null]

/** What leads nowhere, or only where another one leads too. @throws {SqliteError} */
const lookAtTables = async (
  db: Sqlite,
  read: SoundReader,
  { last, turn, signal, differs }: Watching & { readonly last: number; readonly differs: Differs },
): Promise<void> => {
  const empty = db.prepare<[number, number]>(
    `SELECT ${whole('number')}, ${whole('revision')} FROM streams WHERE NOT EXISTS (SELECT 1 FROM events INDEXED BY events_stream
       WHERE events.stream = streams.number AND events.revision = streams.revision)`,
  )
  for (const [number, revision] of empty.iterate())
    differs(`the table of streams ends stream ${number} at revision ${revision}, where no event is`)
  const names = db.prepare<Named>(
    `SELECT ${whole('hash')}, ${whole('number')}, EXISTS (SELECT 1 FROM names AS i INDEXED BY names_again
         WHERE i.hash = n.hash AND i.number = n.number),
       (SELECT position FROM events INDEXED BY events_stream WHERE stream = n.number ORDER BY revision LIMIT 1)
     FROM names AS n NOT INDEXED WHERE hash > ? ORDER BY hash LIMIT ${PAGE_POSITIONS}`,
  )
  let after = -1
  for (let rows = names.all(after); rows.length > 0 && !signal.aborted; rows = names.all(after)) {
    for (const [hash, number, again, position] of rows) {
      // A tree whose keys are out of order would be gone through for ever.
      if (hash <= after) return differs('the table of names is out of order')
      after = hash
      const event = position === null ? undefined : read.at(position)
      const found = event === undefined || event.damaged ? undefined : read.find(event.stream)
      if (!again) differs(`the index of names does not lead to stream ${number}`)
      else if (!event) differs(`the table of names leads to stream ${number}, which has no event`)
      else if (found !== undefined && found !== 'damaged' && found.hash !== hash)
        differs(`the table of names leads to stream ${number} by another name than ${event.stream}`)
    }
    await turn()
  }
  // An entry that leads to no event stands in none of the comparisons above.
  for (const [index, name] of [
    ['events_stream', 'the index of revisions'],
    ['events_kind', 'the index of types'],
  ] as const) {
    const [entries, events] = db
      .prepare<[number, number]>(
        `SELECT (SELECT count(*) FROM events INDEXED BY ${index} WHERE +position <= ?1),
         (SELECT count(*) FROM events NOT INDEXED WHERE position <= ?1)`,
      )
      .get(last) ?? [0, 0]
    if (entries > events) differs(`${name} has ${entries} entries for ${events} events`)
  }
  const large = (source: string): string =>
    `SELECT +position FROM events ${source} WHERE octet_length(data) + octet_length(meta) > ${LARGE_EVENT_BYTES} AND +position <= ?1`
  const [only, others] = [large('INDEXED BY events_large'), large('NOT INDEXED')]
  const [unlike] = db
    .prepare<[number]>(
      `SELECT (SELECT count(*) FROM (${only} EXCEPT ${others})) + (SELECT count(*) FROM (${others} EXCEPT ${only}))`,
    )
    .get(last) ?? [0]
  if (unlike > 0) differs(`the index of large events does not fit ${unlike} events`)
}

/** `turn` is awaited between two pages. @throws {SqliteError} */
export const lookAtLookups = async (db: Sqlite, read: SoundReader, watching: Watching): Promise<LookupReport> => {
  const differences: string[] = []
  const setAside: string[] = []
  let different = 0
  const differs = (what: string): void => {
    different += 1
    if (differences.length < SHOWN) differences.push(what)
  }
  const aside = (what: string): void => {
    if (setAside.length < SHOWN) setAside.push(what)
  }
  try {
    const last = db.prepare<[number | null]>('SELECT max(position) FROM events').get()?.[0] ?? 0
    const sequence = db.prepare<[number | string]>("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get()?.[0]
    const head = typeof sequence === 'number' ? sequence : 0
    if (head < last) differs(`the log ends at position ${last}, and ${head} is said to be its last`)
    for (const what of openKinds(db).differences()) differs(what)
    await lookAtEvents(db, read, { ...watching, last, differs, aside })
    await lookAtTables(db, read, { ...watching, last, differs })
  } catch (error) {
    if (!(error instanceof SqliteError && error.kind === 'corrupt')) throw error
    const broken = brokenTrees(db)
    for (const name of broken) differs(`${name} cannot be read from end to end`)
    if (broken.length === 0) differs(`what is found by one of them cannot be read: ${error.message}`)
  }
  return { different, differences, setAside }
}
