/** The passkeys of an account: adding, removing, and answers that prove who somebody is. */

import type { Transactor } from '../core/write/transact.ts'
import { accountStream } from '../domain/account/account.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import {
  addPasskey,
  failPasskey,
  type PasskeyEvent,
  type Passkeys,
  passkeysStream,
  removePasskey,
  usePasskey,
} from '../domain/session/passkeys.ts'
import { mayFit } from '../domain/text/text.ts'
import type { WebAuthn } from '../ports/passkeys.ts'
import type { Random } from './factor-codes.ts'
import { endForFactor } from './factor-sessions.ts'
import { type BySession, deviceOf, envelopeOf, type From, type IdentityDeps } from './identity.ts'
import { CHALLENGE_MS, type ChallengePurpose, makeChallenge, readChallenge } from './passkey-challenges.ts'

export type PasskeyDeps = IdentityDeps & {
  readonly passkeys: Transactor<Passkeys, PasskeyEvent>
  /** 32 bytes: signs challenges. */
  readonly challengeSecret: Uint8Array
  /** Absent where no public address is known that passkeys could be of. */
  readonly webAuthn?: WebAuthn
  readonly randomBytes: Random
}
type Done = 'done' | Refusal
/** What a browser's authenticator answered, as `PublicKeyCredential.toJSON()` has it. */
export type PasskeyAnswer = object

const SERVICE = 'Lexichron'
const NAME_LENGTH = 64

const wrong = (): Refusal => refuse('passkey-wrong', 'This passkey is none of the account, or its answer was used.')
const unavailable = (): Refusal =>
  refuse('passkeys-off', 'This service has no LEXICHRON_PUBLIC_URL that passkeys could be of.')

const idBytes = (accountId: string): string => Buffer.from(accountId.replaceAll('-', ''), 'hex').toString('base64url')

/** The account that an answer names; undefined where it names none. */
export const accountIn = (userHandle: string | undefined): string | undefined => {
  const hex = Buffer.from(userHandle ?? '', 'base64url').toString('hex')
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : undefined
}

const challengeOf = (deps: PasskeyDeps, purpose: ChallengePurpose, holder: string): string =>
  makeChallenge(deps.challengeSecret, purpose, holder, deps.clock.now(), deps.randomBytes)

/** What `navigator.credentials.get` takes (PublicKeyCredentialRequestOptionsJSON). `holder`: session or device. */
export const assertionOptions = (deps: PasskeyDeps, purpose: 'sign-in' | 'step-up', holder: string) => {
  const { webAuthn } = deps
  if (!webAuthn) return unavailable()
  return {
    challenge: challengeOf(deps, purpose, holder),
    rpId: webAuthn.rpId,
    timeout: CHALLENGE_MS,
    userVerification: 'required' as const,
    allowCredentials: [],
  }
}

/** What `navigator.credentials.create` takes (PublicKeyCredentialCreationOptionsJSON). */
export const registrationOptions = async (deps: PasskeyDeps, by: BySession) => {
  const { webAuthn } = deps
  if (!webAuthn) return unavailable()
  const { state: account } = await deps.accounts.load(accountStream(by.accountId))
  if (account?.address === undefined) return refuse('account-not-found', 'There is no such account.')
  const { items } = (await deps.passkeys.load(passkeysStream(account.id))).state
  const known = items.flatMap(({ credentialId }) => (credentialId === undefined ? [] : [credentialId]))
  return {
    challenge: challengeOf(deps, 'add', by.sessionId),
    rp: { id: webAuthn.rpId, name: SERVICE },
    timeout: CHALLENGE_MS,
    attestation: 'none' as const,
    user: { id: idBytes(account.id), name: account.address, displayName: account.address },
    pubKeyCredParams: [-7, -8, -257].map(alg => ({ type: 'public-key' as const, alg })),
    excludeCredentials: known.map(id => ({ type: 'public-key' as const, id })),
    authenticatorSelection: { residentKey: 'required' as const, userVerification: 'required' as const },
  }
}

/** Adds a passkey by the answer to `registrationOptions`, and ends every other session. */
export const addOwnPasskey = async (
  deps: PasskeyDeps,
  by: BySession,
  given: { readonly name: string; readonly answer: PasskeyAnswer },
  from: From,
): Promise<{ readonly id: string } | Refusal> => {
  const { webAuthn } = deps
  if (!webAuthn) return unavailable()
  const name = mayFit(given.name, NAME_LENGTH) ? given.name.normalize('NFC').trim() : ''
  if (name === '' || [...name].length > NAME_LENGTH || /[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(name))
    return refuse('text-invalid', `A passkey has a name of ${NAME_LENGTH} characters at most, on one line.`)
  const challenge = webAuthn.readChallenge(given.answer)
  const envelope = envelopeOf(deps, from, by.accountId)
  const answered =
    challenge === undefined
      ? undefined
      : readChallenge(deps.challengeSecret, 'add', by.sessionId, challenge, envelope.at)
  if (challenge === undefined || !answered) return wrong()
  const registered = await webAuthn.register(given.answer, challenge)
  if (!registered) return wrong()
  const id = deps.newId()
  const add = addPasskey({ ...by, passkeyId: id, name, ...registered, ...answered })
  const result = await deps.passkeys.run(passkeysStream(by.accountId), add, envelope)
  if (isRefusal(result)) return result
  const ended = await endForFactor(deps, by, envelope)
  return ended === 'done' ? { id } : ended
}

/** Removes a passkey, and ends every other session. */
export const removeOwnPasskey = async (deps: PasskeyDeps, by: BySession, id: string, from: From): Promise<Done> => {
  const envelope = envelopeOf(deps, from, by.accountId)
  const result = await deps.passkeys.run(passkeysStream(by.accountId), removePasskey(id, by.sessionId), envelope)
  return isRefusal(result) ? result : endForFactor(deps, by, envelope)
}

/**
 * Takes an answer to `assertionOptions` as the proof of an account, once. `alone`: nothing else is asked for, so that the
 * authenticator has to have asked for PIN, finger or face; what is wrong then is noted, where the passkey is one of the
 * account. Beside a password that is noted by who asks for the second factor.
 */
export const provePasskey = async (
  deps: PasskeyDeps,
  accountId: string,
  answer: PasskeyAnswer,
  asked: { readonly purpose: 'sign-in' | 'step-up'; readonly holder: string; readonly alone: boolean },
  from: From,
): Promise<'passkey' | Refusal> => {
  const { webAuthn } = deps
  if (!webAuthn) return unavailable()
  const claimed = webAuthn.read(answer)
  const envelope = envelopeOf(deps, from, accountId)
  const answered =
    claimed && readChallenge(deps.challengeSecret, asked.purpose, asked.holder, claimed.challenge, envelope.at)
  if (!claimed || !answered) return wrong()
  if (claimed.userHandle !== undefined && accountIn(claimed.userHandle) !== accountId) return wrong()
  const stream = passkeysStream(accountId)
  const { items } = (await deps.passkeys.load(stream)).state
  const passkey = items.find(each => each.credentialId === claimed.credentialId)
  if (passkey?.credentialId === undefined || passkey.publicKey === undefined) return wrong()
  const { credentialId, publicKey } = passkey
  const asserted = await webAuthn.assert(answer, claimed.challenge, { credentialId, publicKey })
  const fail = async (refusal: Refusal): Promise<Refusal> => {
    if (!asked.alone) return refusal
    const device = deviceOf(deps, stream, from.device ?? from.agent)
    const failed = failPasskey(passkey.id, device, asked.purpose)
    const noted = await deps.passkeys.run(stream, failed, envelopeOf(deps, from, accountId))
    return isRefusal(noted) ? noted : refusal
  }
  if (!asserted || (asked.alone && !asserted.userVerified)) return fail(wrong())
  const used = await deps.passkeys.run(
    stream,
    usePasskey(passkey.id, asserted.counter, asked.purpose, answered),
    envelope,
  )
  if (isRefusal(used)) return fail(used)
  return used.events.some(each => each.type === 'PasskeyUsed') ? 'passkey' : wrong()
}
