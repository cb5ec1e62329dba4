/** The files of a dictd dictionary: the index (dictfmt(1)), and articles out of `.dict` or `.dict.dz` in one pass. */
import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { readLines } from './lines.ts'

/** An article with the words of the index that lead to it; `line` is the first of them. */
export type Located = {
  readonly offset: number
  readonly length: number
  readonly line: number
  readonly words: readonly string[]
}
export type IndexFault = { readonly line: number; readonly reason: string }
type IndexEntry = { readonly word: string; readonly offset: number; readonly length: number }

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digitValue: ReadonlyMap<string, number> = new Map([...digits].map((digit, value) => [digit, value]))

/** A number in dictd's base 64, most significant digit first; undefined when it is none or too large. */
export const base64Number = (text: string): number | undefined => {
  let value = 0
  for (const digit of text) {
    const next = digitValue.get(digit)
    if (next === undefined) return undefined
    value = value * 64 + next
  }
  return text === '' || !Number.isSafeInteger(value) ? undefined : value
}

/** Bytes of an article at most. */
export const MAX_ARTICLE_BYTES = 1_000_000

/** "word TAB offset TAB length", with the word as written in a fourth column where the first one is folded. */
const parseEntry = (text: string): IndexEntry | string => {
  const [folded, from, size, written] = text.split('\t')
  const offset = base64Number(from ?? '')
  const length = base64Number(size ?? '')
  if (folded === undefined || offset === undefined || length === undefined)
    return 'The line is not of an index: word, offset and length in base 64, with tabs between.'
  if (length > MAX_ARTICLE_BYTES) return `The article has ${length} bytes, where ${MAX_ARTICLE_BYTES} are allowed.`
  return { word: written ?? folded, offset, length }
}

export type DictdIndex = {
  readonly faults: readonly IndexFault[]
  readonly size: number
  /** The articles in the order they stand in the file: however the index is sorted, one pass reads them. */
  articles(): Generator<Located>
}

/** The words of a dictionary fit the memory, its articles need not: half a million words take 40 MB here. */
export const readIndex = async (path: string, signal?: AbortSignal): Promise<DictdIndex> => {
  const words: string[] = []
  const offsets: number[] = []
  const lengths: number[] = []
  const lineNumbers: number[] = []
  const faults: IndexFault[] = []
  for await (const lines of readLines(path, signal))
    for (const { line, ...each } of lines) {
      if (!('text' in each)) faults.push({ line, reason: each.fault })
      else if (each.text !== '') {
        const entry = parseEntry(each.text)
        if (typeof entry === 'string') faults.push({ line, reason: entry })
        else {
          // A slice would keep its whole line alive.
          words.push(Buffer.from(entry.word, 'utf8').toString('utf8'))
          offsets.push(entry.offset)
          lengths.push(entry.length)
          lineNumbers.push(line)
        }
      }
    }
  const of = (numbers: readonly number[], i: number): number => numbers[i] ?? 0
  const order = Uint32Array.from(words.keys()).sort(
    (a, b) => of(offsets, a) - of(offsets, b) || of(lengths, a) - of(lengths, b) || a - b,
  )
  return {
    faults,
    size: words.length,
    *articles() {
      let current: { offset: number; length: number; line: number; words: string[] } | undefined
      for (const i of order) {
        const word = words[i] ?? ''
        if (current && current.offset === offsets[i] && current.length === lengths[i]) {
          if (!current.words.includes(word)) current.words.push(word)
          continue
        }
        if (current) yield current
        current = { offset: of(offsets, i), length: of(lengths, i), line: of(lineNumbers, i), words: [word] }
      }
      if (current) yield current
    },
  }
}

/** A dictzip file is a gzip file with a table in its header, which reading in order does not need. */
const openText = (path: string): Readable => {
  const file = createReadStream(path)
  // An error of the file reaches whoever reads from the end of the pipe.
  return /\.(dz|gz)$/.test(path) ? pipeline(file, createGunzip(), () => {}) : file
}

export type Span = { readonly offset: number; readonly length: number }

/** Yields the bytes of each span, which come sorted by offset; undefined for one that lies beyond the end of the file. */
export async function* readSpans<S extends Span>(
  path: string,
  spans: Iterable<S>,
): AsyncGenerator<readonly [S, Buffer | undefined]> {
  const stream = openText(path)
  const chunks: AsyncIterator<unknown> = stream[Symbol.asyncIterator]()
  let window: Buffer = Buffer.alloc(0)
  let base = 0
  let ended = false
  try {
    for (const span of spans) {
      const end = span.offset + span.length
      while (base + window.length < end && !ended) {
        if (span.offset >= base + window.length) {
          base += window.length
          window = Buffer.alloc(0)
        } else if (span.offset > base) {
          window = window.subarray(span.offset - base)
          base = span.offset
        }
        const next = await chunks.next()
        if (next.done) ended = true
        else if (Buffer.isBuffer(next.value))
          window = window.length > 0 ? Buffer.concat([window, next.value]) : next.value
      }
      const from = span.offset - base
      yield [span, end <= base + window.length ? window.subarray(from, from + span.length) : undefined]
    }
  } finally {
    stream.destroy()
  }
}
