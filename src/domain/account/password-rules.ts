/** What a password may be (NIST SP 800-63B-4, 3.1.1.2; OWASP ASVS 5, 6.2): long enough, known to nobody, free otherwise. */
import { type Refusal, refuse } from '../refusal.ts'
import { mayFit, withoutEnds } from '../text/text.ts'

/** Where the password is all that is asked for; and where a second factor is asked for beside it. */
export const SHORTEST_ALONE = 15
export const SHORTEST_BESIDE_FACTOR = 8
export const LONGEST_PASSWORD = 128

/** Longer than any password in normal form was typed: nothing is worked out of it. */
export const isTooLong = (password: string): boolean => !mayFit(password, LONGEST_PASSWORD)

/** The form that is hashed: the same text typed on two keyboards is the same password. Nothing is cut or trimmed. */
export const normalPassword = (password: string): string => password.normalize('NFC')

/** In code points, in the form that is hashed. */
const lengthOf = (normal: string): number => [...normal].length

/** Is it one that only a second factor makes good enough? */
export const isShort = (password: string): boolean => lengthOf(normalPassword(password)) < SHORTEST_ALONE

const LEAST_WORD = 3

/** Are words half of it or more, digits and marks around it left aside? */
const isMadeOf = (password: string, words: readonly string[]): boolean => {
  const bare = withoutEnds(password.toLowerCase(), /[\d\p{P}\p{S}\s]/u)
  const known = words.map(word => word.normalize('NFC').toLowerCase()).filter(word => word.length >= LEAST_WORD)
  const left = known
    .toSorted((a, b) => b.length - a.length)
    // What stood around a word is not to make another one.
    .reduce((rest, word) => rest.replaceAll(word, ' '), bare)
    .replaceAll(' ', '')
  return bare !== '' && 2 * left.length <= bare.replaceAll(' ', '').length
}

/** Of a text that is repeated to no end: the text. Passwords are short enough to try each length. */
const repeated = (password: string): string | undefined => {
  const chars = [...password]
  for (let size = 1; 2 * size <= chars.length; size += 1)
    if (chars.length % size === 0 && chars.every((char, index) => char === chars[index % size]))
      return chars.slice(0, size).join('')
  return undefined
}

export type PasswordRules = {
  /** Knows, in lower case, the passwords that are tried first. */
  readonly isCommon: (password: string) => boolean
  /** What anybody would try for this account: the service's name, the parts of the address, the display name. */
  readonly context: readonly string[]
  /** A second factor is asked for too. */
  readonly factor?: boolean
  /** Where it stands in the request. */
  readonly pointer?: string
}

/** Why a password is refused, or undefined. */
export const passwordFault = (
  password: string,
  { isCommon, context, factor = false, pointer = '/password' }: PasswordRules,
): Refusal<'password-weak'> | undefined => {
  const weak = (detail: string): Refusal<'password-weak'> =>
    refuse('password-weak', detail, { errors: [{ pointer, code: 'password', detail }] })
  const normal = isTooLong(password) ? undefined : normalPassword(password)
  const [length, shortest] = [lengthOf(normal ?? ''), factor ? SHORTEST_BESIDE_FACTOR : SHORTEST_ALONE]
  if (!normal?.isWellFormed() || length < shortest || length > LONGEST_PASSWORD)
    return weak(
      `A password has ${shortest} to ${LONGEST_PASSWORD} characters: a few words that come to your mind will do.`,
    )
  const lower = normal.toLowerCase()
  if (isCommon(lower)) return weak('This password is among those that are tried first.')
  const again = repeated(lower)
  if (again !== undefined && (lengthOf(again) < SHORTEST_BESIDE_FACTOR || isCommon(again)))
    return weak('A password is not the same again and again.')
  if (isMadeOf(lower, context))
    return weak('This password follows from your address, your name, or the name of the service.')
  return undefined
}

const partsOf = (text: string): readonly string[] => [text, ...text.split(/[\s@.+_-]/)]

/** What is tried first for who has this address and is seen under this name. */
export const contextOf = (address: string, name = ''): readonly string[] => [
  'lexichron',
  ...partsOf(address),
  address.slice(0, Math.max(0, address.lastIndexOf('@'))),
  ...partsOf(name),
  name.replaceAll(/\s/gu, ''),
]
