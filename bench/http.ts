/** The HTTP edge against bare Fastify, and a durable write against one that forgets. CPU is the server process's own. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { exampleId } from '../src/adapters/http/examples.ts'
import { threadPoolSize } from '../src/config/threads.ts'
import { type BenchOptions, type BenchRow, inFolder, interleave, main, median } from './bench.ts'

const child = fileURLToPath(new URL('./servers/http.ts', import.meta.url))

/** Microseconds of CPU that the process has used, user and system, all threads (proc(5): clock ticks of 10 ms). */
const cpuOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** `passwords` of the accounts that it made. */
type Ready = { readonly url: string; readonly token?: string; readonly passwords?: readonly string[] }
export type Server = Ready & { readonly pid: number; stop(): Promise<void> }

const isReady = (value: unknown): value is Ready =>
  typeof value === 'object' && value !== null && 'url' in value && typeof value.url === 'string'

/** A server of bench/servers/http.ts in a process of its own, in a folder of its own. */
export const start = (name: string, folder: string, env: Readonly<Record<string, string>> = {}): Promise<Server> =>
  new Promise((resolve, reject) => {
    const nowhere = openSync('/dev/null', 'w')
    const server = spawn(process.execPath, [child, name, `${folder}/${name}`], {
      stdio: ['ignore', 'pipe', nowhere],
      // As src/main.ts has it, which these servers do not pass.
      env: { UV_THREADPOOL_SIZE: String(threadPoolSize(availableParallelism(), '')), ...process.env, ...env },
    })
    closeSync(nowhere)
    const ended = new Promise<void>(done => server.once('exit', () => done()))
    server.once('exit', code => reject(new Error(`the server ${name} ended with ${code}`)))
    const stop = (): Promise<void> => {
      server.kill('SIGKILL')
      return ended
    }
    let text = ''
    server.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (!text.includes('\n')) return
      const ready: unknown = JSON.parse(text)
      if (isReady(ready)) resolve({ ...ready, pid: server.pid ?? 0, stop })
    })
  })

export type Load = { readonly rate: number; readonly cpu: number; readonly p99: number }

/** `cpu` is microseconds a request. @throws when an answer was not a success. */
export const load = async (server: Server, path: string, options: Omit<autocannon.Options, 'url'>): Promise<Load> => {
  const before = cpuOf(server.pid)
  const result = await autocannon({ url: server.url + path, ...options })
  const answered = result['2xx']
  if (answered === 0 || result.non2xx > 0 || result.errors > 0)
    throw new Error(
      `no success: ${result.errors} requests failed, answers by status: ${JSON.stringify(result.statusCodeStats)}`,
    )
  return { rate: answered / result.duration, cpu: (cpuOf(server.pid) - before) / answered, p99: result.latency.p99 }
}

/** How long, or in a quick run how many requests, whatever time they take: a busy machine may answer none in a second. */
export type Span = Pick<autocannon.Options, 'duration' | 'amount' | 'timeout'>
export const quickly: Span = { amount: 128, timeout: 120 }

const get = (server: Server, span: Span): Promise<Load> =>
  load(server, `/v1/entries/${exampleId}`, {
    connections: 16,
    ...span,
    headers: server.token === undefined ? {} : { authorization: `Bearer ${server.token}` },
  })

let written = 0
const post = (server: Server, span: Span): Promise<Load> =>
  load(server, '/v1/entries', {
    connections: 64,
    method: 'POST',
    ...span,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    requests: [
      {
        setupRequest: request => {
          written += 1
          const senses = [{ gloss: 'the faculty of making fortunate discoveries by accident' }]
          const body = { language: 'en', lemma: `word ${process.pid} ${written}`, partOfSpeech: 'noun', senses }
          return { ...request, body: JSON.stringify(body) }
        },
      },
    ],
  })

export const micros = (value: number): string => `${value.toFixed(1)} us`

/** Runs the load in turns and gives the median of each server's rounds. */
const measure = async (
  names: readonly string[],
  quick: boolean,
  work: (server: Server, span: Span) => Promise<Load>,
): Promise<ReadonlyMap<string, Load>> =>
  inFolder(async folder => {
    const servers = await Promise.all(names.map(async name => [name, await start(name, folder)] as const))
    const span = quick ? quickly : { duration: 3 }
    try {
      for (const [, server] of servers) await work(server, quick ? quickly : { duration: 2 })
      const contenders = Object.fromEntries(servers.map(([name, server]) => [name, () => work(server, span)]))
      const rounds = await interleave(quick ? 1 : 5, contenders)
      return new Map(
        [...rounds].map(([name, loads]) => [
          name,
          {
            rate: median(loads.map(each => each.rate)),
            cpu: median(loads.map(each => each.cpu)),
            p99: median(loads.map(each => each.p99)),
          },
        ]),
      )
    } finally {
      await Promise.all(servers.map(([, server]) => server.stop()))
    }
  })

export const loadOf = (found: ReadonlyMap<string, Load>, name: string): Load =>
  found.get(name) ?? { rate: Number.NaN, cpu: Number.NaN, p99: Number.NaN }

export const run = async ({ quick }: BenchOptions): Promise<readonly BenchRow[]> => {
  const reads = await measure(['bare', 'unprotected', 'service'], quick, get)
  const peer = loadOf(reads, 'bare')
  const reading = (work: string, name: string, reach: number): BenchRow => {
    const ours = loadOf(reads, name)
    const ratio = peer.cpu / ours.cpu
    return {
      work,
      against: 'bare Fastify route with schema',
      ours: micros(ours.cpu),
      peer: micros(peer.cpu),
      ratio,
      reach: `>= ${reach}`,
      met: ratio >= reach,
      note: 'CPU a request',
    }
  }
  const writes = await measure(['forgetful', 'paused', 'service'], quick, post)
  const forgetful = loadOf(writes, 'forgetful')
  const writing = (work: string, name: string, reach: number | undefined): BenchRow => {
    const ours = loadOf(writes, name)
    const ratio = ours.rate / forgetful.rate
    return {
      work,
      against: 'same route, nothing stored',
      ratio,
      ours: `${ours.rate.toFixed(0)}/s`,
      peer: `${forgetful.rate.toFixed(0)}/s`,
      reach: reach === undefined ? '' : `>= ${reach}`,
      met: reach === undefined ? null : ratio >= reach,
      note: `p99 ${ours.p99} ms; CPU ${micros(ours.cpu)} against ${micros(forgetful.cpu)}`,
    }
  }
  return [
    reading('GET entry, all protections on', 'service', 0.45),
    reading('GET entry, without them', 'unprotected', 0.85),
    writing('POST entry, durable, 64 clients, projections paused', 'paused', 0.5),
    writing('POST entry, durable, 64 clients, projections running', 'service', undefined),
  ]
}

await main(import.meta, run)
