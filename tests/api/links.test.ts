/** Links in mails as their readers meet them: who sets a password, how many mails there are, and what a used one opens. */
import t from 'tap'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { openOutbox } from '../support/outbox.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(
  t,
  {
    LEXICHRON_TRUSTED_PROXIES: '127.0.0.1',
    LEXICHRON_PUBLIC_URL: 'https://words.example',
    LEXICHRON_SECURITY_CONTACT: 'mailto:security@words.example',
  },
  { folder },
)
const api = await openApi(app.url)

const mailsTo = openOutbox(folder)
/** The tokens in the links of such mails, the oldest first. */
const tokensTo = (address: string, subject: RegExp, count = 1): Promise<readonly string[]> =>
  inTime(app, `${count} mails to ${address}`, async saw => {
    const mails = await mailsTo(address, subject).catch(() => [])
    saw(mails.length)
    const tokens = mails
      .toSorted((a, b) => String(a.date).localeCompare(String(b.date)))
      .map(({ text }) => /#(\S+)/.exec(text ?? '')?.[1] ?? '')
    return tokens.length >= count && tokens
  })
const minute = async (): Promise<void> => {
  for (let second = 0; second < 120; second += 1) await app.clock.advance(500)
}

const password = 'horse staple battery'
const signUp = (email: string, more: object = {}) => api('POST', '/v1/accounts', { body: { email, ...more } })
const signIn = (email: string, more: object = {}) => api('POST', '/v1/sessions', { body: { email, password, ...more } })
const confirm = (token: string, more: object = {}) =>
  api('POST', '/v1/accounts/verify-email', { body: { token, password, ...more } })
const reset = (token: string, more: object = {}) =>
  api('POST', '/v1/password-resets/confirm', { body: { token, password, ...more } })
const begin = async (email: string): Promise<void> => {
  await signUp(email)
  const [token = ''] = await tokensTo(email, /Begin/)
  const answer = await confirm(token)
  t.equal(answer.status, 200, answer.text)
}

t.test(
  'who signs up with the address of somebody else gets nothing, whatever they do before the mail is opened',
  async t => {
    const email = 'wanted@dictionary.example'
    t.equal((await signUp(email, { password: 'known to the thief' })).code, 'validation', 'no password is taken there')
    t.equal((await signUp(email)).status, 202, 'by the thief')
    await minute()
    t.equal((await signUp(email)).status, 202, 'by the owner')
    const links = await tokensTo(email, /Begin/, 2)
    t.equal(new Set(links).size, 2)
    const [first = '', second = ''] = links
    for (const weak of ['short', 'wanted@dictionary.example'])
      t.equal((await confirm(first, { password: weak })).code, 'password-weak', 'and the link is still good')
    t.equal((await api('POST', '/v1/accounts/verify-email', { body: { token: first } })).code, 'validation')
    t.equal((await confirm(first)).status, 200, 'the link of either: who opens it sets the password')
    t.equal((await confirm(second, { password: 'known to the thief' })).code, 'link-invalid')
    t.equal((await signIn(email, { password: 'known to the thief' })).code, 'credentials-wrong')
    t.equal((await signIn(email)).status, 201)
  },
)

t.test('a thousand wishes in the name of somebody are one mail, and the link in it stays good', async t => {
  const email = 'flooded@dictionary.example'
  await begin(email)
  const ask = () => api('POST', '/v1/password-resets', { body: { email } })
  const answers = await Promise.all(Array.from({ length: 40 }, ask))
  t.strictSame([...new Set(answers.map(({ status }) => status))], [202])
  const [token = ''] = await tokensTo(email, /new password/)
  await minute()
  t.equal((await ask()).status, 202)
  t.equal((await tokensTo(email, /new password/, 2)).length, 2)
  t.equal((await reset(token, { password: 'horse staple battery 2' })).status, 200, 'the first of them')
})

t.test('who signs up at an address that has an account is told so by mail, and nothing else happens', async t => {
  const email = 'known@dictionary.example'
  await begin(email)
  await minute()
  t.equal((await signUp('KNOWN@Dictionary.EXAMPLE')).status, 202)
  await tokensTo('KNOWN@dictionary.example', /have an account already/)
  t.equal((await signIn(email)).status, 201)
})

t.test('whoever opens the mail gets in, whatever strangers did: the device of the link is known', async t => {
  const email = 'besieged@dictionary.example'
  await begin(email)
  const guess = (place: number) =>
    api('POST', '/v1/sessions', {
      body: { email, password: 'a guess of a stranger' },
      headers: { 'x-forwarded-for': `198.51.100.${place}` },
    })
  const besiege = async (): Promise<void> => {
    for (let place = 1; place <= 51; place += 1) await guess(place)
    t.equal((await signIn(email)).code, 'rate-limited', 'a stranger like the others')
  }
  await besiege()
  await api('POST', '/v1/password-resets', { body: { email } })
  const [token = '', other = ''] = await tokensTo(email, /new password/)
  t.equal(other, '')
  const used = await reset(token)
  t.match(used.json['device'], /^[\w-]{43}$/)
  t.equal(used.headers.get('cache-control'), 'no-store')
  t.equal((await signIn(email, { device: used.json['device'] })).status, 201)
  t.strictSame(await mailsTo(email, /new device/), [], 'another mail has told it already')

  await minute()
  await api('POST', '/v1/password-resets', { body: { email } })
  const browser = { origin: app.url, 'sec-fetch-site': 'same-origin' }
  const links = await tokensTo(email, /new password/, 2)
  const body = { token: links.find(each => each !== token), password, transport: 'cookie' }
  const set = (headers: Readonly<Record<string, string>>) =>
    api('POST', '/v1/password-resets/confirm', { body, headers })
  t.equal((await set({ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })).code, 'origin-refused')
  const answer = await set(browser)
  t.equal(answer.status, 204, answer.text)
  const [cookie = ''] = answer.headers.getSetCookie()
  t.match(cookie, /^__Host-device=[\w-]{43}; Max-Age=34560000; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
  const headers = { ...browser, cookie: cookie.split(';')[0] ?? '' }
  const opened = await api('POST', '/v1/sessions', { body: { email, password, transport: 'cookie' }, headers })
  t.equal(opened.status, 201, opened.text)
})

t.test('whoever finds a weakness is told whom to write to, in the form of RFC 9116', async t => {
  const { status, headers, text } = await api('GET', '/.well-known/security.txt')
  t.strictSame([status, headers.get('content-type')], [200, 'text/plain; charset=utf-8'])
  const expires = new Date(app.clock.now().getTime() + 180 * 24 * 60 * 60_000).toISOString()
  t.strictSame(text.split('\n'), [
    'Contact: mailto:security@words.example',
    `Expires: ${expires}`,
    'Preferred-Languages: en, es',
    'Canonical: https://words.example/.well-known/security.txt',
    '',
  ])
})

t.test('every answer was as the document says', async t => {
  t.same(api.faults, [])
})
