/** Changing the address of one's account: asked for here, confirmed by a link to the new one, taken back by one to the old. */
import Type from 'typebox'
import type { RefusalCode } from '../../../domain/refusal.ts'
import type { Route } from '../route.ts'
import {
  type AddressPort,
  busy,
  done,
  doneAnswer,
  fromOf,
  nothing,
  open,
  reading,
  type StepUpPort,
  secondFactor,
  settle,
  strict,
  tag,
  text,
} from './account-edge.ts'
import { LinkTokenBody, taken, takenAnswer } from './account-schemas.ts'
import { byOf, freshProblems } from './sessions.ts'

const ChangeBody = Type.Object({ email: Type.String(), password: Type.String() }, { ...strict, $id: 'AddressChange' })
const ConfirmBody = Type.Object(
  { token: Type.String(), password: Type.String(), code: Type.Optional(Type.String()) },
  { ...strict, $id: 'AddressConfirmation' },
)
const links: readonly RefusalCode[] = [
  'link-invalid',
  'link-expired',
  'link-used',
  'account-suspended',
  'account-erased',
  'erasure-begun',
  ...text,
]

export const addressRoutes = (port: AddressPort, stepUp: StepUpPort): readonly Route[] => {
  const readChange = reading(ChangeBody)
  const readToken = reading(LinkTokenBody)
  const readConfirm = reading(ConfirmBody)
  return [
    {
      tag,
      permission: 'account:use',
      rate: 'signIns',
      method: 'POST',
      path: '/v1/me/email',
      name: 'change-email',
      summary: 'Change your address',
      querystring: nothing,
      body: ChangeBody,
      description:
        'A link goes to the new address, which is yours once it is used; the old one is told, and takes it back for seven days. An address that has an account gets a mail that says so instead.',
      request: { needs: 'an account', body: { email: 'reader@words.example', password: 'horse staple battery' } },
      answers: takenAnswer,
      problems: [...freshProblems, 'account-not-found', 'credentials-wrong', 'email-invalid', ...busy],
      handle: async request => {
        settle(await stepUp.requireBesidePassword(byOf(request), request.counted))
        settle(await port.request(byOf(request).accountId, readChange(request.body), fromOf(request)))
        return taken
      },
    },
    {
      ...open,
      method: 'POST',
      path: '/v1/me/email/confirm',
      name: 'confirm-email',
      summary: 'Use the link that went to the new address',
      description:
        'The link shows that mail arrives there, the password (and code, where a second factor is on) that it is your account: a mistyped address gives it to nobody.',
      body: ConfirmBody,
      request: { needs: 'a secret', body: { token: '1.b64.b64', password: 'horse staple battery' } },
      answers: doneAnswer,
      problems: [...links, 'credentials-wrong', ...secondFactor, 'passwords-busy'],
      handle: async request => {
        settle(await port.confirm(readConfirm(request.body), request.counted, fromOf(request)))
        return done
      },
    },
    {
      ...open,
      method: 'POST',
      path: '/v1/me/email/revert',
      name: 'revert-email',
      summary: 'Take the account back to the address it had',
      body: LinkTokenBody,
      request: { needs: 'a secret', body: { token: '1.b64.b64' } },
      answers: doneAnswer,
      problems: links,
      handle: async request => {
        settle(await port.revert(readToken(request.body).token, fromOf(request)))
        return done
      },
    },
  ]
}
