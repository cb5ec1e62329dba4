/** The service as a process of its own, as strangers run it: started, killed, started again on the same data. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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
  DATA_DIR: dataDir,
  PORT: '0',
  SAMPLE: 'none',
  NODE_ENV: 'test',
  LOG_LEVEL: 'warn',
  LIMIT_READS: '1000000',
  LIMIT_WRITES: '1000000',
  LIMIT_SEARCH: '1000000',
  LIMIT_SUGGEST: '1000000',
  LIMIT_SIGN_INS: '1000000',
  ...(process.env['NODE_V8_COVERAGE'] && { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }),
  ...more,
})

/** Runs one command of the command line to its end. */
export const lexichron = (
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> => runProcess(process.execPath, [main, ...args], { env: environmentFor(dataDir, env) })

export type Service = Running & { readonly url: string }

type Start = (
  t: Teardown,
  dataDir: string,
  env?: Readonly<Record<string, string>>,
  more?: readonly string[],
  program?: string,
) => Promise<Service>

const startBy =
  (command: (args: readonly string[]) => Promise<readonly [string, readonly string[]]>): Start =>
  async (t, dataDir, env = {}, more = [], program = main) => {
    const running = startProcess(t, ...(await command([program, 'serve', '--json', ...more])), {
      env: environmentFor(dataDir, env),
    })
    const [, url = ''] = await running.says(/\{"listening":\s*"([^"]+)"\}/)
    return { ...running, url }
  }

/** Starts `serve` and waits until it listens. @throws with what it printed when it ends before. */
export const startService: Start = startBy(async args => [process.execPath, args])

const compiled = fileURLToPath(new URL('../../.tap/compiled', import.meta.url))

/**
 * The command for a process that is to be killed: it could not hand over what it covered, so it goes without the collector
 * that every child of a test gets (and without any other NODE_OPTIONS), and takes what was compiled before. That halves
 * what a start costs.
 */
export const killable = async (args: readonly string[]): Promise<readonly [string, readonly string[]]> => {
  const command = ['-u', 'NODE_OPTIONS', `NODE_COMPILE_CACHE=${compiled}`, process.execPath]
  if (!existsSync(compiled)) {
    // Who is killed leaves nothing compiled: somebody who is not has to come first.
    const folder = mkdtempSync(join(tmpdir(), 'lexichron-'))
    await runProcess('env', [...command, main, 'token', 'list'], { env: environmentFor(folder) })
    rmSync(folder, { recursive: true, force: true })
  }
  return ['env', [...command, ...args]]
}

/** Starts `serve` as `startService` does, to be killed. */
export const startKillable: Start = startBy(killable)
