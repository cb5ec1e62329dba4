/**
 * The search in definitions. First those that have every word that is asked for in one gloss, by how much of the gloss that is,
 * then by use; a word that no gloss has is taken for a misspelling of one that some have. Where there is none, those
 * that have the most telling words, by BM25.
 */

import { distanceOf } from '../domain/distance.ts'
import type { Json } from '../domain/event.ts'
import { closestOf, coverOf, weightOf } from '../domain/search/definitions.ts'
import { bestLayer, readingAnswered } from '../domain/search/match.ts'
import { definitionStems, distanceFor, lettersOf, type SearchQuery } from '../domain/search/query.ts'
import { deletesOf, letters } from '../domain/search/terms.ts'
import type { Condition } from '../ports/read-store.ts'
import { drivenByRarest, STEM_ORDER } from './rarest.ts'
import { behind, indexedPage, type Placed } from './search-pages.ts'
import { type Asking, type Hit, hitOf, matchable, type SearchIndex, type Step, type StepPage } from './search-steps.ts'

/** A stem that so many have tells little, however many they are. */
const COUNTED = 1_000
/** What such a stem is taken to be in: as common words are in a dictionary of a hundred thousand entries. */
const COMMON = 10_000
/** As many are placed by what they say; where more have every word, the index gives them by the length of the shortest gloss. */
const MOST_PLACED = 200
/** Keys that are looked at for those that have a part. */
const MOST_KEYS = 1_500
/** Its rarest words: more of them cost more and found no more (bench/search.ts, 200 questions). */
const MOST_STEMS = 4
/** Documents that are read to see how much of it they have. */
const MOST_PARTS = 60
/** What a misspelt word may be meant as. */
const MOST_MEANT = 3
const MEANT_KEYS = 10_000
const MEANT_READ = 8

/** The query with what its misspelt words may mean, and how many definitions have each of its stems. */
export type Definitions = { readonly query: SearchQuery; readonly counts: ReadonlyMap<string, number> }

const has = (stem: string): Condition => ({ member: 'definition', op: 'all', value: [stem] })
const countOf = (index: SearchIndex, stem: string): Promise<number> =>
  index.count({ where: [has(stem)], order: STEM_ORDER }, COUNTED)

/** The best stems that definitions have instead: of lemmas that are as few edits away as words of that length may be. */
const meantBy = async ({ index, query }: Asking, stem: string): Promise<readonly string[]> => {
  const most = Math.min(query.distance, distanceFor(lettersOf(stem)))
  if (most === 0) return []
  const [gte, lte] = [lettersOf(stem) - most, lettersOf(stem) + most]
  const where: readonly Condition[] = [
    { member: 'deletes', op: 'any', value: deletesOf(stem, most) },
    { member: 'letters', op: 'range', gte, lte },
    ...(query.language === undefined ? [] : [{ member: 'language', op: 'eq' as const, value: query.language }]),
  ]
  const wanted = { where, order: ['letters'], limit: MEANT_KEYS, examine: MEANT_KEYS }
  const rows = await index.select(wanted, ['key', 'rank', 'sortKey'])
  const near = rows.documents.flatMap(({ id, members: [key, rank, sortKey] }): readonly Placed[] => {
    const distance = typeof key === 'string' ? distanceOf(letters(stem), letters(key), most) : most + 1
    return distance <= most ? [{ id, place: [distance, -Number(rank ?? 0), sortKey ?? '', id] }] : []
  })
  const best = behind(near, null).slice(0, MEANT_READ)
  const found = await index.get(best.map(({ id }) => id))
  const meant = new Set<string>()
  for (const { id } of best) {
    const { lemma = '', language = '' } = found.get(id)?.body ?? {}
    const [only, ...others] = definitionStems(lemma, language)
    if (only === undefined || others.length > 0 || meant.size === MOST_MEANT) continue
    if ((await countOf(index, only)) > 0) meant.add(only)
  }
  return [...meant]
}

export const readDefinitions = async (asking: Asking): Promise<Definitions> => {
  const { index, query } = asking
  const stems = [...new Set(query.definitions.flat())]
  const counts = new Map(await Promise.all(stems.map(async stem => [stem, await countOf(index, stem)] as const)))
  const corrected: string[][] = []
  for (const set of query.definitions) {
    const [unknown, ...others] = set.filter(stem => counts.get(stem) === 0)
    if (unknown === undefined || others.length > 0 || set.length < 2) continue
    for (const stem of await meantBy(asking, unknown)) {
      if (set.includes(stem)) continue
      counts.set(stem, await countOf(index, stem))
      corrected.push(set.map(each => (each === unknown ? stem : each)))
    }
  }
  return { query: { ...query, definitions: [...query.definitions, ...corrected] }, counts }
}

/** Every one that has the words of one reading, if these are few enough to be placed; else in the order of the index. */
const readingPage = async (
  asking: Asking,
  { step, reading }: { readonly step: Step; readonly reading: number },
  from: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const { index, query } = asking
  const stems = query.definitions[reading] ?? []
  const where = await drivenByRarest(index, [{ member: 'definition', op: 'all', value: stems }, ...step.where])
  const [mode = null, inner = null] = from ?? []
  const after = Array.isArray(inner) ? inner : null
  const rows =
    mode === 'index'
      ? undefined
      : await index.select({ where, order: STEM_ORDER, limit: MOST_PLACED + 1 }, ['rank', 'sortKey'])
  const finds: Step['finds'] = entry => readingAnswered(query, entry) === reading
  const own = { ...step, where, order: STEM_ORDER, finds }
  if (!rows || (mode === null && rows.next !== null)) {
    const page = await indexedPage(asking, own, after, limit)
    return { ...page, after: page.after && ['index', page.after] }
  }
  const found = await index.get(rows.documents.map(({ id }) => id))
  const hits = new Map<string, Hit>()
  const placed = rows.documents.flatMap(({ id, members: [rank, sortKey] }): readonly Placed[] => {
    const document = found.get(id)
    const hit = document && hitOf(asking, own, document)
    const cover = document && coverOf(stems, matchable(document.body).glosses)
    if (!hit || cover === undefined) return []
    hits.set(id, hit)
    return [{ id, place: [-cover, -Number(rank ?? 0), sortKey ?? '', id] }]
  })
  return shown(behind(placed, after), hits, { limit, examined: rows.examined, mode: 'placed' })
}

const shown = (
  placed: readonly Placed[],
  hits: ReadonlyMap<string, Hit>,
  { limit, examined, mode }: { readonly limit: number; readonly examined: number; readonly mode: string },
): StepPage => {
  const page = placed.slice(0, limit)
  const place = placed.length > limit ? page.at(-1)?.place : undefined
  return { hits: page.flatMap(({ id }) => hits.get(id) ?? []), after: place ? [mode, place] : null, examined }
}

/** Reading after reading; the cursor is the reading, how it is read, and the place in it. */
export const definitionPage = async (
  asking: Asking,
  step: Step,
  from: readonly Json[] | null,
  limit: number,
): Promise<StepPage> => {
  const hits: Hit[] = []
  let examined = 0
  let [reading = 0, ...inner] = from ?? []
  for (let at = Number(reading); at < asking.query.definitions.length; at += 1) {
    const rest = inner.length > 0 ? inner : null
    const page = await readingPage(asking, { step, reading: at }, rest, limit - hits.length)
    hits.push(...page.hits)
    examined += page.examined
    if (page.after) return { hits, after: [at, ...page.after], examined }
    inner = []
    reading = at + 1
    if (hits.length >= limit && Number(reading) < asking.query.definitions.length)
      return { hits, after: [reading], examined }
  }
  return { hits, after: null, examined }
}

/** The rarest stems, by which parts are looked for. */
export const tellingOf = ({ query, counts }: Definitions): readonly string[] =>
  [...new Set(query.definitions.flat())]
    .filter(stem => (counts.get(stem) ?? 0) > 0)
    .toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0) || (a < b ? -1 : 1))
    .slice(0, MOST_STEMS)

/** What of each stem there is to be told by it. */
export const weightsOf = ({ counts }: Pick<Definitions, 'counts'>): ReadonlyMap<string, number> =>
  new Map([...counts].map(([stem, count]) => [stem, weightOf(count < COUNTED ? count : COMMON)]))

/** Those that have a part of what is asked: sixty at most, of its rarest words. */
export const partPage = async (
  asking: Asking,
  step: Step,
  { from, limit, counts }: { from: readonly Json[] | null; limit: number; counts: Definitions['counts'] },
): Promise<StepPage> => {
  const { index, query } = asking
  const weights = weightsOf({ counts })
  const sums = new Map<string, number>()
  let examined = 0
  for (const stem of tellingOf({ query, counts })) {
    if (examined >= MOST_KEYS) break
    const where = [has(stem), ...step.where]
    const rows = await index.select({ where, order: STEM_ORDER, limit: Math.min(COUNTED, MOST_KEYS - examined) }, [
      'rank',
    ])
    examined += rows.examined
    for (const { id } of rows.documents) sums.set(id, (sums.get(id) ?? 0) + (weights.get(stem) ?? 0))
  }
  // Of equal ones the shorter gloss comes first, and the more used: as the index of the rarest word gave them.
  const likely = [...sums].toSorted(([, a], [, b]) => b - a).slice(0, MOST_PARTS)
  const found = await index.get(likely.map(([id]) => id))
  const hits = new Map<string, Hit>()
  const placed = likely.flatMap(([id]): readonly Placed[] => {
    const document = found.get(id)
    if (!document) return []
    const entry = matchable(document.body)
    // Found by its lemma, or by all of the words: shown before.
    if (bestLayer(query, entry, asking.fields)) return []
    const closest = query.definitions
      .flatMap(stems => closestOf(stems, entry.glosses, weights) ?? [])
      .toSorted((a, b) => b.score - a.score)[0]
    if (!closest) return []
    const { score, covered, stems } = closest
    hits.set(id, { ...document, match: { layer: 'definition', stems, covered } })
    return [{ id, place: [-score, -(document.body.rank ?? 0), document.body.sortKey ?? '', id] }]
  })
  const [, after = null] = from ?? []
  return shown(behind(placed, Array.isArray(after) ? after : null), hits, { limit, examined, mode: 'part' })
}
