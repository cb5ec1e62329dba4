/** One server of the history's benchmark: `ours` (route, transcript, record of the reading) or `peer`; prints its address. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { systemClock as clock } from '../../src/app/core.ts'
import { openReadings } from '../../src/commands/history.ts'
import { codecsOf } from '../../src/core/log/codec.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openRemovals } from '../../src/core/log/removals.ts'
import { openTranscript } from '../../src/core/log/transcript.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { entryEvents } from '../../src/domain/entry/events.ts'
import { historyEvents, readingAggregate } from '../../src/domain/history/history.ts'
import { openHistory } from '../../src/queries/history.ts'
import { openEdge } from '../../tests/support/edge.ts'
import { openMemoryKeys } from '../../tests/support/memory-keys.ts'

const [name, path = ''] = process.argv.slice(2)

/** Rows as arrays in pages of 1,000, put together as our lines are, written when the socket takes them. */
const peer = (): void => {
  const db = new DatabaseSync(path, { readOnly: true })
  const page = db.prepare(
    'SELECT position, revision, kind, recorded, id, name, data, meta FROM events WHERE position > ? ORDER BY position LIMIT 1000',
  )
  page.setReturnArrays(true)
  const types = new Map(
    db
      .prepare('SELECT id, type FROM kinds')
      .all()
      .map(({ id, type }) => [id, type]),
  )
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    let position = 0
    const more = (): void => {
      const rows: unknown = page.all(position)
      if (!Array.isArray(rows) || rows.length === 0) return void response.end()
      let text = ''
      for (const row of rows) {
        const recordedAt = new Date(row[3]).toISOString()
        text += `{"id":"${row[4]}","type":"${types.get(row[2])}","stream":"${row[5]}","revision":"${row[1]}","position":"${row[0]}","recordedAt":"${recordedAt}","data":${row[6]},"meta":${row[7]}}\n`
        position = row[0]
      }
      if (response.write(text)) setImmediate(more)
      else response.once('drain', more)
    }
    more()
  })
  server.listen(0, '127.0.0.1', () => {
    const address: AddressInfo | string | null = server.address()
    if (typeof address === 'object' && address) process.stdout.write(`http://127.0.0.1:${address.port}/\n`)
  })
}

const absent = (): never => {
  throw new Error('This benchmark asks for the whole log, which needs no read model.')
}
const view = {
  name: '',
  get: absent,
  find: absent,
  select: absent,
  count: absent,
  generation: () => '',
  position: () => 0n,
}

/** The edge with tokens, limits and headers, and the record of each stream in the log that is read. */
const ours = async (): Promise<void> => {
  const keys = openMemoryKeys()
  const types = [...entryEvents, ...historyEvents]
  const store = await openSqliteEventStore({ path, clock })
  const log = openLog({ store, keys, types })
  const transcript = openTranscript({ keys, codecs: codecsOf(types), removals: openRemovals(store, ['EntryRedacted']) })
  const readings = openTransactor({ aggregate: readingAggregate, log, clock, random: Math.random, cachedStreams: 10 })
  const kinds = new Map([['entry', types.map(each => each.type)]])
  const history = {
    history: openHistory({
      records: store,
      transcript,
      types: kinds,
      view: { ...view, waitFor: async () => undefined, ready: async () => true },
    }),
    readings: openReadings({ readings, clock, newId: randomUUID, onError: absent }),
    types: kinds,
    personal: new Set<string>(),
  }
  const { url, token } = await openEdge({ teardown: () => undefined }, { history })
  process.stdout.write(`${url}/v1/events ${token('auditor')}\n`)
}

if (name === 'peer') peer()
else await ours()
