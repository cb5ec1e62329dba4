/** How the service does, what it may be asked, and by whom it is run. */
import { operationRoutes } from '../../adapters/http/routes/operations.ts'
import { securityTextRoute } from '../../adapters/http/routes/security-text.ts'
import type { Area } from '../area.ts'

export const operation: Area = {
  name: 'operation',
  permissions: {
    'operations:read': ['auditor'],
    'projections:manage': [],
  },
  routes:
    ({ operation: port }) =>
    edge => [...operationRoutes(port, edge), securityTextRoute(edge)],
}
