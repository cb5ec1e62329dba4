/** Passkeys (W3C Web Authentication, level 3): one's own, and the options that a browser's authenticator is asked with. */
import Type from 'typebox'
import type { Passkey } from '../../../domain/session/passkeys.ts'
import type { EdgeRequest, Route } from '../route.ts'
import type { SessionCookies } from '../session-cookies.ts'
import {
  done,
  doneAnswer,
  fromOf,
  granted,
  open,
  own,
  ownLeave,
  ownRead,
  type PasskeyPort,
  reading,
  type StepUpPort,
  settle,
  strict,
  text,
  unkept,
} from './account-edge.ts'
import { PasskeyAnswer } from './passkey-answer.ts'
import { byOf, freshProblems } from './sessions.ts'
import { requireFresh } from './step-up.ts'

const OptionsBody = Type.Object(
  { device: Type.Optional(Type.String()), transport: Type.Optional(Type.Enum(['token', 'cookie'])) },
  { ...strict, $id: 'PasskeySignInOptions' },
)
const Empty = Type.Object({}, { ...strict, $id: 'PasskeyOptionsBody' })
const AddBody = Type.Object({ name: Type.String(), response: PasskeyAnswer }, { ...strict, $id: 'PasskeyToAdd' })
const OptionsSchema = Type.Object({ challenge: Type.String(), timeout: Type.Integer() }, { $id: 'PasskeyOptions' })
const time = Type.String({ format: 'date-time' })
const PasskeySchema = Type.Object(
  {
    id: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    backedUp: Type.Boolean(),
    createdAt: time,
    usedAt: Type.Union([time, Type.Null()]),
  },
  { $id: 'Passkey' },
)
const PasskeysSchema = Type.Object({ items: Type.Array(PasskeySchema) }, { $id: 'Passkeys' })
const Params = Type.Object({ id: Type.String() }, strict)

const exampleId = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
const example = {
  id: exampleId,
  name: 'My phone',
  backedUp: true,
  createdAt: '2026-01-05T10:00:00.000Z',
  usedAt: null,
}
const asking = { challenge: 'AZuM...', rpId: 'dictionary.example', timeout: 300_000, userVerification: 'required' }
const body = ({ id, name, backedUp, createdAt, usedAt }: Passkey) => ({
  id,
  name: name ?? null,
  backedUp,
  createdAt,
  usedAt: usedAt ?? null,
})

const change = { ...own, rate: 'signIns' } as const
const options = (description: string) => ({ 200: { description, schema: OptionsSchema, example: asking } })

export const passkeyRoutes = (port: PasskeyPort, stepUp: StepUpPort, cookies: SessionCookies): readonly Route[] => {
  const readOptions = reading(OptionsBody)
  const readAdd = reading(AddBody)
  const fresh = (request: EdgeRequest) => requireFresh(stepUp, request)
  return [
    {
      ...open,
      method: 'POST',
      path: '/v1/sessions/passkey/options',
      name: 'passkey-sign-in-options',
      summary: 'What to ask an authenticator for, to sign in',
      body: OptionsBody,
      request: { needs: 'a secret', body: {} },
      description:
        'For navigator.credentials.get. The answer goes to POST /v1/sessions as passkey, with the same device.',
      answers: options('Good for five minutes and one answer.'),
      problems: ['passkeys-off', ...text],
      handle: request => {
        const { device, transport } = readOptions(request.body)
        const told = transport === 'cookie' ? cookies.device(request.headers) : device
        return unkept(granted(port.signInOptions(told ?? '')))
      },
    },
    {
      ...ownLeave,
      rate: 'signIns',
      method: 'POST',
      path: '/v1/sessions/step-up/options',
      name: 'passkey-step-up-options',
      summary: 'What to ask an authenticator for, to step up',
      body: Empty,
      request: { needs: 'an account', body: {} },
      answers: options('Good for five minutes, this session and one answer.'),
      problems: ['not-an-account', 'passkeys-off', ...text],
      handle: request => unkept(granted(port.stepUpOptions(byOf(request)))),
    },
    {
      ...change,
      method: 'POST',
      path: '/v1/me/passkeys/options',
      name: 'passkey-options',
      body: Empty,
      summary: 'What to ask an authenticator for, to add a passkey',
      request: { needs: 'an account', body: {} },
      description: 'For navigator.credentials.create. The answer goes to POST /v1/me/passkeys as response.',
      answers: options('Good for five minutes, this session and one answer.'),
      problems: [...freshProblems, 'account-not-found', 'passkeys-off', ...text],
      handle: async request => unkept(granted(await port.addOptions(await fresh(request)))),
    },
    {
      ...change,
      method: 'POST',
      path: '/v1/me/passkeys',
      name: 'add-passkey',
      body: AddBody,
      summary: 'Add a passkey, and end every other session',
      request: {
        needs: 'an account',
        body: { name: 'My phone', response: { id: 'b64', rawId: 'b64', type: 'public-key', response: {} } },
      },
      answers: { 201: { description: 'The passkey.', schema: PasskeySchema, example } },
      problems: [...freshProblems, 'passkey-wrong', 'passkey-refused', 'passkeys-off', ...text],
      handle: async request => {
        const by = await fresh(request)
        const { name, response: answer } = readAdd(request.body)
        const { id } = granted(await port.add(by, { name, answer }, fromOf(request)))
        const added = (await port.list(by.accountId)).find(each => each.id === id)
        const headers = { location: `/v1/me/passkeys/${id}` }
        return { ...unkept(added ? body(added) : { id }, 201), headers }
      },
    },
    {
      ...ownRead,
      rate: 'reads',
      method: 'GET',
      path: '/v1/me/passkeys',
      name: 'list-passkeys',
      request: { needs: 'an account' },
      summary: 'Your passkeys',
      problems: ['not-an-account'],
      answers: { 200: { description: 'The oldest first.', schema: PasskeysSchema, example: { items: [example] } } },
      handle: async request => unkept({ items: (await port.list(byOf(request).accountId)).map(body) }),
    },
    {
      ...change,
      method: 'DELETE',
      path: '/v1/me/passkeys/:id',
      name: 'remove-passkey',
      params: Params,
      summary: 'Remove a passkey, and end every other session',
      request: { needs: 'an account', params: { id: exampleId } },
      answers: doneAnswer,
      problems: [...freshProblems, 'passkey-not-found'],
      handle: async request => {
        const { id = '' } = request.params
        settle(await port.remove(await fresh(request), id, fromOf(request)))
        return done
      },
    },
  ]
}
