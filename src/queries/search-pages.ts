/** How the pages of a layer are read: in the order of an index, by use, by distance. */

import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { bestLayer, fuzzyDistance } from '../domain/search/match.ts'
import { matches } from '../ports/conditions.ts'
import type { Row } from '../ports/read-store.ts'
import { compareKeys } from './key-order.ts'
import { type Asking, type Hit, hitOf, placeOf, type Step, type StepPage } from './search-steps.ts'

/** Candidates of the fuzzy layer; each is met by several of its deletions. */
const MAX_CANDIDATES = 2_000
const FUZZY_KEYS = 10_000
/** Documents of candidates read at once. */
const LEAST_READ = 8
/** Keys that a page looks at, and puts in the order of use. */
const KEYS_READ = 2_000
/** Documents that a pattern reads to see whether the filters hold. */
const DOCUMENTS_READ = 200

/** Where an entry stands among those of its step. */
export type Placed = { readonly id: string; readonly place: readonly Json[] }

/** Those behind the last one that was shown, in their order. */
export const behind = (placed: readonly Placed[], after: readonly Json[] | null): readonly Placed[] =>
  placed
    .toSorted((a, b) => compareKeys(a.place, b.place))
    .filter(({ place }) => after === null || compareKeys(place, after) > 0)

/** Documents of those in their order, until the page is full or so many were read: how many that were. */
export const readHits = async (
  asking: Asking,
  placed: readonly Placed[],
  { limit, most, hit }: { limit: number; most: number; hit: (found: Parameters<typeof hitOf>[2]) => Hit | undefined },
): Promise<{ readonly hits: readonly Hit[]; readonly read: number }> => {
  const hits: Hit[] = []
  let read = 0
  while (read < placed.length && hits.length < limit && read < most) {
    const some = placed.slice(read, read + Math.min(most - read, Math.max(LEAST_READ, limit - hits.length)))
    const found = await asking.index.get(some.map(({ id }) => id))
    for (const { id } of some) {
      read += 1
      const document = found.get(id)
      const made = document && hit(document)
      if (made) hits.push(made)
      if (hits.length === limit) break
    }
  }
  return { hits, read }
}

/** In the order of an index. */
export const indexedPage = async (
  asking: Asking,
  step: Step,
  from: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const { where, order } = step
  const found = await asking.index.find({
    where,
    order,
    limit: Math.max(10, limit + 1),
    ...defined({ after: from ? from : undefined }),
  })
  const hits: Hit[] = []
  for (const document of found.documents) {
    const hit = hitOf(asking, step, document)
    if (hit) hits.push(hit)
    if (hits.length === limit && document !== found.documents.at(-1))
      return { hits, after: placeOf(document, order), examined: found.examined }
  }
  return { hits, after: found.next, examined: found.examined }
}

/** What the orders of keys are made of; the language says how the query is read. */
const members = ['key', 'language', 'rank', 'sortKey'] as const
const used = ({ id, members: [, , rank, sortKey] }: Row): readonly Json[] => [-Number(rank ?? 0), sortKey ?? '', id]

/** Candidates are placed by their keys alone; the documents of a page are read to see which layer each belongs to. */
export const distancePage = async (
  asking: Asking,
  step: Step,
  after: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const { where, order } = step
  const rows = await asking.index.select({ where, order, limit: MAX_CANDIDATES, examine: FUZZY_KEYS }, members)
  const candidates = rows.documents.flatMap((row): readonly Placed[] => {
    const [key, language] = row.members
    if (typeof key !== 'string' || typeof language !== 'string') return []
    const distance = fuzzyDistance(asking.query, key, language)
    const isTaken = distance !== undefined && step.distances?.includes(distance)
    return isTaken ? [{ id: row.id, place: [distance, ...used(row)] }] : []
  })
  const placed = behind(candidates, after)
  const hit = hitOf.bind(undefined, asking, step)
  const { hits, read } = await readHits(asking, placed, { limit, most: placed.length, hit })
  return { hits, after: read < placed.length ? (placed[read - 1]?.place ?? null) : null, examined: rows.examined }
}

/**
 * Two thousand keys after the other, each two thousand in the order of use: what begins alike, or fits a pattern. The documents are
 * read of those alone that the keys say are found. The cursor is where the keys began, and the place among them.
 */
export const usePage = async (
  asking: Asking,
  step: Step,
  from: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const { where, order, filter = [] } = step
  const [begin = null, place = null] = from ?? []
  const after = Array.isArray(begin) ? begin : undefined
  const page = await asking.index.select(
    { where, order, limit: KEYS_READ, ...defined({ after: after ? after : undefined }) },
    members,
  )
  const fits = page.documents.flatMap((row): readonly Placed[] => {
    const [key, language] = row.members
    if (typeof key !== 'string' || typeof language !== 'string') return []
    const reading = { key, language, lemma: '', forms: [], stems: [], glosses: [] }
    const match = asking.query.pattern ? bestLayer(asking.query, reading, asking.fields) : undefined
    const isFit = (!asking.query.pattern || match?.layer === 'wildcard') && (step.finds?.(reading) ?? true)
    return isFit ? [{ id: row.id, place: used(row) }] : []
  })
  const placed = behind(fits, Array.isArray(place) ? place : null)
  const { hits, read } = await readHits(asking, placed, {
    limit,
    // Without a filter each that fits is a hit, unless it has just changed.
    most: Math.max(filter.length > 0 ? DOCUMENTS_READ : LEAST_READ, limit),
    hit: found => (filter.every(each => matches(found.body, each)) ? hitOf(asking, step, found) : undefined),
  })
  const last = read < placed.length ? [begin, placed[read - 1]?.place ?? place] : page.next && [page.next, null]
  return { hits, after: last, examined: page.examined }
}
