/** Equality of JSON values. */
import { owned } from './owned.ts'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** The same value (RFC 8259): members in any order, since canonical JSON sorts them; an undefined member is absent. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => sameJson(each, b[i]))
  const members = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const member of members) if (!sameJson(owned(a, member), owned(b, member))) return false
  return true
}

/** Characters that the value takes as JSON; what JSON has no form for counts little. */
export const sizeOf = (value: unknown): number =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))?.length ?? 0
