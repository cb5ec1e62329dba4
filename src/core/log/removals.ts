/** What the log says of streams by events of a few types, kept up to date by reading on from where the last look ended. */
import type { EventType, Recorded } from '../../domain/event.ts'
import type { EventStore, LoggedEvent } from '../../ports/event-store.ts'

/**
 * An event type by which text is removed for ever. Because of such an event every document key that sealed anything in `streams` is
 * destroyed: in its own stream, unless said. `onlyBefore`: what it says itself, and what comes after, stays under a key of its own;
 * documents stay with it, since they hold what it says.
 */
export type RemovalRule = {
  readonly type: EventType
  readonly streams?: (event: Recorded) => readonly string[]
  readonly onlyBefore?: true
}

export type Removals = {
  /** Reads what was removed since. Afterwards everything up to the head as of this call is known. */
  refresh(): Promise<void>
  has(stream: string): boolean
}

/** The function reads on to the head as of its call, and hands each event of the types to `take`, in order, once. */
export const openReadingUp = (
  store: Pick<EventStore, 'readAll' | 'head'>,
  types: readonly string[],
  take: (event: LoggedEvent) => void,
): (() => Promise<void>) => {
  let position = 0n
  let reading: Promise<void> | undefined
  let next: Promise<void> | undefined

  const read = async (): Promise<void> => {
    if ((await store.head()) <= position) return
    for await (const batch of store.readAll(position, { types })) {
      for (const event of batch.events) take(event)
      position = batch.position
    }
  }
  const start = (): Promise<void> => {
    reading = read().finally(() => {
      reading = undefined
    })
    return reading
  }
  // Whoever comes while a read is on its way may ask about what came after its head: they share the one that follows.
  return () => {
    if (!reading) return start()
    next ??= reading
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }
}

/** `types`: the event types that remove the text of their stream. Names are kept in memory: removals are few. */
export const openRemovals = (store: Pick<EventStore, 'readAll' | 'head'>, types: readonly string[]): Removals => {
  const removed = new Set<string>()
  const refresh = openReadingUp(store, types, ({ stream }) => removed.add(stream))
  return { refresh, has: stream => removed.has(stream) }
}
