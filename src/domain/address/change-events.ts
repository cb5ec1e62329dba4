/** What can happen when an account moves to another address, and the terms of it. Decided in change.ts. */
import Type from 'typebox'
import { eventType } from '../event.ts'

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

export const CHANGE_HOURS = 24
export const REVERT_DAYS = 7
const HOUR_MS = 60 * 60_000
export const later = (now: Date, hours: number): string => new Date(now.getTime() + hours * HOUR_MS).toISOString()

/**
 * When what may be an intruder's began, of an address that was left until `freeFrom` and taken back: its change had been asked
 * for so long before at most.
 */
export const disputedFrom = (freeFrom: string): string =>
  later(new Date(Date.parse(freeFrom)), -(24 * REVERT_DAYS + CHANGE_HOURS))
