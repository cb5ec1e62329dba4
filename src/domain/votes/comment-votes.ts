/** Voting for comments, up or down: a person once each, and never for what they said themselves. */
import type { Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { refuse } from '../refusal.ts'
import { countsWith, MOST_VOTES, type VotesRefusal } from './ratings.ts'
import { targetKey, type Votes, type VotesEvent } from './votes.ts'

type UpDown = 1 | -1
const isUpDown = (value: unknown): value is UpDown => value === 1 || value === -1
const about = (comment: string) => ({ kind: 'comment', target: comment }) as const

const counted = (state: Votes, comment: string): UpDown | undefined => {
  const value = countsWith(state, about(comment))
  return isUpDown(value) ? value : undefined
}

export const ownComment = () => refuse('own-work', 'Nobody votes for what they have said themselves.')

/** `value`: as it was sent, of whatever type. The same again writes nothing. */
export const voteForComment =
  (accountId: string, comment: string, value: unknown): Decide<Votes, VotesEvent, VotesRefusal | 'account-suspended'> =>
  state => {
    if (!isUpDown(value)) {
      const detail = 'A vote is 1 for a comment, or -1 against it.'
      return refuse('vote-invalid', detail, { errors: [{ pointer: '/value', code: 'range', detail }] })
    }
    if (state.holds.length > 0) return refuse('account-suspended', 'This account is suspended: it votes for nothing.')
    const previous = counted(state, comment)
    if (previous === value) return []
    if (previous === undefined && state.votes.size >= MOST_VOTES)
      return refuse('votes-full', 'There is no room for more votes: take one away first.')
    return [{ type: 'CommentVoted', data: { accountId, comment, value, ...defined({ previous }) } }]
  }

/** Also while a decision withdraws all of them. */
export const withdrawCommentVote =
  (accountId: string, comment: string): Decide<Votes, VotesEvent, never> =>
  state => {
    if (!state.votes.has(targetKey(about(comment)))) return []
    const previous = counted(state, comment)
    return [{ type: 'CommentVoteWithdrawn', data: { accountId, comment, ...defined({ previous }) } }]
  }
