/** What the commands of accounts and sessions stand on: keyed hashes, links that are used once, envelopes. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { secretKey } from '../core/log/secret-key.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import type { AccountEvent, AccountState } from '../domain/account/account.ts'
import { type AddressState, addressCategory } from '../domain/address/address.ts'
import type { AddressEvent } from '../domain/address/address-events.ts'
import type { AddressKeys, AddressKeysEvent } from '../domain/address/keys.ts'
import { defined } from '../domain/defined.ts'
import type { Actor } from '../domain/event.ts'
import { actorId } from '../domain/ids.ts'
import type { SessionEvent, SessionState } from '../domain/session/session.ts'
import type { Clock } from '../ports/clock.ts'
import type { Passwords } from '../ports/passwords.ts'

/** 32 bytes each, for one purpose each. */
export type IdentitySecrets = {
  /** The key of a version, which names the streams of addresses; made when it is asked for first. */
  readonly address: (version: number) => Promise<Uint8Array>
  /** From which the secrets of links in mails follow. */
  readonly link: Uint8Array
  /** From which refresh tokens follow. */
  readonly refresh: Uint8Array
  /** Hashes devices. */
  readonly device: Uint8Array
}

export type IdentityDeps = {
  readonly addressKeys: Transactor<AddressKeys, AddressKeysEvent>
  readonly addresses: Transactor<AddressState, AddressEvent>
  readonly accounts: Transactor<AccountState, AccountEvent>
  readonly sessions: Transactor<SessionState, SessionEvent>
  readonly passwords: Passwords
  readonly displayNameOf: (accountId: string) => Promise<string | undefined>
  readonly secrets: IdentitySecrets
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
}

/** Who asks from within an account: whose it is, and in which session. */
export type BySession = { readonly accountId: string; readonly sessionId: string }

/** Of the request: what an event tells of where it came from. */
export type From = {
  readonly correlationId: string
  readonly traceparent?: string
  readonly agent: string
  /** The token that the device was given at an earlier sign-in; never written down, its keyed hash is. */
  readonly device?: string
}

/** A stranger's acts are recorded as the system's. */
const stranger: Actor = { kind: 'system', id: actorId('system', 'accounts') }

export const envelopeOf = (deps: Pick<IdentityDeps, 'clock' | 'newId'>, from: From, accountId?: string): Envelope => ({
  commandId: deps.newId(),
  correlationId: from.correlationId,
  at: deps.clock.now(),
  ...defined({ traceparent: from.traceparent }),
  actor: accountId === undefined ? stranger : { kind: 'account', id: accountId },
})

/** HMAC-SHA-256 over parts that no part can imitate. */
export const mac = (secret: Uint8Array, ...parts: readonly string[]): Buffer =>
  createHmac('sha256', secretKey(secret)).update(parts.join('\u001f'), 'utf8').digest()

/** What tells the devices of one account apart, without a name that another account would share. */
export const deviceOf = ({ secrets }: Pick<IdentityDeps, 'secrets'>, owner: string, name: string): string =>
  mac(secrets.device, owner, name).toString('base64url').slice(0, 22)

export type LinkPurpose = 'verify' | 'reset' | 'email' | 'revert' | 'keep'

/**
 * The secret of a link, 256 bits. It follows from the service's key, the claim and a random nonce: the log has the nonce's
 * hash at most and the mail is made from it again, so that the secret itself is kept nowhere.
 */
const linkSecret = (key: Uint8Array, purpose: LinkPurpose, claim: string, nonce: string): Buffer =>
  mac(key, purpose, claim, nonce)

export const linkHash = (secret: Uint8Array): string => createHash('sha256').update(secret).digest('base64url')

const CLAIM = new RegExp(`^${addressCategory}-(\\d{1,4}\\.[A-Za-z0-9_-]{43})$`)

export const makeLink = (
  key: Uint8Array,
  purpose: LinkPurpose,
  claim: string,
  nonce: string,
): { readonly token: string; readonly hash: string } => {
  const secret = linkSecret(key, purpose, claim, nonce)
  const name = CLAIM.exec(claim)?.[1] ?? ''
  return { token: `${name}.${secret.toString('base64url')}`, hash: linkHash(secret) }
}

/** The claim and the hash that a link's token leads to, or undefined where it is none of ours by its form. */
export const readLink = (token: string): { readonly claim: string; readonly hash: string } | undefined => {
  const [, name, secret] = /^(\d{1,4}\.[A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/.exec(token) ?? []
  if (name === undefined || secret === undefined) return undefined
  const bytes = Buffer.from(secret, 'base64url')
  if (bytes.toString('base64url') !== secret) return undefined
  return { claim: `${addressCategory}-${name}`, hash: linkHash(bytes) }
}

const idBytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex')
const idOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const refreshMac = (key: Uint8Array, head: Buffer): Buffer => createHmac('sha256', secretKey(key)).update(head).digest()

/**
 * The refresh token of a session's generation: 16 bytes of its id, four of the generation, HMAC-SHA-256 over both. Nothing
 * of it is kept, and a repeat of a request is answered with the very same one.
 */
export const refreshTokenOf = (key: Uint8Array, sessionId: string, generation: number): string => {
  const head = Buffer.alloc(20)
  idBytes(sessionId).copy(head)
  head.writeUInt32BE(generation, 16)
  return Buffer.concat([head, refreshMac(key, head)]).toString('base64url')
}

export const readRefreshToken = (
  key: Uint8Array,
  token: string,
): { readonly sessionId: string; readonly generation: number } | undefined => {
  if (!/^[A-Za-z0-9_-]{70}$/.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length !== 52 || bytes.toString('base64url') !== token) return undefined
  const head = bytes.subarray(0, 20)
  if (!timingSafeEqual(bytes.subarray(20), refreshMac(key, head))) return undefined
  return { sessionId: idOf(head.subarray(0, 16)), generation: head.readUInt32BE(16) }
}
