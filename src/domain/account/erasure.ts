/**
 * The end of an account, in steps: wished for, with a day to change one's mind; begun, when nobody gets in any more and the
 * last mail goes out; done, when the key is destroyed that everything personal was sealed under.
 */

import { type LinkRefusal, linkInvalid } from '../address/links.ts'
import type { Decide } from '../decider.ts'
import { refuse } from '../refusal.ts'
import type { Account, AccountEvent, AccountRefusal, AccountState } from './account.ts'
import type { ContentChoice, Erasure } from './erasure-events.ts'
import { isAdministrator } from './grants.ts'

export const ERASURE_HOURS = 24
/** Between the beginning and the end, for the last mail to leave. */
export const LAST_MAIL_MINUTES = 15
const HOUR_MS = 60 * 60_000

const absent = () => refuse('account-not-found', 'There is no such account.')

/** Wished for once more it keeps its time, and the choice and the link are those of the last wish. */
export const requestErasure =
  (choice: ContentChoice, linkHash: string, now: Date): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    if (!account || account.erased) return absent()
    if (account.erasure?.begunAt !== undefined) return refuse('erasure-begun', 'The erasure has begun.')
    if (isAdministrator(account, now))
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
  (linkHash?: string): Decide<AccountState, AccountEvent, AccountRefusal | LinkRefusal> =>
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
  (now: Date, displayName: string | undefined): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    if (!account || account.erased || account.erasure?.begunAt !== undefined || !isDue(account.erasure, now)) return []
    // One who was made an administrator meanwhile is not taken away from under the others.
    if (isAdministrator(account, now))
      return account.erasure?.heldAt === undefined ? [{ type: 'ErasureHeld', data: { accountId: account.id } }] : []
    const stays = displayName !== undefined && account.erasure?.content === 'kept'
    const attribution = stays ? { attribution: displayName } : {}
    return [
      { type: 'ErasureBegun', data: { accountId: account.id, ...attribution } },
      { type: 'SessionsEnded', data: { cause: 'erasure' } },
    ]
  }

/** What house-keeping takes at most, which looks every minute. */
const LATE_MS = 10 * 60_000

/** Why an erasure is not where it should be by now; undefined where it is. */
export const lateness = (account: Account, now: Date): 'held' | 'late' | undefined => {
  const { erasure, erased } = account
  if (!erasure || erased || !isDue(erasure, now)) return undefined
  if (erasure.begunAt === undefined && isAdministrator(account, now)) return 'held'
  const before = new Date(now.getTime() - LATE_MS)
  return (erasure.begunAt === undefined ? isDue(erasure, before) : isRipe(erasure, before)) ? 'late' : undefined
}

/** May the key be destroyed? */
export const isRipe = ({ begunAt }: Erasure, now: Date): boolean =>
  begunAt !== undefined && Date.parse(begunAt) + LAST_MAIL_MINUTES * 60_000 <= now.getTime()

export const finishErasure =
  (claims: readonly string[]): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    if (!account?.erasure || account.erased) return []
    const { content: choice, attribution } = account.erasure
    const shown = attribution === undefined ? {} : { attribution }
    return [{ type: 'AccountErased', data: { accountId: account.id, content: choice, ...shown, claims: [...claims] } }]
  }
