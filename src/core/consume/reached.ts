/** Waiting until a follower of the log has come so far. */
import type { Clock } from '../../ports/clock.ts'

export type Waiting = {
  /** Has it come to `wanted`, `timeoutMs` from now at the latest? */
  reached(wanted: bigint, timeoutMs: number): Promise<boolean>
  /** It has gone on: whoever waits looks again. */
  wake(): void
}

/** `position`: how far it is. After the signal nobody waits. */
export const openWaiting = (deps: {
  readonly position: () => bigint
  readonly clock: Pick<Clock, 'sleep'>
  readonly signal: AbortSignal
}): Waiting => {
  const { position, clock, signal } = deps
  const waiting = new Set<() => void>()
  return {
    reached: (wanted, timeoutMs) => {
      if (position() >= wanted) return Promise.resolve(true)
      return new Promise(resolve => {
        const over = new AbortController()
        const end = (): void => {
          waiting.delete(check)
          over.abort()
          resolve(position() >= wanted)
        }
        const check = (): void => {
          if (position() >= wanted) end()
        }
        waiting.add(check)
        void clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).then(end)
      })
    },
    wake: () => {
      for (const check of [...waiting]) check()
    },
  }
}
