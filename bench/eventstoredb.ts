/**
 * The EventStoreDB adapter against the bare client, both on the same double of the server in another process: appends by 1, 16 and
 * 256 appenders at exact revisions, and catching up from the start. Both write the same JSON and end up with it parsed; the CPU
 * is that of the client's process.
 */
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { EventStoreDBClient, jsonEvent, START, streamNameFilter } from '@eventstore/db-client'
import { openEventStoreDb } from '../src/adapters/eventstore/eventstoredb/store.ts'
import { fastClock } from '../tests/support/clocks.ts'
import { type Bench, type BenchRow, interleave, main, median, ratioOf, short, type Timing, timed } from './bench.ts'
import { sampleData, sampleMeta } from './sample.ts'

const REACH = 0.9
/** How many append at once, and how many events they append in all. */
const LOADS = [
  { appenders: 1, events: 6_400 },
  { appenders: 16, events: 16_000 },
  { appenders: 256, events: 51_200 },
] as const
/** Each load is a hundredth of it where only a look is wanted. */
const QUICK = 100

const withServer = async <T>(work: (url: string) => Promise<T>): Promise<T> => {
  const child = fork(new URL('./servers/eventstoredb.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.once('message', message => resolve(String(message)))
      child.once('exit', code => reject(new Error(`the server ended with ${code}`)))
    })
    return await work(url)
  } finally {
    child.disconnect()
  }
}

type Load = { readonly appenders: number; readonly events: number }
type Sides = { readonly append: Timing; readonly read: Timing }

/** Runs `append` by all appenders, one event after the other in a stream of its own. */
const byAll = (
  { appenders, events }: Load,
  append: (stream: string, revision: bigint | undefined) => Promise<unknown>,
): Promise<unknown> =>
  Promise.all(
    Array.from({ length: appenders }, async () => {
      const stream = `entry-${randomUUID()}`
      for (let n = 0; n < events / appenders; n += 1) await append(stream, n === 0 ? undefined : BigInt(n - 1))
    }),
  )

const ours = (load: Load): Promise<Sides> =>
  withServer(async url => {
    const store = await openEventStoreDb({ url, clock: fastClock(1) })
    const append = await timed(() =>
      byAll(load, (stream, revision) =>
        store.append(stream, revision ?? 'none', [
          { id: randomUUID(), type: 'EntryEdited', data: JSON.stringify(data), meta: JSON.stringify(meta) },
        ]),
      ),
    )
    let count = 0
    const read = await timed(async () => {
      for await (const batch of store.readAll(0n))
        for (const event of batch.events) if (JSON.parse(event.data) && JSON.parse(event.meta)) count += 1
    })
    await store.close()
    if (count < load.events) throw new Error(`${count} of ${load.events} events were read`)
    return { append, read }
  })

const bare = (load: Load): Promise<Sides> =>
  withServer(async url => {
    const client = EventStoreDBClient.connectionString(url)
    const append = await timed(() =>
      byAll(load, (stream, revision) =>
        client.appendToStream(stream, jsonEvent({ id: randomUUID(), type: 'EntryEdited', data, metadata: meta }), {
          expectedRevision: revision ?? 'no_stream',
        }),
      ),
    )
    let count = 0
    const read = await timed(async () => {
      const filter = streamNameFilter({ regex: '^[^$_]', maxSearchWindow: 4_096 })
      for await (const { event } of client.subscribeToAll({ fromPosition: START, filter })) {
        if (event?.data && event.metadata) count += 1
        if (count >= load.events) break
      }
    })
    await client.dispose()
    return { append, read }
  })

const objectOf = (text: string): Record<string, unknown> => JSON.parse(text)
const data = objectOf(sampleData)
const meta = objectOf(sampleMeta)

export const run: Bench['run'] = async ({ quick }) => {
  const loads = LOADS.map(({ appenders, events }) => ({ appenders, events: quick ? events / QUICK : events }))
  for (const warm of [bare, ours]) await warm({ appenders: 16, events: quick ? 160 : 3_200 })
  const rows: BenchRow[] = []
  for (const load of loads) {
    const results = await interleave(quick ? 1 : 5, { ours: () => ours(load), bare: () => bare(load) })
    const row = (work: keyof Sides, name: string): BenchRow => {
      const of = (side: string, what: keyof Timing): number[] =>
        (results.get(side) ?? []).map(sides => sides[work][what])
      const rate = (side: string): string => `${short((load.events / median(of(side, 'elapsed'))) * 1000)}/s`
      const cpu = (side: string): string => ((median(of(side, 'cpu')) / load.events) * 1000).toFixed(0)
      const byCpu = ratioOf(of('bare', 'cpu'), of('ours', 'cpu'))
      const byTime = ratioOf(of('bare', 'elapsed'), of('ours', 'elapsed'))
      return {
        work: `EventStoreDB: ${name}`,
        against: 'the bare client on the same double, by CPU',
        ours: rate('ours'),
        peer: rate('bare'),
        ratio: byCpu,
        reach: `>= ${REACH}`,
        met: byCpu >= REACH,
        note: `by time ${byTime.toFixed(2)}; CPU ${cpu('ours')} us an event (bare ${cpu('bare')})`,
      }
    }
    rows.push(row('append', `append, ${load.appenders} at once, 560 B`))
    rows.push(row('read', `catch-up with what ${load.appenders} wrote`))
  }
  return rows
}

await main(import.meta, run)
