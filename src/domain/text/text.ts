/** Text: its normal form, what it may hold, and the foldings that search and sorting stand on. */
import snowball from 'snowball-stemmers'
import { type Folding, foldingOf, stemmerOf, stopWordsOf } from './languages.ts'

/** More marks on one letter than any script writes: the bound of the Stream-Safe Text Format (UAX 15, 13). */
const overladen = /\p{M}{31}/u

/**
 * Unicode Normalization Form C: the form in which all text is stored. Normalising takes the square of the time of a run of
 * marks, half a minute for what fits into a request, so a text with a longer run than 30 is left as it is: `checkText`
 * refuses it.
 */
export const normalise = (text: string): string => (overladen.test(text) ? text : text.normalize('NFC'))

/** Lines end with LF, whatever they were typed on: forms of web pages send CRLF (HTML Living Standard, 4.10.21.4). */
export const withLineFeeds = (text: string): string => text.replaceAll(/\r\n?/g, '\n')

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

const isBlank = (text: string): boolean => {
  for (const char of text) if (char.trim() !== '' && !isInvisible(char)) return false
  return true
}

/** What is wrong with a text, as a sentence; undefined when nothing is. `max` counts code points. */
export const checkText = (
  text: string,
  { max, multiline }: { readonly max: number; readonly multiline: boolean },
): string | undefined => {
  if (!text.isWellFormed()) return 'It has half of a surrogate pair.'
  // A code point is one or two units: most texts need no counting.
  if (text.length > max && (text.length > 2 * max || [...text].length > max))
    return `It is longer than ${max} characters.`
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
  return undefined
}

const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

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

/**
 * A key in ASCII that every engine sorts alike: a code point above U+007D becomes `~` and six hexadecimal digits, so the
 * order is that of the code points.
 */
export const ascii = (text: string): string => {
  if (isAscii(text) && !/[~\u007f]/.test(text)) return text
  let key = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    key += code > 0x7d ? `~${code.toString(16).padStart(6, '0')}` : char
  }
  return key
}

/**
 * Sorts as readers expect, the same on every engine: by the folded text, then by how it is written. A TAB stands between
 * them, since it sorts before every character of a lemma: `emile`, `Émile`, `emile zola`.
 */
export const sortKey = (text: string): string => {
  const plain = ascii(accentKey(text, 'und'))
  return plain === text ? text : `${plain}\t${ascii(text)}`
}

const word = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’]*/gu
/** The words of a text, as written. */
export const words = (text: string): readonly string[] => text.match(word) ?? []
/** The words and where each begins, in UTF-16 units. */
export const wordsIn = (text: string): readonly { readonly word: string; readonly at: number }[] =>
  Array.from(text.matchAll(word), match => ({ word: match[0], at: match.index }))

const stemmersByLanguage = new Map<string, { stem(word: string): string } | undefined>()
const stemmerFor = (language: string): { stem(word: string): string } | undefined => {
  if (!stemmersByLanguage.has(language)) {
    const name = stemmerOf(language)
    stemmersByLanguage.set(language, name === undefined ? undefined : snowball.newStemmer(name))
  }
  return stemmersByLanguage.get(language)
}

const STEMS_KEPT = 50_000
const stems = new Map<string, string>()

/** The Snowball stem of one word without case, accents folded after stemming; the folded word where there is no stemmer. */
export const stem = (given: string, language: string): string => {
  const key = `${language} ${given}`
  const known = stems.get(key)
  if (known !== undefined) return known
  const lower = caseKey(given, language)
  const found = accentKey(stemmerFor(language)?.stem(lower) ?? lower, language)
  // Words recur: a dictionary's glosses have few of them, and stemming is the dearest step of indexing.
  if (stems.size >= STEMS_KEPT) stems.clear()
  stems.set(key, found)
  return found
}

/** The distinct stems of a text, without stop words. */
export const stemsOf = (text: string, language: string): readonly string[] => {
  const stop = stopWordsOf(language)
  const found = new Set<string>()
  for (const each of words(text)) {
    const lower = caseKey(each, language)
    if (!stop.has(lower)) found.add(stem(lower, language))
  }
  return [...found]
}
