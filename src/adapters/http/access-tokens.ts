/** Access tokens of services and accounts: signed JWTs (RFC 7519) in the profile of RFC 9068, ES256 alone, keys from the key port. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { LRUCache } from 'lru-cache'
import { openMemory, type Region } from '../../core/memory/memory.ts'
import { LONGEST_TOKEN_LIFE_MS } from '../../domain/access/token.ts'
import { isObject } from '../../domain/json.ts'
import { isRole, type Role } from '../../domain/roles.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Keys, SigningKey } from '../../ports/keys.ts'

const ALGORITHM = 'ES256'
const TYPE = 'at+jwt'
/** Longer input is not looked at: what is made here has about 600 bytes. */
const MAX_TOKEN_BYTES = 4096
const CLAIMS_BYTES = 1_000
const OWN_BYTES = 256 * 1024 * 1024
/** What two nodes' clocks may differ by: a token issued elsewhere a moment ago is valid here. Never added to its end. */
const SKEW_MS = 5000
/** The key set is asked for again after this time; the key port itself remembers. */
const KEYS_TRUSTED_MS = 1000

type CommonClaims = {
  /** Id of the token: what is revoked, for a service. */
  readonly jti: string
  /** Actor id that it acts as. */
  readonly sub: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}
/** Of an account: no role, since that is the log's to say. `session` is what it ends with. */
export type AccountClaims = CommonClaims & {
  readonly kind: 'account'
  readonly session: string
  readonly epoch: number
}
export type ServiceClaims = CommonClaims & { readonly kind: 'service'; readonly role: Role }
export type AccessClaims = ServiceClaims | AccountClaims

/** How long an account's token lives, in seconds. */
export const ACCESS_SECONDS = 600

export type TokenFault = 'malformed' | 'too-long' | 'wrong-type' | 'unknown-key' | 'not-genuine' | 'expired' | 'not-yet'
export type Verified = { readonly claims: AccessClaims } | { readonly fault: TokenFault }

export type TokenScope = { readonly issuer: string; readonly audience: string }

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000)

/** Few: of those that sign one after the other. */
const SIGNERS = 8
const signers = new LRUCache<string, KeyObject>({ max: SIGNERS, memoMethod: pem => createPrivateKey(pem) })
/** Read once: reading it costs as much as signing with it. */
const signerOf = ({ privateKey }: SigningKey): KeyObject => signers.memo(privateKey)

/**
 * Signs with the key that signs now. The end is cut to whole seconds, as the format has them.
 * @throws {KeysError}
 */
export const signAccessToken = async (
  keys: Pick<Keys, 'signing'>,
  { issuer, audience }: TokenScope,
  claims: AccessClaims,
): Promise<string> => {
  const { jti, sub, kind, issuedAt, expiresAt } = claims
  const [key] = await keys.signing(issuedAt)
  if (!key) throw new Error('There is no key to sign with.')
  const iat = seconds(issuedAt)
  const payload = {
    iss: issuer,
    aud: audience,
    sub,
    client_id: sub,
    jti,
    kind,
    ...(claims.kind === 'service' ? { role: claims.role } : { sid: claims.session, epoch: claims.epoch }),
    iat,
    nbf: iat,
    exp: seconds(expiresAt),
  }
  const header = { alg: ALGORITHM, typ: TYPE, kid: key.kid }
  return jwt.sign(payload, signerOf(key), { algorithm: ALGORITHM, header })
}

/** The header as it claims to be, before anything is checked. Undefined when it is none. */
const headerOf = (token: string): Readonly<Record<string, unknown>> | undefined => {
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return undefined
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'))
    return isObject(header) ? header : undefined
  } catch {
    return undefined
  }
}

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isId = (value: unknown): value is string => typeof value === 'string' && value !== ''

const claimsOf = (payload: Readonly<Record<string, unknown>>): AccessClaims | undefined => {
  const { jti, sub, kind, role, sid, epoch, iat, nbf, exp } = payload
  if (!isId(jti) || !isId(sub)) return undefined
  if (!isTime(iat) || !isTime(exp) || (nbf !== undefined && !isTime(nbf))) return undefined
  if (exp <= iat || (exp - iat) * 1000 > LONGEST_TOKEN_LIFE_MS) return undefined
  const start = Math.max(iat, nbf ?? iat)
  const common = { jti, sub, issuedAt: new Date(start * 1000), expiresAt: new Date(exp * 1000) }
  if (kind === 'service') return isRole(role) ? { ...common, kind, role } : undefined
  if (kind !== 'account' || !isId(sid) || !isTime(epoch) || exp - iat > ACCESS_SECONDS) return undefined
  return { ...common, kind, session: sid, epoch }
}

type Remembered = { readonly token: string; readonly claims: AccessClaims }

export type TokenVerifier = {
  /** At once where it was verified before. Whether it was revoked is not known here: that is in the log. @throws {KeysError} */
  verify(token: string): Promise<Verified> | Verified
}

/**
 * `max` is the number of verified tokens remembered: verifying costs about 80 us. They are found by their signature, which is a
 * seventh of them, and are the same only where every character is: a hash over the whole costs more than the look-up.
 */
export const createTokenVerifier = (
  options: TokenScope & {
    readonly keys: Pick<Keys, 'signing'>
    readonly clock: Pick<Clock, 'now' | 'monotonic'>
    readonly max: number
    /** Where they are remembered; without, in a thirty-second of 256 MiB. */
    readonly memory?: Region
  },
): TokenVerifier => {
  const { keys, issuer, audience, clock, max } = options
  const { memory = openMemory(OWN_BYTES).region('tokens') } = options
  const remembered = memory.cache<Remembered>({ max, sizeOf: ({ token }) => CLAIMS_BYTES + token.length })
  let known: ReadonlyMap<string, KeyObject> = new Map()
  let knownAt = Number.NEGATIVE_INFINITY

  const keySet = async (now: Date): Promise<ReadonlyMap<string, KeyObject>> => {
    const asked = clock.monotonic()
    if (asked - knownAt < KEYS_TRUSTED_MS) return known
    const standing = await keys.signing(now)
    known = new Map(standing.map(({ kid, publicKey }) => [kid, known.get(kid) ?? createPublicKey(publicKey)]))
    knownAt = asked
    return known
  }

  const inTime = (claims: AccessClaims, now: number): Verified =>
    claims.expiresAt.getTime() <= now
      ? { fault: 'expired' }
      : claims.issuedAt.getTime() > now + SKEW_MS
        ? { fault: 'not-yet' }
        : { claims }

  const check = (token: string, key: KeyObject): AccessClaims | undefined => {
    try {
      // Its times are checked below, by the same clock as a remembered token's.
      const payload: unknown = jwt.verify(token, key, {
        algorithms: [ALGORITHM],
        issuer,
        audience,
        ignoreExpiration: true,
        ignoreNotBefore: true,
      })
      return isObject(payload) ? claimsOf(payload) : undefined
    } catch {
      return undefined
    }
  }

  const verifyFirst = async (token: string, signature: string, now: Date): Promise<Verified> => {
    const header = headerOf(token)
    if (!header) return { fault: 'malformed' }
    const { alg, typ, kid, crit } = header
    const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
    if (alg !== ALGORITHM || type !== TYPE || crit !== undefined) return { fault: 'wrong-type' }
    const key = typeof kid === 'string' ? (await keySet(now)).get(kid) : undefined
    if (!key) return { fault: 'unknown-key' }
    const claims = check(token, key)
    if (!claims) return { fault: 'not-genuine' }
    const verified = inTime(claims, now.getTime())
    if ('claims' in verified) remembered.set(signature, { token, claims })
    return verified
  }

  return {
    verify: token => {
      // Its length first: what is looked at is the cost that a stranger could choose.
      if (token.length > MAX_TOKEN_BYTES) return { fault: 'too-long' }
      const now = clock.now()
      const signature = token.slice(token.lastIndexOf('.') + 1)
      const before = remembered.get(signature)
      if (before?.token !== token) return verifyFirst(token, signature, now)
      const verified = inTime(before.claims, now.getTime())
      if ('fault' in verified) remembered.delete(signature)
      return verified
    },
  }
}

/** A public key as a JWKS has it (RFC 7517). */
export type PublicJwk = {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly y: string
  readonly kid: string
  readonly use: 'sig'
  readonly alg: 'ES256'
}

/** The key set for `/.well-known/jwks.json`: public halves alone. */
export const jwksOf = (keys: readonly SigningKey[]): { readonly keys: readonly PublicJwk[] } => ({
  keys: keys.map(({ kid, publicKey }) => {
    const { kty, crv, x, y } = createPublicKey(publicKey).export({ format: 'jwk' })
    if (!kty || !crv || !x || !y) throw new Error(`The signing key ${kid} is not on an elliptic curve.`)
    return { kty, crv, x, y, kid, use: 'sig', alg: ALGORITHM }
  }),
})
