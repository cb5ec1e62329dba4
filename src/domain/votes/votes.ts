/**
 * What an account has voted for: one value a target, which is always on one stream, since the target's hash says which of sixty-four it is.
 *
 * Votes are withdrawn by a decision about the account (its suspension), and stand again once no decision withdraws them. Both are events
 * with all their items, appended to each stream at its exact revision: a vote is either among the items or comes after, and what comes
 * after is refused. A decision is known by its event and ordered by its revision on the account's stream, so that one that is
 * carried out again, or late, changes nothing.
 */
import { createHash } from 'node:crypto'
import Type from 'typebox'
import type { Aggregate } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { LEAST_STARS, MOST_STARS } from './figures.ts'

// Stream

export const votesCategory = 'votes'
export const SHARDS = 64

const shardNamed = (accountId: string, shard: number): string => streamName(votesCategory, `${accountId}-${shard}`)

/** Works, which are rated. */
export const workKinds = ['story', 'entry'] as const
export type WorkKind = (typeof workKinds)[number]
/** What may be voted for: works by stars, comments by 1 and -1. */
export const targetKinds = [...workKinds, 'comment'] as const
export type TargetKind = (typeof targetKinds)[number]
export type Target<Kind extends TargetKind = TargetKind> = { readonly kind: Kind; readonly target: string }
export type Work = Target<WorkKind>

/** A target in one word. */
export const targetKey = ({ kind, target }: Target): string => `${kind}:${target}`

/** Where it is kept what this account votes for the target: six bits of its hash say where. */
export const votesStream = (accountId: string, of: Target): string =>
  shardNamed(accountId, (createHash('sha256').update(targetKey(of)).digest()[0] ?? 0) % SHARDS)

/** All that an account has. */
export const votesStreamsOf = (accountId: string): readonly string[] =>
  Array.from({ length: SHARDS }, (_, shard) => shardNamed(accountId, shard))

// Events

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const work = Type.Enum([...workKinds])
const kind = Type.Enum([...targetKinds])
const stars = Type.Integer({ minimum: LEAST_STARS, maximum: MOST_STARS })
const revision = Type.Integer({ minimum: 0 })
/** Items of one event. */
export const MOST_ITEMS = 500
const items = Type.Array(Type.Object({ kind, target: id, value: Type.Integer() }, strict), { maxItems: MOST_ITEMS })

/** A story or an entry was rated, from one star to five; `previous`: what it counted with before. */
export const Rated = eventType(
  'Rated',
  Type.Object({ accountId: id, kind: work, target: id, stars, previous: Type.Optional(stars) }, strict),
)
/** It is rated no longer. `previous`: what it counted with; absent where it was withdrawn by a decision. */
export const RatingWithdrawn = eventType(
  'RatingWithdrawn',
  Type.Object({ accountId: id, kind: work, target: id, previous: Type.Optional(stars) }, strict),
)
const updown = Type.Enum([1, -1])
/** A comment was voted up (1) or down (-1); `previous`: what it counted with before. */
export const CommentVoted = eventType(
  'CommentVoted',
  Type.Object({ accountId: id, comment: id, value: updown, previous: Type.Optional(updown) }, strict),
)
/** The vote was taken away. `previous`: what it counted with; absent where it was withdrawn by a decision. */
export const CommentVoteWithdrawn = eventType(
  'CommentVoteWithdrawn',
  Type.Object({ accountId: id, comment: id, previous: Type.Optional(updown) }, strict),
)
const decided = { accountId: id, decision: id, accountRevision: revision, items }
/**
 * By a decision about the account these votes count no longer, and nothing is voted for on this stream. `decision`: the id of its event,
 * `accountRevision`: its revision on the account's stream. A stream without votes has one of these too, so that none comes after.
 */
export const VotesWithdrawn = eventType('VotesWithdrawn', Type.Object(decided, strict))
/** The decision is over (by the event of `accountRevision`): these count again. None, where another decision still stands. */
export const VotesRestored = eventType('VotesRestored', Type.Object(decided, strict))

export const votesEvents = [
  Rated,
  RatingWithdrawn,
  CommentVoted,
  CommentVoteWithdrawn,
  VotesWithdrawn,
  VotesRestored,
] as const
export type VotesEvent = EventOf<(typeof votesEvents)[number]>

// Fold

/** `value`: the stars of a rating, 1 or -1 of a comment. `at`: RFC 3339, of the last change. */
export type Vote = Target & { readonly value: number; readonly at: string }

/** A decision that withdraws votes. `revision`: on the account's stream. */
export type Hold = { readonly decision: string; readonly revision: number }

/** `votes` by `targetKey`. They count while there is no hold. `decidedUpTo`: the last revision of the account that was carried out here. */
export type Votes = {
  readonly accountId?: string
  readonly votes: ReadonlyMap<string, Vote>
  readonly holds: readonly Hold[]
  readonly decidedUpTo: number
}

const lacking = (votes: Votes['votes'], key: string): Votes['votes'] => {
  const rest = new Map(votes)
  rest.delete(key)
  return rest
}

const evolveVotes = (before: Votes, event: Recorded<VotesEvent>): Votes => {
  const votes = { ...before, accountId: event.data.accountId }
  switch (event.type) {
    case 'Rated': {
      const { kind: of, target, stars: value } = event.data
      const vote = { kind: of, target, value, at: event.meta.at }
      return { ...votes, votes: new Map(votes.votes).set(targetKey(vote), vote) }
    }
    case 'RatingWithdrawn':
      return { ...votes, votes: lacking(votes.votes, targetKey(event.data)) }
    case 'CommentVoted': {
      const { comment: target, value } = event.data
      const vote = { kind: 'comment', target, value, at: event.meta.at } as const
      return { ...votes, votes: new Map(votes.votes).set(targetKey(vote), vote) }
    }
    case 'CommentVoteWithdrawn':
      return {
        ...votes,
        votes: lacking(votes.votes, targetKey({ kind: 'comment', target: event.data.comment })),
      }
    case 'VotesWithdrawn': {
      const { decision, accountRevision: decidedUpTo } = event.data
      const others = votes.holds.filter(hold => hold.decision !== decision)
      return { ...votes, holds: [...others, { decision, revision: decidedUpTo }], decidedUpTo }
    }
    case 'VotesRestored': {
      const { decision, accountRevision: decidedUpTo } = event.data
      return { ...votes, holds: votes.holds.filter(hold => hold.decision !== decision), decidedUpTo }
    }
  }
}

/** Bytes of a vote in memory. */
const VOTE_BYTES = 300

export const votesAggregate: Aggregate<Votes, VotesEvent> = {
  category: votesCategory,
  events: votesEvents,
  initial: { votes: new Map(), holds: [], decidedUpTo: -1 },
  evolve: evolveVotes,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
  weigh: ({ votes }) => VOTE_BYTES * (1 + votes.size),
  isAskedForByAnybody: true,
}

// Decide: src/domain/votes/ratings.ts, comment-votes.ts, withdrawals.ts
