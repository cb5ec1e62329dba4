/**
 * Folds batches into the documents of one collection: keys, documents loaded at once, evolve, writes and checkpoint. While
 * one batch is written the next ones are folded, and what they change is written together once the writer is free: at the
 * head each event is written at once, behind it a document that changes often is written seldom. Folding leaves the event
 * loop to others every 10 ms.
 */

import type { JsonObject, Recorded } from '../../domain/event.ts'
import { sizeOf } from '../../domain/json.ts'
import { OwnError } from '../../domain/own-error.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import { indexFault } from '../../ports/conditions.ts'
import type { Checkpoint, CollectionName, DocumentWrite, ReadStore } from '../../ports/read-store.ts'
import type { ConsumerTrace, Session } from '../consume/consume.ts'
import { type Parked, park, parkedOf, streamKey } from '../consume/parking.ts'
import { openMemory, type Region } from '../memory/memory.ts'
import type { Projection } from './define.ts'
import { openSeen } from './seen.ts'

/** A document in memory; without a body it is removed, or was never there (position -1). */
export type Held<D> = { readonly position: bigint; readonly body: D | undefined }

/** Documents kept between batches: the holder of the lease is the only one who writes them. */
const KEPT = 2_048
/** For the documents of one that is given no memory, a quarter of it. */
const OWN_BYTES = 128 * 1024 * 1024
const CHARACTER_BYTES = 2
const TURN_MS = 10
/** Events taken at once. */
const BATCH = 500
/** Changed documents that may wait for the writer: so many that writing them takes about `TARGET_MS`. */
const LEAST_DIRTY = 64
const MOST_DIRTY = 4_096
const TARGET_MS = 800
/** While a generation is built nobody reads it: documents wait until there are many, or for this long. */
const BUILDING_MS = 1_000

export type FolderOptions<D extends JsonObject> = {
  readonly projection: Projection<D>
  readonly collection: CollectionName
  readonly store: ReadStore
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly cache?: Pick<Cache, 'changed'>
  readonly failed: (error: unknown) => void
  /** Nobody reads the collection yet. */
  readonly building?: () => boolean
  /** The session begins at the first event: a document that it has not met is not there, or will be folded alike. */
  readonly fromStart?: boolean
  /** The checkpoint that the session begins at. */
  readonly from?: bigint
  /** After documents and checkpoint are stored. */
  readonly onStored?: (position: bigint) => void
  readonly trace?: ConsumerTrace | undefined
  /** Where documents are kept between batches, beside those of others; without, in 32 MiB of its own. */
  readonly memory?: Region | undefined
}

export type Folder<D> = Omit<Session, 'retry'> & {
  readonly parked: Map<string, Parked>
  /**
   * Tells the cache where this session goes on from: had it heard less, it forgets now rather than at the first change, by when
   * it would hold what was loaded meanwhile.
   */
  greet(): Promise<void>
  /** The documents as of everything processed, stored or not. */
  documents(ids: Iterable<string>): Promise<Map<string, Held<D>>>
  store(writes: readonly DocumentWrite[], checkpoint: Checkpoint): Promise<void>
}

/** What a projection has made of an event fits none of its indexes. */
export class UnfitDocumentError extends OwnError {
  override readonly name = 'UnfitDocumentError'
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
    if (fault !== undefined) return { error: new UnfitDocumentError(fault) }
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

/** Before its first event. */
const nothing: Held<never> = { position: -1n, body: undefined }

export const toWrite = (id: string, held: Held<JsonObject>): DocumentWrite =>
  held.body ? { id, position: held.position, body: held.body } : { id, position: held.position, removed: true }

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export const openFolder = async <D extends JsonObject>(options: FolderOptions<D>): Promise<Folder<D>> => {
  const { projection, collection, store, clock, cache, failed, onStored } = options
  const parked = await parkedOf(store, collection)
  const seen = options.fromStart ? openSeen() : undefined
  const { memory = openMemory(OWN_BYTES).region('documents') } = options
  const bytesOf = ({ body }: Held<D>): number => CHARACTER_BYTES * sizeOf(body)
  const kept = memory.cache<Held<D>>({ max: KEPT, sizeOf: bytesOf })
  /** Changed and not sent to the writer; on their way to the store. */
  let dirty = new Map<string, Held<D>>()
  let writing = new Map<string, Held<D>>()
  let checkpoint: Checkpoint | undefined
  let inFlight: Promise<void> | undefined
  let broken: { readonly error: unknown } | undefined
  let room = 1_024
  let flushedAt = clock.monotonic()
  /** When others last had their turn; several batches may pass without one. */
  let since = clock.monotonic()

  const held = (id: string): Held<D> | undefined => dirty.get(id) ?? writing.get(id) ?? kept.get(id)

  const load = async (missing: readonly string[], into: Map<string, Held<D>>): Promise<void> => {
    if (missing.length === 0) return
    for (const [id, write] of await store.load(collection, missing)) {
      const body = 'body' in write ? (write.body as D) : undefined
      into.set(id, { position: write.position, body })
    }
  }
  const documents: Folder<D>['documents'] = async ids => {
    const found = new Map<string, Held<D>>()
    const missing: string[] = []
    for (const id of ids) {
      const known = held(id)
      found.set(id, known ?? nothing)
      if (!known) missing.push(id)
    }
    await load(missing, found)
    return found
  }

  /** What is stored; before that what the session began at. */
  let stored = options.from ?? 0n
  /**
   * Says what has changed. While a generation is built nobody reads it: once somebody does, the cache finds that it has not
   * heard of what lies between, and knows nothing.
   */
  const announce = async (writes: readonly DocumentWrite[], position: bigint): Promise<void> => {
    const from = stored
    stored = position
    if (!cache || !projection.cacheTags || options.building?.() === true) return
    const { cacheTags } = projection
    const tags = new Set(writes.flatMap(each => cacheTags(each.id, 'body' in each ? (each.body as D) : undefined)))
    try {
      await cache.changed(collection, [...tags], from, position)
    } catch {
      // A cache that was not told will find that something is missing, and knows nothing.
    }
  }
  const greet = async (): Promise<void> => {
    if (!cache || !projection.cacheTags || options.building?.() === true) return
    // Not told, it forgets at the first change.
    await cache.changed(collection, [], stored, stored).catch(() => undefined)
  }
  const persist = async (writes: readonly DocumentWrite[], at: Checkpoint): Promise<void> => {
    const began = clock.monotonic()
    await store.apply(collection, writes, { consumer: collection, value: at })
    const took = Math.max(1, clock.monotonic() - began)
    if (writes.length >= LEAST_DIRTY)
      room = Math.round(Math.min(MOST_DIRTY, Math.max(LEAST_DIRTY, room * Math.min(2, TARGET_MS / took))))
    await announce(writes, at.position)
    onStored?.(at.position)
  }
  /** Sends what is changed to the writer; when that is done, what has changed meanwhile. */
  const flush = (): void => {
    if (inFlight || !checkpoint || broken) return
    const at = checkpoint
    checkpoint = undefined
    flushedAt = clock.monotonic()
    writing = dirty
    dirty = new Map()
    const writes = [...writing].map(([id, each]) => toWrite(id, each))
    // In the order of the ids, each slice of a large batch changes a part of the index of ids in place of all of it.
    if (writes.length > LEAST_DIRTY) writes.sort((a, b) => (a.id < b.id ? -1 : 1))
    inFlight = persist(writes, at).then(
      () => {
        for (const [id, each] of writing) kept.set(id, each)
        writing = new Map()
        inFlight = undefined
        if (due()) flush()
      },
      (error: unknown) => {
        inFlight = undefined
        broken = { error }
        failed(error)
      },
    )
  }
  const due = (): boolean =>
    checkpoint !== undefined &&
    (options.building?.() !== true || dirty.size >= room || clock.monotonic() - flushedAt >= BUILDING_MS)
  const drain = async (): Promise<void> => {
    while (!broken && (inFlight || checkpoint)) {
      flush()
      await inFlight
    }
    if (broken) throw broken.error
  }

  type Keyed = { readonly event: Recorded; readonly ids: readonly string[] }
  type Failures = Map<string, { readonly event: Recorded; readonly error: unknown }>

  /** Folds what is keyed; answers the documents that failed, with the event that did it. */
  const fold = async (keyed: readonly Keyed[], state: Map<string, Held<D>>): Promise<Failures> => {
    const failures: Failures = new Map()
    let steps = 0
    for (const { event, ids } of keyed) {
      for (const id of ids) {
        if (parked.has(id) || failures.has(id)) continue
        const before = state.get(id) ?? nothing
        // Folded before: this is a repeat after a crash or a change of holder.
        if (before.position >= event.position) continue
        const result = evolveOne(projection, before, event, id)
        if ('error' in result) {
          failures.set(id, { event, error: result.error })
          continue
        }
        if (result.held.body === before.body) continue
        state.set(id, result.held)
        // It may be stored before the checkpoint is: its position says that the event is in it.
        dirty.set(id, result.held)
      }
      steps += 1
      if ((steps & 7) === 0 && clock.monotonic() - since > TURN_MS) {
        await turn()
        since = clock.monotonic()
      }
    }
    return failures
  }

  const parkAll = async (failures: Failures): Promise<void> => {
    for (const [id, { event, error }] of failures) {
      parked.set(id, await park(store, collection, { id, event, error, now: clock.now() }))
      options.trace?.parked?.(collection, id, event, error)
    }
  }

  const process: Session['process'] = async (events, at) => {
    const keyed: Keyed[] = []
    const state = new Map<string, Held<D>>()
    const missing: string[] = []
    for (const event of events) {
      if (parked.size > 0 && parked.has(streamKey(event.stream))) continue
      try {
        const ids = keysOf(projection, event)
        keyed.push({ event, ids })
        for (const id of ids) {
          const met = seen?.add(id) ?? true
          if (state.has(id) || parked.has(id)) continue
          const known = met ? held(id) : undefined
          state.set(id, known ?? nothing)
          if (met && !known) missing.push(id)
        }
      } catch (error) {
        await parkAll(new Map([[streamKey(event.stream), { event, error }]]))
      }
    }
    await load(missing, state)
    const failures = await fold(keyed, state)
    if (failures.size > 0) await parkAll(failures)
    checkpoint = at
    if (due()) flush()
    while (dirty.size >= room && inFlight) await inFlight
    if (broken) throw broken.error
  }

  // The holder before may have ended between storing and saying so.
  await announce([], stored)

  await greet()
  return {
    parked,
    documents,
    process,
    drain,
    greet,
    size: () => BATCH,
    store: async (writes, at) => {
      await drain()
      for (const { id } of writes) {
        kept.delete(id)
        seen?.add(id)
      }
      await persist(writes, at)
    },
  }
}
