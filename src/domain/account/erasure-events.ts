/** What can happen on the way to the end of an account, and what the account knows of it. Decided in erasure.ts. */
import Type from 'typebox'
import { eventType } from '../event.ts'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })

/** `kept`: what was written stays under the display name; `anonymised`: under an id that leads to nobody any more. */
export const contentChoices = ['kept', 'anonymised'] as const
export type ContentChoice = (typeof contentChoices)[number]
const content = Type.Enum([...contentChoices])

/** `linkHash` is that of the link that takes it back until `due`; `claim` the stream of the address that it goes to. */
export const ErasureRequested = eventType(
  'ErasureRequested',
  Type.Object(
    {
      accountId: text,
      claim: text,
      content,
      linkHash: Type.String({ minLength: 1, secret: true as const }),
      due: text,
    },
    strict,
  ),
)
export const ErasureCancelled = eventType('ErasureCancelled', Type.Object({ accountId: text }, strict))
/**
 * From here on it cannot be taken back, and every session has ended. `attribution` is the display name where its owner
 * wished that it stays with what they wrote: it is public from here on.
 */
export const ErasureBegun = eventType(
  'ErasureBegun',
  Type.Object({ accountId: text, attribution: Type.Optional(text) }, strict),
)
/** It was due, and is not begun for as long as the account is an administrator: its owner is told, once for each wish. */
export const ErasureHeld = eventType('ErasureHeld', Type.Object({ accountId: text }, strict))
/** The key is gone, and with it everything that was sealed under it. `claims`: of addresses that it gave up, or wanted. */
export const AccountErased = eventType(
  'AccountErased',
  Type.Object({ accountId: text, content, attribution: Type.Optional(text), claims: Type.Array(text) }, strict),
)
export const erasureEvents = [ErasureRequested, ErasureCancelled, ErasureHeld, ErasureBegun, AccountErased] as const

/** What an account knows of its end. Times are RFC 3339. */
export type Erasure = {
  readonly content: ContentChoice
  readonly linkHash: string
  readonly requestedAt: string
  readonly due: string
  readonly begunAt?: string
  /** Since then it waits for the role of an administrator to end. */
  readonly heldAt?: string
  readonly attribution?: string
}
export type Erased = { readonly at: string; readonly content: ContentChoice; readonly attribution?: string }
