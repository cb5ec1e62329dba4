/** The queue's engine on MongoDB: the backend that agenda ships, with the indexes and questions that it lacks. */
import { MongoBackend } from '@agendajs/mongo-backend'
import { type JobParameters, toJobId } from 'agenda'
import type { Filter, ObjectId, WithId } from 'mongodb'
import { type JobCounts, type JobState, JobsError } from '../../ports/jobs.ts'
import { connectMongo } from '../mongodb.ts'
import type { JobBackend } from './backend.ts'

const COLLECTION = 'jobs'

type Absent = 'lockedAt' | 'failCount' | 'lastFinishedAt'
/** null is how the backend stores what is absent. */
type Stored = Omit<JobParameters, '_id' | Absent> & {
  readonly _id: ObjectId
  readonly lockedAt?: Date | null
  readonly failCount?: number | null
  readonly lastFinishedAt?: Date | null
}

const states: Readonly<Record<JobState, Filter<Stored>>> = {
  running: { lockedAt: { $ne: null } },
  waiting: { lockedAt: null, nextRunAt: { $ne: null } },
  parked: { lockedAt: null, nextRunAt: null, failCount: { $gt: 0 } },
  done: { lockedAt: null, nextRunAt: null, failCount: { $not: { $gt: 0 } } },
}

const jobOf = ({ _id, lockedAt, failCount, lastFinishedAt, ...stored }: WithId<Stored>): JobParameters => {
  const optional = { lockedAt, failCount, lastFinishedAt, failReason: stored.failReason, lastRunAt: stored.lastRunAt }
  const given = Object.fromEntries(
    Object.entries(optional).filter(([, value]) => value !== null && value !== undefined),
  )
  return { ...stored, ...given, nextRunAt: stored.nextRunAt ?? null, _id: toJobId(_id.toHexString()) }
}

/** @throws {JobsError} unavailable, naming the setting. */
export const openMongoJobs = async (url: string, setting: string): Promise<JobBackend> => {
  const connection = await connectMongo(url, {
    setting,
    fault: (code, message, cause) => new JobsError(code === 'closed' ? 'closed' : 'unavailable', message, cause),
  })
  const db = connection.client.db(connection.database)
  const jobs = db.collection<Stored>(COLLECTION, { writeConcern: { w: 'majority' } })
  const backend = new MongoBackend({ mongo: db, collection: COLLECTION, sort: { nextRunAt: 'asc', priority: 'desc' } })
  return {
    name: backend.name,
    repository: backend.repository,
    connect: async () => {
      await backend.connect()
      // Two nodes that add one job at once: the second fails, tries again, and finds it.
      await jobs.createIndex({ 'data.key': 1, name: 1 }, { name: 'key', unique: true })
      await jobs.createIndex({ nextRunAt: 1 }, { name: 'due' })
      await jobs.createIndex({ lastFinishedAt: 1 }, { name: 'finished' })
    },
    disconnect: async () => {
      await backend.disconnect()
      await connection.close()
    },
    pick: async ({ state, key, limit }) => {
      const filter: Filter<Stored> = {
        ...(key !== undefined && { 'data.key': key }),
        ...(state !== undefined ? states[state] : key === undefined ? { $nor: [states.done] } : {}),
      }
      return (await jobs.find(filter, { sort: { nextRunAt: 1, _id: 1 }, limit }).toArray()).map(jobOf)
    },
    counts: async (): Promise<JobCounts> => {
      const [waiting, running, parked] = await Promise.all([
        jobs.countDocuments(states.waiting),
        jobs.countDocuments(states.running),
        jobs.countDocuments(states.parked),
      ])
      const first = await jobs.findOne(states.waiting, { sort: { nextRunAt: 1 } })
      return { waiting, running, parked, ...(first?.nextRunAt && { oldest: first.nextRunAt }) }
    },
    forget: async before => (await jobs.deleteMany({ ...states.done, lastFinishedAt: { $lt: before } })).deletedCount,
  }
}
