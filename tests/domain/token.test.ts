import fc from 'fast-check'
import t from 'tap'
import {
  issueToken,
  revokeToken,
  type TokenEvent,
  type TokenRequest,
  tokenAggregate,
  tokenStream,
} from '../../src/domain/access/token.ts'
import { fold } from '../../src/domain/decider.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { holds } from '../support/property.ts'
import { scenario } from '../support/scenario.ts'

const now = new Date('2026-01-01T00:00:00.000Z')
const request: TokenRequest = {
  tokenId: 't-1',
  role: 'editor',
  subject: 's-1',
  name: 'Deploy bot',
  lifeMs: 3_600_000,
  now,
}
const issued = {
  type: 'TokenIssued' as const,
  data: {
    tokenId: 't-1',
    role: 'editor' as const,
    subject: 's-1',
    name: 'Deploy bot',
    issuedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T01:00:00.000Z',
  },
}
const revoked = { type: 'TokenRevoked' as const, data: { by: 'admin' } }
const tokens = scenario(tokenAggregate)

t.test('issue: accept, refuse, repeat', async () => {
  tokens.given().when(issueToken(request)).thenEvents(issued).again().thenNothing()
  for (const lifeMs of [1000, 24 * 3_600_000])
    tokens
      .given()
      .when(issueToken({ ...request, lifeMs }))
      .then('TokenIssued')
  for (const lifeMs of [0, 999, -5, 24 * 3_600_000 + 1, Number.NaN, Number.POSITIVE_INFINITY, 1500.5])
    tokens
      .given()
      .when(issueToken({ ...request, lifeMs }))
      .thenRefused('token-life')
  for (const name of ['', '  ', 'a\nb', 'x\ud800', 'x'.repeat(201)])
    tokens
      .given()
      .when(issueToken({ ...request, name }))
      .thenRefused('text-invalid')
  tokens.given(issued, revoked).when(issueToken(request)).thenNothing()
})

t.test('revoke: accept, refuse, repeat', async () => {
  tokens.given(issued).when(revokeToken('admin')).thenEvents(revoked).again().thenNothing()
  tokens.given().when(revokeToken('admin')).thenRefused('token-not-found')
  tokens.given(issued, revoked).when(revokeToken('someone')).thenNothing()
})

t.test('the fold keeps what was issued; an erased name is absent', async t => {
  t.same(tokens.given(issued).state, {
    id: 't-1',
    role: 'editor',
    subject: 's-1',
    name: 'Deploy bot',
    revoked: false,
    issuedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T01:00:00.000Z',
  })
  const erased = tokens.given({ ...issued, removed: true }, revoked).state
  t.notOk(erased && 'name' in erased)
  t.equal(erased?.revoked, true)
  t.same(tokenAggregate.route(erased), { visibility: 'owner', owner: 's-1' })
  t.same(tokenAggregate.route(undefined), { visibility: 'owner' })
  t.equal(tokenStream('t-1'), 'token-t-1')
})

t.test('property: no order of events throws, and nothing takes a revocation back', async t => {
  holds(
    fc.property(
      fc.array(fc.constantFrom<TokenEvent>(issued, revoked, { ...issued, data: { ...issued.data, role: 'admin' } })),
      events => {
        const { state } = tokens.given(...events)
        const first = events.findIndex(each => each.type === 'TokenIssued')
        const after = first < 0 ? [] : events.slice(first)
        return (state?.revoked ?? false) === after.some(each => each.type === 'TokenRevoked')
      },
    ),
  )
  const odd = { type: 'Unheard', data: {} }
  t.equal(fold(tokenAggregate, [Object(odd) as Recorded<TokenEvent>]), undefined)
})
