/** The parts that every purpose of the program stands on: stores, log, transactors, projections with all that is done to them. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Watch } from '../adapters/cli/app-port.ts'
import { memoryFor, memoryLimits } from '../adapters/host/memory.ts'
import { identifyNode } from '../adapters/host/process.ts'
import { openDamage } from '../adapters/metrics/damage.ts'
import { type Gauged, measuredCache, measuredEventStore } from '../adapters/metrics/measured.ts'
import type { Config } from '../config/load.ts'
import type { ConsumerTrace } from '../core/consume/consume.ts'
import { IN_DATA_FOLDER, narrowFolder } from '../core/files/folders.ts'
import { openLog } from '../core/log/open.ts'
import { openMemory } from '../core/memory/memory.ts'
import type { Projection } from '../core/project/define.ts'
import { openFreshness } from '../core/project/freshness.ts'
import { guarded } from '../core/project/guard.ts'
import { inspectProjection, retryProjection } from '../core/project/inspect.ts'
import { rebuild, verifyProjection } from '../core/project/rebuild.ts'
import { type ProjectionHandle, runProjection } from '../core/project/runner.ts'
import { openView } from '../core/project/view.ts'
import type { SubscriberHandle } from '../core/subscribe/runner.ts'
import { openSnapshots } from '../core/write/snapshots.ts'
import { openTransactor } from '../core/write/transact.ts'
import { blockAggregate, blockEvents } from '../domain/access/block.ts'
import { tokenAggregate, tokenEvents } from '../domain/access/token.ts'
import { accountAggregate, accountEvents } from '../domain/account/account.ts'
import { administratorsAggregate, administratorsEvents } from '../domain/account/administrators.ts'
import { lookupAggregate, lookupEvents } from '../domain/account/lookup.ts'
import { addressAggregate } from '../domain/address/address.ts'
import { addressEvents } from '../domain/address/address-events.ts'
import { addressKeysAggregate, addressKeysEvents } from '../domain/address/keys.ts'
import { mailAggregate, mailEvents } from '../domain/address/mail-refusal.ts'
import type { Aggregate } from '../domain/decider.ts'
import { dayAggregate, dayEvents } from '../domain/entry/day.ts'
import { entryEvents } from '../domain/entry/events.ts'
import { importAggregate, importEvents } from '../domain/entry/import.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import type { DomainEvent, JsonObject } from '../domain/event.ts'
import { historyEvents } from '../domain/history/history.ts'
import { openIdClaimAggregate, openIdClaimEvents } from '../domain/openid/claim.ts'
import { linkedIdentitiesAggregate, linkedIdentitiesEvents } from '../domain/openid/linked-identities.ts'
import { nameAggregate, nameEvents } from '../domain/profile/name-claim.ts'
import { preferencesAggregate, preferencesEvents } from '../domain/profile/preferences.ts'
import { profileAggregate, profileEvents } from '../domain/profile/profile.ts'
import { searchesEvents } from '../domain/search/searches.ts'
import { deviceEvents, devicesAggregate } from '../domain/session/devices.ts'
import { passkeyEvents, passkeysAggregate } from '../domain/session/passkeys.ts'
import { factorEvents, factorsAggregate } from '../domain/session/second-factor.ts'
import { sessionAggregate, sessionEvents } from '../domain/session/session.ts'
import type { Clock } from '../ports/clock.ts'
import type { Checkpoint } from '../ports/read-store.ts'
import { accountsProjection } from '../projections/accounts.ts'
import { analyticsProjection } from '../projections/analytics.ts'
import { entriesProjection } from '../projections/entries.ts'
import { historyProjection } from '../projections/history.ts'
import type { Identities } from '../projections/identities.ts'
import type { PeopleFollower } from '../projections/people.ts'
import { searchProjection } from '../projections/search.ts'
import type { TokenFollower } from '../projections/tokens.ts'
import { forgettingMail, openCacheEngine, openKeysEngine, openReadEngine } from './engines.ts'
import { openEventStore } from './eventstore.ts'
import { lazyJobs, outwardStore } from './jobs.ts'

/** Every event type that this version reads and writes. */
const eventTypes = [
  ...entryEvents,
  ...dayEvents,
  ...tokenEvents,
  ...importEvents,
  ...searchesEvents,
  ...historyEvents,
  ...addressEvents,
  ...addressKeysEvents,
  ...accountEvents,
  ...sessionEvents,
  ...administratorsEvents,
  ...profileEvents,
  ...preferencesEvents,
  ...nameEvents,
  ...blockEvents,
  ...lookupEvents,
  ...mailEvents,
  ...openIdClaimEvents,
  ...linkedIdentitiesEvents,
  ...factorEvents,
  ...deviceEvents,
  ...passkeyEvents,
]

const CACHED_STREAMS = 4_000

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal && { signal }).catch(() => undefined)
  },
}

/** What runs until the program is closed, and how to end it. */
export type Closing = { readonly close: () => Promise<unknown> }

/** The furthest position of any consumer, by log. */
const furthest = (checkpoints: ReadonlyMap<string, Checkpoint>): ReadonlyMap<string, bigint> => {
  const positions = new Map<string, bigint>()
  for (const { logId, position } of checkpoints.values())
    if (position > (positions.get(logId) ?? 0n)) positions.set(logId, position)
  return positions
}

/** Everything that reads or writes the log, whatever the program was started for. */
export const openCore = async (
  config: Config,
  clock: Clock,
  opened: Closing[],
  /** Told what an operator should see to before there is a log to write it to. */
  warn: (message: string) => void = message => void process.stderr.write(`lexichron: ${message}\n`),
) => {
  const engines: Closing[] = []
  const hold = <T extends Closing>(part: T): T => {
    engines.push(part)
    return part
  }
  // Beside one another, since none needs another: the one whose file is held or whose server is away takes no time of the rest.
  opened.push({
    close: async () => {
      const ends = await Promise.allSettled(engines.map(engine => engine.close()))
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
  })
  narrowFolder(config.dataDir, IN_DATA_FOLDER)
  const gauged: Gauged = {}
  const onBatch = (appends: number): void => gauged.metrics?.batch(appends)
  // Before the log: how far consumers have come says whether the log still has all that it had.
  const engine = await openReadEngine(config, { clock, newId: randomUUID, warn })
  const reads = hold(engine.store)
  const seen = furthest(await reads.checkpoints())
  const damage = openDamage(clock)
  const store = measuredEventStore(
    hold(await openEventStore(config.eventStore, { clock, seen, onBatch })),
    clock,
    gauged,
    damage,
  )
  const keys = forgettingMail(config, hold(await openKeysEngine(config, clock)))
  const memory = openMemory(config.memoryBytes ?? memoryFor(memoryLimits()))
  const caching = await openCacheEngine(config, { clock, random: Math.random, warn, logId: store.logId, memory })
  const cache = measuredCache(hold(caching.cache), gauged)
  const log = openLog({ store, keys, types: eventTypes })
  const snapshots = hold(
    openSnapshots({
      records: reads,
      logId: store.logId,
      clock,
      onResult: result => gauged.metrics?.snapshot(result),
    }),
  )
  const transactor = <State, E extends DomainEvent>(aggregate: Aggregate<State, E>) =>
    openTransactor({
      aggregate,
      log,
      clock,
      random: Math.random,
      cachedStreams: CACHED_STREAMS,
      memory: memory.region('streams'),
      snapshots,
    })
  const nodeId = randomUUID()
  const complain = (error: unknown): void => warn(`jobs: ${error instanceof Error ? error.message : String(error)}`)
  const queue = hold(lazyJobs(config, { nodeId, clock, random: Math.random, onError: complain }))
  const { jobs } = queue
  const mailSecret = await keys.secret('mail-recipient')
  const linkSecret = await keys.secret('mail-link')
  const nameSecret = await keys.secret('name-search')
  return {
    jobs,
    outward: outwardStore(jobs),
    mailSecret,
    linkSecret,
    nameSecret,

    gauged,
    memory,
    damage,
    store,
    keys,
    reads,
    engine,
    caching,
    cache,
    log,
    clock,
    newId: randomUUID as () => string,
    random: Math.random,
    entries: transactor(entryAggregate),
    days: transactor(dayAggregate),
    tokens: transactor(tokenAggregate),
    imports: transactor(importAggregate),
    addresses: transactor(addressAggregate),
    addressKeys: transactor(addressKeysAggregate),
    accounts: transactor(accountAggregate),
    sessions: transactor(sessionAggregate),
    profiles: transactor(profileAggregate),
    preferences: transactor(preferencesAggregate),
    names: transactor(nameAggregate),
    blocks: transactor(blockAggregate),
    lookups: transactor(lookupAggregate),
    passkeys: transactor(passkeysAggregate),
    devices: transactor(devicesAggregate),
    factors: transactor(factorsAggregate),
    openIdClaims: transactor(openIdClaimAggregate),
    linkedIdentities: transactor(linkedIdentitiesAggregate),
    administrators: transactor(administratorsAggregate),
    mails: transactor(mailAggregate),
    freshness: openFreshness({ store: reads, clock }),
    // In events the node is its UUID alone; leases name its process too.
    nodeId,
    node: identifyNode(nodeId),
  }
}
export type Core = Awaited<ReturnType<typeof openCore>>

/** One projection with all that can be done with it. */
const bind = <D extends JsonObject>(core: Core, projection: Projection<D>) => {
  const { reads, log, cache, clock, freshness, node } = core
  const store = guarded({ projection, store: reads, clock, onDamaged: core.damage.document })
  const memory = core.memory.region('documents')
  const options = { projection, store, log, cache, clock, freshness, memory, nodeId: node.id, hasEnded: node.hasEnded }
  return {
    name: projection.name,
    version: projection.version,
    view: openView({ projection, store, clock, freshness }),
    run: (signal: AbortSignal, onError: (message: string) => void, trace: ConsumerTrace) =>
      runProjection({ ...options, signal, onError, trace }),
    inspect: () => inspectProjection({ store, log }, projection),
    retry: () => retryProjection(store, projection, clock.now()),
    rebuild: (watch: Watch) =>
      rebuild({ ...options, signal: watch.signal, onProgress: told(watch, `rebuild ${projection.name}`) }),
    verify: (watch: Watch) =>
      verifyProjection({
        ...options,
        store: reads,
        signal: watch.signal,
        onProgress: told(watch, `verify ${projection.name}`),
      }),
  }
}

/**
 * Positions are not dense and other consumers' events lie between, so how many there will be is reckoned from how many
 * there were on the way so far; a rebuild that was taken up again counts from there on.
 */
const told = (watch: Watch, step: string) => {
  let from: number | undefined
  return ({ progress, events }: { readonly progress: number; readonly events: number }): void => {
    from ??= progress
    const total = progress > from ? Math.round((events * (1 - from)) / (progress - from)) : 0
    watch.onProgress({ step, done: events, total: Math.max(total, events), unit: 'events' })
  }
}

export const bindAll = (core: Core) => ({
  entries: bind(core, entriesProjection),
  search: bind(core, searchProjection),
  analytics: bind(core, analyticsProjection),
  history: bind(core, historyProjection),
  accounts: bind(core, accountsProjection(core.nameSecret)),
})
export type Views = ReturnType<typeof bindAll>

/** What runs in the background of a service. */
export type Running = {
  readonly projections: readonly { readonly name: string; readonly handle: ProjectionHandle }[]
  readonly subscribers: readonly { readonly name: string; readonly handle: SubscriberHandle }[]
  readonly follower: TokenFollower
  readonly identities: Identities
  readonly people: PeopleFollower
}
