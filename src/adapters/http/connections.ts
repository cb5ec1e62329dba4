/**
 * How much of a node one address may have at once. Connections are counted by who is on the other side of them, but for those of trusted
 * proxies, who bring everybody's: of these the requests that are under way are counted, sockets and streams among them, by the
 * address that the proxy tells.
 */
import type { Server, Socket } from 'node:net'
import { compile } from '@fastify/proxy-addr'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { clientAddress } from './client-address.ts'
import { addressKey } from './limits.ts'
import { ProblemError } from './problems.ts'
import { becomesSocket } from './unanswered.ts'

/** Is the address that of a trusted proxy? `hop`: how many others stand between it and this server. */
export type Trust = (address: string, hop: number) => boolean

/** By addresses, networks, or names of networks; undefined where nobody is. What requests tell of their way is judged by it too. */
export const openTrust = (proxies: readonly string[]): Trust | undefined =>
  proxies.length > 0 ? compile([...proxies]) : undefined

export type Places = {
  /** Takes one of the places of an address; undefined when all are taken. The function gives it back, once. */
  take(address: string): (() => void) | undefined
}

/** `most` at once of one address, of IPv6 of one /64; 0: as many as there are. */
export const openPlaces = (most: number): Places => {
  const taken = new Map<string, number>()
  return {
    take: address => {
      const key = addressKey(address)
      const open = taken.get(key) ?? 0
      if (most > 0 && open >= most) return undefined
      taken.set(key, open + 1)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        const left = (taken.get(key) ?? 1) - 1
        if (left > 0) taken.set(key, left)
        else taken.delete(key)
      }
    },
  }
}

/**
 * Watches the server's connections, and adds its hook; `open` are those that are there now. `onRefused` is told of connections that were
 * closed at once, and of requests by way of a proxy that were answered 429.
 */
export const prepareConnections = (
  app: FastifyInstance,
  {
    most,
    isTrusted,
    onRefused,
  }: { readonly most: number; readonly isTrusted: Trust | undefined; readonly onRefused: () => void },
): { readonly open: ReadonlySet<Socket> } => {
  const [sockets, requests] = [openPlaces(most), openPlaces(most)]
  const open = new Set<Socket>()
  const server: Server = app.server
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: peer = '' } = socket
    const release = isTrusted?.(peer, 0) ? () => undefined : sockets.take(peer)
    if (!release) {
      onRefused()
      // Nothing is said to it: whoever has so many would have that many answers written.
      socket.destroy()
      return
    }
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      release()
    })
  })
  app.addHook('onRequest', (request: FastifyRequest, reply, done) => {
    if (!isTrusted?.(request.socket.remoteAddress ?? '', 0)) return done()
    const release = requests.take(clientAddress(request))
    if (!release) {
      onRefused()
      return done(new ProblemError('too-many-connections', 'Too many requests of this address are under way.'))
    }
    const until = becomesSocket(request.raw) ? request.raw.socket : reply.raw
    until.once('close', release)
    done()
  })
  return { open }
}
