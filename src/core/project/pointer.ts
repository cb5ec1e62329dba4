/**
 * The pointer of a projection: one record that says which generation of each version is live and which is being built.
 * Every change is one compare-and-swap, so that two nodes cannot swap past each other.
 */

import { defined } from '../../domain/defined.ts'
import type { CollectionName, ReadStore } from '../../ports/read-store.ts'
import { type CollectionRef, parseCollectionName } from './define.ts'

export type Generations = { readonly live?: number; readonly building?: number }
export type Pointer = {
  /** The next generation to be given out; none is given twice, so that a cursor never meets another's collection. */
  readonly next: number
  readonly versions: { readonly [version: string]: Generations }
}

type Records = Pick<ReadStore, 'record' | 'swap'>

export const pointerRecord = (name: string): string => `pointer:${name}`
const usedRecord = (collection: CollectionName): string => `used:${collection}`

/** Milliseconds after its last use that a collection is dropped. */
export const KEEP_MS = 3_600_000
/** Uses are recorded this often, in milliseconds. */
export const TOUCH_MS = 300_000

const isNumber = (value: unknown): boolean => Number.isSafeInteger(value)
const isGenerations = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every(isNumber)

/** Undefined for a pointer that is not there, or damaged: either way all is to be built anew. */
const parse = (text: string | undefined): Pointer | undefined => {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('next' in value) || !('versions' in value)) return undefined
    const { next, versions } = value
    const sound =
      isNumber(next) &&
      typeof versions === 'object' &&
      versions !== null &&
      Object.values(versions).every(isGenerations)
    return sound ? (value as Pointer) : undefined
  } catch {
    return undefined
  }
}

const begun = (first: number): Pointer => ({ next: first, versions: {} })

export const readPointer = async (store: Records, name: string): Promise<Pointer> =>
  parse(await store.record(pointerRecord(name))) ?? begun(1)

/**
 * Changes the pointer, again from the start when somebody else was first. `undefined` leaves it as it is. `first` numbers
 * the first generation where there is no pointer.
 */
const change = async (
  store: Records,
  name: string,
  by: (pointer: Pointer) => Pointer | undefined,
  first = 1,
): Promise<Pointer> => {
  for (;;) {
    const text = await store.record(pointerRecord(name))
    const pointer = parse(text) ?? begun(first)
    const changed = by(pointer)
    if (!changed) return pointer
    if (await store.swap(pointerRecord(name), text, JSON.stringify(changed))) return changed
  }
}

const withVersion = (pointer: Pointer, version: number, generations: Generations): Pointer => ({
  ...pointer,
  versions: { ...pointer.versions, [version]: generations },
})

export const generationsOf = (pointer: Pointer, version: number): Generations => pointer.versions[version] ?? {}

/**
 * The generation being built beside the live one: begun now, or found begun. In a store without a pointer the numbers begin
 * with the time: nobody who still has the name of a collection of a store that was deleted may meet it in the new one.
 */
export const beginBuilding = async (
  store: Records,
  name: string,
  version: number,
  now: Date,
): Promise<CollectionRef> => {
  const begin = (pointer: Pointer): Pointer | undefined => {
    const generations = generationsOf(pointer, version)
    if (generations.building !== undefined) return undefined
    return withVersion({ ...pointer, next: pointer.next + 1 }, version, { ...generations, building: pointer.next })
  }
  const pointer = await change(store, name, begin, now.getTime())
  return { version, generation: generationsOf(pointer, version).building ?? 0 }
}

/** The number of a generation that nobody else has, for what is neither live nor being built. */
export const takeGeneration = async (store: Records, name: string, now: Date): Promise<number> =>
  (await change(store, name, pointer => ({ ...pointer, next: pointer.next + 1 }), now.getTime())).next - 1

/** Swaps: what was built is live. False when another build took its place meanwhile. */
export const goLive = async (store: Records, name: string, at: CollectionRef): Promise<boolean> => {
  const pointer = await change(store, name, pointer =>
    generationsOf(pointer, at.version).building === at.generation
      ? withVersion(pointer, at.version, { live: at.generation })
      : undefined,
  )
  return generationsOf(pointer, at.version).live === at.generation
}

/** A collection that holds another log's documents is no longer read or folded. */
export const abandon = async (store: Records, name: string, at: CollectionRef): Promise<void> => {
  await change(store, name, pointer => {
    const { live, building } = generationsOf(pointer, at.version)
    if (live !== at.generation && building !== at.generation) return undefined
    return withVersion(pointer, at.version, {
      ...defined({ live: live !== undefined && live !== at.generation ? live : undefined }),
      ...defined({ building: building !== undefined && building !== at.generation ? building : undefined }),
    })
  })
}

/** Records that a node uses the collection now. */
export const touch = async (store: Records, collection: CollectionName, now: Date): Promise<void> => {
  const name = usedRecord(collection)
  await store.swap(name, await store.record(name), now.toISOString())
}

/** The records that go with a collection: its lease, what is parked, what was asked, when it was used. */
export const forgetConsumer = async (
  store: Records & Pick<ReadStore, 'records'>,
  collection: CollectionName,
): Promise<void> => {
  const parked = [...(await store.records(`parked:${collection}:`)).keys()]
  // By their whole names: that of generation 1 is also how the one of generation 10 begins.
  for (const name of [...parked, `retry:${collection}`, `lease:${collection}`, usedRecord(collection)]) {
    const text = await store.record(name)
    if (text !== undefined) await store.swap(name, text, undefined)
  }
}

/** Was it used by no node for an hour? If so it is gone when this answers true. A first look counts as a use. */
const dropUnused = async (store: SweepStore, collection: CollectionName, now: Date): Promise<boolean> => {
  const at = parseCollectionName(collection)
  if (!at) return false
  const used = await store.record(usedRecord(collection))
  if (used === undefined) await touch(store, collection, now)
  if (used === undefined || now.getTime() - Date.parse(used) < KEEP_MS) return false
  // Only one of two sweeping nodes goes on, and nobody who used it in this instant is overlooked.
  if (!(await store.swap(usedRecord(collection), used, undefined))) return false
  await abandon(store, at.name, at)
  await store.drop(collection)
  await forgetConsumer(store, collection)
  return true
}
type SweepStore = Records & Pick<ReadStore, 'collections' | 'drop' | 'records'>

/** Drops the projection's collections that no node used for an hour; `keep` are those in use here. Names what it dropped. */
export const sweep = async (
  store: SweepStore,
  name: string,
  keep: ReadonlySet<CollectionName>,
  now: Date,
): Promise<readonly CollectionName[]> => {
  const dropped: CollectionName[] = []
  for (const collection of await store.collections())
    if (parseCollectionName(collection)?.name === name && !keep.has(collection))
      if (await dropUnused(store, collection, now)) dropped.push(collection)
  return dropped
}

/** The same for projections that this build no longer declares; older nodes that still do record that they use them. */
export const sweepUndeclared = async (
  store: SweepStore,
  declared: ReadonlySet<string>,
  now: Date,
): Promise<readonly CollectionName[]> => {
  const dropped: CollectionName[] = []
  for (const collection of await store.collections()) {
    const name = parseCollectionName(collection)?.name
    if (name !== undefined && !declared.has(name) && (await dropUnused(store, collection, now)))
      dropped.push(collection)
  }
  return dropped
}
