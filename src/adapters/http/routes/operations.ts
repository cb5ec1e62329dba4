/** What is not the dictionary: health, keys, roles, problem pages, and where to begin. */
import Type from 'typebox'
import { FillingSchema } from '../../../core/query/define.ts'
import { defined } from '../../../domain/defined.ts'
import type { JsonObject } from '../../../domain/event.ts'
import { type RoleRights, roles } from '../../../domain/roles.ts'
import { openDocument, underPolicy } from '../documents.ts'
import type { Edge } from '../edge.ts'
import { escaped } from '../markup.ts'
import { formatOf } from '../negotiation.ts'
import type { Health, HttpMetrics } from '../operation.ts'
import { framed } from '../pages/frame.ts'
import { welcomePage } from '../pages/welcome.ts'
import { ProblemError, type Problems } from '../problems.ts'
import { type Answer, type EdgeRequest, header, type Route } from '../route.ts'

const state = Type.Enum(['ok', 'degraded', 'failed'])
const HealthSchema = Type.Object(
  {
    state,
    ready: Type.Boolean(),
    filling: Type.Optional(FillingSchema),
    version: Type.String(),
    parts: Type.Record(
      Type.String(),
      Type.Object({
        state,
        ageMs: Type.Optional(Type.Number()),
        lag: Type.Optional(Type.String()),
        detail: Type.Optional(Type.Object({}, { additionalProperties: true })),
      }),
    ),
  },
  { $id: 'Health' },
)

const StatusSchema = Type.Object({ status: Type.String() }, { $id: 'Status' })

const ReadySchema = Type.Object(
  { status: Type.Enum(['ready', 'not-ready']), state, filling: Type.Optional(FillingSchema) },
  { $id: 'Readiness' },
)

const RolesSchema = Type.Object(
  { items: Type.Array(Type.Object({ name: Type.String(), permissions: Type.Array(Type.String()) })) },
  { $id: 'Roles' },
)

const JwksSchema = Type.Object(
  { keys: Type.Array(Type.Object({ kty: Type.String(), kid: Type.String() }, { additionalProperties: true })) },
  { $id: 'JsonWebKeySet' },
)

const ProblemPageSchema = Type.Object(
  { code: Type.String(), title: Type.String(), status: Type.Integer(), help: Type.String() },
  { $id: 'ProblemExplanation' },
)

const tag = 'Operation'
const nothing = Type.Object({}, { additionalProperties: false })

/** What a part says of itself is for those who operate it: others see how it is and no more. */
const withoutDetail = (health: Health): Health => ({
  ...health,
  parts: Object.fromEntries(Object.entries(health.parts).map(([name, part]) => [name, { state: part.state }])),
})

type Format = 'application/json' | 'text/html'

const explain = (request: EdgeRequest, problems: Problems): Answer => {
  const code = request.params['code'] ?? ''
  const problem = problems.find(code)
  if (!problem) throw new ProblemError('not-found', 'There is no problem of this name.')
  const { title, status, help } = problem
  const formats: readonly Format[] = ['application/json', 'text/html']
  const detail = 'This page is offered as application/json and text/html.'
  if (formatOf(header(request, 'accept'), formats, detail) === 'application/json')
    return { status: 200, body: JSON.stringify({ code, title, status, help }) }
  const main = `<h1>${escaped(title)}</h1><p class="soft">${status} <code>${escaped(code)}</code></p><p>${escaped(help)}</p>`
  const { html, policy } = framed({ title, here: '/problems', main })
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: html,
    headers: { 'content-security-policy': policy },
  }
}

const places = {
  service: 'lexichron',
  docs: '/docs',
  live: '/docs/live',
  openapi: '/v1/openapi.json',
  health: '/health',
}
const first = welcomePage()
/** For programs the places; for who asks for a page, as browsers do, the page. */
const firstAsJson = openDocument(() => JSON.stringify(places))
const firstAsPage = underPolicy(
  openDocument(() => first.html, 'text/html; charset=utf-8'),
  first.policy,
)
const welcome = (request: EdgeRequest): Answer => {
  const formats: readonly Format[] = ['application/json', 'text/html']
  const format = formatOf(header(request, 'accept'), formats, 'It is offered as application/json and text/html.')
  return format === 'text/html' ? firstAsPage(request) : firstAsJson(request)
}

/** What the routes need of what is looked at; src/app/operation.ts has most of it. */
export type OperationPort = {
  readonly version: string
  readonly roles: RoleRights
  /** The JSON Web Key Set of the access tokens (RFC 7517). */
  readonly jwks: () => Promise<JsonObject>
  readonly health: () => Promise<Health>
  readonly metrics?: HttpMetrics
}

export const operationRoutes = (
  deps: OperationPort,
  { isClosing, problems }: Pick<Edge, 'isClosing' | 'problems'>,
): readonly Route[] => [
  {
    method: 'GET',
    path: '/',
    name: 'welcome',
    tag,
    summary: 'Where to begin',
    querystring: nothing,
    rate: 'reads',
    request: {},
    problems: ['not-acceptable'],
    answers: {
      200: {
        description: 'Links; as a page for browsers.',
        headers: ['ETag'],
        schema: Type.Object({}, { additionalProperties: Type.String(), $id: 'Welcome' }),
        example: places,
      },
    },
    handle: welcome,
  },
  {
    method: 'GET',
    path: '/health/live',
    name: 'health-live',
    tag,
    summary: 'Is the process alive?',
    querystring: nothing,
    request: {},
    problems: [],
    answers: { 200: { description: 'It is.', schema: StatusSchema, example: { status: 'live' } } },
    handle: () => ({ status: 200, body: '{"status":"live"}', cache: 'private, no-store' }),
  },
  {
    method: 'GET',
    path: '/health/ready',
    name: 'health-ready',
    tag,
    summary: 'May it be sent requests?',
    querystring: nothing,
    request: {},
    problems: [],
    answers: {
      200: {
        description: 'It may; state says whether all is well with it, or how much of the dictionary is there yet.',
        schema: ReadySchema,
        example: { status: 'ready', state: 'ok' },
      },
      503: {
        description: 'Not now: something it needs is missing, or it is shutting down.',
        schema: ReadySchema,
        example: { status: 'not-ready', state: 'failed' },
      },
    },
    handle: async () => {
      const health = await deps.health()
      const ready = !isClosing() && health.ready
      return {
        status: ready ? 200 : 503,
        body: JSON.stringify({
          status: ready ? 'ready' : 'not-ready',
          state: health.state,
          ...defined({ filling: health.filling }),
        }),
        cache: 'private, no-store',
        ...defined({ headers: ready ? undefined : { 'retry-after': '1' } }),
      }
    },
  },
  {
    method: 'GET',
    path: '/health',
    name: 'health',
    tag,
    summary: 'Each part with its state, age and lag',
    description: 'Ages, lags and details need the permission operations:read.',
    credentials: 'optional',
    diagnosis: true,
    rate: 'reads',
    querystring: nothing,
    request: {},
    problems: [],
    answers: {
      200: {
        description: 'How it is; also when a part has failed.',
        schema: HealthSchema,
        example: { state: 'ok', ready: true, version: '0.1.0', parts: { eventStore: { state: 'ok' } } },
      },
    },
    handle: async ({ requester }) => {
      const health = await deps.health()
      const shown = requester.permissions.has('operations:read') ? health : withoutDetail(health)
      return { status: 200, body: JSON.stringify({ ...shown, version: deps.version }), cache: 'private, no-store' }
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    name: 'metrics',
    tag,
    summary: 'Figures for monitoring',
    description: 'The Prometheus text format; LEXICHRON_METRICS_PORT serves the same on a port of its own.',
    permission: 'operations:read',
    rate: 'reads',
    querystring: nothing,
    request: {},
    problems: ['not-found'],
    diagnosis: true,
    answers: {
      200: {
        description: 'Every metric with its help (docs/operation.md says what to do about them).',
        type: 'text/plain',
        schema: Type.String(),
        example: 'lexichron_ready 1\n',
      },
    },
    handle: async () => {
      if (!deps.metrics) throw new ProblemError('not-found', 'This service keeps no metrics.')
      const { type, body } = await deps.metrics.render()
      return { status: 200, type, body, cache: 'private, no-store' }
    },
  },
  {
    method: 'GET',
    path: '/.well-known/jwks.json',
    name: 'jwks',
    tag,
    summary: 'Keys of the access tokens, and of receipts',
    rate: 'reads',
    querystring: nothing,
    request: {},
    problems: ['store-unavailable'],
    answers: {
      200: {
        description: 'A JSON Web Key Set (RFC 7517).',
        schema: JwksSchema,
        example: { keys: [{ kty: 'EC', kid: 'q1', crv: 'P-256', alg: 'ES256', use: 'sig', x: 'f83O', y: 'x_FE' }] },
      },
    },
    handle: async () => ({ status: 200, body: JSON.stringify(await deps.jwks()), cache: 'public, max-age=300' }),
  },
  {
    method: 'GET',
    path: '/v1/roles',
    name: 'list-roles',
    tag: 'Roles',
    summary: 'Roles and their permissions',
    permission: 'entries:read',
    rate: 'reads',
    querystring: nothing,
    request: {},
    problems: [],
    answers: {
      200: {
        description: 'Every role.',
        schema: RolesSchema,
        example: { items: [{ name: 'reader', permissions: ['entries:read'] }] },
      },
    },
    handle: () => ({
      status: 200,
      body: JSON.stringify({
        items: roles.map(name => ({ name, permissions: [...deps.roles.of(name)] })),
      }),
    }),
  },
  {
    method: 'GET',
    path: '/problems/:code',
    name: 'explain-problem',
    tag,
    summary: 'What a problem means',
    rate: 'reads',
    querystring: nothing,
    request: { params: { code: 'entry-exists' } },
    params: Type.Object({ code: Type.String({ description: `One of: ${problems.codes.join(', ')}` }) }),
    problems: ['not-acceptable'],
    answers: {
      200: {
        description: 'When it comes, and what to do; as a page for browsers.',
        schema: ProblemPageSchema,
        example: { code: 'busy', title: 'Busy', status: 503, help: 'Too many writes are waiting.' },
      },
    },
    handle: request => explain(request, problems),
  },
]
