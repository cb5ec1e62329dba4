/** Keys in files, of which a process was killed while it made and destroyed them. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { fakeClock } from '../support/clocks.ts'
import { startProcess } from '../support/processes.ts'
import { serviceProcess, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

t.test('what was handed out or destroyed survives kill -9 at any instant', async t => {
  const folder = join(temporaryFolder(t), 'data', 'keys')
  const module = new URL('../../src/adapters/keys/file.ts', import.meta.url).href
  const script = `
    import { randomBytes } from 'node:crypto'
    const { openFileKeys } = await import(${JSON.stringify(module)})
    const clock = { now: () => new Date(), monotonic: () => performance.now() }
    // A line counts once its reader has taken it.
    const say = line => new Promise(done => process.stdout.write(line, done))
    const keys = await openFileKeys({ folder: ${JSON.stringify(folder)}, randomBytes, clock })
    for (;;) {
      const [kept, gone] = [await keys.take(), await keys.take()]
      await say('kept ' + kept.name + ' ' + Buffer.from(kept.secret).toString('hex') + '\\n')
      await keys.destroy(gone.name)
      await say('gone ' + gone.name + '\\n')
    }`
  const clock = fakeClock()
  for (let round = 0; round < 3; round += 1) {
    const running = startProcess(t, ...(await serviceProcess(['--input-type=module', '-e', script])))
    const said = () => running.output.out.split('\n').length
    await until('so many lines', saw => {
      saw(running.output)
      return said() > 300 + 37 * round
    })
    await running.stop('SIGKILL')
    const { out } = running.output
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
