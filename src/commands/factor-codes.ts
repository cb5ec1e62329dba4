/** The codes of second factors: those of an authenticator (RFC 6238, SHA-1, 6 digits, 30 s), and those kept on paper. */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16
/** As long as what HMAC-SHA-1 gives (RFC 4226, 4). */
const SECRET_BYTES = 20
const SHAPE = { issuer: 'Lexichron', algorithm: 'SHA1', digits: 6, period: 30 } as const
/** A clock may be one step behind or ahead (RFC 6238, 5.2). */
const DRIFT = 1

/** `random(n)`: n random bytes. */
export type Random = (bytes: number) => Uint8Array

/** Encrypts under a key of the service and for this account alone: who may read personal data in the log makes no codes. */
const wrap = (key: Uint8Array, accountId: string, secret: Uint8Array, random: Random): string => {
  const iv = random(IV_BYTES)
  const cipher = createCipheriv(CIPHER, createSecretKey(key), iv).setAAD(Buffer.from(accountId, 'utf8'))
  return `1.${Buffer.concat([iv, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString('base64url')}`
}
const unwrap = (key: Uint8Array, accountId: string, kept: string): Buffer => {
  const bytes = Buffer.from(kept.slice(2), 'base64url')
  const iv = bytes.subarray(0, IV_BYTES)
  const decipher = createDecipheriv(CIPHER, createSecretKey(key), iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(accountId, 'utf8')).setAuthTag(bytes.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
}

/** A new secret: as a person types it (base32), as an authenticator scans it (Key URI), and as the log keeps it. */
export const newTotp = (key: Uint8Array, accountId: string, label: string, random: Random) => {
  const bytes = random(SECRET_BYTES)
  const secret = new Secret({ buffer: new Uint8Array(bytes).buffer })
  const uri = new TOTP({ ...SHAPE, label, secret }).toString()
  return { secret: secret.base32, uri, kept: wrap(key, accountId, bytes, random) }
}

const CODE = /^\d{6}$/

/** The step of a code at `now`, one step of drift either way; undefined where it is none. */
export const totpStep =
  (key: Uint8Array, accountId: string, code: string, now: Date) =>
  (kept: string): number | undefined => {
    const token = code.replaceAll(/\s/g, '')
    if (!CODE.test(token)) return undefined
    const secret = new Secret({ buffer: new Uint8Array(unwrap(key, accountId, kept)).buffer })
    const timestamp = now.getTime()
    const drift = TOTP.validate({ ...SHAPE, token, secret, timestamp, window: DRIFT })
    return drift === null ? undefined : TOTP.counter({ period: SHAPE.period, timestamp }) + drift
  }

/** Without letters that are taken for digits. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const RECOVERY_LETTERS = 16

/** Of 80 random bits, in four groups. */
export const newRecoveryCode = (random: Random): string =>
  [...random(RECOVERY_LETTERS)]
    .map((byte, index) => `${index > 0 && index % 4 === 0 ? '-' : ''}${ALPHABET[byte % ALPHABET.length]}`)
    .join('')

/** The keyed hash of a recovery code, however it was typed; undefined where it has not the form of one. */
export const recoveryHash = (key: Uint8Array, accountId: string, code: string): string | undefined => {
  const plain = code.toLowerCase().replaceAll(/[\s-]/g, '')
  if (!/^[a-z2-9]{16}$/.test(plain)) return undefined
  return createHmac('sha256', key).update(`${accountId}\u001f${plain}`, 'utf8').digest('base64url')
}
