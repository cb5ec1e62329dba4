/**
 * Step-up (RFC 9470): what changes how one gets in, or takes everything away, asks for a proof of the last ten minutes.
 * A route calls `requireFresh` first of all.
 */
import Type from 'typebox'
import type { BySession } from '../../../commands/identity.ts'
import { FRESH_MS } from '../../../domain/session/session.ts'
import type { EdgeRequest, Route } from '../route.ts'
import {
  busy,
  fromOf,
  granted,
  nothing,
  reading,
  type StepUpPort,
  secondFactor,
  settle,
  strict,
  tag,
  unkept,
} from './account-edge.ts'
import { isPasskeyAlone, PasskeyAnswer } from './passkey-answer.ts'
import { byOf } from './sessions.ts'

/**
 * Who asks, where they have proved it within ten minutes; such a route lists the problems `freshProblems`.
 * @throws {ProblemError} not-an-account, session-ended, step-up-required.
 */
export const requireFresh = async (port: Pick<StepUpPort, 'require'>, request: EdgeRequest): Promise<BySession> => {
  const by = byOf(request)
  settle(await port.require(by))
  return by
}

export const freshProblems = ['not-an-account', 'session-ended', 'step-up-required'] as const

const StepUpBody = Type.Object(
  { password: Type.Optional(Type.String()), code: Type.Optional(Type.String()), passkey: Type.Optional(PasskeyAnswer) },
  { ...strict, $id: 'StepUp' },
)
const time = Type.String({ format: 'date-time' })
const FreshSchema = Type.Object({ authenticatedAt: time, freshUntil: time }, { $id: 'Fresh' })

export const stepUpRoutes = (port: StepUpPort): readonly Route[] => {
  const read = reading(StepUpBody)
  return [
    {
      tag,
      permission: 'account:leave',
      rate: 'signIns',
      method: 'POST',
      path: '/v1/sessions/step-up',
      name: 'step-up',
      summary: 'Prove once more who you are',
      querystring: nothing,
      body: StepUpBody,
      description:
        'Changes of password, address, factors and identities, export and erasure are for sessions whose holder has proved within ten minutes who they are: by signing in, or here. They answer step-up-required otherwise.',
      request: { needs: 'an account', body: { password: 'horse staple battery' } },
      answers: {
        200: {
          description: 'The proof, and until when it is good.',
          schema: FreshSchema,
          example: { authenticatedAt: '2026-01-05T10:00:00.000Z', freshUntil: '2026-01-05T10:10:00.000Z' },
        },
      },
      problems: ['not-an-account', 'account-not-found', 'credentials-wrong', ...secondFactor, 'session-ended', ...busy],
      handle: async request => {
        const by = byOf(request)
        const proof = read(request.body)
        isPasskeyAlone(proof, ['password'])
        const { authenticatedAt } = granted(await port.prove(by, proof, request.counted, fromOf(request)))
        const freshUntil = new Date(Date.parse(authenticatedAt) + FRESH_MS).toISOString()
        return unkept({ authenticatedAt, freshUntil })
      },
    },
  ]
}
