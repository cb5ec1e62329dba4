/** How a comment is voted for, by whoever may see it. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Query } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { commentNotFound } from '../domain/comment/decisions.ts'
import { defined } from '../domain/defined.ts'
import { isRefusal } from '../domain/refusal.ts'
import { targetKey, type Votes, type VotesEvent, votesStream } from '../domain/votes/votes.ts'
import { type CommentVotesDocument, commentVotesProjection } from '../projections/comment-votes.ts'
import type { getComment } from './comments.ts'

export type CommentVoteReads = {
  readonly votes: Pick<Transactor<Votes, VotesEvent>, 'load'>
  readonly counts: View<CommentVotesDocument>
  readonly getComment: ReturnType<typeof getComment>
}

const count = Type.Integer({ minimum: 0 })
const value = Type.Integer({ enum: [1, -1], description: '1: for it, -1: against it.' })
/** `yours`: what the reader gave. */
export const CommentVotesSchema = Type.Object(
  { up: count, down: count, score: Type.Integer({ description: 'Up less down.' }), yours: Type.Optional(value) },
  { $id: 'CommentVotes' },
)
export type CommentVotesView = Type.Static<typeof CommentVotesSchema>

export const OwnCommentVoteSchema = Type.Object(
  { commentId: Type.String(), value, votedAt: Type.String({ format: 'date-time' }) },
  { $id: 'OwnCommentVote' },
)

export const ownVoteOf = ({ votes }: Votes, comment: string) => {
  const vote = votes.get(targetKey({ kind: 'comment', target: comment }))
  return vote && { commentId: comment, value: vote.value, votedAt: vote.at }
}

/** Of a stub there are none: what is gone is voted for by nobody. */
export const commentVotes = (
  reads: CommentVoteReads,
): Query<{ readonly id: string; readonly adult: boolean }, CommentVotesView> => ({
  name: 'comment-votes',
  permission: 'comments:read',
  output: CommentVotesSchema,
  reads: [...reads.getComment.reads, commentVotesProjection],
  closed: ['adult'],
  run: async (input, reader) => {
    const position = reads.counts.position()
    const shown = await reads.getComment.run(input, reader)
    if (isRefusal(shown)) return shown
    if (shown.value.gone !== undefined) return commentNotFound()
    const { up, down } = (await reads.counts.get([input.id])).get(input.id)?.body ?? { up: 0, down: 0 }
    const account = reader.actor?.kind === 'account' ? reader.actor.id : undefined
    const stream = account && votesStream(account, { kind: 'comment', target: input.id })
    const yours = stream && ownVoteOf((await reads.votes.load(stream)).state, input.id)?.value
    return {
      value: { up, down, score: up - down, ...defined({ yours: yours || undefined }) },
      position: position < shown.position ? position : shown.position,
    }
  },
})
