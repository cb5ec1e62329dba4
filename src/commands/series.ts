/** The commands of series. */
import Type, { type Static } from 'typebox'
import type { Command } from '../core/write/define.ts'
import { begunId } from '../domain/ids.ts'
import * as series from '../domain/story/series.ts'
import { storyLimits } from '../domain/story/terms.ts'

type SeriesCommand<Input> = Command<Input, series.SeriesState, series.SeriesEvent>
type OnSeries<Body = unknown> = { readonly id: string; readonly body: Body }

const strict = { additionalProperties: false }
const text = Type.String()
const summary = Type.Optional(Type.Union([text, Type.Null()]))
const ofSeries = ({ id }: { readonly id: string }): string => series.seriesStream(id)

export const SeriesBody = Type.Object({ title: text, summary }, { ...strict, $id: 'SeriesBeginning' })

export const beginSeries: SeriesCommand<{ readonly body: Static<typeof SeriesBody> }> = {
  name: 'begin-series',
  body: SeriesBody,
  permission: 'stories:write',
  stream: (_, commandId) => series.seriesStream(begunId('series', commandId)),
  decide: ({ body }, by) => series.beginSeries(body, by),
}

export const SeriesEditBody = Type.Object({ title: Type.Optional(text), summary }, { ...strict, $id: 'SeriesEdit' })

export const editSeries: SeriesCommand<OnSeries<Static<typeof SeriesEditBody>>> = {
  name: 'edit-series',
  body: SeriesEditBody,
  permission: 'stories:write',
  needsRevision: true,
  stream: ofSeries,
  decide: ({ body }, by) => series.editSeries(body, by),
}

export const SeriesOrderBody = Type.Object(
  { stories: Type.Array(Type.String({ maxLength: 100 }), { maxItems: 2 * storyLimits.stories }) },
  { ...strict, $id: 'SeriesOrder' },
)

/** `ownOf`: of which of these stories is the account an author? */
export const orderSeries = (
  ownOf: (account: string, stories: readonly string[]) => Promise<ReadonlySet<string>>,
): SeriesCommand<OnSeries<Static<typeof SeriesOrderBody>>> => ({
  name: 'order-series',
  body: SeriesOrderBody,
  permission: 'stories:write',
  stream: ofSeries,
  decide: async ({ body }, by) => {
    const stories = body.stories.map(id => id.toLowerCase())
    const own = await ownOf(by.id, [...new Set(stories.slice(0, storyLimits.stories))])
    return series.orderSeries(stories, id => own.has(id), by)
  },
})

export const deleteSeries: SeriesCommand<OnSeries> = {
  name: 'delete-series',
  permission: 'stories:leave',
  stream: ofSeries,
  decide: (_, by) => series.deleteSeries(by),
}
