/** A cluster of EventStoreDB: the leader changes, a follower is named, a node is cut off from the others and does not know it. */
import t from 'tap'
import { lookAtEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/look.ts'
import { openEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/store.ts'
import { diagnoseEventStore } from '../../src/app/eventstore.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { fastClock, patientClock } from '../support/clocks.ts'
import { openEventStoreCluster } from '../support/esdb/cluster.ts'
import { idsOf, newEvent, newEvents, readLog, readWhole, tail, written } from '../support/event-stores.ts'
import { until } from '../support/until.ts'

const clock = fastClock(1)

t.test('the leader changes while events are written and read: each is there once, in order', async t => {
  const cluster = await openEventStoreCluster(3)
  t.teardown(() => cluster.close())
  const store = await openEventStoreDb({ url: cluster.url('defaultDeadline=1500'), clock })
  t.teardown(() => store.close())
  const following = tail(store, 0n)
  const events = newEvents(60)
  for (const [index, event] of events.entries()) {
    // By its own will, and by its death.
    if (index === 15) cluster.lead(1)
    if (index === 35) {
      cluster.lead(2)
      await cluster.nodes[1]?.stop()
    }
    await until(`event ${index}`, async saw => {
      const result = await store.append('a-1', index === 0 ? 'none' : BigInt(index - 1), [event]).catch(error => {
        if (error instanceof EventStoreError && error.code === 'unavailable') return error
        throw error
      })
      saw(result)
      if (result instanceof Error || result.outcome === 'unknown') return false
      t.equal(written(result).revision, BigInt(index))
      return true
    })
    if (index % 10 === 5) t.equal((await readWhole(store, 'a-1')).length, index + 1, 'what was written can be read')
  }
  await until('all of them', saw => {
    saw(following.events.length)
    return following.events.length === events.length
  })
  t.same(idsOf(following.events), idsOf(events))
  t.same(idsOf((await readLog(store, 0n)).events), idsOf(events))
  await following.stop()
})

t.test('who names a follower is led to the leader, and doctor says so', async t => {
  const cluster = await openEventStoreCluster(3)
  t.teardown(() => cluster.close())
  const [leader, follower] = cluster.nodes
  if (!leader || !follower) throw new Error('three nodes were opened')
  cluster.leaveBehind(1)
  const store = await openEventStoreDb({ url: follower.url(), clock })
  t.teardown(() => store.close())
  const events = newEvents(3)
  written(await store.append('a-1', 'none', events))
  t.same(idsOf((await readLog(store, 0n)).events), idsOf(events), 'not the state of the follower, which is behind')
  t.match(await lookAtEventStoreDb(follower.url('connectionName=look'), clock), {
    leader: `127.0.0.1:${leader.port}`,
    logId: store.logId,
  })
  const { findings, facts } = await diagnoseEventStore(follower.url('connectionName=doctor'), clock)
  t.match(findings, [
    { state: 'ok', detail: /EventStoreDB 23\.10\.6/ },
    { state: 'warning', detail: new RegExp(`a follower of its cluster; the leader is 127\\.0\\.0\\.1:${leader.port}`) },
    { state: 'ok', detail: new RegExp(`log ${store.logId}`) },
  ])
  t.equal(facts?.logId, store.logId)
  await leader.stop()
  const without = await diagnoseEventStore(follower.url('connectionName=alone'), clock)
  t.match(without.findings, [
    {
      state: 'failed',
      detail: new RegExp(`it is a follower, and its leader, 127\\.0\\.0\\.1:${leader.port}, is asked`),
    },
  ])
})

t.test('a node that is cut off from the others ends no reading early and holds no follower up', async t => {
  const cluster = await openEventStoreCluster(3)
  t.teardown(() => cluster.close())
  const store = await openEventStoreDb({ url: cluster.url(), clock: patientClock() })
  t.teardown(() => store.close())
  const others = await openEventStoreDb({ url: cluster.url('connectionName=others'), clock })
  t.teardown(() => others.close())
  const following = tail(store, 0n)
  const first = newEvents(3)
  written(await store.append('a-1', 'none', first))
  await until('the first events', () => following.events.length === 3)
  // The subscription stands on the old leader, whose connection is well and which will never hear of anything again.
  cluster.leaveBehind(0)
  cluster.lead(1)
  const more = Array.from({ length: 5 }, (_, n) => newEvent('Noted', n))
  await until('an append at the new leader', async saw => {
    const result = await others.append('b-1', 'none', more).catch((error: unknown) => error)
    saw(result)
    return Object(result).outcome === 'written'
  })
  t.same(idsOf((await readLog(store, 0n)).events), idsOf([...first, ...more]), 'a reading is of the leader')
  t.same(idsOf((await readLog(store, 0n, { categories: ['b'] })).events), idsOf(more))
  await until('the followers to hear of it', saw => {
    saw(following.events.length)
    return following.events.length === 8
  })
  t.same(idsOf(following.events), idsOf([...first, ...more]))
  t.ok(store.stats().restarts > 0)
  await following.stop()
})
