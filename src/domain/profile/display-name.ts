/** Display names: what is taken for one, and the key under which names that look alike are the same. */
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { accentKey } from '../text/text.ts'

const SHORTEST = 2
const LONGEST = 40

/** `name` as it is shown, in NFC; `key` under which it is claimed: the same for all that readers would take for it. */
export type DisplayName = { readonly name: string; readonly key: string }

/**
 * Letters that look like a Latin one, after case and accents are folded: the part of confusables.txt (UTS 39, 4) that the
 * alphabets Latin, Greek, Cyrillic and Armenian and the digits have. `i`, `l` and `1` are one, as a capital I is no other.
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
]

/** The skeleton of a name: without case, accents, signs and spaces, look-alikes brought together. */
const skeleton = (name: string): string => {
  let key = ''
  for (const char of accentKey(name.normalize('NFKC'), 'und'))
    if (/[\p{L}\p{N}\p{M}]/u.test(char)) key += lookAlikes.get(char) ?? char
  return key.replaceAll('rn', 'm').replaceAll('vv', 'w')
}

const reservedKeys: ReadonlySet<string> = new Set(reserved.map(skeleton))

const invalid = (detail: string): Refusal =>
  refuse('name-invalid', detail, { errors: [{ pointer: '/displayName', code: 'format', detail }] })

const alphabets = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u, /\p{Script=Armenian}/u]

/**
 * Reads a display name: 2 to 40 letters, marks and digits, with single spaces, points, hyphens, apostrophes and low lines
 * between them. Nothing invisible, nothing that turns the direction of text, no emoji; one alphabet of those whose letters
 * look alike (UTS 39, 5.1).
 */
export const readDisplayName = (text: string): DisplayName | Refusal => {
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
  if (alphabets.filter(each => each.test(name)).length > 1)
    return invalid('A name is of one alphabet: letters of Latin, Greek, Cyrillic and Armenian look alike.')
  const key = skeleton(name)
  return reservedKeys.has(key) ? invalid('This name is kept for those who run the service.') : { name, key }
}

export const isDisplayName = (value: DisplayName | Refusal): value is DisplayName => !isRefusal(value)
