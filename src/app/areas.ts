/** The areas of the service: a new one is one line more. */
import { access } from './areas/access.ts'
import { accounts } from './areas/accounts.ts'
import { analytics } from './areas/analytics.ts'
import { dictionary } from './areas/dictionary.ts'
import { history } from './areas/history.ts'
import { openId } from './areas/openid.ts'
import { profiles } from './areas/profiles.ts'
import { sessions } from './areas/sessions.ts'
import type { Declared } from './declared.ts'

export const areas: readonly Declared[] = [dictionary, access, accounts, sessions, profiles, openId, analytics, history]
