/**
 * Every token in the place of every other, and each of them cut, lengthened and changed. Where a token is of no use the answer is one
 * and the same, whatever was wrong with it; afterwards the right one works, and a second time says that it was used.
 */
import t from 'tap'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { forgedOf } from '../support/forged.ts'
import { openOutbox } from '../support/outbox.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const outbox = openOutbox(folder)

const linkFor = (address: string, subject: RegExp): Promise<string> =>
  until(`a mail to ${address}`, async () => {
    const [mail] = await outbox(address, subject).catch(() => [])
    return /#(\S+)/.exec(mail?.text ?? '')?.[1]
  })
const password = 'horse staple battery'
const member = async (email: string) => {
  const { password: first } = await app.account('contributor', email)
  const opened = await api('POST', '/v1/sessions', { body: { email, password: first } })
  return { email, first, as: String(opened.json['accessToken']), opened: opened.json }
}

const place =
  (method: string, path: string, field?: string, more: object = {}) =>
  (token: string) =>
    field === undefined ? api(method, `${path}${token}`) : api(method, path, { body: { [field]: token, ...more } })

/** Where each kind belongs, what one that does not belong there is answered, and what its own is answered the second time. */
const places = {
  access: {
    ask: (token: string): Promise<Received> => api('GET', '/v1/me', { as: token }),
    refused: { status: 401, code: 'unauthenticated' },
    done: 200,
    again: undefined,
  },
  refresh: {
    ask: place('POST', '/v1/sessions/refresh', 'refreshToken'),
    refused: { status: 401, code: 'session-ended' },
    done: 200,
    again: undefined,
  },
  verify: {
    ask: place('POST', '/v1/accounts/verify-email', 'token', { password }),
    refused: { status: 400, code: 'link-invalid' },
    done: 200,
    again: 'link-used',
  },
  reset: {
    ask: place('POST', '/v1/password-resets/confirm', 'token', { password: 'entirely new staple' }),
    refused: { status: 400, code: 'link-invalid' },
    done: 200,
    again: 'link-used',
  },
  email: {
    ask: place('POST', '/v1/me/email/confirm', 'token', { password }),
    refused: { status: 400, code: 'link-invalid' },
    done: 204,
    again: 'link-used',
  },
  revert: {
    ask: place('POST', '/v1/me/email/revert', 'token'),
    refused: { status: 400, code: 'link-invalid' },
    done: 204,
    again: 'link-used',
  },
  keep: {
    ask: place('POST', '/v1/me/erasure/cancel', 'token'),
    refused: { status: 400, code: 'link-invalid' },
    done: 204,
    again: 'link-invalid',
  },
  receipt: {
    ask: place('GET', '/v1/receipts/'),
    // Nobody was erased: the right one leads nowhere yet, and says no more than a wrong one.
    refused: { status: 404 },
    done: 404,
    again: undefined,
  },
} as const
type Kind = keyof typeof places

const collect = async (): Promise<Readonly<Record<Kind, string>> & { readonly others: readonly string[] }> => {
  await api('POST', '/v1/accounts', { body: { email: 'new@dictionary.example' } })
  const forgetful = await member('forgetful@dictionary.example')
  await api('POST', '/v1/password-resets', { body: { email: forgetful.email } })
  const mover = await member('mover@dictionary.example')
  const set = { currentPassword: mover.first, newPassword: password }
  t.equal((await api('POST', '/v1/me/password', { as: mover.as, body: set })).status, 204)
  await api('POST', '/v1/me/email', { as: mover.as, body: { email: 'moved@dictionary.example', password } })
  const moved = await member('left@dictionary.example')
  await api('POST', '/v1/me/email', { as: moved.as, body: { email: 'kept@dictionary.example', password: moved.first } })
  const token = await linkFor('kept@dictionary.example', /Confirm your new address/)
  t.equal((await api('POST', '/v1/me/email/confirm', { body: { token, password: moved.first } })).status, 204)
  const leaver = await member('leaver@dictionary.example')
  const wish = await api('DELETE', '/v1/me', { as: leaver.as, body: { content: 'anonymised' } })
  const reader = await member('reader@dictionary.example')
  const ticket = await api('POST', '/v1/live/tickets', { as: reader.as, body: {} })
  t.equal(ticket.status, 201, ticket.text)
  const cookies = await api('POST', '/v1/sessions', {
    body: { email: reader.email, password: reader.first, transport: 'cookie' },
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  return {
    access: reader.as,
    refresh: String(reader.opened['refreshToken']),
    verify: await linkFor('new@dictionary.example', /Begin/),
    reset: await linkFor(forgetful.email, /Choose a new password/),
    email: await linkFor('moved@dictionary.example', /Confirm your new address/),
    revert: await linkFor('left@dictionary.example', /address of your account was changed/),
    keep: await linkFor(leaver.email, /to be erased/),
    receipt: String(wish.json['receipt']).replace('/v1/receipts/', ''),
    others: [
      String(ticket.json['ticket']),
      String(cookies.json['csrfToken']),
      String(reader.opened['device']),
      cookies.headers.get('sync-token') ?? '',
      await app.token('admin'),
    ],
  }
}

t.test('each is good for one thing', async t => {
  const { others, ...tokens } = await collect()
  const kinds = Object.keys(places).filter((each): each is Kind => each in places)
  for (const token of [...Object.values(tokens), ...others]) t.match(token, /^\S{20,}$/)
  const whole = others.slice(0, -1)

  for (const kind of kinds) {
    const { ask, refused } = places[kind]
    const own = tokens[kind]
    const foreign = kinds.filter(each => each !== kind).map(each => tokens[each])
    const spoilt = [
      own.slice(0, -1),
      `${own}A`,
      own.slice(0, own.length / 2),
      forgedOf(own),
      `A${own}`,
      own.toUpperCase(),
    ]
    const answers = []
    for (const token of [...foreign, ...whole, ...spoilt]) {
      const answer = await ask(encodeURIComponent(token))
      t.match(answer, refused, `${kind}: ${token.length} characters`)
      const { requestId: _, ...body } = answer.json
      answers.push(JSON.stringify(body))
    }
    // What is longer than any address of ours leads nowhere, before anybody looks at it.
    t.equal(new Set(answers).size, kind === 'receipt' ? 2 : 1, `${kind}: ${[...new Set(answers)]}`)
  }

  for (const kind of kinds) {
    const { ask, done, again } = places[kind]
    t.equal((await ask(tokens[kind])).status, done, `${kind}: the right one, after all that`)
    if (again !== undefined) t.equal((await ask(tokens[kind])).code, again, `${kind}: once more`)
  }
})

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
