/** Whether there is anything in a log that only keys can open. */
import type { EventStore } from '../../ports/event-store.ts'

const keyOf = (meta: string): string | undefined => {
  const envelope: unknown = JSON.parse(meta)
  return typeof envelope === 'object' && envelope !== null && 'key' in envelope && typeof envelope.key === 'string'
    ? envelope.key
    : undefined
}

/** The position of the first event with members that are sealed; undefined where none is. Reads the log up to there. @throws {EventStoreError} */
export const firstSealed = async (store: Pick<EventStore, 'readAll'>): Promise<bigint | undefined> => {
  for await (const { events } of store.readAll(0n))
    for (const event of events) if (!event.damaged && keyOf(event.meta) !== undefined) return event.position
  return undefined
}
