/**
 * The writer thread: gathers the appends that have arrived, commits them as one transaction (group commit), answers.
 * Started by writer-thread.ts with `WriterSettings` as its data.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { identityOf } from '../../sqlite/file.ts'
import { checkpoint } from '../../sqlite/journal.ts'
import { CommitError, openAppender } from './appender.ts'
import { rebuildLookups } from './lookups-repair.ts'
import {
  type AppendMessage,
  FileReplacedError,
  failureOf,
  type WriterReply,
  type WriterRequest,
  type WriterSettings,
} from './protocol.ts'
import { openReader } from './reader.ts'
import { reopenEventFile } from './schema.ts'

/** A transaction takes appends up to here, so that the first of them does not wait for all of a burst. */
const BATCH_APPENDS = 512
const BATCH_CHARACTERS = 8_000_000
/** How long a batch waits for another process's lock once the store is closing. */
const LEAVING_MS = 2_000

const port = parentPort
if (!port) throw new Error('writer.ts runs as a worker thread only')
const reply = (message: WriterReply): void => port.postMessage(message)
const settings: WriterSettings = workerData

const start = (): void => {
  const { path } = settings
  // Opening would make a file that is not there.
  if (identityOf(path) !== settings.identity) throw new FileReplacedError(path)
  // What was sent before the end is worth a moment's waiting, which is what other writers take.
  const patienceMs = (): number =>
    Math.min(settings.busyTimeoutMs, Atomics.load(settings.leaving, 0) === 1 ? LEAVING_MS : Number.POSITIVE_INFINITY)
  const db = reopenEventFile(path, { ...settings, patienceMs })
  let appender = openAppender(db)
  let waiting: AppendMessage[] = []
  let scheduled = false
  let closing = false

  const nextBatch = (): AppendMessage[] => {
    let appends = 0
    let characters = 0
    let taken = 0
    for (const message of waiting) {
      if (appends >= BATCH_APPENDS || characters >= BATCH_CHARACTERS) break
      taken += 1
      appends += message.streams.length
      for (const text of message.texts) characters += text.length
    }
    const batch = waiting.slice(0, taken)
    waiting = waiting.slice(taken)
    return batch
  }

  const commit = (batch: readonly AppendMessage[]): void => {
    try {
      // An answer means that it is in the log; one that was deleted is none, though its file can still be written.
      if (identityOf(path) !== settings.identity) throw new FileReplacedError(path)
      reply({ kind: 'answers', answers: appender.commit(batch) })
    } catch (error) {
      const count = batch.reduce((sum, message) => sum + message.streams.length, 0)
      reply({ kind: 'failed', count, failure: failureOf(error, error instanceof CommitError) })
    }
  }

  const work = (): void => {
    scheduled = false
    if (waiting.length > 0) commit(nextBatch())
    if (waiting.length > 0) schedule()
    else if (closing) {
      db.close()
      // The store ends the thread: a port has no close() on Deno.
      reply({ kind: 'closed' })
    }
  }

  // After the messages that have arrived by now were taken in: they share the transaction.
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    setImmediate(work)
  }

  const fold = (): number => (closing ? -1 : checkpoint(db))

  const repair = (): WriterReply => {
    try {
      rebuildLookups(db, openReader(db))
      // What the one before remembers is of what was there.
      appender = openAppender(db)
      return { kind: 'repaired' }
    } catch (error) {
      return { kind: 'repaired', failure: failureOf(error, false) }
    }
  }

  port.on('message', (request: WriterRequest) => {
    if (request.kind === 'repair') return reply(repair())
    if (request.kind === 'checkpoint') return reply({ kind: 'checkpointed', pages: waiting.length > 0 ? -1 : fold() })
    if (request.kind === 'close') closing = true
    else waiting.push(request)
    schedule()
  })
  reply({ kind: 'ready' })
}

try {
  start()
} catch (error) {
  reply({ kind: 'fatal', failure: failureOf(error, false) })
}
