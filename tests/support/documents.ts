/** The commands of a document, run by a shell as they stand there, against a service of the test. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Finished, runProcess } from './processes.ts'
import { environmentFor, main } from './service.ts'

/** A reader by hand is slower than a projection, a script on a busy machine is not: it asks again where it came too early. */
const PATIENT = `curl() {
  local out
  while out=$(command curl "$@"); do
    [[ $out == *'"code":"projection-'* ]] || { printf '%s' "$out"; return; }
    sleep 0.05
  done
  return 1
}`

/** Runs the blocks in the data folder; `localhost:8080` is the service's address. */
export const runBlocks = (data: string, url: string, blocks: readonly string[]): Promise<Finished> => {
  const bin = join(data, 'bin')
  mkdirSync(bin, { recursive: true })
  // `npm run -s lexichron -- ...`, without the second that npm takes to start.
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\nshift 4\nexec ${process.execPath} ${main} "$@"\n`)
  chmodSync(join(bin, 'npm'), 0o755)
  const script = ['set -euo pipefail', PATIENT, ...blocks].join('\n')
  const env = environmentFor(data)
  return runProcess('bash', ['--norc', '-c', script.replaceAll('localhost:8080', new URL(url).host)], {
    env: { ...env, PATH: `${bin}:${env['PATH']}` },
    cwd: data,
    leads: true,
  })
}
