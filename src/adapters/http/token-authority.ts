/** Who an access token stands for: its signature by the verifier, everything else by the log. */
import { anonymousPermissions, permissionsOf } from '../../domain/roles.ts'
import type { Token } from '../../domain/token.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TokenFollower } from '../../projections/tokens.ts'
import type { TokenVerifier } from './access-tokens.ts'
import type { Authority } from './authority.ts'
import type { Requester } from './route.ts'

export type TokenAuthorityDeps = {
  readonly verifier: TokenVerifier
  readonly follower: TokenFollower
  readonly head: () => Promise<bigint>
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** A genuine token may be some milliseconds younger than what this node has heard. */
const PATIENCE_MS = 1000
const REACH_MS = 2000

/** A node that heard nothing for so long cannot say that anything still holds. */
export const DEAF_MS = 10_000

/** The role is the log's, not the token's: nothing but the log can grant anything. */
const requesterOf = ({ id, subject, role }: Token): Requester => ({
  ...{ actor: { kind: 'service', id: subject }, permissions: permissionsOf(role), credential: { id } },
})

export const openTokenAuthority = ({ verifier, follower, head, clock }: TokenAuthorityDeps): Authority => ({
  authenticate: async token => {
    const verified = await verifier.verify(token)
    if ('fault' in verified) return undefined
    const { jti, sub } = verified.claims
    if (!follower.state(jti)) await follower.reached(await head(), PATIENCE_MS)
    const known = follower.state(jti)
    if (!known || known.revoked || known.subject !== sub || Date.parse(known.expiresAt) <= clock.now().getTime())
      return undefined
    return requesterOf(known)
  },
  current: ({ id }) => {
    const known = follower.state(id)
    if (!known || known.revoked || Date.parse(known.expiresAt) <= clock.now().getTime()) return undefined
    return clock.monotonic() - follower.heardAt() > DEAF_MS ? undefined : requesterOf(known)
  },
  strangers: anonymousPermissions,
  deafFor: () => clock.monotonic() - follower.heardAt(),
  reached: position => follower.reached(position, REACH_MS),
})
