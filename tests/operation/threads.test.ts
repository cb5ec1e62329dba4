/** A thread of libuv's pool for each core to hash on, and some left for files. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { hashesAtOnce, threadPoolSize } from '../../src/config/threads.ts'

t.test('as many hashes at once as there are cores, and a thread is left', t => {
  for (const cores of [1, 2, 3, 4, 8, 64]) {
    const threads = threadPoolSize(cores, '')
    t.equal(hashesAtOnce(cores, String(threads)), cores, `${cores} cores`)
    t.ok(threads >= 4 && threads > cores, `${threads} threads`)
  }
  t.end()
})
t.test('what the operator has set stays', t => {
  t.equal(threadPoolSize(8, '5'), 5)
  t.equal(hashesAtOnce(8, '5'), 4)
  t.equal(hashesAtOnce(8, '1'), 1)
  for (const none of ['', '0', '-1', 'many', '1e9']) t.equal(threadPoolSize(8, none), 10, JSON.stringify(none))
  t.end()
})
t.test('the program sets it before the pool is made', t => {
  const script = `
    import { scrypt } from 'node:crypto'
    import { readdirSync, readFileSync } from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    import os from 'node:os'
    os.availableParallelism = () => 5
    syncBuiltinESMExports()
    delete process.env.UV_THREADPOOL_SIZE
    process.argv = [process.argv[0], 'main.ts', '--version']
    // It would end before a busy machine has counted.
    process.exit = () => undefined
    await import(${JSON.stringify(new URL('../../src/main.ts', import.meta.url).href)})
    await Promise.all(Array.from({ length: 20 }, () => new Promise(done => scrypt('a', 'b', 32, done))))
    const names = readdirSync('/proc/self/task').map(id => readFileSync('/proc/self/task/' + id + '/comm', 'utf8'))
    console.log('threads', names.filter(name => name.startsWith('libuv')).length)`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  })
  t.match(stdout, /threads 7$/m, stderr)
  t.end()
})
