/** What the service says of itself: the parts as /health shows them, and as the metrics count them. */
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Health, HealthPart } from './adapters/http/deps.ts'
import type { Housekeeping } from './adapters/jobs/housekeeping.ts'
import type { ServiceLog } from './adapters/logging/service-log.ts'
import type { ConsumerStats } from './adapters/metrics/sources.ts'
import type { Core, Running, Views } from './app-core.ts'
import { signingKeyAge } from './app-housekeeping.ts'
import type { Config } from './config.ts'

export type HealthSources = {
  readonly core: Core
  readonly config: Config
  readonly running: Running
  readonly views: Views
  readonly housekeeping: Housekeeping
  readonly log: ServiceLog
}

export type HealthReport = Health & {
  readonly consumers: readonly ConsumerStats[]
  readonly figures: {
    readonly head?: bigint
    readonly tokenAgeMs?: number
    readonly signingKeyAgeMs?: number
    readonly diskFreeBytes?: number
    readonly longStreams?: number
  }
}

/** An answer may be this old, in milliseconds: probes and scrapes of any number cost one look. */
const FRESH_MS = 250
/** A part that does not answer within this time has failed, in milliseconds. */
const PATIENCE_MS = 2_000
/** Without news for longer a node refuses what needs a token. */
const DEAF_MS = 10_000
const LONG_STREAMS_SHOWN = 20
/** Less than this is left, in bytes or as a share: time to make room. */
const SCARCE_BYTES = 512 * 1024 * 1024
const SCARCE_SHARE = 0.05

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
        throw new Error(`no answer within ${PATIENCE_MS} ms`)
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
    const reason = error instanceof Error ? error.message : String(error)
    return { part: { state: 'failed', ageMs: Math.round(core.clock.monotonic() - began), detail: { reason } } }
  }
}

const consumerPart = (status: Statused): HealthPart => {
  const { state, lag, parked, error, progress, rate } = status
  const bad = state === 'stopped' || parked > 0 || error !== undefined
  return {
    ...{ state: bad ? 'degraded' : 'ok', lag: String(lag) },
    detail: {
      ...{ state, parked },
      ...(progress !== undefined && { progress }),
      ...(rate !== undefined && { rate: Math.round(rate) }),
      ...(error !== undefined && { error }),
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
    part: { state: long.length > 0 ? 'degraded' : 'ok', ...(long.length > 0 && { detail: { above1000: streams } }) },
    figures: { longStreams: long.length },
  }
}

const keysPart = async (core: Core, config: Config): Promise<Found<{ signingKeyAgeMs: number }>> => {
  const age = await signingKeyAge(core)
  const due = age > config.keyLifeMs
  return {
    part: { state: due ? 'degraded' : 'ok', ...(due && { detail: { reason: 'the signing key is due for rotation' } }) },
    figures: { signingKeyAgeMs: age },
  }
}

const diskPart = async (config: Config): Promise<Found<{ diskFreeBytes: number }>> => {
  const { bavail, bsize, blocks } = await statfs(dirname(config.eventStore.path))
  const free = bavail * bsize
  const scarce = free < SCARCE_BYTES || bavail < blocks * SCARCE_SHARE
  return {
    part: { state: scarce ? 'degraded' : 'ok', detail: { freeBytes: free } },
    figures: { diskFreeBytes: free },
  }
}

/** Away it makes things slower, never wrong. */
const cachePart = ({ caching }: Core): HealthPart => {
  const { state, reason, passedOver } = caching.status()
  if (state === 'ready') return { state: 'ok' }
  return { state: 'degraded', detail: { passedOver, ...(reason !== undefined && { reason }) } }
}

const logPart = (log: ServiceLog): HealthPart => {
  const faults = log.faults()
  const bad = Object.values(faults).some(each => each.reason !== undefined)
  return { state: bad ? 'degraded' : 'ok', ...(bad && { detail: { ...faults } }) }
}

const housekeepingPart = ({ reports }: Housekeeping): HealthPart => {
  const failing = reports().filter(each => each.error !== undefined)
  const detail = Object.fromEntries(failing.map(each => [each.name, each.error]))
  return { state: failing.length > 0 ? 'degraded' : 'ok', ...(failing.length > 0 && { detail }) }
}

const tokensPart = ({ core, running }: HealthSources): { readonly part: HealthPart; readonly ageMs?: number } => {
  const age = Math.round(core.clock.monotonic() - running.follower.heardAt())
  const stopped = running.follower.stopped()
  return {
    part: {
      state: age < DEAF_MS && !stopped ? 'ok' : 'degraded',
      ...(Number.isFinite(age) && { ageMs: age }),
      ...(stopped && { detail: { reason: stopped.message } }),
    },
    ...(Number.isFinite(age) && { ageMs: age }),
  }
}

const look = async (sources: HealthSources): Promise<HealthReport> => {
  const { core, config, running, views, housekeeping, log } = sources
  const handles = [
    ...running.projections.map(({ name, handle }) => ({ kind: 'projection' as const, name, handle })),
    ...running.subscribers.map(({ name, handle }) => ({ kind: 'subscriber' as const, name, handle })),
  ]
  const [eventStore, readStore, streams, keys, disk, ready, ...consumers] = await Promise.all([
    ask(core, () => eventStorePart(core)),
    ask(core, async () => {
      await core.reads.ping()
      return { part: { state: 'ok' } }
    }),
    ask(core, () => streamsPart(core)),
    ask(core, () => keysPart(core, config)),
    ask(core, () => diskPart(config)),
    within(core, async () =>
      (await Promise.all(Object.values(views).map(each => each.view.ready()))).every(Boolean),
    ).catch(() => false),
    ...handles.map(async ({ kind, name, handle }) => {
      const found = await ask(core, async () => {
        const status: Statused = await handle.status()
        return { part: consumerPart(status), figures: status }
      })
      return { kind, name, ...found }
    }),
  ])
  const tokens = tokensPart(sources)
  const parts: Readonly<Record<string, HealthPart>> = {
    ...{ eventStore: eventStore.part, readStore: readStore.part, tokens: tokens.part },
    ...Object.fromEntries(consumers.map(({ kind, name, part }) => [`${kind} ${name}`, part])),
    ...{ streams: streams.part, keys: keys.part, disk: disk.part, cache: cachePart(core) },
    ...{ log: logPart(log), housekeeping: housekeepingPart(housekeeping) },
  }
  const states = Object.values(parts).map(part => part.state)
  return {
    state: states.includes('failed') ? 'failed' : states.includes('degraded') ? 'degraded' : 'ok',
    ready: eventStore.part.state === 'ok' && ready,
    parts,
    consumers: consumers.flatMap(({ kind, name, figures }) =>
      figures
        ? [
            {
              ...{ kind, name, state: figures.state, lag: Number(figures.lag), parked: figures.parked },
              ...(figures.rate !== undefined && { rate: figures.rate }),
              ...(figures.progress !== undefined && { progress: figures.progress }),
            },
          ]
        : [],
    ),
    figures: {
      ...{ ...eventStore.figures, ...streams.figures, ...keys.figures, ...disk.figures },
      ...(tokens.ageMs !== undefined && { tokenAgeMs: tokens.ageMs }),
    },
  }
}

/** One look at a time, shared by all who ask within a quarter of a second; `ageMs` of a part counts from the look on. */
export const openHealth = (sources: HealthSources): (() => Promise<HealthReport>) => {
  const { clock } = sources.core
  let looking: Promise<HealthReport> | undefined
  let last: { readonly report: HealthReport; readonly at: number } | undefined
  const afresh = async (): Promise<HealthReport> => {
    const at = clock.monotonic()
    const report = await look(sources)
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
