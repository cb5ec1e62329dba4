/**
 * Attacks by cost, at two sizes that differ by four: an entry that its author edited again and again with 700 KB. CPU and memory of each
 * look at it, in this process and on the embedded log; what is read is compared in tests/attacks/cost.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import { openFileKeys } from '../src/adapters/keys/file.ts'
import { openSqliteReadStore } from '../src/adapters/readstore/sqlite/store.ts'
import { systemClock as clock } from '../src/app/core.ts'
import { openLog } from '../src/core/log/open.ts'
import { openSnapshots } from '../src/core/write/snapshots.ts'
import { openTransactor } from '../src/core/write/transact.ts'
import type { Deciding } from '../src/domain/decider.ts'
import { emptyContent } from '../src/domain/entry/content.ts'
import { revert } from '../src/domain/entry/decisions.ts'
import { entryStream } from '../src/domain/entry/entry.ts'
import { type EntryEvent, entryEvents } from '../src/domain/entry/events.ts'
import { type EntryState, entryAggregate } from '../src/domain/entry/state.ts'
import { isRefusal } from '../src/domain/refusal.ts'
import { historyPage, openEntryEvents } from '../src/queries/entry-history.ts'
import { type BenchOptions, type BenchRow, inFolder, main, timed } from './bench.ts'

const CHARACTERS = 700_000
/** As many appends as lie between two checkpoints of the journal, so that each size has one. */
const TIMES = 40
/** A quarter more than at a quarter of the size: what is looked at is the same. */
const REACH = 1.25
const MEGABYTE = 1024 * 1024

type Costs = Readonly<Record<string, { readonly cpuMs: number; readonly rssMb: number }>>

const costs = async (folder: string, revisions: number, times: number): Promise<Costs> => {
  const store = await openSqliteEventStore({ path: join(folder, 'events.db'), clock })
  const reads = await openSqliteReadStore({ path: join(folder, 'read.db'), clock })
  const keys = await openFileKeys({ folder: join(folder, 'keys'), randomBytes, clock })
  const log = openLog({ store, keys, types: entryEvents })
  const start = () => {
    const snapshots = openSnapshots({ records: reads, logId: log.logId, clock })
    const options = { aggregate: entryAggregate, log, clock, random: Math.random, cachedStreams: 100, snapshots }
    return { snapshots, entries: openTransactor(options) }
  }
  const node = start()
  const id = randomUUID()
  const stream = entryStream(id)
  const run = async (decide: Deciding<EntryState, EntryEvent>, on = node) => {
    const actor = { kind: 'account', id: 'author' } as const
    const envelope = { commandId: randomUUID(), actor, correlationId: 'attack', at: clock.now() }
    const result = await on.entries.run(stream, decide, envelope)
    if (isRefusal(result)) throw new Error(result.detail)
  }
  const edit = (n: number): EntryEvent => ({
    type: 'DraftEdited',
    data: { changes: { etymology: `${n} `.padEnd(CHARACTERS, 'x') } },
  })
  const identity = { language: 'en', lemma: 'attack', partOfSpeech: 'noun' as const, homograph: 1, licence: 'CC0-1.0' }
  await run(() => [{ type: 'EntryDrafted', data: { ...identity, content: emptyContent } }])
  for (let n = 1; n <= revisions; n += 1) await run(() => [edit(n)])
  await node.snapshots.close()

  const cost = async (work: () => Promise<unknown>) => {
    const before = process.memoryUsage().rss
    const { cpu } = await timed(async () => {
      for (let n = 0; n < times; n += 1) await work()
    })
    return { cpuMs: cpu / times, rssMb: Math.max(0, (process.memoryUsage().rss - before) / MEGABYTE) }
  }
  const page = async (): Promise<void> => {
    const { past } = (await node.entries.load(stream)).state
    await historyPage(past, openEntryEvents(log, id), { limit: 1, before: undefined, sight: 'author' })
  }
  let n = 0
  const found = {
    'a page of one revision': await cost(page),
    'a revert': await cost(async () => {
      n += 1
      await run(revert(BigInt(n), undefined))
    }),
    'a change by a node that starts': await cost(async () => {
      n += 1
      await run(() => [edit(-n)], start())
    }),
  }
  await store.close()
  await reads.close()
  return found
}

export const run = async ({ quick }: BenchOptions): Promise<readonly BenchRow[]> => {
  const [few, many, times] = quick ? ([2, 8, 4] as const) : ([160, 640, TIMES] as const)
  const small = await inFolder(folder => costs(folder, few, times))
  const large = await inFolder(folder => costs(folder, many, times))
  return Object.entries(large).map(([work, { cpuMs, rssMb }]) => {
    const before = small[work]?.cpuMs ?? Number.NaN
    const ratio = cpuMs / before
    return {
      work: `${work}, of ${many} of 700 KB`,
      against: `of ${few}`,
      ours: `${cpuMs.toFixed(1)} ms CPU, ${rssMb.toFixed(0)} MB more`,
      peer: `${before.toFixed(1)} ms CPU, ${(small[work]?.rssMb ?? 0).toFixed(0)} MB more`,
      ratio,
      reach: `<= ${REACH}`,
      met: ratio <= REACH,
    }
  })
}

await main(import.meta, run)
