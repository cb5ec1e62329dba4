/**
 * What Node would answer without us, or not at all: what is no HTTP, what asks for a tunnel, expects what nobody can meet, or
 * offers another protocol. Each is answered with a problem document, like everything else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { pathOf } from './mount.ts'
import { type EdgeCode, helpOf } from './problems/edge.ts'
import { ProblemError, type Problems, problemBody } from './problems.ts'
import { checkRequest, originForm } from './request-target.ts'
import { LIVE_PATH } from './websocket.ts'

export type Bare = {
  readonly newId: () => string
  readonly logger: Logger
  readonly problems: Problems
  /** Headers of every answer, name and value in turn. */
  readonly standing: readonly string[]
  /** The last one at hand: on the bare socket nothing is waited for. */
  readonly syncToken: () => string | undefined
}

const clientErrors: ReadonlyMap<string, EdgeCode> = new Map([
  ['HPE_HEADER_OVERFLOW', 'headers-too-large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request-timeout'],
  // The preface of HTTP/2 (RFC 9113, 3.4), whole.
  ['HPE_PAUSED_H2_UPGRADE', 'version-not-supported'],
])

/** A method is a token (RFC 9110, 5.6.2); what follows the first line is of no interest. */
const REQUEST_LINE = /^(?:\r\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]+) [!-~]+ HTTP\/(\d)\.\d\r?\n/

/** A whole line of a request that Node's parser knows no method or version for, told from what is no HTTP at all. */
const unknownTo = (packet: unknown, code: string): EdgeCode | undefined => {
  const [, method, major] = REQUEST_LINE.exec(Buffer.isBuffer(packet) ? packet.toString('latin1') : '') ?? []
  if (major === undefined) return undefined
  // What begins as the preface of HTTP/2 and is none, the parser calls a wrong version whatever the version is.
  const isMethod = code === 'HPE_INVALID_METHOD' || method === 'PRI'
  return major === '1' && isMethod ? 'method-not-implemented' : 'version-not-supported'
}
const UNKNOWN: ReadonlySet<string> = new Set(['HPE_INVALID_METHOD', 'HPE_INVALID_VERSION'])

/** What never becomes a request is answered on the bare socket. */
const refuseOn = (
  { newId, logger, problems, standing, syncToken }: Bare,
  socket: Duplex,
  problem: ProblemError,
  more: readonly string[] = [],
): void => {
  const declared = problems.of(problem.code)
  const { status, title } = declared
  const id = newId()
  logger.info({ req: id, status, code: problem.code }, 'request refused')
  const body = problemBody(declared, problem, id)
  const token = syncToken()
  const headers = [
    ...standing,
    'content-type',
    'application/problem+json',
    'x-request-id',
    id,
    'cache-control',
    'private, no-store',
    'content-length',
    String(Buffer.byteLength(body)),
    'connection',
    'close',
    ...(token === undefined ? [] : ['sync-token', token]),
    ...more,
  ]
  const lines = headers.flatMap((value, at) => (at % 2 === 1 ? [`${headers[at - 1]}: ${value}`] : []))
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** For what is not HTTP. */
export const openRefuser =
  (bare: Bare) =>
  (error: Error & { code: string; rawPacket?: unknown }, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const unknown = UNKNOWN.has(error.code) ? unknownTo(error.rawPacket, error.code) : undefined
    const code = unknown ?? clientErrors.get(error.code) ?? 'request-malformed'
    refuseOn(bare, socket, new ProblemError(code, helpOf(code)))
  }

/**
 * Is this request to become a WebSocket? Who offers another protocol with an ordinary one, as some clients do with h2c, is to be
 * answered in this one (RFC 9110, 7.8), and nobody is to be upgraded at an address that is no WebSocket, or by HTTP/1.0.
 */
export const isUpgrade = ({ headers, method, url = '', httpVersion }: IncomingMessage): boolean =>
  method === 'GET' &&
  httpVersion !== '1.0' &&
  headers.upgrade?.toLowerCase() === 'websocket' &&
  pathOf(originForm(url)) === LIVE_PATH

const offersUpgrade = ({ headers }: IncomingMessage): boolean =>
  (headers.connection ?? '').split(',').some(option => option.trim().toLowerCase() === 'upgrade')

/** Adds the first hook of the server, and what Node asks its listeners for. `methods`: all that any address has. */
export const prepareRequests = (app: FastifyInstance, bare: Bare, methods: string): void => {
  const unmet = new WeakSet<IncomingMessage>()
  // Node's own answer is an empty one (RFC 9110, 10.1.1); the hook below refuses it as all else is refused.
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    unmet.add(request)
    app.routing(request, response)
  })
  // Node's own answer is none at all.
  app.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined)
    refuseOn(bare, socket, new ProblemError('method-not-allowed', 'This is no proxy.'), ['allow', methods])
  })
  app.addHook('onRequest', (request: FastifyRequest, reply, done) => {
    const { raw } = request
    const upgrading = isUpgrade(raw) && offersUpgrade(raw)
    // What follows is read by nobody: of a body that was not sent for, or on a connection that Node has given away.
    if (unmet.has(raw) || upgrading) reply.header('connection', 'close')
    // Nor does anybody end that one, where a hook refuses it before the library has seen it.
    if (upgrading) reply.raw.once('finish', () => raw.socket.end())
    try {
      // Node takes the one version more that others speak on connections of another kind.
      if (raw.httpVersionMajor !== 1) {
        reply.header('connection', 'close')
        throw new ProblemError('version-not-supported', helpOf('version-not-supported'))
      }
      checkRequest(request)
      if (unmet.has(raw)) throw new ProblemError('expectation-failed', helpOf('expectation-failed'))
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
