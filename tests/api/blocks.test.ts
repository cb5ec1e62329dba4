/** Blocks: what may be blocked, how it is found among many, and that nothing is served to whoever is, on any node, from then on. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { BlockList, isIPv4 } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { accessProblems } from '../../src/adapters/http/problems/access.ts'
import { block, forgetEnded, listBlocks, unblock } from '../../src/commands/blocks.ts'
import type { LogBatch } from '../../src/core/log/log.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { addBlock, blockAggregate, blockEvents, readTarget, removeBlock } from '../../src/domain/access/block.ts'
import { defined } from '../../src/domain/defined.ts'
import { networkText, readAddress, readNetwork } from '../../src/domain/network.ts'
import { followBlocks } from '../../src/projections/blocks.ts'
import { askUntil, openApi } from '../support/api.ts'
import { inTime, openTestApp, whileTimeGoes } from '../support/app.ts'
import { fakeClock, patientClock } from '../support/clocks.ts'
import { openEdge } from '../support/edge.ts'
import { otherIdOf } from '../support/forged.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { scenario } from '../support/scenario.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const now = new Date('2026-01-01T12:00:00.000Z')
const order = { id: 'b', kind: 'network' as const, target: '203.0.113.0/24', reason: 'Floods.', by: 'boss', now }
const later = '2026-01-02T00:00:00.000Z'

t.test('decided: accept, refuse, repeat', async t => {
  const blocks = scenario(blockAggregate)
  blocks
    .given()
    .when(addBlock({ ...order, expiresAt: later }))
    .then('BlockAdded')
    .again()
    .thenNothing()
    .again(addBlock({ ...order, reason: ' Floods. ' }))
    .then('BlockAdded')
    .thenState(state => t.match(state, { reason: 'Floods.', removed: false }))
    .again(removeBlock('boss'))
    .then('BlockRemoved')
    .again()
    .thenNothing()
    .again(addBlock(order))
    .then('BlockAdded')
  blocks.given().when(removeBlock('boss')).thenRefused('block-not-found')
  blocks
    .given()
    .when(addBlock({ ...order, reason: ' ' }))
    .thenRefused('reason-required')
  blocks
    .given()
    .when(addBlock({ ...order, reason: 'a\u0007' }))
    .thenRefused('text-invalid')
  blocks
    .given()
    .when(addBlock({ ...order, expiresAt: now.toISOString() }))
    .thenRefused('block-past')
  const added = addBlock({ ...order, expiresAt: later })(undefined)
  if ('refused' in added || !added[0]) throw new Error('refused')
  blocks
    .given({ ...added[0], removed: true })
    .when(addBlock({ ...order, expiresAt: later }))
    .then('BlockAdded')
  blocks
    .given(added[0])
    .when(addBlock({ ...order, now: new Date(later) }))
    .then('BlockAdded')
})

t.test('which address was blocked is forgotten when it is long over, and only then', async t => {
  const keys = openMemoryKeys()
  const log = openLog({ store: openMemoryEventStore({ now: () => now, logId: 'log' }), keys, types: blockEvents })
  const blocks = openTransactor({
    aggregate: blockAggregate,
    log,
    clock: patientClock(),
    random: Math.random,
    cachedStreams: 1,
  })
  const deps = {
    blocks,
    accounts: { load: async () => ({ state: undefined }) },
    secret: new Uint8Array(32),
    proxies: [],
    newId: randomUUID,
  }
  const day = (n: number) => new Date(Date.parse('2026-01-01T00:00:00.000Z') + n * 86_400_000)
  const by = { actor: { kind: 'system' as const, id: 'x' }, correlationId: 'c' }
  const add = (on: number, target: string, until?: number) =>
    block(
      { ...deps, clock: { now: () => day(on) } },
      { target, reason: 'r', ...defined({ expiresAt: until ? day(until).toISOString() : undefined }) },
      by,
    )
  const remove = (on: number, target: string) => unblock({ ...deps, clock: { now: () => day(on) } }, target, by)
  await add(0, '192.0.2.1', 5)
  await add(0, '192.0.2.2')
  await add(0, '192.0.2.3')
  await remove(3, '192.0.2.3')
  await add(0, '192.0.2.4', 5)
  await add(4, '192.0.2.4')
  const known = async () => {
    const found: string[] = []
    for await (const batch of log.readAll(0n))
      for (const event of batch.events)
        if (event.type === 'BlockAdded' && !event.removed) found.push(String(event.data['target']))
    return found.map(each => each.split('.')[3]?.split('/')[0]).join()
  }
  t.equal(await forgetEnded({ log, keys }, day(3)), 0)
  t.equal(await known(), '1,2,3,4,4')
  t.equal(await forgetEnded({ log, keys }, day(6)), 3)
  t.equal(await known(), '2,4', 'what is in force, and no more')
  t.equal(await forgetEnded({ log, keys }, day(6)), 0)
  t.match(await add(7, '192.0.2.1'), { block: { target: '192.0.2.1/32' } }, 'it can be blocked again')
  t.equal(await known(), '2,4,1')
  t.same(
    (await listBlocks(log, day(8))).map(({ target }) => target),
    ['192.0.2.1/32', '192.0.2.4/32', '192.0.2.2/32'],
  )
})

t.test('addresses and networks as people write them', async t => {
  const shown = (text: string) => {
    const network = readNetwork(text)
    return network && networkText(network)
  }
  for (const [text, expected] of [
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['2001:DB8::1', '2001:db8::/64'],
    ['2001:db8:0:0:1:0:0:1/128', '2001:db8::1:0:0:1/128'],
    ['2001:db8:0:1::/48', '2001:db8::/48'],
    ['::ffff:203.0.113.7', '203.0.113.7/32'],
    ['::ffff:cb00:7107/120', '203.0.113.0/24'],
    ['::', '::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['1:2:3:4:5:6:192.0.2.1/128', '1:2:3:4:5:6:c000:201/128'],
  ] as const)
    t.equal(shown(text), expected, text)
  for (const text of [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/08',
    '1.2.3.4/',

    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    ':::',
    '12345::',
    'g::',
    '::1/129',
    '::1%eth0',
    '1:2:3:4:5:6:7:8::',
    '1.2.3.4/8/8',
    '0x7f.1.1.1',
    '::1.2.3',
    `${'1:'.repeat(60)}1`,
  ])
    t.equal(readNetwork(text), undefined, text)
  for (const wide of [
    '0.0.0.0/0',
    '128.0.0.0/1',
    '10.0.0.0/7',
    '::/0',
    '2000::/3',
    '2001::/18',
    '::ffff:0:0/96',
    '::ffff:0:0/80',
  ])
    t.match(readTarget(wide), { refused: 'block-too-wide' }, wide)
  t.match(readTarget('10.0.0.0/8'), { kind: 'network' })
  t.same(readTarget('018F2C5A-7B1E-7CC2-8F43-0A1B2C3D4E5F'), {
    kind: 'account',
    target: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f',
  })
})

t.test('found among many, as by a list that is searched from end to end', async t => {
  const clock = patientClock()
  const time = clock.now().getTime()
  let seed = 7
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const address = (): string =>
    random(2) === 0
      ? [random(8), random(8), random(8), random(256)].join('.')
      : `2001:db8:${random(16)}:${random(16)}::${random(4)}`
  const oracle = new BlockList()
  const ends: Record<string, number> = {}
  const events = Array.from({ length: 400 }, (_, at) => {
    const from = address()
    const network = readNetwork(`${from}/${isIPv4(from) ? 24 + random(9) : 52 + random(77)}`)
    if (!network) throw new Error(from)
    const target = networkText(network)
    const state = random(3)
    const [plain = '', prefix] = target.split('/')
    const expiresAt = new Date(time + (state === 1 ? -1_000 : 600_000)).toISOString()
    ends[target] = Date.parse(expiresAt)
    const data = { blockId: target, kind: 'network' as const, subject: 's', target, reason: 'r', expiresAt, by: 'b' }
    return { plain, prefix: Number(prefix), position: BigInt(at + 1), stream: `block-${target}`, data }
  })
  const last = new Map(events.map(each => [each.stream, each]))
  for (const { plain, prefix, data } of last.values())
    if ((ends[data.target] ?? 0) > time) oracle.addSubnet(plain, prefix, isIPv4(plain) ? 'ipv4' : 'ipv6')
  const meta = {
    actor: { kind: 'system' as const, id: 'x' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    at: now.toISOString(),
    schema: 1,
    route: { visibility: 'owner' as const },
  }
  const batch: LogBatch = {
    events: events.map(({ stream, position, data }) => ({
      type: 'BlockAdded',
      id: `e${position}`,
      stream,
      revision: 0n,
      position,
      recordedAt: meta.at,
      meta,
      data,
    })),
    position: 400n,
    caughtUp: true,
  }
  const ending = new AbortController()
  t.teardown(() => ending.abort())
  const list = followBlocks({
    log: {
      subscribe: async function* (after) {
        if (after === 0n) yield batch
        await new Promise(resolve => ending.signal.addEventListener('abort', resolve, { once: true }))
      },
    },
    clock,
    signal: ending.signal,
    onError: error => t.fail(String(error)),
  })
  t.ok(await list.reached(400n, 20_000))
  let found = 0
  for (let n = 0; n < 20_000; n += 1) {
    const asked = address()
    const expected = oracle.check(asked, isIPv4(asked) ? 'ipv4' : 'ipv6')
    if (expected) found += 1
    if ((list.address(asked) !== undefined) !== expected) t.fail(`${asked}: ${expected}`)
  }
  t.ok(found > 1_000 && found < 19_000, `${found} of 20,000 are blocked`)
  t.equal(list.address('::ffff:1.2.3.4') === undefined, list.address('1.2.3.4') === undefined)
  const some = [...last.values()].find(({ data, prefix }) => prefix === 32 && (ends[data.target] ?? 0) > time)
  t.ok(some && list.address(`${some.plain}:443`), 'with its port')
  const six = [...last.values()].find(({ data, plain }) => plain.includes(':') && (ends[data.target] ?? 0) > time)
  t.ok(six && list.address(`[${six.plain}]:443`) && list.address(`[${six.plain}]`))
  t.equal(list.address('not an address'), undefined)
  const pages = [list.page(undefined, 10)]
  for (let page = pages[0]; page?.next !== undefined; page = pages.at(-1)) pages.push(list.page(page.next, 100))
  const listed = pages.flatMap(each => each.blocks.map(({ id }) => id))
  t.equal(listed.length, new Set(listed).size)
  t.equal(listed.length, [...last.values()].filter(({ data }) => (ends[data.target] ?? 0) > time).length)
  t.equal(readAddress('1.2.3.4')?.family, 4)
})

t.test('a download that runs is cut; one that goes on after its address was blocked does not begin', async t => {
  let blocked = false
  let changed: () => void = () => undefined
  const list = {
    address: () => (blocked ? { until: Number.POSITIVE_INFINITY } : undefined),
    account: () => undefined,
    isEmpty: () => !blocked,
    onChange: (listener: () => void) => {
      changed = listener
    },
  }
  const exportEntries = async function* () {
    yield { items: [], cursor: { generation: '1.1', key: [''] }, position: 0n }
    yield { items: [], cursor: { generation: '1.1', key: [''] }, position: 0n }
    await new Promise(() => undefined)
  }
  const edge = await openEdge(t, { queries: { exportEntries }, deps: { blocks: list } })
  // Compressed, so little would wait for more.
  const headers = { 'accept-encoding': 'identity' }
  const running = await fetch(`${edge.url}/v1/entries/export`, { headers })
  t.equal(running.status, 200)
  const reader = running.body?.getReader()
  t.match(new TextDecoder().decode((await reader?.read())?.value), /"count":0/)
  const rest = reader?.read().then(
    () => 'more',
    () => 'cut',
  )
  blocked = true
  changed()
  t.equal(await rest, 'cut')
  t.equal((await fetch(`${edge.url}/v1/entries/export`)).status, 403)
})

t.test('at the edge: refused before anything else, on every node, and what runs is ended', async t => {
  const folder = temporaryFolder(t)
  const env = { LEXICHRON_TRUSTED_PROXIES: '127.0.0.1,10.1.0.0/16' }
  const shared = { folder, clock: fakeClock() }
  const app = await openTestApp(t, env, shared)
  const other = await openTestApp(t, env, shared)
  const api = await openApi(app.url)
  const admin = await app.token('admin')
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const add = (body: object, more = {}) => api('POST', '/v1/blocks', { as: admin, body, headers: more })
  const get = (url: string, address: string, path = '/v1/entries') => fetch(url + path, { headers: from(address) })
  const seen = api.codes

  const added = await add({ target: '203.0.113.7', reason: 'Floods the search.' })
  t.match(added, { status: 201, json: { kind: 'network', target: '203.0.113.7/32', reason: 'Floods the search.' } })
  const path = added.headers.get('location') ?? ''
  t.match(await api('GET', path, { as: admin }), { status: 200, json: added.json })
  const soon = (url: string, address: string, status: number) =>
    inTime(app, `${address} ${status}`, async saw => {
      const answer = await get(url, address)
      saw(answer.status)
      return answer.status === status
    })
  await soon(other.url, '203.0.113.7', 403)
  await soon(app.url, '203.0.113.7', 403)
  for (const asked of ['/v1/entries', '/health/live', '/nope', '/v1/openapi.json', '/docs', '/v1/live']) {
    const answer = await get(app.url, '203.0.113.7', asked)
    t.equal(answer.status, 403, asked)
    t.match(await answer.json(), { code: 'blocked', type: '/problems/blocked' })
    t.equal(answer.headers.get('retry-after'), null, 'it has no end')
  }
  const bad = await fetch(`${app.url}/v1/entries`, {
    method: 'POST',
    headers: { ...from('203.0.113.7'), 'content-type': 'application/json' },
    body: '{',
  })
  t.equal(bad.status, 403, 'before the body')
  t.equal((await get(app.url, '203.0.113.8')).status, 200)
  t.equal((await get(app.url, '9.9.9.9, 203.0.113.7')).status, 403, 'who is told by the last proxy')
  t.equal((await get(app.url, '203.0.113.7, 9.9.9.9')).status, 200, 'what the client says before it is nothing')
  t.equal((await get(app.url, '::ffff:203.0.113.7')).status, 403)

  const time = shared.clock.now().getTime()
  const ends = new Date(time + 3_600_000).toISOString()
  await add({ target: '2001:db8:1:2::9', reason: 'r', expiresAt: ends })
  const six = await until('the block', async () => {
    const answer = await get(app.url, '2001:db8:1:2:ffff::1')
    return answer.status === 403 && answer
  })
  t.equal(six.headers.get('retry-after'), '3600')
  await add({ target: '2001:db8:1:2::9', reason: 'r', expiresAt: new Date(time + 1_500).toISOString() })
  await soon(app.url, '2001:db8:1:2:ffff::1', 200)

  const { accountId, password } = await app.account('contributor', 'ada@dictionary.example')
  const boss = await app.account('admin', 'boss@dictionary.example')
  const session = await api('POST', '/v1/sessions', { body: { email: 'ada@dictionary.example', password } })
  const ada = String(session.json['accessToken'])
  t.equal((await api('GET', '/v1/me', { as: ada })).status, 200)
  // A socket is refused by a node that has not heard of the session, however patient, where time runs meanwhile.
  await until('the session on the other node', async saw => {
    const asked = fetch(`${other.url}/v1/me`, { headers: { authorization: `Bearer ${ada}` } })
    const { status } = await whileTimeGoes(app, 'an answer', asked, 20)
    saw(status)
    return status === 200
  })
  const closed = (headers: Record<string, string>) =>
    new Promise<{ code: number; ended: Promise<number> }>((resolve, reject) => {
      const ws = new WebSocket(`${other.url.replace('http', 'ws')}/v1/live`, 'lexichron.v1', { headers })
      const ended = new Promise<number>(done => ws.on('close', done))
      ws.on('open', () => resolve({ code: 0, ended })).on('error', reject)
    })
  const both = Promise.all([
    closed({ ...from('198.51.100.1') }),
    closed({ ...from('198.51.100.200'), authorization: `Bearer ${ada}` }),
  ])
  const sockets = await whileTimeGoes(app, 'both connections', both)
  const ended = async (at: number) => sockets[at]?.ended
  const stream = await get(other.url, '198.51.100.2', '/v1/live/entries')
  const spared = await get(other.url, '198.51.101.2', '/v1/live/entries')
  const read = (answer: Response) =>
    answer.text().then(
      () => 'ended',
      () => 'cut',
    )
  const cut = read(stream)
  await add({ target: '198.51.100.0/26', reason: 'r' })
  t.equal(await whileTimeGoes(app, 'the end of a connection', ended(0)), 1008)
  t.equal(await whileTimeGoes(app, 'the end of a stream', cut), 'cut')
  t.equal((await add({ target: accountId, reason: 'Spam.', expiresAt: ends })).status, 201)
  t.equal(await whileTimeGoes(app, 'the end of a connection', ended(1)), 1008)
  const blocked = await askUntil(
    'the block',
    () => api('GET', '/v1/me', { as: ada }),
    ({ status, code }) => status === 403 && code === 'blocked',
  )
  t.ok(blocked.headers.get('retry-after'))
  t.equal((await api('GET', '/v1/entries', {})).status, 200, 'a stranger at the same address is served')
  const waiting = read(spared)
  t.equal(await Promise.race([waiting, get(app.url, '198.51.101.2').then(() => 'open')]), 'open', 'others go on')
  await spared.body?.cancel().catch(() => undefined)

  for (const [body, code, headers] of [
    [{ target: 'nobody', reason: 'r' }, 'block-target-invalid', {}],
    [{ target: '0.0.0.0/0', reason: 'r' }, 'block-too-wide', {}],
    [{ target: '192.0.2.1', reason: 'r', expiresAt: '2001-01-01T00:00:00Z' }, 'block-past', {}],
    [{ target: '192.0.2.0/24', reason: 'r' }, 'block-protected', from('192.0.2.99')],
    [{ target: '10.0.0.0/8', reason: 'r' }, 'block-protected', {}],
    [{ target: '10.1.2.3', reason: 'r' }, 'block-protected', {}],
    [{ target: boss.accountId, reason: 'r' }, 'block-protected', {}],
    [{ target: otherIdOf(accountId), reason: 'r' }, 'account-not-found', {}],
    [{ target: '192.0.2.1', reason: ' ' }, 'reason-required', {}],
    [{ target: '192.0.2.1', reason: 'a\u202e' }, 'text-invalid', {}],
    [{ target: '192.0.2.1' }, 'validation', {}],
  ] as const)
    t.equal((await add(body, headers)).code, code, JSON.stringify(body))
  t.equal(
    (await api('DELETE', '/v1/blocks/00000000-0000-8000-8000-000000000000', { as: admin })).code,
    'block-not-found',
  )

  const soonOver = { reason: 'A test.', expiresAt: new Date(shared.clock.now().getTime() + 1_000).toISOString() }
  t.equal((await api('PUT', `/v1/accounts/${accountId}/roles/admin`, { as: admin, body: soonOver })).status, 200)
  t.equal((await add({ target: accountId, reason: 'Spam again.', expiresAt: ends })).code, 'block-protected')
  await shared.clock.advance(1_000)
  t.equal((await add({ target: accountId, reason: 'Spam again.', expiresAt: ends })).status, 201, 'the grant has ended')
  t.equal(
    (await api('PUT', `/v1/accounts/${accountId}/roles/admin`, { as: admin, body: { reason: 'A test.' } })).status,
    200,
  )
  const alone = await api('DELETE', `/v1/accounts/${boss.accountId}/roles/admin`, {
    as: admin,
    body: { reason: 'A test.' },
  })
  t.equal(alone.code, 'last-administrator', 'one that is blocked is no administrator who stays')

  const first = await api('GET', '/v1/blocks?limit=2', { as: admin })
  const rest = await api('GET', `/v1/blocks?limit=2&cursor=${first.json['next']}`, { as: admin })
  const items = [first, rest].flatMap(({ json }) => (Array.isArray(json['items']) ? json['items'] : []))
  t.same(
    items.map(each => Object(each).target),
    [accountId, '198.51.100.0/26', '203.0.113.7/32'],
    'newest first, without what has ended',
  )
  t.equal(rest.json['next'], null)
  t.match(await api('GET', '/v1/blocks?cursor=x', { as: admin }), { code: 'cursor-invalid' })
  t.equal((await api('DELETE', path, { as: admin })).status, 204)
  t.equal((await api('DELETE', path, { as: admin })).status, 204, 'once more')
  await soon(app.url, '203.0.113.7', 200)
  t.match(await api('GET', path, { as: admin }), { code: 'block-not-found' })
  t.match(await api('GET', '/health', { as: admin }), {
    json: { parts: { blocks: { state: 'ok', detail: { blocks: 2 } } } },
  })
  t.same(
    [...Object.keys(accessProblems).filter(code => code.startsWith('block-')), 'blocked'].filter(
      code => !seen.has(code),
    ),
    [],
  )
  t.same(api.faults, [])

  await app.close()
  await other.close()
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(each => /\.db/.test(each)))
    t.notMatch(readFileSync(join(folder, name)).toString('latin1'), /198\.51\.100|203\.0\.113|Floods the search/, name)
  const again = await openTestApp(t, env, shared)
  t.equal((await get(again.url, '198.51.100.3')).status, 403, 'from the first request on')
})
