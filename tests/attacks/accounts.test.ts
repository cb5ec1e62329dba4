/** Advisories of other systems, as attacks on this one: what was broken there has to hold here. */
import { request } from 'node:http'
import t from 'tap'
import { type Api, openApi, type Received } from '../support/api.ts'
import { openTestApp, type TestApp } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const start = async (env: Readonly<Record<string, string>> = {}) => {
  const app = await openTestApp(t, env, { folder })
  return { app, api: await openApi(app.url) }
}
const access = ({ json }: Received): string => String(json['accessToken'])
const refreshToken = ({ json }: Received): string => String(json['refreshToken'])
const refresh = (api: Api, token: string) => api('POST', '/v1/sessions/refresh', { body: { refreshToken: token } })
const me = (api: Api, token: string) => api('GET', '/v1/me', { as: token })

/** A member with a password, made as an operator makes them. */
const member = async (app: TestApp, api: Api, email: string) => {
  const { accountId, password } = await app.account('contributor', email)
  const signIn = (headers: Readonly<Record<string, string>> = {}, more: object = {}) =>
    api('POST', '/v1/sessions', { body: { email, password, ...more }, headers })
  return { accountId, signIn }
}

t.test(
  'a refresh token replayed, at once by many and again after a restart, never makes two lines of sessions',
  async t => {
    const first = await start()
    const { signIn } = await member(first.app, first.api, 'replay@dictionary.example')
    const session = await signIn()
    const stolen = refreshToken(session)
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(first.api, stolen)))
    t.same([...new Set(answers.map(each => each.status))], [200])
    t.equal(new Set(answers.map(refreshToken)).size, 1, 'one next token, whoever asks how often')
    const [next] = answers
    if (!next) throw new Error('no answer')
    const later = await refresh(first.api, refreshToken(next))
    t.equal(later.status, 200)
    await first.app.close()

    const again = await start()
    t.equal((await me(again.api, access(later))).status, 200, 'a session outlives a restart')
    t.equal((await refresh(again.api, stolen)).code, 'session-ended', 'and so does what was used up')
    t.equal((await refresh(again.api, refreshToken(later))).code, 'session-ended', 'its owner has to sign in again')
    await until('the end of the access token', async () =>
      (await me(again.api, access(later))).status === 401 ? true : undefined,
    )
    await again.app.close()
    const third = await start()
    t.equal((await me(third.api, access(later))).status, 401, 'what was revoked stays revoked')
    await third.app.close()
  },
)

t.test('a refresh token that was used up ends the session from another device and at another node, too', async t => {
  const clock = fakeClock()
  const opened = async () => {
    const app = await openTestApp(t, {}, { folder, clock })
    return { app, api: await openApi(app.url) }
  }
  const [one, other] = [await opened(), await opened()]
  const { signIn } = await member(one.app, one.api, 'two-nodes@dictionary.example')
  for (const thief of [one, other]) {
    const session = await signIn({ 'user-agent': 'Mine' })
    const stolen = refreshToken(session)
    const next = await refresh(one.api, stolen)
    t.equal(next.status, 200, next.text)
    await clock.advance(11_000)
    const replayed = await thief.api('POST', '/v1/sessions/refresh', {
      body: { refreshToken: stolen },
      headers: { 'user-agent': 'Another device' },
    })
    t.equal(replayed.code, 'session-ended', 'after ten seconds it is no lost answer any more')
    for (const [name, node] of Object.entries({ one, other })) {
      t.equal((await refresh(node.api, refreshToken(next))).code, 'session-ended', `its heir is void at ${name}`)
      await until(`the end of the access token at ${name}`, async () => {
        await clock.advance(20)
        return (await me(node.api, access(next))).status === 401
      })
    }
  }
  await one.app.close()
  await other.app.close()
})

t.test('nobody gives themselves more than a sign-up gives', async t => {
  const { app, api } = await start()
  const body = { email: 'more@dictionary.example' }
  const extras: readonly Readonly<Record<string, unknown>>[] = [
    { role: 'admin' },
    { password: 'horse staple battery' },
    { roles: ['admin'] },
    { verified: true },
    { accountId: 'me' },
    { permissions: ['x'] },
    { constructor: { prototype: { admin: true } } },
    { grants: [{ role: 'admin' }] },
  ]
  for (const extra of extras)
    t.match(await api('POST', '/v1/accounts', { body: { ...body, ...extra } }), { status: 400, code: 'validation' })
  const polluted = `${JSON.stringify(body).slice(0, -1)},"__proto__":{"role":"admin"}}`
  const raw = await api('POST', '/v1/accounts', { raw: polluted, headers: { 'content-type': 'application/json' } })
  t.equal(raw.status, 400)

  const { accountId, signIn } = await member(app, api, 'self@dictionary.example')
  const token = access(await signIn())
  const admin = await app.token('admin')
  t.match(await api('PUT', `/v1/accounts/${accountId}/roles/admin`, { as: token, body: { reason: 'A test.' } }), {
    status: 403,
    code: 'permission-denied',
  })
  for (const id of ['__proto__', 'constructor', 'toString', '..%2f..', accountId.toUpperCase().replace(/./, 'x')])
    t.match(await api('POST', `/v1/accounts/${id}/suspend`, { as: admin, body: { reason: 'x' } }), { status: 404 }, id)
  for (const role of ['__proto__', 'constructor', 'king', 'ADMIN'])
    t.match(
      await api('PUT', `/v1/accounts/${accountId}/roles/${role}`, { as: admin, body: { reason: 'A test.' } }),
      { status: 422 },
      role,
    )
  const { json } = await api('GET', '/v1/me/permissions', { as: token })
  t.match(json, { roles: [{ role: 'contributor' }] })
  await app.close()
})

t.test("nobody ends or sees another's sessions, whatever id they name", async t => {
  const { app, api } = await start()
  const [victim, thief] = [
    await member(app, api, 'victim@dictionary.example'),
    await member(app, api, 'thief@dictionary.example'),
  ]
  const [theirs, mine] = [await victim.signIn(), await thief.signIn()]
  const { id } = Object(theirs.json['session'])
  const known = await api('DELETE', `/v1/sessions/${id}`, { as: access(mine) })
  const unknown = await api('DELETE', '/v1/sessions/00000000-0000-4000-8000-000000000000', { as: access(mine) })
  t.same([known.status, known.code], [unknown.status, unknown.code], 'nor learns that it is there')
  t.equal((await me(api, access(theirs))).status, 200)
  t.notMatch((await api('GET', '/v1/sessions', { as: access(mine) })).text, String(id))
  const [head, , signature] = access(mine).split('.')
  const claims = JSON.parse(Buffer.from(access(mine).split('.')[1] ?? '', 'base64url').toString())
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const forged = [
    `${head}.${encode({ ...claims, sub: victim.accountId })}.${signature}`,
    `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode({ ...claims, sub: victim.accountId })}.`,
    `${head}.${access(theirs).split('.')[1]}.${signature}`,
    refreshToken(theirs),
  ]
  for (const token of forged) t.equal((await me(api, token)).status, 401)
  await app.close()
})

t.test('who says in X-Forwarded-For that they are somebody else is counted as who they are', async t => {
  const guess = (api: Api, email: string, from: string) =>
    api('POST', '/v1/sessions', {
      body: { email, password: 'a guess of mine' },
      headers: { 'x-forwarded-for': from },
    })
  const tries = async (api: Api, email: string, from: (n: number) => string) => {
    const codes: unknown[] = []
    for (let n = 0; n < 12; n += 1) codes.push((await guess(api, email, from(n))).code)
    return codes
  }
  const direct = await start()
  const alone = await tries(direct.api, 'direct@dictionary.example', n => `198.51.100.${n}`)
  t.equal(alone.at(-1), 'rate-limited', 'without a proxy the header is nothing')
  await direct.app.close()

  const behind = await start({ LEXICHRON_TRUSTED_PROXIES: '127.0.0.1' })
  const spoofed = await tries(behind.api, 'left@dictionary.example', n => `198.51.100.${n}, 203.0.113.9`)
  t.equal(spoofed.at(-1), 'rate-limited', 'the left-most address is the client’s own word')
  const others = await tries(behind.api, 'right@dictionary.example', n => `203.0.113.${n}`)
  t.ok(
    others.every(code => code === 'credentials-wrong'),
    'what the proxy says is believed',
  )
  const network = await tries(behind.api, 'six@dictionary.example', n => `2001:db8:1:1::${n + 1}`)
  t.equal(network.at(-1), 'rate-limited', 'one /64 is one place')
  await behind.app.close()
})

t.test('however the word of a client is written, it is not that of the proxy', async t => {
  const { app, api } = await start({ LEXICHRON_TRUSTED_PROXIES: '127.0.0.1', LEXICHRON_LIMIT_SIGN_INS: '10' })
  /** Bare, since a header may come several times. The address that the last proxy saw stands at the end of all of them. */
  const guess = (email: string, headers: readonly (readonly [string, string])[]): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const body = JSON.stringify({ email, password: 'a guess of mine' })
    const all = [['content-type', 'application/json'], ['content-length', String(body.length)], ...headers]
    const sent = request(`${app.url}/v1/sessions`, {
      method: 'POST',
      headers: [['host', 'dictionary.example'], ...all].flat(),
    })
    sent.on('error', reject)
    sent.on('response', response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => resolve(String(Object(JSON.parse(Buffer.concat(chunks).toString()))['code'])))
    })
    sent.end(body)
    return promise
  }
  const spoofs: Readonly<Record<string, (n: number) => readonly (readonly [string, string])[]>> = {
    'a header of its own before': n => [
      ['x-forwarded-for', `198.51.100.${n}`],
      ['x-forwarded-for', '203.0.113.10'],
    ],
    'a header without an address': n => [['x-forwarded-for', `unknown, 198.51.100.${n}, 203.0.113.11`]],
    'Forwarded (RFC 7239)': n => [
      ['forwarded', `for=198.51.100.${n}`],
      ['x-forwarded-for', '203.0.113.12'],
    ],
    'other names of the same': n => [
      ['x-real-ip', `198.51.100.${n}`],
      ['true-client-ip', `198.51.100.${n}`],
      ['cf-connecting-ip', `198.51.100.${n}`],
      ['x-client-ip', `198.51.100.${n}`],
      ['x-forwarded-for', '203.0.113.13'],
    ],
    'the address of the proxy before': n => [['x-forwarded-for', `198.51.100.${n}, 127.0.0.2, 203.0.113.14`]],
    'a mapped address': n => [
      ['x-forwarded-for', `198.51.100.${n}, ${n % 2 ? '::ffff:203.0.113.15' : '203.0.113.15'}`],
    ],
    'a zone': n => [['x-forwarded-for', `fe80::1%eth${n}`]],
    'a port': n => [['x-forwarded-for', `203.0.113.16:${1000 + n}`]],
    'a port after brackets': n => [['x-forwarded-for', `[2001:db8:2:2::1]:${1000 + n}`]],
    'no address at all': n => [['x-forwarded-for', `me${n}`]],
  }
  for (const [how, headers] of Object.entries(spoofs)) {
    const email = `spoof-${how.replaceAll(/[^a-z]/gi, '')}@dictionary.example`
    const codes = []
    for (let n = 1; n <= 12; n += 1) codes.push(await guess(email, headers(n)))
    t.equal(codes.at(-1), 'rate-limited', `${how}: ${codes.join()}`)
  }
  t.same(api.faults, [])
  await app.close()
})

t.test('no line of a mail, an answer or a log is of a client’s making', async t => {
  const { app, api } = await start()
  const bad = [
    'a@dictionary.example\r\nBcc: all@dictionary.example',
    'a@dictionary.example\nSubject: hello',
    'a@dictionary.example, b@dictionary.example',
    'A <a@dictionary.example>',
    '"a b"@dictionary.example',
    `${'a'.repeat(65)}@dictionary.example`,
    `a@${'b'.repeat(300)}.example`,
    'a@dictionary.example\u202e',
  ]
  for (const email of bad)
    for (const [path, body] of [
      ['/v1/accounts', { email }],
      ['/v1/accounts/verify-email/resend', { email }],
      ['/v1/password-resets', { email }],
    ] as const)
      t.match(
        await api('POST', path, { body }),
        { status: 422, code: 'email-invalid' },
        `${path} ${JSON.stringify(email)}`,
      )
  const { signIn } = await member(app, api, 'named@dictionary.example')
  const as = access(await signIn({ 'user-agent': 'x'.repeat(5_000) }))
  const { headers } = await me(api, as)
  const edit = (displayName: string) =>
    api('PATCH', '/v1/me', { as, body: { displayName }, headers: { 'if-match': headers.get('etag') ?? '' } })
  for (const name of ['Ada\r\nBcc: x@y.example', 'Ada\u202eadA', 'a\u200bb', '<b>Ada</b>'])
    t.equal((await edit(name)).status, 422, JSON.stringify(name))
  t.same(api.faults, [], 'every answer was as the document says')
  await app.close()
})
