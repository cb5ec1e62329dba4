/** Layer after layer: what is asked of the index for each, in which order its hits come, and how its pages are read. */
import type { Json, JsonObject } from '../domain/event.ts'
import { glossesOf } from '../domain/search/definitions.ts'
import { bestLayer, DISTANT, type Layer, type Match, type Matchable, type SearchField } from '../domain/search/match.ts'
import { lettersOf, readingOf, type SearchQuery } from '../domain/search/query.ts'
import { deletesOf, EDGE_LETTERS } from '../domain/search/terms.ts'
import type { Condition, Query, Row } from '../ports/read-store.ts'
import type { SearchDocument } from '../projections/search.ts'
import { wildcardStep } from './wildcards.ts'

export type Found = { readonly id: string; readonly body: SearchDocument }
type PageOf<Item> = {
  readonly documents: readonly Item[]
  readonly next: readonly Json[] | null
  readonly examined: number
}

/** What the search asks of the read model: src/core/project/view.ts. */
export type SearchIndex = {
  find(query: Query): Promise<PageOf<Found>>
  select(query: Query, members: readonly string[]): Promise<PageOf<Row>>
  get(ids: readonly string[]): Promise<ReadonlyMap<string, Found>>
  count(query: Pick<Query, 'where' | 'order'>, limit: number): Promise<number>
}

export type SearchFilters = {
  readonly language?: string
  readonly partOfSpeech?: string
  readonly label?: string
  readonly category?: string
}
export type SearchRequest = {
  readonly query: SearchQuery
  readonly filters: SearchFilters
  /** Undefined: lemma and form, and definition when these find nothing. */
  readonly fields: ReadonlySet<SearchField> | undefined
  readonly limit: number
}
export type Hit = { readonly id: string; readonly body: SearchDocument; readonly match: Match }

/** One request while it is answered: `fields` are those that count at the step. */
export type Asking = {
  readonly index: SearchIndex
  readonly query: SearchQuery
  readonly filters: readonly Condition[]
  readonly fields: ReadonlySet<SearchField>
}
export type StepPage = {
  readonly hits: readonly Hit[]
  readonly after: readonly Json[] | null
  readonly examined: number
}

export type Step = {
  readonly layers: readonly Layer[]
  /** How its pages are read: in the order of an index, by use, by distance, by what of a definition it is. */
  readonly read: 'index' | 'use' | 'distance' | 'definition' | 'part'
  readonly where: readonly Condition[]
  /** Looked at on the documents of what the keys find. */
  readonly filter?: readonly Condition[]
  readonly order: readonly string[]
  /** Which reading of the query the step is for: an entry is emitted in the first that finds it. */
  readonly finds?: (entry: Matchable) => boolean
  /** The distances that it takes. */
  readonly distances?: readonly number[]
  /** Only when lemmas and forms found nothing. */
  readonly fallback?: boolean
}

export const filterConditions = ({ language, partOfSpeech, label, category }: SearchFilters): readonly Condition[] => [
  ...(language === undefined ? [] : [{ member: 'language', op: 'eq' as const, value: language }]),
  ...(partOfSpeech === undefined ? [] : [{ member: 'partOfSpeech', op: 'eq' as const, value: partOfSpeech }]),
  ...(label === undefined ? [] : [{ member: 'labelKeys', op: 'any' as const, value: [label] }]),
  ...(category === undefined ? [] : [{ member: 'categoryKeys', op: 'any' as const, value: [category] }]),
]

const ranked = ['-rank', 'sortKey']
const byKey = ['key', ...ranked]

const patternSteps = (query: SearchQuery, filter: readonly Condition[]): readonly Step[] =>
  query.keys.map(key => {
    const { where, order } = wildcardStep(key)
    const finds = ({ language }: Matchable): boolean => readingOf(query, language).key === key
    return { layers: ['wildcard'], read: 'use', where, filter, order, finds }
  })

/** The most used come first: a short beginning has an index of its own in that order, the words of a longer one are few enough to be put in it. */
const prefixStep = (query: SearchQuery, key: string, filter: readonly Condition[]): Step => {
  const finds = ({ language }: Matchable): boolean => readingOf(query, language).key === key
  const step = { layers: ['prefix'] as const, finds }
  return lettersOf(key) <= EDGE_LETTERS
    ? { ...step, read: 'index', where: [{ member: 'edges', op: 'any', value: [key] }, ...filter], order: ranked }
    : { ...step, read: 'use', where: [{ member: 'key', op: 'prefix', value: key }, ...filter], order: byKey }
}

const fuzzyStep = (query: SearchQuery, distances: readonly number[], filter: readonly Condition[]): Step => {
  const deletes = [...new Set(query.keys.flatMap(key => deletesOf(key, query.distance)))]
  const counts = query.keys.map(lettersOf)
  const [gte, lte] = [Math.min(...counts) - query.distance, Math.max(...counts) + query.distance]
  const where: readonly Condition[] = [
    { member: 'deletes', op: 'any', value: deletes },
    { member: 'letters', op: 'range', gte, lte },
    ...filter,
  ]
  return { layers: ['fuzzy'], read: 'distance', where, order: ['letters'], distances }
}

/** Words of a definition of which a part says something. */
const LEAST_ASKED = 2

export const stepsOf = ({ query, filters, fields }: SearchRequest): readonly Step[] => {
  const filter = filterConditions(filters)
  const lemma = fields?.has('lemma') ?? true
  const form = fields?.has('form') ?? true
  const definition = (fields?.has('definition') ?? true) && query.definitions.length > 0
  const fallback = fields === undefined
  if (query.pattern) return lemma ? patternSteps(query, filter) : []
  const steps: Step[] = []
  const indexed = (layer: Layer, where: Condition): void => {
    steps.push({ layers: [layer], read: 'index', where: [where, ...filter], order: ranked })
  }
  if (lemma)
    for (const layer of ['exact', 'case', 'accent'] as const)
      indexed(layer, { member: 'key', op: 'in', value: query.keys })
  if (form) indexed('form', { member: 'forms', op: 'any', value: query.keys })
  if ((lemma || form) && query.stems.length > 0) indexed('stem', { member: 'stems', op: 'any', value: query.stems })
  if (lemma) for (const key of query.keys) steps.push(prefixStep(query, key, filter))
  const near = [0, 1, 2].filter(each => !(query.isPhrase && each === DISTANT))
  const isDistant = query.isPhrase && query.distance >= DISTANT
  if (lemma && query.distance > 0) steps.push(fuzzyStep(query, near, filter))
  if (definition) steps.push({ layers: ['definition'], read: 'definition', where: filter, order: [], fallback })
  if (lemma && isDistant) steps.push(fuzzyStep(query, [DISTANT], filter))
  if (definition && query.definitions.some(({ length }) => length >= LEAST_ASKED))
    steps.push({ layers: ['definition'], read: 'part', where: filter, order: [], fallback })
  return steps
}

export const matchable = ({
  language = '',
  lemma = '',
  key = '',
  forms = [],
  stems = [],
  definition = [],
  glosses = [],
}: SearchDocument): Matchable => ({
  language,
  lemma,
  key,
  forms,
  stems,
  glosses: glossesOf(definition, glosses),
})

export const hitOf = ({ query, fields }: Asking, step: Step, { id, body }: Found): Hit | undefined => {
  const entry = matchable(body)
  const match = bestLayer(query, entry, fields)
  return match && step.layers.includes(match.layer) && (step.finds?.(entry) ?? true) ? { id, body, match } : undefined
}

/** The place of a document in an order, its id last. */
export const placeOf = ({ id, body }: Found, order: readonly string[]): readonly Json[] => {
  const document: JsonObject = body
  return [...order.map(name => document[name.replace('-', '')] ?? null), id]
}
