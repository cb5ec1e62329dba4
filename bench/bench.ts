/** What every benchmark shares: its row, temporary folders, medians of interleaved rounds, the printed table. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One line of the table: `ratio` compares ours with the peer in the same run; `met` is null where there is no reach. */
export type BenchRow = {
  readonly work: string
  readonly against: string
  readonly ours: string | number
  readonly peer: string | number
  readonly ratio?: number
  readonly reach: string
  readonly met: boolean | null
  readonly note?: string
}
export type BenchOptions = { readonly quick: boolean }
/** What a benchmark's file exports. */
export type Bench = { readonly run: (options: BenchOptions) => Promise<readonly BenchRow[]> }

/** Runs the work in a folder of its own, removed afterwards. */
export const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'lexichron-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The middle value (the upper one of two); NaN of nothing. */
export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The value below which the given share of the values lies. */
export const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** The median of what each round compares: both of a round met the same moment of the machine. */
export const ratioOf = (ours: readonly number[], peer: readonly number[]): number =>
  median(ours.map((value, round) => value / (peer[round] ?? Number.NaN)))

/** A measured piece of work: elapsed and process CPU time, both in milliseconds. */
export type Timing = { readonly elapsed: number; readonly cpu: number }

/** Times the work. CPU counts every thread of this process. */
export const timed = async <T>(work: () => T | Promise<T>): Promise<Timing & { readonly result: T }> => {
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  const result = await work()
  const elapsed = performance.now() - before
  const { user, system } = process.cpuUsage(cpuBefore)
  return { result, elapsed, cpu: (user + system) / 1000 }
}

/** Runs the contenders in turn, round after round, so that a slow moment of the machine falls on all; results by name. */
export const interleave = async <T>(
  rounds: number,
  contenders: Readonly<Record<string, (round: number) => Promise<T>>>,
): Promise<ReadonlyMap<string, readonly T[]>> => {
  const results = new Map<string, T[]>()
  for (let round = 0; round < rounds; round += 1)
    for (const [name, contender] of Object.entries(contenders))
      results.set(name, [...(results.get(name) ?? []), await contender(round)])
  return results
}

/** `12345` as `12.3k`, `1234567` as `1.23M`. */
export const short = (value: number): string =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)}M` : value >= 1e3 ? `${(value / 1e3).toFixed(1)}k` : value.toFixed(0)

const columns = ['work', 'against', 'ours', 'peer', 'ratio', 'reach', 'met'] as const

const cells = (row: BenchRow): readonly string[] => [
  row.work,
  row.against,
  String(row.ours),
  String(row.peer),
  row.ratio === undefined ? '' : row.ratio.toFixed(2),
  row.reach,
  row.met === null ? '' : row.met ? 'yes' : 'NO',
]

/** The rows as a table with aligned columns, and their notes below it. */
export const table = (rows: readonly BenchRow[]): string => {
  const lines = [columns, ...rows.map(cells)]
  const widths = columns.map((_, index) => Math.max(...lines.map(line => (line[index] ?? '').length)))
  const rest = rows.flatMap(({ work, note }) => (note === undefined ? [] : [`  ${work}: ${note}`]))
  const aligned = lines.map(line =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...aligned, ...rest].join('\n')
}

/** For a benchmark that is run alone (`node bench/append.ts [--quick]`): prints its table. */
export const main = async (meta: ImportMeta, run: Bench['run']): Promise<void> => {
  if (!meta.main) return
  const rows = await run({ quick: process.argv.includes('--quick') })
  process.stdout.write(`${table(rows)}\n`)
}
