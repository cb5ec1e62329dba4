/** What people are told by mail of their reports, and moderators of the cases that they have claimed. No mail says what it is about. */
import { caseCategory, caseIdOf } from '../domain/moderation/case.ts'
import { CaseReminded } from '../domain/moderation/case-events.ts'
import { reportCategory } from '../domain/moderation/report.ts'
import { ReportFiled, ReportOutcomeTold, reportOutcomes } from '../domain/moderation/report-events.ts'
import type { MailRule } from './mail.ts'

export type ReportMailDeps = {
  readonly publicUrl: () => string
  /** Where to write to no longer get them. */
  readonly from: string
  /** Does the account want to be told of reports, and is anybody there to be told? */
  readonly wantsReports: (accountId: string) => Promise<boolean>
}

export const reportRules = ({ publicUrl, from, wantsReports }: ReportMailDeps): readonly MailRule[] => {
  const unsubscribe = (): string => `mailto:${from}?subject=unsubscribe`
  const ofReport = (type: string, template: string, isMeant: (data: Readonly<Record<string, unknown>>) => boolean) => ({
    type,
    category: reportCategory,
    template,
    to: ({ data }: { readonly data: Readonly<Record<string, unknown>> }) =>
      isMeant(data) ? [`account:${String(data['reporter'])}`] : [],
    still: ({ data }: { readonly data: Readonly<Record<string, unknown>> }) => wantsReports(String(data['reporter'])),
    data: () => ({ url: `${publicUrl()}/v1/me/reports` }),
    unsubscribe,
  })
  return [
    ofReport(ReportFiled.type, 'report-received', () => true),
    ...reportOutcomes.map(outcome =>
      ofReport(ReportOutcomeTold.type, `report-${outcome}`, data => data['outcome'] === outcome),
    ),
    {
      type: CaseReminded.type,
      category: caseCategory,
      template: 'case-reminder',
      to: ({ data }) => [`account:${String(data['claimant'])}`],
      still: ({ data }) => wantsReports(String(data['claimant'])),
      data: event => ({ url: `${publicUrl()}/v1/moderation/cases/${caseIdOf(event)}` }),
      unsubscribe,
    },
  ]
}
