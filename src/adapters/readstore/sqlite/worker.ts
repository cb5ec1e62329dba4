/** The worker thread: takes requests from its parent and answers each; batches take turns, one slice at a time. */

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
import { openWriter, type WriteBatch, WriteRefused, type Writer } from './writer.ts'

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
  const answer = (message: WorkerAnswer): void => port.postMessage(message)
  const fail = (id: number, error: unknown): void =>
    answer({ id, fault: { kind: kindOf(error), message: wordsOf(error) } })

  /** Batches in progress; each runs one slice in turn. */
  const batches: { readonly id: number; readonly steps: Generator<void, void> }[] = []
  let scheduled = false
  const step = (): void => {
    scheduled = false
    const next = batches.shift()
    if (!next) return
    try {
      if (next.steps.next().done) answer({ id: next.id })
      else batches.push(next)
    } catch (error) {
      fail(next.id, error)
    }
    schedule()
  }
  const schedule = (): void => {
    if (scheduled || batches.length === 0) return
    scheduled = true
    setImmediate(step)
  }

  const drain = (): void => {
    for (const each of batches.splice(0)) {
      try {
        while (!each.steps.next().done);
        answer({ id: each.id })
      } catch (error) {
        fail(each.id, error)
      }
    }
  }

  /** What the request answers at once; a batch answers when its last slice is written. */
  const perform = (id: number, request: WorkerRequest): WorkerAnswer | undefined => {
    switch (request.op) {
      case 'apply':
        batches.push({ id, steps: running().apply(request.batch) })
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

  port.on('message', (message: { readonly id: number; readonly request: WorkerRequest }) => {
    try {
      const done = perform(message.id, message.request)
      if (done) answer(done)
    } catch (error) {
      fail(message.id, error)
    }
  })
}
