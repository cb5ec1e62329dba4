/** Which streams had their text removed, read from the log itself and kept up to date by reading on from there. */
import type { EventStore } from '../ports/event-store.ts'

export type Removals = {
  /** Reads what was removed since. Afterwards everything up to the head as of this call is known. */
  refresh(): Promise<void>
  has(stream: string): boolean
}

/** `types`: the event types that remove the text of their stream. Names are kept in memory: removals are few. */
export const openRemovals = (store: Pick<EventStore, 'readAll' | 'head'>, types: readonly string[]): Removals => {
  const removed = new Set<string>()
  let position = 0n
  let reading: Promise<void> | undefined
  let next: Promise<void> | undefined

  const read = async (): Promise<void> => {
    if ((await store.head()) <= position) return
    for await (const batch of store.readAll(position, { types })) {
      for (const { stream } of batch.events) removed.add(stream)
      position = batch.position
    }
  }
  const start = (): Promise<void> => {
    reading = read().finally(() => {
      reading = undefined
    })
    return reading
  }
  return {
    // Whoever comes while a read is on its way may ask about what came after its head: they share the one that follows.
    refresh: () => {
      if (!reading) return start()
      next ??= reading
        .catch(() => undefined)
        .then(() => {
          next = undefined
          return start()
        })
      return next
    },
    has: stream => removed.has(stream),
  }
}
