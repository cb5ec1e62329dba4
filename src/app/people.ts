/** Other people's accounts, and one's own data: the streams they are read from. */
import type { PeoplePort } from '../adapters/http/routes/people.ts'
import type { IdentityDeps } from '../commands/identity.ts'
import {
  type LookupDeps,
  listAccounts,
  readAccount,
  readSessions,
  recordActivityRead,
} from '../commands/look-up-accounts.ts'
import { accountStream } from '../domain/account/account.ts'
import { identitiesStream } from '../domain/openid/linked-identities.ts'
import { preferencesStream } from '../domain/profile/preferences.ts'
import { profileStream } from '../domain/profile/profile.ts'
import type { Identities } from '../projections/identities.ts'
import { openAccountPages } from '../queries/account-lists.ts'
import type { History } from '../queries/history.ts'
import { type OwnData, openOwnData } from '../queries/own-data.ts'
import type { Core, Views } from './core.ts'

export const openPeople = (
  core: Core,
  { secrets }: Pick<IdentityDeps, 'secrets'>,
  identities: Pick<Identities, 'sessionsOf'>,
  { accounts: listed, ownData }: { readonly accounts: Views['accounts']['view']; readonly ownData: OwnData },
): PeoplePort => {
  const { accounts, addresses, addressKeys, profiles, lookups, devices, clock, newId } = core
  const deps: LookupDeps = {
    accounts,
    addresses,
    addressKeys,
    profiles,
    lookups,
    clock,
    newId,
    secrets,
    devices,
    page: openAccountPages(listed, core.nameSecret),
    sessionsOf: identities.sessionsOf,
  }
  return {
    list: (request, by) => listAccounts(deps, request, by),
    read: (id, by) => readAccount(deps, id, by),
    sessions: (id, by) => readSessions(deps, id, by),
    activity: async (id, { question, paging }, by) =>
      (await recordActivityRead(deps, id, by)) ?? ownData.activityOfOther(id, question, paging),
  }
}

/** What one may know of oneself. */
export const openOwnDataOf = (core: Core, history: History, identities: Pick<Identities, 'sessionsOf'>): OwnData =>
  openOwnData({
    history,
    account: async id => (await core.accounts.load(accountStream(id))).state,
    profile: async id => (await core.profiles.load(profileStream(id))).state,
    preferences: async id => (await core.preferences.load(preferencesStream(id))).state.chosen,
    identities: async id => (await core.linkedIdentities.load(identitiesStream(id))).state.items,
    sessions: id => identities.sessionsOf(id),
  })
