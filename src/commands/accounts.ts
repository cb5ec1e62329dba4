/**
 * Signing up, confirming an address, resetting and changing a password. What strangers may ask for is the same work and the
 * same answer whether or not the address is known: one append, one mail at most, and nothing sealed is opened, as that would
 * take a key of those alone who have an account (decision 95). What asks for a link is in link-requests.ts.
 */

import { accountStream, createAccount, setPassword } from '../domain/account/account.ts'
import { grantRole } from '../domain/account/administration.ts'
import type { Ending } from '../domain/account/session-end-events.ts'
import { endSessions } from '../domain/account/session-ends.ts'
import { confirmAddress, pendingBy, signUp, useReset } from '../domain/address/address.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { linkInvalid } from '../domain/address/links.ts'
import { defined } from '../domain/defined.ts'
import { actorId, uuidv5 } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { BASIC_ROLE, type Role } from '../domain/roles.ts'
import { sessionStream } from '../domain/session/session.ts'
import { claimsOf, isTakenAmong, lookUpClaims, lookUpOthers, ownerAmong } from './address-claims.ts'
import { keepDeviceOfLink } from './devices.ts'
import { deviceOf, envelopeOf, type From, type IdentityDeps, makeLink, readLink } from './identity.ts'
import { firstPasswordFault, newPasswordFault } from './new-password.ts'
import { checkOwnPassword } from './own-password.ts'
import type { FactorDeps } from './second-factor.ts'

export type Locale = 'en' | 'es'
/** Who acts at the command line; the same as where tokens are made. */
const operator = { kind: 'system', id: actorId('system', 'operator') } as const

type Done = 'done' | Refusal

const NOBODY = actorId('system', 'nobody')

export type SignUpRequest = { readonly email: string; readonly locale: Locale }

/**
 * Takes a sign-up. It brings no password: whoever signs up need not be who opens the mail, and only the latter's counts.
 * @throws the ports' errors.
 */
export const requestSignUp = async (deps: IdentityDeps, request: SignUpRequest, from: From): Promise<Done> => {
  const email = readEmail(request.email)
  if (!isEmail(email)) return email
  const [claim, ...before] = await claimsOf(deps, email)
  const envelope = envelopeOf(deps, from)
  const { hash } = makeLink(deps.secrets.link, 'verify', claim, envelope.commandId)
  const unopened = { addresses: deps.addresses.unopened }
  const elsewhere = isTakenAmong(await lookUpClaims(unopened, before), envelope.at)
  const given = { address: email.address, locale: request.locale, linkHash: hash, elsewhere }
  const decide = signUp({ ...given, accountId: deps.newId(), now: envelope.at })
  const result = await deps.addresses.unopened.run(claim, decide, envelope)
  return isRefusal(result) ? result : 'done'
}

/**
 * The account that holds one of the claims of an address. It is made here when the process ended between the confirmation and
 * it. Undefined when there is none, or it was erased.
 */
export const holderOf = async (deps: IdentityDeps, claims: readonly string[], from: From) => {
  const found = ownerAmong(await lookUpClaims(deps, claims))
  // A claim without an account is looked up just the same: it is to take as long.
  const stream = accountStream(found?.owner.accountId ?? uuidv5(NOBODY, claims.join()))
  const { state } = await deps.accounts.load(stream)
  // A change of address may be on its way between the two streams: the account says which address is its own.
  if (state || !found) return state && claims.includes(state.claim) ? state : undefined
  const { claim, owner } = found
  const { accountId, address, password, locale } = owner
  if (address === undefined) return undefined
  const made = createAccount({ accountId, claim, address, locale, ...defined({ password }) })
  const result = await deps.accounts.run(stream, made, envelopeOf(deps, from, accountId))
  return isRefusal(result) ? undefined : result.state
}

/** What a link is used with. */
export type LinkUse = { readonly token: string; readonly password: string }

/** `device`: the token by which it is known from here on. */
export type LinkUsed = { readonly device: string }

/** Uses the link of a sign-up: the account begins, with the password that is set here. @throws {PasswordsBusyError} */
export const confirmEmail = async (
  deps: FactorDeps,
  { token, password }: LinkUse,
  from: From,
): Promise<LinkUsed | Refusal> => {
  const link = readLink(token)
  if (!link) return linkInvalid()
  const now = deps.clock.now()
  const { state } = await deps.addresses.load(link.claim)
  const refusal = confirmAddress(link.hash, now)(state)
  if (isRefusal(refusal)) return refusal
  const address = pendingBy(state, link.hash)?.address
  if (address === undefined) return linkInvalid()
  if (isTakenAmong(await lookUpOthers(deps, link.claim, address), now)) return linkInvalid()
  const fault = firstPasswordFault(deps, address, password)
  if (fault) return fault
  const decide = confirmAddress(link.hash, now, await deps.passwords.hash(password))
  const result = await deps.addresses.run(link.claim, decide, envelopeOf(deps, from))
  if (isRefusal(result)) return result
  const account = await holderOf(deps, [link.claim], from)
  return account ? keepDeviceOfLink(deps, account, from) : linkInvalid()
}

/** Sets the password by a link, once, and ends every session. */
export const resetPassword = async (
  deps: FactorDeps,
  { token, password }: LinkUse,
  from: From,
): Promise<LinkUsed | Refusal> => {
  const link = readLink(token)
  if (!link) return linkInvalid()
  const now = deps.clock.now()
  const decide = useReset(link.hash, now)
  const { state } = await deps.addresses.load(link.claim)
  const refusal = decide(state)
  if (isRefusal(refusal)) return refusal
  const account = await holderOf(deps, [link.claim], from)
  if (account?.address === undefined) return linkInvalid()
  const fault = await newPasswordFault(deps, account, password, '/password')
  if (fault) return fault
  const hash = await deps.passwords.hash(password)
  // The link first: of two that use it at once one wins here. Where the process ends before the next line, the link is used
  // up and the old password stands; nobody was told otherwise, and another mail helps.
  const used = await deps.addresses.run(link.claim, decide, envelopeOf(deps, from, account.id))
  if (isRefusal(used)) return used
  const device = deviceOf(deps, accountStream(account.id), from.agent)
  const set = setPassword(hash, 'reset', { device })
  const result = await deps.accounts.run(accountStream(account.id), set, envelopeOf(deps, from, account.id))
  return isRefusal(result) ? result : keepDeviceOfLink(deps, account, from)
}

/** Changes the password of who knows it, and ends every session but this one. */
export const changePassword = async (
  deps: FactorDeps,
  by: { readonly accountId: string; readonly sessionId: string },
  passwords: { readonly current: string; readonly next: string },
  from: From,
): Promise<Done> => {
  const stream = accountStream(by.accountId)
  const { state: account } = await deps.accounts.load(stream)
  if (account?.address === undefined) return refuse('account-not-found', 'There is no such account.')
  const fault = await newPasswordFault(deps, account, passwords.next, '/newPassword')
  if (fault) return fault
  const checked = await checkOwnPassword(deps, account, passwords.current, from)
  if (checked !== 'done') return checked
  const hash = await deps.passwords.hash(passwords.next)
  const envelope = envelopeOf(deps, from, by.accountId)
  const result = await deps.accounts.run(
    stream,
    setPassword(hash, 'changed', await endingBy(deps, by.sessionId)),
    envelope,
  )
  return isRefusal(result) ? result : 'done'
}

/** What the session that ends others is on record with. */
const endingBy = async ({ sessions }: Pick<IdentityDeps, 'sessions'>, except: string): Promise<Ending> => {
  const { state } = await sessions.load(sessionStream(except))
  return { except, ...defined({ device: state?.device }) }
}

/** Ends every session of the account, or every one but that which asks. */
export const endAllSessions = async (
  deps: IdentityDeps,
  by: { readonly accountId: string; readonly sessionId: string },
  which: 'all' | 'all-others',
  from: From,
): Promise<Done> => {
  const envelope = envelopeOf(deps, from, by.accountId)
  const { except, ...ending } = await endingBy(deps, by.sessionId)
  const decide = endSessions(which, which === 'all' ? ending : { ...ending, ...defined({ except }) })
  const result = await deps.accounts.run(accountStream(by.accountId), decide, envelope)
  return isRefusal(result) ? result : 'done'
}

/**
 * Makes an account without a mail, with a role that lasts, and its first password: how the first administrator comes in.
 * An account that exists is given the role, and keeps its password (undefined here).
 */
export const createByOperator = async (
  deps: IdentityDeps,
  {
    email: text,
    role,
    password,
    reason,
  }: { readonly email: string; readonly role: Role; readonly password: string; readonly reason: string },
): Promise<{ readonly accountId: string; readonly password?: string } | Refusal> => {
  const email = readEmail(text)
  if (!isEmail(email)) return email
  const from = { correlationId: deps.newId(), agent: '' }
  const by = { ...envelopeOf(deps, from), actor: operator }
  const claims = await claimsOf(deps, email)
  const [claim] = claims
  const there = await holderOf(deps, claims, from)
  // What everybody is needs no grant; to give it to who has an account already is refused like any other role that is none.
  const grant = !there && role === BASIC_ROLE ? undefined : grantRole({ role }, { by: operator.id, now: by.at, reason })
  if (!there) {
    // Before anything is made: of an account that is not there the role alone can be wrong.
    if (role === 'reader') return refuse('role-basic', 'reader is for services: an account is a contributor at least.')
    const { hash } = makeLink(deps.secrets.link, 'verify', claim, by.commandId)
    const given = { address: email.address, locale: 'en' as const, linkHash: hash, now: by.at, vouched: true }
    const asked = await deps.addresses.run(claim, signUp({ ...given, accountId: deps.newId() }), by)
    if (isRefusal(asked)) return asked
    const confirm = confirmAddress(hash, by.at, await deps.passwords.hash(password))
    const confirmed = await deps.addresses.run(claim, confirm, { ...by, commandId: deps.newId() })
    if (isRefusal(confirmed)) return confirmed
  }
  const account = there ?? (await holderOf(deps, [claim], from))
  if (!account) return refuse('account-not-found', 'The account could not be made.')
  if (grant) {
    const granted = await deps.accounts.run(accountStream(account.id), grant, { ...by, commandId: deps.newId() })
    if (isRefusal(granted)) return granted
  }
  return there ? { accountId: account.id } : { accountId: account.id, password }
}
