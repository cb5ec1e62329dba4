/**
 * The HTML of texts: made once by a thread of its own, and kept in bounded bytes. The shortest text that waits is the next one, so that
 * whoever writes long ones full of markup delays those who read them, and others by one of them at most.
 */
import type { Rendering } from '../../domain/chapter/rendering.ts'
import type { RenderingThread } from './thread.ts'

/** More do not wait: at the worst each takes half a second. */
const MOST_WAITING = 64
/** Renderings kept at most, of whatever size. */
export const KEPT_RENDERINGS = 2_000
/** What is not Latin has two bytes a character. */
export const bytesOfRendering = ({ html, withImages = '' }: Rendering): number => 2 * (html.length + withImages.length)

export type Renderings = {
  /** `key` names the text for good: what says another text has another key. 'busy': too many wait. @throws {Error} the thread failed. */
  of(key: string, text: string): Promise<Rendering | 'busy'>
  /** As `of`, for who reads one after another and goes on whenever it may: waits however many there are. */
  whenever(key: string, text: string): Promise<Rendering>
  /** Nothing is kept any more that was rendered or begun by now: it may have been removed. */
  forget(): void
  close(): Promise<void>
}

type Asked = {
  readonly text: string
  readonly since: number
  readonly resolve: (rendering: Rendering) => void
  readonly reject: (error: unknown) => void
}

export const openRenderings = (deps: {
  readonly thread: RenderingThread
  readonly kept: { get(key: string): Rendering | undefined; set(key: string, value: Rendering): void; clear(): void }
}): Renderings => {
  const { thread, kept } = deps
  /** Those that are rendered or wait, by key: who asks for the same text waits for the same. */
  const pending = new Map<string, Promise<Rendering>>()
  const waiting: Asked[] = []
  let isRendering = false
  let age = 0

  const work = async (): Promise<void> => {
    if (isRendering) return
    isRendering = true
    for (;;) {
      const [next] = waiting.toSorted((a, b) => a.text.length - b.text.length || a.since - b.since)
      if (!next) break
      waiting.splice(waiting.indexOf(next), 1)
      try {
        next.resolve(await thread.render(next.text))
      } catch (error) {
        next.reject(error)
      }
    }
    isRendering = false
  }
  let count = 0
  const begin = async (key: string, text: string): Promise<Rendering> => {
    const begun = age
    const { promise, resolve, reject } = Promise.withResolvers<Rendering>()
    count += 1
    waiting.push({ text, since: count, resolve, reject })
    void work()
    try {
      const rendering = await promise
      if (begun === age) kept.set(key, rendering)
      return rendering
    } finally {
      if (begun === age) pending.delete(key)
    }
  }
  const known = (key: string): Rendering | Promise<Rendering> | undefined => kept.get(key) ?? pending.get(key)
  const whenever: Renderings['whenever'] = async (key, text) => {
    const found = known(key)
    if (found) return found
    const beginning = begin(key, text)
    pending.set(key, beginning)
    return beginning
  }
  return {
    whenever,
    of: async (key, text) => (!known(key) && waiting.length >= MOST_WAITING ? 'busy' : whenever(key, text)),
    forget: () => {
      age += 1
      kept.clear()
      pending.clear()
    },
    close: () => thread.close(),
  }
}
