/**
 * The search: layer after layer, each one indexed query with a total order, each entry in its best layer only. A cursor
 * names the step and the last key, so pages go on exactly where the last one ended.
 */
import type { Json } from '../domain/event.ts'
import type { SearchField } from '../domain/search/match.ts'
import { type Definitions, definitionPage, partPage, readDefinitions } from './search-definitions.ts'
import { distancePage, indexedPage, usePage } from './search-pages.ts'
import {
  type Asking,
  filterConditions,
  type Hit,
  type SearchIndex,
  type SearchRequest,
  type Step,
  type StepPage,
  stepsOf,
} from './search-steps.ts'

/**
 * `step` counts the layers' queries, `after` is its last key, `found` says whether an entry was emitted before any definition was
 * looked at, `defined` whether a definition had every word.
 */
export type SearchCursor = {
  readonly step: number
  readonly after: readonly Json[] | null
  readonly found: boolean
  readonly defined: boolean
}
export type SearchPage = { readonly hits: readonly Hit[]; readonly next: SearchCursor | null }

/** Keys after which a page goes no step further. */
const MAX_EXAMINED = 2_000

const lemmaAndForm: ReadonlySet<SearchField> = new Set(['lemma', 'form'])
const everyField: ReadonlySet<SearchField> = new Set(['lemma', 'form', 'definition'])

/** Exact, case and accent ask the same of the index, and so do near and distant: the answer serves all of them. */
const remembering = (index: SearchIndex): SearchIndex => {
  const found = new Map<string, ReturnType<SearchIndex['find']>>()
  const selected = new Map<string, ReturnType<SearchIndex['select']>>()
  return {
    ...index,
    find: query => {
      const asked = JSON.stringify(query)
      const answer = found.get(asked) ?? index.find(query)
      found.set(asked, answer)
      return answer
    },
    select: (query, members) => {
      const asked = JSON.stringify([query, members])
      const answer = selected.get(asked) ?? index.select(query, members)
      selected.set(asked, answer)
      return answer
    },
  }
}

type Reading = {
  readonly step: Step
  readonly after: readonly Json[] | null
  readonly limit: number
  readonly definitions: () => Promise<Definitions>
}

const readPage = async (asking: Asking, { step, after, limit, definitions }: Reading): Promise<StepPage> => {
  if (step.read === 'index') return indexedPage(asking, step, after, limit)
  if (step.read === 'use') return usePage(asking, step, after, limit)
  if (step.read === 'distance') return distancePage(asking, step, after, limit)
  if (step.read === 'definition') return definitionPage(asking, step, after, limit)
  const { counts } = await definitions()
  return partPage(asking, step, { from: after, limit, counts })
}

/** One page from the cursor on; short, with a `next`, when it has examined 2,000 index entries. */
export const search = async (
  index: SearchIndex,
  request: SearchRequest,
  cursor?: SearchCursor,
): Promise<SearchPage> => {
  const { query, limit } = request
  const steps = stepsOf(request)
  const once = remembering(index)
  const filters = filterConditions(request.filters)
  const asking = { index: once, query, filters, fields: request.fields ?? lemmaAndForm }
  const definitionsAt = steps.findIndex(({ read }) => read === 'definition')
  let read: Promise<Definitions> | undefined
  const definitions = (): Promise<Definitions> => {
    read ??= readDefinitions(asking)
    return read
  }
  const hits: Hit[] = []
  let { step: at, after, found, defined } = cursor ?? { step: 0, after: null, found: false, defined: false }
  let examined = 0
  for (;;) {
    const step = steps[at]
    if (!step) return { hits, next: null }
    if ((step.fallback && found) || (step.read === 'part' && defined)) {
      at += 1
      continue
    }
    if (hits.length >= limit || examined >= MAX_EXAMINED) return { hits, next: { step: at, after, found, defined } }
    const isAfterLemmas = definitionsAt >= 0 && at >= definitionsAt && !(request.fields === undefined && found)
    const now = isAfterLemmas
      ? { ...asking, query: (await definitions()).query, fields: request.fields ?? everyField }
      : asking
    const page = await readPage(now, { step, after, limit: limit - hits.length, definitions })
    hits.push(...page.hits)
    examined += page.examined
    if (page.hits.length > 0 && (definitionsAt < 0 || at < definitionsAt)) found = true
    if (page.hits.length > 0 && step.read === 'definition') defined = true
    after = page.after
    if (after === null) at += 1
  }
}
