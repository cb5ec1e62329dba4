/** What administrators do to accounts: roles, suspension. */

import type { Accepted, Transactor } from '../core/write/transact.ts'
import { type AccountEvent, type AccountRefusal, type AccountState, accountStream } from '../domain/account/account.ts'
import { type Administering, grantRole, reinstate, suspend, takeRole } from '../domain/account/administration.ts'
import {
  ADMINISTRATORS_STREAM,
  type Administrators,
  type AdministratorsEvent,
  restore,
  withdraw,
} from '../domain/account/administrators.ts'
import { endSessionsFor } from '../domain/account/session-ends.ts'
import { staysAdministrator } from '../domain/account/standing.ts'
import type { Decide } from '../domain/decider.ts'
import { defined } from '../domain/defined.ts'
import type { Actor } from '../domain/event.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { isRole, roles } from '../domain/roles.ts'
import { endSessionFor, sessionStream } from '../domain/session/session.ts'
import { NOT_A_LANGUAGE, registeredLanguage } from '../domain/text/registered-languages.ts'
import { envelopeOf, type From, type IdentityDeps } from './identity.ts'

type Deps = Pick<IdentityDeps, 'accounts' | 'clock' | 'newId'> & {
  readonly administrators: Transactor<Administrators, AdministratorsEvent>
  /** Those who are administrators without an end, as far as this node has heard. */
  readonly administratorIds: () => readonly string[]
  /** Is the account blocked? It is then served nothing, whatever it was granted. */
  readonly isBlocked: (accountId: string) => Promise<boolean>
}
export type Administered = Accepted<AccountState> | Refusal

/** Of those, as many as are looked at to find one that stays. */
const MOST_LOOKED_AT = 50

/** Accounts of which each is looked up in its own stream: what this node has heard may be behind. */
const standingOf = async (deps: Deps): Promise<readonly string[]> => {
  const known = deps.administratorIds().slice(0, MOST_LOOKED_AT)
  const stays = async (id: string): Promise<readonly string[]> => {
    const { state } = await deps.accounts.load(accountStream(id))
    return staysAdministrator(state) && !(await deps.isBlocked(id)) ? [id] : []
  }
  return (await Promise.all(known.map(stays))).flat()
}

const administering = ({ clock }: Deps, by: Actor, reason: string): Administering => ({
  by: by.id,
  now: clock.now(),
  reason,
})

/**
 * Carries out what may end an administrator: first on the one stream that knows them all, so that two who end each other
 * at the same moment do it one after the other. Where the process dies between the two, the account is still an
 * administrator but not counted as one, and the same request finishes it. `begins`: it may make one.
 */
type Act = {
  readonly by: Actor
  readonly decide: Decide<AccountState, AccountEvent, AccountRefusal>
  readonly from: From
  /** Somebody may be an administrator by it. */
  readonly begins?: boolean
}

const run = async (deps: Deps, id: string, { by, decide, from, begins = false }: Act): Promise<Administered> => {
  const stream = accountStream(id)
  const carry = () => deps.accounts.run(stream, decide, { ...envelopeOf(deps, from), actor: by })
  const on = (change: Decide<Administrators, AdministratorsEvent, AccountRefusal>) =>
    deps.administrators.run(ADMINISTRATORS_STREAM, change, { ...envelopeOf(deps, from), actor: by })
  const { state } = await deps.accounts.load(stream)
  const decided = decide(state)
  const ends = staysAdministrator(state) && !isRefusal(decided) && decided.some(endsAdministrator)
  if (ends) {
    const withdrawn = await on(withdraw(id, await standingOf(deps), by.id))
    if (isRefusal(withdrawn)) return withdrawn
  }
  const done = await carry()
  // Also where it was one already: an earlier request may have come no further.
  if (isRefusal(done) || !begins || !staysAdministrator(done.state)) return done
  const restored = await on(restore(id))
  return isRefusal(restored) ? restored : done
}

/** Leaves an account without the role, or with an end to it, or out. */
const endsAdministrator = ({ type, data }: AccountEvent): boolean =>
  type === 'AccountSuspended' ||
  (type === 'RoleTaken' && data.role === 'admin') ||
  (type === 'RoleGranted' && data.role === 'admin' && data.expiresAt !== undefined)

/** Tags in canonical form, in order, each once. */
const canonical = (languages: readonly string[]): readonly string[] | Refusal => {
  const tags = languages.map(registeredLanguage)
  const wrong = tags.indexOf(undefined)
  if (wrong >= 0)
    return refuse('language-unknown', `languages[${wrong}] is not a BCP 47 tag of a registered language.`, {
      errors: [{ pointer: `/languages/${wrong}`, code: 'language-unknown', detail: NOT_A_LANGUAGE }],
    })
  return [...new Set(tags.flatMap(tag => tag ?? []))].toSorted()
}

/** When the grant of who acts ends. A service acts for whoever runs the whole, who gave it its token: that is no grant. */
const ownEnd = async ({ accounts }: Deps, by: Actor): Promise<string | undefined> => {
  if (by.kind !== 'account') return undefined
  const { state } = await accounts.load(accountStream(by.id))
  return state?.grants.find(({ role }) => role === 'admin')?.expiresAt
}

/** Grants a role, until `expiresAt` and on entries of `languages` alone, where those are given. */
export const grant = async (
  deps: Deps,
  about: {
    readonly id: string
    readonly role: string
    readonly expiresAt?: string
    readonly languages?: readonly string[]
    readonly reason: string
  },
  by: Actor,
  from: From,
): Promise<Administered> => {
  const { id, role, expiresAt, reason } = about
  if (!isRole(role)) return refuse('role-unknown', `There is no such role: take one of ${roles.join(', ')}.`)
  const languages = about.languages && canonical(about.languages)
  if (languages && 'refused' in languages) return languages
  const given = { role, ...defined({ expiresAt, languages }) }
  const until = role === 'admin' ? await ownEnd(deps, by) : undefined
  return run(deps, id, {
    by,
    decide: grantRole(given, { ...administering(deps, by, reason), ...defined({ until }) }),
    from,
    begins: role === 'admin',
  })
}

export const take = async (
  deps: Deps,
  { id, role, reason }: { readonly id: string; readonly role: string; readonly reason: string },
  by: Actor,
  from: From,
): Promise<Administered> =>
  isRole(role)
    ? run(deps, id, { by, decide: takeRole(role, administering(deps, by, reason)), from })
    : refuse('role-unknown', `There is no such role: take one of ${roles.join(', ')}.`)

export const suspendAccount = (deps: Deps, id: string, reason: string, by: Actor, from: From): Promise<Administered> =>
  run(deps, id, { by, decide: suspend(administering(deps, by, reason)), from })

/** Ends every session of the account; who did it and why stands in the event, and in a mail to the account. */
export const endAccountSessions = (
  deps: Deps,
  id: string,
  reason: string,
  by: Actor,
  from: From,
): Promise<Administered> => run(deps, id, { by, decide: endSessionsFor(by.id, reason), from })

/** The same for one of them. */
export const endAccountSession = async (
  deps: Deps & Pick<IdentityDeps, 'sessions'>,
  about: { readonly id: string; readonly sessionId: string; readonly reason: string },
  by: Actor,
  from: From,
): Promise<'done' | Refusal> => {
  const decide = endSessionFor(about.id, by.id, about.reason)
  const envelope = { ...envelopeOf(deps, from), actor: by }
  const result = await deps.sessions.run(sessionStream(about.sessionId), decide, envelope)
  return isRefusal(result) ? result : 'done'
}

export const reinstateAccount = (
  deps: Deps,
  id: string,
  reason: string,
  by: Actor,
  from: From,
): Promise<Administered> =>
  run(deps, id, { by, decide: reinstate(administering(deps, by, reason)), from, begins: true })

/** What the command line grants is asked of nobody; the account counts as an administrator from here on. */
export const restoreAdministrator = (deps: Pick<Deps, 'administrators' | 'clock' | 'newId'>, id: string, from: From) =>
  deps.administrators.run(ADMINISTRATORS_STREAM, restore(id), envelopeOf(deps, from))
