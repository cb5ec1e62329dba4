import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { eventStoreContract } from './event-store.ts'

// The store that other tests stand on keeps the same promises as the real one.
eventStoreContract(t, 'memory', async () => openMemoryEventStore({ logId: randomUUID(), now: () => new Date() }))
