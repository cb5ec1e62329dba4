/** Tries parked documents again: the events that waited are read from the log once, for all of them, in order. */

import type { JsonObject, Recorded } from '../../domain/event.ts'
import { describeFailure, OwnError } from '../../domain/own-error.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import type { Checkpoint, CollectionName, ReadStore } from '../../ports/read-store.ts'
import { type Parked, repark, streamKey, unpark } from '../consume/parking.ts'
import type { Log } from '../log/log.ts'
import type { Projection } from './define.ts'
import { evolveOne, type Folder, type Held, keysOf, toWrite } from './fold.ts'

export type RetryOptions<D extends JsonObject> = {
  readonly projection: Projection<D>
  readonly collection: CollectionName
  readonly folder: Folder<D>
  readonly log: Pick<Log, 'readFrom'>
  readonly filter: LogFilter
  readonly store: ReadStore
  readonly clock: Pick<Clock, 'now'>
  /** Everything up to here has been processed. */
  readonly checkpoint: Checkpoint
}

type Failure = { readonly event: Recorded; readonly error: unknown }

/** What an event means to the parked: the stream that waits as a whole, or the documents. */
type Due = { readonly event: Recorded; readonly ids: readonly string[]; readonly stream: string | undefined }

const waits = (parked: ReadonlyMap<string, Parked>, id: string, event: Recorded): boolean => {
  const since = parked.get(id)
  return since !== undefined && event.position >= since.position
}

/** What succeeded is stored before its record goes; what failed again waits from the event that failed now. */
export const retryParked = async <D extends JsonObject>(options: RetryOptions<D>): Promise<void> => {
  const { projection, collection, folder, log, filter, store, clock, checkpoint } = options
  const { parked } = folder
  if (parked.size === 0) return
  const first = [...parked.values()].reduce(
    (least, each) => (each.position < least ? each.position : least),
    checkpoint.position,
  )
  const state = new Map<string, Held<D>>()
  const touched = new Set<string>()
  const failures = new Map<string, Failure>()

  const dueOf = (event: Recorded): Due | undefined => {
    const stream = streamKey(event.stream)
    const whole = waits(parked, stream, event)
    if (whole && failures.has(stream)) return undefined
    try {
      const ids = keysOf(projection, event).filter(id => whole || waits(parked, id, event))
      return ids.length > 0 ? { event, ids, stream: whole ? stream : undefined } : undefined
    } catch (error) {
      if (whole) failures.set(stream, { event, error })
      return undefined
    }
  }
  const apply = ({ event, ids, stream }: Due): void => {
    for (const id of ids) {
      if (failures.has(id)) continue
      const before = state.get(id) ?? { position: -1n, body: undefined }
      if (before.position >= event.position) {
        if (stream !== undefined && !parked.has(id))
          failures.set(stream, { event, error: new OwnError(`document ${id} went on without this event: rebuild it`) })
        continue
      }
      const result = evolveOne(projection, before, event, id)
      if ('error' in result) failures.set(id, { event, error: result.error })
      else if (result.held.body !== before.body) {
        state.set(id, result.held)
        touched.add(id)
      }
    }
  }

  for await (const batch of log.readFrom(first, filter)) {
    const due = batch.events.filter(each => each.position <= checkpoint.position).flatMap(each => dueOf(each) ?? [])
    const missing = due.flatMap(each => each.ids).filter(id => !state.has(id))
    for (const [id, held] of await folder.documents(new Set(missing))) state.set(id, held)
    for (const each of due) apply(each)
    if (batch.position >= checkpoint.position) break
  }

  const writes = [...touched].map(id => toWrite(id, state.get(id) ?? { position: -1n, body: undefined }))
  await folder.store(writes, checkpoint)
  const now = clock.now().toISOString()
  for (const [id, before] of [...parked]) {
    const failure = failures.get(id)
    if (!failure) {
      await unpark(store, collection, id)
      parked.delete(id)
      continue
    }
    const { event, error } = failure
    const again: Parked = {
      id,
      position: event.position,
      eventId: event.id,
      type: event.type,
      error: describeFailure(error),
      since: before.since ?? now,
      attempts: before.attempts + 1,
    }
    await repark(store, collection, again)
    parked.set(id, again)
  }
}
