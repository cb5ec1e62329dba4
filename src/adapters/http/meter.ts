/**
 * What is examined for a request, wherever that is done: the stores tell of each key and event that they look at, and the request that
 * it was for is whoever's turn it is (https://nodejs.org/api/async_context.html). Nobody has to hand a counter down through every query.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

export type Meter = {
  /** `spent` is told how much was examined, once the work has ended, however it does, and of all that comes of it later. */
  during<T>(work: () => Promise<T> | T, spent: (examined: number) => void): Promise<T>
  /** So much was examined just now; of what is for no request nothing is kept. */
  add(examined: number): void
}

export const openMeter = (): Meter => {
  const running = new AsyncLocalStorage<(examined: number) => void>()
  return {
    during: async (work, spent) => {
      let [examined, isOver] = [0, false]
      const count = (more: number): void => {
        if (isOver) spent(more)
        else examined += more
      }
      try {
        return await running.run(count, work)
      } finally {
        isOver = true
        if (examined > 0) spent(examined)
      }
    },
    add: examined => {
      if (examined > 0) running.getStore()?.(examined)
    },
  }
}
