/** Connections to an EventStoreDB that say nothing, answers that come too late, outages, and a log that loses its end meanwhile. */
import t, { type Test } from 'tap'
import { openEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/store.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { fakeClock, fastClock, patientClock } from '../support/clocks.ts'
import { openEventStoreDouble } from '../support/esdb/server.ts'
import { idsOf, newEvents, newStream, readWhole, tail, written } from '../support/event-stores.ts'
import { openProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const behindProxy = async (t: Test) => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const proxy = await openProxy(t, server.url())
  const store = await openEventStoreDb({ url: proxy.through(server.url()), clock: patientClock() })
  t.teardown(() => store.close())
  return { server, proxy, store }
}

/** The same events at the same revision until it is known that they are written; what was answered before. */
const insist = async (send: () => Promise<{ readonly outcome: string }>): Promise<readonly string[]> => {
  const answers: string[] = []
  await until('the append', async saw => {
    const answer = await send().then(
      result => result.outcome,
      (error: unknown) => (error instanceof EventStoreError ? error.code : String(error)),
    )
    saw(answers)
    if (answer === 'written') return true
    answers.push(answer)
    return false
  })
  return answers
}

t.test('a connection that says nothing any more is left, for appends, readings and the subscription', async t => {
  const { proxy, store } = await behindProxy(t)
  const following = tail(store, 0n)
  const events = newEvents(2)
  written(await store.append('a-1', 'none', events.slice(0, 1)))
  await until('the first event', () => following.events.length === 1)
  proxy.lose()
  const answers = await insist(() => store.append('a-1', 0n, events.slice(1)))
  t.ok(answers.includes('unknown'), `sent and not answered: ${answers.join()}`)
  t.same(idsOf(await readWhole(store, 'a-1')), idsOf(events))
  await until('the second event', () => following.events.length === 2)
  t.same(idsOf(following.events), idsOf(events), 'each once')
  await following.stop()
})

t.test('nor is a connection waited for that was made while nobody answered', async t => {
  const { server, proxy, store } = await behindProxy(t)
  const following = tail(store, 0n)
  written(await store.append('a-1', 'none', newEvents(1)))
  await until('the first event', () => following.events.length === 1)
  proxy.hold()
  // The client takes a new connection, which is made and then says nothing: no ping has ever begun on it.
  proxy.lose()
  const late = store.append('a-1', 0n, newEvents(1)).catch((error: unknown) => error)
  t.match(await late, { outcome: 'unknown' })
  await t.rejects(store.head(), { code: 'unavailable' })
  t.match(await store.append('a-1', 0n, newEvents(1)).catch((error: unknown) => error), {
    code: 'unavailable',
    message: /nothing|does not answer/,
  })
  await until('a connection of that time', () => proxy.connections() > 1)
  proxy.lose()
  proxy.heal()
  await insist(() => store.append('a-1', 0n, newEvents(1)))
  await until('all events', () => following.events.length === 2)
  t.equal(server.log.stream('a-1')?.length, 2, 'what was never sent was never written')
  await following.stop()
})

t.test('what one server answers after another one has failed ends nothing', async t => {
  const servers = [await openEventStoreDouble(), await openEventStoreDouble()] as const
  const [slow, failing] = servers
  for (const server of servers) t.teardown(() => server.close())
  const clock = fastClock(1)
  const stores = await Promise.all(servers.map(server => openEventStoreDb({ url: server.url(), clock })))
  for (const store of stores) t.teardown(() => store.close())
  const [one, other] = stores
  if (!one || !other) throw new Error('two stores were opened')
  for (const store of stores) written(await store.append('a-1', 'none', newEvents(1)))
  // The client has one table of appends for the process: the failure of the second empties it of those of the first.
  const late = Promise.withResolvers<void>()
  slow.faults.order('append', { kind: 'hold', until: late.promise })
  failing.faults.order('append', { kind: 'drop' })
  const events = newEvents(2)
  const waiting = one.append('a-1', 0n, events)
  await until('the first to be on its way', () => slow.appends() === 3)
  t.match(await other.append('a-1', 0n, newEvents(1)), { outcome: 'unknown' })
  t.match(await waiting, { outcome: 'unknown' }, 'it was written, and nobody knows')
  // The answer to the next one is behind it on the same call.
  late.resolve()
  t.equal(written(await one.append('a-1', 0n, events)).revision, 2n, 'and what comes late ends no process')
  t.same(idsOf(await readWhole(one, 'a-1')).slice(1), idsOf(events))
})

t.test('in an outage nobody pauses for longer than a few seconds, so that all are back soon after it', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  // Whoever discovers in vain gets another client, each time.
  const url = server.url('maxDiscoverAttempts=1&discoveryInterval=1').replace('esdb:', 'esdb+discover:')
  const clock = fastClock(1)
  const slept: number[] = []
  const store = await openEventStoreDb({
    url,
    clock: {
      ...clock,
      sleep: (ms, signal) => {
        slept.push(ms)
        // Deadlines keep their length; pauses need none.
        return clock.sleep(ms < 5_000 ? Math.min(ms, 20) : ms, signal)
      },
    },
  })
  const following = tail(store, 0n)
  written(await store.append('a-1', 'none', newEvents(1)))
  await until('the first event', () => following.events.length === 1)
  await server.stop()
  slept.length = 0
  await until('many tries', async saw => {
    saw(store.stats())
    await store.append(newStream(), 'none', newEvents(1)).catch(() => undefined)
    return store.stats().restarts > 20
  })
  const pauses = slept.filter(ms => ms < 5_000)
  t.ok(pauses.length > 15, `${pauses.length} pauses`)
  t.ok(Math.max(...pauses) <= 3_000, 'no pause is longer than a few seconds, with its jitter')
  t.ok(new Set(pauses).size > 10, 'no two are alike')
  await server.start()
  await insist(() => store.append('a-1', 0n, newEvents(1)))
  await until('the second event', () => following.events.length === 2)
  await following.stop()
  await store.close()
})

t.test('a log that loses its end while it is read says so to every consumer', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const store = await openEventStoreDb({ url: server.url(), clock: patientClock() })
  t.teardown(() => store.close())
  const kept = written(await store.append('a-1', 'none', newEvents(2)))
  written(await store.append('a-1', 1n, newEvents(2)))
  const following = tail(store, 0n)
  await until('the events', () => following.events.length === 4)
  const said = t.rejects(following.ended, { code: 'corrupt', message: /has lost its end.*Start every node anew/ })
  await server.stop()
  server.log.truncateAfter(kept.position)
  await server.start()
  await said
  await t.rejects(tail(store, 0n).ended, { code: 'corrupt' })
})

t.test('nothing is written to a log that has lost its end while the node ran', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const clock = patientClock()
  const store = await openEventStoreDb({ url: server.url(), clock })
  t.teardown(() => store.close())
  const kept = written(await store.append('a-1', 'none', newEvents(1)))
  const following = tail(store, 0n)
  // The second is of the size that the next one has: an event stands where it stood, and is another.
  written(await store.append('a-1', 0n, newEvents(1)))
  await until('the events', () => following.events.length === 2)
  const ended = t.rejects(following.ended, { code: 'corrupt', message: /there is another event at/ })
  await server.stop()
  server.log.truncateAfter(kept.position)
  const [other] = newEvents(1)
  server.log.append('a-1', 0n, [
    {
      id: other?.id ?? '',
      type: 'Noted',
      contentType: '',
      data: Buffer.from(`${other?.data}\n${other?.meta}`),
      metadata: new Uint8Array(),
    },
  ])
  await server.start()
  const before = server.log.all.length
  const refused: EventStoreError[] = []
  await until('it to be known', async saw => {
    const error = await store.append('a-1', 1n, newEvents(1)).catch((error: unknown) => error)
    if (!(error instanceof EventStoreError)) return saw(error)
    refused.push(error)
    return error.message.includes('has lost its end')
  })
  t.equal(server.log.all.length, before, 'nothing was written, from the first append on')
  t.ok(
    refused.every(({ code }) => code === 'unavailable'),
    'as long as it is looked for as afterwards',
  )
  await ended
  const many = await store.appendMany([{ stream: 'b-1', expected: 'none', events: newEvents(1) }])
  t.match(many, [{ code: 'unavailable', message: /Start every node anew/ }])
  await t.rejects(store.head(), { code: 'unavailable', message: /has lost its end/ }, 'health asks for the head')
  t.equal(server.log.all.length, before)
})

t.test('the end waits five seconds for answers; who has none then is told that nobody knows', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const still = fakeClock()
  const store = await openEventStoreDb({ url: server.url(), clock: still })
  written(await store.append('a-1', 'none', newEvents(1)))
  server.faults.order('append', { kind: 'freeze' })
  const sent = server.appends()
  const waiting = store.append('a-1', 0n, newEvents(1))
  await until('the append to be there', () => server.appends() > sent)
  let over = false
  const closing = store.close().then(() => {
    over = true
  })
  await t.rejects(store.append('a-1', 0n, newEvents(1)), { code: 'closed' })
  await still.advance(4_999)
  t.notOk(over)
  t.equal(store.stats().waiting, 1)
  await still.advance(1)
  t.match(await waiting, { outcome: 'unknown', cause: /no answer in 5000 ms/ })
  await closing
})

t.test('what was not sent is said to be not written, what was sent never is', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const still = fakeClock()
  const store = await openEventStoreDb({ url: server.url('defaultDeadline=4000'), clock: still })
  t.teardown(() => store.close())
  written(await store.append('a-1', 'none', newEvents(1)))
  await server.stop()
  t.match(await store.append('a-1', 0n, newEvents(1)), { outcome: 'unknown' }, 'it was on its way as the end came')
  await t.rejects(store.append('a-1', 0n, newEvents(1)), { code: 'unavailable' }, 'nobody was there')
  await server.start()
  server.faults.order('features', { kind: 'freeze' }, 2)
  const asked = store.append('a-1', 0n, newEvents(1)).catch((error: unknown) => error)
  let told: unknown
  void asked.then(answer => {
    told = answer
  })
  await until('the patience to end', async () => {
    await still.advance(500)
    return told !== undefined
  })
  t.match(told, { code: 'unavailable' }, 'somebody was there and said nothing: nothing was sent')
  t.equal(server.log.stream('a-1')?.length, 1)
})
