/** The live feed's edge under strangers, and over real processes that share a data folder and are killed. */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { WebSocket } from 'ws'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { openTickets, TICKET_MS } from '../../src/adapters/ws/tickets.ts'
import type { ReadStore } from '../../src/ports/read-store.ts'
import { openTestApp } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { draft, tokenOf } from '../support/nodes.ts'
import { holdsAsync } from '../support/property.ts'
import { startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

type Message = Readonly<Record<string, unknown>>

const connect = async (url: string, headers: Readonly<Record<string, string>> = {}, query = '') => {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/live${query}`, 'lexichron.v1', { headers: { ...headers } })
  const messages: Message[] = []
  let closed: number | undefined
  let refused: number | undefined
  ws.on('message', data => messages.push(Object(JSON.parse(String(data)))))
  ws.on('close', code => {
    closed = code
  })
  ws.on('unexpected-response', (_request, response) => {
    refused = response.statusCode
    ws.terminate()
  })
  ws.on('error', () => undefined)
  await until('an answer to the upgrade', async () => (ws.readyState === ws.CONNECTING ? undefined : true))
  const find = (what: (message: Message) => boolean) => until('a message', async () => messages.find(what))
  return { ws, messages, find, refused, closed: () => until('the close', async () => closed) }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const entryIds = (messages: readonly Message[]): readonly unknown[] =>
  messages.filter(each => each['op'] === 'event').map(each => Object(each['data'])['entryId'])

t.test('whoever has no place left is told so before the upgrade', async t => {
  const app = await openTestApp(t, { LIMIT_SOCKETS: '2' })
  const [one, two, three] = [await connect(app.url), await connect(app.url), await connect(app.url)]
  t.strictSame([one.refused, two.refused, three.refused], [undefined, undefined, 429])
  const known = await connect(app.url, bearer(await app.token('reader')))
  t.equal(known.refused, undefined, 'an account has places of its own')
  one.ws.close()
  await one.closed()
  const next = await until('the place given back', async () => {
    const again = await connect(app.url)
    return again.refused === undefined ? again : undefined
  })
  for (const each of [two, known, next]) each.ws.terminate()
})

t.test('an offer of another protocol, or at another address, is an ordinary request', async t => {
  const app = await openTestApp(t)
  const ask = async (path: string, upgrade: string) => {
    const headers = {
      ...{ connection: 'Upgrade', upgrade, 'sec-websocket-version': '13', 'sec-websocket-protocol': 'lexichron.v1' },
      'sec-websocket-key': randomBytes(16).toString('base64'),
    }
    const asking = request(app.url + path, { headers }).end()
    asking.on('upgrade', (_response, socket) => socket.destroy())
    const [response] = await Promise.race([once(asking, 'response'), once(asking, 'upgrade')])
    response.resume()
    return response.statusCode
  }
  t.equal(await ask('/v1/entries', 'h2c'), 200)
  t.equal(await ask('/v1/entries', 'websocket'), 200)
  t.equal(await ask('/v1/live', 'h2c'), 426)
  t.equal(await ask('/v1/live', 'websocket'), 101)
})

t.test('a page of the same origin may come with cookies; another one may not, whatever else it sends', async t => {
  const app = await openTestApp(t)
  const token = await app.token('reader')
  const cookie = 'theme=dark'
  const same = await connect(app.url, { cookie, origin: app.url })
  t.equal(same.refused, undefined)
  same.ws.terminate()
  for (const origin of ['http://evil.example', 'null', `${app.url}.evil.example`])
    t.equal((await connect(app.url, { cookie, origin, ...bearer(token) })).refused, 403, origin)
})

t.test('pings without end are too many messages', async t => {
  const app = await openTestApp(t)
  const client = await connect(app.url)
  let pongs = 0
  client.ws.on('pong', () => {
    pongs += 1
  })
  // Each part is answered before the next, so that it is not the library's bound on open pongs that ends it.
  for (let sent = 0; sent < 1000 && client.ws.readyState === client.ws.OPEN; sent += 25) {
    for (let n = 0; n < 25; n += 1) client.ws.ping()
    await until('pongs', async () => (pongs >= sent + 25 || client.ws.readyState !== client.ws.OPEN ? true : undefined))
  }
  t.equal(await client.closed(), 1008)
})

t.test('nothing that a client may say is answered with more than an error', async t => {
  const app = await openTestApp(t)
  const text = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc
      .record({
        op: fc.oneof(fc.constantFrom('subscribe', 'unsubscribe', 'ack', 'ping', '__proto__'), fc.jsonValue()),
        id: fc.oneof(fc.string(), fc.jsonValue()),
        channel: fc.oneof(fc.constantFrom('entries', 'events', 'constructor'), fc.jsonValue()),
        filter: fc.oneof(fc.constant({}), fc.jsonValue()),
        after: fc.oneof(fc.base64String(), fc.jsonValue()),
      })
      .map(value => JSON.stringify(value)),
  )
  await holdsAsync(
    fc.asyncProperty(fc.array(text, { minLength: 30, maxLength: 60 }), async said => {
      const client = await connect(app.url)
      for (const each of said) client.ws.send(each)
      client.ws.send('{"op":"unsubscribe","id":"the end"}')
      await client.find(each => each['id'] === 'the end')
      t.ok(client.messages.every(each => typeof each['op'] === 'string' && each['code'] !== 'unavailable'))
      client.ws.terminate()
    }),
    10,
  )
})

t.test('who listens to the log itself is in the log', async t => {
  const app = await openTestApp(t)
  const token = await app.token('auditor')
  const records = async (): Promise<readonly unknown[]> => {
    const answer = await fetch(`${app.url}/v1/events?type=HistoryOpened`, { headers: bearer(token) })
    return Object(await answer.json())['items']
  }
  const opened = async (): Promise<number> => (await records()).length
  const client = await connect(app.url, bearer(token))
  client.ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel: 'entries' }))
  await client.find(each => each['id'] === 'a')
  t.equal(await opened(), 0, 'what everybody may see is nobody’s business')
  client.ws.send(JSON.stringify({ op: 'subscribe', id: 'b', channel: 'events', filter: { language: 'en' } }))
  await client.find(each => each['id'] === 'b')
  await until('the record', async () => ((await opened()) === 1 ? true : undefined))
  t.match(await records(), [{ data: { filters: { language: 'en', order: 'asc' } } }], 'with all of its filter')
  const stream = await fetch(`${app.url}/v1/live/events?category=token`, {
    headers: { ...bearer(token), accept: 'text/event-stream' },
  })
  t.equal(stream.status, 200)
  for (const [query, pointer] of [
    ['name=entries', '/name'],
    [`category=${'x'.repeat(101)}`, '/category'],
  ] as const) {
    const bad = await fetch(`${app.url}/v1/live/events?${query}`, {
      headers: { ...bearer(token), accept: 'text/event-stream' },
    })
    t.match([bad.status, await bad.json()], [400, { code: 'validation', errors: [{ pointer }] }], query)
  }
  await until('and of the other kind', async () => ((await opened()) === 2 ? true : undefined))
  await stream.body?.cancel()
  client.ws.terminate()
})

t.test('a ticket is used once over all processes, and not after thirty seconds', async t => {
  const path = join(temporaryFolder(t), 'read.db')
  const clock = fakeClock()
  const [one, two] = await Promise.all([1, 2].map(() => openSqliteReadStore({ path, clock })))
  if (!one || !two) throw new Error('the read store did not open')
  t.teardown(() => Promise.all([one.close(), two.close()]))
  const node = (records: ReadStore) => openTickets({ records, secret: Buffer.alloc(32, 7), clock, newId: randomUUID })
  const [a, b] = [node(one), node(two)]
  const { ticket } = a.issue('credential')
  const uses = await Promise.all([a, b, a, b].map(each => each.redeem(ticket)))
  t.strictSame(uses.toSorted(), ['credential', undefined, undefined, undefined])
  const late = b.issue('credential').ticket
  await clock.advance(TICKET_MS - 1)
  const [body = '', mac = ''] = late.split('.')
  t.equal(await a.redeem(`${body}.${Buffer.alloc(32).toString('base64url')}`), undefined, 'forged')
  t.equal(await a.redeem(`${body}x.${mac}`), undefined)
  await clock.advance(1)
  t.equal(await a.redeem(late), undefined, 'expired')

  await a.sweep()
  t.equal((await one.records('ticket:')).size, 1, 'the use of the first is remembered')
  await clock.advance(10 * TICKET_MS + 1)
  await b.sweep()
  t.equal((await one.records('ticket:')).size, 0, 'and forgotten when no clock takes the ticket any more')
})

t.test('a listener follows killed nodes on one data folder: no gap, no repeat, and tickets hold on all', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  const [a, b] = [await startService(t, folder), await startService(t, folder)]
  const write = async (url: string, lemma: string): Promise<unknown> => {
    const response = await draft(url, token, lemma, lemma)
    if (response.status !== 201) throw new Error(await response.text())
    return Object(await response.json())['id']
  }
  const post = { method: 'POST', headers: bearer(token) }
  const { ticket } = Object(await (await fetch(`${a.url}/v1/live/tickets`, post)).json())
  const first = await connect(b.url, {}, `?ticket=${ticket}`)
  t.equal(first.refused, undefined, 'made on one node, used on the other')
  t.equal((await connect(a.url, {}, `?ticket=${ticket}`)).refused, 401)
  const subscribe = { op: 'subscribe', id: 'a', channel: 'entries' }
  first.ws.send(JSON.stringify(subscribe))
  await first.find(each => each['op'] === 'caught-up')
  const written = [await write(a.url, 'one'), await write(b.url, 'two')]
  await until('both', async () => (entryIds(first.messages).length >= 2 ? true : undefined))
  const after = first.messages.findLast(each => each['op'] === 'event')?.['after']
  await b.stop('SIGKILL')
  t.equal(await first.closed(), 1006)
  written.push(await write(a.url, 'three'))
  const c = await startService(t, folder)
  const second = await connect(c.url, bearer(token))
  second.ws.send(JSON.stringify({ ...subscribe, after }))
  for (let n = 0; n < 20; n += 1) written.push(await write(n % 2 ? a.url : c.url, `more ${n}`))
  await until('the rest', async () => (entryIds(second.messages).length >= 21 ? true : undefined))
  t.strictSame([...entryIds(first.messages), ...entryIds(second.messages)], written)
  const left = second.closed()
  t.equal(await c.stop(), 0)
  t.equal(await left, 1012)
  await a.stop()
  t.notMatch(a.output.out + a.output.err + c.output.out + c.output.err, ticket, 'no log has the ticket')
})
