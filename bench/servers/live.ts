/**
 * One server a process for bench/live.ts: `feed`, the hub and its connections on a log in memory, or `raw`, bare TCP. Told
 * `{events}`, it sends so many to everybody, one a turn, and answers with the CPU that took.
 */

import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { openLiveFeed } from '../../src/adapters/ws/feed.ts'
import { openTickets } from '../../src/adapters/ws/tickets.ts'
import { areas } from '../../src/app/areas.ts'
import { systemClock as clock } from '../../src/app/core.ts'
import { channelsOf } from '../../src/app/declared.ts'
import { openHub } from '../../src/core/live/hub.ts'
import { replayPageBytes } from '../../src/core/live/replays.ts'
import { openMemory } from '../../src/core/memory/memory.ts'
import { entryEvents } from '../../src/domain/entry/events.ts'
import { NO_MARK } from '../../src/domain/mark.ts'
import { memoryLog } from '../../tests/support/memory-log.ts'
import { permissionsOf } from '../../tests/support/roles.ts'

const [mode = '', size = '0'] = process.argv.slice(2)
const sockets = new Set<Socket>()

const feed = async (): Promise<{ readonly server: Server; readonly emit: () => void }> => {
  const log = memoryLog()
  const memory = openMemory(1024 * 1024 * 1024)
  const { signal } = new AbortController()
  const onError = (error: unknown): void => void process.stderr.write(`${String(error)}\n`)
  const types = new Map(entryEvents.map(type => [type.type, type]))
  const hub = openHub({
    log: { ...log, types },
    clock,
    signal,
    from: { position: 0n, mark: NO_MARK },
    onError,
    tokenOf: ({ position }) => String(position),
    news: [],
    replays: 100_000,
    pages: memory.region('replays').cache({ max: 16, sizeOf: replayPageBytes }),
    standings: { refresh: async () => undefined, note: () => undefined, of: () => undefined },
  })
  const tickets = openTickets({
    records: { swap: async () => true, records: async () => new Map() },
    secret: Buffer.alloc(32),
    clock,
    newId: randomUUID,
  })
  const live = openLiveFeed({
    recorded: async () => undefined,
    hub,
    channels: channelsOf(areas),
    clock,
    tickets,
    standing: () => permissionsOf('moderator'),
    lost: () => false,
    total: 1_000_000,
    most: 100_000,
    buffer: memory.live,
    signal,
    onError,
    now: async () => ({ token: '0', place: { position: 0n, mark: NO_MARK } }),
    readFilter: () => ({}),
    readAfter: async token => ({ position: BigInt(token), mark: await log.markAt(BigInt(token)) }),
  })
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false })
  const server = createHttpServer().on('upgrade', (request, _socket, head) => {
    upgrades.handleUpgrade(request, request.socket, head, ws => {
      sockets.add(request.socket)
      live.connect(ws, request.socket, { permissions: permissionsOf('moderator'), counted: 'bench' }, () => undefined)
    })
  })
  return { server, emit: () => log.write('entry-1', 'EntryRenamed', { lemma: 'x'.repeat(300) }) }
}

const raw = (): { readonly server: Server; readonly emit: () => void } => {
  const bytes = Buffer.alloc(Number(size), 'x')
  const server = createServer(socket => {
    socket.setNoDelay(true).on('error', () => undefined)
    socket.resume()
    sockets.add(socket)
  })
  return {
    server,
    emit: () => {
      for (const socket of sockets) socket.write(bytes)
    },
  }
}

const { server, emit } = mode === 'feed' ? await feed() : raw()
const written = (): number => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0)
const settled = async (): Promise<void> => {
  for (let quiet = 0; quiet < 4; quiet += 1) {
    await turn()
    for (const socket of sockets) if (socket.writableLength > 0) quiet = 0
  }
}

process.on('message', async (message: { readonly events: number }) => {
  const from = written()
  const before = process.cpuUsage()
  for (let n = 0; n < message.events; n += 1) {
    emit()
    await settled()
  }
  const { user, system } = process.cpuUsage(before)
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send?.({ cpu: (user + system) / 1000, bytes: written() - from, rss, used: heapUsed + external })
})
server.listen(0, '127.0.0.1', 20_000, () => {
  const address: AddressInfo | string | null = server.address()
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 })
})
