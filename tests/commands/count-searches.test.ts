/** Counting searches: batched, bounded, each once, nothing personal. */
import t, { type Test } from 'tap'
import { openSearchCounter, type SearchCounterOptions } from '../../src/commands/count-searches.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { type SearchesBatch, searchesAggregate, searchesEvents } from '../../src/domain/search/searches.ts'
import type { AppendResult } from '../../src/ports/event-store.ts'
import { fakeClock, settle } from '../support/clocks.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { until } from '../support/until.ts'

const open = (t: Test, more: Partial<SearchCounterOptions> = {}) => {
  const clock = fakeClock(new Date('2026-11-23T23:59:00.000Z'))
  const store = openMemoryEventStore({ now: clock.now, logId: 'log' })
  const plain = openLog({ store, keys: openMemoryKeys(), types: [...searchesEvents] })
  const faults: { append?: (write: () => Promise<AppendResult>) => Promise<AppendResult> } = {}
  const log: typeof plain = {
    ...plain,
    append: async append => (faults.append ? faults.append(() => plain.append(append)) : plain.append(append)),
  }
  const errors: unknown[] = []
  const counter = openSearchCounter({
    searches: openTransactor({ aggregate: searchesAggregate, log, clock, random: () => 0, cachedStreams: 2 }),
    clock,
    nodeId: 'node',
    onError: error => errors.push(error),
    ...more,
  })
  const batches = async (): Promise<readonly SearchesBatch[]> => {
    const found: SearchesBatch[] = []
    for await (const { events } of log.readAll(0n)) for (const { data } of events) found.push(data as SearchesBatch)
    return found
  }
  t.teardown(() => counter.close())
  return { clock, log, store, faults, errors, counter, batches }
}

t.test('one event a batch with the counts of that batch; none while nobody searches', async t => {
  const { clock, counter, batches } = open(t)
  for (let n = 0; n < 40; n += 1) counter.count('exact')
  counter.count('fuzzy')
  counter.count('nothing')
  t.equal(counter.pending(), 42)
  await clock.advance(29_999)
  t.strictSame(await batches(), [], 'not before its time')
  await clock.advance(1)
  await until('it is sent', () => counter.pending() === 0)
  const first = { node: 'node', batch: 0, day: '2026-11-23', counts: { exact: 40, fuzzy: 1, nothing: 1 } }
  t.strictSame(await batches(), [first])
  await clock.advance(30_000)
  t.equal((await batches()).length, 1, 'an idle node writes nothing')
  counter.count('stem')
  await clock.advance(30_000)
  await until('the next is sent', () => counter.pending() === 0)
  t.strictSame((await batches())[1], { node: 'node', batch: 1, day: '2026-11-24', counts: { stem: 1 } })
})

t.test('a batch is sent at once when it is full', async t => {
  const { counter, batches } = open(t, { most: 3 })
  for (let n = 0; n < 3; n += 1) counter.count('prefix')
  await until('it is sent', () => counter.pending() === 0)
  t.match(await batches(), [{ counts: { prefix: 3 } }])
})

t.test('a day ends at midnight, UTC', async t => {
  const { clock, counter, batches } = open(t, { everyMs: 120_000 })
  counter.count('exact')
  await clock.advance(60_000)
  counter.count('exact')
  await counter.close()
  t.match(await batches(), [
    { day: '2026-11-23', counts: { exact: 1 } },
    { day: '2026-11-24', counts: { exact: 1 } },
  ])
})

t.test('a store that is away: counts wait, and each counts once', async t => {
  const { clock, counter, batches, faults, errors } = open(t)
  let wrote = false
  // It is written and nobody hears of it; then the store is away altogether.
  faults.append = async write => {
    if (!wrote) await write()
    wrote = true
    return { outcome: 'unknown', cause: 'the answer was lost' }
  }
  counter.count('exact')
  await clock.advance(30_000)
  for (let n = 0; n < 20 && errors.length === 0; n += 1) await clock.advance(5_000)
  t.match(String(errors[0]), /outcome-unknown/)
  t.equal(counter.pending(), 1, 'it is not known to be there')
  for (let n = 0; n < 5_000; n += 1) counter.count('exact')
  const failures = errors.length
  for (let n = 0; n < 40 && errors.length === failures; n += 1) await clock.advance(5_000)
  t.equal(counter.pending(), 5_000, 'the first is found in the log; the second, which was not written, waits')
  counter.count('case')
  delete faults.append
  for (let n = 0; n < 10 && counter.pending() > 0; n += 1) await clock.advance(30_000)
  t.match(await batches(), [
    { batch: 0, counts: { exact: 1 } },
    { batch: 1, counts: { exact: 5_000 } },
    { batch: 2, counts: { case: 1 } },
  ])
  t.equal((await batches()).length, 3, 'the first was not written again')
})

t.test('the close appends what is pending, and does not wait for ever', async t => {
  const good = open(t)
  good.counter.count('nothing')
  await Promise.all([good.counter.close(), good.counter.close()])
  t.match(await good.batches(), [{ counts: { nothing: 1 } }])
  good.counter.count('exact')
  t.equal(good.counter.pending(), 0, 'after it nothing is counted')

  const bad = open(t)
  bad.faults.append = () => new Promise(() => undefined)
  bad.counter.count('exact')
  let closed = false
  const closing = bad.counter.close().then(() => {
    closed = true
  })
  await settle()
  t.notOk(closed)
  for (let n = 0; n < 10 && !closed; n += 1) await bad.clock.advance(1_000)
  await closing
  t.equal(bad.counter.pending(), 1)
})
