/** What the live feed's hub asks of those who carry its messages: how they become bytes, and where the bytes go. */
import type { JsonObject } from '../../domain/event.ts'

export type LiveMessage = { readonly op: 'subscribed' | 'caught-up'; readonly id: string; readonly after: string }
/** A message `event` but for the id of the subscription. */
export type LiveEvent = {
  readonly after: string
  readonly type: string
  readonly at: string
  readonly data: JsonObject
}

/** An event's bytes before and after the id: encoded once, whatever ids its receivers chose. */
export type Around = { readonly before: Buffer; readonly after: Buffer }

/** How messages become bytes; one object a kind of transport, since groups are told apart by it. */
export type LiveTransport = {
  readonly name: string
  readonly encode: (message: LiveMessage) => Buffer
  readonly around: (event: LiveEvent) => Around
  /** `id` as JSON text. */
  readonly join: (around: Around, id: Buffer) => Buffer
}

/** Where bytes go. The sink keeps its own bound: it ends itself when its reader is too slow. */
export type LiveSink = {
  /** Who it is counted as: an account, or an address. */
  readonly owner: string
  readonly transport: LiveTransport
  /** Takes bytes to be written at `flush`. */
  send(bytes: Buffer): void
  flush(): void
  /** Only one subscription writes here: its bytes need not wait for those of others, and its memory is touched once. */
  alone(): boolean
  /** So much waits to be read that a catch-up should pause. */
  full(): boolean
  /** Resolves true once it is not full; false when it ended, or its reader took nothing for too long. */
  drained(): Promise<boolean>
  /** The reader is too slow. */
  tooSlow(): void
}
