/** Sessions that end: by their owner and by administrators, with why in the log, by mail and in one's own activity. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openOutbox } from '../support/outbox.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const [admin, auditor, moderator] = [await app.token('admin'), await app.token('auditor'), await app.token('moderator')]
const mailsTo = openOutbox(folder)
const mailTo = (address: string, subject: RegExp) =>
  until(`a mail to ${address}`, async () => {
    const [mail] = await mailsTo(address, subject).catch(() => [])
    return mail
  })

const account = async (email: string) => {
  const { accountId: id, password = '' } = await app.account('contributor', email)
  const signIn = async (given = password, device?: string) =>
    api('POST', '/v1/sessions', { body: { email, password: given, ...defined({ device }) } })
  const signedIn = async (device?: string) => {
    const answer = await signIn(password, device)
    if (answer.status !== 201) throw new Error(answer.text)
    const session: { id: string } = Object(answer.json['session'])
    return { as: String(answer.json['accessToken']), id: session.id, device: String(answer.json['device']) }
  }
  return { id, email, signIn, signedIn, password }
}
const itemsOf = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []
const isOver = (as: string) =>
  until('the end of the session', async () => (await api('GET', '/v1/me', { as })).status === 401)
/** What auditors see of such events, the newest last. */
const events = async (type: string, count: number, as = auditor) =>
  until(`${count} of ${type}`, async saw => {
    const found = itemsOf(await api('GET', `/v1/events?type=${type}&limit=100`, { as }))
    saw(found.length)
    return found.length >= count && found
  })
const endings = async (type: string, count: number, as?: string) =>
  (await events(type, count, as)).map(({ data }) => Object(data))

t.test('sessions are told apart by device, and end one by one, all others, or all', async t => {
  const ada = await account('ada@dictionary.example')
  const first = await ada.signedIn()
  const second = await ada.signedIn()
  const third = await ada.signedIn(first.device)
  const { items } = (await api('GET', '/v1/sessions', { as: third.as })).json
  t.match(
    items,
    [
      { id: third.id, current: true, device: { number: 1, firstSeenAt: String }, agent: String, usedAt: String },
      { id: second.id, current: false, device: { number: 2 } },
      { id: first.id, current: false, device: { number: 1 } },
    ].toSorted((a, b) => Number(b.current) - Number(a.current) || 0) && Array,
  )
  const numbers = itemsOf(await api('GET', '/v1/sessions', { as: third.as })).map(each => [
    each['id'],
    Object(each['device']).number,
  ])
  t.strictSame(
    new Map(numbers.map(([id, number]) => [id, number])),
    new Map([
      [third.id, 1],
      [second.id, 2],
      [first.id, 1],
    ]),
  )
  t.equal((await api('DELETE', `/v1/sessions/${second.id}`, { as: third.as })).status, 204)
  await isOver(second.as)
  t.equal((await api('DELETE', '/v1/sessions', { as: third.as })).status, 204)
  await isOver(first.as)
  t.equal((await api('GET', '/v1/me', { as: third.as })).status, 200)
  t.equal((await api('DELETE', '/v1/sessions?all=perhaps', { as: third.as })).status, 400)
  t.equal((await api('DELETE', '/v1/sessions?all=true', { as: third.as })).status, 204)
  await isOver(third.as)
  t.match(await endings('SessionEnded', 1), [{ cause: 'ended', by: ada.id, device: String }])
  const [others, all] = await endings('SessionsEnded', 2)
  t.match(
    [others, all],
    [
      { cause: 'all-others', except: third.id, device: String },
      { cause: 'all', device: String },
    ],
  )
  t.notOk(Object(all).except)
  t.equal(Object(others).device, Object(all).device, 'the device of the session that did it')
})

t.test('an administrator lists and ends the sessions of others, says why, and is on record', async t => {
  const bea = await account('bea@dictionary.example')
  const [here, there] = [await bea.signedIn(), await bea.signedIn()]
  const path = `/v1/accounts/${bea.id}/sessions`
  t.equal((await api('GET', path, { as: moderator })).status, 403)
  const listed = await api('GET', path, { as: admin })
  t.strictSame(new Set(itemsOf(listed).map(({ id }) => id)), new Set([here.id, there.id]), listed.text)
  t.match(itemsOf(listed)[0], { device: { number: Number }, agent: String, usedAt: String })
  t.match((await endings('AccountsRead', 1)).at(-1), { accounts: [bea.id], fields: ['sessions'] })
  t.equal((await api('GET', '/v1/accounts/nobody/sessions', { as: admin })).code, 'account-not-found')

  const one = `${path}/${there.id}`
  t.equal((await api('DELETE', one, { as: admin })).status, 400, 'nobody ends it without a reason')
  t.equal((await api('DELETE', one, { as: admin, body: { reason: '  ' } })).code, 'reason-required')
  const foreign = await api('DELETE', `/v1/accounts/${bea.id}x/sessions/${there.id}`, {
    as: admin,
    body: { reason: 'x' },
  })
  t.equal(foreign.code, 'session-not-found', 'of another account there is none')
  t.equal((await api('GET', '/v1/me', { as: there.as })).status, 200, 'bad input changes nothing')
  const body = { reason: 'A device that was stolen.' }
  t.equal((await api('DELETE', one, { as: admin, body })).status, 204)
  await isOver(there.as)
  t.equal((await api('GET', '/v1/me', { as: here.as })).status, 200)
  t.match((await mailTo(bea.email, /signed out on one device/)).text, body.reason)
  t.equal((await api('DELETE', path, { as: admin, body: { reason: 'To be safe.' } })).status, 200)
  await isOver(here.as)
  t.match((await mailTo(bea.email, /signed out everywhere/)).text, 'To be safe.')

  const ended = (await endings('SessionEnded', 2)).at(-1)
  t.match(ended, { cause: 'administrator', by: String, device: String, accountId: bea.id })
  t.notOk(ended?.reason, 'why is for who may see personal data')
  t.match((await endings('SessionEnded', 2, admin)).at(-1), { cause: 'administrator', reason: body.reason })
  t.match((await endings('SessionsEnded', 3, admin)).at(-1), { cause: 'administrator', reason: 'To be safe.' })
})

t.test('one sees in one’s own activity what was done at the account, and not by whom', async t => {
  const cleo = await account('cleo@dictionary.example')
  const stolen = await cleo.signedIn()
  t.equal((await cleo.signIn('not the password')).code, 'credentials-wrong')
  await api('DELETE', `/v1/accounts/${cleo.id}/sessions/${stolen.id}`, { as: admin, body: { reason: 'Stolen.' } })
  await api('DELETE', `/v1/accounts/${cleo.id}/sessions`, { as: admin, body: { reason: 'To be safe.' } })
  await api('POST', `/v1/accounts/${cleo.id}/suspend`, { as: admin, body: { reason: 'Quarrels.' } })
  const back = await api('POST', `/v1/accounts/${cleo.id}/reinstate`, { as: admin, body: { reason: 'Made up.' } })
  t.equal(back.status, 200, back.text)
  const { as } = await cleo.signedIn()
  const headers = { 'sync-token': back.headers.get('sync-token') ?? '' }
  const read = async (query = '') => api('GET', `/v1/me/activity?order=asc&limit=100${query}`, { as, headers })
  // The last sign-in comes after the token: both of its events are waited for.
  const seen = await until('both sign-ins', async saw => {
    const items = itemsOf(await read())
    const counted = ['SessionStarted', 'DeviceAdded'].map(name => items.filter(({ type }) => type === name).length)
    saw(counted)
    return counted.every(count => count === 2) && items
  })
  const done = seen.filter(({ meta }) => Object(Object(meta).actor).id !== cleo.id)
  t.match(
    done.filter(({ type }) => type !== 'RoleGranted').map(({ type, data }) => [type, data]),
    [
      ['SignInFailed', { reason: 'credentials', device: String }],
      ['SessionEnded', { cause: 'administrator', reason: 'Stolen.' }],
      ['SessionsEnded', { cause: 'administrator', reason: 'To be safe.' }],
      ['AccountSuspended', { reason: 'Quarrels.' }],
      ['SessionsEnded', { cause: 'suspension' }],
      ['AccountReinstated', { reason: 'Made up.' }],
    ],
  )
  for (const { type, data, meta } of done) {
    t.notOk(Object(data).by, `${type}: the fact and the reason`)
    t.strictSame(Object.keys(Object(Object(meta).actor)), ['kind'])
  }
  t.ok(
    seen.some(({ type }) => type === 'SessionStarted'),
    'beside one’s own acts',
  )
  t.match(itemsOf(await read('&type=SignInFailed')), [{ type: 'SignInFailed' }])

  const paged: unknown[] = []
  for (const order of ['asc', 'desc']) {
    let next: unknown
    const found: unknown[] = []
    do {
      const cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : ''
      const page = await api('GET', `/v1/me/activity?order=${order}&limit=2${cursor}`, { as, headers })
      found.push(...itemsOf(page).map(({ id }) => id))
      next = page.json['next']
    } while (next)
    paged.push(order === 'asc' ? found : found.toReversed())
  }
  const ids = seen.map(({ id }) => id)
  t.strictSame(paged, [ids, ids], 'page by page, nothing twice and nothing left out')

  const exported = await api('GET', '/v1/me/export', { as, headers: { accept: 'application/json' } })
  t.match(exported.text, 'Stolen.', 'and it is among one’s own data')
})

t.test('every answer agreed with the document', async t => t.strictSame(api.faults, []))
