/** The commands of docs/history.md, run as they stand there against a service that was just started. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { environmentFor, startService, temporaryFolder } from '../support/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

t.test("an auditor's day works as it stands in docs/history.md", async t => {
  const data = temporaryFolder(t)
  const { url } = await startService(t, data)
  const bin = join(data, 'bin')
  mkdirSync(bin)
  // `npm run -s lexichron -- ...`, without the second that npm takes to start.
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\nshift 4\nexec ${process.execPath} ${join(root, 'src/main.ts')} "$@"\n`)
  chmodSync(join(bin, 'npm'), 0o755)
  const page = readFileSync(join(root, 'docs/history.md'), 'utf8')
  const blocks = [...page.matchAll(/```sh history\n([\s\S]*?)```/g)].map(each => each[1] ?? '')
  const wait = `until curl -sSf ${url}/health/ready >/dev/null 2>&1; do sleep 0.05; done`
  // A reader by hand is slower than a projection; a script waits until each write is in the history.
  const settle = `until [ "$(audit 'localhost:8080/v1/events?type=EntryEdited' | jq '.items | length')" = 1 ]; do sleep 0.05; done`
  const settled = blocks.map((block, at) => (at === 1 ? `${block}\n${settle}` : block))
  const script = ['set -euo pipefail', wait, ...settled]
    .join('\n')
    .replaceAll('localhost:8080', url.replace('http://', ''))
  const ran = await new Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>(
    (done, failed) => {
      const env = environmentFor(data)
      const shell = spawn('bash', ['--norc', '-c', script], {
        stdio: ['ignore', 'pipe', 'pipe'],
        ...{ env: { ...env, PATH: `${bin}:${env['PATH']}` }, cwd: data },
      })
      const texts = { out: '', err: '' }
      shell.stdout.on('data', chunk => {
        texts.out += String(chunk)
      })
      shell.stderr.on('data', chunk => {
        texts.err += String(chunk)
      })
      shell.on('error', failed)
      shell.on('close', code => done({ code, ...texts }))
    },
  )
  t.equal(ran.code, 0, ran.err)
  const answers = ran.out
    .trim()
    .split('\n')
    .map((each): unknown => JSON.parse(each))
  const [event, others, before, caused, followed, trailer, readings, ...more] = answers
  t.strictSame(more, [], ran.out)
  t.match(event, {
    ...{ type: 'EntryEdited', stream: /^entry-/, revision: '2' },
    data: { changes: { senses: [{ gloss: 'a mistake about time' }] } },
  })
  t.strictSame(others, ['EntryEdited'])
  t.equal(before, 'a thing out of its time')
  t.strictSame(caused, ['EntryEdited'])
  t.ok(Array.isArray(followed) && followed.includes('HistoryRead'), 'that the auditor looked came after the edit')
  t.strictSame(trailer, { end: true, count: 3 })
  t.match(readings, [
    { count: 1, format: 'page', filters: { actor: /^[0-9a-f-]{36}$/, order: 'asc' } },
    { count: 3, format: 'stream', filters: { category: 'entry' } },
  ])
})
