/**
 * Rebuild of a read model with one small row a document, against reading the same log and parsing it: log, fold, write,
 * checkpoint and swap, everything the service does. The log has eight events a stream, a thousand streams being
 * worked on at a time; and once more one event a stream, as an import leaves it.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Type from 'typebox'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import { openSqliteReadStore } from '../src/adapters/readstore/sqlite/store.ts'
import { openLog } from '../src/core/log/open.ts'
import { projection } from '../src/core/project/define.ts'
import { rebuild } from '../src/core/project/rebuild.ts'
import { eventType } from '../src/domain/event.ts'
import type { Clock } from '../src/ports/clock.ts'
import type { Append, EventStore } from '../src/ports/event-store.ts'
import {
  type BenchOptions,
  type BenchRow,
  inFolder,
  interleave,
  main,
  median,
  short,
  type Timing,
  timed,
} from './bench.ts'
import { sampleData, sampleMeta } from './sample.ts'

const clock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => {
    if (signal?.aborted) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    const wake = (): void => {
      clearTimeout(timer)
      resolve()
    }
    signal?.addEventListener('abort', wake, { once: true })
    return promise.finally(() => signal?.removeEventListener('abort', wake))
  },
}

export const edited = eventType('EntryEdited', Type.Object({ content: Type.Unknown(), note: Type.String() }))

export const small = projection({
  name: 'small',
  version: 1,
  categories: ['entry'],
  indexes: [],
  key: event => event.stream.slice(6),
  evolve: (_, event) => {
    const note = event.data['note']
    return { revision: String(event.revision), note: typeof note === 'string' ? note : '', updatedAt: event.meta.at }
  },
})

/** A thousand documents are worked on at a time, as people do, until each has had its events. */
export const fill = async (store: EventStore, streams: number, each: number): Promise<void> => {
  for (let at = 0; at < streams; at += 1_000) {
    const ids = Array.from({ length: Math.min(1_000, streams - at) }, () => `entry-${randomUUID()}`)
    for (let round = 0; round < each; round += 1) {
      const appends = ids.map(
        (stream): Append => ({
          stream,
          expected: round === 0 ? 'none' : BigInt(round - 1),
          events: [{ id: randomUUID(), type: edited.type, data: sampleData, meta: sampleMeta }],
        }),
      )
      for (const result of await store.appendMany(appends))
        if (!('outcome' in result) || result.outcome !== 'written') throw new Error('the log could not be filled')
    }
  }
}

export const readAndParse = async (store: EventStore): Promise<number> => {
  let size = 0
  for await (const batch of store.readAll(0n))
    for (const event of batch.events) {
      const data: unknown = JSON.parse(event.data)
      const meta: unknown = JSON.parse(event.meta)
      if (data !== null && meta !== null) size += 1
    }
  return size
}

export const noKeys = {
  take: () => Promise.reject(new Error('nothing is sealed here')),
  subject: () => Promise.reject(new Error('nothing is sealed here')),
  find: () => Promise.resolve(new Map()),
}

const shape = (options: BenchOptions, each: number): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const events = options.quick ? 500 : 160_000
    const store = await openSqliteEventStore({ path: join(folder, 'events.db'), clock })
    try {
      await fill(store, events / each, each)
      const log = openLog({ store, keys: noKeys, types: [edited] })
      const build = async (round: number): Promise<Timing> => {
        const readStore = await openSqliteReadStore({ path: join(folder, `read-${round}`, 'read.db'), clock })
        await readStore.ping()
        const timing = await timed(async () => {
          const signal = new AbortController().signal
          await rebuild({ projection: small, log, store: readStore, clock, nodeId: randomUUID(), signal })
        })
        await readStore.close()
        return timing
      }
      const times = await interleave<Timing>(options.quick ? 1 : 5, {
        peer: () => timed(() => readAndParse(store)),
        ours: build,
      })
      const of = (name: string, by: (timing: Timing) => number): number => median((times.get(name) ?? []).map(by))
      return (['elapsed', 'cpu'] as const).map((measure): BenchRow => {
        const [ours, peer] = ['ours', 'peer'].map(name => of(name, timing => timing[measure]))
        const ratio = (peer ?? 0) / (ours ?? 1)
        const rate = (ms: number | undefined): string => `${short((events * 1_000) / (ms ?? 1))}/s`
        return {
          work: `rebuild, one small row a document, ${each} event${each > 1 ? 's' : ''} each (${measure === 'cpu' ? 'CPU' : 'wall'})`,
          against: 'read and JSON.parse',
          ours: rate(ours),
          peer: rate(peer),
          ratio,
          reach: '>= .75',
          met: measure === 'elapsed' ? ratio >= 0.75 : null,
        }
      })
    } finally {
      await store.close()
    }
  })

export const run = async (options: BenchOptions): Promise<readonly BenchRow[]> => [
  ...(await shape(options, 8)),
  ...(await shape(options, 1)),
]

await main(import.meta, run)
