/** The search read model: the terms of what is published, and what a layer is decided by. Text is joined from the entries. */
import { type Entry, entryCategory, evolveEntry } from '../domain/entry.ts'
import { type SearchTerms, termsOf } from '../domain/search-terms.ts'
import { sortKey } from '../domain/text.ts'
import type { Indexes } from '../ports/read-store.ts'
import { projection } from './define.ts'
import { documentOf, entryIdOf, isEntryEvent } from './entries.ts'

/**
 * `entry` is what the fold needs to go on. An unpublished entry is kept without terms: `listed` is absent, so that no
 * index finds it.
 */
export type SearchDocument = Partial<SearchTerms> & {
  readonly entry: Entry
  readonly listed?: 'yes'
  readonly language?: string
  readonly lemma?: string
  readonly partOfSpeech?: string
  readonly labelKeys?: readonly string[]
  readonly categoryKeys?: readonly string[]
  readonly rank?: number
  readonly sortKey?: string
}

const ranked = ['-rank', 'sortKey']
const indexes: Indexes = [
  { name: 'key', on: ['key', ...ranked] },
  { name: 'languageKey', on: ['language', 'key', ...ranked] },
  { name: 'prefix', on: ['key'] },
  { name: 'languagePrefix', on: ['language', 'key'] },
  { name: 'reversed', on: ['reversed'] },
  { name: 'forms', on: ['forms', ...ranked], terms: 'forms' },
  { name: 'stems', on: ['stems', ...ranked], terms: 'stems' },
  { name: 'deletes', on: ['deletes', 'language'], terms: 'deletes' },
  { name: 'edges', on: ['edges', ...ranked], terms: 'edges' },
  { name: 'definition', on: ['definition', '-rank'], terms: 'definition' },
]

/** Text that no term is made of is left to the entries' own read model. */
const slim = (entry: Entry): Entry => ({
  ...entry,
  content: {
    ...entry.content,
    pronunciations: [],
    senses: entry.content.senses.map(({ id, gloss, labels }) => ({
      ...{ id, gloss, labels, examples: [], relations: [], translations: [] },
    })),
  },
})

/** Events carry absolute values, but an edit only those it changes: the senses, forms and variants are kept to fold onto. */
export const listed = (entry: Entry): SearchDocument => {
  const { labelKeys, categoryKeys } = documentOf(entry, '')
  return {
    ...termsOf(entry),
    ...{ entry, listed: 'yes', language: entry.language, lemma: entry.lemma, partOfSpeech: entry.partOfSpeech },
    ...{ labelKeys, categoryKeys, rank: entry.rank, sortKey: sortKey(entry.lemma) },
  }
}

export const searchProjection = projection<SearchDocument>({
  name: 'search',
  version: 1,
  categories: [entryCategory],
  indexes,
  key: entryIdOf,
  evolve: (document, event) => {
    if (!isEntryEvent(event)) return document
    const after = evolveEntry(document?.entry, event)
    if (!after || after.removed) return undefined
    const entry = slim(after)
    return entry.status === 'published' ? listed(entry) : { entry }
  },
})
