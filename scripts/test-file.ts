/** One test file as a process of its own: with a temporary folder of its own, and nothing of it left when it has ended. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { defined } from '../src/domain/defined.ts'
import type { Leftover } from './leftovers.ts'
import { type RunOptions, startTests } from './test-process.ts'
import { noTotals, openDigest, type Totals } from './totals.ts'

export type FileRun = {
  readonly file: string
  readonly ok: boolean
  readonly seconds: number
  readonly totals: Totals
  /** What failed, by name. */
  readonly failures: readonly string[]
}

export type FileOptions = RunOptions & {
  readonly file: string
  /** Tells the runs of one file apart. */
  readonly label: string
  /** The path of Deno, to run the file there, without coverage; on this Node where there is none. */
  readonly deno?: string
}

/** How a file has ended. */
export type FileEnd = {
  readonly hung: boolean
  /** What ended its process badly. */
  readonly fault: string | undefined
  readonly left: readonly Leftover[]
}

const SHOWN_LINES = 40
/** tap itself says first which test it is that hangs, where it can. */
export const GRACE_SECONDS = 30

/** Follows what a file prints, and shows at its end what is worth it. */
export const openFile = ({ folder, show, limitSeconds }: RunOptions, file: string, label = '') => {
  const began = performance.now()
  const digest = openDigest(file)
  const texts: string[] = []
  const shown: string[] = []
  return {
    line: (line: string): void => {
      texts.push(`${line}\n`)
      shown.push(...digest.line(line))
    },
    /** Of standard error, or about others: kept, and not read. */
    aside: (text: string): void => void texts.push(text),
    ended: ({ hung, fault, left }: FileEnd): FileRun => {
      const counted = digest.totals() ?? noTotals
      const faults = [
        ...(hung ? [`it had not ended after ${limitSeconds} s`] : []),
        ...(fault !== undefined && !hung && counted.failed === 0 ? [fault] : []),
        ...(fault === undefined && !hung && digest.totals() === undefined ? ['it ended without its totals'] : []),
        ...(digest.totals() !== undefined && counted.passed + counted.failed + counted.skipped === 0
          ? ['it has asserted nothing']
          : []),
        ...left.map(({ command }) => `left running: ${command.slice(0, 200)}`),
      ]
      const totals: Totals = { ...counted, failed: counted.failed + faults.length }
      const output = join(folder, 'outputs', `${file}${label}.tap`)
      mkdirSync(dirname(output), { recursive: true })
      writeFileSync(output, texts.join(''))
      const seconds = (performance.now() - began) / 1000
      const ok = totals.failed === 0
      for (const line of shown) show(line)
      // A file that fails outside of an assertion says why on standard error alone.
      for (const what of faults) show(`not ok: ${file} > ${what}`)
      if (faults.length > 0) show(texts.join('').split('\n').slice(-SHOWN_LINES).join('\n'))
      show(`${ok ? 'ok' : 'not ok'} ${file}${label} # ${seconds.toFixed(1)} s`)
      return { file, ok, seconds, totals, failures: [...digest.failures(), ...faults] }
    },
  }
}

/** Runs a file to its end. It has failed when an assertion has, when its process has, or when it leaves something running. */
export const runFile = async (options: FileOptions): Promise<FileRun> => {
  const { file, label, limitSeconds, deno } = options
  const tests = startTests(options, {
    file,
    name: `${file}${label}`,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...defined({ deno }),
  })
  const { stdout, stderr } = tests.child
  if (!stdout || !stderr) throw new Error('its output is a pipe')
  const printed = openFile(options, file, label)
  let hung = false
  const limit = setTimeout(
    () => {
      hung = true
      tests.kill()
    },
    (limitSeconds + GRACE_SECONDS) * 1000,
  )
  stderr.setEncoding('utf8').on('data', printed.aside)
  const read = (async () => {
    for await (const line of createInterface({ input: stdout })) printed.line(line)
  })()
  const fault = await tests.ended
  // What is left holds the file's output open.
  const left = await tests.leftovers()
  await read
  clearTimeout(limit)
  tests.clear()
  return printed.ended({ hung, fault, left })
}
