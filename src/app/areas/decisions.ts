/** What moderators decide about what people write, and appeals against it. */
import { decisionProblems } from '../../adapters/http/problems/decisions.ts'
import { decisionQueryRoutes } from '../../adapters/http/routes/decision-reading.ts'
import { decisionRoutes } from '../../adapters/http/routes/decisions.ts'
import { accountAggregate } from '../../domain/account/account.ts'
import { appealAggregate } from '../../domain/moderation/appeal.ts'
import { AppealClosed, AppealDecided, AppealQuestionAsked } from '../../domain/moderation/appeal-events.ts'
import { decisionAggregate } from '../../domain/moderation/decision.ts'
import { decisionPermissions } from '../../domain/moderation/decision-permissions.ts'
import { StatementGiven, StatementWithdrawn, statementAggregate } from '../../domain/moderation/statement-given.ts'
import { appealsProjection } from '../../projections/appeals.ts'
import { decisionsProjection } from '../../projections/decisions.ts'
import { transparencyProjection } from '../../projections/transparency.ts'
import { getDecision, listAppeals, listDecisions, ownDecision, ownDecisions } from '../../queries/decisions.ts'
import { transparency } from '../../queries/transparency.ts'
import { appealSubscriber } from '../../subscribers/appeals.ts'
import { decisionSubscriber } from '../../subscribers/decisions.ts'
import type { Area } from '../area.ts'
import type { Core } from '../core.ts'
import { openMeasures } from '../measures.ts'
import { openModeratedWorks } from '../moderated-works.ts'

const streamsIn = ({ transactor }: Pick<Core, 'transactor'>) => ({
  decisions: transactor(decisionAggregate),
  appeals: transactor(appealAggregate),
  statements: transactor(statementAggregate),
})

export const decisions: Area = {
  name: 'decisions',
  aggregates: [decisionAggregate, appealAggregate, statementAggregate],
  projections: [decisionsProjection, appealsProjection, transparencyProjection],
  removals: [{ type: AppealClosed }],
  permissions: decisionPermissions,
  problems: decisionProblems,
  notices: [{ events: [StatementGiven, StatementWithdrawn, AppealQuestionAsked, AppealDecided] }],
  subscribers: ({ core }) => {
    const { clock } = core
    const streams = streamsIn(core)
    return [
      decisionSubscriber({ ...streams, carryOut: openMeasures(core), clock }),
      appealSubscriber({ ...streams, clock }),
    ]
  },
  routes: ({ core, views }) => {
    const streams = streamsIn(core)
    const deps = { ...streams, works: openModeratedWorks(core), accounts: core.transactor(accountAggregate) }
    const reads = {
      ...streams,
      log: core.log,
      documents: views.of(decisionsProjection),
      openAppeals: views.of(appealsProjection),
    }
    const queries = {
      listDecisions: listDecisions(reads),
      getDecision: getDecision(reads),
      ownDecisions: ownDecisions(reads),
      ownDecision: ownDecision(reads),
      listAppeals: listAppeals(reads),
      transparency: transparency({ transparency: views.of(transparencyProjection) }),
    }
    return edge => [...decisionRoutes(deps, edge), ...decisionQueryRoutes(queries, edge)]
  },
}
