/** What the channels of the live feed never send, whoever listens. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { areas } from '../../src/app/areas.ts'
import { channelsOf } from '../../src/app/declared.ts'
import type { LiveChannel } from '../../src/core/live/channels.ts'
import { accountEvents } from '../../src/domain/account/account.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { anonymousPermissions, permissionsOf } from '../support/roles.ts'

t.test('personal data is sent to nobody, so that no listening has to be recorded with whose it was', async t => {
  const type = accountEvents.find(declared => declared.type === 'AccountCreated')
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
  t.ok(type?.sealed.includes('address'))
  for (const { name, carried } of channelsOf(areas).all) {
    if (!carried) continue
    const telling = { event: created, type, listener: admin, id: undefined, replayed: false, standing: () => undefined }
    const sent = JSON.stringify(carried.data(telling))
    t.match(sent, '"one"', name)
    t.notMatch(sent, 'ada@', name)
  }
})

t.test('docs/live.md lists each with its filters, and with who may listen', async t => {
  const page = readFileSync(new URL('../../docs/live.md', import.meta.url), 'utf8')
  const table = page.slice(page.indexOf('| channel |'), page.indexOf('\n\n', page.indexOf('| channel |')))
  const rows = [...table.matchAll(/^\| `([^`]+)` \| .+ \|([^|]*)\| ([^|]*) \|$/gm)]
  const written = rows.map(([, name, filters = '', who = '']) => ({
    name,
    filters: [...filters.matchAll(/`([^`]+)`/g)].map(([, member]) => member),
    who: who.replaceAll('`', ''),
  }))
  /** What strangers may do is open to all. */
  const whoOf = (needs: LiveChannel['needs']): string =>
    needs === 'actor' ? 'any token' : needs === undefined || anonymousPermissions.has(needs) ? 'all' : needs
  const declared = channelsOf(areas).all.map(({ name, filters, needs }) => ({
    name,
    filters: Object.keys(filters),
    who: whoOf(needs),
  }))
  const byName = (a: { readonly name?: string | undefined }, b: { readonly name?: string | undefined }) =>
    String(a.name).localeCompare(String(b.name))
  t.strictSame(written.toSorted(byName), declared.toSorted(byName))
})
