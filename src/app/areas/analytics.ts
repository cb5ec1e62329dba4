/** What is counted. */

import { analyticsRoutes } from '../../adapters/http/routes/analytics.ts'
import { analyticsPermissions } from '../../domain/search/permissions.ts'
import { searchesAggregate } from '../../domain/search/searches.ts'
import { analyticsProjection } from '../../projections/analytics.ts'
import type { Area } from '../area.ts'

export const analytics: Area = {
  name: 'analytics',
  aggregates: [searchesAggregate],
  projections: [analyticsProjection],
  permissions: analyticsPermissions,
  routes:
    ({ figures }) =>
    edge =>
      analyticsRoutes(figures.query, edge),
}
