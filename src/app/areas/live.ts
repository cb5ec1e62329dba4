/** The live feed. */
import { liveProblems } from '../../adapters/http/problems/live.ts'
import { liveRoutes } from '../../adapters/http/routes/live.ts'
import type { Area } from '../area.ts'

export const live: Area = {
  name: 'live',
  problems: liveProblems,
  routes:
    ({ live: port }) =>
    edge =>
      liveRoutes(port, edge.authority, edge.settings),
}
