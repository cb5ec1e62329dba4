/** Ports that tell the metrics what passes through them, and are otherwise as they were. */
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore } from '../../ports/event-store.ts'
import { EventStoreError } from '../../ports/event-store.ts'
import type { Metrics } from './metrics.ts'

/** Filled once the metrics are open: the stores are opened before them. */
export type Gauged = { metrics?: Pick<Metrics, 'append' | 'cache' | 'batch'> }

/** Times each append until it is answered; those that are sent together count as one. */
export const measuredEventStore = <S extends EventStore>(
  store: S,
  clock: Pick<Clock, 'monotonic'>,
  gauged: Gauged,
): S => ({
  ...store,
  append: async (stream, expected, events) => {
    const began = clock.monotonic()
    try {
      const result = await store.append(stream, expected, events)
      gauged.metrics?.append(result.outcome, clock.monotonic() - began)
      return result
    } catch (error) {
      gauged.metrics?.append('failed', clock.monotonic() - began)
      throw error
    }
  },
  appendMany: async appends => {
    const began = clock.monotonic()
    try {
      const results = await store.appendMany(appends)
      const failed = results.some(each => each instanceof EventStoreError)
      gauged.metrics?.append(failed ? 'failed' : 'written', clock.monotonic() - began)
      return results
    } catch (error) {
      gauged.metrics?.append('failed', clock.monotonic() - began)
      throw error
    }
  },
})

/** Counts look-ups that found something and those that did not. */
export const measuredCache = (cache: Cache, gauged: Gauged): Cache => ({
  ...cache,
  look: async (key, on) => {
    const found = await cache.look(key, on)
    gauged.metrics?.cache(found.found ? 'hit' : 'miss')
    return found
  },
})
