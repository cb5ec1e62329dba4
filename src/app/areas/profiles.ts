/** What people say of themselves, and what they want to be told. */
import { nameAggregate } from '../../domain/profile/name-claim.ts'
import { preferencesAggregate } from '../../domain/profile/preferences.ts'
import { profileAggregate } from '../../domain/profile/profile.ts'
import type { Declared } from '../declared.ts'

export const profiles: Declared = {
  name: 'profiles',
  aggregates: [profileAggregate, preferencesAggregate, nameAggregate],
}
