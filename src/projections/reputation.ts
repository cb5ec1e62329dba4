/** Reputation in two read models: what an account has in each language, and what each point of it comes from. */
import { projection } from '../core/project/define.ts'
import { ProposalMerged, ProposalRejected, ProposalReverted } from '../domain/proposal/events.ts'
import { proposalCategory, proposalIdOf } from '../domain/proposal/proposal.ts'
import { gainsOf, POINTS, type ReputationGround } from '../domain/proposal/reputation.ts'
import { isProposalEvent } from './proposals.ts'

const types = [ProposalMerged.type, ProposalRejected.type, ProposalReverted.type]

/** How often each was so; points are made of it. */
export type Counts = Readonly<Record<ReputationGround, number>>
const noCounts: Counts = { merged: 0, rejected: 0, reverted: 0, agreed: 0 }

export type ReputationDocument = { readonly languages: Readonly<Record<string, Counts>> }

export const pointsOf = (counts: Counts): number =>
  counts.merged * POINTS.merged +
  counts.rejected * POINTS.rejected +
  counts.reverted * POINTS.reverted +
  counts.agreed * POINTS.agreed

export const reputationProjection = projection<ReputationDocument>({
  name: 'reputation',
  version: 1,
  categories: [proposalCategory],
  types,
  indexes: [],
  key: event => (isProposalEvent(event) ? [...new Set(gainsOf(event).map(({ account }) => account))] : []),
  evolve: (document, event, account) => {
    if (!isProposalEvent(event) || !('language' in event.data)) return document
    const { language } = event.data
    const languages = new Map(Object.entries(document?.languages ?? {}))
    for (const { account: whose, ground } of gainsOf(event)) {
      if (whose !== account) continue
      const counts = languages.get(language) ?? noCounts
      languages.set(language, { ...counts, [ground]: counts[ground] + 1 })
    }
    return { languages: Object.fromEntries(languages) }
  },
})

export type GainDocument = {
  readonly account: string
  readonly language: string
  readonly ground: ReputationGround
  readonly points: number
  readonly proposal: string
  readonly entry: string
  readonly at: string
}

/** Nobody gains twice by one event. */
const gainId = (event: string, account: string): string => `${event}:${account}`

export const reputationGainsProjection = projection<GainDocument>({
  name: 'reputation-gains',
  version: 1,
  categories: [proposalCategory],
  types,
  indexes: [{ name: 'account', on: ['account', 'at'] }],
  key: event => (isProposalEvent(event) ? gainsOf(event).map(({ account }) => gainId(event.id, account)) : []),
  evolve: (document, event, id) => {
    if (!isProposalEvent(event) || !('entry' in event.data) || !('language' in event.data)) return document
    const gain = gainsOf(event).find(({ account }) => gainId(event.id, account) === id)
    if (!gain) return document
    const { entry, language } = event.data
    const { account, ground } = gain
    return {
      account,
      language,
      ground,
      points: POINTS[ground],
      proposal: proposalIdOf(event),
      entry,
      at: event.meta.at,
    }
  },
})
