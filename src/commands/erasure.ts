/**
 * Erasing an account: wished for, taken back, carried out. Each step is written down before the next, and every one may be
 * done again: a process that ends in the middle is followed by another one that begins where it was.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Log } from '../core/log/log.ts'
import type { Envelope } from '../core/write/transact.ts'
import { type Account, accountStream } from '../domain/account/account.ts'
import { beginErasure, cancelErasure, finishErasure, isRipe, requestErasure } from '../domain/account/erasure.ts'
import { AccountErased, type ContentChoice } from '../domain/account/erasure-events.ts'
import { ownerOf, releaseAddress } from '../domain/address/address.ts'
import { linkInvalid } from '../domain/address/links.ts'
import type { Actor } from '../domain/event.ts'
import { actorId } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { editProfile, profileStream } from '../domain/profile/profile.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Keys } from '../ports/keys.ts'
import { type Belongings, belongingsOf } from './belongings.ts'
import { envelopeOf, type From, type IdentityDeps, makeLink, readLink } from './identity.ts'
import type { ProfileDeps } from './profiles.ts'

type Done = 'done' | Refusal

/** Who is erased, with what is theirs and what they wished for what they wrote. */
export type Leaving = Belongings & { readonly accountId: string; readonly content: ContentChoice }

export type ErasureDeps = Pick<IdentityDeps, 'addresses' | 'accounts' | 'clock' | 'newId'> & {
  readonly profiles: ProfileDeps['profiles']
  readonly secrets: Pick<IdentityDeps['secrets'], 'link'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
  readonly keys: Pick<Keys, 'destroy'>
  /** Gives up the account's identities at providers; repeating it is harmless. */
  readonly releaseIdentities: (accountId: string, from: From) => Promise<Done>
  /** Takes away what the account kept for itself alone; repeating it is harmless. */
  readonly clearShelves: (leaving: Leaving, by: () => Envelope) => Promise<Done>
  /** Takes away what they said under what others wrote, and whom they did not want to hear; repeating it is harmless. */
  readonly leaveComments: (leaving: Leaving, by: () => Envelope) => Promise<Done>
  /** Deletes their stories or gives up their name on them, as they wished; repeating it is harmless. */
  readonly leaveStories: (leaving: Leaving, by: () => Envelope) => Promise<Done>
}

/** What the service does by itself. */
const eraser: Actor = { kind: 'system', id: actorId('system', 'erasure') }

/** The account is to be erased in a day. A mail has the link that takes it back. */
export const wishErasure = async (
  deps: ErasureDeps,
  accountId: string,
  content: ContentChoice,
  from: From,
): Promise<{ readonly due: string; readonly content: ContentChoice } | Refusal> => {
  const stream = accountStream(accountId)
  const { state: account } = await deps.accounts.load(stream)
  if (!account) return refuse('account-not-found', 'There is no such account.')
  const envelope = envelopeOf(deps, from, accountId)
  const { hash } = makeLink(deps.secrets.link, 'keep', account.claim, envelope.commandId)
  const result = await deps.accounts.run(stream, requestErasure(content, hash, envelope.at), envelope)
  if (isRefusal(result)) return result
  const { due = '', content: chosen = content } = result.state?.erasure ?? {}
  return { due, content: chosen }
}

/** By who is signed in. */
export const takeBackErasure = async (deps: ErasureDeps, accountId: string, from: From): Promise<Done> => {
  const result = await deps.accounts.run(accountStream(accountId), cancelErasure(), envelopeOf(deps, from, accountId))
  return isRefusal(result) ? result : 'done'
}

/** By the link in the mail. */
export const takeBackErasureByLink = async (deps: ErasureDeps, token: string, from: From): Promise<Done> => {
  const link = readLink(token)
  if (!link) return linkInvalid()
  const owner = ownerOf((await deps.addresses.load(link.claim)).state)
  if (!owner) return linkInvalid()
  const { accountId } = owner
  const decide = cancelErasure(link.hash)
  const result = await deps.accounts.run(accountStream(accountId), decide, envelopeOf(deps, from, accountId))
  return isRefusal(result) ? result : 'done'
}

const must = <T extends object>(result: T | Refusal): T => {
  if (isRefusal(result)) throw new OwnError(`the erasure stopped: ${result.refused}`)
  return result
}

/** Who signed up at an address that had an account got no account, but the address was sealed under a key of their own. */
const strangersAt = async (deps: ErasureDeps, claim: string, accountId: string): Promise<readonly string[]> => {
  const ids = new Set<string>()
  for await (const page of deps.log.readStream(claim))
    for (const { type, data } of page) if (type === 'SignUpReceived') ids.add(String(data['accountId']))
  ids.delete(accountId)
  // The address is free for them since the account left it: they wait for their link.
  for (const waiting of (await deps.addresses.load(claim)).state.pending) ids.delete(waiting.accountId)
  const known = await Promise.all([...ids].map(async id => ({ id, ...(await deps.accounts.load(accountStream(id))) })))
  return known.filter(({ state }) => state === undefined).map(({ id }) => id)
}

/** The end of an account names no more than so many addresses that it wanted: one may ask for thousands. */
const MOST_NAMED = 100

/** What is done once the last mail had its time. The key goes when nothing needs it any more, and the end is written after it. */
const finish = async (deps: ErasureDeps, account: Account, from: From): Promise<void> => {
  const { id } = account
  const by = () => ({ ...envelopeOf(deps, from), actor: eraser })
  const profile = (await deps.profiles.load(profileStream(id))).state
  // While the profile names its claim, nobody else can have the name: it stays taken where it stays with what was written.
  if (account.address !== undefined && profile.edits > 0 && account.erasure?.attribution === undefined) {
    const nothing = { displayName: null, bio: null, languages: null }
    must(await deps.profiles.run(profileStream(id), editProfile(id, nothing, undefined), by()))
  }
  const released = await deps.releaseIdentities(id, from)
  if (released !== 'done') throw new OwnError(`identities were not given up: ${released.refused}`)
  const theirs = await belongingsOf(deps.log, id)
  const { content = 'anonymised' } = account.erasure ?? {}
  const leaving: Leaving = { ...theirs, accountId: id, content }
  const cleared = await deps.clearShelves(leaving, by)
  if (cleared !== 'done') throw new OwnError(`shelves were not cleared: ${cleared.refused}`)
  const silent = await deps.leaveComments(leaving, by)
  if (silent !== 'done') throw new OwnError(`comments were not deleted: ${silent.refused}`)
  const left = await deps.leaveStories(leaving, by)
  if (left !== 'done') throw new OwnError(`stories were not left: ${left.refused}`)
  const own = [account.claim, ...(account.left ?? []), ...(account.former ?? [])]
  for (const claim of own)
    for (const stranger of await strangersAt(deps, claim, id)) await deps.keys.destroy(`subject:${stranger}`)
  // Its own stream does not name the addresses that it wanted.
  const wanted = [...theirs.claims]
  const claims = [...new Set([...own, ...wanted.slice(-MOST_NAMED)])]
  for (const claim of new Set([...own, ...wanted])) must(await deps.addresses.run(claim, releaseAddress(id), by()))
  await deps.keys.destroy(`subject:${id}`)
  must(await deps.accounts.run(accountStream(id), finishErasure(claims), by()))
}

/**
 * Carries out what is due of one account; true when it is over. Called until then: where a process ended in the middle,
 * each step is done again without harm.
 */
export const carryOutErasure = async (deps: ErasureDeps, accountId: string, from: From): Promise<boolean> => {
  const stream = accountStream(accountId)
  const { state: account } = await deps.accounts.load(stream)
  if (!account?.erasure || account.erased) return true
  const now = deps.clock.now()
  const { displayName } = (await deps.profiles.load(profileStream(accountId))).state
  const begin = beginErasure(now, displayName)
  const begun = must(await deps.accounts.run(stream, begin, { ...envelopeOf(deps, from), actor: eraser }))
  if (!begun.state?.erasure || !isRipe(begun.state.erasure, now)) return false
  await finish(deps, begun.state, from)
  return true
}

const RECEIPT = /^([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/
const receiptMac = (key: Uint8Array, accountId: string): Buffer =>
  createHmac('sha256', key).update(`receipt\u001f${accountId}`, 'utf8').digest()

/** What leads to the receipt, for whoever has it: 256 bits that follow from the key and are kept nowhere. */
export const receiptToken = (key: Uint8Array, accountId: string): string =>
  `${accountId}.${receiptMac(key, accountId).toString('base64url')}`

export const noReceipt = (): Refusal => refuse('receipt-not-found', 'There is no receipt by this link, or not yet.')

/** What the receipt says, from the log alone: `position` is that of the event that ended the account. */
export const erasedAccount = async (
  deps: Pick<ErasureDeps, 'accounts' | 'secrets' | 'log'>,
  token: string,
): Promise<{ readonly account: Account; readonly position: bigint } | Refusal> => {
  const [, accountId = '', given = ''] = RECEIPT.exec(token) ?? []
  const sent = Buffer.from(given, 'base64url')
  const real = receiptMac(deps.secrets.link, accountId)
  if (sent.length !== real.length || !timingSafeEqual(sent, real)) return noReceipt()
  const stream = accountStream(accountId)
  const { state: account } = await deps.accounts.load(stream)
  if (!account?.erased) return noReceipt()
  for await (const page of deps.log.readStream(stream)) {
    const end = page.find(({ type }) => type === AccountErased.type)
    if (end) return { account, position: end.position }
  }
  return noReceipt()
}
