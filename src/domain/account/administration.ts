/**
 * What is decided about other people's accounts: roles, suspension, the end of their sessions. Each decision goes through
 * one guard, so that none is forgotten where an account is at its end.
 */

import type { Decide, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { refuse } from '../refusal.ts'
import { languageRoles, type Role } from '../roles.ts'
import { readText } from '../text/text.ts'
import type { Account, AccountEvent, AccountRefusal, AccountState } from './account.ts'
import { BASIC_ROLES, type Grant, isInForce } from './grants.ts'
import { endFault, staysAdministrator } from './standing.ts'

/** Who decides, by the id of the actor, when, and why, in words that the person is told. */
export type Administering = {
  readonly by: string
  readonly now: Date
  readonly reason: string
  /** When their own grant as an administrator ends; absent where it does not. */
  readonly until?: string
}

const LONGEST_REASON = 500

/** What every such event says of who did it and why. */
type Because = { readonly by: string; readonly accountId: string; readonly reason: string }

/** Nobody does anything to themselves or without a reason, and nothing is done to an account that is erased, or about to be. */
const guarded =
  (
    { by, reason: given }: Administering,
    decide: (account: Account, because: Because) => Decision<AccountEvent, AccountRefusal>,
  ): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    const fault = endFault(account)
    if (fault || !account) return fault ?? []
    if (by === account.id) return refuse('own-role', 'Nobody does this to themselves: another administrator has to.')
    const { text: reason, fault: wrong } = readText(given.trim(), { max: LONGEST_REASON, multiline: false })
    if (reason === '') return refuse('reason-required', 'This needs a reason: the person is told it.')
    if (wrong !== undefined) return refuse('text-invalid', `The reason is not text that can be kept. ${wrong}`)
    return decide(account, { by, accountId: account.id, reason })
  }

const basic = (role: Role) =>
  refuse('role-basic', `${role} is not granted or taken: everybody with an account is a contributor.`)

/** Both in order. */
const sameLanguages = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  (a === undefined) === (b === undefined) && a?.join() === b?.join()

/** Nobody raises themselves; a grant that ends does so in the future; who is suspended is given nothing. */
export const grantRole = (
  { role, expiresAt, languages }: Grant,
  administering: Administering,
): Decide<AccountState, AccountEvent, AccountRefusal> =>
  guarded(administering, (account, because) => {
    const { now, until } = administering
    if (BASIC_ROLES.includes(role)) return basic(role)
    if (languages && !languageRoles.includes(role))
      return refuse(
        'grant-languages',
        `Languages are for ${languageRoles.join(' and ')}: ${role} is no work on entries.`,
      )
    if (expiresAt !== undefined && !(Date.parse(expiresAt) > now.getTime()))
      return refuse('grant-past', 'A grant ends in the future.')
    if (role === 'admin' && until !== undefined && !(Date.parse(expiresAt ?? '') <= Date.parse(until)))
      return refuse('grant-beyond-own', `Your own grant ends at ${until}: this one has to end by then.`)
    if (account.suspended) return refuse('grant-suspended', 'The account is suspended: reinstate it first.')
    const standing = account.grants.find(each => each.role === role && isInForce(each, now))
    if (standing && standing.expiresAt === expiresAt && sameLanguages(standing.languages, languages)) return []
    const ends = defined({ expiresAt, languages: languages && [...languages] })
    return [{ type: 'RoleGranted', data: { role, ...because, ...ends } }]
  })

/** That one administrator stays is decided on another stream, before this: administrators.ts. */
export const takeRole = (
  role: Role,
  administering: Administering,
): Decide<AccountState, AccountEvent, AccountRefusal> =>
  guarded(administering, (account, because) => {
    if (BASIC_ROLES.includes(role)) return basic(role)
    return account.grants.some(each => each.role === role && isInForce(each, administering.now))
      ? [{ type: 'RoleTaken', data: { role, ...because } }]
      : refuse('role-not-held', `The account does not have the role ${role}, or not any more.`)
  })

export const suspend = (administering: Administering): Decide<AccountState, AccountEvent, AccountRefusal> =>
  guarded(administering, (account, because) =>
    account.suspended
      ? []
      : [
          { type: 'AccountSuspended', data: because },
          { type: 'SessionsEnded', data: { cause: 'suspension' } },
        ],
  )

/** Because of a decision about the account. An administrator for good is first taken that role from. */
export const suspendBy = (
  decision: string,
  administering: Administering,
): Decide<AccountState, AccountEvent, AccountRefusal> =>
  guarded(administering, (account, because) =>
    account.suspended || staysAdministrator(account)
      ? []
      : [
          { type: 'AccountSuspended', data: { ...because, decision } },
          { type: 'SessionsEnded', data: { cause: 'suspension' } },
        ],
  )

/** Ends the suspension of that decision alone. */
export const reinstateFrom = (
  decision: string,
  administering: Administering,
): Decide<AccountState, AccountEvent, AccountRefusal> =>
  guarded(administering, (account, because) =>
    account.suspendedBy === decision ? [{ type: 'AccountReinstated', data: { ...because, decision } }] : [],
  )

export const reinstate = (administering: Administering): Decide<AccountState, AccountEvent, AccountRefusal> =>
  guarded(administering, (account, because) =>
    account.suspended ? [{ type: 'AccountReinstated', data: because }] : [],
  )
