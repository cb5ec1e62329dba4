/** The queue on agenda, whatever lies behind it. */

import { Agenda, type Job, type JobParameters } from 'agenda'
import { defined } from '../../domain/defined.ts'
import { OwnError, wordsOf } from '../../domain/own-error.ts'
import { type Clock, waitAtMost } from '../../ports/clock.ts'
import {
  type JobDetail,
  type JobFailure,
  type JobKind,
  type JobState,
  type Jobs,
  JobsError,
  type JobView,
  type NewJob,
  PermanentFailure,
  TRIES,
} from '../../ports/jobs.ts'
import { isOutage } from '../../ports/outage.ts'
import { type ConsumerStore, ReadStoreError } from '../../ports/read-store.ts'
import { isStored, type JobBackend, positionText, type Stored } from './backend.ts'
import { type NodeClocks, openNodeClocks } from './clocks.ts'
import { holdOf, LOCK_MS, openLocks, RENEW_MS } from './locks.ts'
import { openWaker } from './waker.ts'

/** Between two looks for what other nodes have added, or what has become due. */
const LOOK_MS = 1_000
/**
 * What runs when the queue closes may go on for so long; what is told to end then, for so long. What an engine that is away does
 * not let be given back, or closed, in so long each is left: to its lock, and to the end of the process.
 */
const FINISH_MS = 6_000
const END_MS = 1_000
const GIVE_BACK_MS = 1_000
const DISCONNECT_MS = 500
const JITTER = 0.2

const stateOf = ({ lockedAt, nextRunAt, failCount }: JobParameters): JobState => {
  if (lockedAt) return 'running'
  if (nextRunAt) return 'waiting'
  return (failCount ?? 0) > 0 ? 'parked' : 'done'
}

const viewOf = (job: JobParameters): JobView => {
  const { name: kind, data, failCount, nextRunAt, lastRunAt, lastFinishedAt, failReason } = job
  return {
    kind,
    key: isStored(data) ? data.key : '',
    state: stateOf(job),
    failures: failCount ?? 0,
    // Whatever its types say, agenda has null for some of them.
    ...defined({
      nextRunAt: nextRunAt ?? undefined,
      lastRunAt: lastRunAt ?? undefined,
      finishedAt: lastFinishedAt ?? undefined,
    }),
    ...defined({ reason: failReason !== undefined && (failCount ?? 0) > 0 ? failReason : undefined }),
  }
}

const detailOf = (job: JobParameters): JobDetail => ({
  ...viewOf(job),
  data: isStored(job.data) ? job.data.data : {},
  priority: job.priority,
  ...defined({ node: job.lastModifiedBy }),
})

const isLast = (attempt: number, error: Error): boolean =>
  error instanceof PermanentFailure || (attempt >= TRIES && !isOutage(error))

/**
 * Exponential, with jitter, so that what failed together does not come back together; null: no more. An engine of ours that is
 * away parks nothing: the work is not at fault.
 */
export const backoff =
  ({ firstMs, longestMs }: Pick<JobKind, 'firstMs' | 'longestMs'>, random: () => number) =>
  ({ attempt, error }: { readonly attempt: number; readonly error: Error }): number | null => {
    if (isLast(attempt, error)) return null
    const wait = Math.min(longestMs, firstMs * 2 ** (attempt - 1))
    return Math.round(wait * (1 + JITTER * (random() * 2 - 1)))
  }

/** A login that is masked already is followed by the host of an engine. */
const MASKED_LOGIN = '//***@'
/** A reason is kept with the job and shown: whatever somebody put into an error, no address goes with it. */
const shown = (error: unknown): Error => {
  const masked = wordsOf(error)
    .replace(/[^\s<>"',;:]+/g, word => (/.@./.test(word) && !word.startsWith(MASKED_LOGIN) ? '[address]' : word))
    .slice(0, 500)
  if (error instanceof PermanentFailure) return new PermanentFailure(masked, { cause: error })
  return new OwnError(masked, { cause: error })
}

export type QueueOptions = {
  readonly backend: JobBackend
  /** Names this node in the jobs that it holds. */
  readonly nodeId: string
  readonly clock: Clock
  readonly random: () => number
  /** Told of what goes wrong outside of a job: the engine is away. */
  readonly onError: (error: unknown) => void
  readonly lockMs?: number
  readonly renewMs?: number
  readonly lookMs?: number
}

const parametersOf = (
  { kind, key, data, priority = 0, runAt, position, parked, about }: NewJob,
  now: Date,
): JobParameters<Stored> => ({
  name: kind,
  type: 'normal',
  priority,
  data: { key, data, ...defined({ position: position === undefined ? undefined : positionText(position), about }) },
  nextRunAt: parked === undefined ? (runAt ?? now) : null,
  ...(parked !== undefined && { failCount: 1, failReason: parked, failedAt: now, lastFinishedAt: now }),
})

/** What runs now, and whoever waits until it is over. */
const openBusy = () => {
  const running = new Set<JobParameters>()
  let idle = Promise.withResolvers<void>()
  const over = (job: JobParameters): void => {
    running.delete(job)
    if (running.size === 0) idle.resolve()
  }
  return {
    begun: (job: JobParameters): void => {
      if (running.size === 0) idle = Promise.withResolvers<void>()
      running.add(job)
    },
    over,
    idle: (): Promise<void> => (running.size === 0 ? Promise.resolve() : idle.promise),
  }
}

/**
 * A checkpoint that is gone was lost with the jobs: whoever works on from it is told, rather than let to write another one as
 * if nothing had happened.
 */
const guarded = (consumers: ConsumerStore): ConsumerStore => {
  const written = new Set<string>()
  return {
    ...consumers,
    apply: async (collection, writes, checkpoint) => {
      const { consumer } = checkpoint
      if (written.has(consumer) && (await consumers.checkpoint(consumer)) === undefined) {
        written.delete(consumer)
        throw new ReadStoreError('unavailable', `${consumer}: its checkpoint is gone, and the jobs with it`)
      }
      await consumers.apply(collection, writes, checkpoint)
      written.add(consumer)
    },
  }
}

/** @throws {JobsError} unavailable, damaged. */
export const openQueue = async (options: QueueOptions): Promise<Jobs> => {
  const { backend, nodeId, clock, random, onError } = options
  const lookMs = options.lookMs ?? LOOK_MS
  const ending = new AbortController()
  let resting: Promise<void> | undefined
  let closing: Promise<void> | undefined

  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing) throw new JobsError('closed', 'the queue of jobs is closed')
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof JobsError) throw cause
      throw new JobsError('unavailable', `the queue of jobs does not answer: ${wordsOf(cause)}`, { cause })
    }
  }

  // Connected here: agenda would neither wait for it nor tell when it fails.
  await run(() => backend.connect())
  const lockMs = options.lockMs ?? LOCK_MS
  const renewMs = options.renewMs ?? Math.min(RENEW_MS, lockMs / 4)
  const most = new Map<string, number>()
  const mostOf = (kind: string): number => most.get(kind) ?? 0
  const locks = openLocks({ backend, nodeId, clock, lockMs, renewMs, lookMs, mostOf, onError })
  let clocks: NodeClocks | undefined
  const waker = openWaker()
  const busy = openBusy()
  const agenda = new Agenda({
    backend: {
      name: backend.name,
      repository: locks.repository,
      ownsConnection: false,
      connect: async () => undefined,
      disconnect: async () => undefined,
    },
    notificationChannel: waker.channel,
    name: nodeId,
    processEvery: lookMs,
    // Locks are seen to by `locks`; agenda looks after each run as often as this, with a timer that keeps a process alive.
    defaultLockLifetime: 1,
    logging: false,
    maxConcurrency: 100,
    removeOnComplete: false,
  })
  // What is said of a job that was lost says so already.
  agenda.on('error', error => void (/no lockedAt date found/.test(String(error)) || onError(error)))
  agenda.on('complete', (job: Job) => {
    busy.over(job.attrs)
    // agenda still counts it as held until it has returned.
    setImmediate(() => waker.wake(job.attrs.name))
  })
  await run(() => agenda.ready)

  /** It is not this node's to end any more: whoever takes it next decides. */
  const yielded = async (job: JobParameters): Promise<never> => {
    busy.over(job)
    const { lost } = holdOf(job)
    if (!lost.signal.aborted)
      await new Promise<void>(resolve => lost.signal.addEventListener('abort', () => resolve(), { once: true }))
    throw new OwnError('the node ended while it had the job')
  }
  const carryOut = (kind: JobKind, failed?: (failure: JobFailure) => void) => async (job: Job) => {
    const { attrs } = job
    busy.begun(attrs)
    if (resting !== undefined) return yielded(attrs)
    if (!isStored(attrs.data)) throw new PermanentFailure('the job does not say what it is about')
    const done = new AbortController()
    const keeping = locks.keep(attrs, done.signal)
    try {
      const { key, data } = attrs.data
      const signal = AbortSignal.any([ending.signal, holdOf(attrs).lost.signal])
      await kind.handle({ key, data, signal, held: () => locks.held(attrs) })
    } catch (error) {
      if (ending.signal.aborted && !(error instanceof PermanentFailure)) return yielded(attrs)
      const failure = shown(error)
      const { key } = attrs.data
      const failures = (attrs.failCount ?? 0) + 1
      failed?.({ kind: kind.name, key, failures, reason: failure.message, parked: isLast(failures, failure) })
      throw failure
    } finally {
      done.abort()
      await keeping
    }
  }

  /** Waits for it, or so long. */
  const within = (ms: number, work: Promise<unknown>): Promise<void> => waitAtMost(clock, ms, work.catch(onError))
  /** From the first call on: what runs may end by itself, then it is told to. */
  const rest = (): Promise<void> => {
    locks.rest()
    resting ??= (async () => {
      await within(FINISH_MS, busy.idle())
      ending.abort()
      await within(END_MS, busy.idle())
    })()
    return resting
  }
  const end = async (): Promise<void> => {
    await rest()
    await within(GIVE_BACK_MS, Promise.all([locks.giveBack(), clocks?.close()]))
    await within(DISCONNECT_MS, agenda.stop(false).then(backend.disconnect))
  }
  const addAll = (jobs: readonly NewJob[]): Promise<number> =>
    run(async () => {
      if (jobs.length === 0) return 0
      const added = await backend.addAll(jobs.map(job => parametersOf(job, clock.now())))
      if (added > 0) for (const kind of new Set(jobs.map(job => job.kind))) waker.wake(kind)
      return added
    })

  return {
    add: async job => (await addAll([job])) === 1,
    addAll,
    work: (kinds, failed) =>
      run(async () => {
        for (const kind of kinds) {
          const { name, concurrency } = kind
          most.set(name, concurrency)
          agenda.define(name, carryOut(kind, failed), {
            concurrency,
            lockLimit: concurrency,
            backoff: backoff(kind, random),
          })
        }
        clocks ??= openNodeClocks({ records: backend.consumers, clock, nodeId })
        await agenda.start()
      }),
    list: wanted => run(async () => (await backend.pick(wanted)).map(viewOf)),
    show: key => run(async () => (await backend.pick({ key, limit: 100 })).map(detailOf)),
    retry: key =>
      run(async () => {
        const retried = await backend.retry(key, clock.now())
        if (retried > 0) for (const name of Object.keys(agenda.definitions)) waker.wake(name)
        return retried
      }),
    drop: key => run(async () => (await backend.drop(key, clock.now())) > 0),
    purge: before => run(() => backend.forget(before)),
    forgetAbout: accountId => run(() => backend.forgetAbout(accountId)),
    counts: () => run(() => backend.counts()),
    firstPosition: kind =>
      run(async () => {
        const found = await backend.firstPosition(kind)
        return found === undefined ? undefined : BigInt(found)
      }),
    consumers: guarded(backend.consumers),
    clocksApart: () => clocks?.apart() ?? 0,
    rest: () => void rest(),
    close: () => {
      closing ??= end()
      return closing
    },
  }
}
