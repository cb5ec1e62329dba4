/** Profiles and preferences: their streams and the secret that names are claimed under. */

import type { ProfilePort } from '../adapters/http/routes/profile.ts'
import type { PublicProfilePort } from '../adapters/http/routes/public-profile.ts'
import { recordProfile } from '../commands/look-up-accounts.ts'
import { changePreferences, editOwnProfile, type ProfileDeps } from '../commands/profiles.ts'
import { later } from '../core/log/positions.ts'
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { defined } from '../domain/defined.ts'
import { nameAggregate } from '../domain/profile/name-claim.ts'
import {
  defaultPreferences,
  isShownTo,
  preferencesAggregate,
  preferencesStream,
} from '../domain/profile/preferences.ts'
import { profileAggregate, profileStream } from '../domain/profile/profile.ts'
import { onlookerAt } from '../projections/people.ts'
import type { Core } from './core.ts'
import { recordDeps } from './lookups.ts'

/** What the routes of one's own profile do. */
export const openProfilePort = async (core: Core): Promise<ProfilePort & PublicProfilePort> => {
  const deps: ProfileDeps = {
    accounts: core.transactor(accountAggregate),
    profiles: core.transactor(profileAggregate),
    preferences: core.transactor(preferencesAggregate),
    names: core.transactor(nameAggregate),
    nameSecret: await core.keys.secret('name-1'),
    clock: core.clock,
    newId: core.newId,
  }
  const records = recordDeps(core)
  return {
    read: async id => {
      const { state: account, position } = await core.transactor(accountAggregate).load(accountStream(id))
      if (!account) return undefined
      const profile = await core.transactor(profileAggregate).load(profileStream(id))
      return { account, profile: profile.state, position: later(position, profile.position) }
    },
    shown: async (id, reader, from) => {
      const { state: account } = await core.transactor(accountAggregate).load(accountStream(id))
      if (!account) return undefined
      if (account.erasure?.begunAt !== undefined || account.erased) {
        const kept = account.erased?.attribution ?? account.erasure?.attribution
        return kept === undefined ? undefined : { id, displayName: kept, languages: [] }
      }
      // From its stream, so that what was hidden is so at once.
      const { chosen = defaultPreferences(account.locale) } = (
        await core.transactor(preferencesAggregate).load(preferencesStream(id))
      ).state
      const onlooker = onlookerAt(id, reader)
      const { actor } = reader
      if (!isShownTo(chosen.privacy.profile, onlooker)) return undefined
      const byPrivilege = actor !== undefined && !isShownTo(chosen.privacy.profile, { ...onlooker, privy: false })
      if (byPrivilege && actor.id !== id) {
        const refused = await recordProfile(records, id, { actor, from })
        if (refused) return refused
      }
      const { displayName, bio, languages } = (await core.transactor(profileAggregate).load(profileStream(id))).state
      return { id, languages, ...defined({ displayName, bio }) }
    },
    edit: (id, patch, stated, envelope) => editOwnProfile(deps, id, patch, stated, envelope),
    preferences: async id => {
      const { state: account, position } = await core.transactor(accountAggregate).load(accountStream(id))
      if (!account) return undefined
      const found = await core.transactor(preferencesAggregate).load(preferencesStream(id))
      const { chosen = defaultPreferences(account.locale), edits, mark } = found.state
      return { preferences: chosen, edits, mark, position: later(position, found.position) }
    },
    prefer: (id, change, stated, envelope) => changePreferences(deps, id, change, stated, envelope),
    clock: core.clock,
  }
}
