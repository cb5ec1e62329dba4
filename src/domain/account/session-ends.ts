/** The end of all sessions of an account for its own sake; other decisions end them by the way. */

import type { Decide } from '../decider.ts'
import { refuse } from '../refusal.ts'
import type { AccountEvent, AccountRefusal, AccountState } from './account.ts'
import type { EndCause, Ending } from './session-end-events.ts'
import { endFault } from './standing.ts'

const absent = () => refuse('account-not-found', 'There is no such account.')

/** By their owner. */
export const endSessions =
  (
    cause: Extract<EndCause, 'factor-changed' | 'all-others' | 'all'>,
    ending: Ending = {},
  ): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account =>
    account ? [{ type: 'SessionsEnded', data: { ...ending, cause } }] : absent()

/** An administrator ends them all, and says why. */
export const endSessionsFor =
  (by: string, reason: string): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    const fault = endFault(account)
    if (fault || !account) return fault ?? []
    if (reason.trim() === '') return refuse('reason-required', 'Whoever ends the sessions of others says why.')
    return [{ type: 'SessionsEnded', data: { accountId: account.id, cause: 'administrator', by, reason } }]
  }
