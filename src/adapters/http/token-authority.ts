/** Who an access token stands for: its signature by the verifier, everything else by the log. */
import { anonymousPermissions, permissionsOf } from '../../domain/roles.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TokenFollower } from '../../projections/tokens.ts'
import type { TokenVerifier } from './access-tokens.ts'
import type { Authority } from './authority.ts'

export type TokenAuthorityDeps = {
  readonly verifier: TokenVerifier
  readonly follower: TokenFollower
  readonly head: () => Promise<bigint>
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** A genuine token may be some milliseconds younger than what this node has heard. */
const PATIENCE_MS = 1000
const REACH_MS = 2000

export const openTokenAuthority = ({ verifier, follower, head, clock }: TokenAuthorityDeps): Authority => ({
  authenticate: async token => {
    const verified = await verifier.verify(token)
    if ('fault' in verified) return undefined
    const { jti, sub } = verified.claims
    if (!follower.state(jti)) await follower.reached(await head(), PATIENCE_MS)
    const known = follower.state(jti)
    if (!known || known.revoked || known.subject !== sub || Date.parse(known.expiresAt) <= clock.now().getTime())
      return undefined
    // The role is the log's, not the token's: nothing but the log can grant anything.
    return { actor: { kind: 'service', id: known.subject }, permissions: permissionsOf(known.role) }
  },
  strangers: anonymousPermissions,
  deafFor: () => clock.monotonic() - follower.heardAt(),
  reached: position => follower.reached(position, REACH_MS),
})
