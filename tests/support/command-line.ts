/** The command line in this process: commands that need no data folder. */
import { Writable } from 'node:stream'
import { runCommandLine } from '../../src/adapters/cli/run.ts'
import { loadConfig } from '../../src/config.ts'
import type { Ran } from './here.ts'

const collect = () => {
  const said: string[] = []
  const stream = new Writable({
    write: (chunk, _, done) => {
      said.push(String(chunk))
      done()
    },
  })
  return { stream, said: () => said.join('') }
}

const nothing = (): Promise<never> => Promise.reject(new Error('this command was to need nothing'))

export const commandLine = async (line: readonly string[]): Promise<Ran> => {
  const [out, err] = [collect(), collect()]
  const code = await runCommandLine(line, {
    stdout: out.stream,
    stderr: Object.assign(err.stream, { isTTY: false }),
    version: '0.0.0',
    config: () => loadConfig({}, '/srv'),
    ...{ openApp: nothing, openDoctor: nothing, openMails: nothing, openCopy: nothing },
    signal: new AbortController().signal,
    now: () => 0,
  })
  return { code, out: out.said(), err: err.said() }
}
