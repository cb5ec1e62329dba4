/** The second factor of an account: turning it on and off, and asking for it. */

import type { Envelope, Transactor } from '../core/write/transact.ts'
import { type Account, accountStream } from '../domain/account/account.ts'
import { SHORTEST_ALONE } from '../domain/account/password-rules.ts'
import { failSignIn } from '../domain/address/address.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import {
  confirmTotp,
  type FactorEvent,
  type Factors,
  factorsStream,
  makeRecoveryCodes,
  offerTotp,
  refuseCode,
  removeTotp,
  useRecoveryCode,
  useTotp,
} from '../domain/session/second-factor.ts'
import type { Proof } from '../domain/session/session.ts'
import { type DeviceDeps, readDevice } from './devices.ts'
import { newRecoveryCode, newTotp, recoveryHash, totpStep } from './factor-codes.ts'
import { endForFactor } from './factor-sessions.ts'
import { type BySession, envelopeOf, type From } from './identity.ts'
import { type PasskeyAnswer, type PasskeyDeps, provePasskey } from './passkeys.ts'

/** What the second factor stands on beside accounts. Secrets: 32 bytes each. */
export type FactorDeps = DeviceDeps &
  PasskeyDeps & {
    readonly factors: Transactor<Factors, FactorEvent>
    readonly factorSecrets: { readonly totp: Uint8Array; readonly recovery: Uint8Array }
  }
type Purpose = 'sign-in' | 'step-up'
type Done = 'done' | Refusal

const RECOVERY_CODES = 10

/** Nobody's account: its factors are looked up where there is no account, which is to take as long. */
const NOBODY = 'a6b6ed4b-6b5c-4a6e-9b1c-5c1f1f0b7b11'

export const factorsOf = async (
  deps: Pick<FactorDeps, 'factors'>,
  account: Pick<Account, 'id'> | undefined,
): Promise<Factors> => (await deps.factors.load(factorsStream(account?.id ?? NOBODY))).state

/** What a second factor is proved by. `holder`: the session or device that the passkey's challenge was given to. */
export type FactorProof = { readonly code?: string; readonly passkey?: PasskeyAnswer; readonly holder: string }

const askFor = (): Refusal =>
  refuse(
    'second-factor-required',
    'The password is right. Send it with code (six digits or a recovery code), or with passkey.',
  )

const useCode = async (
  deps: FactorDeps,
  accountId: string,
  code: string,
  purpose: Purpose,
  envelope: Envelope,
): Promise<Proof | Refusal> => {
  const hash = recoveryHash(deps.factorSecrets.recovery, accountId, code)
  const use =
    hash === undefined
      ? useTotp(totpStep(deps.factorSecrets.totp, accountId, code, envelope.at), purpose)
      : useRecoveryCode(hash, purpose)
  const used = await deps.factors.run(factorsStream(accountId), use, envelope)
  return isRefusal(used) ? used : hash === undefined ? 'totp' : 'recovery-code'
}

/** Of whom a factor is asked, and what was shown. */
export type FactorAsked = {
  readonly account: Account
  readonly factors: Factors
  readonly proof: FactorProof
  readonly purpose: Purpose
}

/**
 * Asks for the second factor of an account whose password was right. `nothing`: it has none. A code works once, whichever
 * node it is sent to; what is missing or wrong is noted, one append as for a wrong password.
 */
export const proveFactor = async (
  deps: FactorDeps,
  { account, factors, proof: { code, passkey, holder }, purpose }: FactorAsked,
  from: From,
): Promise<Proof | 'nothing' | Refusal> => {
  if (!factors.totp) return 'nothing'
  const envelope = envelopeOf(deps, from, account.id)
  const { hash: device } = await readDevice(deps, account, account.claim, from)
  if (code === undefined && passkey === undefined) {
    const missing = failSignIn(device, 'second-factor')
    const noted = await deps.addresses.run(account.claim, missing, envelope)
    return isRefusal(noted) ? noted : askFor()
  }
  const proved =
    passkey === undefined
      ? await useCode(deps, account.id, code ?? '', purpose, envelope)
      : await provePasskey(deps, account.id, passkey, { purpose, holder, alone: false }, from)
  if (typeof proved === 'string' || !wrongs.has(proved.refused)) return proved
  const refused = refuseCode(device, purpose)
  const noted = await deps.factors.run(factorsStream(account.id), refused, envelopeOf(deps, from, account.id))
  return isRefusal(noted) ? noted : proved
}

const wrongs: ReadonlySet<string> = new Set(['code-wrong', 'passkey-wrong'])

/** Offers an authenticator: it is none until `confirmOwnTotp`. */
export const offerOwnTotp = async (
  deps: FactorDeps,
  by: BySession,
  from: From,
): Promise<{ readonly secret: string; readonly uri: string } | Refusal> => {
  const { state: account } = await deps.accounts.load(accountStream(by.accountId))
  if (account?.address === undefined) return refuse('account-not-found', 'There is no such account.')
  const { secret, uri, kept } = newTotp(deps.factorSecrets.totp, account.id, account.address, deps.randomBytes)
  const envelope = envelopeOf(deps, from, account.id)
  const result = await deps.factors.run(factorsStream(account.id), offerTotp(account.id, kept), envelope)
  return isRefusal(result) ? result : { secret, uri }
}

/** Turns the factor on by its first code, and ends every other session. */
export const confirmOwnTotp = async (deps: FactorDeps, by: BySession, code: string, from: From): Promise<Done> => {
  const envelope = envelopeOf(deps, from, by.accountId)
  const stepOf = totpStep(deps.factorSecrets.totp, by.accountId, code, envelope.at)
  const stream = factorsStream(by.accountId)
  const result = await deps.factors.run(stream, confirmTotp(by.sessionId, stepOf, envelope.at), envelope)
  return isRefusal(result) ? result : endForFactor(deps, by, envelope)
}

/** Turns the factor off, with its recovery codes, and ends every other session. A password that is short without it has to go first. */
export const removeOwnTotp = async (deps: FactorDeps, by: BySession, from: From): Promise<Done> => {
  const { password } = (await deps.accounts.load(accountStream(by.accountId))).state ?? {}
  if (password !== undefined && deps.passwords.isShort(password))
    return refuse(
      'password-short',
      `Without a second factor a password has ${SHORTEST_ALONE} characters at least: change it first.`,
    )
  const envelope = envelopeOf(deps, from, by.accountId)
  const result = await deps.factors.run(factorsStream(by.accountId), removeTotp(by.accountId, by.sessionId), envelope)
  if (isRefusal(result)) return result
  return result.events.length === 0 ? 'done' : endForFactor(deps, by, envelope)
}

/** Ten recovery codes that take the place of all before; told here and never again. */
export const makeOwnRecoveryCodes = async (
  deps: FactorDeps,
  by: BySession,
  from: From,
): Promise<readonly string[] | Refusal> => {
  const codes = Array.from({ length: RECOVERY_CODES }, () => newRecoveryCode(deps.randomBytes))
  const hashes = codes.flatMap(each => recoveryHash(deps.factorSecrets.recovery, by.accountId, each) ?? [])
  const make = makeRecoveryCodes(by.accountId, hashes)
  const result = await deps.factors.run(factorsStream(by.accountId), make, envelopeOf(deps, from, by.accountId))
  return isRefusal(result) ? result : codes
}
