/** The service as a process of its own, as strangers run it: started, killed, started again on the same data. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defined } from '../../src/domain/defined.ts'
import { type Finished, type Running, runProcess, startProcess } from './processes.ts'

export const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type Teardown = { teardown(fn: () => unknown): unknown }

/** A temporary data folder, gone after the test. */
export const temporaryFolder = (t: Teardown): string => {
  const folder = mkdtempSync(join(tmpdir(), 'lexichron-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }))
  return folder
}

export const environmentFor = (
  dataDir: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  LEXICHRON_DATA_DIR: dataDir,
  PORT: '0',
  LEXICHRON_SAMPLE: 'none',
  NODE_ENV: 'test',
  LEXICHRON_LOG_LEVEL: 'warn',
  LEXICHRON_LIMIT_READS: '1000000',
  LEXICHRON_LIMIT_WRITES: '1000000',
  LEXICHRON_LIMIT_SEARCH: '1000000',
  LEXICHRON_LIMIT_SUGGEST: '1000000',
  LEXICHRON_LIMIT_SIGN_INS: '1000000',
  LEXICHRON_LIMIT_WORK_ADDRESS: '0',
  LEXICHRON_LIMIT_WORK_ACCOUNT: '0',
  LEXICHRON_LIMIT_CONNECTIONS: '100000',
  ...defined({ NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] ? process.env['NODE_V8_COVERAGE'] : undefined }),
  LEXICHRON_LIMIT_NEW_COMMENTS: '0',
  LEXICHRON_LIMIT_REPORTS: '0',
  LEXICHRON_LIMIT_NEW_LINKS: '0',
  LEXICHRON_REPEAT_MINUTES: '0',
  LEXICHRON_LIMIT_REPORTS_ABOUT: '0',
  ...more,
})

const compiled = fileURLToPath(new URL('../../.tap/compiled', import.meta.url))

/**
 * The command for a process of the service: without the collector of coverage that every child of a test gets, since most
 * are killed before they could hand over what they covered, and all else of them is covered by tests in process. With what
 * was compiled before, that halves what a start costs. `nodeOptions`: what the test itself wants of Node.
 */
export const serviceProcess = async (
  args: readonly string[],
  nodeOptions = '',
): Promise<readonly [string, readonly string[]]> => {
  const set = [`NODE_OPTIONS=${nodeOptions}`, `NODE_COMPILE_CACHE=${compiled}`]
  const command = ['-u', 'NODE_V8_COVERAGE', ...set, process.execPath]
  if (!existsSync(compiled)) {
    // Who is killed leaves nothing compiled: somebody who is not has to come first.
    const folder = mkdtempSync(join(tmpdir(), 'lexichron-'))
    await runProcess('env', [...command, main, 'token', 'list'], { env: environmentFor(folder) })
    rmSync(folder, { recursive: true, force: true })
  }
  return ['env', [...command, ...args]]
}

/** Runs one command of the command line to its end. */
export const lexichron = async (
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> =>
  runProcess(...(await serviceProcess([main, ...args], env['NODE_OPTIONS'])), { env: environmentFor(dataDir, env) })

export type Service = Running & { readonly url: string }

/** Starts `serve` and waits until it listens. @throws with what it printed when it ends before. */
export const startService = async (
  t: Teardown,
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
  more: readonly string[] = [],
  program = main,
): Promise<Service> => {
  const running = startProcess(
    t,
    ...(await serviceProcess([program, 'serve', '--json', ...more], env['NODE_OPTIONS'])),
    {
      env: environmentFor(dataDir, env),
    },
  )
  const [, url = ''] = await running.says(/\{"listening":\s*"([^"]+)"\}/)
  return { ...running, url }
}
