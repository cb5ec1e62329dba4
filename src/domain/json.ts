/** JSON values: what kind one is, whether two are the same, and how pointers name their members. */
import type { JsonObject } from './event.ts'
import { owned } from './owned.ts'

/** An object or an array, of whatever it was made. */
export const isComposite = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** An object by members, and no array. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isComposite(value) && !Array.isArray(value)

/** The same of what is JSON: its members are JSON too. */
export const isJsonObject = (value: unknown): value is JsonObject => isObject(value)

/** The name of a member as it stands in a pointer (RFC 6901). */
export const pointerMember = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** The same value (RFC 8259): members in any order, since canonical JSON sorts them; an undefined member is absent. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (!isComposite(a) || !isComposite(b) || Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => sameJson(each, b[i]))
  const members = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const member of members) if (!sameJson(owned(a, member), owned(b, member))) return false
  return true
}

const bigintsAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** Characters that the value takes as JSON; what JSON has no form for counts little. */
export const sizeOf = (value: unknown): number => {
  try {
    return JSON.stringify(value)?.length ?? 0
  } catch {
    // By a function that is asked for each member it takes five times as long: only where there is a bigint, which is rare.
    return JSON.stringify(value, bigintsAsText)?.length ?? 0
  }
}
