/**
 * Sessions of browsers, kept in cookies. `__Host-` binds each to this host, to https and to every path (RFC 6265bis, 4.1.3), so
 * that no neighbour can set one. What changes anything is refused unless it comes from a page of ours and repeats, in a
 * header, a token that follows from the session (OWASP, signed double submit).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Session } from '../../domain/session/session.ts'
import { ACCESS_SECONDS } from './access-tokens.ts'
import { ProblemError } from './problems.ts'
import type { EdgeRequest } from './route.ts'

type Headers = EdgeRequest['headers']

export const cookieNames = {
  access: '__Host-access',
  refresh: '__Host-refresh',
  csrf: '__Host-csrf',
  device: '__Host-device',
} as const
export const CSRF_HEADER = 'x-csrf-token'

export type SessionCookies = {
  /** The access token that came as a cookie. */
  access(headers: Headers): string | undefined
  refresh(headers: Headers): string | undefined
  /** By which this browser is known at a sign-in, whoever signs in. */
  device(headers: Headers): string | undefined
  /** Does the request come from a page of ours? @throws {ProblemError} origin-refused. */
  checkOrigin(headers: Headers): void
  /** Does it repeat the session's token? @throws {ProblemError} csrf-invalid. */
  checkToken(headers: Headers, sessionId: string): void
  csrfToken(sessionId: string): string
  /** Values of Set-Cookie that begin a session or go on with it. */
  set(given: {
    readonly session: Session
    readonly accessToken: string
    readonly refreshToken: string
    readonly device?: string
  }): readonly string[]
  /** The one by which this browser is known from here on. */
  known(device: string): string
  /** Those that end it in the browser. */
  readonly cleared: readonly string[]
}

const single = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? undefined : value)

/** A name that comes twice says nothing: one of the two was put there by somebody else. */
export const cookieOf = (headers: Headers, name: string): string | undefined => {
  const found = (single(headers['cookie']) ?? '').split(';').filter(each => each.trimStart().startsWith(`${name}=`))
  const [only] = found
  return only === undefined || found.length > 1 ? undefined : only.slice(only.indexOf('=') + 1).trim()
}

const equal = (given: string, expected: string): boolean => {
  const [a, b] = [Buffer.from(given, 'utf8'), Buffer.from(expected, 'utf8')]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** As long as browsers keep one (RFC 6265bis, 5.5). */
const DEVICE_SECONDS = 400 * 24 * 60 * 60
const HIDDEN = '; Path=/; Secure; HttpOnly; SameSite=Strict'
/** The page reads this one, to send it back. */
const READABLE = '; Path=/; Secure; SameSite=Strict'

/** `secret`: 32 bytes that the tokens against forged requests follow from. */
export const openSessionCookies = (deps: {
  readonly secret: Uint8Array
  readonly allowedOrigins: readonly string[]
  readonly publicUrl: string | undefined
}): SessionCookies => {
  const { secret, allowedOrigins, publicUrl } = deps
  const own = publicUrl === undefined ? undefined : URL.parse(publicUrl)?.origin
  const csrfToken = (sessionId: string): string =>
    createHmac('sha256', secret).update(`csrf\u001f${sessionId}`, 'utf8').digest('base64url')

  const isOurs = (headers: Headers): boolean => {
    const site = single(headers['sec-fetch-site'])
    if (site === 'same-origin' || site === 'none') return true
    const origin = single(headers['origin'])
    if (origin === undefined) return false
    if (allowedOrigins.includes(origin)) return true
    // A browser that knows the header has said already that the page is another's.
    if (site !== undefined) return false
    const from = URL.parse(origin)
    return from !== null && (from.origin === own || from.host === single(headers['host']))
  }

  const known = (device: string): string => `${cookieNames.device}=${device}; Max-Age=${DEVICE_SECONDS}${HIDDEN}`

  return {
    access: headers => cookieOf(headers, cookieNames.access),
    refresh: headers => cookieOf(headers, cookieNames.refresh),
    device: headers => cookieOf(headers, cookieNames.device),
    checkOrigin: headers => {
      if (isOurs(headers)) return
      const detail = 'With cookies, changes are taken from pages of this origin and of LEXICHRON_ALLOWED_ORIGINS alone.'
      throw new ProblemError('origin-refused', detail)
    },
    checkToken: (headers, sessionId) => {
      const given = single(headers[CSRF_HEADER]) ?? ''
      const expected = csrfToken(sessionId)
      if (equal(given, expected) && equal(cookieOf(headers, cookieNames.csrf) ?? '', expected)) return
      throw new ProblemError('csrf-invalid', 'X-CSRF-Token is missing, or is not that of this session.')
    },
    csrfToken,
    known,
    set: ({ session, accessToken, refreshToken, device }) => {
      const { id, remember, usedAt, endsAt } = session
      const seconds = Math.max(0, Math.floor((Date.parse(endsAt) - Date.parse(usedAt)) / 1000))
      // Of a session that is not to be remembered, the browser forgets the cookies when it is closed.
      const life = remember ? `; Max-Age=${seconds}` : ''
      return [
        `${cookieNames.access}=${accessToken}; Max-Age=${Math.min(ACCESS_SECONDS, seconds)}${HIDDEN}`,
        `${cookieNames.refresh}=${refreshToken}${life}${HIDDEN}`,
        `${cookieNames.csrf}=${csrfToken(id)}${life}${READABLE}`,
        // It outlives the session, and signing out.
        ...(device === undefined ? [] : [known(device)]),
      ]
    },
    cleared: [
      `${cookieNames.access}=; Max-Age=0${HIDDEN}`,
      `${cookieNames.refresh}=; Max-Age=0${HIDDEN}`,
      `${cookieNames.csrf}=; Max-Age=0${READABLE}`,
    ],
  }
}
