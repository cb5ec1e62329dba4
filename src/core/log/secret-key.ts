/** Secrets as keys of the system's: made of raw bytes anew for each use they cost several times what is done with them. */
import { createSecretKey, type KeyObject } from 'node:crypto'

/** They last as long as the bytes that they were made of. */
const made = new WeakMap<Uint8Array, KeyObject>()

/** `secret` is never written to. */
export const secretKey = (secret: Uint8Array): KeyObject => {
  const known = made.get(secret)
  if (known) return known
  const key = createSecretKey(secret)
  made.set(secret, key)
  return key
}
