/**
 * Durable appends by 1, 16 and 256 appenders, each waiting for its answer, against a raw SQLite connection that writes
 * 512 events a transaction under a text key with nothing else to do. Both sync every commit to the disk.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import type { Expected } from '../src/ports/event-store.ts'
import { fastClock } from '../tests/support/clocks.ts'
import { type Bench, type BenchRow, inFolder, interleave, main, median, quantile, ratioOf, short } from './bench.ts'
import { sampleData, sampleMeta } from './sample.ts'

const STREAMS = 5_000

type Sample = {
  readonly perSecond: number
  /** Milliseconds from the call to the answer. */
  readonly p50: number
  readonly p99: number
  /** Share of the time in which the main thread's event loop was busy. */
  readonly utilisation: number
  /** CPU time of all threads, microseconds an event: what the neighbours of a busy machine do not change much. */
  readonly cpu: number
}

/** Microseconds. */
const cpuSince = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const streamNames = Array.from({ length: STREAMS }, () => `entry-${randomUUID()}`)
const streamOf = (index: number): string => streamNames[index % STREAMS] ?? ''

const peer = (events: number): Promise<Sample> =>
  inFolder(async folder => {
    const ids = Array.from({ length: events }, () => randomUUID())
    const db = new DatabaseSync(join(folder, 'peer.db'))
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE events (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, revision INTEGER NOT NULL,
        id TEXT NOT NULL, type TEXT NOT NULL, recorded INTEGER NOT NULL, data TEXT NOT NULL, meta TEXT NOT NULL,
        UNIQUE (stream, revision))`)
    const insert = db.prepare(
      'INSERT INTO events (stream, revision, id, type, recorded, data, meta) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    const before = performance.now()
    const cpuBefore = process.cpuUsage()
    for (let first = 0; first < events; first += 512) {
      db.exec('BEGIN IMMEDIATE')
      for (let index = first; index < Math.min(events, first + 512); index += 1)
        insert.run(
          streamOf(index),
          Math.floor(index / STREAMS),
          ids[index] ?? '',
          'EntryEdited',
          Date.now(),
          sampleData,
          sampleMeta,
        )
      db.exec('COMMIT')
    }
    const perSecond = (events / (performance.now() - before)) * 1000
    const cpu = cpuSince(cpuBefore) / events
    db.close()
    return { perSecond, p50: Number.NaN, p99: Number.NaN, utilisation: 1, cpu }
  })

const ours = (appenders: number, events: number): Promise<Sample> =>
  inFolder(async folder => {
    const ids = Array.from({ length: events }, () => randomUUID())
    const store = await openSqliteEventStore({ path: join(folder, 'events.db'), clock: fastClock(1) })
    const latencies: number[] = []
    const revisions = new Map<string, bigint>()
    let next = 0
    // Each appender has streams of its own: none of them meets a conflict.
    const share = Math.floor(STREAMS / appenders)
    const appender = async (number: number): Promise<void> => {
      for (let turn = 0; next < events; turn += 1) {
        const id = ids[next] ?? ''
        next += 1
        const stream = streamOf(number * share + (turn % share))
        const expected: Expected = revisions.get(stream) ?? 'none'
        const before = performance.now()
        const result = await store.append(stream, expected, [
          { id, type: 'EntryEdited', data: sampleData, meta: sampleMeta },
        ])
        latencies.push(performance.now() - before)
        if (result.outcome !== 'written') throw new Error(`an append was answered ${result.outcome}`)
        revisions.set(stream, result.revision)
      }
    }
    const loop = performance.eventLoopUtilization()
    const before = performance.now()
    const cpuBefore = process.cpuUsage()
    await Promise.all(Array.from({ length: appenders }, (_, number) => appender(number)))
    const perSecond = (events / (performance.now() - before)) * 1000
    const cpu = cpuSince(cpuBefore) / events
    const { utilization } = performance.eventLoopUtilization(loop)
    await store.close()
    return { perSecond, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), utilisation: utilization, cpu }
  })

const REACH = 0.9
const LOOP_REACH = 0.35

export const run: Bench['run'] = async ({ quick }) => {
  const scale = quick ? 0.04 : 4
  // One round that is not counted: the first use of a code path is compiled while it runs.
  await peer(1_250 * scale)
  await ours(256, 1_250 * scale)
  const results = await interleave(quick ? 1 : 5, {
    peer: () => peer(30_000 * scale),
    '1': () => ours(1, 1_500 * scale),
    '16': () => ours(16, 12_000 * scale),
    '256': () => ours(256, 30_000 * scale),
  })
  const medianOf = (name: string, member: keyof Sample): number =>
    median((results.get(name) ?? []).map(sample => sample[member]))
  const ratesOf = (name: string): number[] => (results.get(name) ?? []).map(sample => sample.perSecond)
  const peerRate = medianOf('peer', 'perSecond')
  return [1, 16, 256].map((appenders): BenchRow => {
    const name = String(appenders)
    const rate = medianOf(name, 'perSecond')
    const utilisation = medianOf(name, 'utilisation')
    const ratio = ratioOf(ratesOf(name), ratesOf('peer'))
    const reached = appenders === 256
    return {
      work: `durable append, ${appenders} appender${appenders > 1 ? 's' : ''}, 560 B`,
      against: 'raw SQLite, 512 a transaction, text key',
      ours: `${short(rate)}/s`,
      peer: `${short(peerRate)}/s`,
      ratio,
      reach: reached ? `>= ${REACH}, loop <= ${LOOP_REACH}` : '',
      met: reached ? ratio >= REACH && utilisation <= LOOP_REACH : null,
      note: `p50 ${medianOf(name, 'p50').toFixed(2)} ms, p99 ${medianOf(name, 'p99').toFixed(2)} ms, loop ${utilisation.toFixed(2)}, CPU ${medianOf(name, 'cpu').toFixed(0)} us an event (peer ${medianOf('peer', 'cpu').toFixed(0)})`,
    }
  })
}

await main(import.meta, run)
