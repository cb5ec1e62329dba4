/** Ports that tell the metrics what passes through them, and are otherwise as they were. */
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import { type EventStore, EventStoreError, type LoggedEvent } from '../../ports/event-store.ts'
import type { Page, Plan, ReadStore } from '../../ports/read-store.ts'
import type { Damage } from './damage.ts'
import type { Metrics } from './metrics.ts'

/** An event is opened and read as JSON: so many characters of it take as long as a key. */
const CHARACTERS_A_KEY = 1_000
const keysOf = (events: readonly LoggedEvent[]): number =>
  events.reduce((sum, { data }) => sum + 1 + data.length / CHARACTERS_A_KEY, 0)

async function* noticing<Page>(
  pages: AsyncIterable<Page>,
  eventsOf: (page: Page) => readonly LoggedEvent[],
  { damage, gauged }: { readonly damage: Pick<Damage, 'event'>; readonly gauged?: Gauged },
): AsyncGenerator<Page> {
  for await (const page of pages) {
    const events = eventsOf(page)
    for (const event of events) if (event.damaged) damage.event(event)
    gauged?.examined(keysOf(events))
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
export type Gauged = {
  metrics?: Pick<Metrics, 'append' | 'cache' | 'batch' | 'snapshot' | 'cut'>
  /** Told of each key, document and event that is looked at, for the request that it is for. */
  readonly examined: (keys: number) => void
}

/** Times each append until it is answered, those that are sent together as one; notes each damaged event and stream that is met. */
export const measuredEventStore = <S extends EventStore>(
  store: S,
  clock: Pick<Clock, 'monotonic'>,
  gauged: Gauged,
  damage: Pick<Damage, 'event' | 'stream'>,
): S => ({
  ...store,
  readStream: (stream, options) =>
    noticing(noticingStream(store.readStream(stream, options), stream, damage), page => page, { damage, gauged }),
  readAll: (after, filter) => noticing(store.readAll(after, filter), batch => batch.events, { damage, gauged }),
  subscribe: (after, filter, signal) =>
    noticing(store.subscribe(after, filter, signal), batch => batch.events, { damage }),
  readAt: async positions => {
    const events = await store.readAt(positions)
    for (const event of events) if (event.damaged) damage.event(event)
    gauged.examined(keysOf(events))
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

/** Tells of each key and document that is examined, and of pages that end short since they have examined as many as they may. */
export const measuredReads = (store: ReadStore, gauged: Gauged): ReadStore => {
  const told = <P extends Page<unknown>>(page: P, { examine }: Plan): P => {
    gauged.examined(page.examined)
    if (page.next !== null && page.examined >= examine) gauged.metrics?.cut()
    return page
  }
  return {
    ...store,
    get: async (collection, ids) => {
      gauged.examined(ids.length)
      return store.get(collection, ids)
    },
    find: async (collection, plan) => told(await store.find(collection, plan), plan),
    select: async (collection, plan, members) => told(await store.select(collection, plan, members), plan),
  }
}

/** Counts look-ups that found something and those that did not. */
export const measuredCache = (cache: Cache, gauged: Gauged): Cache => ({
  ...cache,
  look: async (key, on) => {
    const found = await cache.look(key, on)
    gauged.metrics?.cache(found.found ? 'hit' : 'miss')
    return found
  },
})
