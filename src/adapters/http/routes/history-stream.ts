/**
 * The history as NDJSON: an event a line; after each page a line to resume from; at the end `{end: true, ...}`, so that a
 * stream which broke off is told from one that ended. Nothing is read before the client has room for it.
 */
import { Readable } from 'node:stream'
import type { OpenReading } from '../../../commands/history.ts'
import { isRefusal, type Refusal } from '../../../domain/refusal.ts'
import type { HistoryChunk } from '../../../queries/history.ts'
import { problemFrom } from '../problems.ts'
import { subjectsOf } from './history-parameters.ts'

/** Characters handed to the connection at once. */
const PIECE = 256_000
/** Events, or characters, after which a line says where to resume. */
const MARK_EVENTS = 500
const MARK_CHARACTERS = 1_000_000

export type StreamParts = {
  readonly chunks: AsyncGenerator<HistoryChunk>
  /** Taken from `chunks` already. */
  readonly first: IteratorResult<HistoryChunk>
  readonly reading: OpenReading
  readonly order: 'asc' | 'desc'
  readonly tokenOf: (position: bigint) => Promise<string>
  /** The actor id of the reader, whose own data is nobody's to be told of. */
  readonly reader: string
  /** Once, however the stream ends. */
  readonly release: () => void
}

const pieces = function* (chunk: HistoryChunk): Generator<{ readonly text: string; readonly count: number }> {
  let text = ''
  let count = 0
  for (const line of chunk.lines) {
    text += line.text
    text += '\n'
    count += 1
    if (text.length < PIECE) continue
    yield { text, count }
    text = ''
    count = 0
  }
  if (count > 0) yield { text, count }
}

/** The body of the answer. Whose personal data a part shows is recorded before it. Its end is recorded before the last line goes out; when its reader goes away, then. */
export const historyStream = ({ chunks, first, reading, reader, order, tokenOf, release }: StreamParts): Readable => {
  let count = 0
  const resume = order === 'asc' ? 'after' : 'before'

  const lines = async function* (): AsyncGenerator<string> {
    let marked = 0
    let characters = 0
    let position = 0n
    for (let step = first; !step.done; step = await chunks.next()) {
      const unrecorded = await reading.shows(subjectsOf(step.value.lines, reader))
      if (unrecorded) throw problemFrom(unrecorded)
      for (const piece of pieces(step.value)) {
        count += piece.count
        characters += piece.text.length
        yield piece.text
      }
      ;({ position } = step.value)
      const due = count - marked >= MARK_EVENTS || characters >= MARK_CHARACTERS || step.value.lines.length === 0
      if (!due) continue
      marked = count
      characters = 0
      yield `${JSON.stringify({ [resume]: await tokenOf(position), count })}\n`
    }
    const refused: Refusal | undefined = await reading.end(count, true)
    if (refused && isRefusal(refused)) throw problemFrom(refused)
    const token = await tokenOf(position)
    yield `${JSON.stringify({ end: true, count, position: String(position), [resume]: token })}\n`
  }

  // As texts all the way to the socket: each buffer between would be memory outside the heap, which makes it collect often.
  const body = Readable.from(lines(), { objectMode: false, encoding: 'utf8' })
  body.once('close', () => {
    release()
    void chunks.return(undefined).catch(() => undefined)
    // Only the first call counts: after the last line this says nothing new.
    reading.end(count, false).catch(() => undefined)
  })
  return body
}
