/**
 * The stories whose chapters use an entry: the chapters that have its key, one of its forms, one of its stems are ranges of the index,
 * which are merged by the story that they are of.
 */
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import type { EntryNames } from '../domain/search/terms.ts'
import { languagesOf, type WordUse, wordUses } from '../domain/search/word-use.ts'
import { inBranches } from './branches.ts'
import { compareKeys } from './key-order.ts'
import type { StoryIndex } from './story-search-pages.ts'

/** Index keys that one page looks at, whatever it finds. */
export const KEYS_A_PAGE = 2_000
/** Stories that it reads to see whether they are shown. */
export const STORIES_A_PAGE = 400
/** Behind every chapter of a story: ids are ASCII, and none has this. */
const LAST = '~'

/** What a story's chapters have of the entry, by the id of the chapter: the best of it. */
export type StoryUse = { readonly story: string; readonly chapters: ReadonlyMap<string, WordUse> }
/** Which of the stories are shown, in their order, and as what. */
export type ShowingUses<Item> = (uses: readonly StoryUse[]) => Promise<ReadonlyMap<string, Item>>

type Range = {
  readonly matched: WordUse
  readonly member: 'words' | 'stems'
  readonly value: readonly string[]
}
const rangesOf = ({ key, forms, stems }: EntryNames): readonly Range[] => [
  { matched: 'key', member: 'words', value: [key] },
  ...inBranches(forms).map((value): Range => ({ matched: 'form', member: 'words', value })),
  ...inBranches(stems).map((value): Range => ({ matched: 'stem', member: 'stems', value })),
]

type UsesPage = {
  readonly uses: readonly StoryUse[]
  readonly next: readonly Json[] | null
  readonly examined: number
}

/** What all ranges were read as far as. A story that they end in is left to the next page, unless there is no other. */
const usesFrom = async (
  { index, language }: UsesAsking,
  ranges: readonly Range[],
  { after, keys }: { readonly after: readonly Json[] | null; readonly keys: number },
): Promise<UsesPage> => {
  const limit = Math.floor(keys / ranges.length)
  const pages = await Promise.all(
    ranges.map(({ member, value }) =>
      index.select(
        {
          where: [{ member, op: 'any', value }],
          order: ['story'],
          limit,
          examine: limit,
          ...defined({ after: after ?? undefined }),
        },
        ['story', 'language'],
      ),
    ),
  )
  const examined = pages.reduce((sum, page) => sum + page.examined, 0)
  const horizon = pages.flatMap(({ next }) => (next ? [next] : [])).toSorted(compareKeys)[0]
  const byStory = new Map<string, Map<string, WordUse>>()
  const rows = pages.flatMap(({ documents }, n) =>
    documents.map(({ id, members: [story, spoken] }) => ({
      chapter: idOf(id),
      story: String(story),
      place: [story ?? null, id],
      isSpoken: languagesOf(String(spoken)).includes(language),
      matched: ranges[n]?.matched ?? 'stem',
    })),
  )
  for (const { chapter, story, place, isSpoken, matched } of rows.toSorted((a, b) => compareKeys(a.place, b.place))) {
    if (horizon && compareKeys(place, horizon) > 0) continue
    const known = byStory.get(story) ?? new Map<string, WordUse>()
    byStory.set(story, known)
    const before = known.get(chapter)
    if (isSpoken && (!before || wordUses.indexOf(matched) < wordUses.indexOf(before))) known.set(chapter, matched)
  }
  if (horizon && byStory.size > 1) byStory.delete(String(horizon[0]))
  const last = [...byStory.keys()].at(-1)
  return {
    uses: [...byStory].flatMap(([story, chapters]) => (chapters.size > 0 ? [{ story, chapters }] : [])),
    next: horizon ? [last ?? String(horizon[0]), LAST] : null,
    examined,
  }
}

/** `language`: of the entry. */
export type UsesAsking = {
  readonly index: Pick<StoryIndex, 'select'>
  readonly names: EntryNames
  readonly language: string
}

/**
 * One page behind a place; short, with a `next`, when it has looked at as much as it may. One story more is looked for than the page has, so
 * that what follows is never one that is not shown: a `next` would tell that there is one.
 */
export const entryStoriesPage = async <Item>(
  asking: UsesAsking,
  { limit, from, show }: { readonly limit: number; readonly from?: readonly Json[]; readonly show: ShowingUses<Item> },
): Promise<{ readonly items: readonly Item[]; readonly next: readonly Json[] | null }> => {
  const ranges = rangesOf(asking.names)
  const found: { readonly item: Item; readonly at: readonly Json[] }[] = []
  const pageTo = (end: readonly Json[] | null) => {
    const shown = found.slice(0, limit)
    return { items: shown.map(({ item }) => item), next: found.length > limit ? (shown.at(-1)?.at ?? null) : end }
  }
  let after = from ?? null
  let [left, read] = [KEYS_A_PAGE, 0]
  for (;;) {
    const page = await usesFrom(asking, ranges, { after, keys: left })
    left -= Math.max(1, page.examined)
    for (let at = 0; at < page.uses.length; ) {
      const some = page.uses.slice(at, at + Math.min(STORIES_A_PAGE - read, limit + 1 - found.length))
      read += some.length
      const shown = await show(some)
      for (const { story } of some) {
        at += 1
        after = [story, LAST]
        const item = shown.get(story)
        if (item !== undefined) found.push({ item, at: after })
      }
      const isLast = at === page.uses.length && page.next === null
      if (!isLast && (found.length > limit || read >= STORIES_A_PAGE)) return pageTo(after)
    }
    after = page.next
    if (after === null) return pageTo(null)
    if (left < ranges.length || found.length > limit) return pageTo(after)
  }
}
