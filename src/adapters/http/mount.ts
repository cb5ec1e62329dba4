/** From a route's declaration to Fastify: the guard before the body is read, validation, one handler. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { WebSocket } from 'ws'
import { defined } from '../../domain/defined.ts'
import type { Answering } from './answering.ts'
import { clientAddress } from './client-address.ts'
import type { Findings } from './findings.ts'
import { ProblemError } from './problems.ts'
import type { EdgeRequest, Route } from './route.ts'
import type { Admission, Guard } from './security.ts'

export const pathOf = (url: string): string => {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

type Parts = { Params: Record<string, string> }

const ids = ['id', 'eventId', 'chapterId'] as const

/** RFC 9562, 4: ids are read without case, so a command repeated in another one is the same. */
const addressed = (path: string, params: Record<string, string>): readonly [string, Record<string, string>] => {
  let [lower, known] = [path, params]
  for (const name of ids) {
    const given = params[name]
    const id = given?.toLowerCase()
    if (given === undefined || id === undefined || id === given) continue
    lower = lower.replace(given, id)
    known = { ...known, [name]: id }
  }
  return [lower, known]
}

const edgeRequest = (request: FastifyRequest<Parts>): EdgeRequest => {
  const { requester, counted, after } = request.getDecorator<Admission>('admission')
  const { id, method, query, body, headers } = request
  const [path, params] = addressed(pathOf(request.url), request.params)
  return {
    id,
    address: () => clientAddress(request),
    method,
    path,
    params,
    query,
    body,
    headers,
    requester,
    counted,
    after,
  }
}

const mediaType = (header: string | undefined): string => (header ?? '').split(';')[0]?.trim().toLowerCase() ?? ''

/** Before any of the body is read. */
const checkMedia = (request: FastifyRequest): void => {
  const type = request.headers['content-type']
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new ProblemError('unsupported-media-type', 'Bodies are taken uncompressed.', {
      headers: { 'accept-encoding': 'identity' },
    })
  if (type === undefined || type === 'application/json') return
  if (mediaType(type) === 'application/merge-patch+json' && request.method !== 'PATCH')
    throw new ProblemError('unsupported-media-type', 'Merge patches are for PATCH.')
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new ProblemError('unsupported-media-type', 'JSON is UTF-8 and nothing else.')
}

/** What a route takes that declares no body: none, or `{}`. GET has none by itself. */
const NO_BODY = Type.Object({}, { additionalProperties: false })

export type Mounting = {
  readonly guard: Guard
  readonly answering: Answering
  readonly findings: Findings
  /** Told of each WebSocket. */
  readonly opened: readonly { opened(ws: WebSocket, request: FastifyRequest): void }[]
}

export const mount = (app: FastifyInstance, route: Route, { guard, answering, findings, opened }: Mounting): void => {
  const { params, querystring } = route
  const body = route.body ?? (route.method === 'GET' ? undefined : NO_BODY)
  app.route<Parts>({
    method: route.method,
    url: route.path,
    schema: {
      operationId: route.name,
      summary: route.summary,
      tags: [route.tag],
      ...defined({ description: route.description, params, querystring, body }),
    },
    onRequest: guard.admit(route),
    ...defined({ bodyLimit: route.bodyLimit }),
    ...(body && {
      preParsing: (request, _reply, payload, done) => {
        checkMedia(request)
        done(null, payload)
      },
      // An empty body is `{}`.
      preValidation: (request, _reply, done) => {
        if (request.body === undefined) request.body = {}
        done()
      },
      preHandler: guard.readmit(route),
    }),
    ...defined({
      wsHandler: route.upgrade
        ? (ws: WebSocket, request: FastifyRequest) => {
            for (const each of opened) each.opened(ws, request)
            route.upgrade?.(ws, request)
          }
        : undefined,
    }),
    handler: async (request, reply) => {
      const found = findings.of(request.raw)?.answer
      const edge = edgeRequest(request)
      const answer = await (found ?? guard.metered(request, () => route.handle(edge)))
      findings.learn(route, request, edge, answer)
      return answering.answer(request, reply, answer)
    },
  })
}

/** All methods of these routes, as Allow lists them. */
export const methodsOf = (routes: readonly Pick<Route, 'method'>[]): string => {
  const methods = routes.map(({ method }) => method)
  return [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])].toSorted().join(', ')
}

/** Which methods an address has, for those that ask with another one. */
export const openAllowed = (routes: readonly Pick<Route, 'method' | 'path'>[]) => {
  const byPath = Map.groupBy(routes, route => route.path)
  const known = [...byPath].map(([path, same]) => {
    return {
      path,
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:[a-z]+/gi, '[^/]+')}$`),
      same,
    }
  })
  return (path: string): string | undefined => {
    // /v1/entries/export is an address of its own, and only looks like an entry.
    const exact = known.find(each => each.path === path)
    const found = exact?.same ?? known.flatMap(({ pattern, same }) => (pattern.test(path) ? same : []))
    return found.length > 0 ? methodsOf(found) : undefined
  }
}
