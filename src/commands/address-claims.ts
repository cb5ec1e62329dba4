/** Where an address is claimed: under the key of today, and under the one before while accounts move from it. */

import type { Transactor } from '../core/write/transact.ts'
import { type AddressState, addressStream, isTaken, ownerOf } from '../domain/address/address.ts'
import type { AddressEvent } from '../domain/address/address-events.ts'
import { type EmailAddress, isEmail, readEmail } from '../domain/address/email.ts'
import { ADDRESS_KEYS_STREAM, type AddressKeys, type AddressKeysEvent, liveVersions } from '../domain/address/keys.ts'
import { mac } from './identity.ts'

export type ClaimDeps = {
  readonly addresses: Transactor<AddressState, AddressEvent>
  readonly addressKeys: Transactor<AddressKeys, AddressKeysEvent>
  readonly secrets: {
    /** The key of a version, 32 bytes; made when it is asked for first. */
    readonly address: (version: number) => Promise<Uint8Array>
  }
}

/** Streams of one address, the one to claim first. */
export type Claims = readonly [current: string, ...before: string[]]

export const claimsOf = async (deps: Omit<ClaimDeps, 'addresses'>, { key }: EmailAddress): Promise<Claims> => {
  const { state } = await deps.addressKeys.load(ADDRESS_KEYS_STREAM)
  const claimed = async (version: number): Promise<string> =>
    addressStream(version, mac(await deps.secrets.address(version), key).toString('base64url'))
  const [current = state.current, ...before] = liveVersions(state)
  return [await claimed(current), ...(await Promise.all(before.map(claimed)))]
}

/** What is known of an address, by claim. */
export type Found = { readonly claim: string; readonly state: AddressState }

export const lookUpClaims = (
  deps: { readonly addresses: Pick<ClaimDeps['addresses'], 'load'> },
  claims: readonly string[],
): Promise<readonly Found[]> =>
  Promise.all(claims.map(async claim => ({ claim, state: (await deps.addresses.load(claim)).state })))

/** Who has the address now, and under which claim. */
export const ownerAmong = (found: readonly Found[]) => {
  for (const { claim, state } of found) {
    const owner = ownerOf(state)
    if (owner) return { claim, owner }
  }
  return undefined
}

/** May nobody have the address at `now`, whatever one claim says? Not for `accountId`, which is in nobody's way. */
export const isTakenAmong = (found: readonly Found[], now: Date, accountId?: string): boolean =>
  found.some(({ state }) => isTaken(state, now) && (accountId === undefined || state.holder?.accountId !== accountId))

/**
 * What is known under the other claims of the address that waits on one of them: who is about to have it by a link of an older
 * key is not to get it beside who has it by now.
 */
export const lookUpOthers = async (
  deps: ClaimDeps,
  claim: string,
  address: string | undefined,
): Promise<readonly Found[]> => {
  const email = address === undefined ? undefined : readEmail(address)
  if (!email || !isEmail(email)) return []
  const claims = await claimsOf(deps, email)
  return lookUpClaims(
    deps,
    claims.filter(each => each !== claim),
  )
}
