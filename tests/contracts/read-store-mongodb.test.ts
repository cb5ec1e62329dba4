/** The read store's contract on MongoDB, and what is its own there. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openMongoReadStore } from '../../src/adapters/readstore/mongodb/store.ts'
import { fastClock } from '../support/clocks.ts'
import { noMongo, startMongo } from '../support/mongodb.ts'
import { readStoreContract } from './read-store.ts'

const reason = noMongo()
if (reason !== undefined) t.test('the contract of the read store', { skip: reason }, () => undefined)
else {
  const server = await startMongo(t)
  const open = (url = server.database()) =>
    openMongoReadStore({ url, setting: 'READ_STORE', clock: fastClock(1), newId: randomUUID })
  readStoreContract(t, async () => {
    const store = await open()
    return { store, close: () => store.close() }
  })
}
