/**
 * Signatures under receipts: JWS (RFC 7515) by Ed25519 (RFC 8037). The key is one for receipts alone and is not rotated, so
 * that a receipt can be verified after years with the public key that was published with it.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export type ReceiptKey = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string; readonly kid: string }
export type ReceiptSigner = {
  /** The compact serialisation. */
  sign(payload: object): string
  readonly publicKey: ReceiptKey & { readonly use: 'sig'; readonly alg: 'EdDSA' }
}

/** RFC 8410: what stands before the 32 bytes of a private key in PKCS #8. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const TYPE = 'erasure-receipt+jws'
const base64 = (value: object): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url')

/** RFC 7638. */
const thumbprint = (x: string): string =>
  createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')

/** `seed`: 32 bytes for this purpose alone. */
export const openReceiptSigner = (seed: Uint8Array): ReceiptSigner => {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' })
  const kid = thumbprint(x)
  return {
    sign: payload => {
      const head = `${base64({ alg: 'EdDSA', kid, typ: TYPE })}.${base64(payload)}`
      return `${head}.${sign(null, Buffer.from(head), key).toString('base64url')}`
    },
    publicKey: { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' },
  }
}

const parsed = (part: string): Readonly<Record<string, unknown>> => {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const keyOf = (keys: unknown, kid: unknown): KeyObject | undefined => {
  const all: readonly unknown[] =
    typeof keys === 'object' && keys !== null && 'keys' in keys && Array.isArray(keys.keys) ? keys.keys : []
  for (const each of all) {
    if (typeof each !== 'object' || each === null || !('x' in each) || typeof each.x !== 'string') continue
    const { x } = each
    // The name is checked against the key itself: a list of keys may say anything.
    if (thumbprint(x) === kid) return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  }
  return undefined
}

/** What a receipt says, where it is genuine by one of these keys (a JWK Set, RFC 7517); else why it is not. */
export const verifyReceipt = (
  text: string,
  keys: unknown,
): { readonly payload: Readonly<Record<string, unknown>> } | { readonly fault: string } => {
  const [head = '', payload = '', signature = '', ...rest] = text.trim().split('.')
  if (signature === '' || rest.length > 0) return { fault: 'This is no receipt: it has three parts with dots between.' }
  try {
    const { alg, kid, typ } = parsed(head)
    if (alg !== 'EdDSA' || typ !== TYPE) return { fault: 'This was signed for something else than a receipt.' }
    const key = keyOf(keys, kid)
    if (!key) return { fault: 'The keys do not have the one that signed this.' }
    return verify(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'))
      ? { payload: parsed(payload) }
      : { fault: 'The signature does not fit: the receipt was changed, or forged.' }
  } catch {
    return { fault: 'This is no receipt: its parts cannot be read.' }
  }
}
