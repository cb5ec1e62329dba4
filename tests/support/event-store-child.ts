/**
 * A process that appends to a SQLite event store until it has written enough or is killed. Each answered append is a line
 * `stream revision id` on standard output, written before the next append of that appender is sent.
 * Arguments: path, name, appenders, appends of each; those to the stream `shared-0` contend with other processes.
 */
import { randomUUID } from 'node:crypto'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import type { Expected } from '../../src/ports/event-store.ts'
import { fastClock } from './clocks.ts'

const [path = '', name = '', appenders = '1', appends = '1'] = process.argv.slice(2)
const store = await openSqliteEventStore({ path, clock: fastClock(1) })

const appendOnce = async (stream: string, expected: Expected): Promise<Expected> => {
  const id = randomUUID()
  const result = await store.append(stream, expected, [{ id, type: 'Appended', data: `{"by":"${name}"}`, meta: '{}' }])
  if (result.outcome === 'conflict') return appendOnce(stream, result.current)
  if (result.outcome === 'unknown') throw new Error(result.cause)
  // Waits for who reads: the pipe is full where that is slow.
  await new Promise(resolve => process.stdout.write(`${stream} ${result.revision} ${id}\n`, resolve))
  return result.revision
}

await Promise.all(
  Array.from({ length: Number(appenders) }, async (_, number) => {
    const own = `own-${name}.${number}`
    let expected: Expected = 'none'
    let shared: Expected = 'none'
    for (let turn = 0; turn < Number(appends); turn += 1) {
      expected = await appendOnce(own, expected)
      if (number === 0) shared = await appendOnce('shared-0', shared)
    }
  }),
)
await store.close()
