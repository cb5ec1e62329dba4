import tap from 'tap'
import { openEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/store.ts'
import { fastClock } from '../support/clocks.ts'
import { openEventStoreDouble } from '../support/esdb/server.ts'
import { eventStoreContract } from './event-store.ts'

eventStoreContract(tap, 'eventstoredb, on the double of its protocol', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  return openEventStoreDb({ url: server.url(), clock: fastClock(1) })
})

// A real server: `docs/eventstoredb.md` says how to start one. Its log may hold anything.
const { TEST_ESDB_URL: url } = process.env
if (url) eventStoreContract(tap, 'eventstoredb, on a server', () => openEventStoreDb({ url, clock: fastClock(1) }))
