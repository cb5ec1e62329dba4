/**
 * An event as EventStoreDB keeps it: binary data of two lines, the data and the envelope, each canonical JSON to the byte.
 * The client would parse JSON of either kind on reading and write it anew, which keeps no bytes. The server's own metadata has
 * the checksum over all that is known as the event is written, and of an event that came by a copy when the first log recorded it.
 */
import type { BinaryEventData, RecordedEvent } from '@eventstore/db-client'
import { defined } from '../../../domain/defined.ts'
import { checksum, mix } from '../../../ports/checksum.ts'
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

/** All that is written of an event. Its position and the server's time are not known by then. */
type Place = { readonly stream: string; readonly revision: bigint }

const checksumOf = ({ stream, revision }: Place, event: CopiedEvent): number => {
  const { id, type, data, meta, recordedAt = '' } = event
  let hash = mix(0, Number(revision))
  for (const { length } of [stream, id, type, data, recordedAt]) hash = mix(hash, length)
  return checksum(hash, stream + id + type + data + recordedAt + meta)
}

const metadataOf = (sum: number, recordedAt: string | undefined): string =>
  JSON.stringify({ checksum: sum, recordedAt })

/** The event was checked before. */
export const toEvent = (event: CopiedEvent, place: Place): BinaryEventData => {
  const { id, type, data, meta, recordedAt } = event
  return {
    id,
    type,
    contentType: 'application/octet-stream',
    data: encoder.encode(`${data}\n${meta}`),
    metadata: encoder.encode(metadataOf(checksumOf(place, event), recordedAt)),
  }
}

/** The server's own limit, unless it was told another one: of a whole append, in which it counts two bytes a character of a type. */
const MAX_APPEND_SIZE = 1_048_576
const LONGEST_SUM = -2_147_483_648

/** Why the server would not take the append, which has so many characters of data and meta. */
export const tooLarge = (events: readonly CopiedEvent[], characters: number): string | undefined => {
  let beside = 0
  for (const { type, recordedAt } of events) beside += 1 + 2 * type.length + metadataOf(LONGEST_SUM, recordedAt).length
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

type Kept = { readonly sum?: number; readonly recordedAt?: string }

/** What the metadata says; undefined when they are there and cannot be read. */
const keptIn = (metadata: unknown): Kept | undefined => {
  if (metadata === undefined || (metadata instanceof Uint8Array && metadata.length === 0)) return {}
  const parsed = metadata instanceof Uint8Array ? parse(metadata) : metadata
  if (typeof parsed !== 'object' || parsed === null) return undefined
  // A checksum under another name is none that was never there.
  if (Object.keys(parsed).some(name => name !== 'checksum' && name !== 'recordedAt')) return undefined
  const sum = 'checksum' in parsed ? parsed.checksum : undefined
  const recordedAt = 'recordedAt' in parsed ? parsed.recordedAt : undefined
  if (typeof sum !== 'number' && typeof recordedAt !== 'string') return undefined
  return {
    ...defined({ sum: typeof sum === 'number' ? sum : undefined }),
    ...defined({ recordedAt: typeof recordedAt === 'string' ? recordedAt : undefined }),
  }
}

const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

/** What is not ours by its content type is shown as it is: the codec says that it cannot be read. */
const textsOf = (data: unknown): readonly [string, string] => {
  if (!(data instanceof Uint8Array)) return [JSON.stringify(data) ?? 'null', '']
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const end = bytes.indexOf(LINE_END)
  if (end < 0) return [bytes.toString('utf8'), '']
  return [bytes.toString('utf8', 0, end), bytes.toString('utf8', end + 1)]
}

/** An event that was written before there were checksums has none, and is taken as it is. */
export const fromEvent = (event: RecordedEvent, position: bigint): LoggedEvent => {
  const [data, meta] = textsOf(event.data)
  const { id, type, streamId: stream, revision } = event
  const kept = keptIn(event.metadata)
  const { sum, recordedAt } = kept ?? {}
  const copied = { id, type, data, meta, ...defined({ recordedAt }) }
  const sound = kept !== undefined && (sum === undefined || sum === checksumOf({ stream, revision }, copied))
  const place = { type, stream, revision, position, recordedAt: recordedAt ?? timestamp(event.created.getTime()) }
  return sound || !isOurs(stream, type)
    ? { ...place, id, data, meta }
    : { ...place, id: '', data: '', meta: '', damaged: true }
}
