/** The small records of a read store in memory, each of which a test may change. */
import type { ReadStore } from '../../src/ports/read-store.ts'

export type MemoryRecords = Pick<ReadStore, 'record' | 'swap'> & { readonly kept: Map<string, string> }

export const memoryRecords = (): MemoryRecords => {
  const kept = new Map<string, string>()
  return {
    kept,
    record: async name => kept.get(name),
    swap: async (name, expected, value) => {
      if (kept.get(name) !== expected) return false
      if (value === undefined) kept.delete(name)
      else kept.set(name, value)
      return true
    },
  }
}
