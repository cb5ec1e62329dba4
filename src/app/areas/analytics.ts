/** What is counted. */

import { analyticsRoutes } from '../../adapters/http/routes/analytics.ts'
import { newsOf } from '../../core/live/channels.ts'
import { analyticsPermissions } from '../../domain/search/permissions.ts'
import { searchesAggregate } from '../../domain/search/searches.ts'
import { analyticsProjection } from '../../projections/analytics.ts'
import { FiguresSchema } from '../../queries/analytics.ts'
import { activityChannel } from '../../subscribers/activity-channel.ts'
import type { Area } from '../area.ts'

const activity = activityChannel(FiguresSchema)

export const analytics: Area = {
  name: 'analytics',
  aggregates: [searchesAggregate],
  projections: [analyticsProjection],
  permissions: analyticsPermissions,
  channels: [activity],
  news: ({ figures, connections }) =>
    newsOf(activity, {
      Activity: ({ events, types }) => [{ seconds: 1, events, types, connections: connections() }],
      Analytics: async () => [JSON.parse(JSON.stringify((await figures.analyticsFigures()).figures))],
    }),
  routes:
    ({ figures }) =>
    edge =>
      analyticsRoutes(figures.query, edge),
}
