/** Which layer of the search an entry belongs to, and what of it matched. */
import { distanceOf } from '../distance.ts'
import type { EntryContent } from '../entry/content.ts'
import { accentKey, ascii, caseKey, stem, wordsIn } from '../text/text.ts'
import type { Glosses } from './definitions.ts'
import { distanceFor, lettersOf, readingOf, type SearchQuery } from './query.ts'
import { letters } from './terms.ts'

/** Best first. */
export const layers = ['exact', 'case', 'accent', 'form', 'stem', 'prefix', 'wildcard', 'fuzzy', 'definition'] as const
export type Layer = (typeof layers)[number]
export type SearchField = 'lemma' | 'form' | 'definition'

/** What a layer is decided by: the entry's terms as its search document has them. */
export type Matchable = {
  readonly language: string
  readonly lemma: string
  readonly key: string
  readonly forms: readonly string[]
  readonly stems: readonly string[]
  /** The stems of each gloss. */
  readonly glosses: Glosses
}

const split = (key: string): ArrayLike<string> => (key.includes('~') ? letters(key) : key)

/** The distance of the query, as the language reads it, within what both words allow; undefined beyond it. */
export const fuzzyDistance = (query: SearchQuery, key: string, language: string): number | undefined => {
  const most = Math.min(query.distance, distanceFor(lettersOf(key)))
  if (most === 0) return undefined
  const distance = distanceOf(split(readingOf(query, language).key), split(key), most)
  return distance <= most ? distance : undefined
}

/** `stems`: what of the query is in the definition; `covered`: which share of its words, 1 where all are. */
export type Match = {
  readonly layer: Layer
  readonly distance?: number
  readonly stems?: readonly string[]
  readonly covered?: number
}

/** Which of the query's readings one gloss answers whole; -1: none. */
export const readingAnswered = (
  query: Pick<SearchQuery, 'definitions'>,
  { glosses }: Pick<Matchable, 'glosses'>,
): number => query.definitions.findIndex(stems => glosses.some(gloss => stems.every(stem => gloss.includes(stem))))

/** Where a query has several words, a lemma two edits away is a worse answer than a definition that has them all. */
export const DISTANT = 2

/**
 * The one layer that an entry is emitted in; undefined when the query does not find it in these fields. Pure and total.
 * An entry is compared with the query as its own language reads it: in Spanish `ano` is not `año`.
 */
export const bestLayer = (
  query: SearchQuery,
  entry: Matchable,
  fields: ReadonlySet<SearchField>,
): Match | undefined => {
  const lemma = fields.has('lemma')
  const form = fields.has('form')
  const { key, stem: stemmed, pattern } = readingOf(query, entry.language)
  if (pattern) return lemma && pattern.test(entry.key) ? { layer: 'wildcard' } : undefined
  if (lemma && entry.key === key) {
    if (entry.lemma === query.text) return { layer: 'exact' }
    const same = caseKey(entry.lemma, entry.language) === caseKey(query.text, entry.language)
    return { layer: same ? 'case' : 'accent' }
  }
  if (form && entry.forms.includes(key)) return { layer: 'form' }
  if ((lemma || form) && stemmed !== undefined && entry.stems.includes(stemmed)) return { layer: 'stem' }
  if (lemma && entry.key.startsWith(key)) return { layer: 'prefix' }
  const distance = lemma ? fuzzyDistance(query, entry.key, entry.language) : undefined
  const fuzzy: Match | undefined = distance === undefined ? undefined : { layer: 'fuzzy', distance }
  if (fuzzy && !(query.isPhrase && distance === DISTANT)) return fuzzy
  const stems = fields.has('definition') ? query.definitions[readingAnswered(query, entry)] : undefined
  return stems ? { layer: 'definition', stems, covered: 1 } : fuzzy
}

/** Offsets in UTF-16, the end exclusive. */
export type Range = { readonly start: number; readonly end: number }
/** `pointer` (RFC 6901) is the member of the entry. */
export type Highlight = {
  readonly pointer: string
  readonly text: string
  readonly ranges: readonly Range[]
}

const MAX_HIGHLIGHTS = 5

const whole = (pointer: string, text: string): Highlight => ({
  pointer,
  text,
  ranges: [{ start: 0, end: text.length }],
})

/** Code points with the marks that follow them. */
const lettersIn = (text: string): readonly string[] => text.match(/\P{M}\p{M}*|\p{M}+/gu) ?? []

const prefixHighlight = (query: SearchQuery, lemma: string, language: string): Highlight => {
  const { key } = readingOf(query, language)
  let end = 0
  // By code point, and to the end of its marks: half of a surrogate pair or a letter without its accent is no range.
  for (const segment of lettersIn(lemma)) {
    end += segment.length
    if (ascii(accentKey(lemma.slice(0, end), language)).startsWith(key))
      return { pointer: '/lemma', text: lemma, ranges: [{ start: 0, end }] }
  }
  return whole('/lemma', lemma)
}

const inText = (stems: readonly string[], pointer: string, text: string, language: string): readonly Highlight[] => {
  const ranges = wordsIn(text).flatMap(({ word, at }): readonly Range[] =>
    stems.includes(ascii(stem(word, language))) ? [{ start: at, end: at + word.length }] : [],
  )
  return ranges.length > 0 ? [{ pointer, text, ranges }] : []
}

export const highlightsOf = (
  query: SearchQuery,
  match: Match,
  entry: { readonly language: string; readonly lemma: string; readonly content: EntryContent },
): readonly Highlight[] => {
  const { language, lemma, content } = entry
  if (match.layer === 'prefix') return [prefixHighlight(query, lemma, language)]
  if (match.layer === 'definition')
    return content.senses
      .flatMap((each, i) => inText(match.stems ?? [], `/senses/${i}/gloss`, each.gloss, language))
      .slice(0, MAX_HIGHLIGHTS)
  if (match.layer === 'form') {
    const { key } = readingOf(query, language)
    const isMatch = (text: string): boolean => ascii(accentKey(text, language)) === key
    return [
      ...content.forms.flatMap((each, i) => (isMatch(each.form) ? [whole(`/forms/${i}/form`, each.form)] : [])),
      ...content.variants.flatMap((each, i) => (isMatch(each) ? [whole(`/variants/${i}`, each)] : [])),
    ].slice(0, MAX_HIGHLIGHTS)
  }
  return [whole('/lemma', lemma)]
}
