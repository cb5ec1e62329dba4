/**
 * What .ci/run prints at its end: its steps with their seconds, the slowest files of the tests, the unsteady ones. The
 * steps are given as NAME=SECONDS; the files come from the newest run of each tier, and of what has to hold on Deno.
 */
import { fileURLToPath } from 'node:url'
import { lastSummary } from './runs.ts'

const SLOWEST = 10
const root = fileURLToPath(new URL('..', import.meta.url))
const row = (seconds: number, what: string): string => `  ${seconds.toFixed(0).padStart(5)} s  ${what}\n`

process.stdout.write('steps\n')
for (const step of process.argv.slice(2)) {
  const at = step.lastIndexOf('=')
  process.stdout.write(row(Number(step.slice(at + 1)), step.slice(0, at)))
}
const summaries = (['fast', 'service', 'deno'] as const).flatMap(tier => lastSummary(root, tier) ?? [])
const runs = summaries.flatMap(({ runs }) => runs).toSorted((one, other) => other.seconds - one.seconds)
process.stdout.write(`the ${SLOWEST} slowest of ${runs.length} test files\n`)
for (const { file, seconds } of runs.slice(0, SLOWEST)) process.stdout.write(row(seconds, file))
for (const what of summaries.flatMap(({ unsteady }) => unsteady)) process.stdout.write(`unsteady: ${what}\n`)
