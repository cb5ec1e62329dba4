/**
 * Moving an account to another address. The new address is confirmed by a link before anything changes; the old one stays
 * reserved for a week, so that whoever reads its mail can take the account back (an intruder changes the address first).
 */

import Type from 'typebox'
import type { Decide } from '../decider.ts'
import { eventType } from '../event.ts'
import { refuse } from '../refusal.ts'
import type { AddressEvent, AddressState } from './address.ts'
import { linkExpired, linkInvalid } from './links.ts'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/**
 * On the stream of the new address. `from` is the claim that it is to replace; `held`: the address has an account already,
 * whose owner is told instead. Both cases are the same event, so that nobody learns which one it was.
 */
export const AddressChangeRequested = eventType(
  'AddressChangeRequested',
  Type.Object(
    {
      accountId: text,
      from: text,
      address: Type.String({ minLength: 1, seal: 'subject' as const }),
      locale: Type.Enum(['en', 'es']),
      linkHash: text,
      expiresAt: text,
      held: Type.Boolean(),
    },
    strict,
  ),
  { subject },
)
/** The link was used: the address is the account's, which follows. */
export const AddressChangeConfirmed = eventType(
  'AddressChangeConfirmed',
  Type.Object({ accountId: text, linkHash: text }, strict),
)
/** On the stream of the old address, which is nobody else's until `freeFrom`; `linkHash` is that of the way back. */
export const AddressLeft = eventType(
  'AddressLeft',
  Type.Object({ accountId: text, linkHash: text, freeFrom: text }, strict),
)
/** On the stream of the same address under another key: the account has it there from here on, and `from` is left. */
export const AddressReclaimed = eventType(
  'AddressReclaimed',
  Type.Object(
    {
      accountId: text,
      from: text,
      address: Type.String({ minLength: 1, seal: 'subject' as const }),
      locale: Type.Enum(['en', 'es']),
      linkHash: Type.String(),
    },
    strict,
  ),
  { subject },
)
/** The way back was taken: the address is the account's again. */
export const AddressReverted = eventType('AddressReverted', Type.Object({ accountId: text, linkHash: text }, strict))

export const addressChangeEvents = [
  AddressChangeRequested,
  AddressChangeConfirmed,
  AddressLeft,
  AddressReverted,
  AddressReclaimed,
] as const

/** Who has the address now. One who left it is only known to come back. */
export const ownerOf = ({ holder }: AddressState): AddressState['holder'] =>
  holder?.freeFrom === undefined ? holder : undefined

/** May nobody else have it at `now`? */
export const isTaken = ({ holder }: AddressState, now: Date): boolean =>
  holder !== undefined && (holder.freeFrom === undefined || Date.parse(holder.freeFrom) > now.getTime())

export const CHANGE_HOURS = 24
export const REVERT_DAYS = 7
const HOUR_MS = 60 * 60_000
const later = (now: Date, hours: number): string => new Date(now.getTime() + hours * HOUR_MS).toISOString()

/**
 * When what may be an intruder's began, of an address that was left until `freeFrom` and taken back: its change had been asked
 * for so long before at most.
 */
export const disputedFrom = (freeFrom: string): string =>
  later(new Date(Date.parse(freeFrom)), -(24 * REVERT_DAYS + CHANGE_HOURS))

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

/** Who left the address a few days ago may have it again: they are not in their own way. */
export const requestChange =
  ({ now, elsewhere = false, ...given }: AddressChange): Decide<AddressState, AddressEvent> =>
  state => {
    const held = elsewhere || (isTaken(state, now) && state.holder?.accountId !== given.accountId)
    return [{ type: 'AddressChangeRequested', data: { ...given, expiresAt: later(now, CHANGE_HOURS), held } }]
  }

export const confirmChange =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent> =>
  state => {
    const { change, holder } = state
    if (holder?.linkHash === linkHash) return refuse('link-used', 'This link was used: the address is changed.')
    if (change?.linkHash !== linkHash) return linkInvalid()
    if (isTaken(state, now) && holder?.accountId !== change.accountId) return linkInvalid()
    if (Date.parse(change.expiresAt) <= now.getTime()) return linkExpired()
    return [{ type: 'AddressChangeConfirmed', data: { accountId: change.accountId, linkHash } }]
  }

export const leaveAddress =
  (accountId: string, linkHash: string, now: Date): Decide<AddressState, AddressEvent> =>
  state =>
    ownerOf(state)?.accountId === accountId
      ? [{ type: 'AddressLeft', data: { accountId, linkHash, freeFrom: later(now, 24 * REVERT_DAYS) } }]
      : []

/** The address that the account has under another key is its own under this one too. */
export const reclaimAddress =
  ({ now, ...given }: Omit<AddressChange, 'elsewhere'>): Decide<AddressState, AddressEvent> =>
  state => {
    if (ownerOf(state)?.accountId === given.accountId) return []
    return isTaken(state, now)
      ? refuse('conflict', 'Another account has the address.')
      : [{ type: 'AddressReclaimed', data: given }]
  }

export const revertChange =
  (linkHash: string, now: Date): Decide<AddressState, AddressEvent> =>
  ({ holder }) => {
    if (holder?.revertedBy === linkHash) return refuse('link-used', 'This link was used: the address is yours again.')
    if (holder?.freeFrom === undefined || holder.revertHash !== linkHash) return linkInvalid()
    if (Date.parse(holder.freeFrom) <= now.getTime()) return linkExpired()
    return [{ type: 'AddressReverted', data: { accountId: holder.accountId, linkHash } }]
  }
