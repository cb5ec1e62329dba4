/** The OpenAPI 3.1 document, made from the routes: schemas once under components, an example on every request and answer. */
import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import Type from 'typebox'
import { defined } from '../../domain/defined.ts'
import type { Json, JsonObject } from '../../domain/event.ts'
import { isObject } from '../../domain/json.ts'
import type { RefusalCode } from '../../domain/refusal.ts'
import type { Permission } from '../../domain/roles.ts'
import { FILLING } from './filling.ts'
import type { Problem } from './problem.ts'
import { ProblemError, type Problems, problemBody } from './problems.ts'
import type { Documented, Route } from './route.ts'
import { cookieNames } from './session-cookies.ts'

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: '/problems/<code>, which explains itself.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    requestId: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'RFC 6901, into the body; or the parameter.' }),
          code: Type.String(),
          detail: Type.String(),
          base: Type.Optional(Type.Unknown({ description: 'What stood there when two began to change it.' })),
          theirs: Type.Optional(Type.Unknown({ description: 'What stands there now.' })),
          ours: Type.Optional(Type.Unknown({ description: 'What was asked for.' })),
        }),
      ),
    ),
  },
  { $id: 'Problem', additionalProperties: true },
)

/** What any route may answer with, whatever it does. */
const common: readonly RefusalCode[] = [
  'validation',
  'request-malformed',
  'header-invalid',
  'internal',
  'event-unreadable',
  'store-damaged',
  'closing',
  'blocked',
  'too-many-connections',
  'expectation-failed',
  'headers-too-large',
  'request-timeout',
]
const limited: readonly RefusalCode[] = ['rate-limited']
/** Of a body, before its schema is asked, also where none is expected. */
const bodied: readonly RefusalCode[] = [
  'validation',
  'json-invalid',
  'json-too-deep',
  'text-invalid',
  'payload-too-large',
  'unsupported-media-type',
]
const tokened: readonly RefusalCode[] = [
  'unauthenticated',
  'permission-denied',
  'authorisation-unavailable',
  'sync-token-invalid',
  'other-log',
  'header-invalid',
]

/** A change that comes with cookies. */
const forged: readonly RefusalCode[] = ['origin-refused', 'csrf-invalid']

/** Every problem that the route may answer with. */
export const problemsOf = (route: Route): readonly RefusalCode[] => [
  ...new Set([
    ...route.problems,
    ...common,
    ...(route.params ? (['not-found'] as const) : []),
    ...(route.rate ? limited : []),
    ...(route.method === 'GET' ? [] : bodied),
    ...(route.permission === undefined ? [] : tokened),
    ...(route.permission === undefined || route.method === 'GET' ? [] : forged),
  ]),
]

/** A plain copy in which each named schema below the root is a reference; the named ones are collected. */
const withReferences = (schema: unknown, shared: Map<string, unknown>, root = false): unknown => {
  if (Array.isArray(schema)) return schema.map(each => withReferences(each, shared))
  if (!isObject(schema)) return schema
  const { $id } = schema
  if (typeof $id === 'string' && !root) {
    if (!shared.has($id)) {
      shared.set($id, undefined)
      shared.set($id, withReferences(schema, shared, true))
    }
    return { $ref: `${$id}#` }
  }
  return Object.fromEntries(Object.entries(schema).map(([name, inner]) => [name, withReferences(inner, shared)]))
}

const requestHeaders = (route: Route): readonly JsonObject[] => {
  const parameter = (name: string, description: string, required = false): JsonObject => ({
    in: 'header',
    name,
    description,
    required,
    schema: { type: 'string' },
  })
  const conditional = parameter('If-None-Match', 'ETags that you have: 304 when one is current.')
  if (route.permission === undefined) return route.answers[200]?.headers?.includes('ETag') ? [conditional] : []
  const sync = parameter('Sync-Token', 'Of an earlier answer: this one reflects it, or is a 503 projection-behind.')
  if (route.method === 'GET') return [sync, conditional]
  return [
    sync,
    parameter('X-CSRF-Token', 'With cookies: the csrfToken of the sign-in.'),
    parameter('Idempotency-Key', '1 to 255 visible ASCII characters: a repeat gets the first answer.'),
    parameter('If-Match', 'The ETag that you have seen.', route.problems.includes('revision-required')),
  ]
}

const headerTexts: ReadonlyMap<string, string> = new Map([
  ['ETag', 'The revision, for If-Match, and its representation.'],
  ['Sync-Token', 'What this answer reflects; sent back, it makes sure of reading it.'],
  ['Location', 'The address of what was created.'],
  ['Link', 'The first and the next page (RFC 8288).'],
  ['Idempotent-Replayed', 'true when this is the first answer again.'],
  [FILLING, 'Only while the dictionary is being filled: how much of it is there, such as 43%.'],
])

const local = (schema: unknown): Json =>
  JSON.parse(JSON.stringify(schema).replaceAll(/"\$ref":"([^"#]+)#"/g, '"$ref":"#/components/schemas/$1"'))

/** Those named, and the Sync-Token where the route sends one. */
const headersOf = ({ positionless }: Route, names: readonly string[] = []): JsonObject => {
  const all = new Set([...names, ...(positionless ? [] : ['Sync-Token'])])
  return Object.fromEntries(
    [...all].map(name => [name, { description: headerTexts.get(name) ?? '', schema: { type: 'string' } }]),
  )
}

const responseOf = (route: Route, answer: Documented, schema: Json | undefined): JsonObject => ({
  description: answer.description,
  headers: headersOf(route, answer.headers),
  ...defined({
    content:
      schema === undefined
        ? undefined
        : {
            [answer.type ?? 'application/json']: {
              schema,
              ...defined({ example: answer.example }),
            },
            ...(answer.also && {
              [answer.also.type]: {
                schema: answer.also.schema ? local(answer.also.schema) : { type: 'string' },
                example: answer.also.example,
              },
            }),
          },
  }),
})

const problemExample = (code: RefusalCode, problem: Problem): Json =>
  JSON.parse(problemBody(problem, new ProblemError(code, problem.help), '6fa1c0f2-58b7-4d5e-9f1a-8f0c1d2e3a4b'))

const problemResponses = (route: Route, problems: Problems): JsonObject => {
  const byStatus = Map.groupBy(problemsOf(route), code => problems.of(code).status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map(code => `${code}: ${problems.of(code).title}.`).join(' '),
        headers: headersOf(route),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(codes.map(code => [code, { value: problemExample(code, problems.of(code)) }])),
          },
        },
      },
    ]),
  )
}

const contentTypes = (route: Route): readonly string[] =>
  route.method === 'PATCH' ? ['application/merge-patch+json', 'application/json'] : ['application/json']

/** What the document says of every operation rests on. `strangers`: what may be done without a token. */
type Described = { readonly problems: Problems; readonly strangers: ReadonlySet<Permission> }

/** Either may be sent: a token by a program, a cookie by a browser. */
const tokens: readonly Json[] = [{ accessToken: [] }, { accessCookie: [] }]

const operationOf = (
  route: Route,
  generated: Readonly<Record<string, unknown>>,
  { problems, shared, strangers }: Described & { readonly shared: Map<string, unknown> },
) => {
  const parameters = Array.isArray(generated['parameters']) ? generated['parameters'] : []
  const { params = {}, query = {}, body, as, headers, after, isLast, needs } = route.request
  const exemplified = parameters.map(parameter => {
    const name: unknown = isObject(parameter) ? parameter['name'] : undefined
    const example = typeof name === 'string' ? (params[name] ?? query[name]) : undefined
    return example === undefined ? parameter : { ...parameter, example }
  })
  const schemaOf = (schema: TSchema | undefined) => schema && local(withReferences(schema, shared))
  const answers = Object.entries(route.answers).map(([status, answer]) => [
    status,
    responseOf(route, answer, schemaOf(answer.schema)),
  ])
  const success: JsonObject = Object.fromEntries(answers)
  // A status that is an answer and a problem (503 of /health/ready) is described as the answer.
  const responses = { ...problemResponses(route, problems), ...success }
  return {
    ...generated,
    operationId: route.name,
    parameters: [...exemplified, ...requestHeaders(route)],
    ...defined({
      requestBody: route.body && {
        required: body !== undefined && Object.keys(isObject(body) ? body : {}).length > 0,
        content: Object.fromEntries(
          contentTypes(route).map(type => [type, { schema: schemaOf(route.body), example: body ?? {} }]),
        ),
      },
    }),
    responses,
    'x-example': defined({ as, headers, after, isLast, needs }),
    ...(route.permission === undefined
      ? { security: [] }
      : { 'x-permission': route.permission, security: strangers.has(route.permission) ? [{}, ...tokens] : tokens }),
  }
}

const openApiPath = (path: string): string => path.replaceAll(/:([a-z]+)/gi, '{$1}')

/** Registers the generator. `app.swagger()` gives the document once the server is ready. */
export const registerOpenApi = async (
  app: FastifyInstance,
  routes: readonly Route[],
  about: Described & { readonly version: string; readonly publicUrl: string | undefined },
): Promise<void> => {
  const { problems, strangers } = about
  const shared = new Map<string, unknown>()
  withReferences(ProblemSchema, shared)
  for (const route of routes) {
    for (const answer of Object.values(route.answers)) if (answer.schema) withReferences(answer.schema, shared)
    if (route.body) withReferences(route.body, shared)
  }
  const byOperation = new Map(routes.map(route => [`${route.method.toLowerCase()} ${openApiPath(route.path)}`, route]))

  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lexichron',
        version: about.version,
        description:
          'A community dictionary in which every change is an event that is kept, can be replayed, and proved.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: about.publicUrl ?? '/' }],
      tags: [...new Set(routes.map(route => route.tag))].map(name => ({ name })),
      components: {
        securitySchemes: {
          accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          accessCookie: { type: 'apiKey', in: 'cookie', name: cookieNames.access },
        },
      },
      security: [{}, { accessToken: [] }, { accessCookie: [] }],
    },
    transform: ({ schema, url }) => ({ schema: { ...schema, body: undefined, response: undefined }, url }),
    transformObject: document => {
      if (!('openapiObject' in document)) return document.swaggerObject
      const { openapiObject } = document
      const paths = Object.entries(openapiObject.paths ?? {}).map(([path, item]) => [
        path,
        Object.fromEntries(
          Object.entries(item ?? {}).map(([method, operation]) => {
            const route = byOperation.get(`${method} ${path}`)
            return [
              method,
              route && isObject(operation) ? operationOf(route, operation, { problems, shared, strangers }) : operation,
            ]
          }),
        ),
      ])
      const schemas = Object.fromEntries(
        [...shared].map(([name, schema]) => {
          const { $id: _, ...rest } = isObject(schema) ? schema : {}
          return [name, local(rest)]
        }),
      )
      return {
        ...openapiObject,
        paths: Object.fromEntries(paths),
        components: { ...openapiObject.components, schemas },
      }
    },
  })
}
