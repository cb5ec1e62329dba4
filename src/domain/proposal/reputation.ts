/** Reputation in a language: what came of somebody's proposals and reviews, in points, and what their word weighs for it. */
import type { Recorded } from '../event.ts'
import type { ProposalEvent } from './events.ts'

export const reputationGrounds = ['merged', 'rejected', 'reverted', 'agreed'] as const
export type ReputationGround = (typeof reputationGrounds)[number]

/** A proposal of theirs was merged, rejected, taken back again; a review of theirs was what came of it. */
export const POINTS: Readonly<Record<ReputationGround, number>> = { merged: 2, agreed: 1, rejected: -1, reverted: -3 }

/** From so many points on a word weighs so much; before the first, nothing: who makes many accounts is of one mind with them all. */
export const WEIGHTS = [
  { from: 1, weight: 0.5 },
  { from: 5, weight: 1 },
  { from: 50, weight: 1.5 },
  { from: 250, weight: 2 },
] as const

/** What a review weighs: 0 without points, 2 at most. */
export const weightOf = (points: number): number => WEIGHTS.findLast(({ from }) => points >= from)?.weight ?? 0

export type Gain = { readonly account: string; readonly ground: ReputationGround }

/** Who gains or loses by an event. */
export const gainsOf = (event: Recorded<ProposalEvent>): readonly Gain[] => {
  switch (event.type) {
    case 'ProposalMerged':
    case 'ProposalRejected': {
      const { author, agreed } = event.data
      const ground = event.type === 'ProposalMerged' ? 'merged' : 'rejected'
      return [{ account: author, ground }, ...agreed.map(account => ({ account, ground: 'agreed' as const }))]
    }
    case 'ProposalReverted':
      return [{ account: event.data.author, ground: 'reverted' }]
    default:
      return []
  }
}
