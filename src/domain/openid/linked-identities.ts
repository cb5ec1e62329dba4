/** The identities at OpenID providers that an account signs in with. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'

/** What is refused of linked identities. */
export type OpenIdRefusal = 'identity-in-use' | 'identity-not-found' | 'identity-last' | 'identity-limit'

// Stream

export const identitiesCategory = 'identities'
export const identitiesStream = (accountId: string): string => streamName(identitiesCategory, accountId)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/** `claim` is the stream of the identity, `claimId` the event there; `provider` the name that the settings give it. */
export const IdentityLinked = eventType(
  'IdentityLinked',
  Type.Object({ accountId: text, claim: text, claimId: text, provider: text, issuer: secret, subject: secret }, strict),
  { subject },
)
/** `reason`: its owner wished so, the account was erased, or an intruder had linked it. */
export const IdentityUnlinked = eventType(
  'IdentityUnlinked',
  Type.Object(
    { accountId: text, identityId: text, provider: text, reason: Type.Enum(['owner', 'erased', 'disputed']) },
    strict,
  ),
)

export const linkedIdentitiesEvents = [IdentityLinked, IdentityUnlinked] as const
export type LinkedIdentitiesEvent = EventOf<(typeof linkedIdentitiesEvents)[number]>

// Fold

/** `id` is that of the event; issuer and subject are absent once erased. */
export type LinkedIdentity = {
  readonly id: string
  readonly claim: string
  readonly claimId: string
  readonly provider: string
  readonly issuer?: string
  readonly subject?: string
  readonly linkedAt: string
}
export type LinkedIdentities = { readonly accountId?: string; readonly items: readonly LinkedIdentity[] }

export const evolveLinkedIdentities = (
  { items }: LinkedIdentities,
  event: Recorded<LinkedIdentitiesEvent>,
): LinkedIdentities => {
  const { accountId } = event.data
  if (event.type === 'IdentityUnlinked') {
    const { identityId } = event.data
    return { accountId, items: items.filter(each => each.id !== identityId) }
  }
  const { claim, claimId, provider, issuer, subject: name } = event.data
  const known = event.removed ? {} : { issuer, subject: name }
  const item = { id: event.id, claim, claimId, provider, ...known, linkedAt: event.meta.at }
  return { accountId, items: [...items.filter(each => each.claim !== claim), item] }
}

export const linkedIdentitiesAggregate: Aggregate<LinkedIdentities, LinkedIdentitiesEvent> = {
  category: identitiesCategory,
  events: linkedIdentitiesEvents,
  initial: { items: [] },
  evolve: evolveLinkedIdentities,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

export const MOST_IDENTITIES = 10

export type NewIdentity = {
  readonly accountId: string
  readonly claim: string
  readonly claimId: string
  readonly provider: string
  readonly issuer: string
  readonly subject: string
}

/** An identity whose claim was made anew is written anew too, so that the list names the claim that stands. */
export const linkIdentity =
  (identity: NewIdentity): Decide<LinkedIdentities, LinkedIdentitiesEvent, OpenIdRefusal> =>
  ({ items }) => {
    const known = items.find(each => each.claim === identity.claim)
    if (known?.claimId === identity.claimId) return []
    return !known && items.length >= MOST_IDENTITIES
      ? refuse('identity-limit', `An account has ${MOST_IDENTITIES} identities at most: unlink one first.`)
      : [{ type: 'IdentityLinked', data: identity }]
  }

/** `otherWays`: there is a password or a passkey to sign in with. */
export const unlinkIdentity =
  (id: string, otherWays: boolean): Decide<LinkedIdentities, LinkedIdentitiesEvent, OpenIdRefusal> =>
  ({ accountId, items }) => {
    const found = items.find(each => each.id === id)
    if (!found || accountId === undefined)
      return refuse('identity-not-found', 'There is no identity of yours with this id.')
    if (items.length === 1 && !otherWays)
      return refuse('identity-last', 'This is the last way to sign in: set a password first, by a reset.')
    const { provider } = found
    return [{ type: 'IdentityUnlinked', data: { accountId, identityId: id, provider, reason: 'owner' } }]
  }

/** Several at once, without their owner's wish: all of an erased account, or those that an intruder has linked. */
export const unlinkThose =
  (
    reason: 'erased' | 'disputed',
    which: (identity: LinkedIdentity) => boolean,
  ): Decide<LinkedIdentities, LinkedIdentitiesEvent, OpenIdRefusal> =>
  ({ accountId, items }) =>
    accountId === undefined
      ? []
      : items.filter(which).map(({ id, provider }) => ({
          type: 'IdentityUnlinked',
          data: { accountId, identityId: id, provider, reason },
        }))
