/** A clock that stands still until it is told to go on: no test waits for real time. */
import type { Clock } from '../../src/ports/clock.ts'

export type FakeClock = Clock & {
  /** Moves both times forward and wakes those whose sleep has ended, in the order of their ends. */
  advance(ms: number): Promise<void>
  /** How many sleep now. */
  sleepers(): number
}

/** Lets what was woken run until it waits again. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>(resolve => setImmediate(resolve))
}

export const fakeClock = (start: Date = new Date('2026-01-01T00:00:00.000Z')): FakeClock => {
  let passed = 0
  const sleeping = new Set<{ readonly until: number; readonly wake: () => void }>()
  return {
    now: () => new Date(start.getTime() + passed),
    monotonic: () => passed,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) {
          resolve()
          return
        }
        const wake = (): void => {
          sleeping.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const sleeper = { until: passed + ms, wake }
        sleeping.add(sleeper)
        signal?.addEventListener('abort', wake)
      }),
    advance: async ms => {
      passed += ms
      for (const { until, wake } of [...sleeping].sort((a, b) => a.until - b.until)) if (until <= passed) wake()
      await settle()
    },
    sleepers: () => sleeping.size,
  }
}
