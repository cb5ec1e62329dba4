/** The table by which the embedded log finds a stream, damaged: no stream vanishes, none begins anew, and it can be made again. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { fastClock } from '../support/clocks.ts'
import { damage, turned } from '../support/damage.ts'
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

/** Where the row of a stream stands in the file, byte by byte: its head, its name, its number. */
const rowOf = (path: string, stream: string): readonly number[] => {
  const db = new DatabaseSync(path, { readOnly: true })
  const page = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'streams'").get()?.['rootpage'])
  const size = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
  db.close()
  const name = readFileSync(path).indexOf(stream, (page - 1) * size)
  if (name < 0 || name >= page * size) throw new Error(`${stream} is not on page ${page}`)
  // Of its payload the length, that of the head, the types of name and number.
  return Array.from({ length: 4 + stream.length + 1 }, (_, at) => name - 4 + at)
}

t.test('each byte of a row flipped: the stream is read as it was, or is damaged', async t => {
  const { path, store } = await filled(t)
  const before = await readWhole(store, 'c-1')
  await store.close()
  const sound = readFileSync(path)
  const seen = new Set<string>()
  const copy = `${path}.copy`
  for (const at of rowOf(path, 'c-1'))
    for (const bit of [0x01, 0x80]) {
      const bytes = Buffer.from(sound)
      bytes[at] = (bytes[at] ?? 0) ^ bit
      for (const suffix of ['-wal', '-shm']) writeFileSync(copy + suffix, '')
      writeFileSync(copy, bytes)
      const hurt = await openSqliteEventStore({ path: copy, clock })
      const what = `bit ${bit} of byte ${at}`
      const read = await codeOf(readWhole(hurt, 'c-1').then(events => t.same(events, before, what)))
      seen.add(read)
      t.ok(['no error', 'damaged', 'corrupt'].includes(read), `${what}: ${read}`)
      const appended = await hurt.append('c-1', 'none', newEvents(1)).then(
        result => result.outcome,
        (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
      )
      t.ok(['conflict', 'damaged', 'corrupt'].includes(String(appended)), `${what}: ${String(appended)}`)
      const { events } = await readLog(hurt, 0n)
      t.equal(events.length, 8, 'nothing is appended')
      const repaired = await codeOf(hurt.repairLookups())
      if (repaired === 'no error') {
        t.same(await readWhole(hurt, 'c-1'), before, `${what}: repaired`)
        t.same(await hurt.lookAtLookups(signal), { different: 0, differences: [] }, what)
      } else t.equal(repaired, 'corrupt', what)
      await hurt.close()
    }
  t.ok(seen.has('damaged'))
})

const damages: readonly (readonly [what: string, sql: string, codes: readonly string[]])[] = [
  [
    'a name that is another',
    `UPDATE streams SET name = ${turned('name', 2)} WHERE name = 'c-1'`,
    ['damaged', 'damaged'],
  ],
  ['a row that is gone', "DELETE FROM streams WHERE name = 'c-1'", ['damaged', 'damaged']],
  ['a number that leads nowhere', "UPDATE streams SET id = 99 WHERE name = 'c-1'", ['damaged', 'damaged']],
  ["another's number", "UPDATE streams SET id = 1 WHERE name = 'c-1'", ['damaged', 'damaged']],
  [
    'an event that stands under another number',
    "UPDATE events SET stream = 9 WHERE name = 'c-1' AND revision = 1",
    ['no error', 'written'],
  ],
  ['the last position', "UPDATE sqlite_sequence SET seq = 5 WHERE name = 'events'", ['no error', 'conflict']],
]
for (const [what, sql, codes] of damages)
  t.test(`${what}: it is found, and made again`, async t => {
    const { path, store } = await filled(t)
    const before = await readWhole(store, 'c-1')
    await store.close()
    t.equal(damage(path, sql), 1)
    const hurt = await open(t, path)
    if (codes[0] === 'damaged') {
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
    t.same(await hurt.lookAtLookups(signal), { different: 0, differences: [] })
    t.same(await readWhole(hurt, 'c-1'), before)
    written(await hurt.append('c-1', 1n, newEvents(1)))
    t.match(await hurt.append('e-1', 'none', newEvents(1)), { outcome: 'written' })
    t.throws(() => damageless(path, "DELETE FROM streams WHERE name = 'c-1'"), /never deleted/)
  })

const damageless = (path: string, sql: string): void => {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

t.test('a lost entry of an index of the log is found, and made again', async t => {
  const { path, store } = await filled(t)
  await store.close()
  const bytes = readFileSync(path)
  const db = new DatabaseSync(path, { readOnly: true })
  const page = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'events_first'").get()?.['rootpage'])
  db.close()
  const at = bytes.indexOf('c-1', (page - 1) * 4096)
  t.ok(at > 0 && at < page * 4096)
  bytes[at + 2] = (bytes[at + 2] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const hurt = await open(t, path)
  const found = await hurt.lookAtLookups(signal)
  t.match(found, {
    different: 1,
    differences: [/index of first events does not lead to the event of c-1 at position 5/],
  })
  await hurt.repairLookups()
  t.same(await hurt.lookAtLookups(signal), { different: 0, differences: [] })
})

t.test('a damaged event does not make the table of streams be told wrong', async t => {
  const { path, store } = await filled(t)
  damage(path, `UPDATE events SET name = ${turned('name', 2)} WHERE name = 'c-1' AND revision = 0`)
  t.same(await store.lookAtLookups(signal), { different: 0, differences: [] })
  damage(path, `UPDATE events SET name = ${turned('name', 2)} WHERE name = 'c-1' AND revision = 1`)
  await store.repairLookups()
  t.match(await readWhole(store, 'c-1'), [{ damaged: true }, { damaged: true }], 'it keeps the name that it had')
})

t.test('a file of the schema before gets the second witness, also where a name has two lines of events', async t => {
  const { path, store } = await filled(t)
  await store.close()
  const db = new DatabaseSync(path)
  db.exec('DROP INDEX events_first; PRAGMA user_version = 2')
  db.close()
  damage(path, "DELETE FROM streams WHERE name = 'c-1'")
  const upgraded = await open(t, path)
  t.equal(await codeOf(readWhole(upgraded, 'c-1')), 'damaged')
  await upgraded.close()
  const older = new DatabaseSync(path)
  older.exec(`INSERT INTO streams VALUES ('c-1', 12); INSERT INTO events SELECT position + 20, 12, revision, kind, recorded, checksum,
    id, name, data, meta FROM events WHERE name = 'c-1'; DROP INDEX events_first; PRAGMA user_version = 2`)
  older.close()
  const forked = await open(t, path)
  t.ok((await forked.lookAtLookups(signal)).different > 0)
})
