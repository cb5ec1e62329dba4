/** The live feed's edge under strangers. */
import { deepEqual } from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { openTickets, TICKET_MS } from '../../src/adapters/ws/tickets.ts'
import type { ReadStore } from '../../src/ports/read-store.ts'
import { openTestApp } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { connectLive as connect } from '../support/live-client.ts'
import { holdsAsync } from '../support/property.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const app = await openTestApp(t)

t.test('whoever has no place left is told so before the upgrade', async t => {
  const { url, token } = await openTestApp(t, { LEXICHRON_LIMIT_SOCKETS: '2' })
  const [one, two, three] = [await connect(url), await connect(url), await connect(url)]
  t.strictSame([one.state.refused, two.state.refused, three.state.refused], [undefined, undefined, 429])
  const known = await connect(url, { headers: bearer(await token('reader')) })
  t.equal(known.state.refused, undefined, 'an account has places of its own')
  one.ws.close()
  await one.closed()
  const next = await until('the place given back', async () => {
    const again = await connect(url)
    return again.state.refused === undefined ? again : undefined
  })
  for (const each of [two, known, next]) each.ws.terminate()
})

t.test('an offer of another protocol, or at another address, is an ordinary request', async t => {
  const ask = async (path: string, upgrade: string) => {
    const headers = {
      connection: 'Upgrade',
      upgrade,
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'lexichron.v1',
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
  const token = await app.token('reader')
  const cookie = 'theme=dark'
  const same = await connect(app.url, { headers: { cookie, origin: app.url } })
  t.equal(same.state.refused, undefined)
  same.ws.terminate()
  for (const origin of ['http://evil.example', 'null', `${app.url}.evil.example`])
    t.equal((await connect(app.url, { headers: { cookie, origin, ...bearer(token) } })).state.refused, 403, origin)
})

t.test('pings without end are too many messages', async t => {
  const client = await connect(app.url)
  let pongs = 0
  client.ws.on('pong', () => {
    pongs += 1
  })
  // Each part is answered before the next, so that it is not the library's bound on open pongs that ends it.
  for (let sent = 0; sent < 1000 && client.ws.readyState === client.ws.OPEN; sent += 25) {
    for (let n = 0; n < 25; n += 1) client.ws.ping()
    await until('pongs', () => pongs >= sent + 25 || client.ws.readyState !== client.ws.OPEN)
  }
  t.equal(await client.closed(), 1008)
})

t.test('nothing that a client may say is answered with more than an error', async () => {
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
      for (const text of said) client.ws.send(text)
      client.ws.send('{"op":"unsubscribe","id":"the end"}')
      await client.find(message => message['id'] === 'the end')
      client.end()
      deepEqual(client.faults, [])
      return client.messages.every(message => message['code'] !== 'unavailable')
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
  const client = await connect(app.url, { headers: bearer(token) })
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
