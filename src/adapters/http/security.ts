/**
 * The one security hook. Before a body is read it settles who asks, whether they may, and whether it is too often; every
 * answer goes out under the headers set here. One hook, because each plugin more costs every request (helmet alone nearly
 * doubles a small one).
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SyncTokens } from '../../core/log/sync-tokens.ts'
import { type Permission, permitsSomewhere } from '../../domain/roles.ts'
import type { Authority } from './authority.ts'
import { addressKey, type Hit, type Limits } from './limits.ts'
import { ProblemError } from './problems.ts'
import type { RateClass, Requester, Route } from './route.ts'
import type { SessionCookies } from './session-cookies.ts'

/** What the hook found out, for the handler. */
export type Admission = {
  readonly requester: Requester
  readonly counted: string
  readonly after: bigint | undefined
  /** What the limit says, for the headers of the answer. */
  readonly hit: Hit | undefined
}

/** Longer than that without news, a node cannot say that a token still holds. */
const DEAF_MS = 10_000

const securityHeaders: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['vary', 'Accept, Accept-Encoding, Authorization, Cookie, Origin'],
]

/** Headers of every answer, name and value in turn. `strict` adds HSTS, which makes sense where the address is https. */
export const standingHeaders = (strict: boolean): readonly string[] => [
  ...securityHeaders.flat(),
  ...(strict ? ['strict-transport-security', 'max-age=31536000; includeSubDomains'] : []),
]

/** The same on an answer that Fastify writes. */
export const secure = (reply: FastifyReply, requestId: string, strict: boolean): void => {
  for (const [name, value] of securityHeaders) reply.header(name, value)
  if (strict) reply.header('strict-transport-security', 'max-age=31536000; includeSubDomains')
  reply.header('x-request-id', requestId)
}

/** A public resource read without credentials may be stored but is always asked for again; all else stays private. */
export const cacheControl = (request: FastifyRequest, status: number): string =>
  (request.method === 'GET' || request.method === 'HEAD') &&
  status < 400 &&
  request.headers.authorization === undefined &&
  request.headers.cookie === undefined
    ? 'public, no-cache'
    : 'private, no-store'

export const unauthenticated = (challenge: string, detail: string): ProblemError =>
  new ProblemError('unauthenticated', detail, { headers: { 'www-authenticate': challenge } })

export const REALM = 'Bearer realm="lexichron"'

const bearer = (authorization: string): string => {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i.exec(authorization)?.[1]
  if (token === undefined)
    throw unauthenticated(`${REALM}, error="invalid_request"`, 'Authorization is not of the form: Bearer <token>.')
  return token
}

/** Percent-encoding that stands for no text would be taken literally, and mean something else than was meant. */
const checkQuery = (url: string): void => {
  const start = url.indexOf('?')
  if (start < 0 || !url.includes('%', start)) return
  try {
    decodeURIComponent(url.slice(start + 1))
  } catch {
    throw new ProblemError('request-malformed', 'The query string is not percent-encoded UTF-8.')
  }
}

const mayAsk = (route: Pick<Route, 'byLanguage'>, permission: Permission, requester: Requester): boolean =>
  route.byLanguage ? permitsSomewhere(requester, permission) : requester.permissions.has(permission)

/** @throws {ProblemError} rate-limited. */
export const allow = (rate: RateClass, hit: Hit | undefined): Hit | undefined => {
  if (!hit || hit.allowed) return hit
  const { rateLimit, policy, retryAfter } = hit
  throw new ProblemError('rate-limited', `The limit of ${rate} is used up for ${retryAfter} seconds.`, {
    headers: { 'retry-after': String(retryAfter), 'ratelimit-policy': policy, ratelimit: rateLimit },
  })
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void
export type Guard = {
  /** Before the body is read. */
  admit(route: Route): Hook
  /** Once it has arrived, which may take its time: what is done is done with the rights of then. */
  readmit(route: Route): Hook
}

export const openGuard = (deps: {
  readonly authority: Authority
  readonly limits: Limits
  readonly syncTokens: SyncTokens
  readonly cookies: Pick<SessionCookies, 'access' | 'checkOrigin' | 'checkToken'>
  /** @throws {ProblemError} blocked, where the account of who asks is. */
  readonly checkBlocked: (requester: Requester) => void
}): Guard => {
  const { authority, limits, syncTokens, cookies } = deps
  const stranger: Requester = { permissions: authority.strangers }

  type Asking = { readonly address: string; readonly after: bigint | undefined; readonly diagnosis: boolean }
  const requesterOf = async (token: () => string, { address, after, diagnosis }: Asking) => {
    if ((authority.deafFor() > DEAF_MS && !diagnosis) || (after !== undefined && !(await authority.reached(after))))
      throw new ProblemError('authorisation-unavailable', 'Tokens and roles are not known as of now.')
    const found = await authority.authenticate(token())
    if (found) return found
    // Guesses are counted by address, so that nobody can have signatures checked without end.
    await count('writes', `${address} unauthenticated`)
    throw unauthenticated(`${REALM}, error="invalid_token"`, 'The access token is forged, expired or revoked.')
  }

  const count = async (rate: RateClass, counted: string) => allow(rate, await limits.hit(rate, counted))

  const afterOf = async (token: string | string[] | undefined): Promise<bigint | undefined> => {
    if (token === undefined) return undefined
    return (await syncTokens.read(Array.isArray(token) ? token.join() : token)).position
  }

  /** Which permission is missing is told to those who are somebody. */
  const denied = (permission: string, known: boolean): ProblemError =>
    known
      ? new ProblemError('permission-denied', `This needs the permission ${permission}.`, {
          headers: { 'www-authenticate': `${REALM}, error="insufficient_scope"` },
        })
      : unauthenticated(REALM, 'This needs an access token.')

  /** By a cookie, which browsers send without being asked: a change has to prove that a page of ours wants it. */
  const holderOf = async (token: string, request: FastifyRequest, asking: Asking) => {
    const { method, headers } = request
    const changes = method !== 'GET' && method !== 'HEAD'
    if (changes) cookies.checkOrigin(headers)
    const found = await requesterOf(() => token, asking)
    if (found.actor?.kind !== 'account' || !found.credential)
      throw unauthenticated(REALM, 'The token of a service is sent as Authorization, not as a cookie.')
    if (changes) cookies.checkToken(headers, found.credential.id)
    return found
  }

  const requesterFor = async (route: Route, request: FastifyRequest, after: bigint | undefined) => {
    const { authorization, cookie, origin } = request.headers
    if (route.permission === undefined && route.credentials !== 'optional') return stranger
    // Authorization alone counts where both are sent. A WebSocket that tells no origin is no browser's.
    const fromCookie = authorization === undefined && cookie !== undefined && !(route.upgrade && origin === undefined)
    const token = fromCookie ? cookies.access(request.headers) : undefined
    if (authorization === undefined && token === undefined) return stranger
    const asking = { address: addressKey(request.ip), after, diagnosis: route.diagnosis === true }
    const found =
      authorization === undefined
        ? holderOf(token ?? '', request, asking)
        : requesterOf(() => bearer(authorization), asking)
    return route.permission === undefined ? found.catch(() => stranger) : found
  }

  const admit = async (route: Route, request: FastifyRequest): Promise<Admission> => {
    checkQuery(request.url)
    const token = request.headers['sync-token']
    const after = token === undefined ? undefined : await afterOf(token)
    const requester = (await route.identify?.(request)) ?? (await requesterFor(route, request, after))
    deps.checkBlocked(requester)
    const { actor } = requester
    const counted = actor ? `${actor.kind} ${actor.id}` : addressKey(request.ip)
    const hit = route.rate && (await count(route.rate, counted))
    if (route.permission !== undefined && !mayAsk(route, route.permission, requester))
      throw denied(route.permission, actor !== undefined)
    route.admit?.(counted)
    return { requester, counted, after, hit }
  }

  /** @throws {ProblemError} authorisation-unavailable, unauthenticated, permission-denied, blocked. */
  const again = ({ permission, ...route }: Route, admission: Admission): Admission => {
    const { credential } = admission.requester
    if (permission === undefined || !credential) return admission
    const requester = authority.current(credential)
    if (!requester && authority.deafFor() > DEAF_MS)
      throw new ProblemError('authorisation-unavailable', 'Tokens and roles are not known as of now.')
    if (!requester) throw unauthenticated(`${REALM}, error="invalid_token"`, 'The access token has ended meanwhile.')
    deps.checkBlocked(requester)
    if (!mayAsk(route, permission, requester)) throw denied(permission, true)
    return { ...admission, requester }
  }

  return {
    admit: route => (request, _reply, done) => {
      admit(route, request).then(
        admission => {
          request.setDecorator('admission', admission)
          done()
        },
        (error: Error) => done(error),
      )
    },
    readmit: route => (request, _reply, done) => {
      try {
        request.setDecorator('admission', again(route, request.getDecorator<Admission>('admission')))
        done()
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  }
}
