/** What people report, and the queue in which moderators judge it. */
import { reportProblems } from '../../adapters/http/problems/reports.ts'
import { moderationRoutes } from '../../adapters/http/routes/reports.ts'
import { openOwner } from '../../adapters/http/routes/shelf.ts'
import { operator } from '../../commands/tokens.ts'
import { accountAggregate, accountStream } from '../../domain/account/account.ts'
import { isIdle } from '../../domain/account/standing.ts'
import { caseAggregate } from '../../domain/moderation/case.ts'
import * as decide from '../../domain/moderation/case-decisions.ts'
import { CaseReminded, CaseReported } from '../../domain/moderation/case-events.ts'
import { decisionAggregate } from '../../domain/moderation/decision.ts'
import { destroyEvidence, reportAggregate, reportStream } from '../../domain/moderation/report.ts'
import { EvidenceDestroyed, ReportFiled, ReportOutcomeTold } from '../../domain/moderation/report-events.ts'
import { reportPermissions } from '../../domain/moderation/report-permissions.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import { casesProjection, reportersProjection, reportsProjection } from '../../projections/cases.ts'
import { decisionsProjection } from '../../projections/decisions.ts'
import { getCase, moderationQueue, ownReports } from '../../queries/cases.ts'
import { moderationChannel } from '../../subscribers/case-channel.ts'
import { type CaseTimes, caseJobs, caseTimesSubscriber } from '../../subscribers/case-times.ts'
import {
  closedCasesSubscriber,
  heldCommentsSubscriber,
  reportedCasesSubscriber,
  settledCasesSubscriber,
} from '../../subscribers/cases.ts'
import type { Area } from '../area.ts'
import type { Core } from '../core.ts'
import { roleRightsOf } from '../declared.ts'
import { openModeratedWorks } from '../moderated-works.ts'
import { openReportWait, openUnseen, openWeight } from '../report-sight.ts'

const streamsOf = ({ transactor }: Pick<Core, 'transactor'>) => ({
  cases: transactor(caseAggregate),
  reports: transactor(reportAggregate),
})

/** May this account work on cases now? */
const openIsModerator =
  ({ transactor, areas }: Pick<Core, 'transactor' | 'areas'>) =>
  async (accountId: string, now: Date): Promise<boolean> => {
    const { state: account } = await transactor(accountAggregate).load(accountStream(accountId))
    if (!account || isIdle(account)) return false
    const rights = roleRightsOf(areas)
    return account.grants.some(
      ({ role, languages, expiresAt }) =>
        languages === undefined &&
        (expiresAt === undefined || now.getTime() < Date.parse(expiresAt)) &&
        rights.of(role).has('cases:work'),
    )
  }

/** What is due of cases, each by a command of its own; one that was done changes nothing. */
const openTimes = (core: Pick<Core, 'transactor' | 'clock' | 'newId' | 'log'>): CaseTimes => {
  const { cases, reports } = streamsOf(core)
  const envelope = () => {
    const commandId = core.newId()
    return { commandId, actor: operator, correlationId: commandId, at: core.clock.now() }
  }
  const must = (done: object | Refusal): void => {
    if (isRefusal(done)) throw new Error(`what was due of a case was not done: ${done.refused}`)
  }
  return {
    remind: async (stream, until) => must(await cases.run(stream, decide.remindClaimant(until), envelope())),
    end: async (stream, until) => must(await cases.run(stream, decide.endClaim(until), envelope())),
    destroy: async (stream, round) => {
      const ids = new Set<string>()
      for await (const page of core.log.readStream(stream))
        for (const { type, data } of page) if (type === CaseReported.type) ids.add(String(data['report']))
      for (const id of ids) must(await reports.run(reportStream(id), destroyEvidence(round), envelope()))
    },
  }
}

export const reports: Area = {
  name: 'reports',
  aggregates: [reportAggregate, caseAggregate],
  projections: [casesProjection, reportsProjection, reportersProjection],
  removals: [{ type: EvidenceDestroyed, onlyBefore: true }],
  channels: [moderationChannel],
  permissions: reportPermissions,
  problems: reportProblems,
  notices: [{ events: [ReportFiled, ReportOutcomeTold, CaseReminded], unless: 'reports' }],
  subscribers: ({ core }) => {
    const deps = {
      ...streamsOf(core),
      decisions: core.transactor(decisionAggregate),
      accounts: core.transactor(accountAggregate),
      works: openModeratedWorks(core),
      log: core.log,
      clock: core.clock,
      hideWeight: core.moderation.hideWeight,
    }
    return [
      reportedCasesSubscriber(deps),
      closedCasesSubscriber(deps),
      settledCasesSubscriber(deps),
      heldCommentsSubscriber(deps),
      caseTimesSubscriber(core.jobs),
    ]
  },
  jobs: core => caseJobs(openTimes(core)),
  routes: ({ core, config, views, running: { people } }) => {
    const { cases, reports: filed } = streamsOf(core)
    const works = openModeratedWorks(core)
    const reporters = views.of(reportersProjection)
    const documents = {
      cases: views.of(casesProjection),
      reports: views.of(reportsProjection),
      decisions: views.of(decisionsProjection),
    }
    const verdicts = async (id: string) => (await reporters.get([id])).get(id)?.body ?? { upheld: 0, dismissed: 0 }
    return moderationRoutes(
      {
        reports: {
          reports: filed,
          works,
          unseen: openUnseen(core),
          weight: openWeight(core, verdicts),
          wait: openReportWait(core, config.limits),
        },
        cases: { cases, reports: filed, works, isModerator: openIsModerator(core) },
        reporterOf: openOwner(people),
      },
      {
        queue: moderationQueue(documents.cases),
        one: getCase({ ...documents, streams: cases, reportStreams: filed, works }),
        own: ownReports(documents.reports),
      },
    )
  },
}
