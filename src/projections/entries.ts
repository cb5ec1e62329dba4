/** The entries as they stand, by id: what GET, lists, export and the joins of search read. */

import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { EntryStatus } from '../domain/entry/content.ts'
import { type Entry, entryCategory, entryIdOf, evolveEntry } from '../domain/entry/entry.ts'
import { type EntryEvent, EntryRedacted, entryEvents } from '../domain/entry/events.ts'
import type { Recorded } from '../domain/event.ts'
import { markOf } from '../domain/mark.ts'
import { sortKey } from '../domain/text/text.ts'
import type { Indexes } from '../ports/read-store.ts'

/** `sortKey` and the `...Keys` are ASCII, so that every engine finds and sorts alike. */
export type EntryDocument = Entry & {
  /** Revision of the entry's stream, for ETag and If-Match. */
  readonly revision: string
  /** Of the event that led to the revision (src/domain/mark.ts). */
  readonly mark: string
  readonly sortKey: string
  readonly labelKeys: readonly string[]
  readonly categoryKeys: readonly string[]
  readonly sourceKey?: string
}

/** How labels, categories and sources are compared: without case and accents' spelling, in ASCII. */
export const nameKey = (name: string): string => sortKey(name.normalize('NFC').toLowerCase())

const keys = (names: readonly string[]): readonly string[] => [...new Set(names.map(nameKey))]

/**
 * Every order starts with the closed lists: the status, which a list always names, the language where one is named, and the
 * parts of speech, of which all are asked for where none is named. Each order is read from either end.
 */
const indexes: Indexes = [
  { name: 'lemma', on: ['status', 'partOfSpeech', 'sortKey'] },
  { name: 'languageLemma', on: ['status', 'language', 'partOfSpeech', 'sortKey'] },
  { name: 'updated', on: ['status', 'partOfSpeech', 'updatedAt'] },
  { name: 'languageUpdated', on: ['status', 'language', 'partOfSpeech', 'updatedAt'] },
  { name: 'created', on: ['status', 'partOfSpeech', 'createdAt'] },
  { name: 'languageCreated', on: ['status', 'language', 'partOfSpeech', 'createdAt'] },
  { name: 'label', on: ['status', 'labelKeys', 'sortKey'], terms: 'labelKeys', narrow: true },
  { name: 'category', on: ['status', 'categoryKeys', 'sortKey'], terms: 'categoryKeys', narrow: true },
  { name: 'contributor', on: ['status', 'contributors', 'sortKey'], terms: 'contributors', narrow: true },
  { name: 'source', on: ['status', 'sourceKey', 'sortKey'] },
  { name: 'id', on: ['status', 'partOfSpeech'] },
  { name: 'languageId', on: ['status', 'language', 'partOfSpeech'] },
  { name: 'labelId', on: ['status', 'labelKeys'], terms: 'labelKeys', narrow: true },
  { name: 'categoryId', on: ['status', 'categoryKeys'], terms: 'categoryKeys', narrow: true },
]

const types: ReadonlySet<string> = new Set(entryEvents.map(each => each.type))
export const isEntryEvent = (event: Recorded): event is Recorded<EntryEvent> => types.has(event.type)

/** What answers made of entries depend on: one entry, those of a language, all that are public; and that none was removed. */
export const entryTag = (id: string): string => `entry ${id}`
export const languageTag = (language: string): string => `language ${language}`
/** A part of speech is part of what an entry is: it never becomes another. */
export const kindTag = (language: string, partOfSpeech: string): string => `language ${language} ${partOfSpeech}`
export const ANY_ENTRY = 'any'
export const REMOVAL = 'removal'

/** What a change of an entry changes in lists and searches: nothing, while it was never public. */
export const listTags = (
  status: EntryStatus | undefined,
  language: string | undefined,
  partOfSpeech: string | undefined,
): readonly string[] => {
  // Of one that was removed nothing is left, not even its language.
  if (status === undefined) return [ANY_ENTRY, REMOVAL]
  if (status === 'draft' || status === 'submitted') return []
  if (language === undefined || partOfSpeech === undefined) return [ANY_ENTRY, REMOVAL]
  return [ANY_ENTRY, languageTag(language), kindTag(language, partOfSpeech)]
}

export const documentOf = (entry: Entry, revision: string, mark: string): EntryDocument => ({
  ...entry,
  revision,
  mark,
  sortKey: sortKey(entry.lemma),
  labelKeys: keys(
    entry.content.senses.flatMap(({ labels }) => [...labels.register, ...labels.region, ...labels.domain]),
  ),
  categoryKeys: keys(entry.content.categories),
  ...defined({ sourceKey: entry.source === undefined ? undefined : nameKey(entry.source) }),
})

export const entriesProjection = projection<EntryDocument>({
  name: 'entries',
  version: 3,
  categories: [entryCategory],
  removals: [EntryRedacted.type],
  indexes,
  key: entryIdOf,
  evolve: (document, event) => {
    if (!isEntryEvent(event)) return document
    const entry = evolveEntry(document, event)
    const mark = markOf(event.id, event.meta.at)
    return !entry || entry.removed ? undefined : documentOf(entry, String(event.revision), mark)
  },
  cacheTags: (id, document) => [
    entryTag(id),
    ...listTags(document?.status, document?.language, document?.partOfSpeech),
  ],
})
