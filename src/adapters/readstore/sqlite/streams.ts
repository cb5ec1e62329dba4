/** Index entries in order: one stream for each alternative of a plan, read in chunks, and their merge. */
import type { Json } from '../../../domain/event.ts'
import { compareScalars } from '../../../ports/conditions.ts'
import type { SqlValue, Statement } from '../../sqlite/database.ts'
import { isUuid, ordOf } from './layout.ts'
import { type Piece, type Place, piecesAfter, placeOf } from './ranges.ts'
import { type Branch, type Source, sqlOf } from './source.ts'

/** `ok`: the conditions that SQL checks hold. `id` is filled in when it is needed. */
export type Entry = {
  readonly values: readonly (string | number)[]
  readonly ord: string | number
  readonly doc: number
  readonly ok: boolean
  /** The members asked for, as they are stored. */
  readonly members: readonly SqlValue[]
  id: string | undefined
}

export type Db = {
  statement<Row extends readonly SqlValue[]>(sql: string): Statement<Row>
  idOf(doc: number): string
}

const scalar = (value: SqlValue | undefined): string | number =>
  typeof value === 'string' || typeof value === 'number' ? value : Number(value)

const none: readonly SqlValue[] = []

const entryOf = (source: Source, row: readonly SqlValue[]): Entry => {
  const depth = source.order.length
  const ord = scalar(row[depth])
  return {
    values: row.slice(0, depth).map(scalar),
    ord,
    doc: Number(row[depth + 1]),
    ok: row[depth + 2] === 1,
    members: source.columns.length > 0 ? row.slice(depth + 3) : none,
    id: typeof ord === 'string' ? ord : undefined,
  }
}

const samePlace = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a !== undefined && b !== undefined && a.ord === b.ord && a.values.every((value, at) => value === b.values[at])

const identified = (db: Db, entry: Entry): string => {
  entry.id ??= db.idOf(entry.doc)
  return entry.id
}

/** Puts documents of one place in the order of their ids. */
const untie = (db: Db, source: Source, entries: readonly Entry[]): readonly Entry[] => {
  const sorted = [...entries]
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1
    while (samePlace(sorted[from], sorted[to])) to += 1
    if (to - from > 1) {
      const group = sorted.slice(from, to).sort((a, b) => compareIds(db, source, a, b))
      sorted.splice(from, to - from, ...group)
    }
    from = to
  }
  return sorted
}

const compareIds = (db: Db, { backwards }: Source, a: Entry, b: Entry): number =>
  compareScalars(identified(db, a), identified(db, b)) * (backwards ? -1 : 1)

type Chunk = { readonly entries: readonly Entry[]; readonly full: boolean }

/** Whole places only: the last one of a full chunk may go on, so it waits for the next. Undefined when there is but one. */
const wholeOf = (db: Db, source: Source, entries: readonly Entry[], limit: number): Chunk | undefined => {
  const full = entries.length === limit
  if (!source.ties) return { entries, full }
  if (!full) return { entries: untie(db, source, entries), full }
  const last = entries.at(-1)
  const whole = entries.findIndex(each => samePlace(each, last))
  return whole > 0 ? { entries: untie(db, source, entries.slice(0, whole)), full } : undefined
}

const chunkOf = (db: Db, source: Source, branch: Branch, piece: Piece, size: number): Chunk => {
  for (let limit = size; ; limit *= 2) {
    const sql = sqlOf(source, piece, 'LIMIT ?')
    const rows = db.statement(sql).all(...source.flag.values, ...branch, ...piece.values, limit)
    const chunk = wholeOf(
      db,
      source,
      rows.map(row => entryOf(source, row)),
      limit,
    )
    if (chunk) return chunk
  }
}

/** The first chunks of all branches by one statement: most alternatives of a misspelling have no entry at all. */
const firstChunks = (db: Db, source: Source, size: number): readonly (Chunk | undefined)[] => {
  const [piece] = source.interval ? piecesAfter(source.order, source.ord, source.interval, undefined) : []
  if (!piece) return []
  const one = `SELECT * FROM (${sqlOf(source, piece, 'LIMIT ?')})`
  const sql = source.branches.map((_, at) => one.replace('SELECT *', `SELECT ${at}, *`)).join(' UNION ALL ')
  const values = source.branches.flatMap(branch => [...source.flag.values, ...branch, ...piece.values, size])
  const found = source.branches.map((): Entry[] => [])
  for (const [at, ...row] of db.statement(sql).all(...values)) found[Number(at)]?.push(entryOf(source, row))
  return found.map(entries => wholeOf(db, source, entries, size))
}

/** One branch in order. The first chunk is small when the caller wants few, or was read already. */
export function* streamOf(
  db: Db,
  source: Source,
  branch: Branch,
  after: readonly Json[] | undefined,
  firstChunk: number,
  known?: Chunk,
): Generator<Entry, void> {
  if (!source.interval) return
  const id = after?.at(-1)
  let place: Place | undefined
  if (after && typeof id === 'string') {
    // In a collection of UUIDs any other id stands nowhere; the place before it is found by its own text.
    const ord = source.ties && isUuid(id) ? ordOf(id, true) : id
    place = placeOf(after, ord)
    if (source.ties) {
      const sql = [...source.order.map(each => `${each.column} = ?`), `${source.ord} = ?`]
      const tied = db
        .statement(sqlOf(source, { sql, values: [] }, ''))
        .all(...source.flag.values, ...branch, ...place.values, place.ord)
        .map(row => entryOf(source, row))
        .filter(each => compareScalars(identified(db, each), id) * (source.backwards ? -1 : 1) > 0)
      yield* untie(db, source, tied)
    }
  }
  if (known) {
    yield* known.entries
    const last = known.full ? known.entries.at(-1) : undefined
    if (!last) return
    place = { values: last.values, ord: last.ord }
  }
  for (let size = firstChunk; ; size = Math.min(size * 4, 1024)) {
    let more: Entry | undefined
    for (const piece of piecesAfter(source.order, source.ord, source.interval, place, source.backwards)) {
      const { entries, full } = chunkOf(db, source, branch, piece, size)
      yield* entries
      more = full ? entries.at(-1) : undefined
      if (more) break
    }
    if (!more) return
    place = { values: more.values, ord: more.ord }
  }
}

export const compareEntries = (db: Db, source: Source, a: Entry, b: Entry): number => {
  for (let at = 0; at < source.order.length; at += 1) {
    const difference = compareScalars(a.values[at], b.values[at])
    if (difference !== 0) return source.order[at]?.descending ? -difference : difference
  }
  const difference = compareScalars(a.ord, b.ord)
  if (difference !== 0 || a.doc === b.doc) return source.backwards ? -difference : difference
  return compareIds(db, source, a, b)
}

type Head = { entry: Entry; readonly rest: Generator<Entry, void> }

const sink = (heap: Head[], from: number, before: (a: Entry, b: Entry) => boolean): void => {
  for (let at = from; ; ) {
    const left = 2 * at + 1
    const top = heap[at]
    const [l, r] = [heap[left], heap[left + 1]]
    if (!top || !l) return
    const [least, child] = r && before(r.entry, l.entry) ? [left + 1, r] : [left, l]
    if (!before(child.entry, top.entry)) return
    heap[at] = child
    heap[least] = top
    at = least
  }
}

/** The streams of all branches in one order. An entry of a document that several branches hold comes once from each. */
export function* merged(
  db: Db,
  source: Source,
  after: readonly Json[] | undefined,
  firstChunk: number,
): Generator<Entry, void> {
  const [only] = source.branches
  if (source.branches.length === 1 && only) return yield* streamOf(db, source, only, after, firstChunk)
  const before = (a: Entry, b: Entry): boolean => compareEntries(db, source, a, b) < 0
  const heap: Head[] = []
  const first = after ? [] : firstChunks(db, source, firstChunk)
  for (const [at, branch] of source.branches.entries()) {
    const known = first[at]
    if (known?.entries.length === 0) continue
    const rest = streamOf(db, source, branch, after, firstChunk, known)
    const next = rest.next()
    if (!next.done) heap.push({ entry: next.value, rest })
  }
  for (let at = Math.floor(heap.length / 2) - 1; at >= 0; at -= 1) sink(heap, at, before)
  for (let top = heap[0]; top; top = heap[0]) {
    yield top.entry
    const next = top.rest.next()
    if (next.done) {
      const last = heap.pop()
      if (last && last !== top) heap[0] = last
    } else top.entry = next.value
    sink(heap, 0, before)
  }
}
