/**
 * Runs the tests, two files at a time (four of the service tier), and ends with one line, `N passed, N failed, N skipped`, which counts assertions.
 *
 *     node scripts/test.ts [fast|service|explore|deno] [--delays] [--minutes N] [--limit SECONDS] [FILE ...]
 *
 * A file of the service tier that fails has a second chance, alone, after all others: what passes then is unsteady, and said.
 * `explore` runs what draws values with new seeds and fifty times as many, in rounds while minutes are left. `deno` runs what
 * has to hold there too. `--delays` lets every consumer of the log come late, by a new seed (tests/support/delays.ts). Several runs
 * may go on at once in one checkout: each has a folder of its own below .tap/runs. With CI=true a skipped test is a
 * failure: what a machine lacks has to be put on it, not passed over. TEST_COVERAGE=true collects for `npm run coverage`.
 */
import { randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { defined } from '../src/domain/defined.ts'
import { denoPath } from '../tests/support/deno.ts'
import { KINDS, lastSummary, newestRun, publishRun } from './runs.ts'
import { type FileRun, runFile } from './test-file.ts'
import { openLane } from './test-lane.ts'
import { endRunning, type RunOptions } from './test-process.ts'
import { denoFiles, guessedSeconds, hasProperties, sharesProcess, testFiles, tierOf } from './tiers.ts'
import { closingLine, sumOf } from './totals.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The files of the service tier wait for processes, locks and leases more than they work. */
const AT_ONCE = { fast: 2, service: 4, deno: 2, explore: 2 }
const KEPT_MS = 86_400_000
/** Files of the tier take a tenth of it at most: only what hangs comes to it. */
const LIMIT_SECONDS = { fast: 300, service: 1500, deno: 1500, explore: 3600 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    delays: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '0' },
    limit: { type: 'string' },
  },
})
const [first = '', ...rest] = positionals
const kind = KINDS.find(name => name === first) ?? 'fast'
const named = (first === kind ? rest : positionals).map(file => relative(root, join(process.cwd(), file)))
const all = testFiles(root)
const every =
  kind === 'deno'
    ? denoFiles
    : all.filter(file => (kind === 'explore' ? hasProperties(root, file) : tierOf(file) === kind))
const files = named.length > 0 ? named : every
const deno = kind === 'deno' ? denoPath() : undefined
if (kind === 'deno' && deno === undefined) {
  process.stdout.write('There is no Deno: name it with DENO, or let .ci/run fetch it.\n0 passed, 0 failed, 1 skipped\n')
  process.exit(1)
}

// What a run printed is kept for a day, and the newest run of a tier for as long as it is that.
const kept = join(root, '.tap/runs')
mkdirSync(kept, { recursive: true })
for (const name of readdirSync(kept)) {
  const old = join(kept, name)
  const isNewest = KINDS.some(tier => newestRun(root, tier) === old)
  if (!isNewest && Date.now() - statSync(old).mtimeMs > KEPT_MS) rmSync(old, { recursive: true, force: true })
}
const folder = mkdtempSync(join(kept, `${kind}-`))
const show = (line: string): void => void process.stdout.write(`${line}\n`)
const newSeed = (): string => String(randomInt(2 ** 31))
/** One for the whole run, so that a file that fails is run again as it was. */
const lateness = values.delays ? (process.env['TEST_DELAYS'] ?? newSeed()) : undefined
if (lateness !== undefined) show(`Consumers of the log come late: TEST_DELAYS=${lateness}`)

// Who reads what is shown may have enough of it: what runs is not left behind.
process.stdout.once('error', () => {
  endRunning()
  process.exit(1)
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    endRunning()
    rmSync(folder, { recursive: true, force: true })
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })

const optionsFor = (tier: keyof typeof LIMIT_SECONDS): RunOptions => ({
  root,
  folder,
  show,
  coverage: process.env['TEST_COVERAGE'] === 'true' && deno === undefined,
  limitSeconds: Number(values.limit ?? LIMIT_SECONDS[tier]),
  environment: {
    ...defined({ TEST_EXPLORE: kind === 'explore' ? newSeed() : undefined }),
    ...defined({ TEST_DELAYS: lateness }),
  },
})
const run = (file: string, label = ''): Promise<FileRun> =>
  runFile({
    ...optionsFor(kind === 'explore' || kind === 'deno' ? kind : tierOf(file)),
    file,
    label,
    ...defined({ deno }),
  })

/** What took long the last time begins first, so that the end does not wait for one file. */
const lastTime = new Map(lastSummary(root, kind)?.runs.map(({ file, seconds }) => [file, seconds]))
const tookBefore = (file: string): number => lastTime.get(file) ?? guessedSeconds(file)

/** Each exploration of a file has its seed, and Deno its own ways. */
const sharing = kind === 'fast' || kind === 'service'

/** Every file once, as many at a time as there is room for. */
const round = async (): Promise<readonly FileRun[]> => {
  const waiting = files.toSorted((one, other) => tookBefore(other) - tookBefore(one))
  const runs: FileRun[] = []
  const work = async (n: number): Promise<void> => {
    const lane = openLane(optionsFor(kind), `lane-${n}`)
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      runs.push(await (sharing && sharesProcess(file) ? lane.run(file) : run(file)))
    const failed = await lane.end()
    if (failed) runs.push(failed)
  }
  await Promise.all(Array.from({ length: AT_ONCE[kind] }, (_, n) => work(n)))
  return runs
}

const began = performance.now()
const runs = [...(await round())]
while (kind === 'explore' && performance.now() - began < Number(values.minutes) * 60_000) runs.push(...(await round()))

const unsteady: string[] = []
const hasSecondChance = (file: string): boolean => kind === 'service' || (kind === 'deno' && tierOf(file) === 'service')
for (const [at, before] of runs.entries()) {
  if (before.ok || !hasSecondChance(before.file)) continue
  show(`== once more, alone: ${before.file}`)
  const again = await run(before.file, '.again')
  runs[at] = again
  if (again.ok) unsteady.push(...before.failures.map(failure => `${before.file} > ${failure}`))
}

const worthReading = unsteady.length > 0 || runs.some(({ ok }) => !ok)
if (named.length === 0) {
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ runs, unsteady }))
  publishRun(root, kind, folder)
} else if (!worthReading) rmSync(folder, { recursive: true, force: true })

const totals = sumOf(runs.map(({ totals }) => totals))
const refused = process.env['CI'] === 'true' && totals.skipped > 0
if (refused) show('Skipped tests count as a failure here (CI=true).')
for (const what of unsteady) show(`unsteady: ${what}`)
if (worthReading) show(`what the files printed: ${relative(process.cwd(), join(folder, 'outputs'))}`)
show(closingLine(totals))
process.exitCode = refused || totals.failed > 0 || files.length === 0 ? 1 : 0
