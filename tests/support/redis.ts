/** A real Redis: the one that TEST_REDIS_URL names, or Debian's redis-server as a process of its own. Without either tests are skipped. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Running, startProcess } from './processes.ts'
import { type Teardown, temporaryFolder } from './service.ts'
import { until } from './until.ts'

const named = process.env['TEST_REDIS_URL']

/** Why tests of Redis cannot run here; undefined when they can. */
export const noRedis = (): string | undefined =>
  named === undefined && spawnSync('redis-server', ['--version']).error
    ? 'no Redis: set TEST_REDIS_URL, or install redis-server as .ci/run does'
    : undefined

export type TestRedis = {
  readonly url: string
  /** Only of a server that was started here. */
  kill(): Promise<void>
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  freeze(): void
  thaw(): void
}

export const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A port that was free a moment ago may be somebody's by now: tests run side by side. */
const TRIES = 5

export const startRedis = async (t: Teardown, options: readonly string[] = []): Promise<TestRedis> => {
  if (named !== undefined && options.length === 0) {
    const refuse = () => {
      throw new Error('a server that TEST_REDIS_URL names is not ours to stop')
    }
    return { url: named, kill: async () => refuse(), restart: async () => refuse(), freeze: refuse, thaw: refuse }
  }
  const folder = temporaryFolder(t)
  const start = async (at: number): Promise<Running> => {
    const place = ['--port', String(at), '--bind', '127.0.0.1', '--dir', folder]
    const server = startProcess(t, 'redis-server', [...place, '--save', '', '--appendonly', 'no', ...options])
    await server.says(/Ready to accept connections/)
    return server
  }
  let port = await freePort()
  let server: Running | undefined
  for (let tries = 1; !server; tries += 1)
    server = await start(port).catch(async (error: unknown) => {
      if (tries === TRIES) throw error
      port = await freePort()
      return undefined
    })
  let running = server
  const kill = async (): Promise<void> => {
    await running.stop('SIGKILL')
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill()
      running = await start(port)
    },
    freeze: () => running.send('SIGSTOP'),
    thaw: () => running.send('SIGCONT'),
  }
}

const portOf = ({ url }: TestRedis): number => Number(new URL(url).port)

/** Two primaries that share the slots of a cluster, which says so itself when this resolves. */
export const startCluster = async (
  t: Teardown,
): Promise<{ readonly url: string; readonly nodes: readonly TestRedis[] }> => {
  const buses = [await freePort(), await freePort()]
  const nodes = await Promise.all(
    buses.map(bus =>
      startRedis(t, [
        '--cluster-enabled',
        'yes',
        '--cluster-config-file',
        'nodes.conf',
        '--cluster-port',
        String(bus),
        '--cluster-node-timeout',
        '1000',
      ]),
    ),
  )
  const clients = nodes.map(({ url }) => new Redis(url))
  const [one, two] = clients
  const [, second] = nodes
  if (!one || !two || !second) throw new Error('two nodes were started')
  await one.cluster('ADDSLOTSRANGE', 0, 8191)
  await two.cluster('ADDSLOTSRANGE', 8192, 16_383)
  await one.cluster('MEET', '127.0.0.1', portOf(second), buses[1] ?? 0)
  await until('the cluster', async () => {
    const infos = await Promise.all(clients.map(each => each.cluster('INFO')))
    return infos.every(each => /cluster_state:ok[\s\S]*cluster_known_nodes:2/.test(String(each))) ? true : undefined
  })
  for (const each of clients) each.disconnect()
  return { url: `redis+cluster://${nodes.map(each => `127.0.0.1:${portOf(each)}`).join()}`, nodes }
}

/** A primary with a replica, and a sentinel that puts the one in the other's place. */
export const startSentinel = async (t: Teardown): Promise<{ readonly url: string; readonly primary: TestRedis }> => {
  const primary = await startRedis(t, ['--repl-diskless-sync-delay', '0'])
  const replica = await startRedis(t, ['--replicaof', '127.0.0.1', String(portOf(primary))])
  const port = await freePort()
  const file = join(temporaryFolder(t), 'sentinel.conf')
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor words 127.0.0.1 ${portOf(primary)} 1`,
      'sentinel down-after-milliseconds words 500',
      'sentinel failover-timeout words 5000',
    ].join('\n'),
  )
  startProcess(t, 'redis-server', [file, '--sentinel'])
  const [asked, copy] = [new Redis(port, '127.0.0.1', { retryStrategy: () => 50 }), new Redis(replica.url)]
  asked.on('error', () => undefined)
  await until('the sentinel to know both', async () => {
    const known = await asked.call('SENTINEL', 'replicas', 'words').catch(() => [])
    const linked = /master_link_status:up/.test(await copy.info('replication'))
    return linked && Array.isArray(known) && known.length === 1 ? true : undefined
  })
  for (const each of [asked, copy]) each.disconnect()
  return { url: `redis+sentinel://127.0.0.1:${port}/words`, primary }
}
