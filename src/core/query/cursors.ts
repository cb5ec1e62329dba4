/** Cursors: where a page ended, as clients keep it. */
import type { Json } from '../../domain/event.ts'
import { NO_MARK } from '../../domain/mark.ts'
import { EventStoreError } from '../../ports/event-store.ts'
import type { Place } from '../log/log.ts'
import { mac, open, otherLog, type Places, seal, TokenError } from '../log/opaque.ts'
import type { Cursor } from './define.ts'

export type Cursors = {
  /** `position`: what its page reflects. */
  of(query: string, cursor: Cursor, position: bigint): Promise<string>
  /**
   * What `of` was given. `query` names the query and its filters: a cursor of another one is refused.
   * @throws {TokenError} cursor-invalid, other-log. @throws {EventStoreError} where it cannot be looked at.
   */
  read(query: string, token: string): Promise<Cursor>
}

type Payload = readonly [log: string, hash: string, generation: string, key: Json, position: string, mark: string]
type Unmarked = readonly [log: string, hash: string, generation: string, key: Json]

const isPayload = (value: unknown): value is Payload | Unmarked =>
  Array.isArray(value) &&
  (value.length === 6 || value.length === 4) &&
  value.every((each, at) => typeof each === 'string' || at === 3)

/** Nothing stands before the first event, in every history. */
const BEGINNING: Place = { position: 0n, mark: NO_MARK }

export const openCursors = (secret: Uint8Array, { logId, markAt }: Places): Cursors => {
  /** While the log is away pages go on: a cursor then says nothing of its history where that is not remembered. */
  const placeOf = async (position: bigint): Promise<Place> => {
    try {
      return { position, mark: await markAt(position) }
    } catch (error) {
      if (error instanceof EventStoreError) return BEGINNING
      throw error
    }
  }
  const hash = (query: string): string => mac(secret, Buffer.from(query, 'utf8')).toString('base64url').slice(0, 11)
  return {
    of: async (query, { generation, key }, reflects) => {
      const { position, mark } = await placeOf(reflects)
      return seal(secret, JSON.stringify([logId, hash(query), generation, key, String(position), mark]))
    },
    read: async (query, token) => {
      const text = open(secret, token)
      const payload: unknown = text === undefined ? undefined : JSON.parse(text)
      if (!isPayload(payload)) throw new TokenError('cursor-invalid', 'The cursor was not made by this service.')
      const [log, of, generation, key, position, mark] = payload
      const other = log !== logId || position === undefined || mark !== (await markAt(BigInt(position)))
      if (other) throw otherLog('cursor')
      if (of !== hash(query))
        throw new TokenError('cursor-invalid', 'The cursor belongs to another list or to other filters.')
      return { generation, key }
    },
  }
}
