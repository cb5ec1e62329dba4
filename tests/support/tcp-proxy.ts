/** A TCP proxy between the service and an engine: cuts, holds and delays what passes, on order. */
import { connect, createServer, type Socket } from 'node:net'
import type { Teardown } from './service.ts'

export type Proxy = {
  readonly port: number
  /** The address with this proxy in place of its host and port. */
  through(url: string): string
  /** Ends all connections and refuses new ones, until `heal`. */
  cut(): void
  /** Nothing passes in either direction, and nobody is told. */
  hold(): void
  /** Every piece on its way to the engine waits so many milliseconds. */
  delay(ms: number): void
  heal(): void
  connections(): number
  /** Connections refused since the start. */
  refused(): number
  close(): Promise<void>
}

type Pair = { readonly client: Socket; readonly engine: Socket }

export const openProxy = async (t: Teardown, target: string): Promise<Proxy> => {
  const { hostname, port } = new URL(target.replace(/^[a-z+]+:/, 'http:'))
  const pairs = new Set<Pair>()
  let state: 'open' | 'cut' | 'held' = 'open'
  let wait = 0
  let turnedAway = 0

  const pass = (from: Socket, to: Socket, ms: () => number): void => {
    // One after the other: a delay must not let a later piece overtake.
    let before = Promise.resolve()
    from.on('data', piece => {
      before = before.then(async () => {
        if (ms() > 0) await new Promise(resolve => setTimeout(resolve, ms()))
        while (state === 'held' && !to.destroyed) await new Promise(resolve => setTimeout(resolve, 10))
        if (to.writable) to.write(piece)
      })
    })
    from.on('close', () => to.destroy())
    from.on('error', () => to.destroy())
  }

  const server = createServer(client => {
    if (state === 'cut') {
      turnedAway += 1
      client.destroy()
      return
    }
    const engine = connect({ host: hostname, port: Number(port) })
    const pair = { client, engine }
    pairs.add(pair)
    client.once('close', () => pairs.delete(pair))
    pass(client, engine, () => wait)
    pass(engine, client, () => 0)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const own = typeof address === 'object' && address !== null ? address.port : 0
  const endAll = (): void => {
    for (const { client, engine } of pairs) {
      client.destroy()
      engine.destroy()
    }
  }
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = new Promise(resolve => server.close(resolve))
    endAll()
    await closed
  }
  t.teardown(close)
  return {
    port: own,
    through: url => url.replace(`${hostname}:${port}`, `127.0.0.1:${own}`),
    cut: () => {
      state = 'cut'
      endAll()
    },
    hold: () => {
      state = 'held'
    },
    delay: ms => {
      wait = ms
    },
    heal: () => {
      state = 'open'
      wait = 0
    },
    connections: () => pairs.size,
    refused: () => turnedAway,
    close,
  }
}
