/** What people are told by mail of the changes that they asked for: of which entry, and why. Each mail is decided once more when it is sent. */
import { type Entry, entryStream } from '../domain/entry/entry.ts'
import type { Recorded } from '../domain/event.ts'
import { outcomeCategory, ProposalOutcomeTold, proposalOutcomes } from '../domain/proposal/notice.ts'
import { proposalStream } from '../domain/proposal/proposal.ts'
import type { MailRule } from './mail.ts'

export type ProposalMailDeps = {
  readonly publicUrl: () => string
  /** Where to write to no longer get them. */
  readonly from: string
  /** Does the account want to be told of proposals, and is anybody there to be told? */
  readonly wantsProposals: (accountId: string) => Promise<boolean>
  readonly entry: (id: string) => Promise<Entry | undefined>
  /** The event of the stream at the revision. */
  readonly eventAt: (stream: string, revision: bigint) => Promise<Recorded | undefined>
  /** The keys that people's text in the stream is sealed under. */
  readonly keysOf: (stream: string) => Promise<readonly string[]>
}

const member = ({ data }: Recorded, name: string): string => String(data[name])

export const proposalRules = (deps: ProposalMailDeps): readonly MailRule[] => {
  const why = async (event: Recorded): Promise<string | undefined> => {
    const decided = await deps.eventAt(proposalStream(member(event, 'proposal')), BigInt(member(event, 'at')))
    const reason = decided?.removed ? undefined : decided?.data['reason']
    return typeof reason === 'string' ? reason : undefined
  }
  return proposalOutcomes.map(outcome => ({
    type: ProposalOutcomeTold.type,
    category: outcomeCategory,
    template: `proposal-${outcome}`,
    to: event => (event.data['outcome'] === outcome ? [`account:${member(event, 'accountId')}`] : []),
    still: async event => {
      // What a decision holds back nobody is written to about.
      if ((await deps.entry(member(event, 'entry')))?.status === 'held') return false
      return deps.wantsProposals(member(event, 'accountId'))
    },
    data: async event => {
      const entry = await deps.entry(member(event, 'entry'))
      const reason = outcome === 'rejected' || outcome === 'reverted' ? await why(event) : ''
      // It went with its key.
      if (reason === undefined) return undefined
      return {
        // Of what was removed the id is left.
        entry: !entry || entry.removed ? member(event, 'entry') : entry.lemma,
        reason,
        url: `${deps.publicUrl()}/v1/proposals/${member(event, 'proposal')}`,
      }
    },
    keys: async event => [
      ...(await deps.keysOf(entryStream(member(event, 'entry')))),
      ...(await deps.keysOf(proposalStream(member(event, 'proposal')))),
    ],
    unsubscribe: () => `mailto:${deps.from}?subject=unsubscribe`,
  }))
}
