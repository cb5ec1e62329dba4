/**
 * The search: layer after layer, each one indexed query with a total order, each entry in its best layer only. A cursor
 * names the step and the last key, so pages go on exactly where the last one ended.
 */
import type { Json, JsonObject } from '../domain/event.ts'
import {
  bestLayer,
  fuzzyDistance,
  type Layer,
  type Match,
  type Matchable,
  type SearchField,
} from '../domain/search/match.ts'
import { lettersOf, readingOf, type SearchQuery } from '../domain/search/query.ts'
import { deletesOf } from '../domain/search/terms.ts'
import { matches } from '../ports/conditions.ts'
import type { Condition, Query, Row } from '../ports/read-store.ts'
import type { SearchDocument } from '../projections/search.ts'
import { compareKeys } from './key-order.ts'
import { drivenByRarest } from './rarest.ts'
import { wildcardStep } from './wildcards.ts'

type Found = { readonly id: string; readonly body: SearchDocument }
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

/** `step` counts the layers' queries, `after` is its last key, `found` says whether an entry was emitted before. */
export type SearchCursor = { readonly step: number; readonly after: readonly Json[] | null; readonly found: boolean }
export type Hit = { readonly id: string; readonly body: SearchDocument; readonly match: Match }
export type SearchPage = { readonly hits: readonly Hit[]; readonly next: SearchCursor | null }

type Step = {
  readonly layers: readonly Layer[]
  readonly where: readonly Condition[]
  /** Looked at on the documents of what the keys find. */
  readonly filter?: readonly Condition[]
  readonly order: readonly string[]
  /** Which reading of the query the step is for: an entry is emitted in the first that finds it. */
  readonly finds?: (entry: Matchable) => boolean
  /** Found anew for each page and sorted in memory: at most so many candidates. */
  readonly candidates?: number
  /** What the index has of an entry says whether it is found: documents are read of those alone. */
  readonly byKeys?: boolean
  /** Its terms are to be counted first, so that the rarest drives. */
  readonly counted?: boolean
  /** Only when nothing was found before. */
  readonly fallback?: boolean
}

/** Candidates of the fuzzy layer; each is met by several of its deletions. */
const MAX_CANDIDATES = 2_000
const FUZZY_KEYS = 10_000
/** Keys after which a page goes no step further. */
const MAX_EXAMINED = 2_000
/** Documents of candidates read at once. */
const LEAST_READ = 8
/** Keys that a page of a pattern looks at. */
const KEYS_READ = 2_000
/** Documents that it reads to see whether the filters hold. */
const DOCUMENTS_READ = 200

const filterConditions = ({ language, partOfSpeech, label, category }: SearchFilters): readonly Condition[] => [
  ...(language === undefined ? [] : [{ member: 'language', op: 'eq' as const, value: language }]),
  ...(partOfSpeech === undefined ? [] : [{ member: 'partOfSpeech', op: 'eq' as const, value: partOfSpeech }]),
  ...(label === undefined ? [] : [{ member: 'labelKeys', op: 'any' as const, value: [label] }]),
  ...(category === undefined ? [] : [{ member: 'categoryKeys', op: 'any' as const, value: [category] }]),
]

const ranked = ['-rank', 'sortKey']
const byKey = ['key', ...ranked]

const stepsOf = ({ query, filters, fields }: SearchRequest): readonly Step[] => {
  const filter = filterConditions(filters)
  const lemma = fields?.has('lemma') ?? true
  const form = fields?.has('form') ?? true
  const definition = fields?.has('definition') ?? true
  const steps: Step[] = []
  if (query.pattern) {
    if (lemma)
      for (const key of query.keys) {
        const { where, order } = wildcardStep(key)
        const finds = ({ language }: Matchable): boolean => readingOf(query, language).key === key
        steps.push({ layers: ['wildcard'], where, filter, order, finds, byKeys: true })
      }
    return steps
  }
  if (lemma)
    for (const layer of ['exact', 'case', 'accent'] as const)
      steps.push({ layers: [layer], where: [{ member: 'key', op: 'in', value: query.keys }, ...filter], order: ranked })
  if (form)
    steps.push({
      layers: ['form'],
      where: [{ member: 'forms', op: 'any', value: query.keys }, ...filter],
      order: ranked,
    })
  if ((lemma || form) && query.stems.length > 0)
    steps.push({
      layers: ['stem'],
      where: [{ member: 'stems', op: 'any', value: query.stems }, ...filter],
      order: ranked,
    })
  if (lemma) {
    for (const key of query.keys)
      steps.push({
        layers: ['prefix'],
        where: [{ member: 'key', op: 'prefix', value: key }, ...filter],
        order: byKey,
        finds: entry => readingOf(query, entry.language).key === key,
      })
    const deletes = [...new Set(query.keys.flatMap(key => deletesOf(key, query.distance)))]
    if (query.distance > 0) {
      const counts = query.keys.map(lettersOf)
      const [gte, lte] = [Math.min(...counts) - query.distance, Math.max(...counts) + query.distance]
      const where: readonly Condition[] = [
        { member: 'deletes', op: 'any', value: deletes },
        { member: 'letters', op: 'range', gte, lte },
        ...filter,
      ]
      steps.push({ layers: ['fuzzy'], where, order: ['letters'], candidates: MAX_CANDIDATES })
    }
  }
  if (definition)
    for (const [n, set] of query.definitions.entries()) {
      const has = (entry: Matchable, stems: readonly string[]): boolean =>
        stems.every(each => entry.definition.includes(each))
      const where: readonly Condition[] = [{ member: 'definition', op: 'all', value: set }, ...filter]
      steps.push({
        layers: ['definition'],
        where,
        order: ['-rank'],
        counted: true,
        finds: entry => query.definitions.findIndex(each => has(entry, each)) === n,
        fallback: fields === undefined,
      })
    }
  return steps
}

const matchable = ({
  language = '',
  lemma = '',
  key = '',
  forms = [],
  stems = [],
  definition = [],
}: SearchDocument): Matchable => ({
  language,
  lemma,
  key,
  forms,
  stems,
  definition,
})

const everyField: ReadonlySet<SearchField> = new Set(['lemma', 'form', 'definition'])

const hitOf = (request: SearchRequest, step: Step, { id, body }: Found): Hit | undefined => {
  const entry = matchable(body)
  const match = bestLayer(request.query, entry, request.fields ?? everyField)
  return match && step.layers.includes(match.layer) && (step.finds?.(entry) ?? true) ? { id, body, match } : undefined
}

const member = (document: Found, name: string): Json => {
  const body: JsonObject = document.body
  return body[name.replace('-', '')] ?? null
}
const keyOf = (document: Found, order: readonly string[]): readonly Json[] => [
  ...order.map(name => member(document, name)),
  document.id,
]

type StepPage = { readonly hits: readonly Hit[]; readonly after: readonly Json[] | null; readonly examined: number }

/** What the order of the fuzzy layer is made of; the language says how the query is read. */
const compared = ['key', 'language', 'rank', 'sortKey'] as const
type Candidate = { readonly id: string; readonly place: readonly Json[] }

const candidateOf = ({ query }: SearchRequest, { id, members }: Row): readonly Candidate[] => {
  const [key, language, rank, sortKey] = members
  if (typeof key !== 'string' || typeof language !== 'string') return []
  const distance = fuzzyDistance(query, key, language)
  return distance === undefined ? [] : [{ id, place: [distance, -Number(rank ?? 0), sortKey ?? '', id] }]
}

/** Candidates are placed by their keys alone; the documents of a page are read to see which layer each belongs to. */
const fuzzyPage = async (
  index: SearchIndex,
  request: SearchRequest,
  step: Step,
  after: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const query = { where: step.where, order: step.order, limit: step.candidates ?? 0, examine: FUZZY_KEYS }
  const { documents, examined } = await index.select(query, compared)
  const candidates = documents
    .flatMap(row => candidateOf(request, row))
    .toSorted((a, b) => compareKeys(a.place, b.place))
    .filter(({ place }) => after === null || compareKeys(place, after) > 0)
  const hits: Hit[] = []
  for (let at = 0; at < candidates.length; ) {
    const some = candidates.slice(at, at + Math.max(limit - hits.length, LEAST_READ))
    const found = await index.get(some.map(each => each.id))
    for (const { id, place } of some) {
      at += 1
      const document = found.get(id)
      const hit = document && hitOf(request, step, document)
      if (hit) hits.push(hit)
      if (hits.length === limit) return { hits, after: at < candidates.length ? place : null, examined }
    }
  }
  return { hits, after: null, examined }
}

/** Exact, case and accent ask the same of the index: the answer serves all three when it comes back whole. */
const remembering = (index: SearchIndex): SearchIndex => {
  const answers = new Map<string, ReturnType<SearchIndex['find']>>()
  return {
    ...index,
    find: query => {
      const asked = JSON.stringify(query)
      const answer = answers.get(asked) ?? index.find(query)
      answers.set(asked, answer)
      return answer
    },
  }
}

const indexedPage = async (
  index: SearchIndex,
  request: SearchRequest,
  step: Step,
  from: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const { order } = step
  const where = step.counted ? await drivenByRarest(index, step.where) : step.where
  const found = await index.find({ where, order, limit: Math.max(10, limit + 1), ...(from && { after: from }) })
  const hits: Hit[] = []
  for (const document of found.documents) {
    const hit = hitOf(request, step, document)
    if (hit) hits.push(hit)
    if (hits.length === limit && document !== found.documents.at(-1))
      return { hits, after: keyOf(document, order), examined: found.examined }
  }
  return { hits, after: found.next, examined: found.examined }
}

/**
 * A pattern fits few of the keys that begin as it does (`s*q*z`): keys are looked at by the thousand, and documents are
 * read of the entries that it fits.
 */
const patternPage = async (
  index: SearchIndex,
  request: SearchRequest,
  step: Step,
  from: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const { where, order } = step
  const members = ['key', 'language', ...order.map(name => name.replace('-', ''))]
  const page = await index.select({ where, order, limit: KEYS_READ, ...(from && { after: from }) }, members)
  const fits = page.documents.flatMap(({ id, members: [key, language, ...place] }) => {
    if (typeof key !== 'string' || typeof language !== 'string') return []
    const reading = { key, language, lemma: '', forms: [], stems: [], definition: [] }
    const match = bestLayer(request.query, reading, request.fields ?? everyField)
    return match?.layer === 'wildcard' && (step.finds?.(reading) ?? true) ? [{ id, place: [...place, id] }] : []
  })
  // Without a filter each that fits is a hit, unless it has just changed.
  const most = step.filter?.length ? Math.max(DOCUMENTS_READ, limit) : limit
  const hits: Hit[] = []
  let read = 0
  while (read < fits.length && hits.length < limit && read < most) {
    const some = fits.slice(read, read + Math.min(most - read, Math.max(LEAST_READ, limit - hits.length)))
    const found = await index.get(some.map(each => each.id))
    for (const { id } of some) {
      read += 1
      const document = found.get(id)
      const holds = document && (step.filter ?? []).every(each => matches(document.body, each))
      const hit = holds ? hitOf(request, step, document) : undefined
      if (hit) hits.push(hit)
      if (hits.length === limit) break
    }
  }
  const after = read < fits.length ? (fits[read - 1]?.place ?? from) : page.next
  return { hits, after, examined: page.examined }
}

/** One page from the cursor on; short, with a `next`, when it has examined 2,000 index entries. */
export const search = async (
  index: SearchIndex,
  request: SearchRequest,
  cursor?: SearchCursor,
): Promise<SearchPage> => {
  const steps = stepsOf(request)
  const once = remembering(index)
  const hits: Hit[] = []
  let { step: at, after, found } = cursor ?? { step: 0, after: null, found: false }
  let examined = 0
  for (;;) {
    const step = steps[at]
    if (!step) return { hits, next: null }
    if (step.fallback && found && after === null) {
      at += 1
      continue
    }
    if (hits.length >= request.limit || examined >= MAX_EXAMINED) return { hits, next: { step: at, after, found } }
    const read = step.byKeys ? patternPage : step.candidates === undefined ? indexedPage : fuzzyPage
    const page = await read(once, request, step, after, request.limit - hits.length)
    hits.push(...page.hits)
    examined += page.examined
    if (page.hits.length > 0 && !step.fallback) found = true
    after = page.after
    if (after === null) at += 1
  }
}
