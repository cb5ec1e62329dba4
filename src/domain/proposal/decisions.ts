/** What is decided on a proposal: by who asks for it, by those who judge it, and by what becomes of the entry. */
import type { By, Decide, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { checkReason } from '../entry/content-rules.ts'
import type { Change } from '../entry/places.ts'
import { type CommonRefusal, type Refusal, refuse } from '../refusal.ts'
import type { closingGrounds, ProposalEvent, Verdict } from './events.ts'
import { MOST_CHANGES, MOST_REVIEWS, MOST_SUPPORTERS, QUORUM_PEOPLE, QUORUM_WEIGHT } from './limits.ts'
import { expiryOf, hasQuorum, isProposer, type Proposal, type ProposalState, tally } from './proposal.ts'
import type { ProposalRefusal } from './refusals.ts'

type Deciding = Decide<ProposalState, ProposalEvent, ProposalRefusal>
type Refused = Refusal<ProposalRefusal | CommonRefusal>

export const proposalNotFound = (): Refusal<ProposalRefusal> =>
  refuse('proposal-not-found', 'There is no such proposal, or it is not for you to see.')
const own = (): Refusal<ProposalRefusal> => refuse('proposal-own', 'You asked for this yourself: others decide on it.')
const denied = (detail: string): Refused => refuse('permission-denied', detail)

/** The reason in normal form; undefined where none is given and none is needed. */
const readReason = (given: string | undefined): string | undefined | Refused => {
  if (given === undefined) return undefined
  const reason = checkReason(given)
  if (typeof reason === 'string') return reason
  return reason.refused === 'reason-required' || reason.refused === 'text-invalid'
    ? refuse(reason.refused, reason.detail, defined({ errors: reason.errors }))
    : refuse('text-invalid', reason.detail)
}

/** What there is to decide on: undefined is never open. */
const isOpen = (proposal: Proposal, { now }: Pick<By, 'now'>): boolean =>
  proposal.status === 'open' && now.getTime() < Date.parse(expiryOf(proposal))

const closed = ({ status }: Proposal): Refusal<ProposalRefusal> =>
  refuse('proposal-closed', status === 'open' ? 'It is past its time.' : `It is ${status}.`, {
    context: { state: status },
  })

const open =
  (by: Pick<By, 'now'>, then: (proposal: Proposal) => Decision<ProposalEvent, ProposalRefusal>): Deciding =>
  proposal => {
    if (!proposal) return proposalNotFound()
    return isOpen(proposal, by) ? then(proposal) : closed(proposal)
  }

export type Proposing = {
  readonly entry: string
  readonly language: string
  readonly base: string
  readonly changes: readonly Change[]
  readonly reason?: string
  readonly supersedes?: string
}

export const changesFault = (changes: readonly Change[]): Refusal<ProposalRefusal> | undefined => {
  if (changes.length === 0) return refuse('proposal-changes-nothing', 'The entry says this already.')
  return changes.length > MOST_CHANGES
    ? refuse('proposal-too-large', `A proposal changes ${MOST_CHANGES} places at most.`)
    : undefined
}

/** Asks for it; or once more, where nobody decided against it; or supports who asked first. */
export const propose =
  (proposing: Proposing, by: By): Deciding =>
  proposal => {
    const { entry, language, base, changes, reason: given, supersedes } = proposing
    const fault = changesFault(changes)
    if (fault) return fault
    if (proposal?.isRemoved) return refuse('proposal-removed', 'Its text was removed: it is not asked for again.')
    if (proposal?.status === 'rejected' || proposal?.status === 'reverted')
      return refuse('proposal-decided', 'This was asked for before, and decided against.')
    if (proposal && isOpen(proposal, by)) {
      if (isProposer(proposal, by.id)) return []
      if (proposal.supporters.length >= MOST_SUPPORTERS)
        return refuse('proposal-full', `A proposal has ${MOST_SUPPORTERS} supporters at most.`)
      return [{ type: 'ProposalSupported', data: { supporter: by.id } }]
    }
    const reason = readReason(given)
    if (typeof reason === 'object') return reason
    const asked: ProposalEvent = {
      type: 'ChangeProposed',
      data: {
        entry,
        language,
        author: by.id,
        base,
        touches: changes.map(({ pointer }) => pointer),
        ...defined({ supersedes }),
        changes: [...changes],
        ...defined({ reason }),
      },
    }
    // Past its time, which nobody has written down yet.
    return proposal?.status === 'open' ? [{ type: 'ProposalExpired', data: {} }, asked] : [asked]
  }

const outcomeOf = ({ entry, language, author }: Proposal) => ({ entry, language, author })

export type Reviewing = { readonly verdict: Verdict; readonly weight: number; readonly reason?: string }

/** Judges it. The one after whom enough are against it ends it. */
export const review = ({ verdict, weight, reason: given }: Reviewing, by: By): Deciding =>
  open(by, proposal => {
    if (isProposer(proposal, by.id)) return own()
    // Who asked for it hears why.
    const reason = readReason(verdict === 'reject' ? (given ?? '') : given)
    if (typeof reason === 'object') return reason
    const before = proposal.reviews.find(({ reviewer }) => reviewer === by.id)
    if (before && before.verdict === verdict && before.reason === reason) return []
    if (!before && proposal.reviews.length >= MOST_REVIEWS)
      return refuse('proposal-full', `A proposal has ${MOST_REVIEWS} reviews at most.`)
    const said = { reviewer: by.id, verdict, weight, ...defined({ reason }) }
    const reviewed: ProposalEvent = { type: 'ProposalReviewed', data: said }
    const others = proposal.reviews.filter(({ reviewer }) => reviewer !== by.id)
    const all = { reviews: [...others, { ...said, at: '' }] }
    if (!hasQuorum(all, 'reject')) return [reviewed]
    const rejected = { ...outcomeOf(proposal), agreed: [...tally(all, 'reject').people], ...defined({ reason }) }
    return [reviewed, { type: 'ProposalRejected', data: rejected }]
  })

export const withdrawReview = (by: By): Deciding =>
  open(by, ({ reviews }) =>
    reviews.some(({ reviewer }) => reviewer === by.id) ? [{ type: 'ReviewWithdrawn', data: { reviewer: by.id } }] : [],
  )

/** Who may publish in its language decides alone, and never on what they asked for. */
const mayDecideAlone = (by: By): boolean => by.permissions.has('entries:publish')

/** May it be merged now by them? Nothing is written: the entry's stream comes first. Merged already is as good. */
export const readyToMerge =
  (by: By): Deciding =>
  proposal => {
    if (proposal?.status === 'merged') return []
    return open(by, found => {
      if (hasQuorum(found, 'approve')) return []
      if (isProposer(found, by.id)) return own()
      if (mayDecideAlone(by)) return []
      const { weight, people } = tally(found, 'approve')
      return refuse(
        'proposal-unreviewed',
        `It takes a weight of ${QUORUM_WEIGHT} of ${QUORUM_PEOPLE} people, and more than is against it.`,
        { context: { weight, people: people.length } },
      )
    })(proposal)
  }

/** The entry says it since the revision: a fact, whatever was decided here at the same moment. */
export const noteMerged =
  (revision: string, by: string): Decide<ProposalState, ProposalEvent, ProposalRefusal> =>
  proposal => {
    if (!proposal) return proposalNotFound()
    if (proposal.status === 'merged' || proposal.status === 'reverted') return []
    const agreed = [...tally(proposal, 'approve').people]
    return [{ type: 'ProposalMerged', data: { ...outcomeOf(proposal), agreed, revision, by } }]
  }

/** Others have changed the same of the entry: it stays open, for its author to ask for otherwise. Each revision is noted once. */
export const noteConflict =
  (revision: string, where: readonly string[]): Deciding =>
  proposal =>
    proposal?.status !== 'open' || proposal.conflict?.revision === revision
      ? []
      : [{ type: 'ProposalConflicted', data: { revision, where: [...where] } }]

/** By who may decide alone. */
export const reject = (given: string, by: By): Deciding =>
  open(by, proposal => {
    if (isProposer(proposal, by.id)) return own()
    if (!mayDecideAlone(by)) return denied('Only editors of its language decide alone: review it.')
    const reason = readReason(given)
    if (typeof reason === 'object') return reason
    const agreed = [...tally(proposal, 'reject').people]
    return [
      {
        type: 'ProposalRejected',
        data: { ...outcomeOf(proposal), agreed, by: by.id, ...defined({ reason }) },
      },
    ]
  })

const ofAuthor = (proposal: ProposalState, by: By): Refused | undefined => {
  if (!proposal) return proposalNotFound()
  return proposal.author === by.id ? undefined : denied('Only who asked for it may do this to a proposal.')
}

export const withdraw =
  (by: By): Deciding =>
  proposal => {
    const refused = ofAuthor(proposal, by)
    if (refused) return refused
    if (proposal?.status === 'withdrawn') return []
    return open(by, () => [{ type: 'ProposalWithdrawn', data: {} }])(proposal)
  }

/** May its author ask for something else instead? */
export const readyToAmend =
  (by: By): Deciding =>
  proposal =>
    ofAuthor(proposal, by) ?? open(by, () => [])(proposal)

/** Once the other one stands. What it had of votes is void. */
export const supersede =
  (successor: string, author: string): Decide<ProposalState, ProposalEvent, never> =>
  proposal =>
    proposal?.status === 'open' && proposal.author === author
      ? [{ type: 'ProposalSuperseded', data: { successor } }]
      : []

export const expire =
  (now: Date): Decide<ProposalState, ProposalEvent, never> =>
  proposal =>
    proposal?.status === 'open' && !isOpen(proposal, { now }) ? [{ type: 'ProposalExpired', data: {} }] : []

export const close =
  (ground: (typeof closingGrounds)[number]): Decide<ProposalState, ProposalEvent, never> =>
  proposal =>
    proposal?.status === 'open' ? [{ type: 'ProposalClosed', data: { ground } }] : []

/** Its text is removed with the entry's. */
export const removeText: Decide<ProposalState, ProposalEvent, never> = proposal =>
  !proposal || proposal.isRemoved ? [] : [{ type: 'ProposalRemoved', data: { ground: 'entry-removed' } }]

/** With the account of who asked for it: what was merged is the entry's, and what others ask for too is theirs. */
export const removeOf =
  (accountId: string): Decide<ProposalState, ProposalEvent, never> =>
  proposal => {
    if (!proposal || proposal.isRemoved || proposal.author !== accountId) return []
    const isTheirs = proposal.status === 'merged' || proposal.status === 'reverted' || proposal.supporters.length > 0
    return isTheirs ? [] : [{ type: 'ProposalRemoved', data: { ground: 'erasure' } }]
  }

export const readyToRevert =
  (by: By): Deciding =>
  proposal => {
    if (!proposal) return proposalNotFound()
    if (!by.permissions.has('entries:edit')) return denied('Only editors of its language take back what was merged.')
    if (proposal.status === 'merged' || proposal.status === 'reverted') return []
    return refuse('proposal-not-merged', `Only what was merged is taken back; this is ${proposal.status}.`)
  }

export const noteReverted =
  (revision: string, by: string, given: string | undefined): Deciding =>
  proposal => {
    if (!proposal) return proposalNotFound()
    if (proposal.status !== 'merged') return []
    const reason = readReason(given)
    if (typeof reason === 'object') return reason
    return [{ type: 'ProposalReverted', data: { ...outcomeOf(proposal), revision, by, ...defined({ reason }) } }]
  }
