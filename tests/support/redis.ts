/** A real Redis: the one that TEST_REDIS_URL names, or Debian's redis-server as a process of its own. Without either tests are skipped. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
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

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

export const startRedis = async (t: Teardown, options: readonly string[] = []): Promise<TestRedis> => {
  if (named !== undefined && options.length === 0) {
    const refuse = () => {
      throw new Error('a server that TEST_REDIS_URL names is not ours to stop')
    }
    return { url: named, kill: async () => refuse(), restart: async () => refuse(), freeze: refuse, thaw: refuse }
  }
  const folder = temporaryFolder(t)
  const port = await freePort()
  let child: ChildProcess
  const start = async (): Promise<void> => {
    const settings = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'no',
    ]
    child = spawn('redis-server', [...settings, ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    child.stdout?.on('data', part => {
      said += part
    })
    await until('Redis', async () => (/Ready to accept connections/.test(said) ? true : undefined))
  }
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
  await start()
  t.teardown(kill)
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill()
      await start()
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  }
}
