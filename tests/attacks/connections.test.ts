/** Connections that one address opens and keeps: bounded for each, and ended when their time is over, whatever the client sends. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { openPlaces, openTrust } from '../../src/adapters/http/connections.ts'
import { defaultLimits } from '../../src/adapters/http/limits.ts'
import { openTestApp } from '../support/app.ts'
import { openEdge } from '../support/edge.ts'
import { connectLive } from '../support/live-client.ts'
import { until } from '../support/until.ts'

type Held = { readonly socket: Socket; heard(): string; isClosed(): boolean }

/** A connection of an address of this machine that says something and is not ended by this side. */
const hold = async (url: string, from: string, said = ''): Promise<Held> => {
  const { hostname: host, port } = new URL(url)
  const socket = connect({ host, port: Number(port), localAddress: from, allowHalfOpen: true })
  let heard = ''
  let isClosed = false
  socket.on('error', () => undefined)
  socket.on('data', bytes => {
    heard += String(bytes)
  })
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('end', () => {
    // Of one that the server has cut this is the first that is heard.
    if (heard === '') socket.destroy()
  })
  await once(socket, 'connect')
  socket.write(said)
  return { socket, heard: () => heard, isClosed: () => isClosed }
}

const PARTIAL = 'GET / HTTP/1.1\r\nhost: x\r\nx-slow: '
const WHOLE = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'

t.test('an address has so many connections, and another one has its own', async t => {
  const { url } = await openTestApp(t, { LEXICHRON_LIMIT_CONNECTIONS: '3' })
  const held: Held[] = []
  t.teardown(() => {
    for (const { socket } of held) socket.destroy()
  })
  for (let n = 0; n < 3; n += 1) held.push(await hold(url, '127.0.0.2', PARTIAL))
  for (let n = 0; n < 5; n += 1) {
    const more = await hold(url, '127.0.0.2', WHOLE)
    await until('it to be closed', more.isClosed)
    t.equal(more.heard(), '', 'without a word')
  }
  t.strictSame(
    held.map(({ isClosed }) => isClosed()),
    [false, false, false],
  )
  const other = await hold(url, '127.0.0.3', WHOLE)
  await until('an answer', () => other.heard().startsWith('HTTP/1.1 200'))
  other.socket.destroy()
  held[0]?.socket.destroy()
  await until('its place', async () => {
    const next = await hold(url, '127.0.0.2', WHOLE)
    await until('an answer or the end', () => next.heard() !== '' || next.isClosed())
    next.socket.destroy()
    return next.heard().startsWith('HTTP/1.1 200')
  })
})

t.test(
  'of a proxy the connections are as many as it needs, and the requests those of the address that it tells',
  async t => {
    const { url } = await openTestApp(t, {
      LEXICHRON_LIMIT_CONNECTIONS: '3',
      LEXICHRON_LIMIT_SOCKETS: '100',
      LEXICHRON_TRUSTED_PROXIES: '127.0.0.0/8',
    })
    const ask = (address: string, path: string) => fetch(url + path, { headers: { 'x-forwarded-for': address } })
    const socket = await connectLive(url, { headers: { 'x-forwarded-for': '2001:db8::1' } })
    t.equal(socket.state.refused, undefined)
    const streams = [await ask('2001:db8::2', '/v1/live/entries'), await ask('2001:db8::3', '/v1/live/entries')]
    t.strictSame(
      streams.map(({ status }) => status),
      [200, 200],
    )
    const refused = await ask('2001:db8::4', '/health/live')
    t.match([refused.status, await refused.json()], [429, { code: 'too-many-connections' }], 'of one /64')
    t.equal((await connectLive(url, { headers: { 'x-forwarded-for': '2001:db8::5' } })).state.refused, 429)
    for (let n = 0; n < 8; n += 1) t.equal((await ask(`2001:db8:0:${n + 1}::1`, '/health/live')).status, 200)
    socket.end()
    await until('the place of the socket', async () => (await ask('2001:db8::4', '/health/live')).status === 200)
    await streams[0]?.body?.cancel()
    await until('the place of the stream', async () => {
      const two = await Promise.all([ask('2001:db8::6', '/v1/live/entries'), ask('2001:db8::7', '/health/live')])
      await two[0].body?.cancel()
      return two.every(({ status }) => status === 200)
    })
    await streams[1]?.body?.cancel()
  },
)

t.test('who is not trusted is counted by the connection, whatever it says of others', async t => {
  const { url } = await openTestApp(t, {
    LEXICHRON_LIMIT_CONNECTIONS: '2',
    LEXICHRON_TRUSTED_PROXIES: '127.0.0.9',
  })
  const forged = (n: number) => PARTIAL.replace('x-slow', `x-forwarded-for: 203.0.113.${n}\r\nx-slow`)
  const held = [await hold(url, '127.0.0.2', forged(1)), await hold(url, '127.0.0.2', forged(2))]
  const more = await hold(url, '127.0.0.2', forged(3))
  await until('it to be closed', more.isClosed)
  for (const { socket } of held) socket.destroy()
})

t.test(
  'headers that do not come to their end: the connection is gone with its answer, and not when the client likes',
  async t => {
    const timeouts = { headersMs: 200, requestMs: 400 }
    const { url } = await openEdge(t, { settings: { limits: defaultLimits, connections: 2, timeouts } })
    for (const said of [PARTIAL, 'POST /v1/entries HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{']) {
      const held = [await hold(url, '127.0.0.2', said), await hold(url, '127.0.0.2', said)]
      await until('the answers', () => held.every(({ heard }) => /^HTTP\/1\.1 4/.test(heard())))
      // It goes on as if nothing had been said, and never ends its side.
      await until('the end of both', () => {
        for (const { socket } of held) if (!socket.destroyed) socket.write('x')
        return held.every(({ isClosed }) => isClosed())
      })
      const next = await hold(url, '127.0.0.2', WHOLE)
      await until('a place', () => next.heard() !== '')
      next.socket.destroy()
      await until('its end', next.isClosed)
    }
  },
)

t.test('places and trust: each once, IPv6 by its /64, names of networks', t => {
  const places = openPlaces(2)
  const first = places.take('2001:db8::1')
  t.ok(first && places.take('2001:db8::ffff:1'))
  t.equal(places.take('2001:db8:0:0:5::'), undefined)
  t.ok(places.take('2001:db8:0:1::1'))
  first?.()
  first?.()
  t.ok(places.take('2001:db8::1'))
  t.equal(places.take('2001:db8::1'), undefined, 'what is given back twice is one place')
  t.ok(places.take('::ffff:192.0.2.1') && places.take('192.0.2.1'))
  t.equal(places.take('192.0.2.1'), undefined, 'mapped or not, it is the same address')
  t.ok(Array.from({ length: 10 }, () => openPlaces(0).take('192.0.2.1')).every(Boolean), '0: no limit')

  const isTrusted = openTrust(['loopback', 'uniquelocal', '203.0.113.7', '2001:db8::/48'])
  for (const address of ['127.3.2.1', '::1', '::ffff:127.0.0.1', '10.1.2.3', 'fd00::1', '203.0.113.7', '2001:db8::9'])
    t.ok(isTrusted?.(address, 0), address)
  for (const address of ['8.8.8.8', '203.0.113.8', '2001:db9::1', 'fe80::1', '', 'nobody'])
    t.notOk(isTrusted?.(address, 0), address)
  t.equal(openTrust([]), undefined)
  t.notOk(openTrust(['2001:db8::1'])?.('2001:db8::2', 0), 'one address is one machine')
  t.end()
})
