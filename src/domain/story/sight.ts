/**
 * Who sees what of a story, as it stands now. Lists, searches, feeds, live channels and mails ask here, with the story's document
 * as it is at that moment; what one may not see is as what never was.
 */
import type { Permission } from '../roles.ts'
import { isForAdults, type Rating, type StoryVisibility } from './terms.ts'

/** What is looked at of a story. */
export type Seen = {
  readonly authors: readonly string[]
  readonly visibility: StoryVisibility
  readonly rating: Rating
  readonly isPublished: boolean
  readonly isDeleted: boolean
  /** Absent where no decision holds it back. */
  readonly held?: { readonly isPublished: boolean }
}

/** Who looks. `account`: absent for strangers and services; `adult`: they want to see what is for adults. */
export type Viewer = {
  readonly account?: string
  readonly permissions: ReadonlySet<Permission>
  readonly adult?: boolean
}

/**
 * Is somebody a member, who sees what is for members? Whoever has the use of an account: not a service, nor who is suspended, who sees
 * meanwhile what strangers see, beside what is their own.
 */
export const isMember = ({ account, permissions }: Pick<Viewer, 'account' | 'permissions'>): boolean =>
  account !== undefined && permissions.has('account:use')

/** `authored`: everything, with drafts, invitations and plans; `everything`: what is published of it. */
export type StorySight = 'nothing' | 'everything' | 'authored'

/** How much of the story this viewer sees who has its id. */
export const storySight = (story: Seen, viewer: Viewer): StorySight => {
  const { account, permissions } = viewer
  if (story.isDeleted) return 'nothing'
  if (account !== undefined && story.authors.includes(account)) return 'authored'
  if (story.visibility === 'private') return 'nothing'
  // Whoever decides about it sees what was to be seen.
  if (story.held?.isPublished && permissions.has('decisions:take')) return 'everything'
  if (!story.isPublished) return 'nothing'
  if (story.visibility === 'members')
    return isMember(viewer) || permissions.has('stories:review') ? 'everything' : 'nothing'
  return permissions.has('stories:read') ? 'everything' : 'nothing'
}

/**
 * Is the story among what this viewer is shown without asking for it by its id: in lists, searches, feeds, counts, suggestions, series,
 * bookmarks of others, channels, mails? What is unlisted is in none of them, not even for its authors: theirs are in a list of their own.
 */
export const isListedFor = (story: Seen, viewer: Viewer): boolean =>
  (story.visibility === 'public' || story.visibility === 'members') &&
  story.isPublished &&
  storySight(story, viewer) !== 'nothing' &&
  (!isForAdults(story) || viewer.adult === true)
