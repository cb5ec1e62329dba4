/** What the channels of the live feed never send, whoever listens. */
import t from 'tap'
import { accountEvents } from '../../src/domain/account/account.ts'
import type { EventType, Recorded } from '../../src/domain/event.ts'
import { channelNames, dataOf } from '../../src/subscribers/live-channels.ts'
import { permissionsOf } from '../support/roles.ts'

t.test('personal data is sent to nobody, so that no listening has to be recorded with whose it was', async t => {
  const types = new Map<string, EventType>(accountEvents.map(declared => [declared.type, declared]))
  const created: Recorded = {
    id: 'one',
    type: 'AccountCreated',
    stream: 'account-one',
    revision: 0n,
    position: 1n,
    recordedAt: '2026-01-05T10:00:00.000Z',
    data: { accountId: 'one', address: 'ada@dictionary.example' },
    meta: {
      actor: { kind: 'account', id: 'one' },
      commandId: 'one',
      correlationId: 'one',
      causationId: 'one',
      at: '2026-01-05T10:00:00.000Z',
      schema: 1,
      key: 'subject:one',
      route: { visibility: 'owner', owner: 'one' },
    },
  }
  const admin = { actor: { kind: 'account' as const, id: 'two' }, permissions: permissionsOf('admin') }
  t.ok(types.get('AccountCreated')?.sealed.includes('address'))
  for (const channel of channelNames) {
    const sent = JSON.stringify(dataOf(channel, admin, created, types, () => undefined))
    t.match(sent, 'accountId', channel)
    t.notMatch(sent, 'ada@', channel)
  }
})
