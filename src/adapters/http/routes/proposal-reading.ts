/** Proposals and reputation: every route that reads them, each with its query. */
import { defined } from '../../../domain/defined.ts'
import { ProposalSchema } from '../../../queries/proposal-view.ts'
import { type getProposal, type listProposals, ProposalsSchema } from '../../../queries/proposals.ts'
import { GainsSchema, ReputationSchema, type reputation, type reputationGains } from '../../../queries/reputation.ts'
import type { Edge } from '../edge.ts'
import type { Route } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { EntryParams } from './comment-schemas.ts'
import { languageOf } from './entry-parameters.ts'
import * as shown from './proposal-schemas.ts'
import { exampleAccount } from './shelf-schemas.ts'

export type ProposalQueries = {
  readonly getProposal: ReturnType<typeof getProposal>
  readonly listProposals: ReturnType<typeof listProposals>
  readonly ofEntry: ReturnType<typeof listProposals>
  readonly ownReputation: ReturnType<typeof reputation>
  readonly reputation: ReturnType<typeof reputation>
  readonly ownGains: ReturnType<typeof reputationGains>
  readonly gains: ReturnType<typeof reputationGains>
}

const { tag } = shown
const page = {
  200: {
    description: 'A page.',
    schema: ProposalsSchema,
    headers: ['Link'],
    example: { items: [shown.exampleItem], next: null },
  },
}
const gainsPage = {
  200: {
    description: 'A page.',
    schema: GainsSchema,
    headers: ['Link'],
    example: { items: [shown.exampleGain], next: null },
  },
}
const shownReputation = {
  200: { description: 'By language.', schema: ReputationSchema, example: shown.exampleReputation },
}

const listRoutes = (queries: ProposalQueries, edge: Edge): readonly Route[] => [
  pageRoute(
    {
      tag,
      path: '/v1/proposals',
      summary: 'Proposals, newest first',
      querystring: shown.ProposalsQuery,
      query: queries.listProposals,
      input: ({ query, limit, after }) => ({
        mine: query.mine === true,
        reviewable: query.reviewable === true,
        limit,
        ...defined({
          state: query.state,
          language: query.language && languageOf(query.language),
          entry: query.entry?.toLowerCase(),
          author: query.author?.toLowerCase(),
          after,
        }),
      }),
      request: { query: { state: 'open' } },
      answers: page,
      problems: ['permission-denied', 'not-an-account'],
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/entries/:id/proposals',
      summary: 'The proposals on an entry, newest first',
      params: EntryParams,
      querystring: shown.OfEntryQuery,
      query: queries.ofEntry,
      input: ({ id, query, limit, after }) => ({
        entry: id.toLowerCase(),
        mine: false,
        reviewable: false,
        limit,
        ...defined({ state: query.state, after }),
      }),
      request: { params: { id: shown.exampleEntry } },
      answers: page,
      problems: [],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/proposals/:id',
      summary: 'One proposal, with what it changes and what was said of it',
      params: shown.ProposalParams,
      querystring: shown.OneQuery,
      query: queries.getProposal,
      input: ({ id }) => ({ id: id.toLowerCase() }),
      request: { needs: 'an account', params: { id: shown.exampleProposal } },
      answers: { 200: { description: 'The proposal.', schema: ProposalSchema, example: shown.exampleView } },
      problems: ['proposal-not-found'],
    },
    edge,
  ),
]

const reputationRoutes = (queries: ProposalQueries, edge: Edge): readonly Route[] => [
  itemRoute(
    {
      tag,
      path: '/v1/me/reputation',
      summary: 'What your word weighs in each language',
      querystring: shown.OneQuery,
      query: queries.ownReputation,
      input: () => ({}),
      request: { needs: 'an account' },
      answers: shownReputation,
      problems: ['not-an-account'],
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/me/reputation/gains',
      summary: 'What your reputation comes from, newest first',
      querystring: shown.PageQuery,
      query: queries.ownGains,
      input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
      request: { needs: 'an account', query: { limit: '20' } },
      answers: gainsPage,
      problems: ['not-an-account'],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/accounts/:id/reputation',
      summary: 'What the word of somebody weighs in each language',
      params: shown.AccountParams,
      querystring: shown.OneQuery,
      query: queries.reputation,
      input: ({ id }) => ({ account: id.toLowerCase() }),
      request: { params: { id: exampleAccount } },
      answers: shownReputation,
      problems: ['not-an-account'],
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/accounts/:id/reputation/gains',
      summary: 'What the reputation of somebody comes from, newest first',
      params: shown.AccountParams,
      querystring: shown.PageQuery,
      query: queries.gains,
      input: ({ id, limit, after }) => ({ account: id.toLowerCase(), limit, ...defined({ after }) }),
      request: { params: { id: exampleAccount } },
      answers: gainsPage,
      problems: ['not-an-account'],
    },
    edge,
  ),
]

export const proposalQueryRoutes = (queries: ProposalQueries, edge: Edge): readonly Route[] => [
  ...listRoutes(queries, edge),
  ...reputationRoutes(queries, edge),
]
