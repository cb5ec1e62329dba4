/**
 * The queue's engine in a SQLite file of its own, beside the read store: deleting or rebuilding read models loses no job. Any
 * number of processes may have it open; each statement that takes a job is one transaction.
 */
import { Worker } from 'node:worker_threads'
import { type JobId, type JobParameters, toJobId } from 'agenda'
import { OwnError, wordsOf } from '../../../domain/own-error.ts'
import { JobsError } from '../../../ports/jobs.ts'
import { type ConsumerStore, ReadStoreError } from '../../../ports/read-store.ts'
import type { JobBackend } from '../backend.ts'
import { FENCED, type QueueFile } from './queue-file.ts'
import type { JobsAnswer, JobsRequest } from './worker.ts'

/** Faults of the file itself: no later try is answered otherwise. */
const lasting: ReadonlySet<string> = new Set(['notadb', 'corrupt', 'cantopen', 'readonly', 'foreign', 'newer'])

const faultOf = (path: string, fault: string, kind: string | undefined): Error =>
  kind !== undefined && lasting.has(kind)
    ? new JobsError(
        'damaged',
        `${fault.replace(/\.$/, '')}. It holds the mails that wait, which nothing else has: restore it, or move it away and they are not sent.`,
      )
    : new OwnError(fault.startsWith(path) ? fault : `${path}: ${fault}`)

type Waiting = { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }
type Call = <M extends keyof QueueFile>(
  method: M,
  ...args: Parameters<QueueFile[M]>
) => Promise<ReturnType<QueueFile[M]>>

const openThread = (path: string, now: () => Date) => {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let next = 0
  let closed = false
  const died = (of: Worker, message: string): void => {
    if (worker !== of) return
    worker = undefined
    for (const { reject } of waiting.values()) reject(new OwnError(message))
    waiting.clear()
  }
  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { path },
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    })
    started.on('message', ({ id, result, fault, kind }: JobsAnswer) => {
      const request = waiting.get(id)
      waiting.delete(id)
      if (fault === undefined) request?.resolve(result)
      else request?.reject(faultOf(path, fault, kind))
    })
    started.on('error', error => died(started, `the thread of ${path} failed: ${wordsOf(error)}`))
    started.on('exit', code => died(started, `the thread of ${path} ended with code ${code}`))
    return started
  }
  const send = (method: JobsRequest['method'], args: readonly unknown[]): Promise<unknown> => {
    if (closed && method !== 'close') return Promise.reject(new JobsError('closed', `${path}: the queue is closed`))
    worker ??= start()
    const id = next
    next += 1
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, method, args, now: now().getTime() } satisfies JobsRequest)
    return promise
  }
  return {
    send,
    close: async (): Promise<void> => {
      if (closed) return
      closed = true
      const open = worker
      if (!open) return
      // A file that cannot be opened cannot be closed either; its thread ends all the same.
      await send('close', []).catch(() => undefined)
      await open.terminate()
    },
  }
}

/** What crosses a thread loses its brand. */
const branded = (job: JobParameters): JobParameters =>
  job._id === undefined ? job : { ...job, _id: toJobId(String(job._id)) }
const idsOf = (ids: readonly (JobId | string)[]): string[] => ids.map(String)

const openConsumers = (call: Call): ConsumerStore => {
  const asked: Call = async (method, ...args) => {
    try {
      return await call(method, ...args)
    } catch (cause) {
      const code = cause instanceof JobsError && cause.code === 'closed' ? 'closed' : 'unavailable'
      throw new ReadStoreError(code, wordsOf(cause), { cause })
    }
  }
  const checkpoints = async () => new Map(await asked('checkpoints'))
  return {
    apply: async (collection, writes, { consumer, value }) => {
      if (collection !== '' || writes.length > 0) throw new TypeError('the file of jobs holds no documents')
      if ((await asked('checkpoint', consumer, value)) === FENCED)
        throw new ReadStoreError('fenced', `${consumer}: the lease was lost, a token after ${value.token} has written`)
    },
    checkpoint: async consumer => (await checkpoints()).get(consumer),
    checkpoints,
    record: name => asked('record', name),
    records: async prefix => new Map(await asked('records', prefix)),
    swap: (name, expected, value) => asked('swap', name, expected, value),
  }
}

export const openSqliteJobs = (path: string, now: () => Date = () => new Date()): JobBackend => {
  const thread = openThread(path, now)
  const call: Call = async (method, ...args) => {
    const result: unknown = await thread.send(method, args)
    return result as ReturnType<QueueFile[typeof method]>
  }
  return {
    name: 'SQLite',
    // The file is closed by whoever opened the queue, after what is held was given back.
    ownsConnection: false,
    connect: async () => {
      try {
        await call('counts')
      } catch (error) {
        await thread.close()
        throw error
      }
    },
    disconnect: thread.close,
    pick: async options => (await call('pick', options)).map(branded),
    counts: () => call('counts'),
    firstPosition: name => call('firstPosition', name),
    retry: (key, due) => call('retry', key, due),
    drop: (key, at) => call('drop', key, at),
    forget: before => call('forget', before),
    forgetAbout: accountId => call('forgetAbout', accountId),
    addAll: jobs => call('addAll', jobs),
    saveLocked: (job, lock) => call('saveLocked', job, lock),
    giveBack: locks => call('giveBack', locks),
    consumers: openConsumers(call),
    repository: {
      connect: async () => undefined,
      queryJobs: options => call('queryJobs', options ?? {}),
      getJobsOverview: () => call('getJobsOverview'),
      getDistinctJobNames: () => call('getDistinctJobNames'),
      getJobById: id => call('getJobById', id),
      getQueueSize: () => call('getQueueSize'),
      removeJobs: options => call('removeJobs', options),
      saveJob: async <D>(job: JobParameters<D>, options: Parameters<QueueFile['saveJob']>[1]) => {
        const saved = branded(await call('saveJob', job, options))
        return { ...job, ...saved, data: job.data }
      },
      saveJobState: (job, options) => call('saveJobState', job, options),
      lockJob: (job, options) => call('lockJob', job, options),
      unlockJob: job => call('unlockJob', job),
      unlockJobs: ids => call('unlockJobs', idsOf(ids)),
      getNextJobToRun: (name, until, deadline, at, options) =>
        call('getNextJobToRun', name, until, deadline, at, options),
      disableJobs: options => call('disableJobs', options),
      enableJobs: options => call('enableJobs', options),
      purgeAllJobs: () => call('purgeAllJobs'),
    },
  }
}
