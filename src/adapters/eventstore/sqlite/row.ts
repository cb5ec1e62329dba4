/**
 * A row of the events' table with its checksum, which is over every member that is told of the event: of the kind it is over
 * category and type, which stand in a table of their own. The number of the stream is not in it, since no reader is told of it.
 */
import { checksum, mix } from '../../../ports/checksum.ts'
import type { LoggedEvent } from '../../../ports/event-store.ts'
import { timestamp } from '../timestamp.ts'

/** The texts come as one with the bytes of each: putting them together here for the checksum would cost more than cutting. */
export type EventRow = [
  position: number,
  revision: number,
  kind: number,
  recorded: number,
  checksum: number,
  id: number,
  name: number,
  data: number,
  meta: number,
  texts: string,
]
export const COLUMNS = `position, revision, kind, recorded, checksum, octet_length(id), octet_length(name),
  octet_length(data), octet_length(meta), id || name || data || meta`

/** `mark` stands for category and type in the checksum of an event. */
export type Kind = { readonly id: number; readonly category: string; readonly type: string; readonly mark: number }

export const markOf = (category: string, type: string): number => checksum(mix(0, category.length), category + type)
export const kindChecksum = (id: number, mark: number): number => mix(mix(0, id), mark)

const UPPER = 0x1_0000_0000

/** The checksum that the row must have; `checksum` of the row itself is not looked at. */
export const rowChecksum = (row: Readonly<EventRow>, mark: number): number => {
  let hash = mix(mark, row[0])
  hash = mix(hash, row[3])
  hash = mix(hash, row[5] * UPPER + row[1])
  hash = mix(hash, row[6] * UPPER + row[7])
  return checksum(hash, row[9])
}

/** The checksum of a row that is to be written. */
export const checksumOf = (
  { position, revision, recorded }: Readonly<Record<'position' | 'revision' | 'recorded', number>>,
  mark: number,
  { id, name, data, meta }: Readonly<Record<'id' | 'name' | 'data' | 'meta', string>>,
): number => {
  const [ofId, ofName, ofData] = [Buffer.byteLength(id), Buffer.byteLength(name), Buffer.byteLength(data)]
  return rowChecksum([position, revision, 0, recorded, 0, ofId, ofName, ofData, 0, id + name + data + meta], mark)
}

const small = Array.from({ length: 1_024 }, (_, number) => BigInt(number))

const piece = (texts: string | Buffer, from: number, to: number): string =>
  typeof texts === 'string' ? texts.slice(from, to) : texts.toString('utf8', from, to)

/** The event of a row that fits its checksum; undefined of one that does not. */
export const soundEvent = (row: EventRow, { type, mark }: Kind): LoggedEvent | undefined => {
  // A damaged row may hold values of any kind, and null counts as 0 in the mixture.
  if (typeof row[9] !== 'string' || typeof row[1] !== 'number' || row[4] !== rowChecksum(row, mark)) return undefined
  const afterId = row[5]
  const afterName = afterId + row[6]
  const afterData = afterName + row[7]
  const end = afterData + row[8]
  // Bytes and characters are as many in ASCII alone.
  const texts = row[9].length === end ? row[9] : Buffer.from(row[9])
  return {
    id: piece(texts, 0, afterId),
    type,
    data: piece(texts, afterName, afterData),
    meta: piece(texts, afterData, end),
    stream: piece(texts, afterId, afterName),
    revision: small[row[1]] ?? BigInt(row[1]),
    position: BigInt(row[0]),
    recordedAt: timestamp(row[3]),
  }
}

/** What is told of any other row: only that it stands there is worth something. */
export const damagedEvent = ([position, revision]: readonly unknown[], type: string): LoggedEvent => {
  const whole = (value: unknown): bigint => (Number.isSafeInteger(value) ? BigInt(Number(value)) : 0n)
  return {
    id: '',
    type,
    data: '',
    meta: '',
    stream: '',
    revision: whole(revision),
    position: whole(position),
    recordedAt: timestamp(0),
    damaged: true,
  }
}
