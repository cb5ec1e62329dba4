/**
 * Moving an account to another address. The new address is confirmed by a link before anything changes; the old one stays
 * reserved for a week, so that whoever reads its mail can take the account back (an intruder changes the address first).
 */

import type { EndRefusal } from '../account/standing.ts'
import type { Decide } from '../decider.ts'
import { type Refusal, refuse } from '../refusal.ts'
import type { AddressRefusal } from './address.ts'
import { type AddressState, changeBy, isTaken, ownerOf } from './address.ts'
import type { AddressEvent } from './address-events.ts'
import { freeFrom } from './change-events.ts'
import { expiryOf, isEnough, isExpired, linkExpired, linkInvalid } from './links.ts'

export type AddressChange = {
  readonly accountId: string
  readonly from: string
  readonly address: string
  readonly locale: 'en' | 'es'
  readonly linkHash: string
  readonly now: Date
  /** Others have it under another key. */
  readonly elsewhere?: boolean
}

/** Why an account may not have an address, as its own stream says. */
export type HolderRefusal = EndRefusal | 'account-suspended'

export type Confirmation = {
  readonly linkHash: string
  readonly now: Date
  readonly owner?: string
  readonly fault?: Refusal<HolderRefusal>
}

/** Who left the address a few days ago may have it again: they are not in their own way. */
export const requestChange =
  ({ now, elsewhere = false, ...given }: AddressChange): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state => {
    const held = elsewhere || (isTaken(state, now) && state.holder?.accountId !== given.accountId)
    const [expiresAt, quiet] = [expiryOf('change', now), isEnough(state.mails, 'change', now, given.accountId)]
    return [{ type: 'AddressChangeRequested', data: { ...given, expiresAt, held, quiet } }]
  }

/**
 * `owner`: the account that whoever has the link proved to be theirs; the link alone moves nobody. `fault`: why the account may
 * not have the address any more, as its own stream says.
 */
export const confirmChange =
  ({ linkHash, now, owner, fault }: Confirmation): Decide<AddressState, AddressEvent, AddressRefusal | HolderRefusal> =>
  state => {
    const { holder } = state
    if (holder?.linkHash === linkHash) return refuse('link-used', 'This link was used: the address is changed.')
    const change = changeBy(state, linkHash)
    if (!change || change.accountId !== owner) return linkInvalid()
    if (isTaken(state, now) && holder?.accountId !== change.accountId) return linkInvalid()
    if (isExpired(change, now)) return linkExpired()
    if (fault) return fault
    return [{ type: 'AddressChangeConfirmed', data: { accountId: change.accountId, linkHash } }]
  }

export const leaveAddress =
  (accountId: string, linkHash: string, now: Date): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state =>
    ownerOf(state)?.accountId === accountId
      ? [{ type: 'AddressLeft', data: { accountId, linkHash, freeFrom: freeFrom(now) } }]
      : []

/** The address that the account has under another key is its own under this one too. */
export const reclaimAddress =
  ({ now, ...given }: Omit<AddressChange, 'elsewhere'>): Decide<AddressState, AddressEvent, AddressRefusal> =>
  state => {
    if (ownerOf(state)?.accountId === given.accountId) return []
    return isTaken(state, now)
      ? refuse('conflict', 'Another account has the address.')
      : [{ type: 'AddressReclaimed', data: given }]
  }

/** `fault`: as with `confirmChange`. */
export const revertChange =
  (
    linkHash: string,
    now: Date,
    fault?: Refusal<HolderRefusal>,
  ): Decide<AddressState, AddressEvent, AddressRefusal | HolderRefusal> =>
  ({ holder }) => {
    if (holder?.revertedBy === linkHash) return refuse('link-used', 'This link was used: the address is yours again.')
    if (holder?.freeFrom === undefined || holder.revertHash !== linkHash) return linkInvalid()
    if (Date.parse(holder.freeFrom) <= now.getTime()) return linkExpired()
    if (fault) return fault
    return [{ type: 'AddressReverted', data: { accountId: holder.accountId, linkHash } }]
  }
