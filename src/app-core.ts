/** The parts that every purpose of the program stands on: stores, log, transactors, projections with all that is done to them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { openMemoryCache } from './adapters/cache/memory.ts'
import type { Watch } from './adapters/cli/app-port.ts'
import { openSqliteEventStore } from './adapters/eventstore/sqlite/store.ts'
import type { Health, HealthPart } from './adapters/http/deps.ts'
import { openFileKeys } from './adapters/keys/file.ts'
import { openSqliteReadStore } from './adapters/readstore/sqlite/store.ts'
import { openTransactor } from './commands/transact.ts'
import type { Config } from './config.ts'
import { dayAggregate, dayEvents } from './domain/day.ts'
import type { Aggregate } from './domain/decider.ts'
import { entryAggregate } from './domain/entry.ts'
import { entryEvents } from './domain/entry-events.ts'
import type { DomainEvent, JsonObject } from './domain/event.ts'
import { historyEvents } from './domain/history.ts'
import { importAggregate, importEvents } from './domain/import.ts'
import { searchesEvents } from './domain/searches.ts'
import { tokenAggregate, tokenEvents } from './domain/token.ts'
import { openLog } from './log/open.ts'
import type { Clock } from './ports/clock.ts'
import { analyticsProjection } from './projections/analytics.ts'
import type { Projection } from './projections/define.ts'
import { entriesProjection } from './projections/entries.ts'
import { openFreshness } from './projections/freshness.ts'
import { historyProjection } from './projections/history.ts'
import { inspectProjection, retryProjection } from './projections/inspect.ts'
import { rebuild, verifyProjection } from './projections/rebuild.ts'
import { type ProjectionHandle, runProjection } from './projections/runner.ts'
import { searchProjection } from './projections/search.ts'
import type { TokenFollower } from './projections/tokens.ts'
import { openView } from './projections/view.ts'
import type { Subscriber } from './subscribers/define.ts'
import { inspectSubscriber, retrySubscriber } from './subscribers/inspect.ts'
import { redactionSubscriber } from './subscribers/redaction.ts'
import type { SubscriberHandle } from './subscribers/runner.ts'
import { runSubscriber } from './subscribers/runner.ts'

/** Every event type that this version reads and writes. */
const eventTypes = [...entryEvents, ...dayEvents, ...tokenEvents, ...importEvents, ...searchesEvents, ...historyEvents]

const CACHED_STREAMS = 4_000
const CACHED_VALUES = 50_000

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal && { signal }).catch(() => undefined)
  },
}

/** What runs until the program is closed, and how to end it. */
export type Closing = { readonly close: () => Promise<unknown> }

/** Everything that reads or writes the log, whatever the program was started for. */
export const openCore = async (config: Config, clock: Clock, opened: Closing[]) => {
  const hold = <T extends Closing>(part: T): T => {
    opened.push(part)
    return part
  }
  const store = hold(await openSqliteEventStore({ path: config.eventStore.path, clock, newId: randomUUID }))
  const keys = hold(await openFileKeys({ folder: config.keys.path, randomBytes, clock }))
  const reads = hold(await openSqliteReadStore({ path: config.readStore.path, clock }))
  const cache = hold(openMemoryCache({ clock, max: CACHED_VALUES }))
  const log = openLog({ store, keys, types: eventTypes })
  const transactor = <State, E extends DomainEvent>(aggregate: Aggregate<State, E>) =>
    openTransactor({ aggregate, log, clock, random: Math.random, cachedStreams: CACHED_STREAMS })
  return {
    ...{ store, keys, reads, cache, log, clock, newId: randomUUID as () => string, random: Math.random },
    entries: transactor(entryAggregate),
    days: transactor(dayAggregate),
    tokens: transactor(tokenAggregate),
    imports: transactor(importAggregate),
    freshness: openFreshness({ store: reads, clock }),
    nodeId: randomUUID(),
  }
}
export type Core = Awaited<ReturnType<typeof openCore>>

/** One projection with all that can be done with it. */
const bind = <D extends JsonObject>(core: Core, projection: Projection<D>) => {
  const { reads: store, log, cache, clock, freshness, nodeId } = core
  const options = { projection, store, log, cache, clock, freshness, nodeId }
  return {
    name: projection.name,
    view: openView({ projection, store, clock, freshness }),
    run: (signal: AbortSignal, onError: (message: string) => void) => runProjection({ ...options, signal, onError }),
    inspect: () => inspectProjection({ store, log }, projection),
    retry: () => retryProjection(store, projection, clock.now()),
    rebuild: (watch: Watch) =>
      rebuild({ ...options, signal: watch.signal, onProgress: told(watch, `rebuild ${projection.name}`) }),
    verify: (watch: Watch) =>
      verifyProjection({ ...options, signal: watch.signal, onProgress: told(watch, `verify ${projection.name}`) }),
  }
}

/** Positions are not dense, so progress is told in thousandths of the way. */
const told = (watch: Watch, step: string) => (at: { readonly progress: number }) =>
  watch.onProgress({ step, done: Math.round(at.progress * 1000), total: 1000, unit: 'events' })

export const bindAll = (core: Core) => ({
  entries: bind(core, entriesProjection),
  search: bind(core, searchProjection),
  analytics: bind(core, analyticsProjection),
  history: bind(core, historyProjection),
})
export type Views = ReturnType<typeof bindAll>

/** One subscriber with all that can be done with it. */
const bindSubscriber = (core: Core, subscriber: Subscriber) => {
  const { reads: store, log, clock, nodeId } = core
  return {
    name: subscriber.name,
    run: (signal: AbortSignal, onError: (message: string) => void) =>
      runSubscriber({ subscriber, log, store, clock, nodeId, signal, onError }),
    inspect: () => inspectSubscriber({ store, log }, subscriber),
    retry: () => retrySubscriber(store, subscriber, clock.now()),
  }
}

/** Every subscriber of the service: a new one is one line more. */
export const bindSubscribers = (core: Core) => [bindSubscriber(core, redactionSubscriber(core))]
export type Subscribers = ReturnType<typeof bindSubscribers>

/** The parts of the service as /health shows them. */
export const healthOf = (core: Core, running: Running, views: Views) => async (): Promise<Health> => {
  const checked = async (ask: () => Promise<unknown>): Promise<HealthPart> =>
    ask().then(
      (): HealthPart => ({ state: 'ok' }),
      (): HealthPart => ({ state: 'failed' }),
    )
  const projections = await Promise.all(
    running.projections.map(async ({ name, handle }): Promise<readonly [string, HealthPart]> => {
      const status = await handle.status().catch(() => undefined)
      if (!status) return [`projection ${name}`, { state: 'failed' }]
      const { state, lag, parked, error, progress } = status
      const bad = state === 'stopped' || parked > 0 || error !== undefined
      const detail = { state, parked, progress, ...(error !== undefined && { error }) }
      return [`projection ${name}`, { state: bad ? 'degraded' : 'ok', lag: String(lag), detail }]
    }),
  )
  const subscribers = await Promise.all(
    running.subscribers.map(async ({ name, handle }): Promise<readonly [string, HealthPart]> => {
      const status = await handle.status().catch(() => undefined)
      if (!status) return [`subscriber ${name}`, { state: 'failed' }]
      const { state, lag, parked, error } = status
      const bad = state === 'stopped' || parked > 0 || error !== undefined
      const detail = { state, parked, ...(error !== undefined && { error }) }
      return [`subscriber ${name}`, { state: bad ? 'degraded' : 'ok', lag: String(lag), detail }]
    }),
  )
  const deafMs = Math.round(core.clock.monotonic() - running.follower.heardAt())
  const parts: Readonly<Record<string, HealthPart>> = {
    eventStore: await checked(() => core.log.head()),
    readStore: await checked(() => core.reads.ping()),
    tokens: { state: deafMs < 10_000 ? 'ok' : 'degraded', ...(Number.isFinite(deafMs) && { ageMs: deafMs }) },
    ...Object.fromEntries([...projections, ...subscribers]),
  }
  const states = Object.values(parts).map(part => part.state)
  const ready =
    parts['eventStore']?.state === 'ok' &&
    (await Promise.all(Object.values(views).map(each => each.view.ready())).catch(() => [false])).every(Boolean)
  return { state: states.includes('failed') ? 'failed' : states.includes('degraded') ? 'degraded' : 'ok', ready, parts }
}

/** What runs in the background of a service. */
export type Running = {
  readonly projections: readonly { readonly name: string; readonly handle: ProjectionHandle }[]
  readonly subscribers: readonly { readonly name: string; readonly handle: SubscriberHandle }[]
  readonly follower: TokenFollower
}
