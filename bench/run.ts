/**
 * Runs every benchmark beside it, prints one table and keeps the figures in bench/results/<time>.json. Names as
 * arguments choose some of them; `--quick` only checks that each runs, in two processes at once.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Bench, type BenchRow, table } from './bench.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' }, part: { type: 'boolean' } },
  allowPositionals: true,
})
const quick = values.quick === true

const isBench = (module: object): module is Bench => 'run' in module && typeof module.run === 'function'

const load = async (file: string): Promise<{ readonly name: string; readonly bench: Bench } | undefined> => {
  const module: unknown = await import(pathToFileURL(join(here, file)).href)
  return typeof module === 'object' && module !== null && isBench(module)
    ? { name: basename(file, '.ts'), bench: module }
    : undefined
}

const files = readdirSync(here)
  .filter(file => file.endsWith('.ts') && file !== 'run.ts' && file !== 'bench.ts')
  .filter(file => positionals.length === 0 || positionals.includes(basename(file, '.ts')))
  .toSorted()
if (files.length === 0) {
  process.stderr.write(`There is no benchmark ${positionals.join(', ')}.\n`)
  process.exit(2)
}

/** What a quick run measures means nothing, so that one may run beside the other. */
const half = async (at: number): Promise<number> => {
  const names = files.filter((_, index) => index % 2 === at).map(file => basename(file, '.ts'))
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--quick', '--part', ...names], {
    stdio: 'inherit',
  })
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}
if (quick && values.part !== true && files.length > 1) {
  const codes = await Promise.all([half(0), half(1)])
  process.exit(Math.max(...codes))
}

const rows: (BenchRow & { readonly bench: string })[] = []
const failed: string[] = []
// One after the other: what runs beside a benchmark is in its figures.
for (const file of files) {
  try {
    const found = await load(file)
    if (!found) continue
    process.stderr.write(`${found.name} ...\n`)
    for (const row of await found.bench.run({ quick })) rows.push({ bench: found.name, ...row })
  } catch (error) {
    failed.push(file)
    process.stderr.write(`${file}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  }
}

process.stdout.write(`${table(rows)}\n`)
if (quick) process.stdout.write('A quick run: the figures mean nothing, each benchmark was only seen to run.\n')
else {
  const at = new Date().toISOString()
  const machine = {
    node: process.version,
    platform: platform(),
    arch: arch(),
    memory: totalmem(),
    cpus: cpus().map(each => each.model),
  }
  mkdirSync(join(here, 'results'), { recursive: true })
  const path = join(here, 'results', `${at.replaceAll(':', '-')}.json`)
  writeFileSync(path, `${JSON.stringify({ at, machine, rows }, null, 2)}\n`)
  process.stdout.write(`kept in ${path}\n`)
}
if (failed.length > 0) process.stdout.write(`did not run: ${failed.join(', ')}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
