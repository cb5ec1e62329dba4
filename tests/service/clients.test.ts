/** Clients are made from the served document by two generators, and compile; a validator of others finds nothing wrong with it. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openTestApp } from '../support/app.ts'
import { type Finished, runProcess } from '../support/processes.ts'

const given = fileURLToPath(new URL('../clients', import.meta.url))
/** Beside the tests, whose rules are not those of what others write and generate. */
const home = fileURLToPath(new URL('../../.tap/clients', import.meta.url))
const modules = join(home, 'node_modules')
const LOCK = 'package-lock.json'
/** What was installed from this very lock file is there: half a minute that most runs do not need. */
const installed = join(modules, '.installed')

const quiet = {
  ...process.env,
  REDOCLY_TELEMETRY: 'off',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  OPENAPI_TS_TELEMETRY_DISABLED: '1',
  NO_COLOR: '1',
  NODE_OPTIONS: '',
}

/** The program that a package brings, on the Node of this test. */
const tool = (script: string, ...args: readonly string[]): Promise<Finished> =>
  runProcess(process.execPath, [join(modules, script), ...args], { cwd: home, env: quiet })

const app = await openTestApp(t)

t.before(async () => {
  cpSync(given, home, { recursive: true })
  const lock = readFileSync(join(home, LOCK), 'utf8')
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
    const { code, out, err } = await runProcess('npm', args, { cwd: home, env: quiet })
    if (code !== 0) throw new Error(`npm ci: ${out}${err}`)
    writeFileSync(installed, lock)
  }
  mkdirSync(join(home, 'generated'), { recursive: true })
  writeFileSync(join(home, 'generated/openapi.json'), await (await fetch(`${app.url}/v1/openapi.json`)).text())
})

t.test('the document is valid to others, and clients made from it compile', async t => {
  const document = './generated/openapi.json'
  const said = ({ out, err }: Finished): string => out + err
  const [valid, types, client] = await Promise.all([
    tool('@redocly/cli/bin/cli.js', 'lint', document, '--extends=spec', '--format=stylish'),
    tool('openapi-typescript/bin/cli.js', document, '-o', 'generated/openapi-typescript.ts'),
    tool('@hey-api/openapi-ts/bin/run.js', '-i', document, '-o', 'generated/hey-api', '--no-log-file'),
  ])
  t.equal(valid.code, 0, said(valid))
  t.notMatch(said(valid), /warning/i)
  t.equal(types.code, 0, said(types))
  t.equal(client.code, 0, said(client))
  const compiled = await tool('typescript/bin/tsc', '-p', home)
  t.equal(compiled.code, 0, said(compiled))
  t.notMatch(readFileSync(join(home, 'generated/openapi-typescript.ts'), 'utf8'), /unknown\[\]/, 'nothing is left open')
})
