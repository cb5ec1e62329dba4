/** From a declared query to a route: wait for what the request has seen, ask, map the answer. */
import type { Static, TSchema } from 'typebox'
import type { SyncTokens } from '../../core/log/sync-tokens.ts'
import type { Projection } from '../../core/project/define.ts'
import type { Cursors } from '../../core/query/cursors.ts'
import type { Cursor, Page, Query, Reflecting } from '../../core/query/define.ts'
import { defined } from '../../domain/defined.ts'
import { isRefusal, type Refusal, type RefusalCode } from '../../domain/refusal.ts'
import { fillingHeaders, fillingMembers, notYet } from './filling.ts'
import type { Names } from './names.ts'
import { helpOf } from './problems/edge.ts'
import { ProblemError, problemFrom } from './problems.ts'
import type { Made, Responses, Scope } from './responses.ts'
import type { Answer, Documented, EdgeRequest, RateClass, RequestExample, Route } from './route.ts'
import { REALM, unauthenticated } from './security.ts'

/** What the edge asks of the read side beside the queries themselves. */
export type Freshness = {
  /** What every read model of this node reflects at least, as far as it knows: the Sync-Token of answers that read nothing. */
  position(): bigint
  /** Waits until the projections have reached the position, two seconds at most. @throws {ProjectionError} behind, building. */
  waitFor(reads: readonly Projection[], position: bigint): Promise<void>
  /** The collections that are read now, for what is kept of their answers; undefined while there are none. */
  scopes(reads: readonly Projection[]): Promise<readonly Scope[] | undefined>
}

export type QueryDeps = {
  readonly freshness: Freshness
  readonly cursors: Cursors
  readonly syncTokens: SyncTokens
  readonly responses: Responses
  /** Absent where nobody has a name. */
  readonly names: Names | undefined
  /** Where clients reach the service. */
  readonly publicUrl: string | undefined
  /** How much of the dictionary is there, in percent, while it is being filled. */
  readonly filling: () => number | undefined
}

type Common<Q extends TSchema, Input, Output> = {
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly rate?: RateClass
  readonly params?: TSchema
  readonly querystring: Q
  readonly query: Query<Input, Output>
  readonly request: RequestExample
  readonly answers: Readonly<Record<number, Documented>>
  readonly problems: readonly RefusalCode[]
}

/** What an input is made of. */
export type Given<Q extends TSchema> = { readonly id: string; readonly query: Static<Q>; readonly request: EdgeRequest }

/** One thing. `etag` where a revision identifies it and the answer is the whole of it. */
export type ItemRoute<Q extends TSchema, Input, Output> = Common<Q, Input, Output> & {
  readonly input: (given: Given<Q>) => Input | Promise<Input>
  readonly etag?: (read: Reflecting<Output>, given: Given<Q>) => string | undefined
}

/** A list. Its query string has `limit` and `cursor`; the rest is filters, which a cursor belongs to. */
export type PageRoute<Q extends TSchema, Input, Item> = Common<Q, Input, Page<Item>> & {
  readonly input: (given: Given<Q> & { readonly limit: number; readonly after?: Cursor }) => Input
  /** The answer's own form of an item, where it is not the query's. */
  readonly item?: (item: Item, given: Given<Q>) => unknown
}

export const DEFAULT_LIMIT = 20

// The validator has checked the query string against the route's schema, which is what Static stands for.
const given = <Q extends TSchema>(request: EdgeRequest): Given<Q> => ({
  id: request.params['id'] ?? '',
  query: request.query as Static<Q>,
  request,
})

const readProblems: readonly RefusalCode[] = ['projection-behind', 'projection-building', 'store-unavailable']

const base = <Q extends TSchema, Input, Output>(declared: Common<Q, Input, Output>): Omit<Route, 'handle'> => {
  const { path, tag, summary, description, params, querystring, query, request, answers, problems } = declared
  return {
    method: 'GET',
    path,
    tag,
    summary,
    request,
    answers,
    querystring,
    name: query.name,
    permission: query.permission,
    rate: declared.rate ?? 'reads',
    ...defined({ description, params }),
    problems: [...problems, 'validation', 'revision-stale', 'header-invalid', ...readProblems],
  }
}

/** So long it is waited for what a request has seen, as for read models. */
const PATIENCE_MS = 2_000

const waitFor = async (
  query: Pick<Query<never, unknown>, 'reads' | 'people'>,
  request: EdgeRequest,
  deps: QueryDeps,
): Promise<void> => {
  const { after } = request
  if (after === undefined) return
  if (query.reads.length > 0) await deps.freshness.waitFor(query.reads, after)
  if (query.people && deps.names && !(await deps.names.reached(after, PATIENCE_MS)))
    throw new ProblemError('projection-behind', helpOf('projection-behind'))
}

/** Each once; undefined where nobody is named. */
const named = (
  { people }: Pick<Query<never, unknown>, 'people'>,
  shown: readonly unknown[],
): { readonly people?: readonly string[] } => {
  const ids = new Set(people ? shown.flatMap(people) : [])
  return ids.size > 0 ? { people: [...ids] } : {}
}

/** With `fields`, the named members of a record. */
export const project = (value: unknown, fields: readonly string[] | undefined): unknown =>
  fields && typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).filter(([name]) => fields.includes(name)))
    : value

export const fieldsOf = (query: unknown): readonly string[] | undefined =>
  typeof query === 'object' && query !== null && 'fields' in query && Array.isArray(query.fields)
    ? query.fields.filter(each => typeof each === 'string')
    : undefined

const accepted = <Output>(
  answered: Reflecting<Output> | Refusal,
  { requester }: EdgeRequest,
  filling: number | undefined,
): Reflecting<Output> => {
  const result = notYet(answered, filling)
  if (!isRefusal(result)) return result
  // A stranger is told how to become somebody; who is known, that it is not theirs.
  if (result.refused === 'permission-denied' && !requester.actor) throw unauthenticated(REALM, result.detail)
  throw problemFrom(result, fillingHeaders(filling))
}

/** Asked before the query is: what is said to be there is less than what it finds, never more. */
const fillingOf = ({ ofAll }: Pick<Query<never, unknown>, 'ofAll'>, deps: QueryDeps): number | undefined =>
  ofAll ? deps.filling() : undefined

export const itemRoute = <Q extends TSchema, Input, Output>(
  declared: ItemRoute<Q, Input, Output>,
  deps: QueryDeps,
): Route => {
  const { query } = declared
  return {
    ...base(declared),
    handle: async (request): Promise<Answer> => {
      if (request.after !== undefined) await waitFor(query, request, deps)
      const from = given<Q>(request)
      const input = await declared.input(from)
      return deps.responses.answer(query, input, request, async (): Promise<Made> => {
        const filling = fillingOf(query, deps)
        const result = accepted(await query.run(input, request.requester), request, filling)
        const { value, position, note, passing } = result
        const fields = fieldsOf(request.query)
        const etag = fields ? undefined : declared.etag?.(result, from)
        const shown = project(value, fields)
        const whole = filling === undefined ? value : { ...value, ...fillingMembers(value, filling) }
        return {
          body: fields ? JSON.stringify(shown) : (result.bytes ?? JSON.stringify(whole)),
          position,
          shared: passing !== true && query.shared?.(value) !== false,
          ...defined({ etag, note, filling }),
          ...named(query, [shown]),
        }
      })
    },
  }
}

/** The query string without what only says which page, members in one order. */
const filtersOf = (query: unknown): string => {
  const {
    cursor: _c,
    limit: _l,
    fields: _f,
    ...filters
  }: Record<string, unknown> = typeof query === 'object' && query !== null ? { ...query } : {}
  return JSON.stringify(Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The address of this request, on another page: below LEXICHRON_PUBLIC_URL, or relative to whatever the client knows us by. */
const linkTo = (request: EdgeRequest, cursor: string | undefined, publicUrl = ''): string => {
  const search = new URLSearchParams()
  const entries = typeof request.query === 'object' && request.query !== null ? Object.entries(request.query) : []
  for (const [name, value] of entries)
    if (name !== 'cursor') search.set(name, Array.isArray(value) ? value.join() : String(value))
  if (cursor !== undefined) search.set('cursor', cursor)
  const text = search.size > 0 ? `?${search}` : ''
  return `<${publicUrl}${request.path}${text}>`
}

/** The header Link of a page: the first one, and the next one where there is one. */
export const linksOf = (
  request: EdgeRequest,
  next: string | null | undefined,
  { publicUrl }: Pick<QueryDeps, 'publicUrl'>,
): string => {
  const first = `${linkTo(request, undefined, publicUrl)}; rel="first"`
  return next ? `${first}, ${linkTo(request, next, publicUrl)}; rel="next"` : first
}

const valueIn = (query: unknown, name: 'cursor' | 'limit'): unknown =>
  typeof query === 'object' && query !== null ? Object.entries(query).find(([key]) => key === name)?.[1] : undefined

/**
 * What the cursor of this request stands for; whether its generation is still there, the query says.
 * @throws {TokenError} cursor-invalid, other-log.
 */
export const cursorOf = async (request: EdgeRequest, name: string, cursors: Cursors): Promise<Cursor | undefined> => {
  const token = valueIn(request.query, 'cursor')
  return typeof token === 'string' ? cursors.read(cursorScope(request, name), token) : undefined
}

/** What a cursor belongs to: the query, what it is about, its filters. */
export const cursorScope = (request: EdgeRequest, name: string): string =>
  `${name} ${Object.values(request.params).join(' ')} ${filtersOf(request.query)}`

export const pageRoute = <Q extends TSchema, Input, Item>(
  declared: PageRoute<Q, Input, Item>,
  deps: QueryDeps,
): Route => {
  const { query, item } = declared
  const route = base(declared)
  return {
    ...route,
    problems: [...route.problems, 'cursor-invalid', 'cursor-expired'],
    handle: async (request): Promise<Answer> => {
      const after = await cursorOf(request, query.name, deps.cursors)
      if (request.after !== undefined) await waitFor(query, request, deps)
      const limit = valueIn(request.query, 'limit')
      const from = { ...given<Q>(request), limit: typeof limit === 'number' ? limit : DEFAULT_LIMIT }
      const input = declared.input({ ...from, ...defined({ after }) })
      return deps.responses.answer(query, input, request, async (): Promise<Made> => {
        const filling = fillingOf(query, deps)
        const result = accepted(await query.run(input, request.requester), request, filling)
        const { value, position, note, passing } = result
        const next = value.next && (await deps.cursors.of(cursorScope(request, query.name), value.next, position))
        const fields = fieldsOf(request.query)
        const items = value.items.map(each => project(item ? item(each, from) : each, fields))
        return {
          body: JSON.stringify({ ...value, items, next, ...fillingMembers(value, filling) }),
          position,
          shared: passing !== true && query.shared?.(value) !== false,
          link: linksOf(request, next, deps),
          ...defined({ note, filling }),
          ...named(query, items),
        }
      })
    },
  }
}
