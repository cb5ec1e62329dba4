/** Accounts and sessions as clients meet them: from the sign-up to the end of every session, and what must not work. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { type Api, askUntil, openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { codeAt } from '../support/authenticator.ts'
import { forgedOf } from '../support/forged.ts'
import { openOutbox } from '../support/outbox.ts'
import { roleRights } from '../support/roles.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const auditor = await app.token('auditor')

const mailsTo = openOutbox(folder)
const mailTo = (address: string, subject: RegExp, count = 1) =>
  until(`a mail to ${address}`, async () => {
    const found = await mailsTo(address, subject).catch(() => [])
    return found.length >= count ? found : undefined
  })
/** The token in the link of the newest such mail. */
const tokenFor = async (address: string, subject: RegExp, count = 1): Promise<string> => {
  const mails = await mailTo(address, subject, count)
  const tokens = mails.map(({ text }) => /#(\S+)/.exec(text ?? '')?.[1] ?? '')
  const distinct = [...new Set(tokens)]
  return distinct.find(each => !seen.has(each)) ?? ''
}
const seen = new Set<string>()

const password = 'horse staple battery'
const signUp = (email: string, more: object = {}) => api('POST', '/v1/accounts', { body: { email, ...more } })
const signIn = (email: string, more: object = {}) => api('POST', '/v1/sessions', { body: { email, password, ...more } })
const confirm = (token: string, more: object = {}) =>
  api('POST', '/v1/accounts/verify-email', { body: { token, password, ...more } })
const access = ({ json }: Received): string => String(json['accessToken'])
const refreshToken = ({ json }: Received): string => String(json['refreshToken'])
const refresh = (token: string) => api('POST', '/v1/sessions/refresh', { body: { refreshToken: token } })
const member = async (email: string): Promise<void> => {
  await signUp(email)
  const token = await tokenFor(email, /Begin/)
  seen.add(token)
  const answer = await confirm(token)
  t.equal(answer.status, 200, answer.text)
}
/**
 * How many events a request has led to, once it has to one. Of this one alone: what was asked before may still be under way. Who asks
 * for a link does not wait for what is written.
 */
const appendedFor = (headers: Headers): Promise<number> =>
  until('the events of the request', async () => {
    const db = new DatabaseSync(join(folder, 'events.db'), { readOnly: true })
    const row = db
      .prepare("select count(*) as n from events where json_extract(meta, '$.correlationId') = ?")
      .get(headers.get('x-request-id'))
    db.close()
    return Number(row?.['n']) || undefined
  })
const me = (token: string, asked: Api = api) => asked('GET', '/v1/me', { as: token })

t.test('a stranger signs up, confirms, signs in, goes on and signs out', async t => {
  const email = 'ada@dictionary.example'
  const answer = await signUp(' Ada@Dictionary.Example ')
  t.equal(answer.status, 202, answer.text)
  t.equal((await signIn(email)).code, 'credentials-wrong', 'not before the address is confirmed')
  const token = await tokenFor(`Ada@dictionary.example`, /Begin/)
  t.match(token, /^1\.[\w-]{43}\.[\w-]{43}$/)
  t.equal((await confirm(token)).status, 200)
  t.equal((await confirm(token)).code, 'link-used')

  const first = await signIn(email)
  t.equal(first.status, 201, first.text)
  const whoami = await me(access(first))
  t.equal(whoami.json['email'], 'Ada@dictionary.example')
  t.match((await api('GET', '/v1/me/permissions', { as: access(first) })).json, { roles: [{ role: 'contributor' }] })
  const draft = { language: 'en', lemma: 'ada', partOfSpeech: 'noun' }
  t.equal((await api('POST', '/v1/entries', { as: access(first), body: draft })).status, 201, 'a contributor drafts')

  const next = await refresh(refreshToken(first))
  t.equal(next.status, 200, next.text)
  t.not(refreshToken(next), refreshToken(first))
  t.equal(refreshToken(await refresh(refreshToken(first))), refreshToken(next), 'a repeat gets the same answer')
  t.equal((await me(access(next))).status, 200)
  t.equal((await api('DELETE', '/v1/sessions/current', { as: access(next) })).status, 204)
  await until('the end of the session', async () => ((await me(access(next))).status === 401 ? true : undefined))
  t.equal((await refresh(refreshToken(next))).code, 'session-ended')
})

t.test('a refresh token that was used long before ends the session', async t => {
  const email = 'reuse@dictionary.example'
  await member(email)
  const first = await signIn(email)
  const second = await refresh(refreshToken(first))
  const third = await refresh(refreshToken(second))
  t.equal(third.status, 200, third.text)
  t.equal((await refresh(refreshToken(first))).code, 'session-ended', 'the thief, or the one it was stolen from')
  t.equal((await refresh(refreshToken(third))).code, 'session-ended', 'and so the other one too')
  await until('the end of the token', async () => ((await me(access(third))).status === 401 ? true : undefined))
  const forged = [refreshToken(third).slice(0, -1), 'x'.repeat(70), '', forgedOf(refreshToken(third))]
  for (const each of forged) t.equal((await refresh(each)).code, 'session-ended', each)
})

t.test('a changed password throws the other devices out, and is asked for first', async t => {
  const email = 'two@dictionary.example'
  await member(email)
  const [here, there] = [await signIn(email), await signIn(email, { remember: true })]
  await askUntil(
    'both sessions in the list',
    () => api('GET', '/v1/sessions', { as: access(here) }),
    ({ json: { items } }) => Array.isArray(items) && items.length === 2,
  )
  const change = (currentPassword: string, newPassword: string) =>
    api('POST', '/v1/me/password', { as: access(here), body: { currentPassword, newPassword } })
  t.equal((await change('wrong password', 'another horse staple')).code, 'credentials-wrong')
  for (const weak of ['short', 'password1234', 'two@dictionary.example', 'Lexichron1!', 'aaaaaaaaaa', 'x'.repeat(129)])
    t.equal((await change(password, weak)).code, 'password-weak', weak)
  t.equal((await change(password, 'another horse staple')).status, 204)
  await until('the end of the other', async () => ((await me(access(there))).status === 401 ? true : undefined))
  t.equal((await refresh(refreshToken(there))).code, 'session-ended')
  t.equal((await me(access(here))).status, 200)
  t.equal((await refresh(refreshToken(here))).status, 200)
  t.equal((await signIn(email)).code, 'credentials-wrong')
  t.equal((await signIn(email, { password: 'another horse staple' })).status, 201)
  await mailTo(email, /password was changed/)
})

t.test('who is signed in proves once more who they are', async t => {
  const email = 'fresh@dictionary.example'
  await member(email)
  const here = await signIn(email)
  const prove = (given: string, as = access(here)) =>
    api('POST', '/v1/sessions/step-up', { as, body: { password: given } })
  t.match(await prove('wrong password'), { status: 401, code: 'credentials-wrong' })
  const proved = await prove(password)
  t.equal(proved.status, 200, proved.text)
  const [at, until] = ['authenticatedAt', 'freshUntil'].map(each => Date.parse(String(proved.json[each])))
  t.equal((until ?? 0) - (at ?? 0), 600_000)
  t.equal(at, app.clock.now().getTime() + 1, 'after the sign-in, on a clock that stands still')
  t.equal((await prove(password, auditor)).code, 'not-an-account')
  await askUntil(
    'the proof in the history',
    () => api('GET', '/v1/events?type=SessionSteppedUp&limit=1', { as: auditor }),
    ({ text }) => text.includes('"by":"password"'),
  )
})

t.test('an address is changed by a link to the new one, and had back by one to the old', async t => {
  const [email, next] = ['before@dictionary.example', 'behind@dictionary.example']
  await member(email)
  await member('neighbour@dictionary.example')
  const here = await signIn(email)
  const change = (to: string, given = password) =>
    api('POST', '/v1/me/email', { as: access(here), body: { email: to, password: given } })
  t.equal((await change(next, 'wrong password')).code, 'credentials-wrong')
  t.equal((await change('"quoted"@dictionary.example')).code, 'email-invalid')
  t.equal((await api('POST', '/v1/me/email', { as: auditor, body: { email: next, password } })).code, 'not-an-account')
  const [known, unknown] = [await change('neighbour@dictionary.example'), await change(next)]
  t.equal(unknown.status, 202, unknown.text)
  t.strictSame([known.status, known.json], [202, unknown.json], 'the same answer')
  await mailTo('neighbour@dictionary.example', /wants to use your address/)
  t.strictSame(await mailsTo('neighbour@dictionary.example', /new address/), [])
  const token = await tokenFor(next, /Confirm your new address/)
  t.equal((await me(access(here))).json['email'], email)
  t.match(await (await fetch(`${app.url}/account/email`)).text(), '/v1/me/email/confirm')
  const use = (given: object) => api('POST', '/v1/me/email/confirm', { body: { token, ...given } })
  t.equal((await use({})).code, 'validation', 'the link alone is not enough')
  t.equal((await use({ password: 'wrong password' })).code, 'credentials-wrong')
  t.equal((await me(access(here))).json['email'], email)
  t.equal((await use({ password })).status, 204)
  t.equal((await use({ password })).code, 'link-used')
  t.equal((await me(access(here))).json['email'], next, 'the session goes on')
  t.equal((await signIn(email)).code, 'credentials-wrong')
  t.equal((await signIn(next)).status, 201)

  // An authenticator that whoever changed the address has added: it is not to keep the owner out.
  const offered = await api('POST', '/v1/me/totp', { as: access(here), body: {} })
  const added = await api('POST', '/v1/me/totp/confirm', {
    as: access(here),
    body: { code: codeAt(app.clock.now(), String(offered.json['secret'])) },
  })
  t.equal(added.status, 204, added.text)
  t.equal((await signIn(next)).code, 'second-factor-required')

  const asked = await api('POST', '/v1/password-resets', { body: { email } })
  await appendedFor(asked.headers)
  const back = await tokenFor(email, /address of your account was changed/)
  t.match(await (await fetch(`${app.url}/account/revert`)).text(), '/v1/me/email/revert')
  t.equal((await api('POST', '/v1/me/email/revert', { body: { token: `${back}x` } })).code, 'link-invalid')
  t.equal((await api('POST', '/v1/me/email/revert', { body: { token: back } })).status, 204)
  await until('the end of the sessions', async () => ((await me(access(here))).status === 401 ? true : undefined))
  for (const each of [email, next]) t.equal((await signIn(each)).code, 'credentials-wrong', 'nobody knows a password')
  const reset = await tokenFor(email, /Choose a new password/)
  t.equal((await mailsTo(email, /Choose a new password/)).length, 1, 'none while the address was left')
  const set = { token: reset, password: 'entirely new staple' }
  t.equal((await api('POST', '/v1/password-resets/confirm', { body: set })).status, 200)
  t.equal((await signIn(email, { password: 'entirely new staple' })).status, 201, 'and no code is asked for')
  await mailTo(email, /was removed/)
})

t.test('a reset sets the password once and ends every session', async t => {
  const email = 'reset@dictionary.example'
  await member(email)
  const session = await signIn(email)
  const ask = await api('POST', '/v1/password-resets', { body: { email } })
  const unknown = await api('POST', '/v1/password-resets', { body: { email: 'nobody@dictionary.example' } })
  t.equal(ask.status, 202)
  t.same([ask.status, ask.text], [unknown.status, unknown.text])
  const token = await tokenFor(email, /new password/)
  const reset = (to: string, by = token) =>
    api('POST', '/v1/password-resets/confirm', { body: { token: by, password: to } })
  t.equal((await confirm(token)).code, 'link-invalid', 'a link of one kind is none of another')
  t.equal((await reset('password1234')).code, 'password-weak', 'and is still good then')
  const two = await Promise.all([reset('set by a link, once'), reset('set by a link, once')])
  t.same(two.map(({ status }) => status).toSorted(), [200, 410], 'one of two at once')
  t.equal((await reset('set by it once more')).code, 'link-used')
  t.equal((await signIn(email, { password: 'set by a link, once' })).status, 201)
  await until('the end of the session', async () => ((await me(access(session))).status === 401 ? true : undefined))
  for (const bad of ['', 'x', `${token}x`, token.slice(0, -3), token.replace(/^1/, '2')])
    t.equal((await reset('set by a mere guess', bad)).code, 'link-invalid', bad)
})

t.test('one session or all others are ended by their owner alone', async t => {
  await member('owner@dictionary.example')
  await member('other@dictionary.example')
  const [a, b, other] = [
    await signIn('owner@dictionary.example'),
    await signIn('owner@dictionary.example'),
    await signIn('other@dictionary.example'),
  ]
  const idOf = ({ json }: Received): string => String(Object(json['session'])['id'])
  const end = (id: string, by: Received) => api('DELETE', `/v1/sessions/${id}`, { as: access(by) })
  t.equal((await end(idOf(a), other)).code, 'session-not-found')
  t.equal((await end(idOf(b), a)).status, 204)
  await until('its end', async () => ((await me(access(b))).status === 401 ? true : undefined))
  const again = await signIn('owner@dictionary.example')
  t.equal((await api('DELETE', '/v1/sessions', { as: access(again) })).status, 204)
  await until('the end of all others', async () => ((await me(access(a))).status === 401 ? true : undefined))
  t.equal((await me(access(again))).status, 200)
  t.equal((await me(await app.token('editor'))).code, 'not-an-account')
  t.equal((await api('GET', '/v1/me')).status, 401)
})

t.test('an administrator grants, takes and suspends; it holds at once where the Sync-Token is sent', async t => {
  const boss = await app.account('admin', 'admin@dictionary.example')
  const admin = access(await signIn('admin@dictionary.example', { password: boss.password }))
  await member('worker@dictionary.example')
  const worker = await signIn('worker@dictionary.example')
  const id = String((await me(access(worker))).json['id'])
  const act = (method: string, path: string, body?: object, as = admin) =>
    api(method, `/v1/accounts/${id}${path}`, { as, ...defined({ body }) })
  const rights = async () => (await api('GET', '/v1/me/permissions', { as: access(worker) })).json['permissions']

  t.equal((await act('PUT', '/roles/editor', { reason: 'A test.' }, access(worker))).code, 'permission-denied')
  t.notMatch(await rights(), ['entries:publish'])
  const granted = await act('PUT', '/roles/editor', {
    reason: 'Knows the words.',
    expiresAt: new Date(app.clock.now().getTime() + 60_000).toISOString(),
  })
  t.equal(granted.status, 200, granted.text)
  const now = await rights()
  t.ok(Array.isArray(now) && now.includes('entries:publish'), 'with the Sync-Token of the grant')
  t.equal((await act('DELETE', '/roles/editor', { reason: 'Has moved on.' })).status, 200)
  const then = await rights()
  t.notOk(Array.isArray(then) && then.includes('entries:publish'))

  t.equal((await act('PUT', '/roles/emperor', { reason: 'A test.' })).code, 'role-unknown')
  t.equal(
    (await act('PUT', '/roles/editor', { reason: 'A test.', expiresAt: '2020-01-01T00:00:00Z' })).code,
    'grant-past',
  )
  t.equal((await act('PUT', '/roles/editor', { reason: 'A test.', expiresAt: 'friday' })).code, 'validation')
  const own = `/v1/accounts/${boss.accountId}`
  t.equal((await api('PUT', `${own}/roles/auditor`, { as: admin, body: { reason: 'A test.' } })).code, 'own-role')
  t.equal((await api('DELETE', `${own}/roles/admin`, { as: admin, body: { reason: 'A test.' } })).code, 'own-role')
  t.equal((await api('POST', `${own}/suspend`, { as: admin, body: { reason: 'rest' } })).code, 'own-role')
  t.equal(
    (await api('POST', `/v1/accounts/nobody/reinstate`, { as: admin, body: { reason: 'A test.' } })).code,
    'account-not-found',
  )

  t.equal((await act('POST', '/suspend', { reason: 'Spam.' })).status, 200)
  t.equal((await me(access(worker))).status, 401, 'sessions end')
  const restricted = await signIn('worker@dictionary.example')
  t.match(restricted, { status: 201, json: { restricted: true } })
  const allowed = async () => (await api('GET', '/v1/me/permissions', { as: access(restricted) })).json
  t.match(await allowed(), { restricted: true, roles: [], inLanguages: {} })
  t.same((await allowed())['permissions'], [...roleRights.suspended].toSorted())
  const guess = await signIn('worker@dictionary.example', { password: 'a guess of mine' })
  const other = await signIn('nobody@dictionary.example', { password: 'a guess of mine' })
  t.match(guess, { status: 401, code: 'credentials-wrong' })
  t.equal(
    guess.json['detail'],
    other.json['detail'],
    'who guesses is not told that there is an account, or that it is suspended',
  )
  const next = { body: { refreshToken: restricted.json['refreshToken'] } }
  t.match(await api('POST', '/v1/sessions/refresh', next), { status: 200, json: { restricted: true } })
  t.equal((await act('POST', '/reinstate', { reason: 'It was somebody else.' })).status, 200)
  t.equal((await me(access(worker))).status, 401, 'and stay ended')
  t.match(await allowed(), { restricted: false, roles: [{ role: 'contributor' }] }, 'the session is one like any other')
  t.match(await signIn('worker@dictionary.example'), { status: 201, json: { restricted: false } })
  for (const [subject, said] of [
    [/given the role editor/, /until 1 January 2026.* on entries of every language\.\s+The reason: Knows the words\./],
    [/no longer have the role/, /The reason: Has moved on\./],
    [/suspended/, /The reason: Spam\./],
    [/yours to use again/, /The reason: It was somebody else\./],
  ] as const)
    t.match((await mailTo('worker@dictionary.example', subject))[0]?.text, said)
  for (const [method, path] of [
    ['PUT', '/roles/auditor'],
    ['DELETE', '/roles/auditor'],
    ['POST', '/suspend'],
    ['POST', '/reinstate'],
  ] as const) {
    t.equal((await act(method, path, {})).code, 'validation', 'a reason is asked for')
    t.equal((await act(method, path, { reason: ' ' })).code, 'reason-required')
    t.equal((await act(method, path, { reason: 'x', reasons: 'x' })).code, 'validation')
  }
  t.equal((await act('POST', '/suspend', { reason: 'x'.repeat(501) })).status, 422)

  // One who is an administrator for an hour, and whose proof is too old after ten minutes.
  await member('deputy@dictionary.example')
  const session = await signIn('deputy@dictionary.example')
  const as = access(session)
  const deputyId = String((await me(as)).json['id'])
  const hour = new Date(app.clock.now().getTime() + 3_600_000).toISOString()
  const made = { as: admin, body: { reason: 'A test.', expiresAt: hour } }
  t.equal((await api('PUT', `/v1/accounts/${deputyId}/roles/admin`, made)).status, 200)
  t.equal((await act('PUT', '/roles/admin', { reason: 'A test.' }, as)).code, 'grant-beyond-own')
  t.equal((await act('PUT', '/roles/admin', { reason: 'A test.', expiresAt: hour }, as)).status, 200)
  t.equal((await act('DELETE', '/roles/admin', { reason: 'A test.' }, as)).status, 200)

  // Whatever an administrator did to somebody is told: no mail about it names a way to turn it off.
  for (const subject of [/given the role editor/, /no longer have the role/, /suspended/, /yours to use again/]) {
    const [told] = await mailTo('worker@dictionary.example', subject)
    t.notOk(
      told?.headers.find(each => each.key === 'list-unsubscribe'),
      String(subject),
    )
  }
  const form = { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  t.equal((await api('POST', '/v1/sessions', form)).status, 415, 'no route takes a form')
})

t.test(
  'accounts are listed: addresses for administrators alone, and that they saw them is in the log first',
  async t => {
    const emails = ['list-1@dictionary.example', 'list-2@dictionary.example', 'list-3@dictionary.example']
    for (const each of emails) await member(each)
    const boss = await app.account('admin', 'chief@dictionary.example')
    const admin = access(await signIn('chief@dictionary.example', { password: boss.password }))
    const moderator = await app.token('moderator', 'mo')
    const get = (query: string, as = admin) => api('GET', `/v1/accounts${query}`, { as })
    const itemsOf = ({ json }: Received): readonly Record<string, unknown>[] =>
      Array.isArray(json['items']) ? json['items'] : []

    const first = await get('?limit=2')
    t.equal(first.status, 200, first.text)
    t.match(itemsOf(first), [
      { id: boss.accountId, email: 'chief@dictionary.example', suspended: false },
      { email: 'list-3@dictionary.example', roles: [{ role: 'contributor' }], displayName: null },
    ])
    const second = await get(`?limit=2&cursor=${encodeURIComponent(String(first.json['next']))}`)
    t.strictSame(
      itemsOf(second).map(each => each['email']),
      ['list-2@dictionary.example', 'list-1@dictionary.example'],
    )
    const [, third] = itemsOf(first)
    const id = String(third?.['id'])
    await api('POST', `/v1/accounts/${id}/suspend`, { as: admin, body: { reason: 'For the test.' } })
    t.ok(
      itemsOf(await get('?state=suspended')).some(each => each['id'] === id),
      'at once with the Sync-Token',
    )
    t.ok(itemsOf(await get('?role=admin')).every(each => JSON.stringify(each['roles']).includes('admin')))
    t.match(itemsOf(await get('?email=LIST-2@dictionary.example')), [{ email: 'list-2@dictionary.example' }])
    t.strictSame(itemsOf(await get('?email=list-2@dictionary.example&state=suspended')), [])
    t.strictSame(itemsOf(await get('?email=nobody@dictionary.example')), [])
    t.equal((await get('?email=nonsense')).code, 'email-invalid')
    t.equal((await get('?role=emperor')).code, 'role-unknown')
    t.match((await get(`/${id}`)).json, { id, email: 'list-3@dictionary.example', suspended: true })
    t.equal((await get('/nobody')).code, 'account-not-found')

    const seen = await get('?limit=3', moderator)
    t.equal(itemsOf(seen).length, 3)
    t.notMatch(seen.text, '@dictionary.example', 'a moderator sees no address')
    t.notMatch((await get(`/${id}`, moderator)).text, '@dictionary.example')
    t.equal((await get('?email=list-1@dictionary.example', moderator)).code, 'permission-denied')

    // A write, whose position is behind all that was noted of the reading.
    t.equal((await signIn('list-1@dictionary.example')).status, 201)
    const { json } = await api('GET', '/v1/events?type=AccountsRead&order=asc&limit=100', { as: auditor })
    const reads = Array.isArray(json['items']) ? json['items'] : []
    t.match(reads[0], {
      data: { accounts: [boss.accountId, id], fields: ['displayName', 'email'], byAddress: false },
      meta: { actor: { kind: 'account', id: boss.accountId } },
    })
    t.ok(
      reads.some(each => each.data.byAddress && each.data.accounts.length === 0),
      'that nobody was found is said too',
    )
    const theirs = reads.filter(each => each.meta.actor.id !== boss.accountId)
    t.ok(theirs.length > 0, 'a moderator is named too')
    t.ok(
      theirs.every(each => each.data.fields.join() === 'displayName'),
      'having seen no address',
    )
    t.notMatch(JSON.stringify(reads), '@')
  },
)

t.test('known and unknown addresses get the same answer after the same appends', async t => {
  const known = 'known@dictionary.example'
  await member(known)
  const appended = async (ask: () => Promise<Received>) => {
    const { status, text, headers } = await ask()
    return { status, text: text.replace(/"requestId":"[^"]*"/, ''), appended: await appendedFor(headers) }
  }
  const asks: readonly ((email: string) => Promise<Received>)[] = [
    email => signUp(email),
    email => signIn(email, { password: 'not the password' }),
    email => api('POST', '/v1/password-resets', { body: { email } }),
    email => api('POST', '/v1/accounts/verify-email/resend', { body: { email } }),
  ]
  for (const [index, ask] of asks.entries()) {
    const one = await appended(() => ask(known))
    const other = await appended(() => ask(`unknown-${index}@dictionary.example`))
    t.same(one, other, `ask ${index}`)
    t.equal(one.appended, 1)
  }
})

t.test('what is no address or of the wrong form is refused before anything is written', async t => {
  const bad = [
    '',
    'x',
    'a@b',
    '"a b"@dictionary.example',
    'a@b@c',
    'a b@dictionary.example',
    `${'x'.repeat(65)}@a.example`,
  ]
  bad.push(`a@${'x'.repeat(300)}.example`, 'a@[127.0.0.1]', 'a@-x.example', 'a\u202e@a.example', 'a@1.2.3.4')
  for (const email of bad) t.equal((await signUp(email)).code, 'email-invalid', email)
  for (const body of [{}, { email: 'a@b.example', password }, { email: 5 }, { email: 'a@b.example', role: 'admin' }])
    t.equal((await api('POST', '/v1/accounts', { body })).code, 'validation')
  t.equal((await signUp('\ud800@a.example')).code, 'text-invalid')
  t.equal((await api('POST', '/v1/accounts?dryRun=true', { body: { email: 'a@b.example' } })).status, 400)
})

t.test('too many tries from one place are refused, known address or not', async t => {
  for (const email of ['tried@dictionary.example', 'never@dictionary.example']) {
    const codes = []
    for (let i = 0; i < 11; i += 1) codes.push((await signIn(email, { password: 'a guess of mine' })).code)
    t.same(
      codes.slice(0, 10),
      Array.from({ length: 10 }, () => 'credentials-wrong'),
    )
    t.equal(codes[10], 'rate-limited')
  }
})

t.test('addresses, passwords and secrets stand in no file in the clear; the acts are found as events', async t => {
  const ask = () => api('GET', '/v1/events?type=SignInFailed&limit=1', { as: auditor })
  await askUntil('a sign-in that failed', ask, ({ text }) => /credentials/.test(text))
  const found = await api('GET', '/v1/events?type=AccountCreated&limit=1', { as: auditor })
  t.notMatch(found.text, /dictionary\.example|argon2/)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(each =>
    /events\.db|jobs\.db|read\.db/.test(each),
  )
  t.ok(files.length >= 3)
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'latin1')
    for (const secret of ['@dictionary.example', 'horse staple', '$argon2'])
      t.notOk(text.includes(secret), `${file} holds ${secret}`)
    for (const token of seen) t.notOk(text.includes(token.split('.')[2] ?? token), `${file} holds a link`)
  }
})

t.test('the page of a link runs its own script and nothing else', async t => {
  for (const purpose of ['verify', 'reset']) {
    const page = await fetch(`${app.url}/account/${purpose}`)
    t.equal(page.status, 200)
    const policy = page.headers.get('content-security-policy') ?? ''
    t.match(
      policy,
      /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; connect-src 'self';/,
    )
    t.notMatch(policy, /,|unsafe/)
    t.equal(page.headers.get('referrer-policy'), 'no-referrer')
  }
})

t.test('every answer was as the document says', async t => {
  t.same(api.faults, [])
})
