/** Other people's accounts, to see. What is done to them is in routes/administration.ts. */
import Type, { type Static } from 'typebox'
import type {
  ErasedView,
  ListedAccounts,
  ListRequest,
  Onlooker,
  SessionView,
  WholeView,
} from '../../../commands/look-up-accounts.ts'
import type { Projection } from '../../../core/project/define.ts'
import { contentChoices } from '../../../domain/account/erasure-events.ts'
import { accountStates } from '../../../domain/account/standing.ts'
import { defined } from '../../../domain/defined.ts'
import type { Json } from '../../../domain/event.ts'
import { ADDRESS_HASH, SAID } from '../../../domain/forms.ts'
import { isRefusal, type Refusal } from '../../../domain/refusal.ts'
import type { HistoryPage } from '../../../queries/history.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import type { EdgeRequest, Route } from '../route.ts'
import { cursorOf, cursorScope, DEFAULT_LIMIT, linksOf, type QueryDeps } from '../route-query.ts'
import { fromOf, nothing, strict, text } from './account-edge.ts'
import { AccountParams, GrantSchema } from './account-schemas.ts'
import {
  type ActivityAsked,
  activityAnswer,
  activityProblems,
  activityQuery,
  answerActivity,
  type EventTypes,
} from './activity.ts'
import { AccountSessionSchema, AccountSessionsSchema, accountSessionsExample, sessionItem } from './session-schemas.ts'

/** What the routes need; src/app/people.ts has it. */
export type PeoplePort = {
  list(request: ListRequest, by: Onlooker): Promise<ListedAccounts | Refusal>
  read(id: string, by: Onlooker): Promise<WholeView | ErasedView | Refusal>
  /** Live ones, the newest first. */
  sessions(id: string, by: Onlooker): Promise<readonly SessionView[] | Refusal>
  /** What the account did, and what was done to it. @throws {ProjectionError} */
  activity(id: string, asked: ActivityAsked, by: Onlooker): Promise<HistoryPage | Refusal>
}

const time = Type.String({ format: 'date-time' })
const liveStates = accountStates.filter(each => each !== 'erased')
const account = {
  id: Type.String(),
  createdAt: time,
  state: Type.Enum(liveStates),
  suspended: Type.Boolean(),
  roles: Type.Array(GrantSchema),
  displayName: Type.Union([Type.String(), Type.Null()]),
  erasure: Type.Optional(
    Type.Object(
      { requestedAt: time, due: time, begunAt: Type.Optional(time), content: Type.Enum([...contentChoices]) },
      { $id: 'PendingErasure', description: 'It is to be erased at `due`; from `begunAt` on that is not taken back.' },
    ),
  ),
  email: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'For administrators alone.' })),
}
const AccountSchema = Type.Object(account, { $id: 'Account' })
const WholeSchema = Type.Object(
  {
    ...account,
    roles: Type.Array(
      Type.Object({
        ...GrantSchema.properties,
        granted: Type.Optional(
          Type.Object(
            { by: Type.String(), at: time, reason: Type.Optional(Type.String()) },
            { description: 'By whom, when and why: for administrators alone.' },
          ),
        ),
      }),
    ),
    sessions: Type.Optional(
      Type.Array(AccountSessionSchema, { description: 'Live ones, the newest first; for administrators alone.' }),
    ),
  },
  { $id: 'WholeAccount' },
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
    state: Type.Optional(Type.Enum(liveStates, { description: 'Those who are in it now.' })),
    name: Type.Optional(
      Type.String({
        maxLength: 160,
        pattern: SAID,
        description: 'The beginning of a display name, whatever its case and accents.',
      }),
    ),
    email: Type.Optional(
      Type.String({ maxLength: 320, description: 'Exactly this address; for administrators alone.' }),
    ),
    addressHash: Type.Optional(
      Type.String({
        pattern: ADDRESS_HASH,
        description:
          'Exactly this address, by what the history names its stream after `address-`; for administrators alone.',
      }),
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
const activityName = 'account-activity'
const listProblems = [
  'cursor-invalid',
  'cursor-expired',
  'projection-behind',
  'projection-building',
  'store-unavailable',
] as const
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
  {
    cursors,
    freshness,
    publicUrl,
    types,
    listed,
  }: Pick<QueryDeps, 'cursors' | 'freshness' | 'publicUrl'> & {
    readonly types: EventTypes
    /** What lists are read from. */
    readonly listed: Projection
  },
): readonly Route[] => [
  {
    ...base,
    method: 'GET',
    path: '/v1/accounts',
    name,
    summary: 'Accounts',
    querystring: AccountsQuery,
    description:
      'The newest first. Those who were erased are in no list. Moderators see them without addresses. That they were seen is in the log as AccountsRead, before they are shown. A page may hold fewer than limit though more follow.',

    request: { query: { role: 'editor' } },
    problems: ['role-unknown', 'email-invalid', ...listProblems, ...text],
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
      const after = await cursorOf(request, name, cursors)
      if (request.after !== undefined) await freshness.waitFor([listed], request.after)
      // The validator has checked the query string against the route's schema.
      const { cursor: _, limit = DEFAULT_LIMIT, ...filter } = request.query as Static<typeof AccountsQuery>
      const asked = { ...filter, limit, ...defined({ after }) }
      const { items, next: place, position } = accepted(await port.list(asked, onlookerOf(request)))
      const next = place && (await cursors.of(cursorScope(request, name), place, position ?? freshness.position()))
      return {
        status: 200,
        body: JSON.stringify({ items, next }),
        cache: 'no-store',
        headers: { link: linksOf(request, next, { publicUrl }) },
        ...defined({ position }),
      }
    },
  },
  {
    ...base,
    method: 'GET',
    path: '/v1/accounts/:id',
    name: 'read-account',
    summary: 'One account',
    description:
      'Administrators see its address, its sessions, and who granted its roles and why, which is in the log as AccountsRead before it is shown.',
    params: AccountParams,
    querystring: nothing,
    request: { needs: 'an id that is keyed', params: { id: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f' } },
    answers: {
      200: {
        description: 'The account; of one that was erased only that it was.',
        schema: Type.Union([WholeSchema, ErasedSchema]),
        example,
      },
    },
    problems: ['account-not-found'],
    handle: async request => {
      const view = accepted(await port.read(request.params['id'] ?? '', onlookerOf(request)))
      const shown = 'sessions' in view ? { ...view, ...defined({ sessions: view.sessions?.map(sessionItem) }) } : view
      return { status: 200, body: JSON.stringify(shown), cache: 'no-store' }
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
    request: { needs: 'an id that is keyed', params: { id: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f' } },
    answers: { 200: { description: 'Live ones.', schema: AccountSessionsSchema, example: accountSessionsExample } },
    problems: ['account-not-found'],
    handle: async request => {
      const found = accepted(await port.sessions(request.params['id'] ?? '', onlookerOf(request)))
      return { status: 200, body: JSON.stringify({ items: found.map(sessionItem) }), cache: 'no-store' }
    },
  },
  {
    ...base,
    permission: 'accounts:manage',
    method: 'GET',
    path: '/v1/accounts/:id/activity',
    name: activityName,
    summary: 'What an account did, and what was done to it',
    description:
      'Events as the history has them, with who did it, and without what is sealed (withheld). That they were seen is in the log as AccountsRead, before they are shown.',
    params: AccountParams,
    querystring: activityQuery(types),
    request: {
      needs: 'an id that is keyed',
      params: { id: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f' },
      query: { limit: '10' },
    },
    answers: activityAnswer,
    problems: ['account-not-found', ...activityProblems],
    handle: request => {
      const edge = { name: activityName, cursors, freshness, publicUrl }
      return answerActivity(request, edge, async asked =>
        accepted(await port.activity(request.params['id'] ?? '', asked, onlookerOf(request))),
      )
    },
  },
]
