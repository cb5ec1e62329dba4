/**
 * What becomes of proposals when the account of who made them is erased: what was not merged, and nobody else asks for, goes with its key. What
 * was merged is the entry's; reviews stay under the bare id.
 */
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { removeOf } from '../domain/proposal/decisions.ts'
import type { ProposalEvent } from '../domain/proposal/events.ts'
import type { ProposalState } from '../domain/proposal/proposal.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Belongings } from './belongings.ts'

export type LeavingProposalsDeps = {
  readonly proposals: Pick<Transactor<ProposalState, ProposalEvent>, 'run'>
}

/** `by`: an envelope of its own for each command. Repeating it is harmless. */
export const leaveProposals = async (
  deps: LeavingProposalsDeps,
  { accountId, proposals }: Pick<Belongings, 'proposals'> & { readonly accountId: string },
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of proposals) {
    const left = await deps.proposals.run(stream, removeOf(accountId), by())
    if (isRefusal(left)) return left
  }
  return 'done'
}
