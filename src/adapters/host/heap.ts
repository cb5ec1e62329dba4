/**
 * How V8 uses the memory that it may take. It sizes itself by the machine: on one of 24 GB half a gigabyte of what nobody holds any more
 * stands there before it looks, and none is given back. What a runtime does not offer stays as it is there.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Between two collections the heap grows by so much of what was alive at the last one, in percent; up to 400 by default. */
const GROWTH = 50

const isAsked = (flag: string): boolean => {
  try {
    setFlagsFromString(flag)
    return true
  } catch {
    // Not every runtime with this module lets itself be told.
    return false
  }
}

/** For all threads of the process, from here on: V8 asks at the end of each collection. */
export const growHeapSlowly = (): void => void isAsked(`--heap-growing-percent=${GROWTH}`)

/** Gives back what a long piece of work has left in this thread: some tenths of a second in which nothing else runs. */
export const collectHeap = (): void => {
  if (!isAsked('--expose-gc')) return
  const collect: unknown = runInNewContext('globalThis.gc')
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
