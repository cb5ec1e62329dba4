/**
 * The service's log: one JSON object a line on standard error, written in batches. Nothing secret is handed to it: lines
 * are made of named members, never of a request's headers, query or body.
 */
import pino, { type Logger } from 'pino'

export type ServiceLog = {
  readonly logger: Logger
  /** Writes what is held back. */
  close(): Promise<void>
}

/** How long a line may be held back, in milliseconds. */
const FLUSH_MS = 500

/** `fd` is the file descriptor to write to: 2, unless a test says otherwise. Level as pino has it; `silent` for none. */
export const openServiceLog = (options: { readonly level: string; readonly fd?: number }): ServiceLog => {
  // Asynchronous: a write a line would cost as much as the rest of a small request.
  const destination = pino.destination({ fd: options.fd ?? 2, sync: false, minLength: 8192 })
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    destination,
  )
  const timer = setInterval(() => destination.flush(), FLUSH_MS)
  timer.unref()
  return {
    logger,
    close: async () => {
      clearInterval(timer)
      await new Promise<void>(resolve => destination.flush(() => resolve()))
    },
  }
}
