/** Profiles and preferences as clients meet them, and what of them the store keeps in the clear. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import t from 'tap'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const admin = await app.token('admin')

const mailsTo = async (address: string) => {
  const files = readdirSync(join(folder, 'outbox'), { recursive: true, encoding: 'utf8' })
  const mails = await Promise.all(
    files
      .filter(each => each.endsWith('.eml'))
      .map(each => PostalMime.parse(readFileSync(join(folder, 'outbox', each)))),
  )
  return mails.filter(each => each.to?.[0]?.address === address)
}
const mailTo = (address: string, subject: RegExp) =>
  until(`a mail to ${address}`, async () =>
    (await mailsTo(address).catch(() => [])).find(each => subject.test(each.subject ?? '')),
  )

const password = 'horse staple battery'
/** Signs up, confirms and signs in; the access token and the account's id. */
const member = async (email: string): Promise<{ readonly as: string; readonly id: string }> => {
  await api('POST', '/v1/accounts', { body: { email, password } })
  const token = /#(\S+)/.exec((await mailTo(email, /Confirm/)).text ?? '')?.[1]
  await api('POST', '/v1/accounts/verify-email', { body: { token } })
  const as = String((await api('POST', '/v1/sessions', { body: { email, password } })).json['accessToken'])
  return { as, id: String((await api('GET', '/v1/me', { as })).json['id']) }
}
const etag = ({ headers }: Received): string => headers.get('etag') ?? ''
const edit = (as: string, body: object, more: Readonly<Record<string, string>> = {}, path = '/v1/me') =>
  api('PATCH', path, { as, body, headers: { 'if-match': '*', ...more } })

const ada = await member('ada@dictionary.example')
const bea = await member('bea@dictionary.example')

t.test('a profile is edited by who has read it', async t => {
  const first = await api('GET', '/v1/me', { as: ada.as })
  t.match(first.json, { email: 'ada@dictionary.example', displayName: null, bio: null, languages: [] })
  t.match(etag(first), /^"0\./)
  const body = { displayName: 'Ada Secretname', bio: 'A secret biography.', languages: ['eng', 'es'] }
  t.equal((await api('PATCH', '/v1/me', { as: ada.as, body })).code, 'revision-required')
  const dry = await api('PATCH', '/v1/me?dryRun=true', { as: ada.as, body, headers: { 'if-match': etag(first) } })
  t.match(dry.json, { events: [{ type: 'ProfileEdited' }] }, dry.text)
  const headers = { 'if-match': etag(first), 'idempotency-key': 'once' }
  const answer = await edit(ada.as, body, headers)
  t.match(answer.json, { ...body, languages: ['en', 'es'] }, answer.text)
  t.match(etag(answer), /^"1\./)
  t.ok(answer.headers.get('sync-token'))
  const again = await edit(ada.as, body, headers)
  t.equal(again.headers.get('idempotent-replayed'), 'true', again.text)
  t.match(again.json, answer.json)
  t.equal((await edit(ada.as, { ...body, bio: 'x' }, headers)).code, 'idempotency-key-reused')
  t.equal((await edit(ada.as, { bio: 'x' }, { 'if-match': etag(first) })).code, 'revision-stale')
  const read = await api('GET', '/v1/me', { as: ada.as })
  t.equal(etag(read), etag(answer))
  const same = await api('GET', '/v1/me', { as: ada.as, headers: { 'if-none-match': etag(read) } })
  t.equal(same.status, 304)
  t.equal((await edit(ada.as, read.json)).status, 200, 'what was read may be sent back')
  t.equal((await edit(ada.as, { email: 'other@dictionary.example' })).code, 'read-only-member')
  t.equal((await edit(ada.as, { rank: 1 })).status, 400)
  t.equal((await edit(ada.as, { bio: 7 })).status, 400)
  t.equal((await edit(admin, { bio: 'x' })).code, 'not-an-account')
  t.equal((await api('GET', '/v1/me')).status, 401)
})

t.test("a display name is one account's, also when two ask at once, and is free once given up and lapsed", async t => {
  for (const name of ['ada secretname', 'ÁDA SECRETNAME', 'AdaSecretname', 'Ada 5ecretname']) {
    const taken = await edit(bea.as, { displayName: name })
    t.equal(taken.code, 'name-taken', `${name}: ${taken.text}`)
  }
  t.equal((await edit(bea.as, { displayName: 'Admin' })).code, 'name-invalid')
  t.equal((await edit(bea.as, { displayName: 'b\u202eea' })).code, 'name-invalid')
  t.equal((await api('GET', '/v1/me', { as: bea.as })).json['displayName'], null, 'bad input changes nothing')
  const both = await Promise.all([ada, bea].map(({ as }) => edit(as, { displayName: 'Wanted' })))
  t.same(both.map(each => each.status).toSorted(), [200, 409])
  const winner = both[0]?.status === 200 ? ada : bea
  const loser = winner === ada ? bea : ada
  const recased = await edit(winner.as, { displayName: 'WANTED' })
  t.equal(recased.json['displayName'], 'WANTED', "one's own name in another spelling")
  t.equal((await edit(winner.as, { displayName: null })).json['displayName'], null)
  t.equal((await edit(loser.as, { displayName: 'Wanted' })).code, 'name-taken', 'a claim that is young may be in use')
  t.equal((await edit(winner.as, { displayName: 'Wanted' })).status, 200, 'but not for who made it')
})

t.test('preferences: unknown ones are refused, and mails are as they say', async t => {
  const path = '/v1/me/preferences'
  const first = await api('GET', path, { as: bea.as })
  t.same(first.json, { language: 'en', timeZone: 'UTC', email: { roles: true } })
  t.equal((await api('PATCH', path, { as: bea.as, body: {} })).code, 'revision-required')
  t.equal((await edit(bea.as, { timeZone: 'Mars/Olympus' }, {}, path)).code, 'time-zone-unknown')
  t.equal((await edit(bea.as, { language: 'tlh' }, {}, path)).code, 'language-unknown')
  t.equal((await edit(bea.as, { email: { passwords: false } }, {}, path)).status, 400)
  const set = await edit(bea.as, { language: 'es', timeZone: 'America/Lima', email: { roles: false } }, {}, path)
  t.same(set.json, { language: 'es', timeZone: 'America/Lima', email: { roles: false } }, set.text)
  t.equal((await edit(bea.as, { language: 'en' }, { 'if-match': etag(first) }, path)).code, 'revision-stale')
  const role = `/v1/accounts/${bea.id}/roles/editor`
  t.equal((await api('PUT', role, { as: admin, body: { reason: 'A test.' } })).status, 200)
  t.equal(
    (await api('POST', `/v1/accounts/${bea.id}/suspend`, { as: admin, body: { reason: 'Quarrelsome conduct.' } }))
      .status,
    200,
  )
  // Mails of one account are put into the queue in the order of their events: the second one is there, the first never was.
  await mailTo('bea@dictionary.example', /suspendid/)
  t.notOk((await mailsTo('bea@dictionary.example')).find(each => /editor/.test(`${each.subject} ${each.text}`)))
})

t.test('the store has neither the name nor the words in the clear', async t => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(each => /\.db(-wal)?$/.test(each))
  t.ok(files.length > 0)
  for (const file of files) {
    const bytes = readFileSync(join(folder, file))
    for (const secret of ['Secretname', 'secret biography', 'secretname', 'America/Lima', 'Quarrelsome'])
      t.notOk(bytes.includes(secret), `${file}: ${secret}`)
  }
  t.same(api.faults, [])
})
