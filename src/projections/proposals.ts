/** The proposals as they stand, without their text, by id. */
import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { markOf } from '../domain/mark.ts'
import { type ProposalEvent, proposalEvents } from '../domain/proposal/events.ts'
import {
  evolveProposal,
  hasQuorum,
  type Proposal,
  proposalCategory,
  proposalIdOf,
  type Review,
} from '../domain/proposal/proposal.ts'

const names: ReadonlySet<string> = new Set(proposalEvents.map(({ type }) => type))
export const isProposalEvent = (event: Recorded): event is Recorded<ProposalEvent> => names.has(event.type)

/** `isAccepted`: it may be merged. `openOf`: its entry, while it is open. `revision` and `mark` are its stream's. */
export type ProposalDocument = Omit<Proposal, 'changes' | 'reason' | 'outcome' | 'reviews'> & {
  readonly reviews: readonly Omit<Review, 'reason'>[]
  readonly isAccepted: boolean
  readonly openOf?: string
  readonly revision: string
  readonly mark: string
}

const withoutText = ({ changes: _c, reason: _r, outcome: _o, reviews, ...proposal }: Proposal) => ({
  ...proposal,
  reviews: reviews.map(({ reason: _, ...review }) => review),
})

const proposalIn = (document: ProposalDocument | undefined): Proposal | undefined => {
  if (!document) return undefined
  const { isAccepted: _i, openOf: _o, revision: _r, mark: _m, ...proposal } = document
  return { ...proposal, changes: [] }
}

export const proposalsProjection = projection<ProposalDocument>({
  name: 'proposals',
  version: 1,
  categories: [proposalCategory],
  indexes: [
    { name: 'created', on: ['createdAt'] },
    { name: 'status', on: ['status', 'createdAt'] },
    { name: 'language', on: ['language', 'createdAt'] },
    { name: 'entry', on: ['entry', 'createdAt'] },
    { name: 'author', on: ['author', 'createdAt'] },
    { name: 'open', on: ['openOf'] },
  ],
  key: proposalIdOf,
  evolve: (document, event) => {
    if (!isProposalEvent(event)) return document
    const proposal = evolveProposal(proposalIn(document), event)
    if (!proposal) return undefined
    return {
      ...withoutText(proposal),
      isAccepted: proposal.status === 'open' && hasQuorum(proposal, 'approve'),
      ...defined({ openOf: proposal.status === 'open' ? proposal.entry : undefined }),
      revision: String(event.revision),
      mark: markOf(event.id, event.meta.at),
    }
  },
})
