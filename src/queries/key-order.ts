/** The order of what an index answers, for what is sorted in memory. */
import type { Json } from '../domain/event.ts'

export const compareKeys = (a: readonly Json[], b: readonly Json[]): number => {
  for (const [i, value] of a.entries()) {
    const other = b[i]
    if (typeof value === 'number' && typeof other === 'number' && value !== other) return value - other
    if (typeof value === 'string' && typeof other === 'string' && value !== other) return value < other ? -1 : 1
  }
  return 0
}
