/**
 * The search of stories, tier after tier: every word that is asked for in the title or the tags, then with the summary, then in the text
 * of one chapter; where nothing has every word, what has the most of them. Keys of the index place the candidates; each reading of what
 * is asked is a range of its own, and the ranges are merged.
 */
import type { View } from '../core/project/view.ts'
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import type { Reading } from '../domain/search/story-words.ts'
import type { Condition, Query } from '../ports/read-store.ts'
import { documentOfStory, type StorySearchDocument, storyOfDocument } from '../projections/story-search.ts'
import { compareKeys } from './key-order.ts'

export const storyTiers = ['title', 'summary', 'text', 'part'] as const
export type StoryTier = (typeof storyTiers)[number]

/**
 * `chapters`: which of the stems the text of each has, by id, the best one first; whether they are shown is for who shows the story to
 * see. `about`: which of them the story is found by without its chapters.
 */
export type StoryCandidate = {
  readonly story: string
  readonly matched: StoryTier
  readonly about: Reading
  readonly chapters: ReadonlyMap<string, Reading>
}

/** What is asked of the read model: src/core/project/view.ts. */
export type StoryIndex = Pick<View<StorySearchDocument>, 'count'> & {
  find(query: Query): Promise<{
    readonly documents: readonly { readonly id: string; readonly body: StorySearchDocument }[]
    readonly next: readonly Json[] | null
    readonly examined: number
  }>
  select: (
    query: Query,
    members: readonly string[],
  ) => Promise<{
    readonly documents: readonly { readonly id: string; readonly members: readonly Json[] }[]
    readonly next: readonly Json[] | null
    readonly examined: number
  }>
  get(ids: readonly string[]): Promise<ReadonlyMap<string, { readonly id: string; readonly body: StorySearchDocument }>>
}

/** `listed`: the lists that the reader is shown; `language`: of the stories. */
export type StoryAsking = {
  readonly index: StoryIndex
  readonly readings: readonly Reading[]
  readonly listed: Condition
  readonly language?: string
}

/** `after` is the place of the last candidate, `found` whether a story was shown before that has every word. */
export type StorySearchCursor = {
  readonly tier: number
  readonly after: readonly Json[] | null
  readonly found: boolean
}
/** Which of the candidates are shown, in their order, so many at most. */
export type Showing<Hit> = (candidates: readonly StoryCandidate[]) => Promise<ReadonlyMap<string, Hit>>

/** Keys that one page looks at, whatever it finds. */
export const KEYS_A_PAGE = 2_000
/** Stories that it reads to see whether they are shown. */
export const STORIES_A_PAGE = 400
const LEAST_READ = 8
/** A stem that so many have is known not to be the rarest. */
const COUNTED = 1_000
/** By so many of the rarest words parts are looked for, and so many of what has them are placed. */
export const MOST_TELLING = 4
export const MOST_PARTS = 100

type Placed = { readonly place: readonly Json[]; readonly candidate: StoryCandidate }
type TierPage = { readonly placed: readonly Placed[]; readonly next: readonly Json[] | null; readonly examined: number }

/** Behind every chapter of a story: ids are ASCII, and none has this. */
const LAST = '~'

const orderOf = (tier: StoryTier): readonly string[] => (tier === 'text' ? ['story'] : ['brevity'])
const memberOf = (tier: StoryTier): 'heading' | 'about' | 'stems' =>
  tier === 'title' ? 'heading' : tier === 'summary' ? 'about' : 'stems'

const conditionsFor = ({ listed, language }: StoryAsking, tier: StoryTier, stems: Reading): readonly Condition[] => [
  ...(tier === 'text' ? [] : [listed]),
  { member: memberOf(tier), op: 'all', value: stems },
  ...(language === undefined ? [] : [{ member: 'language', op: 'eq', value: language } as const]),
]

const countOf = (asking: StoryAsking, tier: StoryTier, stem: string): Promise<number> => {
  const where = conditionsFor(asking, tier, [stem]).filter(({ member }) => member !== 'language')
  return asking.index.count({ where, order: orderOf(tier) }, COUNTED)
}

/** The rarest first: it drives the range. */
const rarestFirst = async (asking: StoryAsking, tier: StoryTier, stems: Reading): Promise<Reading> => {
  if (stems.length < 2) return stems
  const counted = await Promise.all(stems.map(async stem => ({ stem, count: await countOf(asking, tier, stem) })))
  return counted.toSorted((a, b) => a.count - b.count || (a.stem < b.stem ? -1 : 1)).map(({ stem }) => stem)
}

const has = (terms: readonly string[] | undefined, readings: readonly Reading[]): boolean =>
  readings.some(stems => stems.every(stem => terms?.includes(stem)))

/** In which of the first two tiers a story is; undefined: in none. */
export const tierOf = (body: StorySearchDocument | undefined, readings: readonly Reading[]): StoryTier | undefined =>
  has(body?.heading, readings) ? 'title' : has(body?.about, readings) ? 'summary' : undefined

/** The later of two places. */
const further = (a: readonly Json[], b: readonly Json[] | undefined): readonly Json[] =>
  b !== undefined && compareKeys(a, b) < 0 ? b : a

type Row = { readonly id: string; readonly story: string; readonly place: readonly Json[] }

const rangeOf = async (
  asking: StoryAsking,
  tier: StoryTier,
  { stems, after, limit }: { readonly stems: Reading; readonly after: readonly Json[] | null; readonly limit: number },
) => {
  const where = conditionsFor(asking, tier, stems)
  const query = { where, order: orderOf(tier), limit, examine: limit, ...defined({ after: after ? after : undefined }) }
  if (tier === 'text') {
    const page = await asking.index.select(query, ['story'])
    const rows = page.documents.map(
      ({ id, members: [story] }): Row => ({ id, story: String(story), place: [String(story), id] }),
    )
    return { ...page, rows }
  }
  const page = await asking.index.find(query)
  const rows = page.documents.map(
    ({ id, body }): Row => ({ id, story: storyOfDocument({ id, body }), place: [body.brevity ?? 0, id] }),
  )
  return { ...page, rows }
}

/** The readings' ranges as one, as far as all of them were read; each story once. */
const mergedPage = async (
  asking: StoryAsking,
  tier: 'title' | 'summary' | 'text',
  after: readonly Json[] | null,
): Promise<TierPage> => {
  const { readings } = asking
  const limit = Math.floor(KEYS_A_PAGE / readings.length)
  const ranges = await Promise.all(
    readings.map(async stems => rangeOf(asking, tier, { stems: await rarestFirst(asking, tier, stems), after, limit })),
  )
  const ends = ranges.flatMap(({ next }) => (next ? [next] : [])).toSorted(compareKeys)
  const horizon = ends[0] ?? null
  const byStory = new Map<string, { place: readonly Json[]; about: Reading; chapters: Map<string, Reading> }>()
  const rows = ranges.flatMap((range, i) => range.rows.map(row => ({ ...row, stems: readings[i] ?? [] })))
  for (const { id, story, place, stems } of rows.toSorted((a, b) => compareKeys(a.place, b.place))) {
    if (horizon && compareKeys(place, horizon) > 0) continue
    const isText = tier === 'text'
    const known = byStory.get(story) ?? {
      place: isText ? [story, LAST] : place,
      about: isText ? [] : stems,
      chapters: new Map(),
    }
    if (isText && !known.chapters.has(idOf(id))) known.chapters.set(idOf(id), stems)
    byStory.set(story, known)
  }
  const placed = [...byStory].map(([story, { place, about, chapters }]) => ({
    place,
    candidate: { story, matched: tier, about, chapters },
  }))
  const next = horizon && further(horizon, placed.at(-1)?.place)
  return { placed, next, examined: ranges.reduce((sum, { examined }) => sum + examined, 0) }
}

/** The rarest stems that something has, as the languages read it that pass over the most words: in others `the` is a word like any. */
export const tellingStems = async (asking: StoryAsking): Promise<readonly string[]> => {
  const least = Math.min(...asking.readings.map(({ length }) => length))
  const stems = [...new Set(asking.readings.filter(({ length }) => length === least).flat())]
  const counted = await Promise.all(
    stems.map(async stem => {
      const [about, text] = await Promise.all([countOf(asking, 'summary', stem), countOf(asking, 'text', stem)])
      return { stem, count: about + text }
    }),
  )
  return counted
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => a.count - b.count || (a.stem < b.stem ? -1 : 1))
    .slice(0, MOST_TELLING)
    .map(({ stem }) => stem)
}

/** The share of what was asked that these are, as the reading has it that they are most of. */
export const coveredBy = (stems: readonly string[], readings: readonly Reading[]): number =>
  Math.max(...readings.map(reading => reading.filter(stem => stems.includes(stem)).length / reading.length))

/** What has the most of the words, wherever they stand: a hundred at most, of the rarest words. */
const partPage = async (asking: StoryAsking, after: readonly Json[] | null): Promise<TierPage> => {
  const telling = await tellingStems(asking)
  const limit = Math.floor(KEYS_A_PAGE / (2 * MOST_TELLING))
  const byStory = new Map<string, { about: string[]; chapters: Map<string, string[]> }>()
  let examined = 0
  for (const stem of telling)
    for (const tier of ['summary', 'text'] as const) {
      const range = await rangeOf(asking, tier, { stems: [stem], after: null, limit })
      examined += range.examined
      for (const { id, story } of range.rows) {
        const known = byStory.get(story) ?? { about: [], chapters: new Map<string, string[]>() }
        byStory.set(story, known)
        if (tier === 'summary') known.about.push(stem)
        else known.chapters.set(idOf(id), [...(known.chapters.get(idOf(id)) ?? []), stem])
      }
    }
  const placed = [...byStory]
    .map(([story, { about, chapters }]): Placed => {
      const best = [...chapters].toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
      const covered = coveredBy([...about, ...best.flatMap(([, stems]) => stems)], asking.readings)
      return { place: [-covered, story], candidate: { story, matched: 'part', about, chapters: new Map(best) } }
    })
    .toSorted((a, b) => compareKeys(a.place, b.place))
    .slice(0, MOST_PARTS)
    .filter(({ place }) => after === null || compareKeys(place, after) > 0)
  return { placed, next: null, examined }
}

/**
 * One page from the cursor on; short, with a `next`, when it has looked at as much as it may. One hit more is looked for than the page
 * has, so that what follows is never a candidate that is not shown: a `next` would tell that there is one.
 */
export const searchStoryPages = async <Hit>(
  asking: StoryAsking,
  { limit, cursor, show }: { readonly limit: number; readonly cursor?: StorySearchCursor; readonly show: Showing<Hit> },
): Promise<{ readonly hits: readonly Hit[]; readonly next: StorySearchCursor | null }> => {
  const { index, readings } = asking
  const hits: { readonly hit: Hit; readonly at: StorySearchCursor }[] = []
  const pageTo = (end: StorySearchCursor | null) => {
    const shown = hits.slice(0, limit)
    return { hits: shown.map(({ hit }) => hit), next: hits.length > limit ? (shown.at(-1)?.at ?? null) : end }
  }
  let { tier, after, found } = cursor ?? { tier: 0, after: null, found: false }
  let [examined, read] = [0, 0]
  for (;;) {
    const name = storyTiers[tier]
    const isPart = name === 'part'
    if (!name || (isPart && (found || readings.every(({ length }) => length < 2)))) return pageTo(null)
    if (hits.length > limit || examined >= KEYS_A_PAGE || read >= STORIES_A_PAGE) return pageTo({ tier, after, found })
    const page = isPart ? await partPage(asking, after) : await mergedPage(asking, name, after)
    examined += page.examined
    let at = 0
    while (at < page.placed.length && hits.length <= limit && read < STORIES_A_PAGE) {
      const some = page.placed.slice(
        at,
        at + Math.min(STORIES_A_PAGE - read, Math.max(LEAST_READ, limit + 1 - hits.length)),
      )
      read += some.length
      const documents = await index.get(some.map(({ candidate }) => documentOfStory(candidate.story)))
      const fresh = some.filter(({ candidate: { story, matched } }) => {
        const better = isPart ? undefined : tierOf(documents.get(documentOfStory(story))?.body, readings)
        return better === undefined || storyTiers.indexOf(better) >= storyTiers.indexOf(matched)
      })
      const shown = await show(fresh.map(({ candidate }) => candidate))
      for (const { place, candidate } of some) {
        at += 1
        after = place
        const hit = shown.get(candidate.story)
        if (hit !== undefined) hits.push({ hit, at: { tier, after, found: found || !isPart } })
        if (hits.length > limit) break
      }
    }
    if (hits.length > 0 && !isPart) found = true
    if (at < page.placed.length) continue
    after = page.next
    if (after === null) tier += 1
  }
}
