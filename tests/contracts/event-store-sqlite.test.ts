import { join } from 'node:path'
import t from 'tap'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { fastClock } from '../support/clocks.ts'
import { eventStoreContract } from './event-store.ts'

eventStoreContract(t, 'sqlite', t =>
  openSqliteEventStore({ path: join(t.testdir(), 'events.db'), clock: fastClock(1) }),
)
