/** Analytics of a service: the counter of this node's searches, and the figures for HTTP and dashboards. */
import type { Logger } from 'pino'
import { openSearchCounter } from '../commands/count-searches.ts'
import { OwnError } from '../domain/own-error.ts'
import { searchesAggregate } from '../domain/search/searches.ts'
import { analyticsProjection } from '../projections/analytics.ts'
import { analytics, type CurrentFigures, currentFigures } from '../queries/analytics.ts'
import type { Closing, Core, Views } from './core.ts'

export type Analytics = ReturnType<typeof openAnalytics>

/** Counts searches until the service closes; what was counted is appended after the last request and before the log closes. */
export const openAnalytics = (core: Core, views: Views, logger: Logger, opened: Closing[]) => {
  const { transactor, clock, nodeId } = core
  const reads = { analytics: views.of(analyticsProjection) }
  const counter = openSearchCounter({
    searches: transactor(searchesAggregate),
    clock,
    nodeId,
    onError: error =>
      logger.warn(
        { part: 'search counter', err: error instanceof Error ? error : new OwnError(String(error)) },
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
