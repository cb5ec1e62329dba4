/**
 * Lists of stories: what everybody may see, members, and who wants what is for adults, filtered and sorted. The index of the most
 * telling filter is walked in the order that is asked for; the others are looked at on each document, so many of them a page.
 */
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query, Reader } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { tagKey } from '../domain/story/content.ts'
import { isListedFor, isMember, type Viewer } from '../domain/story/sight.ts'
import type { Rating, Warning } from '../domain/story/terms.ts'
import { matches } from '../ports/conditions.ts'
import type { Condition, Query as StoreQuery } from '../ports/read-store.ts'
import { type SeriesDocument, seriesProjection } from '../projections/series.ts'
import { listings, type StoryDocument, type StoryOrder, storiesProjection } from '../projections/stories.ts'
import { StoryPageSchema, type StoryReads } from './stories.ts'
import { peopleInStory, type StoryView, storyView, viewerOf } from './story-view.ts'

export const storySorts = [
  '-updatedAt',
  'updatedAt',
  '-publishedAt',
  'publishedAt',
  '-words',
  'words',
  'title',
  '-rated',
] as const
export type StorySort = (typeof storySorts)[number]

type Order = { readonly member: StoryOrder; readonly backwards: boolean }
const orders: Readonly<Record<StorySort, Order>> = {
  '-updatedAt': { member: 'updatedAt', backwards: true },
  updatedAt: { member: 'updatedAt', backwards: false },
  '-publishedAt': { member: 'publishedAt', backwards: true },
  publishedAt: { member: 'publishedAt', backwards: false },
  '-words': { member: 'words', backwards: true },
  words: { member: 'words', backwards: false },
  title: { member: 'titleKey', backwards: false },
  '-rated': { member: 'rated', backwards: true },
}

/** `updatedSince` is RFC 3339 in UTC. Tags and warnings: all of those, none of those. */
export type StoryFilters = {
  readonly language?: string
  readonly tag?: readonly string[]
  readonly withoutTag?: readonly string[]
  readonly rating?: readonly Rating[]
  readonly warning?: readonly Warning[]
  readonly withoutWarning?: readonly Warning[]
  readonly author?: string
  readonly series?: string
  readonly completed?: boolean
  readonly minWords?: number
  readonly maxWords?: number
  readonly updatedSince?: string
}
export type StoryListInput = StoryFilters & {
  readonly sort?: StorySort
  readonly limit: number
  readonly after?: Cursor
}

const eq = (member: string, value: Json | undefined): readonly Condition[] =>
  value === undefined ? [] : [{ member, op: 'eq', value }]
const all = (member: string, value: readonly string[] | undefined): readonly Condition[] =>
  value === undefined || value.length === 0 ? [] : [{ member, op: 'all', value }]

/** Which lists the viewer is shown. */
export const scopeOf = (viewer: Viewer): Condition => ({
  member: 'listing',
  op: 'in',
  value: listings.filter(
    listing => (isMember(viewer) || listing.startsWith('public')) && (viewer.adult || !listing.endsWith('adult')),
  ),
})

export const conditionsOf = (filters: StoryFilters): readonly Condition[] => {
  const { language, tag, rating, warning, author, completed, minWords, maxWords, updatedSince } = filters
  return [
    ...eq('language', language),
    ...all('tagKeys', tag?.map(tagKey)),
    ...(author === undefined ? [] : [{ member: 'authors', op: 'any', value: [author] } as const]),
    ...(rating === undefined ? [] : [{ member: 'rating', op: 'in', value: rating } as const]),
    ...all('warnings', warning),
    ...eq('isCompleted', completed),
    ...(minWords === undefined && maxWords === undefined
      ? []
      : [{ member: 'words', op: 'range', ...defined({ gte: minWords, lte: maxWords }) } as const]),
    ...(updatedSince === undefined ? [] : [{ member: 'updatedAt', op: 'range', gte: updatedSince } as const]),
  ]
}

/** What no index answers: that something is not there. And the sight of each, as its document stands. */
export const isWanted = ({ withoutTag = [], withoutWarning = [] }: StoryFilters, viewer: Viewer) => {
  const tags = new Set(withoutTag.map(tagKey))
  const warnings: ReadonlySet<string> = new Set(withoutWarning)
  return (story: StoryDocument): boolean =>
    isListedFor(story, viewer) &&
    !story.tagKeys.some(key => tags.has(key)) &&
    !story.warnings.some(warning => warnings.has(warning))
}

/** Documents looked at for one page: it ends short where they are not enough. */
const LOOKED_AT = 400

type Found = { readonly id: string; readonly body: StoryDocument }
type Collected = {
  readonly found: readonly Found[]
  readonly next: readonly Json[] | null
  readonly generation: string
}

/** Pages of the index, until enough is wanted of them, or enough was looked at. */
const collect = async (
  stories: View<StoryDocument>,
  query: Omit<StoreQuery, 'examine'> & { readonly order: readonly [StoryOrder] },
  wanted: (story: StoryDocument) => boolean,
  generation: string | undefined,
): Promise<Collected & { readonly position: bigint }> => {
  const { limit, order } = query
  const found: Found[] = []
  let after = query.after
  let left = Math.max(LOOKED_AT, limit)
  for (;;) {
    const page = await stories.find({ ...query, examine: left, ...defined({ after }) }, generation)
    left -= Math.max(1, page.examined)
    for (const { id, body } of page.documents) {
      if (!wanted(body)) continue
      found.push({ id, body })
      if (found.length === limit) {
        const isLast = page.next === null && page.documents.at(-1)?.id === id
        const place = [body[order[0]] ?? null, id]
        return { found, next: isLast ? null : place, generation: page.generation, position: page.position }
      }
    }
    if (page.next === null || left <= 0)
      return { found, next: page.next, generation: page.generation, position: page.position }
    after = page.next
  }
}

/** The few of a series, in its order. */
const inSeries = async (
  { stories }: Pick<StoryReads, 'stories'>,
  { stories: ids }: SeriesDocument,
  wanted: (story: StoryDocument) => boolean,
  { limit, after }: Pick<StoryListInput, 'limit' | 'after'>,
) => {
  const start = typeof after?.key === 'number' ? after.key : 0
  const position = stories.position()
  const documents = await stories.get(ids)
  const found: Found[] = []
  for (const [at, id] of ids.entries()) {
    const body = documents.get(id)?.body
    if (at < start || !body || !wanted(body)) continue
    if (found.length === limit) return { found, next: { generation: 'series', key: at }, position }
    found.push({ id, body })
  }
  return { found, next: null, position }
}

export const mayList = ({ people }: Pick<StoryReads, 'people'>, author: string | undefined, reader: Reader): boolean =>
  author === undefined || people.listsFor(author, reader)

/**
 * What is published and listed, filtered and sorted; of a series in its order. Who hides what they contributed to is found by nobody.
 * A page may be short where much is left and little of it fits.
 */
export const listStories = (
  reads: StoryReads & { readonly series: View<SeriesDocument> },
): Query<StoryListInput, Page<StoryView>> => ({
  name: 'list-stories',
  people: peopleInStory,
  permission: 'stories:read',
  output: StoryPageSchema,
  reads: [storiesProjection, seriesProjection],
  closed: [
    'language',
    'rating',
    'warning',
    'withoutWarning',
    'author',
    'series',
    'completed',
    'minWords',
    'maxWords',
    'sort',
    'limit',
    'fields',
  ],
  run: async (input, reader) => {
    const nothing = { value: { items: [], next: null }, position: reads.stories.position() }
    if (!mayList(reads, input.author, reader)) return nothing
    const viewer = viewerOf(reader, reads.people)
    const fits = isWanted(input, viewer)
    const shown = ({ id, body }: Found) => storyView({ id, revision: body.revision }, body, 'everything')
    const where = [scopeOf(viewer), ...conditionsOf(input)]
    if (input.series !== undefined) {
      const series = (await reads.series.get([input.series])).get(input.series)
      if (!series) return nothing
      const wanted = (story: StoryDocument): boolean =>
        fits(story) && where.every(condition => matches(story, condition))
      const { found, next, position } = await inSeries(reads, series.body, wanted, input)
      return { value: { items: found.map(shown), next }, position }
    }
    const { member, backwards } = orders[input.sort ?? '-updatedAt']
    const after = Array.isArray(input.after?.key) ? input.after.key : undefined
    const { limit } = input
    const { found, next, generation, position } = await collect(
      reads.stories,
      { where, order: [member], backwards, limit, ...defined({ after }) },
      fits,
      input.after?.generation,
    )
    return { value: { items: found.map(shown), next: next && { generation, key: [...next] } }, position }
  },
})
