/** Sign-in at OpenID providers: the providers that the settings name, and what the routes do with them. */

import type { Logger } from 'pino'
import type { OpenIdPort } from '../adapters/http/routes/openid.ts'
import { FLOW_SECONDS, openFlows } from '../adapters/http/routes/openid-flow.ts'
import * as openId from '../commands/openid.ts'
import type { FactorDeps } from '../commands/second-factor.ts'
import type { Config } from '../config/load.ts'
import { openIdClaimAggregate } from '../domain/openid/claim.ts'
import { linkedIdentitiesAggregate } from '../domain/openid/linked-identities.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { type FlowSecrets, OpenIdError, type OpenIdProviders, type ProvenIdentity } from '../ports/openid.ts'
import type { Closing, Core } from './core.ts'
import { admitBy, scopeOf, withAccessToken } from './identity.ts'

type OpenIdOptions = {
  readonly core: Core
  readonly config: Config
  /** What proves who somebody is. */
  readonly identity: FactorDeps
  readonly logger: Logger
  /** Takes what has to be closed. */
  readonly opened: Closing[]
}

const none: OpenIdProviders = {
  names: [],
  isReady: () => false,
  authorizationUrl: async () => {
    throw new OpenIdError('unknown', 'There is no such provider.')
  },
  exchange: async () => {
    throw new OpenIdError('unknown', 'There is no such provider.')
  },
  close: async () => undefined,
}

const words = {
  unavailable: ['openid-unavailable', 'The provider does not answer at the moment.'],
  refused: ['openid-refused', 'The provider did not sign you in.'],
  invalid: ['openid-answer-invalid', 'What the provider answered did not pass the checks.'],
  unknown: ['openid-unavailable', 'There is no such provider.'],
} as const satisfies Record<OpenIdError['code'], readonly [Refusal['refused'], string]>

/** A provider's failure as a refusal; any other one goes on. */
const refusedFor = (error: unknown): Refusal => {
  if (!(error instanceof OpenIdError)) throw error
  const [code, detail] = words[error.code]
  return refuse(code, detail)
}

/** The library is loaded only where there are providers. */
const providersOf = async ({ core, config, logger, opened }: OpenIdOptions): Promise<OpenIdProviders> => {
  if (config.openIdProviders.length === 0) return none
  const { openProviders } = await import('../adapters/openid/providers.ts')
  const providers = openProviders({
    providers: config.openIdProviders,
    redirectUri: name => `${config.publicUrl ?? ''}/v1/oauth/${name}/callback`,
    onError: (provider, error) => logger.warn({ part: 'openid', provider, err: error }, 'a provider of sign-in failed'),
    now: () => core.clock.monotonic(),
    random: core.random,
  })
  opened.push(providers)
  return providers
}

export const openOpenId = async (options: OpenIdOptions): Promise<OpenIdPort> => {
  const { core, config, identity } = options
  const [identitySecret, flowSecret] = await Promise.all([
    core.keys.secret('identity-1'),
    core.keys.secret('openid-flow'),
  ])
  const deps: openId.OpenIdDeps = {
    ...identity,
    claims: core.transactor(openIdClaimAggregate),
    linked: core.transactor(linkedIdentitiesAggregate),
    identitySecret,
  }
  const providers = await providersOf(options)
  const signed = withAccessToken(core, scopeOf(config))

  /** The identity that the answer proves. A flow is used once: the session's stream is sure of it, this spares the provider. */
  const proveBy = async (
    flow: { readonly id: string; readonly provider: string },
    parameters: URLSearchParams,
    secrets: FlowSecrets,
  ): Promise<ProvenIdentity | Refusal> => {
    const claim = await core.cache.claim(`openid:${flow.id}`, core.newId(), FLOW_SECONDS * 1000).catch(() => undefined)
    if (claim?.claimed === false) return refuse('openid-flow-invalid', 'This sign-in was used: begin again.')
    return providers.exchange(flow.provider, parameters, secrets)
  }

  return {
    names: providers.names,
    isReady: name => providers.isReady(name),
    flows: openFlows({ secret: flowSecret, clock: core.clock, newId: core.newId }),
    authorizationUrl: (name, secrets) => providers.authorizationUrl(name, secrets).catch(refusedFor),
    signIn: async (flow, parameters, secrets, from) => {
      try {
        const proven = await proveBy(flow, parameters, secrets)
        if ('refused' in proven) return proven
        const { remember, locale } = flow
        const given = { sessionId: openId.sessionOfFlow(flow.id), remember, locale }
        const opened = await openId.signInWithIdentity(deps, proven, given, from)
        return 'half' in opened ? opened : signed(opened)
      } catch (error) {
        return refusedFor(error)
      }
    },
    finish: async ({ id, accountId, remember }, code, counted, from) => {
      const given = { sessionId: openId.sessionOfFlow(id), accountId, remember, code }
      return signed(await openId.finishSignIn(deps, given, from, admitBy(core)(counted)))
    },
    link: async (by, flow, parameters, secrets, from) => {
      try {
        const proven = await proveBy(flow, parameters, secrets)
        return 'refused' in proven ? proven : await openId.linkOwnIdentity(deps, by, proven, from)
      } catch (error) {
        return refusedFor(error)
      }
    },
    identities: accountId => openId.identitiesOf(deps, accountId),
    unlink: (by, id, from) =>
      openId.unlinkOwnIdentity(deps, by.accountId, id, async ({ password }) => password !== undefined, from),
  }
}
