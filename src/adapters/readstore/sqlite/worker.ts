/**
 * The worker thread: takes requests from its parent and answers each. Batches take turns, one slice at a time; small ones that wait
 * at once, as after a commit to the log that every read model has heard of, share a transaction.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { wordsOf } from '../../../domain/own-error.ts'
import type { CollectionName, Indexes } from '../../../ports/read-store.ts'
import { openDatabase, type Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { checkpoint } from '../../sqlite/journal.ts'
import { fileMarks } from '../../sqlite/marks.ts'
import { scrub } from '../../sqlite/scrub.ts'
import { openAlone } from './file-lock.ts'
import { migrate } from './layout.ts'
import { openWriter, SHORT_DOCUMENTS, type WriteBatch, WriteRefused, type Writer } from './writer.ts'

export type WorkerRequest =
  | { readonly op: 'apply'; readonly batch: WriteBatch }
  | { readonly op: 'ensure'; readonly collection: CollectionName; readonly indexes: Indexes }
  | { readonly op: 'drop'; readonly collection: CollectionName }
  | {
      readonly op: 'swap'
      readonly name: string
      readonly expected: string | undefined
      readonly value: string | undefined
    }
  /** Leaves the file, which is no longer the one at the path, and opens the one that is. */
  | { readonly op: 'reopen' }
  /** Folds the journal into the file, if nobody stands in the way. */
  | { readonly op: 'checkpoint' }
  /** Overwrites what deleted rows left in some pages, from one on. */
  | { readonly op: 'scrub'; readonly from: number }
  | { readonly op: 'close' }

export type WorkerFault = { readonly kind: string; readonly message: string }
export type WorkerAnswer =
  | { readonly id: number; readonly swapped?: boolean; readonly pages?: number }
  | { readonly id: number; readonly fault: WorkerFault }

/** How long a write waits for another process's lock, in milliseconds. */
const PATIENCE_MS = 5_000

const kindOf = (error: unknown): string =>
  error instanceof WriteRefused
    ? error.code
    : error instanceof SqliteError
      ? error.kind
      : error instanceof TypeError
        ? 'type'
        : 'io'

if (parentPort) {
  const port = parentPort
  const data: unknown = workerData
  const { path, leaving } = data as { readonly path: string; readonly leaving: Int32Array }
  const open = (): Sqlite =>
    openAlone(path, () =>
      openDatabase(path, {
        role: 'read',
        applicationId: fileMarks.reads.applicationId,
        schemaVersion: fileMarks.reads.schema,
        migrate,
        // What is deleted may have been removed for privacy: its bytes are overwritten, not only its place given free.
        pragmas: { secure_delete: 'ON' },
        // What is written here is made again from the log: a process that ends does not wait for whoever holds the file.
        patienceMs: () => (Atomics.load(leaving, 0) === 1 ? 0 : PATIENCE_MS),
      }),
    )
  let db: Sqlite | undefined
  let writer: Writer | undefined

  const running = (): Writer => {
    db ??= open()
    writer ??= openWriter(db, () => performance.now())
    return writer
  }
  const leave = (): void => {
    writer = undefined
    db?.close()
    db = undefined
  }
  const answerAll = (answers: readonly WorkerAnswer[]): void => port.postMessage(answers)
  const failed = (id: number, error: unknown): WorkerAnswer => ({
    id,
    fault: { kind: kindOf(error), message: wordsOf(error) },
  })

  type Waiting = { readonly id: number; readonly batch: WriteBatch; steps?: Generator<void, void>; isAlone?: true }
  /** Batches in progress; each runs one slice in turn. */
  const batches: Waiting[] = []
  let scheduled = false

  /** One slice; its answer after the last one. */
  const slice = (waiting: Waiting): WorkerAnswer | undefined => {
    try {
      waiting.steps ??= running().apply(waiting.batch)
      return waiting.steps.next().done ? { id: waiting.id } : undefined
    } catch (error) {
      return failed(waiting.id, error)
    }
  }
  /** The next ones that may share a transaction; none where the next one is to be written by itself. */
  const takeTogether = (): readonly Waiting[] => {
    const end = batches.findIndex(
      ({ batch, steps, isAlone }) => isAlone || steps !== undefined || batch.positions.length > SHORT_DOCUMENTS,
    )
    const many = end < 0 ? batches.length : end
    return many < 2 ? [] : batches.splice(0, many)
  }
  const writeTogether = (together: readonly Waiting[]): readonly WorkerAnswer[] => {
    try {
      const written = running().applyTogether(together.map(({ batch }) => batch))
      batches.unshift(...together.slice(written))
      return together.slice(0, written).map(({ id }) => ({ id }))
    } catch (error) {
      // A file that others hold is held for each of them. Of anything else one of them may be the cause, and not the others.
      if (error instanceof SqliteError && error.kind === 'busy') return together.map(({ id }) => failed(id, error))
      for (const waiting of together) waiting.isAlone = true
      batches.unshift(...together)
      return []
    }
  }
  const step = (): void => {
    scheduled = false
    const together = takeTogether()
    const next = together.length > 0 ? undefined : batches.shift()
    const answer = next && slice(next)
    if (next && !answer) batches.push(next)
    const answers = answer ? [answer] : writeTogether(together)
    if (answers.length > 0) answerAll(answers)
    schedule()
  }
  const schedule = (): void => {
    if (scheduled || batches.length === 0) return
    scheduled = true
    setImmediate(step)
  }

  const drain = (): void => {
    for (const waiting of batches.splice(0)) {
      let answer = slice(waiting)
      while (!answer) answer = slice(waiting)
      answerAll([answer])
    }
  }

  /** What the request answers at once; a batch answers when its last slice is written. */
  const perform = (id: number, request: WorkerRequest): WorkerAnswer | undefined => {
    switch (request.op) {
      case 'apply':
        batches.push({ id, batch: request.batch })
        schedule()
        return undefined
      case 'ensure':
        running().ensure(request.collection, request.indexes)
        return { id }
      case 'drop':
        running().drop(request.collection)
        return { id }
      case 'swap':
        return { id, swapped: running().swap(request.name, request.expected, request.value) }
      case 'reopen':
        leave()
        running()
        return { id }
      case 'checkpoint':
        running()
        return { id, pages: db && batches.length === 0 ? checkpoint(db) : -1 }
      case 'scrub':
        running()
        return { id, pages: db ? scrub(db, request.from) : request.from }
      case 'close':
        drain()
        leave()
        return { id }
    }
  }

  port.on('message', (messages: readonly { readonly id: number; readonly request: WorkerRequest }[]) => {
    const answers = messages.flatMap(({ id, request }): WorkerAnswer | readonly WorkerAnswer[] => {
      try {
        return perform(id, request) ?? []
      } catch (error) {
        return failed(id, error)
      }
    })
    if (answers.length > 0) answerAll(answers)
  })
}
