/**
 * What a story is found by: the stems of its title, tags and summary, and of each published chapter's text, by the analysis that the
 * dictionary's search has; what somebody asks for, read likewise; and where the words asked for stand.
 */
import { stopWordsOf } from '../text/languages.ts'
import { accentKey, ascii, caseKey, LONGEST_WORD, readText, stem, withoutUnseen, words, wordsIn } from '../text/text.ts'
import type { Range } from './match.ts'
import { distinct, type QueryFault, stemLanguages } from './query.ts'

/**
 * A chapter is found by so many distinct words at most, the first that it has, and their stems, and by so many UTF-16 units of them:
 * folding and stemming a word takes up to 60 us (Turkish), the longer it is the more, in a fold that others wait for.
 */
export const MOST_WORDS = 2_000
export const MOST_UNITS = 24_000
/** Longer words, in UTF-16 units, are their own stems. */
const LONGEST_STEMMED = 32
/** What a query may ask for. */
export const MOST_ASKED = 12

const fold = (word: string, language: string): string => ascii(accentKey(word, language))
const stemOf = (word: string, language: string): string =>
  word.length > LONGEST_STEMMED ? fold(word, language) : ascii(stem(word, language))

/** Distinct folded words in ASCII and distinct stems, in the order of the text, and where the text has each first, in UTF-16 units. */
export type TextTerms = {
  readonly words: readonly string[]
  readonly wordPlaces: readonly number[]
  readonly stems: readonly string[]
  readonly places: readonly number[]
}

/** The first distinct words of a text and their stems, without stop words. */
export const textTerms = (text: string, language: string): TextTerms => {
  const stop = stopWordsOf(language)
  const known = new Set<string>()
  const found = new Map<string, number>()
  const stems = new Map<string, number>()
  let units = 0
  for (const { word, at } of wordsIn(text)) {
    if (known.size >= MOST_WORDS || units >= MOST_UNITS) break
    if (word.length > LONGEST_WORD) continue
    const lower = caseKey(word, language)
    if (known.has(lower) || stop.has(lower)) continue
    known.add(lower)
    units += lower.length
    const folded = fold(lower, language)
    const stemmed = lower.length > LONGEST_STEMMED ? folded : stemOf(lower, language)
    if (!found.has(folded)) found.set(folded, at)
    if (!stems.has(stemmed)) stems.set(stemmed, at)
  }
  return {
    words: [...found.keys()],
    wordPlaces: [...found.values()],
    stems: [...stems.keys()],
    places: [...stems.values()],
  }
}

/** The word that begins at a place of a text, as it is written. */
export const wordAt = (text: string, place: number): string => words(text.slice(place, place + LONGEST_WORD))[0] ?? ''

/** The distinct stems of short texts, stop words too: a story may be called by nothing else. */
export const titleStems = (texts: readonly string[], language: string): readonly string[] => [
  ...new Set(
    texts.flatMap(text => words(text).flatMap(word => (word.length > LONGEST_WORD ? [] : [stemOf(word, language)]))),
  ),
]

/** Distinct stems as one language, or several alike, read what was asked. */
export type Reading = readonly string[]

const readingIn = (text: string, language: string): Reading => {
  const stop = stopWordsOf(language)
  const telling = words(text).filter(word => !stop.has(caseKey(word, language)))
  return titleStems([(telling.length > 0 ? telling : words(text)).join(' ')], language)
}

/**
 * What somebody asks for, as the language reads it, or each of the widely used ones where none is named. Signs say nothing. Empty
 * where there is no word in it.
 */
export const readAsked = (
  given: string,
  language: string | undefined,
): { readonly readings: readonly Reading[] } | QueryFault => {
  const typed = withoutUnseen(given).trim()
  const { text, fault } = readText(typed, { max: LONGEST_WORD, multiline: false, keyed: true })
  if (fault !== undefined) return { fault: 'text-invalid', detail: `q cannot be searched: ${fault}` }
  const readings = distinct((language === undefined ? stemLanguages : [language]).map(each => readingIn(text, each)))
  if (readings.length === 0) return { fault: 'text-invalid', detail: 'q has no word to search for.' }
  if (readings.some(({ length }) => length > MOST_ASKED))
    return { fault: 'text-invalid', detail: `q has more than ${MOST_ASKED} words.` }
  return { readings }
}

/** Where words of these stems stand in a text. */
export const rangesIn = (text: string, stems: ReadonlySet<string>, language: string): readonly Range[] =>
  wordsIn(text).flatMap(({ word, at }): readonly Range[] =>
    word.length <= LONGEST_WORD && stems.has(stemOf(word, language)) ? [{ start: at, end: at + word.length }] : [],
  )

/** Units before a word and after it that a part of a text is cut at, where a space is near. */
const BEFORE = 80
const AFTER = 160

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000
const isBlank = (unit: string | undefined): boolean => unit !== undefined && /\s/.test(unit)

/** A part of the text around a place, on one line, of whole words as far as there are spaces between them, and no half of a pair. */
export const partAround = (text: string, place: number): string => {
  let from = Math.max(0, place - BEFORE)
  let to = Math.min(text.length, place + AFTER)
  if (from > 0) for (let at = from; at < place; at += 1) if (isBlank(text[at])) [from, at] = [at, place]
  if (to < text.length) for (let at = to; at > place; at -= 1) if (isBlank(text[at])) [to, at] = [at, place]
  if (isLow(text.charCodeAt(from))) from -= 1
  if (isLow(text.charCodeAt(to))) to += 1
  return text.slice(from, to).replaceAll(/\s+/g, ' ').trim()
}
