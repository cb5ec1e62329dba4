/** Text: its normal form, what it may hold, and the foldings that search and sorting stand on. */
import snowball from 'snowball-stemmers'
import { type Folding, foldingOf, stemmerOf, stopWordsOf } from './languages.ts'

/** Unicode Normalization Form C: the form in which all text is stored. */
export const normalise = (text: string): string => text.normalize('NFC')

// C0 and C1 controls; bidirectional overrides, embeddings and isolates (UAX 9); not TAB and LF where lines are allowed.
const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
const controlsButLines = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/** What is wrong with a text, as a sentence; undefined when nothing is. `max` counts code points. */
export const checkText = (
  text: string,
  { max, multiline }: { readonly max: number; readonly multiline: boolean },
): string | undefined => {
  if (!text.isWellFormed()) return 'It has half of a surrogate pair.'
  if (text.trim() === '') return 'It is blank.'
  const control = (multiline ? controlsButLines : controls).exec(text)
  if (control) {
    const code = (control[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return `It has the control character U+${code}.`
  }
  // A code point is one or two units: most texts need no counting.
  if (text.length > max && (text.length > 2 * max || [...text].length > max))
    return `It is longer than ${max} characters.`
  return undefined
}

/** Without case: full case folding by way of lower case, with what lower case keeps apart (final sigma) brought together. */
export const caseKey = (text: string, language: string): string => {
  const { dottedI } = foldingOf(language)
  const given = dottedI ? text.replaceAll('İ', 'i').replaceAll('I', 'ı') : text
  return given
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('i̇', 'i')
    .replaceAll('ς', 'σ')
    .replaceAll('ß', 'ss')
    .normalize('NFC')
}

const marks = /\p{M}+/gu
const special: Readonly<Record<string, string>> = {
  ...{ ø: 'o', ł: 'l', đ: 'd', ħ: 'h', ı: 'i', æ: 'ae', œ: 'oe', ð: 'd', þ: 'th', ŋ: 'n', ŧ: 't', ĸ: 'k', ſ: 's' },
  ...{ '’': "'", '‘': "'", ʼ: "'", '‐': '-', '‑': '-', '–': '-', '—': '-' },
}

const letter = (char: string, { kept, spelt }: Folding): string => {
  if (char < '\u0080') return char
  if (kept.includes(char)) return char
  const own = spelt[char] ?? special[char]
  if (own !== undefined) return own
  // Compatibility forms may be capitals or letters with a spelling of their own, and several at once.
  let key = ''
  for (const base of char.normalize('NFKD').toLowerCase().replace(marks, '')) key += special[base] ?? base
  return key.replaceAll('ß', 'ss').replaceAll('ς', 'σ')
}

/** Without case and accents, but for letters that are letters of their own in the language. */
export const accentKey = (text: string, language: string): string => {
  const folded = caseKey(text, language)
  if (/^[\u0000-\u007f]*$/.test(folded)) return folded
  const folding = foldingOf(language)
  let key = ''
  for (const char of folded) key += letter(char, folding)
  return key.normalize('NFC')
}

/**
 * A key in ASCII that every engine sorts alike: a code point above U+007D becomes `~` and six hexadecimal digits, so the
 * order is that of the code points.
 */
export const ascii = (text: string): string => {
  let key = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    key += code > 0x7d ? `~${code.toString(16).padStart(6, '0')}` : char
  }
  return key
}

/** Sorts as readers expect (case and accents after everything else), the same on every engine. */
export const sortKey = (text: string): string => {
  const plain = ascii(accentKey(text, 'und'))
  return plain === text ? text : `${plain} ${ascii(text)}`
}

const word = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’]*/gu
/** The words of a text, as written. */
export const words = (text: string): readonly string[] => text.match(word) ?? []

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
