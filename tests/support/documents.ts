/** The guides of the project, run as they stand there: blocks of a shell, and requests as HTTP writes them. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { runHere } from './here.ts'
import { listen } from './listening.ts'
import { type Finished, runProcess } from './processes.ts'
import { environmentFor, main, type Teardown } from './service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A document of the project, by its path in the repository. */
export const page = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The fenced blocks of a document whose fence says `info`. @throws when there is none */
export const blocksOf = (document: string, info: string): readonly string[] => {
  const found = [...document.matchAll(new RegExp(`^ *\`\`\`${info}\\n([\\s\\S]*?)\`\`\``, 'gm'))]
  if (found.length === 0) throw new Error(`no block of ${info}`)
  return found.map(([, block = '']) => block)
}

/** A reader by hand is slower than a projection, a script on a busy machine is not: it asks again where it came too early. */
const PATIENT = `curl() {
  local out
  while out=$(command curl "$@"); do
    [[ $out == *'"code":"projection-'* ]] || { printf '%s' "$out"; return; }
    sleep 0.05
  done
  return 1
}`

/**
 * The command line within the shell. Commands are run by the test's own process, which takes a tenth of the time; those
 * that read files, in a process of their own, which has the shell's folder.
 */
const LEXICHRON = (address: string): string => `#!/bin/bash
case "$1" in import | receipt) exec ${process.execPath} ${main} "$@" ;; esac
told=$(mktemp -d)
printf '%s\\0' "$told" "$LEXICHRON_DATA_DIR" "$@" | curl -sS --fail --data-binary @- ${address} || exit 70
cat "$told/out"
cat "$told/err" >&2
code=$(cat "$told/code")
rm -r "$told"
exit "$code"
`

const openCommands = async (t: Teardown, data: string): Promise<string> => {
  const server = createServer(async (request, response) => {
    const [told = '', folder = '', ...args] = (await text(request)).split('\0').slice(0, -1)
    const ran = await runHere(data, args, { LEXICHRON_DATA_DIR: folder })
    for (const [name, value] of Object.entries(ran)) writeFileSync(join(told, name), String(value))
    response.end()
  })
  return listen(t, server)
}

export type Shell = { run(blocks: readonly string[]): Promise<Finished> }

/** A shell in the data folder of a service; `localhost:8080` is the service's address. */
export const openShell = async (t: Teardown, data: string, url: string): Promise<Shell> => {
  const bin = join(data, 'bin')
  mkdirSync(bin, { recursive: true })
  const programs = {
    lexichron: LEXICHRON(await openCommands(t, data)),
    // `npm run -s lexichron -- ...`, without the second that npm takes to start.
    npm: '#!/bin/sh\nshift 4\nexec lexichron "$@"\n',
  }
  for (const [name, program] of Object.entries(programs)) {
    writeFileSync(join(bin, name), program)
    chmodSync(join(bin, name), 0o755)
  }
  const env = environmentFor(data)
  return {
    run: blocks => {
      const script = ['set -euo pipefail', PATIENT, ...blocks].join('\n')
      return runProcess('bash', ['--norc', '-c', script.replaceAll('localhost:8080', new URL(url).host)], {
        env: { ...env, PATH: `${bin}:${env['PATH']}` },
        cwd: data,
        leads: true,
      })
    },
  }
}
