/** Analytics of a service: the counter of this node's searches, and the figures for HTTP and dashboards. */
import type { Logger } from 'pino'
import { openSearchCounter } from '../commands/count-searches.ts'
import { openTransactor } from '../core/write/transact.ts'
import { searchesAggregate } from '../domain/search/searches.ts'
import { analytics, type CurrentFigures, currentFigures } from '../queries/analytics.ts'
import type { Closing, Core, Views } from './core.ts'

/** Each batch has a stream of its own, which is read once at most. */
const CACHED_BATCHES = 4

/** Counts searches until the service closes; what was counted is appended after the last request and before the log closes. */
export const openAnalytics = (core: Core, views: Views, logger: Logger, opened: Closing[]) => {
  const { log, clock, random, nodeId } = core
  const reads = { analytics: views.analytics.view }
  const counter = openSearchCounter({
    searches: openTransactor({
      aggregate: searchesAggregate,
      log,
      clock,
      random,
      cachedStreams: CACHED_BATCHES,
      memory: core.memory.region('streams'),
    }),
    clock,
    nodeId,
    onError: error =>
      logger.warn(
        { part: 'search counter', err: error instanceof Error ? error : new Error(String(error)) },
        'searches could not be recorded; they are tried again',
      ),
  })
  opened.push(counter)
  const figures = currentFigures(reads)
  return {
    counter,
    query: analytics(reads),
    /** Today's figures (UTC), for the live channel of dashboards. @throws {ProjectionError} projection-building. */
    analyticsFigures: (): Promise<CurrentFigures> => figures(clock.now().toISOString().slice(0, 10)),
  }
}
