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
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { addressAggregate } from '../domain/address/address.ts'
import { addressKeysAggregate } from '../domain/address/keys.ts'
import { identitiesStream, linkedIdentitiesAggregate } from '../domain/openid/linked-identities.ts'
import { preferencesAggregate, preferencesStream } from '../domain/profile/preferences.ts'
import { profileAggregate, profileStream } from '../domain/profile/profile.ts'
import { devicesAggregate } from '../domain/session/devices.ts'
import type { Identities } from '../projections/identities.ts'
import type { History } from '../queries/history.ts'
import { type OwnData, openOwnData } from '../queries/own-data.ts'
import type { Core } from './core.ts'
import { recordDeps } from './lookups.ts'

export const openPeople = (
  core: Core,
  { secrets }: Pick<IdentityDeps, 'secrets'>,
  identities: Pick<Identities, 'sessionsOf'>,
  { page, ownData }: { readonly page: LookupDeps['page']; readonly ownData: OwnData },
): PeoplePort => {
  const { transactor } = core
  const deps: LookupDeps = {
    ...recordDeps(core),
    accounts: transactor(accountAggregate),
    addresses: transactor(addressAggregate),
    addressKeys: transactor(addressKeysAggregate),
    profiles: transactor(profileAggregate),
    devices: transactor(devicesAggregate),
    secrets,
    page,
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
    account: async id => (await core.transactor(accountAggregate).load(accountStream(id))).state,
    profile: async id => (await core.transactor(profileAggregate).load(profileStream(id))).state,
    preferences: async id => (await core.transactor(preferencesAggregate).load(preferencesStream(id))).state.chosen,
    identities: async id => (await core.transactor(linkedIdentitiesAggregate).load(identitiesStream(id))).state.items,
    sessions: id => identities.sessionsOf(id),
  })
