/**
 * The end of an account, in steps: wished for, with a day to change one's mind; begun, when nobody gets in any more and the
 * last mail goes out; done, when the key is destroyed that everything personal was sealed under.
 */

import Type from 'typebox'
import { linkInvalid } from '../address/links.ts'
import type { Decide } from '../decider.ts'
import { eventType } from '../event.ts'
import { type Refusal, refuse } from '../refusal.ts'
import type { AccountEvent, AccountState } from './account.ts'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })

/** `kept`: what was written stays under the display name; `anonymised`: under an id that leads to nobody any more. */
export const contentChoices = ['kept', 'anonymised'] as const
export type ContentChoice = (typeof contentChoices)[number]
const content = Type.Enum([...contentChoices])

/** `linkHash` is that of the link that takes it back until `due`; `claim` the stream of the address that it goes to. */
export const ErasureRequested = eventType(
  'ErasureRequested',
  Type.Object({ accountId: text, claim: text, content, linkHash: text, due: text }, strict),
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
/** The key is gone, and with it everything that was sealed under it. `claims`: addresses that are free again. */
export const AccountErased = eventType(
  'AccountErased',
  Type.Object({ accountId: text, content, attribution: Type.Optional(text), claims: Type.Array(text) }, strict),
)
export const erasureEvents = [ErasureRequested, ErasureCancelled, ErasureBegun, AccountErased] as const

/** What an account knows of its end. Times are RFC 3339. */
export type Erasure = {
  readonly content: ContentChoice
  readonly linkHash: string
  readonly requestedAt: string
  readonly due: string
  readonly begunAt?: string
  readonly attribution?: string
}
export type Erased = { readonly at: string; readonly content: ContentChoice; readonly attribution?: string }

export const ERASURE_HOURS = 24
/** Between the beginning and the end, for the last mail to leave. */
export const LAST_MAIL_MINUTES = 15
const HOUR_MS = 60 * 60_000

const absent = (): Refusal => refuse('account-not-found', 'There is no such account.')
const isAdministrator = (account: NonNullable<AccountState>): boolean =>
  account.grants.some(({ role }) => role === 'admin')

/** Wished for once more it keeps its time, and the choice and the link are those of the last wish. */
export const requestErasure =
  (choice: ContentChoice, linkHash: string, now: Date): Decide<AccountState, AccountEvent> =>
  account => {
    if (!account || account.erased) return absent()
    if (account.erasure?.begunAt !== undefined) return refuse('erasure-begun', 'The erasure has begun.')
    if (isAdministrator(account))
      return refuse('last-administrator', 'An administrator has the role taken back by another one first.')
    const due = account.erasure?.due ?? new Date(now.getTime() + ERASURE_HOURS * HOUR_MS).toISOString()
    return [
      {
        type: 'ErasureRequested',
        data: { accountId: account.id, claim: account.claim, content: choice, linkHash, due },
      },
    ]
  }

/** `linkHash`: by the link in the mail; absent: by who is signed in. */
export const cancelErasure =
  (linkHash?: string): Decide<AccountState, AccountEvent> =>
  account => {
    if (!account || account.erased) return linkHash === undefined ? absent() : linkInvalid()
    const { erasure } = account
    if (!erasure) return linkHash === undefined ? [] : linkInvalid()
    if (linkHash !== undefined && erasure.linkHash !== linkHash) return linkInvalid()
    if (erasure.begunAt !== undefined) return refuse('erasure-begun', 'The erasure has begun.')
    return [{ type: 'ErasureCancelled', data: { accountId: account.id } }]
  }

export const isDue = (erasure: Erasure | undefined, now: Date): boolean =>
  erasure !== undefined && Date.parse(erasure.due) <= now.getTime()

export const beginErasure =
  (now: Date, displayName: string | undefined): Decide<AccountState, AccountEvent> =>
  account => {
    if (!account || account.erased || account.erasure?.begunAt !== undefined || !isDue(account.erasure, now)) return []
    // One who was made an administrator meanwhile is not taken away from under the others.
    if (isAdministrator(account)) return []
    const stays = displayName !== undefined && account.erasure?.content === 'kept'
    const attribution = stays ? { attribution: displayName } : {}
    return [{ type: 'ErasureBegun', data: { accountId: account.id, ...attribution } }]
  }

/** May the key be destroyed? */
export const isRipe = ({ begunAt }: Erasure, now: Date): boolean =>
  begunAt !== undefined && Date.parse(begunAt) + LAST_MAIL_MINUTES * 60_000 <= now.getTime()

export const finishErasure =
  (claims: readonly string[]): Decide<AccountState, AccountEvent> =>
  account => {
    if (!account?.erasure || account.erased) return []
    const { content: choice, attribution } = account.erasure
    const shown = attribution === undefined ? {} : { attribution }
    return [{ type: 'AccountErased', data: { accountId: account.id, content: choice, ...shown, claims: [...claims] } }]
  }
