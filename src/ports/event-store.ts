/**
 * The event store: one ordered log of streams. It keeps bytes; what they mean is the codec's business (src/core/log).
 *
 * It promises: positions strictly increase over the whole log and are never dense; revisions of a stream are dense from
 * 0; an append of several events is all or nothing and durable when answered; the same ids in the same order at the
 * original expected revision give the original result, whatever came after; any other wrong revision is a conflict.
 * Nothing more: there is no "any" and no "exists" (at a later revision they would write a repeat again).
 */
import { OwnError } from '../domain/own-error.ts'

/** An event as the store takes it: `data` and `meta` are canonical JSON texts (RFC 8785), kept to the byte. */
export type StoredEvent = { readonly id: string; readonly type: string; readonly data: string; readonly meta: string }

/**
 * `recordedAt` is the store's clock, RFC 3339 UTC with milliseconds. `damaged`: what is stored does not fit the checksum that it
 * was stored with; nothing of the event is to be believed but that there is one at this position.
 */
export type LoggedEvent = StoredEvent & {
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly recordedAt: string
  readonly damaged?: true
}

/** The revision of the stream's last event, or 'none' when the stream must not exist. */
export type Expected = 'none' | bigint

/** `revision` and `position` are those of the last event of the append: of a repeat, those of the first time. */
export type Written = { readonly outcome: 'written'; readonly revision: bigint; readonly position: bigint }
/** The stream is at `current`. */
export type Conflict = { readonly outcome: 'conflict'; readonly current: Expected }
/** It may or may not have been written. Only the same events at the same revision may be sent again. */
export type Unknown = { readonly outcome: 'unknown'; readonly cause: string }
export type AppendResult = Written | Conflict | Unknown

export type Append = { readonly stream: string; readonly expected: Expected; readonly events: readonly StoredEvent[] }

/** A filter of the log; every member narrows. A category is what stands before the first '-' of a stream's name. */
export type LogFilter = { readonly categories?: readonly string[]; readonly types?: readonly string[] }

/**
 * A page of the log. Everything up to `position` has been considered: a consumer stores it once the page is applied,
 * though `events` may be empty. `caughtUp` is true when the page reached what was the head as it was read.
 */
export type Batch = { readonly events: readonly LoggedEvent[]; readonly position: bigint; readonly caughtUp: boolean }

export type ReadStreamOptions = {
  readonly direction?: 'forwards' | 'backwards'
  /** First revision returned; by default the first (forwards) or the last (backwards). */
  readonly from?: bigint
  /** At most this many events; by default all. */
  readonly limit?: number
}

export type EventStoreErrorCode = 'unavailable' | 'too-large' | 'corrupt' | 'damaged' | 'busy' | 'closed'

/**
 * The failures that are not answers. Nothing was written, except where an append says `unknown`. `corrupt`: the engine's own files
 * or the whole log are not what they should be; `damaged`: of one stream what the store keeps says two things.
 */
export class EventStoreError extends OwnError {
  override readonly name = 'EventStoreError'
  readonly code: EventStoreErrorCode
  constructor(code: EventStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A whole append, in bytes of data and meta together. */
export const MAX_APPEND_BYTES = 1_000_000
/** Appends that may wait before `busy`. */
export const MAX_WAITING_APPENDS = 4096

/** An event of another log, which recorded it at a time of its own. */
export type CopiedEvent = StoredEvent & { readonly recordedAt?: string }

/** An event store that a log can be copied into. */
export type CopyTarget = {
  /**
   * Of appends to several streams that are in the air at once, one that was not written leaves those behind it not written either.
   * Where this is false, the order of the whole log is kept only by one append at a time.
   */
  readonly keepsOrder: boolean
  /** As `append`; the events keep the times at which the other log recorded them. */
  appendCopied(stream: string, expected: Expected, events: readonly CopiedEvent[]): Promise<AppendResult>
}

export type EventStore = {
  /** The random id of this log, renewed by copy and restore. */
  readonly logId: string
  /** @throws {EventStoreError} unavailable, too-large, busy, corrupt, damaged, closed. An empty list of events is a programming error. */
  append(stream: string, expected: Expected, events: readonly StoredEvent[]): Promise<AppendResult>
  /** Independent streams, each answered for itself, in the order given. One stream may not occur twice. */
  appendMany(appends: readonly Append[]): Promise<readonly (AppendResult | EventStoreError)[]>
  /** The stream's events in pages; an unknown stream yields nothing. */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<readonly LoggedEvent[]>
  /**
   * The log after a position, up to the head as of the call; the last batch has `caughtUp`. A position is 0n, from the
   * start, or one that this log has given: no number in between stands for anything.
   */
  readAll(after: bigint, filter?: LogFilter): AsyncIterable<Batch>
  /**
   * The same, then what comes: waits at the head and goes on until the signal aborts, when it ends without an error.
   * Yields progress over events that the filter passes over. A store that goes away is retried, never an end.
   */
  subscribe(after: bigint, filter?: LogFilter, signal?: AbortSignal): AsyncIterable<Batch>
  /** The events at these positions, in the order asked; a position that holds none is passed over. */
  readAt(positions: readonly bigint[]): Promise<readonly LoggedEvent[]>
  /** Position of the last event; 0n for an empty log. */
  head(): Promise<bigint>
  /** Drains what waits, then closes; later calls fail with `closed`. */
  close(): Promise<void>
}
