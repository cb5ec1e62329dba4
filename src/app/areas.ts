/** The areas of the service, in the order in which documents list what they have: a new one is one line more. */
import type { Area } from './area.ts'
import { access } from './areas/access.ts'
import { accounts } from './areas/accounts.ts'
import { analytics } from './areas/analytics.ts'
import { chapters } from './areas/chapters.ts'
import { comments } from './areas/comments.ts'
import { decisions } from './areas/decisions.ts'
import { dictionary } from './areas/dictionary.ts'
import { history } from './areas/history.ts'
import { live } from './areas/live.ts'
import { mail } from './areas/mail.ts'
import { openId } from './areas/openid.ts'
import { operation } from './areas/operation.ts'
import { profiles } from './areas/profiles.ts'
import { proposals } from './areas/proposals.ts'
import { reports } from './areas/reports.ts'
import { sessions } from './areas/sessions.ts'
import { shelf } from './areas/shelf.ts'
import { stories } from './areas/stories.ts'
import { storySearch } from './areas/story-search.ts'
import { votes } from './areas/votes.ts'

export const areas: readonly Area[] = [
  dictionary,
  analytics,
  history,
  operation,
  accounts,
  sessions,
  access,
  profiles,
  stories,
  chapters,
  storySearch,
  shelf,
  votes,
  comments,
  proposals,
  reports,
  decisions,
  openId,
  live,
  mail,
]
