/**
 * The coverage gate: reads what the newest `npm test` and `npm run test:service` collected with TEST_COVERAGE=true (all
 * processes and workers that ended by themselves) and fails below 95% of the lines or 90% of the branches of src/. A file
 * that no test loads counts with all its lines.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newestRun } from './runs.ts'

const LINES = 95
const BRANCHES = 90
const root = fileURLToPath(new URL('..', import.meta.url))

/** What both tiers covered, as c8 sums it up. @throws where a tier has not been run. */
const summed = (): unknown => {
  const together = mkdtempSync(join(root, '.tap/coverage-'))
  try {
    for (const tier of ['fast', 'service'] as const) {
      const run = newestRun(root, tier)
      const folder = join(run ?? '', '.tap/coverage')
      if (run === undefined || !existsSync(folder))
        throw new Error(`the ${tier} tests have not been run with TEST_COVERAGE=true`)
      for (const name of readdirSync(folder)) linkSync(join(folder, name), join(together, name))
    }
    const c8 = fileURLToPath(import.meta.resolve('c8/bin/c8.js'))
    const places = ['--temp-directory', together, '--reports-dir', join(together, 'report')]
    const { status, stderr } = spawnSync(
      process.execPath,
      [c8, 'report', '--reporter', 'json-summary', '--include', 'src/**', ...places],
      { cwd: root, encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(`c8 ended with ${status}: ${stderr}`)
    return JSON.parse(readFileSync(join(together, 'report/coverage-summary.json'), 'utf8'))
  } finally {
    rmSync(together, { recursive: true, force: true })
  }
}

type Count = { readonly total: number; readonly covered: number }
type FileCoverage = { readonly file: string; readonly lines: Count; readonly branches: Count }

const isCount = (value: unknown): value is Count =>
  typeof value === 'object' && value !== null && 'total' in value && 'covered' in value

const countOf = (entry: unknown, name: string): Count => {
  const counts =
    typeof entry === 'object' && entry !== null ? new Map<string, unknown>(Object.entries(entry)) : undefined
  const value = counts?.get(name)
  if (!isCount(value)) throw new TypeError(`the coverage summary has no ${name}`)
  return value
}

const measured = (): readonly FileCoverage[] => {
  const summary = summed()
  if (typeof summary !== 'object' || summary === null) throw new TypeError('the coverage summary is no object')
  return Object.entries(summary)
    .filter(([file]) => file !== 'total')
    .map(([file, entry]) => ({
      file: relative(root, file),
      lines: countOf(entry, 'lines'),
      branches: countOf(entry, 'branches'),
    }))
    .filter(({ file }) => file.startsWith('src/'))
}

/** Lines that are left when the types are taken away: a file of types alone has none and is never loaded. */
const linesOf = (file: string): number =>
  stripTypeScriptTypes(readFileSync(join(root, file), 'utf8'))
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .filter(line => line.trim() !== '' && line.trim() !== ';' && !line.trim().startsWith('//')).length

const allMeasured = (): readonly FileCoverage[] => {
  try {
    return measured()
  } catch (error) {
    process.stderr.write(`coverage: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
}

const files = allMeasured()
const seen = new Set(files.map(each => each.file))
const unseen = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map(each => join('src', each))
  .filter(each => each.endsWith('.ts') && !seen.has(each))
  .map(file => ({ file, lines: { total: linesOf(file), covered: 0 }, branches: { total: 0, covered: 0 } }))
  .filter(each => each.lines.total > 0)

const percent = ({ total, covered }: Count): number => (total === 0 ? 100 : (covered / total) * 100)
const sum = (counts: readonly Count[]): Count => ({
  total: counts.reduce((all, each) => all + each.total, 0),
  covered: counts.reduce((all, each) => all + each.covered, 0),
})

const all = [...files, ...unseen]
const lines = percent(sum(all.map(each => each.lines)))
const branches = percent(sum(all.map(each => each.branches)))
const weak = all
  .filter(each => percent(each.lines) < LINES || percent(each.branches) < BRANCHES)
  .toSorted((a, b) => b.lines.total - b.lines.covered - (a.lines.total - a.lines.covered))
for (const each of weak.slice(0, 20))
  process.stdout.write(
    `  ${percent(each.lines).toFixed(0).padStart(3)}% lines ${percent(each.branches).toFixed(0).padStart(3)}% branches  ${each.file}\n`,
  )
process.stdout.write(
  `coverage of src: ${lines.toFixed(1)}% of lines (${LINES} needed), ${branches.toFixed(1)}% of branches (${BRANCHES} needed)\n`,
)
if (lines < LINES || branches < BRANCHES) process.exitCode = 1
