/**
 * The API, the live feed and the contracts of the ports on Deno: the same files as on Node, one after the other in two lanes.
 * Ends with `N passed, N failed, N skipped`. Files that start processes of their own, by Node's way of doing so, are left out;
 * tests/service/runtimes.test.ts starts the service on Deno as a process.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { denoPath } from '../tests/support/deno.ts'
import { closingLine, totalsOf } from './totals.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = [
  ...[
    'read-store-mongodb',
    'event-store-sqlite',
    'event-store-eventstoredb',
    'event-store-memory',
    'read-store-sqlite',
  ].map(each => `contracts/${each}`),
  ...['keys-mongodb', 'jobs-sqlite', 'jobs-mongodb', 'cache-memory', 'cache-redis'].map(each => `contracts/${each}`),
  ...['conventions', 'openapi', 'history', 'access-tokens', 'analytics'].map(each => `api/${each}`),
  ...['ws/live', 'ws/edge', 'ws/feed', 'mail/mail', 'faults/mongodb-sockets'],
]
const BOUND_MS = 120_000

const deno = denoPath()
if (deno === undefined) {
  process.stdout.write('There is no Deno: name it with DENO, or let .ci/run fetch it.\n0 passed, 0 failed, 1 skipped\n')
  process.exit(1)
}

type Totals = NonNullable<ReturnType<typeof totalsOf>>

const run = (file: string): Promise<Totals> =>
  new Promise(resolve => {
    const args = ['run', '-A', '--node-modules-dir=manual', '--preload', 'tests/support/deno-preload.mjs']
    // What tap and Node's coverage put into the environment is not for another runtime.
    const { NODE_V8_COVERAGE: _, NODE_OPTIONS: __, ...env } = process.env
    const child = spawn(deno, [...args, `tests/${file}.test.ts`], {
      cwd: root,
      env: { ...env, NO_COLOR: '1', TAP_TIMEOUT: '110' },
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', chunk => {
        text = (text + chunk).slice(-200_000)
      })
    const bound = setTimeout(() => child.kill('SIGKILL'), BOUND_MS)
    const started = performance.now()
    child.once('close', code => {
      clearTimeout(bound)
      const found = text
        .split('\n')
        .flatMap(line => totalsOf(line) ?? [])
        .at(-1)
      const failed = code !== 0 || found === undefined || found.failed > 0
      process.stdout.write(
        `${failed ? 'not ok' : 'ok'} - ${file} # time=${Math.round(performance.now() - started)}ms\n`,
      )
      if (failed) process.stdout.write(`${text}\n`)
      const totals = found ?? { passed: 0, failed: 0, skipped: 0 }
      resolve(failed && totals.failed === 0 ? { ...totals, failed: 1 } : totals)
    })
  })

const waiting = [...files]
const sum = { passed: 0, failed: 0, skipped: 0 }
const lane = async (): Promise<void> => {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const { passed, failed, skipped } = await run(file)
    sum.passed += passed
    sum.failed += failed
    sum.skipped += skipped
  }
}
await Promise.all([lane(), lane()])
process.stdout.write(`${closingLine(sum)}\n`)
process.exitCode = sum.failed > 0 || sum.skipped > 0 ? 1 : 0
