/** Checkpoints and records of consumers whose effects are jobs: collections beside the jobs, which no rebuilding drops. */
import { type Collection, type Db, Long } from 'mongodb'
import { type Checkpoint, type ConsumerStore, ReadStoreError } from '../../../ports/read-store.ts'
import { isDuplicate, type MongoConnection } from '../../mongodb/client.ts'
import { openMongoRecords } from '../../mongodb/records.ts'

type StoredCheckpoint = {
  readonly _id: string
  readonly logId: string
  readonly position: Long | bigint
  readonly eventId: string
  readonly token: number
}

const checkpointOf = ({ logId, position, eventId, token }: StoredCheckpoint): Checkpoint => ({
  logId: String(logId),
  position: BigInt(position.toString()),
  eventId: String(eventId),
  token: Number(token),
})

/** `run`: its errors become those of the read store's port. */
export const openMongoConsumers = (db: Db, run: MongoConnection['run']): ConsumerStore => {
  const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority' } } as const
  const stored: Collection<StoredCheckpoint> = db.collection('jobs_checkpoints', majority)
  const named = openMongoRecords(db, 'jobs_records', run)

  const store = async (consumer: string, { logId, position, eventId, token }: Checkpoint): Promise<boolean> => {
    const notNewer = { _id: consumer, token: { $lte: token } }
    const change = { $set: { logId, position: Long.fromBigInt(position), eventId, token } }
    try {
      await stored.updateOne(notNewer, change, { upsert: true })
      return true
    } catch (error) {
      if (!isDuplicate(error)) throw error
      // There, and not matched: newer. Or made by another in this instant, under the same lease.
      return (await stored.updateOne(notNewer, change)).matchedCount === 1
    }
  }

  return {
    apply: (collection, writes, { consumer, value }) =>
      run(async () => {
        if (collection !== '' || writes.length > 0) throw new TypeError('beside the jobs there are no documents')
        if (!(await store(consumer, value)))
          throw new ReadStoreError(
            'fenced',
            `${consumer}: the lease was lost, a token after ${value.token} has written`,
          )
      }),
    checkpoint: consumer =>
      run(async () => {
        const found = await stored.findOne({ _id: consumer })
        return found ? checkpointOf(found) : undefined
      }),
    checkpoints: () =>
      run(async () => new Map((await stored.find({}).toArray()).map(found => [found._id, checkpointOf(found)]))),
    record: named.record,
    records: named.records,
    swap: named.swap,
  }
}
