/**
 * The same answers on EventStoreDB as on the embedded store: what is asked of the service in tests of its interface is asked of it
 * once more, on the double of the server's protocol; two nodes on one log among it.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))

for (const file of ['tests/api/conventions.test.ts', 'tests/api/language-grants.test.ts', 'tests/api/blocks.test.ts'])
  t.test(`${file} on EventStoreDB`, async t => {
    const child = spawn(process.execPath, [file], {
      cwd: root,
      env: { ...process.env, TEST_EVENT_STORE: 'eventstoredb', TAP: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
    })
    const code = await new Promise(resolve => child.once('close', resolve))
    t.equal(
      code,
      0,
      out
        .split('\n')
        .filter(line => /not ok/.test(line))
        .join('\n'),
    )
    const [, passed] = /# \{ total: (\d+), pass: \1 \}/.exec(out) ?? []
    t.ok(Number(passed) > 50, `${passed} checks passed`)
  })
