/** The history: every filter against the log itself, sealed and removed text, streams, and the record of who read. */
import { execFileSync } from 'node:child_process'
import { request } from 'node:http'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { actorId } from '../../src/domain/ids.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)
const [author, editor, moderator] = [
  await app.token('contributor', 'author'),
  await app.token('editor', 'editor'),
  await app.token('moderator', 'moderator'),
]
const auditor = await app.token('auditor', 'auditor')
const admin = await app.token('admin', 'admin')

type Item = {
  readonly id: string
  readonly type: string
  readonly stream: string
  readonly revision: string
  readonly position: string
  readonly data: Record<string, unknown>
  readonly meta: {
    readonly actor: { readonly kind: string; readonly id: string }
    readonly correlationId: string
    readonly at: string
    readonly [more: string]: unknown
  }
  readonly removed?: readonly string[]
  readonly withheld?: readonly string[]
  readonly syncToken: string
}
const itemsOf = ({ json }: Received): readonly Item[] => (Array.isArray(json['items']) ? json['items'] : [])

const get = (path: string, as = auditor, headers: Record<string, string> = {}) => api('GET', path, { as, headers })

/** All pages, each as long as `limit` at most. */
const all = async (query: Record<string, string>, limit = 100, as = auditor): Promise<readonly Item[]> => {
  const items: Item[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 500; pages += 1) {
    const search = new URLSearchParams({ ...query, limit: String(limit), ...defined({ cursor }) })
    const page = await get(`/v1/events?${search}`, as)
    if (page.status !== 200) throw new Error(page.text)
    items.push(...itemsOf(page))
    const { next } = page.json
    if (typeof next !== 'string') return items
    cursor = next
  }
  throw new Error('the pages have no end')
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(each => each !== '')
    .map(each => JSON.parse(each))

const ndjson = async (query: string, as = auditor) => {
  const headers = { accept: 'application/x-ndjson', authorization: `Bearer ${as}` }
  const response = await fetch(`${app.url}/v1/events${query}`, { headers })
  const read = lines(await response.text())
  return {
    status: response.status,
    events: read.filter(each => 'id' in each),
    marks: read.filter(each => !('id' in each) && !('end' in each)),
    trailer: read.at(-1),
    all: read,
  }
}

const draft = async (lemma: string, as = author, headers: Record<string, string> = {}) => {
  const body = { language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: `secret thoughts on ${lemma}` }] }
  const answer = await api('POST', '/v1/entries', { body, as, headers })
  if (answer.status !== 201) throw new Error(answer.text)
  return { id: String(answer.json['id']), etag: answer.headers.get('etag') ?? '' }
}
const edit = (id: string, etag: string, body: unknown, as = author) =>
  api('PATCH', `/v1/entries/${id}`, { body, as, headers: { 'if-match': etag } })

const entries: { readonly id: string; readonly etag: string }[] = []
for (let n = 0; n < 6; n += 1) {
  entries.push(
    await draft(`word ${n}`, n % 2 ? author : editor, n < 2 ? { 'x-request-id': 'a-shared-correlation' } : {}),
  )
  await app.clock.advance(1_000)
}
for (const { id, etag } of entries.slice(0, 3)) {
  await edit(id, etag, { categories: ['edited'] }, editor)
  await app.clock.advance(1_000)
}
await api('POST', `/v1/entries/${entries[0]?.id}/publish`, { as: editor, headers: { 'if-match': '*' } })

t.test('every filter and every two of them, in both orders, find what the log has', async t => {
  const everything = await all({})
  t.ok(everything.length >= 15, `${everything.length} events`)
  const positions = everything.map(each => BigInt(each.position))
  t.strictSame(
    positions,
    positions.toSorted((a, b) => (a < b ? -1 : 1)),
    'in the order of the log',
  )
  t.equal(new Set(everything.map(each => each.id)).size, everything.length)
  const some = everything[7]
  const edited = everything.find(each => each.type === 'DraftEdited')
  const shared = everything.find(each => each.meta.correlationId === 'a-shared-correlation')
  if (!some || !edited || !shared) throw new Error('the story lacks events')
  const middle = { after: String(everything[3]?.syncToken), before: String(everything.at(-2)?.syncToken) }
  const times = [some.meta.at, String(everything.at(-3)?.meta.at)]
  type Filter = { readonly query: Record<string, string>; readonly fits: (item: Item) => boolean }
  const filters: readonly Filter[] = [
    { query: { stream: edited.stream }, fits: each => each.stream === edited.stream },
    { query: { category: 'entry' }, fits: each => each.stream.startsWith('entry-') },
    { query: { category: 'token' }, fits: each => each.stream.startsWith('token-') },
    { query: { type: 'DraftEdited' }, fits: each => each.type === 'DraftEdited' },
    { query: { type: 'EntryDrafted' }, fits: each => each.type === 'EntryDrafted' },
    { query: { actor: edited.meta.actor.id }, fits: each => each.meta.actor.id === edited.meta.actor.id },
    {
      query: { actor: `service:${actorId('service', 'author')}` },
      fits: each => each.meta.actor.id === actorId('service', 'author'),
    },
    { query: { actor: 'system' }, fits: each => each.meta.actor.kind === 'system' },
    { query: { actor: 'service' }, fits: each => each.meta.actor.kind === 'service' },
    {
      query: { correlationId: shared.meta.correlationId },
      fits: each => each.meta.correlationId === shared.meta.correlationId,
    },
    { query: { from: times[0] ?? '' }, fits: each => each.meta.at >= (times[0] ?? '') },
    { query: { to: times[1] ?? '' }, fits: each => each.meta.at < (times[1] ?? '') },
    { query: { after: middle.after }, fits: each => BigInt(each.position) > BigInt(everything[3]?.position ?? 0) },
    {
      query: { before: middle.before },
      fits: each => BigInt(each.position) < BigInt(everything.at(-2)?.position ?? 0),
    },
  ]
  const compared = everything.map(each => each.id)
  const known = new Set(compared)
  let turn = 0
  for (const [at, one] of filters.entries())
    for (const two of filters.slice(at)) {
      const query = { ...one.query, ...two.query }
      if (Object.keys(query).length < Object.keys(one.query).length + Object.keys(two.query).length && one !== two)
        continue
      const expected = everything.filter(each => one.fits(each) && two.fits(each)).map(each => each.id)
      const single = one === two
      const ids = async (order: string, limit: number): Promise<readonly string[]> =>
        (await all({ ...query, order }, limit)).map(each => each.id).filter(id => known.has(id))
      const name = JSON.stringify(query)
      // By turns, and in small pages for each filter alone: a page that names an account costs a durable event.
      turn += 1
      if (single || turn % 3 === 0) t.strictSame(await ids('asc', single ? 4 : 100), expected, name)
      if (single || turn % 3 === 1)
        t.strictSame(await ids('desc', single ? 4 : 100), expected.toReversed(), `${name}, newest first`)
      if (!single && turn % 3 !== 2) continue
      const streamed = await ndjson(`?${new URLSearchParams(query)}`)
      t.strictSame(
        streamed.events.map(each => String(each['id'])).filter(id => known.has(id)),
        expected,
        `${name}, streamed`,
      )
    }
  const down = await ndjson('?order=desc&category=entry')
  t.strictSame(
    down.events.map(each => each['id']),
    everything
      .filter(each => each.stream.startsWith('entry-'))
      .map(each => each.id)
      .toReversed(),
  )
  t.match(down.trailer, { end: true, count: down.events.length, before: String })
})

t.test('an event, a stream with its revisions, and what is not there', async t => {
  const [first] = await all({ stream: `entry-${entries[0]?.id}` })
  if (!first) throw new Error('no event')
  const one = await get(`/v1/events/${first.id}`)
  t.same((await get(`/v1/events/${first.id.toUpperCase()}`)).json, one.json, 'ids are read without case')
  t.equal(one.status, 200)
  t.same(one.json, first)
  const stream = await get(`/v1/streams/${first.stream}?limit=2`)
  t.strictSame(
    itemsOf(stream).map(each => each.revision),
    ['0', '1'],
  )
  const rest = await get(`/v1/streams/${first.stream}?limit=2&cursor=${stream.json['next']}`)
  t.strictSame(
    itemsOf(rest).map(each => each.revision),
    ['2'],
  )
  t.equal(rest.json['next'], null)
  const down = await get(`/v1/streams/${first.stream}?limit=2&order=desc`)
  t.strictSame(
    itemsOf(down).map(each => each.revision),
    ['2', '1'],
  )
  const down2 = await get(`/v1/streams/${first.stream}?limit=2&order=desc&cursor=${down.json['next']}`)
  t.strictSame(
    itemsOf(down2).map(each => each.revision),
    ['0'],
  )
  for (const [path, status, code] of [
    ['/v1/events/5d9c68c6-c50e-5d3d-a2a5-1b2c3d4e5f60', 404, 'event-not-found'],
    ['/v1/events/nonsense', 404, 'not-found'],
    ['/v1/streams/entry-nobody', 404, 'stream-not-found'],
    ['/v1/streams/some%20body@example.org', 404, 'not-found'],
    [`/v1/streams/entry-other?cursor=${stream.json['next']}`, 400, 'cursor-invalid'],
    ['/v1/events?type=Nonsense', 400, 'validation'],
    ['/v1/events?category=nonsense', 400, 'validation'],
    ['/v1/events?actor=somebody@example.org', 400, 'validation'],
    ['/v1/events?stream=%00', 400, 'validation'],
    ['/v1/events?colour=red', 400, 'validation'],
    ['/v1/events?limit=0', 400, 'validation'],
    ['/v1/events?limit=101', 400, 'validation'],
    ['/v1/events?order=up', 400, 'validation'],
    ['/v1/events?from=yesterday', 400, 'validation'],
    ['/v1/events?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z', 400, 'validation'],
    ['/v1/events?after=forged', 400, 'sync-token-invalid'],
    ['/v1/events?before=forged', 400, 'sync-token-invalid'],
    ['/v1/events?cursor=forged', 400, 'cursor-invalid'],
  ] as const)
    t.match(await get(path), { status, code }, path)
  const { json } = await get('/v1/events?limit=1')
  t.match(await get(`/v1/events?limit=1&order=desc&cursor=${json['next']}`), { status: 400, code: 'cursor-invalid' })
  t.match(await get(`/v1/events?after=${(await all({})).at(-1)?.syncToken}&before=${first.syncToken}`), { status: 400 })
  for (const accept of ['text/html', 'application/xml;q=1, application/json;q=0'])
    for (const path of ['/v1/events', `/v1/events/${first.id}`, `/v1/streams/${first.stream}`])
      t.match(await get(path, auditor, { accept }), { status: 406, code: 'not-acceptable' }, `${path} ${accept}`)
  t.match(await get('/v1/events', author), { status: 403, code: 'permission-denied' })
  t.match(await api('GET', '/v1/events'), { status: 401, code: 'unauthenticated' })
  t.match(await api('DELETE', `/v1/events/${first.id}`, { as: admin }), { status: 405 })

  const other = await openTestApp(t)
  const token = await other.token('auditor')
  const foreign = (path: string) => fetch(`${other.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  for (const path of [
    `/v1/events?after=${first.syncToken}`,
    `/v1/events?before=${first.syncToken}`,
    `/v1/events?cursor=${json['next']}`,
  ])
    t.ok([400, 409].includes((await foreign(path)).status), 'what another log made is refused')
})

t.test('a position that a log lost, as after a restore of its backup, is of another history', async t => {
  const [folder, backup] = [temporaryFolder(t), temporaryFolder(t)]
  const before = await openTestApp(t, { LEXICHRON_DATA_DIR: folder })
  const token = await before.token('auditor')
  await before.close()
  execFileSync('cp', ['-a', `${folder}/.`, backup])
  const [here, there] = [
    await openTestApp(t, { LEXICHRON_DATA_DIR: folder }),
    await openTestApp(t, { LEXICHRON_DATA_DIR: backup }),
  ]
  const headers = { authorization: `Bearer ${token}` }
  await here.token('editor', 'what the backup has not')
  const newest = async (url: string) => {
    const events = await fetch(`${url}/v1/events?order=desc&limit=1`, { headers })
    return Object(await events.json()).items[0]
  }
  const kept = await newest(there.url)
  // What a command of the operator wrote comes with no token: it is waited for.
  const { syncToken } = await until('the event that the backup has not', async saw => {
    const event = await newest(here.url)
    saw(event)
    return event?.id !== kept?.id && event
  })
  for (const path of [`/v1/events?after=${syncToken}`, `/v1/events?before=${syncToken}`]) {
    const answer = await fetch(there.url + path, { headers })
    t.match([answer.status, await answer.json()], [409, { code: 'other-log' }], path)
    t.equal((await fetch(here.url + path, { headers })).status, 200)
  }
})

t.test('what people wrote, personal data and what was removed', async t => {
  const { id } = await draft('a thing to be removed', author, { 'idempotency-key': 'keep-this-quiet' })
  const stream = `entry-${id}`
  const [drafted] = await all({ stream })
  t.match(drafted?.data, { language: 'en', lemma: 'a thing to be removed', content: { senses: [{ gloss: /secret/ }] } })
  t.notOk(drafted?.removed || drafted?.withheld)
  t.notMatch(JSON.stringify(drafted), /fingerprint|"key"|\$sealed/, 'how it is kept is nobody’s business')
  const token = (await all({ category: 'token' })).find(each => each.type === 'TokenIssued')
  t.strictSame(token?.withheld, ['name'], 'an auditor sees no personal data')
  t.notOk(token?.data['name'])
  const seen = (await all({ category: 'token' }, 100, admin)).find(each => each.id === token?.id)
  t.ok(seen?.data['name'], 'an administrator does')
  t.notOk(seen?.withheld)

  const gone = await api('POST', `/v1/entries/${id}/redact`, { as: moderator, body: { ground: 'privacy' } })
  t.equal(gone.status, 200)
  const after = await until('the key to be gone', async () => {
    const [event] = await all({ stream }, 100, admin)
    return event?.removed ? event : undefined
  })
  t.strictSame(after.removed, ['lemma', 'content'])
  t.strictSame(after.data, { homograph: 1, language: 'en', licence: 'CC-BY-SA-4.0', partOfSpeech: 'noun' })
  const streamed = await ndjson(`?stream=${stream}`, admin)
  t.strictSame(streamed.events[0]?.['removed'], ['lemma', 'content'])
  t.notMatch(JSON.stringify((await ndjson('', admin)).all), /thing to be removed/)
})

t.test('a stream ends with a trailer, resumes where it broke off, and two at once are the most', async t => {
  const whole = await ndjson('?category=entry')
  t.equal(whole.status, 200)
  t.match(whole.trailer, { end: true, count: whole.events.length, position: /^[0-9]+$/, after: String })
  const third = (await all({ category: 'entry' }))[2]
  const rest = await ndjson(`?category=entry&after=${third?.syncToken}`)
  t.strictSame(rest.events, whole.events.slice(3), 'nothing twice and nothing left out')
  const nothing = await ndjson(`?category=entry&after=${whole.trailer?.['after']}`)
  t.match(nothing.all.at(-1), { end: true, count: 0 })
  t.match(await get('/v1/events?limit=5', auditor, { accept: 'application/x-ndjson' }), { status: 400 })
  const headed = await fetch(`${app.url}/v1/events`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${auditor}`, accept: 'application/x-ndjson' },
  })
  t.equal(headed.status, 200)
  t.match(headed.headers.get('content-type'), 'ndjson')
})

const readings = async (by: string): Promise<readonly Item[]> =>
  (await all({ category: 'history', order: 'asc' }, 100, admin)).filter(each => each.meta.actor.id === by)

t.test('who reads the history is in it, once a request', async t => {
  const curious = await app.token('auditor', 'curious')
  const who = actorId('service', 'curious')
  const of = actorId('service', 'author')
  await get('/v1/events?category=entry', curious)
  await get(`/v1/streams/entry-${entries[0]?.id}`, curious)
  const page = await get(`/v1/events?actor=${of}&type=EntryDrafted&limit=2`, curious, { 'x-request-id': 'the-curious' })
  t.equal(itemsOf(page).length, 2)
  const [read, ...more] = await until('the reading', async () => {
    const found = await readings(who)
    return found.length > 0 ? found : undefined
  })
  t.strictSame(more, [], 'a request that names no account leaves no trace')
  t.match(read, {
    type: 'HistoryRead',
    revision: '0',
    meta: { actor: { kind: 'service', id: who }, correlationId: 'the-curious' },
  })
  t.strictSame(read?.data, {
    complete: true,
    count: 2,
    filters: { actor: of, order: 'asc', type: 'EntryDrafted' },
    format: 'page',
  })

  await get('/v1/events?actor=import&correlationId=somebody@example.org', curious)
  await ndjson('?type=EntryDrafted', curious)
  const token = (await all({ category: 'token' }, 1))[0]
  await get(`/v1/streams/${token?.stream}`, curious)
  t.equal((await get('/v1/streams/account-nobody', curious)).status, 404)
  // Its length and links tell how much there is: it is a reading as any other.
  await fetch(`${app.url}/v1/events?actor=${of}`, { method: 'HEAD', headers: { authorization: `Bearer ${curious}` } })
  const later = await until('the other readings', async () => {
    const found = (await readings(who)).slice(1)
    return found.length >= 6 ? found : undefined
  })
  t.notMatch(JSON.stringify(later), 'somebody@example.org', 'what is in no event is not put into one')
  t.match(
    later.map(each => [each.type, each.data]),
    [
      ['HistoryRead', { filters: { actorKind: 'import', unmatched: ['correlationId'] }, count: 0 }],
      ['HistoryOpened', { filters: { type: 'EntryDrafted' } }],
      ['HistoryRead', { filters: { type: 'EntryDrafted' }, format: 'stream', complete: true }],
      ['HistoryRead', { filters: { stream: token?.stream }, format: 'page' }],
      ['HistoryRead', { filters: { category: 'account', unmatched: ['stream'] }, count: 0 }],
      ['HistoryRead', { filters: { actor: of }, format: 'page' }],
    ],
  )
  t.equal(later[1]?.stream, later[2]?.stream, 'the opening and the end of a stream belong together')
})

t.test('personal data that is opened for somebody else is recorded, however it was asked for', async t => {
  const looker = await app.token('admin', 'looker')
  const who = actorId('service', 'looker')
  const blind = await app.token('auditor', 'blind')
  const subjects = [actorId('service', 'author'), actorId('service', 'editor')]
  const [issued] = await all({ type: 'TokenIssued', order: 'asc' })
  t.type(issued?.data['subject'], 'string', 'there is one to look at')
  const last = async (count: number): Promise<Item | undefined> => {
    const found = await until(`${count} readings`, async saw => {
      const events = await readings(who)
      saw(events.length)
      return events.length >= count && events
    })
    t.equal(found.length, count)
    return found.at(-1)
  }
  const others = (event: Item | undefined) => {
    const named = event?.data['subjects']
    t.ok(Array.isArray(named) && subjects.every(each => named.includes(each)), JSON.stringify(event?.data))
    t.notOk(Array.isArray(named) && named.includes(who), 'whose own data it is is not told of themselves')
  }
  await get('/v1/events?category=token&limit=100', looker)
  others(await last(1))
  await get('/v1/events?type=TokenIssued&limit=100', looker)
  others(await last(2))
  await get(`/v1/events/${issued?.id}`, looker)
  t.match((await last(3))?.data, {
    filters: { event: issued?.id },
    count: 1,
    format: 'page',
    subjects: [issued?.data['subject']],
  })
  await ndjson('?category=token', looker)
  await last(6)
  const [opened, personal, ended] = (await readings(who)).slice(3)
  t.match([opened?.type, personal?.type, ended?.type], ['HistoryOpened', 'PersonalDataOpened', 'HistoryRead'])
  others(personal)
  t.equal(new Set([opened?.stream, personal?.stream, ended?.stream]).size, 1)
  await get('/v1/events?category=entry&limit=100', looker)
  await get(`/v1/events/${entries[0]?.id}`, looker)
  await last(6)

  await get('/v1/events?category=token&limit=100', blind)
  await get('/v1/events?type=TokenIssued', blind)
  await get(`/v1/events/${issued?.id}`, blind)
  // The log has them in the order in which they were asked: a record of the first two would be seen by now as well.
  const seen = await until('the one reading', async () => {
    const found = await readings(actorId('service', 'blind'))
    return found.length > 0 && found
  })
  t.match(
    seen.map(({ data }) => [data['filters'], data['subjects']]),
    [[{ event: issued?.id, order: 'asc' }, undefined]],
    'an auditor was shown none by the lists; an event leads to whom it is about as its stream does',
  )
})

t.test('a slow reader holds nobody up, and one that leaves is on record', async t => {
  const big = await openTestApp(t, { LEXICHRON_LIMIT_STREAMS: '2' })
  const [writer, slow] = [await big.token('contributor', 'writer'), await big.token('auditor', 'slow')]
  const gloss = 'x'.repeat(1800)
  const senses = Array.from({ length: 100 }, () => ({ gloss }))
  for (let n = 0; n < 40; n += 1) {
    const body = JSON.stringify({ language: 'en', lemma: `large ${n}`, partOfSpeech: 'noun', senses })
    const headers = { authorization: `Bearer ${writer}`, 'content-type': 'application/json' }
    const answer = await fetch(`${big.url}/v1/entries`, { method: 'POST', headers, body })
    if (answer.status !== 201) throw new Error(await answer.text())
  }
  const headers = { authorization: `Bearer ${slow}`, accept: 'application/x-ndjson' }
  const opened = (sent = headers) =>
    new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const asked = request(`${big.url}/v1/events`, { headers: sent, agent: false }, resolve)
      asked.on('error', reject)
      asked.end()
    })
  const [one, two] = [await opened(), await opened()]
  t.strictSame([one.statusCode, two.statusCode], [200, 200])
  t.equal((await opened()).statusCode, 429, 'a third one is refused')
  t.equal((await fetch(`${big.url}/v1/events?limit=1`, { headers: { authorization: `Bearer ${slow}` } })).status, 200)
  t.equal((await opened()).statusCode, 429, 'others are answered while both streams are open and nobody reads them')
  one.destroy()
  two.destroy()

  const boss = await big.token('admin', 'boss')
  const act = async (method: string, path: string, body: object) => {
    const sent = { authorization: `Bearer ${boss}`, 'content-type': 'application/json' }
    const answer = await fetch(`${big.url}/v1/accounts/${path}`, { method, headers: sent, body: JSON.stringify(body) })
    if (answer.status !== 200) throw new Error(await answer.text())
  }
  const begun = async (name: string) => {
    const email = `${name}@dictionary.example`
    const { accountId: id, password } = await big.account('auditor', email)
    const sent = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const session = await fetch(`${big.url}/v1/sessions`, { ...sent, body: JSON.stringify({ email, password }) })
    const as = { authorization: `Bearer ${Object(await session.json()).accessToken}`, accept: headers.accept }
    return { id, stream: await opened(as) }
  }
  const [takenBack, shortened, suspended, standing] = [
    await begun('taken'),
    await begun('shortened'),
    await begun('suspended'),
    await begun('standing'),
  ]
  const expiresAt = new Date(big.clock.now().getTime() + 1_500).toISOString()
  await act('PUT', `${shortened.id}/roles/auditor`, { reason: 'A test.', expiresAt })
  await act('DELETE', `${takenBack.id}/roles/auditor`, { reason: 'A test.' })
  await act('POST', `${suspended.id}/suspend`, { reason: 'A test.' })
  await act('PUT', `${standing.id}/roles/editor`, { reason: 'A test.' })
  for (let seconds = 0; seconds < 4; seconds += 1) await big.clock.advance(1_000)
  const isWhole = async ({ stream }: { readonly stream: AsyncIterable<Buffer> }): Promise<boolean> => {
    let text = ''
    try {
      for await (const chunk of stream) text += String(chunk)
    } catch {
      return false
    }
    return text.includes('"end":true')
  }
  t.strictSame(await Promise.all([takenBack, shortened, suspended].map(isWhole)), [false, false, false])
  t.equal(await isWhole(standing), true, 'whoever keeps what they began with reads on, with more or without')
  const reader = await big.token('auditor', 'reader')
  const read = async (query: string) => {
    const asked = { authorization: `Bearer ${reader}`, accept: 'application/x-ndjson' }
    return lines(await (await fetch(`${big.url}/v1/events?type=EntryDrafted${query}`, { headers: asked })).text())
  }
  const whole = await read('')
  const at = whole.findIndex(each => !('id' in each) && Number(each['count']) > 0)
  t.ok(at > 0 && at < 40, 'large events are followed by a line to resume from before many have come')
  const count = Number(whole[at]?.['count'])
  const rest = await read(`&after=${String(whole[at]?.['after'])}`)
  t.equal(count + rest.filter(each => 'id' in each).length, 40, 'a stream that broke off goes on there')
  const found = await until('both readings', async () => {
    const admins = await big.token('admin', 'looker')
    const answer = await fetch(`${big.url}/v1/events?type=HistoryRead`, {
      headers: { authorization: `Bearer ${admins}` },
    })
    const page: unknown = await answer.json()
    const items =
      typeof page === 'object' && page !== null && 'items' in page && Array.isArray(page.items) ? page.items : []
    return items.length >= 4 ? items : undefined
  })
  const left = found.filter(each => each.meta.actor.id === actorId('service', 'slow'))
  t.equal(left.length, 2)
  for (const each of left) {
    t.match(each, {
      data: { complete: false, format: 'stream', count: Number },
      meta: { actor: { id: actorId('service', 'slow') } },
    })
    t.ok(each.data.count < 30, `${each.data.count} events were handed out`)
  }
  const again = await opened()
  t.equal(again.statusCode, 200, 'both places are free again')
  again.destroy()
})

t.test('every answer agreed with the document', async t => t.strictSame(api.faults, []))
