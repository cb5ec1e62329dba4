/** The command line in this process: what it prints, and its exit code. */
import { Writable } from 'node:stream'
import type { App } from '../../src/adapters/cli/app-port.ts'
import { runCommandLine } from '../../src/adapters/cli/run.ts'
import { mails } from '../../src/app/mail.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Ran } from './here.ts'
import { environmentFor } from './service.ts'

/** On the data folder; `app` is what commands work with, which stays open. */
export const runLine = async (folder: string, line: readonly string[], app?: App): Promise<Ran> => {
  const said = { out: '', err: '' }
  const stream = (to: 'out' | 'err') =>
    new Writable({
      write: (chunk, _, done) => {
        said[to] += String(chunk)
        done()
      },
    })
  const code = await runCommandLine(line, {
    stdout: stream('out'),
    stderr: Object.assign(stream('err'), { isTTY: false }),
    version: '0.0.0',
    config: () => loadConfig(environmentFor(folder), folder),
    openApp: async () => async () => {
      if (!app) throw new Error('no app is open')
      return { ...app, close: async () => undefined }
    },
    openCopy: async () => () => Promise.reject(new Error('nothing is copied here')),
    openMails: async () => mails,
    openDoctor: async () => async () => [],
    signal: new AbortController().signal,
    now: () => 0,
  })
  return { code, ...said }
}
