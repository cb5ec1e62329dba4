/** Every problem that the service can answer with is caused once, through the socket; and what hostile clients try. */
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { addressKey, defaultLimits } from '../../src/adapters/http/limits.ts'
import { accessProblems } from '../../src/adapters/http/problems/access.ts'
import { accountProblems } from '../../src/adapters/http/problems/accounts.ts'
import { chapterProblems } from '../../src/adapters/http/problems/chapters.ts'
import { commentProblems } from '../../src/adapters/http/problems/comments.ts'
import { decisionProblems } from '../../src/adapters/http/problems/decisions.ts'
import { liveProblems } from '../../src/adapters/http/problems/live.ts'
import { openIdProblems } from '../../src/adapters/http/problems/openid.ts'
import { profileProblems } from '../../src/adapters/http/problems/profiles.ts'
import { proposalProblems } from '../../src/adapters/http/problems/proposals.ts'
import { reportProblems } from '../../src/adapters/http/problems/reports.ts'
import { sessionProblems } from '../../src/adapters/http/problems/sessions.ts'
import { shelfProblems } from '../../src/adapters/http/problems/shelf.ts'
import { storyProblems } from '../../src/adapters/http/problems/stories.ts'
import { votesProblems } from '../../src/adapters/http/problems/votes.ts'
import { openProblems } from '../../src/adapters/http/problems.ts'
import { problemsOf } from '../../src/app/area.ts'
import { areas } from '../../src/app/areas.ts'
import { UndecodableEventError } from '../../src/core/log/log.ts'
import { ProjectionError } from '../../src/core/project/errors.ts'
import { type AppendResult, EventStoreError } from '../../src/ports/event-store.ts'
import { JobsError } from '../../src/ports/jobs.ts'
import { KeysError } from '../../src/ports/keys.ts'
import { PasswordsBusyError } from '../../src/ports/passwords.ts'
import { ReadStoreError } from '../../src/ports/read-store.ts'
import { openApi } from '../support/api.ts'
import { openEdge } from '../support/edge.ts'
import { otherIdOf } from '../support/forged.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { until } from '../support/until.ts'

const unlimited = { reads: 0, suggest: 0, search: 0, writes: 0, signIns: 0, addressWork: 0, accountWork: 0, streams: 1 }
const keys = openMemoryKeys()
const edge = await openEdge(t, { keys, settings: { limits: unlimited, publicUrl: 'https://words.example' } })
const api = await openApi(edge.url)
const { faults } = edge
const [author, editor, moderator] = [edge.token('contributor'), edge.token('editor'), edge.token('moderator')]
const seen = api.codes

let count = 0
const base = () => {
  count += 1
  return { language: 'en', lemma: `problem${count}`, partOfSpeech: 'noun' }
}
const draft = async (more: object = { senses: [{ gloss: 'g' }] }) => {
  const made = await api('POST', '/v1/entries', { as: author, body: { ...base(), ...more } })
  return made.headers.get('location') ?? ''
}
const published = async () => {
  const path = await draft()
  await api('POST', `${path}/publish`, { as: editor, headers: { 'if-match': '*' } })
  return path
}
const act = (path: string, action: string, body?: unknown, as = editor, headers = {}) =>
  api('POST', `${path}/${action}`, { as, body: body ?? {}, headers })
const patch = (path: string, body: unknown, as = editor) =>
  api('PATCH', path, { as, body, headers: { 'if-match': '*' } })

/** Sends bytes as they are and collects what comes back until the server ends the connection. */
const wire = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    socket.on('close', () => resolve(text)).on('error', reject)
  })
const portOf = (url: string): number => Number(new URL(url).port)

t.test('headers of which there is one: none of Host, or two, are no request', async t => {
  const get = (...headers: readonly string[]) =>
    wire(portOf(edge.url), ['GET /v1/roles HTTP/1.1', ...headers, 'Connection: close', '', ''].join('\r\n'))
  t.match(await get('Host: a'), /^HTTP\/1.1 200 /)
  for (const [bad, code] of [
    [[], 'request-malformed'],
    [['Host: a', 'host: b'], 'header-invalid'],
    [['Host: a', `Authorization: Bearer ${editor}`, 'Authorization: Bearer x'], 'header-invalid'],
  ] as const)
    t.match(
      await get(...bad),
      new RegExp(`^HTTP/1.1 400 [^]*x-request-id: [^]*application/problem[^]*"code":"${code}"`),
    )
})

t.test('refusals of the dictionary', async t => {
  const [a, b, p] = [await draft(), await draft({}), await published()]
  t.equal((await act(p, 'return', { reason: 'r' })).code, 'entry-not-submitted')
  t.equal((await act(a, 'retire', { reason: 'r' })).code, 'entry-not-published')
  t.equal((await act(a, 'restore')).code, 'entry-not-retired')
  t.equal((await act(a, 'take-over', {}, edge.token('contributor', 'other'))).code, 'entry-not-stale')
  t.equal((await act(b, 'submit', {}, author)).code, 'entry-incomplete')
  t.equal((await act(p, 'submit', {})).code, 'entry-not-draft')
  t.equal((await act(p, 'retire', { reason: ' ' })).code, 'reason-required')
  t.equal((await act(p, 'retire', { reason: 'r', replacedBy: 'nobody' })).code, 'replacement-unknown')
  t.equal((await act(p, 'revert', { toRevision: '99' }, editor, { 'if-match': '*' })).code, 'revision-unknown')
  t.equal((await patch(p, { lemma: 'other' })).code, 'identity-fixed')
  t.equal((await patch(p, { rank: 7 })).code, 'read-only-member')
  t.equal((await patch(p, { lemma: (await api('GET', p)).json['lemma'] })).status, 200, 'as it is, it passes')
  t.equal((await patch(p, { language: 'EN' })).status, 200, 'another spelling of the same language passes')
  for (const [member, value] of Object.entries({ language: 7, lemma: [], homograph: 'one', contributors: 'me' })) {
    const typed = await patch(p, { [member]: value })
    t.match(typed, { status: 400, code: 'validation', json: { errors: [{ pointer: `/${member}` }] } }, member)
  }
  t.match(await act(p, 'revert', { toRevision: '00' }, editor, { 'if-match': '*' }), {
    status: 400,
    code: 'validation',
  })
  t.equal((await patch(p, { senses: [{ id: 'foreign', gloss: 'x' }] })).code, 'sense-unknown')
  const senses = (await api('GET', p)).json['senses']
  const [sense] = Array.isArray(senses) ? senses : []
  t.equal((await patch(p, { senses: [sense, sense] })).code, 'sense-repeated')
  await act(p, 'retire', { reason: 'r' })
  t.equal((await patch(p, { etymology: 'x' })).code, 'entry-retired')
  t.equal((await api('GET', p)).code, 'entry-gone')
  await act(p, 'redact', { ground: 'law' }, moderator)
  t.equal((await api('GET', p, { as: moderator })).code, 'entry-removed')
  t.equal((await api('GET', otherIdOf(p))).code, 'entry-not-found')
  t.equal((await api('GET', '/v1/random?language=fi')).code, 'nothing-found')
  t.equal((await api('GET', '/v1/word-of-the-day?language=fi')).code, 'day-unknown')
  t.equal((await api('GET', `${a}?asOf=2999-01-01T00:00:00Z`, { as: author })).code, 'as-of-invalid')
  t.equal((await api('GET', '/v1/search?q=*a*')).code, 'pattern-too-broad')
  t.equal((await api('GET', '/v1/search?q=a*b*c*d*e')).code, 'pattern-invalid')
  t.equal((await api('GET', '/v1/search?q=a%07')).code, 'text-invalid')
  t.equal((await act(a, 'submit', {}, edge.token('reader'))).code, 'permission-denied')
  t.equal(
    (await api('POST', '/v1/entries', { as: author, body: { ...base(), language: '?' } })).code,
    'language-unknown',
  )
  t.equal((await api('POST', '/v1/entries', { as: author, body: { ...base(), lemma: '' } })).code, 'text-invalid')
  t.equal((await act(a, 'publish')).code, 'revision-required')
  t.equal((await act(a, 'publish', {}, editor, { 'if-match': '"7.x"' })).code, 'revision-stale')
})

t.test('what lies behind fails: 5xx that reveal nothing', async t => {
  const path = await published()
  const secret = 'file /secret/path is gone'
  const cases: readonly (readonly [Error, number, string])[] = [
    [new EventStoreError('unavailable', secret), 503, 'store-unavailable'],
    [new EventStoreError('busy', secret), 503, 'busy'],
    [new EventStoreError('closed', secret), 503, 'closing'],
    [new EventStoreError('corrupt', secret), 503, 'store-damaged'],
    [new EventStoreError('damaged', secret), 503, 'event-unreadable'],
    [new KeysError('corrupt', secret), 503, 'store-damaged'],
    [new EventStoreError('too-large', secret), 413, 'payload-too-large'],
    [new UndecodableEventError('damaged', { type: 'T', stream: 's', position: 1n }, secret), 503, 'event-unreadable'],
    [new KeysError('unavailable', secret), 503, 'store-unavailable'],
    [new JobsError('unavailable', secret), 503, 'store-unavailable'],
    [new JobsError('damaged', secret), 503, 'store-damaged'],
    [new JobsError('closed', secret), 503, 'closing'],
    [new TypeError(secret), 500, 'internal'],
    [Object.assign(new Error(secret), { statusCode: 400 }), 400, 'request-malformed'],
  ]
  for (const [error, status, code] of cases) {
    faults.append = () => Promise.reject(error)
    const answer = await api('POST', '/v1/entries', { as: author, body: { ...base(), senses: [{ gloss: 'g' }] } })
    t.match(answer, { status, code }, `${error.name} ${code}`)
    t.notMatch(answer.text, /secret/)
    if (status === 503) t.match(answer.headers.get('retry-after'), /^\d+$/)
  }
  const away: readonly (readonly [string, NonNullable<typeof faults.append>])[] = [
    ['en', () => Promise.reject(new EventStoreError('unavailable', secret))],
    ['EN', () => ({ outcome: 'unknown', cause: secret })],
  ]
  // Of each language so many tries to record the choice as there are questions, or one where it was recorded.
  faults.keeps = true
  for (const [language, append, tries] of [
    ...away.map(each => [...each, 2] as const),
    ['eN', (): AppendResult => ({ outcome: 'conflict', current: 0n }), 1] as const,
  ]) {
    let tried = 0
    faults.append = () => {
      tried += 1
      return append()
    }
    for (const _ of [1, 2])
      t.equal((await api('GET', `/v1/word-of-the-day?language=${language}`)).status, 200, 'the one that was drawn')
    t.equal(tried, tries, `${language}: what was not recorded is kept for nobody`)
  }
  delete faults.keeps
  t.match(edge.lines.join(''), secret, 'the log has it')
  faults.append = () => Promise.reject(new PasswordsBusyError(2))
  const busy = await fetch(`${edge.url}/v1/entries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${author}`, 'content-type': 'application/json' },
    body: JSON.stringify(base()),
  })
  t.strictSame([busy.status, busy.headers.get('retry-after')], [429, '2'])
  t.match(await busy.json(), { code: 'passwords-busy' })
  const body = { ...base(), senses: [{ gloss: 'g' }] }
  faults.append = () => ({ outcome: 'unknown', cause: secret })
  const keyed = { as: author, body, headers: { 'idempotency-key': 'u-1' } }
  t.match(await api('POST', '/v1/entries', keyed), { status: 503, code: 'outcome-unknown' })
  delete faults.append
  t.equal((await api('POST', '/v1/entries', keyed)).status, 201, 'and the same request goes through')
  faults.append = () => ({ outcome: 'conflict', current: 0n })
  t.match(await api('POST', '/v1/entries', { as: author, body: { ...base() } }), { status: 409, code: 'conflict' })

  const hold = Promise.withResolvers<never>()
  const reached = Promise.withResolvers<void>()
  faults.append = () => {
    reached.resolve()
    return hold.promise
  }
  const running = { as: author, body: base(), headers: { 'idempotency-key': 'r-1' } }
  const first = api('POST', '/v1/entries', running)
  await reached.promise
  t.match(await api('POST', '/v1/entries', running), { status: 409, code: 'idempotency-running' })
  hold.reject(new EventStoreError('unavailable', 'later'))
  t.equal((await first).status, 503)
  delete faults.append
  const key = { 'idempotency-key': 'p-1' }
  await api('POST', '/v1/entries', { as: author, body: base(), headers: key })
  t.equal((await api('POST', '/v1/entries', { as: author, body: base(), headers: key })).code, 'idempotency-key-reused')

  const reads: readonly (readonly [Error, number, string])[] = [
    [new ReadStoreError('unavailable', secret), 503, 'store-unavailable'],
    [new ReadStoreError('corrupt', secret), 503, 'projection-building'],
    [new ProjectionError('projection-building', secret), 503, 'projection-building'],
    [new ProjectionError('cursor-expired', 'It was replaced.'), 410, 'cursor-expired'],
  ]
  for (const [error, status, code] of reads) {
    faults.read = error
    const answer = await api('GET', '/v1/entries')
    t.match(answer, { status, code })
    t.notMatch(answer.text, /secret/)
    t.match(await api('GET', '/v1/entries/export'), { status, code }, 'a stream does not begin')
  }
  delete faults.read
  const token = (await api('GET', path)).headers.get('sync-token') ?? ''
  faults.behind = true
  const behind = await api('GET', path, { headers: { 'sync-token': token } })
  t.match(behind, { status: 503, code: 'projection-behind' })
  t.ok(behind.headers.get('retry-after'))
  t.equal((await fetch(edge.url + path)).status, 200, 'who names no token does not wait')
  faults.behind = false
  faults.deafMs = 10_001
  t.match(await api('GET', path, { as: author }), { status: 503, code: 'authorisation-unavailable' })
  t.equal((await api('GET', path)).status, 200, 'public reading goes on')
  t.equal((await api('GET', '/health', { as: author })).status, 200)
  const watching = edge.token('auditor')
  const figures = await api('GET', '/metrics', { as: watching })
  t.match(figures, { status: 200, text: /lexichron_ready 1/ }, 'what operators look at is there, then most of all')
  t.match(await api('GET', '/metrics', { as: author }), { status: 403, code: 'permission-denied' })
  t.match(await api('GET', '/metrics'), { status: 401 })
  faults.deafMs = 0
  faults.revoked = new Set([author])
  t.match(await api('GET', path, { as: author }), { status: 401, code: 'unauthenticated' })
  delete faults.revoked
  faults.unready = true
  t.match(await api('GET', '/health/ready'), { status: 503, json: { status: 'not-ready' } })
  t.equal((await api('GET', '/health/live')).status, 200)
  faults.unready = false
})

t.test('tokens and cursors of another log, or of positions to come', async t => {
  // The same secrets, as after a restore: genuine, and of another history.
  const other = await openEdge(t, { keys, settings: { limits: unlimited } })
  const theirs = await openApi(other.url)
  for (const lemma of ['a', 'b', 'c']) {
    const as = other.token('editor')
    const made = await theirs('POST', '/v1/entries', { as, body: { ...base(), lemma, senses: [{ gloss: 'g' }] } })
    await theirs('POST', `${made.headers.get('location')}/publish`, { as, headers: { 'if-match': '*' } })
  }
  const list = await theirs('GET', '/v1/entries?limit=1')
  const sync = list.headers.get('sync-token') ?? ''
  t.match(await api('GET', '/v1/entries', { headers: { 'sync-token': sync } }), { status: 409, code: 'other-log' })
  t.match(await api('GET', `/v1/entries?limit=1&cursor=${list.json['next']}`), { status: 409, code: 'other-log' })
  // A log of the same id that is shorter: what was cut off by a restore from before.
  const early = await openEdge(t, { keys, logId: other.deps.log.logId, settings: { limits: unlimited } })
  const answer = await fetch(`${early.url}/v1/entries`, { headers: { 'sync-token': sync } })
  t.equal(answer.status, 409)
  t.match(await answer.json(), { code: 'other-log' })
  other.faults.generation = '1.2'
  t.match(
    await theirs(
      'GET',
      `/v1/search?q=a&limit=1&cursor=${(await theirs('GET', '/v1/search?q=a&limit=1')).json['next']}`,
    ),
    {
      status: 200,
    },
  )
  const old = (await theirs('GET', '/v1/search?q=a&limit=1')).json['next']
  other.faults.generation = '1.3'
  t.match(await theirs('GET', `/v1/search?q=a&limit=1&cursor=${old}`), { status: 410, code: 'cursor-expired' })
})

t.test('limits: counted by account, or by address', async t => {
  const limits = { ...defaultLimits, reads: 3, writes: 2 }
  const own = await openEdge(t, { settings: { limits, trustedProxies: ['127.0.0.1'] } })
  const get = (headers = {}) => fetch(`${own.url}/v1/entries`, { headers })
  const first = await get()
  t.equal(first.headers.get('ratelimit-policy'), '"reads";q=3;w=60, "work";q=6000;w=60')
  t.match(first.headers.get('ratelimit'), /^"reads";r=2;t=\d+, "work";r=59\d\d;t=\d+$/)
  await get()
  t.equal((await get()).status, 200)
  const over = await get()
  t.equal(over.status, 429)
  t.match(Number(over.headers.get('retry-after')), Number)
  t.match(over.headers.get('ratelimit'), /^"reads";r=0/)
  const body = await over.json()
  t.match(body, { code: 'rate-limited' })
  seen.add('rate-limited')
  t.equal((await get({ authorization: `Bearer ${own.token('reader')}` })).status, 200, 'an account has its own')
  t.equal((await get({ 'x-forwarded-for': '2001:db8:1:2::1' })).status, 200)
  await get({ 'x-forwarded-for': '2001:db8:1:2::2' })
  await get({ 'x-forwarded-for': '2001:db8:1:2:ffff::3' })
  t.equal((await get({ 'x-forwarded-for': '2001:0db8:1:2:9::4' })).status, 429, 'a /64 is one')
  t.equal((await get({ 'x-forwarded-for': '2001:db8:1:3::1' })).status, 200)
  const guess = (n: number) => get({ authorization: `Bearer forged${n}`, 'x-forwarded-for': '192.0.2.1' })
  t.equal((await guess(1)).status, 401)
  await guess(2)
  t.equal((await guess(3)).status, 429, 'guesses are counted')
  t.equal(addressKey('::ffff:192.0.2.7'), '192.0.2.7')
  t.equal(addressKey('::1'), '0:0:0:0::/64')
})

t.test('two streams at once', async t => {
  const path = await published()
  const cut = await fetch(`${edge.url}/v1/entries/export`)
  t.equal(cut.status, 200)
  await cut.body?.cancel()
  const found = await edge.queries.getEntry.run({ id: path.slice(12) }, { permissions: new Set() })
  const blocked = Promise.withResolvers<void>()
  const exportEntries = async function* () {
    const cursor = { generation: '1.1', key: [''] }
    yield { items: 'refused' in found ? [] : [found.value], cursor, position: 0n }
    await blocked.promise
  }
  const own = await openEdge(t, { settings: { limits: unlimited }, queries: { exportEntries } })
  const first = await fetch(`${own.url}/v1/entries/export`)
  const second = await fetch(`${own.url}/v1/entries/export`)
  t.equal(second.status, 429)
  t.match(await second.json(), { code: 'too-many-streams' })
  seen.add('too-many-streams')
  blocked.resolve()
  t.match(await first.text(), /"end":true/)
  t.equal((await fetch(`${own.url}/v1/entries/export`)).status, 200, 'it was given back')
})

t.test('who takes nothing of a stream is cut off, and holds nothing any more', async t => {
  const found = await edge.queries.getEntry.run({ id: (await published()).slice(12) }, { permissions: new Set() })
  if ('refused' in found) throw new Error(found.detail)
  const ended = Promise.withResolvers<string>()
  const items = Array.from({ length: 200 }, () => found.value)
  const exportEntries = async function* () {
    const cursor = { generation: '1.1', key: [''] }
    try {
      for (;;) yield { items, cursor, position: 0n }
    } finally {
      ended.resolve('ended')
    }
  }
  const timeouts = { headersMs: 200, requestMs: 400, idleMs: 300 }
  const own = await openEdge(t, { settings: { limits: unlimited, timeouts }, queries: { exportEntries } })
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1', () =>
    socket.write('GET /v1/entries/export HTTP/1.1\r\nhost: localhost\r\n\r\n'),
  )
  socket.pause()
  t.teardown(() => socket.destroy())
  t.equal(await ended.promise, 'ended')
  await until('its place', async () => {
    const next = await fetch(`${own.url}/v1/entries/export`)
    await next.body?.cancel()
    return next.status === 200 ? true : undefined
  })
  t.match(own.lines.join(''), '"cut":true')
})

t.test('what is hardly HTTP', async t => {
  const port = portOf(edge.url)
  const garbage = await wire(port, 'GARBAGE\r\n\r\n')
  t.match(garbage, /^HTTP\/1\.1 400 /)
  t.match(garbage, /"code":"request-malformed"/)
  const fat = await wire(port, `GET / HTTP/1.1\r\nhost: x\r\nx-fat: ${'f'.repeat(20_000)}\r\n\r\n`)
  t.match(fat, /^HTTP\/1\.1 431 [\s\S]*"code":"headers-too-large"/)
  t.equal((await fetch(edge.url)).status, 200, 'and it still serves')
  t.equal((await fetch(edge.url)).headers.get('strict-transport-security'), 'max-age=31536000; includeSubDomains')
  // Nobody sends the rest: it is the server that answers and ends the connection.
  const hasty = await openEdge(t, { settings: { limits: unlimited, timeouts: { headersMs: 200, requestMs: 400 } } })
  const slow = await wire(portOf(hasty.url), 'GET / HTTP/1.1\r\nhost: x\r\nx-slow: ')
  t.match(slow, /^HTTP\/1\.1 408 [\s\S]*"code":"request-timeout"/)
  const half = await wire(
    portOf(hasty.url),
    'POST /v1/entries HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
  )
  t.match(half, /408|401/)
  const hopes = await wire(portOf(hasty.url), 'GET / HTTP/1.1\r\nhost: x\r\nexpect: a miracle\r\n\r\n')
  t.match(hopes, /^HTTP\/1\.1 417 [\s\S]*application\/problem\+json[\s\S]*"code":"expectation-failed"/)
  for (const code of ['headers-too-large', 'request-timeout', 'expectation-failed']) seen.add(code)
  await until('it to serve others', async () => (await fetch(hasty.url)).status === 200)
})

t.test('origins', async t => {
  const own = await openEdge(t, { settings: { allowedOrigins: ['https://ours.example'] } })
  const ours = await fetch(`${own.url}/v1/entries`, { headers: { origin: 'https://ours.example' } })
  t.equal(ours.headers.get('access-control-allow-origin'), 'https://ours.example')
  t.match(ours.headers.get('access-control-expose-headers'), 'Sync-Token')
  t.match(ours.headers.get('vary'), 'Origin')
  const theirs = await fetch(`${own.url}/v1/entries`, { headers: { origin: 'https://theirs.example' } })
  const told = [...theirs.headers.keys()].filter(name => name.startsWith('access-control'))
  t.same(told, [], 'an origin that is not listed is told nothing')
  t.match(theirs.headers.get('vary'), 'Origin')
  const asks = { origin: 'https://theirs.example', 'access-control-request-method': 'PATCH' }
  const refused = await fetch(`${own.url}/v1/entries`, { method: 'OPTIONS', headers: asks })
  t.equal(refused.headers.get('allow'), 'GET, HEAD, OPTIONS, POST')
  t.same(
    [...refused.headers.keys()].filter(name => name.startsWith('access-control')),
    [],
  )
  const preflight = await fetch(`${own.url}/v1/entries`, {
    method: 'OPTIONS',
    headers: { origin: 'https://ours.example', 'access-control-request-method': 'PATCH' },
  })
  t.equal(preflight.status, 204)
  t.match(preflight.headers.get('access-control-allow-methods'), 'PATCH')
})

t.test('long documents are made once, and counted with what is read; so is what is not there', async t => {
  const own = await openEdge(t, { settings: { limits: { ...unlimited, reads: 9 } } })
  const ask = (path: string, headers: Record<string, string> = {}) => fetch(own.url + path, { headers })
  const plain = await ask('/v1/openapi.json', { 'accept-encoding': 'identity' })
  const etag = plain.headers.get('etag') ?? ''
  t.match(etag, /^"c\./)
  const text = await plain.text()
  for (const [accepted, encoding] of [
    ['gzip, br', 'br'],
    ['gzip;q=0.9, br;q=0.1', 'gzip'],
    ['*;q=0.1, br;q=0', 'gzip'],
  ] as const) {
    const packed = await ask('/v1/openapi.json', { 'accept-encoding': accepted })
    t.equal(packed.headers.get('content-encoding'), encoding, accepted)
    t.equal(packed.headers.get('etag'), `W/${etag}`)
    t.equal(await packed.text(), text, accepted)
  }
  t.equal((await ask('/v1/openapi.json', { 'accept-encoding': 'br;q=0' })).headers.get('content-encoding'), null)
  const head = await fetch(`${own.url}/v1/openapi.json`, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } })
  t.ok(Number(head.headers.get('content-length')) < text.length / 5)
  t.equal((await ask('/v1/openapi.json', { 'if-none-match': `W/${etag}` })).status, 304)
  t.equal((await ask('/nope')).status, 404)
  const slash = await ask('/docs/')
  t.match([slash.status, slash.headers.get('cache-control')], [404, 'private, no-store'])
  for (const path of ['/v1/openapi.json', '/nope', '/docs', '/', '/.well-known/jwks.json'])
    t.equal((await ask(path)).status, 429, path)
  t.equal((await ask('/health/live')).status, 200, 'but not this')
})

t.test('the log: one line a request, and nothing that is private', async t => {
  edge.lines.length = 0
  await api('GET', '/v1/search?q=private-word', { as: author, headers: { 'x-request-id': 'logged-1' } })
  await api('POST', '/v1/entries', { as: author, body: { ...base(), etymology: 'private-text' } })
  await until('both lines', () => edge.lines.length >= 2)
  const text = edge.lines.join('')
  t.match(JSON.parse(edge.lines[0] ?? ''), { req: 'logged-1', method: 'GET', path: '/v1/search', status: 200 })
  t.equal(edge.lines.length, 2)
  t.notMatch(text, /private|token-of/)
})

t.test('a port in use, and a graceful end', async t => {
  const own = await openEdge(t)
  const taken = portOf(own.url)
  const second = await openEdge(t)
  await t.rejects(second.server.listen('127.0.0.1', taken), { message: /./ })
  const { openHttpServer } = await import('../../src/adapters/http/server.ts')
  const third = await openHttpServer(own.deps)
  await t.rejects(third.listen('127.0.0.1', taken), {
    code: 'EADDRINUSE',
    message: `Port ${taken} on 127.0.0.1 is in use by another program.`,
  })
  await third.close()
  const hold = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  own.faults.append = async () => {
    arrived.resolve()
    await hold.promise
    throw new EventStoreError('unavailable', 'x')
  }
  const silent = connect(taken, '127.0.0.1').resume()
  const left = new Promise(resolve => silent.once('close', resolve))
  await once(silent, 'connect')
  const headers = { authorization: `Bearer ${own.token('editor')}`, 'content-type': 'application/json' }
  const running = fetch(`${own.url}/v1/entries`, { method: 'POST', headers, body: JSON.stringify(base()) })
  await arrived.promise
  const closing = own.server.close()
  t.equal(own.server.close(), closing, 'closing twice is closing once')
  await t.rejects(fetch(own.url), 'no new connections')
  await left
  t.pass('who has asked for nothing is not waited for, while what runs still does')
  hold.resolve()
  t.equal((await running).status, 503, 'what runs is answered')
  await closing
})

t.test('every problem was seen, and each as the document says', async t => {
  for (const [method, path] of [
    ['DELETE', '/v1/search'],
    ['GET', '/nope'],
    ['GET', '/v1/entries?limit=x'],
  ] as const)
    await api(method, path)
  await api('GET', '/problems/busy', { headers: { accept: 'image/png' } })
  await api('GET', '/v1/entries?cursor=x')
  await api('GET', '/v1/entries', { headers: { 'sync-token': 'x' } })
  await api('PATCH', await draft(), { as: author, body: {}, headers: { 'if-match': 'x' } })
  const post = (raw: string, type = 'application/json') =>
    api('POST', '/v1/entries', { as: author, raw, headers: { 'content-type': type } })
  await post('{')
  await post('['.repeat(40))
  await post('{}', 'text/plain')
  const body = base()
  await api('POST', '/v1/entries', { as: author, body })
  await api('POST', '/v1/entries', { as: author, body })
  seen.add('other-log').add('cursor-expired')
  // Those of the history (tests/api/history.test.ts).
  seen.add('event-not-found').add('stream-not-found')
  // Told on the bare socket (tests/attacks/http.test.ts).
  seen.add('method-not-implemented').add('version-not-supported')
  // Those of the command line, which the edge never causes.
  const elsewhere = ['entry-edited', 'token-not-found', 'role-unknown', 'token-life']
  // Those of the live feed (tests/ws/live.test.ts).
  for (const code of Object.keys(liveProblems)) seen.add(code)
  seen.add('origin-refused')
  // Caused in tests/attacks/connections.test.ts.
  seen.add('too-many-connections')
  // Those of accounts (tests/api/accounts.test.ts).
  for (const table of [accountProblems, sessionProblems, profileProblems])
    for (const code of Object.keys(table)) seen.add(code)
  seen.add('not-an-account').add('passwords-busy').add('csrf-invalid')
  // Those of blocks (tests/api/blocks.test.ts).
  for (const code of Object.keys(accessProblems)) seen.add(code)
  seen.add('blocked')
  // Those of stories (tests/api/stories.test.ts).
  for (const code of Object.keys(storyProblems)) seen.add(code)
  // Those of chapters (tests/api/chapters.test.ts).
  for (const code of Object.keys(chapterProblems)) seen.add(code)
  // Those of shelves (tests/api/shelf.test.ts).
  for (const code of Object.keys(shelfProblems)) seen.add(code)
  // Those of ratings (tests/api/ratings.test.ts, tests/domain/votes.test.ts).
  for (const code of Object.keys(votesProblems)) seen.add(code)
  // Those of reports (tests/api/reports.test.ts).
  for (const code of Object.keys(reportProblems)) seen.add(code)
  // Those of comments (tests/api/comments.test.ts).
  for (const code of Object.keys(commentProblems)) seen.add(code)
  // Those of proposals (tests/api/proposals.test.ts, tests/domain/proposal).
  for (const code of Object.keys(proposalProblems)) seen.add(code)
  // Caused in tests/domain/moderation.
  seen.add('entry-held')
  // Those of decisions (tests/api/decisions.test.ts, tests/domain/moderation).
  for (const code of Object.keys(decisionProblems)) seen.add(code)
  // Caused in tests/api/openid.test.ts.
  for (const code of Object.keys(openIdProblems)) seen.add(code)
  t.same(
    openProblems(problemsOf(areas)).codes.filter(code => !seen.has(code) && !elsewhere.includes(code)),
    [],
  )
  t.same([...new Set(api.faults)], [])
})
