/** Ranges of stored values, and the pieces into which a keyset cuts an index so that each piece is one range of it. */

import { defined } from '../../../domain/defined.ts'
import type { Json } from '../../../domain/event.ts'
import { afterPrefix, compareScalars, type Ordered } from '../../../ports/conditions.ts'
import type { Condition } from '../../../ports/read-store.ts'
import type { SqlValue } from '../../sqlite/database.ts'
import { ABSENT, stored } from './layout.ts'

type Scalar = string | number
export type Bound = { readonly value: Scalar; readonly inclusive: boolean }
export type Interval = { readonly low?: Bound; readonly high?: Bound }

const tighter = (a: Bound | undefined, b: Bound | undefined, sign: 1 | -1): Bound | undefined => {
  if (!a || !b) return a ?? b
  const order = compareScalars(a.value, b.value) * sign
  if (order === 0) return a.inclusive ? b : a
  return order > 0 ? a : b
}

export const intersect = (a: Interval, b: Interval): Interval => {
  const low = tighter(a.low, b.low, 1)
  const high = tighter(a.high, b.high, -1)
  return defined({ low, high })
}

export const holds = (interval: Interval, value: Scalar): boolean => {
  const above = interval.low ? compareScalars(value, interval.low.value) : 1
  const below = interval.high ? compareScalars(value, interval.high.value) : -1
  return (
    (above > 0 || (above === 0 && interval.low?.inclusive === true)) &&
    (below < 0 || (below === 0 && interval.high?.inclusive === true))
  )
}

const bound = (value: Json | undefined, inclusive: boolean): Bound | undefined =>
  typeof value === 'string' || typeof value === 'number' ? { value, inclusive } : undefined

/** What a range or prefix covers; undefined when nothing at all can. Numbers and texts are never in one range. */
export const intervalOf = (condition: Condition): Interval | undefined => {
  if (condition.op === 'prefix') {
    const end = afterPrefix(condition.value)
    return {
      low: { value: condition.value, inclusive: true },
      ...defined({ high: end === undefined ? undefined : { value: end, inclusive: false } }),
    }
  }
  if (condition.op !== 'range') return {}
  const { gte, gt, lte, lt } = condition
  const given = [gte, gt, lte, lt].filter(each => each !== undefined)
  const numeric = given.every(each => typeof each === 'number')
  if (!numeric && !given.every(each => typeof each === 'string')) return undefined
  const type: Interval =
    given.length === 0
      ? { low: { value: ABSENT, inclusive: false } }
      : numeric
        ? { low: { value: ABSENT, inclusive: false }, high: { value: '', inclusive: false } }
        : { low: { value: '', inclusive: true } }
  return [bound(gte, true), bound(gt, false)]
    .map((low): Interval => (low ? { low } : {}))
    .concat([bound(lte, true), bound(lt, false)].map((high): Interval => (high ? { high } : {})))
    .reduce(intersect, type)
}

/** SQL for an interval over a column, with its values. */
export const intervalSql = (
  column: string,
  interval: Interval,
): { readonly sql: readonly string[]; readonly values: readonly SqlValue[] } => {
  const { low, high } = interval
  return {
    sql: [
      ...(low ? [`${column} ${low.inclusive ? '>=' : '>'} ?`] : []),
      ...(high ? [`${column} ${high.inclusive ? '<=' : '<'} ?`] : []),
    ],
    values: [...(low ? [low.value] : []), ...(high ? [high.value] : [])],
  }
}

/** A place in an index: the values of its order members, then the ord (a text is the id itself). */
export type Place = { readonly values: readonly Scalar[]; readonly ord: Scalar }

export type Piece = { readonly sql: readonly string[]; readonly values: readonly SqlValue[] }

/**
 * The rest of a range after a place, as pieces in order. `(a, b, id) > (x, y, z)` is: a = x, b = y, id > z; then a = x,
 * b > y; then a > x. Each is one range of the index whatever the directions, where the whole condition would be a scan.
 * `order` has the directions in which it is read; `backwards` turns that of the ids.
 */
export const piecesAfter = (
  order: readonly (Ordered & { readonly column: string })[],
  ordColumn: string,
  interval: Interval,
  after: Place | undefined,
  backwards = false,
): readonly Piece[] => {
  const [first] = order
  if (!after) return [first ? intervalSql(first.column, interval) : { sql: [], values: [] }]
  const pieces: Piece[] = []
  const head = after.values[0]
  const inside = head === undefined || holds(interval, head)
  for (let depth = order.length; depth >= 0; depth -= 1) {
    if (depth > 0 && !inside) continue
    const equal = order.slice(0, depth)
    const fixed = equal.map(each => `${each.column} = ?`)
    const values = after.values.slice(0, depth)
    const next = order[depth]
    if (!next) {
      pieces.push({ sql: [...fixed, `${ordColumn} ${backwards ? '<' : '>'} ?`], values: [...values, after.ord] })
      continue
    }
    const from: Bound = { value: after.values[depth] ?? ABSENT, inclusive: false }
    const beyond: Interval = next.descending ? { high: from } : { low: from }
    const range = intervalSql(next.column, depth === 0 ? intersect(interval, beyond) : beyond)
    pieces.push({ sql: [...fixed, ...range.sql], values: [...values, ...range.values] })
  }
  return pieces
}

export const placeOf = (keyset: readonly Json[], ord: Scalar): Place => ({
  values: keyset.slice(0, -1).map(stored),
  ord,
})
