/** Decisions and appeals: every route that reads them, each with its query. */
import Type from 'typebox'
import { defined } from '../../../domain/defined.ts'
import { YEAR } from '../../../domain/forms.ts'
import { nothingIn } from '../../../projections/transparency.ts'
import { DecisionSchema } from '../../../queries/decision-view.ts'
import {
  AppealsSchema,
  DecisionsSchema,
  type getDecision,
  type listAppeals,
  type listDecisions,
  OwnDecisionsSchema,
  type ownDecision,
  type ownDecisions,
} from '../../../queries/decisions.ts'
import { TransparencySchema, type transparency, transparencyOf } from '../../../queries/transparency.ts'
import type { Edge } from '../edge.ts'
import type { Route } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { exampleTime } from './comment-schemas.ts'
import * as shown from './decision-schemas.ts'
import { exampleAccount } from './shelf-schemas.ts'

export type DecisionQueries = {
  readonly listDecisions: ReturnType<typeof listDecisions>
  readonly getDecision: ReturnType<typeof getDecision>
  readonly ownDecisions: ReturnType<typeof ownDecisions>
  readonly ownDecision: ReturnType<typeof ownDecision>
  readonly listAppeals: ReturnType<typeof listAppeals>
  readonly transparency: ReturnType<typeof transparency>
}

const { tag } = shown
const YearQuery = Type.Object(
  { year: Type.String({ pattern: YEAR, description: 'A calendar year of UTC.' }) },
  { additionalProperties: false },
)
const none = Type.Object({}, { additionalProperties: false })
const { about: _a, facts: _f, ...exampleItem } = shown.exampleView
const params = { id: shown.exampleDecision }

export const decisionQueryRoutes = (queries: DecisionQueries, edge: Edge): readonly Route[] => [
  pageRoute(
    {
      tag,
      path: '/v1/moderation/decisions',
      summary: 'Decisions, newest first',
      querystring: shown.DecisionsQuery,
      query: queries.listDecisions,
      input: ({ limit, after, query }) => ({ limit, state: query.state ?? 'standing', ...defined({ after }) }),
      request: { query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: DecisionsSchema,
          headers: ['Link'],
          example: { items: [exampleItem], next: null },
        },
      },
      problems: [],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/moderation/decisions/:id',
      summary: 'One decision, with what it was about and the appeal against it',
      params: shown.DecisionParams,
      querystring: none,
      query: queries.getDecision,
      input: ({ id }) => ({ id: id.toLowerCase() }),
      request: { needs: 'an account', params },
      answers: { 200: { description: 'The decision.', schema: DecisionSchema, example: shown.exampleView } },
      problems: ['decision-not-found'],
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/moderation/appeals',
      summary: 'Appeals, those that have waited longest first',
      querystring: shown.AppealsQuery,
      query: queries.listAppeals,
      input: ({ limit, after, query }) => ({ limit, state: query.state ?? 'open', ...defined({ after }) }),
      request: { query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: AppealsSchema,
          headers: ['Link'],
          example: {
            items: [
              {
                decision: shown.exampleDecision,
                state: 'open',
                accountId: exampleAccount,
                filedAt: exampleTime,
                messages: 1,
              },
            ],
            next: null,
          },
        },
      },
      problems: [],
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/me/decisions',
      summary: 'Decisions about what is yours, newest first',
      querystring: shown.PageQuery,
      query: queries.ownDecisions,
      input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
      request: { needs: 'an account', query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: OwnDecisionsSchema,
          headers: ['Link'],
          example: { items: [shown.exampleOwn], next: null },
        },
      },
      problems: ['not-an-account'],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/me/decisions/:id',
      summary: 'One decision about something of yours, with the statement of reasons and your appeal',
      params: shown.DecisionParams,
      querystring: none,
      query: queries.ownDecision,
      input: ({ id }) => ({ id: id.toLowerCase() }),
      request: { needs: 'an account', params },
      answers: { 200: { description: 'The decision.', schema: DecisionSchema, example: shown.exampleOwn } },
      problems: ['decision-not-found', 'not-an-account'],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/moderation/transparency',
      summary: 'What was reported, decided and appealed in a year',
      description:
        'By the categories of the Digital Services Act. Numbers alone; each counts in the year in which it happened.',
      querystring: YearQuery,
      query: queries.transparency,
      input: ({ query: { year } }) => ({ year }),
      request: { query: { year: '2026' } },
      answers: {
        200: {
          description: 'The year.',
          schema: TransparencySchema,
          example: JSON.parse(JSON.stringify(transparencyOf(nothingIn('2026')))),
        },
      },
      problems: [],
    },
    edge,
  ),
]
