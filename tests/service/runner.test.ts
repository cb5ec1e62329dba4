import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { leftoversOf } from '../../scripts/leftovers.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = join(root, 'scripts/test.ts')

/** Starts the runner on files below tests/support/runner. */
const start = (tier: string, files: readonly string[], env: Readonly<Record<string, string>> = {}, limit = 60) => {
  const paths = files.map(file => `tests/support/runner/${file}.ts`)
  const child = spawn(process.execPath, [script, tier, '--limit', String(limit), ...paths], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const ended = new Promise<{ readonly code: number | null; readonly out: string }>(resolve => {
    child.once('close', code => resolve({ code, out }))
  })
  return { child, ended }
}
const run = (...given: Parameters<typeof start>) => start(...given).ended
/** The processes that a process has started itself. */
const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
const lastLine = (out: string): string | undefined => out.trimEnd().split('\n').at(-1)

t.test('what holds is counted, what fails is shown with its place, whatever way it fails', async t => {
  const good = await run('fast', ['steady', 'skips'], { CI: 'false' })
  t.equal(good.code, 0)
  t.equal(lastLine(good.out), '2 passed, 0 failed, 1 skipped')
  const skipped = await run('fast', ['skips'], { CI: 'true' })
  t.equal(skipped.code, 1, 'in CI a skip is a failure')

  const bad = await run('fast', ['fails', 'crashes'])
  t.equal(bad.code, 1)
  t.match(bad.out, 'not ok: tests/support/runner/fails.ts > breaks > the reason')
  t.match(bad.out, '+what was', 'with its diagnostics')
  t.match(bad.out, 'not ok: tests/support/runner/crashes.ts > it ended with 1')
  t.equal(lastLine(bad.out), '0 passed, 2 failed, 0 skipped')
  t.notMatch(bad.out, 'once more', 'no second chance in the fast tier')

  const empty = await run('fast', ['asserts-nothing'])
  t.equal(empty.code, 1)
  t.match(empty.out, 'not ok: tests/support/runner/asserts-nothing.ts > it has asserted nothing')
})

t.test('a file that hangs is ended, and one that leaves something running has failed', async t => {
  const { code, out } = await run('fast', ['leaves'])
  t.equal(code, 1)
  t.match(out, 'left running: sleep 3600')
  t.match(out, 'left running: sh -c', 'also in a session of its own')
  const hung = await run('fast', ['hangs'], {}, 2)
  t.equal(hung.code, 1)
  t.match(hung.out, 'hangs.ts > never ends > timeout!')
})

t.test('files of the fast tier share a process until one fails, and what keeps that open fails with it', async t => {
  const { out } = await run('fast', ['fails', 'crashes', 'steady', 'skips'], { CI: 'false' })
  t.equal(lastLine(out), '2 passed, 2 failed, 1 skipped', 'those after them run in others')
  const open = await run('fast', ['keeps-open', 'steady'], {}, 5)
  t.equal(open.code, 1)
  t.match(open.out, /not ok: .*tests\/support\/runner\/keeps-open\.ts.* > one of them left something open/)
  t.match(open.out, 'ok tests/support/runner/keeps-open.ts', 'after its own end')
})

t.test('a file that leaves its process changed for others has failed', async t => {
  const { code, out } = await run('fast', ['changes', 'steady'])
  t.equal(code, 1)
  t.match(out, 'not ok: tests/support/runner/changes.ts > it ended with 1')
  t.match(out, 'leaves its process changed: the umask, process.env.LEFT_BEHIND')
  t.equal(lastLine(out), '2 passed, 1 failed, 0 skipped', 'the next one runs in another')
})

t.test('a second chance, alone and after all others, is seen', async t => {
  const folder = temporaryFolder(t)
  const { code, out } = await run('service', ['unsteady', 'steady'], { RUNNER_TRIED: folder })
  t.equal(code, 0)
  t.ok(existsSync(join(folder, 'tried')))
  t.ok(
    out.indexOf('once more, alone: tests/support/runner/unsteady.ts') >
      out.indexOf('ok tests/support/runner/steady.ts'),
  )
  const unsteady = 'unsteady: tests/support/runner/unsteady.ts > holds at the second try > tried before'
  t.match(out, unsteady)
  t.equal(lastLine(out), '3 passed, 0 failed, 0 skipped', 'counted by its second outcome')
  const printed = /what the files printed: (\S+)/.exec(out)?.[1]
  t.ok(printed !== undefined, 'where both outputs are kept is said')
  for (const label of ['', '.again'])
    t.ok(existsSync(join(root, printed ?? '', `tests/support/runner/unsteady.ts${label}.tap`)), `the output ${label}`)

  const red = await run('service', ['fails'])
  t.equal(red.code, 1, 'what fails twice has failed')
  t.match(red.out, 'once more, alone')
})

t.test('two runs at once do not meet, and one that is interrupted leaves nothing', async t => {
  const both = await Promise.all([run('fast', ['steady']), run('fast', ['steady'])])
  t.strictSame(
    both.map(({ code }) => code),
    [0, 0],
  )
  const { child, ended } = start('fast', ['hangs'])
  t.teardown(() => child.kill('SIGKILL'))
  const inner = await until('the file runs', () => childrenOf(child.pid ?? 0)[0])
  child.kill('SIGTERM')
  t.equal((await ended).code, 143)
  await until('nothing is left of it', saw => {
    const left = leftoversOf(inner, '/nowhere/at/all')
    saw(left)
    return left.length === 0
  })
  t.equal((await run('fast', ['steady'])).code, 0, 'the next one works')
})
