/** Profiles and preferences: their streams and the secret that names are claimed under. */
import type { ProfilePort } from '../adapters/http/routes/profile.ts'
import type { UnsubscribePort } from '../adapters/http/routes/unsubscribe.ts'
import { changePreferences, editOwnProfile, type ProfileDeps } from '../commands/profiles.ts'
import { turnOffRoleMails } from '../commands/unsubscribe.ts'
import { accountStream } from '../domain/account/account.ts'
import { defaultPreferences, preferencesStream } from '../domain/profile/preferences.ts'
import { profileStream } from '../domain/profile/profile.ts'
import type { Core } from './core.ts'

/** What the routes of one's own profile do. */
export const openProfilePort = async (core: Core): Promise<ProfilePort & UnsubscribePort> => {
  const deps: ProfileDeps = {
    accounts: core.accounts,
    profiles: core.profiles,
    preferences: core.preferences,
    names: core.names,
    nameSecret: await core.keys.secret('name-1'),
    clock: core.clock,
    newId: core.newId,
  }
  return {
    read: async id => {
      const { state: account, position } = await core.accounts.load(accountStream(id))
      if (!account) return undefined
      const profile = await core.profiles.load(profileStream(id))
      return { account, profile: profile.state, position: later(position, profile.position) }
    },
    edit: (id, patch, stated, envelope) => editOwnProfile(deps, id, patch, stated, envelope),
    preferences: async id => {
      const { state: account, position } = await core.accounts.load(accountStream(id))
      if (!account) return undefined
      const found = await core.preferences.load(preferencesStream(id))
      const { chosen = defaultPreferences(account.locale), edits, mark } = found.state
      return { preferences: chosen, edits, mark, position: later(position, found.position) }
    },
    prefer: (id, change, stated, envelope) => changePreferences(deps, id, change, stated, envelope),
    turnOff: (token, from) => turnOffRoleMails({ ...deps, linkSecret: core.linkSecret }, token, from),
    clock: core.clock,
  }
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b)
