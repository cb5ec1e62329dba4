/** What people say of themselves, and what they want to be told. */

import { profileProblems } from '../../adapters/http/problems/profiles.ts'
import { profileRoutes } from '../../adapters/http/routes/profile.ts'
import { publicProfileRoute } from '../../adapters/http/routes/public-profile.ts'
import { nameAggregate } from '../../domain/profile/name-claim.ts'
import { preferencesAggregate } from '../../domain/profile/preferences.ts'
import { profileAggregate } from '../../domain/profile/profile.ts'
import type { Area } from '../area.ts'
import { openProfilePort } from '../profile.ts'

export const profiles: Area = {
  name: 'profiles',
  aggregates: [profileAggregate, preferencesAggregate, nameAggregate],
  problems: profileProblems,
  routes: async ({ core }) => {
    const port = await openProfilePort(core)
    return edge => [...profileRoutes(port, edge), publicProfileRoute(port)]
  },
}
