import { randomBytes } from 'node:crypto'
import { openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { migrate } from '../../src/adapters/readstore/sqlite/layout.ts'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { openWriter, packBatch } from '../../src/adapters/readstore/sqlite/writer.ts'
import { openDatabase, type Sqlite } from '../../src/adapters/sqlite/database.ts'
import { fileMarks } from '../../src/adapters/sqlite/marks.ts'
import { plan } from '../../src/core/project/planner.ts'
import { fakeClock, fastClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'
import { accountListsContract } from './account-lists.ts'
import { readStoreContract } from './read-store.ts'

const folder = temporaryFolder(t)
let files = 0
const fresh = (): string => {
  files += 1
  return join(folder, `${files}`, 'read.db')
}

const open = async () => {
  const store = await openSqliteReadStore({ path: fresh(), clock: fastClock(1) })
  return { store, close: () => store.close() }
}
readStoreContract(t, open)
accountListsContract(t, open)

const checkpoint = { consumer: 'c', value: { logId: 'l', position: 1n, eventId: '', token: 1 } }
const indexes = [{ name: 'kind', on: ['kind'] }]

const batchOf = (consumer: string, position: bigint, token = 1) =>
  packBatch(`${consumer}@1#1`, [{ id: 'a', position, body: { kind: consumer } }], {
    consumer,
    value: { logId: 'l', position, eventId: '', token },
  })

/** A file with the collections k, l and m, and its writer by a clock that goes on by `step` each time that it is looked at. */
const writerOf = (t: Test, step: () => number) => {
  const db = openDatabase(fresh(), {
    role: 'read',
    applicationId: fileMarks.reads.applicationId,
    schemaVersion: fileMarks.reads.schema,
    migrate,
  })
  t.teardown(() => db.close())
  let [time, commits] = [0, 0]
  const transaction: Sqlite['transaction'] = work => {
    commits += 1
    return db.transaction(work)
  }
  const counting: Sqlite = { ...db, transaction, inTransaction: false }
  const writer = openWriter(counting, () => {
    time += step()
    return time
  })
  for (const name of ['k', 'l', 'm']) writer.ensure(`${name}@1#1`, indexes)
  const stored = (): readonly string[] =>
    db
      .prepare<[string, number]>('SELECT consumer, position FROM checkpoint ORDER BY consumer')
      .all()
      .map(([consumer, position]) => `${consumer} ${position}`)
  const documents = (): number =>
    [1, 2, 3].reduce((sum, n) => sum + Number(db.prepare(`SELECT count(*) FROM c${n}`).get()?.[0]), 0)
  const counted = (work: () => number): readonly [number, number] => {
    const before = commits
    return [work(), commits - before]
  }
  return { writer, stored, documents, counted }
}

t.test('what several read models write at once is one transaction', async t => {
  const { writer, stored, documents, counted } = writerOf(t, () => 0)
  const batches = ['k', 'l', 'm'].map(name => batchOf(name, 3n))
  t.same(
    counted(() => writer.applyTogether(batches)),
    [3, 1],
    'three batches, one transaction',
  )
  t.same(stored(), ['k 3', 'l 3', 'm 3'])
  t.equal(documents(), 3)
})

t.test('of a transaction that ends in the middle nothing is written, of none of them', async t => {
  const { writer, stored, documents } = writerOf(t, () => 0)
  writer.applyTogether([batchOf('m', 1n, 2)])
  const batches = [batchOf('k', 3n), batchOf('l', 3n), batchOf('m', 3n, 1)]
  t.throws(() => writer.applyTogether(batches), { code: 'fenced' })
  t.same(stored(), ['m 1'], 'no checkpoint')
  t.equal(documents(), 1, 'and no document')
  t.equal(writer.applyTogether(batches.slice(0, 2)), 2, 'and the others can be written still')
  t.equal(documents(), 3)
})

t.test('what would take too long together is left for the next transaction', async t => {
  const { writer, stored } = writerOf(t, () => 10)
  t.equal(writer.applyTogether(['k', 'l', 'm'].map(name => batchOf(name, 3n))), 1)
  t.same(stored(), ['k 3'])
})

t.test('of batches that arrive together only the one at fault is refused', async t => {
  const { store, close } = await open()
  const names = ['k', 'l', 'm', 'n']
  for (const name of names.slice(0, 3)) await store.ensure(`${name}@1#1`, indexes)
  const write = (name: string, token: number, position: bigint) =>
    store.apply(`${name}@1#1`, [{ id: 'a', position, body: { kind: name } }], {
      consumer: name,
      value: { logId: 'l', position, eventId: '', token },
    })
  await write('l', 2, 1n)
  const results = await Promise.allSettled(names.map(name => write(name, 1, 3n)))
  t.match(results, [
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'fenced' } },
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'gone' } },
  ])
  const found = await Promise.all(names.map(async name => (await store.checkpoint(name))?.position))
  t.same(found, [3n, 1n, 3n, undefined])
  t.equal((await store.get('m@1#1', ['a'])).get('a')?.position, 3n)
  await close()
})

t.test('what one process wrote, another reads, and it survives a reopening', async t => {
  const path = fresh()
  const [a, b] = await Promise.all([1, 2].map(() => openSqliteReadStore({ path, clock: fastClock(1) })))
  if (!a || !b) throw new Error('both are open')
  await a.ensure('k@1#1', indexes)
  await b.ensure('k@1#1', indexes)
  await a.apply('k@1#1', [{ id: 'a', position: 1n, body: { kind: 'x' } }], checkpoint)
  await b.apply('k@1#1', [{ id: 'b', position: 2n, body: { kind: 'x' } }], checkpoint)
  t.same([...(await a.get('k@1#1', ['a', 'b'])).keys()], ['a', 'b'])
  await Promise.all([a.close(), b.close()])
  const again = await openSqliteReadStore({ path, clock: fastClock(1) })
  t.equal((await again.get('k@1#1', ['a', 'b'])).size, 2)
  await again.close()
})

t.test('a file deleted under the running service is noticed, and an empty one begun', async t => {
  const path = fresh()
  const clock = fakeClock()
  const store = await openSqliteReadStore({ path, clock })
  await store.ensure('k@1#1', indexes)
  await store.swap('r', undefined, 'v')
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  await clock.advance(1_000)
  t.equal(await store.record('r'), undefined)
  await t.rejects(store.get('k@1#1', ['a']), { code: 'gone' })
  await store.ensure('k@1#1', indexes)
  await store.apply('k@1#1', [{ id: 'a', position: 1n, body: {} }], checkpoint)
  t.equal((await store.get('k@1#1', ['a'])).size, 1, 'and it works on')
  await store.close()
})

t.test('a damaged file is set aside and an empty one begun', async t => {
  const path = fresh()
  const first = await openSqliteReadStore({ path, clock: fastClock(1) })
  await first.ensure('k@1#1', indexes)
  const writes = Array.from({ length: 500 }, (_, n) => ({ id: `${n}`, position: 1n, body: { kind: 'x'.repeat(200) } }))
  await first.apply('k@1#1', writes, checkpoint)
  await first.close()
  const file = openSync(path, 'r+')
  writeSync(file, randomBytes(60_000), 0, 60_000, 4_096)
  const store = await openSqliteReadStore({ path, clock: fastClock(1) }).catch(() => undefined)
  if (!store) return t.fail('a damaged file of ours does not keep the service from starting')
  // Damage is found where it is met: at the opening, or by the first calls that come upon it.
  for (let n = 0; n < 3; n += 1)
    await store.find('k@1#1', plan({ where: [], order: ['kind'], limit: 500 }, indexes)).catch(() => undefined)
  await store.ensure('k@1#1', indexes)
  await store.apply('k@1#1', writes, checkpoint)
  t.equal((await store.scan('k@1#1', '', 1_000)).length, 500)
  t.ok(
    readdirSync(join(path, '..')).some(each => each.includes('damaged')),
    'the damaged file is kept',
  )
  await store.close()
})

t.test('a file that is not ours is refused and left as it is', async t => {
  const path = join(folder, 'foreign.db')
  writeFileSync(path, 'this is a letter, not a database, and long enough to be one '.repeat(20))
  await t.rejects(openSqliteReadStore({ path, clock: fastClock(1) }), { name: 'ReadStoreError' })
  t.ok(readdirSync(folder).includes('foreign.db'))
})

t.test(
  'each bit of an entry of a plain index: who looks through finds that it does not lead to its document',
  async t => {
    const path = fresh()
    const first = await openSqliteReadStore({ path, clock: fastClock(1) })
    await first.ensure('k@1#1', indexes)
    const write = (id: string) => ({ id, position: 1n, body: { kind: `of-${id}` } })
    await first.apply('k@1#1', ['a', 'b', 'c'].map(write), checkpoint)
    await first.close()
    const db = new DatabaseSync(path, { readOnly: true })
    const root = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name LIKE 'c%_i0'").get()?.['rootpage'])
    const size = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
    db.close()
    const sound = readFileSync(path)
    const entry = sound.indexOf('of-b', (root - 1) * size)
    t.ok(entry > 0 && entry < root * size)
    const found = new Set<string>()
    // What the entry has of the member, of the id and of the document's number.
    for (let at = entry; at < entry + 'of-bb'.length; at += 1)
      for (const bit of [0x01, 0x10]) {
        const copy = fresh()
        const whole = await openSqliteReadStore({ path: copy, clock: fastClock(1) })
        await whole.close()
        const bytes = Buffer.from(sound)
        bytes[at] = (bytes[at] ?? 0) ^ bit
        writeFileSync(copy, bytes)
        const store = await openSqliteReadStore({ path: copy, clock: fastClock(1) })
        const damaged: string[] = []
        const documents = await store.scan('k@1#1', '', 10, id => damaged.push(id))
        t.equal(documents.length + damaged.length, 3, 'each is looked at')
        t.ok(damaged.includes('b'), `byte ${at - entry}, bit ${bit}: ${damaged.join()}`)
        for (const id of damaged) found.add(id)
        await store.close()
      }
    t.ok(found.has('b'))
  },
)
