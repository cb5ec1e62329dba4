/** A process that runs test files: in a session of its own, by which all that it starts is found, and ended with it. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill, type Leftover, leftoversOf } from './leftovers.ts'

/** What all files of a run have in common. */
export type RunOptions = {
  readonly root: string
  /** Of this run: what the files print goes to `outputs/`. */
  readonly folder: string
  /** What the files cover goes to `.tap/coverage/` of the folder. Without, all that runs takes what was compiled before, and is quicker by half. */
  readonly coverage: boolean
  /** Only what hangs takes so long. */
  readonly limitSeconds: number
  readonly environment: Readonly<Record<string, string>>
  /** Shows a line. */
  readonly show: (line: string) => void
}

/** What has been told to end is given as long before it counts as left running. */
const ENDING_MS = 5_000
const LOOK_MS = 50

const running = new Set<{ readonly child: ChildProcess; readonly temporary: string }>()

const endAll = (left: readonly Leftover[]): void => {
  for (const { pid } of left) kill(pid)
}

/** Ends every file that is running, with all that it has started. */
export const endRunning = (): void => {
  for (const { child, temporary } of running) {
    if (child.pid !== undefined) endAll(leftoversOf(child.pid, temporary))
    child.kill('SIGKILL')
    rmSync(temporary, { recursive: true, force: true })
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

export type TestProcess = {
  readonly child: ChildProcess
  /** What ended it badly; undefined where it has ended well. */
  readonly ended: Promise<string | undefined>
  /** Ends it, with all that it has started. */
  kill(): void
  /** Waits for what was started to end, in this process' session or with the folder in its name; what does not is ended, and named. */
  leftovers(folder?: string): Promise<readonly Leftover[]>
  /** Drops its folders, once it has ended. */
  clear(): void
}

/** Starts `file` with a temporary folder of its own; `name` tells it apart. On this Node, or on the Deno at the path. */
export const startTests = (
  { root, folder, coverage, limitSeconds, environment }: RunOptions,
  { file, name, stdio, deno }: { file: string; name: string; stdio: StdioOptions; deno?: string },
): TestProcess => {
  const temporary = mkdtempSync(join(tmpdir(), 'lx-'))
  // Of t.testdir(). Below the checkout, since tap changes the working directory when it removes one that is elsewhere.
  const fixtures = join(folder, 'fixtures', name)
  mkdirSync(fixtures, { recursive: true })
  const [program, args] = deno === undefined ? [process.execPath, coverage ? collector : []] : [deno, onDeno]
  const child = spawn(program, [...args, file], {
    cwd: root,
    detached: true,
    stdio,
    env: {
      ...process.env,
      ...environment,
      NO_COLOR: '1',
      TMPDIR: temporary,
      TAP_CWD: fixtures,
      TAP_TIMEOUT: String(limitSeconds),
      ...(coverage ? collecting(root, folder) : { NODE_COMPILE_CACHE: compiledIn(root) }),
    },
  })
  const entry = { child, temporary }
  running.add(entry)
  const session = child.pid ?? -1
  const others = (named = temporary): readonly Leftover[] => {
    const itself = child.exitCode === null && child.signalCode === null ? session : undefined
    return leftoversOf(session, named).filter(({ pid }) => pid !== itself)
  }
  return {
    child,
    ended: new Promise(resolve => {
      child.once('error', error => resolve(error.message))
      child.once('exit', (code, signal) =>
        resolve(code === 0 ? undefined : signal === null ? `it ended with ${code}` : `it was ended by ${signal}`),
      )
    }),
    kill: () => {
      child.kill('SIGKILL')
      endAll(others())
    },
    leftovers: async named => {
      const end = performance.now() + ENDING_MS
      for (;;) {
        const left = others(named)
        if (left.length === 0) return []
        if (performance.now() > end) {
          endAll(left)
          return left
        }
        await new Promise(resolve => setTimeout(resolve, LOOK_MS))
      }
    },
    clear: () => {
      running.delete(entry)
      for (const used of [temporary, fixtures])
        rmSync(used, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}
