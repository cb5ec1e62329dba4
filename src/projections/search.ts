/** The search read model: the terms of what is published, and what a layer is decided by. Text is joined from the entries. */

import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import { type EntryContent, type EntryStatus, emptyContent } from '../domain/entry/content.ts'
import { type Entry, entryCategory, entryIdOf, evolveEntry } from '../domain/entry/entry.ts'
import { EntryRedacted } from '../domain/entry/events.ts'
import { NO_MARK } from '../domain/mark.ts'
import { type DefinitionTerms, definitionOf, type SearchTerms, termsOf } from '../domain/search/terms.ts'
import { sortKey } from '../domain/text/text.ts'
import type { Indexes } from '../ports/read-store.ts'
import { documentOf, isEntryEvent, listTags } from './entries.ts'

type Listed = SearchTerms & {
  readonly language: string
  readonly lemma: string
  readonly partOfSpeech: Entry['partOfSpeech']
  readonly labelKeys: readonly string[]
  readonly categoryKeys: readonly string[]
  readonly rank: number
  readonly sortKey: string
  /** As written, since an edit may carry the one and not the other; absent when there are none. */
  readonly written?: Pick<EntryContent, 'variants' | 'forms'>
}

/**
 * What is not published is kept under `hidden`, where no index finds it. Glosses, examples and all other text that no
 * term is made of are left to the entries: a candidate's document is parsed to verify it, so it is small.
 */
export type SearchDocument = Partial<Listed> & { readonly status: EntryStatus; readonly hidden?: Listed }

const ranked = ['-rank', 'sortKey']
const indexes: Indexes = [
  { name: 'key', on: ['key', ...ranked] },
  { name: 'languageKey', on: ['language', 'key', ...ranked] },
  { name: 'reversed', on: ['reversed'] },
  { name: 'ends', on: ['ends', 'key'] },
  { name: 'lettersKey', on: ['letters', 'key'] },
  { name: 'lettersReversed', on: ['letters', 'reversed'] },
  { name: 'forms', on: ['forms', ...ranked], terms: 'forms' },
  { name: 'stems', on: ['stems', ...ranked], terms: 'stems' },
  { name: 'deletes', on: ['deletes', 'letters'], terms: 'deletes' },
  { name: 'edges', on: ['edges', ...ranked], terms: 'edges' },
  // What says the least beside the words that are asked for says them best.
  { name: 'definition', on: ['definition', 'brevity', '-rank'], terms: 'definition' },
]

/** Terms that the last fold made of content which has not changed since. */
type Known = Pick<Listed, 'labelKeys' | 'categoryKeys'> & { readonly definition: DefinitionTerms }

const listed = (entry: Entry, known: Partial<Known> = {}): Listed => {
  const { language, lemma, partOfSpeech, rank, content } = entry
  const { variants, forms } = content
  const keys = known.labelKeys && known.categoryKeys ? undefined : documentOf(entry, '', NO_MARK)
  return {
    ...termsOf(entry, known.definition ?? definitionOf(entry)),
    language,
    lemma,
    partOfSpeech,
    rank,
    sortKey: sortKey(lemma),
    labelKeys: known.labelKeys ?? keys?.labelKeys ?? [],
    categoryKeys: known.categoryKeys ?? keys?.categoryKeys ?? [],
    ...defined({ written: variants.length + forms.length > 0 ? { variants, forms } : undefined }),
  }
}

const definitionTerms = ({ definition, glosses, brevity }: Listed): DefinitionTerms => ({
  definition,
  glosses,
  ...defined({ brevity }),
})

const isListed = (document: SearchDocument): document is SearchDocument & Listed => document.key !== undefined

/** The entry that a document was made of, as far as its terms need it: content that left only terms is empty. */
const entryOf = (status: EntryStatus, { language, lemma, partOfSpeech, rank, written }: Listed): Entry => ({
  language,
  lemma,
  partOfSpeech,
  rank,
  status,
  content: { ...emptyContent, ...written },
  homograph: 1,
  licence: '',
  edited: false,
  removed: false,
  contributors: [],
  createdAt: '',
  updatedAt: '',
})

/** The document of an entry as it stands. */
export const searchDocument = (entry: Entry, known?: Partial<Known>): SearchDocument => {
  const document = listed(entry, known)
  return entry.status === 'published'
    ? { ...document, status: entry.status }
    : { status: entry.status, hidden: document }
}

export const searchProjection = projection<SearchDocument>({
  name: 'search',
  version: 5,
  categories: [entryCategory],
  removals: [EntryRedacted.type],
  indexes,
  key: entryIdOf,
  evolve: (document, event) => {
    if (!isEntryEvent(event)) return document
    const last = document && (isListed(document) ? document : document.hidden)
    const before = document && last && entryOf(document.status, last)
    const after = evolveEntry(before, event)
    if (!after || after.removed) return undefined
    if (!before || !last) return searchDocument(after)
    const sameSenses = after.content.senses === before.content.senses
    const sameCategories = after.content.categories === before.content.categories
    return searchDocument(after, {
      ...(sameSenses && { definition: definitionTerms(last), labelKeys: last.labelKeys }),
      ...defined({ categoryKeys: sameCategories ? last.categoryKeys : undefined }),
    })
  },
  cacheTags: (_id, document) => {
    const { language, partOfSpeech } = { ...document?.hidden, ...document }
    return listTags(document?.status, language, partOfSpeech)
  },
})
