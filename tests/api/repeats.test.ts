/**
 * What is asked again by a plain GET is answered without Fastify, and nobody is to see it: the same answer, the same line in the log, the
 * same count; and whoever is to be refused, or comes with anything unusual, is seen to the long way, with nothing done twice.
 */
import { createServer } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { defaultLimits, type Hit } from '../../src/adapters/http/limits.ts'
import { ProblemError } from '../../src/adapters/http/problems.ts'
import { openRepeats, type RepeatDeps } from '../../src/adapters/http/repeats.ts'
import type { Answer, EdgeRequest, Requester, Route } from '../../src/adapters/http/route.ts'
import { defined } from '../../src/domain/defined.ts'
import { isObject } from '../../src/domain/json.ts'
import type { Cache } from '../../src/ports/cache.ts'
import { openApi } from '../support/api.ts'
import { fakeClock } from '../support/clocks.ts'
import { openEdge } from '../support/edge.ts'
import { anonymousPermissions } from '../support/roles.ts'
import { until } from '../support/until.ts'

type Sent = Readonly<Record<string, string>>

/** A server that has learnt one address, and tells which requests went the long way, with what was found for them. */
const openShort = async (
  more: Partial<RepeatDeps> = {},
  answer: () => Promise<Answer> = async () => ({ status: 200 }),
) => {
  const stranger: Requester = { permissions: anonymousPermissions }
  const long: string[] = []
  const handled: string[] = []
  const repeats = openRepeats(() => ({ facts: {}, text: '' }))
  const deps: RepeatDeps = {
    guard: {
      recognise: () => stranger,
      counted: () => 'somebody',
      meteredFor: async (_, work) => work(),
    },
    limits: { hit: () => undefined },
    answering: { write: (response, _, { status }) => response.writeHead(status).end('short') === response },
    access: { began: () => () => true },
    requestId: () => 'id',
    isOpen: () => true,
    routing: (request, response) => {
      const { counting, answer: found } = repeats.of(request) ?? {}
      long.push([request.method, counting && 'counted', found && 'handled'].filter(Boolean).join(' '))
      found?.catch(() => undefined)
      response.end('long')
    },
    ...more,
  }
  const route: Route = {
    method: 'GET',
    path: '/v1/things/:id',
    name: 'thing',
    tag: 'Test',
    summary: 'A thing',
    request: {},
    answers: {},
    problems: [],
    handle: ({ params }) => {
      handled.push(String(params['id']))
      return answer()
    },
  }
  const server = createServer((request, response) => repeats.take(request, response, deps))
  t.teardown(() => server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const at = server.address()
  const port = isObject(at) ? Number(at['port']) : 0
  const learn = (url: string, status = 200, declared: Partial<Route> = {}, method = 'GET'): void => {
    const raw = { url }
    const edge: Pick<EdgeRequest, 'path' | 'params' | 'query'> = { path: url, params: { id: '7' }, query: {} }
    repeats.learn({ ...route, ...declared }, Object({ raw, method }), Object(edge), { status })
  }
  const ask = async (path: string, headers: Sent = {}, method = 'GET') => {
    const answered = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers })
    return answered.text()
  }
  return { ask, learn, long, handled, port }
}

t.test('a plain GET of what was asked before does not go the long way, and everything else does', async t => {
  const { ask, learn, long, handled, port } = await openShort()
  t.equal(await ask('/v1/things/7'), 'long', 'nobody has asked for it')
  learn('/v1/things/7')
  t.equal(await ask('/v1/things/7'), 'short')
  t.equal(await ask('/v1/things/7', { 'if-none-match': '"x"', accept: '*/*', authorization: 'Bearer x' }), 'short')
  t.same(handled, ['7', '7'])
  t.equal(await ask('/v1/things/7?fields=id'), 'long', 'another address')
  for (const [name, value] of Object.entries({ cookie: 'a=b', 'sync-token': 'x', 'accept-version': '1' }))
    t.equal(await ask('/v1/things/7', { [name]: value }), 'long', name)
  t.equal(await ask('/v1/things/7', {}, 'DELETE'), 'long')
  t.equal(await ask('/v1/things/7', {}, 'HEAD'), '', 'nor HEAD')
  const raw = (text: string): Promise<string> =>
    new Promise(resolve => {
      let got = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      socket.setEncoding('utf8').on('data', chunk => {
        got += chunk
        if (/(long|short)/.test(got)) socket.destroy()
      })
      socket.on('close', () => resolve(/long|short/.exec(got)?.[0] ?? '')).on('error', () => undefined)
    })
  const head = 'GET /v1/things/7 HTTP/1.1\r\nHost: a\r\n'
  t.match(await raw(`${head}\r\n`), 'short')
  for (const unusual of [
    'Content-Length: 0',
    'Content-Length: 2\r\n\r\n{}',
    'Transfer-Encoding: chunked\r\n\r\n0',
    'Upgrade: h2c\r\nConnection: upgrade',
    'Authorization: Bearer x\r\nAuthorization: Bearer y',
  ])
    t.match(await raw(`${head}${unusual}\r\n\r\n`), 'long', unusual)
  t.match(await raw('GET /v1/things/7 HTTP/1.0\r\nHost: a\r\n\r\n'), 'long', 'an older version')
  t.match(await raw('GET /v1/things/7 HTTP/1.1\r\nHost: a b\r\n\r\n'), 'long', 'no host')
  t.equal(handled.length, 3)
  t.equal(long.filter(each => each.includes(' ')).length, 0, 'nothing was counted or handled for them')
})

t.test('what is remembered: ordinary routes, answers that are there, addresses that are not too long', async t => {
  const { ask, learn } = await openShort()
  learn('/v1/a', 404)
  learn('/v1/b', 200, { identify: () => undefined })
  learn('/v1/c', 200, { admit: () => undefined })
  learn('/v1/d', 200, {}, 'HEAD')
  learn(`/v1/${'e'.repeat(600)}`)
  for (const path of ['/v1/a', '/v1/b', '/v1/c', '/v1/d', `/v1/${'e'.repeat(600)}`])
    t.equal(await ask(path), 'long', path.slice(0, 10))
  learn('/v1/f', 304)
  t.equal(await ask('/v1/f'), 'short')
})

t.test('what is waited for or refused is said the long way, which is told what was found', async t => {
  const hit: Hit = { rateLimit: '', policy: '', retryAfter: 1 }
  const routes: readonly (readonly [string, Partial<RepeatDeps>, (() => Promise<Answer>) | undefined, string])[] = [
    ['closing', { isOpen: () => false }, undefined, 'GET'],
    ['a limit that is used up', { limits: { hit: () => ({ ...hit, used: 'reads' }) } }, undefined, 'GET counted'],
    ['a limit that is asked elsewhere', { limits: { hit: async () => hit } }, undefined, 'GET counted'],
    ['nothing for it to write', { answering: { write: () => false } }, undefined, 'GET handled'],
    [
      'counted, and nothing to write',
      { answering: { write: async () => false }, limits: { hit: () => hit } },
      undefined,
      'GET counted handled',
    ],
    ['a problem', {}, () => Promise.reject(new ProblemError('not-found', 'gone')), 'GET handled'],
  ]
  for (const [what, more, answer, expected] of routes) {
    const { ask, learn, long } = await openShort(more, answer)
    learn('/v1/things/7', 200, { rate: 'reads' })
    t.equal(await ask('/v1/things/7'), 'long', what)
    t.same(long, [expected], what)
  }
  const { recognise, ...guard } = {
    recognise: () => undefined,
    counted: () => 'x',
    meteredFor: async () => Promise.reject(new Error('worked')),
  }
  const unknown = await openShort({ guard: { ...guard, recognise } })
  unknown.learn('/v1/things/7')
  t.equal(await unknown.ask('/v1/things/7'), 'long')
  t.same([unknown.long, unknown.handled], [['GET'], []], 'nothing is done for who is not known yet')
})

const publish = async (api: Awaited<ReturnType<typeof openApi>>, author: string, editor: string, lemma: string) => {
  const body = { language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: `what ${lemma} is` }] }
  const made = await api('POST', '/v1/entries', { as: author, body })
  const path = made.headers.get('location') ?? ''
  await api('POST', `${path}/publish`, { as: editor, body: {}, headers: { 'if-match': '*' } })
  return path
}

/** Of an answer what is the same each time. */
const seenOf = async (answered: Response) => {
  const headers = Object.fromEntries(answered.headers)
  for (const own of ['x-request-id', 'date', 'ratelimit']) if (headers[own]) headers[own] = own
  const text = (await answered.text()).replace(/"requestId":"[^"]*"/, '')
  return { status: answered.status, headers, text }
}
const lineOf = (line: string) => {
  const { req, trace, time, ms, ...rest }: Readonly<Record<string, unknown>> = JSON.parse(line)
  return { ...rest, forms: [typeof req, typeof trace, typeof time, typeof ms], members: Object.keys(JSON.parse(line)) }
}

t.test('the second answer is the first one, and so is its line', async t => {
  const written: string[] = []
  for (const infoLine of [undefined, (members: string) => void written.push(`{"level":30,"time":1${members}}`)]) {
    const { url, lines, token, faults } = await openEdge(t, { deps: defined({ infoLine }) })
    faults.keeps = true
    const api = await openApi(url)
    const [author, editor] = [token('contributor'), token('editor')]
    const path = await publish(api, author, editor, 'again')
    const etag = (await fetch(`${url}${path}`)).headers.get('etag') ?? ''
    const asked: readonly (readonly [string, Sent])[] = [
      [path, {}],
      [path, { authorization: `Bearer ${editor}` }],
      [path, { 'if-none-match': etag }],
      [path, { 'if-match': '"1.x"' }],
      [path, { 'accept-encoding': 'gzip' }],
      [`${path}?fields=lemma`, {}],
      [path, { authorization: 'Bearer nobody' }],
      [path, { 'x-request-id': 'mine-1', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }],
      ['/v1/entries?limit=2', {}],
    ]
    for (const [place, headers] of asked) {
      // Long: nobody asks with a cookie for what is open, and it stands for nobody.
      const from = lines.length + written.length
      const told = async (count: number) =>
        until('the lines of the request', async () => lines.length + written.length >= from + count || undefined)
      const first = await seenOf(await fetch(`${url}${place}`, { headers: { ...headers, cookie: 'of=nobody' } }))
      await told(1)
      await fetch(`${url}${place}`, { headers }).then(answer => answer.arrayBuffer())
      await told(2)
      const again = await seenOf(await fetch(`${url}${place}`, { headers }))
      await told(3)
      const isPublic = headers['authorization'] === undefined
      // A cookie makes an answer private.
      const cache = isPublic && again.status < 400 ? { 'cache-control': 'public, no-cache' } : {}
      t.same(again, { ...first, headers: { ...first.headers, ...cache } }, `${place} ${JSON.stringify(headers)}`)
      const long = lineOf(lines.findLast(line => line.includes('"request"')) ?? '{}')
      const short = lineOf((infoLine ? written : lines).at(-1) ?? '{}')
      if (infoLine) {
        // Who is refused went the long way.
        if (again.status >= 400) continue
        const plain = written.at(-1) ?? ''
        t.match(JSON.parse(plain), { msg: 'request', method: 'GET', status: again.status })
        t.match(plain, /^\{"level":30,"time":1,"req":"[^"]+","trace":"[0-9a-f]{32}","method":"GET","path":"/)
      } else t.same(short, { ...long }, 'the same line')
    }
    t.equal(lines.filter(line => line.includes('"request failed"')).length, 0)
    if (infoLine) t.ok(written.length > 5, 'lines of those that took the short way')
  }
})

t.test('each is counted once, up to the last one that the limit allows, wherever it is counted', async t => {
  const here = openMemoryCache({ clock: fakeClock(), max: 100 })
  const elsewhere: Cache = { ...here, hit: async (key, window) => here.hit(`elsewhere ${key}`, window) }
  for (const cache of [here, elsewhere]) {
    const limits = { ...defaultLimits, reads: 6 }
    const { url, token, faults } = await openEdge(t, { settings: { limits }, deps: { cache } })
    faults.keeps = true
    const path = await publish(await openApi(url), token('contributor'), token('editor'), 'counted')
    const headers = { authorization: `Bearer ${token('reader')}` }
    const ask = async () => {
      const answer = await fetch(`${url}${path}`, { headers })
      return [answer.status, answer.headers.get('ratelimit')?.split(';')[1], answer.headers.has('retry-after')]
    }
    const answers: unknown[] = []
    for (let asked = 0; asked < 8; asked += 1) answers.push(await ask())
    t.same(answers, [
      ...[5, 4, 3, 2, 1, 0].map(left => [200, `r=${left}`, false]),
      [429, 'r=0', true],
      [429, 'r=0', true],
    ])
  }
})

t.test('who may not ask any more, or for what is not there any more, hears it at once', async t => {
  const { url, token, faults } = await openEdge(t)
  faults.keeps = true
  faults.revoked = new Set()
  const api = await openApi(url)
  const [author, editor] = [token('contributor'), token('editor')]
  const path = await publish(api, author, editor, 'passing')
  const ask = (headers: Sent = {}) => fetch(`${url}${path}`, { headers })
  const editors = { authorization: `Bearer ${editor}` }
  for (let asked = 0; asked < 3; asked += 1) t.equal((await ask(editors)).status, 200)
  faults.revoked.add(editor)
  t.equal((await ask(editors)).status, 401)
  faults.revoked.clear()
  faults.deafMs = 60_000
  t.equal((await ask(editors)).status, 503)
  faults.deafMs = 0
  t.equal((await ask(editors)).status, 200)
  faults.keeps = false
  const before = await (await ask()).text()
  const body = { reason: 'of no use' }
  const retired = await api('POST', `${path}/retire`, { as: editor, body, headers: { 'if-match': '*' } })
  t.equal(retired.status, 200, retired.text)
  const after = await ask()
  t.not(await after.text(), before)
})

t.test('who leaves before the answer is told of as cut off, once', async t => {
  const gate = Promise.withResolvers<void>()
  const { url, lines, token, faults, queries } = await openEdge(t)
  faults.keeps = true
  const api = await openApi(url)
  const path = await publish(api, token('contributor'), token('editor'), 'left')
  await (await fetch(`${url}${path}`)).arrayBuffer()
  const { run } = queries.getEntry
  let isHeld = true
  Object.assign(queries.getEntry, {
    run: async (...given: Parameters<typeof run>) => {
      if (isHeld) await gate.promise
      return run(...given)
    },
  })
  faults.keeps = false
  const leaving = new AbortController()
  const from = lines.length
  const asked = fetch(`${url}${path}`, { signal: leaving.signal })
  setImmediate(() => leaving.abort())
  await t.rejects(asked)
  await until(
    'the line of who left',
    async () => lines.slice(from).some(line => line.includes('"cut":true')) || undefined,
  )
  isHeld = false
  gate.resolve()
  await (await fetch(`${url}${path}`)).arrayBuffer()
  await until(
    'the line of the next one',
    async () => lines.slice(from).filter(line => line.includes('"request"')).length >= 2,
  )
  t.equal(lines.slice(from).filter(line => line.includes('"cut":true')).length, 1)
})
