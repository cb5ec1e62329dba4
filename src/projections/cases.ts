/** The queue of cases, reports by whoever filed them and by what they are about, and how right reporters were. None of them holds what people wrote. */
import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { type Case, caseAggregate, caseCategory, caseIdOf, caseKeyOf, priorityOf } from '../domain/moderation/case.ts'
import { type CaseEvent, caseEvents } from '../domain/moderation/case-events.ts'
import { reportCategory, reportIdOf } from '../domain/moderation/report.ts'
import {
  type ReportCategory,
  type ReportEvent,
  type ReportOutcome,
  ReportOutcomeTold,
  reportEvents,
} from '../domain/moderation/report-events.ts'
import type { Moderated } from '../domain/moderation/target.ts'

const caseTypes: ReadonlySet<string> = new Set(caseEvents.map(({ type }) => type))
const isCaseEvent = (event: Recorded): event is Recorded<CaseEvent> => caseTypes.has(event.type)
const reportTypes: ReadonlySet<string> = new Set(reportEvents.map(({ type }) => type))
const isReportEvent = (event: Recorded): event is Recorded<ReportEvent> => reportTypes.has(event.type)

/**
 * `scopes`: all that it is found by beside its place in the queue, each with a word for what it is. `priority` and `openedAt`: that place. `claimant` and
 * `until`: whose it is, as long as it is.
 */
export type CaseDocument = Omit<Case, 'closure' | 'claim'> & {
  readonly closure?: Omit<NonNullable<Case['closure']>, 'reason' | 'said'>
  readonly scopes: readonly string[]
  readonly priority: number
  readonly claimedAt?: string
  readonly claimant?: string
  readonly until?: string
}

/** What a case is looked for by. */
export const scopeOf = {
  state: (state: 'open' | 'closed'): string => `state ${state}`,
  kind: (kind: string): string => `kind ${kind}`,
  language: (language: string): string => `language ${language}`,
  category: (category: string): string => `category ${category}`,
  claimant: (account: string): string => `claimant ${account}`,
  automated: (isAutomated: boolean): string => `automated ${isAutomated}`,
} as const

/** Held back by no person, or looked at because of a step of the pipeline. */
export const isAutomated = ({ holds, source }: Pick<Case, 'holds' | 'source'>): boolean =>
  holds.length > 0 || source === 'pipeline'

const placed = (known: Case): CaseDocument => {
  const { closure, claim, ...rest } = known
  const { reason: _, said: _s, ...ended } = closure ?? { because: 'gone', at: '' }
  const { target, language, categories, isOpen } = known
  return {
    ...rest,
    ...defined({ closure: closure && ended }),
    priority: priorityOf(known),
    scopes: [
      scopeOf.state(isOpen ? 'open' : 'closed'),
      scopeOf.kind(target.kind),
      scopeOf.automated(isAutomated(known)),
      ...categories.map(scopeOf.category),
      ...(language === undefined ? [] : [scopeOf.language(language)]),
      ...(claim ? [scopeOf.claimant(claim.by)] : []),
    ],
    ...defined({ claimedAt: claim?.at, claimant: claim?.by, until: claim?.until }),
  }
}

/** The state that the document was made of, as far as the fold needs it. */
const stateOf = (document: CaseDocument): Case => {
  const { scopes: _s, priority: _p, claimant, until, claimedAt, ...known } = document
  const claim = claimant !== undefined && until !== undefined ? { by: claimant, at: claimedAt ?? '', until } : undefined
  return { ...known, ...defined({ claim }) }
}

export const casesProjection = projection<CaseDocument>({
  name: 'cases',
  version: 1,
  categories: [caseCategory],
  indexes: [
    { name: 'queue', on: ['scopes', '-priority', 'openedAt'], terms: 'scopes' },
    { name: 'claims', on: ['claimant', 'until'] },
  ],
  key: event => (isCaseEvent(event) ? caseIdOf(event) : []),
  evolve: (document, event) => {
    if (!isCaseEvent(event)) return document
    const known = caseAggregate.evolve(document && stateOf(document), event)
    return known && placed(known)
  },
})

/** `case`: the key of what it is about. */
export type ReportDocument = {
  readonly reporter: string
  readonly target: Moderated
  readonly case: string
  readonly category: ReportCategory
  readonly filedAt: string
  readonly filings: number
  readonly weight: number
  readonly outcome?: ReportOutcome
  readonly outcomeAt?: string
}

export const reportsProjection = projection<ReportDocument>({
  name: 'reports',
  version: 1,
  categories: [reportCategory],
  indexes: [
    { name: 'own', on: ['reporter', 'filedAt'] },
    { name: 'case', on: ['case', 'filedAt'] },
  ],
  key: event => (isReportEvent(event) ? reportIdOf(event) : []),
  evolve: (document, event) => {
    if (!isReportEvent(event)) return document
    if (event.type === 'ReportFiled') {
      const { reporter, target, category, weight } = event.data
      const filings = (document?.filings ?? 0) + 1
      return { reporter, target, case: caseKeyOf(target), category, filedAt: event.meta.at, filings, weight }
    }
    if (!document || event.type !== 'ReportOutcomeTold') return document
    const { outcome, filings } = event.data
    return filings < document.filings ? document : { ...document, outcome, outcomeAt: event.meta.at }
  },
})

/** How the reports of an account ended, once for each time that it was told. */
export type ReporterDocument = { readonly upheld: number; readonly dismissed: number }

export const reportersProjection = projection<ReporterDocument>({
  name: 'reporters',
  version: 1,
  categories: [reportCategory],
  types: [ReportOutcomeTold.type],
  indexes: [],
  key: ({ data }) => String(data['reporter']),
  evolve: (document = { upheld: 0, dismissed: 0 }, event) => {
    const { upheld, dismissed } = document
    switch (event.data['outcome']) {
      case 'upheld':
        return { upheld: upheld + 1, dismissed }
      case 'dismissed':
        return { upheld, dismissed: dismissed + 1 }
      default:
        return document
    }
  },
})
