/**
 * Reads the events of some kinds, and believes no single place of the file for which these are: the kind stands in the event's row and in
 * the index of kinds, and a bit that is flipped in one of them would let a reader pass over the event. The table is gone through, the
 * index is asked how many it has of the same positions, and where they differ each event that one of them names is looked at.
 */
import type { LoggedEvent } from '../../../ports/event-store.ts'
import type { Sqlite } from '../../sqlite/database.ts'
import { COLUMNS, damagedEvent, type EventRow } from './row.ts'
import { rowsOf } from './rows.ts'
import { whole } from './streams.ts'

/** Positions that are gone through for one page, and of which it is remembered which kinds they have. */
const BLOCK_POSITIONS = 4_096
/** A page passes over so many blocks that have nothing for it; so many of them may be gone through first, some 2 ms each. */
const MOST_PASSED = 1_024
const MOST_LEARNED = 4

/** `number`: of the block, whose positions are those after `number` times `BLOCK_POSITIONS`. */
export type KindsOfBlocks = (number: number) => { readonly kinds: ReadonlySet<number>; readonly wasKnown: boolean }

/**
 * What the rows themselves say, remembered as long as the file is open: the log only grows, so that a block that is full stays as it is.
 * Kinds that are no number are -1.
 */
export const openKindsOfBlocks = (db: Sqlite): KindsOfBlocks => {
  const distinct = db.prepare<[number]>(
    `SELECT DISTINCT ${whole('kind')} FROM events NOT INDEXED WHERE position > ? AND position <= ?`,
  )
  const blocks = new Map<number, ReadonlySet<number>>()
  return number => {
    const known = blocks.get(number)
    if (known) return { kinds: known, wasKnown: true }
    const after = number * BLOCK_POSITIONS
    const kinds: ReadonlySet<number> = new Set(distinct.all(after, after + BLOCK_POSITIONS).flat())
    blocks.set(number, kinds)
    return { kinds, wasKnown: false }
  }
}

/** Kinds are numbers of the table of kinds. `others`: all of those that are not wanted; a row of no known kind is a damaged one. */
export type WantedKinds = { readonly wanted: readonly number[]; readonly others: readonly number[] }

export type FilteredPage = {
  readonly events: readonly LoggedEvent[]
  /** The last position that was considered. */
  readonly position: number
}

/** `limit`: events of the page. `until`: no position after the log's end. */
export type FilteredReader = (after: number, bound: { readonly until: number; readonly limit: number }) => FilteredPage

/** `logged`: the event of a row. */
export type FilteredDeps = {
  readonly db: Sqlite
  readonly blocks: KindsOfBlocks
  readonly logged: (row: EventRow) => LoggedEvent
}

export const openFiltered = ({ db, blocks, logged }: FilteredDeps, { wanted, others }: WantedKinds): FilteredReader => {
  const isWanted = new Set(wanted)
  const isOther = new Set(others)
  const range = 'position > ?1 AND position <= ?2'
  // The plus sign keeps the planner from the index; a damaged kind may be nothing at all.
  const scan = rowsOf(
    db,
    `SELECT ${COLUMNS} FROM events NOT INDEXED WHERE ${range} AND (+kind IN (${others.join(', ')})) IS NOT TRUE
     ORDER BY position LIMIT ?3`,
  )
  const ofIndex = `FROM events INDEXED BY events_kind WHERE kind IN (${wanted.join(', ')}) AND ${range}`
  const indexed = db.prepare<[count: number, sum: number]>(`SELECT count(*), total(position) ${ofIndex}`)
  const positions = db.prepare<[number]>(`SELECT position ${ofIndex} ORDER BY position LIMIT ?3`)
  const rowAt = rowsOf(db, `SELECT ${COLUMNS} FROM events NOT INDEXED WHERE position = ?`)

  const agrees = (rows: readonly EventRow[], after: number, position: number): boolean => {
    const [count, sum] = indexed.get(after, position) ?? [0, 0]
    return count === rows.length && sum === rows.reduce((total, row) => total + row[0], 0)
  }

  /** Each event that one of the two names: a sound one says itself whether it is wanted. */
  const examined = (after: number, until: number, limit: number): FilteredPage => {
    const scanned = scan.all(after, until, limit)
    const named = positions.all(after, until, limit)
    const last = (found: readonly (readonly [number, ...unknown[]])[]): number =>
      found.length < limit ? until : (found.at(-1)?.[0] ?? until)
    const position = Math.min(last(scanned), last(named))
    const events = new Map<number, LoggedEvent>()
    for (const row of scanned) if (row[0] > after && row[0] <= position) events.set(row[0], logged(row))
    for (const [at] of named) {
      // What leads out of the range is damaged itself, and no way to anything.
      if (at <= after || at > position || events.has(at)) continue
      const [row] = rowAt.all(at)
      const event = row ? logged(row) : damagedEvent([at], '')
      if (event.damaged || (row && isWanted.has(row[2]))) events.set(at, event)
    }
    return { events: [...events].sort(([a], [b]) => a - b).map(([, event]) => event), position }
  }

  const endOf = (block: number): number => (block + 1) * BLOCK_POSITIONS
  /** The end of the blocks from `after` on that have nothing wanted, going by their rows. */
  const passedOver = (after: number, until: number): number => {
    let from = after
    let learned = 0
    for (let passed = 0; passed < MOST_PASSED && learned < MOST_LEARNED && from < until; passed += 1) {
      const block = Math.floor(from / BLOCK_POSITIONS)
      // What is not full yet may get another kind.
      if (endOf(block) > until) return from
      const { kinds, wasKnown } = blocks(block)
      if (!wasKnown) learned += 1
      for (const kind of kinds) if (!isOther.has(kind)) return from
      from = endOf(block)
    }
    return from
  }

  let dense = false
  return (after, { until, limit }) => {
    // Where most blocks have some it is not worth asking.
    const from = dense ? after : passedOver(after, until)
    const end = Math.min(until, endOf(Math.floor(from / BLOCK_POSITIONS)))
    const read = (): { rows: readonly EventRow[]; position: number } => {
      if (from > after && from === until) return { rows: [], position: from }
      const rows = scan.all(from, end, limit)
      return { rows, position: rows.length < limit ? end : (rows.at(-1)?.[0] ?? end) }
    }
    const { rows, position } = read()
    dense = rows.length * 4 > position - after
    return agrees(rows, after, position) ? { events: rows.map(logged), position } : examined(after, position, limit)
  }
}
