/** What the routes of proposals take and show, and what their examples name. */
import Type from 'typebox'
import { EditBody } from '../../../commands/entries.ts'
import type { Json } from '../../../domain/event.ts'
import { REVISION, UUID } from '../../../domain/forms.ts'
import { VerdictSchema } from '../../../domain/proposal/events.ts'
import { proposalStates } from '../../../domain/proposal/proposal.ts'
import { exampleAccount } from './shelf-schemas.ts'

export const tag = 'Proposals'
const strict = { additionalProperties: false }
const text = Type.String()

export const exampleProposal = '7d1c2b3a-4f5e-5d6c-8b7a-9f8e7d6c5b4a'
export const exampleEntry = '501a48e3-b4ec-5dec-be9f-e904d6447fe3'
const exampleTime = '2026-01-05T10:00:00.000Z'

const id = (description: string) => Type.String({ pattern: UUID, description })
export const ProposalParams = Type.Object({ id: id('The id of the proposal.') })
export const AccountParams = Type.Object({ id: id('The id of the account.') })

const asked = {
  base: Type.String({ pattern: REVISION, description: 'The revision of the entry that the change was made of.' }),
  changes: Type.Object(EditBody.properties, {
    ...strict,
    description: 'A merge patch (RFC 7396) of the members that an edit may change.',
  }),
  reason: Type.Optional(Type.String({ description: 'Why it should be so, for those who judge it.' })),
}
export const ProposalBody = Type.Object(asked, { ...strict, $id: 'Proposing' })
export const ReviewBody = Type.Object(
  {
    verdict: VerdictSchema,
    reason: Type.Optional(Type.String({ description: 'Who is against it says why.' })),
  },
  { ...strict, $id: 'ProposalReview' },
)
export const ReasonBody = Type.Object({ reason: text }, { ...strict, $id: 'ProposalReason' })

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
)
const cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' }))
export const PageQuery = Type.Object({ limit, cursor }, strict)
const state = Type.Optional(Type.Enum([...proposalStates]))
export const OfEntryQuery = Type.Object({ state, limit, cursor }, strict)
export const ProposalsQuery = Type.Object(
  {
    state,
    language: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'A BCP 47 tag.' })),
    entry: Type.Optional(id('Those on this entry.')),
    author: Type.Optional(id('Those of this account.')),
    mine: Type.Optional(Type.Boolean({ description: 'true: your own.' })),
    reviewable: Type.Optional(Type.Boolean({ description: 'true: open ones that you may judge and have not.' })),
    limit,
    cursor,
  },
  strict,
)
export const OneQuery = Type.Object({}, strict)

export const exampleBody: Json = {
  base: '3',
  changes: { etymology: 'From Old English leoht.' },
  reason: 'The dictionary of 1898 has it.',
}
const exampleMembers: { readonly [member: string]: Json } = {
  id: exampleProposal,
  entryId: exampleEntry,
  language: 'en',
  state: 'open',
  author: exampleAccount,
  supporters: [],
  base: '3',
  touches: ['/etymology'],
  votes: { approve: 0, reject: 0 },
  accepted: false,
  createdAt: exampleTime,
  updatedAt: exampleTime,
  expiresAt: '2026-04-05T10:00:00.000Z',
  revision: '0',
}
export const exampleItem: Json = exampleMembers
export const exampleView: { readonly [member: string]: Json } = {
  ...exampleMembers,
  changes: [{ pointer: '/etymology', to: 'From Old English leoht.' }],
  reason: 'The dictionary of 1898 has it.',
  reviews: [],
}
const reviewer = '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11'
export const exampleReviewed: Json = {
  ...exampleView,
  votes: { approve: 1, reject: 0 },
  reviews: [{ reviewer, verdict: 'approve', weight: 1, at: exampleTime }],
  revision: '1',
}
export const exampleOf = (state: string, more: { readonly [member: string]: Json } = {}): Json => ({
  ...exampleView,
  state,
  revision: '1',
  ...more,
})
export const exampleGain: Json = {
  language: 'en',
  ground: 'merged',
  points: 2,
  proposalId: exampleProposal,
  entryId: exampleEntry,
  at: exampleTime,
}
export const exampleReputation: Json = {
  accountId: exampleAccount,
  languages: [{ language: 'en', points: 2, weight: 0.5, merged: 1, rejected: 0, reverted: 0, agreed: 0 }],
}
