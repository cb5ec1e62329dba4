/** Sessions, and what the holder of one does with their own account. */
import Type from 'typebox'
import type { BySession } from '../../../commands/identity.ts'
import { defined } from '../../../domain/defined.ts'
import type { Refusal } from '../../../domain/refusal.ts'
import { ACCESS_SECONDS } from '../access-tokens.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type Answer, type EdgeRequest, header, type Route } from '../route.ts'
import type { SessionCookies } from '../session-cookies.ts'
import {
  busy,
  done,
  doneAnswer,
  fromOf,
  type IdentityPort,
  nothing,
  open,
  own,
  ownLeave,
  ownRead,
  reading,
  type SignedIn,
  secondFactor,
  settle,
  strict,
  tag,
  text,
  unkept,
} from './account-edge.ts'
import { RightsSchema, restricted } from './account-schemas.ts'
import { isPasskeyAlone, PasskeyAnswer } from './passkey-answer.ts'
import {
  exampleDevice,
  exampleId,
  exampleSession,
  SessionSchema,
  SessionsSchema,
  sessionBody,
  sessionItem,
} from './session-schemas.ts'

const SignInBody = Type.Object(
  {
    email: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    passkey: Type.Optional(PasskeyAnswer),
    remember: Type.Optional(Type.Boolean()),
    code: Type.Optional(Type.String()),
    device: Type.Optional(Type.String()),
    transport: Type.Optional(Type.Enum(['token', 'cookie'])),
  },
  { ...strict, $id: 'SignIn' },
)
const RefreshBody = Type.Object(
  { refreshToken: Type.Optional(Type.String()), transport: Type.Optional(Type.Enum(['token', 'cookie'])) },
  { ...strict, $id: 'Refresh' },
)
const PasswordBody = Type.Object(
  { currentPassword: Type.String(), newPassword: Type.String() },
  { ...strict, $id: 'PasswordChange' },
)
const SessionParams = Type.Object({ id: Type.String() }, strict)

const SignedInSchema = Type.Object(
  {
    tokenType: Type.Enum(['Bearer']),
    accessToken: Type.String(),
    expiresIn: Type.Integer(),
    refreshToken: Type.String(),
    session: SessionSchema,
    restricted,
    device: Type.Optional(Type.String()),
  },
  { $id: 'SignedIn' },
)
const CookieSignedInSchema = Type.Object(
  { csrfToken: Type.String(), expiresIn: Type.Integer(), session: SessionSchema, restricted },
  { ...strict, $id: 'SignedInByCookie' },
)
const OpenedSchema = Type.Union([SignedInSchema, CookieSignedInSchema], { $id: 'OpenedSession' })
const EndSessionsQuery = Type.Object({ all: Type.Optional(Type.Boolean({ description: 'This one too.' })) }, strict)

const signedInExample = {
  tokenType: 'Bearer',
  accessToken: 'eyJ...',
  expiresIn: 600,
  refreshToken: 'AY8s...',
  session: exampleSession,
  restricted: false,
}

/** Of a change that asks for a fresh proof. */
export const freshProblems = ['not-an-account', 'session-ended', 'step-up-required'] as const

export const openedAnswer = { description: 'The session.', schema: OpenedSchema, example: signedInExample }

/** The account and session that ask. @throws {ProblemError} not-an-account for the token of a service. */
export const byOf = ({ requester: { actor, credential } }: EdgeRequest): BySession => {
  if (actor?.kind !== 'account' || !credential)
    throw new ProblemError('not-an-account', 'This token belongs to a service, which has no account.')
  return { accountId: actor.id, sessionId: credential.id }
}

/** Other credentials would be of no use. */
const endings: ReadonlySet<string> = new Set(['account-erased', 'erasure-begun'])
const CHALLENGE = { 'www-authenticate': 'Bearer realm="lexichron"' }

/** `cookies`: where they are to take the tokens instead of the body. */
export const signedIn = (status: number, found: SignedIn | Refusal, cookies?: SessionCookies): Answer => {
  if ('refused' in found)
    throw problemFrom(found, {
      ...(endings.has(found.refused) ? {} : CHALLENGE),
      // Of a session that has ended the browser is to keep nothing.
      ...defined({ 'set-cookie': cookies && found.refused === 'session-ended' ? cookies.cleared : undefined }),
    })
  const { accessToken, refreshToken, session, isRestricted, device } = found
  if (cookies) {
    const csrfToken = cookies.csrfToken(session.id)
    const body = { csrfToken, expiresIn: ACCESS_SECONDS, session: sessionBody(session, true), restricted: isRestricted }
    return { status, body: JSON.stringify(body), cache: 'no-store', headers: { 'set-cookie': cookies.set(found) } }
  }
  const body = {
    tokenType: 'Bearer',
    accessToken,
    expiresIn: ACCESS_SECONDS,
    refreshToken,
    session: sessionBody(session, true),
    restricted: isRestricted,
    ...defined({ device }),
  }
  return unkept(body, status)
}

const misplaced = (detail: string): ProblemError =>
  new ProblemError('validation', detail, { errors: [{ pointer: '/refreshToken', code: 'transport', detail }] })

/** The refresh token of a browser, which a page of ours has to want used. */
const cookieToken = (port: IdentityPort, cookies: SessionCookies, { headers }: EdgeRequest): string => {
  cookies.checkOrigin(headers)
  const token = cookies.refresh(headers) ?? ''
  const session = port.sessionIn(token)
  if (session !== undefined) cookies.checkToken(headers, session)
  return token
}

/** Signed out by cookies: the browser forgets them. */
const forgotten = (request: EdgeRequest, cookies: SessionCookies): Answer =>
  header(request, 'authorization') === undefined ? { ...done, headers: { 'set-cookie': cookies.cleared } } : done

export const sessionRoutes = (port: IdentityPort, cookies: SessionCookies): readonly Route[] => {
  const readSignIn = reading(SignInBody)
  const readRefresh = reading(RefreshBody)
  const readEnd = reading(EndSessionsQuery)
  return [
    {
      ...open,
      method: 'POST',
      path: '/v1/sessions',
      name: 'sign-in',
      summary: 'Sign in',
      body: SignInBody,
      request: { needs: 'a secret', body: { email: 'reader@dictionary.example', password: 'horse staple battery' } },
      description:
        'With transport cookie the tokens come as cookies and the answer has csrfToken, to be sent back as X-CSRF-Token with every change. device names this device: sent with the next sign-in, strangers who guess at the account do not keep it out. To who is suspended the session is restricted.',
      answers: { 201: openedAnswer },
      problems: ['credentials-wrong', ...secondFactor, 'account-erased', 'erasure-begun', 'origin-refused', ...busy],
      handle: async request => {
        const body = readSignIn(request.body)
        const { email: address = '', remember = false, transport, device: told, ...proof } = body
        // Else a foreign page could sign its visitor in to an account of its own.
        if (transport === 'cookie') cookies.checkOrigin(request.headers)
        const device = transport === 'cookie' ? cookies.device(request.headers) : told
        const from = { ...fromOf(request), ...defined({ device }) }
        const { passkey = {}, password = '' } = proof
        const alone = isPasskeyAlone(body, ['email', 'password'])
        const opened = await (alone
          ? port.signInByPasskey({ passkey, remember }, from)
          : port.signIn({ ...proof, email: address, password, remember }, request.counted, from))
        return signedIn(201, opened, transport === 'cookie' ? cookies : undefined)
      },
    },
    {
      tag,
      querystring: nothing,
      rate: 'writes',
      method: 'POST',
      path: '/v1/sessions/refresh',
      name: 'refresh',
      summary: 'Go on with a session',
      description:
        'Each refresh token works once. The one before, sent again within ten seconds, gets the same answer; any older one ends the session. With transport cookie it comes as a cookie, and X-CSRF-Token is needed.',

      body: RefreshBody,
      request: { needs: 'a secret', body: { refreshToken: 'AY8s...' } },
      problems: ['session-ended', 'origin-refused', 'csrf-invalid', ...text],
      answers: { 200: { description: 'The session.', schema: OpenedSchema, example: signedInExample } },
      handle: async request => {
        const { refreshToken: given, transport = 'token' } = readRefresh(request.body)
        if (transport === 'cookie') {
          if (given !== undefined) throw misplaced('With transport cookie the refresh token is the cookie alone.')
          const token = cookieToken(port, cookies, request)
          return signedIn(200, await port.refresh(token, fromOf(request)), cookies)
        }
        if (given === undefined) throw misplaced('refreshToken is required unless transport is cookie.')
        return signedIn(200, await port.refresh(given, fromOf(request)))
      },
    },
    {
      ...ownRead,
      rate: 'reads',
      method: 'GET',
      path: '/v1/sessions',
      name: 'list-sessions',
      summary: 'Your sessions',
      request: { needs: 'an account' },
      problems: ['not-an-account'],
      answers: {
        200: {
          description: 'The newest first.',
          schema: SessionsSchema,
          example: { items: [{ ...exampleSession, device: exampleDevice }] },
        },
      },
      handle: async request => {
        const by = byOf(request)
        const found = await port.sessionsOf(by.accountId)
        const items = found.map(each => ({ ...sessionItem(each), current: each.session.id === by.sessionId }))
        return { status: 200, body: JSON.stringify({ items }) }
      },
    },
    {
      ...ownLeave,
      rate: 'writes',
      method: 'DELETE',
      path: '/v1/sessions',
      name: 'end-other-sessions',
      summary: 'End every other session, or all of them',
      querystring: EndSessionsQuery,
      request: { needs: 'an account' },
      answers: doneAnswer,
      problems: ['not-an-account'],
      handle: async request => {
        const { all = false } = readEnd(request.query)
        settle(await port.endSessions(byOf(request), all ? 'all' : 'all-others', fromOf(request)))
        return all ? forgotten(request, cookies) : done
      },
    },
    {
      ...ownLeave,
      rate: 'writes',
      method: 'DELETE',
      path: '/v1/sessions/current',
      name: 'sign-out',
      summary: 'Sign out',
      request: { needs: 'an account' },
      answers: doneAnswer,
      problems: ['not-an-account', 'session-not-found'],
      handle: async request => {
        const { accountId, sessionId: id } = byOf(request)
        settle(await port.endSession(accountId, { id, reason: 'signed-out' }, fromOf(request)))
        return forgotten(request, cookies)
      },
    },
    {
      ...ownLeave,
      rate: 'writes',
      method: 'DELETE',
      path: '/v1/sessions/:id',
      name: 'end-session',
      summary: 'End one of your sessions',
      params: SessionParams,
      request: { needs: 'an account', params: { id: exampleId } },
      answers: doneAnswer,
      problems: ['not-an-account', 'session-not-found'],
      handle: async request => {
        const { id = '' } = request.params
        settle(await port.endSession(byOf(request).accountId, { id, reason: 'ended' }, fromOf(request)))
        return done
      },
    },
  ]
}

export const ownRoutes = (port: IdentityPort): readonly Route[] => {
  const readPassword = reading(PasswordBody)
  const found = async (request: EdgeRequest) => {
    const known = await port.account(byOf(request).accountId)
    if (!known) throw new ProblemError('account-not-found', 'There is no such account.')
    return known
  }
  return [
    {
      ...ownRead,
      rate: 'reads',
      method: 'GET',
      path: '/v1/me/permissions',
      name: 'my-permissions',
      request: { needs: 'an account' },
      summary: 'What you may do',
      problems: ['not-an-account', 'account-not-found'],
      answers: {
        200: {
          description:
            'Roles in force, all that they permit, and what they permit beside it on entries of a language. While the account is suspended (restricted) none is, and what may be done is the same for all.',
          schema: RightsSchema,
          example: {
            restricted: false,
            roles: [{ role: 'contributor' }],
            permissions: ['account:use', 'entries:read'],
            inLanguages: {},
          },
        },
      },
      handle: async request => {
        const { account, grants } = await found(request)
        const { permissions, inLanguages = new Map<string, ReadonlySet<string>>() } = request.requester
        const beside = [...inLanguages].map(([range, more]) => [range, [...more.difference(permissions)].toSorted()])
        const body = {
          restricted: account.suspended,
          roles: grants,
          permissions: [...permissions].toSorted(),
          inLanguages: Object.fromEntries(beside),
        }
        return { status: 200, body: JSON.stringify(body) }
      },
    },
    {
      ...own,
      rate: 'signIns',
      method: 'POST',
      path: '/v1/me/password',
      name: 'change-password',
      body: PasswordBody,
      summary: 'Change your password, and end every other session',
      request: {
        needs: 'an account',
        body: { currentPassword: 'horse staple battery', newPassword: 'battery staple horse' },
      },
      answers: doneAnswer,
      problems: [...freshProblems, 'account-not-found', 'credentials-wrong', 'password-weak', ...busy],
      handle: async request => {
        const { currentPassword: current, newPassword: next } = readPassword(request.body)
        settle(await port.stepUp.requireBesidePassword(byOf(request), request.counted))
        settle(await port.changePassword(byOf(request), { current, next }, fromOf(request)))
        return done
      },
    },
  ]
}
