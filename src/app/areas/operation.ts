/** How the service does, what it may be asked, and by whom it is run. */
import { operationRoutes } from '../../adapters/http/routes/operations.ts'
import { securityTextRoute } from '../../adapters/http/routes/security-text.ts'
import { newsOf } from '../../core/live/channels.ts'
import { defined } from '../../domain/defined.ts'
import { operationPermissions } from '../../domain/operation/permissions.ts'
import { type ProjectionProgress, projectionChannel } from '../../subscribers/projection-channel.ts'

import type { Area, NewsSources } from '../area.ts'

const progressOf = ({ running, filling, tokenOf }: NewsSources): Promise<readonly ProjectionProgress[]> =>
  Promise.all(
    running.projections.map(async ({ name, handle }) => {
      const { state, lag, parked, rate, progress, position } = await handle.status()
      const told = { name, state, position: await tokenOf(position), lag: String(lag), parked, rate, progress }
      return { ...told, ...defined({ filling: filling() }) }
    }),
  )

export const operation: Area = {
  name: 'operation',
  permissions: operationPermissions,
  channels: [projectionChannel],
  news: given => newsOf(projectionChannel, { ProjectionProgress: () => progressOf(given) }),
  routes:
    ({ operation: port }) =>
    edge => [...operationRoutes(port, edge), securityTextRoute(edge)],
}
