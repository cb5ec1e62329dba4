/** What the service says of itself: the parts as /health shows them, and as the metrics count them. */

import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { NodesReport } from '../adapters/cache/presence.ts'
import { DEAF_MS } from '../adapters/http/authority.ts'
import type { Health, HealthPart } from '../adapters/http/operation.ts'
import type { Housekeeping } from '../adapters/jobs/housekeeping.ts'
import type { ServiceLog } from '../adapters/logging/service-log.ts'
import { damageDetail } from '../adapters/metrics/damage.ts'
import type { ConsumerStats, LiveStats } from '../adapters/metrics/sources.ts'
import type { Config } from '../config/load.ts'
import { defined } from '../domain/defined.ts'
import { OwnError, wordsOf } from '../domain/own-error.ts'
import type { JobCounts } from '../ports/jobs.ts'
import type { Core, Running, Views } from './core.ts'
import { erasuresPart } from './erasure.ts'
import { openLivePart } from './health-live.ts'
import { signingKeyAge } from './housekeeping.ts'
import type { MailReport } from './mail.ts'

export type HealthSources = {
  readonly core: Core
  readonly config: Config
  readonly running: Running
  readonly views: Views
  readonly housekeeping: Housekeeping
  readonly log: ServiceLog
  /** Of the queue and the mail. */
  readonly mail: () => Promise<MailReport>
  /** Of all nodes, as far as they can be seen. */
  readonly nodes: () => NodesReport
  /** Of the block list, as far as this node knows it. */
  readonly blocks: () => HealthPart
  /** Of the locks on the files of embedded engines; undefined where there are none. */
  readonly locks: () => HealthPart | undefined
  /** Of text that is to be gone. */
  readonly removals: () => HealthPart
  /** How much of the dictionary is there, in percent, while it is being filled. */
  readonly filling: () => number | undefined
  /** Of the live hub, where there is one. */
  readonly live?: () => LiveStats
}

export type HealthReport = Health & {
  readonly consumers: readonly ConsumerStats[]
  readonly figures: {
    readonly head?: bigint
    readonly tokenAgeMs?: number
    readonly liveBehindMs?: number
    readonly signingKeyAgeMs?: number
    readonly diskFreeBytes?: number
    readonly longStreams?: number
    readonly jobs?: JobCounts
  }
}

/** An answer may be this old, in milliseconds: probes and scrapes of any number cost one look. */
const FRESH_MS = 250
/** A part that does not answer within this time has failed, in milliseconds. */
const PATIENCE_MS = 2_000
const LONG_STREAMS_SHOWN = 20
/** Less than this is left, in bytes or as a share: time to make room. */
const SCARCE_BYTES = 512 * 1024 * 1024
const SCARCE_SHARE = 0.05
/** Less than a command may need, in bytes. */
const FULL_BYTES = 128 * 1024

type Found<F> = { readonly part: HealthPart; readonly figures?: F }
type Statused = Awaited<ReturnType<Running['subscribers'][number]['handle']['status']>> & {
  readonly rate?: number
  readonly progress?: number
}

const within = async <T>(core: Core, work: () => Promise<T>): Promise<T> => {
  const waiting = new AbortController()
  try {
    return await Promise.race([
      work(),
      core.clock.sleep(PATIENCE_MS, waiting.signal).then(() => {
        throw new OwnError(`no answer within ${PATIENCE_MS} ms`)
      }),
    ])
  } finally {
    waiting.abort()
  }
}

/** A part that tells of itself; what it throws is that it has failed. */
const ask = async <F>(core: Core, work: () => Promise<Found<F>>): Promise<Found<F>> => {
  const began = core.clock.monotonic()
  try {
    return await within(core, work)
  } catch (error) {
    const reason = wordsOf(error)
    return { part: { state: 'failed', ageMs: Math.round(core.clock.monotonic() - began), detail: { reason } } }
  }
}

const consumerPart = (status: Statused): HealthPart => {
  const { state, lag, parked, error, progress, rate } = status
  const bad = state === 'stopped' || parked > 0 || error !== undefined
  return {
    state: bad ? 'degraded' : 'ok',
    lag: String(lag),
    detail: {
      state,
      parked,
      ...defined({ progress }),
      ...defined({ rate: rate === undefined ? undefined : Math.round(rate) }),
      ...defined({ error }),
    },
  }
}

const eventStorePart = async ({ store }: Core): Promise<Found<{ head: bigint }>> => {
  const head = await store.head()
  const { waiting, restarts, failed } = store.stats()
  return { part: { state: 'ok', detail: { position: String(head), waiting, restarts, failed } }, figures: { head } }
}

const streamsPart = async ({ store }: Core): Promise<Found<{ longStreams: number }>> => {
  const long = await store.longStreams(LONG_STREAMS_SHOWN)
  const streams = long.map(({ stream, revision }) => ({ stream, events: Number(revision) + 1 }))
  return {
    part: {
      state: long.length > 0 ? 'degraded' : 'ok',
      ...defined({ detail: long.length > 0 ? { above1000: streams } : undefined }),
    },
    figures: { longStreams: long.length },
  }
}

const keysPart = async (core: Core, config: Config): Promise<Found<{ signingKeyAgeMs: number }>> => {
  const age = await signingKeyAge(core)
  const reason = core.lostKeys() ?? (age > config.keyLifeMs ? 'the signing key is due for rotation' : undefined)
  return {
    part: {
      state: reason === undefined ? 'ok' : 'degraded',
      ...defined({ detail: reason === undefined ? undefined : { reason } }),
    },
    figures: { signingKeyAgeMs: age },
  }
}

const diskPart = async (config: Config): Promise<Found<{ diskFreeBytes: number }>> => {
  const { bavail, bsize, blocks } = await statfs(
    config.eventStore.engine === 'sqlite' ? dirname(config.eventStore.path) : config.dataDir,
  )
  const free = bavail * bsize
  const scarce = free < SCARCE_BYTES || bavail < blocks * SCARCE_SHARE
  const reason = free < FULL_BYTES ? { reason: 'the disk is full: nothing can be written until there is room' } : {}
  return {
    part: { state: scarce ? 'degraded' : 'ok', detail: { freeBytes: free, ...reason } },
    figures: { diskFreeBytes: free },
  }
}

/** Seen through Redis; where there is none, or it is away, this node is alone as far as it knows. */
const nodesPart = ({ nodes, config }: HealthSources): HealthPart => {
  const { alone, ...figures } = nodes()
  const hidden = alone && config.cache.engine !== 'memory'
  const reason = hidden ? { reason: 'other nodes cannot be seen without Redis' } : {}
  return { state: hidden ? 'degraded' : 'ok', detail: { ...figures, alone, ...reason } }
}

/** Away it makes things slower, never wrong. */
const cachePart = ({ caching }: Core): HealthPart => {
  const { state, reason, passedOver } = caching.status()
  if (state === 'ready') return { state: 'ok' }
  return { state: 'degraded', detail: { passedOver, ...defined({ reason }) } }
}

const logPart = (log: ServiceLog): HealthPart => {
  const faults = log.faults()
  const bad = Object.values(faults).some(each => each.reason !== undefined)
  return { state: bad ? 'degraded' : 'ok', ...defined({ detail: bad ? { ...faults } : undefined }) }
}

/** Mail that is late: the oldest was due this long ago, in milliseconds. */
const LATE_MS = 60_000

const jobsPart = async ({ core, mail }: HealthSources): Promise<Found<{ jobs: JobCounts }>> => {
  const { counts, failing, parked: first, unsent, begunAt, clockMs } = await mail()
  const { waiting, running, parked, oldest } = counts
  const late = oldest === undefined ? 0 : Math.max(0, core.clock.now().getTime() - oldest.getTime())
  const bad = parked > 0 || failing !== undefined || late > LATE_MS || clockMs !== undefined
  const detail = {
    waiting,
    running,
    parked,
    lateMs: late,
    ...defined({ mail: failing }),
    ...defined({
      parkedFirst:
        first.length > 0 ? first.map(({ kind, key, reason }) => ({ kind, key, reason: reason ?? '' })) : undefined,
    }),
    ...defined({
      unsent: unsent.length > 0 ? unsent.map(({ from, to }) => ({ after: String(from), upTo: String(to) })) : undefined,
    }),
    ...defined({ nothingSentUpTo: begunAt === undefined ? undefined : String(begunAt) }),
    ...defined({ clockOfOtherNodeAheadMs: clockMs }),
  }
  return { part: { state: bad ? 'degraded' : 'ok', detail }, figures: { jobs: counts } }
}

const housekeepingPart = ({ reports }: Housekeeping): HealthPart => {
  const failing = reports().filter(each => each.error !== undefined)
  const detail = Object.fromEntries(failing.map(each => [each.name, each.error]))
  return {
    state: failing.length > 0 ? 'degraded' : 'ok',
    ...defined({ detail: failing.length > 0 ? detail : undefined }),
  }
}

/** It serves what is there: less than there will be. */
const fillingPart = ({ filling }: HealthSources): HealthPart | undefined => {
  const percent = filling()
  return percent === undefined
    ? undefined
    : { state: 'degraded', detail: { percent, reason: 'the dictionary is being filled' } }
}

const damagePart = ({ core }: HealthSources): HealthPart => {
  const report = core.damage.report()
  const { events, streams, documents } = report
  const found = events + streams + documents > 0
  return {
    state: events + streams > 0 ? 'degraded' : 'ok',
    ...defined({ detail: found ? damageDetail(report) : undefined }),
  }
}

const tokensPart = ({ core, running }: HealthSources): { readonly part: HealthPart; readonly ageMs?: number } => {
  const age = Math.round(core.clock.monotonic() - running.follower.heardAt())
  const stopped = running.follower.stopped()
  return {
    part: {
      state: age < DEAF_MS && !stopped ? 'ok' : 'degraded',
      ...defined({ ageMs: Number.isFinite(age) ? age : undefined }),
      ...defined({ detail: stopped && { reason: stopped.message } }),
    },
    ...defined({ ageMs: Number.isFinite(age) ? age : undefined }),
  }
}

const look = async (sources: HealthSources, livePart: ReturnType<typeof openLivePart>): Promise<HealthReport> => {
  const { core, config, running, views, housekeeping, log } = sources
  const handles = [
    ...running.projections.map(({ name, handle }) => ({ kind: 'projection' as const, name, handle })),
    ...running.subscribers.map(({ name, handle }) => ({ kind: 'subscriber' as const, name, handle })),
  ]
  const [eventStore, readStore, streams, keys, disk, jobs, ready, ...consumers] = await Promise.all([
    ask(core, () => eventStorePart(core)),
    ask(core, async () => {
      await core.reads.ping()
      return { part: { state: 'ok' } }
    }),
    ask(core, () => streamsPart(core)),
    ask(core, () => keysPart(core, config)),
    ask(core, () => diskPart(config)),
    ask(core, () => jobsPart(sources)),
    within(core, async () => (await Promise.all(views.all.map(each => each.view.ready()))).every(Boolean)).catch(
      () => false,
    ),
    ...handles.map(async ({ kind, name, handle }) => {
      const found = await ask(core, async () => {
        const status: Statused = await handle.status()
        return { part: consumerPart(status), figures: status }
      })
      return { kind, name, ...found }
    }),
  ])
  const tokens = tokensPart(sources)
  const live = livePart(eventStore.figures?.head)
  const locks = sources.locks()
  const parts: Readonly<Record<string, HealthPart>> = {
    eventStore: eventStore.part,
    readStore: readStore.part,
    tokens: tokens.part,
    ...defined({ live: live.part, locks, filling: fillingPart(sources) }),
    ...Object.fromEntries(consumers.map(({ kind, name, part }) => [`${kind} ${name}`, part])),

    streams: streams.part,
    keys: keys.part,
    disk: disk.part,
    jobs: jobs.part,
    cache: cachePart(core),
    blocks: sources.blocks(),
    nodes: nodesPart(sources),
    damage: damagePart(sources),
    removals: sources.removals(),
    erasures: erasuresPart(running.identities),
    log: logPart(log),
    housekeeping: housekeepingPart(housekeeping),
  }
  const states = Object.values(parts).map(part => part.state)
  return {
    state: states.includes('failed') ? 'failed' : states.includes('degraded') ? 'degraded' : 'ok',
    ready: eventStore.part.state === 'ok' && ready,
    ...defined({ filling: sources.filling() }),
    parts,
    consumers: consumers.flatMap(({ kind, name, figures }) =>
      figures
        ? [
            {
              kind,
              name,
              state: figures.state,
              lag: Number(figures.lag),
              parked: figures.parked,
              ...defined({ rate: figures.rate, progress: figures.progress }),
            },
          ]
        : [],
    ),
    figures: {
      ...eventStore.figures,
      ...streams.figures,
      ...keys.figures,
      ...disk.figures,
      ...jobs.figures,
      ...defined({ tokenAgeMs: tokens.ageMs, liveBehindMs: live.behindMs }),
    },
  }
}

/** One look at a time, shared by all who ask within a quarter of a second; `ageMs` of a part counts from the look on. */
export const openHealth = (sources: HealthSources): (() => Promise<HealthReport>) => {
  const { clock } = sources.core
  const livePart = openLivePart(sources.core, sources.live)
  let looking: Promise<HealthReport> | undefined
  let last: { readonly report: HealthReport; readonly at: number } | undefined
  const afresh = async (): Promise<HealthReport> => {
    const at = clock.monotonic()
    const report = await look(sources, livePart)
    last = { report, at }
    return report
  }
  const aged = (report: HealthReport, at: number): HealthReport => {
    const age = Math.round(clock.monotonic() - at)
    const parts = Object.entries(report.parts).map(([name, part]) => [
      name,
      { ...part, ageMs: (part.ageMs ?? 0) + age },
    ])
    return { ...report, parts: Object.fromEntries(parts) }
  }
  return async () => {
    if (last && clock.monotonic() - last.at < FRESH_MS) return aged(last.report, last.at)
    const at = clock.monotonic()
    looking ??= afresh().finally(() => {
      looking = undefined
    })
    return aged(await looking, last?.at ?? at)
  }
}
