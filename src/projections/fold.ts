/**
 * Folds batches into the documents of one collection: keys, documents loaded at once, evolve, writes and checkpoint. The
 * next batch is folded while the last is written, and folding leaves the event loop to others every 10 ms.
 */
import { LRUCache } from 'lru-cache'
import type { JsonObject, Recorded } from '../domain/event.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import { indexFault } from '../ports/conditions.ts'
import type { Checkpoint, CollectionName, DocumentWrite, ReadStore } from '../ports/read-store.ts'
import type { Session } from './consume.ts'
import type { Projection } from './define.ts'
import { type Parked, park, parkedOf, streamKey } from './parking.ts'

/** A document in memory; without a body it is removed, or was never there (position -1). */
export type Held<D> = { readonly position: bigint; readonly body: D | undefined }

/** Documents kept between batches: the holder of the lease is the only one who writes them. */
const KEPT = 4_096
const TURN_MS = 10
/** A batch is made so large that writing it takes about this long. */
const TARGET_MS = 20
const LEAST = 16
const MOST = 1_000

export type FolderOptions<D extends JsonObject> = {
  readonly projection: Projection<D>
  readonly collection: CollectionName
  readonly store: ReadStore
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly cache?: Pick<Cache, 'invalidate'>
  readonly failed: (error: unknown) => void
  /** After documents and checkpoint are stored. */
  readonly onStored?: (position: bigint) => void
}

export type Folder<D> = Session & {
  readonly parked: Map<string, Parked>
  /** The documents as of everything processed, stored or not. */
  documents(ids: Iterable<string>): Promise<ReadonlyMap<string, Held<D>>>
  store(writes: readonly DocumentWrite[], checkpoint: Checkpoint): Promise<void>
}

/** One event on one document: what it becomes, or what went wrong. Checked against the indexes here, not by the writer. */
export const evolveOne = <D extends JsonObject>(
  projection: Projection<D>,
  held: Held<D>,
  event: Recorded,
  id: string,
): { readonly held: Held<D> } | { readonly error: unknown } => {
  try {
    const body = projection.evolve(held.body, event, id)
    const fault = body && body !== held.body ? indexFault(projection.indexes, body) : undefined
    if (fault !== undefined) return { error: new TypeError(fault) }
    return { held: { position: event.position, body } }
  } catch (error) {
    return { error }
  }
}

/** The documents an event touches, once each. @throws what the projection's key throws. */
export const keysOf = <D extends JsonObject>(projection: Projection<D>, event: Recorded): readonly string[] => {
  const keys = projection.key(event)
  return typeof keys === 'string' ? [keys] : keys.length < 2 ? keys : [...new Set(keys)]
}

export const toWrite = (id: string, held: Held<JsonObject>): DocumentWrite =>
  held.body ? { id, position: held.position, body: held.body } : { id, position: held.position, removed: true }

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export const openFolder = async <D extends JsonObject>(options: FolderOptions<D>): Promise<Folder<D>> => {
  const { projection, collection, store, clock, cache, failed, onStored } = options
  const parked = await parkedOf(store, collection)
  const kept = new LRUCache<string, Held<D>>({ max: KEPT })
  /** On their way to the store. */
  let writing = new Map<string, Held<D>>()
  let written: Promise<void> = Promise.resolve()
  let size = 256

  const held = (id: string): Held<D> | undefined => writing.get(id) ?? kept.get(id)

  const documents: Folder<D>['documents'] = async ids => {
    const found = new Map<string, Held<D>>()
    const missing: string[] = []
    for (const id of ids) {
      const known = held(id)
      if (known) found.set(id, known)
      else missing.push(id)
    }
    if (missing.length === 0) return found
    const loaded = await store.load(collection, missing)
    for (const id of missing) {
      const write = loaded.get(id)
      const body = write && 'body' in write ? (write.body as D) : undefined
      found.set(id, { position: write?.position ?? -1n, body })
    }
    return found
  }

  const invalidate = async (writes: readonly DocumentWrite[], position: bigint): Promise<void> => {
    if (!cache || !projection.cacheKeys || writes.length === 0) return
    const { cacheKeys } = projection
    try {
      await cache.invalidate(
        writes.flatMap(({ id }) => cacheKeys(id)),
        position,
      )
    } catch {
      // A cache that is away serves nothing stale either: its values carry positions, and readers check them.
    }
  }
  const persist = async (writes: readonly DocumentWrite[], checkpoint: Checkpoint): Promise<void> => {
    const began = clock.monotonic()
    await store.apply(collection, writes, { consumer: collection, value: checkpoint })
    const took = clock.monotonic() - began
    if (writes.length >= LEAST) size = Math.round(Math.min(MOST, Math.max(LEAST, size * Math.min(2, TARGET_MS / took))))
    await invalidate(writes, checkpoint.position)
    onStored?.(checkpoint.position)
  }
  const drain = (): Promise<void> => written

  /** Folds what is keyed in place; answers the documents that failed, with the event that did it. */
  const fold = async (
    keyed: readonly { readonly event: Recorded; readonly ids: readonly string[] }[],
    state: Map<string, Held<D>>,
    touched: Set<string>,
  ): Promise<ReadonlyMap<string, { readonly event: Recorded; readonly error: unknown }>> => {
    const failures = new Map<string, { readonly event: Recorded; readonly error: unknown }>()
    let since = clock.monotonic()
    for (const { event, ids } of keyed) {
      for (const id of ids) {
        if (parked.has(id) || failures.has(id)) continue
        const before = state.get(id) ?? { position: -1n, body: undefined }
        // Folded before: this is a repeat after a crash or a change of holder.
        if (before.position >= event.position) continue
        const result = evolveOne(projection, before, event, id)
        if ('error' in result) {
          failures.set(id, { event, error: result.error })
          continue
        }
        if (result.held.body === before.body) continue
        state.set(id, result.held)
        touched.add(id)
      }
      if (clock.monotonic() - since > TURN_MS) {
        await turn()
        since = clock.monotonic()
      }
    }
    return failures
  }

  const parkAll = async (
    failures: ReadonlyMap<string, { readonly event: Recorded; readonly error: unknown }>,
  ): Promise<void> => {
    for (const [id, { event, error }] of failures)
      parked.set(id, await park(store, collection, id, event, error, clock.now()))
  }

  const process: Session['process'] = async (events, checkpoint) => {
    const keyed: { readonly event: Recorded; readonly ids: readonly string[] }[] = []
    const needed = new Set<string>()
    for (const event of events) {
      if (parked.size > 0 && parked.has(streamKey(event.stream))) continue
      try {
        const ids = keysOf(projection, event)
        keyed.push({ event, ids })
        for (const id of ids) if (!parked.has(id)) needed.add(id)
      } catch (error) {
        await parkAll(new Map([[streamKey(event.stream), { event, error }]]))
      }
    }
    const state = new Map(await documents(needed))
    const touched = new Set<string>()
    const failures = await fold(keyed, state, touched)
    if (failures.size > 0) await parkAll(failures)
    const writes = [...touched].map(id => toWrite(id, state.get(id) ?? { position: -1n, body: undefined }))
    await written
    for (const [id, each] of state) kept.set(id, each)
    writing = new Map([...touched].flatMap(id => [[id, state.get(id) ?? { position: -1n, body: undefined }] as const]))
    written = persist(writes, checkpoint)
    written.catch(failed)
  }

  return {
    ...{ parked, documents, process, drain, size: () => size },
    store: async (writes, checkpoint) => {
      await drain()
      for (const { id } of writes) kept.delete(id)
      writing = new Map()
      await persist(writes, checkpoint)
    },
    // Bound by the runner, which knows the log.
    retry: async () => {
      await drain()
    },
  }
}
