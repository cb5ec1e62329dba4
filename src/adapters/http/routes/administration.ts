/** What administrators do to accounts: roles and suspension. */
import Type from 'typebox'
import type { Grant } from '../../../domain/account/grants.ts'
import { defined } from '../../../domain/defined.ts'
import type { Actor } from '../../../domain/event.ts'
import type { Refusal } from '../../../domain/refusal.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import { instantOf } from '../times.ts'
import {
  done,
  doneAnswer,
  type From,
  fromOf,
  nothing,
  reading,
  type StepUpPort,
  settle,
  strict,
  text,
} from './account-edge.ts'
import { AccountParams, GrantSchema } from './account-schemas.ts'
import { requireFresh } from './step-up.ts'

/** How an account stands after the act, and the position at which it does. */
export type Standing = {
  readonly id: string
  readonly suspended: boolean
  readonly grants: readonly Grant[]
  readonly position: bigint
}
/** What the routes need; src/app/identity.ts has it. */
export type AdministrationPort = {
  grant(
    given: {
      readonly id: string
      readonly role: string
      readonly expiresAt?: string
      readonly languages?: readonly string[]
      readonly reason: string
    },
    by: Actor,
    from: From,
  ): Promise<Standing | Refusal>
  take(
    given: { readonly id: string; readonly role: string; readonly reason: string },
    by: Actor,
    from: From,
  ): Promise<Standing | Refusal>
  suspend(id: string, reason: string, by: Actor, from: From): Promise<Standing | Refusal>
  /** All sessions of the account; `reason` says why. */
  endSessions(id: string, reason: string, by: Actor, from: From): Promise<Standing | Refusal>
  endSession(
    about: { readonly id: string; readonly sessionId: string; readonly reason: string },
    by: Actor,
    from: From,
  ): Promise<'done' | Refusal>
  reinstate(id: string, reason: string, by: Actor, from: From): Promise<Standing | Refusal>
}

const Reason = Type.String({ maxLength: 500, description: 'Why: it is in the log, and the person is told by mail.' })
const GrantBody = Type.Object(
  {
    reason: Reason,
    expiresAt: Type.Optional(Type.String()),
    languages: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 50 })),
  },
  { ...strict, $id: 'RoleGrant' },
)
const ReasonBody = Type.Object({ reason: Reason }, { ...strict, $id: 'AdministrativeReason' })
const SessionParams = Type.Object({ id: Type.String(), session: Type.String() }, strict)
const RoleParams = Type.Object({ id: Type.String(), role: Type.String() }, strict)
const StandingSchema = Type.Object(
  {
    id: Type.String(),
    suspended: Type.Boolean(),
    roles: Type.Array(GrantSchema),
  },
  { $id: 'AccountStanding' },
)

const id = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
const answers = {
  200: {
    description: 'How the account stands now.',
    schema: StandingSchema,
    example: {
      id,
      suspended: false,
      roles: [{ role: 'editor', expiresAt: '2026-12-31T23:00:00.000Z', languages: ['es'] }],
    },
  },
}
const base = {
  tag: 'Administration',
  querystring: nothing,
  permission: 'accounts:manage',
  rate: 'writes',
  answers,
} as const

const proof = ['session-ended', 'step-up-required'] as const
/** What the guard of all these decisions says (src/domain/account/administration.ts). */
const of = ['account-not-found', 'account-erased', 'erasure-begun', 'own-role', ...proof] as const

const byOf = ({ requester: { actor } }: EdgeRequest): Actor => {
  if (actor) return actor
  throw new ProblemError('unauthenticated', 'This needs an access token.')
}

const answer = (found: Standing | Refusal): Answer => {
  if ('refused' in found) throw problemFrom(found)
  const { suspended, grants, position } = found
  return { status: 200, body: JSON.stringify({ id: found.id, suspended, roles: grants }), position }
}

/** RFC 3339 as it is kept. @throws {ProblemError} validation. */
export const timeOf = (given: string): string => {
  const time = instantOf(given)
  if (typeof time !== 'string') return time.toISOString()
  const detail = `expiresAt: ${time}`
  throw new ProblemError('validation', detail, { errors: [{ pointer: '/expiresAt', code: 'format', detail }] })
}

export const administrationRoutes = (
  port: AdministrationPort,
  stepUp: Pick<StepUpPort, 'require'>,
): readonly Route[] => {
  /** A session that was left open is not enough; a service has none, and its token is short-lived. */
  const acting = async (request: EdgeRequest): Promise<Actor> => {
    const by = byOf(request)
    if (by.kind === 'account') await requireFresh(stepUp, request)
    return by
  }
  const readGrant = reading(GrantBody)
  const readReason = reading(ReasonBody)
  return [
    {
      ...base,
      method: 'PUT',
      path: '/v1/accounts/:id/roles/:role',
      name: 'grant-role',
      summary: 'Grant a role',
      description:
        'In force at once where its Sync-Token is sent, on every node within a second. expiresAt ends it by itself; languages holds it to entries of these (es covers es-MX), for editors and moderators.',

      params: RoleParams,
      body: GrantBody,
      request: {
        needs: 'an account',
        params: { id, role: 'editor' },
        body: { reason: 'Knows Spanish.', languages: ['es'] },
      },
      problems: [
        ...of,
        'role-unknown',
        'role-basic',
        'grant-suspended',
        'grant-beyond-own',
        'grant-past',
        'grant-languages',
        'language-unknown',
        'reason-required',
        ...text,
      ],
      handle: async request => {
        const { expiresAt, languages, reason } = readGrant(request.body)
        const { id: account = '', role = '' } = request.params
        const ends = expiresAt === undefined ? {} : { expiresAt: timeOf(expiresAt) }
        return answer(
          await port.grant(
            { id: account, role, reason, ...ends, ...defined({ languages }) },
            await acting(request),
            fromOf(request),
          ),
        )
      },
    },
    {
      ...base,
      method: 'DELETE',
      path: '/v1/accounts/:id/roles/:role',
      name: 'take-role',
      params: RoleParams,
      summary: 'Take a role back',
      body: ReasonBody,
      request: { needs: 'an account', params: { id, role: 'editor' }, body: { reason: 'Has left the team.' } },
      problems: [
        ...of,
        'role-unknown',
        'role-basic',
        'role-not-held',
        'last-administrator',
        'reason-required',
        ...text,
      ],
      handle: async request => {
        const { id: account = '', role = '' } = request.params
        return answer(
          await port.take(
            { id: account, role, reason: readReason(request.body).reason },
            await acting(request),
            fromOf(request),
          ),
        )
      },
    },
    {
      ...base,
      method: 'POST',
      path: '/v1/accounts/:id/suspend',
      name: 'suspend-account',
      params: AccountParams,
      summary: 'Suspend an account and end its sessions',
      body: ReasonBody,
      request: { needs: 'an account', params: { id }, body: { reason: 'Spam.' } },
      problems: [...of, 'last-administrator', 'reason-required', ...text],
      handle: async request => {
        const { reason } = readReason(request.body)
        return answer(await port.suspend(request.params['id'] ?? '', reason, await acting(request), fromOf(request)))
      },
    },
    {
      ...base,
      method: 'DELETE',
      path: '/v1/accounts/:id/sessions',
      name: 'end-account-sessions',
      summary: 'End every session of an account',
      description: 'The account is told by mail, with the reason.',
      params: AccountParams,
      body: ReasonBody,
      request: { needs: 'an account', params: { id }, body: { reason: 'A stolen device.' } },
      problems: ['account-not-found', 'account-erased', 'erasure-begun', 'reason-required', ...text, ...proof],
      handle: async request => {
        const { reason } = readReason(request.body)
        return answer(
          await port.endSessions(request.params['id'] ?? '', reason, await acting(request), fromOf(request)),
        )
      },
    },
    {
      ...base,
      method: 'DELETE',
      path: '/v1/accounts/:id/sessions/:session',
      name: 'end-account-session',
      summary: 'End one session of an account',
      description: 'The account is told by mail, with the reason.',
      params: SessionParams,
      body: ReasonBody,
      request: { needs: 'an account', params: { id, session: id }, body: { reason: 'A stolen device.' } },
      answers: doneAnswer,
      problems: ['session-not-found', 'reason-required', ...text, ...proof],
      handle: async request => {
        const { reason } = readReason(request.body)
        const { id: account = '', session: sessionId = '' } = request.params
        settle(await port.endSession({ id: account, sessionId, reason }, await acting(request), fromOf(request)))
        return done
      },
    },
    {
      ...base,
      method: 'POST',
      path: '/v1/accounts/:id/reinstate',
      name: 'reinstate-account',
      summary: 'Let an account act again',
      params: AccountParams,
      body: ReasonBody,
      request: { needs: 'an account', params: { id }, body: { reason: 'It was somebody else.' } },
      problems: [...of, 'reason-required', ...text],
      handle: async request => {
        const { reason } = readReason(request.body)
        return answer(await port.reinstate(request.params['id'] ?? '', reason, await acting(request), fromOf(request)))
      },
    },
  ]
}
