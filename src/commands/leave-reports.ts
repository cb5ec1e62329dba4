/**
 * What becomes of reports when the account of who filed them is erased: what they said goes, and the reports stay as numbers. Their key goes
 * too; this takes the words out of what nodes have in memory.
 */
import type { Log } from '../core/log/log.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { leaveReport, type ReportState } from '../domain/moderation/report.ts'
import { type ReportEvent, ReportFiled } from '../domain/moderation/report-events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { sinceAccount } from './since-account.ts'

export type LeavingReportsDeps = {
  readonly reports: Pick<Transactor<ReportState, ReportEvent>, 'run'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
}

/** `by`: an envelope of its own for each command. */
export const leaveReports = async (
  { reports, log }: LeavingReportsDeps,
  accountId: string,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  const streams = new Set<string>()
  for await (const { stream, data } of sinceAccount(log, accountId, [ReportFiled.type]))
    if (data['reporter'] === accountId) streams.add(stream)
  for (const stream of streams) {
    const left = await reports.run(stream, leaveReport, by())
    if (isRefusal(left)) return left
  }
  return 'done'
}
