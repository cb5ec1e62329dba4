/**
 * Wrapping: a secret under another one (AES-256-GCM, a random nonce of 96 bits, NIST SP 800-38D), bound to the place where it
 * stands, so that a wrapped secret moved elsewhere does not open. Envelope: LEXICHRON_MASTER_KEY wraps one key of the store, which wraps
 * all others; another LEXICHRON_MASTER_KEY means one record wrapped anew.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16
export const KEY_BYTES = 32

export type Wrapping = {
  wrap(secret: Uint8Array, place: string): Buffer
  /** Undefined when it was not wrapped with this key for this place, or was changed since. */
  unwrap(wrapped: Uint8Array, place: string): Buffer | undefined
}

export const wrappingWith = (key: Uint8Array, randomBytes: (size: number) => Uint8Array): Wrapping => ({
  wrap: (secret, place) => {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()])
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
  },
  unwrap: (wrapped, place) => {
    if (wrapped.length < NONCE_BYTES + TAG_BYTES) return undefined
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(place)).setAuthTag(wrapped.subarray(wrapped.length - TAG_BYTES))
      const body = wrapped.subarray(NONCE_BYTES, wrapped.length - TAG_BYTES)
      return Buffer.concat([decipher.update(body), decipher.final()])
    } catch {
      return undefined
    }
  },
})
