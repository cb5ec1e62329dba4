/**
 * Documents under a guard: each carries the position that it has seen and is replaced by a later one alone, so that a batch
 * may be written again, and two nodes at once, without harm. Unordered bulks of idempotent writes with distinct ids; after an
 * error the documents are read again, since counts and indexes in it cannot be trusted everywhere.
 */
import { type AnyBulkWriteOperation, Long, MongoBulkWriteError } from 'mongodb'
import type { DocumentWrite } from '../../../ports/read-store.ts'
import { ReadStoreError } from '../../../ports/read-store.ts'
import { DUPLICATE, isDuplicate } from '../../mongodb/client.ts'
import { type Stored, storedOf, tombstone } from './plan.ts'
import type { Held } from './registry.ts'

/** Documents in one command: far below the 100,000 that a server takes, so that others have their turn between. */
const BULK = 250
/** Two that insert one document at once: each round settles one of them. */
const MAX_ROUNDS = 8

const operationOf = (write: DocumentWrite): AnyBulkWriteOperation<Stored> => ({
  replaceOne: {
    // Upserts take their id from here; a newer document makes them a duplicate, which says: applied already.
    filter: { _id: write.id, p: { $lt: Long.fromBigInt(write.position) } },
    replacement:
      'removed' in write ? tombstone(write.id, write.position) : storedOf(write.id, write.position, write.body),
    upsert: true,
  },
})

const onlyDuplicates = (error: unknown): boolean => {
  if (error instanceof MongoBulkWriteError) {
    const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
    return errors.length > 0 && errors.every(each => each.code === DUPLICATE)
  }
  return isDuplicate(error)
}

/** Those of the writes that the store has not seen: what it holds is older, or nothing. */
const missing = async ({ physical }: Held, writes: readonly DocumentWrite[]): Promise<readonly DocumentWrite[]> => {
  const ids = writes.map(each => each.id)
  const found = await physical.find({ _id: { $in: ids } }, { projection: { p: 1 } }).toArray()
  const positions = new Map(found.map(({ _id, p }) => [_id, BigInt(p.toString())]))
  return writes.filter(each => (positions.get(each.id) ?? -1n) < each.position)
}

const writeSlice = async (held: Held, slice: readonly DocumentWrite[]): Promise<void> => {
  let left = slice
  for (let round = 0; left.length > 0; round += 1) {
    if (round === MAX_ROUNDS)
      throw new ReadStoreError(
        'unavailable',
        `${held.name}: ${left.length} documents are written by others again and again`,
      )
    try {
      await held.physical.bulkWrite(left.map(operationOf), { ordered: false, writeConcern: { w: 'majority' } })
      return
    } catch (error) {
      if (!onlyDuplicates(error)) throw error
      left = await missing(held, left)
    }
  }
}

/** Of several writes to one document the latest counts. */
const latest = (writes: readonly DocumentWrite[]): readonly DocumentWrite[] => {
  const byId = new Map<string, DocumentWrite>()
  for (const each of writes) {
    const known = byId.get(each.id)
    if (!known || known.position < each.position) byId.set(each.id, each)
  }
  return byId.size === writes.length ? writes : [...byId.values()]
}

export const writeDocuments = async (held: Held, writes: readonly DocumentWrite[]): Promise<void> => {
  const distinct = latest(writes)
  for (let at = 0; at < distinct.length; at += BULK) await writeSlice(held, distinct.slice(at, at + BULK))
}
