/** What can happen when an account moves to another address, and the terms of it. Decided in change.ts. */
import Type from 'typebox'
import { eventType } from '../event.ts'
import { lives, withMailed } from './links.ts'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
/** The hash of the secret in a link. */
const linkHash = Type.String({ minLength: 1, secret: true as const })
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/**
 * On the stream of the new address. `from` is the claim that it is to replace; `held`: the address has an account already,
 * whose owner is told instead. Both cases are the same event, so that nobody learns which one it was. `quiet`: so many mails
 * went to the address lately that none does.
 */
export const AddressChangeRequested = eventType(
  'AddressChangeRequested',
  Type.Object(
    {
      accountId: text,
      from: text,
      address: Type.String({ minLength: 1, seal: 'subject' as const }),
      locale: Type.Enum(['en', 'es']),
      linkHash,
      expiresAt: text,
      held: Type.Boolean(),
      quiet: Type.Boolean(),
    },
    strict,
  ),
  { subject, version: 2, upcasters: { 1: withMailed } },
)
/** The link was used: the address is the account's, which follows. */
export const AddressChangeConfirmed = eventType(
  'AddressChangeConfirmed',
  Type.Object({ accountId: text, linkHash }, strict),
)
/** On the stream of the old address, which is nobody else's until `freeFrom`; `linkHash` is that of the way back. */
export const AddressLeft = eventType('AddressLeft', Type.Object({ accountId: text, linkHash, freeFrom: text }, strict))
/** On the stream of the same address under another key: the account has it there from here on, and `from` is left. */
export const AddressReclaimed = eventType(
  'AddressReclaimed',
  Type.Object(
    {
      accountId: text,
      from: text,
      address: Type.String({ minLength: 1, seal: 'subject' as const }),
      locale: Type.Enum(['en', 'es']),
      linkHash: Type.String({ secret: true as const }),
    },
    strict,
  ),
  { subject },
)
/** The way back was taken: the address is the account's again. */
export const AddressReverted = eventType('AddressReverted', Type.Object({ accountId: text, linkHash }, strict))

export const addressChangeEvents = [
  AddressChangeRequested,
  AddressChangeConfirmed,
  AddressLeft,
  AddressReverted,
  AddressReclaimed,
] as const

export const REVERT_DAYS = 7
const DAY_MS = 24 * 60 * 60_000
/** When an address that is left at `now` is free for others. */
export const freeFrom = (now: Date): string => new Date(now.getTime() + REVERT_DAYS * DAY_MS).toISOString()

/**
 * When what may be an intruder's began, of an address that was left until `free` and taken back: its change had been asked
 * for so long before at most.
 */
export const disputedFrom = (free: string): string =>
  new Date(Date.parse(free) - REVERT_DAYS * DAY_MS - lives.change).toISOString()
