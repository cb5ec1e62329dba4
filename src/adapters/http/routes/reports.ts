/** Reports, and the cases that moderators judge: every route, each with its command or query. */
import * as cases from '../../../commands/cases.ts'
import { fileReport, type ReportDeps, type ReporterOf } from '../../../commands/reports.ts'
import type { Accepted } from '../../../core/write/transact.ts'
import { defined } from '../../../domain/defined.ts'
import { type CaseState, caseIdOf, priorityOf } from '../../../domain/moderation/case.ts'
import { type ReportState, reportIdOf } from '../../../domain/moderation/report.ts'
import { isAutomated } from '../../../projections/cases.ts'
import {
  CaseSchema,
  CaseSummarySchema,
  type getCase,
  type moderationQueue,
  OwnReportSchema,
  OwnReportsSchema,
  type ownReports,
  QueueSchema,
} from '../../../queries/cases.ts'
import type { Edge, Routes } from '../edge.ts'
import { type Asking, type OwnCommand, ownCommandRoute } from '../own-command.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { reading } from './account-edge.ts'
import { languageOf } from './entry-parameters.ts'
import * as shown from './report-schemas.ts'

const { tag } = shown
const readReport = reading(shown.ReportBody)
const readOpening = reading(shown.OpenBody)
const readAssignment = reading(shown.AssignBody)
const readDismissal = reading(shown.DismissBody)
const readBulk = reading(shown.BulkBody)
const idOf = ({ params: { id = '' } }: EdgeRequest): string => id.toLowerCase()

export type ReportQueries = {
  readonly queue: ReturnType<typeof moderationQueue>
  readonly one: ReturnType<typeof getCase>
  readonly own: ReturnType<typeof ownReports>
}

/** The receipt: what was reported, and when. */
const receipt = ({ stream, state }: Accepted<ReportState>): Omit<Answer, 'position'> => {
  const filed = state?.filings.at(-1)
  const view = {
    id: reportIdOf({ stream }),
    target: state?.target,
    category: filed?.category,
    filedAt: filed?.at,
    filings: state?.filings.length,
  }
  return { status: 201, body: JSON.stringify(view) }
}

const reportRoutes = (
  deps: ReportDeps,
  reporterOf: (asking: Asking) => ReporterOf,
  queries: ReportQueries,
  edge: Edge,
): readonly Route[] => [
  ownCommandRoute(
    {
      tag,
      permission: 'reports:write',
      method: 'POST',
      path: '/v1/reports',
      name: 'file-report',
      summary: 'Report something to the moderators',
      description:
        'What it says now is kept, whatever its author does. You are told that it was received, and how it ended. What you cannot see you cannot report.',
      body: shown.ReportBody,
      request: {
        needs: 'an account',
        body: { target: shown.exampleTarget, category: 'harassment', words: 'He will not stop.' },
      },
      answers: { 201: { description: 'The receipt.', schema: OwnReportSchema, example: shown.exampleReport } },
      problems: [
        'comment-not-found',
        'story-not-found',
        'chapter-not-found',
        'entry-not-found',
        'profile-not-found',
        'comments-not-open',
        'moderated-not-found',
        'report-not-possible',
        'report-repeated',
        'reports-too-many',
        'text-invalid',
      ],
      run: async (request, asking, envelope) => {
        const { target, category, rule, words } = readReport(request.body)
        const given = {
          target: { kind: target.kind, id: target.id.toLowerCase() },
          category,
          ...defined({ rule, words }),
        }
        return fileReport(deps, reporterOf(asking), given, envelope)
      },
      answer: receipt,
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      path: '/v1/me/reports',
      summary: 'What you have reported, newest first, and how it ended',
      querystring: shown.PageQuery,
      query: queries.own,
      input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
      request: { needs: 'an account', query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: OwnReportsSchema,
          headers: ['Link'],
          example: { items: [{ ...shown.exampleReport, outcome: 'upheld', outcomeAt: shown.exampleTime }], next: null },
        },
      },
      problems: ['not-an-account'],
    },
    edge,
  ),
]

/** As it is after the command; what was reported of it is read where it is shown whole. */
const answerCase =
  (status: 200 | 201) =>
  ({ stream, state }: Accepted<CaseState>): Omit<Answer, 'position'> => {
    const id = caseIdOf({ stream })
    if (!state) return { status, body: JSON.stringify({ id }) }
    const { target, isOpen, round, source, step, authors, language, categories, reports, openedAt, claim } = state
    const view = {
      id,
      target,
      state: isOpen ? 'open' : 'closed',
      round,
      source,
      ...defined({ step }),
      authors,
      ...defined({ language }),
      categories,
      reports,
      priority: priorityOf(state),
      automated: isAutomated(state),
      openedAt,
      ...defined({ claimant: claim?.by, until: claim?.until }),
      ...defined({ closed: isOpen ? undefined : state.closure && closedView(state.closure) }),
    }
    return { status, body: JSON.stringify(view) }
  }
const closedView = ({ because, at, by, decision, reason }: NonNullable<NonNullable<CaseState>['closure']>) => ({
  because,
  at,
  ...defined({ by, decision, reason }),
})

const own = { tag, permission: 'cases:work', method: 'POST' } as const
const request = { needs: 'an account', params: { id: shown.exampleKey } } as const
const common = ['case-not-found', 'case-own', 'case-closed'] as const
const example = { ...shown.exampleSummary, claimant: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f', until: shown.exampleTime }
const answers = (description: string, value = example) => ({
  200: { description, schema: CaseSummarySchema, example: value },
})

const claimRoutes = (deps: cases.CaseDeps, edge: Edge): readonly Route[] => {
  type Claiming = Pick<OwnCommand<CaseState>, 'path' | 'name' | 'summary' | 'description' | 'answers' | 'problems'> &
    Partial<Pick<OwnCommand<CaseState>, 'body' | 'request'>> & {
      readonly command: (request: EdgeRequest) => ReturnType<typeof cases.dismissCase>
    }
  const onCase = ({ command, ...declared }: Claiming): Route =>
    ownCommandRoute(
      {
        ...own,
        params: shown.CaseParams,
        request,
        ...declared,
        run: async (asked, _, envelope) => command(asked)(deps, idOf(asked), envelope),
        answer: answerCase(200),
      },
      edge,
    )
  return [
    onCase({
      path: '/v1/moderation/cases/:id/claim',
      name: 'claim-case',
      summary: 'Claim a case',
      description:
        'For 72 hours, in which no other moderator judges it. After 48 you are asked after it; then it is free again.',
      answers: answers('The case, claimed.'),
      problems: [...common, 'case-claimed'],
      command: () => cases.claimCase,
    }),
    onCase({
      path: '/v1/moderation/cases/:id/release',
      name: 'release-case',
      summary: 'Give a case back',
      answers: answers('The case, free for others.', shown.exampleSummary as typeof example),
      problems: [...common, 'case-claimed'],
      command: () => cases.releaseCase,
    }),
    onCase({
      path: '/v1/moderation/cases/:id/assign',
      name: 'assign-case',
      summary: 'Give a case to another moderator',
      body: shown.AssignBody,
      request: { ...request, body: { moderator: example.claimant } },
      answers: answers('The case, claimed for them.'),
      problems: [...common, 'moderator-not-found'],
      command: ({ body }) => cases.assignCase(readAssignment(body).moderator.toLowerCase()),
    }),
    onCase({
      path: '/v1/moderation/cases/:id/dismiss',
      name: 'dismiss-case',
      summary: 'Close a case: nothing is wrong with it',
      description: 'What held it back automatically lets it go. Whoever reported it is told.',
      body: shown.DismissBody,
      request: { ...request, body: { reason: 'It is rude, and breaks no rule.' } },
      answers: answers('The case, closed.'),
      problems: [...common, 'case-claimed', 'reason-required', 'text-invalid'],
      command: ({ body }) => cases.dismissCase(readDismissal(body).reason),
    }),
  ]
}

const manyRoutes = (deps: cases.CaseDeps, edge: Edge): readonly Route[] => [
  ownCommandRoute(
    {
      ...own,
      path: '/v1/moderation/cases',
      name: 'open-case',
      summary: 'Open a case of what nobody has reported',
      body: shown.OpenBody,
      request: { needs: 'an account', body: { target: shown.exampleTarget } },
      answers: { 201: { description: 'The case.', schema: CaseSummarySchema, example: shown.exampleSummary } },
      problems: ['moderated-not-found', 'moderated-gone', 'case-own'],
      run: async (asked, _, envelope) => {
        const { kind, id } = readOpening(asked.body).target
        return cases.openCase(deps, { kind, id: id.toLowerCase() }, envelope)
      },
      answer: answerCase(201),
    },
    edge,
  ),
  ownCommandRoute(
    {
      ...own,
      path: '/v1/moderation/bulk',
      name: 'cases-at-once',
      summary: 'Claim or dismiss up to fifty cases',
      description: 'Each on its own: what one is refused for keeps none of the others.',
      body: shown.BulkBody,
      request: { needs: 'an account', body: { action: 'claim', cases: [shown.exampleKey] } },
      answers: {
        200: {
          description: 'What became of each.',
          schema: shown.BulkSchema,
          example: { items: [{ id: shown.exampleKey, outcome: 'done', isOpen: true }] },
        },
      },
      problems: [],
      run: async (asked, _, envelope) => {
        const { action, cases: keys, reason = '' } = readBulk(asked.body)
        const command = action === 'claim' ? cases.claimCase : cases.dismissCase(reason)
        return cases.doToMany(deps, { ids: keys.map(key => key.toLowerCase()), command }, envelope)
      },
      answer: ({ state }) => ({ status: 200, body: JSON.stringify({ items: state }) }),
    },
    edge,
  ),
]

const readingRoutes = (queries: ReportQueries, edge: Edge): readonly Route[] => [
  pageRoute(
    {
      tag,
      path: '/v1/moderation/queue',
      summary: 'What is to be judged',
      description: 'What weighs most first, and of that what waits longest. Reporters are named in each case alone.',
      querystring: shown.QueueQuery,
      query: queries.queue,
      input: ({ query, limit, after }) => {
        const { state = 'open', kind, language, category, claimant, automated } = query
        const range = language && languageOf(language)
        const filters = { kind, language: range, category, claimant: claimant?.toLowerCase(), automated }
        return { state, limit, ...defined(filters), ...defined({ after }) }
      },
      request: { needs: 'an account', query: { state: 'open', limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: QueueSchema,
          headers: ['Link'],
          example: { items: [shown.exampleSummary], next: null },
        },
      },
      problems: [],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      path: '/v1/moderation/cases/:id',
      summary: 'A case, with who reported what, what it said then, and what it says now',
      params: shown.CaseParams,
      querystring: shown.NoQuery,
      query: queries.one,
      input: ({ id }) => ({ id: id.toLowerCase() }),
      request,
      answers: { 200: { description: 'The case.', schema: CaseSchema, example: shown.exampleCase } },
      problems: ['case-not-found', 'case-own'],
    },
    edge,
  ),
]

export type ReportRouteDeps = {
  readonly reports: ReportDeps
  readonly cases: cases.CaseDeps
  readonly reporterOf: (asking: Asking) => ReporterOf
}

export const moderationRoutes =
  ({ reports, cases: onCases, reporterOf }: ReportRouteDeps, queries: ReportQueries): Routes =>
  edge => [
    ...reportRoutes(reports, reporterOf, queries, edge),
    ...readingRoutes(queries, edge),
    ...manyRoutes(onCases, edge),
    ...claimRoutes(onCases, edge),
  ]
