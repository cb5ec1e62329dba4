/** What of a pattern an index can be asked for. */
import { lettersOf } from '../domain/search/query.ts'
import { endsOf, letters } from '../domain/search/terms.ts'
import type { Condition } from '../ports/read-store.ts'

/** The literal text before the first wildcard. */
const literalPrefix = (key: string): string => key.split(/[*?]/, 1)[0] ?? ''
/** The literal text behind the last wildcard, backwards; an escaped letter stays whole. */
const reversedLiteral = (key: string): string => {
  const tail = key.split(/[*?]/).at(-1) ?? ''
  return (tail.match(/~[0-9a-f]{6}|[^~]/g) ?? []).toReversed().join('')
}

/**
 * What of a pattern an index answers, by its form alone, so that every page and every engine asks the same: the number of letters
 * where it is fixed, with the longer side that is written out; both ends where both are; else the one side that is.
 */
export const wildcardStep = (
  key: string,
): { readonly where: readonly Condition[]; readonly order: readonly string[] } => {
  const prefix = literalPrefix(key)
  const suffix = reversedLiteral(key)
  const begins: Condition = { member: 'key', op: 'prefix', value: prefix }
  const finishes: Condition = { member: 'reversed', op: 'prefix', value: suffix }
  if (!key.includes('*')) {
    const count: Condition = { member: 'letters', op: 'eq', value: lettersOf(key) }
    return suffix.length > prefix.length
      ? { where: [count, finishes], order: ['reversed'] }
      : { where: [count, begins], order: ['key'] }
  }
  if (prefix === '') return { where: [finishes], order: ['reversed'] }
  if (suffix === '') return { where: [begins], order: ['key', '-rank', 'sortKey'] }
  return { where: [{ member: 'ends', op: 'eq', value: endsOf(letters(key)) }, begins], order: ['key'] }
}
