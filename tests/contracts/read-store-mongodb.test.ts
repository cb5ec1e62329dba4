/** The read store's contract on MongoDB, and what is its own there: every query stands on the index that it was planned for. */
import { randomUUID } from 'node:crypto'
import { Long, MongoClient } from 'mongodb'
import t from 'tap'
import { openMongoReadStore } from '../../src/adapters/readstore/mongodb/store.ts'
import { plan, shapeOf } from '../../src/core/project/planner.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import { ordered } from '../../src/ports/conditions.ts'
import type { Condition, Indexes, Query } from '../../src/ports/read-store.ts'
import { accountsProjection } from '../../src/projections/accounts.ts'
import { analyticsProjection } from '../../src/projections/analytics.ts'
import { entriesProjection } from '../../src/projections/entries.ts'
import { historyProjection } from '../../src/projections/history.ts'
import { searchProjection } from '../../src/projections/search.ts'
import { fastClock } from '../support/clocks.ts'
import { planFaults } from '../support/explain.ts'
import { isRealMongo, noMongo, startMongo } from '../support/mongodb.ts'
import { accountListsContract } from './account-lists.ts'
import { readStoreContract } from './read-store.ts'

/** Every shape that an index answers: equalities on its first members, the others as the order, a range on the first of these. */
const shapesOf = (indexes: Indexes): readonly Query[] =>
  indexes.flatMap(({ on, terms }) => {
    const members = on.map(ordered)
    return on.flatMap((_, split): readonly Query[] => {
      const equal = members.slice(0, split)
      if (terms !== undefined && equal.at(-1)?.member !== terms) return []
      const order = on.slice(split)
      const equalities = (op: 'eq' | 'in'): readonly Condition[] =>
        equal.map(({ member }) =>
          member === terms
            ? { member, op: op === 'eq' ? ('all' as const) : ('any' as const), value: ['a', 'b'] }
            : op === 'eq'
              ? { member, op, value: 'a' }
              : { member, op, value: ['a', 'b'] },
        )
      const first = members[split]?.member ?? ''
      const ranges: readonly (readonly Condition[])[] = [
        [],
        [{ member: first, op: 'prefix', value: 'a' }],
        [{ member: first, op: 'range', gte: 'a', lt: 'z' }],
      ]
      const after = [...order.map(() => 'a'), 'a']
      return (['eq', 'in'] as const).flatMap(op =>
        ranges.flatMap(range => {
          const where = [...equalities(op), ...range]
          if (where.length === 0 && split > 0) return []
          return [false, true].flatMap(backwards => [
            { where, order, backwards, limit: 5 },
            { where, order, backwards, limit: 5, after },
          ])
        }),
      )
    })
  })

t.test('the plans that a server explains are judged by what won', async t => {
  const leaf = { stage: 'IXSCAN', indexName: 'key' }
  const fetched = { stage: 'FETCH', inputStage: leaf }
  const won = (winningPlan: object) => planFaults({ winningPlan, rejectedPlans: [{ stage: 'COLLSCAN' }] }, 'key')
  t.same(won(fetched), [])
  t.same(won({ stage: 'SORT_MERGE', inputStages: [fetched, fetched] }), [])
  t.same(won({ queryPlan: fetched, slotBasedPlan: { stages: 'COLLSCAN' } }), [])
  t.same(won({ stage: 'SINGLE_SHARD', shards: [{ shardName: 'a', winningPlan: fetched }] }), [])
  t.same(won({ stage: 'COLLSCAN' }), ['COLLSCAN', 'it stands on no index'])
  t.same(won({ stage: 'SORT', inputStage: fetched }), [], 'what was found by an index may be put in order')
  t.same(won({ stage: 'OR', inputStages: [fetched, { stage: 'COLLSCAN' }] }), ['COLLSCAN'])
  t.same(won({ stage: 'SHARD_MERGE', shards: [{ winningPlan: fetched }, { winningPlan: { stage: 'COLLSCAN' } }] }), [
    'COLLSCAN',
  ])
  t.same(won({ stage: 'FETCH', inputStage: { stage: 'IXSCAN', indexName: 'other' } }), ['it stands on other'])
  t.same(planFaults({}, 'key'), ['there is no winning plan'])
})

const reason = noMongo()
if (reason !== undefined) t.test('the contract of the read store', { skip: reason }, () => undefined)
else {
  const server = await startMongo(t)
  const open = (
    url = server.database(),
    onUnknownIndex: (collection: string, index: string) => void = () => undefined,
  ) =>
    openMongoReadStore({ url, setting: 'LEXICHRON_READ_STORE', clock: fastClock(1), newId: randomUUID, onUnknownIndex })
  const opened = async () => {
    const store = await open()
    return { store, close: () => store.close() }
  }
  readStoreContract(t, opened)
  accountListsContract(t, opened)

  t.test('every shape of every read model runs, and a real server says on which index', async t => {
    const store = await open()
    t.teardown(() => store.close())
    let shapes = 0
    const projections = [
      entriesProjection,
      searchProjection,
      analyticsProjection,
      historyProjection,
      accountsProjection(new Uint8Array(32)),
    ]
    for (const { name, indexes } of projections) {
      await store.ensure(name, indexes)
      const members = [...new Set(indexes.flatMap(({ on }) => on.map(each => ordered(each).member)))]
      const lists = new Set(indexes.flatMap(({ terms }) => terms ?? []))
      const body: JsonObject = Object.fromEntries(members.map(each => [each, lists.has(each) ? ['a', 'b'] : 'a']))
      const value = { logId: 'log', position: 3n, eventId: 'e', token: 1 }
      const writes = ['a1', 'a2', 'a3'].map((id, at) => ({ id, position: BigInt(at + 1), body }))
      await store.apply(name, writes, { consumer: name, value })
      for (const query of shapesOf(indexes)) {
        const planned = plan(query, indexes)
        const shown = `${name}: ${shapeOf(query)}${query.after ? ', after' : ''}${query.backwards ? ', backwards' : ''}`
        const { documents } = await store.find(name, planned)
        // Whatever is asked for is "a"; backwards nothing comes behind it.
        t.equal(documents.length > 0 || query.after !== undefined, true, shown)
        if (isRealMongo)
          t.same(planFaults(JSON.parse(await store.explain(name, planned)), planned.index.name), [], shown)
        shapes += 1
      }
    }
    t.ok(shapes > 150, `${shapes} shapes`)
  })

  t.test('a document of which any member was changed is told to nobody', async t => {
    const url = server.database()
    const store = await open(url)
    t.teardown(() => store.close())
    const indexes = [{ name: 'key', on: ['key'] }]
    await store.ensure('words', indexes)
    const value = { logId: 'log', position: 3n, eventId: 'e', token: 1 }
    const body = { key: 'a', text: 'sound', much: 3, tags: ['x'] }
    const writes = ['a1', 'a2', 'a3'].map((id, at) => ({ id, position: BigInt(at + 1), body }))
    await store.apply('words', writes, { consumer: 'words', value })
    const client = await MongoClient.connect(url)
    t.teardown(() => client.close())
    const collections = await client.db().listCollections().toArray()
    const holding = await Promise.all(
      collections.map(async ({ name }) =>
        (await client.db().collection(name).countDocuments({ b: /sound/ })) > 0 ? [name] : [],
      ),
    )
    const words = client.db().collection<{ _id: string }>(holding.flat()[0] ?? '')
    const whole = (await words.findOne({ _id: 'a2' })) ?? { _id: '' }
    const planned = plan({ where: [{ member: 'key', op: 'eq', value: 'a' }], order: [], limit: 10 }, indexes)
    const changes: readonly object[] = [
      { b: JSON.stringify({ ...body, text: 'sounf' }) },
      { b: '{"key":"a"' },
      { p: Long.fromNumber(3) },
      { c: 1 },
      { 'm.much': 7 },
      { 'm.tags': ['y'] },
    ]
    for (const change of changes) {
      await words.updateOne({ _id: 'a2' }, { $set: change })
      const what = JSON.stringify(change)
      await t.rejects(store.find('words', planned), { code: 'damaged', message: /a2/ }, what)
      await t.rejects(store.get('words', ['a2']), { code: 'damaged', message: /a2/ }, what)
      const damaged: string[] = []
      const sound = await store.scan('words', '', 10, id => damaged.push(id))
      t.same([sound.map(({ id }) => id), damaged], [['a1', 'a3'], ['a2']], what)
      await words.replaceOne({ _id: 'a2' }, whole)
    }
    await words.updateOne({ _id: 'a2' }, { $set: { 'm.key': 'b' } })
    t.same(
      (await store.find('words', planned)).documents.map(({ id }) => id),
      ['a1', 'a3'],
      'found no more by a list',
    )
    const damaged: string[] = []
    await store.scan('words', '', 10, id => damaged.push(id))
    t.same(damaged, ['a2'], 'and by who looks through all of them')
  })

  t.test('an index that nobody declares is told of by its name', async t => {
    const url = server.database()
    const store = await open(url)
    const told: string[] = []
    await store.ensure('words', [{ name: 'key', on: ['key'] }])
    await store.close()
    const client = await MongoClient.connect(url)
    t.teardown(() => client.close())
    const [physical] = (await client.db().listCollections({}, { nameOnly: true }).toArray())
      .map(({ name }) => name)
      .filter(name => name.startsWith('words.'))
    await client.db().collection(String(physical)).createIndex({ 'm.left': 1 }, { name: 'left_over' })
    const again = await open(url, (collection, index) => told.push(`${collection} ${index}`))
    t.teardown(() => again.close())
    await again.ensure('words', [{ name: 'key', on: ['key'] }])
    t.same(told, ['words left_over'])
  })
}
