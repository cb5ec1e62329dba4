/** A real Redis: the one that TEST_REDIS_URL names, or Debian's redis-server as a process of its own. Without either tests are skipped. */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { type Running, startProcess } from './processes.ts'
import { type Teardown, temporaryFolder } from './service.ts'

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
