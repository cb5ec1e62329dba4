/** What can go wrong under the embedded event store: other people’s files, locks, full disks, dying threads. */
import { existsSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { openSqliteEventStore, type SqliteEventStoreOptions } from '../../src/adapters/eventstore/sqlite/store.ts'
import { startWriter } from '../../src/adapters/eventstore/sqlite/writer-thread.ts'
import { SqliteError } from '../../src/adapters/sqlite/errors.ts'
import { type AppendResult, EventStoreError, type Expected, type StoredEvent } from '../../src/ports/event-store.ts'
import { fastClock } from '../support/clocks.ts'
import { codeOf, idsOf, newEvent, newEvents, readLog, readWhole, tail, written } from '../support/event-stores.ts'
import { until } from '../support/until.ts'

const clock = fastClock(1)
const pathIn = (t: Test): string => join(t.testdir(), 'events.db')
const open = async (t: Test, options: Partial<SqliteEventStoreOptions> & { path: string }) => {
  const store = await openSqliteEventStore({ clock, ...options })
  t.teardown(() => store.close())
  return store
}

const failureOf = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof EventStoreError)) throw new Error(`no EventStoreError: ${String(error)}`)
  const kind = error.cause instanceof SqliteError ? error.cause.kind : undefined
  return { code: error.code, kind, message: error.message }
}

t.test('what is written stays: SQLite itself refuses to change or delete it', async t => {
  const path = pathIn(t)
  const store = await open(t, { path })
  written(await store.append('a-1', 'none', newEvents(2)))
  const db = new DatabaseSync(path)
  for (const [table, column] of [
    ['events', 'name'],
    ['kinds', 'type'],
    ['names', 'number'],
    ['streams', 'revision'],
  ]) {
    t.throws(() => db.exec(`DELETE FROM ${table}`), /never deleted/)
    t.throws(() => db.exec(`UPDATE ${table} SET ${column} = 1`), /never changed/)
  }
  t.throws(() => db.exec("UPDATE events SET data = '{}' WHERE position = 1"), /never changed/)
  db.close()
  t.equal((await readWhole(store, 'a-1')).length, 2)
})

t.test('opening says what is wrong with the file and leaves it alone', async t => {
  const folder = t.testdir()
  const at = (name: string): string => join(folder, name)
  const other = new DatabaseSync(at('other.db'))
  other.exec('PRAGMA application_id = 77; CREATE TABLE theirs (a)')
  other.close()
  writeFileSync(
    at('text.db'),
    'this is a text, and it is long enough to be looked at as the header of a database\n'.repeat(20),
  )
  const before = [readFileSync(at('other.db')), readFileSync(at('text.db'))]
  for (const [name, code, kind, message] of [
    ['other.db', 'corrupt', 'foreign', /belongs to another program \(application id 77\)/],
    ['text.db', 'corrupt', 'notadb', /is not a SQLite database/],
  ] as const) {
    const failure = await failureOf(openSqliteEventStore({ path: at(name), clock }))
    t.match(failure, { code, kind, message })
  }
  t.ok(before[0]?.equals(readFileSync(at('other.db'))) && before[1]?.equals(readFileSync(at('text.db'))), 'untouched')
  t.match(await failureOf(openSqliteEventStore({ path: join(at('text.db'), 'x.db'), clock })), {
    code: 'unavailable',
    kind: 'cantopen',
  })

  const path = at('events.db')
  await (await openSqliteEventStore({ path, clock })).close()
  const newer = new DatabaseSync(path)
  newer.exec('PRAGMA user_version = 9')
  newer.close()
  t.match(await failureOf(openSqliteEventStore({ path, clock })), {
    code: 'unavailable',
    kind: 'newer',
    message: /schema 9, this build knows 4: use a newer build/,
  })
})

t.test('the log keeps its id, and two openers of a new file agree on it', async t => {
  const path = pathIn(t)
  const [a, b] = await Promise.all([open(t, { path, newId: () => 'log-1' }), open(t, { path, newId: () => 'log-2' })])
  t.equal(a.logId, 'log-1')
  t.equal(b.logId, 'log-1')
})

t.test('a damaged file is corrupt, and says so on read and on append', async t => {
  const path = pathIn(t)
  const first = await openSqliteEventStore({ path, clock })
  for (let index = 0; index < 20; index += 1) written(await first.append(`a-${index}`, 'none', newEvents(100)))
  await first.close()
  const size = statSync(path).size
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xa5, 4096 * 8, size - 4096))
  const store = await open(t, { path })
  t.equal(await codeOf(readLog(store, 0n)), 'corrupt')
  t.equal(await codeOf(store.append('a-1', 99n, newEvents(1))), 'corrupt')
  t.equal(await codeOf(tail(store, 0n).until(() => false)), 'corrupt', 'a subscription does not try for ever')
  truncateSync(path, 100)
  t.equal((await failureOf(openSqliteEventStore({ path: path, clock }))).code, 'corrupt')
})

t.test('a lock held by another process fails the append, and only as long as it is held', async t => {
  const path = pathIn(t)
  const store = await open(t, { path, busyTimeoutMs: 50 })
  written(await store.append('a-1', 'none', newEvents(1)))
  const holder = new DatabaseSync(path)
  holder.exec('BEGIN IMMEDIATE')
  const failures = await Promise.all(Array.from({ length: 5 }, () => failureOf(store.append('a-1', 0n, newEvents(1)))))
  for (const failure of failures)
    t.match(failure, { code: 'unavailable', message: /another process holds the file locked/ })
  t.equal((await readWhole(store, 'a-1')).length, 1, 'reading goes on')
  holder.exec('ROLLBACK')
  t.equal(written(await store.append('a-1', 0n, newEvents(1))).revision, 1n)
  holder.close()

  const exclusive = new DatabaseSync(join(t.testdirName, 'exclusive.db'))
  exclusive.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE a (b); BEGIN EXCLUSIVE')
  t.match(
    await failureOf(openSqliteEventStore({ path: join(t.testdirName, 'exclusive.db'), clock, busyTimeoutMs: 50 })),
    {
      code: 'unavailable',
      kind: 'busy',
    },
  )
  exclusive.close()
})

t.test(
  'what was sent before the end waits for a lock that is held for a moment, and not for one held for good',
  async t => {
    const path = pathIn(t)
    const holder = new DatabaseSync(path)
    t.teardown(() => holder.close())
    const first = await open(t, { path })
    holder.exec('BEGIN IMMEDIATE')
    const sent = first.append('a-1', 'none', newEvents(1))
    const closed = first.close()
    // Longer than one slice of the wait, and far less than all of it.
    await clock.sleep(100)
    holder.exec('ROLLBACK')
    t.equal(written(await sent).revision, 0n)
    await closed

    const second = await open(t, { path, busyTimeoutMs: 600_000 })
    holder.exec('BEGIN IMMEDIATE')
    const failed = failureOf(second.append('a-1', 0n, newEvents(1)))
    await second.close()
    t.match(await failed, { code: 'unavailable', message: /another process holds the file locked/ })
    holder.exec('ROLLBACK')
  },
)

t.test('a log that has lost its end gets a new id, once, whoever opens it', async t => {
  const path = pathIn(t)
  const first = await openSqliteEventStore({ path, clock, newId: () => 'log-1' })
  for (let n = 0; n < 5; n += 1) written(await first.append(`a-${n}`, 'none', newEvents(1)))
  await first.close()
  const openAgain = (newId: string, seen: readonly (readonly [string, bigint])[]) =>
    open(t, { path, newId: () => newId, seen: new Map(seen) })
  t.match(await openAgain('x', [['log-1', 5n]]), { logId: 'log-1', lostEnd: undefined }, 'all that was seen is there')
  t.match(await openAgain('x', [['other', 9n]]), { logId: 'log-1', lostEnd: undefined }, 'what was seen of another')
  const both = await Promise.all(['log-2', 'log-3'].map(id => openAgain(id, [['log-1', 6n]])))
  t.equal(both.filter(each => each.lostEnd !== undefined).length, 1, 'one of two finds it')
  t.equal(both[0]?.logId, both[1]?.logId, 'and both have its id')
  t.same(both.find(each => each.lostEnd)?.lostEnd, { logId: 'log-1', seen: 6n, head: 5n })
  t.equal((await openAgain('x', [['log-1', 6n]])).logId, both[0]?.logId, 'the old one is not renewed again')
})

t.test('a file that was deleted or replaced takes nothing and gives nothing, until it is back', async t => {
  const path = pathIn(t)
  const workers: Worker[] = []
  const store = await open(t, {
    path,
    clock: fastClock(50),
    startWorker: settings => {
      const worker = startWriter(settings)
      workers.push(worker)
      return worker
    },
  })
  written(await store.append('a-1', 'none', newEvents(1)))
  renameSync(path, `${path}.away`)
  const gone = { code: 'unavailable', message: /deleted or replaced under the running service/ }
  t.match(await failureOf(store.append('a-1', 0n, newEvents(1))), gone)
  await workers[0]?.terminate()
  t.match(await failureOf(store.append('a-1', 0n, newEvents(1))), gone, 'nor does a new thread make a file')
  t.notOk(existsSync(path))
  writeFileSync(path, '')
  t.match(await failureOf(store.append('a-1', 0n, newEvents(1))), gone, 'another file is not taken for it')
  await until('reading fails too', async () => (await store.head().catch(() => undefined)) === undefined)
  t.equal(statSync(path).size, 0)
  renameSync(`${path}.away`, path)
  written(await store.append('a-1', 0n, newEvents(1)))
  t.equal(await store.head(), 2n)
})

t.test('a full disk fails appends, harms nothing, and is over when there is room again', async t => {
  const path = pathIn(t)
  const full = await openSqliteEventStore({ path, clock, pragmas: { max_page_count: 120 } })
  const kept: { stream: string; event: StoredEvent }[] = []
  let failure: Awaited<ReturnType<typeof failureOf>> | undefined
  for (let index = 0; !failure && index < 500; index += 1) {
    const [stream, event] = [`a-${index}`, newEvent('Big', { text: 'x'.repeat(20_000) })]
    const append = full.append(stream, 'none', [event])
    if ((await append.catch(() => undefined))?.outcome === 'written') kept.push({ stream, event })
    else failure = await failureOf(append)
  }
  t.match(failure, { code: 'unavailable', message: /the disk is full/ })
  t.ok(kept.length > 5)
  const [{ stream, event } = { stream: '', event: newEvent() }] = kept
  t.equal(written(await full.append(stream, 'none', [event])).revision, 0n, 'answers what needs no room')
  const refused = { outcome: 'conflict', current: 'none' }
  t.same(await full.append(`a-${kept.length}`, 0n, newEvents(1)), refused, 'nothing is left of what failed')
  t.same(await full.append(stream, 'none', newEvents(1)), { outcome: 'conflict', current: 0n })
  t.same(idsOf((await readLog(full, 0n)).events), idsOf(kept.map(each => each.event)))
  await full.close()
  const roomy = await open(t, { path })
  written(await roomy.append(stream, 0n, [newEvent('Big', { text: 'x'.repeat(20_000) })]))
  t.equal((await readLog(roomy, 0n)).events.length, kept.length + 1)
})

t.test('a thread that dies leaves unknown outcomes, and the same appends again settle them', async t => {
  const workers: Worker[] = []
  const store = await open(t, {
    path: pathIn(t),
    startWorker: settings => {
      const worker = startWriter(settings)
      workers.push(worker)
      return worker
    },
  })
  let unknown = 0
  const settle = async (stream: string, expected: Expected, events: readonly StoredEvent[]): Promise<AppendResult> => {
    const result = await store.append(stream, expected, events)
    if (result.outcome !== 'unknown') return result
    unknown += 1
    return settle(stream, expected, events)
  }
  const appender = async (stream: string): Promise<string[]> => {
    const ids: string[] = []
    for (let index = 0; index < 60; index += 1) {
      const events = newEvents(2)
      const result = written(await settle(stream, index === 0 ? 'none' : BigInt(index * 2 - 1), events))
      if (result.revision !== BigInt(index * 2 + 1)) throw new Error(`${stream} is at ${result.revision}`)
      ids.push(...idsOf(events))
    }
    return ids
  }
  const streams = Array.from({ length: 32 }, (_, index) => `a-${index}`)
  const running = Promise.all(streams.map(appender))
  for (let kill = 1; kill <= 4; kill += 1) {
    await until('more is written', () => store.stats().events > kill * 200)
    // In the midst of a batch: appends are waiting for it.
    await until('appends wait', () => store.stats().waiting > 0)
    await workers.at(-1)?.terminate()
  }
  const sent = await running
  t.ok(unknown > 0, `${unknown} outcomes were unknown`)
  t.equal(store.stats().restarts, 4)
  for (const [index, stream] of streams.entries()) t.same(idsOf(await readWhole(store, stream)), sent[index])
})

t.test('a thread that cannot start again fails appends until it can', async t => {
  const path = pathIn(t)
  let broken = false
  const workers: Worker[] = []
  const store = await open(t, {
    path,
    startWorker: settings => {
      const pragmas = { journal_mode: 'no such mode;' }
      const worker = startWriter(broken ? { ...settings, pragmas } : settings)
      workers.push(worker)
      return worker
    },
  })
  broken = true
  await workers[0]?.terminate()
  t.match(await failureOf(store.append('a-1', 'none', newEvents(1))), {
    code: 'unavailable',
    message: /^TypeError at src\/adapters\/sqlite\/database\.ts:/,
  })
  broken = false
  written(await store.append('a-1', 'none', newEvents(1)))
  t.equal(store.stats().restarts, 2)

  const failing = openSqliteEventStore({
    path,
    clock,
    startWorker: () => new Worker('throw new Error("oh")', { eval: true }),
  })
  t.match(await failureOf(failing), { code: 'unavailable', message: /has failed: Error$/ })
})

t.test('closing when the thread is gone settles what waits', async t => {
  const workers: Worker[] = []
  const store = await openSqliteEventStore({
    path: pathIn(t),
    clock,
    startWorker: settings => {
      const worker = startWriter(settings)
      workers.push(worker)
      return worker
    },
  })
  const append = store.append('a-1', 'none', newEvents(1))
  const killed = workers[0]?.terminate()
  const closed = store.close()
  t.ok(['written', 'unknown'].includes((await append).outcome))
  await killed
  await closed
})

t.test('large events come a few a page, small ones by the thousand', async t => {
  const store = await open(t, { path: pathIn(t) })
  const sent: StoredEvent[] = []
  const small = newEvents(1_200, 'Small')
  const large = Array.from({ length: 40 }, () => newEvent('Large', { text: 'x'.repeat(300_000) }))
  let turn = 0
  for (const events of [
    small.slice(0, 600),
    ...large.slice(0, 25).map(each => [each]),
    small.slice(600),
    ...large.slice(25).map(each => [each]),
  ]) {
    written(await store.append(`a-${turn}`, 'none', events))
    turn += 1
    sent.push(...events)
  }
  for (const [filter, wanted] of [
    [undefined, sent],
    [{ types: ['Large'] }, large],
    [{ types: ['Small'] }, small],
    [{ categories: ['a'] }, sent],
  ] as const) {
    const { events, batches } = await readLog(store, 0n, filter)
    t.same(idsOf(events), idsOf(wanted))
    const sizes = batches.map(batch => batch.events.reduce((sum, event) => sum + event.data.length, 0))
    t.ok(Math.max(...sizes) < 16 * 310_000, `the largest page has ${Math.max(...sizes)} characters`)
  }
  for (let index = 0; index < 40; index += 1)
    written(await store.append('b-1', index === 0 ? 'none' : BigInt(index - 1), [large[index] ?? newEvent()]))
  t.same(idsOf(await readWhole(store, 'b-1')), idsOf(large))
  t.same(idsOf(await readWhole(store, 'b-1', { direction: 'backwards' })), idsOf(large).toReversed())
})

t.test('a commit of this process wakes its followers without a poll', async t => {
  const store = await open(t, { path: pathIn(t), pollMs: 3_600_000 })
  const following = tail(store, 0n)
  await following.until(() => following.batches.length > 0)
  written(await store.append('a-1', 'none', newEvents(1)))
  await following.until(() => following.events.length === 1)
  await following.stop()
})
