/**
 * What becomes of reports when the account of who filed them is erased: what they said goes, and the reports stay as numbers. Their key goes
 * too; this takes the words out of what nodes have in memory.
 */
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { leaveReport, type ReportState } from '../domain/moderation/report.ts'
import type { ReportEvent } from '../domain/moderation/report-events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Belongings } from './belongings.ts'

export type LeavingReportsDeps = { readonly reports: Pick<Transactor<ReportState, ReportEvent>, 'run'> }

/** `by`: an envelope of its own for each command. */
export const leaveReports = async (
  deps: LeavingReportsDeps,
  { reports }: Pick<Belongings, 'reports'>,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of reports) {
    const left = await deps.reports.run(stream, leaveReport, by())
    if (isRefusal(left)) return left
  }
  return 'done'
}
