/** What moderators judge: the queue, and one case whole; and what one has reported oneself. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Page, Query } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import { type CaseState, caseStream } from '../domain/moderation/case.ts'
import { isOwnCase } from '../domain/moderation/case-decisions.ts'
import { CaseEndSchema, type CaseEvent, CaseSourceSchema } from '../domain/moderation/case-events.ts'
import { MeasureSchema } from '../domain/moderation/measures.ts'
import { type Filing, type ReportState, reportStream, reportStreamOf } from '../domain/moderation/report.ts'
import { ReportCategorySchema, type ReportEvent, ReportOutcomeSchema } from '../domain/moderation/report-events.ts'
import { ModeratedSchema, type ModeratedWorks } from '../domain/moderation/target.ts'
import { refuse } from '../domain/refusal.ts'
import {
  type CaseDocument,
  casesProjection,
  isAutomated,
  type ReportDocument,
  reportsProjection,
  scopeOf,
} from '../projections/cases.ts'
import { type DecisionDocument, decisionsProjection } from '../projections/decisions.ts'
import { accountOf, keyOf, nextOf, type PageInput, pageOf } from './keyset-pages.ts'

const text = Type.String()
const time = Type.String({ format: 'date-time' })
const count = Type.Integer({ minimum: 0 })
const named = { names: Type.Optional(Type.Record(text, text)) }

const summary = {
  id: Type.String({ description: 'What it is about: the kind and the id, joined by a hyphen.' }),
  target: ModeratedSchema,
  state: Type.Enum(['open', 'closed']),
  round: Type.Integer({ minimum: 1, description: 'How often it has been judged, this time with it.' }),
  source: CaseSourceSchema,
  step: Type.Optional(Type.String({ description: 'Of the pipeline, that held it back.' })),
  authors: Type.Array(text),
  language: Type.Optional(text),
  categories: Type.Array(ReportCategorySchema),
  reports: count,
  priority: Type.Number(),
  automated: Type.Boolean({ description: 'It is held back by no person, or was brought up by the pipeline.' }),
  openedAt: time,
  claimant: Type.Optional(text),
  until: Type.Optional(time),
  closed: Type.Optional(
    Type.Object({
      because: CaseEndSchema,
      at: time,
      by: Type.Optional(text),
      decision: Type.Optional(text),
      reason: Type.Optional(text),
    }),
  ),
}
export const CaseSummarySchema = Type.Object(summary, { $id: 'CaseSummary' })
export type CaseSummary = Static<typeof CaseSummarySchema>
export const QueueSchema = Type.Object(
  { items: Type.Array(CaseSummarySchema), next: Type.Union([text, Type.Null()]), ...named },
  { $id: 'ModerationQueue' },
)

const FiledSchema = Type.Object({
  id: text,
  reporter: text,
  filedAt: time,
  filings: count,
  category: ReportCategorySchema,
  rule: Type.Optional(text),
  weight: Type.Number(),
  words: Type.Optional(text),
  selfDeleted: Type.Boolean({ description: 'Its author had deleted it when it was reported.' }),
  evidence: Type.Optional(
    Type.Object({
      revision: text,
      cut: Type.Boolean({ description: 'It was longer.' }),
      text: Type.Optional(Type.String({ description: 'What it said then; absent once it was destroyed.' })),
    }),
  ),
})
const PastDecision = Type.Object({
  id: text,
  at: time,
  state: Type.Enum(['standing', 'overturned']),
  automated: Type.Boolean(),
  measures: Type.Array(MeasureSchema),
})
export const CaseSchema = Type.Object(
  {
    ...summary,
    filed: Type.Array(FiledSchema, { description: 'Its reports, the newest fifty.' }),
    decisions: Type.Array(PastDecision, {
      description: 'What was decided about it, and about what else its authors wrote: the newest twenty.',
    }),
    now: Type.Optional(
      Type.Object(
        {
          text,
          revision: text,
          gone: Type.Boolean({ description: 'Its author has deleted it, or was erased.' }),
        },
        { description: 'What it says now.' },
      ),
    ),
    ...named,
  },
  { $id: 'Case' },
)
export type CaseView = Static<typeof CaseSchema>

export const OwnReportSchema = Type.Object(
  {
    id: text,
    target: ModeratedSchema,
    category: ReportCategorySchema,
    filedAt: time,
    filings: count,
    outcome: Type.Optional(ReportOutcomeSchema),
    outcomeAt: Type.Optional(time),
  },
  { $id: 'OwnReport' },
)
export const OwnReportsSchema = pageOf(OwnReportSchema, 'OwnReports')

type Found<D> = { readonly id: string; readonly body: D }

/** `until`: the claim that stands. */
export const caseSummary = ({ id, body }: Found<CaseDocument>): CaseSummary => {
  const { target, isOpen, round, source, step, authors, language, categories, reports, priority, openedAt } = body
  return {
    id,
    target: { ...target },
    state: isOpen ? 'open' : 'closed',
    round,
    source,
    ...defined({ step }),
    authors: [...authors],
    ...defined({ language }),
    categories: [...categories],
    reports,
    priority,
    automated: isAutomated(body),
    openedAt,
    ...defined({ claimant: body.claimant, until: body.until }),
    ...defined({ closed: isOpen || !body.closure ? undefined : { ...body.closure } }),
  }
}

export type QueueInput = PageInput & {
  readonly state: 'open' | 'closed'
  readonly kind?: string
  readonly language?: string
  readonly category?: string
  readonly claimant?: string
  readonly automated?: boolean
}

/** The rarest first, which the index is walked by. */
const scopesOf = ({ state, kind, language, category, claimant, automated }: QueueInput): readonly string[] => [
  ...(claimant === undefined ? [] : [scopeOf.claimant(claimant)]),
  ...(category === undefined ? [] : [scopeOf.category(category)]),
  ...(language === undefined ? [] : [scopeOf.language(language)]),
  ...(automated === undefined ? [] : [scopeOf.automated(automated)]),
  ...(kind === undefined ? [] : [scopeOf.kind(kind)]),
  scopeOf.state(state),
]

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : typeof value === 'string' ? [value] : []

/** The accounts that a case names. */
export const peopleInCase = (shown: unknown): readonly string[] => {
  if (typeof shown !== 'object' || shown === null) return []
  const { authors, claimant, filed } = Object(shown)
  const reports: readonly unknown[] = Array.isArray(filed) ? filed : []
  const reporters = reports.flatMap(report => strings(Object(report).reporter))
  return [...strings(authors), ...strings(claimant), ...reporters]
}

/** What weighs most first, of that what waits longest. */
export const moderationQueue = (cases: View<CaseDocument>): Query<QueueInput, Page<CaseSummary>> => ({
  name: 'moderation-queue',
  permission: 'cases:work',
  output: QueueSchema,
  reads: [casesProjection],
  closed: ['state', 'kind', 'category', 'automated', 'limit'],
  people: peopleInCase,
  run: async input => {
    const { limit, after } = input
    const page = await cases.find(
      {
        where: [{ member: 'scopes', op: 'all', value: scopesOf(input) }],
        order: ['-priority', 'openedAt'],
        limit,
        ...keyOf(after),
      },
      after?.generation,
    )
    return { value: { items: page.documents.map(caseSummary), next: nextOf(page) }, position: page.position }
  },
})

export type CaseReads = {
  readonly cases: View<CaseDocument>
  readonly reports: View<ReportDocument>
  readonly streams: Pick<Transactor<CaseState, CaseEvent>, 'load'>
  readonly reportStreams: Pick<Transactor<ReportState, ReportEvent>, 'load'>
  readonly works: ModeratedWorks
  readonly decisions: View<DecisionDocument>
}

const SHOWN = 50
const DECISIONS_SHOWN = 20

/** What was decided about these authors before. */
const pastDecisions = async (
  decisions: View<DecisionDocument>,
  authors: readonly string[],
): Promise<CaseView['decisions']> => {
  if (authors.length === 0) return []
  const page = await decisions.find({
    where: [{ member: 'affected', op: 'any', value: authors.slice(0, MOST_AUTHORS) }],
    order: ['at'],
    backwards: true,
    limit: DECISIONS_SHOWN,
  })
  return page.documents.map(({ id, body: { at, state, isAutomated: automated, measures } }) => ({
    id,
    at,
    state,
    automated,
    measures: [...measures],
  }))
}
/** Of an entry that many have written. */
const MOST_AUTHORS = 20

const filedView = (id: string, state: ReportState, filing: Filing): CaseView['filed'][number] => {
  const { at, category, rule, weight, words, isGone, evidence } = filing
  return {
    id,
    reporter: state?.reporter ?? '',
    filedAt: at,
    filings: state?.filings.length ?? 0,
    category,
    ...defined({ rule }),
    weight,
    ...defined({ words }),
    selfDeleted: isGone,
    ...defined({
      evidence: evidence && {
        revision: evidence.revision,
        cut: evidence.isCut,
        ...defined({ text: evidence.text }),
      },
    }),
  }
}

/** With who reported it, what it said then, and what it says now: to moderators, and to none of them in their own case. */
export const getCase = (deps: CaseReads): Query<{ readonly id: string }, CaseView> => ({
  name: 'get-case',
  permission: 'cases:work',
  output: CaseSchema,
  reads: [casesProjection, reportsProjection, decisionsProjection],
  people: peopleInCase,
  run: async ({ id }, reader) => {
    const views = [deps.cases, deps.reports, deps.decisions]
    const position = views.map(view => view.position()).reduce((a, b) => (a < b ? a : b))
    const found = (await deps.cases.get([id])).get(id)
    if (!found) return refuse('case-not-found', 'There is no such case.')
    const { target } = found.body
    const moderator = reader.actor?.id ?? ''
    const { state } = await deps.streams.load(caseStream(id))
    const mine = (await deps.reportStreams.load(reportStreamOf(target, moderator))).state !== undefined
    const work = await deps.works(target)
    if (isOwnCase(state, moderator, mine) || work?.authors.includes(moderator))
      return refuse('case-own', 'It is about something of yours, or you have reported it: another moderator judges it.')
    const page = await deps.reports.find({
      where: [{ member: 'case', op: 'eq', value: id }],
      order: ['filedAt'],
      backwards: true,
      limit: SHOWN,
    })
    const filed = await Promise.all(
      page.documents.map(async document => {
        const { state: report } = await deps.reportStreams.load(reportStream(document.id))
        const last = report?.filings.at(-1)
        return last ? [filedView(document.id, report, last)] : []
      }),
    )
    const shown = caseSummary({ id, body: found.body })
    const reason = state?.closure?.reason
    return {
      value: {
        ...shown,
        ...defined({ closed: shown.closed && { ...shown.closed, ...defined({ reason }) } }),
        filed: filed.flat(),
        decisions: await pastDecisions(deps.decisions, found.body.authors),
        ...defined({ now: work && { text: work.text, revision: work.revision, gone: work.isGone } }),
      },
      position,
    }
  },
})

/** The newest first, with how they ended. */
export const ownReports = (reports: View<ReportDocument>): Query<PageInput, Page<Static<typeof OwnReportSchema>>> => ({
  name: 'own-reports',
  permission: 'account:read',
  output: OwnReportsSchema,
  reads: [reportsProjection],
  closed: ['limit'],
  run: async ({ limit, after }, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const page = await reports.find(
      {
        where: [{ member: 'reporter', op: 'eq', value: account }],
        order: ['filedAt'],
        backwards: true,
        limit,
        ...keyOf(after),
      },
      after?.generation,
    )
    const items = page.documents.map(({ id, body }) => {
      const { target, category, filedAt, filings, outcome, outcomeAt } = body
      return { id, target: { ...target }, category, filedAt, filings, ...defined({ outcome, outcomeAt }) }
    })
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})
