/**
 * A sign-in at a provider, between the start and the way back. The browser keeps it in a signed `__Host-` cookie; state,
 * nonce and PKCE verifier follow from the cookie by the service's key. So they belong to this browser, this provider and
 * these ten minutes, and nothing is kept here that strangers could fill.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { FlowSecrets } from '../../../ports/openid.ts'
import type { EdgeRequest } from '../route.ts'
import { cookieOf } from '../session-cookies.ts'

export const FLOW_SECONDS = 600
/** For the code of a second factor. */
export const HALF_SECONDS = 300
const HALF_COOKIE = '__Host-openid-code'
const COOKIE = '__Host-openid'
/** Lax: the way back is a navigation from the provider's site, which brings no Strict cookie. */
const ATTRIBUTES = '; Path=/; Secure; HttpOnly; SameSite=Lax'
const STRICT = '; Path=/; Secure; HttpOnly; SameSite=Strict'
const LONGEST_COOKIE = 3_000

const text = Type.String({ minLength: 1 })
const strict = { additionalProperties: false }
const FlowSchema = Type.Object(
  {
    id: text,
    provider: text,
    expires: Type.Number(),
    returnTo: text,
    remember: Type.Boolean(),
    locale: Type.Enum(['en', 'es']),
    /** Whose account the identity is to be linked to, and in which session that was wished. */
    by: Type.Optional(Type.Object({ accountId: text, sessionId: text }, strict)),
  },
  strict,
)
const checkFlow = Compile(FlowSchema)
const checkHalf = Compile(
  Type.Object({ id: text, accountId: text, remember: Type.Boolean(), expires: Type.Number() }, strict),
)

/** `id`: a random UUID, which this flow is known by; `expires` in milliseconds since 1970. */
export type Flow = {
  readonly id: string
  readonly provider: string
  readonly expires: number
  /** A path of this service, with its query. */
  readonly returnTo: string
  readonly remember: boolean
  readonly locale: 'en' | 'es'
  readonly by?: { readonly accountId: string; readonly sessionId: string }
}

export type Flows = {
  begin(given: Omit<Flow, 'id' | 'expires'>): {
    readonly flow: Flow
    readonly secrets: FlowSecrets
    readonly cookie: string
  }
  /** The flow of this browser at this provider that the state belongs to; undefined when there is none, or it is too old. */
  find(
    headers: EdgeRequest['headers'],
    provider: string,
    state: string,
  ): { readonly flow: Flow; readonly secrets: FlowSecrets } | undefined
  readonly cleared: string
  /** The cookie of a sign-in that waits for the account's second factor. */
  half(flow: Flow, accountId: string): string
  findHalf(headers: EdgeRequest['headers']): Half | undefined
  readonly halfCleared: string
}
/** A sign-in of which the provider's part is done. `id` is that of its flow. */
export type Half = { readonly id: string; readonly accountId: string; readonly remember: boolean }

const equal = (given: string, expected: string): boolean => {
  const [a, b] = [Buffer.from(given, 'utf8'), Buffer.from(expected, 'utf8')]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** `secret`: 32 bytes for this purpose alone. */
export const openFlows = (deps: {
  readonly secret: Uint8Array
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
}): Flows => {
  const { secret, clock, newId } = deps
  const mac = (purpose: string, payload: string): string =>
    createHmac('sha256', secret).update(`${purpose}\u001f${payload}`, 'utf8').digest('base64url')
  const secretsOf = (payload: string): FlowSecrets => ({
    state: mac('state', payload),
    nonce: mac('nonce', payload),
    verifier: mac('verifier', payload),
  })

  return {
    begin: given => {
      const flow = { ...given, id: newId(), expires: clock.now().getTime() + FLOW_SECONDS * 1000 }
      const payload = Buffer.from(JSON.stringify(flow), 'utf8').toString('base64url')
      const cookie = `${COOKIE}=${payload}.${mac('cookie', payload)}; Max-Age=${FLOW_SECONDS}${ATTRIBUTES}`
      return { flow, secrets: secretsOf(payload), cookie }
    },
    find: (headers, provider, state) => {
      const [payload = '', signature = '', ...rest] = (cookieOf(headers, COOKIE) ?? '').split('.')
      if (rest.length > 0 || payload.length > LONGEST_COOKIE || !equal(signature, mac('cookie', payload)))
        return undefined
      const secrets = secretsOf(payload)
      if (!equal(state, secrets.state)) return undefined
      const flow: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
      // A cookie of another version of this service is none.
      if (!checkFlow.Check(flow) || flow.provider !== provider || flow.expires <= clock.now().getTime())
        return undefined
      return { flow, secrets }
    },
    cleared: `${COOKIE}=; Max-Age=0${ATTRIBUTES}`,
    half: ({ id, remember }, accountId) => {
      const half = { id, accountId, remember, expires: clock.now().getTime() + HALF_SECONDS * 1000 }
      const payload = Buffer.from(JSON.stringify(half), 'utf8').toString('base64url')
      return `${HALF_COOKIE}=${payload}.${mac('half', payload)}; Max-Age=${HALF_SECONDS}${STRICT}`
    },
    findHalf: headers => {
      const [payload = '', signature = '', ...rest] = (cookieOf(headers, HALF_COOKIE) ?? '').split('.')
      if (rest.length > 0 || payload.length > LONGEST_COOKIE || !equal(signature, mac('half', payload)))
        return undefined
      const half: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
      if (!checkHalf.Check(half) || half.expires <= clock.now().getTime()) return undefined
      const { id, accountId, remember } = half
      return { id, accountId, remember }
    },
    halfCleared: `${HALF_COOKIE}=; Max-Age=0${STRICT}`,
  }
}

const LONGEST_RETURN = 512

/** A path of this very service, as it stands: no host, no scheme, nothing that a browser would read otherwise than we do. */
export const isOwnPath = (path: string): boolean => {
  if (path.length > LONGEST_RETURN || !/^\/(?![/\\])[\x21-\x7e]*$/.test(path) || /[\\#]/.test(path)) return false
  const url = URL.parse(path, 'https://own.invalid')
  return url?.origin === 'https://own.invalid' && url.pathname + url.search === path
}
