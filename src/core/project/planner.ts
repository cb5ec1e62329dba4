/**
 * The planner: binds a query to one declared index, or throws. Pure, and the same for every engine, which is told to use
 * that index and no other: a query that would scan fails in the first test that runs it.
 *
 * An index answers a query when equalities cover its first members, its other members are exactly the order, and it
 * supplies one equality or range at least (a query without conditions takes an index whole, in its order). An index on
 * terms needs a condition on them: a document without terms is not in it.
 */

import { defined } from '../../domain/defined.ts'
import { OwnError } from '../../domain/own-error.ts'
import { describeOrder, type Ordered, ordered } from '../../ports/conditions.ts'
import type { Condition, Index, Indexes, Plan, Query } from '../../ports/read-store.ts'

/** Index entries examined before a page returns short, where the query declares no other bound. */
export const EXAMINE = 2_000
/** What a query may declare at most. */
export const MOST_EXAMINED = 10_000
/** Alternatives (`in`, `any`) that one query may combine: each is a range of its own. */
export const MAX_BRANCHES = 256

const symbols = { eq: '=', in: 'in', range: 'range', prefix: 'prefix', all: 'all', any: 'any' } as const

/** The query without its values. */
export const shapeOf = (query: Pick<Query, 'where' | 'order'>): string =>
  `where ${query.where.map(each => `${each.member} ${symbols[each.op]}`).join(' and ') || 'nothing'} order by ${describeOrder(query)}`

/** A programming error, found by the first run of the query: declare an index for this shape. */
export class NoIndexError extends OwnError {
  override readonly name = 'NoIndexError'
  readonly shape: string
  constructor(query: Query, indexes: Indexes) {
    const declared = indexes.map(each => `${each.name} (${each.on.join(', ')})`).join('; ') || 'none'
    super(`no declared index answers ${shapeOf(query)}; declared: ${declared}`)
    this.shape = shapeOf(query)
  }
}

type Candidate = { readonly index: Index; readonly bounds: readonly Condition[]; readonly branches: number }

const branchesOf = (condition: Condition): number =>
  condition.op === 'in' || condition.op === 'any' ? new Set(condition.value).size : 1

/** What answers the next member of an index by equality: one value, or a few that are merged. */
const equalityOn = (index: Index, member: string, where: readonly Condition[]): Condition | undefined => {
  if (member !== index.terms)
    return (
      where.find(each => each.member === member && each.op === 'eq') ??
      where.find(each => each.member === member && each.op === 'in')
    )
  const all = where.find(each => each.member === member && each.op === 'all' && each.value.length > 0)
  return all ?? where.find(each => each.member === member && each.op === 'any')
}

const sameOrder = (a: readonly Ordered[], b: readonly Ordered[]): boolean =>
  a.length === b.length && a.every((each, at) => each.member === b[at]?.member && each.descending === b[at]?.descending)

const candidate = (index: Index, query: Query): Candidate | undefined => {
  const members = index.on.map(ordered)
  const order = query.order.map(ordered)
  const equalities = members.slice(0, members.length - order.length)
  if (equalities.length + order.length !== members.length) return undefined
  if (!sameOrder(members.slice(equalities.length), order)) return undefined
  // What stands behind the terms can only be an order: an equality there is a range of one value.
  if (index.terms !== undefined && equalities.at(-1)?.member !== index.terms) return undefined
  const bounds: Condition[] = []
  for (const { member } of equalities) {
    const equality = equalityOn(index, member, query.where)
    if (!equality) return undefined
    bounds.push(equality)
  }
  const branches = bounds.reduce((product, each) => product * branchesOf(each), 1)
  const first = order[0]
  const range = first && query.where.find(each => each.member === first.member && isRange(each))
  if (range) bounds.push(range)
  return bounds.length > 0 || query.where.length === 0 ? { index, bounds, branches } : undefined
}

const isRange = (condition: Condition): boolean => condition.op === 'range' || condition.op === 'prefix'

const better = (a: Candidate, b: Candidate): Candidate => {
  if (a.index.narrow !== b.index.narrow) return a.index.narrow ? a : b
  if (a.bounds.length !== b.bounds.length) return a.bounds.length > b.bounds.length ? a : b
  return b.branches < a.branches ? b : a
}

/** The part of a bound that the index leaves unanswered: of `all`, every value after the one that drives. */
const leftover = (bound: Condition): readonly Condition[] =>
  bound.op === 'all' && bound.value.length > 1 ? [{ member: bound.member, op: 'all', value: bound.value.slice(1) }] : []

const bound = (condition: Condition): Condition =>
  condition.op === 'all' ? { ...condition, value: condition.value.slice(0, 1) } : condition

/**
 * Binds the query. Of `all` the first value drives: put the rarest first, which changes the cost and never the result.
 * @throws {NoIndexError} when no index answers the shape. @throws {RangeError} on a limit or cursor that fits no query.
 */
export const plan = (query: Query, indexes: Indexes): Plan => {
  if (!Number.isSafeInteger(query.limit) || query.limit < 1) throw new RangeError(`limit ${query.limit}: at least 1`)
  if (query.after && query.after.length !== query.order.length + 1)
    throw new RangeError(
      `after has ${query.after.length} values where ${describeOrder(query)} needs as many as it names`,
    )
  const { examine = EXAMINE } = query
  if (!Number.isSafeInteger(examine) || examine < 1 || examine > MOST_EXAMINED)
    throw new RangeError(`a page examines 1 to ${MOST_EXAMINED} index entries, not ${examine}`)
  const isAsked = ({ bounds }: Candidate): boolean =>
    query.by === undefined || bounds.some(each => each.member === query.by)
  const candidates = indexes.flatMap(index => candidate(index, query) ?? []).filter(isAsked)
  const [first, ...others] = candidates
  if (!first) throw new NoIndexError(query, indexes)
  const chosen = others.reduce(better, first)
  if (chosen.branches > MAX_BRANCHES)
    throw new RangeError(`${shapeOf(query)} combines ${chosen.branches} alternatives; ${MAX_BRANCHES} at most`)
  const taken = new Set(chosen.bounds)
  return {
    index: chosen.index,
    bounds: chosen.bounds.map(bound),
    residual: [...chosen.bounds.flatMap(leftover), ...query.where.filter(each => !taken.has(each))],
    order: query.order,
    ...defined({ backwards: query.backwards ? true : undefined }),
    ...defined({ after: query.after }),
    limit: query.limit,
    examine,
  }
}
