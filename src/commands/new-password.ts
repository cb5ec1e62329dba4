/** A password that is to be the account's: whether it will do, and what is kept of it. */
import type { Account } from '../domain/account/account.ts'
import { contextOf, passwordFault } from '../domain/account/password-rules.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { IdentityDeps } from './identity.ts'
import { type FactorDeps, factorsOf } from './second-factor.ts'

export type NewPasswordDeps = Pick<IdentityDeps, 'passwords' | 'displayNameOf'> & Pick<FactorDeps, 'factors'>

/** Of an account that is to begin. */
export const firstPasswordFault = (
  { passwords: { isCommon } }: Pick<IdentityDeps, 'passwords'>,
  address: string,
  password: string,
): Refusal | undefined => passwordFault(password, { isCommon, context: contextOf(address) })

/** Of an account that is there: `pointer` is where the password stands in the request. */
export const newPasswordFault = async (
  deps: NewPasswordDeps,
  { id, address = '' }: Account,
  password: string,
  pointer: string,
): Promise<Refusal | undefined> => {
  const [{ totp }, name] = await Promise.all([factorsOf(deps, { id }), deps.displayNameOf(id)])
  const { isCommon } = deps.passwords
  return passwordFault(password, { isCommon, pointer, context: contextOf(address, name), factor: totp !== undefined })
}
