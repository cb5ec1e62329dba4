import t from 'tap'
import * as relations from '../../src/domain/relation/relations.ts'
import { type Given, scenario } from '../support/scenario.ts'

const someone = scenario(relations.relationsAggregate)
const pair = { accountId: 'ada', other: 'bert' }
const blocked: Given<relations.RelationEvent> = { type: 'PersonBlocked', data: pair }
const muted: Given<relations.RelationEvent> = { type: 'PersonMuted', data: pair }

t.test('one blocks and mutes others, each once, and lets them go', async () => {
  const block = relations.relate('blocked', pair)
  someone.given().when(block).then('PersonBlocked').again().thenNothing()
  someone.given(blocked).when(relations.relate('muted', pair)).then('PersonMuted')
  someone.given(blocked).when(relations.unrelate('blocked', pair)).then('PersonUnblocked').again().thenNothing()
  // Of one kind nothing follows for the other.
  someone.given(blocked).when(relations.unrelate('muted', pair)).thenNothing()
  const oneself = { accountId: 'ada', other: 'ada' }
  someone.given().when(relations.relate('blocked', oneself)).thenRefused('relation-to-oneself')
  someone.given().when(relations.relate('muted', oneself)).thenRefused('relation-to-oneself')
})

t.test('since when somebody is blocked is not moved by what comes late', async () => {
  const later: Given<relations.RelationEvent> = { ...blocked, at: new Date('2027-01-01T00:00:00Z') }
  const first: Given<relations.RelationEvent> = { ...blocked, at: new Date('2026-01-01T00:00:00Z') }
  t.equal(someone.given(first, later).state.blocked.get('bert'), '2026-01-01T00:00:00.000Z')
})

t.test('2,000 of each kind', async () => {
  const all = Array.from(
    { length: relations.MOST_RELATIONS },
    (_, at): Given<relations.RelationEvent> => ({
      type: 'PersonBlocked',
      data: { accountId: 'ada', other: `person ${at}` },
    }),
  )
  const { state } = someone.given(...all.slice(1))
  t.equal(state.blocked.size, relations.MOST_RELATIONS - 1)
  someone
    .given(...all.slice(1))
    .when(relations.relate('blocked', pair))
    .then('PersonBlocked')
    .again(relations.relate('blocked', { ...pair, other: 'carl' }))
    .thenRefused('relations-full')
    .again(relations.relate('blocked', pair))
    .thenNothing()
    .again(relations.relate('muted', pair))
    .then('PersonMuted')
})

t.test('with the account all of it ends', async () => {
  someone
    .given(blocked, muted, { type: 'PersonMuted', data: { ...pair, other: 'carl' } })
    .when(relations.clearRelations('ada'))
    .thenEvents({ type: 'RelationsCleared', data: { accountId: 'ada', others: ['bert', 'carl'] } })
    .thenState(({ blocked: left, muted: silenced }) => t.equal(left.size + silenced.size, 0))
    .again()
    .thenNothing()
})
