/** The history of everything, and who read it. */

import { historyRoutes } from '../../adapters/http/routes/history.ts'
import { readingAggregate } from '../../domain/history/history.ts'
import { historyProjection } from '../../projections/history.ts'
import type { Area } from '../area.ts'

export const history: Area = {
  name: 'history',
  aggregates: [readingAggregate],
  projections: [historyProjection],
  routes:
    ({ history: opened }) =>
    edge =>
      historyRoutes({ ...edge, ...opened }),
}
