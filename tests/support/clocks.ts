/** Clocks for tests: one that runs faster than time, one that stands still until it is moved. */
import type { Clock } from '../../src/ports/clock.ts'

/** A clock on which seconds pass in milliseconds: waits of the program become short waits of the test. */
export const fastClock = (factor: number): Clock => ({
  now: () => new Date(performance.timeOrigin + performance.now() * factor),
  monotonic: () => performance.now() * factor,
  sleep: (ms, signal) => {
    if (signal?.aborted) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms / factor)
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
    return promise
  },
})

export type ManualClock = Clock & {
  /** Moves time, waking who has slept enough. */
  advance(ms: number): void
  readonly sleepers: number
}

export const manualClock = (start = 1_700_000_000_000): ManualClock => {
  let elapsed = 0
  const sleeping = new Set<{ readonly until: number; readonly wake: () => void }>()
  return {
    now: () => new Date(start + elapsed),
    monotonic: () => elapsed,
    sleep: (ms, signal) => {
      if (signal?.aborted) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      const sleeper = {
        until: elapsed + ms,
        wake: () => {
          sleeping.delete(sleeper)
          resolve()
        },
      }
      sleeping.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake, { once: true })
      return promise
    },
    advance: ms => {
      elapsed += ms
      for (const each of [...sleeping]) if (each.until <= elapsed) each.wake()
    },
    get sleepers() {
      return sleeping.size
    },
  }
}

/** Waits for a condition, looking again after everything that is due has run. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> => {
  const end = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
