/** How much memory a process may have: V8's heap limit, which follows --max-old-space-size and the machine, and the container's. */
import { totalmem } from 'node:os'
import process from 'node:process'
import { getHeapStatistics } from 'node:v8'

const MEGABYTE = 1024 * 1024
/** Of the least of the limits so much is for caches and buffers. */
const SHARE = 8
const LEAST = 16 * MEGABYTE
const MOST = 256 * MEGABYTE

/** Bytes for caches and buffers where nobody has said how many, by the limits in bytes that there are; 0 or undefined: none. */
export const memoryFor = (limits: readonly (number | undefined)[]): number => {
  const known = limits.filter(limit => limit !== undefined && limit > 0)
  return Math.max(LEAST, Math.min(MOST, Math.floor(Math.min(...known.map(Number)) / SHARE)))
}

/** The limits of this process; a runtime that does not tell one has none of it. */
export const memoryLimits = (): readonly (number | undefined)[] => {
  const { constrainedMemory }: { constrainedMemory?: () => number } = process
  return [getHeapStatistics().heap_size_limit, constrainedMemory?.(), totalmem()]
}
