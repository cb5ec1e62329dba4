/** The double of an EventStoreDB in a process of its own, so that the CPU of its clients is theirs alone. */
import { openEventStoreDouble } from '../../tests/support/esdb/server.ts'

const server = await openEventStoreDouble()
process.send?.(server.url())
process.once('disconnect', () => void server.close().then(() => process.exit(0)))
