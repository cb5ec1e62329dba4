/**
 * What is decided about other people's accounts: roles, suspension, the end of their sessions. Each decision goes through
 * one guard, so that none is forgotten where an account is at its end.
 */
import type { Decide, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { refuse } from '../refusal.ts'
import { languageRoles, type Role } from '../roles.ts'
import type { Account, AccountEvent, AccountState } from './account.ts'
import { BASIC_ROLES, type Grant, isInForce } from './grants.ts'
import { endFault } from './standing.ts'

/** Who decides, by the id of the actor, and when. */
export type Administering = { readonly by: string; readonly now: Date }

/** Nobody does anything to themselves, and nothing is done to an account that is erased, or about to be. */
const guarded =
  (
    { by }: Pick<Administering, 'by'>,
    decide: (account: Account) => Decision<AccountEvent>,
  ): Decide<AccountState, AccountEvent> =>
  account => {
    const fault = endFault(account)
    if (fault || !account) return fault ?? []
    if (by === account.id) return refuse('own-role', 'Nobody does this to themselves: another administrator has to.')
    return decide(account)
  }

const basic = (role: Role) =>
  refuse('role-basic', `${role} is not granted or taken: everybody with an account is a contributor.`)

/** Both in order. */
const sameLanguages = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  (a === undefined) === (b === undefined) && a?.join() === b?.join()

/** Nobody raises themselves; a grant that ends does so in the future; who is suspended is given nothing. */
export const grantRole = (
  { role, expiresAt, languages }: Grant,
  { by, now }: Administering,
): Decide<AccountState, AccountEvent> =>
  guarded({ by }, account => {
    if (BASIC_ROLES.includes(role)) return basic(role)
    if (languages && !languageRoles.includes(role))
      return refuse(
        'grant-languages',
        `Languages are for ${languageRoles.join(' and ')}: ${role} is no work on entries.`,
      )
    if (expiresAt !== undefined && !(Date.parse(expiresAt) > now.getTime()))
      return refuse('grant-past', 'A grant ends in the future.')
    if (account.suspended) return refuse('grant-suspended', 'The account is suspended: reinstate it first.')
    const standing = account.grants.find(each => each.role === role && isInForce(each, now))
    if (standing && standing.expiresAt === expiresAt && sameLanguages(standing.languages, languages)) return []
    return [
      { type: 'RoleGranted', data: { role, by, ...defined({ expiresAt, languages: languages && [...languages] }) } },
    ]
  })

/** That one administrator stays is decided on another stream, before this: administrators.ts. */
export const takeRole = (role: Role, { by, now }: Administering): Decide<AccountState, AccountEvent> =>
  guarded({ by }, account => {
    if (BASIC_ROLES.includes(role)) return basic(role)
    return account.grants.some(each => each.role === role && isInForce(each, now))
      ? [{ type: 'RoleTaken', data: { role, by } }]
      : refuse('role-not-held', `The account does not have the role ${role}, or not any more.`)
  })

export const suspend = (reason: string, { by }: Administering): Decide<AccountState, AccountEvent> =>
  guarded({ by }, account => {
    if (reason.trim() === '') return refuse('reason-required', 'A suspension needs a reason.')
    if (account.suspended) return []
    return [
      { type: 'AccountSuspended', data: { accountId: account.id, by, reason } },
      { type: 'SessionsEnded', data: { reason: 'suspension' } },
    ]
  })

export const reinstate = ({ by }: Administering): Decide<AccountState, AccountEvent> =>
  guarded({ by }, account => (account.suspended ? [{ type: 'AccountReinstated', data: { by } }] : []))
