/** The live feed's fan-out against raw TCP writes of the same bytes, by the server's CPU, and what a connection holds. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type BenchOptions, type BenchRow, interleave, main, median, ratioOf } from './bench.ts'

const child = fileURLToPath(new URL('./servers/live.ts', import.meta.url))
type Answer = { readonly port: number; readonly cpu: number; readonly bytes: number; readonly used: number }

const answerOf = async (server: ChildProcess): Promise<Answer> => {
  const [answer] = await once(server, 'message', { signal: AbortSignal.timeout(60_000) })
  return answer
}

const start = async (mode: string, size: number) => {
  const server = fork(child, [mode, String(size)], { execArgv: ['--expose-gc'] })
  const { port } = await answerOf(server)
  const send = (events: number): Promise<Answer> => {
    const answer = answerOf(server)
    server.send({ events })
    return answer
  }
  return { port, send, stop: () => server.kill('SIGKILL') }
}

const handshake = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n')

/** A client's frame is masked (RFC 6455, 5.3); a mask of zeros leaves the text as it is. */
const subscription = (id: string): Buffer => {
  const text = Buffer.from(`{"op":"subscribe","id":"${id}","channel":"entries"}`)
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text])
}

const listener = async (port: number, id: string | undefined): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  if (id === undefined) return socket.resume()
  socket.write(Buffer.concat([Buffer.from(handshake), subscription(id)]))
  let heard = ''
  for await (const part of socket.iterator({ destroyOnReturn: false })) {
    heard += String(part)
    if (heard.includes('caught-up')) break
  }
  return socket.resume()
}

type Ids = 'one' | 'each' | 'none'
const idOf = (ids: Ids, n: number): string | undefined =>
  ids === 'none' ? undefined : ids === 'one' ? 'aaaaaa' : `a${10_000 + n}`

const listen = async (port: number, count: number, ids: Ids): Promise<readonly Socket[]> => {
  const sockets: Socket[] = []
  while (sockets.length < count)
    sockets.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(100, count - sockets.length) }, (_, n) =>
          listener(port, idOf(ids, sockets.length + n)),
        ),
      )),
    )
  return sockets
}

const fanOut = async (
  count: number,
  most: number,
  quick: boolean,
  ids: 'one' | 'each' = 'one',
): Promise<readonly BenchRow[]> => {
  const feed = await start('feed', 0)
  const opened: Socket[] = []
  const stops = [feed.stop]
  try {
    const idle = await feed.send(0)
    opened.push(...(await listen(feed.port, count, ids)))
    const held = (await feed.send(0)).used - idle.used
    const size = Math.round((await feed.send(1)).bytes / count)
    if (size < 300) throw new Error('the feed sent nothing')
    const raw = await start('raw', size)
    stops.push(raw.stop)
    opened.push(...(await listen(raw.port, count, 'none')))
    const events = quick ? 5 : Math.round(50_000 / count)
    await Promise.all([feed.send(events), raw.send(events)])
    const cpu = await interleave(quick ? 1 : 5, {
      feed: async () => {
        const { cpu, bytes } = await feed.send(events)
        if (bytes < events * count * size) throw new Error('the feed left some events out')
        return cpu
      },
      raw: async () => (await raw.send(events)).cpu,
    })
    const [ours, peer] = [cpu.get('feed') ?? [], cpu.get('raw') ?? []]
    const each = (all: readonly number[]) => ((median(all) * 1000) / events / count).toFixed(2)
    const ratio = ratioOf(peer, ours)
    return [
      {
        work: `live fan-out to ${count} sockets${ids === 'each' ? ', each with an id of its own' : ''}`,
        against: 'raw TCP writes of the same bytes',
        ratio,
        ours: `${each(ours)} us`,
        peer: `${each(peer)} us`,
        reach: '>= 0.95',
        met: ratio >= 0.95,
        note: `CPU of the server a message and socket, ${size} bytes`,
      },
      {
        work: `memory a connection at ${count}`,
        against: '',
        peer: '',
        reach: `<= ${most} KB`,
        ours: `${(held / count / 1024).toFixed(1)} KB`,
        met: held / count / 1024 <= most,
        note: 'heap and buffers of the hub and its sockets, after a collection',
      },
    ]
  } finally {
    for (const socket of opened) socket.destroy()
    for (const stop of stops) stop()
  }
}

export const run = async ({ quick }: BenchOptions): Promise<readonly BenchRow[]> => [
  ...(await fanOut(quick ? 100 : 1000, 25, quick)),
  ...(quick ? [] : await fanOut(1000, 25, quick, 'each')),
  ...(quick ? [] : await fanOut(5000, 10, quick)),
]

await main(import.meta, run)
