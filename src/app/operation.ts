/** What operators look at: health, metrics, house-keeping, put together for a service. */
import { openMetricsServer } from '../adapters/metrics/server.ts'
import { defined } from '../domain/defined.ts'
import type { Closing } from './core.ts'
import { carryOutErasures } from './erasure.ts'
import { type HealthSources, openHealth } from './health.ts'
import { startHousekeeping } from './housekeeping.ts'
import { watchLocks } from './locks.ts'
import { lookThroughJob } from './look-through.ts'
import { openServiceMetrics } from './metrics.ts'
import { watchRemovals } from './removals.ts'

export type OperationOptions = Omit<HealthSources, 'housekeeping' | 'locks' | 'removals'> & {
  readonly version: string
}

/** Starts house-keeping and, where LEXICHRON_METRICS_PORT is set, the port of the metrics; what the HTTP server is to be given. */
export const openOperation = async (options: OperationOptions, opened: Closing[]) => {
  const { core, config, running, views, version, log, live } = options
  const names = views.all.map(each => each.name)
  const erase = () =>
    carryOutErasures(core, running.identities.toErase(), (account, err) =>
      log.logger.error({ job: 'erasures', account, err }, 'an erasure was not carried out; it is tried again'),
    )
  const removals = watchRemovals(core, core.engine.cleaning)
  const housekeeping = startHousekeeping(core, config, log.logger, names, {
    erase,
    jobs: [removals.job, lookThroughJob(options)],
  })
  opened.push(housekeeping)
  // The next start may be on a full disk.
  void housekeeping.runNow('room').catch(() => undefined)
  const locks = watchLocks(config, core.clock, opened)
  const health = openHealth({ ...options, housekeeping, locks, removals: removals.part })
  const metrics = openServiceMetrics({
    core,
    running,
    config,
    version,
    health,
    housekeeping,
    log,
    nodes: options.nodes,
    ...defined({ live }),
  })
  if (config.metricsPort !== undefined) {
    const server = await openMetricsServer({
      metrics,
      host: config.host,
      port: config.metricsPort,
      onError: error => log.logger.error({ part: 'metrics', err: error }, 'a scrape failed'),
    })
    opened.push(server)
    log.logger.info({ port: server.port }, 'metrics are served on a port of their own')
  }
  return {
    metrics,
    health: async () => {
      const { state, ready, filling, parts } = await health()
      return { state, ready, ...defined({ filling }), parts }
    },
  }
}
