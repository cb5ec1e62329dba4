/** The tables by which the embedded log finds a stream, damaged: no stream vanishes, none begins anew, and they can be made again. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { COLUMNS, type EventRow, markOf, rowChecksum } from '../../src/adapters/eventstore/sqlite/row.ts'
import { openEventFile } from '../../src/adapters/eventstore/sqlite/schema.ts'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { hashOf, openPlaces, openStreamFinder } from '../../src/adapters/eventstore/sqlite/streams.ts'
import { fastClock } from '../support/clocks.ts'
import { asSchema3, damage, turned } from '../support/damage.ts'
import { codeOf, newEvent, newEvents, readLog, readWhole, written } from '../support/event-stores.ts'

const clock = fastClock(1)
const signal = new AbortController().signal
const open = async (t: Test, path: string) => {
  const store = await openSqliteEventStore({ path, clock })
  t.teardown(() => store.close())
  return store
}
const STREAMS = ['a-1', 'b-1', 'c-1', 'd-1']
const filled = async (t: Test) => {
  const path = join(t.testdir(), 'events.db')
  const store = await open(t, path)
  for (const stream of STREAMS) written(await store.append(stream, 'none', newEvents(2)))
  return { path, store }
}

const WHOLE = { different: 0, differences: [], setAside: [] }
const BY_NAME = `hash = ${hashOf('c-1')}`
const damages: readonly (readonly [what: string, sql: string, isDamaged: boolean])[] = [
  ['a name that is another', `UPDATE names SET hash = hash + 99 WHERE ${BY_NAME}`, false],
  ['a row that is gone', `DELETE FROM names WHERE ${BY_NAME}`, false],
  ['a number that leads nowhere', `UPDATE names SET number = 99 WHERE ${BY_NAME}`, true],
  ["another's number", `UPDATE names SET number = 1 WHERE ${BY_NAME}`, true],
  ['an end that came before', 'UPDATE streams SET revision = 0 WHERE number = 3', true],
  ['an end that is to come', 'UPDATE streams SET revision = 2 WHERE number = 3', true],
  ['an end that is gone', 'DELETE FROM streams WHERE number = 3', true],
  [
    'an event that stands under another number',
    "UPDATE events SET stream = 9 WHERE name = 'c-1' AND revision = 1",
    true,
  ],
  ['the last position', "UPDATE sqlite_sequence SET seq = 5 WHERE name = 'events'", false],
  ['the last position of what is no table', "UPDATE sqlite_sequence SET name = 'evants' WHERE name = 'events'", false],
  ['a last position that is a text', "UPDATE sqlite_sequence SET seq = 'many' WHERE name = 'events'", false],
]
for (const [what, sql, isDamaged] of damages)
  t.test(`${what}: it is found, and made again`, async t => {
    const { path, store } = await filled(t)
    const before = await readWhole(store, 'c-1')
    const head = await store.head()
    await store.close()
    t.equal(damage(path, sql), 1)
    const hurt = await open(t, path)
    t.equal(await hurt.head(), head, 'the log ends where it ended')
    if (isDamaged) {
      t.equal(await codeOf(readWhole(hurt, 'c-1')), 'damaged')
      t.equal(await codeOf(readWhole(hurt, 'c-1', { direction: 'backwards' })), 'damaged')
      t.equal(await codeOf(readWhole(hurt, 'c-1', { from: 7n })), 'damaged', 'beyond the end of the other one')
      const [a, c] = await hurt.appendMany([
        { stream: 'a-1', expected: 1n, events: [newEvent()] },
        { stream: 'c-1', expected: 'none', events: [newEvent()] },
      ])
      t.match(a, { outcome: 'written' }, 'those beside it are appended')
      t.match(c, { name: 'EventStoreError', code: 'damaged', message: /c-1 is damaged: lexichron repair/ })
    }
    const found = await hurt.lookAtLookups(signal)
    t.ok(found.different > 0, found.differences.join('; '))
    await hurt.repairLookups()
    t.same(await hurt.lookAtLookups(signal), WHOLE)
    t.same(await readWhole(hurt, 'c-1'), before)
    written(await hurt.append('c-1', 1n, newEvents(1)))
    t.match(await hurt.append('e-1', 'none', newEvents(1)), { outcome: 'written' })
    t.throws(() => damageless(path, 'DELETE FROM streams'), /never deleted/)
  })

for (const set of ['seq = 5', "name = 'evants'", "seq = 'many'"])
  t.test(`what SQLite says of the last position is not believed: ${set}`, async t => {
    const { path, store } = await filled(t)
    const head = await store.head()
    await store.close()
    t.equal(damage(path, `UPDATE sqlite_sequence SET ${set} WHERE name = 'events'`), 1)
    const hurt = await open(t, path)
    t.match(await hurt.append('e-1', 'none', newEvents(1)), { outcome: 'written', position: head + 1n })
    t.equal(await hurt.head(), head + 1n)
  })

const damageless = (path: string, sql: string): void => {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

t.test('a damaged event does not make the table of streams be told wrong', async t => {
  const { path, store } = await filled(t)
  damage(path, `UPDATE events SET name = ${turned('name', 2)} WHERE name = 'c-1' AND revision = 0`)
  t.same(await store.lookAtLookups(signal), WHOLE)
  damage(path, `UPDATE events SET name = ${turned('name', 2)} WHERE name = 'c-1' AND revision = 1`)
  await store.repairLookups()
  t.match(await readWhole(store, 'c-1'), [{ damaged: true }, { damaged: true }], 'it keeps the name that it had')
})

/** Gives the event at the position the checksum that it must have there. */
const refit = (path: string, position: number): void => {
  const db = new DatabaseSync(path)
  const select = db.prepare(`SELECT ${COLUMNS} FROM events WHERE position = ?`)
  select.setReturnArrays(true)
  const row: unknown = select.get(position)
  const kind = db
    .prepare('SELECT category, type FROM kinds JOIN events ON kind = kinds.id WHERE position = ?')
    .get(position)
  const mark = markOf(String(kind?.['category']), String(kind?.['type']))
  db.close()
  damage(path, 'UPDATE events SET checksum = ? WHERE position = ?', rowChecksum(row as EventRow, mark), position)
}
t.test(
  'a file of the schema before gets both witnesses of each stream, also of one whose name it had lost',
  async t => {
    const { path, store } = await filled(t)
    const before = await Promise.all(STREAMS.map(stream => readWhole(store, stream)))
    await store.close()
    asSchema3(path)
    damage(path, "DELETE FROM streams WHERE name = 'c-1'")
    const upgraded = await open(t, path)
    t.same(await Promise.all(STREAMS.map(stream => readWhole(upgraded, stream))), before)
    t.same(await upgraded.lookAtLookups(signal), WHOLE)
    t.match(await upgraded.append('c-1', 'none', newEvents(1)), { outcome: 'conflict', current: 1n })
    written(await upgraded.append('c-1', 1n, newEvents(1)))
    written(await upgraded.append('e-1', 'none', newEvents(1)))
    t.same(await upgraded.lookAtLookups(signal), WHOLE)
  },
)

t.test(
  'two events of one revision, which a build before may have written: the first keeps it, both stay in the log',
  async t => {
    const { path, store } = await filled(t)
    await store.close()
    asSchema3(path)
    // Under the same number, which an index that has lost an entry lets pass as this one does, and under another one, where the table had lost the name.
    const db = new DatabaseSync(path)
    db.exec('DROP INDEX events_stream; CREATE INDEX events_stream ON events (stream, revision)')
    const again =
      db.prepare(`INSERT INTO events SELECT position + ?, stream + ?, revision, kind, recorded, checksum, id, name, data,
    meta FROM events WHERE name = ? AND revision = ?`)
    again.run(20, 0, 'b-1', 1)
    again.run(30, 9, 'c-1', 0)
    db.close()
    for (const row of [24, 35]) refit(path, row)
    const forked = await open(t, path)
    const log = (await readLog(forked, 0n)).events
    t.equal(log.filter(event => event.damaged).length, 0)
    await forked.repairLookups()
    t.match(await forked.lookAtLookups(signal), {
      different: 0,
      setAside: [
        'b-1 has another event of revision 1 at position 24, which is read in the log alone',
        'c-1 has another event of revision 0 at position 35, which is read in the log alone',
      ],
    })
    t.same(
      (await readWhole(forked, 'b-1')).map(event => event.position),
      [3n, 4n],
    )
    t.same((await readLog(forked, 0n)).events, log, 'nothing has left the log')
    t.match(await forked.append('b-1', 0n, newEvents(1)), { outcome: 'conflict', current: 1n })
    written(await forked.append('b-1', 1n, newEvents(1)))
    await forked.repairLookups()
    t.equal((await forked.lookAtLookups(signal)).setAside.length, 2, 'a second repair changes nothing')
  },
)

t.test('names that meet stand side by side, and each is found', t => {
  const path = join(t.testdir(), 'events.db')
  const options = { busyTimeoutMs: 100, pragmas: {} }
  const db = openEventFile(path, { logId: 'log', createdAt: '2026-01-01T00:00:00Z' }, options)
  t.teardown(() => db.close())
  const place = openPlaces(db, () => 7)
  const insert = db.prepare(`INSERT INTO events (stream, revision, kind, recorded, checksum, id, name, data, meta)
    VALUES (?, 0, 1, 0, 0, '', ?, '', '')`)
  for (const [nth, name] of STREAMS.entries()) {
    place(name, nth + 1)
    insert.run(nth + 1, name)
    db.prepare('INSERT INTO streams VALUES (?, 0)').run(nth + 1)
  }
  const find = openStreamFinder(db, () => 7)
  for (const [nth, name] of STREAMS.entries())
    t.match(find(name), { hash: 7 + nth, number: nth + 1, revision: 0, named: true })
  t.match(find('e-1'), { hash: 7 + STREAMS.length, revision: -1 })
  t.throws(() => Array.from({ length: 16 }, (_, nth) => place(`x-${nth}`, nth)), /no place/)
  t.end()
})
