/** A proposal: what somebody asks to be changed of a published entry, what others say of it, and what becomes of it. */
import type { Aggregate } from '../decider.ts'
import { defined } from '../defined.ts'
import { canonicalText } from '../entry/merge.ts'
import type { Change } from '../entry/places.ts'
import type { Recorded } from '../event.ts'
import { proposalId, streamName } from '../ids.ts'
import { sizeOf } from '../json.ts'
import { type ProposalEvent, proposalEvents, type Verdict } from './events.ts'
import { OPEN_DAYS, QUORUM_PEOPLE, QUORUM_WEIGHT } from './limits.ts'

// Stream

export const proposalCategory = 'proposal'
export const proposalStream = (id: string): string => streamName(proposalCategory, id)
/** The proposal's id from the name of its stream. */
export const proposalIdOf = ({ stream }: { readonly stream: string }): string =>
  stream.slice(proposalCategory.length + 1)

/** The id of what asks for this difference of this entry (src/domain/entry/places.ts: its changes are in order). */
export const idOfDifference = (entry: string, changes: readonly Change[]): string =>
  proposalId(entry, canonicalText(changes.map(({ pointer, from = null, to = null }) => [pointer, from, to])))

// Events: src/domain/proposal/events.ts

// Fold

export const proposalStates = [
  'open',
  'merged',
  'rejected',
  'withdrawn',
  'superseded',
  'expired',
  'closed',
  'reverted',
] as const
export type ProposalStatus = (typeof proposalStates)[number]

/** `weight` is what it counted for when it was said. */
export type Review = {
  readonly reviewer: string
  readonly verdict: Verdict
  readonly weight: number
  readonly at: string
  readonly reason?: string
}

/**
 * `round`: the revision with which it was opened, the last time. `changes` is empty once the text was removed. `conflict`: the last merge came to
 * nothing there. `merged`: the entry's revision that says it. `ground`: why there is nothing left to decide.
 */
export type Proposal = {
  readonly entry: string
  readonly language: string
  readonly author: string
  readonly base: string
  readonly touches: readonly string[]
  readonly changes: readonly Change[]
  readonly reason?: string
  readonly supersedes?: string
  readonly supporters: readonly string[]
  readonly reviews: readonly Review[]
  readonly status: ProposalStatus
  readonly round: string
  readonly conflict?: { readonly revision: string; readonly where: readonly string[] }
  readonly merged?: string
  readonly ground?: string
  readonly outcome?: string
  readonly successor?: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly isRemoved: boolean
}
export type ProposalState = Proposal | undefined

type Of<Type extends ProposalEvent['type']> = Recorded<Extract<ProposalEvent, { type: Type }>>

/** Those who asked for it once before are forgotten: whoever asks again is alone with it, and nobody has judged that yet. */
const opened = (event: Of<'ChangeProposed'>): Proposal => {
  const { entry, language, author, base, touches, changes, reason, supersedes } = event.data
  return {
    entry,
    language,
    author,
    base,
    touches,
    changes: event.removed ? [] : changes,
    ...defined({ reason: event.removed ? undefined : reason, supersedes }),
    supporters: [],
    reviews: [],
    status: 'open',
    round: String(event.revision),
    createdAt: event.meta.at,
    updatedAt: event.meta.at,
    isRemoved: event.removed === true,
  }
}

const reviewsWithout = (reviews: readonly Review[], account: string): readonly Review[] =>
  reviews.filter(({ reviewer }) => reviewer !== account)

const reviewOf = (event: Of<'ProposalReviewed'>): Review => {
  const { reviewer, verdict, weight, reason } = event.data
  return { reviewer, verdict, weight, at: event.meta.at, ...defined({ reason: event.removed ? undefined : reason }) }
}

const withoutText = ({ reason: _r, outcome: _o, ...proposal }: Proposal): Proposal => ({
  ...proposal,
  changes: [],
  reviews: proposal.reviews.map(({ reason: _, ...review }) => review),
  isRemoved: true,
})

const after = (proposal: Proposal, event: Recorded<ProposalEvent>): Proposal => {
  switch (event.type) {
    case 'ProposalSupported': {
      const { supporter } = event.data
      const reviews = reviewsWithout(proposal.reviews, supporter)
      return { ...proposal, supporters: [...proposal.supporters, supporter], reviews }
    }
    case 'ProposalReviewed':
      return {
        ...proposal,
        reviews: [...reviewsWithout(proposal.reviews, event.data.reviewer), reviewOf(event)],
      }
    case 'ReviewWithdrawn':
      return { ...proposal, reviews: reviewsWithout(proposal.reviews, event.data.reviewer) }
    case 'ProposalMerged': {
      const { conflict: _, ...rest } = proposal
      return { ...rest, status: 'merged', merged: event.data.revision }
    }
    case 'ProposalConflicted':
      return { ...proposal, conflict: { revision: event.data.revision, where: event.data.where } }
    case 'ProposalRejected':
      return { ...proposal, status: 'rejected', ...defined({ outcome: event.data.reason }) }
    case 'ProposalWithdrawn':
      return { ...proposal, status: 'withdrawn' }
    case 'ProposalSuperseded':
      return { ...proposal, status: 'superseded', successor: event.data.successor }
    case 'ProposalExpired':
      return { ...proposal, status: 'expired' }
    case 'ProposalClosed':
      return { ...proposal, status: 'closed', ground: event.data.ground }
    case 'ProposalReverted':
      return { ...proposal, status: 'reverted', ...defined({ outcome: event.data.reason }) }
    case 'ProposalRemoved': {
      const isOpen = proposal.status === 'open'
      return withoutText(isOpen ? { ...proposal, status: 'closed', ground: event.data.ground } : proposal)
    }
    default:
      return proposal
  }
}

/** The proposal after the event. An event that cannot follow leaves it as it is; nothing throws. */
export const evolveProposal = (proposal: ProposalState, event: Recorded<ProposalEvent>): ProposalState => {
  if (event.type === 'ChangeProposed')
    return proposal && (proposal.status === 'open' || proposal.isRemoved) ? proposal : opened(event)
  return proposal && { ...after(proposal, event), updatedAt: event.meta.at }
}

export const proposalAggregate: Aggregate<ProposalState, ProposalEvent> = {
  category: proposalCategory,
  events: proposalEvents,
  initial: undefined,
  evolve: evolveProposal,
  route: proposal => ({
    visibility: 'public',
    ...defined({ language: proposal?.language, owner: proposal?.author }),
  }),
  isRemoved: proposal => proposal?.isRemoved === true,
  weigh: proposal => 2 * sizeOf(proposal),
  isAskedForByAnybody: true,
}

// What stands

/** Whose it is: nobody of these judges it. */
export const isProposer = ({ author, supporters }: Pick<Proposal, 'author' | 'supporters'>, account: string): boolean =>
  author === account || supporters.includes(account)

/** What those weigh who are of one mind. */
export const tally = (
  { reviews }: Pick<Proposal, 'reviews'>,
  verdict: Verdict,
): { readonly weight: number; readonly people: readonly string[] } => {
  const same = reviews.filter(review => review.verdict === verdict && review.weight > 0)
  return {
    weight: same.reduce((sum, { weight }) => sum + weight, 0),
    people: same.map(({ reviewer }) => reviewer),
  }
}

/** Are enough of one mind, and more than are of the other? */
export const hasQuorum = (proposal: Pick<Proposal, 'reviews'>, verdict: Verdict): boolean => {
  const [mine, others] = [tally(proposal, verdict), tally(proposal, verdict === 'approve' ? 'reject' : 'approve')]
  return mine.weight >= QUORUM_WEIGHT && mine.people.length >= QUORUM_PEOPLE && mine.weight > others.weight
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Until when it is open, as RFC 3339. */
export const expiryOf = ({ createdAt }: Pick<Proposal, 'createdAt'>): string =>
  new Date(Date.parse(createdAt) + OPEN_DAYS * DAY_MS).toISOString()

// Decide: src/domain/proposal/decisions.ts
