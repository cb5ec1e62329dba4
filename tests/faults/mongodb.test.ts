/** Two runners on one projection in MongoDB, whose writes are late: nothing twice, nothing lost, nothing brought back. */
import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { connectMongo } from '../../src/adapters/mongodb/client.ts'
import { openMongoReadStore } from '../../src/adapters/readstore/mongodb/store.ts'
import { openFreshness } from '../../src/core/project/freshness.ts'
import { pointerRecord } from '../../src/core/project/pointer.ts'
import { runProjection } from '../../src/core/project/runner.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import { fakeClock, fastClock } from '../support/clocks.ts'
import { memoryLog } from '../support/memory-log.ts'
import { noMongo, startMongo } from '../support/mongodb.ts'
import { words } from '../support/projections.ts'
import { openProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const reason = noMongo()
const COLLECTION = 'words@1#1'
const put = (id: string, position: bigint, body: JsonObject) => ({ id, position, body })

if (reason !== undefined) t.test('two runners on MongoDB', { skip: reason }, () => undefined)
else {
  const server = await startMongo(t)
  const openAt = (url: string) =>
    openMongoReadStore({ url, setting: 'LEXICHRON_READ_STORE', clock: fastClock(1), newId: randomUUID })

  t.test('two runners fight over one projection while the writes of one are held up', async t => {
    const url = server.database()
    const proxy = await openProxy(t, url)
    const [direct, late] = [await openAt(url), await openAt(proxy.through(url))]
    t.teardown(() => Promise.all([direct.close(), late.close()]))
    const log = memoryLog({ page: 7 })
    await direct.swap(pointerRecord('words'), undefined, '{"next":1,"versions":{}}')
    const projection = words()
    const ending = new AbortController()
    const clock = fastClock(20)
    const states: string[] = []
    const handles = [direct, late].map((store, n) =>
      runProjection({
        projection,
        log,
        store,
        clock,
        nodeId: `node-${n}`,
        signal: ending.signal,
        freshness: openFreshness({ store, clock }),
        onError: message => states.push(message),
      }),
    )
    const expected = new Map<string, string[]>()
    const removed = new Set<string>()
    for (let round = 0; round < 12; round += 1) {
      // Late by more than a lease, in turns: the lease goes to and fro while writes are on their way.
      proxy.delay(round % 3 === 0 ? 30 : 0)
      if (round % 4 === 1) proxy.hold()
      for (let n = 0; n < 25; n += 1) {
        const id = `${(round * 7 + n) % 19}`
        const gone = (round + n) % 11 === 0
        const event = gone
          ? log.write(`word-${id}`, 'WordRemoved')
          : log.write(`word-${id}`, 'WordSet', { word: `w${round}.${n}` })
        if (gone) expected.delete(id)
        else expected.set(id, [...(expected.get(id) ?? []), String(event.position)])
        if (gone) removed.add(id)
        else removed.delete(id)
      }
      const head = await log.head()
      await until('somebody got through', async () => ((await direct.checkpoint(COLLECTION))?.position ?? 0n) >= head)
      proxy.heal()
    }
    const check = async (): Promise<void> => {
      const ids = [...Array(19).keys()].map(String)
      const found = await direct.get(COLLECTION, ids)
      for (const id of ids)
        t.same(found.get(id)?.body['seen'] ?? [], expected.get(id) ?? [], `word ${id}: each event once, in order`)
    }
    await check()
    // What was on its way all the time has arrived by now, and changed nothing.
    await until('no write on its way', async () => (await late.checkpoint(COLLECTION))?.position === (await log.head()))
    const { token = 0 } = (await direct.checkpoint(COLLECTION)) ?? {}
    t.ok(token > 1, `the lease changed hands, ${token} times in all`)
    ending.abort()
    await Promise.all(handles.map(each => each.done))
    await check()
    const kept = await direct.load(COLLECTION, [...removed])
    for (const id of removed) t.match(kept.get(id), { removed: true }, 'a tombstone stays')
  })

  t.test('writes of the past change nothing, whoever sends them and however late', async t => {
    const url = server.database()
    const [one, two] = [await openAt(url), await openAt(url)]
    t.teardown(() => Promise.all([one.close(), two.close()]))
    await one.ensure(COLLECTION, [{ name: 'word', on: ['word'] }])
    const at = (position: bigint, token = 1) => ({
      consumer: COLLECTION,
      value: { logId: 'l', position, eventId: '', token },
    })
    const all = (position: bigint, word: string) =>
      Array.from({ length: 300 }, (_, n) => put(`${n}`, position, { word, seen: [] }))
    // Both at once, in both orders: of two inserts of one document one is refused, and that means applied or raced.
    await Promise.all([
      one.apply(COLLECTION, all(5n, 'newer'), at(5n)),
      two.apply(COLLECTION, all(4n, 'older'), at(4n)),
    ])
    const found = await one.get(
      COLLECTION,
      Array.from({ length: 300 }, (_, n) => `${n}`),
    )
    t.same([...new Set([...found.values()].map(each => each.body['word']))], ['newer'])
    t.equal(found.size, 300)

    // A generation that was dropped is not brought back by a writer who has not heard of it.
    await two.drop(COLLECTION)
    await t.rejects(one.apply(COLLECTION, all(6n, 'late'), at(6n)), { code: 'gone' })
    await one.ensure(COLLECTION, [{ name: 'word', on: ['word'] }])
    t.same(await two.scan(COLLECTION, '', 10), [])
    t.equal(await two.checkpoint(COLLECTION), undefined)

    // A lease that was lost: the checkpoint says so, and keeps its place.
    await two.apply(COLLECTION, all(7n, 'theirs'), at(7n, 2))
    await t.rejects(one.apply(COLLECTION, all(8n, 'mine'), at(8n, 1)), { code: 'fenced' })
    t.equal((await one.checkpoint(COLLECTION))?.position, 7n)
  })

  t.test('what a node left behind in the middle of a change is swept once it is old', async t => {
    const url = server.database()
    const clock = fakeClock()
    const store = await openMongoReadStore({ url, setting: 'LEXICHRON_READ_STORE', clock, newId: randomUUID })
    t.teardown(() => store.close())
    const client = await MongoClient.connect(url)
    t.teardown(() => client.close())
    await store.ensure(COLLECTION, [])
    await store.ensure('words@1#2', [])
    await store.apply('words@1#2', [put('a', 1n, {})], {
      consumer: 'x',
      value: { logId: '', position: 1n, eventId: '', token: 1 },
    })
    // Killed between the two halves of a drop.
    await client.db().collection<{ _id: string }>('_collections').deleteOne({ _id: 'words@1#2' })
    t.same(await store.sweep(), [], 'it may be a collection that is just being made')
    await clock.advance(2 * 60 * 60 * 1_000)
    const swept = await store.sweep()
    t.equal(swept.length, 1)
    t.match(swept[0], /^words@1#2\./)
    t.same(await store.collections(), [COLLECTION])
  })

  t.test('a command whose packets are lost ends with what the monitor sees, not with its own half minute', async t => {
    const url = server.database()
    const proxy = await openProxy(t, url)
    const fault = (code: string, message: string, options?: ErrorOptions) => new Error(`${code}: ${message}`, options)
    const connection = await connectMongo(proxy.through(url), { setting: 'LEXICHRON_READ_STORE', fault })
    t.teardown(() => connection.close())
    const ping = () => connection.run(() => connection.client.db('x').command({ ping: 1 }))
    await ping()
    proxy.lose()
    await t.rejects(ping(), {
      message: /^unavailable: LEXICHRON_READ_STORE .*interrupted due to server monitor timeout/,
    })
    await until('an answer on a new connection', () =>
      ping().then(
        () => true,
        () => undefined,
      ),
    )
  })
}
