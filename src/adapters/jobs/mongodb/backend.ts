/** The queue's engine on MongoDB: the backend that agenda ships, with the indexes and questions that it lacks. */
import { MongoBackend } from '@agendajs/mongo-backend'
import { type JobParameters, type JobRepository, toJobId } from 'agenda'
import { type Collection, type Filter, MongoBulkWriteError, ObjectId, type WithId } from 'mongodb'
import { defined } from '../../../domain/defined.ts'
import { type JobCounts, type JobState, JobsError } from '../../../ports/jobs.ts'
import { ReadStoreError } from '../../../ports/read-store.ts'
import { connectMongo, DUPLICATE } from '../../mongodb/client.ts'
import { idOf, type JobBackend, type Lock } from '../backend.ts'
import { openMongoConsumers } from './consumers.ts'

const COLLECTION = 'jobs'
const CHUNK = 500

/** null is how the backend stores what is absent. */
type Nullable<T> = { readonly [member in keyof T]?: T[member] | null }
type Stored = Nullable<Omit<JobParameters, '_id' | 'name' | 'priority' | 'type' | 'data'>> &
  Pick<JobParameters, 'name' | 'priority' | 'type' | 'data'> & { readonly _id: ObjectId }

/** Dates alone: neither null nor absent. */
const ANY_DATE = { $gt: new Date(0) }
const states: Readonly<Record<JobState, Filter<Stored>>> = {
  running: { lockedAt: ANY_DATE },
  waiting: { lockedAt: null, nextRunAt: ANY_DATE },
  parked: { lockedAt: null, nextRunAt: null, failCount: { $gt: 0 } },
  done: { lockedAt: null, nextRunAt: null, failCount: { $not: { $gt: 0 } } },
}

const UNFAILED = { failCount: 0, failReason: null, failedAt: null }

const jobOf = ({ _id, name, priority, type, data, nextRunAt, ...stored }: WithId<Stored>): JobParameters => {
  const given = Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== null && value !== undefined))
  return { ...given, name, priority, type, data, nextRunAt: nextRunAt ?? null, _id: toJobId(_id.toHexString()) }
}

/** As the backend stores it: every member there, null where it is absent. */
const storedOf = (job: JobParameters): Omit<Stored, '_id' | 'name'> => ({
  type: job.type,
  priority: job.priority,
  data: job.data,
  nextRunAt: job.nextRunAt,
  lockedAt: null,
  lastFinishedAt: job.lastFinishedAt ?? null,
  lastRunAt: null,
  failedAt: job.failedAt ?? null,
  failCount: job.failCount ?? null,
  failReason: job.failReason ?? null,
  disabled: null,
  progress: null,
  lastModifiedBy: null,
})

/** What becomes of a job while it is done. */
const stateOf = (job: JobParameters): Partial<Stored> => ({
  lockedAt: job.lockedAt ?? null,
  nextRunAt: job.nextRunAt ?? null,
  lastRunAt: job.lastRunAt ?? null,
  lastFinishedAt: job.lastFinishedAt ?? null,
  failedAt: job.failedAt ?? null,
  failCount: job.failCount ?? null,
  failReason: job.failReason ?? null,
  progress: job.progress ?? null,
})

const lockedBy = ({ id, owner, lockedAt }: Lock): Filter<Stored> => ({
  _id: new ObjectId(String(id)),
  lastModifiedBy: owner,
  lockedAt,
})

/**
 * The urgent first, and what a dead node held before all: agenda's own question asks for both in one, which no index serves, and
 * looks at every job that was done.
 */
const takeNext =
  (jobs: Collection<Stored>): JobRepository['getNextJobToRun'] =>
  async (name, until, deadline, now = new Date(), options) => {
    const lock = { $set: { lockedAt: now, lastModifiedBy: options?.lastModifiedBy ?? null } }
    const due = { sort: { priority: -1, nextRunAt: 1 }, returnDocument: 'after' } as const
    const enabled = { name, disabled: { $ne: true } } as const
    const lapsed = { ...enabled, lockedAt: { ...ANY_DATE, $lte: deadline } }
    const waiting = { ...enabled, lockedAt: null, nextRunAt: { ...ANY_DATE, $lte: until } }
    const taken = (await jobs.findOneAndUpdate(lapsed, lock, due)) ?? (await jobs.findOneAndUpdate(waiting, lock, due))
    return taken ? jobOf(taken) : undefined
  }

const addAll =
  (jobs: Collection<Stored>): JobBackend['addAll'] =>
  async added => {
    let there = 0
    for (let at = 0; at < added.length; at += CHUNK) {
      const chunk = added.slice(at, at + CHUNK).map(job => ({
        _id: new ObjectId(idOf(job.name, job.data.key)),
        name: job.name,
        ...storedOf(job),
      }))
      try {
        await jobs.insertMany(chunk, { ordered: false })
        there += chunk.length
      } catch (error) {
        // Those that are there already are what was asked for; any other fault is one.
        const faults = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : []
        if (!(error instanceof MongoBulkWriteError) || faults.some(({ code }) => code !== DUPLICATE)) throw error
        there += chunk.length - faults.length
      }
    }
    return there
  }

/** @throws {JobsError} unavailable, naming the setting. */
export const openMongoJobs = async (url: string, setting: string): Promise<JobBackend> => {
  const connection = await connectMongo(url, {
    setting,
    fault: (code, message, cause) => new JobsError(code === 'closed' ? 'closed' : 'unavailable', message, cause),
  })
  const db = connection.client.db(connection.database)
  const jobs = db.collection<Stored>(COLLECTION, { writeConcern: { w: 'majority' } })
  const backend = new MongoBackend({
    mongo: db,
    collection: COLLECTION,
    sort: { priority: 'desc', nextRunAt: 'asc' },
    // That index is for its own question after the next job, which is not asked here.
    ensureIndex: false,
  })
  const own: Pick<JobRepository, 'getNextJobToRun'> = { getNextJobToRun: takeNext(jobs) }
  // Its other methods stay what they are, with the state that they stand on.
  const repository: JobRepository = Object.assign(Object.create(backend.repository), own)
  const asConsumers = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await connection.run(work)
    } catch (cause) {
      if (!(cause instanceof JobsError)) throw cause
      throw new ReadStoreError(cause.code === 'closed' ? 'closed' : 'unavailable', cause.message, { cause })
    }
  }
  const count = (state: JobState): Promise<number> => jobs.countDocuments(states[state])
  return {
    name: backend.name,
    repository,
    // The connection is closed by whoever opened the queue, after what is held was given back.
    ownsConnection: false,
    connect: async () => {
      await backend.connect()
      await jobs.createIndex({ name: 1, priority: -1, nextRunAt: 1 }, { name: 'due' })
      await jobs.createIndex({ lockedAt: 1 }, { name: 'locked' })
      await jobs.createIndex({ nextRunAt: 1 }, { name: 'waiting' })
      await jobs.createIndex({ failCount: 1 }, { name: 'failed' })
      await jobs.createIndex({ lastFinishedAt: 1 }, { name: 'finished' })
      await jobs.createIndex({ 'data.key': 1 }, { name: 'key' })
      await jobs.createIndex({ 'data.about': 1 }, { name: 'about', sparse: true })
    },
    disconnect: async () => {
      await backend.disconnect()
      await connection.close()
    },
    pick: ({ state, key, limit }) =>
      connection.run(async () => {
        const filter: Filter<Stored> = {
          ...defined({ 'data.key': key }),
          ...(state !== undefined ? states[state] : key === undefined ? { $nor: [states.done] } : {}),
        }
        return (await jobs.find(filter, { sort: { nextRunAt: 1, _id: 1 }, limit }).toArray()).map(jobOf)
      }),
    counts: () =>
      connection.run(async (): Promise<JobCounts> => {
        const [waiting, running, parked] = await Promise.all([count('waiting'), count('running'), count('parked')])
        const first = await jobs.findOne(states.waiting, { sort: { nextRunAt: 1 } })
        return { waiting, running, parked, ...defined({ oldest: first?.nextRunAt ?? undefined }) }
      }),
    firstPosition: name =>
      connection.run(async () => {
        const lowest = await Promise.all(
          [states.waiting, states.running, states.parked].map(state =>
            jobs.findOne(
              { ...state, name, 'data.position': { $type: 'string' } },
              { sort: { 'data.position': 1 }, projection: { data: 1 } },
            ),
          ),
        )
        const found = lowest.flatMap(job => {
          const position: unknown = Object(job?.data)['position']
          return typeof position === 'string' ? [position] : []
        })
        return found.toSorted()[0]
      }),
    retry: (key, due) =>
      connection.run(async () => {
        const failed: Filter<Stored> =
          key === undefined
            ? { ...states.parked, lastRunAt: ANY_DATE }
            : { 'data.key': key, $or: [states.parked, { ...states.waiting, failCount: { $gt: 0 } }] }
        return (await jobs.updateMany(failed, { $set: { ...UNFAILED, nextRunAt: due } })).modifiedCount
      }),
    drop: (key, at) =>
      connection.run(async () => {
        const idle = { 'data.key': key, $or: [states.waiting, states.parked] }
        const done = { ...UNFAILED, nextRunAt: null, lastFinishedAt: at }
        return (await jobs.updateMany(idle, { $set: done })).modifiedCount
      }),
    forget: before =>
      connection.run(
        async () =>
          (await jobs.deleteMany({ ...states.done, lastFinishedAt: { ...ANY_DATE, $lt: before } })).deletedCount,
      ),
    forgetAbout: accountId =>
      connection.run(async () => (await jobs.deleteMany({ 'data.about': accountId })).deletedCount),
    addAll: added => connection.run(() => addAll(jobs)(added)),
    saveLocked: (job, lock) =>
      connection.run(async () => (await jobs.updateOne(lockedBy(lock), { $set: stateOf(job) })).matchedCount === 1),
    giveBack: locks =>
      connection.run(async () => {
        let freed = 0
        for (const lock of locks) {
          const free = { $set: { lockedAt: null, nextRunAt: lock.due } }
          freed += (await jobs.updateOne(lockedBy(lock), free)).matchedCount
        }
        return freed
      }),
    consumers: openMongoConsumers(db, asConsumers),
  }
}
