/** The password of an account, asked for beside a session. */
import { type Account, accountStream } from '../domain/account/account.ts'
import { failSignIn } from '../domain/address/address.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { deviceOf, envelopeOf, type From, type IdentityDeps } from './identity.ts'

/** A wrong one is noted where failed sign-ins are: a session that was stolen is no place to guess in peace. @throws {PasswordsBusyError} */
export const checkOwnPassword = async (
  deps: Pick<IdentityDeps, 'addresses' | 'passwords' | 'secrets' | 'clock' | 'newId'>,
  account: Account,
  password: string,
  from: From,
): Promise<'done' | Refusal> => {
  const { matches } = await deps.passwords.check(password, account.password)
  if (matches) return 'done'
  const failed = failSignIn(deviceOf(deps, accountStream(account.id), from.agent), 'step-up')
  const noted = await deps.addresses.run(account.claim, failed, envelopeOf(deps, from, account.id))
  return isRefusal(noted) ? noted : refuse('credentials-wrong', 'This is not your password.')
}
