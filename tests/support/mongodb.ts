/**
 * A server that speaks MongoDB's protocol: the one that TEST_MONGODB_URL names, or mongo-java-server (an independent
 * implementation, whose jars .ci/run fetches) as a process of its own. Without either a test says so and is skipped.
 */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Running, startProcess } from './processes.ts'
import type { Teardown } from './service.ts'

const folder = fileURLToPath(new URL('./mongo', import.meta.url))
const named = process.env['TEST_MONGODB_URL']

/** A real MongoDB, of which more can be asked (plans, standing without a scan). */
export const isRealMongo = named !== undefined

/** Why tests of MongoDB cannot run here; undefined when they can. */
export const noMongo = (): string | undefined => {
  if (named !== undefined) return undefined
  if (!existsSync(`${folder}/jars`) || readdirSync(`${folder}/jars`).length === 0)
    return 'no MongoDB: set TEST_MONGODB_URL, or fetch the jars as .ci/run does'
  return spawnSync('java', ['-version']).error ? 'no MongoDB: there is no Java to run the test server' : undefined
}

export type TestMongo = {
  /** With a database of its own. */
  readonly url: string
  /** Another database on the same server. */
  database(): string
  /** kill -9, and again on the same port; with a file its data is there. Only of a server that was started here. */
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

const start = async (port: number, file: string | undefined): Promise<Running & { url: string }> => {
  const args = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${folder}/jars/*`]
  const given = [`${folder}/Main.java`, String(port), ...(file === undefined ? [] : [file])]
  // It ends with its standard input too, and so when this process ends in whatever way.
  const server = startProcess(undefined, 'java', [...args, ...given], { input: 'open' })
  const [url] = await server.says(/mongodb:\/\/\S+(?=\s)/)
  return { ...server, url }
}

const withDatabase = (url: string, name: string): string => {
  const named = new URL(url)
  named.pathname = `/${name}`
  return named.href
}

/** Starts one, in memory or on a file; ends with the test. */
export const startMongo = async (t: Teardown, options: { readonly file?: string } = {}): Promise<TestMongo> => {
  const fresh = (): string => `lexichron_test_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  if (named !== undefined) {
    const refuse = () => Promise.reject(new Error('a server that TEST_MONGODB_URL names is not ours to kill'))
    const database = () => withDatabase(named, fresh())
    return { url: database(), database, kill: refuse, restart: refuse, stop: async () => undefined }
  }
  let running = await start(0, options.file)
  const { url } = running
  const stop = async (): Promise<void> => {
    await running.stop('SIGKILL')
  }
  // Not before it runs: tap ends a file that has something to tear down, and nothing to do while it waits.
  t.teardown(stop)
  return {
    url: withDatabase(url, fresh()),
    database: () => withDatabase(url, fresh()),
    kill: stop,
    restart: async () => {
      await stop()
      running = await start(Number(new URL(url).port), options.file)
    },
    stop,
  }
}
