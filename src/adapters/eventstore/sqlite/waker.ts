/** Wakes those who wait at the head of the log: at a commit of this process, or of another one that a poll finds. */
import type { Clock } from '../../../ports/clock.ts'

export type Waker = {
  /** Resolves at the next commit, or when the signal aborts; never rejects. It may resolve without a commit. */
  wait(signal?: AbortSignal): Promise<void>
  wake(): void
  /** Wakes them for the last time. */
  close(): void
}

/** `changed` says whether another connection has committed since it was last asked; polled only while someone waits. */
export const openWaker = (clock: Clock, changed: () => boolean, pollMs: number): Waker => {
  let waiting = new Set<() => void>()
  let polling = false
  const closed = new AbortController()

  const wake = (): void => {
    const woken = waiting
    waiting = new Set()
    for (const resolve of woken) resolve()
  }

  /** Until nobody waits at a look: whoever was woken is mostly back before the next one. */
  const poll = async (): Promise<void> => {
    polling = true
    do {
      await clock.sleep(pollMs, closed.signal)
      if (waiting.size > 0 && !closed.signal.aborted && changed()) wake()
    } while (waiting.size > 0 && !closed.signal.aborted)
    polling = false
  }

  return {
    wait: signal =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const done = (): void => {
          signal?.removeEventListener('abort', done)
          waiting.delete(done)
          resolve()
        }
        signal?.addEventListener('abort', done)
        waiting.add(done)
        if (!polling) void poll()
      }),
    wake,
    close: () => {
      closed.abort()
      wake()
    },
  }
}
