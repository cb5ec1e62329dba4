/** A proposal as it is shown: in lists without its text, alone with all of it. */
import Type, { type Static } from 'typebox'
import { defined } from '../domain/defined.ts'
import { Change } from '../domain/entry/places.ts'
import { VerdictSchema } from '../domain/proposal/events.ts'
import { expiryOf, hasQuorum, type Proposal, proposalStates, type Review, tally } from '../domain/proposal/proposal.ts'
import type { ProposalDocument } from '../projections/proposals.ts'

const text = Type.String()
const time = Type.String({ format: 'date-time' })
const weight = Type.Number({ minimum: 0 })

const ReviewSchema = Type.Object({
  reviewer: text,
  verdict: VerdictSchema,
  weight: Type.Number({ minimum: 0, description: 'What it counted for when it was said.' }),
  at: time,
  reason: Type.Optional(text),
})

const members = {
  id: text,
  entryId: text,
  language: text,
  state: Type.Enum([...proposalStates]),
  ground: Type.Optional(Type.String({ description: 'Why there is nothing left to decide.' })),
  author: text,
  supporters: Type.Array(text, { description: 'Who proposed the same.' }),
  base: Type.String({ description: 'The revision of the entry that it was made of.' }),
  touches: Type.Array(text, { description: 'The places that it changes: pointers in which senses have their ids.' }),
  votes: Type.Object({ approve: weight, reject: weight }, { description: 'What the reviews weigh.' }),
  accepted: Type.Boolean({ description: 'Enough approve: it may be merged by anybody with an account.' }),
  conflict: Type.Optional(
    Type.Object(
      { revision: text, where: Type.Array(text) },
      { description: 'At these places others had changed that revision of the entry when it was to be merged.' },
    ),
  ),
  mergedAs: Type.Optional(Type.String({ description: 'The revision of the entry that says it.' })),
  supersedes: Type.Optional(text),
  supersededBy: Type.Optional(text),
  createdAt: time,
  updatedAt: time,
  expiresAt: time,
  revision: text,
}

export const ProposalItemSchema = Type.Object(members, { $id: 'ProposalItem' })
export type ProposalItem = Static<typeof ProposalItemSchema>

export const ProposalSchema = Type.Object(
  {
    ...members,
    changes: Type.Array(Change, { description: 'Each place before and after; none once the text was removed.' }),
    reason: Type.Optional(text),
    outcome: Type.Optional(Type.String({ description: 'Why it was rejected or taken back.' })),
    reviews: Type.Array(ReviewSchema),
  },
  { $id: 'Proposal' },
)
export type ProposalView = Static<typeof ProposalSchema>

type Told = Omit<ProposalDocument, 'isAccepted' | 'openOf' | 'mark' | 'revision' | 'reviews'> & {
  readonly reviews: readonly Review[]
}

export const proposalItem = (id: string, proposal: Told, revision: string): ProposalItem => ({
  id,
  entryId: proposal.entry,
  language: proposal.language,
  state: proposal.status,
  author: proposal.author,
  supporters: [...proposal.supporters],
  base: proposal.base,
  touches: [...proposal.touches],
  votes: { approve: tally(proposal, 'approve').weight, reject: tally(proposal, 'reject').weight },
  accepted: proposal.status === 'open' && hasQuorum(proposal, 'approve'),
  ...defined({
    ground: proposal.ground,
    conflict: proposal.conflict && { revision: proposal.conflict.revision, where: [...proposal.conflict.where] },
    mergedAs: proposal.merged,
    supersedes: proposal.supersedes,
    supersededBy: proposal.successor,
  }),
  createdAt: proposal.createdAt,
  updatedAt: proposal.updatedAt,
  expiresAt: expiryOf(proposal),
  revision,
})

export const proposalView = (id: string, proposal: Proposal, revision: string): ProposalView => ({
  ...proposalItem(id, proposal, revision),
  changes: [...proposal.changes],
  ...defined({ reason: proposal.reason, outcome: proposal.outcome }),
  reviews: proposal.reviews.map(review => ({ ...review })),
})

/** Who asked for it, and who judged it. */
export const peopleInProposal = (shown: unknown): readonly string[] => {
  if (typeof shown !== 'object' || shown === null) return []
  const { author, supporters = [], reviews = [] }: Partial<ProposalView> = shown
  return [author, ...supporters, ...reviews.map(({ reviewer }) => reviewer)].filter(id => typeof id === 'string')
}
