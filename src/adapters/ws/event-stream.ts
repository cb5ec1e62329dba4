/** Server-sent events (HTML Living Standard, 9.2) of the live feed: one subscription a stream, the same hub, the same bound. */
import { Readable } from 'node:stream'
import type { ResetMessage } from '../../core/live/messages.ts'
import type { LiveMessage, LiveSink, LiveTransport } from '../../core/live/transport.ts'
import type { ByteBuffer } from '../../core/memory/memory.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LiveCounters } from './connection.ts'

/** A message as an event of its own name, after which a client may resume. */
export const eventBytes = (message: LiveMessage | ResetMessage): Buffer =>
  Buffer.from(`id: ${message.after}\nevent: ${message.op}\ndata: ${JSON.stringify(message)}\n\n`)

export const eventStreamTransport: LiveTransport = {
  name: 'event-stream',
  encode: eventBytes,
  around: event => ({
    before: Buffer.from(`id: ${event.after}\nevent: ${event.type}\ndata: {"op":"event","id":`),
    after: Buffer.from(`,${JSON.stringify(event).slice(1)}\n\n`),
  }),
  join: ({ before, after }, id) => Buffer.concat([before, id, after]),
}

const MAX_BUFFERED = 1024 * 1024
const PAUSE_AT = 256 * 1024
const STUCK_MS = 30_000
const COMMENT = Buffer.from(': still here\n\n')

export type EventStream = {
  readonly body: Readable
  readonly sink: LiveSink
  /** Every 15 s, so that nothing on the way takes the silence for an end. */
  comment(): void
  end(): void
}

/** Tells each time that some of it was taken. */
class Body extends Readable {
  readonly #taken: () => void
  constructor(taken: () => void) {
    super({ read: () => undefined, highWaterMark: PAUSE_AT })
    this.#taken = taken
  }
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size)
    this.#taken()
    return chunk
  }
}

export const openEventStream = (
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  deps: { readonly counters: LiveCounters; readonly buffer: ByteBuffer },
  owner: string,
): EventStream => {
  const { counters } = deps
  let over = false
  const { hold } = deps.buffer.account(() => {
    if (!over) counters.slow += 1
    over = true
    body.destroy()
  })
  const body = new Body(() => hold(body.readableLength))
  body.once('close', () => {
    over = true
    hold(0)
  })
  const push = (bytes: Buffer): void => {
    if (over) return
    const waits = body.readableLength
    if (waits > 0 && waits + bytes.length > MAX_BUFFERED) {
      tooSlow()
      return
    }
    counters.sentBytes += bytes.length
    body.push(bytes)
    hold(body.readableLength)
  }
  const tooSlow = (): void => {
    if (over) return
    over = true
    counters.slow += 1
    body.destroy()
  }
  return {
    body,
    comment: () => push(COMMENT),
    end: () => {
      if (over) return
      over = true
      body.push(null)
    },
    sink: {
      owner,
      transport: eventStreamTransport,
      send: push,
      flush: () => undefined,
      alone: () => true,
      full: () => over || body.readableLength > PAUSE_AT,
      drained: async () => {
        const until = clock.monotonic() + STUCK_MS
        while (!over && body.readableLength > PAUSE_AT / 4) {
          if (clock.monotonic() > until) return false
          await clock.sleep(50)
        }
        return !over
      },
      tooSlow,
    },
  }
}
