/** Accounts at the edge: signing up, links, resets; sessions are in routes/sessions.ts. */
import Type from 'typebox'
import { defined } from '../../../domain/defined.ts'
import type { RefusalCode } from '../../../domain/refusal.ts'
import { languageFor } from '../negotiation.ts'
import { header, type Route } from '../route.ts'
import type { SessionCookies } from '../session-cookies.ts'
import {
  busy,
  done,
  fromOf,
  granted,
  type IdentityPort,
  open,
  reading,
  settle,
  strict,
  tag,
  text,
  unkept,
} from './account-edge.ts'
import { accountPage } from './account-page.ts'
import { taken, takenAnswer } from './account-schemas.ts'
import { type PagePurpose, pageLanguages } from './account-words.ts'
import { addressRoutes } from './address.ts'
import { erasureRoutes } from './erasure.ts'
import { factorRoutes } from './factors.ts'
import { passkeyRoutes } from './passkeys.ts'
import { ownRoutes, sessionRoutes } from './sessions.ts'
import { stepUpRoutes } from './step-up.ts'

const SignUpBody = Type.Object(
  { email: Type.String(), locale: Type.Optional(Type.Enum(['en', 'es'])) },
  { ...strict, $id: 'SignUp' },
)
const EmailBody = Type.Object({ email: Type.String() }, { ...strict, $id: 'EmailAddress' })
const PasswordByLinkBody = Type.Object(
  {
    token: Type.String(),
    password: Type.String(),
    device: Type.Optional(Type.String()),
    transport: Type.Optional(Type.Enum(['token', 'cookie'])),
  },
  { ...strict, $id: 'PasswordByLink' },
)
const KnownDeviceSchema = Type.Object({ device: Type.String() }, { ...strict, $id: 'KnownDevice' })
const knownAnswers = {
  200: {
    description: 'Done. The device is known to the account: send it with a sign-in.',
    schema: KnownDeviceSchema,
    example: { device: 'Vm9u...' },
  },
  204: { description: 'Done. The device is known by a cookie.' },
}

const PageQuery = Type.Object({ lang: Type.Optional(Type.Enum([...pageLanguages])) }, strict)
const readQuery = reading(PageQuery)

/** In the language of the mail, or by Accept-Language. */
const landing = (purpose: PagePurpose): Route => {
  const pages = pageLanguages.map(language => accountPage(purpose, language))
  return {
    method: 'GET',
    path: `/account/${purpose}`,
    name: `account-${purpose}-page`,
    tag,
    querystring: PageQuery,
    summary: 'The page that a link in a mail opens',
    request: { query: { lang: 'es' } },
    problems: [],
    answers: { 200: { description: 'A page.', type: 'text/html', schema: Type.String(), example: '<!doctype html>' } },
    handle: request => {
      const language = readQuery(request.query).lang ?? languageFor(header(request, 'accept-language'), pageLanguages)
      const page = pages.find(each => each.language === language)
      if (!page) throw new TypeError(`there is no page in ${language}`)
      return {
        status: 200,
        type: 'text/html; charset=utf-8',
        // Two readers of one address may be told in two languages.
        cache: 'no-store',
        body: page.html,
        headers: { 'content-security-policy': page.policy, 'content-language': language },
      }
    },
  }
}

const email: readonly RefusalCode[] = ['email-invalid', ...text]
const links: readonly RefusalCode[] = ['link-invalid', 'link-expired', 'link-used', ...text]
/** What sets a password by a link, and makes the device known. */
const byLink =
  (cookies: SessionCookies, use: IdentityPort['verify']): Route['handle'] =>
  async request => {
    const { transport, device: told, ...given } = readPassword(request.body)
    // Else a foreign page could make its visitor's browser known to an account of its own, and forgotten by theirs.
    if (transport === 'cookie') cookies.checkOrigin(request.headers)
    const device = transport === 'cookie' ? cookies.device(request.headers) : told
    const used = granted(await use(given, { ...fromOf(request), ...defined({ device }) }))
    return transport === 'cookie'
      ? { ...done, headers: { 'set-cookie': cookies.known(used.device) } }
      : unkept({ device: used.device })
  }
const readPassword = reading(PasswordByLinkBody)

const strangers = (port: IdentityPort, cookies: SessionCookies): readonly Route[] => {
  const readSignUp = reading(SignUpBody)
  const readEmail = reading(EmailBody)
  const mailed = (path: string, name: string, summary: string, ask: IdentityPort['resend']): Route => ({
    ...open,
    method: 'POST',
    path,
    name,
    summary,
    body: EmailBody,
    request: { body: { email: 'reader@dictionary.example' } },
    answers: takenAnswer,
    problems: email,
    handle: async request => {
      settle(await ask(readEmail(request.body).email, fromOf(request)))
      return taken
    },
  })
  return [
    {
      ...open,
      method: 'POST',
      path: '/v1/accounts',
      name: 'sign-up',
      summary: 'Sign up',
      body: SignUpBody,
      description:
        'The account begins when the link in the mail is used, with the password that is set then. A known address gets a mail that says so instead. Mails to one address are limited, whoever asks for them.',
      request: { body: { email: 'reader@dictionary.example' } },
      answers: takenAnswer,
      problems: email,
      handle: async request => {
        const { locale = 'en', ...given } = readSignUp(request.body)
        settle(await port.signUp({ ...given, locale }, fromOf(request)))
        return taken
      },
    },
    {
      ...open,
      method: 'POST',
      path: '/v1/accounts/verify-email',
      name: 'verify-email',
      body: PasswordByLinkBody,
      summary: 'Begin your account by the link of a sign-up, and set its password',
      request: { needs: 'a secret', body: { token: '1.b64.b64', password: 'horse staple battery' } },
      answers: knownAnswers,
      problems: [...links, 'password-weak', 'origin-refused', ...busy],
      handle: byLink(cookies, port.verify),
    },
    mailed('/v1/accounts/verify-email/resend', 'resend-verification', 'Have that link sent again', port.resend),
    mailed('/v1/password-resets', 'request-password-reset', 'Have a link sent that sets a password', port.requestReset),
    {
      ...open,
      method: 'POST',
      path: '/v1/password-resets/confirm',
      name: 'reset-password',
      body: PasswordByLinkBody,
      summary: 'Set a password by a link, and end every session',
      request: { needs: 'a secret', body: { token: '1.b64.b64', password: 'battery staple horse' } },
      answers: knownAnswers,
      problems: [...links, 'password-weak', 'origin-refused', ...busy],
      handle: byLink(cookies, port.reset),
    },
  ]
}

export const accountRoutes = (port: IdentityPort, cookies: SessionCookies): readonly Route[] => [
  ...strangers(port, cookies),
  ...sessionRoutes(port, cookies),
  ...ownRoutes(port),
  ...addressRoutes(port.addressChange, port.stepUp),
  ...stepUpRoutes(port.stepUp),
  ...factorRoutes(port.factors, port.stepUp),
  ...erasureRoutes(port.erasure, port.stepUp),
  ...passkeyRoutes(port.passkeys, port.stepUp, cookies),
  ...(['verify', 'reset', 'email', 'revert', 'keep'] as const).map(landing),
]
