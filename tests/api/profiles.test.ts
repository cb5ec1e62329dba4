/** Profiles and preferences as clients meet them, and what of them the store keeps in the clear. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
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
  await api('POST', '/v1/accounts', { body: { email } })
  const token = /#(\S+)/.exec((await mailTo(email, /Begin/)).text ?? '')?.[1]
  await api('POST', '/v1/accounts/verify-email', { body: { token, password } })
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

const after = (answer: Received) => ({ 'sync-token': answer.headers.get('sync-token') ?? '' })
const prefer = (as: string, body: object) => edit(as, body, {}, '/v1/me/preferences')

t.test('a profile is for whom its owner lets see it', async t => {
  const auditor = await app.token('auditor')
  const moderator = await app.token('moderator')
  const path = `/v1/profiles/${ada.id}`
  const seenBy = async () => {
    const readers = { strangers: {}, bea: { as: bea.as }, auditor: { as: auditor }, moderator: { as: moderator }, ada }
    const found: string[] = []
    for (const [who, { as }] of Object.entries<{ as?: string }>(readers)) {
      const answer = await api('GET', path, as === undefined ? {} : { as })
      if (answer.status === 200) found.push(who)
      else t.equal(answer.code, 'profile-not-found', answer.text)
    }
    return found
  }
  t.match((await api('GET', path, { as: bea.as })).json, { id: ada.id, bio: 'A secret biography.' })
  t.strictSame(await seenBy(), ['bea', 'auditor', 'moderator', 'ada'])
  await prefer(ada.as, { privacy: { profile: 'everybody' } })
  t.strictSame(await seenBy(), ['strangers', 'bea', 'auditor', 'moderator', 'ada'])
  await prefer(ada.as, { privacy: { profile: 'nobody' } })
  t.strictSame(await seenBy(), ['moderator', 'ada'])
  t.equal((await api('GET', '/v1/profiles/nobody')).code, 'profile-not-found', 'as of who is not there')
})

t.test('what one contributed to is listed for whom one lets list it', async t => {
  const drafted = await api('POST', '/v1/entries', {
    as: ada.as,
    body: { language: 'en', lemma: 'activity', partOfSpeech: 'noun', senses: [{ gloss: 'being active' }] },
  })
  const editor = await app.token('editor')
  const published = await api('POST', `/v1/entries/${drafted.json['id']}/publish`, {
    as: editor,
    headers: { 'if-match': '*' },
  })
  t.equal(published.status, 200, published.text)
  const found = async (as: string | undefined, headers: Readonly<Record<string, string>>) => {
    const { json, text } = await api('GET', `/v1/entries?contributor=${ada.id}`, {
      headers,
      ...defined({ as }),
    })
    return Array.isArray(json['items']) ? json['items'].length : text
  }
  t.equal(await found(undefined, after(published)), 1)
  t.equal(await found(undefined, after(published)), 1, 'kept')
  const hidden = await prefer(ada.as, { privacy: { activity: 'members' } })
  const heard = async (as: string | undefined, count: number): Promise<void> => {
    await until(`${count} entries`, async saw => {
      const n = await found(as, after(hidden))
      saw(n)
      return n === count
    })
  }
  await heard(undefined, 0)
  t.equal(await found(bea.as, {}), 1)
  await prefer(ada.as, { privacy: { activity: 'nobody' } })
  await heard(bea.as, 0)
  t.equal(await found(ada.as, {}), 1, 'to oneself')
  t.equal(await found(await app.token('moderator'), {}), 1, 'and to who has to know')
})

t.test('contributors have names where the reader may see them, whatever is kept of the answers', async t => {
  const dora = await member('dora@dictionary.example')
  const editor = await app.token('editor')
  const named = await edit(dora.as, { displayName: 'Dora' })
  // A write does not wait for names, a read does: from here on this node has heard of this one.
  await api('GET', '/v1/entries?language=de', { headers: after(named) })
  const drafted = await api('POST', '/v1/entries', {
    as: dora.as,
    headers: after(named),
    body: { language: 'de', lemma: 'Name', partOfSpeech: 'noun', senses: [{ gloss: 'how one is called' }] },
  })
  const entry = `/v1/entries/${drafted.json['id']}`
  t.match(drafted.json, { author: dora.id, names: { [dora.id]: 'Dora' } }, drafted.text)
  const unchanged = await api('GET', entry, { as: dora.as, headers: { 'if-none-match': etag(drafted) } })
  t.equal(unchanged.status, 304, 'what the command answered is what is read')
  const published = await api('POST', `${entry}/publish`, { as: editor, headers: { 'if-match': '*' } })
  const paths = [
    entry,
    `${entry}?fields=author`,
    '/v1/entries?language=de',
    '/v1/entries?language=de&fields=id,contributors',
    '/v1/search?q=Name',
    '/v1/random?language=de',
    `${entry}/history`,
  ]
  const names = async (headers: Readonly<Record<string, string>>, as?: string) => {
    const found = await Promise.all(paths.map(path => api('GET', path, { headers, ...defined({ as }) })))
    for (const { status, text } of found) t.equal(status, 200, text)
    return found.map(({ json }) => Object(json['names'])[dora.id])
  }
  const all = (name: string | undefined) => paths.map(() => name)
  t.strictSame(await names(after(published)), all('Dora'))
  t.notOk((await api('GET', `${entry}?fields=id,lemma`)).json['names'], 'where no id is shown there is no name')
  const before = await api('GET', entry)

  const renamed = await edit(dora.as, { displayName: 'Theodora' })
  t.strictSame(await names(after(renamed)), all('Theodora'), 'a rename holds at once')
  const fresh = await api('GET', entry, { headers: { 'if-none-match': etag(before) } })
  t.equal(fresh.status, 200, 'the entity tag went with the name')
  t.equal((await api('GET', entry, { headers: { 'if-none-match': etag(fresh) } })).status, 304)
  const patched = await api('PATCH', entry, {
    as: editor,
    headers: { 'if-match': etag(before) },
    body: { categories: ['names'] },
  })
  t.equal(patched.status, 200, 'an edit is held to the revision and not to the name')

  const hidden = await prefer(dora.as, { privacy: { contributions: 'members' } })
  t.strictSame(await names(after(hidden)), all(undefined), 'strangers see the id')
  t.strictSame(await names(after(hidden), editor), all('Theodora'))
  const secret = await prefer(dora.as, { privacy: { contributions: 'nobody' } })
  t.strictSame(await names(after(secret), editor), all(undefined))
  t.strictSame(await names(after(secret), dora.as), all('Theodora'), 'oneself')
  t.strictSame(await names(after(secret), await app.token('moderator')), all('Theodora'), 'and who has to know')
  const gone = await edit(dora.as, { displayName: null })
  t.strictSame(await names(after(gone), dora.as), all(undefined))
})

t.test('a notice that was switched off is not told on the live feed, and what concerns safety is', async t => {
  const cleo = await member('cleo@dictionary.example')
  const grant = (role: string, method = 'PUT') =>
    api(method, `/v1/accounts/${cleo.id}/roles/${role}`, { as: admin, body: { reason: 'A test.' } })
  const begun = await api('GET', '/v1/me', { as: cleo.as })
  await grant('editor')
  const told = async (): Promise<string> => {
    const ending = new AbortController()
    const query = new URLSearchParams({ after: begun.headers.get('sync-token') ?? '' })
    const feed = await fetch(`${app.url}/v1/live/me?${query}`, {
      headers: { authorization: `Bearer ${cleo.as}` },
      signal: ending.signal,
    })
    let text = ''
    for await (const part of feed.body ?? []) {
      text += new TextDecoder().decode(part)
      if (text.includes('event: caught-up')) break
    }
    ending.abort()
    return text
  }
  const heard = await until('the role', async saw => {
    const text = await told()
    saw(text)
    return text.includes('RoleGranted') && text
  })
  t.match(heard, '"role":"editor"')
  await prefer(cleo.as, { notifications: { roles: false } })
  const ended = await api('DELETE', '/v1/sessions', { as: cleo.as })
  t.equal(ended.status, 204, ended.text)
  await until('only what concerns safety', async saw => {
    const text = await told()
    saw(text)
    return text.includes('SessionsEnded') && !text.includes('RoleGranted')
  })
  await grant('editor', 'DELETE')
})

t.test('preferences: unknown ones are refused, and mails are as they say', async t => {
  const path = '/v1/me/preferences'
  const first = await api('GET', path, { as: bea.as })
  t.same(first.json, {
    language: 'en',
    timeZone: 'UTC',
    notifications: { roles: true, chapters: true, comments: true, reports: true, proposals: true },
    privacy: { profile: 'members', activity: 'everybody', contributions: 'everybody' },
    adult: false,
  })
  t.equal((await api('PATCH', path, { as: bea.as, body: {} })).code, 'revision-required')
  t.equal((await edit(bea.as, { timeZone: 'Mars/Olympus' }, {}, path)).code, 'time-zone-unknown')
  for (const bad of [{ privacy: { profile: 'friends' } }, { email: { roles: false } }, { notifications: true }])
    t.equal((await edit(bea.as, bad, {}, path)).status, 400, JSON.stringify(bad))
  t.same((await api('GET', path, { as: bea.as })).json, first.json, 'bad input changes nothing')
  t.equal((await edit(bea.as, { language: 'tlh' }, {}, path)).code, 'language-unknown')
  const set = await edit(
    bea.as,
    { language: 'es', timeZone: 'America/Lima', notifications: { roles: false } },
    {},
    path,
  )
  t.match(set.json, { language: 'es', timeZone: 'America/Lima', notifications: { roles: false } }, set.text)
  t.equal((await edit(bea.as, { language: 'en' }, { 'if-match': etag(first) }, path)).code, 'revision-stale')
  const role = `/v1/accounts/${bea.id}/roles/editor`
  t.equal((await api('PUT', role, { as: admin, body: { reason: 'A test.' } })).status, 200)
  t.equal(
    (await api('POST', `/v1/accounts/${bea.id}/suspend`, { as: admin, body: { reason: 'Quarrelsome conduct.' } }))
      .status,
    200,
  )
  // Notices on the live channel are off; mails about the account are sent whatever is chosen.
  await mailTo('bea@dictionary.example', /suspendid/)
  await mailTo('bea@dictionary.example', /editor/)
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
