/** Whether there is anything in a log that only keys of a kind can open. */
import type { EventType } from '../../domain/event.ts'
import type { EventStore } from '../../ports/event-store.ts'
import type { KindOfKey } from '../../ports/keys.ts'

const keyOf = (meta: string): string | undefined => {
  const envelope: unknown = JSON.parse(meta)
  return typeof envelope === 'object' && envelope !== null && 'key' in envelope && typeof envelope.key === 'string'
    ? envelope.key
    : undefined
}

/**
 * The position of the first event with members that are sealed under a key of this kind, whatever it is for `secret`; undefined where
 * none is. Reads the events of the types that are sealed so, up to there. @throws {EventStoreError}
 */
export const firstSealed = async (
  store: Pick<EventStore, 'readAll'>,
  declared: readonly Pick<EventType, 'type' | 'seal'>[],
  kind: KindOfKey,
): Promise<bigint | undefined> => {
  const isUnder = ({ seal }: Pick<EventType, 'seal'>): boolean =>
    kind === 'secret' ? seal !== undefined : seal === kind
  const types = declared.filter(isUnder).map(({ type }) => type)
  for await (const { events } of store.readAll(0n, { types }))
    for (const event of events) if (!event.damaged && keyOf(event.meta) !== undefined) return event.position
  return undefined
}
