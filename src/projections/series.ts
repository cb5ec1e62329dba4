/** The series as they stand, by id. */
import { projection } from '../core/project/define.ts'
import type { Recorded } from '../domain/event.ts'
import { markOf } from '../domain/mark.ts'
import {
  evolveSeries,
  type Series,
  SeriesDeleted,
  type SeriesEvent,
  seriesCategory,
  seriesEvents,
  seriesIdOf,
} from '../domain/story/series.ts'

/** `revision` and `mark` for ETag and If-Match. */
export type SeriesDocument = Series & { readonly revision: string; readonly mark: string }

const types: ReadonlySet<string> = new Set(seriesEvents.map(({ type }) => type))
const isSeriesEvent = (event: Recorded): event is Recorded<SeriesEvent> => types.has(event.type)

export const seriesProjection = projection<SeriesDocument>({
  name: 'series',
  version: 2,
  categories: [seriesCategory],
  removals: [SeriesDeleted.type],
  indexes: [
    { name: 'updatedAt', on: ['updatedAt'] },
    { name: 'own', on: ['author', 'updatedAt'] },
    { name: 'stories', on: ['stories'], terms: 'stories' },
  ],
  key: seriesIdOf,
  evolve: (document, event) => {
    if (!isSeriesEvent(event)) return document
    const series = evolveSeries(document, event)
    if (!series || series.isDeleted) return undefined
    return { ...series, revision: String(event.revision), mark: markOf(event.id, event.meta.at) }
  },
})
