/**
 * What clients keep and send back, opaque to them. Each is base64url of a MAC (HMAC-SHA-256, cut to 128 bits) and a payload that
 * carries the log's id, so that a forged one is told from one of another log. The payload is encrypted with AES-256-CTR under the
 * MAC as its synthetic initialisation vector (the construction of RFC 5297), so that a stranger cannot read from it how fast
 * the log grows, and the same position gives the same token. Beside the position stands the mark of what stands there
 * (src/domain/mark.ts): a copy that was put back has the log's id, and other events from then on. What was made before there were
 * marks cannot say which history it is of, and is refused as one of another.
 */

import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { OwnError } from '../../domain/own-error.ts'
import type { Log } from './log.ts'
import { secretKey } from './secret-key.ts'

const MAC_BYTES = 16
/** Longer than any token made here; longer input is not looked at. */
const MAX_LENGTH = 4096

export const mac = (secret: Uint8Array, payload: Buffer): Buffer =>
  createHmac('sha256', secretKey(secret)).update(payload).digest().subarray(0, MAC_BYTES)

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

export const seal = (secret: Uint8Array, text: string): string => {
  const payload = Buffer.from(text, 'utf8')
  const tag = mac(secret, payload)
  return Buffer.concat([tag, crypt(secret, tag, payload)]).toString('base64url')
}

/** The payload, or undefined for what was not made with this secret. */
export const open = (secret: Uint8Array, token: string): string | undefined => {
  if (token.length > MAX_LENGTH || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  // One text a token: base64url has spare bits that would let several stand for the same bytes.
  if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== token) return undefined
  const tag = bytes.subarray(0, MAC_BYTES)
  const payload = crypt(secret, tag, bytes.subarray(MAC_BYTES))
  return timingSafeEqual(tag, mac(secret, payload)) ? payload.toString('utf8') : undefined
}

/** What is asked of the log: what stands where. */
export type Places = Pick<Log, 'logId' | 'markAt'>

/** Why one that was sent back says nothing here; `message` is safe to show. */
export class TokenError extends OwnError {
  override readonly name = 'TokenError'
  readonly code: 'sync-token-invalid' | 'cursor-invalid' | 'other-log'
  constructor(code: TokenError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export const otherLog = (what: string): TokenError =>
  new TokenError('other-log', `The ${what} is of another log, or of another history of it, and so is what you keep.`)
