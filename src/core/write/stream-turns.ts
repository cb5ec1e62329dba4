/**
 * Takes commands on one stream one after the other inside a process, in the order in which they came: two that decide on
 * the same revision at once would send one of them back. Between processes the append itself decides.
 */
import { EventStoreError, MAX_WAITING_APPENDS } from '../../ports/event-store.ts'

/** Commands that may wait for one stream before `busy`: about a second's work. */
export const MAX_WAITING_ON_STREAM = 1024

export type StreamTurns = {
  /** Does the work when it is this stream's turn. @throws {EventStoreError} busy, when too many wait; what the work throws. */
  on<T>(stream: string, work: () => Promise<T>): Promise<T>
}

/** `most`: on one stream. Over all of them as many may wait as appends may. */
export const openStreamTurns = (most = MAX_WAITING_ON_STREAM): StreamTurns => {
  // A stream stands here while somebody has its turn, with those who wait for it.
  const waiting = new Map<string, (() => void)[]>()
  let all = 0

  const pass = (stream: string, queue: (() => void)[]): void => {
    const next = queue.shift()
    if (!next) {
      waiting.delete(stream)
      return
    }
    all -= 1
    next()
  }

  return {
    on: async (stream, work) => {
      const queue = waiting.get(stream)
      const own = queue ?? []
      if (queue) {
        if (queue.length >= most || all >= MAX_WAITING_APPENDS)
          throw new EventStoreError('busy', `Too many commands wait for one stream: ${queue.length}, ${all} in all.`)
        all += 1
        await new Promise<void>(resolve => queue.push(resolve))
      } else waiting.set(stream, own)
      try {
        return await work()
      } finally {
        pass(stream, own)
      }
    },
  }
}
