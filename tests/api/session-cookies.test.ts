/** Sessions of browsers: what the cookies are, whose requests they let in, and whose not. */
import t from 'tap'
import WebSocket from 'ws'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { until } from '../support/until.ts'

const listed = 'https://app.example'
const app = await openTestApp(t, { LEXICHRON_ALLOWED_ORIGINS: listed })
const api = await openApi(app.url)
const email = 'ada@dictionary.example'
const { accountId, password } = await app.account('editor', email)
const ours = { 'sec-fetch-site': 'same-origin' }

type Browser = { readonly cookie: string; readonly csrf: string; readonly session: string; readonly set: string[] }
const browserOf = ({ headers, json }: Received): Browser => {
  const set = headers.getSetCookie()
  const session: unknown = json['session']
  const id = typeof session === 'object' && session !== null && 'id' in session ? String(session.id) : ''
  const cookie = set.map(each => each.split(';')[0]).join('; ')
  return { cookie, csrf: String(json['csrfToken']), session: id, set }
}
const ask = (headers: Readonly<Record<string, string>>, more: object = {}) =>
  api('POST', '/v1/sessions', { headers, body: { email, password, transport: 'cookie', ...more } })
const signIn = async (more: object = {}) => browserOf(await ask(ours, more))
const sent = ({ cookie, csrf }: Browser) => ({ ...ours, cookie, 'x-csrf-token': csrf })
const refresh = (headers: Readonly<Record<string, string>>, more: object = {}) =>
  api('POST', '/v1/sessions/refresh', { headers, body: { transport: 'cookie', ...more } })
const me = (cookie: string, headers = {}) => api('GET', '/v1/me', { headers: { cookie, ...headers } })
let count = 0
const draft = (headers: Readonly<Record<string, string>>, as?: string) => {
  count += 1
  const body = { language: 'en', lemma: `cookie${count}`, partOfSpeech: 'noun' }
  return api('POST', '/v1/entries', { headers, body, ...defined({ as }) })
}

t.test('a browser signs in, reads, writes, goes on and signs out', async t => {
  const answer = await ask(ours)
  t.equal(answer.status, 201, answer.text)
  t.same(
    Object.keys(answer.json).toSorted(),
    ['csrfToken', 'expiresIn', 'restricted', 'session'],
    'no token where scripts read',
  )
  const first = browserOf(answer)
  const [access = '', refreshing = '', csrf = ''] = first.set
  t.match(access, /^__Host-access=eyJ[\w.-]+; Max-Age=600; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
  t.match(refreshing, /^__Host-refresh=[\w-]{70}; Path=\/; Secure; HttpOnly; SameSite=Strict$/, 'until it is closed')
  t.equal(csrf, `__Host-csrf=${first.csrf}; Path=/; Secure; SameSite=Strict`)
  t.equal((await me(first.cookie)).json['email'], email)
  t.equal((await me(first.cookie)).headers.get('cache-control'), 'private, no-store')
  t.equal((await draft(sent(first))).status, 201)

  const answers = [await refresh(sent(first)), await refresh(sent(first))]
  const [second, repeated] = answers.map(browserOf)
  if (!second || !repeated) throw new Error('no answers')
  t.same(
    answers.map(each => each.status),
    [200, 200],
    String(answers[0]?.text),
  )
  t.not(second.set[1], first.set[1], 'the refresh token was rotated')
  t.equal(repeated.set[1], second.set[1], 'a repeat gets the same one')
  t.equal(second.csrf, first.csrf, 'other tabs go on with theirs')
  const out = await api('DELETE', '/v1/sessions/current', { headers: sent(second) })
  t.equal(out.status, 204)
  t.equal(out.headers.getSetCookie().length, 3)
  for (const each of out.headers.getSetCookie()) t.match(each, /^__Host-\w+=; Max-Age=0; Path=\/; Secure/)
  await until('the end', async () => ((await me(second.cookie)).status === 401 ? true : undefined))
  const over = await refresh(sent(second))
  t.equal(over.code, 'session-ended')
  t.equal(over.headers.getSetCookie().length, 3, 'the browser is not to keep what is dead')
  const remembered = await signIn({ remember: true })
  t.match(remembered.set[1] ?? '', /; Max-Age=(2591999|2592000); /, '30 days')
})

t.test('a change needs a page of ours and the token of the session', async t => {
  const [browser, other] = [await signIn(), await signIn()]
  const { cookie, csrf } = browser
  const token = { cookie, 'x-csrf-token': csrf }
  const host = new URL(app.url).origin
  const foreign = [{}, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site', origin: host }]
  const strange = [{ origin: 'null' }, { origin: 'https://evil.example' }, { origin: `${listed}.evil.example` }]
  for (const from of [...foreign, ...strange]) {
    const name = JSON.stringify(from)
    t.equal((await draft({ ...token, ...from })).code, 'origin-refused', name)
    t.equal((await refresh({ ...token, ...from })).code, 'origin-refused', name)
    t.equal((await ask(from)).code, 'origin-refused', `signing a visitor in: ${name}`)
  }
  const good = [ours, { 'sec-fetch-site': 'none' }, { origin: host }, { 'sec-fetch-site': 'same-site', origin: listed }]
  for (const from of good) t.equal((await draft({ ...token, ...from })).status, 201, JSON.stringify(from))
  const bare = cookie.replace(/; __Host-csrf=.*/, '')
  const wrong: Readonly<Record<string, string>>[] = [
    { cookie },
    { cookie, 'x-csrf-token': '' },
    { cookie, 'x-csrf-token': `${csrf.slice(0, -1)}~` },
    // The token of another session is none, even where a neighbour managed to set its cookie too.

    { cookie, 'x-csrf-token': other.csrf },
    { cookie: bare, 'x-csrf-token': csrf },
    { cookie: `${bare}; __Host-csrf=${other.csrf}`, 'x-csrf-token': other.csrf },
    { cookie: `${cookie}; __Host-csrf=${other.csrf}`, 'x-csrf-token': csrf },
  ]
  for (const each of wrong) {
    t.equal((await draft({ ...ours, ...each })).code, 'csrf-invalid', JSON.stringify(each))
    t.equal((await refresh({ ...ours, ...each })).code, 'csrf-invalid', JSON.stringify(each))
    const out = await api('DELETE', '/v1/sessions/current', { headers: { ...ours, ...each } })
    t.equal(out.code, 'csrf-invalid')
    t.same(out.headers.getSetCookie(), [], 'nobody is signed out by another page')
  }
  t.equal((await refresh(sent(browser))).status, 200, 'none of them used the refresh token up')
})

t.test('cookies that say nothing, or not alone', async t => {
  const browser = await signIn()
  const [access = ''] = browser.cookie.split('; ')
  t.equal((await me(`${access}; ${access}`)).status, 401, 'twice is not at all')
  t.equal((await me(access.replace('__Host-', ''))).status, 401, 'without its prefix')
  t.equal((await me(`${access}x`)).code, 'unauthenticated')
  t.equal((await me('__Host-access=')).status, 401)
  t.equal((await me(`__Host-access=${await app.token('admin')}`)).code, 'unauthenticated', 'a token of a service')
  t.equal((await refresh(ours)).code, 'session-ended', 'none')
  t.equal((await refresh({ ...ours, cookie: `__Host-refresh=${'x'.repeat(70)}` })).code, 'session-ended', 'forged')
  t.equal((await refresh(sent(browser), { refreshToken: 'x' })).code, 'validation')
  t.equal((await api('POST', '/v1/sessions/refresh', { body: {} })).code, 'validation')
  const bearer = await api('POST', '/v1/sessions', { body: { email, password } })
  t.same(bearer.headers.getSetCookie(), [])
  const token = String(bearer.json['accessToken'])
  t.equal((await draft({ cookie: browser.cookie }, token)).status, 201, 'Authorization alone: no proof is asked for')
  t.equal((await me(browser.cookie, { authorization: 'Bearer x' })).status, 401, 'a good cookie does not help it')
  const out = await api('DELETE', '/v1/sessions/current', { as: token, headers: { cookie: browser.cookie } })
  t.same([out.status, out.headers.getSetCookie()], [204, []])
  t.equal((await me(browser.cookie)).status, 200, 'the other session goes on')
  t.same(api.faults, [])
})

t.test('a live feed by cookie is of pages of ours alone', async t => {
  const { cookie } = await signIn()
  const open = (headers: Readonly<Record<string, string>>) =>
    new Promise<string>((resolve, reject) => {
      const socket = new WebSocket(`${app.url.replace('http', 'ws')}/v1/live`, 'lexichron.v1', { headers })
      socket.on('open', () => socket.send('{"op":"subscribe","id":"1","channel":"me"}'))
      socket.on('message', data => {
        const text = String(data)
        if (!text.includes('"id":"1"')) return
        resolve(text)
        socket.close()
      })
      socket.on('unexpected-response', (request, response) => {
        resolve(String(response.statusCode))
        request.destroy()
      })
      socket.on('error', reject)
    })
  t.match(await open({ cookie, origin: new URL(app.url).origin }), /"op":"(subscribed|caught-up)"/)
  t.equal(await open({ cookie, origin: 'https://evil.example' }), '403', 'before the upgrade')
  t.match(await open({ cookie }), /"op":"error"/, 'without an origin the cookie is not looked at')
})

t.test('an administrator ends the sessions of an account, by cookie too, and nobody else does', async t => {
  const path = `/v1/accounts/${accountId}/sessions`
  const [browser, other] = [await signIn(), await signIn({ remember: true })]
  t.equal((await api('DELETE', path, { headers: sent(browser) })).code, 'permission-denied', 'not even of oneself')
  const admin = await app.token('admin')
  const nobody = '/v1/accounts/018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f/sessions'
  t.equal((await api('DELETE', nobody, { as: admin, body: { reason: 'A stolen device.' } })).code, 'account-not-found')
  t.equal((await me(browser.cookie)).status, 200)
  const ended = await api('DELETE', path, { as: admin, body: { reason: 'A stolen device.' } })
  t.match([ended.status, ended.json], [200, { id: accountId, suspended: false }], ended.text)
  for (const { cookie } of [browser, other])
    t.equal((await me(cookie, { 'sync-token': ended.headers.get('sync-token') ?? '' })).code, 'unauthenticated')
  t.equal((await refresh(sent(other))).code, 'session-ended')
  const { items } = (await api('GET', '/v1/events?type=SessionsEnded', { as: await app.token('auditor') })).json
  t.match(JSON.stringify(items), /"actor":\{[^}]*"kind":"service"/, 'who did it is recorded')
  const { cookie, session } = await signIn()
  t.equal((await me(cookie)).json['id'], accountId, 'one may sign in again')
  const own = await api('GET', '/v1/sessions', { headers: { cookie } })
  t.match(own.json, { items: [{ id: session, current: true }] }, own.text)
  t.same(api.faults, [])
})
