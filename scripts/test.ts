/**
 * Runs the tests with tap and ends with one line, `N passed, N failed, N skipped`, which counts assertions. Arguments go
 * to tap. With CI=true a skipped test is a failure: what a machine lacks has to be put on it, not passed over.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { closingLine, openDigest } from './totals.ts'

const root = new URL('..', import.meta.url)
/** A real MongoDB is asked about all of WordNet, which is read into it first. */
const patience = process.env['TEST_MONGODB_URL'] === undefined ? [] : ['--timeout=2400']
const tap = spawn(
  process.execPath,
  ['node_modules/tap/dist/esm/run.mjs', '--reporter=tap', '-j2', ...patience, ...process.argv.slice(2)],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
)
const ended = new Promise<number>(done => {
  tap.once('error', error => {
    process.stderr.write(`tap does not start: ${error.message}\n`)
    done(1)
  })
  tap.once('close', code => done(code ?? 1))
})

const digest = openDigest()
for await (const line of createInterface({ input: tap.stdout }))
  for (const shown of digest.line(line)) process.stdout.write(`${shown}\n`)

const code = await ended
const totals = digest.totals() ?? { passed: 0, failed: 1, skipped: 0 }
const refused = process.env['CI'] === 'true' && totals.skipped > 0
if (refused) process.stdout.write('Skipped tests count as a failure here (CI=true).\n')
process.stdout.write(`${closingLine(totals)}\n`)
process.exitCode = code !== 0 ? code : refused || totals.failed > 0 ? 1 : 0
