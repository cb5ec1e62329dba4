/** Small texts by name in a collection of MongoDB, changed by compare-and-swap. */
import type { Collection, Db } from 'mongodb'
import type { ReadStore } from '../../ports/read-store.ts'
import { isDuplicate, type MongoConnection, withPrefix } from './client.ts'

type Named = { readonly _id: string; readonly v: string }

/** `run`: its errors become those of the port whose records these are. */
export const openMongoRecords = (
  db: Db,
  collection: string,
  run: MongoConnection['run'],
): Pick<ReadStore, 'record' | 'records' | 'swap'> => {
  const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority' } } as const
  const named: Collection<Named> = db.collection(collection, majority)
  return {
    record: name => run(async () => (await named.findOne({ _id: name }))?.v),
    records: prefix =>
      run(async () => {
        const found = await named.find({ _id: withPrefix(prefix) }, { sort: { _id: 1 } }).toArray()
        return new Map(found.map(({ _id, v }) => [_id, v]))
      }),
    swap: (name, expected, value) =>
      run(async () => {
        if (expected === undefined && value === undefined) return (await named.findOne({ _id: name })) === null
        if (value === undefined) return (await named.deleteOne({ _id: name, v: expected ?? '' })).deletedCount === 1
        if (expected !== undefined)
          return (await named.updateOne({ _id: name, v: expected }, { $set: { v: value } })).matchedCount === 1
        try {
          await named.insertOne({ _id: name, v: value })
          return true
        } catch (error) {
          if (isDuplicate(error)) return false
          throw error
        }
      }),
  }
}
