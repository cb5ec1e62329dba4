/** Stories: every route that writes them, each with its command. */
import * as commands from '../../../commands/stories.ts'
import type { Transactor } from '../../../core/write/transact.ts'
import { invitationNotFound } from '../../../domain/story/authors.ts'
import type { StoryEvent } from '../../../domain/story/events.ts'
import type { StoryState } from '../../../domain/story/story.ts'
import { storyAbsent } from '../../../queries/story-view.ts'
import type { Edge } from '../edge.ts'
import type { Route } from '../route.ts'
import { commandRoute } from '../route-command.ts'
import * as answers from './story-answers.ts'
import { InvitationParams, StoryParams } from './story-parameters.ts'

/** What the commands of stories stand on. */
export type StoryParts = {
  readonly transactor: Transactor<StoryState, StoryEvent>
  /** Is there an account of this id that has not ended, or is about to? */
  readonly isThere: (accountId: string) => Promise<boolean>
  readonly isApart: (accountId: string, storyId: string) => Promise<boolean>
}

const tag = 'Stories'
const absent = ['story-not-found'] as const
const ofExample = answers.ofStoryExample

/** Its beginning, what it is called, who sees it, its end. */
const ownRoutes = ({ transactor }: StoryParts, edge: Edge): readonly Route[] => {
  const tags = answers.openStoryTags(edge.version)
  const answer = answers.answerStory(200, tags, edge.names)
  const life = { tag, params: StoryParams, transactor, answer, absent: storyAbsent() }
  const plain = { needs: 'an account', params: ofExample, body: {} } as const
  return [
    commandRoute(
      {
        method: 'POST',
        path: '/v1/stories',
        tag,
        summary: 'Begin a story',
        description: 'It is private and unpublished until its author says otherwise. Its language never changes.',
        command: commands.beginStory,
        transactor,
        answer: answers.answerStory(201, tags, edge.names),
        request: { needs: 'an account', body: answers.storyBodyExample },
        answers: { 201: answers.createdStory },
        problems: ['text-invalid', 'language-unknown'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'PATCH',
        path: '/v1/stories/:id',
        summary: 'Edit a story',
        description: 'A JSON Merge Patch (RFC 7396); null takes a member back to what it is at first.',
        command: commands.editStory,
        request: { needs: 'an account', params: ofExample, body: { title: 'The Lighthouse', visibility: 'public' } },
        answers: { 200: answers.changedStory('The story after the edit.') },
        problems: [...absent, 'text-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/stories/:id/publish',
        summary: 'Publish a story',
        description: 'Its published chapters are shown to those whom its visibility lets see them.',
        command: commands.publishStory,
        request: plain,
        answers: { 200: answers.changedStory('The published story.') },
        problems: [...absent, 'story-incomplete'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/stories/:id/unpublish',
        summary: 'Unpublish a story',
        command: commands.unpublishStory,
        request: plain,
        answers: { 200: answers.changedStory('The story, which its authors alone see.') },
        problems: absent,
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/stories/:id/complete',
        summary: 'Say that a story is complete',
        command: commands.completeStory,
        request: plain,
        answers: { 200: answers.changedStory('The completed story.') },
        problems: absent,
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/stories/:id/reopen',
        summary: 'Say that a story goes on',
        command: commands.reopenStory,
        request: plain,
        answers: { 200: answers.changedStory('The story, which goes on.') },
        problems: absent,
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/stories/:id/schedule',
        summary: 'Plan the publication of a story',
        description:
          'at is a time by the clock of timeZone, the first of two where clocks are put back over it. What has nothing to show by then stays unpublished.',
        command: commands.scheduleStory,
        request: {
          needs: 'an account',
          params: ofExample,
          body: { at: '2126-12-24T18:00', timeZone: 'Europe/Madrid' },
        },
        answers: { 200: answers.changedStory('The story with its plan.') },
        problems: [...absent, 'story-incomplete', 'story-published', 'schedule-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'DELETE',
        path: '/v1/stories/:id/schedule',
        summary: 'Publish it at no time',
        command: commands.cancelSchedule,
        request: { needs: 'an account', params: ofExample },
        answers: { 200: answers.changedStory('The story without a plan.') },
        problems: absent,
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'PUT',
        path: '/v1/stories/:id/chapters/order',
        summary: 'Order the chapters',
        description: 'Names every chapter once, drafts too.',
        command: commands.orderChaptersCommand,
        request: { needs: 'an account', params: ofExample, body: { chapters: [] } },
        answers: { 200: answers.changedStory('The story.') },
        problems: [...absent, 'chapter-order-invalid'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'DELETE',
        path: '/v1/stories/:id',
        summary: 'Delete a story',
        description: 'Destroys the keys that its text is sealed with: nobody can read it again, in no copy of the log.',
        command: commands.deleteStory,
        answer: answers.answerDeleted,
        request: { needs: 'an account', params: ofExample },
        answers: { 200: answers.deletedAnswer },
        problems: absent,
      },
      edge,
    ),
  ]
}

/** Who writes it. */
const authorRoutes = ({ transactor, isThere, isApart }: StoryParts, edge: Edge): readonly Route[] => {
  const answer = answers.answerStory(200, answers.openStoryTags(edge.version), edge.names)
  const life = { tag, params: StoryParams, transactor, answer, absent: storyAbsent() }
  const leaving = { ...life, answer: answers.answerLeft }
  const plain = { needs: 'an account', params: ofExample, body: {} } as const
  return [
    commandRoute(
      {
        ...life,
        method: 'POST',
        path: '/v1/stories/:id/invitations',
        summary: 'Invite somebody to write the story too',
        description: 'Nobody is an author who has not accepted.',
        command: commands.inviteAuthor(isThere),
        request: { needs: 'an account', params: ofExample, body: { accountId: answers.exampleAccount } },
        answers: { 200: answers.changedStory('The story with whom it was asked of.') },
        problems: [...absent, 'invitee-unknown', 'authors-full'],
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        method: 'DELETE',
        path: '/v1/stories/:id/invitations/:accountId',
        summary: 'Withdraw an invitation',
        params: InvitationParams,
        command: commands.withdrawInvitation,
        request: { needs: 'an account', params: { ...ofExample, accountId: answers.exampleAccount } },
        answers: { 200: answers.changedStory('The story.') },
        problems: absent,
      },
      edge,
    ),
    commandRoute(
      {
        ...life,
        absent: invitationNotFound(),
        method: 'POST',
        path: '/v1/stories/:id/invitations/accept',
        summary: 'Accept an invitation',
        command: commands.acceptInvitation(isApart),
        request: plain,
        answers: { 200: answers.changedStory('The story, yours too from now on.') },
        problems: ['invitation-not-found'],
      },
      edge,
    ),
    commandRoute(
      {
        ...leaving,
        absent: invitationNotFound(),
        method: 'POST',
        path: '/v1/stories/:id/invitations/decline',
        summary: 'Decline an invitation',
        command: commands.declineInvitation,
        request: plain,
        answers: { 200: answers.leftAnswer },
        problems: ['invitation-not-found'],
      },
      edge,
    ),
    commandRoute(
      {
        ...leaving,
        method: 'DELETE',
        path: '/v1/stories/:id/authors/me',
        summary: 'Leave a story',
        description: 'Somebody has to stay: its only author orphans it, or deletes it.',
        command: commands.leaveStory,
        request: { needs: 'an account', params: ofExample },
        answers: { 200: answers.leftAnswer },
        problems: [...absent, 'last-author'],
      },
      edge,
    ),
    commandRoute(
      {
        ...leaving,
        method: 'POST',
        path: '/v1/stories/:id/orphan',
        summary: 'Give up your name on a story',
        description: 'It goes on under “former author”. This cannot be taken back.',
        command: commands.orphanStory,
        request: plain,
        answers: { 200: answers.leftAnswer },
        problems: [...absent, 'story-not-published'],
      },
      edge,
    ),
  ]
}

export const storyCommandRoutes = (parts: StoryParts, edge: Edge): readonly Route[] => [
  ...ownRoutes(parts, edge),
  ...authorRoutes(parts, edge),
]
