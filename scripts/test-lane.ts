/**
 * Test files one after another in one process, which loads once what they all load (scripts/test-worker.ts). After a file that has
 * failed, or has ended its process, the next one begins in a new one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { type FileRun, GRACE_SECONDS, openFile } from './test-file.ts'
import { type RunOptions, startTests } from './test-process.ts'

const WORKER = 'scripts/test-worker.ts'
const WITHIN = '    '
const COUNTED = /^# counted (.*)$/
const OF_FILE = /^(?:# Subtest: |(?:not )?ok \d+ - )tests\//

type Printed = ReturnType<typeof openFile>

export type Lane = {
  /** Runs a file to its end. */
  run(file: string): Promise<FileRun>
  /** Ends the process: what keeps it from ending was left open by one of its files, and what it fails with then is theirs too. */
  end(): Promise<FileRun | undefined>
}

const openProcess = (options: RunOptions, name: string) => {
  const tests = startTests(options, { file: WORKER, name, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const { stdout, stderr, stdio } = tests.child
  const asking = stdio[3]
  if (!stdout || !stderr || !(asking instanceof Writable)) throw new Error('all of it are pipes')
  // It may have ended by itself: its end is heard of all the same.
  asking.on('error', () => undefined)
  const files: string[] = []
  let current: Printed | undefined
  let over: () => void = () => undefined
  /** What it printed of no file: after the last one. */
  const rest: string[] = []
  stderr.setEncoding('utf8').on('data', (text: string) => (current ? current.aside(text) : void rest.push(text)))
  const read = (async () => {
    // The file's own lines stand within its test; the outcome of that says nothing which they have not said.
    let closed = false
    for await (const line of createInterface({ input: stdout })) {
      const counted = COUNTED.exec(line)?.[1]
      if (!current) rest.push(line)
      else if (line.startsWith(WITHIN)) current.line(line.slice(WITHIN.length))
      else if (counted !== undefined) {
        current.line(`# ${counted}`)
        closed = false
        over()
      } else if (closed || OF_FILE.test(line)) {
        closed = !line.startsWith('# Subtest')
        current.aside(`${line}\n`)
      } else current.line(line)
    }
  })()
  const run = async (file: string): Promise<{ readonly result: FileRun; readonly ended: boolean }> => {
    const temporary = mkdtempSync(join(tmpdir(), 'lx-'))
    const printed = openFile(options, file)
    const finished = new Promise<'finished'>(resolve => {
      over = () => resolve('finished')
    })
    files.push(file)
    current = printed
    let hung = false
    const limit = setTimeout(
      () => {
        hung = true
        tests.kill()
      },
      (options.limitSeconds + GRACE_SECONDS) * 1000,
    )
    asking.write(`${JSON.stringify({ file, temporary })}\n`)
    const end = await Promise.race([finished, tests.ended])
    clearTimeout(limit)
    const left = await tests.leftovers(temporary)
    if (end !== 'finished') await read
    current = undefined
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    const fault = end === 'finished' ? undefined : (end ?? 'it ended its process')
    return { result: printed.ended({ hung, fault, left }), ended: end !== 'finished' }
  }
  const end = async (): Promise<FileRun | undefined> => {
    asking.end()
    let kept = false
    const limit = setTimeout(() => {
      kept = true
      tests.kill()
    }, options.limitSeconds * 1000)
    const fault = await tests.ended
    clearTimeout(limit)
    await tests.leftovers()
    await read
    tests.clear()
    return fault === undefined
      ? undefined
      : {
          file: files.join(' '),
          ok: false,
          seconds: 0,
          totals: { passed: 0, failed: 1, skipped: 0 },
          failures: [`${kept ? 'one of them left something open' : fault}: ${rest.join('\n')}`],
        }
  }
  return { run, end }
}

/** `name` tells lanes apart. */
export const openLane = (options: RunOptions, name: string): Lane => {
  let at = 0
  let open: ReturnType<typeof openProcess> | undefined
  return {
    run: async file => {
      open ??= openProcess(options, `${name}-${at++}`)
      const { result, ended } = await open.run(file)
      // Its process fails with it: that says nothing new.
      if (ended || !result.ok) {
        await open.end()
        open = undefined
      }
      return result
    },
    end: async () => {
      const failed = await open?.end()
      open = undefined
      for (const what of failed?.failures ?? []) options.show(`not ok: ${failed?.file} > ${what}`)
      return failed
    },
  }
}
