/** Text: its normal form, what it may hold, and the foldings that search and sorting stand on. */
import snowball from 'snowball-stemmers'
import { defined } from '../defined.ts'
import { type Folding, foldingOf, primaryOf, stemmerOf, stopWordsOf } from './languages.ts'

/** More marks on one letter than any script writes: the bound of the Stream-Safe Text Format (UAX 15, 13). */
const overladen = /\p{M}{31}/u

/**
 * UTF-16 units that one character of normal form may have been written with: no composition is made of more than four, and
 * a code point is two at most (Unicode FAQ, Normalization, expansion factors).
 */
const UNITS_A_CHARACTER = 8

/**
 * Whether a text can be of `max` code points at most once it is normalised. Asked before that is done: normalising takes
 * the square of the time of a run of marks, minutes for what fits into a request.
 */
export const mayFit = (text: string, max: number): boolean => text.length <= UNITS_A_CHARACTER * max

// A text with a longer run of marks is left as it is: it is refused.
const normalise = (text: string): string => (overladen.test(text) ? text : text.normalize('NFC'))

/** Lines end with LF, whatever they were typed on: forms of web pages send CRLF (HTML Living Standard, 4.10.21.4). */
const withLineFeeds = (text: string): string => text.replaceAll(/\r\n?/g, '\n')

// C0 and C1 controls; bidirectional overrides, embeddings and isolates (UAX 9); not TAB and LF where lines are allowed.
const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
const controlsButLines = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
// Nothing to see and nothing to join: zero width space, word joiner and invisible operators, byte order mark, line and
// paragraph separators, tags; and code points that are no characters (Unicode 16, 23.7). The joiners U+200C and U+200D
// stay: scripts are spelt with them.
const unseen = /[\u200b\u2028\u2029\u2060-\u2064\ufeff\u{e0000}-\u{e007f}\p{Noncharacter_Code_Point}]/u

/** Code points in ranges, first and last; a character class of combining marks would be hard to read. */
const among = (...ranges: readonly (readonly [number, number])[]): ((char: string) => boolean) => {
  const points = new Set<number>()
  for (const [first, last] of ranges) for (let point = first; point <= last; point += 1) points.add(point)
  return char => points.has(char.codePointAt(0) ?? -1)
}

/** Soft hyphen, joiners, direction marks, Hangul fillers, the blank of Braille, variation selectors: beside space, what shows nothing. */
const isInvisible = among(
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],

  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2060, 0x2065],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],

  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
)

/** For what is looked for, which may have been copied from a page: it would find nothing, and need not be refused. */
export const withoutUnseen = (text: string): string => text.replaceAll(new RegExp(unseen, 'gu'), '')

/**
 * The text without the characters at both of its ends that are of a kind. A pattern that ends in `+$` would begin anew within
 * every run of them.
 */
export const withoutEnds = (text: string, kind: RegExp): string => {
  const chars = [...text]
  const isKept = (char: string): boolean => !kind.test(char)
  const first = chars.findIndex(isKept)
  return first < 0 ? '' : chars.slice(first, chars.findLastIndex(isKept) + 1).join('')
}

const isBlank = (text: string): boolean => {
  for (const char of text) if (char.trim() !== '' && !isInvisible(char)) return false
  return true
}

/** A code point is one or two units: most texts need no counting. */
const isLonger = (text: string, max: number): boolean =>
  text.length > max && (text.length > 2 * max || [...text].length > max)

export type TextRules = {
  /** Code points at most, in normal form. */
  readonly max: number
  /** TAB and LF are allowed. */
  readonly multiline: boolean
  /** A key is made of it, which is as long as its compatibility forms spelt out: U+FDFA stands for 18 letters. */
  readonly keyed?: true
}

const faultOf = (text: string, { max, multiline, keyed }: TextRules): string | undefined => {
  if (!text.isWellFormed()) return 'It has half of a surrogate pair.'
  if (isLonger(text, max)) return `It is longer than ${max} characters.`
  if (isBlank(text)) return 'It is blank.'
  if (overladen.test(text)) return 'It has more than 30 combining marks in a row.'
  const control = (multiline ? controlsButLines : controls).exec(text)
  if (control) {
    const code = (control[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return `It has the control character U+${code}.`
  }
  const hidden = unseen.exec(text)
  if (hidden) {
    const code = (hidden[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return `It has U+${code}, which is no character that anybody sees.`
  }
  if (keyed && !isAscii(text) && isLonger(text.normalize('NFKC'), max))
    return `It is longer than ${max} characters where each that stands for several is spelt out.`
  return undefined
}

const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

/**
 * A text in Unicode Normalization Form C, its lines ended with LF, as all text is stored, and what is wrong with it, as a sentence. What is too
 * long is not normalised.
 */
export const readText = (given: string, rules: TextRules): { readonly text: string; readonly fault?: string } => {
  if (!mayFit(given, rules.max)) return { text: given, fault: `It is longer than ${rules.max} characters.` }
  const text = normalise(rules.multiline ? withLineFeeds(given) : given)
  return { text, ...defined({ fault: faultOf(text, rules) }) }
}

/**
 * Characters of the key of a text in ASCII, at most: a letter of ASCII is itself, any other seven (`ascii`), once those that
 * stand for several are spelt out.
 */
export const keySize = (text: string): number => {
  let size = 0
  for (const char of isAscii(text) ? text : text.normalize('NFKC')) size += char <= LAST_PLAIN ? 1 : ESCAPED
  return size
}

/** Without case: full case folding by way of lower case, with what lower case keeps apart (final sigma) brought together. */
export const caseKey = (text: string, language: string): string => {
  const { dottedI } = foldingOf(language)
  if (!dottedI && isAscii(text)) return text.toLowerCase()
  const composed = text.normalize('NFC')
  return (dottedI ? composed.replaceAll('İ', 'i').replaceAll('I', 'ı') : composed)
    .toLowerCase()
    .replaceAll('i̇', 'i')
    .replaceAll('ς', 'σ')
    .replaceAll('ß', 'ss')
    .normalize('NFC')
}

/**
 * Marks that are accents: combining diacritics (Latin, Greek, Cyrillic), Hebrew and Arabic points, Syriac points, variation
 * selectors. Not `\p{M}`, which has the vowels of Indic and Thai words and the voicing of kana, and grows with Unicode.
 */
const isAccent = among(
  [0x300, 0x36f],
  [0x483, 0x487],
  [0x591, 0x5bd],
  [0x5bf, 0x5bf],
  [0x5c1, 0x5c2],
  [0x5c4, 0x5c5],

  [0x5c7, 0x5c7],
  [0x610, 0x61a],
  [0x64b, 0x65f],
  [0x670, 0x670],
  [0x6d6, 0x6dc],
  [0x6df, 0x6e4],

  [0x6e7, 0x6e8],
  [0x6ea, 0x6ed],
  [0x711, 0x711],
  [0x730, 0x74a],
  [0x1ab0, 0x1aff],

  [0x1dc0, 0x1dff],
  [0x20d0, 0x20ff],
  [0xfe00, 0xfe0f],
  [0xfe20, 0xfe2f],
)

const special: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ø: 'o',
    ł: 'l',
    đ: 'd',
    ħ: 'h',
    ı: 'i',
    æ: 'ae',
    œ: 'oe',
    ð: 'd',
    þ: 'th',
    ŋ: 'n',
    ŧ: 't',
    ĸ: 'k',
    ſ: 's',
    '’': "'",
    '‘': "'",
    ʼ: "'",
    '‐': '-',
    '‑': '-',
    '–': '-',
    '—': '-',
    // Letters of their own in every language that writes them, although Unicode composes them of another and a mark.
    й: 'й',
    ї: 'ї',
    ў: 'ў',
    ѓ: 'ѓ',
    ќ: 'ќ',
    // Tatweel, soft hyphen, joiners and the marks of no width say nothing of the word.
    ـ: '',
    '\u00ad': '',
    '\u200b': '',
    '\u200c': '',
    '\u200d': '',
    '\u2060': '',
    '\ufeff': '',
  }),
)

const letter = (char: string, { kept, spelt }: Folding): string => {
  if (char < '\u0080') return char
  if (kept.includes(char)) return char
  const own = spelt.get(char) ?? special.get(char)
  if (own !== undefined) return own
  // Compatibility forms may be capitals or letters with a spelling of their own, and several at once.
  let key = ''
  for (const base of char.normalize('NFKD').toLowerCase()) if (!isAccent(base)) key += special.get(base) ?? base
  return key.replaceAll('ß', 'ss').replaceAll('ς', 'σ')
}

/** Without case and accents, but for letters that are letters of their own in the language. Never empty for a text that is not. */
export const accentKey = (text: string, language: string): string => {
  const folded = caseKey(text, language)
  if (isAscii(folded)) return folded
  const folding = foldingOf(language)
  let key = ''
  for (const char of folded) key += letter(char, folding)
  // A text of nothing but marks is found by them.
  return key === '' ? folded : key.normalize('NFC')
}

/** Stands for itself in a key, as all before it do; what comes after it is escaped by seven characters. */
const LAST_PLAIN = '\u007d'
const ESCAPED = 7

/**
 * A key in ASCII that every engine sorts alike: a code point above U+007D becomes `~` and six hexadecimal digits, so the
 * order is that of the code points.
 */
export const ascii = (text: string): string => {
  if (isAscii(text) && !/[~\u007f]/.test(text)) return text
  let key = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    key += char > LAST_PLAIN ? `~${code.toString(16).padStart(ESCAPED - 1, '0')}` : char
  }
  return key
}

/** The text that `ascii` made the key of. */
export const fromAscii = (key: string): string =>
  key.replaceAll(/~([0-9a-f]{6})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))

/**
 * Sorts as readers expect, the same on every engine: by the folded text, then by how it is written. A TAB stands between
 * them, since it sorts before every character of a lemma: `emile`, `Émile`, `emile zola`.
 */
export const sortKey = (text: string): string => {
  const plain = ascii(accentKey(text, 'und'))
  return plain === text ? text : `${plain}\t${ascii(text)}`
}

/** Code points of a word that can be asked for: what is longer is no word of a text. */
export const LONGEST_WORD = 128

const word = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’]*/gu
/** The words of a text, as written. */
export const words = (text: string): readonly string[] => text.match(word) ?? []
/** The words and where each begins, in UTF-16 units. */
export const wordsIn = (text: string): readonly { readonly word: string; readonly at: number }[] =>
  Array.from(text.matchAll(word), match => ({ word: match[0], at: match.index }))

type Stemmer = { stem(word: string): string }
/** By the algorithm: tags are without number, and many languages have the same one or none. */
const stemmers = new Map<string, Stemmer>()
const stemmerFor = (language: string): Stemmer | undefined => {
  const name = stemmerOf(language)
  if (name === undefined) return undefined
  const stemmer = stemmers.get(name) ?? snowball.newStemmer(name)
  stemmers.set(name, stemmer)
  return stemmer
}

const STEMS_KEPT = 50_000
/** Words of so many units recur; longer ones are stemmed each time. */
const KEPT_UNITS = 32
const stems = new Map<string, string>()

/** The Snowball stem of one word without case, accents folded after stemming; the folded word where there is no stemmer. */
export const stem = (given: string, language: string): string => {
  const key = `${primaryOf(language)} ${given}`
  const known = stems.get(key)
  if (known !== undefined) return known
  const lower = caseKey(given, language)
  const found = accentKey(stemmerFor(language)?.stem(lower) ?? lower, language)
  // Words recur: a dictionary's glosses have few of them, and stemming is the dearest step of indexing.
  if (given.length > KEPT_UNITS) return found
  if (stems.size >= STEMS_KEPT) stems.clear()
  stems.set(key, found)
  return found
}

/** The distinct stems of a text, without stop words and what is too long for a word. */
export const stemsOf = (text: string, language: string): readonly string[] => {
  const stop = stopWordsOf(language)
  const found = new Set<string>()
  for (const each of words(text)) {
    if (isLonger(each, LONGEST_WORD)) continue
    const lower = caseKey(each, language)
    if (!stop.has(lower)) found.add(stem(lower, language))
  }
  return [...found]
}
