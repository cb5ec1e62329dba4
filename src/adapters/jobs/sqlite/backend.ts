/**
 * The queue's engine in a SQLite file of its own, beside the read store: deleting or rebuilding read models loses no job. Any
 * number of processes may have it open; each statement that takes a job is one transaction.
 */
import { Worker } from 'node:worker_threads'
import { type JobId, type JobParameters, toJobId } from 'agenda'
import { JobsError } from '../../../ports/jobs.ts'
import type { JobBackend } from '../backend.ts'
import type { Repository } from './repository.ts'
import type { JobsAnswer } from './worker.ts'

/** Faults of the file itself: no later try is answered otherwise. */
const lasting: ReadonlySet<string> = new Set(['notadb', 'corrupt', 'cantopen', 'readonly', 'foreign', 'newer'])

type Waiting = { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }
type Call = <M extends keyof Repository>(
  method: M,
  ...args: Parameters<Repository[M]>
) => Promise<ReturnType<Repository[M]>>

const openThread = (path: string) => {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let next = 0
  const died = (of: Worker, message: string): void => {
    if (worker !== of) return
    worker = undefined
    for (const each of waiting.values()) each.reject(new Error(message))
    waiting.clear()
  }
  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      ...{ workerData: { path }, resourceLimits: { maxYoungGenerationSizeMb: 4 } },
    })
    started.on('message', ({ id, result, fault, kind }: JobsAnswer) => {
      const request = waiting.get(id)
      waiting.delete(id)
      if (fault === undefined) request?.resolve(result)
      else if (kind !== undefined && lasting.has(kind))
        request?.reject(
          new JobsError(
            'damaged',
            `${fault.replace(/\.$/, '')}. It holds the mails that wait, which nothing else has: restore it, or move it away and they are not sent.`,
          ),
        )
      else request?.reject(new Error(`${path}: ${fault}`))
    })
    started.on('error', error => died(started, `the thread of ${path} failed: ${String(error)}`))
    started.on('exit', code => died(started, `the thread of ${path} ended with code ${code}`))
    return started
  }
  const send = (method: keyof Repository | 'close', args: readonly unknown[]): Promise<unknown> => {
    worker ??= start()
    const id = next
    next += 1
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, method, args })
    return promise
  }
  return {
    send,
    close: async (): Promise<void> => {
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

export const openSqliteJobs = (path: string): JobBackend => {
  const thread = openThread(path)
  const call: Call = async (method, ...args) => {
    const result: unknown = await thread.send(method, args)
    return result as ReturnType<Repository[typeof method]>
  }
  return {
    name: 'SQLite',
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
    forget: before => call('forget', before),
    repository: {
      connect: async () => undefined,
      queryJobs: options => call('queryJobs', options ?? {}),
      getJobsOverview: () => call('getJobsOverview'),
      getDistinctJobNames: () => call('getDistinctJobNames'),
      getJobById: id => call('getJobById', id),
      getQueueSize: () => call('getQueueSize'),
      removeJobs: options => call('removeJobs', options),
      saveJob: async <D>(job: JobParameters<D>, options: Parameters<Repository['saveJob']>[1]) => {
        const saved = branded(await call('saveJob', job, options))
        return { ...job, ...saved, data: job.data }
      },
      saveJobState: (job, options) => call('saveJobState', job, options),
      lockJob: (job, options) => call('lockJob', job, options),
      unlockJob: job => call('unlockJob', job),
      unlockJobs: ids => call('unlockJobs', idsOf(ids)),
      getNextJobToRun: (name, until, deadline, now, options) =>
        call('getNextJobToRun', name, until, deadline, now, options),
      disableJobs: options => call('disableJobs', options),
      enableJobs: options => call('enableJobs', options),
      purgeAllJobs: () => call('purgeAllJobs'),
    },
  }
}
