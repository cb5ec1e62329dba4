/** By which of its words a text uses an entry of the dictionary. */
import { primaryOf } from '../text/languages.ts'
import type { TextTerms } from './story-words.ts'
import type { EntryNames } from './terms.ts'

/** Best first: the lemma, one of its forms or variants, another word of the same stem. */
export const wordUses = ['key', 'form', 'stem'] as const
export type WordUse = (typeof wordUses)[number]

/** What a text is found by, and where each stands first in it, by number and by place. */
export type Vocabulary = {
  readonly terms: TextTerms
  readonly words: ReadonlyMap<string, number>
  readonly stems: ReadonlyMap<string, number>
}

const numbered = (values: readonly string[]): ReadonlyMap<string, number> =>
  new Map(values.map((value, number) => [value, number]))

export const vocabularyOf = (terms: TextTerms): Vocabulary => ({
  terms,
  words: numbered(terms.words),
  stems: numbered(terms.stems),
})

/** The first of the text's that an entry has, by number. */
const firstOf = (names: readonly string[], numbers: ReadonlyMap<string, number>): number | undefined => {
  const found = names.flatMap(name => numbers.get(name) ?? [])
  return found.length === 0 ? undefined : Math.min(...found)
}

/** How the text uses the entry, and for each way by the which of its words, or stems; absent: not so. */
export const usesIn = (
  { words, stems }: Vocabulary,
  names: EntryNames,
): Readonly<Record<WordUse, number | undefined>> => ({
  key: words.get(names.key),
  form: firstOf(names.forms, words),
  stem: firstOf(names.stems, stems),
})

/** The languages of the entries that a text of this language uses: its own, and the one that it is a variety of. */
export const languagesOf = (language: string): readonly string[] => [...new Set([language, primaryOf(language)])]
