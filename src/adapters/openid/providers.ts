/** OpenID providers by openid-client: discovery in the background, the code flow with PKCE, checks beyond the library's. */
import { setTimeout as delay } from 'node:timers/promises'
import * as client from 'openid-client'
import { codeOf } from '../../core/files/error-code.ts'
import { defined } from '../../domain/defined.ts'
import { type FlowSecrets, OpenIdError, type OpenIdProviders, type ProvenIdentity } from '../../ports/openid.ts'
import { openProviderFetch } from './fetch.ts'

export type ProviderSettings = {
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
}

export type ProviderOptions = {
  readonly providers: readonly ProviderSettings[]
  /** Where the provider sends the browser back to: exactly this, and another one for each provider. */
  readonly redirectUri: (name: string) => string
  /** Told what went wrong, without personal data. */
  readonly onError: (provider: string, error: Error) => void
  readonly now: () => number
  readonly random: () => number
  /** Milliseconds for one request to a provider. */
  readonly deadlineMs?: number
  /** Milliseconds after the first failed discovery; twice as long after each other one. */
  readonly firstRetryMs?: number
}

const DEADLINE_MS = 5_000
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 60_000
const REFRESH_MS = 60 * 60_000
/** Of one provider at once: a slow one must not gather requests without end. */
const MOST_AT_ONCE = 64
/** OpenID Connect Core, 2: ASCII, 255 characters at most. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/

/** Words about what the library found; its causes quote claims, so only its sentence goes on. */
const sentence = (error: unknown): string =>
  error instanceof Error ? [error.message, codeOf(error)].filter(Boolean).join(', ') : 'no error'

const isAway = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return true
  if (['OAUTH_TIMEOUT', 'OAUTH_ABORT'].includes(codeOf(error) ?? '')) return true
  // What fetch throws, and what a server says that is broken.
  if (error instanceof TypeError && codeOf(error) === undefined) return true
  return error.cause instanceof Response && error.cause.status >= 500
}

const failed = (error: unknown): OpenIdError => {
  if (error instanceof OpenIdError) return error
  if (error instanceof client.AuthorizationResponseError)
    return new OpenIdError('refused', `the provider answered ${JSON.stringify(error.error.slice(0, 60))}`)
  if (isAway(error)) return new OpenIdError('unavailable', sentence(error))
  return new OpenIdError('invalid', sentence(error))
}

const invalid = (why: string): OpenIdError => new OpenIdError('invalid', why)

/** What the library leaves open: audiences beside us, and a party for which the token was made though it has one audience. */
const checkClaims = ({ aud, azp, sub }: client.IDToken, clientId: string): void => {
  if (Array.isArray(aud) && aud.some(each => each !== clientId))
    throw invalid('the id token has audiences beside this service')
  if (azp !== undefined && azp !== clientId) throw invalid('the id token was made for another party (azp)')
  if (!SUBJECT.test(sub)) throw invalid('the subject of the id token is none')
}

const openProvider = (settings: ProviderSettings, options: ProviderOptions, signal: AbortSignal) => {
  const { name, issuer, clientId, clientSecret } = settings
  const { onError, now, random, deadlineMs = DEADLINE_MS, firstRetryMs = FIRST_RETRY_MS } = options
  const redirectUri = options.redirectUri(name)
  let known: client.Configuration | undefined
  let asking: Promise<void> | undefined
  let running = 0
  const fetching = openProviderFetch(now, url => url === known?.serverMetadata().jwks_uri, signal)

  /** RFC 6749, 2.3.1: by header where the provider does not say otherwise. */
  const methodOf = (methods: readonly string[] | undefined): client.ClientAuth => {
    if (methods === undefined || methods.includes('client_secret_basic')) return client.ClientSecretBasic(clientSecret)
    if (methods.includes('client_secret_post')) return client.ClientSecretPost(clientSecret)
    throw invalid(`the provider takes no client secret, but ${methods.join(', ').slice(0, 200)}`)
  }

  const discover = async (): Promise<void> => {
    const insecure = issuer.startsWith('http:')
    const found = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
      [client.customFetch]: fetching,
      timeout: deadlineMs / 1000,
      execute: insecure ? [client.allowInsecureRequests] : [],
    })
    const metadata = found.serverMetadata()
    // The library takes some providers' word for tenants: an identity is only as good as the issuer it belongs to.
    if (URL.parse(metadata.issuer)?.href !== URL.parse(issuer)?.href) throw invalid('the provider names another issuer')
    if (metadata.code_challenge_methods_supported?.includes('S256') === false)
      throw invalid('the provider says that it does without PKCE (S256)')
    const auth = methodOf(metadata.token_endpoint_auth_methods_supported)
    const made = new client.Configuration(metadata, clientId, undefined, auth)
    made[client.customFetch] = fetching
    made.timeout = deadlineMs / 1000
    // The token comes straight from the provider, over TLS; its signature is checked nevertheless.
    client.enableNonRepudiationChecks(made)
    if (insecure) client.allowInsecureRequests(made)
    known = made
  }

  const attempt = (): Promise<void> => {
    asking ??= discover().finally(() => {
      asking = undefined
    })
    return asking
  }

  const keep = async (): Promise<void> => {
    let failures = 0
    while (!signal.aborted) {
      try {
        await attempt()
        failures = 0
      } catch (error) {
        failures += 1
        if (!signal.aborted) onError(name, failed(error))
      }
      const wait = failures === 0 ? REFRESH_MS : Math.min(LONGEST_RETRY_MS, firstRetryMs * 2 ** (failures - 1))
      await delay(wait * (0.75 + random() / 2), undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  const configuration = async (): Promise<client.Configuration> => {
    if (!known) await asking?.catch(() => undefined)
    if (!known) throw new OpenIdError('unavailable', 'the provider has not been found yet')
    return known
  }

  /** The address, from the id token or, where it stands only there, from the UserInfo endpoint (OpenID Connect Core, 5.4). */
  const addressOf = async (found: client.Configuration, claims: client.IDToken, accessToken: string) => {
    const stated =
      claims['email'] === undefined && found.serverMetadata().userinfo_endpoint !== undefined
        ? await client.fetchUserInfo(found, accessToken, claims.sub).catch((error: unknown) => {
            throw failed(error)
          })
        : claims
    const email = stated['email']
    return {
      verified: stated['email_verified'] === true,
      ...defined({ email: typeof email === 'string' ? email : undefined }),
    }
  }

  const exchange = async (parameters: URLSearchParams, secrets: FlowSecrets): Promise<ProvenIdentity> => {
    const found = await configuration()
    const url = new URL(redirectUri)
    url.search = String(parameters)
    const tokens = await client.authorizationCodeGrant(found, url, {
      expectedState: secrets.state,
      expectedNonce: secrets.nonce,
      pkceCodeVerifier: secrets.verifier,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (!claims) throw invalid('there is no id token')
    checkClaims(claims, clientId)
    return {
      provider: name,
      issuer: claims.iss,
      subject: claims.sub,
      address: () => addressOf(found, claims, tokens.access_token),
    }
  }

  return {
    done: keep(),
    isReady: () => known !== undefined,
    authorizationUrl: async ({ state, nonce, verifier }: FlowSecrets): Promise<string> => {
      const found = await configuration()
      return client.buildAuthorizationUrl(found, {
        redirect_uri: redirectUri,
        scope: 'openid email',
        response_type: 'code',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).href
    },
    exchange: async (parameters: URLSearchParams, secrets: FlowSecrets): Promise<ProvenIdentity> => {
      if (running >= MOST_AT_ONCE) throw new OpenIdError('unavailable', 'too many wait for this provider')
      running += 1
      try {
        return await exchange(parameters, secrets)
      } catch (error) {
        const told = failed(error)
        if (told.code !== 'refused') onError(name, told)
        throw told
      } finally {
        running -= 1
      }
    },
  }
}

/** Begins to look for the providers; one that is away keeps nobody from starting. */
export const openProviders = (options: ProviderOptions): OpenIdProviders => {
  const ending = new AbortController()
  const all = new Map(options.providers.map(each => [each.name, openProvider(each, options, ending.signal)]))
  const named = (name: string) => {
    const found = all.get(name)
    if (!found) throw new OpenIdError('unknown', 'There is no such provider.')
    return found
  }
  return {
    names: [...all.keys()],
    isReady: name => all.get(name)?.isReady() === true,
    authorizationUrl: async (name, secrets) => named(name).authorizationUrl(secrets),
    exchange: async (name, parameters, secrets) => named(name).exchange(parameters, secrets),
    close: async () => {
      ending.abort()
      await Promise.all([...all.values()].map(each => each.done))
    },
  }
}
