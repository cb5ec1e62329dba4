/** Events as they were written before their types said more: they are read, lifted to what is told today. */
import t from 'tap'
import Type from 'typebox'
import { openLog } from '../../../src/core/log/open.ts'
import { accountEvents } from '../../../src/domain/account/account.ts'
import { addressEvents } from '../../../src/domain/address/address-events.ts'
import { type EventType, eventType, type JsonObject } from '../../../src/domain/event.ts'
import { deviceEvents } from '../../../src/domain/session/devices.ts'
import { sessionEvents } from '../../../src/domain/session/session.ts'
import { openMemoryEventStore } from '../../support/memory-event-store.ts'
import { openMemoryKeys } from '../../support/memory-keys.ts'

const secret = Type.String({ seal: 'subject' as const })
const subject = (data: JsonObject): string => String(data['accountId'])
const link = { linkHash: 'h', expiresAt: '2026-01-02T00:00:00.000Z' }

/** The first version of a type: what of it was sealed, an event of it, and what is told of it today. */
type Older = {
  readonly type: string
  readonly sealed?: readonly string[]
  readonly data: JsonObject
  readonly now: JsonObject
}
const person = { accountId: 'a-1', address: 'ada@a.example', locale: 'en', ...link }
const older: readonly Older[] = [
  {
    type: 'SignUpReceived',
    sealed: ['address', 'password'],
    data: { ...person, password: 'kept', held: false },
    now: { ...person, held: false, quiet: false },
  },
  { type: 'AddressConfirmed', data: { accountId: 'a-1', linkHash: 'h' }, now: { accountId: 'a-1', linkHash: 'h' } },
  { type: 'PasswordResetRequested', data: { ...link }, now: { ...link, quiet: false } },
  { type: 'VerificationResent', data: { ...link }, now: { ...link, quiet: false } },
  {
    type: 'AddressChangeRequested',
    sealed: ['address'],
    data: { ...person, from: 'address-1.x', held: true },
    now: { ...person, from: 'address-1.x', held: true, quiet: false },
  },
  {
    type: 'DeviceAdded',
    data: { accountId: 'a-1', device: 'd', first: true },
    now: { accountId: 'a-1', device: 'd', first: true, byLink: false },
  },
  { type: 'SessionEnded', data: { reason: 'ended', by: 'a-1' }, now: { cause: 'ended', by: 'a-1' } },
  {
    type: 'SessionsEnded',
    sealed: ['grounds'],
    data: { except: 's-1', accountId: 'a-1', reason: 'administrator', by: 'boss', grounds: 'Stolen.' },
    now: { except: 's-1', accountId: 'a-1', cause: 'administrator', by: 'boss', reason: 'Stolen.' },
  },
  { type: 'RoleGranted', data: { role: 'editor', by: 'boss' }, now: { role: 'editor', by: 'boss' } },
  { type: 'RoleTaken', data: { role: 'editor', by: 'boss' }, now: { role: 'editor', by: 'boss' } },
  { type: 'AccountReinstated', data: { by: 'boss' }, now: { by: 'boss' } },
]

const asItWas = ({ type, sealed = [] }: Older): EventType =>
  sealed.length === 0
    ? eventType(type, Type.Unsafe<JsonObject>(Type.Object({})))
    : eventType(type, Type.Object(Object.fromEntries(sealed.map(member => [member, secret]))), { subject })

t.test('what was written before is read', async t => {
  const store = openMemoryEventStore()
  const keys = openMemoryKeys()
  const before = openLog({ store, keys, types: older.map(asItWas) })
  const now = openLog({ store, keys, types: [...addressEvents, ...accountEvents, ...sessionEvents, ...deviceEvents] })
  for (const { type, data, now: told } of older) {
    const stream = `old-${type}`
    const meta = {
      actor: { kind: 'account' as const, id: 'a-1' },
      commandId: 'c',
      correlationId: 'r',
      causationId: 'c',
      at: '2026-01-01T00:00:00.000Z',
      route: { visibility: 'owner' as const },
    }
    const written = await before.append(await before.encode(stream, 'none', [{ id: stream, type, data, meta }]))
    t.equal(written.outcome, 'written')
    for await (const page of now.readStream(stream))
      t.same(
        page.map(event => event.data),
        [told],
        type,
      )
  }
})
