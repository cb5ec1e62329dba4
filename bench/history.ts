/**
 * The history over a million events: the whole of it as NDJSON from the service in a process of its own, against a bare
 * server that reads the same columns and writes the same bytes; and a page by each filter and by two of them.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import { openSqliteReadStore } from '../src/adapters/readstore/sqlite/store.ts'
import { systemClock as clock } from '../src/app/core.ts'
import { codecsOf } from '../src/core/log/codec.ts'
import { openLog } from '../src/core/log/open.ts'
import { openRemovals } from '../src/core/log/removals.ts'
import { openTranscript } from '../src/core/log/transcript.ts'
import { openFreshness } from '../src/core/project/freshness.ts'
import { rebuild } from '../src/core/project/rebuild.ts'
import { openView } from '../src/core/project/view.ts'
import { entryEvents } from '../src/domain/entry/events.ts'
import { historyEvents } from '../src/domain/history/history.ts'
import type { EventStore } from '../src/ports/event-store.ts'
import { historyProjection } from '../src/projections/history.ts'
import { type HistoryQuestion, openHistory } from '../src/queries/history.ts'
import { type BenchOptions, type BenchRow, inFolder, interleave, main, median, quantile, short } from './bench.ts'
import { sampleData, sampleMeta } from './sample.ts'

const child = fileURLToPath(new URL('./servers/history.ts', import.meta.url))
const TYPES = ['DraftEdited', 'EntryEdited', 'EntrySubmitted', 'EntryPublished', 'EntryReverted'] as const
const ACTORS = 500
const types = [...entryEvents, ...historyEvents]

const actorOf = (n: number): string => `018f4d5e-7a6b-7c3d-8e9f-${String(n % ACTORS).padStart(12, '0')}`
const nothing = new Map<string, never>()
const keys = {
  take: () => Promise.reject(new Error('nothing is sealed here')),
  subject: () => Promise.reject(new Error('nothing is sealed here')),
  find: () => Promise.resolve(nothing),
}

const BEGAN_MS = Date.parse('2026-11-23T08:00:00Z')

/** Four events a stream, two of a correlation, five hundred people; edits of 560 bytes, and small ones. */
const fill = async (store: EventStore, events: number): Promise<void> => {
  const meta: object = JSON.parse(sampleMeta)
  for (let first = 0; first < events; first += 4_000) {
    const appends = Array.from({ length: 1_000 }, (_, stream) => ({
      stream: `entry-${randomUUID()}`,
      expected: 'none' as const,
      events: Array.from({ length: 4 }, (_, at) => {
        const n = first + stream * 4 + at
        const actor = { id: actorOf(n * 7), kind: n % 9 === 0 ? 'service' : 'account' }
        const correlationId = `7d0f6a52-53a1-5d5e-8f0b-${String(n >> 1).padStart(12, '0')}`
        // Some forty in each millisecond, as fast as they are written.
        const time = new Date(BEGAN_MS + n / 40).toISOString()
        const text = JSON.stringify({ ...meta, actor, at: time, correlationId })
        return { id: randomUUID(), type: TYPES[n % TYPES.length] ?? 'EntryEdited', data: sampleData, meta: text }
      }),
    }))
    await store.appendMany(appends)
  }
}

type Server = { readonly url: string; readonly token: string; readonly pid: number; stop(): Promise<void> }

const start = (name: string, path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = spawn(process.execPath, [child, name, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise<void>(done => server.once('exit', () => done()))
    server.once('exit', code => reject(new Error(`the server ${name} ended with ${code}`)))
    const stop = (): Promise<void> => {
      server.kill('SIGKILL')
      return ended
    }
    server.stdout.setEncoding('utf8').once('data', (line: string) => {
      const [url = '', token = ''] = line.trim().split(' ')
      resolve({ url, token, pid: server.pid ?? 0, stop })
    })
  })

/** User and system time of all threads of the process in milliseconds (proc(5)). */
const cpuOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

type Streamed = { readonly cpu: number; readonly bytes: number; readonly peak: number }

/** Reads all of it. `peak` is the most memory seen meanwhile over what the process had before, in MB. */
const streamOf = async ({ url, token, pid }: Server): Promise<Streamed> => {
  const idle = residentOf(pid)
  const before = cpuOf(pid)
  let peak = idle
  const watch = setInterval(() => {
    peak = Math.max(peak, residentOf(pid))
  }, 20)
  try {
    // No compression: what is measured is the reading and the writing.
    const headers = { accept: 'application/x-ndjson', 'accept-encoding': 'identity', authorization: `Bearer ${token}` }
    const answer = await fetch(url, { headers })
    if (!answer.ok || !answer.body) throw new Error(`${answer.status}`)
    let bytes = 0
    for await (const piece of answer.body) bytes += piece.length
    return { cpu: cpuOf(pid) - before, bytes, peak: peak - idle }
  } finally {
    clearInterval(watch)
  }
}

const streaming = async (path: string, events: number, quick: boolean): Promise<BenchRow> => {
  const ours = await start('ours', path)
  const peer = await start('peer', path)
  try {
    // A first round lets the heap grow to where the runtime collects it, whatever is streamed: told apart in the note.
    const first = await streamOf(ours)
    await streamOf(peer)
    const rounds = await interleave(quick ? 1 : 3, { ours: () => streamOf(ours), peer: () => streamOf(peer) })
    const [mine, theirs] = [rounds.get('ours') ?? [], rounds.get('peer') ?? []]
    const cpu = (all: readonly Streamed[]): number => median(all.map(each => each.cpu / each.bytes))
    const ratio = cpu(theirs) / cpu(mine)
    const peak = Math.max(...mine.map(each => each.peak))
    const rate = (all: readonly Streamed[]): string =>
      `${((median(all.map(each => each.cpu)) * 1000) / events).toFixed(2)} us an event`
    return {
      work: `NDJSON of ${short(events)} events`,
      against: 'read and write of the same bytes (CPU)',
      ours: rate(mine),
      peer: rate(theirs),
      ratio,
      reach: '>= .6, peak <= 50 MB over idle',
      met: quick ? null : ratio >= 0.6 && peak <= 50,
      note: `peak ${peak.toFixed(0)} MB over idle, ${first.peak.toFixed(0)} MB in a process that has done nothing before; ${short(median(mine.map(each => each.bytes)))} bytes`,
    }
  } finally {
    await ours.stop()
    await peer.stop()
  }
}

const pages = async (
  store: EventStore,
  folder: string,
  events: number,
  quick: boolean,
): Promise<readonly BenchRow[]> => {
  const log = openLog({ store, keys, types })
  const reads = await openSqliteReadStore({ path: join(folder, 'read.db'), clock })
  try {
    const freshness = openFreshness({ store: reads, clock })
    const { signal } = new AbortController()
    const began = performance.now()
    await rebuild({ projection: historyProjection, log, store: reads, clock, freshness, nodeId: 'bench', signal })
    const rate = (events * 1000) / (performance.now() - began)
    const transcript = openTranscript({
      keys,
      codecs: codecsOf(types),
      removals: openRemovals(store, ['EntryRedacted']),
    })
    const history = openHistory({
      records: store,
      transcript,
      view: openView({ projection: historyProjection, store: reads, clock, freshness }),
      types: new Map([['entry', entryEvents.map(each => each.type)]]),
    })
    const looks = quick ? 20 : 200
    const reader = { permissions: new Set(['events:read-text'] as const) }
    const samples = await store.readAt(
      Array.from({ length: looks }, (_, n) => BigInt(1 + Math.floor(((events - 1) * n) / looks))),
    )
    const parsed = samples.map(each => ({ ...each, about: JSON.parse(each.meta) }))
    type Sample = (typeof parsed)[number]
    const time = ({ about }: Sample): Date => new Date(about.at)
    const later = (sample: Sample): Date => new Date(time(sample).getTime() + 2_000)
    const filters: Readonly<Record<string, (sample: Sample) => Omit<HistoryQuestion, 'order'>>> = {
      none: () => ({}),
      stream: ({ stream }) => ({ stream }),
      category: () => ({ category: 'entry' }),
      type: ({ type }) => ({ type }),
      actor: ({ about }) => ({ actor: about.actor.id }),
      'actor kind': ({ about }) => ({ actorKind: about.actor.kind }),
      correlationId: ({ about }) => ({ correlationId: about.correlationId }),
      'from, to': sample => ({ from: time(sample), to: later(sample) }),
      after: ({ position }) => ({ after: position }),
      before: ({ position }) => ({ before: position }),
      'type + actor': ({ about, type }) => ({ type, actor: about.actor.id }),
      'category + actor': ({ about }) => ({ category: 'entry', actor: about.actor.id }),
      'type + kind': ({ about, type }) => ({ type, actorKind: about.actor.kind }),
      'type + actor + from': sample => ({ type: sample.type, actor: sample.about.actor.id, from: time(sample) }),
      'stream + type + actor': ({ about, stream, type }) => ({ stream, type, actor: about.actor.id }),
      'correlationId + type': ({ about, type }) => ({ type, correlationId: about.correlationId }),
    }
    const rows: BenchRow[] = []
    for (const [name, filter] of Object.entries(filters)) {
      const times: number[] = []
      const cpu: number[] = []
      for (const [n, sample] of [...parsed, ...(quick ? [] : parsed)].entries())
        for (const order of ['asc', 'desc'] as const) {
          const used = process.cpuUsage()
          const before = performance.now()
          const { lines } = await history.page({ ...filter(sample), order }, { limit: 20 }, reader)
          if (lines.length === 0 && name !== 'before' && name !== 'after') throw new Error(`${name} found nothing`)
          // The first few warm the statements.
          if (n < 10) continue
          times.push(performance.now() - before)
          const { user, system } = process.cpuUsage(used)
          cpu.push((user + system) / 1000)
        }
      const p99 = quantile(times, 0.99)
      rows.push({
        work: `history page of 20, ${name}`,
        against: '',
        ours: `p99 ${p99.toFixed(2)} ms`,
        peer: '',

        reach: 'p99 <= 5 ms',
        met: quick ? null : p99 <= 5,
        note: `p50 ${median(times).toFixed(2)} ms; of CPU p99 ${quantile(cpu, 0.99).toFixed(2)} ms`,
      })
    }
    return [
      { work: 'history, built anew', against: '', ours: `${short(rate)} events/s`, peer: '', reach: '', met: null },
      ...rows,
    ]
  } finally {
    await reads.close()
  }
}

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const events = quick ? 2_000 : 1_000_000
    const path = join(folder, 'events.db')
    const store = await openSqliteEventStore({ path, clock })
    try {
      await fill(store, events)
      return [await streaming(path, events, quick), ...(await pages(store, folder, events, quick))]
    } finally {
      await store.close()
    }
  })

await main(import.meta, run)
