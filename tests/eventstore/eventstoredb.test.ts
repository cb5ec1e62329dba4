/** The adapter of EventStoreDB over a server that is well: what it sends, what it refuses to send, what it reads and leaves behind. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { openConnection } from '../../src/adapters/eventstore/eventstoredb/connection.ts'
import { openReader } from '../../src/adapters/eventstore/eventstoredb/reader.ts'
import { openEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/store.ts'
import { diagnoseEventStore } from '../../src/app/eventstore.ts'
import { readEventStoreDbAddress } from '../../src/config/eventstoredb.ts'
import { type CopiedEvent, MAX_APPEND_BYTES, type StoredEvent } from '../../src/ports/event-store.ts'
import { fastClock, patientClock } from '../support/clocks.ts'
import { openDoubleLog, type Proposed } from '../support/esdb/records.ts'
import { type DoubleOptions, openEventStoreDouble } from '../support/esdb/server.ts'
import {
  codeOf,
  idsOf,
  newEvent,
  newEvents,
  newStream,
  readLog,
  readWhole,
  tail,
  written,
} from '../support/event-stores.ts'
import { until } from '../support/until.ts'

const clock = fastClock(1)

const open = async (t: Test, options: DoubleOptions = {}) => {
  const server = await openEventStoreDouble(options)
  t.teardown(() => server.close())
  const store = await openEventStoreDb({ url: server.url(), clock })
  t.teardown(() => store.close())
  return { server, store }
}

const proposed = (id = randomUUID(), type = 'T'): Proposed => ({
  id,
  type,
  contentType: 'application/octet-stream',
  data: Buffer.from('{}\n{}'),
  metadata: new Uint8Array(),
})

t.test('an append is measured as the server does: with the types, and the times of copied events', async t => {
  const { server, store } = await open(t)
  /** So many bytes of data and envelope in a thousand events, of types of forty characters. */
  const thousand = (bytes: number): StoredEvent[] =>
    Array.from({ length: 1_000 }, () => ({
      ...newEvent('a'.repeat(40)),
      data: `"${'x'.repeat(bytes / 1_000 - 4)}"`,
      meta: '{}',
    }))
  const fits = thousand(940_000)
  const sent = server.appends()
  t.equal(await codeOf(store.append('a-1', 'none', thousand(MAX_APPEND_BYTES))), 'too-large')
  await t.rejects(store.append('a-1', 'none', thousand(MAX_APPEND_BYTES)), /1105000 bytes as EventStoreDB counts them/)
  const copied = (events: readonly StoredEvent[]): CopiedEvent[] =>
    events.map(event => ({ ...event, recordedAt: '2020-02-29T12:00:00.123Z' }))
  t.equal(await codeOf(store.appendCopied('a-1', 'none', copied(fits))), 'too-large', 'their times take place too')
  const [large, small] = await store.appendMany([
    { stream: 'b-1', expected: 'none', events: thousand(MAX_APPEND_BYTES) },
    { stream: 'b-2', expected: 'none', events: newEvents(1) },
  ])
  t.match(large, { code: 'too-large' })
  t.match(small, { outcome: 'written' })
  t.equal(server.appends() - sent, 1, 'nothing too large was sent')
  t.equal(written(await store.append('a-1', 'none', fits)).revision, 999n)
})

t.test('an id is a UUID as the server gives it back', async t => {
  const { store } = await open(t)
  for (const id of [randomUUID().toUpperCase(), randomUUID().replaceAll('-', ''), `{${randomUUID()}}`, 'x'])
    await t.rejects(store.append('a-1', 'none', [{ ...newEvent(), id }]), /UUIDs as event ids/, id)
})

t.test('names with signs of expressions are names to the filter of the server', async t => {
  const { store } = await open(t)
  const odd = ['a.b', 'a+', '(x', 'y)', '[z', 'w|v', 'q*', 'r?', '^s', 'u{2}', 'back\\slash', 'm#n', 'é ü', '日本']
  const categories = odd.filter(name => !name.includes('-'))
  const sent = new Map(odd.map(name => [name, newEvent(name)]))
  for (const [name, event] of sent) written(await store.append(`${name}-1`, 'none', [event]))
  written(await store.append('axb-1', 'none', newEvents(1, 'axb')))
  for (const name of categories) {
    t.same(idsOf((await readLog(store, 0n, { categories: [name] })).events), [sent.get(name)?.id], `category ${name}`)
    t.same(idsOf((await readLog(store, 0n, { types: [name] })).events), [sent.get(name)?.id], `type ${name}`)
  }
  t.equal((await readLog(store, 0n, { categories: odd })).events.length, odd.length)
})

t.test('who leaves a reading in the middle leaves no call behind, at the server or in the client', async t => {
  const { server, store } = await open(t)
  for (let n = 0; n < 4; n += 1)
    written(await store.append('a-1', n === 0 ? 'none' : BigInt(n * 400 - 1), newEvents(400)))
  const address = readEventStoreDbAddress(server.url('connectionName=reading'))
  if ('fault' in address) throw new Error(address.fault)
  const connection = openConnection(address, clock)
  t.teardown(() => connection.close())
  const reader = openReader(connection, clock)
  // More than one page: what follows is buffered by then, its end behind it.
  for (const limit of [undefined, 600, 3, 1])
    for await (const page of reader.stream('a-1', limit === undefined ? {} : { limit })) if (page.length > 0) break
  t.ok((await reader.head()) > 0n)
  const following = await reader.follow(0n, undefined)
  await following.next(10_000)
  await following.end()
  await until('the calls to be over', () => server.open() === 0 && !connection.client().inUse)
  for await (const batch of store.subscribe(0n)) if (batch.events.length > 0) break
  await until('all but that of the process', () => server.open() === 1)
  await store.close()
  await until('that one too', () => server.open() === 0)
})

t.test('readers that are slower than the log is written miss nothing and see nothing twice', async t => {
  const { store } = await open(t)
  const abort = new AbortController()
  const seen: string[] = []
  const sent: string[] = []
  const reading = (async () => {
    for await (const batch of store.subscribe(0n, undefined, abort.signal)) {
      seen.push(...idsOf(batch.events))
      // What is kept for those at the head runs over meanwhile.
      for (let n = 0; n < batch.events.length; n += 8) await new Promise<void>(resolve => setImmediate(resolve))
    }
  })()
  for (let round = 0; round < 10; round += 1) {
    const events = newEvents(1_000)
    sent.push(...idsOf(events))
    written(await store.append(newStream(), 'none', events))
  }
  await until('all of them', saw => {
    saw(seen.length)
    return seen.length >= sent.length
  })
  abort.abort()
  await reading
  t.same(seen, sent)
})

t.test('doctor looks without writing, and says what it finds', async t => {
  const { server, store } = await open(t)
  const look = async (url = server.url('connectionName=doctor'), at = clock) =>
    (await diagnoseEventStore(url, at)).findings
  t.match(await look(), [
    { state: 'ok', detail: /EventStoreDB 23\.10\.6 at esdb:\/\/127/ },
    { state: 'ok', detail: /position 0/ },
  ])
  written(await store.append('a-1', 'none', newEvents(1)))
  t.match(await look(), [
    { state: 'ok' },
    { state: 'ok', detail: `log ${store.logId}, position ${await store.head()}` },
  ])
  const empty = await openEventStoreDouble()
  t.teardown(() => empty.close())
  t.match(await look(empty.url()), [{ state: 'ok' }, { state: 'note', detail: /holds no log yet/ }])
  t.equal(empty.appends(), 0)
  empty.log.append('order-1', -1n, [proposed()])
  t.match(await look(empty.url()), [{ state: 'ok' }, { state: 'failed', detail: /another program/ }])
  const ahead = await openEventStoreDouble({ now: () => Date.UTC(2200, 0) })
  t.teardown(() => ahead.close())
  const late = await openEventStoreDb({ url: ahead.url(), clock })
  written(await late.append('a-1', 'none', newEvents(1)))
  await late.close()
  t.match((await look(ahead.url())).at(-1), { check: 'clock and log', state: 'failed', detail: /2200-01-01/ })
  const old = await openEventStoreDouble({ version: '21.10.0' })
  t.teardown(() => old.close())
  t.match(await look(old.url()), [{ state: 'failed', detail: /^LEXICHRON_EVENT_STORE: .*21\.10\.0, which is too old/ }])
  const silent = await openEventStoreDouble()
  t.teardown(() => silent.close())
  silent.faults.order('features', { kind: 'freeze' }, 9)
  t.match(await look(silent.url(), patientClock()), [{ state: 'failed', detail: /gave no answer in 5000 ms/ }])
  t.match(await look('esdb://u:hush@h:x'), [{ state: 'failed', detail: /names a host that is not host or host:port/ }])
})

t.test('a log that is only read is not begun', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const opening = openEventStoreDb({ url: server.url(), clock, mustExist: true })
  await t.rejects(opening, { code: 'corrupt', message: /holds no log/ })
  t.equal(server.appends(), 0)
})

t.test('two stores of a process on one server share its client, and each ends for itself', async t => {
  const { server, store } = await open(t)
  const other = await openEventStoreDb({ url: server.url(), clock })
  t.equal(other.logId, store.logId)
  const following = tail(store, 0n)
  written(await other.append('a-1', 'none', newEvents(1)))
  await other.close()
  written(await store.append('a-1', 0n, newEvents(1)))
  await until('both events', () => following.events.length === 2)
  t.equal((await readWhole(store, 'a-1')).length, 2)
  await following.stop()
})

t.test(
  'the double forgets ids as the real server does: after a hundred thousand others, but never at their revision',
  async t => {
    const log = openDoubleLog(() => 0)
    const [a, b] = [proposed(), proposed()]
    t.match(log.append('s-1', -1n, [a, b]), { outcome: 'written', revision: 1n })
    t.match(log.append('s-1', 'any', [a, b]), { outcome: 'written', revision: 1n })
    t.match(log.append('s-1', 'exists', [a, b]), { outcome: 'written', revision: 1n })
    for (let n = 0; n < 100; n += 1)
      log.append(
        `o-${n}`,
        -1n,
        Array.from({ length: 1_000 }, () => proposed()),
      )
    t.match(log.append('s-1', -1n, [a, b]), { outcome: 'written', revision: 1n }, 'nothing written')
    t.match(log.append('s-1', 'exists', [a]), { outcome: 'written', revision: 2n }, 'a duplicate')
    t.match(log.append('s-1', 'any', [b]), { outcome: 'written', revision: 3n }, 'a duplicate')
  },
)

t.test('an event that does not fit the checksum in its metadata is damaged; one from before has none', async t => {
  const { server, store } = await open(t)
  written(await store.append('a-1', 'none', newEvents(4)))
  written(await store.appendCopied('b-1', 'none', [{ ...newEvent(), recordedAt: '2020-02-29T12:00:00.123Z' }]))
  const records = server.log.all.filter(each => each.stream === 'a-1')
  const [first, second, third, fourth] = records
  const [copied] = server.log.all.filter(each => each.stream === 'b-1')
  written(await store.appendCopied('c-1', 'none', [{ ...newEvent(), recordedAt: '2020-02-29T12:00:00.123Z' }]))
  const [renamed] = server.log.all.filter(each => each.stream === 'c-1')
  t.same(
    (await readWhole(store, 'b-1')).map(event => [event.damaged, event.recordedAt]),
    [[undefined, '2020-02-29T12:00:00.123Z']],
  )
  const turn = (bytes: Uint8Array | undefined, at: number): void => {
    if (bytes) bytes[at] = (bytes[at] ?? 0) ^ 1
  }
  turn(first?.data, 5)
  turn(second?.data, (second?.data.length ?? 0) - 5)
  turn(third?.metadata, 1)
  if (fourth) Object.assign(fourth, { metadata: new Uint8Array() })
  turn(copied?.metadata, (copied?.metadata.length ?? 0) - 5)
  turn(renamed?.metadata, 4)
  const damaged = (await readLog(store, 0n)).events.map(event => [event.stream, event.revision, event.damaged])
  t.same(damaged, [
    ['a-1', 0n, true],
    ['a-1', 1n, true],
    ['a-1', 2n, true],
    ['a-1', 3n, undefined],
    ['b-1', 0n, true],
    ['c-1', 0n, true],
  ])
})
