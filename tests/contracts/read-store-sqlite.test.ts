import { randomBytes } from 'node:crypto'
import { openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
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
