/** A TCP proxy between the service and an engine: cuts, holds and delays what passes, on order. */
import { connect, createServer, type Socket } from 'node:net'
import type { Teardown } from './service.ts'

export type Proxy = {
  readonly port: number
  /** The address with this proxy in place of its host and port. */
  through(url: string): string
  /** Ends all connections and refuses new ones, until `heal`. */
  cut(): void
  /** Nothing passes in either direction until `heal`, and nobody is told. */
  hold(): void
  /** Nothing passes on the connections of now any more, for ever, and nobody is told; new ones work. */
  lose(): void
  /** Every piece on its way to the engine waits so many milliseconds. */
  delay(ms: number): void
  heal(): void
  connections(): number
  /** Connections refused since the start. */
  refused(): number
  close(): Promise<void>
}

type Pair = { readonly client: Socket; readonly engine: Socket; lost: boolean }

export const openProxy = async (t: Teardown, target: string): Promise<Proxy> => {
  const { hostname, port } = new URL(target.replace(/^[a-z+]+:/, 'http:'))
  const pairs = new Set<Pair>()
  let state: 'open' | 'cut' | 'held' = 'open'
  /** Resolves when what is held may pass. */
  let released = Promise.withResolvers<void>()
  let wait = 0
  let turnedAway = 0

  const pass = (pair: Pair, from: Socket, to: Socket, ms: () => number): void => {
    // One after the other: a delay must not let a later piece overtake.
    let before = Promise.resolve()
    from.on('data', piece => {
      before = before.then(async () => {
        if (ms() > 0) await new Promise(resolve => setTimeout(resolve, ms()))
        while (state === 'held') await released.promise
        if (!pair.lost && to.writable) to.write(piece)
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
    const pair = { client, engine, lost: false }
    pairs.add(pair)
    client.once('close', () => pairs.delete(pair))
    pass(pair, client, engine, () => wait)
    pass(pair, engine, client, () => 0)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const own = typeof address === 'object' && address !== null ? address.port : 0
  const open = (): void => {
    state = 'open'
    released.resolve()
    released = Promise.withResolvers<void>()
  }
  const endAll = (): void => {
    for (const { client, engine } of pairs) {
      client.destroy()
      engine.destroy()
    }
  }
  const close = async (): Promise<void> => {
    if (!server.listening) return
    open()
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
    lose: () => {
      for (const pair of pairs) pair.lost = true
    },
    delay: ms => {
      wait = ms
    },
    heal: () => {
      wait = 0
      open()
    },
    connections: () => pairs.size,
    refused: () => turnedAway,
    close,
  }
}
