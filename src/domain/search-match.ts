/** Which layer of the search an entry belongs to, and what of it matched. */
import type { EntryContent } from './entry-content.ts'
import { distanceFor, lettersOf, patternOf, type SearchQuery } from './search-query.ts'
import { letters } from './search-terms.ts'
import { accentKey, ascii, caseKey, stem } from './text.ts'

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
  readonly definition: readonly string[]
}

/**
 * Optimal string alignment distance (Damerau-Levenshtein without edits inside a transposition), or `most + 1` as soon as
 * it is more than `most`. Letters are those of ASCII keys.
 */
export const distanceOf = (a: readonly string[], b: readonly string[], most: number): number => {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: readonly number[] = []
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    let best = i
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let value = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        value = Math.min(value, (before[j - 2] ?? 0) + 1)
      row.push(value)
      if (value < best) best = value
    }
    if (best > most) return most + 1
    before = previous
    previous = row
  }
  return Math.min(previous[b.length] ?? most + 1, most + 1)
}

/** The least distance of any reading of the query, within what both words allow; undefined beyond it. */
export const fuzzyDistance = (query: SearchQuery, key: string): number | undefined => {
  const most = Math.min(query.distance, distanceFor(lettersOf(key)))
  if (most === 0) return undefined
  const split = letters(key)
  const best = Math.min(...query.keys.map(each => distanceOf(letters(each), split, most)))
  return best <= most ? best : undefined
}

export type Match = { readonly layer: Layer; readonly distance?: number }

/** The one layer that an entry is emitted in; undefined when the query does not find it in these fields. Pure and total. */
export const bestLayer = (
  query: SearchQuery,
  entry: Matchable,
  fields: ReadonlySet<SearchField>,
): Match | undefined => {
  const lemma = fields.has('lemma')
  const form = fields.has('form')
  if (query.pattern)
    return lemma && query.keys.some(key => patternOf(key).test(entry.key)) ? { layer: 'wildcard' } : undefined
  if (lemma) {
    if (entry.lemma === query.text) return { layer: 'exact' }
    if (caseKey(entry.lemma, entry.language) === caseKey(query.text, entry.language)) return { layer: 'case' }
    if (query.keys.includes(entry.key)) return { layer: 'accent' }
  }
  if (form && query.keys.some(key => entry.forms.includes(key))) return { layer: 'form' }
  if ((lemma || form) && query.stems.some(each => entry.stems.includes(each))) return { layer: 'stem' }
  if (lemma) {
    if (query.keys.some(key => entry.key.startsWith(key))) return { layer: 'prefix' }
    const distance = fuzzyDistance(query, entry.key)
    if (distance !== undefined) return { layer: 'fuzzy', distance }
  }
  if (fields.has('definition') && query.definitions.some(set => set.every(each => entry.definition.includes(each))))
    return { layer: 'definition' }
  return undefined
}

/** `ranges` are pairs of UTF-16 offsets, the end exclusive; `pointer` (RFC 6901) is the member of the entry. */
export type Highlight = {
  readonly pointer: string
  readonly text: string
  readonly ranges: readonly (readonly [number, number])[]
}

const MAX_HIGHLIGHTS = 5

const whole = (pointer: string, text: string): Highlight => ({ pointer, text, ranges: [[0, text.length]] })

const prefixHighlight = (query: SearchQuery, lemma: string, language: string): Highlight => {
  for (let end = 1; end <= lemma.length; end += 1)
    if (query.keys.includes(ascii(accentKey(lemma.slice(0, end), language))))
      return { pointer: '/lemma', text: lemma, ranges: [[0, end]] }
  return whole('/lemma', lemma)
}

const inText = (query: SearchQuery, pointer: string, text: string, language: string): readonly Highlight[] => {
  const ranges = [...text.matchAll(/[\p{L}\p{N}][\p{L}\p{M}\p{N}'’]*/gu)].flatMap(
    (match): readonly (readonly [number, number])[] =>
      query.definitions.some(set => set.includes(ascii(stem(match[0], language))))
        ? [[match.index, match.index + match[0].length]]
        : [],
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
      .flatMap((each, i) => inText(query, `/senses/${i}/gloss`, each.gloss, language))
      .slice(0, MAX_HIGHLIGHTS)
  if (match.layer === 'form') {
    const isMatch = (text: string): boolean => query.keys.includes(ascii(accentKey(text, language)))
    return [
      ...content.forms.flatMap((each, i) => (isMatch(each.form) ? [whole(`/forms/${i}/form`, each.form)] : [])),
      ...content.variants.flatMap((each, i) => (isMatch(each) ? [whole(`/variants/${i}`, each)] : [])),
    ].slice(0, MAX_HIGHLIGHTS)
  }
  return [whole('/lemma', lemma)]
}
