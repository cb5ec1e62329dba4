/**
 * Who writes a story together: by invitation, which the invited accepts or not. Nobody becomes an author who did not say so, and who
 * has declined is nowhere among its authors.
 */
import type { By, Decide } from '../decider.ts'
import { refuse } from '../refusal.ts'
import type { StoryEvent } from './events.ts'
import type { StoryRefusal } from './refusals.ts'
import { asAuthor, isAuthorOf, onStory, type Story, type StoryState, shownChapters } from './story.ts'
import { storyLimits } from './terms.ts'

type StoryDecide = Decide<StoryState, StoryEvent, StoryRefusal>

const unknownInvitee = (detail: string) =>
  refuse('invitee-unknown', detail, { errors: [{ pointer: '/accountId', code: 'unknown', detail }] })

/**
 * `isThere`: is there an account that may be asked? One that is suspended is asked like any other, so that the answer says nothing of
 * it; it cannot answer while it is.
 */
export const inviteAuthor = (account: string, isThere: boolean, by: By): StoryDecide =>
  asAuthor(by, story => {
    if (account === by.id) return unknownInvitee('Nobody invites themselves.')
    if (isAuthorOf(story, account) || story.invited.includes(account)) return []
    if (!isThere) return unknownInvitee('There is no such account.')
    if (story.authors.length + story.invited.length >= storyLimits.authors)
      return refuse('authors-full', `A story has ${storyLimits.authors} authors at most, the invited among them.`)
    return [{ type: 'AuthorInvited', data: { account } }]
  })

export const withdrawInvitation = (account: string, by: By): StoryDecide =>
  asAuthor(by, story => (story.invited.includes(account) ? [{ type: 'InvitationWithdrawn', data: { account } }] : []))

/** Of a story that they were not invited to, nobody is told whether it is there. */
export const invitationNotFound = () => refuse('invitation-not-found', 'There is no such invitation.')

/**
 * `isApart`: one of the authors has blocked who accepts, or is blocked by them. Who is invited all the same is told of nothing, and who
 * invites hears what they hear of anybody who does not answer.
 */
export const acceptInvitation =
  (isApart: boolean, by: By): StoryDecide =>
  story => {
    if (!story || story.isDeleted) return invitationNotFound()
    if (isAuthorOf(story, by.id)) return []
    return story.invited.includes(by.id) && !isApart
      ? [{ type: 'InvitationAccepted', data: { account: by.id } }]
      : invitationNotFound()
  }

export const declineInvitation =
  (by: By): StoryDecide =>
  story =>
    story && !story.isDeleted && story.invited.includes(by.id)
      ? [{ type: 'InvitationDeclined', data: { account: by.id } }]
      : invitationNotFound()

/** Takes back what was asked of an account that is erased. */
export const uninvite = (account: string): StoryDecide =>
  onStory(story => (story.invited.includes(account) ? [{ type: 'InvitationWithdrawn', data: { account } }] : []))

/** Who leaves is named no longer. Somebody has to stay: the last author orphans the story, or deletes it. */
export const leaveStory = (by: By): StoryDecide =>
  asAuthor(by, story =>
    story.authors.length === 1
      ? refuse('last-author', 'You are its only author: orphan the story, or delete it.')
      : [{ type: 'AuthorLeft', data: { account: by.id } }],
  )

const orphaned = (story: Story, account: string): readonly StoryEvent[] => [
  { type: 'StoryOrphaned', data: { account, chapters: [...shownChapters(story)] } },
]

/** Gives up one's name on the story, which goes on under "former author". What nobody else would ever see is not left behind. */
export const orphanStory = (by: By): StoryDecide =>
  asAuthor(by, story =>
    story.authors.length === 1 && (!story.isPublished || story.visibility === 'private')
      ? refuse('story-not-published', 'Nobody could ever see it: publish the story first, or delete it.')
      : orphaned(story, by.id),
  )

/** As `orphanStory`, since the account is erased; of what nobody else would ever see, nothing is done. */
export const orphanOf = (account: string): StoryDecide =>
  onStory(story => (isAuthorOf(story, account) ? orphaned(story, account) : []))
