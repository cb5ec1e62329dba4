/** Reads the file in pages, on a connection of its own: streams, the log with its filters, single events by their positions. */
import type { LogFilter, LoggedEvent } from '../../../ports/event-store.ts'
import type { Sqlite, Statement } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { type FilteredReader, openFiltered, openKindsOfBlocks } from './filtered.ts'
import { openHead } from './head.ts'
import { openKinds } from './kinds.ts'
import { COLUMNS, damagedEvent, type EventRow, type Kind, soundEvent } from './row.ts'
import { rowsOf } from './rows.ts'
import { LARGE_EVENT_BYTES, LONG_STREAM } from './schema.ts'
import { type FindStream, openStreamFinder } from './streams.ts'

/** Events a page holds; of large ones fewer, so that no page takes more than some 33 MB. */
export const PAGE_EVENTS = 1_000
const PAGE_LARGE_EVENTS = 16

/** A page of a stream ends after the event with which it passes this many characters. */
const PAGE_CHARACTERS = 8_000_000

/** Events after a position and how far the log was considered for them. */
export type LogPage = { readonly events: readonly LoggedEvent[]; readonly position: number; readonly caughtUp: boolean }

/** Reads one page of a log at a time; holds what it has learned of it on the way. */
export type LogCursor = {
  /** The page after a position, considering the log up to `until`. */
  next(after: number, until: number): LogPage
}

/** Whether they are those of the positions after one, and leave none out. */
const followOneAnother = (rows: readonly EventRow[], after: number): boolean =>
  rows.every((row, nth) => row[0] === after + 1 + nth)

export type Reader = {
  head(): number
  /** Changes when another connection has committed. */
  dataVersion(): number
  cursor(filter?: LogFilter): LogCursor
  find: FindStream
  /** Revisions from `from` on, upwards or downwards, at most `limit` of them and at most a page. */
  stream(id: number, from: number, direction: 'forwards' | 'backwards', limit: number): LoggedEvent[]
  at(position: number): LoggedEvent | undefined
  /** Streams above `LONG_STREAM` events with the revision of their last one. */
  longStreams(limit: number): { readonly stream: string; readonly revision: bigint }[]
}

export const openReader = (db: Sqlite): Reader => {
  const dataVersion = db.prepare<[number]>('PRAGMA data_version')
  const allKinds = openKinds(db)
  const eventAt = rowsOf(db, `SELECT ${COLUMNS} FROM events WHERE position = ?`)
  const forwards = rowsOf(
    db,
    `SELECT ${COLUMNS} FROM events WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?`,
  )
  const backwards = rowsOf(
    db,
    `SELECT ${COLUMNS} FROM events WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT ?`,
  )
  const readLog = rowsOf(
    db,
    `SELECT ${COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`,
  )

  // The literal lets the partial index events_long answer it; a log that has not got it is not scanned for this.
  const longStreams = db.prepare<[number, string]>(
    `SELECT stream, name FROM events WHERE revision = ${LONG_STREAM} AND stream >= 0 AND EXISTS
     (SELECT 1 FROM sqlite_schema WHERE name = 'events_long') LIMIT ?`,
  )
  const lastRevision = db.prepare<[number]>('SELECT max(revision) FROM events WHERE stream = ?')

  const blocks = openKindsOfBlocks(db)
  const kinds: Kind[] = []
  const known: (Kind | undefined)[] = []
  /** The highest that is known. What stands in the table may be another number, until that is mended. */
  let lastKind = -1
  const refreshKinds = (): void => {
    // A filter would pass over the events of one that is damaged, and nobody would miss them: it is never guessed.
    for (const kind of allKinds.read(lastKind).kinds) {
      if (known[kind.id]) continue
      kinds.push(kind)
      known[kind.id] = kind
      lastKind = Math.max(lastKind, kind.id)
    }
  }
  const kindOf = (id: number): Kind | undefined => {
    refreshKinds()
    return known[id]
  }

  // By index: destructuring the row takes its iterator, once for every event of a replay.
  const logged = (row: EventRow): LoggedEvent => {
    const kind = known[row[2]] ?? kindOf(row[2])
    return (kind && soundEvent(row, kind)) ?? damagedEvent(row, kind?.type ?? '')
  }

  const prepareLarge = (condition: string): Statement<[number]> =>
    db.prepare(
      `SELECT position FROM events INDEXED BY events_large WHERE position > ? AND position <= ? ${condition}
       AND octet_length(data) + octet_length(meta) > ${LARGE_EVENT_BYTES} ORDER BY position LIMIT 1`,
    )

  /** How far a page may go and how many events it may hold: a page ends before a large event, then they come few a page. */
  const pageBounds = (large: Statement<[number]>) => {
    let found = 0
    let looked = 0
    const next = (after: number, until: number): number | undefined => {
      try {
        return large.get(after, until)?.[0] ?? Number.POSITIVE_INFINITY
      } catch (error) {
        if (error instanceof SqliteError && error.kind === 'corrupt') return undefined
        throw error
      }
    }
    return (after: number, until: number): { readonly until: number; readonly limit: number } => {
      if (found <= after || (found === Number.POSITIVE_INFINITY && looked < until)) {
        const told = next(after, until)
        // Each may be large where the index does not say.
        if (told === undefined) return { until, limit: PAGE_LARGE_EVENTS }
        found = told
        looked = until
      }
      if (found > until) return { until, limit: PAGE_EVENTS }
      return found === after + 1 ? { until, limit: PAGE_LARGE_EVENTS } : { until: found - 1, limit: PAGE_EVENTS }
    }
  }

  const matching = (filter: LogFilter): number[] => {
    refreshKinds()
    const categories = filter.categories && new Set(filter.categories)
    const wanted = filter.types && new Set(filter.types)
    return kinds
      .filter(({ category, type }) => (categories?.has(category) ?? true) && (wanted?.has(type) ?? true))
      .map(kind => kind.id)
  }

  const filtered = (filter: LogFilter): LogCursor => {
    let known = -1
    let read: FilteredReader | undefined
    let bounds = pageBounds(prepareLarge('AND false'))
    const refresh = (): void => {
      const wanted = matching(filter)
      if (kinds.length === known) return
      known = kinds.length
      const isWanted = new Set(wanted)
      const others = kinds.map(({ id }) => id).filter(id => !isWanted.has(id))
      read = openFiltered({ db, blocks, logged }, { wanted, others })
      bounds = pageBounds(prepareLarge(`AND kind IN (${wanted.join(', ')})`))
    }
    return {
      next: (after, until) => {
        refresh()
        if (!read || after >= until) return { events: [], position: until, caughtUp: true }
        const { events, position } = read(after, bounds(after, until))
        return { events, position, caughtUp: position >= until }
      },
    }
  }

  const wholeLog = (): LogCursor => {
    const bounds = pageBounds(prepareLarge(''))
    const incomplete = filtered({})
    return {
      next: (after, until) => {
        const { until: bound, limit } = bounds(after, until)
        const rows = readLog.all(after, bound, limit)
        const position = rows.length < limit ? bound : after + limit
        // A damaged page leads past a row or twice to one. There may also be none.
        if (rows.length < position - after || !followOneAnother(rows, after)) return incomplete.next(after, until)
        return { events: rows.map(logged), position, caughtUp: position >= until }
      },
    }
  }

  return {
    head: openHead(db),
    dataVersion: () => dataVersion.get()?.[0] ?? 0,
    cursor: filter => (filter?.categories || filter?.types ? filtered(filter) : wholeLog()),
    find: openStreamFinder(db),
    stream: (id, from, direction, limit) => {
      const events: LoggedEvent[] = []
      let characters = 0
      const statement = direction === 'forwards' ? forwards : backwards
      const take = (row: EventRow): boolean => {
        const event = logged(row)
        events.push(event)
        characters += event.data.length + event.meta.length
        return characters <= PAGE_CHARACTERS
      }
      statement.each(take, id, from, Math.min(limit, PAGE_EVENTS))
      return events
    },
    at: position => {
      const [row] = eventAt.all(position)
      return row && logged(row)
    },
    longStreams: limit => {
      const found: { readonly stream: string; readonly revision: bigint }[] = []
      for (const [stream, name] of longStreams.all(limit))
        found.push({ stream: name, revision: BigInt(lastRevision.get(stream)?.[0] ?? 0) })
      return found
    },
  }
}
