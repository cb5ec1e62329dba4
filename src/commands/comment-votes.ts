/**
 * Voting for comments. What somebody may not see, they cannot vote for: what is gone or held back, what came too late for its thread, what
 * is under what they may not see, and what is between two of whom one has blocked the other, is not there for them.
 */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import { type CommentState, commentStream, isStanding } from '../domain/comment/comment.ts'
import { commentNotFound } from '../domain/comment/decisions.ts'
import type { CommentEvent, ThreadEvent } from '../domain/comment/events.ts'
import type { Places } from '../domain/comment/place.ts'
import { isTooLate, type Thread, threadStream } from '../domain/comment/thread.ts'
import { isRefusal } from '../domain/refusal.ts'
import { ownComment, voteForComment, withdrawCommentVote } from '../domain/votes/comment-votes.ts'
import { type Votes, type VotesEvent, votesStream } from '../domain/votes/votes.ts'
import type { Rater } from './ratings.ts'
import { isBlockedBetween, type RelationDeps } from './relations.ts'

export type CommentVoteDeps = RelationDeps & {
  readonly votes: Transactor<Votes, VotesEvent>
  readonly comments: Pick<Transactor<CommentState, CommentEvent>, 'load'>
  readonly threads: Pick<Transactor<Thread, ThreadEvent>, 'load'>
  readonly places: Places
}

const streamOf = (account: string, comment: string): string =>
  votesStream(account, { kind: 'comment', target: comment })

export const voteFor = async (
  deps: CommentVoteDeps,
  voter: Rater,
  { comment: id, value }: { readonly comment: string; readonly value: unknown },
  envelope: Envelope,
): Promise<Result<Votes>> => {
  const { state: comment } = await deps.comments.load(commentStream(id))
  if (!comment || !isStanding(comment)) return commentNotFound()
  const place = await deps.places(comment.target, voter)
  if (isRefusal(place) || !place.place.isOpen) return commentNotFound()
  const { state: thread } = await deps.threads.load(threadStream(comment.thread))
  if (isTooLate(thread, comment)) return commentNotFound()
  if (comment.author === voter.account) return ownComment()
  if (await isBlockedBetween(deps, voter.account, [comment.author])) return commentNotFound()
  return deps.votes.run(streamOf(voter.account, id), voteForComment(voter.account, id, value), envelope)
}

export const unvote = (
  { votes }: Pick<CommentVoteDeps, 'votes'>,
  { account }: Pick<Rater, 'account'>,
  comment: string,
  envelope: Envelope,
): Promise<Result<Votes>> => votes.run(streamOf(account, comment), withdrawCommentVote(account, comment), envelope)
