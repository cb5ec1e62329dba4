/** Many appends in the air at once on an EventStoreDB, and what becomes of each of them when the connection is lost. */
import t from 'tap'
import { openEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/store.ts'
import { patientClock, settle } from '../support/clocks.ts'
import { openEventStoreDouble } from '../support/esdb/server.ts'
import { codeOf, newEvents, newStream } from '../support/event-stores.ts'
import { until } from '../support/until.ts'

const APPENDS = 1_000
/** What the connection takes at once is less than all of them: the rest waits on this side. */
const large = JSON.stringify({ text: 'x'.repeat(4_000) })

t.test('a connection that is lost under a thousand appends leaves each of them with an answer', async t => {
  for (const batch of [true, false]) {
    const server = await openEventStoreDouble({ batch })
    t.teardown(() => server.close())
    const store = await openEventStoreDb({ url: server.url(), clock: patientClock() })
    t.teardown(() => store.close())
    const unseen: unknown[] = []
    const note = (reason: unknown): void => void unseen.push(reason)
    process.on('unhandledRejection', note)
    t.teardown(() => process.off('unhandledRejection', note))
    const before = server.log.all.length
    // A classic append takes several writes of the client when it has several events.
    const sent = Array.from({ length: APPENDS }, () => ({
      stream: newStream(),
      events: newEvents(batch ? 1 : 30).map(event => ({ ...event, data: large })),
    }))
    const answers = sent.map(({ stream, events }) =>
      store.appendCopied(stream, 'none', events).then(
        ({ outcome }) => outcome,
        () => 'failed',
      ),
    )
    await new Promise<void>(resolve => {
      const unlisten = server.log.onWritten(() => {
        if (server.log.all.length < before + 300) return
        unlisten()
        server.cut()
        resolve()
      })
    })
    const told = await Promise.all(answers)
    await settle()
    t.same(unseen, [], 'nothing is rejected where nobody sees it')
    const written = sent.filter((_, index) => told[index] === 'written')
    t.ok(
      written.every(({ stream }) => server.log.stream(stream)),
      'what is said to be written is there',
    )
    t.equal(store.stats().waiting, 0)
    t.ok(told.includes('unknown') || told.includes('failed'), 'some had no answer when the connection was lost')
    await until('the next one to be written', async saw => {
      const code = await codeOf(store.append(newStream(), 'none', newEvents(1)))
      saw(code)
      return code === 'no error'
    })
  }
})

t.test('what comes in behind a cut is not taken by the double, as a server does not read what never came', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const store = await openEventStoreDb({ url: server.url(), clock: patientClock() })
  t.teardown(() => store.close())
  const before = server.log.all.length
  server.faults.order('append', { kind: 'delay', ms: 0 }, 3)
  server.faults.order('append', { kind: 'drop' })
  const streams = Array.from({ length: 50 }, () => newStream())
  await Promise.allSettled(streams.map(stream => store.append(stream, 'none', newEvents(1))))
  t.same(
    server.log.all.slice(before).map(({ stream }) => stream),
    streams.slice(0, 3),
  )
})
