/** A thread that renders texts, so that none holds up the thread that answers: half a second of work is one of its own. */
import { Worker } from 'node:worker_threads'
import type { Rendering } from '../../domain/chapter/rendering.ts'
import { OwnError, wordsOf } from '../../domain/own-error.ts'
import type { RenderingAnswer } from './worker.ts'

export type RenderingThread = {
  /** One text at a time: who asks waits for the answer before the next. @throws {Error} the thread failed; the next call starts another. */
  render(text: string): Promise<Rendering>
  close(): Promise<void>
}

type Waiting = { readonly resolve: (rendering: Rendering) => void; readonly reject: (error: Error) => void }

/** The thread begins with the first text: it takes memory, and a service without readers of chapters needs none. */
export const openRenderingThread = (): RenderingThread => {
  let worker: Worker | undefined
  let waiting: Waiting | undefined
  let closed = false
  const taken = (): Waiting | undefined => {
    const asked = waiting
    waiting = undefined
    return asked
  }
  const died = (of: Worker, message: string): void => {
    if (worker !== of) return
    worker = undefined
    taken()?.reject(new OwnError(message))
  }
  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url), {
      // Tokens and strings of one text are short-lived: without a bound the young generation alone takes 100 MB.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    })
    started.on('message', (answer: RenderingAnswer) => {
      if ('fault' in answer) taken()?.reject(new OwnError(answer.fault))
      else taken()?.resolve(answer.rendering)
    })
    started.on('error', error => died(started, `the thread that renders failed: ${wordsOf(error)}`))
    started.on('exit', code => died(started, `the thread that renders ended with code ${code}`))
    return started
  }
  return {
    render: text => {
      if (closed) return Promise.reject(new OwnError('the thread that renders is closed'))
      if (waiting) return Promise.reject(new OwnError('one text is rendered at a time'))
      worker ??= start()
      const { promise, resolve, reject } = Promise.withResolvers<Rendering>()
      waiting = { resolve, reject }
      worker.postMessage(text)
      return promise
    },
    close: async () => {
      closed = true
      const ending = worker
      if (!ending) return
      died(ending, 'the thread that renders is closed')
      await ending.terminate()
    },
  }
}
