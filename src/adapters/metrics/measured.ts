/** Ports that tell the metrics what passes through them, and are otherwise as they were. */
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import { type EventStore, EventStoreError, type LoggedEvent } from '../../ports/event-store.ts'
import type { Damage } from './damage.ts'
import type { Metrics } from './metrics.ts'

async function* noticing<Page>(
  pages: AsyncIterable<Page>,
  eventsOf: (page: Page) => readonly LoggedEvent[],
  damage: Pick<Damage, 'event'>,
): AsyncGenerator<Page> {
  for await (const page of pages) {
    for (const event of eventsOf(page)) if (event.damaged) damage.event(event)
    yield page
  }
}

const isDamaged = (error: unknown): boolean => error instanceof EventStoreError && error.code === 'damaged'

async function* noticingStream<Page>(
  pages: AsyncIterable<Page>,
  stream: string,
  damage: Pick<Damage, 'stream'>,
): AsyncGenerator<Page> {
  try {
    yield* pages
  } catch (error) {
    if (isDamaged(error)) damage.stream(stream)
    throw error
  }
}

/** Filled once the metrics are open: the stores are opened before them. */
export type Gauged = { metrics?: Pick<Metrics, 'append' | 'cache' | 'batch' | 'snapshot'> }

/** Times each append until it is answered, those that are sent together as one; notes each damaged event and stream that is met. */
export const measuredEventStore = <S extends EventStore>(
  store: S,
  clock: Pick<Clock, 'monotonic'>,
  gauged: Gauged,
  damage: Pick<Damage, 'event' | 'stream'>,
): S => ({
  ...store,
  readStream: (stream, options) =>
    noticing(noticingStream(store.readStream(stream, options), stream, damage), page => page, damage),
  readAll: (after, filter) => noticing(store.readAll(after, filter), batch => batch.events, damage),
  subscribe: (after, filter, signal) => noticing(store.subscribe(after, filter, signal), batch => batch.events, damage),
  readAt: async positions => {
    const events = await store.readAt(positions)
    for (const event of events) if (event.damaged) damage.event(event)
    return events
  },
  append: async (stream, expected, events) => {
    const began = clock.monotonic()
    try {
      const result = await store.append(stream, expected, events)
      gauged.metrics?.append(result.outcome, clock.monotonic() - began)
      return result
    } catch (error) {
      if (isDamaged(error)) damage.stream(stream)
      gauged.metrics?.append('failed', clock.monotonic() - began)
      throw error
    }
  },
  appendMany: async appends => {
    const began = clock.monotonic()
    try {
      const results = await store.appendMany(appends)
      for (const [at, { stream }] of appends.entries()) if (isDamaged(results[at])) damage.stream(stream)
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
