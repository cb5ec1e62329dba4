/**
 * What a kept answer costs, in memory and in Redis, against the same question asked so that it was never asked before: that one is
 * read, made and kept. CPU is the server process's own; Redis' own is not in it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { exampleId } from '../src/adapters/http/examples.ts'
import { type BenchOptions, type BenchRow, inFolder, interleave, main, median } from './bench.ts'
import { type Load, load, micros, quickly, type Server, type Span, start } from './http.ts'

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A Redis of its own, or undefined where none is installed. */
const startRedis = async (): Promise<{ readonly url: string; stop(): void } | undefined> => {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  const port = await freePort()
  const child = spawn('redis-server', ['--port', `${port}`, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
  await delay(500)
  return { url: `redis://127.0.0.1:${port}`, stop: () => void child.kill() }
}

const members = ['id', 'language', 'lemma', 'partOfSpeech', 'homograph', 'status', 'senses', 'revision', 'licence']
/** The n-th order of the members: the same answer, under a key of its own. */
const ordered = (n: number): string => {
  const left = [...members]
  let rest = n
  return members
    .map(() => {
      const at = rest % left.length
      rest = Math.floor(rest / left.length)
      return left.splice(at, 1)[0] ?? ''
    })
    .join()
}
const paths = {
  'GET entry': (n: number) => `/v1/entries/${exampleId}?fields=${ordered(n)}`,
  'GET list of 20': (n: number) =>
    `/v1/entries?language=en&limit=20&updatedSince=${new Date(1_000_000_000_000 + n).toISOString()}`,
} satisfies Readonly<Record<string, (n: number) => string>>

let asked = 0
const ask = (server: Server, path: (n: number) => string, anew: boolean, span: Span): Promise<Load> =>
  load(server, path(0), {
    connections: 16,
    ...span,
    requests: [
      {
        setupRequest: request => {
          asked += 1
          return { ...request, path: path(anew ? asked : 0) }
        },
      },
    ],
  })

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const redis = await startRedis()
    const servers: [string, Server][] = [['memory', await start('service', `${folder}/memory`)]]
    if (redis) servers.push(['Redis', await start('service', `${folder}/redis`, { BENCH_CACHE: redis.url })])
    try {
      const rows: BenchRow[] = []
      for (const [work, path] of Object.entries(paths)) {
        const contenders = servers.flatMap(([name, server]) =>
          [false, true].map(
            anew => [`${name} ${anew}`, () => ask(server, path, anew, quick ? quickly : { duration: 3 })] as const,
          ),
        )
        for (const [, warm] of contenders) await warm()
        const rounds = await interleave(quick ? 1 : 3, Object.fromEntries(contenders))
        const cpu = (name: string): number => median((rounds.get(name) ?? []).map(each => each.cpu))
        for (const [name] of servers) {
          const [kept, anew] = [cpu(`${name} false`), cpu(`${name} true`)]
          rows.push({
            work: `${work}, kept in ${name}`,
            against: 'the same, asked for the first time',
            ours: micros(kept),
            peer: micros(anew),
            ratio: anew / kept,
            reach: '',
            met: null,
            note: 'CPU a request; the first time it is read, made and kept',
          })
        }
      }
      return rows
    } finally {
      await Promise.all(servers.map(([, server]) => server.stop()))
      redis?.stop()
    }
  })

await main(import.meta, run)
