/** The parts that every purpose of the program stands on: stores, log, transactors, projections with all that is done to them. */
import { randomUUID } from 'node:crypto'
import type { AppOptions, Watch } from '../adapters/cli/app-port.ts'
import { memoryFor, memoryLimits } from '../adapters/host/memory.ts'
import { identifyNode } from '../adapters/host/process.ts'
import { openMeter } from '../adapters/http/meter.ts'
import { openDamage } from '../adapters/metrics/damage.ts'
import { type Gauged, measuredCache, measuredEventStore, measuredReads } from '../adapters/metrics/measured.ts'
import { BEAT_MS, openBeat } from '../commands/beat.ts'
import type { Config } from '../config/load.ts'
import type { ConsumerTrace } from '../core/consume/consume.ts'
import { IN_DATA_FOLDER, narrowFolder } from '../core/files/folders.ts'
import { openLog } from '../core/log/open.ts'
import { openShared } from '../core/log/shared.ts'
import { openMemory } from '../core/memory/memory.ts'
import { catchUp } from '../core/project/catch-up.ts'
import type { Projection } from '../core/project/define.ts'
import { openFreshness } from '../core/project/freshness.ts'
import { guarded } from '../core/project/guard.ts'
import { inspectProjection, retryProjection } from '../core/project/inspect.ts'
import { rebuild, verifyProjection } from '../core/project/rebuild.ts'
import { type ProjectionHandle, runProjection } from '../core/project/runner.ts'
import { openView, type View } from '../core/project/view.ts'
import type { SubscriberHandle } from '../core/subscribe/runner.ts'
import { openSnapshots } from '../core/write/snapshots.ts'
import { openTransactor } from '../core/write/transact.ts'
import type { JsonObject } from '../domain/event.ts'
import { wordsOf } from '../domain/own-error.ts'
import type { Clock } from '../ports/clock.ts'
import type { Checkpoint } from '../ports/read-store.ts'
import type { Identities } from '../projections/identities.ts'
import type { People } from '../projections/people.ts'
import type { TokenFollower } from '../projections/tokens.ts'
import { type Declared, openProjections, openTransactors, typesOf } from './declared.ts'
import { forgettingMail, openCacheEngine, openKeysEngine, openReadEngine, refuseLostKeys } from './engines.ts'
import { openEventStore } from './eventstore.ts'
import { lazyJobs, outwardStore } from './jobs.ts'
import { openLost } from './lost-keys.ts'

/** Of an aggregate that does not say how many of its streams are worth keeping. */
const CACHED_STREAMS = 4_000

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  // By hand: what Node's own promise does at an abort, an error with its stack, is most of what a consumer costs that is woken.
  sleep: (ms, signal) =>
    new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const end = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal?.addEventListener('abort', end)
    }),
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

export type CoreOptions = Pick<AppOptions, 'between' | 'beatMs'> & {
  readonly config: Config
  readonly clock: Clock
  readonly areas: readonly Declared[]
  /** Takes what has to be closed. */
  readonly opened: Closing[]
  /** Told what an operator should see to before there is a log to write it to; on standard error without. */
  readonly warn?: ((message: string) => void) | undefined
}

const warnOnStandardError = (message: string): void => void process.stderr.write(`lexichron: ${message}\n`)

/** Everything that reads or writes the log, whatever the program was started for. */
export const openCore = async ({
  config,
  clock,
  areas,
  opened,
  warn = warnOnStandardError,
  between = store => store,
  beatMs = BEAT_MS,
}: CoreOptions) => {
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
  const meter = openMeter()
  const gauged: Gauged = { examined: meter.add }
  const onBatch = (appends: number): void => gauged.metrics?.batch(appends)
  // Before the log: how far consumers have come says whether the log still has all that it had.
  const engine = await openReadEngine(config, { clock, newId: randomUUID, warn })
  const reads = measuredReads(hold(engine.store), gauged)
  const seen = furthest(await reads.checkpoints())
  const damage = openDamage(clock)
  const store = measuredEventStore(
    between(hold(await openEventStore(config.eventStore, { clock, seen, onBatch }))),
    clock,
    gauged,
    damage,
  )
  const { keys, lost } = openLost(forgettingMail(config, hold(await openKeysEngine(config, clock))), clock)
  const types = typesOf(areas)
  await refuseLostKeys(config, keys, { store, types })
  const memory = openMemory(config.memoryBytes ?? memoryFor(memoryLimits()))
  const caching = await openCacheEngine(config, { clock, random: Math.random, warn, logId: store.logId, memory })
  const cache = measuredCache(hold(caching.cache), gauged)
  const shared = openShared(memory.region('replays'))
  const log = openLog({ store, keys, types, shared })
  const snapshots = hold(
    openSnapshots({
      records: reads,
      logId: store.logId,
      clock,
      onResult: result => gauged.metrics?.snapshot(result),
    }),
  )
  const { transactor, forget } = openTransactors(areas, aggregate =>
    openTransactor({
      aggregate,
      log,
      clock,
      random: Math.random,
      cachedStreams: aggregate.cachedStreams ?? CACHED_STREAMS,
      memory: memory.region('streams'),
      snapshots,
    }),
  )
  const nodeId = randomUUID()
  const complain = (error: unknown): void => warn(`jobs: ${wordsOf(error)}`)
  const queue = hold(lazyJobs(config, { nodeId, clock, random: Math.random, onError: complain }))
  const { jobs } = queue
  const mailSecret = await keys.secret('mail-recipient')
  const linkSecret = await keys.secret('mail-link')
  return {
    jobs,
    outward: outwardStore(jobs),
    mailSecret,
    linkSecret,

    gauged,
    meter,
    memory,
    damage,
    store,
    keys,
    /** What of the keys could not be read lately, in a sentence. */
    lostKeys: lost,
    reads,
    engine,
    caching,
    cache,
    log,
    clock,
    newId: randomUUID as () => string,
    onBeat: openBeat(clock, beatMs),
    random: Math.random,
    areas,
    projections: await openProjections(areas, purpose => keys.secret(purpose)),
    transactor,
    forget,
    /** What its consumers share of the end of the log. */
    shared,
    freshness: openFreshness({ store: reads, clock }),
    // In events the node is its UUID alone; leases name its process too.
    nodeId,
    node: identifyNode(nodeId),
  }
}
export type Core = Awaited<ReturnType<typeof openCore>>

/** One projection with all that can be done with it. */
const bind = (core: Core, projection: Projection) => {
  const { reads, log, cache, clock, freshness, node } = core
  const store = guarded({ projection, store: reads, clock, onDamaged: core.damage.document })
  const memory = core.memory.region('documents')
  const options = { projection, store, log, cache, clock, freshness, memory, nodeId: node.id, hasEnded: node.hasEnded }
  const view = openView({ projection, store, clock, freshness })
  return {
    name: projection.name,
    version: projection.version,
    view,
    catchUp: (watch: Watch) =>
      catchUp({
        ...options,
        view,
        signal: watch.signal,
        onProgress: told(watch, `read the log into ${projection.name}`),
      }),
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

/** The read models of the areas. */
export const bindAll = (core: Core) => {
  const all = core.projections.map(projection => bind(core, projection))
  const byName = new Map(all.map(bound => [bound.name, bound]))
  if (byName.size < all.length) throw new TypeError('two projections of one name')
  return {
    all,
    /** What every read model of this node reflects at least. */
    position: (): bigint => {
      let least: bigint | undefined
      for (const { view } of all) if (least === undefined || view.position() < least) least = view.position()
      return least ?? 0n
    },
    /** @throws {TypeError} when no area has it. */
    of: <D extends JsonObject>({ name }: Projection<D>): View<D> => {
      const bound = byName.get(name)
      if (!bound) throw new TypeError(`the projection ${name} is in no area`)
      // What is kept under its name was folded by it: its documents are of its type.
      return bound.view as View<D>
    },
  }
}
export type Views = ReturnType<typeof bindAll>

/** What runs in the background of a service. */
export type Running = {
  readonly projections: readonly { readonly name: string; readonly handle: ProjectionHandle }[]
  readonly subscribers: readonly { readonly name: string; readonly handle: SubscriberHandle }[]
  readonly follower: TokenFollower
  readonly identities: Identities
  readonly people: People & Pick<TokenFollower, 'position' | 'reached'>
}
