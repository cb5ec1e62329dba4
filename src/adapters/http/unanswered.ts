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
import { endIn, LINGER_MS } from './staged-close.ts'
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

/** A method is a token (RFC 9110, 5.6.2). Before it may stand the end of a body, and what follows the first line is of no interest. */
const REQUEST_LINE = /^(?:[^\n]*[^!#$%&'*+.^_`|~0-9A-Za-z -])?([!#$%&'*+.^_`|~0-9A-Za-z-]+) [!-~]+ HTTP\/(\d)\.\d\r?\n/

/** What Node says of what its parser could not take: the bytes as they came, with how many of them were sound. */
export type ParseError = Error & { readonly code: string; readonly rawPacket?: unknown; readonly bytesParsed?: unknown }

/** The line at which the parser came to its end: those before are of other requests. */
const brokenLine = ({ rawPacket, bytesParsed }: ParseError): string => {
  if (!Buffer.isBuffer(rawPacket)) return ''
  const text = rawPacket.toString('latin1')
  const at = typeof bytesParsed === 'number' ? bytesParsed : 0
  const lineAt = (byte: number): number => (byte <= 0 ? 0 : text.lastIndexOf('\n', byte - 1) + 1)
  const start = lineAt(at)
  const before = lineAt(start - 1)
  // Of the preface of HTTP/2 the parser knows only after the line that it is none.
  return text.slice(text.startsWith('PRI ', before) ? before : start).replace(/^(?:\r\n)+/, '')
}

/** A whole line of a request that Node's parser knows no method or version for, told from what is no HTTP at all. */
const unknownTo = (error: ParseError): EdgeCode | undefined => {
  const [, method, major] = REQUEST_LINE.exec(brokenLine(error)) ?? []
  if (major === undefined) return undefined
  // What begins as the preface of HTTP/2 and is none, the parser calls a wrong version whatever the version is.
  const isMethod = error.code === 'HPE_INVALID_METHOD' || method === 'PRI'
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
  // Who is late has had their time. All others may be writing still, and are not waited for either.
  if (problem.code === 'request-timeout') socket.once('finish', () => socket.destroy())
  endIn(socket, LINGER_MS)
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse }

const isOver = ({ response }: Exchange): boolean => response.writableFinished || response.destroyed

export type Refuser = {
  /** Told of each request as it begins. */
  began(request: IncomingMessage, response: ServerResponse): void
  /** For what is not HTTP. */
  refuse(error: ParseError, socket: Duplex): void
}

/** Who sends one request after the other without waiting is answered those that came whole before the broken one (RFC 9112, 9.3.2). */
export const openRefuser = (bare: Bare): Refuser => {
  const exchanges = new WeakMap<Duplex, readonly Exchange[]>()
  const refused = new WeakSet<Duplex>()
  const refuseAfter = (before: readonly Exchange[], socket: Duplex, refuse: () => void): void => {
    const waited = before.find(exchange => !isOver(exchange))
    if (waited) waited.response.once('close', () => refuseAfter(before, socket, refuse))
    else if (socket.writable) refuse()
    else socket.destroy()
  }
  return {
    began: (request, response) => {
      const before = exchanges.get(request.socket)
      const began = { request, response }
      exchanges.set(request.socket, before ? [...before.filter(exchange => !isOver(exchange)), began] : [began])
    },
    refuse: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
      // What comes after the broken one is not read, whatever it is.
      if (refused.has(socket)) return
      refused.add(socket)
      const unknown = UNKNOWN.has(error.code) ? unknownTo(error) : undefined
      const code = unknown ?? clientErrors.get(error.code) ?? 'request-malformed'
      const open = (exchanges.get(socket) ?? []).filter(exchange => !isOver(exchange))
      // The last one is broken itself where its body has not come to an end.
      const broken = open.find(({ request }) => !request.complete)
      refuseAfter(open.slice(0, broken ? open.indexOf(broken) : open.length), socket, () => {
        if (broken?.response.headersSent) socket.destroy()
        else refuseOn(bare, socket, new ProblemError(code, helpOf(code)))
      })
    },
  }
}

/**
 * Who asks before it sends a body is told to once somebody reads that, and not before: what is refused by its headers is refused without
 * (RFC 9110, 10.1.1). What was not sent for may come all the same, and is read by nobody.
 */
const continueOnceRead = (request: IncomingMessage, response: ServerResponse): void => {
  const read = request._read.bind(request)
  response.setHeader('connection', 'close')
  request._read = size => {
    request._read = read
    if (!response.headersSent) {
      response.removeHeader('connection')
      response.writeContinue()
    }
    read(size)
  }
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

/** Does it become a socket, which its connection is from then on? */
export const becomesSocket = (request: IncomingMessage): boolean => isUpgrade(request) && offersUpgrade(request)

const offersUpgrade = ({ headers }: IncomingMessage): boolean =>
  (headers.connection ?? '').split(',').some(option => option.trim().toLowerCase() === 'upgrade')

/** Adds the first hook of the server, and what Node asks its listeners for. `methods`: all that any address has, as Allow lists them. */
export const prepareRequests = (
  app: FastifyInstance,
  { bare, refuser, methods }: { readonly bare: Bare; readonly refuser: Refuser; readonly methods: string },
): void => {
  const unmet = new WeakSet<IncomingMessage>()
  app.server.on('request', refuser.began)
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    refuser.began(request, response)
    continueOnceRead(request, response)
    app.routing(request, response)
  })
  // Node's own answer is an empty one (RFC 9110, 10.1.1); the hook below refuses it as all else is refused.
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    refuser.began(request, response)
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
    const upgrading = becomesSocket(raw)
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
