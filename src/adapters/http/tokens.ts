/**
 * Sync tokens and cursors: opaque to clients, made and checked here. Each is base64url of a MAC (HMAC-SHA-256, cut to 128
 * bits) and a payload that carries the log's id, so that a forged one is told from one of another log. The payload is
 * encrypted with AES-256-CTR under the MAC as its synthetic initialisation vector (the construction of RFC 5297), so that
 * a stranger cannot read from it how fast the log grows, and the same position gives the same token. Beside the position stands
 * the mark of what stands there (src/domain/mark.ts): a copy that was put back has the log's id, and other events from then on.
 * What was made before there were marks cannot say which history it is of, and is refused as one of another.
 */
import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Log, Place } from '../../core/log/log.ts'
import type { Cursor } from '../../core/query/define.ts'
import type { Json } from '../../domain/event.ts'
import { NO_MARK } from '../../domain/mark.ts'
import { EventStoreError } from '../../ports/event-store.ts'
import { ProblemError } from './problems.ts'

const MAC_BYTES = 16
/** Longer than any token made here; longer input is not looked at. */
const MAX_LENGTH = 4096

const mac = (secret: Uint8Array, payload: Buffer): Buffer =>
  createHmac('sha256', secret).update(payload).digest().subarray(0, MAC_BYTES)

const keys = new WeakMap<Uint8Array, Buffer>()
/** The key of encryption, which is not that of the MAC. */
const cipherKey = (secret: Uint8Array): Buffer => {
  const key = keys.get(secret) ?? createHmac('sha256', secret).update('lexichron token encryption').digest()
  keys.set(secret, key)
  return key
}
/** Its own inverse. */
const crypt = (secret: Uint8Array, iv: Buffer, bytes: Buffer): Buffer =>
  createCipheriv('aes-256-ctr', cipherKey(secret), iv).update(bytes)

const seal = (secret: Uint8Array, text: string): string => {
  const payload = Buffer.from(text, 'utf8')
  const tag = mac(secret, payload)
  return Buffer.concat([tag, crypt(secret, tag, payload)]).toString('base64url')
}

/** The payload, or undefined for what was not made with this secret. */
const open = (secret: Uint8Array, token: string): string | undefined => {
  if (token.length > MAX_LENGTH || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  // One text a token: base64url has spare bits that would let several stand for the same bytes.
  if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== token) return undefined
  const tag = bytes.subarray(0, MAC_BYTES)
  const payload = crypt(secret, tag, bytes.subarray(MAC_BYTES))
  return timingSafeEqual(tag, mac(secret, payload)) ? payload.toString('utf8') : undefined
}

const otherLog = (what: string): ProblemError =>
  new ProblemError('other-log', `The ${what} is of another log, or of another history of it, and so is what you keep.`)

/** What is asked of the log: what stands where. */
export type Places = Pick<Log, 'logId' | 'markAt'>

export type SyncTokens = {
  /** Of a position that the log has given. @throws {EventStoreError} where it cannot say what stands there. */
  of(position: bigint): Promise<string>
  /** As `of`, where that was asked for a moment ago. */
  made(position: bigint): string | undefined
  /** Of a position of which it is known what stands there. */
  at(place: Place): string
  /** @throws {ProblemError} sync-token-invalid, other-log. @throws {EventStoreError} where it cannot be looked at. */
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
    of: async position => made.get(position) ?? at({ position, mark: await markAt(position) }),
    read: async token => {
      const seen = known.get(token)
      if (seen !== undefined) return seen
      const [log, text, mark, ...rest] = open(secret, token)?.split(' ') ?? []
      if (log === undefined || text === undefined || rest.length > 0 || !/^[0-9]{1,19}$/.test(text))
        throw new ProblemError('sync-token-invalid', 'The Sync-Token was not made by this service.')
      const position = BigInt(text)
      if (log !== logId || mark === undefined || mark !== (await markAt(position))) throw otherLog('Sync-Token')
      const place = { position, mark }
      known.set(token, place)
      return place
    },
  }
}

export type Cursors = {
  /** `position`: what its page reflects. */
  of(query: string, cursor: Cursor, position: bigint): Promise<string>
  /**
   * What `of` was given. `query` names the query and its filters: a cursor of another one is refused.
   * @throws {ProblemError} cursor-invalid, other-log. @throws {EventStoreError} where it cannot be looked at.
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
      if (!isPayload(payload)) throw new ProblemError('cursor-invalid', 'The cursor was not made by this service.')
      const [log, of, generation, key, position, mark] = payload
      const other = log !== logId || position === undefined || mark !== (await markAt(BigInt(position)))
      if (other) throw otherLog('cursor')
      if (of !== hash(query))
        throw new ProblemError('cursor-invalid', 'The cursor belongs to another list or to other filters.')
      return { generation, key }
    },
  }
}
