/**
 * A removal deletes its documents from every generation there is: also from one that was replaced and is kept for who still
 * reads it, from one that is being built, and from one whose document is parked, none of which the fold of the live one
 * reaches in time. Documents carry the position they have seen, so that nobody writes an older one over the tombstone. For the same
 * reason a build begins with the tombstones of all that was removed before: text that the log has in the clear is then folded, and
 * never written.
 */

import { defined } from '../../domain/defined.ts'
import type { JsonObject, Recorded } from '../../domain/event.ts'
import { markOf } from '../../domain/mark.ts'
import { describeFailure, OwnError } from '../../domain/own-error.ts'
import { type CollectionName, type DocumentWrite, type ReadStore, ReadStoreError } from '../../ports/read-store.ts'
import type { ConsumedLog } from '../consume/consume.ts'
import { restingOn } from '../consume/mark.ts'
import { UndecodableEventError } from '../log/log.ts'
import { type Projection, parseCollectionName } from './define.ts'
import { keysOf } from './fold.ts'

/** Under this name it is kept how far documents were removed; nothing is read from it. */
const CONSUMER = 'removals'
const NONE = { eventId: '' }

type Store = Pick<ReadStore, 'apply' | 'collections'>

export type Removing = (events: readonly Recorded[]) => Promise<void>

/** The ids of the documents that an event removes, by projection. */
export type RemovedBy = { readonly name: string; readonly idsOf: (event: Recorded) => readonly string[] }

export const removedBy = <D extends JsonObject>(projection: Projection<D>): RemovedBy => ({
  name: projection.name,
  idsOf: event => keysOf(projection, event).filter(id => projection.evolve(undefined, event, id) === undefined),
})

const checkpointAt = (logId: string, last: Recorded) => ({
  logId,
  position: last.position,
  eventId: restingOn(markOf(last.id, last.meta.at), last, NONE),
  token: 0,
})

const tombstones = ({ idsOf }: RemovedBy, events: readonly Recorded[]): readonly DocumentWrite[] =>
  events.flatMap(event => idsOf(event).map((id): DocumentWrite => ({ id, position: event.position, removed: true })))

/**
 * Before a collection's first event, which must be there: what is removed from now on, `openRemoving` finds it by. An event that
 * cannot be read ends it: the build comes no further either.
 */
export const passOverRemoved = async <D extends JsonObject>(
  { store, log }: { readonly store: Pick<ReadStore, 'apply'>; readonly log: Pick<ConsumedLog, 'logId' | 'readFrom'> },
  projection: Projection<D>,
  collection: CollectionName,
): Promise<void> => {
  const { categories, removals } = projection
  if (!removals) return
  try {
    for await (const { events } of log.readFrom(0n, defined({ categories, types: removals }))) {
      const last = events.at(-1)
      if (!last) continue
      const value = checkpointAt(log.logId, last)
      await store.apply(collection, tombstones(removedBy(projection), events), { consumer: CONSUMER, value })
    }
  } catch (error) {
    if (!(error instanceof UndecodableEventError)) throw error
  }
}

/**
 * Repeating it is harmless. One collection that cannot be written holds up none of the others; nor, since what it throws is then no
 * outage, the removals that come after.
 */
export const openRemoving =
  (store: Store, logId: string, projections: readonly RemovedBy[]): Removing =>
  async events => {
    const last = events.at(-1)
    if (!last) return
    const checkpoint = checkpointAt(logId, last)
    const failed: { readonly collection: string; readonly error: unknown }[] = []
    let written = 0
    for (const collection of await store.collections()) {
      const name = parseCollectionName(collection)?.name
      const projection = projections.find(known => known.name === name)
      if (!projection) continue
      try {
        await store.apply(collection, tombstones(projection, events), { consumer: CONSUMER, value: checkpoint })
        written += 1
      } catch (error) {
        // It was dropped meanwhile, and all that it held with it.
        if (!(error instanceof ReadStoreError && error.code === 'gone')) failed.push({ collection, error })
      }
    }
    const [first] = failed
    if (!first) return
    if (written === 0) throw first.error
    const names = failed.map(({ collection }) => collection).join(', ')
    // Without its cause, by which it would be an outage that everything waits for.
    throw new OwnError(`what was removed still stands in ${names}: ${describeFailure(first.error)}`)
  }
