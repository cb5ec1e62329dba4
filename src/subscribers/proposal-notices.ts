/**
 * Whoever asked for a change, or supported it, is told once what became of it: by an event of their own, from which the channel `me` and the
 * mail are made. Whom they do not hear is not asked: nobody is named.
 */
import type { Log } from '../core/log/log.ts'
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId, stepId } from '../domain/ids.ts'
import * as events from '../domain/proposal/events.ts'
import {
  type OutcomeEvent,
  type OutcomeNotice,
  outcomeStream,
  tellOfOutcome,
  toldOfOutcome,
} from '../domain/proposal/notice.ts'
import { evolveProposal, type ProposalState, proposalCategory, proposalIdOf } from '../domain/proposal/proposal.ts'
import { isRefusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'
import { failureOf } from '../ports/outage.ts'
import { isProposalEvent } from '../projections/proposals.ts'

export type ProposalNoticeDeps = {
  readonly log: Pick<Log, 'readStream'>
  readonly notices: Pick<Transactor<OutcomeNotice, OutcomeEvent>, 'run'>
  /** Does the account want to be told of proposals, and is anybody there to be told? */
  readonly wantsProposals: (accountId: string) => Promise<boolean>
  readonly clock: Pick<Clock, 'now'>
}

const teller = { kind: 'system', id: actorId('system', 'proposal-notices') } as const

export const proposalNoticeSubscriber = ({ log, notices, wantsProposals, clock }: ProposalNoticeDeps): Subscriber => {
  /** As it stood then: whoever asks for it again later has other supporters. */
  const before = async ({ stream, revision }: Recorded): Promise<ProposalState> => {
    let state: ProposalState
    if (revision === 0n) return state
    for await (const page of log.readStream(stream, { limit: Number(revision) }))
      for (const event of page) if (isProposalEvent(event)) state = evolveProposal(state, event)
    return state
  }

  const tell = async (event: Recorded): Promise<void> => {
    if (!isProposalEvent(event)) return
    const proposal = await before(event)
    const told = proposal && toldOfOutcome(proposal, event)
    if (!told) return
    const { accounts, outcome, ground } = told
    const about = { proposal: proposalIdOf(event), entry: proposal.entry, at: String(event.revision), outcome }
    for (const accountId of accounts) {
      if (!(await wantsProposals(accountId))) continue
      const telling = tellOfOutcome({ accountId, ...about, ...defined({ ground }) })
      const result = await notices.run(outcomeStream(about.proposal, accountId), telling, {
        commandId: stepId(event.id, accountId),
        actor: teller,
        correlationId: event.meta.correlationId,
        at: clock.now(),
      })
      if (isRefusal(result)) throw failureOf(result)
    }
  }

  return subscriber({
    name: 'proposal-notices',
    categories: [proposalCategory],
    types: [
      events.ProposalMerged.type,
      events.ProposalRejected.type,
      events.ProposalReverted.type,
      events.ProposalExpired.type,
      events.ProposalClosed.type,
      events.ProposalWithdrawn.type,
      events.ProposalSuperseded.type,
      events.ProposalRemoved.type,
    ],
    from: 'now',
    handle: async (page, signal) => {
      for (const event of page) {
        signal.throwIfAborted()
        await tell(event)
      }
    },
  })
}
