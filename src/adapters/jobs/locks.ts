/**
 * What a node holds. agenda renews no lock by itself and writes what becomes of a job without asking whether it still has it:
 * a node that slept through its lock would undo what another one has done meanwhile. So locks are kept here: taken by this
 * node's clock, renewed while the work goes on, asked for at each write, and given back when the node closes.
 */

import type { JobParameters, JobRepository } from 'agenda'
import { defined } from '../../domain/defined.ts'
import { OwnError } from '../../domain/own-error.ts'
import type { Clock } from '../../ports/clock.ts'
import { TRIES } from '../../ports/jobs.ts'
import type { JobBackend, Lock } from './backend.ts'

/** A node that has died holds its jobs for so long, in milliseconds: clocks that are apart by less than this and two renewals harm nothing. */
export const LOCK_MS = 120_000
export const RENEW_MS = 30_000

/** Between two tries to write the end of a job, in milliseconds: twice as long each time. */
const AGAIN_FIRST_MS = 500
const AGAIN_LONGEST_MS = 5_000
/** A queue that closes waits for its engine for so long. */
const ANSWER_MS = 900

/** agenda compares it with the time by itself: never over, since it is seen to here. */
const NEVER_OVER = new Date(8.64e15)
const VANISHED = 'the node that did it has ended, or hung, in the middle of it'

/** Of one job, from the moment it was taken on. */
export type Hold = {
  readonly kind: string
  /** The lock, as it was written last; behind it those before, where no answer came of what was to replace them. */
  locks: readonly [Lock, ...Lock[]]
  /** It was done, or has failed, and that is still to be written. */
  ended: boolean
  /** How far this queue's clock is ahead of the one that agenda asks. */
  readonly aheadMs: number
  /** What is written last of it: one after the other, since each stands on the time that the one before it wrote. */
  written: Promise<void>
  /** Aborts when another node has the job, or may have it. */
  readonly lost: AbortController
  /** agenda's own copy of the job, from when it has begun. */
  job?: JobParameters
}

/** agenda copies every member of what it is given: ours goes with the job. */
type HeldJob = JobParameters & { readonly hold: Hold }
export const holdOf = (job: JobParameters): Hold => {
  const { hold } = job as Partial<HeldJob>
  if (!hold) throw new TypeError(`job ${job.name} was not taken by this queue`)
  return hold
}

const DATES = ['nextRunAt', 'lastRunAt', 'lastFinishedAt', 'failedAt'] as const

/** The job with its times by another clock. */
const shifted = <J extends JobParameters>(job: J, ms: number): J => {
  if (ms === 0) return job
  const times = DATES.flatMap(name => {
    const time = job[name]
    return time ? [[name, new Date(time.getTime() + ms)] as const] : []
  })
  return { ...job, ...Object.fromEntries(times) }
}
/** agenda has the system's clock, which is this one but for what passes between two looks. */
const SAME_MS = 50

export class LockLost extends OwnError {
  override readonly name = 'LockLost'
}

export type Locks = {
  /** agenda's repository, with what it takes and writes about jobs seen to. */
  readonly repository: JobRepository
  /** Is it ours still, as the engine says? */
  held(job: JobParameters): Promise<boolean>
  /** Renews it until the signal aborts. Where it cannot be renewed in time it counts as lost. */
  keep(job: JobParameters, done: AbortSignal): Promise<void>
  /** From here on nothing is taken. */
  rest(): void
  /** What was taken and is not done is free for others; those who do it are told. How many. */
  giveBack(): Promise<number>
}

export const openLocks = (options: {
  readonly backend: JobBackend
  readonly nodeId: string
  readonly clock: Clock
  readonly lockMs: number
  readonly renewMs: number
  readonly lookMs: number
  /** How many of a kind are held at a time, at most. */
  readonly mostOf: (kind: string) => number
  readonly onError: (error: unknown) => void
}): Locks => {
  const { backend, nodeId, clock, lockMs, renewMs, lookMs, mostOf, onError } = options
  const by = { lastModifiedBy: nodeId }
  const holds = new Set<Hold>()
  /** The last of each kind: they are taken one after the other, so that of two that are due the more urgent one is begun first. */
  const taking = new Map<string, Promise<unknown>>()
  const closing = new AbortController()
  let resting = false

  const lose = (hold: Hold): void => {
    holds.delete(hold)
    // agenda looks every now and then, and waits no longer for the end of one without a lock.
    delete hold.job?.lockedAt
    hold.lost.abort()
  }
  const saveLocked = async (job: JobParameters, locks: readonly Lock[]): Promise<boolean> => {
    for (const lock of locks) if (await backend.saveLocked(job, lock)) return true
    return false
  }
  /** Writes it, while it is ours: with a new time of its lock, or without one, which ends it. */
  const write = async (job: JobParameters, hold: Hold, lockedAt?: Date): Promise<void> => {
    const { hold: _, lockedAt: __, ...stored } = job as HeldJob
    if (!holds.has(hold)) throw new LockLost(`job ${job.name} is another node's`)
    const state = { ...shifted(stored, hold.aheadMs), ...defined({ lockedAt }) }
    const { locks } = hold
    // Where no answer comes it may be written all the same.
    const renewed: Lock | undefined = lockedAt && { ...locks[0], lockedAt }
    if (renewed) hold.locks = [renewed, ...locks]
    const saved = await saveLocked(state, locks)
    if (saved && renewed) hold.locks = [renewed]
    else if (saved) holds.delete(hold)
    else if (hold.locks.at(-1) === locks.at(-1)) {
      lose(hold)
      throw new LockLost(`job ${job.name} is another node's`)
    } else throw new OwnError(`the lock of job ${job.name} was taken anew while it was written`)
  }
  /** Until it is written, the lock is lost or the queue closes: what was done is not done again because an engine was away. */
  const finish = async (job: JobParameters, hold: Hold): Promise<void> => {
    hold.ended = true
    // agenda waits for no job that has none.
    job.lockedAt = NEVER_OVER
    const over = AbortSignal.any([hold.lost.signal, closing.signal])
    let renewed = clock.monotonic()
    try {
      for (let waitMs = AGAIN_FIRST_MS; ; waitMs = Math.min(waitMs * 2, AGAIN_LONGEST_MS)) {
        try {
          return await write(job, hold)
        } catch (error) {
          if (error instanceof LockLost || closing.signal.aborted) throw error
          if (waitMs === AGAIN_FIRST_MS) onError(error)
        }
        await clock.sleep(waitMs, over)
        if (over.aborted || clock.monotonic() - renewed < renewMs) continue
        await write(job, hold, clock.now()).then(
          () => {
            renewed = clock.monotonic()
          },
          () => undefined,
        )
      }
    } finally {
      delete job.lockedAt
    }
  }
  /** One after the other. */
  const inTurn = (hold: Hold, work: () => Promise<void>): Promise<void> => {
    const written = hold.written.then(work)
    hold.written = written.catch(() => undefined)
    return written
  }
  const save = (job: JobParameters): Promise<void> => {
    const hold = holdOf(job)
    hold.job = job
    const ends = job.lockedAt === undefined
    return inTurn(hold, () => (ends ? finish(job, hold) : write(job, hold, clock.now())))
  }
  const keep: Locks['keep'] = async (job, done) => {
    const hold = holdOf(job)
    const over = AbortSignal.any([done, hold.lost.signal])
    let renewed = clock.monotonic()
    for (;;) {
      await clock.sleep(renewMs, over)
      if (over.aborted) return
      try {
        await save(job)
        renewed = clock.monotonic()
      } catch (error) {
        if (error instanceof LockLost) return
        onError(error)
        if (clock.monotonic() - renewed >= lockMs - renewMs) return lose(hold)
      }
    }
  }

  const take = async (name: string): Promise<JobParameters | undefined> => {
    const at = clock.now()
    const until = new Date(at.getTime() + lookMs)
    const taken = await backend.repository.getNextJobToRun(name, until, new Date(at.getTime() - lockMs), at, by)
    const { _id: id, lockedAt } = taken ?? {}
    if (!taken || id === undefined || lockedAt === undefined) return undefined
    const lock: Lock = { id, owner: nodeId, lockedAt, due: taken.nextRunAt ?? lockedAt }
    // Its lock is over, and nobody else's: what became of it here is to be written still.
    const unwritten = [...holds].find(({ ended, locks }) => ended && String(locks[0].id) === String(id))
    if (unwritten) {
      unwritten.locks = [lock]
      return take(name)
    }
    const ahead = clock.now().getTime() - Date.now()
    const hold: Hold = {
      kind: name,
      locks: [lock],
      ended: false,
      aheadMs: Math.abs(ahead) < SAME_MS ? 0 : ahead,
      written: Promise.resolve(),
      lost: new AbortController(),
    }
    holds.add(hold)
    const handed = (job: JobParameters): JobParameters =>
      Object.assign(shifted(job, -hold.aheadMs), { lockedAt: NEVER_OVER, hold })
    if (taken.nextRunAt !== null) return handed(taken)
    // It had begun and never ended: that is a failure too, or what ends its process would be tried for ever.
    const failures = (taken.failCount ?? 0) + 1
    const failed = { ...taken, failCount: failures, failReason: VANISHED, failedAt: at }
    if (failures < TRIES) return handed(failed)
    const { lockedAt: _, ...parked } = failed
    await write(Object.assign(shifted({ ...parked, lastFinishedAt: at }, -hold.aheadMs), { hold }), hold)
    return take(name)
  }
  const free = async (all: readonly Hold[]): Promise<number> => {
    for (const hold of all) lose(hold)
    return all.length === 0 ? 0 : backend.giveBack(all.flatMap(({ locks }) => locks))
  }

  const own: Partial<JobRepository> = {
    getNextJobToRun: async name => {
      const before = taking.get(name)
      const taken = (async () => {
        await before
        // agenda counts before it asks, and begins with the one that was due first of all that it has: two looks at once
        // would hold more than may run, and the more urgent one among them would wait.
        const held = [...holds].filter(({ kind, ended }) => kind === name && !ended).length
        return resting || held >= mostOf(name) ? undefined : take(name)
      })()
      taking.set(
        name,
        taken.catch(() => undefined),
      )
      return taken
    },
    saveJobState: save,
    // agenda does not wait for it: what it throws would end the process.
    unlockJob: async job => void (await free([holdOf(job)]).catch(onError)),
    // It would free what another node has taken meanwhile; what is held is given back below.
    unlockJobs: async () => undefined,
  }
  return {
    // The others stay what they are, with the state that they stand on.
    repository: Object.assign(Object.create(backend.repository), own),
    held: async job => {
      const hold = holdOf(job)
      if (hold.lost.signal.aborted) return false
      const stored = await backend.repository.getJobById(String(hold.locks[0].id))
      return (
        !hold.lost.signal.aborted &&
        stored?.lastModifiedBy === nodeId &&
        hold.locks.some(({ lockedAt }) => stored.lockedAt?.getTime() === lockedAt.getTime())
      )
    },
    keep,
    rest: () => {
      resting = true
    },
    giveBack: async () => {
      resting = true
      closing.abort()
      const answered = new AbortController()
      // Those who do the jobs are let go of, whether the engine answers or not.
      void clock.sleep(ANSWER_MS, answered.signal).then(() => {
        for (const hold of holds) lose(hold)
      })
      try {
        await Promise.all(taking.values())
        const all = [...holds]
        await Promise.all(all.map(({ written }) => written))
        // What was done and could not be written is no other's to do: it is left to its lock.
        return await free(all.filter(hold => holds.has(hold) && !hold.ended))
      } finally {
        answered.abort()
      }
    },
  }
}
