/** The program in this process, for what does not need one of its own: starting one takes longer than most commands. */
import { Writable } from 'node:stream'
import { runCommandLine } from '../../src/adapters/cli/run.ts'
import { copyBetween } from '../../src/app/copy.ts'
import { systemClock } from '../../src/app/core.ts'
import { diagnose } from '../../src/app/doctor.ts'
import { mails } from '../../src/app/mail.ts'
import { openApp } from '../../src/app/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { delays } from './delays.ts'
import { environmentFor, type Teardown } from './service.ts'

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

const collector = () => {
  let text = ''
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk)
      done()
    },
  })
  return { stream, text: () => text }
}

/** For doctor where nobody asks for signs of life: it does not wait for any. */
export const hurried: Clock = { ...systemClock, sleep: async () => {} }

/** Runs one command of the command line to its end; `clock` is what doctor waits on. */
export const runHere = async (
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  clock?: Clock,
): Promise<Ran> => {
  const [out, err] = [collector(), collector()]
  const code = await runCommandLine(args, {
    stdout: out.stream,
    stderr: err.stream,
    version: '0.0.0',
    signal: new AbortController().signal,
    config: () => loadConfig(environmentFor(dataDir, env), dataDir),
    openApp: async () => openApp,
    openDoctor: async () => load => diagnose(load, clock),
    openCopy: async () => copyBetween,
    openMails: async () => mails,
    now: () => performance.now(),
  })
  return { code, out: out.text(), err: err.text() }
}

export type Here = { readonly url: string; close(): Promise<void> }

/** A node that serves; ends with the test. */
export const serveHere = async (
  t: Teardown,
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Here> => {
  const app = await openApp(loadConfig(environmentFor(dataDir, env), dataDir), {
    purpose: 'serve',
    version: '0.0.0',
    ...delays,
  })
  t.teardown(() => app.close())
  return { url: await app.listen(), close: () => app.close() }
}
