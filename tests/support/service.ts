/** The service as a process of its own, as strangers run it: started, killed, started again on the same data. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type Teardown = { teardown(fn: () => unknown): unknown }

/** A temporary data folder, gone after the test. */
export const temporaryFolder = (t: Teardown): string => {
  const folder = mkdtempSync(join(tmpdir(), 'lexichron-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const environmentFor = (
  dataDir: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  ...{
    PATH: process.env['PATH'] ?? '',
    DATA_DIR: dataDir,
    PORT: '0',
    SAMPLE: 'none',
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
  },
  ...{ LIMIT_READS: '1000000', LIMIT_WRITES: '1000000', LIMIT_SEARCH: '1000000', LIMIT_SUGGEST: '1000000' },
  LIMIT_SIGN_INS: '1000000',
  ...(process.env['NODE_V8_COVERAGE'] && { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }),
  ...more,
})

export type Finished = { readonly code: number | null; readonly out: string; readonly err: string }

const collect = (child: ChildProcess): { out: string; err: string } => {
  const texts = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    texts.out += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    texts.err += chunk
  })
  return texts
}

/** Runs one command of the command line to its end. */
export const lexichron = (
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: environmentFor(dataDir, env),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...{ timeout: 120_000, killSignal: 'SIGKILL' },
    })
    const texts = collect(child)
    child.once('error', reject)
    child.once('close', code => resolve({ code, ...texts }))
  })

export type Service = {
  readonly url: string
  readonly pid: number
  readonly output: { readonly out: string; readonly err: string }
  /** Sends the signal and waits for the end: the exit code, or null after a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `serve` and waits until it listens. @throws with what it printed when it ends before. */
export const startService = (
  t: Teardown,
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
  more: readonly string[] = [],
  program: string = main,
): Promise<Service> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, 'serve', '--json', ...more], {
      env: environmentFor(dataDir, env),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = collect(child)
    const ended = new Promise<number | null>(done => child.once('exit', done))
    t.teardown(() => child.kill('SIGKILL'))
    const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
      // By its id: on Deno a child that was signalled by its handle is said to have ended by that signal, whatever it did.
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(child.pid, signal)
      return ended
    }
    child.stdout.on('data', () => {
      const listening = /\{"listening":\s*"([^"]+)"\}/.exec(output.out)?.[1]
      if (listening) resolve({ url: listening, pid: child.pid ?? 0, output, stop })
    })
    child.once('exit', code => reject(new Error(`serve ended with ${code}: ${output.out}${output.err}`)))
  })
