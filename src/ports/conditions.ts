/**
 * What the read store's conditions and orders mean, as pure functions: the reference that every adapter agrees with.
 * Texts compare by code point (as UTF-8 bytes do), numbers by size, numbers before texts, absent (or null) before both.
 */
import type { Json, JsonObject } from '../domain/event.ts'
import type { Condition, Index, Indexes, Query } from './read-store.ts'

/** A member of an order or index without its sign, and whether it descends. */
export type Ordered = { readonly member: string; readonly descending: boolean }

export const ordered = (signed: string): Ordered =>
  signed.startsWith('-') ? { member: signed.slice(1), descending: true } : { member: signed, descending: false }

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff

/** By code point: UTF-16 order differs from it where a surrogate meets U+E000..U+FFFF. */
export const compareText = (a: string, b: string): number => {
  if (a === b) return 0
  const shorter = Math.min(a.length, b.length)
  for (let at = 0; at < shorter; at += 1) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x === y) continue
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? (y >= 0xe000 ? 1 : x - y) : x >= 0xe000 ? -1 : x - y
    return x - y
  }
  return a.length - b.length
}

const rankOf = (value: Json | undefined): number =>
  value === undefined || value === null ? 0 : typeof value === 'number' ? 1 : typeof value === 'string' ? 2 : 3

/** The order of scalars: absent, numbers, texts. */
export const compareScalars = (a: Json | undefined, b: Json | undefined): number => {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return rankOf(a) - rankOf(b)
}

const sameScalar = (a: Json | undefined, b: Json | undefined): boolean => (a ?? null) === (b ?? null)

const inRange = (value: Json | undefined, range: Extract<Condition, { op: 'range' }>): boolean => {
  // Like is compared with like: a number is in no range of texts, an absent member in none at all.
  const within = (bound: Json | undefined, holds: (order: number) => boolean): boolean =>
    bound === undefined || (rankOf(bound) === rankOf(value) && holds(compareScalars(value, bound)))
  if (rankOf(value) !== 1 && rankOf(value) !== 2) return false
  return (
    within(range.gte, order => order >= 0) &&
    within(range.gt, order => order > 0) &&
    within(range.lte, order => order <= 0) &&
    within(range.lt, order => order < 0)
  )
}

/** The texts of an array member; anything else has none. */
export const termsOf = (body: JsonObject, member: string): readonly string[] => {
  const value = body[member]
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

export const matches = (body: JsonObject, condition: Condition): boolean => {
  const value = body[condition.member]
  switch (condition.op) {
    case 'eq':
      return sameScalar(value, condition.value)
    case 'in':
      return condition.value.some(each => sameScalar(value, each))
    case 'range':
      return inRange(value, condition)
    case 'prefix':
      return typeof value === 'string' && value.startsWith(condition.value)
    case 'all': {
      const terms = termsOf(body, condition.member)
      return condition.value.every(each => terms.includes(each))
    }
    case 'any': {
      const terms = termsOf(body, condition.member)
      return condition.value.some(each => terms.includes(each))
    }
  }
}

/** The values that place a document in an order: what `Query.after` and `Page.next` hold. */
export const keysetOf = (order: readonly string[], id: string, body: JsonObject): readonly Json[] => [
  ...order.map(each => body[ordered(each).member] ?? null),
  id,
]

export const compareKeysets = (order: readonly string[], a: readonly Json[], b: readonly Json[]): number => {
  for (let at = 0; at < order.length; at += 1) {
    const difference = compareScalars(a[at], b[at])
    if (difference !== 0) return order[at]?.startsWith('-') ? -difference : difference
  }
  return compareScalars(a[order.length], b[order.length])
}

/** The scalar members of an index, in order, without its terms. */
export const scalarsOf = (index: Index): readonly Ordered[] =>
  index.on.map(ordered).filter(each => each.member !== index.terms)

const scalarFault = (value: Json | undefined): string | undefined => {
  if (value === undefined || value === null || typeof value === 'string') return undefined
  // The smallest safe integer stands for "absent" in an adapter.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value !== Number.MIN_SAFE_INTEGER) return undefined
  return 'is neither text, a safe integer nor absent'
}

/** Why a document cannot stand in the indexes, or undefined when it can: checked as it is folded, not as it is written. */
export const indexFault = (indexes: Indexes, body: JsonObject): string | undefined => {
  for (const index of indexes) {
    for (const { member } of scalarsOf(index)) {
      const fault = scalarFault(body[member])
      if (fault) return `member ${member} of index ${index.name} ${fault}`
    }
    if (index.terms === undefined) continue
    const terms = body[index.terms]
    if (terms === undefined || terms === null) continue
    if (!Array.isArray(terms) || terms.some(each => typeof each !== 'string'))
      return `member ${index.terms} of index ${index.name} is not an array of texts`
  }
  return undefined
}

/** The order with the id, for people. */
export const describeOrder = (query: Pick<Query, 'order'>): string => [...query.order, 'id'].join(', ')

/** The first text after every text that begins with the prefix; none after U+10FFFF. */
export const afterPrefix = (prefix: string): string | undefined => {
  const points = [...prefix].map(each => each.codePointAt(0) ?? 0)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
}
