/** The end of an account as it is decided: administrators wait, and what is late is known. */
import t from 'tap'
import { type AccountEvent, accountAggregate } from '../../src/domain/account/account.ts'
import { beginErasure, lateness, requestErasure } from '../../src/domain/account/erasure.ts'
import { created, erased, wished } from '../support/account-events.ts'
import { scenario } from '../support/scenario.ts'

const now = new Date('2026-01-01T00:00:00.000Z')
const after = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000)
const accounts = scenario(accountAggregate)
const admin = (expiresAt: Date): AccountEvent => ({
  type: 'RoleGranted',
  data: { role: 'admin', by: 'boss', expiresAt: expiresAt.toISOString() },
})

t.test('an administrator cannot wish for it while the grant lasts', async () => {
  const story = accounts.given(created, admin(after(60)))
  story.when(requestErasure('kept', 'h', after(59))).thenRefused('last-administrator')
  story.when(requestErasure('kept', 'h', after(60))).then('ErasureRequested')
})

t.test('one who became an administrator meanwhile waits, and is told once', async t => {
  const story = accounts.given(created, wished, admin(after(60)))
  story
    .when(beginErasure(after(1), undefined))
    .then('ErasureHeld')
    .thenState(account => t.equal(account && lateness(account, after(30)), 'held'))
    .again()
    .thenNothing()
    .again(beginErasure(after(60), undefined))
    .then('ErasureBegun', 'SessionsEnded')
})

t.test('what is late', async t => {
  const late = (minutes: number, ...events: readonly AccountEvent[]) => {
    const { state } = accounts.given({ ...created, at: now }, ...events.map(event => ({ ...event, at: now })))
    return state && lateness(state, after(minutes))
  }
  const begun = { type: 'ErasureBegun' as const, data: { accountId: 'a-1' } }
  t.equal(late(100), undefined)
  t.equal(late(9, wished), undefined)
  t.equal(late(10, wished), 'late')
  t.equal(late(24, wished, begun), undefined)
  t.equal(late(25, wished, begun), 'late')
  t.equal(late(100, wished, begun, erased), undefined)
})
