/**
 * Jobs a second on each engine: the queue, with its fenced writes, renewed locks and ids of its own, against a bare agenda on the same
 * engine, which is given its own defaults but for looking every 50 ms.
 */
import { join } from 'node:path'
import { MongoBackend } from '@agendajs/mongo-backend'
import { Agenda, type AgendaBackend } from 'agenda'
import { MongoClient } from 'mongodb'
import type { JobBackend } from '../src/adapters/jobs/backend.ts'
import { openMongoJobs } from '../src/adapters/jobs/mongodb/backend.ts'
import { openQueue } from '../src/adapters/jobs/queue.ts'
import { openSqliteJobs } from '../src/adapters/jobs/sqlite/backend.ts'
import { systemClock } from '../src/app/core.ts'
import { noMongo, startMongo } from '../tests/support/mongodb.ts'
import {
  type Bench,
  type BenchRow,
  inFolder,
  interleave,
  main,
  median,
  ratioOf,
  short,
  type Timing,
  timed,
} from './bench.ts'

const AT_ONCE = 5
const complain = (error: unknown): void => void process.stderr.write(`${String(error)}\n`)

type Round = { readonly added: Timing; readonly done: Timing }

/** Counts down to a promise. */
const after = (count: number) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = count
  const one = (): void => {
    left -= 1
    if (left === 0) resolve()
  }
  return { all: promise, one }
}

const ours = async (backend: JobBackend, count: number): Promise<Round> => {
  const queue = await openQueue({
    backend,
    nodeId: 'bench',
    clock: systemClock,
    random: Math.random,
    onError: complain,
  })
  const { all, one } = after(count)
  const added = await timed(async () => {
    for (let n = 0; n < count; n += 1) await queue.add({ kind: 'work', key: String(n), data: { n } })
  })
  const done = await timed(async () => {
    await queue.work([
      { name: 'work', concurrency: AT_ONCE, firstMs: 1_000, longestMs: 1_000, handle: async () => one() },
    ])
    await all
  })
  await queue.close()
  return { added, done }
}

const bare = async (backend: AgendaBackend, count: number): Promise<Round> => {
  const agenda = new Agenda({ backend, processEvery: 50, defaultConcurrency: AT_ONCE, defaultLockLifetime: 2_000 })
  await agenda.ready
  const { all, one } = after(count)
  const added = await timed(async () => {
    for (let n = 0; n < count; n += 1) await agenda.now('work', { n })
  })
  agenda.define('work', async () => one())
  const done = await timed(async () => {
    await agenda.start()
    await all
  })
  await agenda.drain({ timeout: 5_000 })
  return { added, done }
}

const rowsOf = (engine: string, count: number, times: ReadonlyMap<string, readonly Round[]>): readonly BenchRow[] =>
  (['added', 'done'] as const).flatMap(part =>
    (['elapsed', 'cpu'] as const).map((measure): BenchRow => {
      const [mine = [], theirs = []] = ['ours', 'peer'].map(name =>
        (times.get(name) ?? []).map(round => round[part][measure]),
      )
      const rate = (all: readonly number[]): string => `${short((count * 1_000) / median(all))}/s`
      return {
        work: `jobs ${part}, ${engine} (${measure === 'cpu' ? 'CPU' : 'wall'})`,
        against: 'a bare agenda',
        ours: rate(mine),
        peer: rate(theirs),
        ratio: ratioOf(theirs, mine),
        reach: 'reported',
        met: null,
      }
    }),
  )

const onSqlite = (count: number, rounds: number): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const times = await interleave<Round>(rounds, {
      ours: round => ours(openSqliteJobs(join(folder, `ours-${round}.db`)), count),
      peer: async round => {
        const backend = openSqliteJobs(join(folder, `peer-${round}.db`))
        const { repository } = backend
        const result = await bare(
          { name: 'SQLite', repository, connect: backend.connect, disconnect: async () => undefined },
          count,
        )
        await backend.disconnect()
        return result
      },
    })
    return rowsOf('SQLite', count, times)
  })

const onMongo = async (count: number, rounds: number): Promise<readonly BenchRow[]> => {
  const ends: (() => unknown)[] = []
  const server = await startMongo({ teardown: end => void ends.push(end) })
  try {
    const times = await interleave<Round>(rounds, {
      ours: async () => ours(await openMongoJobs(server.database(), 'LEXICHRON_READ_STORE'), count),
      peer: async () => {
        const client = await MongoClient.connect(server.database())
        const result = await bare(new MongoBackend({ mongo: client.db() }), count)
        await client.close()
        return result
      },
    })
    return rowsOf('MongoDB', count, times)
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

export const run: Bench['run'] = async ({ quick }) => {
  const [count, rounds] = quick ? [20, 1] : [500, 3]
  const mongo = noMongo()
  if (mongo !== undefined) complain(mongo)
  return [...(await onSqlite(count, rounds)), ...(mongo === undefined ? await onMongo(count, rounds) : [])]
}

await main(import.meta, run)
