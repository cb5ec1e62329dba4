import t from 'tap'
import type { By } from '../../../src/domain/decider.ts'
import type { Change } from '../../../src/domain/entry/places.ts'
import * as decide from '../../../src/domain/proposal/decisions.ts'
import type { ProposalEvent } from '../../../src/domain/proposal/events.ts'
import { OPEN_DAYS } from '../../../src/domain/proposal/limits.ts'
import { expiryOf, hasQuorum, idOfDifference, proposalAggregate } from '../../../src/domain/proposal/proposal.ts'
import { gainsOf, weightOf } from '../../../src/domain/proposal/reputation.ts'
import { permissionsOf } from '../../support/roles.ts'
import { type Given, scenario } from '../../support/scenario.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const DAY_MS = 24 * 60 * 60 * 1000
const by = (id: string, role: 'contributor' | 'editor' = 'contributor', now = new Date(START)): By => ({
  id,
  permissions: permissionsOf(role),
  now,
  commandId: '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11',
})
const [ada, ben, cora, eve] = [by('ada'), by('ben'), by('cora'), by('eve', 'editor')]
const aProposal = scenario(proposalAggregate)
const changes: readonly Change[] = [{ pointer: '/etymology', from: 'from the sea', to: 'from the coast' }]
const proposing: decide.Proposing = {
  entry: 'e1',
  language: 'en',
  base: '3',
  changes,
  reason: ' It says so in the book. ',
}
const proposed: Given<ProposalEvent> = {
  type: 'ChangeProposed',
  data: {
    entry: 'e1',
    language: 'en',
    author: 'ada',
    base: '3',
    touches: ['/etymology'],
    changes: [...changes],
    reason: 'It says so in the book.',
  },
}
const reviewed = (reviewer: string, verdict: 'approve' | 'reject' = 'approve', weight = 1): Given<ProposalEvent> => ({
  type: 'ProposalReviewed',
  data: { reviewer, verdict, weight },
})
const outcome = { entry: 'e1', language: 'en', author: 'ada', agreed: [] }
const rejected: Given<ProposalEvent> = { type: 'ProposalRejected', data: { ...outcome, by: 'eve', reason: 'No.' } }
const merged: Given<ProposalEvent> = { type: 'ProposalMerged', data: { ...outcome, revision: '4', by: 'eve' } }
const withdrawn: Given<ProposalEvent> = { type: 'ProposalWithdrawn', data: {} }
const supported: Given<ProposalEvent> = { type: 'ProposalSupported', data: { supporter: 'ben' } }

t.test('a change is proposed once; who proposes the same supports it', async t => {
  const propose = decide.propose(proposing, ada)
  aProposal.given().when(propose).thenEvents(proposed).again().thenNothing()
  aProposal
    .given()
    .when(decide.propose({ ...proposing, changes: [] }, ada))
    .thenRefused('proposal-changes-nothing')
  aProposal
    .given()
    .when(decide.propose({ ...proposing, reason: ' ' }, ada))
    .thenRefused('reason-required')
  aProposal.given(proposed).when(decide.propose(proposing, ben)).thenEvents(supported).again().thenNothing()
  const many = Array.from(
    { length: 100 },
    (_, i): Given<ProposalEvent> => ({ ...supported, data: { supporter: `p${i}` } }),
  )
  aProposal
    .given(proposed, ...many)
    .when(decide.propose(proposing, ben))
    .thenRefused('proposal-full')
  const places = Array.from({ length: 2_001 }, (_, i) => ({ pointer: `/x${i}`, to: 'y' }))
  aProposal
    .given()
    .when(decide.propose({ ...proposing, changes: places }, ada))
    .thenRefused('proposal-too-large')
  t.equal(
    idOfDifference('e1', changes),
    idOfDifference('e1', [{ to: 'from the coast', from: 'from the sea', pointer: '/etymology' }]),
  )
  t.not(idOfDifference('e1', changes), idOfDifference('e2', changes))
})

t.test('what was decided against is not asked for again; what was not, is opened anew without its votes', async t => {
  aProposal.given(proposed, rejected).when(decide.propose(proposing, ben)).thenRefused('proposal-decided')
  const gone: Given<ProposalEvent> = { type: 'ProposalRemoved', data: { ground: 'erasure' } }
  aProposal.given(proposed, gone).when(decide.propose(proposing, ben)).thenRefused('proposal-removed')
  aProposal
    .given(proposed, reviewed('cora'), withdrawn)
    .when(decide.propose(proposing, ben))
    .then('ChangeProposed')
    .thenState(state => t.match(state, { author: 'ben', status: 'open', round: '3', reviews: [], supporters: [] }))
  const late = new Date(START + OPEN_DAYS * DAY_MS)
  aProposal
    .given(proposed)
    .when(decide.propose(proposing, by('ben', 'contributor', late)))
    .then('ProposalExpired', 'ChangeProposed')
})

t.test('nobody reviews their own, nor what they proposed too; a vote weighs what it weighed', async t => {
  const approve = (weight: number, who = cora) => decide.review({ verdict: 'approve', weight }, who)
  aProposal.given(proposed).when(approve(1, ada)).thenRefused('proposal-own')
  aProposal.given(proposed, supported).when(approve(1, ben)).thenRefused('proposal-own')
  aProposal
    .given(proposed)
    .when(approve(1.5))
    .then('ProposalReviewed')
    .thenState(state => t.match(state?.reviews, [{ reviewer: 'cora', weight: 1.5 }]))
    .again()
    .thenNothing()
  aProposal
    .given(proposed, reviewed('cora', 'approve', 0.5))
    .when(approve(2))
    .thenNothing()
  aProposal.given().when(approve(1)).thenRefused('proposal-not-found')
  aProposal.given(proposed, withdrawn).when(approve(1)).thenRefused('proposal-closed')
  aProposal
    .given(proposed, reviewed('ben'))
    .when(decide.propose(proposing, ben))
    .then('ProposalSupported')
    .thenState(state => t.same(state?.reviews, []))
  aProposal
    .given(proposed, reviewed('cora'))
    .when(decide.withdrawReview(cora))
    .then('ReviewWithdrawn')
    .again()
    .thenNothing()
  const many = Array.from({ length: 100 }, (_, i) => reviewed(`p${i}`))
  aProposal
    .given(proposed, ...many)
    .when(approve(1))
    .thenRefused('proposal-full')
})

t.test('a quorum is weight, of people, against those of the other mind', async t => {
  const of = (...events: readonly Given<ProposalEvent>[]) => {
    const { state } = aProposal.given(proposed, ...events)
    return state !== undefined && hasQuorum(state, 'approve')
  }
  t.equal(of(reviewed('ben', 'approve', 2)), false, 'one alone')
  t.equal(of(reviewed('ben', 'approve', 0.5), reviewed('cora', 'approve', 1)), false, 'too little')
  t.equal(of(reviewed('ben', 'approve', 2), reviewed('cora', 'approve', 0)), false, 'who weighs nothing is nobody')
  t.equal(of(reviewed('ben'), reviewed('cora')), true)
  t.equal(of(reviewed('ben'), reviewed('cora'), reviewed('dan', 'reject', 2)), false, 'as much is against it')
})

t.test('enough against it end it, with the reason of the last', async t => {
  const against = (reason?: string) =>
    decide.review({ verdict: 'reject', weight: 1, ...(reason === undefined ? {} : { reason }) }, cora)
  aProposal.given(proposed).when(against()).thenRefused('reason-required')
  aProposal.given(proposed).when(against('No source.')).then('ProposalReviewed')
  aProposal
    .given(proposed, reviewed('ben', 'reject'))
    .when(against('No source.'))
    .then('ProposalReviewed', 'ProposalRejected')
    .thenState(state => t.match(state, { status: 'rejected', outcome: 'No source.' }))
})

t.test('it is merged with a quorum by anybody, and by editors alone, never one’s own', async () => {
  const ready = (who: By) => decide.readyToMerge(who)
  aProposal.given(proposed).when(ready(cora)).thenRefused('proposal-unreviewed')
  aProposal.given(proposed).when(ready(eve)).thenNothing()
  aProposal
    .given(proposed)
    .when(ready(by('ada', 'editor')))
    .thenRefused('proposal-own')
  aProposal.given(proposed, reviewed('ben'), reviewed('cora')).when(ready(ada)).thenNothing()
  aProposal.given(proposed, rejected).when(ready(eve)).thenRefused('proposal-closed')
  aProposal.given(proposed, merged).when(ready(eve)).thenNothing()
  aProposal.given().when(ready(eve)).thenRefused('proposal-not-found')
  const late = new Date(START + OPEN_DAYS * DAY_MS)
  aProposal
    .given(proposed)
    .when(ready(by('eve', 'editor', late)))
    .thenRefused('proposal-closed')
  aProposal
    .given(proposed, reviewed('ben'), withdrawn)
    .when(decide.noteMerged('4', 'eve'))
    .thenEvents({ type: 'ProposalMerged', data: { ...outcome, agreed: ['ben'], revision: '4', by: 'eve' } })
    .again()
    .thenNothing()
  aProposal.given().when(decide.noteMerged('4', 'eve')).thenRefused('proposal-not-found')
  aProposal
    .given(proposed)
    .when(decide.noteConflict('4', ['/etymology']))
    .then('ProposalConflicted')
    .again()
    .thenNothing()
})

t.test('editors reject alone, with a reason; its author withdraws or supersedes it', async () => {
  aProposal.given(proposed).when(decide.reject('No.', eve)).then('ProposalRejected')
  aProposal.given(proposed).when(decide.reject('', eve)).thenRefused('reason-required')
  aProposal.given(proposed).when(decide.reject('No.', cora)).thenRefused('permission-denied')
  aProposal
    .given(proposed)
    .when(decide.reject('No.', by('ada', 'editor')))
    .thenRefused('proposal-own')
  aProposal.given(proposed).when(decide.withdraw(ben)).thenRefused('permission-denied')
  aProposal.given(proposed).when(decide.withdraw(ada)).then('ProposalWithdrawn').again().thenNothing()
  aProposal.given(proposed, merged).when(decide.withdraw(ada)).thenRefused('proposal-closed')
  aProposal.given(proposed).when(decide.readyToAmend(ada)).thenNothing()
  aProposal.given(proposed).when(decide.readyToAmend(ben)).thenRefused('permission-denied')
  aProposal.given(proposed).when(decide.supersede('p2', 'ada')).then('ProposalSuperseded').again().thenNothing()
  aProposal.given(proposed).when(decide.supersede('p2', 'ben')).thenNothing()
})

t.test('it ends by time, by what becomes of the entry, and with who asked for it', async t => {
  const { state } = aProposal.given(proposed)
  t.equal(state && expiryOf(state), '2026-04-01T00:00:00.000Z')
  aProposal
    .given(proposed)
    .when(decide.expire(new Date('2026-03-31T23:59:59.000Z')))
    .thenNothing()
  aProposal
    .given(proposed)
    .when(decide.expire(new Date('2026-04-01T00:00:00.000Z')))
    .then('ProposalExpired')
    .again()
    .thenNothing()
  aProposal.given(proposed).when(decide.close('overtaken')).then('ProposalClosed').again().thenNothing()
  aProposal
    .given(proposed, reviewed('ben'))
    .when(decide.removeText)
    .then('ProposalRemoved')
    .thenState(state => t.match(state, { status: 'closed', ground: 'entry-removed', changes: [], isRemoved: true }))
    .again()
    .thenNothing()
  aProposal.given(proposed).when(decide.removeOf('ada')).then('ProposalRemoved')
  aProposal.given(proposed).when(decide.removeOf('ben')).thenNothing()
  aProposal.given(proposed, supported).when(decide.removeOf('ada')).thenNothing()
  aProposal.given(proposed, merged).when(decide.removeOf('ada')).thenNothing()
})

t.test('what was merged is taken back by editors', async () => {
  aProposal.given(proposed, merged).when(decide.readyToRevert(eve)).thenNothing()
  aProposal.given(proposed, merged).when(decide.readyToRevert(ben)).thenRefused('permission-denied')
  aProposal.given(proposed).when(decide.readyToRevert(eve)).thenRefused('proposal-not-merged')
  aProposal.given().when(decide.readyToRevert(eve)).thenRefused('proposal-not-found')
  aProposal
    .given(proposed, merged)
    .when(decide.noteReverted('5', 'eve', 'Wrong.'))
    .then('ProposalReverted')
    .again()
    .thenNothing()
  aProposal
    .given(proposed, merged)
    .when(decide.noteReverted('5', 'eve', ' '))
    .thenRefused('reason-required')
})

t.test('points come of outcomes, and weight of points', async t => {
  t.same([-1, 0, 1, 4, 5, 49, 50, 250, 9_999].map(weightOf), [0, 0, 0.5, 0.5, 1, 1, 1.5, 2, 2])
  const gains = (data: object, type: string) => gainsOf(Object.assign({ type, data }) as Parameters<typeof gainsOf>[0])
  t.same(gains({ ...outcome, agreed: ['ben'] }, 'ProposalMerged'), [
    { account: 'ada', ground: 'merged' },
    { account: 'ben', ground: 'agreed' },
  ])
  t.same(gains(outcome, 'ProposalReverted'), [{ account: 'ada', ground: 'reverted' }])
  t.same(gains({}, 'ProposalWithdrawn'), [])
})
