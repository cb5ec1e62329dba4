/** Reads the file in pages, on a connection of its own: streams, the log with its filters, single events by their positions. */
import type { LogFilter, LoggedEvent } from '../../../ports/event-store.ts'
import type { Sqlite, Statement } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { openHead } from './head.ts'
import { COLUMNS, damagedEvent, type EventRow, type Kind, kindChecksum, markOf, soundEvent } from './row.ts'
import { LARGE_EVENT_BYTES, LONG_STREAM } from './schema.ts'
import { type FindStream, openStreamFinder } from './streams.ts'

/** Events a page holds; of large ones fewer, so that no page takes more than some 33 MB. */
export const PAGE_EVENTS = 1_000
const PAGE_LARGE_EVENTS = 16

/** A page of a stream ends after the event with which it passes this many characters. */
const PAGE_CHARACTERS = 8_000_000

/** Positions a filtered page looks at when it scans the log instead of the index. */
const SCANNED_POSITIONS = 4_000
/** More kinds than this in a filter are scanned for: each would be a branch of the merged query. */
const MERGED_KINDS = 64

/** Events after a position and how far the log was considered for them. */
export type LogPage = { readonly events: readonly LoggedEvent[]; readonly position: number; readonly caughtUp: boolean }

/** Reads one page of a filtered log at a time; holds what it has learned about how dense the matches are. */
export type LogCursor = {
  /** The page after a position, considering the log up to `until`. */
  next(after: number, until: number): LogPage
}

type Rows = {
  all(...values: readonly number[]): readonly EventRow[]
  /** As long as `take` says so. */
  each(take: (row: EventRow) => boolean, ...values: readonly number[]): void
}

/** A damaged row may hold a number that is too large to come as one. It comes inexact then, and fits no checksum. */
const rowsOf = (db: Sqlite, sql: string): Rows => {
  const statement = db.prepare<EventRow>(sql)
  const inexact = (values: readonly number[]): readonly EventRow[] => {
    const rows: unknown = db
      .prepare(sql, { bigints: true })
      .all(...values)
      .map(row => row.map(value => (typeof value === 'bigint' ? Number(value) : value)))
    return rows as readonly EventRow[]
  }
  return {
    all: (...values) => {
      try {
        return statement.all(...values)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return inexact(values)
      }
    },
    each: (take, ...values) => {
      let taken = 0
      try {
        for (const row of statement.iterate(...values)) {
          if (!take(row)) return
          taken += 1
        }
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        for (const row of inexact(values).slice(taken)) if (!take(row)) return
      }
    },
  }
}

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
  const newKinds = db.prepare<[number, string, string, number]>(
    'SELECT id, category, type, checksum FROM kinds WHERE id > ? ORDER BY id',
  )
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

  const kinds: Kind[] = []
  const known: (Kind | undefined)[] = []
  const refreshKinds = (): void => {
    for (const [id, category, type, sum] of newKinds.all(kinds.at(-1)?.id ?? 0)) {
      const mark = markOf(category, type)
      // A filter would pass over its events, and nobody would miss them.
      if (sum !== kindChecksum(id, mark))
        throw new SqliteError('corrupt', `${db.path}: kind ${id} of events does not fit its checksum: restore a backup`)
      const kind = { id, category, type, mark }
      kinds.push(kind)
      known[id] = kind
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
    return (after: number, until: number): { readonly until: number; readonly limit: number } => {
      if (found <= after || (found === Number.POSITIVE_INFINITY && looked < until)) {
        found = large.get(after, until)?.[0] ?? Number.POSITIVE_INFINITY
        looked = until
      }
      if (found > until) return { until, limit: PAGE_EVENTS }
      return found === after + 1 ? { until, limit: PAGE_LARGE_EVENTS } : { until: found - 1, limit: PAGE_EVENTS }
    }
  }

  const page = (rows: readonly EventRow[], limit: number, bound: number, until: number): LogPage => {
    const last = rows.length < limit ? undefined : rows.at(-1)
    const position = last ? last[0] : bound
    return { events: rows.map(logged), position, caughtUp: position >= until }
  }

  const wholeLog = (): LogCursor => {
    const bounds = pageBounds(prepareLarge(''))
    return {
      next: (after, until) => {
        const { until: bound, limit } = bounds(after, until)
        return page(readLog.all(after, bound, limit), limit, bound, until)
      },
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

  const prepareMerged = (ids: readonly number[]): Rows =>
    rowsOf(
      db,
      `${ids
        .map(id => `SELECT ${COLUMNS} FROM events WHERE kind = ${id} AND position > ?1 AND position <= ?2`)
        .join(' UNION ALL ')} ORDER BY position LIMIT ?3`,
    )
  // The plus sign keeps the planner from the index on kinds, whose rows it would have to sort.
  const prepareScan = (ids: readonly number[]): Rows =>
    rowsOf(
      db,
      `SELECT ${COLUMNS} FROM events WHERE position > ?1 AND position <= ?2 AND +kind IN (${ids.join(', ')})
       ORDER BY position LIMIT ?3`,
    )

  /**
   * Merges the index entries of the kinds, which passes over any number of other events for nothing, or scans, which is
   * faster where most events match: each page tells the next one which to do.
   */
  const filtered = (filter: LogFilter): LogCursor => {
    let known = -1
    let ids: readonly number[] = []
    let merged: Rows | undefined
    let scan: Rows | undefined
    let bounds = pageBounds(prepareLarge('AND false'))
    let dense = false
    const refresh = (): void => {
      ids = matching(filter)
      if (kinds.length === known) return
      known = kinds.length
      merged = ids.length > 0 && ids.length <= MERGED_KINDS ? prepareMerged(ids) : undefined
      scan = ids.length > 0 ? prepareScan(ids) : undefined
      bounds = pageBounds(prepareLarge(`AND kind IN (${ids.join(', ')})`))
    }
    return {
      next: (after, until) => {
        refresh()
        if (!scan) return { events: [], position: until, caughtUp: true }
        const { until: bound, limit } = bounds(after, until)
        const statement = dense ? scan : (merged ?? scan)
        const end = statement === scan ? Math.min(bound, after + SCANNED_POSITIONS) : bound
        const result = page(statement.all(after, end, limit), limit, end, until)
        dense = result.events.length * 4 > result.position - after
        return result
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
