/** Proposals: every route that asks for a change of an entry, judges it, or decides on it. */
import type { TSchema } from 'typebox'
import * as proposals from '../../../commands/proposals.ts'
import type { Accepted, Envelope, Result } from '../../../core/write/transact.ts'
import { defined } from '../../../domain/defined.ts'
import type { JsonObject } from '../../../domain/event.ts'
import { idOf } from '../../../domain/ids.ts'
import type { ProposalState } from '../../../domain/proposal/proposal.ts'
import type { RefusalCode } from '../../../domain/refusal.ts'
import { ProposalSchema, proposalView } from '../../../queries/proposal-view.ts'
import type { Edge } from '../edge.ts'
import { type OwnCommand, ownCommandRoute } from '../own-command.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import { reading } from './account-edge.ts'
import { EntryParams } from './comment-schemas.ts'
import * as shown from './proposal-schemas.ts'

const { tag } = shown
const readProposal = reading(shown.ProposalBody)
const readReview = reading(shown.ReviewBody)
const readReason = reading(shown.ReasonBody)
const idIn = ({ params }: EdgeRequest): string => (params['id'] ?? '').toLowerCase()

const answerProposal =
  (status: 200 | 201) =>
  ({ stream, state, revision }: Accepted<ProposalState>): Omit<Answer, 'position'> => {
    const id = idOf(stream)
    const headers = status === 201 ? { location: `/v1/proposals/${id}` } : undefined
    const body = state ? JSON.stringify(proposalView(id, state, String(revision))) : JSON.stringify({ id })
    return { status, body, ...defined({ headers }) }
  }

const entryFaults = [
  'entry-not-found',
  'entry-removed',
  'entry-not-published',
  'entry-incomplete',
  'revision-unknown',
  'sense-unknown',
  'sense-repeated',
  'identity-fixed',
  'read-only-member',
  'text-invalid',
  'language-unknown',
] as const
const askingFaults = [
  ...entryFaults,
  'reason-required',
  'proposal-changes-nothing',
  'proposal-too-large',
  'proposal-decided',
  'proposal-removed',
  'proposal-full',
  'proposals-too-soon',
] as const

type Asked = { readonly id: string; readonly who: proposals.Proposer; readonly envelope: Envelope }
type Acting = Pick<OwnCommand<ProposalState>, 'method' | 'path' | 'name' | 'summary' | 'request' | 'answers'> &
  Partial<Pick<OwnCommand<ProposalState>, 'description' | 'body'>> & {
    readonly params?: TSchema
    readonly problems: readonly RefusalCode[]
    readonly status?: 200 | 201
    readonly run: (asked: Asked, body: unknown) => Promise<Result<ProposalState>>
  }

const route = ({ run, status = 200, params = shown.ProposalParams, ...declared }: Acting, edge: Edge): Route =>
  ownCommandRoute(
    {
      ...declared,
      params,
      tag,
      permission: 'proposals:write',
      run: async (request, { account }, envelope) =>
        run({ id: idIn(request), who: { account, rights: request.requester }, envelope }, request.body),
      answer: answerProposal(status),
    },
    edge,
  )

/** What somebody asks for, as their body has it. */
const askedIn = (body: unknown) => {
  const { base, changes, reason } = readProposal(body)
  const patch: JsonObject = { ...changes }
  return { base, patch, ...defined({ reason }) }
}

const example = { needs: 'an account', params: { id: shown.exampleProposal } } as const
const answer = (description: string, example: OwnCommand<ProposalState>['answers'][number]['example']) => ({
  200: { description, schema: ProposalSchema, ...defined({ example }) },
})

const askingRoutes = (deps: proposals.ProposalDeps, edge: Edge): readonly Route[] => [
  route(
    {
      method: 'POST',
      path: '/v1/entries/:id/proposals',
      name: 'propose-change',
      summary: 'Propose a change of an entry',
      description:
        'By anybody with an account, on what is published, by the rules of an edit. The same change of the same entry is the same proposal: whoever proposes it too supports it. A new account proposes three changes within fifteen minutes: what comes sooner is 429, and Retry-After says when to come again.',
      params: EntryParams,
      body: shown.ProposalBody,
      request: { needs: 'an account', params: { id: shown.exampleEntry }, body: shown.exampleBody },
      answers: {
        201: {
          description: 'The proposal.',
          schema: ProposalSchema,
          headers: ['Location'],
          example: shown.exampleView,
        },
      },
      problems: askingFaults,
      status: 201,
      run: ({ id, who, envelope }, body) => proposals.propose(deps, who, { ...askedIn(body), entry: id }, envelope),
    },
    edge,
  ),
  route(
    {
      method: 'POST',
      path: '/v1/proposals/:id/amend',
      name: 'amend-proposal',
      summary: 'Ask for something else instead',
      description: 'A proposal of its own, which supersedes the one before. Nobody has judged it: votes are void.',
      body: shown.ProposalBody,
      request: { ...example, body: shown.exampleBody },
      answers: {
        201: {
          description: 'The new proposal.',
          schema: ProposalSchema,
          headers: ['Location'],
          example: shown.exampleOf('open', { supersedes: shown.exampleProposal, revision: '0' }),
        },
      },
      problems: [...askingFaults, 'proposal-not-found', 'proposal-closed', 'permission-denied'],
      status: 201,
      run: ({ id, who, envelope }, body) => proposals.amend(deps, who, { ...askedIn(body), id }, envelope),
    },
    edge,
  ),
  route(
    {
      method: 'POST',
      path: '/v1/proposals/:id/withdraw',
      name: 'withdraw-proposal',
      summary: 'Withdraw a proposal of yours',
      request: example,
      answers: answer('It is withdrawn.', shown.exampleOf('withdrawn')),
      problems: ['proposal-not-found', 'proposal-closed', 'permission-denied'],
      run: ({ id, who, envelope }) => proposals.withdraw(deps, who, id, envelope),
    },
    edge,
  ),
]

const judgingRoutes = (deps: proposals.ProposalDeps, edge: Edge): readonly Route[] => [
  route(
    {
      method: 'PUT',
      path: '/v1/proposals/:id/review',
      name: 'review-proposal',
      summary: 'Judge a proposal',
      description:
        'It counts for what your reputation in the language weighs at this moment. Nobody judges their own. Enough of them against it reject it.',
      body: shown.ReviewBody,
      request: { ...example, body: { verdict: 'approve' } },
      answers: answer('The proposal with your review.', shown.exampleReviewed),
      problems: [
        'proposal-not-found',
        'proposal-closed',
        'proposal-own',
        'proposal-unwanted',
        'proposal-full',
        'reason-required',
        'text-invalid',
      ],
      run: ({ id, who, envelope }, body) => {
        const { verdict, reason } = readReview(body)
        return proposals.review(deps, who, { id, verdict, ...defined({ reason }) }, envelope)
      },
    },
    edge,
  ),
  route(
    {
      method: 'DELETE',
      path: '/v1/proposals/:id/review',
      name: 'withdraw-proposal-review',
      summary: 'Take back what you said of a proposal',
      request: example,
      answers: answer('The proposal without your review.', shown.exampleView),
      problems: ['proposal-not-found', 'proposal-closed'],
      run: ({ id, who, envelope }) => proposals.withdrawReview(deps, who, id, envelope),
    },
    edge,
  ),
  route(
    {
      method: 'POST',
      path: '/v1/proposals/:id/merge',
      name: 'merge-proposal',
      summary: 'Merge a proposal into its entry',
      description:
        'Once enough approve of it, by anybody with an account; by an editor of its language at any time. What others have changed since stays; where they changed the same it is 409, with both sides.',
      request: example,
      answers: answer('It is merged.', shown.exampleOf('merged', { mergedAs: '4' })),
      problems: [
        ...entryFaults,
        'proposal-not-found',
        'proposal-closed',
        'proposal-own',
        'proposal-unreviewed',
        'proposal-conflicts',
      ],
      run: ({ id, who, envelope }) => proposals.merge(deps, who, id, envelope),
    },
    edge,
  ),
  route(
    {
      method: 'POST',
      path: '/v1/proposals/:id/reject',
      name: 'reject-proposal',
      summary: 'Reject a proposal',
      description: 'By an editor of its language. Who asked for it is told why.',
      body: shown.ReasonBody,
      request: { ...example, body: { reason: 'No source says so.' } },
      answers: answer('It is rejected.', shown.exampleOf('rejected', { outcome: 'No source says so.' })),
      problems: [
        'proposal-not-found',
        'proposal-closed',
        'proposal-own',
        'permission-denied',
        'reason-required',
        'text-invalid',
      ],
      run: ({ id, who, envelope }, body) =>
        proposals.reject(deps, who, { id, reason: readReason(body).reason }, envelope),
    },
    edge,
  ),
  route(
    {
      method: 'POST',
      path: '/v1/proposals/:id/revert',
      name: 'revert-proposal',
      summary: 'Take back what was merged',
      description:
        'By an editor of its language: exactly what was merged, and nothing of what others changed since. Where they changed the same it is 409, with both sides.',
      body: shown.ReasonBody,
      request: { ...example, body: { reason: 'It was a hoax.' } },
      answers: answer(
        'It is taken back.',
        shown.exampleOf('reverted', { mergedAs: '4', outcome: 'It was a hoax.', revision: '2' }),
      ),
      problems: [
        ...entryFaults,
        'proposal-not-found',
        'proposal-not-merged',
        'proposal-conflicts',
        'permission-denied',
        'reason-required',
      ],
      run: ({ id, who, envelope }, body) =>
        proposals.revert(deps, who, { id, reason: readReason(body).reason }, envelope),
    },
    edge,
  ),
]

export const proposalRoutes = (deps: proposals.ProposalDeps, edge: Edge): readonly Route[] => [
  ...askingRoutes(deps, edge),
  ...judgingRoutes(deps, edge),
]
