/**
 * Challenges for passkeys: signed, so that any node knows them and none keeps them until they are answered. What each is for
 * and whom it was given to is part of the signature; that it is answered once is decided on the account's stream.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Answered } from '../domain/session/passkeys.ts'
import type { Random } from './factor-codes.ts'

export const CHALLENGE_MS = 5 * 60_000
const TIME_BYTES = 6
const NONCE_BYTES = 16
const HEAD_BYTES = TIME_BYTES + NONCE_BYTES
const MAC_BYTES = 32

export type ChallengePurpose = 'add' | 'sign-in' | 'step-up'

/** `holder`: the session or the device that it is given to. */
const sign = (key: Uint8Array, purpose: ChallengePurpose, holder: string, head: Buffer): Buffer =>
  createHmac('sha256', key).update(`${purpose}\u001f${holder}\u001f`, 'utf8').update(head).digest()

export const makeChallenge = (
  key: Uint8Array,
  purpose: ChallengePurpose,
  holder: string,
  now: Date,
  random: Random,
): string => {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUIntBE(now.getTime() + CHALLENGE_MS, 0, TIME_BYTES)
  head.set(random(NONCE_BYTES), TIME_BYTES)
  return Buffer.concat([head, sign(key, purpose, holder, head)]).toString('base64url')
}

/** Undefined for one that is not ours, for something or somebody else, or too old. */
export const readChallenge = (
  key: Uint8Array,
  purpose: ChallengePurpose,
  holder: string,
  challenge: string,
  now: Date,
): Answered | undefined => {
  const bytes = Buffer.from(challenge, 'base64url')
  if (bytes.length !== HEAD_BYTES + MAC_BYTES || bytes.toString('base64url') !== challenge) return undefined
  const head = bytes.subarray(0, HEAD_BYTES)
  if (!timingSafeEqual(bytes.subarray(HEAD_BYTES), sign(key, purpose, holder, head))) return undefined
  const until = head.readUIntBE(0, TIME_BYTES)
  if (until <= now.getTime()) return undefined
  return { nonce: head.subarray(TIME_BYTES).toString('base64url'), nonceUntil: new Date(until).toISOString() }
}
