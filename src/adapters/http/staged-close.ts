/**
 * Ends a connection on which a client may still be writing what nobody will take. Closed at once, what has arrived and was not read makes the
 * system reset it, and the answer is lost with that: so it is closed in stages (RFC 9112, 9.6).
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** What is read on, and for how long: a client that has not looked at its answer by then gets none. */
const LINGER_BYTES = 8 * 1024 * 1024
export const LINGER_MS = 5_000

/** It ends by then, whatever the client does: of itself Node keeps one that was half-closed for as long as bytes come. */
export const endIn = (socket: Duplex, ms: number): void => {
  const over = setTimeout(() => socket.destroy(), ms)
  socket.once('close', () => clearTimeout(over))
}

/** To be called before the answer that ends the connection is sent; Node closes it by `destroySoon` once that is written. */
export const closeInStages = (socket: Duplex & Pick<Socket, 'destroySoon' | 'bytesRead'>): void => {
  socket.destroySoon = () => {
    const until = socket.bytesRead + LINGER_BYTES
    endIn(socket, LINGER_MS)
    socket.on('data', () => {
      if (socket.bytesRead > until) socket.destroy()
    })
    socket.on('end', () => socket.destroy())
    socket.on('error', () => undefined)
    socket.end()
  }
}

/** Of a body, in bytes, where a route does not say. */
export const BODY_LIMIT = 1024 * 1024

const READS_NO_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Is there a body, or may there be one, of which more would have to be taken than anybody may send? A length that nobody has told
 * may be any. `answered`: nobody will read what has not come by now.
 */
const isEndless = ({ method, headers, raw, routeOptions }: FastifyRequest, answered: boolean): boolean => {
  if (Number(headers['content-length'] ?? 0) > (routeOptions.bodyLimit ?? BODY_LIMIT)) return true
  return headers['transfer-encoding'] !== undefined && !raw.complete && (answered || READS_NO_BODY.has(method))
}

/**
 * To be called before anything is answered. Node reads what nobody has read of a body, however long, to keep the connection: one with
 * too much ends after its answer instead, whichever that is.
 */
export const endWithBody = (request: FastifyRequest, reply: FastifyReply, answered: boolean): void => {
  if (!isEndless(request, answered)) return
  closeInStages(request.raw.socket)
  reply.raw.setHeader('connection', 'close')
}
