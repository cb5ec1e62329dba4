/** Second factors as clients meet them: authenticators, recovery codes, what a password alone is no longer enough for. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { askUntil, openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { type Asked, codeAt, openAuthenticator } from '../support/authenticator.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const ORIGIN = 'https://words.example'
const folder = temporaryFolder(t)
const app = await openTestApp(t, { LEXICHRON_PUBLIC_URL: ORIGIN }, { folder })
const api = await openApi(app.url)
const auditor = await app.token('auditor')

const subjectsTo = async (address: string): Promise<readonly string[]> => {
  const files = readdirSync(join(folder, 'outbox'), { recursive: true, encoding: 'utf8' })
  const mails = await Promise.all(
    files
      .filter(each => each.endsWith('.eml'))
      .map(each => PostalMime.parse(readFileSync(join(folder, 'outbox', each)))),
  )
  return mails.filter(each => each.to?.[0]?.address === address).map(each => each.subject ?? '')
}
const mailTo = (address: string, subject: RegExp) =>
  until(`a mail to ${address}`, async () => {
    const found = await subjectsTo(address).catch(() => [])
    return found.some(each => subject.test(each)) ? true : undefined
  })

/** What is written of a refusal has no position that an answer names. */
const noted = (type: string, holds: (text: string) => boolean, more = '') => {
  const ask = () => api('GET', `/v1/events?type=${type}&order=desc&limit=100${more}`, { as: auditor })
  return askUntil(`${type} in the history`, ask, ({ text }) => holds(text))
}
const access = ({ json }: Received): string => String(json['accessToken'])
const person = async (email: string) => {
  const { accountId, password = '' } = await app.account('contributor', email)
  const signIn = (more: object = {}) => api('POST', '/v1/sessions', { body: { email, password, ...more } })
  const session = await signIn()
  const as = (method: string, path: string, body?: object, token = access(session)) =>
    api(method, path, { as: token, ...defined({ body }) })
  return { accountId, email, password, signIn, session, as }
}
const codeOf = (secret: string, steps = 0): string => codeAt(app.clock.now(), secret, steps)

t.test('what an administrator does to others asks for a proof of the last ten minutes', async t => {
  const { accountId } = await person('ruled@dictionary.example')
  const { password = '' } = await app.account('admin', 'ruler@dictionary.example')
  const begun = await api('POST', '/v1/sessions', { body: { email: 'ruler@dictionary.example', password } })
  await app.pass(11 * 60_000)
  const next = await api('POST', '/v1/sessions/refresh', { body: { refreshToken: begun.json['refreshToken'] } })
  const as = access(next)
  const acts = [
    ['PUT', '/roles/editor'],
    ['DELETE', '/roles/editor'],
    ['POST', '/suspend'],
    ['POST', '/reinstate'],
    ['DELETE', '/sessions'],
  ] as const
  const act = ([method, path]: (typeof acts)[number]) =>
    api(method, `/v1/accounts/${accountId}${path}`, { as, body: { reason: 'A test.' } })
  for (const each of acts) t.equal((await act(each)).code, 'step-up-required', each.join(' '))
  t.equal((await api('POST', '/v1/sessions/step-up', { as, body: { password } })).status, 200)
  for (const each of acts) t.equal((await act(each)).status, 200, each.join(' '))
})

t.test('an authenticator from its offer to its end', async t => {
  const { email, signIn, as, password } = await person('totp@dictionary.example')
  const other = await signIn()
  t.match((await as('GET', '/v1/me/totp')).json, { on: false, since: null, recoveryCodes: 0 })
  t.equal((await as('POST', '/v1/me/totp/confirm', { code: '123456' })).code, 'factor-off')
  t.equal((await as('POST', '/v1/me/recovery-codes', {})).code, 'factor-off')
  const offer = await as('POST', '/v1/me/totp', {})
  t.equal(offer.status, 200, offer.text)
  t.equal(offer.headers.get('cache-control'), 'no-store')
  const secret = String(offer.json['secret'])
  t.match(offer.json['uri'], secret)
  t.equal((await as('POST', '/v1/me/totp/confirm', { code: '12345x' })).code, 'code-wrong')
  t.equal((await as('POST', '/v1/me/totp/confirm', { code: codeOf(secret) })).status, 204)
  t.equal((await as('POST', '/v1/me/totp', {})).code, 'factor-on')
  await until('the end of the other', async () =>
    (await as('GET', '/v1/me', undefined, access(other))).status === 401 ? true : undefined,
  )
  t.match((await as('GET', '/v1/me/totp')).json, { on: true, recoveryCodes: 0 })
  const made = await as('POST', '/v1/me/recovery-codes', {})
  t.equal(made.status, 200, made.text)
  const codes = made.json['codes']
  const [recovery] = Array.isArray(codes) ? codes : []

  const asked = await signIn()
  t.match(asked, { status: 401, code: 'second-factor-required' })
  t.match(asked.headers.get('www-authenticate'), /^Bearer/)
  t.equal((await signIn({ password: 'a guess of mine' })).code, 'credentials-wrong')
  t.equal((await signIn({ code: codeOf(secret, -1) })).code, 'code-wrong', 'older than the one that turned it on')
  const entered = await signIn({ code: codeOf(secret, 1) })
  t.equal(entered.status, 201, entered.text)
  t.equal((await signIn({ code: codeOf(secret, 1) })).code, 'code-wrong', 'once')
  t.equal((await signIn({ code: recovery })).status, 201)
  t.equal((await signIn({ code: recovery })).code, 'code-wrong', 'once')

  for (const subject of [/was added/, /new recovery codes/, /code of your account was used/])
    await mailTo(email, subject)

  const proof = { password: 'another horse staple', code: codeOf(secret, 1) }
  t.equal((await as('POST', '/v1/sessions/step-up', { ...proof })).code, 'credentials-wrong')
  t.equal((await as('POST', '/v1/sessions/step-up', { password })).code, 'second-factor-required')
  await app.pass(11 * 60_000)
  // Access tokens live ten minutes, and a proof no longer.
  const next = await api('POST', '/v1/sessions/refresh', { body: { refreshToken: entered.json['refreshToken'] } })
  const now = access(next)
  const stale = await as('DELETE', '/v1/me/totp', undefined, now)
  t.match(stale, { status: 401, code: 'step-up-required' })
  t.match(stale.headers.get('www-authenticate'), /insufficient_user_authentication", max_age=600/)
  for (const [method, path, body] of [
    ['POST', '/v1/me/totp', {}],
    ['POST', '/v1/me/totp/confirm', { code: '000000' }],
    ['POST', '/v1/me/recovery-codes', {}],
    ['POST', '/v1/me/password', { currentPassword: password, newPassword: 'another horse staple' }],
    ['POST', '/v1/me/email', { email: 'thief@dictionary.example', password }],
  ] as const)
    t.equal((await as(method, path, body, now)).code, 'step-up-required', path)
  const proved = await as('POST', '/v1/sessions/step-up', { password, code: codeOf(secret) }, now)
  t.equal(proved.status, 200, proved.text)
  t.equal((await as('DELETE', '/v1/me/totp', undefined, now)).status, 204)
  t.equal((await signIn()).status, 201, 'and no code is asked for')
  await mailTo(email, /was removed/)
  await noted('CodeRefused', text => /"purpose":"sign-in"/.test(text))
})

t.test('a reset of the password neither removes the factor nor goes around it', async t => {
  const { email, signIn, as } = await person('reset@dictionary.example')
  const secret = String((await as('POST', '/v1/me/totp', {})).json['secret'])
  t.equal((await as('POST', '/v1/me/totp/confirm', { code: codeOf(secret) })).status, 204)
  await api('POST', '/v1/password-resets', { body: { email } })
  await mailTo(email, /Choose a new password/)
  const files = readdirSync(join(folder, 'outbox'), { recursive: true, encoding: 'utf8' }).filter(each =>
    each.endsWith('.eml'),
  )
  const mails = await Promise.all(files.map(each => PostalMime.parse(readFileSync(join(folder, 'outbox', each)))))
  const link = mails.find(each => each.to?.[0]?.address === email && /Choose/.test(each.subject ?? ''))
  const token = /#(\S+)/.exec(link?.text ?? '')?.[1]
  const set = await api('POST', '/v1/password-resets/confirm', { body: { token, password: 'entirely new staple' } })
  t.equal(set.status, 200, set.text)
  t.equal((await signIn({ password: 'entirely new staple' })).code, 'second-factor-required')
  t.equal((await signIn({ password: 'entirely new staple', code: codeOf(secret, 1) })).status, 201)
})

t.test('beside a second factor a password may be short, and the factor stays until it is longer', async t => {
  const { as, password } = await person('brief@dictionary.example')
  const offered = await as('POST', '/v1/me/totp', {})
  const secret = String(offered.json['secret'])
  const change = (currentPassword: string, newPassword: string) =>
    as('POST', '/v1/me/password', { currentPassword, newPassword })
  const refused = await change(password, 'grape 17')
  t.match(refused, { status: 422, code: 'password-weak', json: { errors: [{ pointer: '/newPassword' }] } })
  t.equal((await as('POST', '/v1/me/totp/confirm', { code: codeOf(secret) })).status, 204)
  t.equal((await change(password, 'grape 17')).status, 204)
  t.match(await as('DELETE', '/v1/me/totp'), { status: 409, code: 'password-short' })
  t.equal((await change('grape 17', 'grapes by the harbour')).status, 204)
  t.equal((await as('DELETE', '/v1/me/totp')).status, 204)
  t.equal((await change('grapes by the harbour', 'grape 17')).code, 'password-weak')
})

t.test('strangers who guess keep nobody out: a device that was signed in on before still gets in', async t => {
  const { accountId, email, password, signIn, session } = await person('known@dictionary.example')
  const device = String(session.json['device'])
  t.match(device, /^[\w-]{43}$/)
  // Added beside the session, whose position is the one that the answer names.
  const first = await noted('DeviceAdded', text => text.includes('"first":'), `&actor=${accountId}`)
  const added = Object(first.json['items'])[0]
  t.match(added?.data, { first: true })
  t.notMatch(first.text, device)
  const [guess, unknown] = [email, 'nobody@dictionary.example'].map(
    each => (more: object) =>
      api('POST', '/v1/sessions', { body: { email: each, password: 'a guess of mine', ...more } }),
  )
  if (!guess || !unknown) throw new Error('no guess')
  for (let n = 0; n < 9; n += 1) t.equal((await guess({})).code, 'credentials-wrong')
  for (let n = 0; n < 10; n += 1) t.equal((await unknown({ device })).code, 'credentials-wrong')
  const kept = await signIn()
  t.match(kept, { status: 429, code: 'rate-limited' }, 'even with the password')
  t.ok(Number(kept.headers.get('retry-after')) > 800)
  t.equal((await unknown({ device })).code, 'rate-limited', 'as at an address that nobody has')
  const entered = await signIn({ device })
  t.equal(entered.status, 201, entered.text)
  t.equal(entered.json['device'], device)
  t.equal((await guess({ device })).code, 'credentials-wrong')
  t.equal(
    (await signIn({ device: `${device.startsWith('x') ? 'y' : 'x'}${device.slice(1)}` })).status,
    429,
    'another token is a stranger',
  )

  const jar = { cookie: `__Host-device=${device}`, 'sec-fetch-site': 'same-origin' }
  const browser = (headers: Record<string, string>) =>
    api('POST', '/v1/sessions', { body: { email, password, transport: 'cookie' }, headers })
  const byCookie = await browser(jar)
  t.equal(byCookie.status, 201, byCookie.text)
  t.match(
    byCookie.headers.getSetCookie().find(each => each.startsWith('__Host-device=')),
    `__Host-device=${device}; Max-Age=34560000; Path=/; Secure; HttpOnly; SameSite=Strict`,
  )
  t.equal((await browser({ 'sec-fetch-site': 'same-origin' })).status, 429)
  t.equal((await browser({ ...jar, cookie: `${jar.cookie}; __Host-device=x` })).status, 429, 'two of them are none')
  const started = await api('GET', '/v1/events?type=SessionStarted&order=desc&limit=1', { as: auditor })
  t.equal(Object(started.json['items'])[0]?.data.device, added?.data.device, 'the audit tells devices apart')
  t.notMatch((await subjectsTo(email)).join(), 'new device', 'no news to somebody who signed in there before')
})

t.test('who stole a session guesses at its password no more often than a stranger, and it is noted', async t => {
  const { accountId, as, signIn, password } = await person('stolen@dictionary.example')
  const guess = { currentPassword: 'a guess of mine', newPassword: 'another horse staple' }
  for (let n = 0; n < 5; n += 1) t.equal((await as('POST', '/v1/me/password', guess)).code, 'credentials-wrong')
  const email = { email: 'thief@dictionary.example', password: 'a guess of mine' }
  for (let n = 0; n < 3; n += 1) t.equal((await as('POST', '/v1/me/email', email)).code, 'credentials-wrong')
  for (let n = 0; n < 2; n += 1)
    t.equal((await as('POST', '/v1/sessions/step-up', { password: 'a guess of mine' })).code, 'credentials-wrong')
  for (const [path, body] of [
    ['/v1/me/password', guess],
    ['/v1/me/email', email],
    ['/v1/sessions/step-up', { password }],
  ] as const)
    t.equal((await as('POST', path, body)).code, 'rate-limited', path)
  const failed = await noted('SignInFailed', text => text.split('"SignInFailed"').length > 10, `&actor=${accountId}`)
  t.match(
    failed.json['items'],
    Array.from({ length: 10 }, () => ({ data: { reason: 'step-up' } })),
  )
  const other = await signIn()
  const proved = await as('POST', '/v1/sessions/step-up', { password }, access(other))
  t.equal(proved.status, 200, 'another session of the owner has its own tries')
})

t.test('a sign-in on a new device is told by mail', async t => {
  const { email, signIn } = await person('new@dictionary.example')
  t.equal((await signIn()).status, 201)
  await mailTo(email, /on a new device/)
})

const asked = ({ json, text }: Received): Asked => {
  const { challenge, user } = json
  if (typeof challenge !== 'string') throw new Error(text)
  return { challenge, ...defined({ user: user === undefined ? undefined : { id: String(Object(user)['id']) } }) }
}

t.test('a passkey from its options to its end', async t => {
  const { accountId, email, password, signIn, as } = await person('passkey@dictionary.example')
  const other = await signIn()
  const key = openAuthenticator(ORIGIN)
  const options = await as('POST', '/v1/me/passkeys/options', {})
  t.match(options.json, { rp: { id: 'words.example' }, attestation: 'none', excludeCredentials: [] })
  const response = key.create(asked(options), { counter: 1 })
  const added = await as('POST', '/v1/me/passkeys', { name: 'My phone', response })
  t.equal(added.status, 201, added.text)
  t.match(added.json, { name: 'My phone', usedAt: null })
  const path = added.headers.get('location') ?? ''
  t.equal((await as('POST', '/v1/me/passkeys', { name: 'My phone', response })).code, 'passkey-wrong')
  const again = key.create(asked(await as('POST', '/v1/me/passkeys/options', {})))
  t.equal((await as('POST', '/v1/me/passkeys', { name: 'My phone', response: again })).code, 'passkey-refused')
  await until('the end of the other', async () =>
    (await as('GET', '/v1/me', undefined, access(other))).status === 401 ? true : undefined,
  )
  const ask = (body: object = {}) => api('POST', '/v1/sessions/passkey/options', { body })
  const enter = (passkey: object, more: object = {}) => api('POST', '/v1/sessions', { body: { passkey, ...more } })
  t.match((await ask()).json, { rpId: 'words.example', allowCredentials: [], userVerification: 'required' })
  const entered = await enter(key.get(asked(await ask())))
  t.equal(entered.status, 201, entered.text)
  t.equal((await as('GET', '/v1/me', undefined, access(entered))).json['id'], accountId)
  const device = String(entered.json['device'])
  const bound = key.get(asked(await ask({ device })))
  t.equal((await enter(bound)).code, 'passkey-wrong', 'asked for on a device, answered on another')
  t.equal((await enter(bound, { device })).status, 201)
  t.match(await enter(bound, { device }), { status: 401, code: 'passkey-wrong' }, 'once')
  t.equal((await enter(key.get(asked(await ask())), { transport: 'cookie' })).code, 'origin-refused')
  for (const [bad, pointer] of [
    [{}, '/email'],
    [{ email }, '/password'],
    [{ password }, '/email'],
    [{ email, passkey: {} }, '/password'],
  ] as const)
    t.match(await api('POST', '/v1/sessions', { body: bad }), { code: 'validation', json: { errors: [{ pointer }] } })
  t.equal((await enter({})).code, 'passkey-wrong')
  t.equal((await enter({ id: 7, response: [] })).code, 'passkey-wrong')
  t.equal((await enter({ __proto__: null, id: 'x'.repeat(100_000), type: 'public-key' })).code, 'passkey-wrong')

  const stepOptions = await as('POST', '/v1/sessions/step-up/options', {})
  const proved = await as('POST', '/v1/sessions/step-up', { passkey: key.get(asked(stepOptions)) })
  t.equal(proved.status, 200, proved.text)
  t.match(await as('POST', '/v1/sessions/step-up', {}), { code: 'validation' })
  t.equal((await enter(key.get(asked(await ask()), { counter: 2 }))).code, 'passkey-wrong')
  await noted('PasskeyRefused', text => /"counter":2/.test(text))
  t.match((await as('GET', '/v1/me/passkeys')).json, { items: [{ name: 'My phone', usedAt: /T/ }] })
  t.equal((await as('DELETE', `${path}x`)).code, 'passkey-not-found')
  t.equal((await as('DELETE', path)).status, 204)
  t.same((await as('GET', '/v1/me/passkeys')).json, { items: [] })
  t.equal((await enter(key.get(asked(await ask()), { counter: 90 }))).code, 'passkey-wrong')
  for (const subject of [
    /passkey was added/,
    /passkey of your account was refused/,
    /passkey of your account was removed/,
  ])
    await mailTo(email, subject)
  const file = readFileSync(join(folder, 'events.db'), 'latin1')
  t.notOk(file.includes(key.id) || file.includes('My phone'), 'credential and name are sealed')
})

t.test('every answer was as the document says', async t => {
  t.same(api.faults, [])
})
