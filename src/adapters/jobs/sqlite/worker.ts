/** The thread that has the file of jobs open: each commit waits for the disk, and nobody's loop waits with it. */
import { randomUUID } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase, SqliteError } from '../../sqlite.ts'
import { APPLICATION_ID, migrate, openRepository, type Repository, SCHEMA_VERSION } from './repository.ts'

export type JobsRequest = {
  readonly id: number
  readonly method: keyof Repository | 'close'
  readonly args: readonly unknown[]
}
export type JobsAnswer = {
  readonly id: number
  readonly result?: unknown
  readonly fault?: string
  readonly kind?: string
}

if (parentPort) {
  const port = parentPort
  const data: unknown = workerData
  const { path } = data as { readonly path: string }
  const open = () => {
    // A job that was added must be there after a power cut: whoever added it has told others so.
    const db = openDatabase(path, {
      role: 'events',
      applicationId: APPLICATION_ID,
      schemaVersion: SCHEMA_VERSION,
      migrate,
    })
    return { db, repository: openRepository(db, randomUUID) }
  }
  let opened: ReturnType<typeof open> | undefined

  const perform = ({ method, args }: JobsRequest): unknown => {
    if (method === 'close') {
      opened?.db.close()
      return undefined
    }
    opened ??= open()
    const work = opened.repository[method] as (...values: readonly unknown[]) => unknown
    return work(...args)
  }

  port.on('message', (request: JobsRequest) => {
    const { id } = request
    try {
      port.postMessage({ id, result: perform(request) } satisfies JobsAnswer)
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error)
      const kind = error instanceof SqliteError ? { kind: error.kind } : {}
      port.postMessage({ id, fault, ...kind } satisfies JobsAnswer)
    }
  })
}
