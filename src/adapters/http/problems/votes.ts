/** The problems of ratings, and of votes for comments. */
import type { VotesRefusal } from '../../../domain/votes/ratings.ts'
import type { VotesQueryRefusal } from '../../../queries/ratings.ts'
import type { Problem } from '../problem.ts'

export const votesProblems = {
  'rating-invalid': {
    status: 422,
    title: 'Not a rating',
    help: 'A rating is a number of stars: 1, 2, 3, 4 or 5, as a number of JSON. To take it away, DELETE it.',
  },
  'vote-invalid': {
    status: 422,
    title: 'Not a vote',
    help: 'A vote for a comment is the number 1, one against it -1. To take it away, DELETE it.',
  },
  'own-work': {
    status: 403,
    title: 'This is your own work',
    help: 'Nobody votes for their own comment, or rates a story that they write or wrote, alone or with others, nor an entry that they have changed a word of.',
  },
  'votes-full': {
    status: 409,
    title: 'No room for more votes',
    help: 'An account rates works and votes for comments some 128,000 times; its votes are kept in sixty-four parts, and one of them is full. Take one away first.',
  },
  'rating-not-found': { status: 404, title: 'Not rated', help: 'You have not rated this.' },
} as const satisfies Record<VotesRefusal | VotesQueryRefusal, Problem>

type VotesProblems = typeof votesProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends VotesProblems {}
}
