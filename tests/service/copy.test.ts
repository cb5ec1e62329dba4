/** `lexichron copy`: from file to server and back, through kills and lost answers, every byte and time the same. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/store.ts'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { copyBetween } from '../../src/app/copy.ts'
import { loadConfig } from '../../src/config/load.ts'
import { copyLog } from '../../src/core/log/copy.ts'
import type { EventStore } from '../../src/ports/event-store.ts'
import { fakeClock, fastClock } from '../support/clocks.ts'
import type { Proposed } from '../support/esdb/records.ts'
import { openEventStoreDouble } from '../support/esdb/server.ts'
import { newEvent, newEvents, readLog, written } from '../support/event-stores.ts'
import { startProcess } from '../support/processes.ts'
import { environmentFor, lexichron, main } from '../support/service.ts'
import { until } from '../support/until.ts'

const clock = fastClock(1)

/** Streams that take turns, one of them with appends of several events, recorded years ago over several days. */
const fill = async (path: string, rounds: number): Promise<void> => {
  const past = fakeClock(new Date('2020-02-29T12:00:00.123Z'))
  const store = await openSqliteEventStore({ path, clock: past })
  for (let round = 0; round < rounds; round += 1) {
    await past.advance(3_600_007)
    const at = (each: number): 'none' | bigint => (round === 0 ? 'none' : BigInt(round * each - 1))
    await Promise.all([
      store.append('a-1', at(3), newEvents(3)).then(written),
      store
        .append('b-1', at(1), [{ ...newEvent('Noted', { text: 'naïve \u2028 👩‍👩‍👧' }), meta: '{"n":1e21}' }])
        .then(written),
      store.append(`c-${round}`, 'none', newEvents(1, 'Opened')).then(written),
    ])
  }
  await store.close()
}

const proposed = (): Proposed => ({
  id: randomUUID(),
  type: 'Noted',
  contentType: 'application/octet-stream',
  data: Buffer.from('{"text":"some words that take their place"}\n{"at":"2026-01-01T00:00:00.000Z"}'),
  metadata: new Uint8Array(),
})

const rowsOf = async (store: EventStore): Promise<readonly unknown[]> => {
  const { events } = await readLog(store, 0n)
  await store.close()
  return events.map(({ position, ...rest }) => (position > 0n ? rest : undefined))
}

const setUp = async (t: Test) => {
  const folder = t.testdir()
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const config = loadConfig(
    environmentFor(folder, { LEXICHRON_EVENT_STORE: `sqlite:${join(folder, 'events.db')}` }),
    folder,
  )
  const copy = (
    urls: { from?: string; to: string },
    onProgress: () => void = () => undefined,
    signal = new AbortController().signal,
  ) => copyBetween(config, urls, { signal, onProgress })
  const file = (name: string): Promise<EventStore> => openSqliteEventStore({ path: join(folder, name), clock })
  return { folder, server, copy, file }
}

t.test('a log goes to a server and back, whatever happens on the way', async t => {
  const { folder, server, copy, file } = await setUp(t)
  await fill(join(folder, 'events.db'), 400)
  const original = await rowsOf(await file('events.db'))
  t.equal(original.length, 2_000)
  const stop = new AbortController()
  const cut = await copy({ to: server.url() }, () => stop.abort(), stop.signal)
  t.match(cut, { complete: false })
  t.ok(cut.events > 0 && cut.events < 2_000, `${cut.events} of them so far`)
  server.faults.order('append', { kind: 'lose-answer' })
  const done = await copy({ to: server.url() })
  t.match(done, { complete: true, events: 2_000, before: cut.events })
  const there = await openEventStoreDb({ url: server.url(), clock })
  t.equal(done.toLog, there.logId)
  t.not(done.toLog, done.fromLog)
  t.same(await rowsOf(there), original, 'ids, bytes, revisions, times, and the order of all of them')
  const rows = original.map(each => {
    const { stream, revision, id, type, data, meta, recordedAt } = each as Record<string, unknown>
    return `${JSON.stringify([stream, String(revision), id, type, data, meta, recordedAt])}\n`
  })
  t.equal(done.digest, createHash('sha256').update(rows.join('')).digest('hex'), 'the digest is of what it says')

  const back = await copy({ from: server.url(), to: `sqlite:${join(folder, 'back.db')}` })
  t.match(back, { complete: true, events: 2_000, before: 0, digest: done.digest })
  t.same(await rowsOf(await file('back.db')), original)
  t.match(
    await copy({ to: `sqlite:${join(folder, 'back.db')}` }),
    { complete: true, before: 2_000 },
    'nothing left to do',
  )

  const grown = await file('events.db')
  written(await grown.append('a-1', 1_199n, newEvents(2)))
  await grown.close()
  t.match(await copy({ to: server.url() }), { complete: true, events: 2_002, before: 2_000 }, 'what came since')
})

t.test('an append that the server leaves out among many is written before what comes after it', async t => {
  const { folder, server, copy, file } = await setUp(t)
  await fill(join(folder, 'events.db'), 10)
  const original = await rowsOf(await file('events.db'))
  const ready = await openEventStoreDb({ url: server.url(), clock })
  await ready.close()
  server.faults.order('append', { kind: 'delay', ms: 1 })
  server.faults.order('append', { kind: 'timeout', written: false })
  server.faults.order('append', { kind: 'delay', ms: 0 }, 5)
  server.faults.order('append', { kind: 'drop' })
  server.faults.order('append', { kind: 'timeout', written: true })
  t.match(await copy({ to: server.url() }), { complete: true, events: original.length, before: 0 })
  t.same(await rowsOf(await openEventStoreDb({ url: server.url(), clock })), original)
})

t.test('a target that says it keeps the order and does not is found out at once, and at the end', async t => {
  const { folder, server, copy } = await setUp(t)
  await fill(join(folder, 'events.db'), 10)
  const from = await openSqliteEventStore({ path: join(folder, 'events.db'), clock })
  t.teardown(() => from.close())
  const to = await openEventStoreDb({ url: server.url(), clock })
  t.teardown(() => to.close())
  // The second of many in the air at once is not written, all behind it are.
  server.faults.order('append', { kind: 'delay', ms: 1 })
  server.faults.order('append', { kind: 'timeout', written: false })
  const { signal } = new AbortController()
  const careless = { ...to, keepsOrder: true }
  await t.rejects(copyLog({ from, to: careless, clock, signal, onProgress: () => undefined }), {
    name: 'CopyError',
    message: /in another order: make it empty/,
  })
  await t.rejects(copy({ to: server.url() }), { name: 'CopyError', message: /other events than the source/ })
})

t.test('what the target would not take is said in words, and a server without a log is not given one', async t => {
  const { folder, server, copy, file } = await setUp(t)
  const odd = await file('odd.db')
  written(await odd.append('a-1', 'none', [{ ...newEvent(), id: 'no uuid' }]))
  await odd.close()
  await t.rejects(copy({ from: `sqlite:${join(folder, 'odd.db')}`, to: server.url() }), {
    name: 'CopyError',
    message: /does not take what the source has: EventStoreDB takes UUIDs/,
  })
  const empty = await openEventStoreDouble()
  t.teardown(() => empty.close())
  const none = copy({ from: empty.url(), to: `sqlite:${join(folder, 'none.db')}` })
  await t.rejects(none, { code: 'corrupt', message: /^--from: the database holds no log/ })
  t.equal(empty.appends(), 0)
})

t.test('a target with other events is refused, and nothing is written to it', async t => {
  const { folder, server, copy, file } = await setUp(t)
  await fill(join(folder, 'events.db'), 3)
  const other = await openEventStoreDb({ url: server.url(), clock })
  written(await other.append('a-1', 'none', newEvents(1)))
  await other.close()
  await t.rejects(copy({ to: server.url() }), {
    name: 'CopyError',
    message: /holds other events than the source: its event 1/,
  })
  t.equal(server.log.all.filter(each => !/^[$_]/.test(each.stream)).length, 1)
  const longer = `sqlite:${join(folder, 'longer.db')}`
  await copy({ to: longer })
  const store = await file('longer.db')
  written(await store.append('z-1', 'none', newEvents(1)))
  await store.close()
  await t.rejects(copy({ to: longer }), /other events than the source: its event 16/)
  for (const [urls, says] of [
    [{ from: `sqlite:${join(folder, 'nowhere.db')}`, to: longer }, /there is no log at/],
    [{ to: `sqlite:${join(folder, 'events.db')}` }, /the same file/],
    [{ to: 'mongodb://u:secret@h/x' }, /names no engine that can stand there/],
    [{ to: 'esdb://u:secret@h?tls=perhaps' }, /--to esdb:.* has the option tls, which has to be true or false/],
    [{ to: 'esdb://u:secret@127.0.0.1:1?tls=false' }, /--to: EventStoreDB at esdb:\/\/127.0.0.1:1 cannot be reached/],
  ] as const) {
    const error: unknown = await copy(urls).catch((failure: unknown) => failure)
    t.match(error, { message: says })
    t.notMatch(error, { message: /secret/ })
  }
})

t.test('killed on the way, the same command completes; its result and exit codes are for machines too', async t => {
  const { folder, server } = await setUp(t)
  const from = `sqlite:${join(folder, 'events.db')}`
  await fill(join(folder, 'events.db'), 600)
  server.faults.order('append', { kind: 'delay', ms: 30 }, 2_000)
  const args = [main, 'copy', '--from', from, '--to', server.url()]
  const copying = startProcess(t, process.execPath, args, { env: environmentFor(folder) })
  await until('a part of it', saw => {
    saw(copying.output.err)
    return server.appends() >= 100
  })
  await copying.stop('SIGKILL')
  server.faults.clear()
  const again = await lexichron(folder, ['copy', '--json', '--from', from, '--to', server.url()])
  t.equal(again.code, 0, again.err)
  const report: unknown = JSON.parse(again.out)
  t.match(report, { complete: true, events: 3_000, digest: /^[0-9a-f]{64}$/ })
  t.ok(Number((report as { before: number }).before) > 0)
  for (const [more, code, says] of [
    [[], 2, /--to is missing/],
    [['--to', 'esdb://u:hush@h:1:2'], 2, /--to esdb:\/\/u:\*\*\*@h:1:2 names a host that is not host or host:port/],
    [
      ['--to', 'esdb://u:hush@127.0.0.1:1?tls=false'],
      75,
      /--to: EventStoreDB at esdb:\/\/127\.0\.0\.1:1 cannot be reached/,
    ],
  ] as const) {
    const ran = await lexichron(folder, ['copy', '--from', from, ...more])
    t.match(ran, { code, err: says })
    t.notMatch(ran.err, /hush/)
  }
})

t.test('killed on the way back into a file, the same command completes', async t => {
  const { folder, server } = await setUp(t)
  const opened = await openEventStoreDb({ url: server.url(), clock })
  await opened.close()
  for (let n = 0; n < 60; n += 1) server.log.append(`s-${n}`, -1n, Array.from({ length: 500 }, proposed))
  const path = join(folder, 'back.db')
  const command = ['copy', '--json', '--from', server.url(), '--to', `sqlite:${path}`]
  const copying = startProcess(t, process.execPath, [main, ...command], { env: environmentFor(folder) })
  const copied = (): number => {
    if (!existsSync(path)) return 0
    const db = new DatabaseSync(path, { readOnly: true })
    try {
      return Number(Object(db.prepare('SELECT count(*) AS n FROM events').get()).n)
    } catch {
      // The first moment of the file.
      return 0
    } finally {
      db.close()
    }
  }
  await until('a part of it', saw => {
    saw(copying.output.err || copied())
    return copied() > 0
  })
  await copying.stop('SIGKILL')
  const part = copied()
  t.ok(part > 0 && part < 30_000, `${part} of 30,000 were copied`)
  const again = await lexichron(folder, command)
  t.equal(again.code, 0, again.err)
  t.match(JSON.parse(again.out), { complete: true, events: 30_000, before: part, digest: /^[0-9a-f]{64}$/ })
})
