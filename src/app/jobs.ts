/** The queue of a program: which engine, opened when it is asked for first, and what of consumers lies with it. */
import { dirname, join } from 'node:path'
import type { Config } from '../config/load.ts'
import type { Clock } from '../ports/clock.ts'
import { type Jobs, JobsError } from '../ports/jobs.ts'
import { type ConsumerStore, ReadStoreError } from '../ports/read-store.ts'

export type JobsDeps = {
  readonly nodeId: string
  readonly clock: Clock
  readonly random: () => number
  readonly onError: (error: unknown) => void
}

/** Where the jobs of an embedded read store lie: beside it, so that deleting it loses none. */
export const jobsPath = (readStorePath: string): string => join(dirname(readStorePath), 'jobs.db')

/** @throws {JobsError} unavailable, damaged. */
const openJobs = async ({ readStore }: Config, deps: JobsDeps): Promise<Jobs> => {
  const { openQueue } = await import('../adapters/jobs/queue.ts')
  if (readStore.engine === 'sqlite') {
    const { openSqliteJobs } = await import('../adapters/jobs/sqlite/backend.ts')
    return openQueue({ ...deps, backend: openSqliteJobs(jobsPath(readStore.path)) })
  }
  const { openMongoJobs } = await import('../adapters/jobs/mongodb/backend.ts')
  return openQueue({ ...deps, backend: await openMongoJobs(readStore.url, 'LEXICHRON_READ_STORE') })
}

/** Opened by those who need it: most commands of the command line do not. An attempt that failed is made again. */
export const lazyJobs = (config: Config, deps: JobsDeps) => {
  let opening: Promise<Jobs> | undefined
  return {
    jobs: (): Promise<Jobs> => {
      opening ??= openJobs(config, deps).catch((error: unknown) => {
        opening = undefined
        throw error
      })
      return opening
    },
    close: async (): Promise<void> => (await opening?.catch(() => undefined))?.close(),
  }
}

/** Checkpoints, leases and parked keys of those whose effects leave the process. */
export const outwardStore = (jobs: () => Promise<Pick<Jobs, 'consumers'>>): ConsumerStore => {
  const store = async (): Promise<ConsumerStore> => {
    try {
      return (await jobs()).consumers
    } catch (cause) {
      if (!(cause instanceof JobsError)) throw cause
      throw new ReadStoreError(cause.code === 'closed' ? 'closed' : 'unavailable', cause.message, { cause })
    }
  }
  return {
    apply: async (...given) => (await store()).apply(...given),
    checkpoint: async consumer => (await store()).checkpoint(consumer),
    checkpoints: async () => (await store()).checkpoints(),
    record: async name => (await store()).record(name),
    records: async prefix => (await store()).records(prefix),
    swap: async (...given) => (await store()).swap(...given),
  }
}
