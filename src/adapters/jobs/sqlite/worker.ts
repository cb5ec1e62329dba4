/** The thread that has the file of jobs open: each commit waits for the disk, and nobody's loop waits with it. */

import { randomUUID } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { wordsOf } from '../../../domain/own-error.ts'
import { openDatabase, type Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { identityOf } from '../../sqlite/file.ts'
import { fileMarks } from '../../sqlite/marks.ts'
import { openQueueFile, type QueueFile, replaced } from './queue-file.ts'
import { mendIndexes, migrate } from './schema.ts'

export type JobsRequest = {
  readonly id: number
  readonly method: keyof QueueFile | 'close'
  readonly args: readonly unknown[]
  /** Milliseconds since 1970, by the clock of whoever asks. */
  readonly now: number
}
export type JobsAnswer = {
  readonly id: number
  readonly result?: unknown
  readonly fault?: string
  readonly kind?: string
}

/** How long a statement waits for another process's lock, in milliseconds. */
const BUSY_MS = 5_000
/**
 * SQLite itself asks for a lock less and less often, so that whoever has it gets it again and again. Here all ask every
 * millisecond, and who has taken a few jobs leaves the file alone for longer than that: each gets its share.
 */
const ASK_MS = 1
const TURN = 4
const PAUSE_MS = 4

/** So many requests go together at most. */
const TOGETHER = 64

/** Milliseconds between two looks at whether the file is still the one that was opened. */
const LOOK_MS = 1_000

const faultOf = (id: number, error: unknown): JobsAnswer => {
  const fault = wordsOf(error)
  return error instanceof SqliteError ? { id, fault, kind: error.kind } : { id, fault }
}

if (parentPort) {
  const port = parentPort
  const data: unknown = workerData
  const { path } = data as { readonly path: string }
  let asked = 0
  const open = () => {
    // A job that was added must be there after a power cut: whoever added it has told others so.
    const db = openDatabase(path, {
      role: 'events',
      applicationId: fileMarks.jobs.applicationId,
      schemaVersion: fileMarks.jobs.schema,
      migrate,
      // What is deleted may lead to somebody who was erased: its bytes are overwritten.
      pragmas: { secure_delete: 'ON' },
    })
    mendIndexes(db)
    db.exec('PRAGMA busy_timeout = 0')
    return { db, file: openQueueFile(db, randomUUID, () => asked), identity: identityOf(path) }
  }
  let opened: ReturnType<typeof open> | undefined
  let looked = Number.NEGATIVE_INFINITY

  const leave = (): void => {
    opened?.db.close()
    opened = undefined
  }
  const current = (): ReturnType<typeof open> => {
    const at = performance.now()
    if (opened && at - looked >= LOOK_MS) {
      looked = at
      if (identityOf(path) !== opened.identity) {
        leave()
        throw replaced(path)
      }
    }
    opened ??= open()
    return opened
  }
  const asleep = new Int32Array(new SharedArrayBuffer(4))
  const pause = (ms: number): void => void Atomics.wait(asleep, 0, 0, ms)

  const perform = (file: QueueFile, db: Sqlite, { id, method, args, now }: JobsRequest): JobsAnswer => {
    if (method === 'close') return { id }
    asked = now
    const work = file[method] as (...values: readonly unknown[]) => unknown
    db.exec('SAVEPOINT request')
    try {
      const result = work(...args)
      db.exec('RELEASE request')
      return { id, result }
    } catch (error) {
      // A full disk or an input/output error has rolled back the whole already.
      if (!db.inTransaction) throw error
      db.exec('ROLLBACK TO request; RELEASE request')
      return faultOf(id, error)
    }
  }
  /** All in one transaction, so that they wait for the disk once. Where another process has the lock nothing has been done yet. */
  const performAll = (requests: readonly JobsRequest[]): readonly JobsAnswer[] => {
    for (const began = performance.now(); ; ) {
      try {
        const { db, file } = current()
        return db.transaction(() => requests.map(request => perform(file, db, request)))
      } catch (error) {
        const busy = error instanceof SqliteError && error.kind === 'busy'
        if (!busy || performance.now() - began > BUSY_MS) return requests.map(({ id }) => faultOf(id, error))
        pause(ASK_MS)
      }
    }
  }

  let taken = 0
  const waiting: JobsRequest[] = []
  const answerAll = (): void => {
    const requests = waiting.splice(0, TOGETHER)
    if (waiting.length > 0) setImmediate(answerAll)
    const closing = requests.find(({ method }) => method === 'close')
    const asked = requests.filter(request => request !== closing)
    const answers = asked.length > 0 ? performAll(asked) : []
    for (const answer of answers) port.postMessage(answer)
    if (closing) {
      leave()
      port.postMessage({ id: closing.id } satisfies JobsAnswer)
      return
    }
    const got = asked.filter(({ method }, at) => method === 'getNextJobToRun' && answers[at]?.result !== undefined)
    taken += got.length
    if (taken < TURN) return
    taken = 0
    pause(PAUSE_MS)
  }
  // What came while the disk was waited for goes together. Deno refuses to be asked what else the port has.
  port.on('message', (request: JobsRequest) => {
    if (waiting.push(request) === 1) setImmediate(answerAll)
  })
}
