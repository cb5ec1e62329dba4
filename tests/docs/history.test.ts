/** The commands of docs/history.md, run as they stand there against a service that was just started. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { runBlocks } from '../support/documents.ts'
import { ready } from '../support/nodes.ts'
import { startService, temporaryFolder } from '../support/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const day = async (t: Test, env: Readonly<Record<string, string>>, count: unknown): Promise<void> => {
  const data = temporaryFolder(t)
  const service = await startService(t, data, env)
  await ready(service)
  const page = readFileSync(join(root, 'docs/history.md'), 'utf8')
  const blocks = [...page.matchAll(/```sh history\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  // A script waits until each write is in the history, and each reading that the log keeps.
  const settle = (type: string, count: number) =>
    `until [ "$(audit 'localhost:8080/v1/events?type=${type}' | jq '.items | length')" = ${count} ]; do sleep 0.05; done`
  const after = new Map([
    [1, settle('EntryEdited', 1)],
    [3, settle('HistoryRead', 1)],
    [6, settle('HistoryRead', 2)],
  ])
  const ran = await runBlocks(
    data,
    service.url,
    blocks.map((block, at) => `${block}\n${after.get(at) ?? ''}`),
  )
  t.equal(ran.code, 0, ran.err)
  const answers = ran.out
    .trim()
    .split('\n')
    .map((answer): unknown => JSON.parse(answer))
  const [event, others, before, caused, followed, trailer, readings, ...more] = answers
  t.strictSame(more, [], ran.out)
  t.match(event, {
    type: 'EntryEdited',
    stream: /^entry-/,
    revision: '2',
    data: { changes: { senses: [{ gloss: 'a mistake about time' }] } },
  })
  t.strictSame(others, ['EntryEdited'])
  t.equal(before, 'a thing out of its time')
  t.strictSame(caused, ['EntryEdited'])
  t.ok(Array.isArray(followed) && followed.includes('HistoryRead'), 'that the auditor looked came after the edit')
  t.match(trailer, { end: true, count })
  t.match(readings, [
    { count: 1, format: 'page', filters: { actor: /^[0-9a-f-]{36}$/, order: 'asc' } },
    { count, format: 'stream', filters: { category: 'entry' } },
  ])
}

t.test("an auditor's day works as it stands in docs/history.md, against an empty log", t => day(t, {}, 3))

t.test('and on a first start, while the log is being filled', t => day(t, { LEXICHRON_SAMPLE: 'wordnet' }, Number))
