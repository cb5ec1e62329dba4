/** The marks of positions on every engine: what is kept of a log is told from another history of it, whatever gave the position. */
import { randomUUID } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openEventStoreDb } from '../../../src/adapters/eventstore/eventstoredb/store.ts'
import { openSqliteEventStore } from '../../../src/adapters/eventstore/sqlite/store.ts'
import { openLog } from '../../../src/core/log/open.ts'
import { openSyncTokens } from '../../../src/core/log/sync-tokens.ts'
import { dayEvents } from '../../../src/domain/entry/day.ts'
import { markOf, NO_MARK } from '../../../src/domain/mark.ts'
import type { EventStore, LoggedEvent } from '../../../src/ports/event-store.ts'
import { fastClock } from '../../support/clocks.ts'
import { openEventStoreDouble } from '../../support/esdb/server.ts'
import { newEvent, written } from '../../support/event-stores.ts'
import { openMemoryEventStore } from '../../support/memory-event-store.ts'
import { openMemoryKeys } from '../../support/memory-keys.ts'
import { temporaryFolder } from '../../support/service.ts'

const clock = fastClock(1)
const secret = Buffer.alloc(32, 7)

/** A store, and the same one after an older copy of it was put back. */
type Engine = (t: Test) => Promise<{
  readonly store: EventStore
  readonly keep: () => Promise<void>
  readonly putBack: () => Promise<EventStore>
}>

const engines: Readonly<Record<string, Engine>> = {
  memory: async () => {
    const store = openMemoryEventStore()
    const other = openMemoryEventStore()
    return {
      store,
      keep: async () => {
        for await (const { events } of store.readAll(0n))
          for (const event of events) await other.append(event.stream, 'none', [event])
      },
      putBack: async () => other,
    }
  },
  sqlite: async t => {
    const folder = temporaryFolder(t)
    const open = async (name: string) => {
      const store = await openSqliteEventStore({ path: join(folder, name), clock })
      t.teardown(() => store.close())
      return store
    }
    const store = await open('events.db')
    return {
      store,
      keep: async () => {
        await store.foldJournal()
        copyFileSync(join(folder, 'events.db'), join(folder, 'copy.db'))
      },
      putBack: async () => open('copy.db'),
    }
  },
  eventstoredb: async t => {
    const server = await openEventStoreDouble()
    t.teardown(() => server.close())
    const open = async (name: string) => {
      const store = await openEventStoreDb({ url: server.url(`connectionName=${name}`), clock })
      t.teardown(() => store.close())
      return store
    }
    const store = await open('before')
    let kept = 0n
    return {
      store,
      keep: async () => {
        kept = await store.head()
      },
      putBack: async () => {
        server.log.truncateAfter(kept)
        return open('after')
      },
    }
  },
}

const logOf = (store: EventStore) => openLog({ store, keys: openMemoryKeys(), types: dayEvents })

for (const [name, open] of Object.entries(engines))
  t.test(name, async t => {
    const { store, keep, putBack } = await open(t)
    const before = logOf(store)
    const tokens = openSyncTokens(secret, before)
    const common = written(await store.append('a-1', 'none', [newEvent()])).position
    await keep()
    // Sent again after a restore with its Idempotency-Key, it has its id of before, and another time.
    const id = randomUUID()
    const at = (time: string) => ({
      ...newEvent(),
      id,
      meta: JSON.stringify({ actor: { id: 'a', kind: 'system' }, at: time }),
    })
    const lost = written(await store.append('b-1', 'none', [at('2026-01-01T00:00:00.001Z')])).position
    const [shared, theirs] = [await tokens.of(common), await tokens.of(lost)]
    t.same(await tokens.read(theirs), { position: lost, mark: markOf(id, '2026-01-01T00:00:00.001Z') })
    t.equal(tokens.lastMade(lost + 1_000n), theirs)
    t.equal(tokens.lastMade(lost - 1n), shared, 'the last one that is no later')
    t.equal(tokens.lastMade(common - 1n), undefined)
    t.equal(await before.markAt(0n), NO_MARK)
    t.equal(await before.markAt(lost + 1_000n), NO_MARK)

    const restored = await putBack()
    t.equal(restored.logId, store.logId)
    const after = logOf(restored)
    const again = openSyncTokens(secret, after)
    await t.rejects(again.read(theirs), { code: 'other-log' }, 'there is nothing where it was')
    const instead = written(await restored.append('b-1', 'none', [at('2026-01-01T00:00:00.002Z')])).position
    // The double gives no position twice.
    if (name !== 'eventstoredb') t.equal(instead, lost, 'the same place')
    await t.rejects(again.read(theirs), { code: 'other-log' }, 'there is another event')
    t.match(await again.read(shared), { position: common })
    t.not(await again.of(instead), theirs)
  })

t.test('what was asked for is not asked again, and what comes by is remembered', async t => {
  const store = openMemoryEventStore()
  let asked = 0
  const readAt = async (positions: readonly bigint[]): Promise<readonly LoggedEvent[]> => {
    asked += 1
    return store.readAt(positions)
  }
  const log = logOf({ ...store, readAt })
  const first = written(await store.append('a-1', 'none', [newEvent()])).position
  const both = await Promise.all([log.markAt(first), log.markAt(first)])
  t.equal(both[0], both[1])
  t.equal(await log.markAt(first), both[0])
  t.equal(asked, 1)
})
