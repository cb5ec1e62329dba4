/**
 * Sync tokens and cursors: opaque to clients, made and checked here. Each is base64url of a MAC (HMAC-SHA-256, cut to 128
 * bits) and a payload that carries the log's id, so that a forged one is told from one of another log. The payload is
 * encrypted with AES-256-CTR under the MAC as its synthetic initialisation vector (the construction of RFC 5297), so that
 * a stranger cannot read from it how fast the log grows, and the same position gives the same token.
 */
import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Json } from '../../domain/event.ts'
import type { Cursor } from '../../queries/define.ts'
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
  new ProblemError('other-log', `The ${what} was made by another log: what you keep is of another history.`)

export type SyncTokens = {
  of(position: bigint): string
  /** The position. @throws {ProblemError} sync-token-invalid, other-log. */
  read(token: string): bigint
}

export const openSyncTokens = (secret: Uint8Array, logId: string): SyncTokens => {
  const made = new LRUCache<bigint, string>({ max: 64 })
  const known = new LRUCache<string, bigint>({ max: 1024 })
  return {
    of: position => {
      const token = made.get(position) ?? seal(secret, `${logId} ${position}`)
      made.set(position, token)
      return token
    },
    read: token => {
      const seen = known.get(token)
      if (seen !== undefined) return seen
      const [log, position, ...rest] = open(secret, token)?.split(' ') ?? []
      if (log === undefined || position === undefined || rest.length > 0 || !/^[0-9]{1,19}$/.test(position))
        throw new ProblemError('sync-token-invalid', 'The Sync-Token was not made by this service.')
      if (log !== logId) throw otherLog('Sync-Token')
      known.set(token, BigInt(position))
      return BigInt(position)
    },
  }
}

export type Cursors = {
  of(query: string, cursor: Cursor): string
  /**
   * What `of` was given. `query` names the query and its filters: a cursor of another one is refused.
   * @throws {ProblemError} cursor-invalid, other-log.
   */
  read(query: string, token: string): Cursor
}

const isPayload = (value: unknown): value is readonly [log: string, hash: string, generation: string, key: Json] =>
  Array.isArray(value) && value.length === 4 && value.slice(0, 3).every(each => typeof each === 'string')

export const openCursors = (secret: Uint8Array, logId: string): Cursors => {
  const hash = (query: string): string => mac(secret, Buffer.from(query, 'utf8')).toString('base64url').slice(0, 11)
  return {
    of: (query, { generation, key }) => seal(secret, JSON.stringify([logId, hash(query), generation, key])),
    read: (query, token) => {
      const text = open(secret, token)
      const payload: unknown = text === undefined ? undefined : JSON.parse(text)
      if (!isPayload(payload)) throw new ProblemError('cursor-invalid', 'The cursor was not made by this service.')
      const [log, of, generation, key] = payload
      if (log !== logId) throw otherLog('cursor')
      if (of !== hash(query))
        throw new ProblemError('cursor-invalid', 'The cursor belongs to another list or to other filters.')
      return { generation, key }
    },
  }
}
