/** Sign-in at OpenID providers. */

import { openIdProblems } from '../../adapters/http/problems/openid.ts'
import { openIdRoutes } from '../../adapters/http/routes/openid.ts'
import { openIdClaimAggregate } from '../../domain/openid/claim.ts'
import { linkedIdentitiesAggregate } from '../../domain/openid/linked-identities.ts'
import type { Area } from '../area.ts'
import { openStepUp } from '../factors.ts'
import { admitBy } from '../identity.ts'
import { openOpenId } from '../openid.ts'

export const openId: Area = {
  name: 'openid',
  aggregates: [openIdClaimAggregate, linkedIdentitiesAggregate],
  problems: openIdProblems,
  routes: async service => {
    const port = await openOpenId(service)
    const stepUp = openStepUp(service.identity, admitBy(service.core))
    return edge => openIdRoutes(port, edge.cookies, stepUp)
  },
}
