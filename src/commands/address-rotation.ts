/**
 * Replaces the key that the streams of addresses are named with. A new version is added, every account moves to it, and once
 * no link of the old one can be on its way that one is retired. Every prefix of it is sound: until the end an address is
 * looked for under both.
 */
import { accountStream, rekey } from '../domain/account/account.ts'
import { releaseAddress } from '../domain/address/address.ts'
import { reclaimAddress } from '../domain/address/change.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { ADDRESS_KEYS_STREAM, type AddressKeys, addKey, RETIRE_AFTER_MS, retireKey } from '../domain/address/keys.ts'
import { isExpired } from '../domain/address/links.ts'
import { defined } from '../domain/defined.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { type ClaimDeps, claimsOf } from './address-claims.ts'
import { envelopeOf, type From, type IdentityDeps } from './identity.ts'

export type RotationDeps = ClaimDeps & Pick<IdentityDeps, 'accounts' | 'clock' | 'newId'>
type MoveDeps = Pick<RotationDeps, 'addresses' | 'accounts' | 'clock' | 'newId'>

/** Lets the account follow to `claim`, and gives up the one it had. Repeating it is harmless. */
export const completeReclaim = async (
  deps: MoveDeps,
  { accountId, claim, from: old }: { readonly accountId: string; readonly claim: string; readonly from: string },
  from: From,
): Promise<'done' | Refusal> => {
  const envelope = () => envelopeOf(deps, from, accountId)
  const moved = await deps.accounts.run(accountStream(accountId), rekey({ claim, from: old }), envelope())
  if (isRefusal(moved)) return moved
  const stands = moved.state?.claim
  // Meanwhile the account took another address, or was erased: what it does not use is not kept from others.
  const unused = [claim, old].filter(each => each !== stands)
  for (const each of unused) {
    const released = await deps.addresses.run(each, releaseAddress(accountId), envelope())
    if (isRefusal(released)) return released
  }
  return 'done'
}

/**
 * `later`: a link that a mail told leads to the old claim, for an hour or (of an erasure) a day at most. `taken`: another account has the address under the
 * new key.
 */
export type Move = 'moved' | 'there' | 'later' | 'taken'

/** So long after the new key began, links that set a password are waited for, which lead to the old claim. */
const WAIT_MS = 60 * 60_000

/** Moves one account to the key of today, which is one `since` then. @throws {EventStoreError} */
const moveAccount = async (deps: RotationDeps, accountId: string, since: string, from: From): Promise<Move> => {
  const { state: account } = await deps.accounts.load(accountStream(accountId))
  const email = account?.address === undefined ? undefined : readEmail(account.address)
  if (!account || !email || !isEmail(email)) return 'there'
  const [claim] = await claimsOf(deps, email)
  if (account.claim === claim) return 'there'
  const { holder, resets } = (await deps.addresses.load(account.claim)).state
  const now = deps.clock.now()
  // Later ones are not waited for: whoever asks for them again and again would keep the account where it is.
  const waits = now.getTime() < Date.parse(since) + WAIT_MS
  if ((waits && resets.some(each => !each.used && !isExpired(each, now))) || account.erasure) return 'later'
  const given = { accountId, from: account.claim, address: email.address, locale: account.locale }
  const decide = reclaimAddress({ ...given, linkHash: holder?.linkHash ?? '', now })
  const result = await deps.addresses.run(claim, decide, envelopeOf(deps, from, accountId))
  if (isRefusal(result)) return 'taken'
  const done = await completeReclaim(deps, { accountId, claim, from: account.claim }, from)
  return done === 'done' ? 'moved' : 'taken'
}

export type Rotation = {
  readonly version: number
  readonly moved: number
  /** Accounts to which a link leads that is on its way: another run moves them. */
  readonly later: number
  /** Accounts whose address another one has. */
  readonly taken: readonly string[]
  /** The version that nothing is looked for under any more. */
  readonly retired?: number
  /** When the version before may be retired, by doing this again. */
  readonly retireFrom?: string
}

type Counted = Pick<Rotation, 'moved' | 'later' | 'taken'>
const summary = (keys: AddressKeys, counted: Counted, before: AddressKeys): Rotation => ({
  version: keys.current,
  ...counted,
  ...defined({ retired: before.before !== undefined && keys.before === undefined ? before.before : undefined }),
  ...defined({
    retireFrom: keys.since === undefined ? undefined : new Date(Date.parse(keys.since) + RETIRE_AFTER_MS).toISOString(),
  }),
})

/**
 * Goes on with what was begun, or begins. `accounts`: the ids of all accounts, read once the new key stands.
 * @throws {EventStoreError} and the ports' errors; done again it goes on.
 */
export const rotateAddressKey = async (
  deps: RotationDeps,
  accounts: () => AsyncIterable<string>,
  from: From,
): Promise<Rotation | Refusal> => {
  const added = await deps.addressKeys.run(ADDRESS_KEYS_STREAM, addKey(), envelopeOf(deps, from))
  if (isRefusal(added)) return added
  let [moved, later] = [0, 0]
  const taken: string[] = []
  for await (const id of accounts()) {
    const move = await moveAccount(deps, id, added.state.since ?? '', from)
    if (move === 'taken') taken.push(id)
    if (move === 'later') later += 1
    if (move === 'moved') moved += 1
  }
  const decide = retireKey(taken.length + later, deps.clock.now())
  const retired = await deps.addressKeys.run(ADDRESS_KEYS_STREAM, decide, envelopeOf(deps, from))
  const keys = isRefusal(retired) ? added.state : retired.state
  return summary(keys, { moved, later, taken }, added.state)
}
