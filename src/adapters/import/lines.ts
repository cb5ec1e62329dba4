/** Reads a file line by line without ever holding more of it than a chunk and one line. */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { defined } from '../../domain/defined.ts'

/** A line: its number from 1, its place in the file in bytes, and its text, or why it has none. */
export type Line = { readonly line: number; readonly offset: number; readonly length: number } & (
  | { readonly text: string }
  | { readonly fault: string }
)

/** Bytes of a line at most: an entry is far below, and a file without line ends must not fill the memory. */
export const MAX_LINE_BYTES = 4_000_000
const CHUNK_BYTES = 128 * 1024
const NEWLINE = 10
const RETURN = 13

const read = (bytes: Buffer, line: number, offset: number, length: number): Line =>
  isUtf8(bytes)
    ? { line, offset, length, text: bytes.toString('utf8') }
    : { line, offset, length, fault: 'The line is not UTF-8.' }

/**
 * The lines of a file, one array a chunk (a promise a line would cost more than its parsing). The end of line, LF or
 * CRLF, and a byte order mark are left out. @throws the file system's error when the file cannot be read.
 */
export async function* readLines(
  path: string,
  signal?: AbortSignal,
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<readonly Line[]> {
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES, ...defined({ signal }) })
  let rest: Buffer[] = []
  let restBytes = 0
  let line = 1
  let offset = 0
  let tooLong = false
  const take = (end: Buffer): Line => {
    const length = restBytes + end.length
    const place = { line, offset, length }
    line += 1
    offset += length + 1
    if (tooLong || length > maxBytes) {
      tooLong = false
      rest = []
      restBytes = 0
      return { ...place, fault: `The line is longer than ${maxBytes} bytes.` }
    }
    let bytes = rest.length > 0 ? Buffer.concat([...rest, end]) : end
    rest = []
    restBytes = 0
    if (bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1)
    if (place.offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
    return read(bytes, place.line, place.offset, bytes.length)
  }
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue
    const lines: Line[] = []
    let from = 0
    for (let at = chunk.indexOf(NEWLINE, from); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      lines.push(take(chunk.subarray(from, at)))
      from = at + 1
    }
    if (from < chunk.length) {
      const tail = chunk.subarray(from)
      restBytes += tail.length
      if (restBytes > maxBytes) {
        tooLong = true
        rest = []
      } else rest.push(tail)
    }
    if (lines.length > 0) yield lines
  }
  if (restBytes > 0) yield [take(Buffer.alloc(0))]
}
