/** Sign-in at OpenID providers: with a real one, with one that lies in every way there is, and in the face of attackers. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { codeAt } from '../support/authenticator.ts'
import { forgedOf } from '../support/forged.ts'
import {
  type Behaviour,
  type Browser,
  CLIENT,
  openBrowser,
  openLiar,
  openRealProvider,
  PUBLIC_URL,
  SECRET,
} from '../support/openid.ts'
import { openOutbox } from '../support/outbox.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const liar = await openLiar(t)
const person = { sub: 'real-1', email: 'real@dictionary.example' }
const real = await openRealProvider(t, `${PUBLIC_URL}/v1/oauth/real/callback`, () => person)
const providers = {
  LEXICHRON_OPENID_PROVIDERS: 'liar,real,gone',
  LEXICHRON_OPENID_LIAR_ISSUER: liar.issuer,
  LEXICHRON_OPENID_LIAR_CLIENT_ID: CLIENT,
  LEXICHRON_OPENID_LIAR_CLIENT_SECRET: SECRET,
  LEXICHRON_OPENID_REAL_ISSUER: real.issuer,
  LEXICHRON_OPENID_REAL_CLIENT_ID: CLIENT,
  LEXICHRON_OPENID_REAL_CLIENT_SECRET: SECRET,
  LEXICHRON_OPENID_GONE_ISSUER: 'http://127.0.0.1:1',
  LEXICHRON_OPENID_GONE_CLIENT_ID: CLIENT,
  LEXICHRON_OPENID_GONE_CLIENT_SECRET: SECRET,
  LEXICHRON_PUBLIC_URL: PUBLIC_URL,
}
const app = await openTestApp(t, providers, { folder })
const api = await openApi(app.url)
const browser = (): Browser => openBrowser(api)
await until('the providers', async () => {
  const { json } = await api('GET', '/v1/oauth')
  const items: readonly { ready: boolean }[] = Array.isArray(json['items']) ? json['items'] : []
  return items.filter(each => each.ready).length === 2 ? true : undefined
})

const SIGNED_IN = '/account/openid#signed-in'
let people = 0
/** Somebody whom nobody knows yet. */
const somebody = (more: Behaviour = {}): Behaviour => {
  people += 1
  return { subject: `subject-${people}`, email: `somebody-${people}@dictionary.example`, ...more }
}
const as = (who: Behaviour): Behaviour => {
  liar.behave(who)
  return who
}
const me = async (at: Browser) => (await at.ask('GET', '/v1/me')).json
const password = 'horse staple battery'
const outbox = openOutbox(folder)
const mailTo = (address: string): Promise<string> =>
  until(`a mail to ${address}`, async () => {
    const [mail] = await outbox(address, /./).catch(() => [])
    return /#(\S+)/.exec(mail?.text ?? '')?.[1]
  })

t.test('a real provider: the first sign-in begins an account, the next is the same one', async t => {
  const [first, second] = [browser(), browser()]
  t.equal(await first.signIn('real', '?locale=es'), SIGNED_IN)
  t.notOk(first.jar.has('__Host-openid'), 'of the flow nothing is left')
  const account = await me(first)
  t.match(account, { email: person.email, locale: 'es' })
  t.equal(await second.signIn('real', '?returnTo=/v1/me'), '/v1/me#signed-in')
  t.equal((await me(second))['id'], account['id'])
  t.match((await first.ask('GET', '/v1/me/identities')).json, {
    items: [{ provider: 'real', issuer: real.issuer, subject: person.sub }],
  })
  t.equal((await api('POST', '/v1/sessions', { body: { email: person.email, password } })).code, 'credentials-wrong')
  const [identity] = Object((await first.ask('GET', '/v1/me/identities')).json)['items']
  t.equal((await first.ask('DELETE', `/v1/me/identities/${identity.id}`)).code, 'identity-last')
})

t.test('an account is begun only with an address that is verified and nobody has', async t => {
  const known = as(somebody())
  t.equal(await browser().signIn('liar'), SIGNED_IN)
  as({ subject: 'another', email: String(known.email).toUpperCase() })
  t.equal(await browser().signIn('liar'), '/account/openid#error=openid-address-taken')
  as(somebody({ userinfo: { sub: `subject-${people + 1}` } }))
  t.equal(await browser().signIn('liar'), SIGNED_IN, 'the address may stand at the UserInfo endpoint')
  as(somebody({ userinfo: { sub: 'somebody else' } }))
  t.equal(await browser().signIn('liar'), '/account/openid#error=openid-answer-invalid', 'but not that of another')
  for (const email of [undefined, 'no address', '"quoted"@dictionary.example']) {
    as(somebody({ email }))
    t.equal(await browser().signIn('liar'), '/account/openid#error=openid-address-missing', String(email))
  }
  for (const verified of [false, 'true', undefined, 1]) {
    const unsure = as(somebody({ verified: verified ?? null }))
    t.equal(await browser().signIn('liar'), '/account/openid#error=openid-unconfirmed', String(verified))
    if (verified !== false) continue
    const token = await mailTo(String(unsure.email))
    t.equal((await api('POST', '/v1/accounts/verify-email', { body: { token, password } })).status, 200)
    // Who began it need not be who opened the mail: the identity is no way into what came of that.
    t.equal(await browser().signIn('liar'), '/account/openid#error=openid-unconfirmed')
    const opened = await api('POST', '/v1/sessions', { body: { email: unsure.email, password } })
    t.equal(opened.status, 201, opened.text)
    const own = await api('GET', '/v1/me/identities', { as: String(opened.json['accessToken']) })
    t.strictSame(own.json['items'], [])
  }
})

t.test('who waits with a password at the address of somebody else gains nothing', async t => {
  const victim = as(somebody())
  await api('POST', '/v1/accounts', { body: { email: victim.email } })
  const link = await mailTo(String(victim.email))
  t.equal(await browser().signIn('liar'), SIGNED_IN)
  t.equal((await api('POST', '/v1/sessions', { body: { email: victim.email, password } })).code, 'credentials-wrong')
  t.match((await api('POST', '/v1/accounts/verify-email', { body: { token: link, password } })).code, /^link-/)
})

t.test('a provider that lies, or is not itself', async t => {
  const invalid = 'openid-answer-invalid'
  const claims = (change: object): Behaviour => ({ claims: given => ({ ...given, ...change }) })
  const old: Behaviour = {
    claims: given => ({ ...given, exp: Number(given.iat) - 600, iat: Number(given.iat) - 900 }),
  }
  const lies: readonly (readonly [string, Behaviour, string])[] = [
    ['another issuer', claims({ iss: 'https://elsewhere.example' }), invalid],
    ['an audience that is not us', claims({ aud: 'somebody' }), invalid],
    ['audiences beside us', claims({ aud: [CLIENT, 'somebody'], azp: CLIENT }), invalid],
    ['another party', claims({ azp: 'somebody' }), invalid],
    ['another nonce', claims({ nonce: 'x'.repeat(43) }), invalid],
    ['no nonce', claims({ nonce: undefined }), invalid],
    ['an id token that is too old', old, invalid],
    ['no end', claims({ exp: undefined }), invalid],
    ['no subject', claims({ sub: '' }), invalid],
    ['a subject of many', claims({ sub: 's'.repeat(256) }), invalid],
    ['a key that is not its own', { signature: 'foreign' }, invalid],
    ['no signature', { signature: 'none' }, invalid],
    ['the client secret as a key', { signature: 'symmetric' }, invalid],
    ['another issuer in the response', { iss: 'https://elsewhere.example' }, invalid],
    ['no issuer in the response', { iss: null }, invalid],
    ['an error', { error: 'access_denied' }, 'openid-refused'],
    ['a server that is broken', { status: 500 }, 'openid-unavailable'],
    ['an answer without end', { endless: true }, 'openid-unavailable'],
  ]
  for (const [name, lie, code] of lies) {
    as(somebody(lie))
    const at = browser()
    t.equal(await at.signIn('liar'), `/account/openid#error=${code}`, name)
    t.notOk(at.jar.has('__Host-access'), name)
  }
  as(somebody())
  t.equal(await browser().signIn('liar'), SIGNED_IN, 'and once it is honest again')
  as(somebody({ slowMs: 60_000 }))
  t.equal(await browser().signIn('liar'), '/account/openid#error=openid-unavailable', 'it is not waited for')
  t.equal((await api('GET', '/v1/oauth/gone/start')).code, 'openid-unavailable')
  t.equal((await api('GET', '/v1/oauth/nobody/start')).code, 'not-found')
})

t.test('attacks on the way back', async t => {
  as(somebody())
  const [mine, other] = [browser(), browser()]
  const back = await mine.approach('liar')
  t.equal((await other.ask('GET', back)).code, 'openid-flow-invalid', 'in another browser: nobody signs others in')
  const stolen = new Map(mine.jar)
  const mixed = back.replace('/liar/', '/real/')
  t.equal((await mine.ask('GET', mixed)).code, 'openid-flow-invalid', 'at another provider')
  for (const forged of [back.replace(/(?<=state=)[^&]*/, forgedOf), back.replace(/state=[^&]*/, ''), `${back}&state=x`])
    t.match((await mine.ask('GET', forged)).code, /^(openid-flow-invalid|validation|parameter)/, forged)
  const cookie = mine.jar.get('__Host-openid') ?? ''
  mine.jar.set('__Host-openid', forgedOf(cookie))
  t.equal((await mine.ask('GET', back)).code, 'openid-flow-invalid', 'with a forged cookie')
  mine.jar.set('__Host-openid', cookie)

  // The same way back from two windows at once, with a provider that takes a code twice.
  as(somebody({ lax: true }))
  const twice = await mine.approach('liar')
  const windows = [browser(), browser(), browser()]
  for (const each of windows) for (const [name, value] of mine.jar) each.jar.set(name, value)
  const ends = await Promise.all(windows.map(each => each.ask('GET', twice)))
  t.strictSame(ends.map(each => each.headers.get('location')).toSorted(), [
    '/account/openid#error=openid-flow-invalid',
    '/account/openid#error=openid-flow-invalid',
    SIGNED_IN,
  ])
  for (const [name, value] of stolen) other.jar.set(name, value)
  t.equal((await other.ask('GET', back)).status, 303, 'its own cookie is what makes a browser the one that began')

  for (const path of ['https://evil.example', '//evil.example', '/\\evil.example', 'evil', '/a#b', '/../a', '/ a'])
    t.equal((await api('GET', `/v1/oauth/liar/start?returnTo=${encodeURIComponent(path)}`)).code, 'validation', path)
})

t.test('two windows of somebody new begin one account', async t => {
  as(somebody())
  const windows = [browser(), browser(), browser()]
  const ends = await Promise.all(windows.map(each => each.signIn('liar')))
  t.ok(ends.includes(SIGNED_IN), ends.join())
  const ids = new Set<unknown>()
  for (const [at, each] of windows.entries()) if (ends[at] === SIGNED_IN) ids.add((await me(each))['id'])
  t.equal(ids.size, 1)
  const again = browser()
  t.equal(await again.signIn('liar'), SIGNED_IN)
  t.ok(ids.has((await me(again))['id']))
})

t.test('who is signed in links an identity, and unlinks it', async t => {
  const signedIn = async (email: string): Promise<Browser> => {
    await api('POST', '/v1/accounts', { body: { email } })
    await api('POST', '/v1/accounts/verify-email', { body: { token: await mailTo(email), password } })
    const at = browser()
    const answer = await at.ask('POST', '/v1/sessions', { email, password, transport: 'cookie' })
    t.equal(answer.status, 201, answer.text)
    return at
  }
  const link = async (at: Browser): Promise<string> => {
    const begun = await at.ask('POST', '/v1/me/identities/liar', {})
    t.equal(begun.status, 200, begun.text)
    const back = await at.throughProvider(String(begun.json['authorizationUrl']))
    return (await at.ask('GET', back)).headers.get('location') ?? ''
  }
  const owner = await signedIn('owner@dictionary.example')
  const identity = as(somebody({ email: 'somewhere-else@dictionary.example' }))
  t.equal(await link(owner), '/account/openid#linked=liar')
  const later = browser()
  t.equal(await later.signIn('liar'), SIGNED_IN)
  t.equal((await me(later))['email'], 'owner@dictionary.example', 'it is the identity that signs in, not its address')
  const { items } = Object((await owner.ask('GET', '/v1/me/identities')).json)
  t.match(items, [{ provider: 'liar', subject: identity.subject }])

  const thief = await signedIn('thief@dictionary.example')
  t.equal(await link(thief), '/account/openid#error=identity-in-use')
  t.equal((await thief.ask('DELETE', `/v1/me/identities/${items[0].id}`)).code, 'identity-not-found')
  t.equal((await api('POST', '/v1/me/identities/liar', { body: {} })).status, 401)

  const begun = await thief.ask('POST', '/v1/me/identities/liar', {})
  const back = await thief.throughProvider(String(begun.json['authorizationUrl']))
  const flow = thief.jar.get('__Host-openid') ?? ''
  t.equal((await thief.ask('DELETE', '/v1/sessions/current')).status, 204)
  thief.jar.set('__Host-openid', flow)
  const late = await thief.ask('GET', back)
  t.equal(late.headers.get('location'), '/account/openid#error=session-ended', 'nobody links for who has left')

  t.equal((await owner.ask('DELETE', `/v1/me/identities/${items[0].id}`)).status, 204)
  t.equal((await owner.ask('DELETE', `/v1/me/identities/${items[0].id}`)).code, 'identity-not-found')
  t.equal(await browser().signIn('liar'), SIGNED_IN, 'released: it begins an account of its own')
})

t.test('a provider does not stand in for the second factor', async t => {
  as(somebody())
  const owner = browser()
  t.equal(await owner.signIn('liar'), SIGNED_IN)
  const offer = await owner.ask('POST', '/v1/me/totp', {})
  const code = codeAt(app.clock.now(), String(offer.json['secret']))
  t.equal((await owner.ask('POST', '/v1/me/totp/confirm', { code })).status, 204)
  const { codes } = Object((await owner.ask('POST', '/v1/me/recovery-codes', {})).json)

  const [later, other] = [browser(), browser()]
  t.equal(await later.signIn('liar'), '/account/openid#error=second-factor-required')
  t.notOk(later.jar.has('__Host-access'), 'nobody is signed in yet')
  const send = (at: Browser, given: string) => at.ask('POST', '/v1/oauth/code', { code: given })
  t.equal((await send(other, codes[0])).code, 'openid-flow-invalid', 'not in another browser')
  const waiting = later.jar.get('__Host-openid-code') ?? ''
  other.jar.set('__Host-openid-code', forgedOf(waiting))
  t.equal((await send(other, codes[0])).code, 'openid-flow-invalid', 'nor with a forged cookie')
  t.equal((await send(later, code)).code, 'code-wrong', 'a code works once')
  t.equal((await send(later, '000000')).code, 'code-wrong')
  t.equal((await send(later, codes[0])).status, 201)
  t.equal((await me(later))['id'], (await me(owner))['id'])
  later.jar.set('__Host-openid-code', waiting)
  t.equal((await send(later, codes[1])).code, 'openid-flow-invalid', 'the sign-in is over')
  t.match(await (await fetch(`${app.url}/account/openid`)).text(), '/v1/oauth/code')
})

t.test('of whom it was about nothing stands in the files in the clear, and each act is an event', async t => {
  const auditor = await app.token('auditor')
  for (const type of ['IdentityLinked', 'IdentityUnlinked', 'IdentityClaimed', 'IdentityReleased']) {
    const { json } = await api('GET', `/v1/events?type=${type}`, { as: auditor })
    t.ok(Array.isArray(json['items']) && json['items'].length > 0, type)
    t.notMatch(JSON.stringify(json), 'subject-1')
  }
  for (const name of readdirSync(folder).filter(each => /\.db/.test(each)))
    for (const word of ['subject-1', 'somebody-1', liar.issuer])
      t.notOk(readFileSync(join(folder, name)).includes(word), `${word} in ${name}`)
})

t.test('settings that would sign in nobody, or anybody, are named at the start', async t => {
  const faults = (env: Readonly<Record<string, string>>): string => {
    try {
      loadConfig(environmentFor(folder, { ...providers, ...env }), folder)
      return ''
    } catch (error) {
      return error instanceof ConfigError ? error.faults.join(' | ') : String(error)
    }
  }
  t.equal(faults({}), '')
  t.match(faults({ LEXICHRON_OPENID_LIAR_CLIENT_SECRET: '' }), 'LEXICHRON_OPENID_LIAR_CLIENT_SECRET is not set')
  t.match(faults({ LEXICHRON_OPENID_LIAR_ISSUER: 'http://provider.example' }), 'LEXICHRON_OPENID_LIAR_ISSUER is wrong')
  t.match(faults({ LEXICHRON_OPENID_PROVIDERS: 'liar,liar' }), 'more than once')
  t.match(faults({ LEXICHRON_OPENID_PROVIDERS: 'Liar' }), 'a name is a small letter')
  t.match(faults({ LEXICHRON_OPENID_PROVIDERS: 'liar,real' }), 'LEXICHRON_OPENID_GONE_ISSUER is set')
  t.match(faults({ LEXICHRON_PUBLIC_URL: 'http://words.example' }), 'needs LEXICHRON_PUBLIC_URL with https')
  const config = loadConfig(environmentFor(folder, providers), folder)
  t.notMatch(JSON.stringify(config.settings), SECRET, randomUUID())
})

t.test('every answer agreed with the document', async t => t.strictSame(api.faults, []))
