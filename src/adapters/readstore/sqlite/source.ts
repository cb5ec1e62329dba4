/** A plan as SQL: what is read for each alternative, and which of its conditions SQL can check. */
import type { Json } from '../../../domain/event.ts'
import type { Ordered } from '../../../ports/conditions.ts'
import type { Condition, Plan } from '../../../ports/read-store.ts'
import type { SqlValue } from '../../sqlite/database.ts'
import { columnOf, type IndexLayout, type Layout, stored, termPrefix } from './layout.ts'
import { type Interval, intervalOf, intervalSql, type Piece } from './ranges.ts'

type Column = Ordered & { readonly column: string }
/** One alternative: equalities on the first columns of the index. */
export type Branch = readonly SqlValue[]

export type Source = {
  readonly from: string
  readonly equalities: readonly string[]
  readonly branches: readonly Branch[]
  readonly order: readonly Column[]
  readonly ord: string
  readonly doc: string
  readonly interval: Interval | undefined
  /** Conditions that SQL answers for each entry; they filter nothing, so that what was examined is counted. */
  readonly flag: Piece
  /** Conditions left to be checked on the body. */
  readonly residual: readonly Condition[]
  /** Entries of one ord may be several documents, in the order of their ids. */
  readonly ties: boolean
  /** `order` has been turned already; this is for the ids. */
  readonly backwards: boolean
  /** Columns read besides: the members asked for. */
  readonly columns: readonly string[]
}

/** Values that one flag may list; more are checked on the body. */
const MAX_LISTED = 32

const alternatives = (condition: Condition): readonly Json[] => {
  switch (condition.op) {
    case 'eq':
      return [condition.value]
    case 'in':
    case 'any':
      return [...new Set(condition.value)]
    case 'all':
      return condition.value.slice(0, 1)
    default:
      return []
  }
}

const product = (lists: readonly (readonly Json[])[]): readonly (readonly Json[])[] =>
  lists.reduce<readonly (readonly Json[])[]>(
    (rows, list) => rows.flatMap(row => list.map(value => [...row, value])),
    [[]],
  )

const scalarFlag = (column: string, condition: Condition): Piece | undefined => {
  switch (condition.op) {
    case 'eq':
      return { sql: [`${column} = ?`], values: [stored(condition.value)] }
    case 'in':
      if (condition.value.length > MAX_LISTED) return undefined
      return { sql: [`${column} IN (${condition.value.map(() => '?')})`], values: condition.value.map(stored) }
    case 'range':
    case 'prefix': {
      const interval = intervalOf(condition)
      const piece = interval && intervalSql(column, interval)
      return piece ?? { sql: ['0'], values: [] }
    }
    default:
      return undefined
  }
}

const termFlag = (table: string, order: readonly Column[], prefix: string, condition: Condition): Piece | undefined => {
  if ((condition.op !== 'all' && condition.op !== 'any') || condition.value.length > MAX_LISTED) return undefined
  const same = [...order.map(each => each.column.slice(2)), 'ord', 'doc'].map(each => `x.${each} = s.${each}`)
  const one = `EXISTS (SELECT 1 FROM ${table} x WHERE x.term = ? AND ${same.join(' AND ')})`
  const each = condition.value.map(() => one).join(condition.op === 'all' ? ' AND ' : ' OR ')
  const empty = condition.op === 'all' ? '1' : '0'
  return { sql: [each === '' ? empty : `(${each})`], values: condition.value.map(value => prefix + value) }
}

const turned = (each: Ordered, backwards: boolean): Ordered => ({
  ...each,
  descending: each.descending !== backwards,
})

/** Translates a plan: what to read, and what of its residual conditions SQL can check. */
export const sourceOf = (
  layout: Layout,
  index: IndexLayout,
  uuids: boolean,
  plan: Plan,
  members: readonly string[] = [],
): Source => {
  const depth = plan.order.length
  const equalities = plan.bounds.filter(each => each.op !== 'range' && each.op !== 'prefix')
  const rows = product(equalities.map(alternatives))
  const range = plan.bounds.find(each => each.op === 'range' || each.op === 'prefix')
  const interval = range ? intervalOf(range) : {}
  const flags: Piece[] = []
  const residual: Condition[] = []
  const scalars = index.kind === 'scalar'
  const backwards = plan.backwards === true
  let joined = !scalars && members.length > 0
  const columns = members.map(each => {
    const column = columnOf(layout, each)
    if (column === undefined) throw new TypeError(`member ${each} stands in no index without terms`)
    return `${scalars ? 's' : 'd'}.${column}`
  })
  const order: readonly Column[] = scalars
    ? index.columns
        .slice(index.columns.length - depth)
        .map(each => ({ ...turned(each, backwards), column: `s.${columnOf(layout, each.member)}` }))
    : index.order.map((each, at) => ({ ...turned(each, backwards), column: `s.o${at}` }))
  // A condition on other terms of the same document needs all that stands before the term to be one and the same.
  const before = scalars ? [] : rows.map(row => termPrefix(row.slice(0, -1)))
  const prefix = before[0] ?? ''
  const oneBefore = before.every(each => each === prefix)

  for (const condition of plan.residual) {
    const column = columnOf(layout, condition.member)
    const scalar = column === undefined ? undefined : scalarFlag(`${scalars ? 's' : 'd'}.${column}`, condition)
    if (scalar) joined ||= !scalars
    const terms =
      !scalars && oneBefore && condition.member === index.terms
        ? termFlag(index.table, order, prefix, condition)
        : undefined
    const flag = scalar ?? terms
    if (flag) flags.push(flag)
    else residual.push(condition)
  }
  const flag: Piece = {
    sql: [flags.flatMap(each => each.sql).join(' AND ') || '1'],
    values: flags.flatMap(each => each.values),
  }
  const rest = { order, interval, flag, residual, doc: 's.doc', columns, backwards }
  if (index.kind === 'scalar') {
    const fixed = index.columns.slice(0, index.columns.length - depth)
    return {
      ...rest,
      // With no member of its own the index is that of the ids.
      from: `${layout.table} s INDEXED BY ${index.hint}`,
      equalities: ['s.body IS NOT NULL', ...fixed.map(each => `s.${columnOf(layout, each.member)} = ?`)],
      branches: rows.map(row => row.map(stored)),
      ord: 's.id',
      ties: false,
    }
  }
  return {
    ...rest,
    from: `${index.table} s${joined ? ` JOIN ${layout.table} d ON d.doc = s.doc` : ''}`,
    equalities: ['s.term = ?'],
    branches: rows.map((row, at) => [`${before[at]}${row.at(-1)}`]),
    ord: 's.ord',
    ties: uuids,
  }
}

/** One alternative in its order; `tail` ends the statement. */
export const sqlOf = (source: Source, piece: Piece, tail: string): string => {
  const columns = [
    ...source.order.map(each => each.column),
    source.ord,
    source.doc,
    source.flag.sql[0],
    ...source.columns,
  ]
  const where = [...source.equalities, ...piece.sql]
  const order = [...source.order.map(each => `${each.column}${each.descending ? ' DESC' : ''}`)]
  order.push(source.backwards ? `${source.ord} DESC` : source.ord)
  if (source.ties) order.push(source.backwards ? `${source.doc} DESC` : source.doc)
  return `SELECT ${columns.join(', ')} FROM ${source.from}${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''} ORDER BY ${order.join(', ')} ${tail}`
}

export const countSql = (source: Source, piece: Piece): string => {
  const where = [...source.equalities, ...piece.sql]
  return `SELECT count(*) FROM (SELECT 1 FROM ${source.from}${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''} LIMIT ?)`
}
