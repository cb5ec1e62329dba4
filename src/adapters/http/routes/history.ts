/** The history: the log in order by any filter, one event, one stream with its revisions. */

import Type from 'typebox'
import type { Readings } from '../../../commands/history.ts'
import type { Line } from '../../../core/log/transcript.ts'
import { defined } from '../../../domain/defined.ts'
import type { HistoryFilters } from '../../../domain/history/history.ts'
import { categoryOf } from '../../../domain/ids.ts'
import { isRefusal } from '../../../domain/refusal.ts'
import { historyProjection } from '../../../projections/history.ts'
import type { History, HistoryPage } from '../../../queries/history.ts'
import { traceparentOf } from '../idempotency.ts'
import type { Limits } from '../limits.ts'
import { formatOf } from '../negotiation.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type Answer, type EdgeRequest, header, type Route } from '../route.ts'
import { cursorOf, cursorScope, DEFAULT_LIMIT, linksOf, type QueryDeps } from '../route-query.ts'
import * as examples from './history-examples.ts'
import * as p from './history-parameters.ts'
import { historyStream } from './history-stream.ts'

/** What the routes stand on. `personal`: categories of streams that are each about one account. */
export type HistoryEdge = {
  readonly history: History
  readonly readings: Readings
  readonly types: ReadonlyMap<string, readonly string[]>
  readonly personal: ReadonlySet<string>
}

const JSON_ONLY = ['application/json'] as const
const NDJSON = 'application/x-ndjson'
const FORMATS = [...JSON_ONLY, NDJSON] as const
const tag = 'History'
const permission = 'events:read'
const failures = ['projection-behind', 'projection-building', 'store-unavailable', 'busy', 'outcome-unknown'] as const

const formatFor = <F extends string>(request: EdgeRequest, offered: readonly F[]): F =>
  formatOf(header(request, 'accept'), offered, `This is offered as ${offered.join(' and ')}.`)

type Deps = QueryDeps & { readonly limits: Limits } & HistoryEdge

export const historyRoutes = (deps: Deps): readonly Route[] => {
  const { history, readings, personal, cursors, syncTokens } = deps

  /** Who reads, for the record. A route with a permission has somebody. */
  const requestOf = (request: EdgeRequest) => {
    const { actor } = request.requester
    if (!actor) throw new ProblemError('unauthenticated', 'This needs an access token.')
    return { actor, correlationId: request.id, ...defined({ traceparent: traceparentOf(request) }) }
  }
  /** A page that names an account, or for which somebody's personal data was opened, whatever was asked. */
  const recordPage = async (
    request: EdgeRequest,
    lines: readonly Line[],
    { filters, named }: { readonly filters: HistoryFilters; readonly named: boolean },
  ) => {
    const who = requestOf(request)
    const subjects = p.subjectsOf(lines, who.actor.id)
    if (!named && subjects.length === 0) return
    const refused = await readings.page({ ...who, filters }, lines.length, subjects)
    if (refused) throw problemFrom(refused)
  }
  const asked = (question: Parameters<typeof p.filtersOf>[0], lines: readonly Line[]) => ({
    filters: p.filtersOf(question, lines.length > 0),
    named: p.namesAccount(question, personal),
  })

  const itemOf = ({ text, subject: _, ...place }: Line): string =>
    `${text.slice(0, -1)},"syncToken":"${syncTokens.at(place)}"}`

  const pageAnswer = async (
    request: EdgeRequest,
    scope: string,
    page: HistoryPage<readonly bigint[]>,
  ): Promise<Answer> => {
    // Positions and revisions mean the same for ever: a cursor outlives the read model that it was made with.
    const key = page.next?.map(String)
    const next = key ? await cursors.of(scope, { generation: 'log', key }, page.position) : null
    return {
      status: 200,
      body: `{"items":[${page.lines.map(itemOf).join()}],"next":${JSON.stringify(next)}}`,
      position: page.position,
      headers: { link: linksOf(request, next, deps) },
    }
  }
  const placeOf = async (request: EdgeRequest, name: string): Promise<readonly bigint[]> => {
    const cursor = await cursorOf(request, name, cursors)
    return Array.isArray(cursor?.key) ? cursor.key.map(each => BigInt(String(each))) : []
  }

  const stream = async (request: EdgeRequest, question: Parameters<History['stream']>[0]): Promise<Answer> => {
    const headers = { 'x-accel-buffering': 'no' }
    if (request.method === 'HEAD') return { status: 200, type: NDJSON, headers }
    const who = requestOf(request)
    const release = deps.limits.stream(request.counted)
    if (!release) throw new ProblemError('too-many-streams', 'Two streams are open already.')
    const chunks = history.stream(question, request.requester)
    try {
      // The first events before the status goes out: a store that cannot answer is a 503, not a broken stream.
      const first = await chunks.next()
      const found = !first.done && first.value.lines.length > 0
      const reading = await readings.open({ ...who, filters: p.filtersOf(question, found) })
      if (isRefusal(reading)) throw problemFrom(reading)
      const { order } = question
      const reader = who.actor.id
      const body = historyStream({ chunks, first, reading, reader, order, tokenOf: syncTokens.of, release })
      return {
        status: 200,
        type: NDJSON,
        body,
        headers,
        ...defined({ position: first.done ? undefined : first.value.position }),
      }
    } catch (error) {
      release()
      await chunks.return(undefined)
      throw error
    }
  }

  const readEvents = async (request: EdgeRequest): Promise<Answer> => {
    // The validator has checked the query string against the route's schema.
    const query = request.query as p.EventsQuery
    const format = formatFor(request, FORMATS)
    const question = await p.questionOf(query, syncTokens)
    const [at, end] = await placeOf(request, 'read-events')
    const place = at === undefined || end === undefined ? {} : { place: { at, end } }
    if (request.after !== undefined) await deps.freshness.waitFor([historyProjection], request.after)
    if (format === NDJSON) {
      if (query.limit !== undefined || query.cursor !== undefined)
        throw new ProblemError('validation', 'A stream has no pages: leave out limit and cursor; after resumes it.')
      return stream(request, question)
    }
    const limit = query.limit ?? DEFAULT_LIMIT
    const page = await history.page(question, { limit, ...place }, request.requester)
    await recordPage(request, page.lines, asked(question, page.lines))
    const next = page.next && [page.next.at, page.next.end]
    return pageAnswer(request, cursorScope(request, 'read-events'), { ...page, next })
  }

  const readEvent = async (request: EdgeRequest): Promise<Answer> => {
    formatFor(request, JSON_ONLY)
    const found = await history.event(request.params['eventId'] ?? '', request.requester)
    if (isRefusal(found)) throw problemFrom(found)
    const { line, stream: name, position } = found
    // Its stream leads to the account as the question for the stream does.
    const named = p.namesAccount({ stream: name }, personal)
    const filters = { event: request.params['eventId'] ?? '', order: 'asc' as const }
    await recordPage(request, [line], { filters, named })
    return { status: 200, body: itemOf(line), position }
  }

  const readStream = async (request: EdgeRequest): Promise<Answer> => {
    formatFor(request, JSON_ONLY)
    const { stream: name = '' } = request.params
    const { order = 'asc', limit = DEFAULT_LIMIT } = request.query as p.StreamQuery
    const scope = `read-stream ${name}`
    const paging = { order, limit, ...defined({ place: (await placeOf(request, scope))[0] }) }
    const page = await history.revisions(name, paging, request.requester)
    const question = { stream: name, category: categoryOf(name), order }
    if (isRefusal(page)) {
      // Whoever asks for the stream of an account that is none has asked all the same.
      await recordPage(request, [], asked(question, []))
      throw problemFrom(page)
    }
    await recordPage(request, page.lines, asked(question, page.lines))
    const next = page.next === undefined ? undefined : [page.next]
    return pageAnswer(request, cursorScope(request, scope), { ...page, next })
  }

  return [
    {
      method: 'GET',
      path: '/v1/events',
      name: 'read-events',
      tag,
      permission,
      rate: 'reads',
      summary: 'The log in order',
      description:
        'Every filter narrows. What people wrote is shown with events:read-text, personal data with events:read-personal; withheld and removed name the members that are left out. With Accept: application/x-ndjson all of it as one stream: after every few hundred events a line {after, count} to resume from, at the end {end, count, position, after}. Requests that name an account, those that are shown personal data of others, and streams, are recorded as HistoryRead.',
      querystring: p.eventsQuery(deps.types),

      request: { query: { category: 'entry', order: 'desc', limit: '2' } },
      answers: { 200: examples.eventsAnswer },
      problems: ['validation', 'cursor-invalid', 'not-acceptable', 'too-many-streams', 'conflict', ...failures],
      handle: readEvents,
    },
    {
      method: 'GET',
      path: '/v1/events/:eventId',
      name: 'read-event',
      tag,
      permission,
      rate: 'reads',
      summary: 'One event',
      params: p.EventParams,
      querystring: Type.Object({}, { additionalProperties: false }),
      request: { params: { eventId: examples.exampleEventId } },
      answers: { 200: examples.itemAnswer },
      problems: ['event-not-found', 'not-acceptable', ...failures],
      handle: readEvent,
    },
    {
      method: 'GET',
      path: '/v1/streams/:stream',
      name: 'read-stream',
      tag,
      permission,
      rate: 'reads',
      summary: 'One stream with its revisions',
      params: p.StreamParams,
      querystring: p.StreamQuery,
      request: { params: { stream: examples.exampleStream } },
      answers: { 200: examples.pageAnswer },
      problems: ['stream-not-found', 'validation', 'cursor-invalid', 'not-acceptable', 'conflict', ...failures],
      handle: readStream,
    },
  ]
}
