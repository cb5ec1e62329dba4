import t from 'tap'
import { caseAggregate, priorityOf } from '../../../src/domain/moderation/case.ts'
import * as decide from '../../../src/domain/moderation/case-decisions.ts'
import type { CaseEvent } from '../../../src/domain/moderation/case-events.ts'
import { CASE_REASON } from '../../../src/domain/moderation/report-limits.ts'
import { type Given, scenario } from '../../support/scenario.ts'

const START = new Date('2026-01-01T00:00:00.000Z')
const later = (hours: number): Date => new Date(START.getTime() + hours * 60 * 60 * 1000)
const aCase = scenario(caseAggregate)
const target = { kind: 'comment', id: 'c1' } as const
const subject = { target, authors: ['ben'], revision: '0', language: 'en' }
const report = (more: Partial<decide.Reporting> = {}) =>
  decide.reportCase({ ...subject, report: 'r1', filings: 1, category: 'spam', weight: 2, said: 'same', ...more })
const mod = (id = 'mod', now = START, isOwn = false): decide.Moderator => ({ id, now, isOwn })
const opened: Given<CaseEvent> = {
  type: 'CaseOpened',
  data: { round: 1, target, source: 'report', authors: ['ben'], revision: '0', language: 'en' },
}
const reported: Given<CaseEvent> = {
  type: 'CaseReported',
  data: { round: 1, report: 'r1', filings: 1, category: 'spam', revision: '0', weight: 2 },
}
const claimed = (by = 'mod', now = START): Given<CaseEvent> => ({
  type: 'CaseClaimed',
  data: { round: 1, by, until: new Date(now.getTime() + 72 * 60 * 60 * 1000).toISOString() },
})
const closed: Given<CaseEvent> = {
  type: 'CaseClosed',
  data: { round: 1, target, because: 'dismissed', holds: [], by: 'mod', said: 'same', reason: 'Rude, no more.' },
}

t.test('the first report opens a case, and the others weigh on it', async t => {
  aCase
    .given()
    .when(report())
    .then('CaseOpened', 'CaseReported')
    .again(report({ report: 'r2', category: 'hate', weight: 0.1 }))
    .then('CaseReported')
    .thenState(state => t.match(state, { reports: 2, weight: 2.1, categories: ['spam', 'hate'], round: 1 }))
})

t.test('what was judged is judged again only when it says something else', async t => {
  const judged = [opened, reported, closed] as const
  aCase
    .given(...judged)
    .when(report())
    .thenNothing()
  aCase
    .given(...judged)
    .when(decide.reportCase({ ...subject, report: 'r', filings: 1, category: 'spam', weight: 1 }))
    .thenNothing()
  aCase
    .given(...judged)
    .when(report({ said: 'other' }))
    .then('CaseOpened', 'CaseReported')
    .thenState(state =>
      t.match(state, { round: 2, isOpen: true, reports: 1, weight: 2, closure: { because: 'dismissed' } }),
    )
})

t.test('a case is claimed by one, for a time, and given back', async () => {
  aCase.given().when(decide.claimCase(mod())).thenRefused('case-not-found')
  aCase.given(opened).when(decide.claimCase(mod())).then('CaseClaimed').again().thenNothing()
  aCase
    .given(opened, claimed())
    .when(decide.claimCase(mod('eve')))
    .thenRefused('case-claimed')
  aCase
    .given(opened, claimed())
    .when(decide.claimCase(mod('eve', later(72))))
    .then('CaseClaimed')
  aCase
    .given(opened, claimed())
    .when(decide.releaseCase(mod('eve')))
    .thenRefused('case-claimed')
  aCase.given(opened, claimed()).when(decide.releaseCase(mod())).then('CaseReleased').again().thenNothing()
  aCase.given(opened, reported, closed).when(decide.claimCase(mod())).thenRefused('case-closed')
})

t.test('nobody works on their own case', async t => {
  const own = mod('ben', START, true)
  for (const act of [
    decide.claimCase(own),
    decide.releaseCase(own),
    decide.dismissCase({ reason: 'x', said: 's' }, own),
    decide.assignCase({ id: 'eve', isOwn: false }, own),
    decide.assignCase({ id: 'ben', isOwn: true }, mod()),
  ])
    aCase.given(opened).when(act).thenRefused('case-own')
  const { state } = aCase.given(opened)
  t.equal(decide.isOwnCase(state, 'ben', false), true, 'who wrote it')
  t.equal(decide.isOwnCase(state, 'ada', true), true, 'who reported it')
  t.equal(decide.isOwnCase(state, 'mod', false), false)
})

t.test('a case is assigned to another moderator, whoever has it', async t => {
  const assign = decide.assignCase({ id: 'eve', isOwn: false }, mod())
  aCase
    .given(opened, claimed('zoe'))
    .when(assign)
    .then('CaseAssigned')
    .thenState(state => t.equal(state?.claim?.by, 'eve'))
    .again()
    .thenNothing()
})

t.test('who claimed it is asked after it, and it is free again at the end of the claim', async () => {
  const until = later(72).toISOString()
  aCase.given(opened, claimed()).when(decide.remindClaimant(until)).then('CaseReminded')
  aCase
    .given(opened, claimed())
    .when(decide.remindClaimant(later(1).toISOString()))
    .thenNothing()
  aCase.given(opened, claimed(), closed).when(decide.remindClaimant(until)).thenNothing()
  aCase
    .given(opened, claimed())
    .when(decide.endClaim(until))
    .thenEvents({ type: 'CaseReleased', data: { round: 1, claimant: 'mod', because: 'lapsed' } })
    .again()
    .thenNothing()
})

t.test('a case is dismissed with a reason, which ends what held it back', async t => {
  const dismiss = (reason: string, by = mod()) => decide.dismissCase({ reason, said: 's' }, by)
  aCase.given(opened).when(dismiss(' ')).thenRefused('reason-required')
  aCase
    .given(opened)
    .when(dismiss('x'.repeat(CASE_REASON + 1)))
    .thenRefused('text-invalid')
  aCase.given(opened, claimed('eve')).when(dismiss('Fine.')).thenRefused('case-claimed')
  const held = aCase.given(opened).when(decide.noteHold('d1')).then('CaseHeld')
  held.again().thenNothing()
  held
    .again(dismiss(' Fine. '))
    .thenEvents({
      type: 'CaseClosed',
      data: { round: 1, target, because: 'dismissed', holds: ['d1'], said: 's', by: 'mod', reason: 'Fine.' },
    })
    .thenState(state => t.match(state, { isOpen: false, holds: [] }))
    .again()
    .thenRefused('case-closed')
  aCase.given(opened, closed).when(decide.noteHold('d1')).thenNothing()
})

t.test('a decision ends it, and so does the end of what it is about, once', async t => {
  aCase
    .given(opened, claimed())
    .when(decide.settleCase({ id: 'd', by: 'mod', said: 's' }))
    .then('CaseClosed')
    .again()
    .thenNothing()
  aCase.given(opened).when(decide.endGoneCase).then('CaseClosed').again().thenNothing()
  aCase.given().when(decide.endGoneCase).thenNothing()
  t.match(aCase.given(opened, { ...closed, removed: true }).state?.closure, { by: 'mod', reason: undefined })
})

t.test('a moderator opens one of what nobody reported, and there is one at a time', async t => {
  aCase
    .given()
    .when(decide.openCase(subject, { source: 'moderator', by: 'mod' }))
    .then('CaseOpened')
    .again()
    .thenNothing()
  aCase
    .given()
    .when(decide.openCase(subject, { source: 'pipeline', step: 'links' }))
    .thenState(state => t.match(state, { source: 'pipeline', step: 'links', reports: 0 }))
})

t.test('what weighs more, what is more, and what cannot wait comes first', async t => {
  const of = (weight: number, kind: 'comment' | 'story', categories: readonly 'minors'[] = []) =>
    priorityOf({ weight, target: { kind, id: 'x' }, categories })
  t.ok(of(3, 'comment') > of(2, 'comment'))
  t.ok(of(2, 'story') > of(2, 'comment'))
  t.ok(of(1, 'comment', ['minors']) > of(8, 'story'))
})
