/**
 * Keys: what seals people's text and personal data in the log, what signs access tokens, and the service's own secrets.
 * A key that seals is durable before it is handed out, and a destroyed one never comes back.
 */
import { OwnError } from '../domain/own-error.ts'

/** An AES-256 key with its name, as `meta.key` records it. */
export type SealingKey = { readonly name: string; readonly secret: Uint8Array }

/** One key pair of the access tokens (ES256, P-256), PKCS #8 and SPKI as PEM. Times are RFC 3339. */
export type SigningKey = {
  readonly kid: string
  readonly privateKey: string
  readonly publicKey: string
  readonly createdAt: string
  /** Signs from here on: it has stood in the JWKS for ten minutes then. The first key of all signs at once. */
  readonly activeFrom: string
  /** Leaves the JWKS here; set when a successor takes over, after the longest life of a token. */
  readonly retireAt?: string
}

export class KeysError extends OwnError {
  override readonly name = 'KeysError'
  readonly code: 'unavailable' | 'corrupt' | 'closed'
  constructor(code: KeysError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Keys of documents, keys of people (`subject:<account>`), the service's own secrets. */
export type KindOfKey = 'document' | 'subject' | 'secret'

export type Keys = {
  /** A fresh document key, durable already: taken from a batch made ahead of need. Its name is `document:<batch>.<n>`. */
  take(): Promise<SealingKey>
  /** The key of a subject (`subject:<account>`), made at the first call. 'destroyed' when it was erased. */
  subject(name: string): Promise<SealingKey | 'destroyed'>
  /**
   * The keys of these names, which are those of keys that were made; a name that is absent from the answer was destroyed. One read a batch.
   * @throws {KeysError} corrupt: of one there is not even its place, which a destroyed one leaves behind. It was lost, and what it sealed
   * must not pass for removed.
   */
  find(names: ReadonlySet<string>): Promise<ReadonlyMap<string, SealingKey>>
  /** Erases the key for ever; repeating it is harmless. Durable when it returns, seen by other processes within a second. */
  destroy(name: string): Promise<void>
  /** A secret of 32 bytes for a purpose (`sync-token`, `cursor`, `fingerprint`), made at the first call, the same for ever. */
  secret(purpose: string): Promise<Uint8Array>
  /** Whether one of the kind was ever made: destroyed ones leave their places behind. */
  hasAny(kind: KindOfKey): Promise<boolean>
  /** Signing keys that are in the JWKS at `now`, made at the first call; the one to sign with is first. */
  signing(now: Date): Promise<readonly SigningKey[]>
  /** Adds a key that will sign in ten minutes, and dates the retirement of those before it. Returns the new one. */
  rotate(now: Date): Promise<SigningKey>
  close(): Promise<void>
}
