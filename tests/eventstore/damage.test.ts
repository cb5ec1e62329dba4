/** Events that do not fit their checksum, in the embedded engine's file: none is told as true, each is named by its position. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { copyLog } from '../../src/core/log/copy.ts'
import { fastClock } from '../support/clocks.ts'
import { asSchema3, damage, turned, turnedBit } from '../support/damage.ts'
import { newEvent, newEvents, readLog, readWhole, tail, written } from '../support/event-stores.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'

const clock = fastClock(1)
const open = async (t: Test, path: string) => {
  const store = await openSqliteEventStore({ path, clock })
  t.teardown(() => store.close())
  return store
}
const filled = async (t: Test) => {
  const path = join(t.testdir(), 'events.db')
  const store = await open(t, path)
  for (const stream of ['a-1', 'b-1']) written(await store.append(stream, 'none', newEvents(3)))
  written(await store.append('a-1', 2n, [newEvent('Noted', { text: 'größer als 𝔸SCII' })]))
  return { path, store }
}

const changes: readonly (readonly [string, string])[] = [
  ['a byte of the data', `data = ${turned('data', 9)}`],
  ['a byte of the envelope', `meta = ${turned('meta', 12)}`],
  ['a byte of the id', `id = ${turned('id', 3)}`],
  ['a byte of the stream', `name = ${turned('name', 2)}`],
  ['a byte between data and envelope', 'data = substr(data, 1, length(data) - 1), meta = substr(data, -1) || meta'],
  ['the revision', 'revision = revision + 64'],
  ['a revision beyond what can be read', 'revision = 4611686018427387904'],
  ['the time', 'recorded = recorded - 1'],
  ['the kind', 'kind = kind + 1'],
  ['the checksum', `checksum = ${turnedBit('checksum')}`],
]
for (const [what, sql] of changes)
  t.test(`${what} of an event changed: it is damaged, and nothing else`, async t => {
    const { path, store } = await filled(t)
    const before = (await readLog(store, 0n)).events
    t.same(
      before.filter(event => event.damaged),
      [],
    )
    t.equal(damage(path, `UPDATE events SET ${sql} WHERE position = 2`), 1)
    const { events } = await readLog(store, 0n)
    t.match(events[1], { position: 2n, damaged: true, id: '', data: '', meta: '', stream: '' })
    t.same(events.toSpliced(1, 1), before.toSpliced(1, 1), 'the others are as they were')
    t.match(await store.readAt([2n]), [{ position: 2n, damaged: true }])
    const following = tail(store, 0n)
    await following.until(() => following.events.length === before.length)
    await following.stop()
    t.equal(following.events[1]?.damaged, true, 'nor is it told to who follows the log')
  })

t.test('a stream is read up to its damage and beyond', async t => {
  const { path, store } = await filled(t)
  damage(path, `UPDATE events SET data = ${turned('data', 9)} WHERE position = 2`)
  for (const direction of ['forwards', 'backwards'] as const) {
    const found = await readWhole(store, 'a-1', { direction })
    const sound = found.filter(event => !event.damaged).map(event => event.revision)
    t.same(sound, direction === 'forwards' ? [0n, 2n, 3n] : [3n, 2n, 0n])
  }
})

t.test('a damaged index or table of kinds does not make events vanish', async t => {
  const { path, store } = await filled(t)
  damage(path, 'UPDATE events SET stream = 9 WHERE position = 2')
  await t.rejects(readWhole(store, 'a-1'), { code: 'damaged', message: /index at revision 1 of a-1 is damaged/ })
  damage(path, `UPDATE kinds SET category = ${turned('category', 0)} WHERE id = 1`)
  const again = await open(t, path)
  const reading = readLog(again, 0n, { categories: ['a'] })
  await t.rejects(reading, { code: 'corrupt', message: /kind 1 of events does not fit its checksum/ })
})

t.test('a copy does not make damage whole', async t => {
  const { path, store } = await filled(t)
  damage(path, `UPDATE events SET data = ${turned('data', 9)} WHERE position = 2`)
  const memory = openMemoryEventStore()
  const to = { ...memory, keepsOrder: true, appendCopied: memory.append }
  const signal = new AbortController().signal
  const copying = copyLog({ from: store, to, clock, signal, onProgress: () => undefined })
  await t.rejects(copying, { name: 'CopyError', message: /position 2 .* is damaged/ })
})

t.test(
  'a file from before has its checksums after one start, and a build from before writes no more to it',
  async t => {
    const { path, store } = await filled(t)
    const before = (await readLog(store, 0n)).events
    await store.close()
    asSchema3(path)
    const db = new DatabaseSync(path)
    for (const { name, sql } of db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all()) {
      db.exec(`DROP TRIGGER ${String(name)}`)
      if (name === 'events_update')
        db.exec('UPDATE events SET checksum = 0; ALTER TABLE events RENAME COLUMN checksum TO lookup')
      if (name === 'kinds_update') db.exec('ALTER TABLE kinds DROP COLUMN checksum')
      db.exec(String(sql))
    }
    db.exec('PRAGMA user_version = 1')
    const ofBefore = `INSERT INTO events (position, stream, revision, kind, recorded, lookup, id, name, data, meta)
    VALUES (99, 1, 99, 1, 0, 0, 'i', 'a-1', '{}', '{}')`
    db.prepare(ofBefore)
    const upgraded = await open(t, path)
    t.same((await readLog(upgraded, 0n)).events, before)
    t.throws(() => db.exec(ofBefore), /no column named lookup/)
    t.throws(() => db.exec("UPDATE events SET data = '{}'"), /never changed/)
    db.close()
    written(await upgraded.append('a-1', 3n, newEvents(1)))
    damage(path, `UPDATE events SET data = ${turned('data', 9)} WHERE position = 2`)
    t.same(
      (await readLog(upgraded, 0n)).events.filter(event => event.damaged).map(event => event.position),
      [2n],
      'what is changed from then on is found',
    )
  },
)
