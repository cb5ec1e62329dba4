/** What an intruder has added to an account that its owner took back. */

import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { passkeysStream, removeDisputedPasskeys } from '../domain/session/passkeys.ts'
import { factorsStream, removeDisputedTotp } from '../domain/session/second-factor.ts'
import { envelopeOf, type From } from './identity.ts'
import { type ReleaseDeps, releaseIdentities } from './openid.ts'
import type { FactorDeps } from './second-factor.ts'

export type DisputedDeps = ReleaseDeps & Pick<FactorDeps, 'factors' | 'passkeys'>

/**
 * Takes away the authenticator, passkeys and identities at providers that were added in this time: each would let who added it
 * in again, or keep the owner out. What was there before stays, so that the way back goes around no second factor.
 */
export const removeDisputed = async (
  deps: DisputedDeps,
  accountId: string,
  { since, until }: { readonly since: string; readonly until: string },
  from: From,
): Promise<'done' | Refusal> => {
  const by = () => envelopeOf(deps, from)
  const passkeys = await deps.passkeys.run(passkeysStream(accountId), removeDisputedPasskeys(since, until), by())
  if (isRefusal(passkeys)) return passkeys
  const totp = await deps.factors.run(factorsStream(accountId), removeDisputedTotp(since, until), by())
  if (isRefusal(totp)) return totp
  const theirs = ({ linkedAt }: { readonly linkedAt: string }): boolean => linkedAt >= since && linkedAt <= until
  return releaseIdentities(deps, accountId, from, 'disputed', theirs)
}
