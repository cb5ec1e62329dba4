/** The worker thread: takes a text at a time and answers with its HTML. */
import { parentPort } from 'node:worker_threads'
import { type Rendering, render } from '../../domain/chapter/rendering.ts'
import { wordsOf } from '../../domain/own-error.ts'

/** One at a time, so that no answer needs a name. */
export type RenderingAnswer = { readonly rendering: Rendering } | { readonly fault: string }

const answerTo = (text: string): RenderingAnswer => {
  try {
    return { rendering: render(text) }
  } catch (error) {
    return { fault: wordsOf(error) }
  }
}

if (parentPort) {
  const port = parentPort
  port.on('message', (text: string) => port.postMessage(answerTo(text)))
}
