/** How comments are voted for: up and down, as what counts of it stands. */
import { projection } from '../core/project/define.ts'
import {
  CommentVoted,
  CommentVoteWithdrawn,
  VotesRestored,
  VotesWithdrawn,
  votesCategory,
} from '../domain/votes/votes.ts'
import { isVotesEvent, stepsAt, stepsOf } from './ratings.ts'

export type CommentVotesDocument = { readonly up: number; readonly down: number }

/** By the comment. What is not there nobody has voted for. */
export const commentVotesProjection = projection<CommentVotesDocument>({
  name: 'comment-votes',
  version: 1,
  categories: [votesCategory],
  types: [CommentVoted.type, CommentVoteWithdrawn.type, VotesWithdrawn.type, VotesRestored.type],
  indexes: [],
  key: event =>
    isVotesEvent(event) ? stepsOf(event).flatMap(({ kind, target }) => (kind === 'comment' ? [target] : [])) : [],
  evolve: (document, event, id) => {
    if (!isVotesEvent(event)) return document
    let { up, down } = document ?? { up: 0, down: 0 }
    for (const { value, by } of stepsAt(event, 'comment', id))
      if (value > 0) up = Math.max(0, up + by)
      else down = Math.max(0, down + by)
    return { up, down }
  },
})
