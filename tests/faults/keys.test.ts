/** Keys in files, of which a process was killed while it made and destroyed them. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { fakeClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'

t.test('what was handed out or destroyed survives kill -9 at any instant', async t => {
  const folder = join(temporaryFolder(t), 'data', 'keys')
  const module = new URL('../../src/adapters/keys/file.ts', import.meta.url).href
  const script = `
    import { randomBytes } from 'node:crypto'
    import { writeSync } from 'node:fs'
    const { openFileKeys } = await import(${JSON.stringify(module)})
    const clock = { now: () => new Date(), monotonic: () => performance.now() }
    const keys = await openFileKeys({ folder: ${JSON.stringify(folder)}, randomBytes, clock })
    for (;;) {
      const [kept, gone] = [await keys.take(), await keys.take()]
      writeSync(1, 'kept ' + kept.name + ' ' + Buffer.from(kept.secret).toString('hex') + '\\n')
      await keys.destroy(gone.name)
      writeSync(1, 'gone ' + gone.name + '\\n')
    }`
  const clock = fakeClock()
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    let out = ''
    child.stdout.setEncoding('utf8')
    for await (const chunk of child.stdout) {
      out += chunk
      if (out.split('\n').length > 300 + 37 * round && !child.killed) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    const lines = out
      .slice(0, out.lastIndexOf('\n'))
      .split('\n')
      .map(line => line.split(' '))
    const keys = await openFileKeys({ folder, randomBytes, clock })
    const found = await keys.find(new Set(lines.flatMap(([, name]) => name ?? [])))
    const wrong = lines.filter(([what, name = '', secret = '']) => {
      const key = found.get(name)
      return what === 'gone' ? key !== undefined : Buffer.from(key?.secret ?? []).toString('hex') !== secret
    })
    t.ok(lines.length >= 300)
    t.same(wrong, [], `round ${round}`)
    await keys.close()
  }
})
