/** What every event store of this project checks of an append before anything is sent. */
import { categoryOf } from '../../domain/ids.ts'
import { type Append, EventStoreError, type Expected, MAX_APPEND_BYTES } from '../../ports/event-store.ts'

const checkText = (text: string, what: string, stream: string): void => {
  if (!text.isWellFormed()) throw new TypeError(`${stream}: ${what} has a surrogate without its pair`)
}

/** @throws {TypeError} below 0. */
export const checkWhole = (value: bigint, what: string): void => {
  if (value < 0n) throw new TypeError(`${what} must not be negative, but is ${value}`)
}

const checkExpected = (expected: Expected): void => {
  if (expected !== 'none') checkWhole(expected, 'the expected revision')
}

/** Checks an append and returns its characters of data and meta, or why it is too large. @throws {TypeError} */
export const measure = ({ stream, expected, events }: Append): number | EventStoreError => {
  if (categoryOf(stream) === '') throw new TypeError('a stream needs a name that begins with a category')
  checkText(stream, 'the name', stream)
  checkExpected(expected)
  if (events.length === 0) throw new TypeError(`${stream}: an append needs an event`)
  let characters = 0
  for (const { id, type, data, meta } of events) {
    if (id === '' || type === '') throw new TypeError(`${stream}: an event needs an id and a type`)
    checkText(id, 'an event id', stream)
    checkText(type, 'an event type', stream)
    checkText(data, 'the data of an event', stream)
    checkText(meta, 'the meta of an event', stream)
    characters += data.length + meta.length
  }
  // A code unit takes three bytes at most: most appends need no counting.
  if (characters * 3 <= MAX_APPEND_BYTES) return characters
  const bytes = events.reduce((sum, { data, meta }) => sum + Buffer.byteLength(data) + Buffer.byteLength(meta), 0)
  if (bytes <= MAX_APPEND_BYTES) return characters
  return new EventStoreError('too-large', `${stream}: the append has ${bytes} bytes, ${MAX_APPEND_BYTES} are the most`)
}

/**
 * The sizes of appends that are to be independent: all are checked before one is sent, so that a programming error leaves
 * nothing half done. @throws {TypeError}
 */
export const measureMany = (appends: readonly Append[]): readonly (number | EventStoreError)[] => {
  if (new Set(appends.map(each => each.stream)).size < appends.length)
    throw new TypeError('a stream occurs twice in appends that are to be independent')
  return appends.map(measure)
}

/** A failure of one append of many is its answer; a programming error is thrown. */
export const asValue = (error: unknown): EventStoreError => {
  if (error instanceof EventStoreError) return error
  throw error
}
