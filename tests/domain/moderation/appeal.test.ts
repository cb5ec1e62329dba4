import t from 'tap'
import * as appeals from '../../../src/domain/moderation/appeal.ts'
import { MESSAGE_LENGTH } from '../../../src/domain/moderation/appeal-events.ts'
import type { Decision } from '../../../src/domain/moderation/decision.ts'
import { scenario } from '../../support/scenario.ts'

const anAppeal = scenario(appeals.appealAggregate)
const target = { kind: 'comment', id: 'c1' } as const
const at = '2026-08-31T10:00:00.000Z'
const decision: Decision = {
  isAutomated: false,
  by: 'mia',
  at,
  about: [{ target, authors: ['ben', 'cora'], revision: '0' }],
  measures: [{ measure: 'hide', target }],
  statement: { category: 'violence', rule: 'Rule 1', ground: 'terms', source: 'other', automation: 'not' },
}
const against: appeals.Against = { id: 'd1', decision, givenAt: at }
const by = (id: string, now = new Date(at)) => ({ id, now })
const file = (id = 'ben') => appeals.fileAppeal(against, ' A joke. ', by(id))
const filed = { type: 'AppealFiled', data: { decision: 'd1', accountId: 'ben', message: 'A joke.' } } as const
const closed = { type: 'AppealClosed', data: { decision: 'd1', accountId: 'ben', ground: 'erasure' } } as const
const judge = (who: string, outcome: appeals.Outcome = 'overturned') =>
  appeals.decideAppeal(against, { outcome, message: 'Among friends.' }, who)

t.test('one appeal a decision, by somebody whom it affects', async () => {
  anAppeal.given().when(file()).thenEvents(filed).again().thenRefused('appeal-exists')
  anAppeal.given(filed).when(file('cora')).thenRefused('appeal-exists')
  anAppeal.given().when(file('ada')).thenRefused('decision-not-found')
  anAppeal.given(filed).when(file('ada')).thenRefused('decision-not-found')
  anAppeal
    .given()
    .when(appeals.fileAppeal(against, 'x'.repeat(MESSAGE_LENGTH + 1), by('ben')))
    .thenRefused('text-invalid')
})

t.test('within six months from being told, and while the decision stands', async t => {
  // February has no 31st: the months are counted as the calendar does.
  t.equal(appeals.appealUntil('2026-01-15T10:00:00.000Z'), '2026-07-15T10:00:00.000Z')
  const until = new Date(appeals.appealUntil(at))
  const filing = (now: Date) => anAppeal.given().when(appeals.fileAppeal(against, 'A joke.', by('ben', now)))
  filing(until).then('AppealFiled')
  filing(new Date(until.getTime() + 1)).thenRefused('appeal-too-late')
  const untold = { id: 'd1', decision }
  anAppeal
    .given()
    .when(appeals.fileAppeal(untold, 'A joke.', by('ben', new Date('2030-01-01T00:00:00Z'))))
    .then('AppealFiled')
  const overturned = { ...decision, overturned: { by: 'boss', at, through: 'administrator' as const } }
  anAppeal
    .given()
    .when(appeals.fileAppeal({ id: 'd1', decision: overturned }, 'A joke.', by('ben')))
    .thenRefused('appeal-too-late')
})

t.test('a moderator asks, who filed it answers, and nobody else', async t => {
  const ask = (who: string) => appeals.askInAppeal(against, 'Are you friends?', who)
  const answer = (who: string) => appeals.answerInAppeal('d1', 'From school.', who)
  anAppeal.given().when(ask('max')).thenRefused('appeal-not-found')
  anAppeal.given(filed).when(ask('mia')).thenRefused('own-case')
  anAppeal.given(filed).when(ask('cora')).thenRefused('own-case')
  anAppeal.given(filed).when(answer('cora')).thenRefused('appeal-not-yours')
  const asked = anAppeal.given(filed).when(ask('max')).then('AppealQuestionAsked')
  const answered = asked.again(answer('ben')).then('AppealQuestionAnswered')
  answered.thenState(state =>
    t.match(state?.messages, [{ text: 'A joke.' }, { from: 'moderator' }, { from: 'author', text: 'From school.' }]),
  )
  let outcome = answered
  for (let messages = 3; messages < 40; messages += 1) outcome = outcome.again(answer('ben'))
  outcome.again().thenRefused('appeal-full')
  outcome.again(judge('max')).then('AppealDecided')
})

t.test('another moderator decides, once', async t => {
  anAppeal.given(filed).when(judge('mia')).thenRefused('own-case')
  anAppeal.given(filed).when(judge('ben')).thenRefused('own-case')
  anAppeal.given().when(judge('max')).thenRefused('appeal-not-found')
  const outcome = anAppeal.given(filed).when(judge('max'), 'max').then('AppealDecided')
  outcome.thenState(state =>
    t.match(state, { outcome: { outcome: 'overturned', by: 'max', reason: 'Among friends.' } }),
  )
  outcome.again(judge('max', 'upheld')).thenRefused('appeal-over')
})

t.test('it closes with the account of who filed it, and says nothing any more', async t => {
  const close = appeals.closeAppealOf('ben', 'd1')
  anAppeal.given().when(close).thenNothing()
  anAppeal.given(filed).when(appeals.closeAppealOf('ada', 'd1')).thenNothing()
  const outcome = anAppeal.given(filed).when(close).thenEvents(closed)
  outcome.thenState(state => t.notMatch(JSON.stringify(state), /joke/))
  outcome.again().thenNothing()
  outcome.again(judge('max')).thenRefused('appeal-over')
  const decided = anAppeal.given(filed).when(judge('max'), 'max').again(close).then('AppealClosed')
  decided.thenState(state => {
    t.match(state, { outcome: { outcome: 'overturned', by: 'max' }, isClosed: true })
    t.notMatch(JSON.stringify(state), /friends/)
  })
})
