/** Proving once more who one is, for what a session that was left open is not to be enough for. */
import { type Account, accountStream } from '../domain/account/account.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { isFresh, isLive, type Proof, type Session, sessionStream, stepUpSession } from '../domain/session/session.ts'
import { type BySession, envelopeOf, type From, type IdentityDeps } from './identity.ts'
import { checkOwnPassword } from './own-password.ts'
import { type PasskeyAnswer, provePasskey } from './passkeys.ts'
import { type FactorDeps, factorsOf, proveFactor } from './second-factor.ts'
import type { Admit } from './sessions.ts'

const over = (): Refusal => refuse('session-ended', 'The session has ended, or there is none: sign in.')

/**
 * Is the session's last proof less than ten minutes old? Asked of the log, so that a proof on one node holds at once on
 * every other. @throws the ports' errors.
 */
export const requireFresh = async (
  deps: Pick<IdentityDeps, 'sessions' | 'clock'>,
  by: BySession,
): Promise<'done' | Refusal> => {
  const { state: session } = await deps.sessions.load(sessionStream(by.sessionId))
  const now = deps.clock.now()
  if (session?.accountId !== by.accountId || !isLive(session, now)) return over()
  return isFresh(session, now)
    ? 'done'
    : refuse(
        'step-up-required',
        'This needs a proof of the last ten minutes that it is you: POST /v1/sessions/step-up.',
      )
}

/**
 * The same where the account has a second factor: beside a password in the request, which is no proof of that. Each such
 * request is a try at the password: `admit` counts it, and throws when there were too many.
 */
export const requireFreshBesidePassword = async (
  deps: FactorDeps,
  by: BySession,
  admit: Admit,
): Promise<'done' | Refusal> => {
  const { state: account } = await deps.accounts.load(accountStream(by.accountId))
  if (!account) return refuse('account-not-found', 'There is no such account.')
  await admit(account.claim, triesOf(by))
  return (await factorsOf(deps, account)).totp ? requireFresh(deps, by) : 'done'
}

/** Counted by the session: nobody else uses its tries up. */
const triesOf = ({ sessionId }: BySession): string => `session ${sessionId}`

/** A password, with what the second factor asks for where there is one; or a passkey alone. */
export type StepUpProof = { readonly password?: string; readonly code?: string; readonly passkey?: PasskeyAnswer }

const byPassword = async (
  deps: FactorDeps,
  account: Account,
  by: BySession,
  proof: StepUpProof & { readonly password: string },
  from: From,
): Promise<Proof | Refusal> => {
  const factors = await factorsOf(deps, account)
  const checked = await checkOwnPassword(deps, account, proof.password, from)
  if (checked !== 'done') return checked
  const factor = await proveFactor(
    deps,
    { account, factors, proof: { ...proof, holder: by.sessionId }, purpose: 'step-up' },
    from,
  )
  return factor === 'nothing' ? 'password' : factor
}

/**
 * Takes a proof and notes it on the session. A wrong one is noted where failed sign-ins are. `admit` counts the try against
 * the account's claim, and throws when there were too many. @throws {PasswordsBusyError}
 */
export const stepUp = async (
  deps: FactorDeps,
  by: BySession,
  proof: StepUpProof,
  from: From,
  admit: Admit,
): Promise<Session | Refusal> => {
  const { state: account } = await deps.accounts.load(accountStream(by.accountId))
  if (!account) return refuse('account-not-found', 'There is no such account.')
  await admit(account.claim, triesOf(by))
  const { password, passkey = {} } = proof
  const alone = { purpose: 'step-up', holder: by.sessionId, alone: true } as const
  const proved =
    password === undefined
      ? await provePasskey(deps, account.id, passkey, alone, from)
      : await byPassword(deps, account, by, { ...proof, password }, from)
  if (typeof proved !== 'string') return proved
  const envelope = envelopeOf(deps, from, by.accountId)
  const decide = stepUpSession(by.accountId, proved, envelope.at)
  const result = await deps.sessions.run(sessionStream(by.sessionId), decide, envelope)
  return isRefusal(result) ? result : (result.state ?? over())
}
