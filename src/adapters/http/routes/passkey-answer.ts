/** What an authenticator answered, in a body, and which of the ways to prove oneself a body takes. */
import Type from 'typebox'
import { ProblemError } from '../problems.ts'

/** `PublicKeyCredential.toJSON()`: browsers add members as the standard grows; the adapter reads those that it knows. */
export const PasskeyAnswer = Type.Object({}, { additionalProperties: true, maxProperties: 32, $id: 'PasskeyAnswer' })

/** Is it a passkey alone? @throws {ProblemError} validation, where it is none and lacks one of the others. */
export const isPasskeyAlone = <Member extends string>(
  given: { readonly passkey?: object } & { readonly [member in Member]?: string },
  others: readonly Member[],
): boolean => {
  const missing = others.find(each => given[each] === undefined)
  if (missing === undefined) return false
  if (given.passkey !== undefined && others.every(each => given[each] === undefined)) return true
  const detail = `${missing} is required, unless passkey stands alone.`
  throw new ProblemError('validation', detail, { errors: [{ pointer: `/${missing}`, code: 'required', detail }] })
}
