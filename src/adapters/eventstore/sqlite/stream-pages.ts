/** Reads one stream in pages, to the end that it has when the reading begins, and tells no part of one as the whole. */
import type { LoggedEvent } from '../../../ports/event-store.ts'
import type { Reader } from './reader.ts'
import { damagedStream } from './streams.ts'

export type StreamReading = {
  readonly stream: string
  readonly from: number
  readonly direction: 'forwards' | 'backwards'
  readonly limit: number
}

/** The index by which a stream is read may be damaged where the events are not. @throws {EventStoreError} damaged */
const checkDense = (path: string, stream: string, events: readonly LoggedEvent[], from: number, step: 1 | -1): void => {
  let revision = BigInt(from)
  for (const event of events) {
    // Of a damaged event the revision is that of the index.
    if (event.revision !== revision || !(event.damaged || event.stream === stream))
      throw damagedStream(path, stream, `the index at revision ${revision}`)
    revision += BigInt(step)
  }
}

export type StreamPages = {
  /** Is there a page that was not read? */
  more(): boolean
  /** @throws {EventStoreError} damaged: a revision is not found as it should. */
  next(): readonly LoggedEvent[]
}

/** `path` is that of the file, for what is said of damage. @throws {EventStoreError} damaged: the stream is not found as it should. */
export const openStreamPages = (
  reader: Pick<Reader, 'find' | 'stream'>,
  path: string,
  { stream, from: first, direction, limit }: StreamReading,
): StreamPages => {
  const found = reader.find(stream)
  // Beyond the end no event is read whose name would show that the stream is another.
  if (found === 'damaged' || (!found.named && direction === 'forwards' && first > found.revision))
    throw damagedStream(path, stream, 'what leads to the events')
  const { number, revision: end } = found
  const step = direction === 'forwards' ? 1 : -1
  let from = step > 0 ? first : Math.min(first, end)
  let left = number === undefined ? 0 : limit
  return {
    more: () => left > 0 && from >= 0 && from <= end,
    next: () => {
      const events = reader.stream(number ?? 0, from, direction, Math.min(left, step > 0 ? end - from + 1 : from + 1))
      // It ends where both of its witnesses say, and nowhere before.
      if (events.length === 0) throw damagedStream(path, stream, `the index at revision ${from}`)
      checkDense(path, stream, events, from, step)
      left -= events.length
      from += events.length * step
      return events
    },
  }
}
