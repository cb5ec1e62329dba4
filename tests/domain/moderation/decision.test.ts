import t from 'tap'
import {
  decisionAggregate,
  overturnDecision,
  readWords,
  takeDecision,
} from '../../../src/domain/moderation/decision.ts'
import type { DecisionEvent } from '../../../src/domain/moderation/decision-events.ts'
import { isTakenOn, MOST_MEASURES } from '../../../src/domain/moderation/measures.ts'
import { categories, FACTS_LENGTH } from '../../../src/domain/moderation/statement.ts'
import {
  giveStatement,
  statementAggregate,
  statementStream,
  withdrawStatement,
} from '../../../src/domain/moderation/statement-given.ts'
import type { ModeratedWork } from '../../../src/domain/moderation/target.ts'
import { type Given, scenario } from '../../support/scenario.ts'

const aDecision = scenario(decisionAggregate)
const target = { kind: 'comment', id: 'c1' } as const
const work: ModeratedWork = { target, authors: ['ben'], revision: '3', text: 'You fool!', isGone: false }
const statement = {
  category: 'illegal-or-harmful-speech',
  rule: 'Rule 3',
  ground: 'terms',
  source: 'report',
  automation: 'not',
} as const
const taking = {
  isAutomated: false,
  measures: [{ measure: 'hide', target }],
  statement,
  facts: ' It insults. ',
} as const
const taken: Given<DecisionEvent> = {
  type: 'DecisionTaken',
  data: {
    isAutomated: false,
    about: [{ target, authors: ['ben'], revision: '3' }],
    measures: [{ measure: 'hide', target }],
    statement,
    facts: 'It insults.',
    texts: ['You fool!'],
  },
}

t.test('a decision is taken once, with the text as it was', async t => {
  const take = takeDecision(taking, [work], 'mia')
  aDecision.given().when(take, 'mia').thenEvents(taken).again().thenRefused('conflict')
  const { state } = aDecision.given({ ...taken, by: 'mia' })
  t.match(state, { by: 'mia', facts: 'It insults.', texts: ['You fool!'] })
  const { state: removed } = aDecision.given({ ...taken, removed: true })
  t.notOk(removed?.facts)
  t.notOk(removed?.texts)
  const ending = takeDecision({ ...taking, case: 'comment-c1' }, [work], 'mia')
  t.match(aDecision.given().when(ending).events[0]?.data, { case: 'comment-c1' })
})

t.test('nobody decides about their own, nor about what is gone', async () => {
  aDecision
    .given()
    .when(takeDecision(taking, [work], 'ben'))
    .thenRefused('own-case')
  aDecision
    .given()
    .when(takeDecision(taking, [{ ...work, isGone: true }], 'mia'))
    .thenRefused('moderated-gone')
})

t.test('measures are few, each once, and on what they are taken on', async t => {
  const of = (measures: (typeof taking)['measures'] | readonly object[]) =>
    aDecision
      .given()
      .when(takeDecision({ ...taking, measures: measures as (typeof taking)['measures'] }, [work], 'mia'))
  of([]).thenRefused('decision-invalid')
  of([taking.measures[0], taking.measures[0]]).thenRefused('decision-invalid')
  of([{ measure: 'suspend', target }]).thenRefused('decision-invalid')
  const many = Array.from({ length: MOST_MEASURES + 1 }, (_, n) => ({
    measure: 'hide',
    target: { kind: 'comment', id: `c${n}` },
  }))
  of(many).thenRefused('decision-invalid')
  t.ok(isTakenOn('suspend', 'account'))
  t.notOk(isTakenOn('hide', 'account'))
  t.equal(new Set(categories).size, 16)
})

t.test('words are kept in stored form, and are some', async t => {
  const asked = { pointer: '/facts', max: 10, multiline: true }
  t.equal(readWords('  So. ', asked), 'So.')
  t.match(readWords(' \n ', asked), { refused: 'text-invalid', errors: [{ pointer: '/facts' }] })
  t.match(readWords('x'.repeat(11), asked), { refused: 'text-invalid' })
  aDecision
    .given()
    .when(takeDecision({ ...taking, facts: 'x'.repeat(FACTS_LENGTH + 1) }, [work], 'mia'))
    .thenRefused('text-invalid')
  aDecision
    .given()
    .when(takeDecision({ ...taking, statement: { ...statement, rule: 'two\nlines' } }, [work], 'mia'))
    .thenRefused('text-invalid')
})

t.test('it is overturned once, and not by whom it affects', async t => {
  const overturn = overturnDecision('A quotation.', 'administrator', 'boss')
  const outcome = aDecision.given(taken).when(overturn, 'boss').then('DecisionOverturned')
  outcome.thenState(state => t.match(state, { overturned: { by: 'boss', reason: 'A quotation.' } }))
  outcome.again().thenNothing()
  aDecision.given().when(overturn).thenRefused('decision-not-found')
  aDecision
    .given(taken)
    .when(overturnDecision('I like it.', 'administrator', 'ben'))
    .thenRefused('own-case')
  aDecision
    .given(taken)
    .when(overturnDecision(' ', 'administrator', 'boss'))
    .thenRefused('text-invalid')
})

t.test('whoever is affected is told once of each', async t => {
  const aStatement = scenario(statementAggregate)
  const about = { accountId: 'ben', decision: 'd1' }
  const give = giveStatement({ ...about, measures: [...taking.measures], statement })
  const withdraw = withdrawStatement({ ...about, through: 'appeal' })
  aStatement.given().when(withdraw).thenNothing()
  const given = aStatement.given().when(give).then('StatementGiven')
  given.thenState(state => t.match(state, { accountId: 'ben', givenAt: /^2026/, isWithdrawn: false }))
  given.again().thenNothing()
  given.again(withdraw).then('StatementWithdrawn').again().thenNothing()
  const decision = '5b0f7f5e-2c1d-5a6b-9d11-4e3c2b1a0f9e'
  t.not(statementStream(decision, 'ben'), statementStream(decision, 'ada'))
})
