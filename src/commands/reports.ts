/** Reporting something to the moderators. What it is about is another stream: it is looked at first, with whether its reporter may see it. */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import { fileReport as decide, type ReportState, reportStreamOf } from '../domain/moderation/report.ts'
import type { ReportCategory, ReportEvent } from '../domain/moderation/report-events.ts'
import type { Moderated, ModeratedWorks } from '../domain/moderation/target.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Permission } from '../domain/roles.ts'

/** Who reports. */
export type ReporterOf = {
  readonly account: string
  readonly permissions: ReadonlySet<Permission>
  readonly adult?: boolean
}

export type ReportDeps = {
  readonly reports: Pick<Transactor<ReportState, ReportEvent>, 'run'>
  readonly works: ModeratedWorks
  /** Why this account cannot see it, where it cannot. */
  readonly unseen: (target: Moderated, who: ReporterOf, now: Date) => Promise<Refusal | undefined>
  /** How much a report of this account counts for now. */
  readonly weight: (who: ReporterOf, now: Date) => Promise<number>
  /** Seconds to wait where this is one too many, of the day or about these people; counts it otherwise. */
  readonly wait: (who: ReporterOf, authors: readonly string[]) => Promise<number | undefined>
}

export type NewReport = {
  readonly target: Moderated
  readonly category: ReportCategory
  readonly rule?: string
  readonly words?: string
}

const tooMany = (seconds: number): Refusal =>
  refuse('reports-too-many', 'You have reported as much as is taken within a day.', { context: { seconds } })

/** Refuses with what is there for those who may not see it, report-not-possible, report-repeated, reports-too-many, text-invalid. */
export const fileReport = async (
  deps: ReportDeps,
  who: ReporterOf,
  { target, category, rule, words }: NewReport,
  envelope: Envelope,
): Promise<Result<ReportState>> => {
  const stream = reportStreamOf(target, who.account)
  const unseen = await deps.unseen(target, who, envelope.at)
  const work = unseen ? undefined : await deps.works(target)
  // Repeated it is answered as at first, whatever became of what it is about.
  if (!work) {
    const refusal = unseen ?? refuse('moderated-not-found', 'There is no such thing, or it is not for you to see.')
    return deps.reports.run(stream, () => refusal, envelope)
  }
  const weight = await deps.weight(who, envelope.at)
  const filed = { reporter: who.account, work, category, weight, ...defined({ rule, words }) }
  const file = decide(filed, envelope.at)
  const would = await deps.reports.run(stream, file, { ...envelope, dryRun: true })
  if (isRefusal(would) || envelope.dryRun) return would
  // What is refused, or was filed before, is not counted.
  const seconds = would.events.length > 0 ? await deps.wait(who, work.authors) : undefined
  return seconds === undefined ? deps.reports.run(stream, file, envelope) : tooMany(seconds)
}
