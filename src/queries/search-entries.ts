/** Search and suggestions as queries: the index finds, the entries are joined by id in one batch. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import { type Cursor, FillingSchema, type Page, type Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { PartOfSpeechSchema } from '../domain/entry/content.ts'
import type { Json } from '../domain/event.ts'
import { refuse } from '../domain/refusal.ts'
import { type Highlight, highlightsOf, layers, type SearchField } from '../domain/search/match.ts'
import { parseQuery } from '../domain/search/query.ts'
import { type SearchOutcome, searchOutcomes } from '../domain/search/searches.ts'
import { EDGE_LETTERS, letters } from '../domain/search/terms.ts'
import type { Row } from '../ports/read-store.ts'
import { type EntryDocument, entriesProjection, nameKey, REMOVAL } from '../projections/entries.ts'
import { type SearchDocument, searchProjection } from '../projections/search.ts'
import { publicTags } from './entry-lists.ts'
import { EntrySchema, type EntryView, entryView, peopleIn } from './entry-view.ts'
import { HighlightsSchema } from './highlights.ts'
import { type SearchCursor, type SearchPage, search } from './search.ts'
import type { SearchIndex, SearchRequest } from './search-steps.ts'

export type SearchReads = { readonly search: View<SearchDocument>; readonly entries: View<EntryDocument> }

export type SearchInput = {
  readonly q: string
  readonly language?: string
  readonly partOfSpeech?: string
  readonly label?: string
  readonly category?: string
  readonly in?: readonly SearchField[]
  readonly fuzzy: 'auto' | 0 | 1 | 2
  readonly facets: readonly ('language' | 'partOfSpeech')[]
  readonly limit: number
  readonly after?: Cursor
}
const text = Type.String()
export const SearchItemSchema = Type.Object({
  entry: EntrySchema,
  matched: Type.Enum([...layers]),
  distance: Type.Optional(Type.Integer()),
  covered: Type.Optional(
    Type.Number({ description: 'Of a definition: the share of the words asked for that one gloss has; 1: every one.' }),
  ),
  highlights: HighlightsSchema,
})
export type SearchItem = {
  readonly entry: EntryView
  readonly matched: string
  readonly distance?: number
  readonly covered?: number
  readonly highlights: readonly Highlight[]
}
export type Facets = Readonly<Record<string, readonly { readonly value: string; readonly count: number }[]>>
export type SearchAnswer = Page<SearchItem> & { readonly facets?: Facets }

const output = Type.Object(
  {
    items: Type.Array(SearchItemSchema),
    next: Type.Union([text, Type.Null()]),
    total: Type.Optional(Type.Integer()),
    totalRelation: Type.Optional(Type.Enum(['eq', 'gte'])),
    facets: Type.Optional(Type.Record(text, Type.Array(Type.Object({ value: text, count: Type.Integer() })))),
    names: Type.Optional(Type.Record(text, text)),
    filling: Type.Optional(FillingSchema),
  },
  { $id: 'SearchPage' },
)

/** Hits that facets are counted over; beyond it counts are a lower bound and `totalRelation` says `gte`. */
const FACETED = 1_000

/** Where a search goes on; `hadHits`: a page before had some. */
const cursorOf = (key: Json | undefined): { readonly at?: SearchCursor; readonly hadHits: boolean } => {
  if (!Array.isArray(key)) return { hadHits: false }
  const [step, after, found, hadHits, isDefined] = key
  const at =
    typeof step === 'number'
      ? { step, after: Array.isArray(after) ? after : null, found: found === true, defined: isDefined === true }
      : undefined
  return { ...defined({ at }), hadHits: hadHits === true }
}

const indexOf = (view: View<SearchDocument>, generation: string | undefined): SearchIndex => ({
  find: query => view.find(query, generation),
  select: (query, members) => view.select(query, members, generation),
  get: ids => view.get(ids, generation),
  count: (query, limit) => view.count(query, limit),
})

const facetsOf = async (
  index: SearchIndex,
  request: SearchRequest,
  wanted: readonly ('language' | 'partOfSpeech')[],
) => {
  const { hits, next } = await search(index, { ...request, limit: FACETED })
  const facets = wanted.map(member => {
    const counts = new Map<string, number>()
    for (const { body } of hits) counts.set(body[member] ?? '', (counts.get(body[member] ?? '') ?? 0) + 1)
    const values = [...counts].map(([value, count]) => ({ value, count }))
    return [member, values.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))] as const
  })
  return {
    facets: Object.fromEntries(facets),
    total: hits.length,
    totalRelation: next ? ('gte' as const) : ('eq' as const),
  }
}

/**
 * What the whole search came to, once over all of its pages: known on the page that has the first hit, or on the last one
 * when there was none. A page may be short and empty because it examined all it may; the next one then says.
 */
const outcomeOf = (page: SearchPage, foundBefore: boolean): SearchOutcome | undefined => {
  const [best] = page.hits
  if (foundBefore) return undefined
  return best ? best.match.layer : page.next ? undefined : 'nothing'
}

/** The dictionary's search. `onSearched` is told what each came to, and nothing of what was searched for. */
export const searchEntries = (
  reads: SearchReads,
  onSearched: (outcome: SearchOutcome) => void = () => undefined,
): Query<SearchInput, SearchAnswer> => ({
  name: 'search-entries',
  ofAll: true,
  people: item => (typeof item === 'object' && item !== null && 'entry' in item ? peopleIn(item.entry) : []),
  permission: 'entries:read',
  output,
  reads: [searchProjection, entriesProjection],
  caching: ({ language, partOfSpeech }) => ({ strategy: 'until-changed', tags: publicTags(language, partOfSpeech) }),
  repeated: note => {
    const outcome = searchOutcomes.find(each => each === note)
    if (outcome !== undefined) onSearched(outcome)
  },
  run: async (input, { warming }) => {
    const { q, language, partOfSpeech, label, category, fuzzy, facets, limit, after } = input
    const query = parseQuery(q, { language, fuzzy })
    if ('fault' in query)
      return refuse(query.fault, query.detail, { errors: [{ pointer: '/q', code: query.fault, detail: query.detail }] })
    const filters = {
      ...defined({ language, partOfSpeech }),
      ...defined({ label: label === undefined ? undefined : nameKey(label) }),
      ...defined({ category: category === undefined ? undefined : nameKey(category) }),
    }
    const request = { query, filters, fields: input.in && new Set(input.in), limit }
    await reads.search.ready()
    const generation = after?.generation ?? (reads.search.generation() || undefined)
    const index = indexOf(reads.search, generation)
    const position = reads.search.position()
    const { at, hadHits } = cursorOf(after?.key)
    const page = await search(index, request, at)
    const outcome = outcomeOf(page, hadHits)
    const entries = await reads.entries.get(page.hits.map(hit => hit.id))
    const items = page.hits.flatMap(({ id, match }): readonly SearchItem[] => {
      const found = entries.get(id)
      // Published in the one read model and not yet, or no longer, in the other.
      if (found?.body.status !== 'published') return []
      const covered = match.covered === undefined ? undefined : Math.round(match.covered * 100) / 100
      return [
        {
          entry: entryView(id, found.body, found.body.revision),
          matched: match.layer,
          ...defined({ distance: match.distance, covered }),
          highlights: highlightsOf(query, match, found.body),
        },
      ]
    })
    const next = page.next
      ? {
          generation: generation ?? '',
          key: [page.next.step, page.next.after, page.next.found, hadHits || page.hits.length > 0, page.next.defined],
        }
      : null
    const all = !after && !next ? { total: items.length, totalRelation: 'eq' as const } : {}
    const counted = facets.length > 0 ? await facetsOf(index, request, facets) : all
    if (outcome !== undefined && !warming) onSearched(outcome)
    return {
      value: { items, next, ...counted },
      position: position < reads.entries.position() ? position : reads.entries.position(),
      ...defined({ note: outcome }),
    }
  },
})

export type SuggestInput = { readonly q: string; readonly language?: string; readonly limit: number }
const Suggestion = Type.Object(
  { lemma: text, language: text, partOfSpeech: PartOfSpeechSchema, id: text },
  { $id: 'Suggestion' },
)
export type SuggestionItem = {
  readonly id: string
  readonly lemma: string
  readonly language: string
  readonly partOfSpeech: string
}

/** Completions looked at for a longer prefix, of which the most used come first. */
const LOOKED_AT = 200

type Completion = {
  readonly id: string
  readonly language: string
  readonly rank: number
  readonly sortKey: string
}
const completionOf = ({ id, members: [language, rank, sortKey] }: Row): Completion => ({
  id,
  language: String(language ?? ''),
  rank: Number(rank ?? 0),
  sortKey: String(sortKey ?? ''),
})
const mostUsed = (a: Completion, b: Completion): number =>
  b.rank - a.rank || (a.sortKey === b.sortKey ? 0 : a.sortKey < b.sortKey ? -1 : 1)

/** Completions of what is typed so far, most used first; a lemma once, whatever its parts of speech. */
export const suggestEntries = (
  reads: SearchReads,
): Query<SuggestInput, { readonly items: readonly SuggestionItem[] }> => ({
  name: 'suggest-entries',
  ofAll: true,
  permission: 'entries:read',
  output: Type.Object({ items: Type.Array(Suggestion), filling: Type.Optional(FillingSchema) }, { $id: 'Suggestions' }),
  reads: [searchProjection],
  // Asked for with every letter typed: on a dictionary that is written to all the time, being right to the second would keep nothing.
  caching: () => ({ strategy: 'public', seconds: 5, staleSeconds: 25, tags: [REMOVAL] }),
  run: async ({ q, language, limit }) => {
    const query = parseQuery(q, { language, fuzzy: 0 })
    if ('fault' in query)
      return refuse(query.fault, query.detail, { errors: [{ pointer: '/q', code: query.fault, detail: query.detail }] })
    const filter = language === undefined ? [] : [{ member: 'language', op: 'eq' as const, value: language }]
    const short = Math.max(...query.keys.map(key => letters(key).length)) <= EDGE_LETTERS
    const finds = query.pattern
      ? []
      : short
        ? [
            {
              where: [{ member: 'edges', op: 'any' as const, value: query.keys }, ...filter],
              order: ['-rank', 'sortKey'],
              limit: limit * 4,
            },
          ]
        : query.keys.map(value => ({
            where: [...filter, { member: 'key', op: 'prefix' as const, value }],
            order: ['key', '-rank', 'sortKey'],
            limit: LOOKED_AT,
          }))
    const pages = await Promise.all(finds.map(each => reads.search.select(each, ['language', 'rank', 'sortKey'])))
    const byLemma = new Map<string, Completion>()
    for (const each of pages.flatMap(page => page.documents.map(completionOf)).toSorted(mostUsed)) {
      // A sort key is made of nothing but the lemma, and of no other.
      const key = `${each.language}\n${each.sortKey}`
      if (!byLemma.has(key)) byLemma.set(key, each)
    }
    const ids = [...byLemma.values()].slice(0, limit).map(each => each.id)
    const documents = await reads.search.get(ids)
    const items = ids.flatMap((id): readonly SuggestionItem[] => {
      const body = documents.get(id)?.body
      // Withdrawn since it was found.
      if (body?.lemma === undefined) return []
      return [{ id, lemma: body.lemma, language: body.language ?? '', partOfSpeech: body.partOfSpeech ?? '' }]
    })
    return { value: { items }, position: reads.search.position() }
  },
})
