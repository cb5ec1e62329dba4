/**
 * Processes that a test starts. None outlives its test file: what still runs when the test that started it is torn down, or
 * when the file ends or is told to end, is killed, with what it has started itself where it leads a group.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { defined } from '../../src/domain/defined.ts'
import type { Teardown } from './service.ts'
import { until } from './until.ts'

export type Finished = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

export type Running = {
  readonly pid: number
  /** What it has printed so far. */
  readonly output: { readonly out: string; readonly err: string }
  /** Resolves when it has ended and all that it printed is read. */
  readonly ended: Promise<Finished>
  /** Waits until it prints what matches, on standard output. @throws with what it printed when it ends before. */
  says(what: RegExp): Promise<RegExpExecArray>
  /** Nothing, when it has ended. */
  send(signal: NodeJS.Signals): void
  /** Sends the signal and waits for the end: the exit code, or null after a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export type ProcessOptions = {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** It starts processes of its own: killed, they are killed with it. */
  readonly leads?: boolean
  /** What standard input holds until the process ends; empty without. */
  readonly input?: 'open'
  readonly onOutput?: (running: Running) => void
}

const killing = new Set<() => void>()
const killAll = (): void => {
  for (const kill of killing) kill()
}
process.once('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGALRM'] as const)
  process.once(signal, () => {
    killAll()
    // Once everybody else has heard of it too.
    setImmediate(() => process.kill(process.pid, signal))
  })

const kill = (child: ChildProcess, leads: boolean): void => {
  if (child.pid === undefined) return
  try {
    if (leads) process.kill(-child.pid, 'SIGKILL')
    else if (child.exitCode === null && child.signalCode === null) process.kill(child.pid, 'SIGKILL')
  } catch {
    // It was quicker.
  }
}

export const startProcess = (
  t: Teardown | undefined,
  command: string,
  args: readonly string[],
  { env = process.env, cwd, leads = false, input, onOutput }: ProcessOptions = {},
): Running => {
  const child = spawn(command, [...args], {
    env,
    detached: leads,
    stdio: [input === 'open' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    ...defined({ cwd }),
  })
  const output = { out: '', err: '' }
  const end = (): void => kill(child, leads)
  killing.add(end)
  let finished: Finished | undefined
  const ended = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      killing.delete(end)
      finished = { code, signal, ...output }
      resolve(finished)
    })
  })
  // Who starts one without asking for its end is told by `says`.
  ended.catch(() => killing.delete(end))
  t?.teardown(async () => {
    end()
    await ended.catch(() => undefined)
  })
  const send = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(child.pid, signal)
  }
  const running: Running = {
    pid: child.pid ?? 0,
    output,
    ended,
    send,
    says: what =>
      until(`${what} of ${command}`, async saw => {
        const found = what.exec(output.out)
        if (found) return found
        if (child.pid === undefined) await ended
        if (finished) throw new Error(`it ended with ${finished.code ?? finished.signal}: ${output.out}${output.err}`)
        saw(output.out + output.err)
        return undefined
      }),
    stop: async (signal = 'SIGTERM') => {
      send(signal)
      return (await ended).code
    },
  }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output.out += chunk
    onOutput?.(running)
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    output.err += chunk
  })
  return running
}

/** Runs a command to its end. */
export const runProcess = (command: string, args: readonly string[], options?: ProcessOptions): Promise<Finished> =>
  startProcess(undefined, command, args, options).ended
