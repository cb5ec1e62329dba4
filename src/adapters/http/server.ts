/** The HTTP server: limits against hostile clients, routes, logging, graceful close. */
import type { AddressInfo, Socket } from 'node:net'
import { constants } from 'node:zlib'
import fastifyCompress from '@fastify/compress'
import fastifyCors from '@fastify/cors'
import fastifyWebsocket from '@fastify/websocket'
import fastify, { type FastifyInstance } from 'fastify'
import Type from 'typebox'
import { type Answering, hitOf, openAnswering, traceOf } from './answering.ts'
import type { HttpDeps, HttpSettings } from './deps.ts'
import { registerDocs } from './docs.ts'
import { parseJsonBody } from './json-body.ts'
import { openLimits } from './limits.ts'
import { mount, openAllowed, pathOf } from './mount.ts'
import { registerOpenApi } from './openapi.ts'
import { type ProblemCode, ProblemError, problemBody, problemOf } from './problems.ts'
import type { Route } from './route.ts'
import { routes as routesOf } from './routes.ts'
import { LIVE_PATH, SUBPROTOCOL } from './routes-live.ts'
import { type Admission, openGuard } from './security.ts'
import { openCursors, openSyncTokens } from './tokens.ts'
import { schemaErrorFormatter, validatorCompiler } from './validation.ts'

export type HttpServer = {
  /** Listens; the base address, such as http://127.0.0.1:8080. @throws when the address is taken: one sentence, with `code`. */
  listen(host: string, port: number): Promise<{ readonly address: string }>
  /** Stops accepting, lets what runs finish, cuts what is left after ten seconds. Repeating it is harmless. */
  close(): Promise<void>
  /** Sends a request without a socket. */
  readonly inject: FastifyInstance['inject']
}

const BODY_LIMIT = 1024 * 1024
/** Of a WebSocket; a longer one is refused by its header, before it is read. */
const LARGEST_MESSAGE = 64 * 1024
const HEADER_LIMIT = 16 * 1024
/** The rest of the ten seconds is for what the program flushes after this server. */
const CLOSE_MS = 9_000
const IDLE_MS = 50

const exposed = [
  ...['ETag', 'Location', 'Link', 'Sync-Token', 'Retry-After', 'RateLimit', 'RateLimit-Policy'],
  ...['X-Request-Id', 'Idempotent-Replayed'],
]

const clientErrors: ReadonlyMap<string, ProblemCode> = new Map([
  ['HPE_HEADER_OVERFLOW', 'headers-too-large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request-timeout'],
])

/** What is not HTTP never becomes a request: it is answered on the bare socket. */
const openRefuser = (newId: () => string) => (error: Error & { code: string }, socket: Socket) => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const code = clientErrors.get(error.code) ?? 'request-malformed'
  const { status, title, help } = problemOf(code)
  const id = newId()
  const body = problemBody(new ProblemError(code, help), id)
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\nx-request-id: ${id}\r\ncache-control: private, no-store\r\nx-content-type-options: nosniff\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

const create = (settings: HttpSettings, newId: () => string, answering: Answering): FastifyInstance => {
  const { trustedProxies, timeouts = { headersMs: 10_000, requestMs: 30_000 } } = settings
  return fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: timeouts.requestMs,
    connectionTimeout: 60_000,
    keepAliveTimeout: 30_000,
    http: {
      headersTimeout: timeouts.headersMs,
      // How often Node looks for the slow: its own 30 s would let them stay that much longer.
      connectionsCheckingInterval: Math.min(2_000, timeouts.headersMs),
      maxHeaderSize: HEADER_LIMIT,
      // Who offers another protocol with an ordinary request, as some clients do with h2c, is to be answered in this one
      // (RFC 9110, 7.8), and nobody is to be upgraded at an address that is no WebSocket.
      shouldUpgradeCallback: ({ headers: { upgrade }, method, url = '' }) =>
        method === 'GET' && upgrade?.toLowerCase() === 'websocket' && pathOf(url) === LIVE_PATH,
    },
    routerOptions: { maxParamLength: 200 },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    // Requests that come on open connections while closing are still served; their connection then ends.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: ({ headers: { 'x-request-id': id } }) =>
      typeof id === 'string' && /^[\x21-\x7e]{1,128}$/.test(id) ? id : newId(),
    clientErrorHandler: openRefuser(newId),
    frameworkErrors: (error, request, reply) => void answering.problem(request, reply, error),
    schemaErrorFormatter,
  })
}

const prepareBodies = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    (_request, body, done) => {
      try {
        done(null, parseJsonBody(Buffer.isBuffer(body) ? body : Buffer.from(body)))
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  )
}

const prepareRefusals = (app: FastifyInstance, all: readonly Route[], answering: Answering): void => {
  const allowed = openAllowed(all)
  app.setErrorHandler((error, request, reply) => answering.problem(request, reply, error, hitOf(request)))
  app.setNotFoundHandler((request, reply) => {
    const allow = allowed(pathOf(request.url))
    if (allow !== undefined && request.method === 'OPTIONS')
      return answering.answer(request, reply, { status: 204, headers: { allow } })
    return answering.problem(
      request,
      reply,
      allow === undefined
        ? new ProblemError('not-found', 'There is nothing at this address.')
        : new ProblemError('method-not-allowed', `${request.method} is not offered here.`, { headers: { allow } }),
    )
  })
}

const prepareMetrics = (app: FastifyInstance, { metrics }: HttpDeps): void => {
  if (!metrics) return
  app.addHook('onResponse', (request, reply, done) => {
    metrics.request(request.method, request.routeOptions.url, reply.statusCode, reply.elapsedTime)
    done()
  })
}

/** Longer than any address of ours: the rest of a made-up one says nothing more. */
const LOGGED_PATH = 200

/** One line a request, without its query string, its headers and its body: tickets and people's words stay out of the log. */
const prepareLog = (app: FastifyInstance, { logger }: HttpDeps): void => {
  if (!logger.isLevelEnabled('info')) return
  app.addHook('onResponse', (request, reply, done) => {
    const path = pathOf(request.url)
    const actor = request.getDecorator<Admission | null>('admission')?.requester.actor?.id
    logger.info(
      {
        ...{ req: request.id, trace: traceOf(request), method: request.method, status: reply.statusCode },
        path: path.length > LOGGED_PATH ? path.slice(0, LOGGED_PATH) : path,
        ms: Math.round(reply.elapsedTime * 100) / 100,
        ...(actor !== undefined && { actor }),
      },
      'request',
    )
    done()
  })
}

const documentRoute = (document: () => string): Route => ({
  ...{ method: 'GET', path: '/v1/openapi.json', name: 'openapi', tag: 'Operation', summary: 'This document' },
  ...{ querystring: Type.Object({}, { additionalProperties: false }), request: {}, problems: [] },
  answers: {
    200: {
      description: 'OpenAPI 3.1.',
      schema: Type.Object({ openapi: Type.String() }, { additionalProperties: true }),
      example: { openapi: '3.1.0', info: { title: 'Lexichron', version: '0.1.0' }, paths: {} },
    },
  },
  handle: () => ({ status: 200, body: document() }),
})

const taken = (error: unknown, host: string, port: number): unknown => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const say = (sentence: string) => Object.assign(new Error(sentence, { cause: error }), { code })
  if (code === 'EADDRINUSE') return say(`Port ${port} on ${host} is in use by another program.`)
  if (code === 'EACCES') return say(`Port ${port} on ${host} may not be opened by this user.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return say(`${host} is not an address of this machine.`)
  return error
}

/** The server, ready to listen. @throws {KeysError} when its secrets cannot be read. */
export const openHttpServer = async (deps: HttpDeps): Promise<HttpServer> => {
  const { settings, log, keys, logger, newId } = deps
  const [syncSecret, cursorSecret, fingerprintSecret] = await Promise.all(
    ['sync-token', 'cursor', 'fingerprint'].map(purpose => keys.secret(purpose)),
  )
  if (!syncSecret || !cursorSecret || !fingerprintSecret) throw new Error('A secret is missing.')
  const syncTokens = openSyncTokens(syncSecret, log.logId)
  const cursors = openCursors(cursorSecret, log.logId)
  const limits = openLimits({ cache: deps.cache, clock: deps.clock, limits: settings.limits })
  const strict = settings.publicUrl?.startsWith('https:') === true
  const answering = openAnswering({
    ...{ syncTokens, position: deps.freshness.position, logger, strict },
    deafFor: () => deps.authority.deafFor(),
    direct: settings.allowedOrigins.length === 0,
  })
  let closing: Promise<void> | undefined

  let head = 0n
  const reach = async (position: bigint): Promise<void> => {
    head = await log.head()
    if (position > head)
      throw new ProblemError('sync-token-invalid', 'The Sync-Token names a position that the log has not reached.')
  }
  const reachable = (position: bigint) => (position <= head ? undefined : reach(position))

  let document = ''
  const edge = {
    ...{ execute: deps.execute, newId, fingerprintSecret, syncTokens, cursors, limits, freshness: deps.freshness },
    isClosing: () => closing !== undefined,
  }
  const all = [...routesOf(deps, edge), documentRoute(() => document)]

  const app = create(settings, newId, answering)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(() => JSON.stringify)
  app.decorateRequest('admission', null)
  prepareBodies(app)
  prepareRefusals(app, all, answering)
  prepareMetrics(app, deps)
  prepareLog(app, deps)
  await app.register(fastifyCompress, {
    ...{ global: false, globalDecompression: false, encodings: ['br', 'gzip'], threshold: 1024 },
    customTypes: /json|html/,
    // Quality 4 takes a tenth of the time of the default 11 for nearly the same size.
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  })
  if (settings.allowedOrigins.length > 0)
    await app.register(fastifyCors, {
      ...{ origin: [...settings.allowedOrigins], strictPreflight: false, maxAge: 600, exposedHeaders: exposed },
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    })
  const { live } = deps
  if (live)
    await app.register(fastifyWebsocket, {
      options: {
        ...{ maxPayload: LARGEST_MESSAGE, perMessageDeflate: false, clientTracking: false },
        handleProtocols: protocols => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      },
      preClose: () => undefined,
    })
  // Before the server waits for what is open: what listens is sent away.
  app.addHook('preClose', async () => live?.close())
  const about = { version: deps.version, publicUrl: settings.publicUrl }
  await registerOpenApi(app, all, about)
  await registerDocs(app, strict)
  const guard = openGuard({ authority: deps.authority, limits, syncTokens, reachable })
  for (const route of all) mount(app, route, guard, answering)
  await app.ready()
  document = JSON.stringify(app.swagger())
  const connections = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })

  const close = async (): Promise<void> => {
    const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS)
    const leave = (): void => {
      // Node closes what is idle at the moment of closing; what was busy then becomes idle and would be kept alive.
      app.server.closeIdleConnections()
      // To Node, what a browser or a pool opens ahead of need is not idle: it would be waited for until it is cut.
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
    }
    const idle = setInterval(leave, IDLE_MS)
    await app.close().finally(() => {
      clearTimeout(cut)
      clearInterval(idle)
    })
  }

  return {
    listen: async (host, port) => {
      try {
        await app.listen({ host, port })
      } catch (error) {
        throw taken(error, host, port)
      }
      const bound: AddressInfo | string | null = app.server.address()
      const at = typeof bound === 'object' && bound !== null ? bound.port : port
      return { address: `http://${host.includes(':') ? `[${host}]` : host}:${at}` }
    },
    close: () => {
      closing ??= close()
      return closing
    },
    inject: app.inject.bind(app),
  }
}
