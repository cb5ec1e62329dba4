/** Pages of what somebody did and what was done to their account: how they are asked for, and how they are answered. */
import Type, { type Static } from 'typebox'
import { defined } from '../../../domain/defined.ts'
import { historyProjection } from '../../../projections/history.ts'
import type { HistoryPage, HistoryPlace } from '../../../queries/history.ts'
import type { ActivityQuestion } from '../../../queries/own-activity.ts'
import type { Answer, EdgeRequest } from '../route.ts'
import { cursorOf, cursorScope, DEFAULT_LIMIT, linksOf, type QueryDeps } from '../route-query.ts'
import { strict } from './account-edge.ts'
import { timeOf } from './entry-parameters.ts'

/** The types of events by category: those of the log that is served. */
export type EventTypes = ReadonlyMap<string, readonly string[]>
export type ActivityAsked = {
  readonly question: ActivityQuestion
  readonly paging: { readonly limit: number; readonly place?: HistoryPlace }
}

export const activityQuery = (types: EventTypes) =>
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
export const activityAnswer = {
  200: {
    description: 'A page.',
    schema: ActivitySchema,
    headers: ['Link', 'Sync-Token'],
    example: { items: [{ type: 'SessionStarted', meta: { at: '2026-01-05T10:00:00.000Z' } }], next: null },
  },
} as const
export const activityProblems = [
  'cursor-invalid',
  'validation',
  'projection-behind',
  'projection-building',
  'store-unavailable',
] as const

type Edge = Pick<QueryDeps, 'cursors' | 'freshness' | 'publicUrl'>

/**
 * One page: waits for what the request has seen, reads the cursor, asks `read`, and seals the place where the next page goes on.
 * `name`: that of the route, to which its cursors belong.
 */
export const answerActivity = async (
  request: EdgeRequest,
  { name, cursors, freshness, publicUrl }: Edge & { readonly name: string },
  read: (asked: ActivityAsked) => Promise<HistoryPage>,
): Promise<Answer> => {
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
  const page = await read({ question, paging: { limit, ...place } })
  const following = page.next && [String(page.next.at), String(page.next.end)]
  const scope = cursorScope(request, name)
  const next = following ? await cursors.of(scope, { generation: 'log', key: following }, page.position) : null
  return {
    status: 200,
    position: page.position,
    headers: { link: linksOf(request, next, { publicUrl }) },
    cache: 'no-store',
    body: `{"items":[${page.lines.map(({ text }) => text).join()}],"next":${JSON.stringify(next)}}`,
  }
}
