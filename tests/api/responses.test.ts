/** Answers that are kept: never behind what an answer made now would be, never another's, and loaded once. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { openHotKeys } from '../../src/adapters/http/hot-keys.ts'
import { type Made, openResponses, type Scope } from '../../src/adapters/http/responses.ts'
import type { EdgeRequest, Requester } from '../../src/adapters/http/route.ts'
import { openWarming } from '../../src/adapters/http/warming.ts'
import { openApp } from '../../src/app/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Caching } from '../../src/core/query/define.ts'
import type { Cache } from '../../src/ports/cache.ts'
import { entriesProjection } from '../../src/projections/entries.ts'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp, whileTimeGoes } from '../support/app.ts'
import { fakeClock, settle } from '../support/clocks.ts'
import { anonymousPermissions, permissionsOf } from '../support/roles.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'

const stranger: Requester = { permissions: anonymousPermissions }
const editor: Requester = { actor: { kind: 'service', id: 'ed' }, permissions: permissionsOf('editor') }

const open = (caching: Caching, shared?: { cache: Cache; clock: ReturnType<typeof fakeClock> }) => {
  const clock = shared?.clock ?? fakeClock()
  const cache = shared?.cache ?? openMemoryCache({ clock, max: 100 })
  const state = { position: 10n, loads: 0, scopes: ['entries@1#1'] as string[] | undefined, text: 'one', shared: true }
  const notes: string[] = []
  const errors: unknown[] = []
  let gate: Promise<void> = Promise.resolve()
  const scopes = async (): Promise<readonly Scope[] | undefined> =>
    state.scopes?.map(name => ({ name, position: state.position }))
  let ids = 0
  const responses = openResponses({
    cache,
    clock,
    version: '1',
    scopes,
    onError: error => errors.push(error),
    newId: () => `${Math.random()} ${++ids}`,
  })
  const query = {
    name: 'q',
    reads: [entriesProjection],
    caching: () => caching,
    repeated: (note: string) => void notes.push(note),
  }
  const make = async (): Promise<Made> => {
    state.loads += 1
    const { text, position, shared } = state
    await gate
    return { body: JSON.stringify(text), position, shared, link: '<x>', note: 'n' }
  }
  const ask = (more: Partial<EdgeRequest> = {}, made = make) => {
    const request: EdgeRequest = {
      id: 'r',
      method: 'GET',
      path: '/v1/entries/1',
      params: {},
      query: {},
      body: undefined,
      headers: {},
      requester: stranger,
      address: () => '192.0.2.1',
      counted: 'a',
      after: undefined,
      ...more,
    }
    return responses.answer(query, undefined, request, made)
  }
  return {
    clock,
    cache,
    state,
    notes,
    errors,
    ask,
    responses,
    query,
    hold: (until: Promise<void>) => {
      gate = until
    },
  }
}
const changing: Caching = { strategy: 'until-changed', tags: ['x'] }

t.test('until changed: found while nothing is known to have changed, with what it reflects by then', async t => {
  const { cache, state, ask, notes } = open(changing)
  await cache.changed('entries@1#1', [], 0n, 10n)
  const first = await ask()
  t.match(first, { status: 200, body: '"one"', position: 10n, headers: { link: '<x>' }, etag: /^"c\.[\w-]{22}"$/ })
  t.same(notes, [])
  t.same(await ask({ requester: editor }), { ...first, bytes: 5 }, 'the same bytes, tag and Link')
  t.same([state.loads, notes], [1, ['n']])
  t.same(await ask({ headers: { 'if-none-match': first.etag ?? '' } }), {
    status: 304,
    etag: first.etag,
    position: 10n,
    headers: { link: '<x>' },
  })

  state.position = 12n
  t.equal((await ask()).position, 12n, 'the node has read on, and the cache was not told: loaded anew')
  t.equal(state.loads, 2)
  await cache.changed('entries@1#1', ['y'], 10n, 20n)
  state.position = 20n
  t.match(await ask(), { body: '"one"', position: 20n })
  t.equal(state.loads, 2, 'others changed, this did not')
  state.text = 'two'
  state.position = 21n
  await cache.changed('entries@1#1', ['x'], 20n, 21n)
  t.match(await ask(), { body: '"two"', position: 21n })
  for (const more of [{ path: '/v1/entries/2' }, { query: { fields: ['id'] } }]) await ask(more)
  t.equal(state.loads, 5, 'another address, another query string')
  state.scopes = ['entries@1#2']
  await ask()
  t.equal(state.loads, 6, 'another generation')
  state.scopes = undefined
  await ask()
  t.equal(state.loads, 7, 'while there is none')
})

t.test('what is only for who asked is not kept, nor given to those who asked at the same time', async t => {
  const { state, ask, hold } = open(changing)
  const gate = Promise.withResolvers<void>()
  hold(gate.promise)
  const asDrafted = { ...state, body: 'draft of ed' }
  const mine = ask({ requester: editor }, async () => {
    await gate.promise
    return { body: asDrafted.body, position: 10n, shared: false }
  })
  await settle()
  const theirs = ask({}, async () => {
    throw new Error('there is no such entry')
  })
  await settle()
  gate.resolve()
  t.equal((await mine).body, 'draft of ed')
  await t.rejects(theirs, { message: 'there is no such entry' })
  t.equal((await ask()).body, '"one"')

  const own = open({ strategy: 'private', seconds: 5, tags: [] })
  own.state.text = 'for ed'
  await own.ask({ requester: editor })
  own.state.text = 'for others'
  t.equal((await own.ask({ requester: editor })).body, '"for ed"')
  t.equal((await own.ask()).body, '"for others"')
  const forged: Requester = { actor: { kind: 'service', id: 'ed","x' }, permissions: permissionsOf('editor') }
  t.equal((await own.ask({ requester: forged })).body, '"for others"')
  const demoted: Requester = { ...editor, permissions: anonymousPermissions }
  t.equal((await own.ask({ requester: demoted })).body, '"for others"', 'nor to who may see less now')
  own.state.text = 'later'
  own.clock.advance(5_001)
  t.equal((await own.ask({ requester: editor })).body, '"later"')
})

t.test('public: late for its seconds, then late once more while it is loaded; a Sync-Token is kept', async t => {
  const { state, ask, clock, hold, errors } = open({ strategy: 'public', seconds: 5, staleSeconds: 25, tags: ['x'] })
  await ask()
  state.text = 'two'
  state.position = 20n
  t.equal((await ask()).body, '"one"')
  t.match(await ask({ after: 20n }), { body: '"two"', position: 20n }, 'whoever has seen 20 is not answered from 10')
  clock.advance(6_000)
  state.text = 'three'
  const gate = Promise.withResolvers<void>()
  hold(gate.promise)
  const late = await Promise.all([ask(), ask(), ask()])
  t.same(
    late.map(each => each.body),
    ['"two"', '"two"', '"two"'],
  )
  gate.resolve()
  await settle()
  await settle()
  t.equal((await ask()).body, '"three"')
  t.equal(state.loads, 3, 'loaded once for all who were answered late')
  clock.advance(6_000)
  t.equal((await ask({}, () => Promise.reject(new Error('away')))).body, '"three"')
  await settle()
  t.match(errors, [{ message: 'away' }])
  clock.advance(31_000)
  await t.rejects(
    ask({}, () => Promise.reject(new Error('away'))),
    { message: 'away' },
  )
})

t.test('asked for by many at once it is loaded once, by one node', async t => {
  const one = open(changing)
  await one.cache.changed('entries@1#1', [], 0n, 10n)
  const two = open(changing, one)
  const gate = Promise.withResolvers<void>()
  for (const node of [one, two]) node.hold(gate.promise)
  const answers = Array.from({ length: 40 }, (_, n) => (n % 2 ? one : two).ask())
  for (let n = 0; n < 5; n += 1) await settle()
  t.equal(one.state.loads + two.state.loads, 1)
  gate.resolve()
  for (let n = 0; n < 20; n += 1) {
    one.clock.advance(10)
    await settle()
  }
  t.ok((await Promise.all(answers)).every(each => each.body === '"one"'))
  t.equal(one.state.loads + two.state.loads, 1)

  // The node that has claimed it does not come back: the others wait a moment only.
  await one.cache.changed('entries@1#1', ['x'], 10n, 11n)
  const stuck = Promise.withResolvers<void>()
  const failed = one.ask({}, () => stuck.promise.then(() => Promise.reject(new Error('killed'))))
  await settle()
  const waiting = two.ask()
  for (let n = 0; n < 20; n += 1) {
    one.clock.advance(10)
    await settle()
  }
  t.equal((await waiting).body, '"one"')
  stuck.resolve()
  await t.rejects(failed, { message: 'killed' })
})

t.test('who has seen more than the load reflects that they would join makes one of their own', async t => {
  const { state, ask, hold, cache } = open(changing)
  await cache.changed('entries@1#1', [], 0n, 10n)
  const gate = Promise.withResolvers<void>()
  hold(gate.promise)
  const early = ask()
  await settle()
  state.position = 15n
  state.text = 'two'
  const later = ask({ after: 15n })
  await settle()
  gate.resolve()
  t.match(await early, { body: '"one"', position: 10n })
  t.match(await later, { body: '"two"', position: 15n })
  t.match(await ask(), { body: '"two"', position: 15n }, 'and the older one has not replaced it')
})

t.test('what another release has kept, and what is very large, is loaded', async t => {
  const { cache, state, ask } = open(changing)
  const look = cache.look
  cache.look = async (key, on) => ({ ...(await look(key, on)), found: { value: '{}', position: 99n, fresh: true } })
  t.equal((await ask()).body, '"one"')
  cache.look = look
  state.text = 'x'.repeat(300_000)
  state.position = 11n
  await ask()
  await ask()
  t.equal(state.loads, 3)
})

t.test('what is asked most is known in little memory', async t => {
  const hot = openHotKeys(40)
  const real = new Map<string, number>()
  let seed = 5
  for (let n = 0; n < 20_000; n += 1) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    // Few are asked often and many once, as by Zipf.
    const key = `k${Math.floor(1 / (seed / 2 ** 32 + 0.0005))}`
    hot.hit(key)
    real.set(key, (real.get(key) ?? 0) + 1)
  }
  const often = [...real].filter(([, count]) => count > 20_000 / 40).map(([key]) => key)
  t.ok(often.length >= 5)
  const top = hot.top(40)
  t.equal(top.length, 40)
  for (const key of often) t.ok(top.includes(key), `${key} came ${real.get(key)} times`)
  t.equal(top[0], 'k1')
  hot.age()
  for (let n = 0; n < 20_000; n += 1) hot.hit('new')
  t.equal(hot.top(1)[0], 'new', 'what is asked now weighs more')
  const few = openHotKeys(2)
  for (const key of ['a', 'a', 'b', 'c', 'c', 'c']) few.hit(key)
  t.same(few.top(9).toSorted(), ['a', 'c'])
  few.age()
  for (const key of ['x', 'y']) few.hit(key)
  t.same(few.top(9).length, 2)
})

t.test('a store that hangs holds the end of warming up for two seconds at most', async t => {
  const clock = fakeClock()
  const loads: string[] = []
  const handle = async ({ path }: EdgeRequest) => {
    loads.push(path)
    if (path === '/slow') await new Promise(() => undefined)
    throw new Error('gone')
  }
  const route = { method: 'GET' as const, tag: '', summary: '', request: {}, answers: {}, problems: [], handle }
  const saved: unknown[] = []
  const warming = openWarming({
    hot: openHotKeys(9),
    clock,
    newId: () => 'id',
    strangers: anonymousPermissions,
    logger: pino({ enabled: false }),
    routes: () => ['/v1/things/:id', '/slow', '/never'].map(path => ({ ...route, path, name: path })),
    scopes: async () => [{ name: 'entries@1#1', position: 0n }],
    records: {
      load: async () => ['p{', 'p["/v1/things/7",{}]', 'p["/unknown",{}]', 'p["/slow",{}]', 'p["/never",{}]'],
      save: async keys => void saved.push(keys),
      heard: async () => true,
    },
  })
  warming.asked({ path: '/v1/things/7', query: { cursor: 'x' }, typed: false })
  warming.asked({ path: '/v1/things/8', query: { q: 'x'.repeat(400) }, typed: false })
  warming.start()
  for (let n = 0; n < 4; n += 1) await clock.advance(10)
  t.same(loads, ['/v1/things/7', '/slow'], 'one after the other, and what fails or is none is passed over')
  let closed = false
  const closing = warming.close().then(() => {
    closed = true
  })
  await clock.advance(1_900)
  t.equal(closed, false)
  await clock.advance(200)
  await closing
  t.same(saved, [])
  const idle = openWarming({
    hot: openHotKeys(9),
    clock,
    newId: () => 'id',
    strangers: anonymousPermissions,
    logger: pino({ enabled: false }),
    routes: () => [],
    scopes: async () => undefined,
    records: { load: async () => [], save: async keys => void saved.push(keys), heard: async () => true },
  })
  idle.start()
  idle.asked({ path: '/a', query: {}, typed: false })
  idle.asked({ path: '/b', query: {}, typed: true })
  await idle.close()
  t.same(saved, [['p["/a",{}]']], 'what was typed is not kept')
})

t.test('what was asked most is at hand after a start and after a rebuild, before somebody asks', async t => {
  const folder = temporaryFolder(t)
  const shared = { folder, clock: fakeClock() }
  const first = await openTestApp(t, {}, shared)
  const api = await openApi(first.url)
  const editor = await first.token('editor')
  const made = await api('POST', '/v1/entries', {
    as: editor,
    body: { language: 'en', lemma: 'warm', partOfSpeech: 'noun', senses: [{ gloss: 'not cold' }] },
  })
  const path = made.headers.get('location') ?? ''
  await api('POST', `${path}/publish`, { as: editor, headers: { 'if-match': '*' } })
  const typed = [
    '/v1/search?q=typedword',
    '/v1/suggest?q=typedword',
    '/v1/entries?category=typedword',
    '/v1/entries?label=typedword',
    '/v1/entries?source=typedword',
    '/v1/entries?language=en-x-typedwor',
    '/v1/entries?language=en&category=typedword&limit=3',
    '/v1/random?seed=typedword',
    `${path}?fields=id&asOf=typedword`,
    '/v1/word-of-the-day?language=en-x-typedwor',
  ]
  const asked = [path, '/v1/entries?language=en', '/v1/entries?language=en&limit=1']
  for (const each of typed) for (let n = 0; n < 2; n += 1) await api('GET', each)
  for (const each of [...asked, ...asked]) t.equal((await api('GET', each)).status, 200)
  t.equal((await api('GET', `${path.slice(0, -4)}0000`)).status, 404)
  await first.close()
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(each => /read\.db/.test(each))) {
    const text = readFileSync(join(folder, name)).toString('latin1')
    if (name === 'read.db') t.match(text, /warm-addresses/)
    t.notMatch(text, /typedwor/, 'what was typed is written nowhere')
  }

  const again = await openTestApp(t, {}, shared)
  const auditor = { authorization: `Bearer ${await again.token('auditor')}` }
  const looks = async () => {
    const text = await (await fetch(`${again.url}/metrics`, { headers: auditor })).text()
    const of = (result: string) =>
      Number(new RegExp(`cache_requests_total{result="${result}"} (\\d+)`).exec(text)?.[1] ?? 0)
    return { hit: of('hit'), miss: of('miss') }
  }
  const misses = (count: number) =>
    inTime(again, `${count} answers loaded`, async saw => {
      const { miss } = await looks()
      saw(miss)
      return miss === count
    })
  await misses(3)
  for (const each of asked) await (await fetch(again.url + each)).text()
  t.same(await looks(), { hit: 3, miss: 3 }, 'asked for, they were there')
  await (await fetch(`${again.url}/v1/search?q=typedword`)).text()
  t.same(await looks(), { hit: 3, miss: 4 })
  const config = loadConfig(environmentFor(folder), folder)
  const other = await openApp(config, { purpose: 'work', version: '0.0.0', clock: shared.clock })
  const watch = { onProgress: () => undefined, signal: new AbortController().signal }
  await whileTimeGoes(again, 'a rebuild', other.rebuild('entries', watch))
  await whileTimeGoes(again, 'its end', other.close())
  await misses(8)
  for (const each of [...asked, '/v1/search?q=typedword']) await (await fetch(again.url + each)).text()
  t.same(await looks(), { hit: 7, miss: 8 }, 'and after the rebuild, with what was typed')
  await again.close()

  const last = await openTestApp(t, {}, shared)
  const reader = { authorization: `Bearer ${await last.token('auditor')}` }
  const searches = await inTime(last, 'the searches counted', async () => {
    const { items } = Object(await (await fetch(`${last.url}/v1/analytics`, { headers: reader })).json())
    const total = Object(Object(Array.isArray(items) ? items.at(-1) : {}).searches).total
    return total >= 4 ? total : undefined
  })
  t.equal(searches, 4, 'those that somebody asked for')
})
