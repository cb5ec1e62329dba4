/** Other people's accounts, to see. What is done to them is in routes/administration.ts. */
import Type, { type Static } from 'typebox'
import type { AccountView, ErasedView, ListRequest, Onlooker, SessionView } from '../../../commands/look-up-accounts.ts'
import { accountStates } from '../../../domain/account/standing.ts'
import { defined } from '../../../domain/defined.ts'
import type { Json } from '../../../domain/event.ts'
import { isRefusal, type Refusal } from '../../../domain/refusal.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import type { EdgeRequest, Route } from '../route.ts'
import { cursorOf, cursorScope, DEFAULT_LIMIT, linksOf, type QueryDeps } from '../route-query.ts'
import { fromOf, nothing, strict, text } from './account-edge.ts'
import { AccountParams, GrantSchema } from './account-schemas.ts'
import { AccountSessionsSchema, accountSessionsExample, sessionItem } from './session-schemas.ts'

/** What the routes need; src/app/people.ts has it. */
export type PeoplePort = {
  list(
    request: ListRequest,
    by: Onlooker,
  ): Promise<{ readonly items: readonly AccountView[]; readonly next?: number } | Refusal>
  read(id: string, by: Onlooker): Promise<AccountView | ErasedView | Refusal>
  /** Live ones, the newest first. */
  sessions(id: string, by: Onlooker): Promise<readonly SessionView[] | Refusal>
}

const AccountSchema = Type.Object(
  {
    id: Type.String(),
    createdAt: Type.String({ format: 'date-time' }),
    state: Type.Enum(accountStates.filter(each => each !== 'erased')),
    suspended: Type.Boolean(),
    roles: Type.Array(GrantSchema),
    displayName: Type.Union([Type.String(), Type.Null()]),
    email: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'For administrators alone.' })),
  },
  { $id: 'Account' },
)
const ErasedSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.Literal('erased'),
    displayName: Type.Optional(Type.String({ description: 'Where its owner wished that it stays.' })),
  },
  { $id: 'ErasedAccount' },
)
const AccountsQuery = Type.Object(
  {
    role: Type.Optional(Type.String({ maxLength: 40, description: 'Those who have it now.' })),
    suspended: Type.Optional(Type.Boolean()),
    email: Type.Optional(
      Type.String({ maxLength: 320, description: 'Exactly this address; for administrators alone.' }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default.' }),
    ),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' })),
  },
  strict,
)
const example: Json = {
  id: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f',
  createdAt: '2026-01-05T10:00:00.000Z',
  state: 'active',
  suspended: false,
  roles: [{ role: 'contributor' }, { role: 'editor', languages: ['es'] }],
  displayName: 'Ada',
}
const name = 'list-accounts'
const base = { tag: 'Administration', permission: 'accounts:read', rate: 'reads' } as const

const onlookerOf = (request: EdgeRequest): Onlooker => {
  const { actor, permissions, isTold } = request.requester
  if (actor) return { actor, permissions, ...defined({ isTold }), from: fromOf(request) }
  throw new ProblemError('unauthenticated', 'This needs an access token.')
}

const accepted = <T extends object>(found: T | Refusal): T => {
  if (isRefusal(found)) throw problemFrom(found)
  return found
}

export const peopleRoutes = (
  port: PeoplePort,
  { cursors, freshness, publicUrl }: Pick<QueryDeps, 'cursors' | 'freshness' | 'publicUrl'>,
): readonly Route[] => [
  {
    ...base,
    method: 'GET',
    path: '/v1/accounts',
    name,
    summary: 'Accounts',
    querystring: AccountsQuery,
    description:
      'The newest first. Moderators see them without addresses. That they were seen is in the log as AccountsRead, before they are shown. A page may hold fewer than limit though more follow.',

    request: { query: { role: 'editor' } },
    problems: ['role-unknown', 'email-invalid', 'cursor-invalid', ...text],
    answers: {
      200: {
        description: 'A page.',
        schema: Type.Object(
          { items: Type.Array(AccountSchema), next: Type.Union([Type.String(), Type.Null()]) },
          { $id: 'AccountPage' },
        ),
        example: { items: [example], next: null },
        headers: ['Link'],
      },
    },
    handle: async request => {
      const key = (await cursorOf(request, name, cursors))?.key
      // The validator has checked the query string against the route's schema.
      const { cursor: _, limit = DEFAULT_LIMIT, ...filter } = request.query as Static<typeof AccountsQuery>
      const before = typeof key === 'number' ? { before: key } : {}
      const { items, next: key2 } = accepted(await port.list({ ...filter, ...before, limit }, onlookerOf(request)))
      const next =
        key2 === undefined
          ? null
          : await cursors.of(cursorScope(request, name), { generation: 'log', key: key2 }, freshness.position())
      return {
        status: 200,
        body: JSON.stringify({ items, next }),
        cache: 'no-store',
        headers: { link: linksOf(request, next, { publicUrl }) },
      }
    },
  },
  {
    ...base,
    method: 'GET',
    path: '/v1/accounts/:id',
    name: 'read-account',
    summary: 'One account',

    params: AccountParams,
    querystring: nothing,
    request: { params: { id: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f' } },
    answers: {
      200: {
        description: 'The account; of one that was erased only that it was.',
        schema: Type.Union([AccountSchema, ErasedSchema]),
        example,
      },
    },
    problems: ['account-not-found'],
    handle: async request => {
      const view = accepted(await port.read(request.params['id'] ?? '', onlookerOf(request)))
      return { status: 200, body: JSON.stringify(view), cache: 'no-store' }
    },
  },
  {
    ...base,
    permission: 'accounts:manage',
    method: 'GET',
    path: '/v1/accounts/:id/sessions',
    name: 'list-account-sessions',
    summary: 'The sessions of an account',
    description:
      'Live ones, the newest first. That they were seen is in the log as AccountsRead, before they are shown.',
    params: AccountParams,
    querystring: nothing,
    request: { params: { id: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f' } },
    answers: { 200: { description: 'Live ones.', schema: AccountSessionsSchema, example: accountSessionsExample } },
    problems: ['account-not-found'],
    handle: async request => {
      const found = accepted(await port.sessions(request.params['id'] ?? '', onlookerOf(request)))
      return { status: 200, body: JSON.stringify({ items: found.map(sessionItem) }), cache: 'no-store' }
    },
  },
]
