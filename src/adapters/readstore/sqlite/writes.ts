/**
 * The main thread's side of the worker: requests out, answers in, a new worker when one has died. What is asked for in one turn of the
 * event loop goes as one message: every read model writes after the same commit.
 */

import { Worker } from 'node:worker_threads'
import { OwnError, wordsOf } from '../../../domain/own-error.ts'
import type { WorkerAnswer, WorkerFault, WorkerRequest } from './worker.ts'

/** A fault that the worker reported, by the kind that it gave. */
export class WorkerFailure extends OwnError {
  override readonly name = 'WorkerFailure'
  readonly kind: string
  constructor(fault: WorkerFault) {
    super(fault.message)
    this.kind = fault.kind
  }
}

type Answered = { readonly swapped?: boolean; readonly pages?: number }

type Waiting = {
  readonly resolve: (answer: Answered) => void
  readonly reject: (error: Error) => void
}

export type Writes = {
  /** @throws {WorkerFailure} */
  send(request: WorkerRequest): Promise<Answered>
  /** Finishes what was sent, but for what another process keeps from being written, and ends the thread. */
  close(): Promise<void>
}

export const openWrites = (path: string): Writes => {
  const waiting = new Map<number, Waiting>()
  const leaving = new Int32Array(new SharedArrayBuffer(4))
  let worker: Worker | undefined
  let next = 0
  let outgoing: { readonly id: number; readonly request: WorkerRequest }[] = []

  const settle = (answer: WorkerAnswer): void => {
    const request = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('fault' in answer) request?.reject(new WorkerFailure(answer.fault))
    else request?.resolve(answer)
  }
  const died = (of: Worker, message: string): void => {
    if (worker !== of) return
    worker = undefined
    for (const each of waiting.values()) each.reject(new WorkerFailure({ kind: 'io', message }))
    waiting.clear()
    outgoing = []
  }
  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { path, leaving },
      // What a slice leaves behind is short-lived: without a bound the young generation alone takes 100 MB.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
      // One that its end closed would drop the locks that others of this process have on the file.
      trackUnmanagedFds: false,
    })
    started.on('message', (answers: readonly WorkerAnswer[]) => {
      for (const answer of answers) settle(answer)
    })
    started.on('error', error => died(started, `the read store's writer failed: ${wordsOf(error)}`))
    started.on('exit', code => died(started, `the read store's writer ended with code ${code}`))
    return started
  }
  const post = (): void => {
    const messages = outgoing
    outgoing = []
    // Of one that has died meanwhile, nothing waits any more.
    if (messages.length > 0) worker?.postMessage(messages)
  }
  const send: Writes['send'] = request => {
    worker ??= start()
    const id = next
    next += 1
    const { promise, resolve, reject } = Promise.withResolvers<Answered>()
    waiting.set(id, { resolve, reject })
    if (outgoing.length === 0) setImmediate(post)
    outgoing.push({ id, request })
    return promise
  }
  return {
    send,
    close: async () => {
      if (!worker) return
      const ending = worker
      Atomics.store(leaving, 0, 1)
      await send({ op: 'close' })
      // The file is closed by now. The thread does not end itself: its port has no close() on Deno.
      await ending.terminate()
    },
  }
}
