/** Events as they are read. */
import type { DomainEvent, EventMeta, JsonObject, Recorded } from '../../src/domain/event.ts'

const START = Date.parse('2026-01-05T10:00:00.000Z')

/** Of one stream, a millisecond after the other. */
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

/** One at a place of the log, by Ada. */
export const recordedAt = (
  position: bigint,
  {
    stream,
    type,
    data = {},
    route,
  }: {
    readonly stream: string
    readonly type: string
    readonly data?: JsonObject
    readonly route: EventMeta['route']
  },
): Recorded => ({
  id: `${position}`,
  type,
  stream,
  revision: position,
  position,
  recordedAt: new Date(START).toISOString(),
  data,
  meta: {
    actor: { kind: 'account', id: 'ada' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    at: new Date(START).toISOString(),
    schema: 1,
    route,
  },
})
