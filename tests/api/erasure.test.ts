/** What is known of somebody, and the end of it: own acts, the export, erasure with a day to think, the receipt. */

import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { areas } from '../../src/app/areas.ts'
import { type Closing, openCore } from '../../src/app/core.ts'
import { carryOutErasures } from '../../src/app/erasure.ts'
import { verifyReceipt } from '../../src/commands/receipts.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { forgedOf } from '../support/forged.ts'
import { runHere } from '../support/here.ts'
import { openOutbox } from '../support/outbox.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { untilGone } from '../support/traces.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const boss = await app.account('admin', 'boss@dictionary.example')
const password = 'horse staple battery'
const access = ({ json }: Received): string => String(json['accessToken'])
const signIn = (email: string, secret = password) => api('POST', '/v1/sessions', { body: { email, password: secret } })
const admin = access(await signIn('boss@dictionary.example', boss.password))

const outbox = openOutbox(folder)
const mails = async (address: string, subject: RegExp): Promise<readonly string[]> =>
  (await outbox(address, subject)).map(({ text }) => text ?? '')
const mail = (address: string, subject: RegExp): Promise<string> =>
  until(`a mail to ${address}`, async () => (await mails(address, subject).catch(() => []))[0])
const tokenIn = (text: string): string => /#(\S+)/.exec(text)?.[1] ?? ''
/** Of the links in such mails the one that was not taken yet: files are in no order of time. */
const taken = new Set<string>()
const freshToken = (address: string, subject: RegExp): Promise<string> =>
  until(`another mail to ${address}`, async () => {
    const found = (await mails(address, subject).catch(() => [])).map(tokenIn).find(each => !taken.has(each))
    if (found !== undefined) taken.add(found)
    return found
  })

const member = async (email: string): Promise<{ readonly id: string; readonly as: string }> => {
  await api('POST', '/v1/accounts', { body: { email } })
  const token = await freshToken(email, /Begin/)
  t.equal((await api('POST', '/v1/accounts/verify-email', { body: { token, password } })).status, 200)
  const as = access(await signIn(email))
  return { as, id: String((await api('GET', '/v1/me', { as })).json['id']) }
}
const edit = (as: string, profile: object) =>
  api('PATCH', '/v1/me', { as, body: profile, headers: { 'if-match': '*' } })
const linesOf = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(each => each !== '')
    .map(each => Object(JSON.parse(each)))
const HOUR = 60 * 60_000

/** The script that whoever has a receipt is given: alone in a folder, so that it cannot lean on anything of the program. */
const offline = (...given: readonly string[]) => {
  const alone = join(temporaryFolder(t), 'verify-receipt.mjs')
  copyFileSync(new URL('../../scripts/verify-receipt.mjs', import.meta.url), alone)
  const {
    status: code,
    stdout: out,
    stderr: err,
  } = spawnSync(process.execPath, [alone, ...given], { encoding: 'utf8' })
  return { code, out, err }
}

/** Another node, on whose clock it is later by so much; what house-keeping does there every minute. */
const later = async (ms: number, ids: readonly string[], sabotage = false): Promise<number> => {
  const opened: Closing[] = []
  const ahead = { ...app.clock, now: () => new Date(app.clock.now().getTime() + ms) }
  const core = await openCore({ config: loadConfig(environmentFor(folder), folder), clock: ahead, areas, opened })
  try {
    const broken = { ...core, keys: { ...core.keys, destroy: () => Promise.reject(new Error('killed')) } }
    const failures: string[] = []
    const over = await carryOutErasures(sabotage ? broken : core, ids, (_, error) => failures.push(String(error)))
    t.strictSame(failures, sabotage ? ['Error: killed'] : [])
    return over
  } finally {
    for (const each of opened.toReversed()) await each.close()
  }
}

t.test('own acts, and everything that is known, for nobody else', async t => {
  const [one, other] = [await member('one@dictionary.example'), await member('other@dictionary.example')]
  await edit(one.as, { displayName: 'Onesimus', bio: 'Collects words.' })
  await edit(other.as, { displayName: 'Otherwise', bio: 'Collects others.' })
  const draft = { language: 'en', lemma: 'onesie', partOfSpeech: 'noun', senses: [{ gloss: 'One piece.' }] }
  t.equal((await api('POST', '/v1/entries', { as: one.as, body: draft })).status, 201)
  await api('POST', `/v1/accounts/${one.id}/suspend`, { as: admin, body: { reason: 'A secret about somebody.' } })
  await api('POST', `/v1/accounts/${one.id}/reinstate`, { as: admin, body: { reason: 'A test.' } })
  const as = await until('the reinstatement', async () => {
    const again = await signIn('one@dictionary.example')
    return again.status === 201 ? access(again) : undefined
  })

  const page = await until('the acts', async () => {
    const found = await api('GET', '/v1/me/activity?limit=2', { as })
    return found.text.includes('SessionStarted') ? found : undefined
  })
  t.equal(page.status, 200, page.text)
  const seen: string[] = []
  let next: unknown = ''
  for (let pages = 0; pages < 20 && next !== null; pages += 1) {
    const { json, text } = await api(
      'GET',
      `/v1/me/activity?limit=2${next === '' ? '' : `&cursor=${encodeURIComponent(String(next))}`}`,
      { as },
    )
    seen.push(text)
    next = json['next']
  }
  const all = seen.join()
  for (const part of [
    'EntryDrafted',
    'onesie',
    'ProfileEdited',
    'Collects words.',
    'AccountSuspended',
    'A secret about',
  ])
    t.match(all, part)
  for (const part of ['Otherwise', other.id]) t.notMatch(all, part)
  t.match(all, /"at":"\d/)
  t.notMatch(all, '"recordedAt"', 'when the store recorded it is for auditors')
  const bossActs = (await api('GET', '/v1/me/activity?type=AccountSuspended', { as: admin })).text
  t.match(bossActs, '"withheld":["reason"]', 'what is sealed under the key of another is not opened')
  t.notMatch(bossActs, 'A secret about somebody.')
  t.equal((await api('GET', '/v1/me/activity?from=nonsense', { as })).status, 400)

  const data = await api('GET', '/v1/me/export', { as, headers: { accept: 'application/x-ndjson' } })
  t.equal(data.status, 200, data.text)
  const items = linesOf(data.text)
  t.match(items.at(-1), { kind: 'end', count: items.length - 1 })
  t.match(items[0], { kind: 'account', id: one.id, address: 'one@dictionary.example', hasPassword: true })
  for (const part of ['one@dictionary.example', 'Onesimus', 'Collects words.', 'onesie', 'A secret about somebody.'])
    t.match(data.text, part)
  const ids = items.flatMap(each => (each['kind'] === 'event' ? [Object(each['event']).id] : []))
  t.equal(new Set(ids).size, ids.length, 'each event once')
  for (const type of [
    'SignUpReceived',
    'AccountCreated',
    'SessionStarted',
    'ProfileEdited',
    'EntryDrafted',
    'AccountSuspended',
  ])
    t.match(data.text, `"type":"${type}"`)
  for (const part of ['Otherwise', other.id, 'argon2', '"password":']) t.notMatch(data.text, part)
  const json = await api('GET', '/v1/me/export', { as, headers: { accept: 'application/json' } })
  // The first reading is in the second one.
  t.ok(Number(json.json['count']) >= items.length - 1)
  t.equal(Array.isArray(json.json['items']) && json.json['items'].length, json.json['count'])
  t.equal((await api('GET', '/v1/me/export', { as, headers: { accept: 'text/csv' } })).status, 406)
  const read = await until('the record', async () => {
    const { text } = await api('GET', `/v1/events?type=HistoryRead&actor=${one.id}`, { as: admin })
    return text.includes('"complete":true') ? text : undefined
  })
  t.match(read, '"HistoryRead"')
})

t.test('a day to change one’s mind', async t => {
  const { id, as } = await member('unsure@dictionary.example')
  const wish = (content = 'anonymised') => api('DELETE', '/v1/me', { as, body: { content } })
  t.equal((await api('DELETE', '/v1/me', { as, body: {} })).status, 400)
  const first = await wish()
  t.equal(first.status, 202, first.text)
  t.match(first.json, { content: 'anonymised', export: '/v1/me/export', receipt: new RegExp(`^/v1/receipts/${id}\\.`) })
  const text = await mail('unsure@dictionary.example', /to be erased/)
  const old = await freshToken('unsure@dictionary.example', /to be erased/)
  t.match(text, String(first.json['receipt']), 'the mail has the address of the receipt')
  const again = await wish('kept')
  t.equal(again.json['due'], first.json['due'], 'wished for once more it is due at the same time')
  const cancel = (token: string) => api('POST', '/v1/me/erasure/cancel', { body: { token } })
  t.equal((await cancel(old)).code, 'link-invalid', 'a later mail has taken its place')
  const second = await freshToken('unsure@dictionary.example', /to be erased/)
  t.equal((await cancel(forgedOf(second))).code, 'link-invalid')
  t.match(await (await fetch(`${app.url}/account/keep`)).text(), '/v1/me/erasure/cancel')
  t.equal((await cancel(second)).status, 204)
  t.equal((await cancel(second)).code, 'link-invalid')
  await wish()
  t.equal((await api('DELETE', '/v1/me/erasure', { as })).status, 204)
  t.equal(await later(48 * HOUR, [id]), 1, 'nothing is due')
  t.equal((await api('GET', '/v1/me', { as })).status, 200)
  t.equal((await api('DELETE', '/v1/me', { as: admin, body: { content: 'kept' } })).code, 'last-administrator')
  t.equal((await api('GET', String(first.json['receipt']))).code, 'receipt-not-found')
})

t.test('erased: nobody gets in, nothing is read, the address is free, and the receipt says so', async t => {
  const [email, name, bio] = ['evaporatedsoul@dictionary.example', 'Evanescentia', 'Zvanishes quietly.']
  const { id, as } = await member(email)
  await edit(as, { displayName: name, bio, languages: ['es'] })
  // Somebody who signed up with the same address once more has a key of their own with it.
  await api('POST', '/v1/accounts', { body: { email } })
  const wanted = 'evaporatedlater@dictionary.example'
  t.equal((await api('POST', '/v1/me/email', { as, body: { email: wanted, password } })).status, 202)
  const jobsAbout = (): number => {
    const jobs = new DatabaseSync(join(folder, 'jobs.db'), { readOnly: true })
    const found = jobs.prepare('SELECT count(*) AS n FROM job WHERE instr(data, ?) > 0').get(id)
    jobs.close()
    return Number(found?.['n'])
  }
  const { json } = await api('DELETE', '/v1/me', { as, body: { content: 'anonymised' } })
  const receiptPath = String(json['receipt'])

  t.equal(await later(25 * HOUR, [id]), 0, 'begun')
  await inTime(app, 'the end of the session', async () =>
    (await api('GET', '/v1/me', { as })).status === 401 ? true : undefined,
  )
  t.match(await signIn(email), { status: 409, code: 'erasure-begun' })
  t.equal(
    (await api('POST', `/v1/accounts/${id}/reinstate`, { as: admin, body: { reason: 'A test.' } })).code,
    'erasure-begun',
  )
  const grant = () => api('PUT', `/v1/accounts/${id}/roles/editor`, { as: admin, body: { reason: 'A test.' } })
  t.equal((await grant()).code, 'erasure-begun')
  const stranger = await freshToken(wanted, /Confirm/)
  const moving = () => api('POST', '/v1/me/email/confirm', { body: { token: stranger, password } })
  t.equal((await moving()).code, 'erasure-begun')
  const keep = tokenIn(await mail(email, /to be erased/))
  t.equal((await api('POST', '/v1/me/erasure/cancel', { body: { token: keep } })).code, 'erasure-begun')
  t.match(await mail(email, /being erased/), receiptPath)
  const kept = () => readdirSync(join(folder, 'outbox')).map(name => readFileSync(join(folder, 'outbox', name), 'utf8'))
  t.ok(kept().filter(each => each.includes(email)).length >= 3, 'until then the mails are there')
  t.equal((await api('GET', receiptPath)).code, 'receipt-not-found')
  t.ok(jobsAbout() > 2, 'until then so are jobs')

  t.equal(await later(26 * HOUR, [id], true), 0, 'a process that dies before the key is gone')
  t.equal(await later(26 * HOUR, [id]), 1, 'is followed by one that ends it')
  t.equal(await later(26 * HOUR, [id]), 1)
  const receipt = await inTime(app, 'the receipt', async () => {
    const found = await api('GET', receiptPath)
    return found.status === 200 ? found : undefined
  })
  t.match(receipt.json, {
    receipt: { version: 1, account: id, content: 'anonymised', destroyed: Array, copies: /copies of keys.*30 days/ },
  })
  t.notMatch(receipt.text, email)

  const files = [join(folder, 'receipt.json'), join(folder, 'keys.json')] as const
  writeFileSync(files[0], receipt.text)
  const keys = await (await fetch(`${app.url}/v1/receipts/keys`)).text()
  writeFileSync(files[1], keys)
  const verified = await runHere(folder, ['receipt', 'verify', files[0], '--keys', files[1], '--json'])
  t.equal(verified.code, 0, verified.err)
  t.match(JSON.parse(verified.out), { account: id })
  const jwks = await (await fetch(`${app.url}/.well-known/jwks.json`)).text()
  t.match(JSON.parse(keys).keys, [{ use: 'sig', alg: 'EdDSA', crv: 'Ed25519', kid: /^[\w-]{43}$/ }])
  const listed: readonly unknown[] = JSON.parse(jwks).keys
  t.match(listed.at(-1), JSON.parse(keys).keys[0], 'and stands beside those of the access tokens')
  writeFileSync(files[1], jwks)
  t.equal((await api('GET', '/v1/me', { as: String(receipt.json['signed']) })).status, 401, 'a receipt lets nobody in')
  const [head, payload = '', signature] = String(receipt.json['signed']).split('.')
  const forged = Buffer.from(payload, 'base64url').toString().replace('anonymised', 'kept_______')
  const lie = [head, Buffer.from(forged).toString('base64url'), signature].join('.')
  t.match(verifyReceipt(lie, JSON.parse(keys)), { fault: /changed, or forged/ })
  t.match(offline(...files), { code: 0, out: new RegExp(`"account": "${id}"`) })
  writeFileSync(files[0], String(receipt.json['signed']))
  t.equal(offline(...files).code, 0, 'the signed part alone will do')
  t.equal(offline(files[0]).code, 2)
  writeFileSync(files[0], lie)
  t.match(offline(...files), { code: 1, err: /forged/ })
  writeFileSync(files[0], 'nonsense')
  t.equal(offline(...files).code, 1)
  writeFileSync(files[0], lie)
  t.match(await runHere(folder, ['receipt', 'verify', files[0], '--keys', files[1]]), {
    code: 1,
    err: /forged/,
  })
  t.match(verifyReceipt(String(receipt.json['signed']), { keys: [] }), { fault: /do not have the one/ })

  await inTime(app, 'the key to be gone everywhere, and the end in the history', async saw => {
    const found = await api('GET', `/v1/events?stream=account-${id}`, { as: admin })
    saw(found.text)
    return ['"removed":["address","password"]', '"AccountErased"'].every(part => found.text.includes(part))
  })
  for (const path of [
    `/v1/streams/profile-${id}`,
    `/v1/events?actor=${id}`,
    `/v1/accounts/${id}`,
    '/v1/accounts',
    '/v1/events?type=SignUpReceived&limit=100',
  ])
    for (const word of [email, name, bio])
      t.notMatch((await api('GET', path, { as: admin })).text, word, `${word} at ${path}`)
  t.strictSame((await api('GET', `/v1/accounts/${id}`, { as: admin })).json, { id, state: 'erased' })
  t.equal((await grant()).code, 'account-erased')
  t.notMatch((await api('GET', '/v1/accounts?limit=100', { as: admin })).text, id, 'and is in no list of people')
  const end = await api('GET', `/v1/events?stream=account-${id}&type=AccountErased`, { as: admin })
  const [last] = Array.isArray(end.json['items']) ? end.json['items'] : []
  t.equal(Object(receipt.json['receipt']).position, Object(last).position, 'the position is that of the end')
  await inTime(app, 'no job to be about it: that of its sign-up waits for a week, else', saw => {
    saw(jobsAbout())
    return jobsAbout() === 0
  })
  // The outbox is among them: what was sent to an address that nobody may know any more does not stay either.
  await untilGone(app, folder, ['evaporatedsoul', name, bio])
  t.equal((await signIn(email)).code, 'credentials-wrong')
  t.equal((await moving()).code, 'link-invalid', 'nor does an erased account take an address with it')
  t.ok((await member(wanted)).id, 'which is free')
  const again = await member(email)
  t.not(again.id, id, 'the address begins another account')
  t.equal((await api('GET', receiptPath)).status, 200)
})

t.test('an administrator waits, is told so, and goes once the grant has ended', async t => {
  const { id, as } = await member('temporary@dictionary.example')
  const now = app.clock.now().getTime()
  await api('DELETE', '/v1/me', { as, body: { content: 'anonymised' } })
  const body = { reason: 'A test.', expiresAt: new Date(now + 26 * HOUR).toISOString() }
  t.equal((await api('PUT', `/v1/accounts/${id}/roles/admin`, { as: admin, body })).status, 200)
  t.equal((await api('DELETE', '/v1/me', { as, body: { content: 'kept' } })).code, 'last-administrator')
  t.equal(await later(25 * HOUR, [id]), 0)
  t.equal(await later(25 * HOUR, [id]), 0, 'held once, however often it is looked at')
  const events = await inTime(app, 'the history', async () => {
    const { text } = await api('GET', `/v1/streams/account-${id}`, { as: admin })
    return text.includes('ErasureHeld') ? text : undefined
  })
  t.equal(events.split('"ErasureHeld"').length, 2)
  t.ok(await mail('temporary@dictionary.example', /cannot be erased yet/))
  t.equal(await later(27 * HOUR, [id]), 0, 'begun by itself')
  t.equal(await later(28 * HOUR, [id]), 1)
})

t.test('the display name stays where it is wished', async t => {
  const { id, as } = await member('author@dictionary.example')
  await edit(as, { displayName: 'Immortal', bio: 'But not this.' })
  const hidden = { privacy: { contributions: 'nobody', profile: 'nobody' } }
  const prefer = { as, body: hidden, headers: { 'if-match': '*' } }
  t.equal((await api('PATCH', '/v1/me/preferences', prefer)).status, 200)
  const body = { language: 'en', lemma: 'immortelle', partOfSpeech: 'noun', senses: [{ gloss: 'A flower.' }] }
  const path = (await api('POST', '/v1/entries', { as, body })).headers.get('location') ?? ''
  const editor = await app.token('editor')
  const publish = { as: editor, headers: { 'if-match': '*' } }
  t.equal((await api('POST', `${path}/publish`, publish)).status, 200)
  const named = async () => {
    const { json } = await api('GET', path)
    return Object(json['names'])[id] === 'Immortal'
  }
  t.notOk(await named(), 'who was there hid the name')
  await api('DELETE', '/v1/me', { as, body: { content: 'kept' } })
  t.equal(await later(25 * HOUR, [id]), 0)
  t.equal(await later(26 * HOUR, [id]), 1)
  const shown = await inTime(app, 'the end', async () => {
    const found = await api('GET', `/v1/accounts/${id}`, { as: admin })
    return found.json['state'] === 'erased' ? found : undefined
  })
  t.strictSame(shown.json, { id, state: 'erased', displayName: 'Immortal' })
  t.ok(await inTime(app, 'the name beside what was written', named), 'the wish that it stays is the later one')
  t.match((await api('GET', `/v1/profiles/${id}`)).json, { id, displayName: 'Immortal', languages: [] })
  t.notMatch((await api('GET', `/v1/profiles/${id}`)).text, 'But not this')
  const other = await member('pretender@dictionary.example')
  t.equal((await edit(other.as, { displayName: 'Immortal' })).code, 'name-taken', 'and nobody else can have it')
})

t.test('every answer agreed with the document', async t => {
  t.strictSame(api.faults, [])
})
