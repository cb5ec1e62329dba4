/** A log of which an older copy was put back, and written on: what consumers had read at those positions was other events. */
import t, { type Test } from 'tap'
import { pointerRecord } from '../../../src/core/project/pointer.ts'
import { consumerOf, subscriber } from '../../../src/core/subscribe/define.ts'
import { runSubscriber } from '../../../src/core/subscribe/runner.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { openReadSide, type ReadSide, words } from '../../support/projections.ts'
import { until } from '../../support/until.ts'

const open = async (t: Test): Promise<ReadSide> => {
  const side = await openReadSide({ log: memoryLog({ page: 10 }) })
  t.teardown(() => side.close())
  return side
}

const liveOf = async ({ store }: ReadSide): Promise<number> => {
  const text = await store.record(pointerRecord('words'))
  return JSON.parse(text ?? '{}').versions?.['1']?.live ?? 0
}
const checkpointOf = async (side: ReadSide) => side.store.checkpoint(`words@1#${await liveOf(side)}`)
const caughtUp = (side: ReadSide): Promise<true> =>
  until('it is live and at the head', async () => (await checkpointOf(side))?.position === (await side.log.head()))
const wordsOf = async (side: ReadSide): Promise<readonly string[]> =>
  (await side.store.scan(`words@1#${await liveOf(side)}`, '', 100)).map(({ id }) => id)

t.test('a read model of another history is built again, though all that it had applied is there', async t => {
  const side = await open(t)
  const { log } = side
  const kept = log.write('word-kept', 'WordSet', { word: 'kept' })
  for (let n = 0; n < 2; n += 1) log.write('other-1', 'OtherHappened')
  const first = side.run(words())
  await caughtUp(side)
  await first.stop()
  const before = await liveOf(side)
  log.putBack(kept.position)
  log.write('word-new', 'WordSet', { word: 'new' })
  log.write('other-1', 'OtherHappened')
  t.equal(await log.head(), (await checkpointOf(side))?.position, 'it is as far as it was')
  const second = side.run(words())
  await until('another generation', async () => (await liveOf(side)) > before)
  await caughtUp(side)
  t.same(await wordsOf(side), ['kept', 'new'])
  t.match(second.errors.join(), /another history/)
})

t.test('a checkpoint of before there were marks is believed once, and has one from then on', async t => {
  const side = await open(t)
  const { log, store } = side
  const written = log.write('word-a', 'WordSet', { word: 'a' })
  log.write('other-1', 'OtherHappened')
  const first = side.run(words())
  await caughtUp(side)
  await first.stop()
  const [live, stored] = [await liveOf(side), await checkpointOf(side)]
  if (!stored) throw new Error('there is no checkpoint')
  const consumer = `words@1#${live}`
  for (const eventId of [`${written.id} ${written.revision} ${written.stream}`, '']) {
    await store.apply('', [], {
      consumer,
      value: { ...stored, eventId, token: ((await checkpointOf(side))?.token ?? 0) + 1 },
    })
    const node = side.run(words())
    const mark = await log.markAt(stored.position)
    await until('it has a mark', async () => (await checkpointOf(side))?.eventId.startsWith(mark))
    await node.stop()
    t.equal(await liveOf(side), live, 'it is not built again')
    t.equal((await checkpointOf(side))?.eventId, `${mark} ${eventId}`.trimEnd())
  }
})

t.test('a subscriber goes on after what it handled last where that is there, else it begins anew', async t => {
  const side = await open(t)
  const { log, store, clock } = side
  const handled: unknown[] = []
  const of = subscriber({
    name: 'recorder',
    categories: ['word'],
    handle: async events => {
      for (const { data } of events) handled.push(data['word'])
    },
  })
  const follow = async (): Promise<void> => {
    const ending = new AbortController()
    const node = runSubscriber({
      subscriber: of,
      log,
      store,
      clock,
      nodeId: `node-${handled.length}`,
      signal: ending.signal,
    })
    await until('it is at the head', async () => {
      const { position, state } = await node.status()
      const stored = await store.checkpoint(consumerOf(of))
      return state === 'following' && position === (await log.head()) && stored?.position === position
    })
    ending.abort()
    await node.done
  }
  const kept = log.write('word-a', 'WordSet', { word: 'kept' })
  log.write('other-1', 'OtherHappened')
  await follow()
  log.putBack(kept.position)
  const after = log.write('word-b', 'WordSet', { word: 'instead' })
  await follow()
  t.same(handled, ['kept', 'instead'], 'what stands where it had read something else is not left out')
  log.putBack(kept.position)
  log.write('word-c', 'WordSet', { word: 'once more' })
  t.equal(await log.head(), after.position)
  await follow()
  t.same(handled, ['kept', 'instead', 'kept', 'once more'], 'it is not known where the histories part')
})
