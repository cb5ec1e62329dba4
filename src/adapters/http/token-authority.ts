/** Who an access token stands for: its signature by the verifier, everything else by the log. */

import type { Token } from '../../domain/access/token.ts'
import type { Account } from '../../domain/account/account.ts'
import { grantsInForce, rightsOf } from '../../domain/account/grants.ts'
import type { Rights, RoleRights } from '../../domain/roles.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Identities } from '../../projections/identities.ts'
import type { TokenFollower } from '../../projections/tokens.ts'
import type { AccessClaims, TokenVerifier, Verified } from './access-tokens.ts'
import type { Authority } from './authority.ts'
import { DEAF_MS } from './authority.ts'
import type { Requester } from './route.ts'

export type TokenAuthorityDeps = {
  readonly identities: Pick<Identities, 'session'>
  readonly verifier: TokenVerifier
  readonly follower: TokenFollower
  readonly roles: RoleRights
  readonly head: () => Promise<bigint>
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** A genuine token may be some milliseconds younger than what this node has heard. */
const PATIENCE_MS = 1000
const REACH_MS = 2000

/** The role is the log's, not the token's: nothing but the log can grant anything. */
const requesterOf = ({ id, subject, role }: Token, roles: RoleRights): Requester => ({
  actor: { kind: 'service', id: subject },
  ...roles.rights(roles.of(role)),
  credential: { id },
})

/**
 * Of every role that is in force now: a grant that ended is none, whatever the token was made under, and neither is any while the
 * account is suspended. An account is a value that a new event replaces, so what it may do is worked out once until one of its grants
 * ends.
 */
const openAccountRights = (roles: RoleRights) => {
  const known = new WeakMap<Account, { readonly rights: Rights; readonly from: number; readonly until: number }>()
  return (account: Account, now: Date): Rights => {
    const at = now.getTime()
    const kept = known.get(account)
    if (kept && kept.from <= at && at < kept.until) return kept.rights
    const standing = grantsInForce(account, now)
    const ends = standing.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : Date.parse(expiresAt)))
    const rights = account.suspended ? roles.rights(roles.suspended) : rightsOf(standing, roles)
    known.set(account, { rights, from: at, until: Math.min(Number.POSITIVE_INFINITY, ...ends) })
    return rights
  }
}

export const openTokenAuthority = (deps: TokenAuthorityDeps): Authority => {
  const { verifier, follower, identities, roles, head, clock } = deps
  const rights = openAccountRights(roles)
  const hear = async () => follower.reached(await head(), PATIENCE_MS)

  const service = (id: string): Token | undefined => {
    const found = follower.state(id)
    return !found || found.revoked || Date.parse(found.expiresAt) <= clock.now().getTime() ? undefined : found
  }
  const holderOf = (id: string, { account }: { readonly account: Account }): Requester => ({
    actor: { kind: 'account', id: account.id },
    ...rights(account, clock.now()),
    credential: { id },
  })
  const holder = (id: string): Requester | undefined => {
    const found = identities.session(id)
    return found && holderOf(id, found)
  }
  const known = (claims: AccessClaims): Requester | undefined => {
    if (claims.kind === 'account') {
      const found = identities.session(claims.session)
      return found?.account.id === claims.sub && found.session.epoch === claims.epoch
        ? holderOf(claims.session, found)
        : undefined
    }
    const found = service(claims.jti)
    return found?.subject === claims.sub ? requesterOf(found, roles) : undefined
  }
  /** What this node does not know yet may be in the log. */
  const isUnheard = (claims: AccessClaims): boolean =>
    claims.kind === 'account' ? !identities.session(claims.session) : !follower.state(claims.jti)
  const heard = async (claims: AccessClaims): Promise<Requester | undefined> => {
    await hear()
    return known(claims)
  }
  const stands = (verified: Verified): Promise<Requester | undefined> | Requester | undefined => {
    if ('fault' in verified) return undefined
    const { claims } = verified
    return known(claims) ?? (isUnheard(claims) ? heard(claims) : undefined)
  }

  return {
    authenticate: token => {
      const verified = verifier.verify(token)
      return verified instanceof Promise ? verified.then(stands) : stands(verified)
    },
    current: ({ id }) => {
      if (clock.monotonic() - follower.heardAt() > DEAF_MS) return undefined
      const found = service(id)
      return found ? requesterOf(found, roles) : holder(id)
    },
    strangers: roles.strangers,
    deafFor: () => clock.monotonic() - follower.heardAt(),
    reached: position => follower.reached(position, REACH_MS),
  }
}
