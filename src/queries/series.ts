/** A series, with those of its stories that its reader is shown. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { type Series, seriesNotFound } from '../domain/story/series.ts'
import { isListedFor, storySight } from '../domain/story/sight.ts'
import { type RelationDocument, relationsProjection } from '../projections/relations.ts'
import { type SeriesDocument, seriesProjection } from '../projections/series.ts'
import { storiesProjection } from '../projections/stories.ts'
import { hiddenAmong } from './hidden-authors.ts'
import type { StoryReads } from './stories.ts'
import { viewerOf } from './story-view.ts'

const text = Type.String()
export const SeriesSchema = Type.Object(
  {
    id: text,
    title: text,
    summary: Type.Optional(text),
    author: text,
    stories: Type.Array(text, { description: 'Those that you are shown, in their order.' }),
    revision: text,
    createdAt: text,
    updatedAt: text,
  },
  { $id: 'Series' },
)
export type SeriesView = Static<typeof SeriesSchema>

export const seriesView = (
  { id, revision }: { readonly id: string; readonly revision: string },
  { title, summary, author, createdAt, updatedAt }: Series,
  stories: readonly string[],
): SeriesView => ({
  id,
  title,
  ...defined({ summary }),
  author,
  stories: [...stories],
  revision,
  createdAt,
  updatedAt,
})

export const peopleInSeries = (shown: unknown): readonly string[] => {
  const { author }: { readonly author?: unknown } = Object(shown)
  return typeof author === 'string' ? [author] : []
}

/**
 * One of which nobody is shown a story is nobody's to see but its author's. Who asks for it by its id sees that it is there, and of
 * stories by whom is hidden from them nothing.
 */
export const getSeries = (
  reads: Pick<StoryReads, 'stories' | 'people'> & {
    readonly series: View<SeriesDocument>
    readonly relations: View<RelationDocument>
  },
): Query<{ readonly id: string }, SeriesView> => ({
  name: 'get-series',
  people: peopleInSeries,
  permission: 'stories:read',
  output: SeriesSchema,
  reads: [seriesProjection, storiesProjection, relationsProjection],
  run: async ({ id }, reader) => {
    const position = reads.series.position()
    const found = (await reads.series.get([id])).get(id)
    if (!found) return seriesNotFound()
    const { body } = found
    const viewer = viewerOf(reader, reads.people)
    const isOwn = viewer.account === body.author
    const documents = body.stories.length > 0 ? await reads.stories.get(body.stories) : new Map<string, never>()
    const seen = body.stories.flatMap(story => {
      const now = documents.get(story)?.body
      return now && (isOwn ? storySight(now, viewer) !== 'nothing' : isListedFor(now, viewer)) ? [{ story, now }] : []
    })
    if (!isOwn && seen.length === 0) return seriesNotFound()
    const isHidden = await hiddenAmong(
      reads.relations,
      viewer,
      seen.map(({ now }) => now),
    )
    const stories = seen.flatMap(({ story, now }) => (isHidden(now) ? [] : [story]))
    return { value: seriesView({ id, revision: body.revision }, body, stories), position, mark: body.mark }
  },
})
