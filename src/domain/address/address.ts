/**
 * The claim of an address of mail. Its stream is named by a keyed hash of the address, so that the store itself keeps an
 * address for one account, and nobody reads an address from the name. Whoever signs up, with a known address or not, writes
 * the same event: the account itself begins when the link in the mail is used.
 */

import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import type { EventOf, Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import { type AddressConfirmed, type AddressEvent, addressEvents, type SignUpReceived } from './address-events.ts'
import { disputedFrom } from './change-events.ts'
import {
  expiryOf,
  isEnough,
  isExpired,
  type LinkRefusal,
  linkExpired,
  linkInvalid,
  type MailTimes,
  withLast,
  withMail,
} from './links.ts'

/** What is refused of an address. */
export type AddressRefusal = 'email-invalid' | LinkRefusal

// Stream

export const addressCategory = 'address'
/** `mac`: HMAC-SHA-256 of the normalised address in base64url; `version` that of the key. */
export const addressStream = (version: number, mac: string): string => streamName(addressCategory, `${version}.${mac}`)

// Fold

type Person = {
  readonly accountId: string
  /** Absent once erased. */
  readonly address?: string
  readonly locale: 'en' | 'es'
}
/** A link by the hash of its secret. */
export type Link = { readonly hash: string; readonly expiresAt: string }
/** A sign-up that waits for one of its links; the newest one is the last. */
export type Pending = Person & { readonly links: readonly Link[] }
export type Reset = Link & { readonly accountId?: string; readonly used: boolean }
/** `from`: the claim that the change replaces. */
export type Change = Person & Link & { readonly from: string }
/** The account that has the address, by a sign-up or by a change of address, or had it until lately. */
export type Holder = Person & {
  /** Of the link that it was confirmed by. */
  readonly linkHash: string
  /** As it was set with the link; absent where the account was there before: it came by a change. */
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
/** `pending`, `changes` and `resets` are what waits for a link, the newest last. */
export type AddressState = {
  readonly holder?: Holder
  readonly pending: readonly Pending[]
  readonly changes: readonly Change[]
  readonly resets: readonly Reset[]
  readonly mails: MailTimes
}
const untouched: AddressState = { pending: [], changes: [], resets: [], mails: {} }

/** What the link of this hash would confirm. */
export const pendingBy = ({ pending }: AddressState, hash: string): Pending | undefined =>
  pending.find(({ links }) => links.some(link => link.hash === hash))
export const changeBy = ({ changes }: AddressState, hash: string): Change | undefined =>
  changes.find(change => change.hash === hash)

/** Who has the address now. One who left it is only known to come back. */
export const ownerOf = ({ holder }: AddressState): AddressState['holder'] =>
  holder?.freeFrom === undefined ? holder : undefined

/** May nobody else have it at `now`? */
export const isTaken = ({ holder }: AddressState, now: Date): boolean =>
  holder !== undefined && (holder.freeFrom === undefined || Date.parse(holder.freeFrom) > now.getTime())

const changed = (state: AddressState, event: Recorded<AddressEvent>): AddressState => {
  const { holder, changes, mails } = state
  switch (event.type) {
    case 'AddressChangeRequested': {
      const { accountId, from, locale, linkHash: hash, expiresAt, held, address, quiet } = event.data
      if (quiet) return state
      const noted = { ...state, mails: withMail(mails, 'change', { at: event.meta.at, accountId }) }
      if (held) return noted
      const change = {
        accountId,
        from,
        locale,
        hash,
        expiresAt,
        ...defined({ address: event.removed ? undefined : address }),
      }
      return { ...noted, changes: withLast(changes, change) }
    }
    case 'AddressChangeConfirmed': {
      const found = changeBy(state, event.data.linkHash)
      if (!found) return state
      const { hash: linkHash, expiresAt: _, ...person } = found
      return { ...untouched, mails, holder: { ...person, linkHash } }
    }
    case 'AddressLeft': {
      const { accountId, linkHash: revertHash, freeFrom } = event.data
      if (holder?.accountId !== accountId) return state
      // A reset that was asked for before would open the account to the old address.
      return { ...state, resets: [], holder: { ...holder, freeFrom, revertHash } }
    }
    case 'AddressReclaimed': {
      const { accountId, locale, linkHash, address } = event.data
      return {
        ...untouched,
        holder: { accountId, locale, linkHash, ...defined({ address: event.removed ? undefined : address }) },
      }
    }
    case 'AddressReverted': {
      if (holder?.revertHash !== event.data.linkHash) return state
      const { freeFrom = event.meta.at, revertHash: revertedBy, ...back } = holder
      const disputed = { disputedFrom: disputedFrom(freeFrom) }
      // A mail that sets a password follows, whoever asked for how many before.
      return { ...untouched, holder: { ...back, ...disputed, ...defined({ revertedBy }) } }
    }
    default:
      return state
  }
}

const signedUp = (state: AddressState, event: Recorded<EventOf<typeof SignUpReceived>>): AddressState => {
  const { accountId, locale, linkHash: hash, expiresAt, held, quiet, address } = event.data
  if (quiet) return state
  const noted = { ...state, mails: withMail(state.mails, 'verify', { at: event.meta.at }) }
  if (held) return noted
  const waits = {
    accountId,
    locale,
    links: [{ hash, expiresAt }],
    ...defined({ address: event.removed ? undefined : address }),
  }
  return { ...noted, pending: withLast(state.pending, waits) }
}

const confirmed = (state: AddressState, event: Recorded<EventOf<typeof AddressConfirmed>>): AddressState => {
  const { accountId, linkHash, password } = event.data
  const found = state.pending.find(each => each.accountId === accountId)
  if (!found) return state
  const { links: _, ...person } = found
  const set = event.removed ? {} : defined({ password })
  return { ...untouched, mails: state.mails, holder: { ...person, linkHash, ...set } }
}

const released = (state: AddressState, accountId: string): AddressState => {
  const changes = state.changes.filter(each => each.accountId !== accountId)
  if (state.holder?.accountId !== accountId) return { ...state, changes }
  // Somebody else may wait for their link since it was free for them.
  return { ...untouched, pending: state.pending, changes }
}

export const evolveAddress = (state: AddressState, event: Recorded<AddressEvent>): AddressState => {
  const { pending, resets, mails } = state
  switch (event.type) {
    case 'SignUpReceived':
      return signedUp(state, event)
    case 'AddressConfirmed':
      return confirmed(state, event)
    case 'SignUpEnded':
      return { ...state, pending: pending.filter(each => each.accountId !== event.data.accountId) }
    case 'AddressReleased':
      return released(state, event.data.accountId)
    case 'VerificationResent': {
      const { linkHash: hash, expiresAt, accountId, quiet } = event.data
      if (quiet) return state
      const again = (waits: Pending): Pending =>
        waits.accountId === accountId ? { ...waits, links: withLast(waits.links, { hash, expiresAt }) } : waits
      return { ...state, pending: pending.map(again), mails: withMail(mails, 'verify', { at: event.meta.at }) }
    }
    case 'PasswordResetRequested': {
      const { accountId, linkHash: hash, expiresAt, quiet } = event.data
      if (quiet) return state
      const reset = { hash, expiresAt, used: false, ...defined({ accountId }) }
      return { ...state, resets: withLast(resets, reset), mails: withMail(mails, 'reset', { at: event.meta.at }) }
    }
    case 'PasswordResetUsed': {
      // The others were asked for to the same end, and are void with it.
      const found = resets.find(({ hash }) => hash === event.data.linkHash)
      return found ? { ...state, resets: [{ ...found, used: true }] } : state
    }
    default:
      return changed(state, event)
  }
}

export const addressAggregate: Aggregate<AddressState, AddressEvent> = {
  category: addressCategory,
  events: addressEvents,
  initial: untouched,
  evolve: evolveAddress,
  route: state => {
    const owner = ownerOf(state)
    return { visibility: 'owner', ...defined({ owner: owner?.accountId }) }
  },
}

// Decide

export type SignUp = {
  readonly accountId: string
  readonly address: string
  readonly locale: 'en' | 'es'
  readonly linkHash: string
  readonly now: Date
  /** Somebody has it under another key. */
  readonly elsewhere?: boolean
  /** No mail has to ask: its link is used at once. */
  readonly vouched?: boolean
}

export const signUp =
  ({ now, elsewhere = false, vouched = false, ...given }: SignUp): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state => {
    const [expiresAt, held] = [expiryOf('verify', now), elsewhere || isTaken(state, now)]
    const quiet = !vouched && isEnough(state.mails, 'verify', now)
    return [{ type: 'SignUpReceived', data: { ...given, expiresAt, held, quiet } }]
  }

/**
 * Uses a link of a sign-up. Used again by the same link it is refused as used; any other one is none. `password` as the port of
 * passwords gave it.
 */
export const confirmAddress =
  (linkHash: string, now: Date, password?: string): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state => {
    if (state.holder?.linkHash === linkHash) return refuse('link-used', 'This link was used: sign in.')
    const found = pendingBy(state, linkHash)
    const link = found?.links.find(({ hash }) => hash === linkHash)
    if (!found || !link || isTaken(state, now)) return linkInvalid()
    if (isExpired(link, now)) return linkExpired()
    return [{ type: 'AddressConfirmed', data: { accountId: found.accountId, linkHash, ...defined({ password }) } }]
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
  (accountId: string, now: Date): Decide<AddressState, AddressEvent, AddressRefusal> =>
  ({ holder, pending }) => {
    if (holder?.accountId === accountId) return []
    const link = pending.find(each => each.accountId === accountId)?.links.at(-1)
    if (link && signUpEnds(link.expiresAt) > now) return []
    return [{ type: 'SignUpEnded', data: { accountId } }]
  }

export const failSignIn =
  (
    device: string,
    reason: 'credentials' | 'suspended' | 'step-up' | 'second-factor',
  ): Decide<AddressState, AddressEvent, AddressRefusal> =>
  () => [{ type: 'SignInFailed', data: { device, reason } }]

export const resend =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state => {
    const waits = isTaken(state, now) ? undefined : state.pending.at(-1)
    const quiet = isEnough(state.mails, 'verify', now)
    const data = { linkHash, expiresAt: expiryOf('verify', now), quiet, ...defined({ accountId: waits?.accountId }) }
    return [{ type: 'VerificationResent', data }]
  }

export const requestReset =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state => {
    const owner = ownerOf(state)
    const quiet = isEnough(state.mails, 'reset', now)
    const data = { linkHash, expiresAt: expiryOf('reset', now), quiet, ...defined({ accountId: owner?.accountId }) }
    return [{ type: 'PasswordResetRequested', data }]
  }

export const useReset =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state => {
    const reset = state.resets.find(({ hash }) => hash === linkHash)
    const owner = ownerOf(state)
    if (!reset || !owner || reset.accountId !== owner.accountId) return linkInvalid()
    if (reset.used) return refuse('link-used', 'This link was used.')
    if (isExpired(reset, now)) return linkExpired()
    return [{ type: 'PasswordResetUsed', data: { linkHash } }]
  }

/** Gives the address up, or that it was wanted: erased, or changed for another one. */
export const releaseAddress =
  (accountId: string): Decide<AddressState, AddressEvent, AddressRefusal> =>
  ({ holder, changes }) =>
    holder?.accountId === accountId || changes.some(each => each.accountId === accountId)
      ? [{ type: 'AddressReleased', data: { accountId } }]
      : []
