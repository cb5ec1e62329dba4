/**
 * Changing the address of an account, and taking it back. Each is three short writes on three streams (the new claim, the
 * account, the old claim), in an order in which every prefix is sound; src/subscribers/address-moves.ts finishes what a
 * process left undone.
 */

import { type Account, accountStream, moveAddress, moveBack } from '../domain/account/account.ts'
import { endFault } from '../domain/account/standing.ts'
import { changeBy, ownerOf, releaseAddress } from '../domain/address/address.ts'
import {
  confirmChange,
  type HolderRefusal,
  leaveAddress,
  requestChange,
  revertChange,
} from '../domain/address/change.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { linkInvalid } from '../domain/address/links.ts'
import { defined } from '../domain/defined.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { type ClaimDeps, claimsOf, isTakenAmong, lookUpClaims, lookUpOthers } from './address-claims.ts'
import { envelopeOf, type From, type IdentityDeps, makeLink, readLink } from './identity.ts'
import { checkOwnPassword } from './own-password.ts'
import { type FactorDeps, factorsOf, proveFactor } from './second-factor.ts'
import type { Admit } from './sessions.ts'

type Done = 'done' | Refusal

const suspended = () => refuse('account-suspended', 'The account is suspended: its address is not changed meanwhile.')

/** What the clocks of two nodes may differ by: what was added on another one is of this time too. */
const SKEW_MS = 5_000
/** What moving takes: no password is looked at. */
export type MoveDeps = Omit<ClaimDeps, 'secrets'> &
  Pick<IdentityDeps, 'accounts' | 'clock' | 'newId'> & {
    readonly secrets: Pick<IdentityDeps['secrets'], 'link' | 'address'>
    /** Takes away the ways to sign in that were added in this time (RFC 3339); repeating it is harmless. */
    readonly removeDisputed: (
      accountId: string,
      time: { readonly since: string; readonly until: string },
      from: From,
    ) => Promise<Done>
  }

/** Has a link sent to the new address. The same answer whether or not somebody has it. @throws {PasswordsBusyError} */
export const requestAddressChange = async (
  deps: IdentityDeps,
  accountId: string,
  request: { readonly email: string; readonly password: string },
  from: From,
): Promise<Done> => {
  const { state: account } = await deps.accounts.load(accountStream(accountId))
  if (!account) return refuse('account-not-found', 'There is no such account.')
  const checked = await checkOwnPassword(deps, account, request.password, from)
  if (checked !== 'done') return checked
  const email = readEmail(request.email)
  if (!isEmail(email)) return email
  const claims = await claimsOf(deps, email)
  const [claim, ...before] = claims
  if (claims.includes(account.claim)) return refuse('email-invalid', 'This is the address of your account already.')
  const envelope = envelopeOf(deps, from, accountId)
  const { hash: linkHash } = makeLink(deps.secrets.link, 'email', claim, envelope.commandId)
  const { unopened } = deps.addresses
  const elsewhere = isTakenAmong(await lookUpClaims({ addresses: unopened }, before), envelope.at, accountId)
  const change = { accountId, from: account.claim, address: email.address, locale: account.locale, linkHash, elsewhere }
  const result = await unopened.run(claim, requestChange({ ...change, now: envelope.at }), envelope)
  return isRefusal(result) ? result : 'done'
}

/** Lets the account follow a change that was confirmed on `claim`, and leaves the old address. Repeating it is harmless. */
export const completeChange = async (deps: MoveDeps, claim: string, from: From): Promise<Done> => {
  const owner = ownerOf((await deps.addresses.load(claim)).state)
  if (owner?.from === undefined) return 'done'
  const { accountId, from: old, address } = owner
  const stream = accountStream(accountId)
  // Without an address the key is gone: the account was erased between the two streams, and follows nowhere.
  const moved =
    address === undefined
      ? await deps.accounts.load(stream)
      : await deps.accounts.run(stream, moveAddress({ claim, from: old, address }), envelopeOf(deps, from, accountId))
  if ('refused' in moved) return moved
  if (moved.state?.claim !== claim || moved.state.erased) {
    // Another change was quicker, it was taken back, or nobody acts by the account: an address that nobody uses is not kept from others.
    if (moved.state?.left?.includes(claim) && !moved.state.erased) return 'done'
    const released = await deps.addresses.run(claim, releaseAddress(accountId), envelopeOf(deps, from, accountId))
    return isRefusal(released) ? released : linkInvalid()
  }
  const envelope = envelopeOf(deps, from, accountId)
  const { hash } = makeLink(deps.secrets.link, 'revert', old, envelope.commandId)
  const left = await deps.addresses.run(old, leaveAddress(accountId, hash, envelope.at), envelope)
  return isRefusal(left) ? left : 'done'
}

/** The link with the password of the account and, where it has a second factor, its code. */
export type ChangeProof = { readonly token: string; readonly password: string; readonly code?: string }

/** Does whoever has the link know what the owner of the account knows? Counted by the link: nobody else uses its tries up. */
const proveOwner = async (
  deps: FactorDeps,
  account: Account,
  { hash, password, code }: Omit<ChangeProof, 'token'> & { readonly hash: string },
  { from, admit }: { readonly from: From; readonly admit: Admit },
): Promise<Done> => {
  const holder = `link ${hash}`
  await admit(account.claim, holder)
  const factors = await factorsOf(deps, account)
  const checked = await checkOwnPassword(deps, account, password, from)
  if (checked !== 'done') return checked
  const proved = await proveFactor(
    deps,
    { account, factors, proof: { holder, ...defined({ code }) }, purpose: 'step-up' },
    from,
  )
  return typeof proved === 'string' ? 'done' : proved
}

/**
 * Uses the link that went to the new address. A mistyped one brings the link to a stranger, who would have the account if it
 * were enough. `admit` counts the try, and throws when there were too many. @throws {PasswordsBusyError}
 */
export const confirmAddressChange = async (
  deps: FactorDeps & Pick<MoveDeps, 'removeDisputed'>,
  proof: ChangeProof,
  from: From,
  admit: Admit,
): Promise<Done> => {
  const link = readLink(proof.token)
  if (!link) return linkInvalid()
  const envelope = envelopeOf(deps, from)
  const { state } = await deps.addresses.load(link.claim)
  const change = changeBy(state, link.hash)
  const { state: account } = change ? await deps.accounts.load(accountStream(change.accountId)) : {}
  // Since it was asked for the account has another address: two links may be on their way.
  if (change && account?.claim !== change.from) return linkInvalid()
  if (change && isTakenAmong(await lookUpOthers(deps, link.claim, change.address), envelope.at, change.accountId))
    return linkInvalid()
  const fault = endFault(account) ?? (account?.suspended ? suspended() : undefined)
  const confirmation = { linkHash: link.hash, now: envelope.at, ...defined({ owner: account?.id, fault }) }
  // What is no good is told before anybody is asked for a password.
  const early = confirmChange(confirmation)(state)
  if (!account || isRefusal(early)) return isRefusal(early) ? early : linkInvalid()
  const proved = await proveOwner(deps, account, { ...proof, hash: link.hash }, { from, admit })
  if (proved !== 'done') return proved
  const result = await deps.addresses.run(link.claim, confirmChange(confirmation), envelope)
  return isRefusal(result) ? result : completeChange(deps, link.claim, from)
}

/** Lets the account follow a way back that was taken on `claim`. Repeating it is harmless. */
export const completeRevert = async (deps: MoveDeps, claim: string, from: From): Promise<Done> => {
  const owner = ownerOf((await deps.addresses.load(claim)).state)
  if (owner?.revertedBy === undefined || owner.address === undefined) return 'done'
  const { accountId, address } = owner
  const stream = accountStream(accountId)
  const moved = await deps.accounts.run(stream, moveBack(claim, address), envelopeOf(deps, from, accountId))
  if (isRefusal(moved)) return moved
  const { abandoned, revertedAt } = moved.state ?? {}
  if (abandoned === undefined || revertedAt === undefined || moved.state?.claim !== claim) return 'done'
  // Every session has ended: nobody adds another one.
  const until = new Date(Date.parse(revertedAt) + SKEW_MS).toISOString()
  const removed = await deps.removeDisputed(accountId, { since: owner.disputedFrom ?? revertedAt, until }, from)
  if (removed !== 'done') return removed
  const released = await deps.addresses.run(abandoned, releaseAddress(accountId), envelopeOf(deps, from, accountId))
  return isRefusal(released) ? released : 'done'
}

/**
 * Uses the link that went to the old address: it is the account's again, every session has ended, what was added to sign in
 * with since the change was asked for is gone, and the password has to be set anew (by `request`, whose link goes there).
 */
export const revertAddressChange = async (
  deps: MoveDeps,
  token: string,
  from: From,
  request: (claim: string) => Promise<Done>,
): Promise<Done> => {
  const link = readLink(token)
  if (!link) return linkInvalid()
  const envelope = envelopeOf(deps, from)
  const { holder } = (await deps.addresses.load(link.claim)).state
  let fault: Refusal<HolderRefusal> | undefined
  if (holder?.revertHash === link.hash) {
    const { state: account } = await deps.accounts.load(accountStream(holder.accountId))
    fault = endFault(account)
    // Taken back to an address before this one: what came after it is no way into the account any more.
    if (!account?.left?.includes(link.claim)) return linkInvalid()
  }
  const result = await deps.addresses.run(link.claim, revertChange(link.hash, envelope.at, fault), envelope)
  if (isRefusal(result)) return result
  const done = await completeRevert(deps, link.claim, from)
  return done === 'done' ? request(link.claim) : done
}
