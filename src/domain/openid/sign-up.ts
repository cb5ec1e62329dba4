/** A sign-up whose address an OpenID provider has verified: claimed and confirmed in one append, so that no mail asks. */

import { type AddressRefusal, type AddressState, isTaken, ownerOf, type SignUp, signUp } from '../address/address.ts'
import type { AddressEvent } from '../address/address-events.ts'
import type { Decide } from '../decider.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'

/** Why a provider's word signs nobody in or up. */
export type OpenIdFlowRefusal =
  | 'openid-address-taken'
  | 'openid-address-missing'
  | 'openid-unconfirmed'
  | 'openid-flow-invalid'
  | 'openid-refused'
  | 'openid-answer-invalid'
  | 'openid-unavailable'

/**
 * Said to somebody of whom a provider says that the address is theirs, and to nobody else. Who holds it has to sign in and
 * link the identity: two accounts are never made one because of an address.
 */
export const addressTaken = (): Refusal<OpenIdFlowRefusal> =>
  refuse('openid-address-taken', 'An account has this address: sign in to it and link the identity there.')

export const claimVerified =
  (given: SignUp): Decide<AddressState, AddressEvent, OpenIdFlowRefusal | AddressRefusal> =>
  state => {
    if (isTaken(state, given.now)) return ownerOf(state)?.accountId === given.accountId ? [] : addressTaken()
    const begun = signUp({ ...given, vouched: true })(state)
    if (isRefusal(begun)) return begun
    const { accountId, linkHash } = given
    return [...begun, { type: 'AddressConfirmed', data: { accountId, linkHash } }]
  }
