/** The history of everything, and who read it. */

import { historyProblems } from '../../adapters/http/problems/history.ts'
import { historyRoutes } from '../../adapters/http/routes/history.ts'
import { readingAggregate } from '../../domain/history/history.ts'
import { historyPermissions } from '../../domain/history/permissions.ts'
import { historyProjection } from '../../projections/history.ts'
import { logChannel } from '../../subscribers/log-channel.ts'
import type { Area } from '../area.ts'

export const history: Area = {
  name: 'history',
  aggregates: [readingAggregate],
  projections: [historyProjection],
  permissions: historyPermissions,
  problems: historyProblems,
  channels: [logChannel],
  routes:
    ({ history: opened }) =>
    edge =>
      historyRoutes({ ...edge, ...opened }),
}
