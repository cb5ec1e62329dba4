/** How answers and problems go out: headers, entity tags, compression, one place for both. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { codeOf } from '../../core/files/error-code.ts'
import { UndecodableEventError } from '../../core/log/log.ts'
import { TokenError } from '../../core/log/opaque.ts'
import { later } from '../../core/log/positions.ts'
import type { SyncTokens } from '../../core/log/sync-tokens.ts'
import { ProjectionError } from '../../core/project/errors.ts'
import { traceIdOf } from '../../domain/trace.ts'
import { EventStoreError, MAX_APPEND_BYTES } from '../../ports/event-store.ts'
import { JobsError } from '../../ports/jobs.ts'
import { KeysError } from '../../ports/keys.ts'
import { PasswordsBusyError } from '../../ports/passwords.ts'
import { ReadStoreError } from '../../ports/read-store.ts'
import { traceparentOf } from './idempotency.ts'
import type { Hit } from './limits.ts'
import { encodingFor } from './negotiation.ts'
import { type EdgeCode, helpOf } from './problems/edge.ts'
import { ProblemError, type Problems, problemBody } from './problems.ts'
import type { Answer } from './route.ts'
import { type Admission, cacheControl, secure, standingHeaders } from './security.ts'
import { BODY_LIMIT, endWithBody } from './staged-close.ts'

/** An answer tells its age once the log was not heard for so long, in milliseconds: it is asked every second. */
const STALE_MS = 3_000

export const JSON_TYPE = 'application/json; charset=utf-8'
/** Bodies that are smaller cost more to compress than they save. */
const COMPRESS_FROM = 1024

export type Answering = {
  answer(request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply | Promise<FastifyReply>
  /** `hit`: what the limit said, where the request came so far. */
  problem(request: FastifyRequest, reply: FastifyReply, error: unknown, hit?: Hit): Promise<FastifyReply>
}

const fastifyCodes: ReadonlyMap<string, EdgeCode> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'payload-too-large'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported-media-type'],
  ['FST_ERR_CTP_EMPTY_TYPE', 'unsupported-media-type'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'request-malformed'],
  ['FST_ERR_BAD_URL', 'request-malformed'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'not-found'],
])

const bytes = (count: number): string => `${count.toLocaleString('en-US')} bytes`
const bodyTooLarge = (limit: number): string => `A body is ${bytes(limit)} at most.`
const APPEND_TOO_LARGE = `What one change writes to the log is ${bytes(MAX_APPEND_BYTES)} at most, in which text takes a third more.`

const storeCodes: Readonly<Record<EventStoreError['code'], EdgeCode>> = {
  unavailable: 'store-unavailable',
  busy: 'busy',
  closed: 'closing',
  'too-large': 'payload-too-large',
  corrupt: 'store-damaged',
  damaged: 'event-unreadable',
}

const statusOf = (error: unknown): number =>
  typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500

/** Any failure as a problem; what nobody foresaw is `internal`. `bodyLimit`: bytes that the route takes. */
export const problemOfError = (error: unknown, bodyLimit: number = BODY_LIMIT): ProblemError => {
  if (error instanceof ProblemError) return error
  if (error instanceof TokenError) return new ProblemError(error.code, error.message)
  if (error instanceof ProjectionError)
    return new ProblemError(
      error.code === 'projection-unfinished' ? 'projection-building' : error.code,
      error.message,
      { cause: error },
    )
  if (error instanceof UndecodableEventError)
    return new ProblemError('event-unreadable', helpOf('event-unreadable'), { cause: error })
  if (error instanceof EventStoreError) {
    const code = storeCodes[error.code]
    const detail = error.code === 'too-large' ? APPEND_TOO_LARGE : helpOf(code)
    return new ProblemError(code, detail, { cause: error })
  }
  if (error instanceof ReadStoreError) {
    const known = {
      unavailable: 'store-unavailable',
      closed: 'closing',
      gone: 'projection-building',
      damaged: 'projection-building',
      corrupt: 'projection-building',
      fenced: 'internal',
    } as const
    const code = known[error.code]
    return new ProblemError(code, helpOf(code), { cause: error })
  }
  if (error instanceof JobsError) {
    const code = error.code === 'closed' ? 'closing' : error.code === 'damaged' ? 'store-damaged' : 'store-unavailable'
    return new ProblemError(code, helpOf(code), { cause: error })
  }
  if (error instanceof PasswordsBusyError)
    return new ProblemError('passwords-busy', helpOf('passwords-busy'), { cause: error })
  if (error instanceof KeysError) {
    const code = error.code === 'corrupt' ? 'store-damaged' : error.code === 'closed' ? 'closing' : 'store-unavailable'
    return new ProblemError(code, helpOf(code), { cause: error })
  }
  const known = fastifyCodes.get(codeOf(error) ?? '')
  if (known === 'payload-too-large') return new ProblemError(known, bodyTooLarge(bodyLimit), { cause: error })
  if (known) return new ProblemError(known, helpOf(known), { cause: error })
  // Fastify and its plugins mark what the client did with a status; their words stay in the log.
  if (statusOf(error) < 500) return new ProblemError('request-malformed', helpOf('request-malformed'), { cause: error })
  return new ProblemError('internal', helpOf('internal'), { cause: error })
}

/** Of what a request asks for that nobody has or that comes later, and no fault of the service: a stranger would fill the log of errors with it. */
const askedFor: ReadonlySet<string> = new Set<EdgeCode>([
  'projection-behind',
  'method-not-implemented',
  'version-not-supported',
])

/** The trace that the request belongs to, as every line about it and about its events names it. */
export const traceOf = (request: Pick<FastifyRequest, 'id' | 'headers'>): string =>
  traceIdOf(request.id, traceparentOf(request))

/** What the limit said of a request that has been admitted. */
export const hitOf = (request: FastifyRequest): Hit | undefined =>
  request.getDecorator<Admission | null>('admission')?.hit

/** A page with a script of its own says which one; two policies would both be in force. */
const withPolicy = (standing: readonly string[], policy: string): readonly string[] =>
  standing.map((each, at) => (standing[at - 1] === 'content-security-policy' ? policy : each))

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

export const openAnswering = (deps: {
  readonly syncTokens: SyncTokens
  readonly problems: Problems
  /** What this node's read models reflect at least. */
  readonly position: () => bigint
  /** The last position that this node has written. */
  readonly written: () => bigint
  readonly logger: Logger
  /** The service is reached by https. */
  readonly strict: boolean
  /** Milliseconds since the log was heard: what is read while it is away is so old. */
  readonly deafFor: () => number
  /** Is the request for a route that says nothing of positions? */
  readonly positionless: (request: FastifyRequest) => boolean
  /** No plugin has headers to add to answers. */
  readonly direct: boolean
}): Answering => {
  const { syncTokens, problems, logger, strict, deafFor, direct } = deps

  const compressible = (request: FastifyRequest, body: Answer['body']): boolean =>
    request.headers['accept-encoding'] !== undefined &&
    body !== undefined &&
    (typeof body !== 'string' || body.length >= COMPRESS_FROM)

  const standing = standingHeaders(strict)

  /** The furthest position that an answer of this node has named. */
  let told = 0n

  /**
   * Of an answer that names no position of its own. It is never behind what the request named, nor, where a request may write,
   * behind what this node has written by now: what was written for it is among that, and a client that keeps the last token does not
   * step back after a write that was refused.
   */
  const positionFor = (request: FastifyRequest): bigint => {
    // An address that the router could not read never became a request of ours: there is no place for an admission on it.
    const admission = 'admission' in request ? request.getDecorator<Admission | null>('admission') : null
    const asked = admission?.after ?? 0n
    const reached = isRead(request) ? deps.position() : later(told, deps.written())
    return later(asked, reached)
  }
  /** None of a route that says nothing of positions, and where it is not known what stands at this one and the log cannot be asked. */
  const syncTokenFor = (request: FastifyRequest, own?: bigint): string | undefined | Promise<string | undefined> => {
    if (deps.positionless(request)) return undefined
    const position = own ?? positionFor(request)
    const isNews = own !== undefined || position > told
    told = later(told, position)
    const made = syncTokens.made(position)
    if (made !== undefined) return made
    // Nothing that is read waits for a log that is away; one that has just taken a write is there, whenever it was heard last.
    const wrote = isNews && !isRead(request)
    if (!wrote && deafFor() >= STALE_MS) return Promise.resolve(undefined)
    return syncTokens.of(position).catch(() => undefined)
  }

  /** All headers, name and value in turn. */
  const headersOf = (
    request: FastifyRequest,
    answer: Answer,
    { hit, token, compressed }: { hit: Hit | undefined; token: string | undefined; compressed: boolean },
  ): string[] => {
    const { status, position, etag } = answer
    const cache = answer.cache ?? cacheControl(request, status)
    const policy = answer.headers?.['content-security-policy']
    const own = typeof policy === 'string' ? policy : undefined
    const headers = [
      ...(own === undefined ? standing : withPolicy(standing, own)),
      'x-request-id',
      request.id,
      'cache-control',
      cache,
    ]
    if (hit) headers.push('ratelimit-policy', hit.policy, 'ratelimit', hit.rateLimit)
    if (token !== undefined) headers.push('sync-token', token)
    const age = position === undefined ? 0 : deafFor()
    // RFC 9111, 5.1: seconds since it was validated where it comes from, which is the log.
    if (age >= STALE_MS && Number.isFinite(age)) headers.push('age', String(Math.floor(age / 1000)))
    // The tag names the plain bytes: of compressed ones it is only a weak validator (RFC 9110, 8.8.1).
    if (etag !== undefined) headers.push('etag', compressed ? `W/${etag}` : etag)
    if (answer.body !== undefined || answer.type !== undefined) headers.push('content-type', answer.type ?? JSON_TYPE)
    if (answer.headers)
      for (const [name, value] of Object.entries(answer.headers))
        if (name !== 'content-security-policy')
          for (const each of typeof value === 'string' ? [value] : value) headers.push(name, each)
    return headers
  }

  const send = (
    request: FastifyRequest,
    reply: FastifyReply,
    answer: Answer,
    token: string | undefined,
  ): FastifyReply => {
    const { status, body } = answer
    const encoding = answer.encoded && encodingFor(request.headers['accept-encoding'])
    const compressed = encoding !== undefined || (answer.encoded === undefined && compressible(request, body))
    const headers = headersOf(request, answer, { hit: hitOf(request), token, compressed })
    if (encoding !== undefined) headers.push('content-encoding', encoding)
    if (direct && typeof body === 'string' && !compressed) {
      // Nothing is left for Fastify to do but to copy the headers one by one, so they are written as they are.
      headers.push('content-length', String(Buffer.byteLength(body)))
      reply.hijack()
      reply.raw.writeHead(status, headers)
      reply.raw.end(body)
      return reply
    }
    reply.code(status)
    for (let at = 0; at < headers.length; at += 2) reply.header(headers[at] ?? '', headers[at + 1])
    if (body === undefined && request.method === 'HEAD') {
      // The length of what GET would stream is not known, so none is said (RFC 9110, 8.6).
      const known = Object.entries(reply.getHeaders())
      reply.hijack()
      for (const [name, value] of known) if (value !== undefined) reply.raw.setHeader(name, value)
      reply.raw.writeHead(status)
      reply.raw.end()
      return reply
    }
    if (body === undefined) return reply.send()
    if (encoding !== undefined) return reply.send(answer.encoded?.(encoding))
    if (!compressed) return reply.send(body)
    reply.compress(body)
    return reply
  }

  return {
    answer: (request, reply, answer) => {
      const token = syncTokenFor(request, answer.position)
      // At once where it is at hand: most answers are of one position.
      return token instanceof Promise
        ? token.then(found => send(request, reply, answer, found))
        : send(request, reply, answer, token)
    },
    problem: async (request, reply, error, hit) => {
      endWithBody(request, reply, true)
      const problem = problemOfError(error, request.routeOptions.bodyLimit)
      const declared = problems.of(problem.code)
      const { status, retryAfter } = declared
      if (status >= 500 && !askedFor.has(problem.code))
        logger.error(
          { req: request.id, trace: traceOf(request), code: problem.code, err: problem.cause ?? problem },
          'request failed',
        )
      secure(reply, request.id, strict)
      reply.code(status).header('cache-control', 'private, no-store')
      if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter))
      if (hit) reply.header('ratelimit-policy', hit.policy).header('ratelimit', hit.rateLimit)
      const token = await syncTokenFor(request)
      if (token !== undefined) reply.headers({ 'sync-token': token })
      for (const [name, value] of Object.entries(problem.headers))
        reply.header(name, typeof value === 'string' ? value : [...value])
      return reply.header('content-type', 'application/problem+json').send(problemBody(declared, problem, request.id))
    },
  }
}
