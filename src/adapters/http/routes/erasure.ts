/** The end of one's account: wished for, taken back, and the receipt. */
import Type from 'typebox'
import { contentChoices } from '../../../domain/account/erasure-events.ts'
import type { Json } from '../../../domain/event.ts'
import { isRefusal, type RefusalCode } from '../../../domain/refusal.ts'
import { problemFrom } from '../problems.ts'
import type { Route } from '../route.ts'
import {
  done,
  doneAnswer,
  type ErasurePort,
  fromOf,
  nothing,
  open,
  reading,
  type StepUpPort,
  settle,
  strict,
  tag,
  text,
  unkept,
} from './account-edge.ts'
import { LinkTokenBody } from './account-schemas.ts'
import { byOf } from './sessions.ts'
import { freshProblems, requireFresh } from './step-up.ts'

const time = Type.String({ format: 'date-time' })
const ErasureBody = Type.Object(
  { content: Type.Enum([...contentChoices], { description: 'Whether your display name stays with what you wrote.' }) },
  { ...strict, $id: 'ErasureWish' },
)
const ErasureSchema = Type.Object(
  {
    due: time,
    content: Type.Enum([...contentChoices]),
    receipt: Type.String({ description: 'Where the receipt is to be had once it is done: keep it.' }),
    export: Type.String({ description: 'All that is known of you, until then.' }),
  },
  { $id: 'Erasure' },
)
const strings = Type.Array(Type.String())
const ReceiptSchema = Type.Object(
  {
    signed: Type.String({ description: 'The receipt as a JWS, compact: keep it with the keys.' }),
    receipt: Type.Object({
      version: Type.Literal(1),
      service: Type.String(),
      logId: Type.String(),
      position: Type.String(),
      account: Type.String(),
      requestedAt: time,
      erasedAt: time,
      content: Type.Enum([...contentChoices]),
      attribution: Type.Optional(Type.String()),
      destroyed: strings,
      kept: strings,
      copies: Type.String(),
    }),
  },
  { $id: 'Receipt' },
)
const KeysSchema = Type.Object(
  { keys: Type.Array(Type.Object({}, { additionalProperties: true })) },
  { $id: 'ReceiptKeys' },
)
const ReceiptParams = Type.Object({ token: Type.String() }, strict)

const id = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
const times = { requestedAt: '2026-01-05T10:00:00.000Z', erasedAt: '2026-01-06T10:15:00.000Z' }
const wished: Json = {
  due: '2026-01-06T10:00:00.000Z',
  content: 'anonymised',
  receipt: `/v1/receipts/${id}.b64`,
  export: '/v1/me/export',
}
const receiptExample: Json = {
  signed: 'eyJ...',
  receipt: {
    version: 1,
    service: 'https://dictionary.example',
    logId: id,
    position: '4711',
    account: id,
    ...times,
    content: 'anonymised',
    destroyed: ['the key'],
    kept: ['what was written'],
    copies: '30 days',
  },
}
const links: readonly RefusalCode[] = ['link-invalid', 'erasure-begun', ...text]

export const erasureRoutes = (port: ErasurePort, stepUp: Pick<StepUpPort, 'require'>): readonly Route[] => {
  const readWish = reading(ErasureBody)
  const readToken = reading(LinkTokenBody)
  const own = { tag, permission: 'account:leave', querystring: nothing } as const
  return [
    {
      ...own,
      rate: 'signIns',
      method: 'DELETE',
      path: '/v1/me',
      name: 'erase-me',
      body: ErasureBody,
      summary: 'Erase your account, in a day',
      description:
        'For 24 hours it can be taken back, by DELETE /v1/me/erasure or the link in the mail. Then nobody signs in any more, and a quarter of an hour later the key of all your personal data is destroyed, addresses and identities are free, and there is a signed receipt.',
      request: { needs: 'an account', body: { content: 'anonymised' } },
      answers: { 202: { description: 'When it is due.', schema: ErasureSchema, example: wished } },
      problems: [...freshProblems, 'account-not-found', 'erasure-begun', 'last-administrator', ...text],
      handle: async request => {
        const { accountId } = await requireFresh(stepUp, request)
        const found = await port.wish(accountId, readWish(request.body).content, fromOf(request))
        if (isRefusal(found)) throw problemFrom(found)
        const { due, content } = found
        const body = { due, content, receipt: port.receiptPath(accountId), export: '/v1/me/export' }
        return unkept(body, 202)
      },
    },
    {
      ...own,
      rate: 'writes',
      method: 'DELETE',
      path: '/v1/me/erasure',
      name: 'keep-me',
      summary: 'Take the erasure back',
      request: { needs: 'an account' },
      answers: doneAnswer,
      problems: ['not-an-account', 'account-not-found', 'erasure-begun'],
      handle: async request => {
        settle(await port.takeBack(byOf(request).accountId, fromOf(request)))
        return done
      },
    },
    {
      ...open,
      method: 'POST',
      path: '/v1/me/erasure/cancel',
      name: 'keep-me-by-link',
      body: LinkTokenBody,
      summary: 'Take the erasure back, by the link in the mail',
      request: { needs: 'a secret', body: { token: '1.b64.b64' } },
      answers: doneAnswer,
      problems: links,
      handle: async request => {
        settle(await port.takeBackByLink(readToken(request.body).token, fromOf(request)))
        return done
      },
    },
    {
      tag,
      rate: 'reads',
      method: 'GET',
      path: '/v1/receipts/keys',
      name: 'receipt-keys',
      querystring: nothing,
      summary: 'The keys that receipts are verified with (RFC 7517)',
      request: {},
      problems: [],
      answers: {
        200: {
          description: 'A JWK Set.',
          schema: KeysSchema,
          example: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'b64', kid: 'b64', use: 'sig', alg: 'EdDSA' }] },
        },
      },
      handle: () => ({ status: 200, body: JSON.stringify({ keys: port.keys }) }),
    },
    {
      tag,
      rate: 'signIns',
      method: 'GET',
      path: '/v1/receipts/:token',
      name: 'receipt',
      params: ReceiptParams,
      summary: 'The receipt of an erasure',
      querystring: nothing,
      request: { needs: 'a secret', params: { token: `${id}.b64` } },
      answers: {
        200: { description: 'What it says, and the same signed.', schema: ReceiptSchema, example: receiptExample },
      },
      problems: ['receipt-not-found'],
      handle: async request => {
        const found = await port.receipt(request.params['token'] ?? '')
        if (isRefusal(found)) throw problemFrom(found)
        return unkept(found)
      },
    },
  ]
}
