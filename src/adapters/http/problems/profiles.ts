/** The problems of profiles. */

import type { NameRefusal } from '../../../domain/profile/name-claim.ts'
import type { PreferencesRefusal } from '../../../domain/profile/preferences.ts'
import type { Problem } from '../problem.ts'

export const profileProblems = {
  'profile-not-found': {
    status: 404,
    title: 'No such profile',
    help: 'Nobody has this id, or its owner lets only others see the profile: sign in, where you have not.',
  },
  'name-invalid': {
    status: 422,
    title: 'Not a display name',
    help: 'A display name has 2 to 40 letters and digits of one alphabet, with single signs between them, and is not one of those that are kept for the service.',
  },
  'name-taken': {
    status: 409,
    title: 'The name is taken',
    help: 'Somebody has this display name, or one that readers would take for it: case, accents, signs and letters that look alike make no other name. A name that was given up can be had after fifteen minutes.',
  },
  'time-zone-unknown': {
    status: 422,
    title: 'The time zone is not known',
    help: 'Name one of the IANA table, such as Europe/Madrid or UTC; offsets are no zones.',
  },
} as const satisfies Record<NameRefusal | PreferencesRefusal | 'profile-not-found', Problem>

type ProfileProblems = typeof profileProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends ProfileProblems {}
}
