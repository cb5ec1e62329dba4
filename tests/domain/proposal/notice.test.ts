import t from 'tap'
import type { ProposalEvent } from '../../../src/domain/proposal/events.ts'
import {
  outcomeAggregate,
  outcomeStream,
  type ProposalOutcome,
  tellOfOutcome,
  toldOfOutcome,
} from '../../../src/domain/proposal/notice.ts'
import { evolveProposal, type Proposal, type ProposalState } from '../../../src/domain/proposal/proposal.ts'
import { recordedOf } from '../../support/recorded.ts'
import { scenario } from '../../support/scenario.ts'

const notice = scenario(outcomeAggregate)
const told = { accountId: 'ada', proposal: 'p1', entry: 'e1', at: '9', outcome: 'merged' } as const

t.test('somebody is told of each outcome of a proposal once, in their order', async t => {
  notice.given().when(tellOfOutcome(told)).thenEvents({ type: 'ProposalOutcomeTold', data: told }).again().thenNothing()
  const reverted = { ...told, at: '10', outcome: 'reverted' } as const
  const after = notice.given({ type: 'ProposalOutcomeTold', data: told })
  after.when(tellOfOutcome(reverted)).thenEvents({ type: 'ProposalOutcomeTold', data: reverted })
  notice
    .given({ type: 'ProposalOutcomeTold', data: told }, { type: 'ProposalOutcomeTold', data: reverted })
    .when(tellOfOutcome(told))
    .thenNothing()
  const [one, two] = ['501a48e3-b4ec-5dec-be9f-e904d6447fe3', '501a48e3-b4ec-5dec-be9f-e904d6447fe4']
  t.equal(outcomeStream(one, two), outcomeStream(one, two))
  t.not(outcomeStream(one, two), outcomeStream(two, one))
})

type Happening = Parameters<typeof recordedOf<ProposalEvent>>[1][number]

/** What was asked for by ada and is supported by ben and cora, after more. */
const proposalAfter = (...more: readonly Happening[]): Proposal => {
  const asked: Happening = {
    type: 'ChangeProposed',
    data: {
      entry: 'e1',
      language: 'en',
      author: 'ada',
      base: '1',
      touches: ['/etymology'],
      changes: [{ pointer: '/etymology', to: 'x' }],
    },
  }
  const supported = ['ben', 'cora'].map((supporter): Happening => ({ type: 'ProposalSupported', data: { supporter } }))
  const proposal = recordedOf('proposal-p1', [asked, ...supported, ...more]).reduce<ProposalState>(
    evolveProposal,
    undefined,
  )
  if (!proposal) throw new Error('nothing was asked for')
  return proposal
}

t.test('who asked and who supports are told, and nobody of what they did themselves', async t => {
  const open = proposalAfter()
  const of = (happening: Happening, actor = 'ed', before = open) => {
    const [event] = recordedOf('proposal-p1', [happening])
    if (!event) throw new Error('nothing happened')
    return toldOfOutcome(before, { ...event, meta: { ...event.meta, actor: { kind: 'account', id: actor } } })
  }
  const all = ['ada', 'ben', 'cora']
  const about = { entry: 'e1', language: 'en', author: 'ada' }
  const plain = (outcome: ProposalOutcome, accounts = all) => ({ outcome, accounts })
  const merged = (by: string): Happening => ({
    type: 'ProposalMerged',
    data: { ...about, agreed: [], revision: '2', by },
  })
  t.same(of(merged('ed')), plain('merged'))
  t.same(of(merged('ben'), 'system'), plain('merged', ['ada', 'cora']))
  t.same(of({ type: 'ProposalRejected', data: { ...about, agreed: [], reason: 'No.' } }), plain('rejected'))
  const reverted = (by: string): Happening => ({ type: 'ProposalReverted', data: { ...about, revision: '3', by } })
  t.same(of(reverted('ada')), plain('reverted', ['ben', 'cora']))
  t.same(of({ type: 'ProposalExpired', data: {} }), plain('expired'))
  const again = of({ type: 'ProposalExpired', data: {} }, 'ada')
  t.same(again, plain('expired', ['ben', 'cora']), 'who asks for it again knows')
  t.same(of({ type: 'ProposalWithdrawn', data: {} }, 'ada'), plain('withdrawn', ['ben', 'cora']))
  const superseded: Happening = { type: 'ProposalSuperseded', data: { successor: 'p2' } }
  t.same(of(superseded, 'system'), plain('superseded', ['ben', 'cora']))
  const ground = 'overtaken'
  t.same(of({ type: 'ProposalClosed', data: { ground } }), { ...plain('closed'), ground })
  const removed: Happening = { type: 'ProposalRemoved', data: { ground: 'entry-removed' } }
  t.same(of(removed), { ...plain('closed'), ground: 'entry-removed' })
  t.same(of(removed, 'ed', proposalAfter(merged('ed'))), undefined, 'what was decided before was told then')
  t.same(of({ type: 'ReviewWithdrawn', data: { reviewer: 'dan' } }), undefined)
})
