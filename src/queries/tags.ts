/** Tags with how many stories have them that everybody may see: counted out of an index, at most so often. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { tagKey, tagOf } from '../domain/story/content.ts'
import type { Clock } from '../ports/clock.ts'
import type { Condition } from '../ports/read-store.ts'
import { type StoryDocument, storiesProjection, tagKeysIn } from '../projections/stories.ts'

export const TagSchema = Type.Object({ tag: Type.String(), stories: Type.Integer({ minimum: 1 }) }, { $id: 'Tag' })
export type TagView = Static<typeof TagSchema>

/** `startsWith`: the beginning of a tag, in any case. */
export type TagsInput = {
  readonly language?: string
  readonly startsWith?: string
  readonly limit: number
  readonly after?: Cursor
}

type Counted = { readonly key: string; readonly stories: number }
type Counts = { readonly at: number; readonly all: readonly Counted[]; readonly position: bigint }

/** So long counts are told again, in milliseconds. */
const FRESH_MS = 60_000
/** Counts of so many languages are kept. */
const KEPT = 20
const ROWS = 2_000

/** The most used first; among equals in the order of their keys. */
const compare = (a: Counted, b: Counted): number =>
  b.stories - a.stories || (a.key < b.key ? -1 : Number(a.key > b.key))

const countTags = async (stories: View<StoryDocument>, language: string | undefined): Promise<Omit<Counts, 'at'>> => {
  const counts = new Map<string, number>()
  const position = stories.position()
  const open: Condition = { member: 'listing', op: 'eq', value: 'public' }
  const where = language === undefined ? [open] : [open, { member: 'language', op: 'eq', value: language } as const]
  const order = language === undefined ? ['language', 'tagLine'] : ['tagLine']
  let after: readonly Json[] | undefined
  do {
    const page = await stories.select({ where, order, limit: ROWS, ...defined({ after }) }, ['tagLine'])
    for (const { members } of page.documents)
      for (const key of tagKeysIn(String(members[0] ?? ''))) counts.set(key, (counts.get(key) ?? 0) + 1)
    after = page.next ?? undefined
  } while (after)
  const all = [...counts].map(([key, count]) => ({ key, stories: count })).toSorted(compare)
  return { all, position }
}

const openCounts = ({
  stories,
  clock,
}: {
  readonly stories: View<StoryDocument>
  readonly clock: Pick<Clock, 'monotonic'>
}) => {
  const kept = new Map<string, Promise<Counts>>()
  return async (language: string | undefined): Promise<Counts> => {
    const name = language ?? ''
    const known = await kept.get(name)?.catch(() => undefined)
    if (known && clock.monotonic() - known.at < FRESH_MS) return known
    const counting = countTags(stories, language).then(counts => ({ ...counts, at: clock.monotonic() }))
    kept.delete(name)
    kept.set(name, counting)
    for (const oldest of kept.keys()) if (kept.size > KEPT) kept.delete(oldest)
    return counting
  }
}

const isPlace = (key: Json | undefined): key is [number, string] =>
  Array.isArray(key) && typeof key[0] === 'number' && typeof key[1] === 'string'

/** Tags of what everybody may see, of a language or of all, the most used first; up to a minute behind. */
export const listTags = (reads: {
  readonly stories: View<StoryDocument>
  readonly clock: Pick<Clock, 'monotonic'>
}): Query<TagsInput, Page<TagView>> => {
  const counted = openCounts(reads)
  return {
    name: 'list-tags',
    permission: 'stories:read',
    output: Type.Object({ items: Type.Array(TagSchema), next: Type.Union([Type.String(), Type.Null()]) }),
    reads: [storiesProjection],
    closed: ['language', 'limit'],
    run: async ({ language, startsWith, limit, after }) => {
      const { all, position } = await counted(language)
      const prefix = startsWith === undefined ? '' : tagKey(startsWith)
      const place = isPlace(after?.key) ? { stories: after.key[0], key: after.key[1] } : undefined
      const left = all.filter(tag => tag.key.startsWith(prefix) && (!place || compare(place, tag) < 0))
      const page = left.slice(0, limit)
      const last = page.at(-1)
      const next = last && left.length > page.length ? { generation: 'tags', key: [last.stories, last.key] } : null
      return { value: { items: page.map(({ key, stories }) => ({ tag: tagOf(key), stories })), next }, position }
    },
  }
}
