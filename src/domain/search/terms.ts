/** What an entry is found by: its keys, forms, stems, deletions and the stems of its definitions. */
import { defined } from '../defined.ts'
import type { Entry } from '../entry/entry.ts'
import { accentKey, ascii } from '../text/text.ts'
import { definitionStems, distanceFor, stemKey } from './query.ts'

/** Deletions are made of so many first letters: longer words are verified whole, so nothing is lost and rows stay few. */
export const FUZZY_PREFIX = 7
/** Prefixes of up to so many letters are stored, for suggestions by rank. */
export const EDGE_LETTERS = 4

export type SearchTerms = {
  readonly key: string
  /** How many letters the key has: a misspelling is not much longer or shorter. */
  readonly letters: number
  readonly reversed: string
  /** The first letter of the key and its last: few keys have both of a pattern's. */
  readonly ends: string
  readonly forms: readonly string[]
  readonly stems: readonly string[]
  readonly deletes: readonly string[]
  readonly edges: readonly string[]
  readonly definition: readonly string[]
  /** Which of these each gloss is made of, by number: a query is answered by one gloss, never by words of several. */
  readonly glosses: readonly (readonly number[])[]
  /** Stems of the shortest gloss; none where there is no gloss. */
  readonly brevity?: number
}
export type DefinitionTerms = Pick<SearchTerms, 'definition' | 'glosses' | 'brevity'>

/** The letters of an ASCII key; an escape is one letter. */
export const letters = (key: string): readonly string[] =>
  key.includes('~') ? (key.match(/~[0-9a-f]{6}|[^~]/g) ?? []) : key.split('')

/** As below, where each letter is one character: most lemmas, and a third of the time of indexing. */
const deletesOfText = (start: string, distance: number): readonly string[] => {
  const found = new Set<string>([start])
  let last: readonly string[] = [start]
  for (let depth = 0; depth < distance; depth += 1) {
    const next: string[] = []
    for (const each of last)
      for (let at = 0; at < each.length; at += 1) {
        const shorter = each.slice(0, at) + each.slice(at + 1)
        if (found.has(shorter)) continue
        found.add(shorter)
        next.push(shorter)
      }
    last = next
  }
  return [...found]
}

/**
 * Symmetric deletes (SymSpell, W. Garbe 2012): the word and every word that is made by leaving out up to `distance` of
 * its first seven letters. Two words within the distance have one of these in common.
 */
export const deletesOf = (key: string, distance: number): readonly string[] => {
  if (!key.includes('~')) return deletesOfText(key.slice(0, FUZZY_PREFIX), distance)
  const start = letters(key).slice(0, FUZZY_PREFIX)
  const found = new Set<string>([start.join('')])
  let last: readonly (readonly string[])[] = [start]
  for (let depth = 0; depth < distance; depth += 1) {
    const next: (readonly string[])[] = []
    for (const each of last)
      for (let at = 0; at < each.length; at += 1) {
        const shorter = each.toSpliced(at, 1)
        const text = shorter.join('')
        if (found.has(text)) continue
        found.add(text)
        next.push(shorter)
      }
    last = next
  }
  return [...found]
}

/** The first and the last of some letters; '' of none. */
export const endsOf = (split: readonly string[]): string => `${split[0] ?? ''}${split.at(-1) ?? ''}`

/** The stems of all its glosses: the dearest of the terms, so a fold that knows them hands them on. */
export const definitionOf = ({ language, content }: Pick<Entry, 'language' | 'content'>): DefinitionTerms => {
  const numbers = new Map<string, number>()
  const numberOf = (stem: string): number => {
    const number = numbers.get(stem) ?? numbers.size
    numbers.set(stem, number)
    return number
  }
  const glosses = content.senses
    .map(({ gloss }) => definitionStems(gloss, language).map(numberOf))
    .filter(stems => stems.length > 0)
  const brevity = glosses.length > 0 ? Math.min(...glosses.map(stems => stems.length)) : undefined
  return { definition: [...numbers.keys()], glosses, ...defined({ brevity }) }
}

const folded = (text: string, language: string): string => ascii(accentKey(text, language))

/** What an entry is called: its key; the keys of its forms and variants, but for the same; the stems of its lemma and forms. */
export type EntryNames = Pick<SearchTerms, 'key' | 'forms' | 'stems'>

export const namesOf = ({ language, lemma, content }: Pick<Entry, 'language' | 'lemma' | 'content'>): EntryNames => {
  const key = folded(lemma, language)
  const forms = new Set(
    [...content.forms.map(each => each.form), ...content.variants].map(each => folded(each, language)),
  )
  forms.delete(key)
  const stems = new Set([lemma, ...content.forms.map(each => each.form)].map(each => stemKey(each, language)))
  stems.delete('')
  return { key, forms: [...forms], stems: [...stems] }
}

export const termsOf = (
  entry: Pick<Entry, 'language' | 'lemma' | 'content'>,
  definition: DefinitionTerms = definitionOf(entry),
): SearchTerms => {
  const { key, forms, stems } = namesOf(entry)
  const split = letters(key)
  const distance = distanceFor(split.length)
  return {
    key,
    letters: split.length,
    reversed: split.toReversed().join(''),
    ends: endsOf(split),
    forms,
    stems,
    deletes: distance === 0 ? [] : deletesOf(key, distance),
    edges: Array.from({ length: Math.min(EDGE_LETTERS, split.length) }, (_, n) => split.slice(0, n + 1).join('')),
    ...definition,
  }
}
