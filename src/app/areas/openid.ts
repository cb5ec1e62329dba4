/** Sign-in at OpenID providers. */
import { openIdClaimAggregate } from '../../domain/openid/claim.ts'
import { linkedIdentitiesAggregate } from '../../domain/openid/linked-identities.ts'
import type { Declared } from '../declared.ts'

export const openId: Declared = {
  name: 'openid',
  aggregates: [openIdClaimAggregate, linkedIdentitiesAggregate],
}
