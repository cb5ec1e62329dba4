/** Editing one's profile and preferences. A display name is claimed before the profile names it. */
import { createHmac } from 'node:crypto'
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import type { AccountEvent, AccountState } from '../domain/account/account.ts'
import { accountStream } from '../domain/account/account.ts'
import { defined } from '../domain/defined.ts'
import { isDisplayName, readDisplayName } from '../domain/profile/display-name.ts'
import {
  CLAIM_MINUTES,
  claimName,
  mayHaveLapsed,
  type NameEvent,
  type NameState,
  nameStream,
} from '../domain/profile/name-claim.ts'
import {
  type PreferencesChange,
  type PreferencesEvent,
  type PreferencesState,
  preferencesStream,
  setPreferences,
} from '../domain/profile/preferences.ts'
import {
  editProfile,
  type Profile,
  type ProfileChange,
  type ProfileEvent,
  profileStream,
  readBio,
  readLanguages,
  type StatedEdits,
} from '../domain/profile/profile.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'

export type ProfileDeps = {
  readonly accounts: Pick<Transactor<AccountState, AccountEvent>, 'load'>
  readonly profiles: Transactor<Profile, ProfileEvent>
  readonly preferences: Transactor<PreferencesState, PreferencesEvent>
  readonly names: Transactor<NameState, NameEvent>
  /** 32 bytes: names the streams of display names. */
  readonly nameSecret: Uint8Array
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly newId: () => string
}

/** A merge patch of the profile as it came. */
export type ProfilePatch = {
  readonly displayName?: string | null
  readonly bio?: string | null
  readonly languages?: readonly string[] | null
}

/** The version of the secret that names are hashed with. */
const NAME_SECRET_VERSION = 1

const streamOf = (secret: Uint8Array, key: string): string =>
  nameStream(NAME_SECRET_VERSION, createHmac('sha256', secret).update(key, 'utf8').digest('base64url'))

const read = (
  { displayName, bio, languages }: ProfilePatch,
  secret: Uint8Array,
): (Omit<ProfileChange, 'displayName'> & { readonly name?: { name: string; claim: string } | null }) | Refusal => {
  const named = typeof displayName === 'string' ? readDisplayName(displayName) : displayName
  if (named && !isDisplayName(named)) return named
  const words = typeof bio === 'string' ? readBio(bio) : bio
  if (words !== null && typeof words === 'object') return words
  const spoken = languages ? readLanguages(languages) : languages
  if (spoken && 'refused' in spoken) return spoken
  return {
    ...defined({
      name: named === undefined ? undefined : named && { name: named.name, claim: streamOf(secret, named.key) },
    }),
    ...defined({ bio: words, languages: spoken }),
  }
}

/** The id of a claim that nobody uses: old, and not named by the profile of the account that made it. */
const abandonedClaim = async (deps: ProfileDeps, claim: string): Promise<string | undefined> => {
  const { holder } = (await deps.names.load(claim)).state
  if (!holder || !mayHaveLapsed(holder, deps.clock.now())) return undefined
  const { state } = await deps.profiles.load(profileStream(holder.accountId))
  return state.claim === claim ? undefined : holder.id
}

/**
 * Edits the account's profile. Where the process ends between claim and edit, a claim is left that no profile names: it
 * lapses, as that of the name before does. @throws the ports' errors.
 */
export const editOwnProfile = async (
  deps: ProfileDeps,
  accountId: string,
  patch: ProfilePatch,
  stated: StatedEdits,
  envelope: Envelope,
): Promise<Result<Profile>> => {
  const given = read(patch, deps.nameSecret)
  if ('refused' in given) return given
  const { name, ...rest } = given
  const stream = profileStream(accountId)
  const before = (await deps.profiles.load(stream)).state
  const asks = name !== undefined && name !== null && name.claim !== before.claim
  const change = {
    ...rest,
    ...defined({ displayName: name === undefined ? undefined : name && { ...name, claimed: asks } }),
  }
  const decide = editProfile(accountId, change, stated)
  // What is no good anyhow claims nothing; a repeat of what was done is told apart by the transactor, and claims once more.
  const early = decide(before)
  if (!asks || isRefusal(early)) return deps.profiles.run(stream, decide, envelope)
  const since = deps.clock.monotonic()
  const { fingerprint: _, ...own } = { ...envelope, commandId: deps.newId() }
  const claimed = await deps.names.run(
    name.claim,
    claimName(accountId, deps.clock.now(), await abandonedClaim(deps, name.claim)),
    own,
  )
  if (isRefusal(claimed)) return claimed
  // A process that was stopped in between may come back when the claim is somebody else's.
  if (deps.clock.monotonic() - since > (CLAIM_MINUTES * 60_000) / 2)
    return refuse('conflict', 'This took too long to hold the name; try again.')
  return deps.profiles.run(stream, decide, envelope)
}

/** Changes some preferences. @throws the ports' errors. */
export const changePreferences = async (
  deps: ProfileDeps,
  accountId: string,
  change: PreferencesChange,
  stated: StatedEdits,
  envelope: Envelope,
): Promise<Result<PreferencesState>> => {
  const { state: account } = await deps.accounts.load(accountStream(accountId))
  if (!account) return refuse('account-not-found', 'There is no such account.')
  const about = { accountId, locale: account.locale }
  return deps.preferences.run(preferencesStream(accountId), setPreferences(about, change, stated), envelope)
}
