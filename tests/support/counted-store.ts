/** An event store that counts what is read of it: what a request examines, whatever the machine is doing. */
import type { EventStore, LoggedEvent } from '../../src/ports/event-store.ts'

export type Counted = {
  readonly store: EventStore
  /** What the work read of streams. */
  during(work: () => Promise<unknown>): Promise<{ readonly events: number; readonly characters: number }>
}

export const countedStore = (store: EventStore): Counted => {
  let [events, characters] = [0, 0]
  const readStream: EventStore['readStream'] = async function* (stream, options) {
    for await (const page of store.readStream(stream, options)) {
      events += page.length
      characters += page.reduce((sum: number, { data }: LoggedEvent) => sum + data.length, 0)
      yield page
    }
  }
  return {
    store: { ...store, readStream },
    during: async work => {
      const before = { events, characters }
      await work()
      return { events: events - before.events, characters: characters - before.characters }
    },
  }
}
