/** The HTTP server: limits against hostile clients, routes, logging, graceful close. */

import type { AddressInfo } from 'node:net'
import { constants } from 'node:zlib'
import fastifyCompress from '@fastify/compress'
import fastifyWebsocket from '@fastify/websocket'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import Type from 'typebox'
import { openSyncTokens } from '../../core/log/sync-tokens.ts'
import { openCursors } from '../../core/query/cursors.ts'
import { defined } from '../../domain/defined.ts'
import { isRequestId } from '../../domain/trace.ts'
import { prepareAccess } from './access.ts'
import { type Answering, hitOf, openAnswering } from './answering.ts'
import { prepareBlocking } from './blocking.ts'
import { clientAddress } from './client-address.ts'
import { openTrust, prepareConnections, type Trust } from './connections.ts'
import type { HttpDeps } from './deps.ts'
import { registerDocs } from './docs.ts'
import { openDocument } from './documents.ts'
import type { Edge } from './edge.ts'
import { prepareEndings } from './ending.ts'
import { openHotKeys } from './hot-keys.ts'
import { parseJsonBody } from './json-body.ts'
import { addressKey, openLimits } from './limits.ts'
import { openMeter } from './meter.ts'
import { methodsOf, mount, openAllowed, pathOf } from './mount.ts'
import { registerOpenApi } from './openapi.ts'
import { registerOrigins } from './origins.ts'
import { openProblems, ProblemError } from './problems.ts'
import { originForm } from './request-target.ts'
import { openResponses } from './responses.ts'
import type { Route } from './route.ts'
import { allow, openGuard, standingHeaders } from './security.ts'
import { openSessionCookies } from './session-cookies.ts'
import { BODY_LIMIT, endWithBody } from './staged-close.ts'
import { isUpgrade, openRefuser, prepareRequests, type Refuser } from './unanswered.ts'
import { schemaErrorFormatter, validatorCompiler } from './validation.ts'
import { openWarming } from './warming.ts'
import { SUBPROTOCOL } from './websocket.ts'

export type HttpServer = {
  /** Listens; the base address, such as http://127.0.0.1:8080. @throws when the address is taken: one sentence, with `code`. */
  listen(host: string, port: number): Promise<{ readonly address: string }>
  /** Stops accepting, lets what runs finish, cuts what is left after ten seconds. Repeating it is harmless. */
  close(): Promise<void>
  /** Sends a request without a socket. */
  readonly inject: FastifyInstance['inject']
}

/** Questions of which it is known how often they are asked. */
const HOT_KEYS = 1_000
/** Of a WebSocket; a longer one is refused by its header, before it is read. */
const LARGEST_MESSAGE = 64 * 1024
const HEADER_LIMIT = 16 * 1024
/** The rest of the ten seconds is for what the program flushes after this server. */
const CLOSE_MS = 7_000
const IDLE_MS = 50

const TIMEOUTS: NonNullable<HttpDeps['settings']['timeouts']> = { headersMs: 10_000, requestMs: 30_000 }
const STALLED_MS = 60_000
const SPARED_MS = 10_000

type Asked = { readonly answering: Answering; readonly refuser: Refuser; readonly isTrusted: Trust | undefined }

const create = ({ settings, newId }: HttpDeps, { answering, refuser, isTrusted }: Asked): FastifyInstance => {
  const { timeouts = TIMEOUTS } = settings
  return fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: timeouts.requestMs,
    connectionTimeout: timeouts.idleMs ?? STALLED_MS,
    keepAliveTimeout: 30_000,
    http: {
      // The answer says 30 s, and a request that is on its way when they are over is answered all the same.
      keepAliveTimeoutBuffer: SPARED_MS,
      headersTimeout: timeouts.headersMs,
      // How often Node looks for the slow: its own 30 s would let them stay that much longer.
      connectionsCheckingInterval: Math.min(2_000, timeouts.headersMs),
      maxHeaderSize: HEADER_LIMIT,
      // Node's own refusal is an empty page; the guard's is a problem document.
      requireHostHeader: false,
      shouldUpgradeCallback: isUpgrade,
    },
    // Asked as by a proxy, it is the same resource (RFC 9112, 3.2.2).
    rewriteUrl: ({ url = '' }) => originForm(url),
    routerOptions: { maxParamLength: 200 },
    trustProxy: isTrusted ?? false,
    // Requests that come on open connections while closing are still served; their connection then ends.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: ({ headers: { 'x-request-id': id } }) => (typeof id === 'string' && isRequestId(id) ? id : newId()),
    clientErrorHandler: refuser.refuse,
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

type Count = (request: Pick<FastifyRequest, 'ip' | 'socket'>) => Promise<unknown>

type Refuse = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

const prepareRefusals = (app: FastifyInstance, all: readonly Route[], answering: Answering, count: Count): Refuse => {
  // The page's own routes are its plugin's.
  const allowed = openAllowed([...all, { method: 'GET', path: '/docs' }])
  app.setErrorHandler((error, request, reply) => answering.problem(request, reply, error, hitOf(request)))
  const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    await count(request)
    const allow = request.url === '*' ? methodsOf(all) : allowed(pathOf(request.url))
    if (allow !== undefined && request.method === 'OPTIONS')
      return answering.answer(request, reply, { status: 204, headers: { allow } })
    return answering.problem(
      request,
      reply,
      allow === undefined
        ? new ProblemError('not-found', 'There is nothing at this address.')
        : new ProblemError('method-not-allowed', `${request.method} is not offered here.`, { headers: { allow } }),
    )
  }
  app.setNotFoundHandler(refuse)
  return refuse
}

const documentRoute = (document: () => string): Route => ({
  method: 'GET',
  path: '/v1/openapi.json',
  name: 'openapi',
  tag: 'Operation',
  summary: 'This document',
  rate: 'reads',
  querystring: Type.Object({}, { additionalProperties: false }),
  request: {},
  problems: [],
  answers: {
    200: {
      description: 'OpenAPI 3.1.',
      headers: ['ETag'],
      schema: Type.Object({ openapi: Type.String() }, { additionalProperties: true }),
      example: { openapi: '3.1.0', info: { title: 'Lexichron', version: '0.1.0' }, paths: {} },
    },
  },
  handle: openDocument(document),
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
  const [syncSecret, cursorSecret, fingerprintSecret, csrfSecret] = await Promise.all(
    ['sync-token', 'cursor', 'fingerprint', 'csrf'].map(purpose => keys.secret(purpose)),
  )
  if (!syncSecret || !cursorSecret || !fingerprintSecret || !csrfSecret) throw new Error('A secret is missing.')
  const syncTokens = openSyncTokens(syncSecret, log)
  const cursors = openCursors(cursorSecret, log)
  const cookies = openSessionCookies({
    secret: csrfSecret,
    allowedOrigins: settings.allowedOrigins,
    publicUrl: settings.publicUrl,
  })
  const limits = openLimits({ cache: deps.cache, clock: deps.clock, limits: settings.limits })
  const strict = settings.publicUrl?.startsWith('https:') === true
  const positionless = new Set<string>()
  const problems = openProblems(deps.problems)
  const answering = openAnswering({
    problems,
    syncTokens,
    position: deps.freshness.position,
    written: deps.log.written,
    logger,
    strict,
    deafFor: () => deps.authority.deafFor(),
    direct: settings.allowedOrigins.length === 0,
    positionless: ({ method, routeOptions: { url } }) => positionless.has(`${method} ${url}`),
  })
  let closing: Promise<void> | undefined

  let document = ''
  const { hot: warm } = deps
  const warming =
    warm &&
    openWarming({
      hot: openHotKeys(HOT_KEYS),
      records: warm,
      routes: () => all,
      scopes: () => deps.freshness.scopes(warm.reads),
      strangers: deps.authority.strangers,
      clock: deps.clock,
      newId,
      logger,
    })
  const responses = openResponses({
    ...defined({ onAsked: warming?.asked, names: deps.names }),
    cache: deps.cache,
    clock: deps.clock,
    newId,
    version: deps.version,
    scopes: deps.freshness.scopes,
    onError: err => logger.error({ part: 'cache', err }, 'an answer that is kept was not loaded anew'),
  })
  const edge: Edge = {
    execute: deps.execute,
    newId,
    fingerprintSecret,
    problems,
    syncTokens,
    cursors,
    limits,
    freshness: deps.freshness,
    responses,
    names: deps.names,
    cookies,
    publicUrl: settings.publicUrl,
    settings,
    version: deps.version,
    authority: deps.authority,
    clock: deps.clock,
    filling: deps.filling ?? (() => undefined),
    isClosing: () => closing !== undefined,
  }
  const all = [...deps.routes.flatMap(routes => routes(edge)), documentRoute(() => document)]
  for (const { positionless: silent, method, path } of all) if (silent) positionless.add(`${method} ${path}`)

  const bare = {
    problems,
    newId,
    logger,
    standing: standingHeaders(strict),
    syncToken: () => syncTokens.lastMade(deps.freshness.position()),
  }
  const refuser = openRefuser(bare)
  const isTrusted = openTrust(settings.trustedProxies)
  const app = create(deps, { answering, refuser, isTrusted })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(() => JSON.stringify)
  app.decorateRequest('admission', null)
  prepareBodies(app)
  const count: Count = async request =>
    allow(await limits.hit('reads', { name: addressKey(clientAddress(request)), isKnown: false }))
  const refuse = prepareRefusals(app, all, answering, count)
  const access = prepareAccess(app, deps)
  prepareRequests(app, { bare, refuser, methods: methodsOf(all) })
  const connections = prepareConnections(app, {
    most: settings.connections,
    isTrusted,
    onRefused: () => deps.metrics?.refused('connection'),
  })
  const blocking = prepareBlocking(app, deps.blocks, () => deps.clock.now().getTime())
  prepareEndings(app, deps.authority, deps.clock)
  await app.register(fastifyCompress, {
    global: false,
    globalDecompression: false,
    encodings: ['br', 'gzip'],
    threshold: 1024,
    customTypes: /json|html/,
    // Quality 4 takes a tenth of the time of the default 11 for nearly the same size.
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  })
  await registerOrigins(app, settings.allowedOrigins)
  // Before Fastify looks at the content, of which nobody here takes any: its type and its length say nothing then.
  app.addHook('onRequest', (request, reply, done) => {
    endWithBody(request, reply, request.is404)
    if (request.is404) void refuse(request, reply).catch(done)
    else done()
  })
  if (all.some(({ upgrade }) => upgrade))
    await app.register(fastifyWebsocket, {
      options: {
        maxPayload: LARGEST_MESSAGE,
        perMessageDeflate: false,
        clientTracking: false,
        handleProtocols: protocols => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      },
      preClose: () => undefined,
    })
  // Before the server waits for what is open: what listens is sent away.
  app.addHook('preClose', async () => deps.sockets?.close())
  const { strangers } = deps.authority
  const about = { version: deps.version, publicUrl: settings.publicUrl, problems, strangers }
  await registerOpenApi(app, all, about)
  await registerDocs(app, strict, count)
  const checkBlocked = blocking.check
  const guard = openGuard({
    authority: deps.authority,
    limits,
    meter: deps.meter ?? openMeter(),
    syncTokens,
    cookies,
    checkBlocked,
  })
  for (const route of all) mount(app, route, { guard, answering, opened: [access, blocking] })
  await app.ready()
  document = JSON.stringify(app.swagger())

  const close = async (): Promise<void> => {
    const warmed = warming?.close()
    const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS)
    const leave = (): void => {
      // Node closes what is idle at the moment of closing; what was busy then becomes idle and would be kept alive.
      app.server.closeIdleConnections()
      // To Node, what a browser or a pool opens ahead of need is not idle: it would be waited for until it is cut.
      for (const socket of connections.open) if (socket.bytesRead === 0) socket.destroy()
    }
    const idle = setInterval(leave, IDLE_MS)
    await app.close().finally(() => {
      clearTimeout(cut)
      clearInterval(idle)
    })
    await warmed
  }

  return {
    listen: async (host, port) => {
      try {
        await app.listen({ host, port })
      } catch (error) {
        throw taken(error, host, port)
      }
      warming?.start()
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
