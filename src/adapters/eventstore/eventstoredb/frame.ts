/**
 * An event as EventStoreDB keeps it: binary data of two lines, the data and the envelope, each canonical JSON to the byte.
 * The client would parse JSON of either kind on reading and write it anew, which keeps no bytes. The server's own metadata
 * stays empty, except of an event that came by a copy: it says when the first log recorded it.
 */
import type { BinaryEventData, RecordedEvent } from '@eventstore/db-client'
import type { CopiedEvent, LoggedEvent, StoredEvent } from '../../../ports/event-store.ts'
import { timestamp } from '../timestamp.ts'

const LINE_END = 10

/** In lower case, as the server gives it back. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const encoder = new TextEncoder()

/** @throws {TypeError} on an id that is no UUID, or data of several lines: canonical JSON has one. */
export const checkEvent = ({ id, type, data }: StoredEvent): void => {
  if (!UUID.test(id))
    throw new TypeError(`EventStoreDB takes UUIDs as event ids, not ${JSON.stringify(id.slice(0, 80))}`)
  if (data.includes('\n')) throw new TypeError(`${type} ${id}: its data has a line end, which canonical JSON has not`)
}

const copiedText = (recordedAt: string): string => JSON.stringify({ recordedAt })

/** The event was checked before. */
export const toEvent = ({ id, type, data, meta, recordedAt }: CopiedEvent): BinaryEventData => ({
  id,
  type,
  contentType: 'application/octet-stream',
  data: encoder.encode(`${data}\n${meta}`),
  metadata: recordedAt === undefined ? undefined : encoder.encode(copiedText(recordedAt)),
})

/** The server's own limit, unless it was told another one: of a whole append, in which it counts two bytes a character of a type. */
const MAX_APPEND_SIZE = 1_048_576

/** Why the server would not take the append, which has so many characters of data and meta. */
export const tooLarge = (events: readonly CopiedEvent[], characters: number): string | undefined => {
  let beside = 0
  for (const { type, recordedAt } of events)
    beside += 1 + 2 * type.length + (recordedAt === undefined ? 0 : copiedText(recordedAt).length)
  // A code unit takes three bytes at most: most appends need no counting.
  if (characters * 3 + beside <= MAX_APPEND_SIZE) return undefined
  const bytes = events.reduce((sum, { data, meta }) => sum + Buffer.byteLength(data) + Buffer.byteLength(meta), beside)
  return bytes <= MAX_APPEND_SIZE
    ? undefined
    : `the append has ${bytes} bytes as EventStoreDB counts them, with types; ${MAX_APPEND_SIZE} are the most`
}

/** Streams of the server (`$`) and of the adapter itself (`_`) are no part of the log. */
export const isOurs = (stream: string, type: string): boolean => {
  const first = stream.charCodeAt(0)
  return first !== 36 && first !== 95 && type.charCodeAt(0) !== 36
}
/** The same as an expression for the server. */
export const OUR_STREAMS = '^[^$_]'

const copiedAt = (metadata: unknown): string | undefined => {
  if (typeof metadata !== 'object' || metadata === null || !('recordedAt' in metadata)) return undefined
  return typeof metadata.recordedAt === 'string' ? metadata.recordedAt : undefined
}

/** What is not ours by its content type is shown as it is: the codec says that it cannot be read. */
const textsOf = (data: unknown): readonly [string, string] => {
  if (!(data instanceof Uint8Array)) return [JSON.stringify(data) ?? 'null', '']
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const end = bytes.indexOf(LINE_END)
  if (end < 0) return [bytes.toString('utf8'), '']
  return [bytes.toString('utf8', 0, end), bytes.toString('utf8', end + 1)]
}

export const fromEvent = (event: RecordedEvent, position: bigint): LoggedEvent => {
  const [data, meta] = textsOf(event.data)
  return {
    id: event.id,
    type: event.type,
    data,
    meta,
    stream: event.streamId,
    revision: event.revision,
    position,
    recordedAt: (event.metadata && copiedAt(event.metadata)) ?? timestamp(event.created.getTime()),
  }
}
