/** What a projection does about a document that is damaged: nobody is told it, and all of them are built again from the log. */
import type { JsonObject } from '../../domain/event.ts'
import type { Clock } from '../../ports/clock.ts'
import { type ReadStore, ReadStoreError } from '../../ports/read-store.ts'
import { type Projection, parseCollectionName } from './define.ts'
import { ProjectionError } from './errors.ts'
import { abandon, beginBuilding, generationsOf, readPointer } from './pointer.ts'

export type GuardOptions<D extends JsonObject> = {
  readonly projection: Pick<Projection<D>, 'name' | 'version'>
  readonly store: ReadStore
  readonly clock: Pick<Clock, 'now'>
  readonly onDamaged: (collection: string) => void
}

/** Begins to build the projection again where the collection is one that is in use. */
export const buildAgain = async <D extends JsonObject>(
  { projection: { name, version }, store, clock }: Omit<GuardOptions<D>, 'onDamaged'>,
  collection: string,
): Promise<void> => {
  const at = parseCollectionName(collection)
  if (at?.name !== name || at.version !== version) return
  const { live, building } = generationsOf(await readPointer(store, name), version)
  // One that was only being built is begun anew; one that is neither has been replaced.
  if (building === at.generation) await abandon(store, name, at)
  if (building === at.generation || live === at.generation) await beginBuilding(store, name, version, clock.now())
}

/** The store for one projection. @throws {ProjectionError} projection-building, by what meets a damaged document. */
export const guarded = <D extends JsonObject>({ projection, store, clock, onDamaged }: GuardOptions<D>): ReadStore => {
  const reading = async <T>(collection: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ReadStoreError && error.code === 'damaged')) throw error
      onDamaged(collection)
      await buildAgain({ projection, store, clock }, collection)
      const message = `${collection} is built again: ${error.message}`
      throw new ProjectionError('projection-building', message, { cause: error })
    }
  }
  return {
    ...store,
    get: (collection, ids) => reading(collection, () => store.get(collection, ids)),
    load: (collection, ids) => reading(collection, () => store.load(collection, ids)),
    find: (collection, plan) => reading(collection, () => store.find(collection, plan)),
    select: (collection, plan, members) => reading(collection, () => store.select(collection, plan, members)),
  }
}
