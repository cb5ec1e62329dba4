/** What proposing and judging stand on: streams, the events of entries, what somebody's word weighs. */
import type { ProposalDeps } from '../commands/proposals.ts'
import { eventsAt } from '../core/log/revisions.ts'
import type { View } from '../core/project/view.ts'
import { entryStream } from '../domain/entry/entry.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import { proposalAggregate } from '../domain/proposal/proposal.ts'
import { weightOf } from '../domain/proposal/reputation.ts'
import { relationsAggregate } from '../domain/relation/relations.ts'
import { isEntryEvent } from '../projections/entries.ts'
import { pointsOf, type ReputationDocument } from '../projections/reputation.ts'
import type { Core } from './core.ts'
import { openNewcomers } from './newcomers.ts'

/** `most`: proposals of a new account within a quarter of an hour; 0 for no limit. */
export const openProposals = (core: Core, reputation: View<ReputationDocument>, most: number): ProposalDeps => ({
  proposals: core.transactor(proposalAggregate),
  entries: core.transactor(entryAggregate),
  relations: core.transactor(relationsAggregate),
  eventsOf: async (id, revisions) => {
    const found = await eventsAt(core.log, entryStream(id), revisions)
    return new Map([...found].flatMap(([at, event]) => (isEntryEvent(event) ? [[at, event]] : [])))
  },
  weightOf: async (account, language) => {
    const counts = (await reputation.get([account])).get(account)?.body.languages[language]
    return weightOf(counts ? pointsOf(counts) : 0)
  },
  wait: openNewcomers(core, most, 'proposals'),
})
