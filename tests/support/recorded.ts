/** Events of one stream as they are read, a millisecond after the other. */
import type { DomainEvent, Recorded } from '../../src/domain/event.ts'

const START = Date.parse('2026-01-05T10:00:00.000Z')

export const recordedOf = <E extends DomainEvent>(
  stream: string,
  events: readonly (E & { readonly removed?: true })[],
): readonly Recorded<E>[] =>
  events.map((event, n) => ({
    ...event,
    id: `${stream} ${n}`,
    stream,
    revision: BigInt(n),
    position: BigInt(n + 1),
    recordedAt: new Date(START).toISOString(),
    meta: {
      actor: { kind: 'account', id: 'ada' },
      commandId: 'c',
      correlationId: 'c',
      causationId: 'c',
      at: new Date(START + n).toISOString(),
      schema: 1,
      route: { visibility: 'owner' },
    },
  }))
