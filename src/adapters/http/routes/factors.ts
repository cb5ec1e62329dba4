/** The second factor of one's own account: an authenticator (RFC 6238) and recovery codes. */
import Type from 'typebox'
import type { EdgeRequest, Route } from '../route.ts'
import {
  done,
  doneAnswer,
  type FactorPort,
  fromOf,
  granted,
  own,
  ownRead,
  reading,
  type StepUpPort,
  settle,
  strict,
  text,
  unkept,
} from './account-edge.ts'
import { byOf, freshProblems } from './sessions.ts'
import { requireFresh } from './step-up.ts'

const Empty = Type.Object({}, { ...strict, $id: 'Nothing' })
const CodeBody = Type.Object({ code: Type.String() }, { ...strict, $id: 'FactorCode' })
const TotpSchema = Type.Object(
  {
    on: Type.Boolean(),
    since: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    recoveryCodes: Type.Integer(),
  },
  { $id: 'Totp' },
)
const OfferSchema = Type.Object({ secret: Type.String(), uri: Type.String() }, { $id: 'TotpOffer' })
const CodesSchema = Type.Object({ codes: Type.Array(Type.String()) }, { $id: 'RecoveryCodes' })

const change = { ...own, rate: 'signIns' } as const

export const factorRoutes = (port: FactorPort, stepUp: StepUpPort): readonly Route[] => {
  const readCode = reading(CodeBody)
  const fresh = (request: EdgeRequest) => requireFresh(stepUp, request)
  return [
    {
      ...ownRead,
      rate: 'reads',
      method: 'GET',
      path: '/v1/me/totp',
      name: 'my-totp',
      request: { needs: 'an account' },
      summary: 'Whether signing in asks for a code',
      problems: ['not-an-account'],
      answers: {
        200: {
          description: 'Since when, and how many recovery codes are left.',
          schema: TotpSchema,
          example: { on: true, since: '2026-01-05T10:00:00.000Z', recoveryCodes: 10 },
        },
      },
      handle: async request => {
        const { since, recoveryCodes } = await port.standing(byOf(request).accountId)
        return unkept({ on: since !== undefined, since: since ?? null, recoveryCodes })
      },
    },
    {
      ...change,
      method: 'POST',
      path: '/v1/me/totp',
      name: 'offer-totp',
      body: Empty,
      request: { needs: 'an account', body: {} },
      summary: 'Begin an authenticator',
      description: 'Told once. It is none until a code of it is sent to /v1/me/totp/confirm within the hour.',
      answers: {
        200: {
          description: 'The secret to type in, and the URI to show as a QR code.',
          schema: OfferSchema,
          example: { secret: 'JBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Lexichron:reader?secret=JBSWY3DPEHPK3PXP' },
        },
      },
      problems: [...freshProblems, 'account-not-found', 'factor-on', ...text],
      handle: async request => unkept(granted(await port.offer(await fresh(request), fromOf(request)))),
    },
    {
      ...change,
      method: 'POST',
      path: '/v1/me/totp/confirm',
      name: 'confirm-totp',
      body: CodeBody,
      summary: 'Turn the authenticator on by its first code',
      request: { needs: 'an account', body: { code: '123456' } },
      description: 'From here on signing in asks for a code. Every other session ends.',
      answers: doneAnswer,
      problems: [...freshProblems, 'factor-on', 'factor-off', 'code-wrong', ...text],
      handle: async request => {
        const by = await fresh(request)
        settle(await port.confirm(by, readCode(request.body).code, fromOf(request)))
        return done
      },
    },
    {
      ...change,
      method: 'DELETE',
      path: '/v1/me/totp',
      name: 'remove-totp',
      request: { needs: 'an account' },
      summary: 'Remove the authenticator, and end every other session',
      answers: doneAnswer,
      problems: [...freshProblems, 'password-short'],
      handle: async request => {
        settle(await port.remove(await fresh(request), fromOf(request)))
        return done
      },
    },
    {
      ...change,
      method: 'POST',
      path: '/v1/me/recovery-codes',
      name: 'make-recovery-codes',
      body: Empty,
      summary: 'Ten recovery codes',
      request: { needs: 'an account', body: {} },
      description: 'Told once; those before are of no use any more. Each is good for one sign-in or step-up.',
      answers: {
        200: { description: 'The codes.', schema: CodesSchema, example: { codes: ['abcd-efgh-jkmn-2345'] } },
      },
      problems: [...freshProblems, 'factor-off', ...text],
      handle: async request => {
        const by = await fresh(request)
        return unkept({ codes: granted(await port.recoveryCodes(by, fromOf(request))) })
      },
    },
  ]
}
