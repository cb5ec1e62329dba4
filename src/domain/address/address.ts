/**
 * The claim of an address of mail. Its stream is named by a keyed hash of the address, so that the store itself keeps an
 * address for one account, and nobody reads an address from the name. Whoever signs up, with a known address or not, writes
 * the same event: the account itself begins when the link in the mail is used.
 */

import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import { addressChangeEvents, disputedFrom } from './change-events.ts'
import { linkExpired, linkInvalid } from './links.ts'

// Stream

export const addressCategory = 'address'
/** `mac`: HMAC-SHA-256 of the normalised address in base64url; `version` that of the key. */
export const addressStream = (version: number, mac: string): string => streamName(addressCategory, `${version}.${mac}`)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/**
 * `accountId` is that of the account to be, and names the key of the address also where there is an account already, so that
 * both cases are the same work. `linkHash` is SHA-256 of the secret in the mail; `held`: the address had an account;
 * `password` is absent where an OpenID provider vouched for who signed up.
 */
export const SignUpReceived = eventType(
  'SignUpReceived',
  Type.Object(
    {
      accountId: text,
      address: secret,
      password: Type.Optional(secret),
      locale: Type.Enum(['en', 'es']),
      linkHash: text,
      expiresAt: text,
      held: Type.Boolean(),
    },
    strict,
  ),
  { subject },
)
/** The link was used: the address is the account's. */
export const AddressConfirmed = eventType('AddressConfirmed', Type.Object({ accountId: text, linkHash: text }, strict))
/** Nobody used the link: the sign-up is over, and the key of what it gave is destroyed. */
export const SignUpEnded = eventType('SignUpEnded', Type.Object({ accountId: text }, strict))
export const AddressReleased = eventType('AddressReleased', Type.Object({ accountId: text }, strict))
/** Somebody tried to sign in and could not; `device` is a keyed hash of what tells browsers apart. */
export const SignInFailed = eventType('SignInFailed', Type.Object({ device: text, reason: text }, strict))
/** Asked for by anybody; there is a mail only where there is an account. */
export const PasswordResetRequested = eventType(
  'PasswordResetRequested',
  Type.Object({ accountId: Type.Optional(text), linkHash: text, expiresAt: text }, strict),
)
/** The link of a sign-up, once more; `accountId` is absent where none waits for it. */
export const VerificationResent = eventType(
  'VerificationResent',
  Type.Object({ accountId: Type.Optional(text), linkHash: text, expiresAt: text }, strict),
)
export const PasswordResetUsed = eventType('PasswordResetUsed', Type.Object({ linkHash: text }, strict))

export const addressEvents = [
  SignUpReceived,
  AddressConfirmed,
  SignUpEnded,
  AddressReleased,
  SignInFailed,
  VerificationResent,
  PasswordResetRequested,
  PasswordResetUsed,
  ...addressChangeEvents,
] as const
export type AddressEvent = EventOf<(typeof addressEvents)[number]>

// Fold

export type Pending = {
  readonly accountId: string
  /** Absent once erased. */
  readonly address?: string
  readonly password?: string
  readonly locale: 'en' | 'es'
  readonly linkHash: string
  readonly expiresAt: string
}
export type Reset = {
  readonly linkHash: string
  readonly expiresAt: string
  readonly accountId?: string
  readonly used: boolean
}
/** The account that has the address, by a sign-up or by a change of address, or had it until lately. */
export type Holder = Omit<Pending, 'password'> & {
  /** Absent where the account was there before: it came by a change. */
  readonly password?: string
  /** The claim that a change replaces. */
  readonly from?: string
  /** Left: free for others from here on, and until then to be had back by the link of this hash. */
  readonly freeFrom?: string
  readonly revertHash?: string
  readonly revertedBy?: string
  /** Taken back: what was added to the account from then on is not taken to be its owner's. */
  readonly disputedFrom?: string
}
/** `pending` is the last sign-up that waits for its link, `change` the last change of address. */
export type AddressState = {
  readonly holder?: Holder
  readonly pending?: Pending
  readonly change?: Holder
  readonly reset?: Reset
}

/** Who has the address now. One who left it is only known to come back. */
export const ownerOf = ({ holder }: AddressState): AddressState['holder'] =>
  holder?.freeFrom === undefined ? holder : undefined

/** May nobody else have it at `now`? */
export const isTaken = ({ holder }: AddressState, now: Date): boolean =>
  holder !== undefined && (holder.freeFrom === undefined || Date.parse(holder.freeFrom) > now.getTime())

const changed = (state: AddressState, event: Recorded<AddressEvent>): AddressState => {
  const { holder, change, reset: _, ...rest } = state
  switch (event.type) {
    case 'AddressChangeRequested': {
      const { accountId, from, locale, linkHash, expiresAt, held, address } = event.data
      if (held) return state
      return { ...state, change: { accountId, from, locale, linkHash, expiresAt, ...(!event.removed && { address }) } }
    }
    case 'AddressChangeConfirmed':
      return change?.linkHash === event.data.linkHash ? { holder: change } : state
    case 'AddressLeft': {
      const { accountId, linkHash: revertHash, freeFrom } = event.data
      if (holder?.accountId !== accountId) return state
      // A reset that was asked for before would open the account to the old address.
      return { ...rest, ...defined({ change }), holder: { ...holder, freeFrom, revertHash } }
    }
    case 'AddressReclaimed': {
      const { accountId, locale, linkHash, address } = event.data
      return {
        ...rest,
        holder: { accountId, locale, linkHash, expiresAt: event.meta.at, ...(!event.removed && { address }) },
      }
    }
    case 'AddressReverted': {
      if (holder?.revertHash !== event.data.linkHash) return state
      const { freeFrom = event.meta.at, revertHash: revertedBy, ...back } = holder
      const disputed = { disputedFrom: disputedFrom(freeFrom) }
      return { ...rest, holder: { ...back, ...disputed, ...defined({ revertedBy }) } }
    }
    default:
      return state
  }
}

export const evolveAddress = (state: AddressState, event: Recorded<AddressEvent>): AddressState => {
  switch (event.type) {
    case 'SignUpReceived': {
      const { accountId, locale, linkHash, expiresAt, held } = event.data
      if (held) return state
      const { address, password } = event.data
      return {
        ...state,
        pending: {
          accountId,
          locale,
          linkHash,
          expiresAt,
          ...(!event.removed && { address }),
          ...(!event.removed && password !== undefined && { password }),
        },
      }
    }
    case 'AddressConfirmed':
      return state.pending?.accountId === event.data.accountId
        ? { holder: state.pending, ...defined({ reset: state.reset }) }
        : state
    case 'SignUpEnded': {
      if (state.pending?.accountId !== event.data.accountId) return state
      const { pending: _, ...rest } = state
      return rest
    }
    case 'AddressReleased': {
      const { accountId } = event.data
      const { holder, change, pending, reset } = state
      const others = defined({ pending, change: change?.accountId === accountId ? undefined : change })
      // Somebody else may wait for their link since it was free for them.
      return holder?.accountId === accountId ? others : { ...others, ...defined({ holder, reset }) }
    }
    case 'VerificationResent': {
      const { linkHash, expiresAt, accountId } = event.data
      const { pending } = state
      return pending?.accountId === accountId && pending
        ? { ...state, pending: { ...pending, linkHash, expiresAt } }
        : state
    }
    case 'PasswordResetRequested': {
      const { accountId, linkHash, expiresAt } = event.data
      return { ...state, reset: { linkHash, expiresAt, used: false, ...defined({ accountId }) } }
    }
    case 'PasswordResetUsed':
      return state.reset?.linkHash === event.data.linkHash ? { ...state, reset: { ...state.reset, used: true } } : state
    default:
      return changed(state, event)
  }
}

export const addressAggregate: Aggregate<AddressState, AddressEvent> = {
  category: addressCategory,
  events: addressEvents,
  initial: {},
  evolve: evolveAddress,
  route: state => {
    const owner = ownerOf(state)
    return { visibility: 'owner', ...defined({ owner: owner?.accountId }) }
  },
}

// Decide

export const LINK_HOURS = 24
export const RESET_MINUTES = 30
const later = (now: Date, minutes: number): string => new Date(now.getTime() + minutes * 60_000).toISOString()

export type SignUp = {
  readonly accountId: string
  readonly address: string
  /** As the password port gave it: of no use without its key. */
  readonly password?: string
  readonly locale: 'en' | 'es'
  readonly linkHash: string
  readonly now: Date
  /** Somebody has it under another key. */
  readonly elsewhere?: boolean
}

export const signUp =
  ({ now, elsewhere = false, ...given }: SignUp): Decide<AddressState, AddressEvent> =>
  state => [
    {
      type: 'SignUpReceived',
      data: { ...given, expiresAt: later(now, 60 * LINK_HOURS), held: elsewhere || isTaken(state, now) },
    },
  ]

const used = (linkHash: string, wanted: { readonly linkHash: string; readonly expiresAt: string }, now: Date) =>
  wanted.linkHash !== linkHash
    ? linkInvalid()
    : Date.parse(wanted.expiresAt) <= now.getTime()
      ? linkExpired()
      : undefined

/** Uses the link of a sign-up. Used again by the same link it is refused as used; any other one is none. */
export const confirmAddress =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent> =>
  state => {
    const { holder, pending } = state
    if (holder?.linkHash === linkHash) return refuse('link-used', 'This link was used: sign in.')
    if (!pending || isTaken(state, now)) return linkInvalid()
    return (
      used(linkHash, pending, now) ?? [{ type: 'AddressConfirmed', data: { accountId: pending.accountId, linkHash } }]
    )
  }

/** A sign-up ends so many days after its last link has: time enough to ask for another one. */
const SIGN_UP_DAYS = 7
/** When a sign-up that was received now ends, where nobody confirms it or asks for another link. */
export const signUpEnds = (linkExpiresAt: string): Date =>
  new Date(Date.parse(linkExpiresAt) + SIGN_UP_DAYS * 24 * 60 * 60_000)

/**
 * Ends a sign-up that nobody has confirmed; also one that an account or another sign-up at the address has made void. Nothing
 * happens to one that was confirmed, or whose last link is younger.
 */
export const endSignUp =
  (accountId: string, now: Date): Decide<AddressState, AddressEvent> =>
  ({ holder, pending }) => {
    if (holder?.accountId === accountId) return []
    if (pending?.accountId === accountId && signUpEnds(pending.expiresAt) > now) return []
    return [{ type: 'SignUpEnded', data: { accountId } }]
  }

export const failSignIn =
  (
    device: string,
    reason: 'credentials' | 'suspended' | 'step-up' | 'second-factor',
  ): Decide<AddressState, AddressEvent> =>
  () => [{ type: 'SignInFailed', data: { device, reason } }]

export const resend =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent> =>
  state => {
    const waits = isTaken(state, now) ? undefined : state.pending
    const data = { linkHash, expiresAt: later(now, 60 * LINK_HOURS), ...defined({ accountId: waits?.accountId }) }
    return [{ type: 'VerificationResent', data }]
  }

export const requestReset =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent> =>
  state => {
    const owner = ownerOf(state)
    const data = { linkHash, expiresAt: later(now, RESET_MINUTES), ...defined({ accountId: owner?.accountId }) }
    return [{ type: 'PasswordResetRequested', data }]
  }

export const useReset =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent> =>
  state => {
    const { reset } = state
    const owner = ownerOf(state)
    if (!reset || !owner || reset.accountId !== owner.accountId) return linkInvalid()
    if (reset.linkHash === linkHash && reset.used) return refuse('link-used', 'This link was used.')
    return used(linkHash, reset, now) ?? [{ type: 'PasswordResetUsed', data: { linkHash } }]
  }

/** Gives the address up, or that it was wanted: erased, or changed for another one. */
export const releaseAddress =
  (accountId: string): Decide<AddressState, AddressEvent> =>
  ({ holder, change }) =>
    holder?.accountId === accountId || change?.accountId === accountId
      ? [{ type: 'AddressReleased', data: { accountId } }]
      : []
