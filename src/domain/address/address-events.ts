/** What can happen to a claim of an address: signing up, confirming, resetting, giving it up. Changes: change-events.ts. */
import Type from 'typebox'
import { type EventOf, eventType, type JsonObject } from '../event.ts'
import { addressChangeEvents } from './change-events.ts'
import { withMailed } from './links.ts'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })
/** The hash of a password. */
const hashed = Type.String({ minLength: 1, seal: 'subject' as const, secret: true as const })
/** The hash of the secret in a link. */
const linkHash = Type.String({ minLength: 1, secret: true as const })
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/** Of what asks for a link: so many mails went to the address lately that this time none does, and no link is made. */
const quiet = Type.Boolean()

/** The first version had the password of whoever signed up, which counts no more: decision 30. */
const withoutPassword = ({ password: _, ...data }: JsonObject): JsonObject => withMailed(data)

/**
 * `accountId` is that of the account to be, and names the key of the address also where there is an account already, so that
 * both cases are the same work. `linkHash` is SHA-256 of the secret in the mail; `held`: the address had an account.
 */
export const SignUpReceived = eventType(
  'SignUpReceived',
  Type.Object(
    {
      accountId: text,
      address: secret,
      locale: Type.Enum(['en', 'es']),
      linkHash,
      expiresAt: text,
      held: Type.Boolean(),
      quiet,
    },
    strict,
  ),
  { subject, version: 2, upcasters: { 1: withoutPassword } },
)
/**
 * The link was used: the address is the account's, with the password that was set there. It is absent where an OpenID
 * provider vouched for who signed up.
 */
export const AddressConfirmed = eventType(
  'AddressConfirmed',
  Type.Object({ accountId: text, linkHash, password: Type.Optional(hashed) }, strict),
  { subject },
)
/** Nobody used the link: the sign-up is over, and the key of what it gave is destroyed. */
export const SignUpEnded = eventType('SignUpEnded', Type.Object({ accountId: text }, strict))
export const AddressReleased = eventType('AddressReleased', Type.Object({ accountId: text }, strict))
/** Somebody tried to sign in and could not; `device` is a keyed hash of what tells browsers apart. */
export const SignInFailed = eventType('SignInFailed', Type.Object({ device: text, reason: text }, strict))
/** Asked for by anybody; there is a mail only where there is an account. */
export const PasswordResetRequested = eventType(
  'PasswordResetRequested',
  Type.Object({ accountId: Type.Optional(text), linkHash, expiresAt: text, quiet }, strict),
  { version: 2, upcasters: { 1: withMailed } },
)
/** Another link for the last sign-up; `accountId` is absent where none waits for it. */
export const VerificationResent = eventType(
  'VerificationResent',
  Type.Object({ accountId: Type.Optional(text), linkHash, expiresAt: text, quiet }, strict),
  { version: 2, upcasters: { 1: withMailed } },
)
export const PasswordResetUsed = eventType('PasswordResetUsed', Type.Object({ linkHash }, strict))

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
