/** An authenticator as tests need it: ES256 keys, no attestation, a counter that can be set, answers that can be spoilt. */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'

/** What an app for codes shows at a time, or so many steps of half a minute later. */
export const codeAt = (now: Date, secret: string, steps: number = 0): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: now.getTime() + steps * 30_000 })

const head = (major: number, value: number): Buffer =>
  value < 24
    ? Buffer.from([(major << 5) | value])
    : value < 256
      ? Buffer.from([(major << 5) | 24, value])
      : Buffer.from([(major << 5) | 25, value >> 8, value & 255])
type Cbor = number | string | Uint8Array | ReadonlyMap<number | string, Cbor>
/** As much of CBOR (RFC 8949) as an attestation takes. */
const cbor = (value: Cbor): Buffer => {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, each]) => [cbor(key), cbor(each)])])
}

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()
const b64 = (data: Uint8Array): string => Buffer.from(data).toString('base64url')

export type Asked = { readonly challenge: string; readonly rpId?: string; readonly user?: { readonly id: string } }
/** What differs from an honest answer. */
export type Spoilt = {
  readonly origin?: string
  readonly rpId?: string
  readonly type?: string
  readonly challenge?: string
  readonly verified?: boolean
  readonly counter?: number
  readonly userHandle?: string
  readonly format?: string
}

export const openAuthenticator = (origin: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const id = randomBytes(32)
  let user = ''
  let counter = 0
  const cose = cbor(
    new Map<number, Cbor>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  )
  const clientData = (type: string, challenge: string, { origin: from = origin }: Spoilt): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin: from, crossOrigin: false }), 'utf8')
  const data = (spoilt: Spoilt, attested: Uint8Array = new Uint8Array()): Buffer => {
    counter = spoilt.counter ?? counter
    const count = Buffer.alloc(4)
    count.writeUInt32BE(counter)
    const flags = 0x01 | (spoilt.verified === false ? 0 : 0x04) | (attested.length > 0 ? 0x40 : 0)
    return Buffer.concat([sha256(spoilt.rpId ?? new URL(origin).hostname), Buffer.from([flags]), count, attested])
  }
  const answer = (response: object) => ({
    id: b64(id),
    rawId: b64(id),
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: {},
    response,
  })
  return {
    id: b64(id),
    /** To `navigator.credentials.create`. */
    create: (asked: Asked, spoilt: Spoilt = {}) => {
      user = asked.user?.id ?? ''
      const length = Buffer.from([id.length >> 8, id.length & 255])
      const authData = data(spoilt, Buffer.concat([Buffer.alloc(16), length, id, cose]))
      const attestation = new Map<string, Cbor>([
        ['fmt', spoilt.format ?? 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ])
      const client = clientData(spoilt.type ?? 'webauthn.create', spoilt.challenge ?? asked.challenge, spoilt)
      return answer({
        clientDataJSON: b64(client),
        attestationObject: b64(cbor(attestation)),
        transports: ['internal'],
      })
    },
    /** To `navigator.credentials.get`: counts one up. */
    get: (asked: Asked, spoilt: Spoilt = {}) => {
      if (counter > 0) counter += 1
      const authData = data(spoilt)
      const client = clientData(spoilt.type ?? 'webauthn.get', spoilt.challenge ?? asked.challenge, spoilt)
      const signature = createSign('sha256').update(authData).update(sha256(client)).sign(privateKey)
      return answer({
        clientDataJSON: b64(client),
        authenticatorData: b64(authData),
        signature: b64(signature),
        userHandle: spoilt.userHandle ?? user,
      })
    },
  }
}
