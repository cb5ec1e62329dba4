/** The live feed. */
import { liveRoutes } from '../../adapters/http/routes/live.ts'
import type { Area } from '../area.ts'

export const live: Area = {
  name: 'live',
  routes:
    ({ live: port }) =>
    edge =>
      liveRoutes(port, edge.authority, edge.settings),
}
