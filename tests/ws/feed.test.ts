/** The connections of a node on a clock that the test moves: heartbeats, credentials that end, places, readers that take nothing. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { openEventStream } from '../../src/adapters/ws/event-stream.ts'
import { openLiveFeed } from '../../src/adapters/ws/feed.ts'
import { textFrame } from '../../src/adapters/ws/frames.ts'
import { areas } from '../../src/app/areas.ts'
import { channelsOf } from '../../src/app/declared.ts'
import type { LiveSink } from '../../src/core/live/transport.ts'
import { openMemory } from '../../src/core/memory/memory.ts'
import type { Permission } from '../../src/domain/roles.ts'
import { fakeClock } from '../support/clocks.ts'
import { anonymousPermissions, permissionsOf } from '../support/roles.ts'
import { until } from '../support/until.ts'

type Standing = ReadonlySet<Permission> | 'ended' | 'unknown'

const open = async (
  t: { teardown(fn: () => unknown): unknown; fail(message: string, more: object): unknown },
  { total = 100, away = false, replays = true, memory = openMemory(64 * 1024 * 1024) } = {},
) => {
  const clock = fakeClock()
  const ending = new AbortController()
  const standings = new Map<string, Standing>()
  const sinks: LiveSink[] = []
  const feed = openLiveFeed({
    recorded: async () => undefined,
    channels: channelsOf(areas),
    hub: {
      subscribe: (_asked, sink) => {
        sinks.push(sink)
        return replays ? () => undefined : undefined
      },
      stats: () => ({ subscriptions: sinks.length, groups: 0, replays: 0, replayed: 0, messages: 0, position: 0n }),
      done: Promise.resolve(),
    },
    clock,
    total,
    most: 2,
    buffer: memory.live,
    signal: ending.signal,
    tickets: {
      issue: () => ({ ticket: '', expiresAt: '' }),
      redeem: async () => undefined,
      sweep: async () => undefined,
    },
    readAfter: async () => {
      if (away) throw new Error('the log is away')
      return { position: 0n, mark: '' }
    },
    now: async () => ({ token: 'x', place: { position: 0n, mark: '' } }),
    readFilter: () => ({}),
    standing: credential => standings.get(credential) ?? anonymousPermissions,
    lost: () => standings.get('node') === 'unknown',
    onError: error => {
      if (!away) t.fail('the feed complained', { error })
    },
  })
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const sockets: Socket[] = []
  server.on('connection', (ws, request) => {
    sockets.push(request.socket)
    const id = request.url?.slice(1) ?? ''
    const credential = id === '' ? {} : { credential: { id } }
    feed.connect(
      ws,
      request.socket,
      { permissions: anonymousPermissions, counted: 'here', ...credential },
      () => undefined,
    )
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  t.teardown(() => {
    ending.abort()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const connect = async (credential = '', options: { readonly autoPong?: boolean } = {}) => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/${credential}`, options)
    let code: number | undefined
    let pings = 0
    ws.on('close', given => {
      code = given
    })
    ws.on('ping', () => {
      pings += 1
    })
    const before = feed.stats().open
    await once(ws, 'open')
    await until('the connection counted', () => feed.stats().open > before)
    return { ws, code: () => code, pings: () => pings, closed: () => until('the close', () => code !== undefined) }
  }
  const subscribe = async (ws: WebSocket) => {
    const before = sinks.length
    ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel: 'entries' }))
    await until('the subscription', () => sinks.length > before)
    const sink = sinks.at(-1)
    if (!sink) throw new Error('no sink')
    return sink
  }
  return { clock, feed, standings, connect, subscribe }
}

t.test('a connection ends with its token, and with a node that cannot say whether it holds', async t => {
  const { clock, standings, connect, feed } = await open(t)
  const [ended, lost, stranger] = [await connect('one'), await connect('two'), await connect()]
  await clock.advance(500)
  t.strictSame([ended.code(), lost.code(), stranger.code()], [undefined, undefined, undefined])
  standings.set('one', 'ended').set('two', 'unknown')
  await clock.advance(500)
  await ended.closed()
  await lost.closed()
  t.strictSame([ended.code(), lost.code(), stranger.code()], [1008, 1013, undefined])
  await until('the count', () => feed.stats().open === 1)
  stranger.ws.terminate()
})

t.test('a node that has lost the log sends everybody away, and takes nobody', async t => {
  const { clock, standings, connect, feed } = await open(t)
  const stranger = await connect()
  standings.set('node', 'unknown')
  await clock.advance(500)
  await stranger.closed()
  t.equal(stranger.code(), 1013)
  t.equal(feed.full('anybody'), 'node')
})

t.test('a connection whose rights changed is sent away to have all of them judged anew', async t => {
  const { clock, standings, connect } = await open(t)
  const [same, changed] = [await connect('one'), await connect('two')]
  standings.set('one', new Set(anonymousPermissions)).set('two', permissionsOf('editor'))
  await clock.advance(500)
  await changed.closed()
  t.strictSame([same.code(), changed.code()], [undefined, 1012], 'equal rights are the same rights')
  same.ws.terminate()
})

t.test('two pings in a row without an answer end a connection; an answer counts for all before it', async t => {
  const { clock, connect } = await open(t)
  const [mute, sound] = [await connect('', { autoPong: false }), await connect()]
  for (const beat of [1, 2]) {
    // Looked at every half second, pinged every 25.
    await clock.advance(25_000)
    await until('the ping', () => mute.pings() === beat && sound.pings() === beat)
    t.equal(mute.code(), undefined)
  }
  mute.ws.pong()
  const answered = mute.pings()
  // The answer is on its way: what comes back after it shows that it has arrived.
  mute.ws.send(JSON.stringify({ op: 'ping' }))
  await once(mute.ws, 'message')
  for (const beat of [1, 2]) {
    await clock.advance(25_000)
    await until('the ping', () => mute.pings() === answered + beat)
  }
  t.equal(mute.code(), undefined)
  await clock.advance(25_000)
  await mute.closed()
  t.equal(mute.code(), 1006, 'nobody is there to say goodbye to')
  t.equal(sound.code(), undefined)
  sound.ws.terminate()
})

t.test('places: each listener has so many, the node has so many, and what is given back is there again', async t => {
  const { feed } = await open(t, { total: 3 })
  const places = [feed.place('a'), feed.place('a'), feed.place('a'), feed.place('b'), feed.place('c')]
  t.strictSame(
    places.map(each => (typeof each === 'string' ? each : 'taken')),
    ['taken', 'taken', 'listener', 'taken', 'node'],
  )
  const [first] = places
  if (typeof first !== 'function') throw new Error('no place')
  first()
  first()
  t.type(feed.place('c'), 'function')
  t.equal(feed.full('d'), 'node', 'a place given back twice is one place')
})

t.test('what waits for a reader is bounded, within one batch too, and it is told 1013', async t => {
  const { feed, connect, subscribe } = await open(t)
  const reader = await connect()
  const sink = await subscribe(reader.ws)
  const message = textFrame('x'.repeat(100_000))
  let arrived = 0
  reader.ws.on('message', () => {
    arrived += 1
  })
  for (let sent = 0; sent < 9; sent += 1) sink.send(message)
  sink.flush()
  await until('all of it', () => arrived === 9)
  t.equal(feed.stats().slow, 0, 'who reads is not slow')
  // A batch of which nothing can be taken meanwhile: this process does not come to it before the batch ends.
  reader.ws.pause()
  const sent = () => feed.stats().sentBytes
  const before = sent()
  for (let count = 0; count < 200 && feed.stats().slow === 0; count += 1) sink.send(message)
  t.equal(feed.stats().slow, 1)
  t.ok(sent() - before < 20_000_000, `${sent() - before} bytes were handed on`)
  reader.ws.resume()
  await reader.closed()
  t.equal(reader.code(), 1013)
})

t.test('what waits for all readers of a node is bounded: who takes nothing goes, and who reads stays', async t => {
  const memory = openMemory(3_200_000)
  const live = () => memory.report().find(({ part }) => part === 'live')
  const limit = live()?.limit ?? 0
  const { feed, connect, subscribe } = await open(t, { memory })
  const [slow, reads] = [await connect(), await connect()]
  const [toSlow, toReader] = [await subscribe(slow.ws), await subscribe(reads.ws)]
  const message = textFrame('x'.repeat(50_000))
  slow.ws.pause()
  for (let count = 0; count < 400 && feed.stats().slow === 0; count += 1) toSlow.send(message)
  t.equal(feed.stats().slow, 1)
  t.equal(live()?.full, 1, 'for want of room on the node, long before what one may have waiting')
  t.ok((live()?.bytes ?? 0) <= limit, `${live()?.bytes} of ${limit}`)
  slow.ws.resume()
  await slow.closed()
  await until('its bytes given back', () => live()?.bytes === 0)

  // As others fill it: one that has more waiting than this one ever has.
  const other = memory.live.account(() => undefined)
  other.hold(limit)
  let arrived = 0
  reads.ws.on('message', () => {
    arrived += 1
  })
  for (let sent = 1; sent <= 5; sent += 1) {
    toReader.send(message)
    toReader.flush()
    await until('the message', () => arrived === sent)
  }
  t.equal(feed.stats().slow, 1, 'who has taken all until now is not sent away')
  other.hold(0)
  reads.ws.terminate()
  await until('nothing to wait', () => live()?.bytes === 0)
})

t.test('an event stream gives back what its reader took, and all of it at its end', async t => {
  const memory = openMemory(3_200_000)
  const live = () => memory.report().find(({ part }) => part === 'live')
  const counters = { open: 0, opened: 0, received: 0, sentBytes: 0, pendingBytes: 0, slow: 0, refused: 0 }
  const clock = fakeClock()
  const first = openEventStream(clock, { counters, buffer: memory.live }, 'here')
  first.sink.send(Buffer.alloc(50_000))
  t.equal(live()?.bytes, 50_000)
  first.body.resume()
  await until('what it took to be given back', () => live()?.bytes === 0)
  const second = openEventStream(clock, { counters, buffer: memory.live }, 'here')
  for (let count = 0; count < 100 && counters.slow === 0; count += 1) second.sink.send(Buffer.alloc(50_000))
  t.equal(live()?.full, 1)
  t.equal(counters.slow, 1)
  await until('its bytes given back', () => live()?.bytes === 0)
  first.end()
})

t.test('who resumes as often as is allowed is told so, and no subscription is kept', async t => {
  const { feed, connect } = await open(t, { replays: false })
  const reader = await connect()
  const messages: unknown[] = []
  reader.ws.on('message', text => messages.push(JSON.parse(String(text))))
  for (const op of ['subscribe', 'unsubscribe'])
    reader.ws.send(JSON.stringify({ op, id: 'a', ...(op === 'subscribe' && { channel: 'entries', after: 'a token' }) }))
  await until('both answers', () => messages.length === 2)
  t.match(messages, [
    { op: 'error', id: 'a', code: 'too-many-replays', pointer: '/after' },
    { op: 'error', id: 'a', code: 'id-unknown' },
  ])
  reader.ws.terminate()
  const channel = feed.channels.find('entries')
  if (!channel) throw new Error('There is no channel entries.')
  let released = 0
  const release = () => {
    released += 1
  }
  const before = feed.stats().opened
  const listener = { permissions: anonymousPermissions, counted: 'here' }
  t.equal(feed.stream({ channel, filter: {} }, listener, release), 'too-many-replays')
  t.strictSame([released, feed.stats().opened], [1, before], 'its place is given back, once')
})

t.test(
  'who resumes at a node that cannot read its position now is told so and sent away, not left to wait',
  async t => {
    const { feed, connect } = await open(t, { away: true })
    const reader = await connect()
    const messages: unknown[] = []
    reader.ws.on('message', text => messages.push(JSON.parse(String(text))))
    reader.ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel: 'entries', after: 'a position' }))
    await reader.closed()
    t.match(messages, [{ op: 'error', code: 'unavailable' }])
    t.equal(reader.code(), 1013)
    await until('the place to be given back', () => feed.stats().open === 0)
  },
)
t.test('at the end of the node all are told to come back; who takes nothing is cut after five seconds', async t => {
  const { clock, feed, connect } = await open(t)
  const [goes, stays] = [await connect(), await connect()]
  stays.ws.pause()
  let closed = false
  const closing = feed.close().then(() => {
    closed = true
  })
  t.equal(feed.place('a'), 'node', 'nobody is let in any more')
  await goes.closed()
  t.equal(goes.code(), 1012)
  await until('the count', () => feed.stats().open === 1)
  await clock.advance(4_999)
  t.strictSame([feed.stats().open, closed], [1, false], 'it may still take what it was sent')
  await clock.advance(1)
  await until('the count', () => feed.stats().open === 0)
  await clock.advance(20)
  await closing
  stays.ws.terminate()
})
