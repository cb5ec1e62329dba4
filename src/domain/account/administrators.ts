/**
 * Who of the administrators stays: one stream on which every withdrawal is decided, since no account's own stream could
 * tell that another one loses its role at the same moment.
 */

import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { type EventOf, eventType } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import type { AccountRefusal } from './account.ts'

// Stream

export const administratorsCategory = 'administrators'
export const ADMINISTRATORS_STREAM = streamName(administratorsCategory, 'all')

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
/** Comes before the account loses the role, is given an end to it, or is suspended: from here on it is not the one that stays. */
export const AdministratorWithdrawn = eventType(
  'AdministratorWithdrawn',
  Type.Object({ accountId: text, by: text }, strict),
)
/** Comes after the account was given the role again, or was let act again: it may be the one that stays. */
export const AdministratorRestored = eventType('AdministratorRestored', Type.Object({ accountId: text }, strict))

export const administratorsEvents = [AdministratorWithdrawn, AdministratorRestored] as const
export type AdministratorsEvent = EventOf<(typeof administratorsEvents)[number]>

// Fold

/** Accounts that were withdrawn and not restored. */
export type Administrators = ReadonlySet<string>

export const administratorsAggregate: Aggregate<Administrators, AdministratorsEvent> = {
  category: administratorsCategory,
  events: administratorsEvents,
  initial: new Set(),
  evolve: (withdrawn, event) => {
    const only = new Set([event.data.accountId])
    return event.type === 'AdministratorWithdrawn' ? withdrawn.union(only) : withdrawn.difference(only)
  },
  route: () => ({ visibility: 'owner' }),
}

// Decide

/** `standing`: accounts that are administrators for good now. One of them has to be left that was not withdrawn. */
export const withdraw =
  (
    accountId: string,
    standing: readonly string[],
    by: string,
  ): Decide<Administrators, AdministratorsEvent, AccountRefusal> =>
  withdrawn =>
    withdrawn.has(accountId)
      ? []
      : standing.some(each => each !== accountId && !withdrawn.has(each))
        ? [{ type: 'AdministratorWithdrawn', data: { accountId, by } }]
        : refuse('last-administrator', 'One administrator without an end has to stay: make another one first.')

export const restore =
  (accountId: string): Decide<Administrators, AdministratorsEvent, AccountRefusal> =>
  withdrawn =>
    withdrawn.has(accountId) ? [{ type: 'AdministratorRestored', data: { accountId } }] : []
