/** What a password may be (NIST SP 800-63B, 5.1.1.2; OWASP ASVS 5, 6.2): long enough, known to nobody, free otherwise. */
import { type Refusal, refuse } from '../refusal.ts'
import { mayFit, withoutEnds } from '../text/text.ts'

export const SHORTEST_PASSWORD = 8
export const LONGEST_PASSWORD = 128

/** Longer than any password in normal form was typed: nothing is worked out of it. */
export const isTooLong = (password: string): boolean => !mayFit(password, LONGEST_PASSWORD)

/** The form that is hashed: the same text typed on two keyboards is the same password. Nothing is cut or trimmed. */
export const normalPassword = (password: string): string => password.normalize('NFC')

const weak = (detail: string): Refusal =>
  refuse('password-weak', detail, { errors: [{ pointer: '/password', code: 'password', detail }] })

/** Is it, but for digits and marks around it, one of the words? */
const isWord = (password: string, words: readonly string[]): boolean => {
  const bare = withoutEnds(password.toLowerCase(), /[\d\p{P}\p{S}]/u)
  return words.some(word => word.length >= 3 && bare === word.toLowerCase())
}

/**
 * Why a password is refused, or undefined. `isCommon` knows the passwords that are tried first; `context` are words that
 * anybody would try for this account: the service's name, the parts of the address.
 */
export const passwordFault = (
  password: string,
  isCommon: (password: string) => boolean,
  context: readonly string[],
): Refusal | undefined => {
  const normal = isTooLong(password) ? undefined : normalPassword(password)
  const length = [...(normal ?? '')].length
  if (!normal?.isWellFormed() || length < SHORTEST_PASSWORD || length > LONGEST_PASSWORD)
    return weak(`A password has ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters.`)
  if (isCommon(normal.toLowerCase())) return weak('This password is among those that are tried first.')
  if (new Set(normal).size === 1) return weak('A password is not one character again and again.')
  if (isWord(normal, context)) return weak('This password follows from your address or from the name of the service.')
  return undefined
}

/** What is tried first for this address. */
export const contextOf = (address: string): readonly string[] => [
  'lexichron',
  address,
  ...address.split(/[@.+_-]/).filter(each => each.length >= 3),
  address.slice(0, Math.max(0, address.lastIndexOf('@'))),
]
