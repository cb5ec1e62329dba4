/**
 * The log as the rest of the program sees it: the event store with the codec in front, so that events go in as facts and
 * come out decoded, opened and upcast.
 */

import type { DomainEvent, EventMeta, EventType, Recorded } from '../../domain/event.ts'
import { markOf } from '../../domain/mark.ts'
import { OwnError } from '../../domain/own-error.ts'
import type {
  Append,
  AppendResult,
  EventStoreError,
  Expected,
  LogFilter,
  ReadStreamOptions,
} from '../../ports/event-store.ts'

/** An event on its way into the log: its envelope without what the codec adds (`schema`, `key`). */
export type NewEvent = DomainEvent & { readonly id: string; readonly meta: Omit<EventMeta, 'schema' | 'key'> }

/** A position with the mark of what stands there: what is kept of a position outside of the log. */
export type Place = { readonly position: bigint; readonly mark: string }

/** As `Batch` of the event store, decoded. */
export type LogBatch = { readonly events: readonly Recorded[]; readonly position: bigint; readonly caughtUp: boolean }

/**
 * The event cannot be read: its type is unknown to this build or its schema newer; it is no event of its type (`corrupt`); it does
 * not fit its checksum (`damaged`). A consumer that meets one stops.
 */
export class UndecodableEventError extends OwnError {
  override readonly name = 'UndecodableEventError'
  readonly reason: 'unknown-type' | 'newer-schema' | 'corrupt' | 'damaged'
  readonly event: { readonly type: string; readonly stream: string; readonly position: bigint }
  constructor(reason: UndecodableEventError['reason'], event: UndecodableEventError['event'], message: string) {
    super(message)
    this.reason = reason
    this.event = event
  }
}

/** Events encoded for one append: built once and sent again unchanged while the outcome is unknown. */
export type Encoded = Append & { readonly key: string | undefined }

export type Log = {
  readonly logId: string
  /** Every declared event type by name. */
  readonly types: ReadonlyMap<string, EventType>
  /**
   * Validates against the schemas, seals and writes canonical JSON. `key` names the stream's document key so far;
   * when absent and something is to be sealed under a document key, one is taken from the pool; so is where a type asks for a fresh
   * one (`freshKey`). Imported text
   * (actor kind `import`) is left clear.
   * @throws {TypeError} on data that its schema refuses: a programming error, nothing was written.
   */
  encode(stream: string, expected: Expected, events: readonly NewEvent[], key?: string): Promise<Encoded>
  append(append: Append): Promise<AppendResult>
  appendMany(appends: readonly Append[]): Promise<readonly (AppendResult | EventStoreError)[]>
  /** The last position that this process has written; 0 before. */
  written(): bigint
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<readonly Recorded[]>
  /** The same without opening what is sealed: no key is asked for, and each such event is as one whose text was removed. */
  readUnopened(stream: string, options?: ReadStreamOptions): AsyncIterable<readonly Recorded[]>
  /** @throws {UndecodableEventError} from the iteration, once every event before it has been yielded. */
  readAll(after: bigint, filter?: LogFilter): AsyncIterable<LogBatch>
  /** As `readAll`, from the event at a position on, that one with it. */
  readFrom(position: bigint, filter?: LogFilter): AsyncIterable<LogBatch>
  subscribe(after: bigint, filter?: LogFilter, signal?: AbortSignal): AsyncIterable<LogBatch>
  head(): Promise<bigint>
  /** The mark of the event at a position, NO_MARK where none stands (src/domain/mark.ts); those of late are remembered. */
  markAt(position: bigint): Promise<string>
}

export const placeOf = ({ id, meta: { at }, position }: Recorded): Place => ({ position, mark: markOf(id, at) })

/** The place that a part of the log has led to: its last event's, or what stands where only others' events came after it. */
export const placeAfter = async (
  log: Pick<Log, 'markAt'>,
  { events, position }: Omit<LogBatch, 'caughtUp'>,
): Promise<Place> => {
  const last = events.at(-1)
  return last?.position === position ? placeOf(last) : { position, mark: await log.markAt(position) }
}
