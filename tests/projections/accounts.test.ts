/** Accounts to be listed, folded twice: how they stand, their roles, and by what their names are found. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { type AccountDocument, accountsProjection, nameTerm } from '../../src/projections/accounts.ts'
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
    { stream: 'profile-a-1', ...defined({ removed: removed ? removed : undefined }) },
  )
const done = (type: string, data: Recorded['data'] = { by: 'boss', reason: 'A test.' }) => recorded({ type, data })
const granted = (role: string) => done('RoleGranted', { role, by: 'boss' })

const secret = new Uint8Array(32).fill(7)
const declared = accountsProjection(secret)
/** Each event is heard twice. */
const after = (...events: readonly Recorded[]): AccountDocument | undefined => {
  let document: AccountDocument | undefined
  for (const event of [recorded(created), ...events].flatMap(each => [each, each]))
    document = declared.evolve(document, event, 'a-1')
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
  const term = (text: string) => nameTerm(secret, text)
  t.same(after(named('Ádá')), { ...fresh, nameTerms: ['a', 'AD', 'ada'].map(term) })
  t.equal(new Set([...'adaω'].map((_, at) => term('adaω'.slice(0, at + 1)))).size, 4)
  const long = after(named('Maximiliana Josephine'))?.nameTerms ?? []
  t.equal(long.length, 12)
  t.ok(long.includes(term('maximiliana joanna')), 'of what is longer the beginning counts')
  t.not(nameTerm(new Uint8Array(32), 'ada'), term('ada'), 'without the secret a term says nothing')
  t.same(after(named('Ada'), named()), fresh)
  t.same(after(named('Ada'), named(undefined, true)), fresh)
  t.notMatch(JSON.stringify(after(named('Ádá'))), /ada|Ád/, 'the name stands nowhere')
})

t.test('of one that was erased nothing is left, whatever comes after', async t => {
  t.equal(after(named('Ada'), recorded(wished), recorded(begun), recorded(erased)), undefined)
  t.equal(after(recorded(erased), named('Ada'), granted('editor')), undefined)
  t.same(declared.removals, ['AccountErased'])
  t.same([recorded(created), named('Ada')].map(declared.key), ['a-1', 'a-1'])
})
