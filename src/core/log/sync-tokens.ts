/** Sync tokens: a position of the log, with what stands there, as clients keep it. */
import { LRUCache } from 'lru-cache'
import type { Place } from './log.ts'
import { open, otherLog, type Places, seal, TokenError } from './opaque.ts'

export type SyncTokens = {
  /** Of a position that the log has given. @throws {EventStoreError} where it cannot say what stands there. */
  of(position: bigint): Promise<string>
  /** As `of`, where that was asked for a moment ago. */
  made(position: bigint): string | undefined
  /** Of the last position up to this one that was asked for a moment ago. */
  lastMade(upTo: bigint): string | undefined
  /** Of a position of which it is known what stands there. */
  at(place: Place): string
  /** @throws {TokenError} sync-token-invalid, other-log. @throws {EventStoreError} where it cannot be looked at. */
  read(token: string): Promise<Place>
}

export const openSyncTokens = (secret: Uint8Array, { logId, markAt }: Places): SyncTokens => {
  const made = new LRUCache<bigint, string>({ max: 64 })
  const known = new LRUCache<string, Place>({ max: 1024 })
  const at = ({ position, mark }: Place): string => {
    const token = made.get(position) ?? seal(secret, `${logId} ${position} ${mark}`)
    made.set(position, token)
    return token
  }
  return {
    at,
    made: position => made.get(position),
    lastMade: upTo => {
      const last = [...made.keys()].reduce((most, each) => (each <= upTo && each > most ? each : most), -1n)
      return made.get(last)
    },
    of: async position => made.get(position) ?? at({ position, mark: await markAt(position) }),
    read: async token => {
      const seen = known.get(token)
      if (seen !== undefined) return seen
      const [log, text, mark, ...rest] = open(secret, token)?.split(' ') ?? []
      if (log === undefined || text === undefined || rest.length > 0 || !/^[0-9]{1,19}$/.test(text))
        throw new TokenError('sync-token-invalid', 'The Sync-Token was not made by this service.')
      const position = BigInt(text)
      if (log !== logId || mark === undefined || mark !== (await markAt(position))) throw otherLog('Sync-Token')
      const place = { position, mark }
      known.set(token, place)
      return place
    },
  }
}
