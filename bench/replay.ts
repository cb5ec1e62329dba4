/**
 * Replay: the whole log through the event store, data and meta parsed, against reading the same columns of the same file
 * with a bare connection, in pages of 1000 rows as arrays (its fastest way), and parsing them.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import type { EventStore } from '../src/ports/event-store.ts'
import { fastClock } from '../tests/support/clocks.ts'
import { type Bench, inFolder, interleave, main, median, ratioOf, short, timed } from './bench.ts'
import { sampleData, sampleMeta } from './sample.ts'

const PAGE = 1_000
const REACH = 0.9

const fill = async (store: EventStore, events: number): Promise<void> => {
  for (let first = 0; first < events; first += 4_000)
    await store.appendMany(
      Array.from({ length: Math.min(4_000, events - first) / 4 }, () => ({
        stream: `entry-${randomUUID()}`,
        expected: 'none' as const,
        events: Array.from({ length: 4 }, () => ({
          id: randomUUID(),
          type: 'EntryEdited',
          data: sampleData,
          meta: sampleMeta,
        })),
      })),
    )
}

/** Keeps what was parsed from being optimised away, and shows that both read the same. */
type Seen = { events: number; characters: number }
const see = (seen: Seen, data: string, meta: string): void => {
  const parsed: unknown = JSON.parse(data)
  const about: unknown = JSON.parse(meta)
  seen.events += parsed && about ? 1 : 0
  seen.characters += data.length
}

const ours = async (store: EventStore): Promise<Seen> => {
  const seen = { events: 0, characters: 0 }
  for await (const batch of store.readAll(0n)) for (const { data, meta } of batch.events) see(seen, data, meta)
  return seen
}

const peer = (db: DatabaseSync): Seen => {
  const seen = { events: 0, characters: 0 }
  const page = db.prepare(
    `SELECT position, revision, kind, recorded, id, name, data, meta FROM events WHERE position > ?
     ORDER BY position LIMIT ${PAGE}`,
  )
  page.setReturnArrays(true)
  for (let position = 0; ; ) {
    const rows: unknown = page.all(position)
    if (!Array.isArray(rows) || rows.length === 0) return seen
    for (const row of rows) {
      see(seen, row[6], row[7])
      position = row[0]
    }
  }
}

export const run: Bench['run'] = ({ quick }) =>
  inFolder(async folder => {
    const events = quick ? 2_000 : 200_000
    const path = join(folder, 'events.db')
    const store = await openSqliteEventStore({ path, clock: fastClock(1) })
    await fill(store, events)
    const db = new DatabaseSync(path, { readOnly: true })
    // By CPU time: both work on one thread, and the neighbours of a busy machine change it little.
    const rate = async (read: () => Seen | Promise<Seen>): Promise<number> => {
      const { cpu, result } = await timed(read)
      if (result.events !== events) throw new Error(`${result.events} of ${events} events were read`)
      return (events / cpu) * 1000
    }
    // A round that is not counted warms the caches of both.
    await rate(() => ours(store))
    await rate(() => peer(db))
    const rates = await interleave(quick ? 1 : 9, {
      ours: () => rate(() => ours(store)),
      peer: () => rate(() => peer(db)),
    })
    db.close()
    await store.close()
    const [mine, theirs] = [rates.get('ours') ?? [], rates.get('peer') ?? []]
    const ratio = ratioOf(mine, theirs)
    return [
      {
        work: `replay of ${short(events)} events, 560 B`,
        against: 'read and JSON.parse',
        ours: `${short(median(mine))} a CPU second`,
        peer: `${short(median(theirs))} a CPU second`,
        ratio,
        reach: `>= ${REACH}`,
        met: ratio >= REACH,
      },
    ]
  })

await main(import.meta, run)
