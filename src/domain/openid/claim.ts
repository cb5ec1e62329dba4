/**
 * The claim of an identity at an OpenID provider. Its stream is named by a keyed hash of issuer and subject, so that the
 * store itself keeps an identity for one account, and nobody reads from the name who somebody is elsewhere. The account's
 * list (src/domain/openid/linked-identities.ts) says which claims are in use: one of fifteen minutes that no list names was left
 * by a process that ended in between, and is free.
 */

import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import type { OpenIdRefusal } from './linked-identities.ts'

// Stream

export const openIdCategory = 'openid'
/** `mac`: HMAC-SHA-256 of issuer and subject in base64url; `version` that of the secret. */
export const openIdStream = (version: number, mac: string): string => streamName(openIdCategory, `${version}.${mac}`)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })

/** The identity is the account's from here on, provided that its list comes to name this claim within fifteen minutes. */
export const IdentityClaimed = eventType('IdentityClaimed', Type.Object({ accountId: text }, strict))
/** The account gave it up; `claimId` is the event that claimed it. */
export const IdentityReleased = eventType('IdentityReleased', Type.Object({ claimId: text }, strict))

export const openIdClaimEvents = [IdentityClaimed, IdentityReleased] as const
export type OpenIdClaimEvent = EventOf<(typeof openIdClaimEvents)[number]>

// Fold

/** `id` is that of the event that claimed: a claim that was made anew is another one. */
export type IdentityHolder = { readonly id: string; readonly accountId: string; readonly claimedAt: string }
export type OpenIdClaim = { readonly holder?: IdentityHolder }

export const evolveOpenIdClaim = (claim: OpenIdClaim, event: Recorded<OpenIdClaimEvent>): OpenIdClaim => {
  switch (event.type) {
    case 'IdentityClaimed':
      return { holder: { id: event.id, accountId: event.data.accountId, claimedAt: event.meta.at } }
    case 'IdentityReleased':
      return claim.holder?.id === event.data.claimId ? {} : claim
    default:
      return claim
  }
}

export const openIdClaimAggregate: Aggregate<OpenIdClaim, OpenIdClaimEvent> = {
  category: openIdCategory,
  events: openIdClaimEvents,
  initial: {},
  evolve: evolveOpenIdClaim,
  route: ({ holder }) => ({ visibility: 'owner', ...defined({ owner: holder?.accountId }) }),
}

// Decide

export const IDENTITY_CLAIM_MINUTES = 15

/** Has the claim stood so long that its account's list would name it by now? */
export const identityClaimLapsed = ({ claimedAt }: IdentityHolder, now: Date): boolean =>
  Date.parse(claimedAt) + IDENTITY_CLAIM_MINUTES * 60_000 <= now.getTime()

/** `free` is the id of a claim that was found to be nobody's. */
export const claimIdentity =
  (accountId: string, free?: string): Decide<OpenIdClaim, OpenIdClaimEvent, OpenIdRefusal> =>
  ({ holder }) =>
    !holder || holder.accountId === accountId || holder.id === free
      ? [{ type: 'IdentityClaimed', data: { accountId } }]
      : refuse('identity-in-use', 'This identity belongs to another account.')

/** Gives the claim up, unless it has been made anew since. */
export const releaseIdentity =
  (claimId: string): Decide<OpenIdClaim, OpenIdClaimEvent, OpenIdRefusal> =>
  ({ holder }) =>
    holder?.id === claimId ? [{ type: 'IdentityReleased', data: { claimId } }] : []
