/** The queue on agenda, whatever lies behind it. */
import { Agenda, InMemoryNotificationChannel, type Job, type JobParameters } from 'agenda'
import type { JsonObject } from '../../domain/event.ts'
import { type JobKind, type JobState, type Jobs, JobsError, type JobView, PermanentFailure } from '../../ports/jobs.ts'
import type { JobBackend } from './backend.ts'

/** A node that has died holds its jobs for so long, in milliseconds. */
const LOCK_MS = 30_000
/** Between two looks for what is due. */
const LOOK_MS = 1_000
const CLOSING_MS = 5_000
const JITTER = 0.2

type Stored = { readonly key: string; readonly data: JsonObject }

const isStored = (data: unknown): data is Stored =>
  typeof data === 'object' && data !== null && 'key' in data && typeof data.key === 'string' && 'data' in data

const stateOf = ({ lockedAt, nextRunAt, failCount }: JobParameters): JobState => {
  if (lockedAt) return 'running'
  if (nextRunAt) return 'waiting'
  return (failCount ?? 0) > 0 ? 'parked' : 'done'
}

const viewOf = (job: JobParameters): JobView => {
  const { name: kind, data, failCount, nextRunAt, lastRunAt, lastFinishedAt, failReason } = job
  return {
    ...{ kind, key: isStored(data) ? data.key : '', state: stateOf(job), failures: failCount ?? 0 },
    ...(nextRunAt && { nextRunAt }),
    ...(lastRunAt && { lastRunAt }),
    ...(lastFinishedAt && { finishedAt: lastFinishedAt }),
    ...(failReason !== undefined && (failCount ?? 0) > 0 && { reason: failReason }),
  }
}

/** Exponential, with jitter, so that what failed together does not come back together; null: no more. */
export const backoff =
  ({ tries, firstMs, longestMs }: Pick<JobKind, 'tries' | 'firstMs' | 'longestMs'>, random: () => number) =>
  ({ attempt, error }: { readonly attempt: number; readonly error: Error }): number | null => {
    if (error instanceof PermanentFailure || attempt >= tries) return null
    const wait = Math.min(longestMs, firstMs * 2 ** (attempt - 1))
    return Math.round(wait * (1 + JITTER * (random() * 2 - 1)))
  }

export type QueueOptions = {
  readonly backend: JobBackend
  /** Names this node in the jobs that it holds. */
  readonly nodeId: string
  readonly random: () => number
  /** Told of what goes wrong outside of a job: the engine is away. */
  readonly onError: (error: unknown) => void
  /** Told of each failure of a job. */
  readonly onFailure?: (job: JobView, error: Error) => void
  readonly lockMs?: number
  readonly lookMs?: number
}

/** @throws {JobsError} unavailable, damaged. */
export const openQueue = async (options: QueueOptions): Promise<Jobs> => {
  const { backend, nodeId, random, onError } = options
  const lockMs = options.lockMs ?? LOCK_MS
  const lookMs = options.lookMs ?? LOOK_MS
  const ending = new AbortController()
  let closing: Promise<void> | undefined

  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing) throw new JobsError('closed', 'the queue of jobs is closed')
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof JobsError) throw cause
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new JobsError('unavailable', `the queue of jobs does not answer: ${reason}`, { cause })
    }
  }

  // Connected here: agenda would neither wait for it nor tell when it fails.
  await run(() => backend.connect())
  const agenda = new Agenda({
    ...{
      backend: { ...backend, connect: async () => undefined },
      name: nodeId,
      processEvery: lookMs,
      defaultLockLifetime: lockMs,
      logging: false,
    },
    ...{ maxConcurrency: 100, removeOnComplete: false },
    // What this node adds it looks at in the same moment; only what others add waits for the next look.
    notificationChannel: new InMemoryNotificationChannel(),
  })
  agenda.on('error', onError)
  await run(() => agenda.ready)
  const { repository } = backend

  const carryOut = (kind: JobKind) => async (job: Job) => {
    const { attrs } = job
    if (!isStored(attrs.data)) throw new PermanentFailure('the job does not say what it is about')
    const over = AbortSignal.any([ending.signal, AbortSignal.timeout(lockMs * 10)])
    // The lock is short, so that a dead node's job is taken soon, and renewed while the work goes on.
    const renewing = setInterval(() => void job.touch().catch(onError), lockMs / 3)
    const held = async (): Promise<boolean> => {
      const now = attrs._id === undefined ? null : await repository.getJobById(attrs._id)
      return now?.lockedAt !== undefined && now.lastModifiedBy === nodeId && !over.aborted
    }
    try {
      const { key, data } = attrs.data
      await kind.handle({ key, data, signal: over, held })
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      options.onFailure?.({ ...viewOf(attrs), failures: (attrs.failCount ?? 0) + 1 }, failure)
      throw failure
    } finally {
      clearInterval(renewing)
    }
  }

  const settle = (job: JobParameters, change: Partial<JobParameters>): Promise<void> => {
    const { lockedAt, failedAt, failReason, failCount, ...rest } = job
    return repository.saveJobState({ ...rest, failCount: 0, ...change }, { lastModifiedBy: nodeId })
  }

  return {
    add: ({ kind, key, data, priority = 0, runAt }) =>
      run(async () => {
        const known = (await backend.pick({ key, limit: 10 })).some(each => each.name === kind)
        if (known) return false
        const job = agenda
          .create(kind, { key, data })
          .unique({ 'data.key': key }, { insertOnly: true })
          .priority(priority)
        job.schedule(runAt ?? new Date())
        await job.save()
        return true
      }),
    work: kinds =>
      run(async () => {
        for (const kind of kinds) {
          const { name, concurrency } = kind
          agenda.define(name, carryOut(kind), {
            ...{ concurrency, lockLimit: concurrency * 2, lockLifetime: lockMs },
            backoff: backoff(kind, random),
          })
        }
        await agenda.start()
      }),
    list: wanted => run(async () => (await backend.pick(wanted)).map(viewOf)),
    retry: key =>
      run(async () => {
        const parked = await backend.pick({ state: 'parked', limit: 10_000, ...(key !== undefined && { key }) })
        for (const job of parked) await settle(job, { nextRunAt: new Date() })
        return parked.length
      }),
    drop: key =>
      run(async () => {
        const found = (await backend.pick({ key, limit: 10 })).filter(each =>
          ['waiting', 'parked'].includes(stateOf(each)),
        )
        for (const job of found) await settle(job, { nextRunAt: null, lastFinishedAt: new Date() })
        return found.length > 0
      }),
    purge: before => run(() => backend.forget(before)),
    counts: () => run(() => backend.counts()),
    close: () => {
      closing ??= (async () => {
        await agenda.drain({ timeout: CLOSING_MS }).catch(onError)
        ending.abort()
        await agenda.stop().catch(onError)
        await backend.disconnect()
      })()
      return closing
    },
  }
}
