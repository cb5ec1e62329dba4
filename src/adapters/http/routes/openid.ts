/** Sign-in at OpenID providers, and the identities that an account is linked to. */
import Type from 'typebox'
import type { BySession } from '../../../commands/identity.ts'
import { defined } from '../../../domain/defined.ts'
import type { LinkedIdentity } from '../../../domain/openid/linked-identities.ts'
import { isRefusal, type Refusal, type RefusalCode, refuse } from '../../../domain/refusal.ts'
import type { FlowSecrets } from '../../../ports/openid.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import type { SessionCookies } from '../session-cookies.ts'
import {
  done,
  doneAnswer,
  type From,
  fromOf,
  nothing,
  own,
  ownRead,
  reading,
  type SignedIn,
  type StepUpPort,
  settle,
  strict,
  text,
} from './account-edge.ts'
import { landingRoute } from './landing-route.ts'
import { FLOW_SECONDS, type Flow, type Flows, type Half, isOwnPath } from './openid-flow.ts'
import { openIdPage } from './openid-page.ts'
import { byOf, openedAnswer, signedIn } from './sessions.ts'
import { freshProblems, requireFresh } from './step-up.ts'

/** What the routes need; src/app/openid.ts has it. */
export type OpenIdPort = {
  readonly names: readonly string[]
  isReady(name: string): boolean
  readonly flows: Flows
  /** Where the browser goes. */
  authorizationUrl(provider: string, secrets: FlowSecrets): Promise<string | Refusal>
  /** Once for each flow. */
  signIn(
    flow: Flow,
    parameters: URLSearchParams,
    secrets: FlowSecrets,
    from: From,
  ): Promise<SignedIn | { readonly half: string } | Refusal>
  /** By the code of the second factor. @throws {ProblemError} rate-limited. */
  finish(half: Half, code: string, counted: string, from: From): Promise<SignedIn | Refusal>
  link(
    by: BySession,
    flow: Flow,
    parameters: URLSearchParams,
    secrets: FlowSecrets,
    from: From,
  ): Promise<'done' | Refusal>
  identities(accountId: string): Promise<readonly LinkedIdentity[]>
  unlink(by: BySession, id: string, from: From): Promise<'done' | Refusal>
}

const openId = 'OpenID'
const ProviderParams = Type.Object({ provider: Type.String() }, strict)
const IdentityParams = Type.Object({ id: Type.String() }, strict)
const NewIdentityParams = Type.Object({ id: Type.String({ description: 'The name of a provider.' }) }, strict)
const locale = Type.Enum(['en', 'es'])
const StartQuery = Type.Object(
  {
    returnTo: Type.Optional(Type.String()),
    remember: Type.Optional(Type.Boolean()),
    locale: Type.Optional(locale),
  },
  strict,
)
/** RFC 6749, 4.1.2: what is not known is passed over, and nothing comes twice. */
const CallbackQuery = Type.Object(
  {
    code: Type.Optional(Type.String()),
    state: Type.Optional(Type.String()),
    iss: Type.Optional(Type.String()),
    error: Type.Optional(Type.String()),
    error_description: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
)
const CodeBody = Type.Object({ code: Type.String() }, { ...strict, $id: 'SecondFactorCode' })
const LinkBody = Type.Object({ returnTo: Type.Optional(Type.String()) }, { ...strict, $id: 'IdentityLink' })

const ProvidersSchema = Type.Object(
  { items: Type.Array(Type.Object({ name: Type.String(), ready: Type.Boolean(), start: Type.String() })) },
  { $id: 'OpenIdProviders' },
)
const BegunSchema = Type.Object(
  { authorizationUrl: Type.String(), expiresIn: Type.Integer() },
  { $id: 'IdentityLinkBegun' },
)
const IdentitySchema = Type.Object(
  {
    id: Type.String(),
    provider: Type.String(),
    linkedAt: Type.String({ format: 'date-time' }),
    issuer: Type.String(),
    subject: Type.String(),
  },
  { $id: 'LinkedIdentity' },
)
const IdentitiesSchema = Type.Object({ items: Type.Array(IdentitySchema) }, { $id: 'LinkedIdentities' })

const exampleId = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
const begunExample = {
  authorizationUrl: 'https://accounts.example/authorize?client_id=lexichron',
  expiresIn: FLOW_SECONDS,
}
const providersExample = { items: [{ name: 'example', ready: true, start: '/v1/oauth/example/start' }] }
const identitiesExample = {
  items: [
    {
      id: exampleId,
      provider: 'example',
      linkedAt: '2026-01-05T10:00:00.000Z',
      issuer: 'https://accounts.example',
      subject: '248289761001',
    },
  ],
}

const away: readonly RefusalCode[] = ['openid-unavailable']
/** The page of ours where one lands who named no other. */
const LANDING = '/account/openid'

/** @throws {ProblemError} validation for what is no path of this service. */
const landingOf = (returnTo: string | undefined): string => {
  if (returnTo === undefined) return LANDING
  if (isOwnPath(returnTo)) return returnTo
  const detail = 'returnTo is a path of this service, such as /console, of 512 characters at most.'
  throw new ProblemError('validation', detail, { errors: [{ pointer: '/returnTo', code: 'path', detail }] })
}

const see = (location: string, cookies: readonly string[]): Answer => ({
  status: 303,
  cache: 'no-store',
  headers: { location, 'set-cookie': cookies },
})
const seeAnswer = (description: string) => ({ 303: { description } })

/** As text again, as the library reads it. */
const parametersOf = (query: unknown): URLSearchParams => {
  const parameters = new URLSearchParams()
  if (typeof query !== 'object' || query === null) return parameters
  for (const [name, value] of Object.entries(query)) if (typeof value === 'string') parameters.append(name, value)
  return parameters
}

const strangers = (port: OpenIdPort, cookies: SessionCookies): readonly Route[] => {
  const known = ({ params: { provider = '' } }: EdgeRequest): string => {
    if (port.names.includes(provider)) return provider
    throw new ProblemError('not-found', 'There is no such provider of sign-in.')
  }
  const readStart = reading(StartQuery)
  const readCode = reading(CodeBody)
  const fromBrowser = (request: EdgeRequest): From => {
    const device = cookies.device(request.headers)
    return { ...fromOf(request), ...defined({ device }) }
  }
  return [
    {
      method: 'GET',
      path: '/v1/oauth',
      name: 'list-openid-providers',
      tag: openId,
      querystring: nothing,
      summary: 'Providers that one can sign in with',
      request: {},
      problems: [],
      rate: 'reads',
      answers: { 200: { description: 'In order.', schema: ProvidersSchema, example: providersExample } },
      handle: () => ({
        status: 200,
        body: JSON.stringify({
          items: port.names.map(name => ({ name, ready: port.isReady(name), start: `/v1/oauth/${name}/start` })),
        }),
      }),
    },
    {
      method: 'GET',
      path: '/v1/oauth/:provider/start',
      name: 'start-openid',
      tag: openId,
      rate: 'signIns',
      summary: 'Sign in with a provider',
      params: ProviderParams,
      querystring: StartQuery,
      description:
        'For browsers to navigate to. They end at returnTo, a path of this service, with session cookies, or with #error=<code>.',
      request: { needs: 'a provider', params: { provider: 'example' } },
      answers: seeAnswer('To the provider.'),
      problems: away,
      handle: async request => {
        const provider = known(request)
        const { returnTo, remember = false, locale: spoken = 'en' } = readStart(request.query)
        const begun = port.flows.begin({ provider, returnTo: landingOf(returnTo), remember, locale: spoken })
        const url = await port.authorizationUrl(provider, begun.secrets)
        if (typeof url !== 'string') throw problemFrom(url)
        return see(url, [begun.cookie])
      },
    },
    {
      method: 'GET',
      path: '/v1/oauth/:provider/callback',
      name: 'finish-openid',
      tag: openId,
      rate: 'signIns',

      summary: 'Where the provider sends the browser back to',
      params: ProviderParams,
      querystring: CallbackQuery,
      description: 'For providers: unknown parameters are passed over.',
      request: { needs: 'a provider', params: { provider: 'example' }, query: { code: 'code', state: 'state' } },
      answers: seeAnswer('To returnTo.'),
      problems: ['openid-flow-invalid'],
      handle: async request => {
        const provider = known(request)
        const parameters = parametersOf(request.query)
        const found = port.flows.find(request.headers, provider, parameters.get('state') ?? '')
        if (!found)
          throw problemFrom(refuse('openid-flow-invalid', 'No sign-in with this provider was begun in this browser.'))
        const { flow, secrets } = found
        const ended = (word: string, more: readonly string[] = []): Answer =>
          see(`${flow.returnTo}#${word}`, [port.flows.cleared, ...more])
        if (flow.by) {
          const outcome = await port.link(flow.by, flow, parameters, secrets, fromOf(request))
          return ended(outcome === 'done' ? `linked=${provider}` : `error=${outcome.refused}`)
        }
        const outcome = await port.signIn(flow, parameters, secrets, fromBrowser(request))
        if ('half' in outcome) return ended('error=second-factor-required', [port.flows.half(flow, outcome.half)])
        return isRefusal(outcome) ? ended(`error=${outcome.refused}`) : ended('signed-in', cookies.set(outcome))
      },
    },
    {
      method: 'POST',
      path: '/v1/oauth/code',
      name: 'finish-openid-by-code',
      tag: openId,
      rate: 'signIns',
      summary: 'Add the second factor to a sign-in at a provider',
      querystring: nothing,
      body: CodeBody,
      description:
        'For pages of ours, within five minutes of second-factor-required: the browser has a cookie that says whose sign-in waits.',
      request: { needs: 'a provider', body: { code: '123456' } },
      answers: { 201: openedAnswer },
      problems: ['openid-flow-invalid', 'code-wrong', 'account-erased', 'erasure-begun', 'origin-refused', ...text],
      handle: async request => {
        cookies.checkOrigin(request.headers)
        const half = port.flows.findHalf(request.headers)
        if (!half) throw problemFrom(refuse('openid-flow-invalid', 'No sign-in waits for a code in this browser.'))
        const outcome = await port.finish(half, readCode(request.body).code, request.counted, fromBrowser(request))
        const answer = signedIn(201, outcome, cookies)
        const set = answer.headers?.['set-cookie'] ?? []
        return {
          ...answer,
          headers: {
            ...answer.headers,
            'set-cookie': [...(typeof set === 'string' ? [set] : set), port.flows.halfCleared],
          },
        }
      },
    },
    landingRoute({
      path: LANDING,
      name: 'account-openid-page',
      summary: 'The page where a sign-in at a provider ends',
      page: openIdPage(),
    }),
  ]
}

const ofOwn = (port: OpenIdPort, stepUp: Pick<StepUpPort, 'require'>): readonly Route[] => {
  const readLink = reading(LinkBody)
  return [
    {
      ...ownRead,
      rate: 'reads',
      method: 'GET',
      path: '/v1/me/identities',
      name: 'my-identities',
      request: { needs: 'a provider' },
      summary: 'Identities that you sign in with',
      problems: ['not-an-account'],
      answers: { 200: { description: 'The oldest first.', schema: IdentitiesSchema, example: identitiesExample } },
      handle: async request => {
        const items = (await port.identities(byOf(request).accountId)).map(
          ({ id, provider, linkedAt, issuer = '', subject = '' }) => ({ id, provider, linkedAt, issuer, subject }),
        )
        return { status: 200, body: JSON.stringify({ items }) }
      },
    },
    {
      ...own,
      rate: 'signIns',
      method: 'POST',
      path: '/v1/me/identities/:id',
      name: 'link-identity',
      summary: 'Link an identity to your account',
      params: NewIdentityParams,
      body: LinkBody,
      description:
        'The answer sets a cookie: the browser that asked has to go to authorizationUrl. It ends at returnTo with #linked=<provider>, or #error=<code>.',
      request: { needs: 'a provider', params: { id: 'example' }, body: { returnTo: '/console' } },
      answers: { 200: { description: 'Begun.', schema: BegunSchema, example: begunExample } },
      problems: [...freshProblems, 'not-found', ...away],
      handle: async request => {
        const { id: provider = '' } = request.params
        const by = await requireFresh(stepUp, request)
        if (!port.names.includes(provider)) throw new ProblemError('not-found', 'There is no such provider of sign-in.')
        const returnTo = landingOf(readLink(request.body).returnTo)
        const begun = port.flows.begin({ provider, returnTo, remember: false, locale: 'en', by })
        const authorizationUrl = await port.authorizationUrl(provider, begun.secrets)
        if (typeof authorizationUrl !== 'string') throw problemFrom(authorizationUrl)
        const body = JSON.stringify({ authorizationUrl, expiresIn: FLOW_SECONDS })
        return { status: 200, body, cache: 'no-store', headers: { 'set-cookie': [begun.cookie] } }
      },
    },
    {
      ...own,
      rate: 'writes',
      method: 'DELETE',
      path: '/v1/me/identities/:id',
      name: 'unlink-identity',
      summary: 'Unlink one of your identities',
      params: IdentityParams,
      request: { needs: 'a provider', params: { id: exampleId } },
      answers: doneAnswer,
      problems: [...freshProblems, 'account-not-found', 'identity-not-found', 'identity-last'],
      handle: async request => {
        const { id = '' } = request.params
        settle(await port.unlink(await requireFresh(stepUp, request), id, fromOf(request)))
        return done
      },
    },
  ]
}

export const openIdRoutes = (
  port: OpenIdPort,
  cookies: SessionCookies,
  stepUp: Pick<StepUpPort, 'require'>,
): readonly Route[] => [...strangers(port, cookies), ...ofOwn(port, stepUp)]
