/**
 * What becomes of proposals when the account of who made them is erased: what was not merged, and nobody else asks for, goes with its key. What
 * was merged is the entry's; reviews stay under the bare id.
 */
import type { Log } from '../core/log/log.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { removeOf } from '../domain/proposal/decisions.ts'
import { ChangeProposed, type ProposalEvent } from '../domain/proposal/events.ts'
import type { ProposalState } from '../domain/proposal/proposal.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { sinceAccount } from './since-account.ts'

export type LeavingProposalsDeps = {
  readonly proposals: Pick<Transactor<ProposalState, ProposalEvent>, 'run'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
}

/** `by`: an envelope of its own for each command. Repeating it is harmless. */
export const leaveProposals = async (
  { proposals, log }: LeavingProposalsDeps,
  accountId: string,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  const streams = new Set<string>()
  for await (const { stream, data } of sinceAccount(log, accountId, [ChangeProposed.type]))
    if (data['author'] === accountId) streams.add(stream)
  for (const stream of streams) {
    const left = await proposals.run(stream, removeOf(accountId), by())
    if (isRefusal(left)) return left
  }
  return 'done'
}
