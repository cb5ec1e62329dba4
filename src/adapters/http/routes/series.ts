/** Series: every route of theirs. */
import * as commands from '../../../commands/series.ts'
import type { Transactor } from '../../../core/write/transact.ts'
import { defined } from '../../../domain/defined.ts'
import { NO_MARK } from '../../../domain/mark.ts'
import { type SeriesEvent, type SeriesState, seriesNotFound } from '../../../domain/story/series.ts'
import type { getSeries } from '../../../queries/series.ts'
import type { listSeries } from '../../../queries/series-lists.ts'
import type { Edge } from '../edge.ts'
import type { Route } from '../route.ts'
import { commandRoute } from '../route-command.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { languageOf, timeOf } from './entry-parameters.ts'
import * as answers from './story-answers.ts'
import { ListSeriesQuery, NoQuery, SeriesParams } from './story-parameters.ts'

/** What the routes of series stand on. */
export type SeriesParts = {
  readonly transactor: Transactor<SeriesState, SeriesEvent>
  readonly getSeries: ReturnType<typeof getSeries>
  readonly listSeries: ReturnType<typeof listSeries>
  /** Of which of these stories is the account an author? */
  readonly ownOf: (account: string, stories: readonly string[]) => Promise<ReadonlySet<string>>
}

const tag = 'Stories'
const ofExample = answers.ofSeriesExample
const absent = ['series-not-found'] as const

export const seriesRoutes = (
  { transactor, getSeries, listSeries, ownOf }: SeriesParts,
  edge: Edge,
): readonly Route[] => {
  const tags = answers.openStoryTags(edge.version)
  const answer = answers.answerSeries(200, tags, edge.names)
  const life = { tag, params: SeriesParams, transactor, answer, absent: seriesNotFound() }
  return [
    commandRoute(
      {
        method: 'POST',
        path: '/v1/series',
        tag,
        summary: 'Begin a series',
        command: commands.beginSeries,
        transactor,
        answer: answers.answerSeries(201, tags, edge.names),
        request: { needs: 'an account', body: { title: 'Lights of the North' } },
        answers: { 201: answers.createdSeries },
        problems: ['text-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'PATCH',
        path: '/v1/series/:id',
        summary: 'Edit a series',
        description: 'A JSON Merge Patch (RFC 7396).',
        command: commands.editSeries,
        request: { needs: 'an account', params: ofExample, body: { summary: 'Of those who keep them.' } },
        answers: { 200: answers.changedSeries('The series after the edit.') },
        problems: [...absent, 'text-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'PUT',
        path: '/v1/series/:id/order',
        summary: 'Say which stories a series has, in which order',
        command: commands.orderSeries(ownOf),
        request: { needs: 'an account', params: ofExample, body: { stories: [answers.ofStoryExample.id] } },
        answers: { 200: answers.changedSeries('The series.') },
        problems: [...absent, 'series-order-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'DELETE',
        path: '/v1/series/:id',
        summary: 'Delete a series',
        description: 'Its stories stay.',
        command: commands.deleteSeries,
        answer: answers.answerDeleted,
        request: { needs: 'an account', params: ofExample },
        answers: { 200: answers.deletedAnswer },
        problems: absent,
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/series',
        summary: 'List series',
        description:
          'Those of which you are shown a story that fits, the last changed first, with all of its stories that you are shown. By your own id as author all that you made.',
        querystring: ListSeriesQuery,
        query: listSeries,
        input: ({ query: { cursor: _c, language, updatedSince, ...filters }, limit, after }) => ({
          ...filters,
          ...defined({
            language: language && languageOf(language),
            updatedSince: updatedSince && timeOf('updatedSince', updatedSince).toISOString(),
            after,
          }),
          limit,
        }),
        request: { query: { language: 'en', limit: '2' } },
        answers: { 200: answers.seriesPageAnswer },
        problems: [],
      },
      edge,
    ),
    itemRoute(
      {
        tag,
        params: SeriesParams,
        path: '/v1/series/:id',
        summary: 'One series',
        description: 'With those of its stories that you are shown. One of which that is none is not there.',
        querystring: NoQuery,
        query: getSeries,
        input: ({ id }) => ({ id }),
        etag: ({ value, mark = NO_MARK }) => tags.ofSeries(value, mark),
        request: { needs: 'an account', params: ofExample },
        answers: { 200: answers.seriesAnswer },
        problems: absent,
      },
      edge,
    ),
  ]
}
