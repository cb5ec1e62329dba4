/**
 * Ends a connection on which a client may still be writing what nobody will take. Closed at once, what has arrived and was not read makes the
 * system reset it, and the answer is lost with that: so it is closed in stages (RFC 9112, 9.6).
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What is read on, and for how long: a client that has not looked at its answer by then gets none. */
const LINGER_BYTES = 8 * 1024 * 1024
const LINGER_MS = 5_000

/** To be called before the answer that ends the connection is sent; Node closes it by `destroySoon` once that is written. */
export const closeInStages = (socket: Duplex & Pick<Socket, 'destroySoon' | 'bytesRead'>): void => {
  socket.destroySoon = () => {
    const until = socket.bytesRead + LINGER_BYTES
    const over = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.on('data', () => {
      if (socket.bytesRead > until) socket.destroy()
    })
    socket.on('end', () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => clearTimeout(over))
    socket.end()
  }
}
