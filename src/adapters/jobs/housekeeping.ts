/**
 * House-keeping by the clock (node-cron). Each job is harmless when it is repeated and when another process does the same at
 * the same time: what they change is decided by the stores' own locks and compare-and-swaps, so they need no lease.
 */

import cron, { type ScheduledTask } from 'node-cron'
import { defined } from '../../domain/defined.ts'
import { wordsOf } from '../../domain/own-error.ts'
import { type Clock, waitAtMost } from '../../ports/clock.ts'

export type Job = {
  readonly name: string
  /** Five fields or six with seconds, in UTC. */
  readonly at: string
  /** What it did, in words for the log; undefined when there was nothing to do. Stops early when the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<string | undefined>
}

export type JobReport = {
  readonly name: string
  readonly done: number
  readonly failed: number
  /** Seconds since 1970; 0 before the first time. */
  readonly lastDone: number
  /** Why the last run failed, if it did. */
  readonly error?: string
}

export type Housekeeping = {
  reports(): readonly JobReport[]
  /** Runs a job now, or waits for the run that is under way. */
  runNow(name: string): Promise<void>
  /** Ends what runs at its next safe point, and leaves what an engine that is away keeps from coming to one. */
  close(): Promise<void>
}

/** What failed is tried again after so long, in milliseconds: twice as long each time, until it is done. */
const RETRY_FIRST_MS = 5_000
const RETRY_MOST_MS = 5 * 60_000
/** What runs at the end is waited for so long. */
const ENDING_MS = 500

type State = {
  done: number
  failed: number
  lastDone: number
  error: string | undefined
  /** Failures since it was done last. */
  inRow: number
  /** Ends the wait for the next try. */
  waiting: AbortController | undefined
}

export const openHousekeeping = (options: {
  readonly jobs: readonly Job[]
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly onDone: (job: string, what: string) => void
  readonly onError: (job: string, error: unknown) => void
}): Housekeeping => {
  const { jobs, clock, onDone, onError } = options
  const ending = new AbortController()
  const states = new Map<string, State>(
    jobs.map(({ name }) => [name, { done: 0, failed: 0, lastDone: 0, error: undefined, inRow: 0, waiting: undefined }]),
  )
  const running = new Map<string, Promise<void>>()

  /** The clock alone would leave a fault of a moment standing for as long as a day. */
  const retry = (job: Job, state: State): void => {
    const waiting = new AbortController()
    const over = AbortSignal.any([waiting.signal, ending.signal])
    state.waiting = waiting
    state.inRow += 1
    void clock.sleep(Math.min(RETRY_FIRST_MS * 2 ** (state.inRow - 1), RETRY_MOST_MS), over).then(() => {
      if (!over.aborted) return run(job)
    })
  }
  const work = async (job: Job, state: State): Promise<void> => {
    state.waiting?.abort()
    try {
      const what = await job.run(ending.signal)
      state.done += 1
      state.lastDone = clock.now().getTime() / 1000
      state.error = undefined
      state.inRow = 0
      if (what !== undefined) onDone(job.name, what)
    } catch (error) {
      if (ending.signal.aborted) return
      state.failed += 1
      state.error = wordsOf(error)
      onError(job.name, error)
      retry(job, state)
    }
  }
  const run = (job: Job): Promise<void> => {
    const state = states.get(job.name)
    const known = running.get(job.name)
    if (known || !state || ending.signal.aborted) return known ?? Promise.resolve()
    const begun = work(job, state).finally(() => running.delete(job.name))
    running.set(job.name, begun)
    return begun
  }

  const quiet = (): void => undefined
  const tasks: readonly ScheduledTask[] = jobs.map(job =>
    cron.schedule(job.at, () => run(job), {
      name: job.name,
      timezone: 'UTC',
      noOverlap: true,
      suppressMissedWarning: true,
      unref: true,
      logger: { info: quiet, warn: quiet, debug: quiet, error: (_, error) => onError(job.name, error) },
    }),
  )
  return {
    reports: () =>
      jobs.map(({ name }) => {
        const { done = 0, failed = 0, lastDone = 0, error } = states.get(name) ?? {}
        return { name, done, failed, lastDone, ...defined({ error }) }
      }),
    runNow: async name => {
      const job = jobs.find(each => each.name === name)
      if (!job) throw new Error(`There is no job ${name}: there are ${jobs.map(each => each.name).join(', ')}.`)
      await run(job)
    },
    close: async () => {
      ending.abort()
      for (const task of tasks) await task.destroy()
      await waitAtMost(clock, ENDING_MS, Promise.all(running.values()))
    },
  }
}
