/**
 * What those who asked for a change are told of what became of it: a stream for each person and proposal, so that they are told of each outcome
 * once, whatever is repeated. It says which proposal and entry, and neither who decided nor why: that is read where the proposal is.
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName, uuidv5 } from '../ids.ts'
import type { ProposalEvent } from './events.ts'
import type { Proposal } from './proposal.ts'

// Stream

export const outcomeCategory = 'outcome'
/** Of two UUIDs, of which the first one is the space of the other's names. */
export const outcomeStream = (proposal: string, accountId: string): string =>
  streamName(outcomeCategory, uuidv5(proposal, accountId))

// Events

export const proposalOutcomes = [
  'merged',
  'rejected',
  'reverted',
  'expired',
  'closed',
  'withdrawn',
  'superseded',
] as const
export type ProposalOutcome = (typeof proposalOutcomes)[number]

const id = Type.String({ minLength: 1 })
/** `at`: the proposal's revision that says it. `ground`: why there was nothing left to decide. */
export const ProposalOutcomeTold = eventType(
  'ProposalOutcomeTold',
  Type.Object(
    {
      accountId: id,
      proposal: id,
      entry: id,
      at: Type.String({ pattern: '^[0-9]+$' }),
      outcome: Type.Enum([...proposalOutcomes]),
      ground: Type.Optional(id),
    },
    { additionalProperties: false },
  ),
)
export const outcomeEvents = [ProposalOutcomeTold] as const
export type OutcomeEvent = EventOf<typeof ProposalOutcomeTold>

// Fold

/** `told`: the proposal's last revision that the account was told of. */
export type OutcomeNotice = { readonly accountId?: string; readonly told?: string }

export const outcomeAggregate: Aggregate<OutcomeNotice, OutcomeEvent> = {
  category: outcomeCategory,
  events: outcomeEvents,
  initial: {},
  evolve: (_, { data: { accountId, at } }) => ({ accountId, told: at }),
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
  // Nobody reads one twice.
  cachedStreams: 1,
}

// Decide

export const tellOfOutcome =
  (told: OutcomeEvent['data']): Decide<OutcomeNotice, OutcomeEvent, never> =>
  notice =>
    notice.told !== undefined && BigInt(told.at) <= BigInt(notice.told)
      ? []
      : [{ type: 'ProposalOutcomeTold', data: told }]

const outcomeOf = (
  { status }: Pick<Proposal, 'status'>,
  event: ProposalEvent,
): { readonly outcome: ProposalOutcome; readonly ground?: string } | undefined => {
  switch (event.type) {
    case 'ProposalMerged':
      return { outcome: 'merged' }
    case 'ProposalRejected':
      return { outcome: 'rejected' }
    case 'ProposalReverted':
      return { outcome: 'reverted' }
    case 'ProposalExpired':
      return { outcome: 'expired' }
    case 'ProposalClosed':
      return { outcome: 'closed', ground: event.data.ground }
    case 'ProposalWithdrawn':
      return { outcome: 'withdrawn' }
    case 'ProposalSuperseded':
      return { outcome: 'superseded' }
    case 'ProposalRemoved':
      // What was decided before was told then.
      return status === 'open' ? { outcome: 'closed', ground: event.data.ground } : undefined
    default:
      return undefined
  }
}

const doerOf = ({ author }: Pick<Proposal, 'author'>, event: Recorded<ProposalEvent>): string => {
  if (event.type === 'ProposalWithdrawn' || event.type === 'ProposalSuperseded') return author
  return 'by' in event.data && event.data.by !== undefined ? event.data.by : event.meta.actor.id
}

/** Who is told what of the event, of the proposal as it stood before: who asked for it and who supported it, and nobody of what they did. */
export const toldOfOutcome = (
  before: Proposal,
  event: Recorded<ProposalEvent>,
):
  | { readonly outcome: ProposalOutcome; readonly ground?: string; readonly accounts: readonly string[] }
  | undefined => {
  const found = outcomeOf(before, event)
  if (!found) return undefined
  const doer = doerOf(before, event)
  return { ...found, accounts: [before.author, ...before.supporters].filter(account => account !== doer) }
}
