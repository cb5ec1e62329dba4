/** Server-sent events (HTML Living Standard, 9.2) of the live feed: one subscription a stream, the same hub, the same bound. */
import { Readable } from 'node:stream'
import type { LiveMessage, LiveSink, LiveTransport } from '../../core/live/transport.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ResetMessage } from '../../subscribers/live-messages.ts'
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

export const openEventStream = (
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  counters: LiveCounters,
  owner: string,
): EventStream => {
  const body = new Readable({ read: () => undefined, highWaterMark: PAUSE_AT })
  let over = false
  body.once('close', () => {
    over = true
  })
  const push = (bytes: Buffer): void => {
    if (over) return
    if (body.readableLength + bytes.length > MAX_BUFFERED && body.readableLength > 0) {
      tooSlow()
      return
    }
    counters.sentBytes += bytes.length
    body.push(bytes)
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
