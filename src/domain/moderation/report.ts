/** What one person reports of one thing, however often: when, why, and what it said then; and how it ended. */
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { reportId, streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import { readText } from '../text/text.ts'
import { type ReportCategory, type ReportEvent, type ReportOutcome, reportEvents } from './report-events.ts'
import { AGAIN_HOURS, EVIDENCE_LENGTH, REPORT_WORDS } from './report-limits.ts'
import type { ReportRefusal } from './report-refusals.ts'
import { type Moderated, type ModeratedWork, moderatedKey } from './target.ts'

// Stream

export const reportCategory = 'report'
export const reportStream = (id: string): string => streamName(reportCategory, id)
/** One for each target and reporter: ten thousand who report the same never wait for one another. */
export const reportStreamOf = (target: Moderated, reporter: string): string =>
  reportStream(reportId(moderatedKey(target), reporter))
export const reportIdOf = ({ stream }: { readonly stream: string }): string => stream.slice(reportCategory.length + 1)

// Events: src/domain/moderation/report-events.ts

// Fold

/** `at`: RFC 3339. `words`: absent once its reporter was erased. */
export type Filing = {
  readonly at: string
  readonly category: ReportCategory
  readonly rule?: string
  readonly revision: string
  readonly weight: number
  readonly isGone: boolean
  readonly words?: string
  readonly evidence?: Evidence
}
/** `text`: absent once it was destroyed. */
export type Evidence = { readonly revision: string; readonly isCut: boolean; readonly text?: string }

/** `told`: of so many filings its reporter knows how they ended; `outcome`: how, of the last of those. */
export type Report = {
  readonly reporter: string
  readonly target: Moderated
  readonly filings: readonly Filing[]
  readonly told: number
  readonly outcome?: { readonly round: number; readonly outcome: ReportOutcome; readonly at: string }
}
export type ReportState = Report | undefined

const filingOf = (event: Recorded<Extract<ReportEvent, { type: 'ReportFiled' }>>): Filing => {
  const { category, rule, revision, weight, isGone, words } = event.data
  return {
    at: event.meta.at,
    category,
    ...defined({ rule }),
    revision,
    weight,
    isGone,
    ...defined({ words: event.removed ? undefined : words }),
  }
}

/** The report after the event. An event that cannot follow leaves it as it is; nothing throws. */
export const evolveReport = (report: ReportState, event: Recorded<ReportEvent>): ReportState => {
  if (event.type === 'ReportFiled') {
    const { reporter, target } = event.data
    const before = report ?? { reporter, target, filings: [], told: 0 }
    return { ...before, filings: [...before.filings, filingOf(event)] }
  }
  if (!report) return undefined
  switch (event.type) {
    case 'EvidenceKept': {
      const last = report.filings.at(-1)
      if (!last) return report
      const { revision, isCut, text } = event.data
      const evidence: Evidence = { revision, isCut, ...defined({ text: event.removed ? undefined : text }) }
      return { ...report, filings: [...report.filings.slice(0, -1), { ...last, evidence }] }
    }
    case 'ReportOutcomeTold': {
      const { round, outcome, filings } = event.data
      return { ...report, told: filings, outcome: { round, outcome, at: event.meta.at } }
    }
    case 'EvidenceDestroyed':
      return {
        ...report,
        filings: report.filings.map(({ evidence, ...filing }) => ({
          ...filing,
          ...defined({ evidence: evidence && { revision: evidence.revision, isCut: evidence.isCut } }),
        })),
      }
    case 'ReporterLeft':
      return { ...report, filings: report.filings.map(({ words: _, ...filing }) => filing) }
    default:
      return report
  }
}

const CHARACTER_BYTES = 2
const BESIDE_BYTES = 1_000

export const reportAggregate: Aggregate<ReportState, ReportEvent> = {
  category: reportCategory,
  events: reportEvents,
  initial: undefined,
  evolve: evolveReport,
  route: report => ({ visibility: 'owner', ...defined({ owner: report?.reporter }) }),
  weigh: report =>
    (report?.filings ?? []).reduce(
      (sum, { words = '', evidence }) =>
        sum + BESIDE_BYTES + CHARACTER_BYTES * (words.length + (evidence?.text?.length ?? 0)),
      BESIDE_BYTES,
    ),
  isAskedForByAnybody: true,
}

// Decide

export type Filed = {
  readonly reporter: string
  /** As it stands, with whose it is and what it says. */
  readonly work: ModeratedWork
  readonly category: ReportCategory
  readonly rule?: string
  readonly words?: string
  readonly weight: number
}

const HOUR_MS = 60 * 60 * 1000

const readWords = (given: string | undefined) => {
  if (given === undefined || given.trim() === '') return { words: undefined }
  const { text: words, fault } = readText(given.trim(), { max: REPORT_WORDS, multiline: true })
  return fault === undefined
    ? { words }
    : refuse('text-invalid', fault, { errors: [{ pointer: '/words', code: 'text-invalid', detail: fault }] })
}

/** So much of it as is kept. */
const evidenceOf = (text: string): { readonly kept: string; readonly isCut: boolean } => {
  const characters = [...text]
  const isCut = characters.length > EVIDENCE_LENGTH
  return { kept: isCut ? characters.slice(0, EVIDENCE_LENGTH).join('') : text, isCut }
}

/** Does it still say what it said? What held it back, or let it go, has counted its revisions on. */
const isSame = ({ evidence, revision }: Filing, work: Pick<ModeratedWork, 'revision'>, kept: string): boolean =>
  evidence?.text === undefined ? revision === work.revision : evidence.text === kept

/** Once for what it says now; again when it says something else, or a day later. */
export const fileReport =
  (
    { reporter, work, category, rule, words: given, weight }: Filed,
    now: Date,
  ): Decide<ReportState, ReportEvent, ReportRefusal> =>
  report => {
    const read = readWords(given)
    if ('refused' in read) return read
    if (work.authors.includes(reporter)) return refuse('report-not-possible', 'It is yours: nobody reports themselves.')
    const last = report?.filings.at(-1)
    const nextMs = last === undefined ? 0 : Date.parse(last.at) + AGAIN_HOURS * HOUR_MS - now.getTime()
    const { kept, isCut } = evidenceOf(work.text)
    if (last && nextMs > 0 && isSame(last, work, kept))
      return refuse('report-repeated', 'You have reported it as it stands: it is looked at.', {
        context: { seconds: Math.ceil(nextMs / 1000) },
      })
    const { target, authors, revision, language, isGone } = work
    const filed: ReportEvent = {
      type: 'ReportFiled',
      data: {
        reporter,
        target,
        authors: [...authors],
        category,
        ...defined({ rule }),
        revision,
        ...defined({ language }),
        weight,
        isGone,
        ...defined({ words: read.words }),
      },
    }
    if (kept === '') return [filed]
    return [filed, { type: 'EvidenceKept', data: { revision, isCut, text: kept } }]
  }

/** Tells its reporter, once for what they have reported by then. */
export const tellOutcome =
  (round: number, outcome: ReportOutcome): Decide<ReportState, ReportEvent, never> =>
  report => {
    if (!report || report.told >= report.filings.length) return []
    const { reporter, target, filings } = report
    return [{ type: 'ReportOutcomeTold', data: { reporter, target, round, outcome, filings: filings.length } }]
  }

/** With the account of its reporter. Repeating it is harmless. */
export const leaveReport: Decide<ReportState, ReportEvent, never> = report =>
  report?.filings.some(({ words }) => words !== undefined)
    ? [{ type: 'ReporterLeft', data: { reporter: report.reporter } }]
    : []

/** Ends what was kept for this round. What was reported again since is kept for the round after it, with all before. */
export const destroyEvidence =
  (round: number): Decide<ReportState, ReportEvent, never> =>
  report => {
    if (!report || report.told < report.filings.length || report.outcome?.round !== round) return []
    return report.filings.some(({ evidence }) => evidence?.text !== undefined)
      ? [{ type: 'EvidenceDestroyed', data: { round } }]
      : []
  }
