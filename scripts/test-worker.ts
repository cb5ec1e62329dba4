/**
 * Runs test files one after another in this process, so that what they all load is loaded once: each line on descriptor 3 is a
 * path and a temporary folder, until that ends. Each file is a test of tap's own, and gets it where it imports tap; what it
 * counted follows it as a comment.
 */
import { registerHooks } from 'node:module'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import tap, { type Test } from 'tap'
import { changesOf, processState } from './process-state.ts'

/** By the address of the file. */
const tests = new Map<string, Test>()
const SCHEME = 'test-of:'
const TESTS = new URL('../tests/', import.meta.url).href
const KEY = 'lexichron.testOf'
Object.defineProperty(globalThis, Symbol.for(KEY), { value: (url: string) => tests.get(url) })

registerHooks({
  resolve: (specifier, context, next) => {
    const { parentURL = '' } = context
    if (specifier !== 'tap' || !parentURL.startsWith(TESTS)) return next(specifier, context)
    if (tests.has(parentURL)) return { url: `${SCHEME}${parentURL}`, format: 'module', shortCircuit: true }
    throw new Error(`${parentURL}: what several files share is given its test by each of them`)
  },
  load: (url, context, next) => {
    if (!url.startsWith(SCHEME)) return next(url, context)
    const file = JSON.stringify(url.slice(SCHEME.length))
    const source = `const t = globalThis[Symbol.for('${KEY}')](${file})\nexport { t as default }`
    return { format: 'module', source, shortCircuit: true }
  },
})

type Asked = { readonly file: string; readonly temporary: string }
const timeout = Number(process.env['TAP_TIMEOUT']) * 1000
// It is for each file.
tap.setTimeout(0)

for await (const line of createInterface({ input: new Socket({ fd: 3 }) })) {
  // Of this project's own runner.
  const { file, temporary }: Asked = JSON.parse(line)
  const { href } = pathToFileURL(file)
  process.env['TMPDIR'] = temporary
  const before = processState()
  let own: Test | undefined
  await tap.test(file, { timeout }, async t => {
    own = t
    tests.set(href, t)
    await import(href)
  })
  await turn()
  const changed = changesOf(before, processState())
  if (changed.length > 0) throw new Error(`${file} leaves its process changed: ${changed.join(', ')}`)
  // tap itself would keep a comment until the next file.
  process.stdout.write(`# counted ${format(own?.counts.toJSON())}\n`)
}
