/** OpenID providers for tests: one that can be told to lie, and the program `oidc-provider`; and a browser with cookies. */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { defined } from '../../src/domain/defined.ts'
import type { Api, Received } from './api.ts'
import { listen } from './listening.ts'
import type { Teardown } from './service.ts'

export const SECRET = 'a secret of the tests'
export const CLIENT = 'lexichron'
/** Where browsers reach the service under test, as far as anybody is told. */
export const PUBLIC_URL = 'https://words.example'

/** How the provider behaves from now on; what is absent is as it should be. */
export type Behaviour = {
  subject?: string
  email?: string | undefined
  verified?: unknown
  /** Changes the claims of the id token. */
  claims?: (claims: JWTPayload) => JWTPayload
  /** What is signed with: another key, or none. */
  signature?: 'foreign' | 'none' | 'symmetric'
  /** `iss` of the authorisation response; null: none. */
  iss?: string | null
  /** The authorisation endpoint sends back an error. */
  error?: string
  /** The address of mail stands at the UserInfo endpoint alone; another subject there. */
  userinfo?: { readonly sub: string }
  /** The token endpoint waits for so many milliseconds, or for ever. */
  slowMs?: number
  /** The token endpoint answers with this status, or with more than anybody reads. */
  status?: number
  endless?: boolean
  /** Codes are taken more than once. */
  lax?: boolean
}

const bodyOf = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return new URLSearchParams(text)
}

/** A provider of our own: it does what is asked of it, in order to be found out. */
export const openLiar = async (t: Teardown) => {
  const [ours, foreign] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')])
  const jwk = { ...(await exportJWK(ours.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const codes = new Map<string, { readonly nonce: string; readonly challenge: string; readonly redirectUri: string }>()
  const lies: { now: Behaviour } = { now: {} }
  const counts = { tokens: 0, keys: 0 }

  const sign = async (claims: JWTPayload): Promise<string> => {
    const { signature } = lies.now
    if (signature === 'none')
      return `${[{ alg: 'none' }, claims].map(each => Buffer.from(JSON.stringify(each)).toString('base64url')).join('.')}.`
    if (signature === 'symmetric')
      return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET.padEnd(32, '.')))
    const key = signature === 'foreign' ? foreign : ours
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(key.privateKey)
  }

  const token = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    counts.tokens += 1
    const { slowMs, status, endless, lax } = lies.now
    if (slowMs !== undefined) await new Promise(resolve => setTimeout(resolve, slowMs).unref())
    if (status !== undefined) return void response.writeHead(status).end('{}')
    if (endless) {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): void => void response.write(' '.repeat(64 * 1024), error => (error ? undefined : more()))
      return more()
    }
    const given = await bodyOf(request)
    const code = codes.get(given.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(given.get('code_verifier') ?? '')
      .digest('base64url')
    const basic = `Basic ${Buffer.from(`${CLIENT}:${encodeURIComponent(SECRET).replaceAll('%20', '+')}`).toString('base64')}`
    const authentic = request.headers.authorization === basic
    if (!lax) codes.delete(given.get('code') ?? '')
    if (!code || !authentic || code.challenge !== challenge || code.redirectUri !== given.get('redirect_uri'))
      return void response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}')
    const { subject = 'alice', email, verified = true, claims = given => given, userinfo } = lies.now
    const now = Math.floor(Date.now() / 1000)
    const about = userinfo || !('email' in lies.now) ? {} : { email, email_verified: verified }
    const idToken = await sign(
      claims({ iss: url, aud: CLIENT, sub: subject, iat: now, exp: now + 300, nonce: code.nonce, ...about }),
    )
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ access_token: 'token', token_type: 'Bearer', expires_in: 60, id_token: idToken }))
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const json = (value: object): void =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (pathname === '/.well-known/openid-configuration')
      return json({
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        userinfo_endpoint: `${url}/userinfo`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        authorization_response_iss_parameter_supported: true,
        code_challenge_methods_supported: ['S256'],
      })
    if (pathname === '/jwks') {
      counts.keys += 1
      return json({ keys: [jwk] })
    }
    if (pathname === '/userinfo') {
      const { subject = 'alice', email, verified = true, userinfo } = lies.now
      return json({ sub: userinfo?.sub ?? subject, ...(email !== undefined && { email, email_verified: verified }) })
    }
    if (pathname === '/authorize') {
      const asked = (name: string): string => searchParams.get(name) ?? ''
      const back = new URL(asked('redirect_uri'))
      const { error, iss = url } = lies.now
      if (error === undefined) {
        const code = randomBytes(16).toString('hex')
        codes.set(code, { nonce: asked('nonce'), challenge: asked('code_challenge'), redirectUri: back.href })
        back.searchParams.set('code', code)
      } else back.searchParams.set('error', error)
      back.searchParams.set('state', asked('state'))
      if (iss !== null) back.searchParams.set('iss', iss)
      return void response.writeHead(302, { location: back.href }).end()
    }
    // Who leaves in the middle of it is told nothing.
    if (pathname === '/token') return void token(request, response).catch(() => response.destroy())
    response.writeHead(404).end()
  })
  const url = await listen(t, server)
  return {
    issuer: url,
    counts,
    behave: (next: Behaviour): void => {
      lies.now = next
    },
    close: (): void => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The program `oidc-provider`, with people that are signed in as soon as they come. Its own words are of no interest. */
export const openRealProvider = async (t: Teardown, callback: string, person: () => { sub: string; email: string }) => {
  const { default: Provider } = await import('oidc-provider')
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
  const url = await listen(
    t,
    createServer((request, response) => handle(request, response)),
  )
  const provider = new Provider(url, {
    clients: [{ client_id: CLIENT, client_secret: SECRET, redirect_uris: [callback] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    cookies: { keys: ['of the tests'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, email: person().email, email_verified: true }),
    }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new provider.Grant({ clientId: CLIENT, accountId: oidc.session?.accountId ?? '' })
      grant.addOIDCScope('openid email')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  handle = (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void answer(request, response)
    void provider.interactionFinished(request, response, { login: { accountId: person().sub } })
  }
  return { issuer: url }
}

/** A browser at the service: cookies come and go as it is told, pages of ours ask with them. */
export const openBrowser = (api: Api) => {
  const jar = new Map<string, string>()
  const cookie = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const keep = (answer: Received): Received => {
    for (const each of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
  const ask = async (method: string, path: string, body?: object): Promise<Received> => {
    const csrf = jar.get('__Host-csrf')
    const headers = {
      ...defined({ cookie: jar.size > 0 ? cookie() : undefined }),
      ...(method !== 'GET' && { 'sec-fetch-site': 'same-origin', ...defined({ 'x-csrf-token': csrf }) }),
    }
    return keep(await api(method, path, { headers, ...defined({ body }) }))
  }
  const own = new Map<string, string>()
  /** What the provider makes of the address: where it sends the browser back to, as a path of the service. */
  const throughProvider = async (address: string): Promise<string> => {
    let at = address
    for (let step = 0; step < 10; step += 1) {
      if (at.startsWith(PUBLIC_URL)) return at.slice(PUBLIC_URL.length)
      const sent = [...own].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(at, { redirect: 'manual', headers: sent === '' ? {} : { cookie: sent } })
      await response.arrayBuffer()
      for (const each of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? []
        own.set(name, value)
      }
      const location = response.headers.get('location')
      if (location === null) throw new Error(`the provider answered ${response.status} at ${new URL(at).pathname}`)
      at = new URL(location, at).href
    }
    throw new Error('the provider sends the browser around')
  }
  /** Up to the way back, which is not taken. */
  const approach = async (provider: string, query = ''): Promise<string> => {
    const begun = await ask('GET', `/v1/oauth/${provider}/start${query}`)
    if (begun.status !== 303) throw new Error(begun.text)
    return throughProvider(begun.headers.get('location') ?? '')
  }
  return {
    jar,
    ask,
    approach,
    throughProvider,
    /** Where a sign-in at the provider ends: the path with its fragment. */
    signIn: async (provider: string, query = ''): Promise<string> => {
      const answer = await ask('GET', await approach(provider, query))
      return answer.headers.get('location') ?? String(answer.code)
    },
  }
}
export type Browser = ReturnType<typeof openBrowser>
