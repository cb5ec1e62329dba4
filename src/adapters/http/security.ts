/**
 * The one security hook. Before a body is read it settles who asks, whether they may, and whether it is too often; every
 * answer goes out under the headers set here. One hook, because each plugin more costs every request (helmet alone nearly
 * doubles a small one).
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SyncTokens } from '../../core/log/sync-tokens.ts'
import { denied } from '../../domain/denial.ts'
import { type Permission, permitsSomewhere } from '../../domain/roles.ts'
import type { Authority } from './authority.ts'
import { DEAF_MS } from './authority.ts'
import { clientAddress } from './client-address.ts'
import type { Findings } from './findings.ts'
import { addressKey, type Hit, type Limits } from './limits.ts'
import type { Meter } from './meter.ts'
import { ProblemError, problemFrom } from './problems.ts'
import type { Requester, Route } from './route.ts'
import type { SessionCookies } from './session-cookies.ts'

/** What the hook found out, for the handler. */
export type Admission = {
  readonly requester: Requester
  readonly counted: string
  readonly after: bigint | undefined
  /** What the limit says, for the headers of the answer. */
  readonly hit: Hit | undefined
}

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
export const cacheControl = (request: Pick<FastifyRequest, 'method' | 'headers'>, status: number): string =>
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
export const allow = (hit: Hit | undefined): Hit | undefined => {
  if (hit?.used === undefined) return hit
  const { used, rateLimit, policy, retryAfter } = hit
  throw new ProblemError('rate-limited', `The limit of ${used} is used up for ${retryAfter} seconds.`, {
    headers: { 'retry-after': String(retryAfter), 'ratelimit-policy': policy, ratelimit: rateLimit },
  })
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void
export type Guard = {
  /** Before the body is read. */
  admit(route: Route): Hook
  /** Does the work of an admitted request, and has what is examined for it counted with what its route declares. */
  metered<T>(request: FastifyRequest, work: () => Promise<T> | T): Promise<T>
  /**
   * Who asks by these headers, where that is known at once and they may; undefined where it is to be found out or to be refused, with
   * nothing counted. No cookie is among the headers.
   */
  recognise(route: Route, headers: FastifyRequest['headers']): Requester | undefined
  /** What limits count them by; undefined of a connection that has ended. */
  counted(requester: Requester, socket: FastifyRequest['socket']): string | undefined
  /** As `metered`, of a request that was admitted here. */
  meteredFor<T>(asked: Pick<Admission, 'requester' | 'counted'>, work: () => Promise<T> | T): Promise<T>
  /** Once it has arrived, which may take its time: what is done is done with the rights of then. */
  readmit(route: Route): Hook
}

export const openGuard = (deps: {
  readonly authority: Authority
  readonly limits: Limits
  readonly meter: Pick<Meter, 'during'>
  readonly syncTokens: SyncTokens
  readonly cookies: Pick<SessionCookies, 'access' | 'checkOrigin' | 'checkToken'>
  /** @throws {ProblemError} blocked, where the account of who asks is. */
  readonly checkBlocked: (requester: Requester) => void
  /** What was found for a request before. */
  readonly found: Pick<Findings, 'of'>
}): Guard => {
  const { authority, limits, syncTokens, cookies } = deps
  const stranger: Requester = { permissions: authority.strangers }

  type Asking = { readonly request: FastifyRequest; readonly after: bigint | undefined; readonly diagnosis: boolean }
  const unknown = (): ProblemError =>
    new ProblemError('authorisation-unavailable', 'Tokens and roles are not known as of now.')
  const forged = async (request: FastifyRequest): Promise<never> => {
    // Guesses are counted by address, so that nobody can have signatures checked without end.
    const name = `${addressKey(clientAddress(request))} unauthenticated`
    allow(await limits.hit('writes', { name, isKnown: false }))
    throw unauthenticated(`${REALM}, error="invalid_token"`, 'The access token is forged, expired or revoked.')
  }
  /** At once where the token was seen before and nothing has to be waited for, as of nearly every request. */
  const requesterOf = (token: string, { request, after, diagnosis }: Asking): Promise<Requester> | Requester => {
    if (authority.deafFor() > DEAF_MS && !diagnosis) throw unknown()
    if (after !== undefined) return caughtUp(token, request, after)
    const found = authority.authenticate(token)
    if (found instanceof Promise) return found.then(later => later ?? forged(request))
    return found ?? forged(request)
  }
  const caughtUp = async (token: string, request: FastifyRequest, after: bigint): Promise<Requester> => {
    if (!(await authority.reached(after))) throw unknown()
    return (await authority.authenticate(token)) ?? forged(request)
  }

  const afterOf = async (token: string | string[] | undefined): Promise<bigint | undefined> => {
    if (token === undefined) return undefined
    return (await syncTokens.read(Array.isArray(token) ? token.join() : token)).position
  }

  /** Strangers are told how to become somebody. */
  const refusedFor = (permission: Permission, requester: Requester): ProblemError =>
    requester.actor
      ? problemFrom(denied(permission, requester), { 'www-authenticate': `${REALM}, error="insufficient_scope"` })
      : unauthenticated(REALM, 'This needs an access token.')

  /** By a cookie, which browsers send without being asked: a change has to prove that a page of ours wants it. */
  const holderOf = async (token: string, request: FastifyRequest, asking: Asking) => {
    const { method, headers } = request
    const changes = method !== 'GET' && method !== 'HEAD'
    if (changes) cookies.checkOrigin(headers)
    const found = await requesterOf(token, asking)
    if (found.actor?.kind !== 'account' || !found.credential)
      throw unauthenticated(REALM, 'The token of a service is sent as Authorization, not as a cookie.')
    if (changes) cookies.checkToken(headers, found.credential.id)
    return found
  }

  const requesterFor = (
    route: Route,
    request: FastifyRequest,
    after: bigint | undefined,
  ): Promise<Requester> | Requester => {
    const { authorization, cookie, origin } = request.headers
    if (route.permission === undefined && route.credentials !== 'optional') return stranger
    // Authorization alone counts where both are sent. A WebSocket that tells no origin is no browser's.
    const fromCookie = authorization === undefined && cookie !== undefined && !(route.upgrade && origin === undefined)
    const token = fromCookie ? cookies.access(request.headers) : undefined
    if (authorization === undefined && token === undefined) return stranger
    const asking = { request, after, diagnosis: route.diagnosis === true }
    const find = () =>
      authorization === undefined ? holderOf(token ?? '', request, asking) : requesterOf(bearer(authorization), asking)
    return route.permission === undefined ? orStranger(find) : find()
  }
  const orStranger = async (find: () => Promise<Requester> | Requester): Promise<Requester> => {
    try {
      return await find()
    } catch {
      return stranger
    }
  }

  const countedBy = ({ actor }: Requester, from: Parameters<typeof clientAddress>[0]): string =>
    actor ? `${actor.kind} ${actor.id}` : addressKey(clientAddress(from))
  /** @throws {ProblemError} of a token that is of no form. */
  const knownBy = (route: Route, authorization: string | undefined): Requester | undefined => {
    if (authorization === undefined || (route.permission === undefined && route.credentials !== 'optional'))
      return stranger
    if (authority.deafFor() > DEAF_MS && route.diagnosis !== true) return undefined
    const found = authority.authenticate(bearer(authorization))
    if (!(found instanceof Promise)) return found
    // Asked for again the long way, which tells what it comes to.
    found.catch(() => undefined)
    return undefined
  }

  type Asked = { readonly requester: Requester; readonly counted: string; readonly after: bigint | undefined }
  const permit = (route: Route, { requester, counted, after }: Asked, counting: Hit | undefined): Admission => {
    const hit = allow(counting)
    if (route.permission !== undefined && !mayAsk(route, route.permission, requester))
      throw refusedFor(route.permission, requester)
    route.admit?.(counted)
    return { requester, counted, after, hit }
  }
  const admit = (
    route: Route,
    request: FastifyRequest,
    { requester, after }: Pick<Asked, 'requester' | 'after'>,
  ): Promise<Admission> | Admission => {
    deps.checkBlocked(requester)
    const { actor } = requester
    const asked = { requester, after, counted: countedBy(requester, request) }
    const counting =
      deps.found.of(request.raw)?.counting ??
      (route.rate && limits.hit(route.rate, { name: asked.counted, isKnown: actor !== undefined }))
    return counting instanceof Promise
      ? counting.then(hit => permit(route, asked, hit))
      : permit(route, asked, counting)
  }
  const admitLate = async (route: Route, request: FastifyRequest): Promise<Admission> => {
    const token = request.headers['sync-token']
    const after = token === undefined ? undefined : await afterOf(token)
    const requester = (await route.identify?.(request)) ?? (await requesterFor(route, request, after))
    return admit(route, request, { requester, after })
  }
  /** Nothing is waited for where all is at hand: each wait is a turn of the queue, of which a small request has few. */
  const admission = (route: Route, request: FastifyRequest): Promise<Admission> | Admission => {
    checkQuery(request.url)
    if (route.identify || request.headers['sync-token'] !== undefined) return admitLate(route, request)
    const requester = requesterFor(route, request, undefined)
    return requester instanceof Promise
      ? requester.then(found => admit(route, request, { requester: found, after: undefined }))
      : admit(route, request, { requester, after: undefined })
  }

  /** @throws {ProblemError} authorisation-unavailable, unauthenticated, permission-denied, blocked. */
  const again = ({ permission, ...route }: Route, admitted: Admission): Admission => {
    const { credential } = admitted.requester
    if (permission === undefined || !credential) return admitted
    const requester = authority.current(credential)
    if (!requester && authority.deafFor() > DEAF_MS) throw unknown()
    if (!requester) throw unauthenticated(`${REALM}, error="invalid_token"`, 'The access token has ended meanwhile.')
    deps.checkBlocked(requester)
    if (!mayAsk(route, permission, requester)) throw refusedFor(permission, requester)
    return { ...admitted, requester }
  }
  const hook =
    (admitting: (request: FastifyRequest) => Promise<Admission> | Admission): Hook =>
    (request, _reply, done) => {
      const admitted = (found: Admission): void => {
        request.setDecorator('admission', found)
        done()
      }
      let found: Promise<Admission> | Admission
      try {
        found = admitting(request)
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
        return
      }
      if (found instanceof Promise) found.then(admitted, (error: Error) => done(error))
      else admitted(found)
    }

  const callers = new WeakMap<FastifyRequest['socket'], string>()
  const meteredFor: Guard['meteredFor'] = ({ counted: name, requester }, work) => {
    const isKnown = requester.actor !== undefined
    return deps.meter.during(work, keys => limits.examined({ name, isKnown }, keys))
  }

  return {
    recognise: (route, { authorization }) => {
      try {
        const requester = knownBy(route, authorization)
        if (!requester || (route.permission !== undefined && !mayAsk(route, route.permission, requester)))
          return undefined
        deps.checkBlocked(requester)
        return requester
      } catch {
        return undefined
      }
    },
    counted: (requester, socket) => {
      const ip = socket.remoteAddress
      if (ip === undefined || requester.actor)
        return ip === undefined ? undefined : countedBy(requester, { ip, socket })
      // The other side of a connection stays who it is.
      const known = callers.get(socket) ?? countedBy(requester, { ip, socket })
      callers.set(socket, known)
      return known
    },
    meteredFor,
    metered: (request, work) => meteredFor(request.getDecorator<Admission>('admission'), work),
    admit: route => hook(request => admission(route, request)),
    readmit: route => hook(request => again(route, request.getDecorator<Admission>('admission'))),
  }
}
