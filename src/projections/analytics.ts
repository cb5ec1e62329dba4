/**
 * The figures of a day: what was done to entries, by language and contributor, and how searches ended. A day has one
 * document a grain, so that whatever is asked for is one range of one index and no page adds up others.
 */

import { projection } from '../core/project/define.ts'
import { entryCategory } from '../domain/entry/entry.ts'
import { ImportCompleted, type ImportEvent, importCategory } from '../domain/entry/import.ts'
import type { Recorded } from '../domain/event.ts'
import {
  SearchesCounted,
  type SearchesEvent,
  type SearchOutcome,
  searchesCategory,
  searchOutcomes,
} from '../domain/search/searches.ts'
import type { Indexes } from '../ports/read-store.ts'

/** What is counted of each event of an entry. Imports are counted by the run: 150,000 records need not be read for it. */
const counted = {
  EntryDrafted: 'drafted',
  DraftEdited: 'edited',
  EntryEdited: 'edited',
  EntrySubmitted: 'submitted',
  EntryReturned: 'returned',
  EntryPublished: 'published',
  EntryRetired: 'retired',
  EntryRestored: 'restored',
  EntryReverted: 'reverted',
  EntryTakenOver: 'takenOver',
  EntryRedacted: 'removed',
} as const

export type EntryFigure = (typeof counted)[keyof typeof counted]
export const entryFigures: readonly EntryFigure[] = [...new Set(Object.values(counted))]

/** What a document is a sum over: everything of the day, one language, one contributor, or one of both. */
export const grains = ['day', 'language', 'contributor', 'language-contributor'] as const
export type Grain = (typeof grains)[number]

type Counts<Name extends string> = { readonly [name in Name]?: number }

/** Counts that are 0 are absent. `imported` and `searches` are of the whole day and stand in its grain only. */
export type AnalyticsDocument = {
  readonly grain: Grain
  readonly day: string
  readonly language?: string
  readonly contributor?: string
  readonly entries?: Counts<EntryFigure>
  readonly imported?: number
  readonly searches?: Counts<SearchOutcome>
}

/** An entry whose language is not known (a broken history) counts as undetermined: BCP 47's `und`. */
const UNDETERMINED = 'und'

const indexes: Indexes = [
  { name: 'day', on: ['grain', 'day'] },
  { name: 'language', on: ['grain', 'language', 'day'] },
  { name: 'contributor', on: ['grain', 'contributor', 'day'] },
  { name: 'both', on: ['grain', 'language', 'contributor', 'day'] },
]

const isNamed = (type: string): type is keyof typeof counted => Object.hasOwn(counted, type)
const isSearches = (event: Recorded): event is Recorded<SearchesEvent> => event.type === SearchesCounted.type
type Completed = Extract<ImportEvent, { type: 'ImportCompleted' }>
const isImport = (event: Recorded): event is Recorded<Completed> => event.type === ImportCompleted.type

/** The calendar day of UTC on which it was decided; a copy of the log keeps it, unlike the time of recording. */
const dayOf = (event: Recorded): string => (isSearches(event) ? event.data.day : event.meta.at.slice(0, 10))

type Place = Pick<AnalyticsDocument, 'grain' | 'day' | 'language' | 'contributor'>

const idOf = ({ grain, day, language = '', contributor = '' }: Place): string =>
  `${day} ${grain} ${language} ${contributor}`

/** The id of the document of a whole day. */
export const dayDocumentId = (day: string): string => idOf({ grain: 'day', day })

const placesOf = (event: Recorded): readonly Place[] => {
  const day = dayOf(event)
  const whole: Place = { grain: 'day', day }
  if (!isNamed(event.type)) return [whole]
  const language = event.meta.route.language ?? UNDETERMINED
  const contributor = event.meta.actor.id
  return [
    whole,
    { grain: 'language', day, language },
    { grain: 'contributor', day, contributor },
    { grain: 'language-contributor', day, language, contributor },
  ]
}

const raised = <Name extends string>(
  names: readonly Name[],
  counts: Counts<Name> | undefined,
  by: Counts<Name>,
): Counts<Name> => {
  const next: { [name in Name]?: number } = { ...counts }
  for (const name of names) {
    const more = by[name]
    if (more !== undefined) next[name] = (next[name] ?? 0) + more
  }
  return next
}

export const analyticsProjection = projection<AnalyticsDocument>({
  name: 'analytics',
  version: 2,
  categories: [entryCategory, importCategory, searchesCategory],
  types: [...Object.keys(counted), ImportCompleted.type, SearchesCounted.type],
  indexes,
  key: event => placesOf(event).map(idOf),
  evolve: (document, event, id) => {
    const before: AnalyticsDocument | undefined = document ?? placesOf(event).find(each => idOf(each) === id)
    if (!before) return document
    if (isSearches(event)) return { ...before, searches: raised(searchOutcomes, before.searches, event.data.counts) }
    if (isImport(event)) return { ...before, imported: (before.imported ?? 0) + event.data.written }
    if (!isNamed(event.type)) return document
    return { ...before, entries: raised(entryFigures, before.entries, { [counted[event.type]]: 1 }) }
  },
})
