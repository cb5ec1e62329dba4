/** What one has done, and everything that is known of one. */

import { Readable } from 'node:stream'
import Type, { type Static } from 'typebox'
import type { Readings } from '../../../commands/history.ts'
import { defined } from '../../../domain/defined.ts'
import { isRefusal } from '../../../domain/refusal.ts'
import { historyProjection } from '../../../projections/history.ts'
import type { OwnData } from '../../../queries/own-data.ts'
import type { Limits } from '../limits.ts'
import { formatOf } from '../negotiation.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type EdgeRequest, header, type Route } from '../route.ts'
import { cursorOf, cursorScope, DEFAULT_LIMIT, linksOf, type QueryDeps } from '../route-query.ts'
import { nothing, type StepUpPort, strict, tag } from './account-edge.ts'
import { timeOf } from './entry-parameters.ts'
import { byOf } from './sessions.ts'
import { freshProblems, requireFresh } from './step-up.ts'

const NDJSON = 'application/x-ndjson'
const FORMATS = [NDJSON, 'application/json'] as const

export type OwnDataEdge = Pick<QueryDeps, 'cursors' | 'freshness' | 'publicUrl'> & {
  readonly ownData: OwnData
  /** Of events, by category. */
  readonly types: ReadonlyMap<string, readonly string[]>
  readonly readings: Pick<Readings, 'open'>
  readonly limits: Limits
  readonly stepUp: Pick<StepUpPort, 'require'>
}

/** The types are those of the log that is served. */
const activityQuery = (types: OwnDataEdge['types']) =>
  Type.Object(
    {
      type: Type.Optional(Type.Enum([...types.values()].flat(), { description: 'The type of event.' })),
      from: Type.Optional(Type.String({ maxLength: 64, description: 'Of this time (RFC 3339) or later.' })),
      to: Type.Optional(Type.String({ maxLength: 64, description: 'Of before this time (RFC 3339).' })),
      order: Type.Optional(Type.Enum(['asc', 'desc'], { description: 'Newest first (desc) by default.' })),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default.' }),
      ),
      cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' })),
    },
    strict,
  )
type ActivityQuery = Static<ReturnType<typeof activityQuery>>
const ActivitySchema = Type.Object(
  {
    items: Type.Array(Type.Object({}, { additionalProperties: true })),
    next: Type.Union([Type.String(), Type.Null()]),
  },
  { $id: 'Activity' },
)
const ExportSchema = Type.Object({
  items: Type.Array(Type.Object({}, { additionalProperties: true })),
  count: Type.Integer(),
})
const failures = ['projection-behind', 'projection-building', 'store-unavailable'] as const
const name = 'my-activity'

const lines = async function* (parts: AsyncGenerator<readonly string[]>, end: (count: number) => Promise<void>) {
  let count = 0
  for await (const part of parts) {
    count += part.length
    yield `${part.join('\n')}\n`
  }
  await end(count)
  yield `${JSON.stringify({ kind: 'end', count })}\n`
}

const whole = async function* (parts: AsyncGenerator<readonly string[]>, end: (count: number) => Promise<void>) {
  let count = 0
  for await (const part of parts) {
    yield `${count === 0 ? '{"items":[' : ','}\n${part.join(',\n')}`
    count += part.length
  }
  await end(count)
  yield `${count === 0 ? '{"items":[' : ''}],"count":${count}}\n`
}

export const ownDataRoutes = ({
  ownData,
  types,
  readings,
  limits,
  stepUp,
  cursors,
  freshness,
  publicUrl,
}: OwnDataEdge): readonly Route[] => {
  const everything = async (request: EdgeRequest, accountId: string, format: (typeof FORMATS)[number]) => {
    const release = limits.stream(request.counted)
    if (!release) throw new ProblemError('too-many-streams', 'Two streams are open already.')
    const parts = ownData.everything(accountId)
    try {
      const reading = await readings.open({
        actor: { kind: 'account', id: accountId },
        correlationId: request.id,
        filters: { actor: accountId, order: 'asc' },
      })
      if (isRefusal(reading)) throw problemFrom(reading)
      let told = 0
      const end = async (count: number): Promise<void> => {
        told = count
        const refused = await reading.end(count, true)
        if (refused) throw problemFrom(refused)
      }
      const body = Readable.from((format === NDJSON ? lines : whole)(parts, end), { objectMode: false })
      body.once('close', () => {
        release()
        void parts.return(undefined).catch(() => undefined)
        reading.end(told, false).catch(() => undefined)
      })
      return body
    } catch (error) {
      release()
      throw error
    }
  }
  return [
    {
      tag,
      permission: 'account:use',
      rate: 'reads',
      method: 'GET',
      path: '/v1/me/activity',
      name,
      summary: 'What you have done, and what was done to your account',
      querystring: activityQuery(types),
      request: { query: { limit: '10' } },
      description:
        'Your own acts as the log has them; tries at your account that failed, and what administrators did to it: the fact and the reason. What is sealed under the keys of others is left out (withheld).',
      answers: {
        200: {
          description: 'A page.',
          schema: ActivitySchema,
          headers: ['Link', 'Sync-Token'],
          example: { items: [{ type: 'SessionStarted', meta: { at: '2026-01-05T10:00:00.000Z' } }], next: null },
        },
      },
      problems: ['not-an-account', 'cursor-invalid', 'validation', ...failures],
      handle: async request => {
        const { accountId } = byOf(request)
        const key = (await cursorOf(request, name, cursors))?.key
        const [at, end] = Array.isArray(key) ? key.map(each => BigInt(String(each))) : []
        if (request.after !== undefined) await freshness.waitFor([historyProjection], request.after)
        // The validator has checked the query string against the route's schema.
        const { type, from, to, order = 'desc', limit = DEFAULT_LIMIT } = request.query as ActivityQuery
        const question = {
          order,
          ...defined({
            type,
            from: from === undefined ? undefined : timeOf('from', from),
            to: to === undefined ? undefined : timeOf('to', to),
          }),
        }
        const place = at === undefined || end === undefined ? {} : { place: { at, end } }
        const page = await ownData.activity(accountId, question, { limit, ...place })
        const scope = cursorScope(request, name)
        const key2 = page.next && [String(page.next.at), String(page.next.end)]
        const next = key2 ? await cursors.of(scope, { generation: 'log', key: key2 }, page.position) : null
        return {
          status: 200,
          position: page.position,
          headers: { link: linksOf(request, next, { publicUrl }) },
          cache: 'no-store',
          body: `{"items":[${page.lines.map(({ text }) => text).join()}],"next":${JSON.stringify(next)}}`,
        }
      },
    },
    {
      tag,
      permission: 'account:use',
      rate: 'signIns',
      method: 'GET',
      path: '/v1/me/export',
      name: 'export-me',
      summary: 'Everything that is known of you',
      querystring: nothing,
      request: {},
      description:
        'A line each: account, profile, preferences, identities, sessions, every event about you and every act of yours, opened; the last line is {kind: "end", count}. With Accept: application/json one JSON text. The log says that it was read.',
      answers: {
        200: {
          description: 'One JSON text a line.',
          type: NDJSON,
          schema: Type.String(),
          example: '{"kind":"account","id":"..."}\n{"kind":"end","count":1}\n',
          also: {
            type: 'application/json',
            example: { items: [{ kind: 'account' }], count: 1 },
            schema: ExportSchema,
          },
        },
      },
      problems: [...freshProblems, 'not-acceptable', 'too-many-streams', ...failures],
      handle: async request => {
        const format = formatOf(header(request, 'accept'), FORMATS, `It is offered as ${FORMATS.join(' and ')}.`)
        const { accountId } = await requireFresh(stepUp, request)
        const headers = { 'x-accel-buffering': 'no', 'content-disposition': 'attachment; filename="my-data"' }
        if (request.method === 'HEAD') return { status: 200, type: format, headers, cache: 'no-store' }
        const body = await everything(request, accountId, format)
        return { status: 200, type: format, body, headers, cache: 'no-store' }
      },
    },
  ]
}
