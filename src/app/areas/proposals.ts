/** Proposals to entries, and the reputation that comes of them. */
import { proposalProblems } from '../../adapters/http/problems/proposals.ts'
import { proposalQueryRoutes } from '../../adapters/http/routes/proposal-reading.ts'
import { proposalRoutes } from '../../adapters/http/routes/proposals.ts'
import { openView } from '../../core/project/view.ts'
import { entryAggregate } from '../../domain/entry/state.ts'
import { ProposalRemoved } from '../../domain/proposal/events.ts'
import { outcomeAggregate, ProposalOutcomeTold } from '../../domain/proposal/notice.ts'
import { proposalPermissions } from '../../domain/proposal/permissions.ts'
import { proposalAggregate } from '../../domain/proposal/proposal.ts'
import { proposalsProjection } from '../../projections/proposals.ts'
import { relationsProjection } from '../../projections/relations.ts'
import { reputationGainsProjection, reputationProjection } from '../../projections/reputation.ts'
import { getProposal, listProposals } from '../../queries/proposals.ts'
import { reputation, reputationGains } from '../../queries/reputation.ts'
import { proposalNoticeSubscriber } from '../../subscribers/proposal-notices.ts'
import { proposalExpiryJobs, proposalExpirySubscriber, proposalSubscriber } from '../../subscribers/proposals.ts'
import type { Area } from '../area.ts'
import { openProposals } from '../proposals.ts'
import { openWants } from '../wanted-notices.ts'

export const proposals: Area = {
  name: 'proposals',
  aggregates: [proposalAggregate, outcomeAggregate],
  projections: [proposalsProjection, reputationProjection, reputationGainsProjection],
  removals: [{ type: ProposalRemoved }],
  permissions: proposalPermissions,
  problems: proposalProblems,
  notices: [{ events: [ProposalOutcomeTold], unless: 'proposals' }],
  subscribers: ({ core }) => {
    const { reads: store, clock, freshness, transactor, jobs, log } = core
    return [
      proposalSubscriber({
        proposals: transactor(proposalAggregate),
        entries: transactor(entryAggregate),
        view: openView({ projection: proposalsProjection, store, clock, freshness }),
        clock,
      }),
      proposalExpirySubscriber(jobs),
      proposalNoticeSubscriber({
        log,
        notices: transactor(outcomeAggregate),
        wantsProposals: openWants(core, 'proposals'),
        clock,
      }),
    ]
  },
  jobs: ({ transactor, clock, newId }) => [
    proposalExpiryJobs({ proposals: transactor(proposalAggregate), clock, newId }),
  ],
  routes: ({ core, config, views }) => {
    const standing = views.of(reputationProjection)
    const gains = views.of(reputationGainsProjection)
    const reads = { proposals: views.of(proposalsProjection), relations: views.of(relationsProjection) }
    const own = 'account:read'
    const queries = {
      getProposal: getProposal({
        proposals: core.transactor(proposalAggregate),
        entries: core.transactor(entryAggregate),
      }),
      listProposals: listProposals(reads, 'list-proposals'),
      ofEntry: listProposals(reads, 'list-entry-proposals'),
      ownReputation: reputation(standing, { name: 'own-reputation', permission: own }),
      reputation: reputation(standing, { name: 'account-reputation', permission: 'proposals:read' }),
      ownGains: reputationGains(gains, { name: 'own-reputation-gains', permission: own }),
      gains: reputationGains(gains, { name: 'account-reputation-gains', permission: 'proposals:read' }),
    }
    const deps = openProposals(core, standing, config.limits.newComments)
    return edge => [...proposalRoutes(deps, edge), ...proposalQueryRoutes(queries, edge)]
  },
}
