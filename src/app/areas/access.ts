/** Who is let in without an account, and who is not let in: tokens of services, blocks. */

import { accessProblems } from '../../adapters/http/problems/access.ts'
import { blockRoutes } from '../../adapters/http/routes/blocks.ts'
import { blockAggregate } from '../../domain/access/block.ts'
import { accessPermissions } from '../../domain/access/permissions.ts'
import { tokenAggregate } from '../../domain/access/token.ts'
import type { Area } from '../area.ts'

export const access: Area = {
  name: 'access',
  aggregates: [tokenAggregate, blockAggregate],
  permissions: accessPermissions,
  problems: accessProblems,
  notices: [{ events: tokenAggregate.events }],
  routes:
    ({ blocks }) =>
    edge =>
      blockRoutes(blocks.port, edge),
}
