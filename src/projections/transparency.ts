/**
 * What was reported, decided and appealed in a year (UTC): numbers alone, which name nobody. A year has one document; each event counts in the
 * year in which it happened, so that a decision of December that is overturned in January stands in both.
 */
import { projection } from '../core/project/define.ts'
import type { Recorded } from '../domain/event.ts'
import { appealCategory } from '../domain/moderation/appeal.ts'
import { AppealClosed, AppealDecided, type AppealEvent, AppealFiled } from '../domain/moderation/appeal-events.ts'
import { decisionCategory } from '../domain/moderation/decision.ts'
import { type DecisionEvent, DecisionOverturned, DecisionTaken } from '../domain/moderation/decision-events.ts'
import { reportCategory } from '../domain/moderation/report.ts'
import { type ReportEvent, ReportFiled } from '../domain/moderation/report-events.ts'

type Counts = Readonly<Record<string, number>>

/** Counts that are 0 are absent. `measures`: of all decisions together, one may have several. */
export type CategoryFigures = { readonly decisions: number; readonly measures: Counts }
export type TransparencyDocument = {
  readonly year: string
  readonly decisions: number
  readonly categories: Readonly<Record<string, CategoryFigures>>
  readonly measures: Counts
  readonly automations: Counts
  readonly grounds: Counts
  readonly sources: Counts
  readonly overturned: Counts
  readonly appeals: Counts
  readonly reports: Counts
}

type Counted = Extract<
  AppealEvent | DecisionEvent | ReportEvent,
  {
    type: 'DecisionTaken' | 'DecisionOverturned' | 'AppealFiled' | 'AppealDecided' | 'AppealClosed' | 'ReportFiled'
  }
>
const counted = [DecisionTaken, DecisionOverturned, AppealFiled, AppealDecided, AppealClosed, ReportFiled] as const
const names: ReadonlySet<string> = new Set(counted.map(({ type }) => type))
const isCounted = (event: Recorded): event is Recorded<Counted> => names.has(event.type)

/** Of the names of closed lists alone: what is counted never comes from people. */
const raised = (counts: Counts, ...kinds: readonly string[]): Counts => {
  const next: Record<string, number> = { ...counts }
  for (const kind of kinds) next[kind] = (next[kind] ?? 0) + 1
  return next
}

/** The document of a year in which nothing was counted. */
export const nothingIn = (year: string): TransparencyDocument => ({
  year,
  decisions: 0,
  categories: {},
  measures: {},
  automations: {},
  grounds: {},
  sources: {},
  overturned: {},
  appeals: {},
  reports: {},
})

const withDecision = (
  document: TransparencyDocument,
  { measures, statement }: Extract<DecisionEvent, { type: 'DecisionTaken' }>['data'],
): TransparencyDocument => {
  const { category, automation, ground, source } = statement
  const { [category]: known = { decisions: 0, measures: {} } } = document.categories
  const kinds = measures.map(({ measure }) => measure)
  const figures = { decisions: known.decisions + 1, measures: raised(known.measures, ...kinds) }
  return {
    ...document,
    decisions: document.decisions + 1,
    categories: { ...document.categories, [category]: figures },
    measures: raised(document.measures, ...kinds),
    automations: raised(document.automations, automation),
    grounds: raised(document.grounds, ground),
    sources: raised(document.sources, source),
  }
}

const after = (document: TransparencyDocument, event: Recorded<Counted>): TransparencyDocument => {
  switch (event.type) {
    case 'DecisionTaken':
      return withDecision(document, event.data)
    case 'DecisionOverturned':
      return { ...document, overturned: raised(document.overturned, event.data.through) }
    case 'AppealFiled':
      return { ...document, appeals: raised(document.appeals, 'filed') }
    case 'AppealDecided':
      return { ...document, appeals: raised(document.appeals, event.data.outcome) }
    case 'AppealClosed':
      return { ...document, appeals: raised(document.appeals, 'closed') }
    case 'ReportFiled':
      return { ...document, reports: raised(document.reports, event.data.category) }
  }
}

/** The calendar year of UTC in which it was decided; a copy of the log keeps it, unlike the time of recording. */
const yearOf = ({ meta: { at } }: Recorded): string => at.slice(0, 4)

export const transparencyProjection = projection<TransparencyDocument>({
  name: 'transparency',
  version: 1,
  categories: [decisionCategory, appealCategory, reportCategory],
  types: [...names],
  indexes: [],
  key: yearOf,
  evolve: (document, event, year) => (isCounted(event) ? after(document ?? nothingIn(year), event) : document),
})
