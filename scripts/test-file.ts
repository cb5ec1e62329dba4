/** One test file as a process of its own: with a temporary folder of its own, and nothing of it left when it has ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { kill, type Leftover, leftoversOf } from './leftovers.ts'
import { noTotals, openDigest, type Totals } from './totals.ts'

export type FileRun = {
  readonly file: string
  readonly ok: boolean
  readonly seconds: number
  readonly totals: Totals
  /** What failed, by name. */
  readonly failures: readonly string[]
}

export type FileOptions = {
  readonly root: string
  readonly file: string
  /** Of this run: what the file prints goes to `outputs/`. */
  readonly folder: string
  /** What the file covers goes to `.tap/coverage/` of the folder. Without, all that runs takes what was compiled before, and is quicker by half. */
  readonly coverage: boolean
  /** Tells the runs of one file apart. */
  readonly label: string
  /** Only what hangs takes so long. */
  readonly limitSeconds: number
  readonly environment: Readonly<Record<string, string>>
  /** The path of Deno, to run the file there, without coverage; on this Node where there is none. */
  readonly deno?: string
  /** Shows a line. */
  readonly show: (line: string) => void
}

/** What has been told to end is given as long before it counts as left running. */
const ENDING_MS = 5_000
const LOOK_MS = 50
const SHOWN_LINES = 40

const running = new Set<{ readonly child: ChildProcess; readonly temporary: string }>()

const endAll = (session: number, temporary: string): void => {
  for (const { pid } of leftoversOf(session, temporary)) kill(pid)
}

/** Ends every file that is running, with all that it has started. */
export const endRunning = (): void => {
  for (const { child, temporary } of running) {
    if (child.pid !== undefined) {
      kill(child.pid)
      endAll(child.pid, temporary)
    }
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Waits for what the file has started to end; what does not is ended and named. */
const lastOnes = async (session: number, temporary: string): Promise<readonly Leftover[]> => {
  const end = performance.now() + ENDING_MS
  for (;;) {
    const left = leftoversOf(session, temporary)
    if (left.length === 0) return []
    if (performance.now() > end) {
      endAll(session, temporary)
      return left
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

// tap's own collector of coverage: it follows into the processes and threads that a test starts.
const collector = ['--enable-source-maps', `--import=${import.meta.resolve('@tapjs/processinfo/import')}`] as const
const collecting = (root: string, folder: string): NodeJS.ProcessEnv => ({
  _TAPJS_PROCESSINFO_CWD_: folder,
  _TAPJS_PROCESSINFO_COVERAGE_: '1',
  _TAPJS_PROCESSINFO_COV_EXCLUDE_: String(new RegExp(`^(?!${literally(join(root, 'src'))})`)),
  _TAPJS_PROCESSINFO_EXCLUDE_: '/^(node|tapmock):/',
})
/** By Node, of one run for the next: what it is given is looked up by its content. */
const compiledIn = (root: string): string => join(root, '.tap/compiled-tests')

const onDeno = ['run', '-A', '--node-modules-dir=manual', '--preload', 'tests/support/deno-preload.mjs'] as const

/** Runs a file to its end. It has failed when an assertion has, when its process has, or when it leaves something running. */
export const runFile = async (options: FileOptions): Promise<FileRun> => {
  const { root, file, folder, coverage, label, limitSeconds, show } = options
  const began = performance.now()
  const temporary = mkdtempSync(join(tmpdir(), 'lx-'))
  const output = join(folder, 'outputs', `${file}${label}.tap`)
  // Of t.testdir(). Below the checkout, since tap changes the working directory when it removes one that is elsewhere.
  const fixtures = join(folder, 'fixtures', `${file}${label}`)
  mkdirSync(fixtures, { recursive: true })
  mkdirSync(dirname(output), { recursive: true })
  const [program, args] =
    options.deno === undefined ? [process.execPath, coverage ? collector : []] : [options.deno, onDeno]
  const child = spawn(program, [...args, file], {
    cwd: root,
    // A session of its own, by which all that it starts is found.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...options.environment,
      NO_COLOR: '1',
      TMPDIR: temporary,
      TAP_CWD: fixtures,
      TAP_TIMEOUT: String(limitSeconds),
      ...(coverage ? collecting(root, folder) : { NODE_COMPILE_CACHE: compiledIn(root) }),
    },
  })
  const entry = { child, temporary }
  running.add(entry)
  const ended = new Promise<string | undefined>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) =>
      resolve(code === 0 ? undefined : signal === null ? `it ended with ${code}` : `it was ended by ${signal}`),
    )
  })
  const session = child.pid ?? -1
  let hung = false
  const limit = setTimeout(
    () => {
      hung = true
      kill(session)
      endAll(session, temporary)
    },
    // tap itself says first which test it is, where it can.
    (limitSeconds + 30) * 1000,
  )

  const digest = openDigest(file)
  const texts: string[] = []
  const shown: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => texts.push(text))
  const read = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      texts.push(`${line}\n`)
      shown.push(...digest.line(line))
    }
  })()
  const fault = await ended
  // What is left holds the file's output open.
  const left = await lastOnes(session, temporary)
  await read
  clearTimeout(limit)
  running.delete(entry)
  for (const used of [temporary, fixtures])
    rmSync(used, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })

  const counted = digest.totals() ?? noTotals
  const faults = [
    ...(hung ? [`it had not ended after ${limitSeconds} s`] : []),
    ...(fault !== undefined && !hung && counted.failed === 0 ? [fault] : []),
    ...(fault === undefined && digest.totals() === undefined ? ['it ended without its totals'] : []),
    ...(digest.totals() !== undefined && counted.passed + counted.failed + counted.skipped === 0
      ? ['it has asserted nothing']
      : []),
    ...left.map(({ command }) => `left running: ${command.slice(0, 200)}`),
  ]
  const totals: Totals = { ...counted, failed: counted.failed + faults.length }
  writeFileSync(output, texts.join(''))
  const seconds = (performance.now() - began) / 1000
  const ok = totals.failed === 0
  for (const line of shown) show(line)
  // A file that fails outside of an assertion says why on standard error alone.
  for (const what of faults) show(`not ok: ${file} > ${what}`)
  if (faults.length > 0) show(texts.join('').split('\n').slice(-SHOWN_LINES).join('\n'))
  show(`${ok ? 'ok' : 'not ok'} ${file}${label} # ${seconds.toFixed(1)} s`)
  return { file, ok, seconds, totals, failures: [...digest.failures(), ...faults] }
}
