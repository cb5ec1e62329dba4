/**
 * The EventStoreDB adapter against the bare client, both on the same double of the server in another process: appends by 64
 * appenders at exact revisions, and catching up from the start. Both write the same JSON and end up with it parsed; the CPU
 * is that of the client's process.
 */
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { EventStoreDBClient, jsonEvent, START, streamNameFilter } from '@eventstore/db-client'
import { openEventStoreDb } from '../src/adapters/eventstore/eventstoredb/store.ts'
import { fastClock } from '../tests/support/clocks.ts'
import { type Bench, type BenchRow, interleave, main, median, ratioOf, short, type Timing, timed } from './bench.ts'
import { sampleData, sampleMeta } from './sample.ts'

const APPENDERS = 64
const REACH = 0.9

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

type Sides = { readonly append: Timing; readonly read: Timing }

/** Runs `each` by all appenders, one event after the other in a stream of its own. */
const byAll = (
  events: number,
  each: (stream: string, revision: bigint | undefined) => Promise<unknown>,
): Promise<unknown> =>
  Promise.all(
    Array.from({ length: APPENDERS }, async () => {
      const stream = `entry-${randomUUID()}`
      for (let n = 0; n < events / APPENDERS; n += 1) await each(stream, n === 0 ? undefined : BigInt(n - 1))
    }),
  )

const ours = (events: number): Promise<Sides> =>
  withServer(async url => {
    const store = await openEventStoreDb({ url, clock: fastClock(1) })
    const append = await timed(() =>
      byAll(events, (stream, revision) =>
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
    if (count < events) throw new Error(`${count} of ${events} events were read`)
    return { append, read }
  })

const bare = (events: number): Promise<Sides> =>
  withServer(async url => {
    const client = EventStoreDBClient.connectionString(url)
    const append = await timed(() =>
      byAll(events, (stream, revision) =>
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
        if (count >= events) break
      }
    })
    await client.dispose()
    return { append, read }
  })

const objectOf = (text: string): Record<string, unknown> => JSON.parse(text)
const data = objectOf(sampleData)
const meta = objectOf(sampleMeta)

export const run: Bench['run'] = async ({ quick }) => {
  const events = quick ? 6_400 : 32_000
  await bare(3_200)
  await ours(3_200)
  const results = await interleave(quick ? 3 : 5, { ours: () => ours(events), bare: () => bare(events) })
  const of = (name: string, work: keyof Sides, what: keyof Timing): number[] =>
    (results.get(name) ?? []).map(each => each[work][what])
  return (['append', 'read'] as const).map((work): BenchRow => {
    const rate = (name: string): number => (events / median(of(name, work, 'elapsed'))) * 1000
    const cpu = (name: string): number => (median(of(name, work, 'cpu')) / events) * 1000
    const byCpu = ratioOf(of('bare', work, 'cpu'), of('ours', work, 'cpu'))
    const byTime = ratioOf(of('bare', work, 'elapsed'), of('ours', work, 'elapsed'))
    return {
      work: work === 'append' ? `EventStoreDB: append, ${APPENDERS} appenders, 560 B` : 'EventStoreDB: catch-up',
      against: 'the bare client on the same double, by CPU',
      ours: `${short(rate('ours'))}/s`,
      peer: `${short(rate('bare'))}/s`,
      ratio: byCpu,
      reach: `>= ${REACH}`,
      met: byCpu >= REACH,
      note: `by time ${byTime.toFixed(2)}; CPU ${cpu('ours').toFixed(0)} us an event (bare ${cpu('bare').toFixed(0)})`,
    }
  })
}

await main(import.meta, run)
