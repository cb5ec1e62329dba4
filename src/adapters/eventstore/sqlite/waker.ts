/** Wakes those who wait at the head of the log: at a commit of this process, or of another one that a poll finds. */
import type { Clock } from '../../../ports/clock.ts'

export type Waker = {
  /** Resolves at the next commit, or when the signal aborts; never rejects. It may resolve without a commit. */
  wait(signal?: AbortSignal): Promise<void>
  wake(): void
}

/** `changed` says whether another connection has committed since it was last asked; polled only while someone waits. */
export const openWaker = (clock: Clock, changed: () => boolean, pollMs: number): Waker => {
  let waiting = new Set<() => void>()
  let polling: AbortController | undefined

  const wake = (): void => {
    const woken = waiting
    waiting = new Set()
    polling?.abort()
    polling = undefined
    for (const resolve of woken) resolve()
  }

  const poll = async (stop: AbortSignal): Promise<void> => {
    while (!stop.aborted) {
      await clock.sleep(pollMs, stop)
      if (!stop.aborted && changed()) wake()
    }
  }

  return {
    wait: signal =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const done = (): void => {
          signal?.removeEventListener('abort', done)
          waiting.delete(done)
          if (waiting.size === 0) {
            polling?.abort()
            polling = undefined
          }
          resolve()
        }
        signal?.addEventListener('abort', done)
        waiting.add(done)
        if (polling) return
        polling = new AbortController()
        void poll(polling.signal)
      }),
    wake,
  }
}
