import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { areas } from '../../src/app/areas.ts'
import { type Closing, openCore, systemClock } from '../../src/app/core.ts'
import { startHousekeeping } from '../../src/app/housekeeping.ts'
import { loadConfig } from '../../src/config/load.ts'
import { KEEP_MS, readPointer, sweepUndeclared } from '../../src/core/project/pointer.ts'
import { runHere } from '../support/here.ts'
import { leasesOf, ready } from '../support/nodes.ts'
import { environmentFor, lexichron, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

type Finding = { readonly check: string; readonly state: string; readonly detail: string; readonly advice?: string }
const isFinding = (value: unknown): value is Finding =>
  typeof value === 'object' && value !== null && 'check' in value && 'state' in value

/** Doctor waits for signs of life: `signs` says when there are some, so that nothing depends on how fast they come. */
const doctor = async (folder: string, env: Readonly<Record<string, string>> = {}, signs = async () => {}) => {
  const clock = { ...systemClock, sleep: signs }
  const { code, out, err } = await runHere(folder, ['doctor', '--json'], env, clock)
  const all = out
    .split('\n')
    .filter(line => line !== '')
    .map((line): unknown => JSON.parse(line))
    .filter(isFinding)
  return { code, err, all, of: (check: string) => all.filter(finding => finding.check === check) }
}

t.test('an empty place, a running service, a killed one and what is broken', async t => {
  const folder = temporaryFolder(t)
  const nowhere = join(folder, 'nowhere')
  const empty = await doctor(nowhere)
  t.equal(empty.code, 0, JSON.stringify(empty.all))
  t.notOk(existsSync(nowhere), 'nothing was made')

  const data = join(folder, 'data')
  const service = await startService(t, data)
  await ready(service)
  const port = new URL(service.url).port
  const running = await doctor(data, { PORT: port }, async () => {
    const before = leasesOf(data)
    await until('a beat of every lease', () => {
      const now = leasesOf(data)
      return before.size >= 3 && [...before].every(([name, lease]) => now.get(name)?.beat !== lease.beat)
    })
  })
  t.equal(running.code, 0, JSON.stringify(running.all))
  t.match(running.of('event store'), [
    { state: 'ok', detail: /schema 4/ },
    { state: 'ok', detail: /log [0-9a-f-]{36}/ },
  ])
  t.match(running.of('read store'), [{ state: 'ok', detail: /schema 2/ }])
  t.match(running.of('data files'), [{ state: 'ok', detail: /owner's alone/ }])
  t.equal(running.all.filter(each => /every page of it is sound/.test(each.detail)).length, 3)
  t.match(running.of('leases'), [{ state: 'ok', detail: /alive/ }])
  t.match(running.of('port of LEXICHRON_PORT'), [{ state: 'ok', detail: /listens/ }])
  t.match(running.of('jobs'), [
    { state: 'ok', detail: /schema 1/ },
    { state: 'ok', detail: /none is parked/ },
  ])
  await service.stop('SIGKILL')
  const files = readdirSync(data).toSorted()
  const killed = await doctor(data)
  t.match(killed.of('leases'), [{ state: 'warning', detail: /no sign/, advice: /takes them over/ }])
  t.same(readdirSync(data).toSorted(), files, 'nothing was made or removed')

  const made = await lexichron(data, ['token', 'create', '--role', 'editor', '--for', 'doctor'])
  t.match(made, { code: 0 })
  const secrets = join(data, 'keys', 'secret')
  renameSync(secrets, `${secrets}.away`)
  const without = await doctor(data)
  t.equal(without.code, 1)
  t.match(without.of('keys'), [{ state: 'failed', detail: /has no secrets/, advice: /nobody could sign in/ }])
  renameSync(`${secrets}.away`, secrets)

  const again = await startService(t, data)
  const written = await fetch(`${again.url}/v1/entries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.out.trim()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ language: 'en', lemma: 'sealed', partOfSpeech: 'adjective' }),
  })
  t.equal(written.status, 201)
  await again.stop()
  t.match((await doctor(data)).of('keys and log'), [{ state: 'ok', detail: /has all [1-9]\d* keys/ }])
  const documents = join(data, 'keys', 'document')
  for (const each of readdirSync(documents)) renameSync(join(documents, each), join(data, each))
  const readFile = join(data, 'read.db')
  const bytes = readFileSync(readFile)
  writeFileSync(readFile, Buffer.from(bytes).fill(0x55, 8_192, bytes.length - 4_096))
  chmodSync(readFile, 0o644)
  const damaged = await doctor(data)
  t.equal(damaged.code, 1)
  t.match(damaged.of('keys and log'), [{ state: 'failed', detail: /[12] of 2 keys .* are gone/, advice: /backup/ }])
  t.match(damaged.of('data files'), [{ state: 'warning', detail: /read\.db/, advice: /chmod go= / }])
  t.match(
    damaged.of('read store').filter(each => each.state === 'failed'),
    [{ advice: /made again from the log/ }],
  )
  writeFileSync(readFile, bytes)

  const copy = join(folder, 'broken')
  mkdirSync(copy)
  writeFileSync(join(copy, 'events.db'), 'this is no database, but it is long enough to be one: '.repeat(100))
  mkdirSync(join(copy, 'keys'), { mode: 0o755 })
  writeFileSync(join(copy, 'keys', 'open.key'), 'x', { mode: 0o644 })
  chmodSync(join(copy, 'keys', 'open.key'), 0o644)
  copyFileSync(join(data, 'read.db'), join(copy, 'read.db'))
  copyFileSync(join(copy, 'events.db'), join(copy, 'jobs.db'))
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  t.teardown(() => taken.close())
  const at = taken.address()
  const broken = await doctor(copy, { PORT: String(typeof at === 'object' && at ? at.port : 0) })
  t.equal(broken.code, 1)
  t.match(broken.of('event store'), [{ state: 'failed', advice: /backup/ }])
  t.match(broken.of('jobs'), [{ state: 'failed', detail: /not a database/, advice: /mails that wait/ }])
  t.match(broken.of('keys'), [{ state: 'failed', advice: /chmod/ }])
  t.match(broken.of('port of LEXICHRON_PORT'), [{ state: 'warning', advice: /PORT/ }])
  for (const each of broken.all)
    if (each.state === 'failed' || each.state === 'warning') t.ok(each.advice, `${each.check} says what to do`)

  // As a process: the exit code is the finding's.
  const wrong = await lexichron(data, ['doctor', '--json'], { LEXICHRON_LOG_LEVEL: 'loud' })
  t.match(wrong, { code: 2, out: /"check":"settings","state":"failed","detail":"LEXICHRON_LOG_LEVEL is \\"loud\\"/ })
})

t.test('house-keeping folds journals, drops what nobody uses, and two processes may do it at once', async t => {
  const folder = temporaryFolder(t)
  const config = loadConfig(environmentFor(folder, { LEXICHRON_KEY_DAYS: '1' }), folder)
  const opened: Closing[] = []
  t.teardown(async () => {
    for (const each of opened.toReversed()) await each.close()
  })
  const start = systemClock.now().getTime()
  let ahead = 0
  const clock = { ...systemClock, now: () => new Date(start + ahead) }
  const lines: string[] = []
  const logger = pino({ base: null }, { write: line => void lines.push(line) })
  const cores = [await openCore({ config, clock, areas, opened }), await openCore({ config, clock, areas, opened })]
  const keepers = cores.map(core => startHousekeeping(core, config, logger, ['entries', 'search']))
  opened.push(...keepers)
  const [core] = cores
  if (!core) throw new Error('no core')
  const meta = '{"actor":{"id":"i","kind":"import"}}'
  const event = (n: number) => ({
    id: `e${n}`,
    type: 'ImportStarted',
    data: JSON.stringify({ x: 'x'.repeat(1_000) }),
    meta,
  })
  for (let n = 0; n < 100; n += 1) await core.store.append(`import-${n}`, 'none', [event(n)])
  const each = (job: string) => Promise.all(keepers.map(keeper => keeper.runNow(job)))
  await each('event-journal')
  t.notMatch(lines.join(''), 'folded', 'not while something was written since the last look')
  await each('event-journal')
  t.match(lines.join(''), 'the journal of')
  t.equal(await core.store.foldJournal?.(), 0)
  t.equal(await core.store.head(), 100n, 'the log is whole')

  const indexes = [{ name: 'a', on: ['a'] }]
  for (const name of ['gone@1#1', 'entries@1#1']) await core.reads.ensure(name, indexes)
  await each('old-read-models')
  t.same((await core.reads.collections()).toSorted(), ['entries@1#1', 'gone@1#1'], 'seen for the first time')
  ahead = KEEP_MS - 60_000
  await each('old-read-models')
  t.equal((await core.reads.collections()).length, 2, 'not within the hour')
  ahead = KEEP_MS + 60_000
  await each('old-read-models')
  t.same(await core.reads.collections(), ['entries@1#1'], 'what this build declares is not its business')
  t.same(await sweepUndeclared(core.reads, new Set(['entries']), clock.now()), [])
  t.same((await readPointer(core.reads, 'gone')).versions, {})

  await each('key-reminder')
  t.notMatch(lines.join(''), 'keys rotate')
  ahead = 2 * 24 * 60 * 60 * 1_000
  await each('key-reminder')
  t.match(lines.join(''), 'lexichron keys rotate')
  t.match(keepers[0]?.reports(), [{ name: 'event-journal', done: 2, failed: 0 }])
  await t.rejects(keepers[0]?.runNow('nothing') ?? Promise.resolve(), /There is no job nothing/)
})
