/** Display names: what is taken for one, and the key under which names that look alike are the same. */
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { accentKey, withoutEnds } from '../text/text.ts'
import { confusables } from './confusables.ts'
import { isOfOneScript } from './scripts.ts'

const SHORTEST = 2
const LONGEST = 40

/** `name` as it is shown, in NFC; `key` under which it is claimed: the same for all that readers would take for it. */
export type DisplayName = { readonly name: string; readonly key: string }

/**
 * What goes before confusables.txt: small letters that look like a Latin one although it is the capital that the table has, or
 * that it has as another one. `i`, `l` and `1` are one, as a capital I is no other.
 */
const lookAlikes: ReadonlyMap<string, string> = new Map(
  [
    'а:a',
    'α:a',
    'ɑ:a',
    'в:b',
    'ь:b',
    'с:c',
    'ϲ:c',
    'ԁ:d',
    'е:e',
    'ҽ:e',
    'є:e',
    'ε:e',
    'ɡ:g',
    'ց:g',
    'һ:h',
    'н:h',
    'η:n',
    'і:l',
    'ι:l',
    'i:l',
    '1:l',
    'ӏ:l',
    'ı:l',
    'ǀ:l',
    'ј:j',
    'ϳ:j',
    'к:k',
    'κ:k',
    'м:m',
    'μ:u',
    'п:n',
    'ո:n',
    'о:o',
    'ο:o',
    'σ:o',
    'օ:o',
    '0:o',
    'р:p',
    'ρ:p',
    'ԛ:q',
    'զ:q',
    'г:r',
    'ѕ:s',
    '5:s',
    'т:t',
    'τ:t',
    'υ:u',
    'ս:u',
    'ν:v',
    'ѵ:v',
    'ԝ:w',
    'ω:w',
    'ѡ:w',
    'х:x',
    'χ:x',
    'у:y',
    'γ:y',
    'ү:y',
    'з:3',
    'ʒ:3',
    'β:b',
    'ζ:z',
    'һ:h',
  ].map((pair): readonly [string, string] => [pair.slice(0, -2), pair.slice(-1)]),
)

/** Nobody is to be taken for the service or for those who run it. */
const reserved = [
  'admin',
  'administrator',
  'lexichron',
  'moderator',
  'system',
  'root',
  'support',
  'anonymous',
  'removed',
  'deleted',
  'nobody',
  'security',
  'staff',
  'official',
  'auditor',
  'abuse',
  'helpdesk',
  'webmaster',
  'postmaster',
  'noreply',
]

const letters = (text: string): readonly string[] =>
  [...accentKey(text.normalize('NFKC'), 'und')].filter(char => /[\p{L}\p{N}\p{M}]/u.test(char))
const isBasic = (text: string): boolean => /^[a-z0-9]+$/.test(text)

/** What a letter looks like, once case and accents are folded: itself, or its capital where only that looks like a Latin one. */
const likenessOf = (char: string): string => {
  const own = lookAlikes.get(char)
  if (own !== undefined || isBasic(char)) return own ?? char
  const found = [char, char.toUpperCase()].flatMap(each => {
    const like = confusables.get(each)
    const reduced =
      like &&
      letters(like)
        .map(letter => lookAlikes.get(letter) ?? letter)
        .join('')
    return reduced ? [reduced] : []
  })
  return found.find(isBasic) ?? (confusables.has(char) ? found[0] : undefined) ?? char
}

/** The skeleton of a name: without case, accents, signs and spaces, look-alikes brought together (UTS 39, 4). */
const skeleton = (name: string): string =>
  letters(name).map(likenessOf).join('').replaceAll('rn', 'm').replaceAll('vv', 'w')

const reservedKeys: ReadonlySet<string> = new Set(reserved.map(skeleton))

/** Also with digits, which are how one gets a name that is taken. */
const isReserved = (name: string): boolean =>
  [name, withoutEnds(name, /\P{L}/u), name.replaceAll(/\p{N}/gu, '')].some(each => reservedKeys.has(skeleton(each)))

const invalid = (detail: string): Refusal<'name-invalid'> =>
  refuse('name-invalid', detail, { errors: [{ pointer: '/displayName', code: 'format', detail }] })

/**
 * Reads a display name: 2 to 40 letters, marks and digits, with single spaces, points, hyphens, apostrophes and low lines
 * between them. Nothing invisible, nothing that turns the direction of text, no emoji; one script (UTS 39, 5.1 and 5.2).
 */
export const readDisplayName = (text: string): DisplayName | Refusal<'name-invalid'> => {
  if (!text.isWellFormed() || text.length > 4 * LONGEST) return invalid(`A name has ${LONGEST} characters at most.`)
  // A run of marks makes normalising slow and covers the lines beside it: no name is written with more than four.
  if (/\p{M}{5}/u.test(text)) return invalid('A name has four marks on a letter at most.')
  const name = text.trim().normalize('NFC')
  const length = [...name].length
  if (length < SHORTEST || length > LONGEST) return invalid(`A name has ${SHORTEST} to ${LONGEST} characters.`)
  if (/\p{Default_Ignorable_Code_Point}/u.test(name)) return invalid('A name has no characters that nobody sees.')
  if (
    !/^[\p{L}\p{N}][\p{L}\p{M}\p{N}]*([ .'’_-]+[\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*[.]?$/u.test(name) ||
    /[ .'’_-]{3}/.test(name)
  )
    return invalid(
      'A name is of letters and digits, with spaces, points, hyphens, apostrophes and low lines between them.',
    )
  if (!isOfOneScript(name)) return invalid('A name is of one script that is in use today: letters of two look alike.')
  const key = skeleton(name)
  return isReserved(name) ? invalid('This name is kept for those who run the service.') : { name, key }
}

/** By what a name is found as it is typed: without case and accents. The key of a name begins with that of its beginning. */
export const foundBy = (text: string): string => accentKey(text.trim().normalize('NFC'), 'und')

export const isDisplayName = (value: DisplayName | Refusal): value is DisplayName => !isRefusal(value)
