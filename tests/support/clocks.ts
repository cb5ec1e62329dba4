/**
 * Clocks for tests. `fakeClock` stands still until the test moves it: for what is about time. `patientClock` goes on by
 * itself while nothing is under way: for what only waits in passing. `fastClock` is real time, some times as fast: for
 * what no test waits for. `runningClock` is real time that may be jumped ahead of: for whole programs.
 */
import type { Clock } from '../../src/ports/clock.ts'

/** A timer of Node is at once over when it is to take longer. */
const LONGEST_TIMER_MS = 2_147_483_647

/** For what goes by the system's own clock, as queues do. */
export const fromNow = (ms: number): Date => new Date(Date.now() + ms)

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

/** A clock that stands still until it is told to go on: no test waits for real time. */
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

/** The machine's own clock, or one that is so far ahead of it (below 0: behind): where an engine or a library looks at it too. */
export const realClock = (aheadMs = 0): Clock => ({
  ...fastClock(1),
  now: () => new Date(performance.timeOrigin + performance.now() + aheadMs),
})
/** A clock that goes on by itself, however slow the machine: nothing comes too late on it but what never comes. */
export type PatientClock = FakeClock & {
  /** Stands still until the work has settled. */
  during<T>(work: Promise<T>): Promise<T>
}

/** Goes on by a small step whenever someone sleeps and nothing is under way: a stall of the process is one step as well. */
export const patientClock = (stepMs: number = 40): PatientClock => {
  const clock = fakeClock()
  let underWay = 0
  let going = false
  const go = async (): Promise<void> => {
    while (clock.sleepers() > 0) {
      await new Promise(resolve => setTimeout(resolve, 1))
      await settle()
      if (underWay === 0) await clock.advance(stepMs)
    }
    going = false
  }
  return {
    ...clock,
    sleep: (ms, signal) => {
      const slept = clock.sleep(ms, signal)
      if (!going) {
        going = true
        void go()
      }
      return slept
    },
    during: async work => {
      underWay += 1
      try {
        return await work
      } finally {
        underWay -= 1
      }
    },
  }
}

/** Real time, which a test may jump ahead of: for a program in which much waits for much else, when what is about time is jumped over. */
export const runningClock = (): FakeClock => {
  let jumped = 0
  const sleeping = new Set<{ readonly until: number; readonly wake: () => void }>()
  const monotonic = (): number => performance.now() + jumped
  return {
    now: () => new Date(performance.timeOrigin + monotonic()),
    monotonic,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) {
          resolve()
          return
        }
        const wake = (): void => {
          clearTimeout(timer)
          sleeping.delete(sleeper)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, Math.min(ms, LONGEST_TIMER_MS))
        const sleeper = { until: monotonic() + ms, wake }
        sleeping.add(sleeper)
        signal?.addEventListener('abort', wake)
      }),
    advance: async ms => {
      jumped += ms
      for (const { until, wake } of [...sleeping].sort((a, b) => a.until - b.until)) if (until <= monotonic()) wake()
      await settle()
    },
    sleepers: () => sleeping.size,
  }
}

/** Lets real time pass: for a part that is played as slow, never for something else to have happened. */
export const elapse = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
