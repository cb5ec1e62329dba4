/** The metrics of a service: what each scrape looks at, and the port of their own. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodesReport } from '../adapters/cache/presence.ts'
import type { Housekeeping } from '../adapters/jobs/housekeeping.ts'
import { logFolder, type ServiceLog } from '../adapters/logging/service-log.ts'
import { type Metrics, openMetrics } from '../adapters/metrics/metrics.ts'
import type { LiveStats, Snapshot } from '../adapters/metrics/sources.ts'
import type { Config } from '../config/load.ts'
import { defined } from '../domain/defined.ts'
import type { Core, Running } from './core.ts'
import type { Journal } from './engines.ts'
import type { HealthReport } from './health.ts'

const sizeOf = async (path: string): Promise<number | undefined> => (await stat(path).catch(() => undefined))?.size

/** The log files are few: `LEXICHRON_LOG_FILES` bounds them. */
const logBytes = async (dataDir: string): Promise<number | undefined> => {
  const folder = logFolder(dataDir)
  const names = await readdir(folder).catch(() => undefined)
  if (!names) return undefined
  const sizes = await Promise.all(names.slice(0, 2_000).map(name => sizeOf(join(folder, name))))
  return sizes.reduce<number>((sum, each) => sum + (each ?? 0), 0)
}

const fileBytes = async (config: Config, journal: Journal | undefined): Promise<Readonly<Record<string, number>>> => {
  const events = config.eventStore.engine === 'sqlite' ? config.eventStore.path : undefined
  const found: readonly (readonly [string, number | undefined])[] = [
    ['events', events === undefined ? undefined : await sizeOf(events)],
    ['events-journal', events === undefined ? undefined : await sizeOf(`${events}-wal`)],
    ...(journal
      ? ([
          ['read', await sizeOf(journal.path)],
          ['read-journal', await sizeOf(`${journal.path}-wal`)],
        ] as const)
      : []),
    ['logs', await logBytes(config.dataDir)],
  ]
  return Object.fromEntries(found.flatMap(([name, bytes]) => (bytes === undefined ? [] : [[name, bytes]])))
}

const runtime = (): string => {
  const { deno } = process.versions
  return deno === undefined ? `node ${process.versions.node}` : `deno ${deno}`
}

export type MetricsSources = {
  readonly core: Core
  readonly running: Pick<Running, 'identities' | 'people'>
  readonly config: Config
  readonly version: string
  readonly health: () => Promise<HealthReport>
  readonly housekeeping: Pick<Housekeeping, 'reports'>
  readonly log: Pick<ServiceLog, 'faults'>
  /** Of all nodes, as far as they can be seen. */
  readonly nodes: () => NodesReport
  /** Of the live hub, where there is one. */
  readonly live?: () => LiveStats
}

/** Opens the metrics and tells the measured stores where to count. */
export const openServiceMetrics = (sources: MetricsSources): Metrics => {
  const { core, running, config, health, housekeeping, log, live } = sources
  const snapshot = async (): Promise<Snapshot> => {
    const [report, files] = await Promise.all([health(), fileBytes(config, core.engine.journal)])
    const { head, tokenAgeMs, liveBehindMs, signingKeyAgeMs, diskFreeBytes, longStreams, jobs } = report.figures
    const engine = core.engine.figures?.()
    const damage = core.damage.report()
    return {
      ...(engine && { pools: { read: engine }, commands: { read: engine.commands } }),
      append: core.store.stats(),
      memory: core.memory.report(),
      known: { ...running.identities.count(), people: running.people.count() },
      consumers: report.consumers,
      fileBytes: files,
      ready: report.ready,
      jobs: housekeeping.reports(),
      logs: log.faults(),
      health: Object.fromEntries(Object.entries(report.parts).map(([name, { state }]) => [name, state])),
      ...defined({ position: head === undefined ? undefined : Number(head) }),
      ...defined({ tokenAgeSeconds: tokenAgeMs === undefined ? undefined : tokenAgeMs / 1000 }),
      ...defined({ liveBehindSeconds: liveBehindMs === undefined ? undefined : liveBehindMs / 1000 }),
      signingKeyLifeSeconds: config.keyLifeMs / 1000,
      ...defined({ signingKeyAgeSeconds: signingKeyAgeMs === undefined ? undefined : signingKeyAgeMs / 1000 }),
      ...defined({ diskFreeBytes, longStreams, queue: jobs, live: live?.() }),
      nodes: sources.nodes(),
      damage: { events: damage.events, streams: damage.streams, documents: damage.documents },
    }
  }
  const metrics = openMetrics({ version: sources.version, runtime: runtime(), snapshot })
  core.gauged.metrics = metrics
  return metrics
}
