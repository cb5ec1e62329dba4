/** Turns at something that only so many may do at once; those who wait are served in the order they came. */
export const openTurns = (atOnce: number) => {
  let free = atOnce
  const waiting: (() => void)[] = []
  return {
    /** Runs the work once there is a turn. */
    take: async <T>(work: () => Promise<T>): Promise<T> => {
      if (free > 0) free -= 1
      else await new Promise<void>(resolve => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else free += 1
      }
    },
  }
}
