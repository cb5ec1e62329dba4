/**
 * From a plan to a filter, a sort and a projection of MongoDB. Pure. A document is stored as
 * `{_id, p: position, c: checksum, l: 1, m: {members that may be asked for}, b: body as JSON text}`, a removed one as `{_id, p, c}`:
 * `l` leads every index, so that what was removed stands in none of the ranges that are read.
 */
import type { Document as Bson, Filter } from 'mongodb'
import { Long } from 'mongodb'
import { defined } from '../../../domain/defined.ts'
import type { Json, JsonObject } from '../../../domain/event.ts'
import { documentChecksum } from '../../../ports/checksum.ts'
import { type Ordered, ordered } from '../../../ports/conditions.ts'
import type { Condition, Index, Indexes, Plan } from '../../../ports/read-store.ts'
import { withPrefix } from '../../mongodb/client.ts'

/** `m`: texts, numbers, truths and lists of texts at the top of the body. */
export type Stored = {
  readonly _id: string
  readonly p: Long
  /** Over id, position and body. */
  readonly c?: number
  readonly l?: 1
  readonly m?: Readonly<Record<string, Json>>
  readonly b?: string
}

const isMember = (value: Json): boolean =>
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.every(each => typeof each === 'string'))

/** What conditions and orders look at. A name that MongoDB reads as a path or an operator cannot be asked for. */
export const membersOf = (body: JsonObject): Readonly<Record<string, Json>> => {
  const members = Object.entries(body).flatMap(([name, value]) =>
    value !== undefined && isMember(value) && !name.includes('.') && !name.startsWith('$') ? [[name, value]] : [],
  )
  return Object.fromEntries(members)
}

export const storedOf = (id: string, position: bigint, body: JsonObject): Stored => {
  const text = JSON.stringify(body)
  const p = Long.fromBigInt(position)
  return { _id: id, p, c: documentChecksum(id, position, text), l: 1, m: membersOf(body), b: text }
}

/** Of a removed document the position alone stays. */
export const tombstone = (id: string, position: bigint): Stored => ({
  _id: id,
  p: Long.fromBigInt(position),
  c: documentChecksum(id, position, null),
})

const pathOf = (member: string): string => `m.${member}`

/** The keys of an index as `createIndex` takes them. */
export const keysOf = (index: Index): Record<string, 1 | -1> => {
  const keys: Record<string, 1 | -1> = { l: 1 }
  for (const { member, descending } of index.on.map(ordered)) keys[pathOf(member)] = descending ? -1 : 1
  return { ...keys, _id: 1 }
}

/** The least number that a document can hold: MongoDB compares within one type, so "all numbers" is a range. */
const LEAST = -Number.MAX_VALUE

/** The values after this one in the order absent, numbers, texts; each a condition on one member. */
const beyond = (value: Json, descending: boolean): readonly Bson[] => {
  if (descending) {
    if (value === null) return []
    if (typeof value === 'number') return [{ $lt: value }, { $eq: null }]
    return [{ $lt: value }, { $gte: LEAST }, { $eq: null }]
  }
  if (value === null) return [{ $gte: LEAST }, { $gte: '' }]
  return typeof value === 'number' ? [{ $gt: value }, { $gte: '' }] : [{ $gt: value }]
}

/** What comes after a keyset: one alternative for each member at which it may differ first. */
const after = (order: readonly Ordered[], keyset: readonly Json[], backwards: boolean): Bson => {
  const alternatives: Bson[] = []
  const equal: Bson = {}
  for (const [at, { member, descending }] of order.entries()) {
    const value = keyset[at] ?? null
    for (const condition of beyond(value, descending !== backwards))
      alternatives.push({ ...equal, [pathOf(member)]: condition })
    equal[pathOf(member)] = value
  }
  alternatives.push({ ...equal, _id: backwards ? { $lt: keyset[order.length] } : { $gt: keyset[order.length] } })
  return { $or: alternatives }
}

const conditionOf = (condition: Condition): Bson => {
  switch (condition.op) {
    case 'eq':
      return { $eq: condition.value }
    case 'in':
      return { $in: [...new Set(condition.value)] }
    case 'any':
      return { $in: [...new Set(condition.value)] }
    case 'all':
      return { $all: [...condition.value] }
    case 'prefix':
      return withPrefix(condition.value)
    case 'range': {
      const { gte, gt, lte, lt } = condition
      const bounds = { $gte: gte, $gt: gt, $lte: lte, $lt: lt }
      return Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined))
    }
  }
}

/** The range of index entries that the plan's bounds cover, without what it is to go on after. */
const boundsOf = (plan: Plan): readonly Bson[] =>
  plan.bounds.map(condition => ({ [pathOf(condition.member)]: conditionOf(condition) }))

export type Found = {
  readonly filter: Filter<Stored>
  readonly sort: Record<string, 1 | -1>
  readonly hint: string
  readonly order: readonly Ordered[]
}

/** The entries of a plan in its order, after where it is to go on. */
export const entriesOf = (plan: Plan): Found => {
  const order = plan.order.map(ordered)
  const backwards = plan.backwards === true
  const sort: Record<string, 1 | -1> = {}
  for (const { member, descending } of order) sort[pathOf(member)] = descending !== backwards ? -1 : 1
  const parts = [...boundsOf(plan), ...(plan.after ? [after(order, plan.after, backwards)] : [])]
  return {
    filter: { l: 1, ...defined({ $and: parts.length > 0 ? [...parts] : undefined }) },
    sort: { ...sort, _id: backwards ? -1 : 1 },
    hint: plan.index.name,
    order,
  }
}

/** The same without a place to go on after: what is counted. */
export const countedOf = (plan: Plan): Pick<Found, 'filter' | 'hint'> => {
  const parts = boundsOf(plan)
  return { filter: { l: 1, ...defined({ $and: parts.length > 0 ? [...parts] : undefined }) }, hint: plan.index.name }
}

/** These members and nothing else; where they are all of the index, no document is read for them. */
export const projectionOf = (members: Iterable<string>): Record<string, 0 | 1> => {
  const fields: Record<string, 0 | 1> = { _id: 1 }
  for (const member of members) fields[pathOf(member)] = 1
  return fields
}

/** Members that indexes without terms hold: what `select` may be asked for. */
export const scalarsIn = (indexes: Indexes): ReadonlySet<string> =>
  new Set(indexes.filter(each => each.terms === undefined).flatMap(each => each.on.map(on => ordered(on).member)))
