/**
 * The history: one small document an event, which says where it stands in the log and holds the keys it is found by. The
 * events themselves stay in the log. The id is the position in a form that sorts, so every index ends in the log's order.
 */
import { createHash } from 'node:crypto'
import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { JsonObject, Recorded } from '../domain/event.ts'
import type { Indexes } from '../ports/read-store.ts'

/** Texts of any length are found by 52 bits of their hash: who reads an event compares the text itself. */
export type HistoryDocument = {
  readonly type: string
  readonly kind: string
  readonly actor: number
  readonly correlation: number
  readonly stream: number
  /** Of the event's own id. */
  readonly event: number
  /** `meta.at` in milliseconds since 1970. */
  readonly at: number
  /** Whom it concerns, where that is not who acted: the owner of its route. Absent of most. */
  readonly concerns?: readonly string[]
}

/** How far the time of an event was ever behind that of one before it, in milliseconds. */
export type ClockDocument = { readonly latest: number; readonly behind: number }

const indexes: Indexes = [
  { name: 'stream', on: ['stream'], narrow: true },
  { name: 'correlation', on: ['correlation'], narrow: true },
  { name: 'event', on: ['event'], narrow: true },
  { name: 'typeActor', on: ['type', 'actor'] },
  { name: 'actor', on: ['actor'] },
  { name: 'typeKind', on: ['type', 'kind'] },
  { name: 'type', on: ['type'] },
  { name: 'kind', on: ['kind'] },
  { name: 'concerns', on: ['concerns'], terms: 'concerns', narrow: true },
  { name: 'at', on: ['at'] },
  { name: 'all', on: [] },
]

const BASE = 36

/** The id of the event at a position: a letter for the number of digits, then the digits, so that ids sort as positions do. */
export const historyId = (position: bigint): string => {
  const digits = position.toString(BASE)
  return String.fromCharCode(96 + digits.length) + digits
}

/** The position that an id stands for; ids are base 36, which BigInt does not read. */
export const historyPosition = (id: string): bigint => {
  let position = 0n
  for (const digit of id.slice(1)) position = position * 36n + BigInt(Number.parseInt(digit, BASE))
  return position
}

/** Beyond every event. */
export const AFTER_ALL = '~'
export const CLOCK_ID = '~clock'

const remembered = new Map<string, number>()
const REMEMBERED = 4_096

/** The number that a text is found by: the same for ever, since documents keep it. */
export const historyKey = (text: string): number => {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const key = Number.parseInt(createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 13), 16)
  if (remembered.size >= REMEMBERED) remembered.clear()
  remembered.set(text, key)
  return key
}

/** The term that events are found by which concern somebody who did not act. */
export const concernKey = (id: string): string => String(historyKey(id))

/** The number that an event's id, a UUID, is found by: its first 48 bits, which are as good as a hash of it. */
export const eventKey = (id: string): number => {
  const key = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return Number.isSafeInteger(key) ? key : historyKey(id)
}

const clockAfter = (document: JsonObject | undefined, at: number): JsonObject => {
  const latest = typeof document?.['latest'] === 'number' ? document['latest'] : at
  const behind = typeof document?.['behind'] === 'number' ? document['behind'] : 0
  return { latest: Math.max(latest, at), behind: Math.max(behind, latest - at) }
}

export const historyProjection = projection<JsonObject>({
  name: 'history',
  version: 4,
  indexes,
  key: ({ position }) => [historyId(position), CLOCK_ID],
  evolve: (document, event: Recorded, id): JsonObject => {
    const at = Date.parse(event.meta.at)
    if (id === CLOCK_ID) return clockAfter(document, at)
    const { actor, correlationId, route } = event.meta
    const concerned = route.owner !== undefined && route.owner !== actor.id ? [concernKey(route.owner)] : undefined
    return {
      ...defined({ concerns: concerned }),
      type: event.type,
      kind: actor.kind,
      actor: historyKey(actor.id),
      correlation: historyKey(correlationId),
      stream: historyKey(event.stream),
      event: eventKey(event.id),
      at,
    }
  },
})
