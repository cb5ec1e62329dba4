/** Accounts to be listed, folded twice: how they stand, their roles, and by what their names are found. */
import t from 'tap'
import type { Recorded } from '../../src/domain/event.ts'
import { type AccountDocument, accountsProjection } from '../../src/projections/accounts.ts'
import { begun, created, erased, wished } from '../support/account-events.ts'

const recorded = (
  { type, data }: { readonly type: string; readonly data: Recorded['data'] },
  more: { readonly stream?: string; readonly removed?: true } = {},
): Recorded => ({
  id: type,
  type,
  data,
  stream: 'account-a-1',
  revision: 0n,
  position: 1n,
  recordedAt: '2026-01-05T10:00:00.000Z',
  meta: {
    actor: { kind: 'account', id: 'a-1' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    at: '2026-01-05T10:00:00.000Z',
    schema: 1,
    route: { visibility: 'owner' },
  },
  ...more,
})
const named = (displayName?: string, removed?: true) =>
  recorded(
    { type: 'ProfileEdited', data: { accountId: 'a-1', languages: [], displayName } },
    { stream: 'profile-a-1', ...(removed && { removed }) },
  )
const done = (type: string, data: Recorded['data'] = { by: 'boss', reason: 'A test.' }) => recorded({ type, data })
const granted = (role: string) => done('RoleGranted', { role, by: 'boss' })

/** Each event is heard twice. */
const after = (...events: readonly Recorded[]): AccountDocument | undefined => {
  let document: AccountDocument | undefined
  for (const event of [recorded(created), ...events].flatMap(each => [each, each]))
    document = accountsProjection.evolve(document, event, 'a-1')
  return document
}
const fresh = { begun: 1, state: 'active', suspended: false, roles: [] }

t.test('an account stands as its events say', async t => {
  t.same(after(), fresh)
  t.same(after(granted('editor'), granted('moderator'), granted('editor')), {
    ...fresh,
    roles: ['moderator', 'editor'],
  })
  t.same(after(granted('editor'), done('RoleTaken', { role: 'editor', by: 'boss' })), fresh)
  t.same(after(done('AccountSuspended')), { ...fresh, state: 'suspended', suspended: true })
  t.same(after(done('AccountSuspended'), done('AccountReinstated')), fresh)
  t.same(after(recorded(wished), done('AccountSuspended')), { ...fresh, state: 'erasing', suspended: true })
  t.same(after(recorded(wished), done('ErasureCancelled', { accountId: 'a-1' })), fresh)
  t.same(after(recorded(wished), recorded(begun)), { ...fresh, state: 'erasing' })
})

t.test('a name is found without case and accents, and is gone with its key', async t => {
  t.same(after(named('Ádá Ŀ')), { ...fresh, nameKey: 'ada l~0000b7' })
  t.same(after(named('Ada'), named()), fresh)
  t.same(after(named('Ada'), named(undefined, true)), fresh)
  t.equal(JSON.stringify(after(named('Ádá'))).includes('Á'), false, 'nothing stands as it was written')
})

t.test('of one that was erased nothing is left, whatever comes after', async t => {
  t.equal(after(named('Ada'), recorded(wished), recorded(begun), recorded(erased)), undefined)
  t.equal(after(recorded(erased), named('Ada'), granted('editor')), undefined)
  t.same(accountsProjection.removals, ['AccountErased'])
  t.same([recorded(created), named('Ada')].map(accountsProjection.key), ['a-1', 'a-1'])
})
