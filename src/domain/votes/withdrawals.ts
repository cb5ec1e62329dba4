/**
 * What a decision about an account does to its votes, on each of its streams: they count no longer, and count again when no decision
 * stands. Decided on the stream as it is, so that a vote that was cast at the same moment is among the items, or is refused.
 */
import type { Decide } from '../decider.ts'
import { MOST_ITEMS, type Votes, type VotesEvent } from './votes.ts'

/** `decision`: the id of its event; `revision`: of that event on the account's stream. */
export type AccountDecision = { readonly accountId: string; readonly decision: string; readonly revision: number }

type Items = Extract<VotesEvent, { type: 'VotesWithdrawn' }>['data']['items']

/** All votes, so many an event; one event also of none. In the order of their targets, so that the same votes make the same bytes. */
const parts = (votes: Votes['votes']): readonly Items[] => {
  const all = [...votes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { kind, target, value }]) => ({ kind, target, value }))
  const count = Math.max(1, Math.ceil(all.length / MOST_ITEMS))
  return Array.from({ length: count }, (_, part) => all.slice(part * MOST_ITEMS, (part + 1) * MOST_ITEMS))
}

/** Withdraws all, unless another decision has done so before: then it stands beside that. */
export const withdrawVotes =
  ({ accountId, decision, revision }: AccountDecision): Decide<Votes, VotesEvent, never> =>
  ({ votes, holds, decidedUpTo }) => {
    if (revision <= decidedUpTo) return []
    const withdrawn = holds.length === 0 ? parts(votes) : [[]]
    return withdrawn.map(items => ({
      type: 'VotesWithdrawn',
      data: { accountId, decision, accountRevision: revision, items: [...items] },
    }))
  }

/** Ends all decisions that came before the account's revision `revision`. */
export const restoreVotes =
  ({ accountId, revision }: Omit<AccountDecision, 'decision'>): Decide<Votes, VotesEvent, never> =>
  ({ votes, holds, decidedUpTo }) => {
    if (revision <= decidedUpTo) return []
    const over = holds.filter(hold => hold.revision < revision)
    const isLast = over.length === holds.length
    return over.flatMap(({ decision }, index) => {
      const restored = isLast && index === over.length - 1 ? parts(votes) : [[]]
      return restored.map(items => ({
        type: 'VotesRestored' as const,
        data: { accountId, decision, accountRevision: revision, items: [...items] },
      }))
    })
  }
