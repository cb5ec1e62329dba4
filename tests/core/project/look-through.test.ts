/** Damage that nobody would meet is found by looking through all documents, by one node, so many a minute. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openSqliteReadStore } from '../../../src/adapters/readstore/sqlite/store.ts'
import { collectionName } from '../../../src/core/project/define.ts'
import { DOCUMENTS_A_RUN, openLookThrough } from '../../../src/core/project/look-through.ts'
import { beginBuilding, generationsOf, goLive, readPointer } from '../../../src/core/project/pointer.ts'
import { fakeClock } from '../../support/clocks.ts'
import { damage, tableOf } from '../../support/damage.ts'

const signal = new AbortController().signal
const projection = { name: 'things', version: 1 }
const filled = async (t: Test, count: number) => {
  const path = join(t.testdir(), 'read.db')
  const clock = fakeClock()
  const store = await openSqliteReadStore({ path, clock })
  t.teardown(() => store.close())
  const at = await beginBuilding(store, projection.name, projection.version, clock.now())
  const collection = collectionName(projection.name, at)
  await store.ensure(collection, [{ name: 'words', on: ['words'], terms: 'words' }])
  const checkpoint = { logId: 'log', position: 9n, eventId: 'e', token: 1 }
  const ids = Array.from({ length: count }, (_, n) => `id-${String(n).padStart(5, '0')}`)
  const documents = ids.map(id => ({ id, position: 9n, body: { words: [`w${id}`], text: `text of ${id}` } }))
  await store.apply(collection, documents, { consumer: collection, value: checkpoint })
  await goLive(store, projection.name, at)
  let holds = true
  const damaged: string[] = []
  const open = () =>
    openLookThrough({
      store,
      clock,
      projections: [{ projection, holds: async () => holds }],
      onDamaged: each => damaged.push(each),
    })
  /** One run, while the clock goes on. */
  const run = async (looking = open()) => {
    let done: readonly string[] | undefined
    const running = looking.run(signal).then(found => {
      done = found
    })
    while (!done) await clock.advance(250)
    await running
    return done
  }
  const building = async () => generationsOf(await readPointer(store, projection.name), 1).building
  return {
    path,
    store,
    collection,
    damaged,
    open,
    run,
    building,
    lend: () => (holds = false),
    take: () => (holds = true),
  }
}

t.test(
  'a document that its index does not lead to any more: what is live is built again, and counted once',
  async t => {
    const { path, collection, damaged, open, run, building, lend, take } = await filled(t, 60)
    const looking = open()
    t.same(await run(looking), [])
    t.same(damaged, [])
    t.equal(await building(), undefined)
    const table = tableOf(path, projection.name)
    const lost = `UPDATE ${table}_t0 SET term = 'x' || term WHERE doc = (SELECT doc FROM ${table} WHERE id = 'id-00040')`
    t.equal(damage(path, lost), 1)
    lend()
    t.same(await run(looking), [], 'another node looks')
    take()
    t.same(await run(looking), [collection])
    t.type(await building(), 'number')
    t.same(await run(looking), [], 'it is not begun again while it is being built')
    t.same(damaged, [collection])
  },
)

t.test('a body that does not fit its checksum is found before somebody reads it', async t => {
  const { path, collection, run } = await filled(t, 30)
  damage(
    path,
    `UPDATE ${tableOf(path, projection.name)} SET body = replace(body, 'text', 'tekt') WHERE id = 'id-00029'`,
  )
  t.same(await run(), [collection])
})

t.test('so many a run, and the next one goes on there, also after a start', async t => {
  const { path, store, collection, run } = await filled(t, DOCUMENTS_A_RUN + 10)
  damage(
    path,
    `UPDATE ${tableOf(path, projection.name)} SET body = replace(body, 'text', 'tekt') WHERE id = ?`,
    'id-03005',
  )
  t.same(await run(), [])
  t.equal(await store.record('looked-through:things'), `${collection} id-02999`)
  t.same(await run(), [collection])
})
