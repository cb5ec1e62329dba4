/**
 * Lists of series: those of which the reader is shown one story at least that fits, as lists of stories show it. Each series is looked at
 * with its stories as they stand, so many of both a page.
 */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { isListedFor, storySight } from '../domain/story/sight.ts'
import { matches } from '../ports/conditions.ts'
import { type RelationDocument, relationsProjection } from '../projections/relations.ts'
import { type SeriesDocument, seriesProjection } from '../projections/series.ts'
import { type StoryDocument, storiesProjection } from '../projections/stories.ts'
import { hiddenAmong } from './hidden-authors.ts'
import { peopleInSeries, SeriesSchema, type SeriesView, seriesView } from './series.ts'
import type { StoryReads } from './stories.ts'
import { conditionsOf, isWithout, mayList, type StoryFilters } from './story-lists.ts'
import { viewerOf } from './story-view.ts'

export const seriesSorts = ['-updatedAt', 'updatedAt'] as const

/** `author`: who made the series; the others are of one of its stories, the same for all. */
export type SeriesListInput = Omit<StoryFilters, 'series'> & {
  readonly sort?: (typeof seriesSorts)[number]
  readonly limit: number
  readonly after?: Cursor
}

export type SeriesListReads = Pick<StoryReads, 'stories' | 'people'> & {
  readonly series: View<SeriesDocument>
  readonly relations: View<RelationDocument>
}

const output = Type.Object(
  { items: Type.Array(SeriesSchema), next: Type.Union([Type.String(), Type.Null()]) },
  { $id: 'SeriesPage' },
)

/** Series, and stories of them, that are looked at for one page: it ends short where they are not enough. */
const LOOKED_AT = 400
const STORIES_LOOKED_AT = 2_000

type Found = { readonly view: SeriesView; readonly place: readonly Json[] }

/** Which stories of a series are shown, in its order; undefined where the series is not among what is. */
type Showing = (series: SeriesDocument) => Promise<readonly string[] | undefined>

/** One more than are wanted is looked for, so that a `next` does not tell of those that are not shown. */
const collect = async (
  { series }: Pick<SeriesListReads, 'series'>,
  { author, sort = '-updatedAt', limit, after }: SeriesListInput,
  show: Showing,
) => {
  const where = author === undefined ? [] : [{ member: 'author', op: 'eq' as const, value: author }]
  const query = { where, order: ['updatedAt'], backwards: sort === '-updatedAt' }
  const found: Found[] = []
  let from: readonly Json[] | undefined = Array.isArray(after?.key) ? after.key : undefined
  let [left, stories] = [LOOKED_AT, STORIES_LOOKED_AT]
  for (;;) {
    const page = await series.find(
      { ...query, limit: Math.min(left, limit + 1), ...defined({ after: from }) },
      after?.generation,
    )
    const at = { generation: page.generation, position: page.position }
    for (const { id, body } of page.documents) {
      const place = [body.updatedAt, id]
      const shown = await show(body)
      left -= 1
      stories -= body.stories.length
      if (shown) found.push({ view: seriesView({ id, revision: body.revision }, body, shown), place })
      if (found.length > limit) return { ...at, found: found.slice(0, limit), next: found[limit - 1]?.place ?? null }
      if (left <= 0 || stories <= 0) return { ...at, found, next: place }
    }
    if (page.next === null) return { ...at, found, next: null }
    from = page.next
  }
}

/**
 * Series of which the reader is shown a story that fits, with all those that they are shown. One's own are all there where one asks for
 * them by `author`. What is of people who are hidden from the reader is not among them.
 */
export const listSeries = (reads: SeriesListReads): Query<SeriesListInput, Page<SeriesView>> => ({
  name: 'list-series',
  people: peopleInSeries,
  permission: 'stories:read',
  output,
  reads: [seriesProjection, storiesProjection, relationsProjection],
  closed: [
    'language',
    'rating',
    'warning',
    'withoutWarning',
    'author',
    'completed',
    'minWords',
    'maxWords',
    'sort',
    'limit',
  ],
  run: async (input, reader) => {
    const position = [reads.stories, reads.relations]
      .map(view => view.position())
      .reduce((least, each) => (each < least ? each : least), reads.series.position())
    const { author, ...filters } = input
    if (!mayList(reads, author, reader)) return { value: { items: [], next: null }, position }
    const viewer = viewerOf(reader, reads.people)
    const isOwn = author !== undefined && author === viewer.account
    const conditions = conditionsOf(filters)
    const without = isWithout(filters)
    const fits = (story: StoryDocument): boolean => without(story) && conditions.every(each => matches(story, each))
    const isFiltered =
      conditions.length > 0 || [...(filters.withoutTag ?? []), ...(filters.withoutWarning ?? [])].length > 0
    const sees = (story: StoryDocument): boolean =>
      isOwn ? storySight(story, viewer) !== 'nothing' : isListedFor(story, viewer)
    const show: Showing = async series => {
      const documents = series.stories.length > 0 ? await reads.stories.get(series.stories) : new Map<string, never>()
      const seen = series.stories.flatMap(id => {
        const body = documents.get(id)?.body
        return body && sees(body) ? [{ id, body }] : []
      })
      const about = { authors: [series.author] }
      const isHidden = await hiddenAmong(reads.relations, viewer, [about, ...seen.map(({ body }) => body)])
      const shown = seen.filter(({ body }) => !isHidden(body))
      const isThere = isOwn && !isFiltered ? true : !isHidden(about) && shown.some(({ body }) => fits(body))
      return isThere ? shown.map(({ id }) => id) : undefined
    }
    const { found, next, generation } = await collect(reads, input, show)
    const cursor = next && { generation, key: [...next] }
    return { value: { items: found.map(({ view }) => view), next: cursor }, position }
  },
})
