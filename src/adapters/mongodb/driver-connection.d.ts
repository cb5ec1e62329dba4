/** The part of the driver's inner connection that src/adapters/mongodb/sockets.ts mends; the driver declares no types for it. */
declare module 'mongodb/lib/cmap/connection.js' {
  import type { EventEmitter } from 'node:events'

  export class Connection extends EventEmitter {
    /** Why it ended; null while it is open. */
    readonly error: Error | null
    /** Ends it, whatever it is doing. */
    destroy(): void
    /** Resolves when the socket has taken the whole command. */
    writeCommand(command: unknown, options: unknown): Promise<void>
  }
}
