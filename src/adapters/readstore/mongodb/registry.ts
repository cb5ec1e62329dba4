/**
 * Which collections there are: one document for each, which also holds the checkpoint of the consumer that fills it, so that
 * both end in the same instant. What is stored lies in a collection of its own name, made anew each time: who writes on
 * after a drop writes where nobody reads.
 */
import { type Collection, type Db, Long } from 'mongodb'
import type { Clock } from '../../../ports/clock.ts'
import { type Checkpoint, type CollectionName, type Indexes, ReadStoreError } from '../../../ports/read-store.ts'
import { isDuplicate } from '../../mongodb/client.ts'
import { keysOf, type Stored } from './plan.ts'

type StoredCheckpoint = {
  readonly logId: string
  readonly position: Long | bigint
  readonly eventId: string
  readonly token: number
}
type Registered = {
  readonly _id: string
  readonly physical: string
  readonly indexes: string
  readonly checkpoint?: StoredCheckpoint
}
type Lone = { readonly _id: string; readonly checkpoint: StoredCheckpoint }

export type Held = { readonly physical: Collection<Stored>; readonly name: string; readonly indexes: Indexes }

export type Registry = {
  ensure(name: CollectionName, indexes: Indexes): Promise<void>
  drop(name: CollectionName): Promise<void>
  names(): Promise<readonly CollectionName[]>
  /** @throws {ReadStoreError} gone. What another node dropped is noticed within a second. */
  held(name: CollectionName): Promise<Held>
  /** Asks the server, whatever is remembered. @throws {ReadStoreError} gone. */
  stillHeld(name: CollectionName): Promise<Held>
  checkpoint(consumer: string): Promise<Checkpoint | undefined>
  checkpoints(): Promise<ReadonlyMap<string, Checkpoint>>
  /** @throws {ReadStoreError} gone, fenced. */
  store(consumer: string, value: Checkpoint, of: Held | undefined): Promise<void>
  /** Drops what lies there without being registered: left by a node that ended between the two. */
  sweep(): Promise<readonly string[]>
}

/** For so long a node may read a collection that another one has dropped. */
const REMEMBERED_MS = 1_000
/** Collections without a document are swept when they are older: one is made before the other. */
const ORPHAN_MS = 60 * 60 * 1_000
const REGISTRY = '_collections'
const LONE = '_checkpoints'

const checkpointOf = ({ logId, position, eventId, token }: StoredCheckpoint): Checkpoint => ({
  logId: String(logId),
  position: BigInt(position.toString()),
  eventId: String(eventId),
  token: Number(token),
})
const storedCheckpoint = ({ logId, position, eventId, token }: Checkpoint): StoredCheckpoint => ({
  logId,
  position: Long.fromBigInt(position),
  eventId,
  token,
})

export const openRegistry = (
  db: Db,
  deps: {
    readonly clock: Pick<Clock, 'now' | 'monotonic'>
    readonly newId: () => string
    /** Told of indexes that nobody declares. */
    readonly onUnknownIndex: (collection: string, index: string) => void
  },
): Registry => {
  const { clock, newId, onUnknownIndex } = deps
  const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority' } } as const
  const registry: Collection<Registered> = db.collection(REGISTRY, majority)
  const lone: Collection<Lone> = db.collection(LONE, majority)
  const remembered = new Map<string, { readonly held: Held; readonly at: number }>()

  const gone = (name: string): ReadStoreError => {
    remembered.delete(name)
    return new ReadStoreError('gone', `collection ${name} does not exist: it was dropped`)
  }
  const remember = (name: string, { physical, indexes }: Pick<Registered, 'physical' | 'indexes'>): Held => {
    const known = remembered.get(name)?.held
    const held =
      known?.physical.collectionName === physical
        ? known
        : { physical: db.collection<Stored>(physical), name: physical, indexes: JSON.parse(indexes) }
    remembered.set(name, { held, at: clock.monotonic() })
    return held
  }
  const stillHeld: Registry['stillHeld'] = async name => {
    const found = await registry.findOne({ _id: name }, { projection: { physical: 1, indexes: 1 } })
    if (!found) throw gone(name)
    return remember(name, found)
  }

  /** Another consumer's checkpoint stands where its own collection is registered, or alone. */
  const fencedOrGone = async (consumer: string, of: Held | undefined, token: number): Promise<ReadStoreError> => {
    const found = of && (await registry.findOne({ _id: consumer }))
    if (of && found?.physical !== of.name) return gone(consumer)
    return new ReadStoreError('fenced', `${consumer}: the lease was lost, a token after ${token} has written`)
  }

  const physicalNames = async (): Promise<readonly string[]> =>
    (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)

  const dropPhysical = async (physical: string): Promise<void> => {
    try {
      await db.dropCollection(physical)
    } catch (error) {
      // Gone is what it should be; the code for it is not the same on every server.
      if ((await physicalNames()).includes(physical)) throw error
    }
  }

  return {
    held: async name => {
      const known = remembered.get(name)
      return known && clock.monotonic() - known.at < REMEMBERED_MS ? known.held : stillHeld(name)
    },
    stillHeld,
    ensure: async (name, indexes) => {
      const declared = JSON.stringify(indexes)
      const physical = `${name}.${clock.now().getTime().toString(36)}${newId().replaceAll('-', '').slice(0, 8)}`
      let found = await registry.findOne({ _id: name }, { projection: { physical: 1, indexes: 1 } })
      if (!found) {
        await registry.insertOne({ _id: name, physical, indexes: declared }).catch((error: unknown) => {
          if (!isDuplicate(error)) throw error
        })
        found = await registry.findOne({ _id: name }, { projection: { physical: 1, indexes: 1 } })
      }
      if (!found) throw gone(name)
      if (found.indexes !== declared)
        throw new TypeError(`collection ${name} was made with other indexes: a changed projection has a new version`)
      const held = remember(name, found)
      // One at a time, under their own names: a node that ended in between is helped by the next.
      for (const index of indexes) await held.physical.createIndex(keysOf(index), { name: index.name })
      const known = new Set(['_id_', ...indexes.map(each => each.name)])
      for (const { name: index } of await held.physical.listIndexes().toArray())
        if (!known.has(index)) onUnknownIndex(name, index)
    },
    drop: async name => {
      remembered.delete(name)
      const found = await registry.findOneAndDelete({ _id: name })
      await lone.deleteOne({ _id: name })
      if (found) await dropPhysical(found.physical)
    },
    names: async () => {
      const found = await registry.find({}, { projection: { _id: 1 }, sort: { _id: 1 } }).toArray()
      return found.map(({ _id }) => _id)
    },
    checkpoint: async consumer => {
      const [own, alone] = await Promise.all([registry.findOne({ _id: consumer }), lone.findOne({ _id: consumer })])
      const found = own?.checkpoint ?? alone?.checkpoint
      return found && checkpointOf(found)
    },
    checkpoints: async () => {
      const all = [...(await registry.find({}).toArray()), ...(await lone.find({}).toArray())]
      return new Map(
        all.flatMap(({ _id, checkpoint }) => (checkpoint ? [[_id, checkpointOf(checkpoint)] as const] : [])),
      )
    },
    store: async (consumer, value, of) => {
      const checkpoint = storedCheckpoint(value)
      const notNewer = { $or: [{ checkpoint: { $exists: false } }, { 'checkpoint.token': { $lte: value.token } }] }
      if (of) {
        const done = await registry.updateOne(
          { _id: consumer, physical: of.name, ...notNewer },
          { $set: { checkpoint } },
        )
        if (done.matchedCount === 0) throw await fencedOrGone(consumer, of, value.token)
        return
      }
      try {
        await lone.updateOne({ _id: consumer, ...notNewer }, { $set: { checkpoint } }, { upsert: true })
      } catch (error) {
        if (!isDuplicate(error)) throw error
        // There, and not matched: newer. Or made by another in this instant, under the same lease.
        const again = await lone.updateOne({ _id: consumer, ...notNewer }, { $set: { checkpoint } })
        if (again.matchedCount === 0) throw await fencedOrGone(consumer, undefined, value.token)
      }
    },
    sweep: async () => {
      const registered = new Set(
        (await registry.find({}, { projection: { physical: 1 } }).toArray()).map(each => each.physical),
      )
      const now = clock.now().getTime()
      const orphans = (await physicalNames()).filter(physical => {
        const stamp = /@\d+#\d+\.([0-9a-z]{8})[0-9a-f]{8}$/.exec(physical)?.[1]
        return stamp !== undefined && !registered.has(physical) && now - Number.parseInt(stamp, 36) > ORPHAN_MS
      })
      for (const orphan of orphans) await dropPhysical(orphan)
      return orphans
    },
  }
}
