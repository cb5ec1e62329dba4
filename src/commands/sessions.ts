/** Signing in, going on, signing out. */
import { type Account, accountStream, setPassword } from '../domain/account/account.ts'
import { isTooLong } from '../domain/account/password-rules.ts'
import { endFault } from '../domain/account/standing.ts'
import { failSignIn } from '../domain/address/address.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import {
  endSession,
  ofEpoch,
  refreshSession,
  type Session,
  sessionStream,
  startSession,
} from '../domain/session/session.ts'
import { holderOf } from './accounts.ts'
import { claimsOf } from './address-claims.ts'
import { type Device, nameDevice, noteDevice, readDevice } from './devices.ts'
import { envelopeOf, type From, type IdentityDeps, readRefreshToken, refreshTokenOf } from './identity.ts'
import { accountIn, type PasskeyAnswer, provePasskey } from './passkeys.ts'
import { type FactorDeps, factorsOf, proveFactor } from './second-factor.ts'

/** A session with the refresh token that is good now. `isRestricted`: its account is suspended. */
export type Opened = {
  readonly session: Session
  readonly refreshToken: string
  readonly isRestricted: boolean
  /** At a sign-in: the token by which the device is known from here on. */
  readonly device?: string
}

/** Counts a try at a claim, by the device where that is known; throws when there were too many. */
export type Admit = (claim: string, device?: string) => Promise<void>

export type SignInRequest = {
  readonly email: string
  readonly password: string
  /** Of the second factor. */
  readonly code?: string
  readonly passkey?: PasskeyAnswer
  readonly remember: boolean
}

const wrong = (): Refusal =>
  refuse('credentials-wrong', 'Address or password is wrong, or the address is not confirmed.')

const rehash = async (deps: IdentityDeps, account: Account, password: string, from: From): Promise<void> => {
  const hash = await deps.passwords.hash(password)
  await deps.accounts.run(accountStream(account.id), setPassword(hash, 'rehashed'), envelopeOf(deps, from, account.id))
}

/**
 * Signs in. Known, unknown and unconfirmed addresses are the same work: four streams read, one hash, one append. What is sealed is
 * opened of an account alone: a refusal is to leave on a beat (beat.ts).
 * `admit` counts the try against its claim, and throws when there were too many.
 */
export const signIn = async (
  deps: FactorDeps,
  request: SignInRequest,
  from: From,
  admit: Admit,
): Promise<Opened | Refusal> => {
  const email = readEmail(request.email)
  if (!isEmail(email) || isTooLong(request.password)) return wrong()
  const claims = await claimsOf(deps, email)
  const account = await holderOf(deps, claims, from)
  const claim = account?.claim ?? claims[0]
  const device = await readDevice(deps, account, claim, from)
  await admit(claim, device.known ? device.hash : undefined)
  const factors = await factorsOf(deps, account)
  const { matches, outdated } = await deps.passwords.check(request.password, account?.password)
  if (!account || !matches) {
    const noted = await deps.addresses.run(claim, failSignIn(device.hash, 'credentials'), envelopeOf(deps, from))
    return isRefusal(noted) ? noted : wrong()
  }
  const ended = await endedFault(deps, account, device, from)
  if (ended) return ended
  const proof = await proveFactor(
    deps,
    { account, factors, proof: { ...request, holder: holderOfChallenge(from) }, purpose: 'sign-in' },
    from,
  )
  if (typeof proof !== 'string') return proof
  if (outdated) await rehash(deps, account, request.password, from)
  return begin(deps, account, device, request.remember, from)
}

/**
 * Notes the try at an account that is being erased, which opens to nobody any more; undefined of all others. To one that is suspended
 * its owner is let in: what a session may do meanwhile is a matter of rights.
 */
export const endedFault = async (
  deps: Pick<FactorDeps, 'addresses' | 'newId' | 'clock'>,
  account: Account,
  device: Device,
  from: From,
): Promise<Refusal | undefined> => {
  const fault = endFault(account)
  if (!fault) return undefined
  const noted = await deps.addresses.run(account.claim, failSignIn(device.hash, 'suspended'), envelopeOf(deps, from))
  return isRefusal(noted) ? noted : fault
}

/** Whom a challenge of a sign-in is given to: the device, where that has a token. */
export const holderOfChallenge = (from: From): string => from.device ?? ''

const begin = async (
  deps: FactorDeps,
  account: Account,
  device: Device,
  remember: boolean,
  from: From,
): Promise<Opened | Refusal> => {
  const named = nameDevice(deps, account, device)
  const sessionId = deps.newId()
  const envelope = envelopeOf(deps, from, account.id)
  const start = startSession({
    sessionId,
    accountId: account.id,
    epoch: account.epoch,
    device: named.hash,
    agent: from.agent,
    remember,
    now: envelope.at,
  })
  // At once, so that both are one wait for the disk. Where one fails nobody is given the session's tokens.
  const [noted, result] = await Promise.all([
    noteDevice(deps, account, named, from),
    deps.sessions.run(sessionStream(sessionId), start, envelope),
  ])
  if (noted !== 'done') return noted
  if (isRefusal(result)) return result
  if (!result.state) return wrong()
  const refreshToken = refreshTokenOf(deps.secrets.refresh, sessionId, 0)
  return { session: result.state, refreshToken, isRestricted: account.suspended, device: named.token }
}

/**
 * Signs in by a passkey alone, which names the account itself. Nobody guesses one, so that it counts against no account; a
 * passkey of the account whose answer is wrong is noted.
 */
export const signInByPasskey = async (
  deps: FactorDeps,
  request: { readonly passkey: PasskeyAnswer; readonly remember: boolean },
  from: From,
): Promise<Opened | Refusal> => {
  const accountId = accountIn(deps.webAuthn?.read(request.passkey)?.userHandle)
  const none = () => refuse('passkey-wrong', 'This passkey is none of the account, or its answer was used.')
  if (accountId === undefined) return none()
  const { state: account } = await deps.accounts.load(accountStream(accountId))
  const asked = { purpose: 'sign-in', holder: holderOfChallenge(from), alone: true } as const
  const proof = await provePasskey(deps, accountId, request.passkey, asked, from)
  if (proof !== 'passkey') return proof
  if (account?.address === undefined) return none()
  const device = await readDevice(deps, account, account.claim, from)
  const ended = await endedFault(deps, account, device, from)
  if (ended) return ended
  return begin(deps, account, device, request.remember, from)
}

const over = (): Refusal => refuse('session-ended', 'The session has ended, or there is none: sign in.')

/** Goes on with a session: its next refresh token. One that was used before ends the session, and all that came of it. */
export const refresh = async (deps: IdentityDeps, token: string, from: From): Promise<Opened | Refusal> => {
  const read = readRefreshToken(deps.secrets.refresh, token)
  if (!read) return over()
  const stream = sessionStream(read.sessionId)
  const { state: session } = await deps.sessions.load(stream)
  const account = session && (await deps.accounts.load(accountStream(session.accountId))).state
  if (!account || !ofEpoch(session, account)) return over()
  const envelope = envelopeOf(deps, from, account.id)
  const result = await deps.sessions.run(stream, refreshSession(read.generation, envelope.at), envelope)
  if (isRefusal(result)) return result
  const { state } = result
  if (!state || state.ended) return over()
  const refreshToken = refreshTokenOf(deps.secrets.refresh, state.id, state.generation)
  return { session: state, refreshToken, isRestricted: account.suspended }
}

/** Ends one session of the account. */
export const endOneSession = async (
  deps: IdentityDeps,
  accountId: string,
  { id, reason }: { readonly id: string; readonly reason: 'signed-out' | 'ended' },
  from: From,
): Promise<'done' | Refusal> => {
  const envelope = envelopeOf(deps, from, accountId)
  const result = await deps.sessions.run(sessionStream(id), endSession(accountId, reason), envelope)
  return isRefusal(result) ? result : 'done'
}
