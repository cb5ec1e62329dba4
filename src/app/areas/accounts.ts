/** Accounts: addresses, roles, erasure, and what administrators look up of them. */

import { accountProblems } from '../../adapters/http/problems/accounts.ts'
import { accountRoutes } from '../../adapters/http/routes/accounts.ts'
import { administrationRoutes } from '../../adapters/http/routes/administration.ts'
import { ownDataRoutes } from '../../adapters/http/routes/own-data.ts'
import { peopleRoutes } from '../../adapters/http/routes/people.ts'
import { accountAggregate, RoleGranted, RoleTaken } from '../../domain/account/account.ts'
import { administratorsAggregate } from '../../domain/account/administrators.ts'
import { AccountErased } from '../../domain/account/erasure-events.ts'
import { lookupAggregate } from '../../domain/account/lookup.ts'
import { accountPermissions } from '../../domain/account/permissions.ts'
import { SessionsEnded } from '../../domain/account/session-end-events.ts'
import { addressAggregate } from '../../domain/address/address.ts'
import { SignUpEnded } from '../../domain/address/address-events.ts'
import { addressKeysAggregate } from '../../domain/address/keys.ts'
import { mailAggregate } from '../../domain/address/mail-refusal.ts'
import { accountsProjection, NAME_SECRET } from '../../projections/accounts.ts'
import { openAccountPages } from '../../queries/account-lists.ts'
import { addressMoves, linkRequests, signUpEnds } from '../address.ts'
import type { Area } from '../area.ts'
import { forgetAccount } from '../erasure.ts'
import { openAdministration, openIdentityPort, scopeOf } from '../identity.ts'
import { openOwnDataOf, openPeople } from '../people.ts'

export const accounts: Area = {
  name: 'accounts',
  aggregates: [
    addressAggregate,
    addressKeysAggregate,
    accountAggregate,
    administratorsAggregate,
    lookupAggregate,
    mailAggregate,
  ],
  keyed: [{ purpose: NAME_SECRET, under: accountsProjection }],
  permissions: accountPermissions,
  problems: accountProblems,
  subscribers: ({ core }) => [addressMoves(core), signUpEnds(core).subscriber],
  jobs: core => [signUpEnds(core).kind, linkRequests(core)],
  notices: [{ events: [RoleGranted, RoleTaken], unless: 'roles' }, { events: [SessionsEnded] }],
  forgets: [
    { type: AccountErased, forget: forgetAccount, wasAnswered: true },
    // Nothing was ever answered with of a sign-up that is over.
    {
      type: SignUpEnded,
      forget: (core, { stream }) => core.transactor(addressAggregate).forget(stream),
      wasAnswered: false,
    },
  ],
  routes: async ({ core, config, views, identity, running: { identities }, erasure, history }) => {
    const port = { ...openIdentityPort(core, identity, identities, scopeOf(config)), erasure }
    const administration = openAdministration(core, identities)
    const ownData = openOwnDataOf(core, history.history, identities)
    const secret = await core.keys.secret(NAME_SECRET)
    const listed = accountsProjection(secret)
    const page = openAccountPages(views.of(listed), secret)
    const people = openPeople(core, identity, identities, { page, ownData })
    const { stepUp } = port
    const { types, readings } = history
    return edge => [
      ...accountRoutes(port, edge.cookies),
      ...administrationRoutes(administration, stepUp),
      ...ownDataRoutes({ ...edge, types, readings, ownData, stepUp }),
      ...peopleRoutes(people, { ...edge, types, listed }),
    ]
  },
}
