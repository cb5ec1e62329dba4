export type Turns = {
  /** Runs the work once there is a turn. */
  take<T>(owner: string, work: () => Promise<T>): Promise<T>
}

/**
 * Turns at something that only so many may do at once, and of one owner fewer. Owners who wait are served one after the
 * other, however many turns each of them wants: who asks for a thousand waits for these, and nobody else does.
 */
export const openTurns = (atOnce: number, ofOneOwner: number): Turns => {
  let free = atOnce
  const running = new Map<string, number>()
  // In the order in which owners are served: who was served goes to the end.
  const waiting = new Map<string, (() => void)[]>()

  const start = (owner: string): void => {
    free -= 1
    running.set(owner, (running.get(owner) ?? 0) + 1)
  }
  const next = (): void => {
    if (free === 0) return
    for (const [owner, queue] of waiting) {
      if ((running.get(owner) ?? 0) >= ofOneOwner) continue
      const go = queue.shift()
      waiting.delete(owner)
      if (queue.length > 0) waiting.set(owner, queue)
      start(owner)
      go?.()
      return
    }
  }
  return {
    take: async <T>(owner: string, work: () => Promise<T>): Promise<T> => {
      if (free > 0 && (running.get(owner) ?? 0) < ofOneOwner && !waiting.has(owner)) start(owner)
      else
        await new Promise<void>(resolve => {
          const queue = waiting.get(owner) ?? []
          queue.push(resolve)
          waiting.set(owner, queue)
        })
      try {
        return await work()
      } finally {
        free += 1
        const left = (running.get(owner) ?? 1) - 1
        if (left > 0) running.set(owner, left)
        else running.delete(owner)
        next()
      }
    },
  }
}
