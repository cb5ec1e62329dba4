/** What the routes of accounts and sessions share: the port behind them, and how its outcomes become answers. */
import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { BySession } from '../../../commands/identity.ts'
import type { SessionView } from '../../../commands/look-up-accounts.ts'
import type { Account } from '../../../domain/account/account.ts'
import type { ContentChoice } from '../../../domain/account/erasure-events.ts'
import type { Grant } from '../../../domain/account/grants.ts'
import type { Receipt } from '../../../domain/account/receipt.ts'
import type { JsonObject } from '../../../domain/event.ts'
import { isRefusal, type Refusal, type RefusalCode } from '../../../domain/refusal.ts'
import type { Passkey } from '../../../domain/session/passkeys.ts'
import { FRESH_MS, type Session } from '../../../domain/session/session.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type Answer, type EdgeRequest, header } from '../route.ts'

/** What an event tells of where it came from. */
export type From = { readonly correlationId: string; readonly agent: string; readonly device?: string }
export type SignedIn = {
  readonly session: Session
  readonly accessToken: string
  readonly refreshToken: string
  /** The account is suspended: see `suspended` among who holds a permission. */
  readonly isRestricted: boolean
  /** At a sign-in: the token by which the device is known from here on. */
  readonly device?: string
}
type Done = 'done' | Refusal
type Email = { readonly email: string }
type LinkUse = { readonly token: string; readonly password: string }
/** `device`: the token by which it is known from here on. */
type LinkUsed = { readonly device: string } | Refusal

/** Changes of address; src/app/address.ts has it. */
export type AddressPort = {
  request(accountId: string, given: Email & { readonly password: string }, from: From): Promise<Done>
  /** `counted`: where it comes from. @throws {ProblemError} rate-limited. */
  confirm(
    given: { readonly token: string; readonly password: string; readonly code?: string },
    counted: string,
    from: From,
  ): Promise<Done>
  revert(token: string, from: From): Promise<Done>
}

/** `passkey`: as `PublicKeyCredential.toJSON()` has it. */
export type FactorProof = { readonly code?: string; readonly passkey?: object }
/** Proofs of who somebody is; src/app/factors.ts has it. */
export type StepUpPort = {
  /** Is the session's last proof fresh enough? Else refused with `step-up-required`. */
  require(by: BySession): Promise<Done>
  /**
   * The same where the account has a second factor: beside a password in the request, which is no proof of that. Counts a
   * try at the password. @throws {ProblemError} rate-limited.
   */
  requireBesidePassword(by: BySession, counted: string): Promise<Done>
  /** @throws {ProblemError} rate-limited. */
  prove(
    by: BySession,
    proof: FactorProof & { readonly password?: string },
    counted: string,
    from: From,
  ): Promise<Session | Refusal>
}

export type FactorStanding = { readonly since?: string; readonly recoveryCodes: number }
/** What the routes of one's own factors do; src/app/factors.ts has it. */
export type FactorPort = {
  standing(accountId: string): Promise<FactorStanding>
  offer(by: BySession, from: From): Promise<{ readonly secret: string; readonly uri: string } | Refusal>
  confirm(by: BySession, code: string, from: From): Promise<Done>
  remove(by: BySession, from: From): Promise<Done>
  recoveryCodes(by: BySession, from: From): Promise<readonly string[] | Refusal>
}

/** What the routes of passkeys do; src/app/factors.ts has it. */
export type PasskeyPort = {
  signInOptions(device: string): JsonObject | Refusal
  stepUpOptions(by: BySession): JsonObject | Refusal
  addOptions(by: BySession): Promise<JsonObject | Refusal>
  add(
    by: BySession,
    given: { readonly name: string; readonly answer: object },
    from: From,
  ): Promise<{ readonly id: string } | Refusal>
  remove(by: BySession, id: string, from: From): Promise<'done' | Refusal>
  list(accountId: string): Promise<readonly Passkey[]>
}

/** The end of accounts; src/app/erasure.ts has it. */
export type ErasurePort = {
  wish(
    accountId: string,
    content: ContentChoice,
    from: From,
  ): Promise<{ readonly due: string; readonly content: ContentChoice } | Refusal>
  takeBack(accountId: string, from: From): Promise<Done>
  takeBackByLink(token: string, from: From): Promise<Done>
  /** Where the receipt is to be had, by whoever knows it. */
  receiptPath(accountId: string): string
  receipt(token: string): Promise<{ readonly receipt: Receipt; readonly signed: string } | Refusal>
  /** The public keys that receipts are verified with. */
  readonly keys: readonly JsonObject[]
}

/** What the routes need of accounts; src/app/identity.ts has it. */
export type IdentityPort = {
  readonly addressChange: AddressPort
  readonly stepUp: StepUpPort
  readonly factors: FactorPort
  readonly erasure: ErasurePort
  readonly passkeys: PasskeyPort
  signUp(given: Email & { readonly locale: 'en' | 'es' }, from: From): Promise<Done>
  verify(given: LinkUse, from: From): Promise<LinkUsed>
  resend(email: string, from: From): Promise<Done>
  /** `counted`: where it comes from. @throws {ProblemError} rate-limited. */
  signIn(
    given: Email & FactorProof & { readonly password: string; readonly remember: boolean },
    counted: string,
    from: From,
  ): Promise<SignedIn | Refusal>
  signInByPasskey(
    given: { readonly passkey: object; readonly remember: boolean },
    from: From,
  ): Promise<SignedIn | Refusal>
  refresh(token: string, from: From): Promise<SignedIn | Refusal>
  /** The session that a refresh token of ours is of. */
  sessionIn(refreshToken: string): string | undefined
  requestReset(email: string, from: From): Promise<Done>
  reset(given: LinkUse, from: From): Promise<LinkUsed>
  changePassword(
    by: BySession,
    passwords: { readonly current: string; readonly next: string },
    from: From,
  ): Promise<Done>
  endSession(
    accountId: string,
    which: { readonly id: string; readonly reason: 'signed-out' | 'ended' },
    from: From,
  ): Promise<Done>
  endSessions(by: BySession, which: 'all' | 'all-others', from: From): Promise<Done>
  sessionsOf(accountId: string): Promise<readonly SessionView[]>
  account(id: string): Promise<{ readonly account: Account; readonly grants: readonly Grant[] } | undefined>
}

export const tag = 'Accounts'
export const strict = { additionalProperties: false }
export const nothing = Type.Object({}, strict)

export const done: Answer = { status: 204 }
export const doneAnswer = { 204: { description: 'Done.' } }
const AGENT_LENGTH = 256
export const fromOf = (request: EdgeRequest): From => ({
  correlationId: request.id,
  agent: (header(request, 'user-agent') ?? '').slice(0, AGENT_LENGTH),
})

/** The body, which has been validated against the same schema. */
export const reading = <S extends TSchema>(schema: S): ((body: unknown) => Static<S>) => {
  const check = Compile(schema)
  return body => {
    if (check.Check(body)) return body
    throw new ProblemError('validation', 'The body is not of the form that this route takes.')
  }
}

const BEARER = 'Bearer realm="lexichron"'
/** What a 401 says that its client has to do. RFC 9470 has the one that asks for a fresh proof. */
const challenges: ReadonlyMap<string, string> = new Map([
  ['credentials-wrong', BEARER],
  ['session-ended', BEARER],
  ['second-factor-required', BEARER],
  ['code-wrong', BEARER],
  ['passkey-wrong', BEARER],
  ['step-up-required', `${BEARER}, error="insufficient_user_authentication", max_age=${FRESH_MS / 1000}`],
])

/** @throws {ProblemError} that of the refusal, with its challenge. */
export const granted = <T extends object | 'done'>(outcome: T | Refusal): T => {
  if (typeof outcome === 'string' || !isRefusal(outcome)) return outcome
  const challenge = challenges.get(outcome.refused)
  throw problemFrom(outcome, challenge === undefined ? {} : { 'www-authenticate': challenge })
}
export const settle = (outcome: Done): void => {
  granted(outcome)
}

export const open = { tag, querystring: nothing, rate: 'signIns' } as const
/** For whoever is signed in, about themselves. */
export const own = { tag, querystring: nothing, permission: 'account:use' } as const
/** The same, for those who are suspended as well: what they see of their account, and how they leave it. */
export const ownRead = { ...own, permission: 'account:read' } as const
export const ownLeave = { ...own, permission: 'account:leave' } as const
/** An answer that concerns one person: nothing on its way keeps it. */
export const unkept = (value: object, status = 200): Answer => ({
  status,
  body: JSON.stringify(value),
  cache: 'no-store',
})
export const text: readonly RefusalCode[] = ['text-invalid']
export const busy: readonly RefusalCode[] = ['passwords-busy', ...text]
export const secondFactor: readonly RefusalCode[] = [
  'second-factor-required',
  'code-wrong',
  'passkey-wrong',
  'passkeys-off',
]
