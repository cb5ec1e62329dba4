/** What goes wrong between the service and an EventStoreDB, each as it was seen on a real server, on the double of its protocol. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventStoreDBClient } from '@eventstore/db-client'
import t, { type Test } from 'tap'
import { checkConsumers } from '../../src/adapters/doctor/engines.ts'
import { PATIENCE_MS } from '../../src/adapters/eventstore/eventstoredb/reader.ts'
import { type EventStoreDbOptions, openEventStoreDb } from '../../src/adapters/eventstore/eventstoredb/store.ts'
import { diagnoseEventStore } from '../../src/app/eventstore.ts'
import { readEventStoreDbAddress } from '../../src/config/eventstoredb.ts'
import { type AppendResult, EventStoreError, type StoredEvent } from '../../src/ports/event-store.ts'
import { type FakeClock, fakeClock, fastClock, patientClock } from '../support/clocks.ts'
import type { Fault } from '../support/esdb/faults.ts'
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

const open = async (
  t: Test,
  more: { readonly server?: DoubleOptions; readonly store?: Partial<EventStoreDbOptions>; readonly url?: string } = {},
) => {
  const server = await openEventStoreDouble(more.server)
  t.teardown(() => server.close())
  const store = await openEventStoreDb({ url: server.url(more.url), clock, ...more.store })
  t.teardown(() => store.close())
  return { server, store }
}

/** As the write side does: the same events at the same revision, until the outcome is known. */
const resend = (send: () => Promise<AppendResult>): Promise<AppendResult> =>
  until('an outcome that is known', async saw => {
    const result = await send().catch((error: unknown) => {
      if (error instanceof EventStoreError && error.code === 'unavailable') return undefined
      throw error
    })
    saw(result)
    return result && result.outcome !== 'unknown' && result
  })

/** Moves the time on until the work is done: nothing but time ends what is never answered. */
const inTime = async <T>(clock: FakeClock, work: Promise<T>): Promise<T> => {
  let over = false
  const settled = work.finally(() => {
    over = true
  })
  settled.catch(() => undefined)
  await until('an end', async () => {
    await clock.advance(PATIENCE_MS)
    return over
  })
  return settled
}

const failure = async (work: Promise<unknown>): Promise<EventStoreError> => {
  try {
    await work
  } catch (error) {
    if (error instanceof EventStoreError) return error
    throw error
  }
  throw new Error('it did not fail')
}

t.test('the double answers events that are sent again as the real server was seen to', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  for (const batch of [true, false]) {
    const client = EventStoreDBClient.connectionString(server.url())
    t.teardown(() => client.dispose())
    const event = (id = randomUUID()) => ({
      id,
      type: 'T',
      contentType: 'application/json' as const,
      data: { n: 1 },
      metadata: undefined,
    })
    const login = batch ? {} : { credentials: { username: 'a', password: 'b' } }
    const send = async (
      stream: string,
      events: ReturnType<typeof event>[],
      expectedRevision: 'any' | 'no_stream' | 'stream_exists' | bigint,
    ) => {
      try {
        const { nextExpectedRevision } = await client.appendToStream(stream, events, { expectedRevision, ...login })
        return nextExpectedRevision
      } catch (error) {
        return error instanceof Error && 'type' in error ? error.type : error
      }
    }
    const count = (stream: string): number => server.log.stream(stream)?.length ?? 0
    const [a, b, c] = [event(), event(), event()]
    const stream = newStream()
    t.equal(await send(stream, [a, b], 'no_stream'), 1n)
    t.equal(await send(stream, [c], 1n), 2n)
    t.equal(await send(stream, [a, b], 'no_stream'), 1n, 'the original revision: the original result')
    t.equal(await send(stream, [{ ...a, type: 'Other' }, b], 'no_stream'), 1n, 'other content under the same ids too')
    t.equal(await send(stream, [a, b], 'any'), 1n)
    t.equal(await send(stream, [a, b], 'stream_exists'), 1n)
    for (const [events, at] of [
      [[b, a], 'no_stream'],
      [[a, event()], 'any'],
      [[a], 0n],
      [[a], 7n],
      [[a, b, event()], 'no_stream'],
    ] as const)
      t.equal(await send(stream, [...events], at), 'wrong-expected-version')
    t.equal(count(stream), 3)
    t.equal(await send(stream, [c], 2n), 3n, 'the current last revision: written again')
    t.equal(await send(stream, [event(), a], 'any'), 5n, 'a new one first: written')
    const twice = event()
    t.equal(await send(stream, [twice, twice], 5n), 7n)
    t.equal(await send(newStream(), [a], 'no_stream'), 0n, 'ids are per stream')
    t.equal(await send(newStream(), [a], 'stream_exists'), 'wrong-expected-version')
    t.equal(await send(stream, [], 7n), 7n)
    server.log.restart()
    t.equal(await send(stream, [a, b], 'no_stream'), 1n, 'after a restart too')
    t.equal(await send(stream, [a, b], 'any'), 9n, 'but not with any: a duplicate')
    await client.deleteStream(stream)
    t.equal(await send(stream, [a], 'no_stream'), 10n, 'softly deleted: goes on at its next revision')
    await client.tombstoneStream(stream)
    t.equal(await send(stream, [a], 'any'), 'stream-deleted')
  }
})

t.test('an append whose outcome is unknown is resolved by the same events at the same revision', async t => {
  const faults: readonly Fault[] = [
    { kind: 'lose-answer' },
    { kind: 'drop' },
    { kind: 'not-leader', host: '127.0.0.1', port: 1 },
    { kind: 'overloaded' },
    { kind: 'timeout', written: true },
    { kind: 'timeout', written: false },
    { kind: 'freeze' },
  ]
  for (const batch of [true, false]) {
    const { server, store } = await open(t, { server: { batch }, url: 'defaultDeadline=400' })
    for (const fault of faults) {
      if (!batch && fault.kind === 'timeout') continue
      const label = `${JSON.stringify(fault)}, ${batch ? 'batch' : 'classic'}`
      const stream = newStream()
      const events = newEvents(2)
      const order = fault.kind === 'not-leader' ? { ...fault, port: server.port } : fault
      server.faults.order('append', order)
      const first = await store.append(stream, 'none', events).catch((error: unknown) => error)
      t.match(first, { outcome: 'unknown' }, `${label}: unknown`)
      const again = written(await resend(() => store.append(stream, 'none', events)))
      t.equal(again.revision, 1n, label)
      t.same(idsOf(await readWhole(store, stream)), idsOf(events), `${label}: there once`)
    }
    t.equal(store.stats().waiting, 0)
  }
})

t.test(
  'every append in the air when the connection dies gets an answer, and the log has each once, in order',
  async t => {
    const { server, store } = await open(t, { url: 'defaultDeadline=2000' })
    const streams = Array.from({ length: 40 }, () => ({ name: newStream(), events: newEvents(5) }))
    let cuts = 0
    const cutting = (async () => {
      for (; cuts < 4; cuts += 1) {
        await clock.sleep(40)
        server.cut()
      }
    })()
    await Promise.all(
      streams.map(async ({ name, events }) => {
        for (const [index, event] of events.entries()) {
          await clock.sleep(20)
          const at = index === 0 ? 'none' : BigInt(index - 1)
          t.equal(written(await resend(() => store.append(name, at, [event]))).revision, BigInt(index))
        }
      }),
    )
    await cutting
    for (const { name, events } of streams) t.same(idsOf(await readWhole(store, name)), idsOf(events))
  },
)

t.test('a server that is away: unavailable, nothing half-written, and all goes on once it is back', async t => {
  for (const discover of [false, true]) {
    const server = await openEventStoreDouble()
    t.teardown(() => server.close())
    const url = discover
      ? server.url('maxDiscoverAttempts=2&discoveryInterval=20').replace('esdb:', 'esdb+discover:')
      : server.url('defaultDeadline=1000')
    const store = await openEventStoreDb({ url, clock })
    t.teardown(() => store.close())
    const stream = newStream()
    const following = tail(store, 0n)
    written(await store.append(stream, 'none', newEvents(1)))
    await following.until(() => following.events.length === 1)
    await server.stop()
    const seen: unknown[] = []
    for (let n = 0; n < 4; n += 1)
      seen.push(
        await store.append(newStream(), 'none', newEvents(1)).then(
          result => result.outcome,
          (error: EventStoreError) => error.code,
        ),
      )
    t.ok(
      seen.every(each => each === 'unknown' || each === 'unavailable'),
      seen.join(),
    )
    t.equal(await codeOf(readWhole(store, stream)), 'unavailable')
    t.equal(await codeOf(store.head()), 'unavailable')
    t.equal(await codeOf(readLog(store, 0n)), 'unavailable')
    await server.start()
    t.equal(written(await resend(() => store.append(stream, 0n, newEvents(1)))).revision, 1n, 'appends go on')
    const all = server.log.all.filter(each => !/^[$_]/.test(each.stream))
    await following.until(() => following.events.length === all.length)
    t.same(idsOf(following.events), idsOf(all), 'a follower has each event once, in order')
    await following.stop()
    t.ok(store.stats().restarts > 0)
  }
})

t.test('a subscription that is dropped, cut, or sent things twice goes on without a gap or a repeat', async t => {
  const { server, store } = await open(t)
  const faults: readonly Fault[] = [
    { kind: 'too-slow', after: 7 },
    { kind: 'drop-after', after: 5 },
    { kind: 'duplicates' },
    { kind: 'drop' },
    { kind: 'overloaded' },
    { kind: 'not-leader', host: '127.0.0.1', port: server.port },
  ]
  for (const fault of faults) server.faults.order('subscribe', fault)
  const following = tail(store, 0n)
  const filtered = tail(store, 0n, { types: ['Wanted'] })
  for (let round = 0; round < 30; round += 1) {
    server.log.system('$stats-0', '$statsCollected')
    for (const type of ['Wanted', 'Other'])
      await resend(() => store.append(`c-${round}-${type}`, 'none', [newEvent(type, round)]))
    if (round % 10 === 5) server.cut()
  }
  const ours = server.log.all.filter(each => !/^[$_]/.test(each.stream))
  await following.until(() => following.events.length >= 60)
  await filtered.until(() => filtered.events.length >= 30)
  t.same(idsOf(following.events), idsOf(ours))
  t.same(idsOf(filtered.events), idsOf(ours.filter(each => each.type === 'Wanted')))
  const positions = new Set(ours.map(each => each.position))
  for (const { position } of [...following.batches, ...filtered.batches])
    t.ok(position === 0n || positions.has(position), 'progress stands on events of ours alone')
  await Promise.all([following.stop(), filtered.stop()])
})

t.test('what the server writes itself reaches nobody: statistics, links, metadata, and the id of the log', async t => {
  const { server, store } = await open(t)
  const first = newEvents(2)
  written(await store.append('a-1', 'none', first))
  for (let n = 0; n < 300; n += 1) {
    server.log.system('$stats-0', '$statsCollected')
    server.log.system('$streams', 'Noted')
    server.log.system('linked-1', '$>')
  }
  const head = server.log.all.findLast(each => each.stream === 'a-1')?.position
  t.equal(await store.head(), head, 'the head is the last event of ours')
  for (const filter of [undefined, { types: ['Noted'] }, { categories: ['a', '$streams', 'linked'] }]) {
    const { events, batches } = await readLog(store, 0n, filter)
    t.same(idsOf(events), idsOf(first), JSON.stringify(filter))
    t.equal(batches.at(-1)?.position, head)
  }
  t.same(
    await store.readAt([
      ...server.log.all
        .filter(each => each.stream !== 'a-1')
        .slice(0, 20)
        .map(each => each.position),
    ]),
    [],
  )
  const following = tail(store, head ?? 0n)
  await following.until(() => following.batches.length > 0)
  // What was scavenged since is of the server alone: a consumer at the head loses nothing of ours by it.
  for (const { position } of server.log.all.filter(each => each.stream.startsWith('$')).slice(0, 50))
    server.log.scavenge(position)
  server.cut()
  const next = newEvents(3)
  written(await resend(() => store.append('a-1', 1n, next)))
  await following.until(() => following.events.length === 3)
  t.same(idsOf(following.events), idsOf(next))
  await following.stop()
})

t.test('a filter is the server’s work, and where its checkpoints are nothing is lost', async t => {
  const { server, store } = await open(t)
  for (let n = 0; n < 30; n += 1)
    server.log.append(
      `other-${n}`,
      -1n,
      newEvents(500, 'Other').map(({ id, type }) => ({
        id,
        type,
        contentType: '',
        data: Buffer.from('{}\n{}'),
        metadata: new Uint8Array(),
      })),
    )
  const wanted = newEvents(3, 'Wanted')
  written(await store.append('few-1', 'none', wanted))
  written(await store.append('other-last', 'none', newEvents(1, 'Other')))
  const before = server.sent()
  const { events, batches } = await readLog(store, 0n, { categories: ['few'] })
  t.same(idsOf(events), idsOf(wanted))
  t.equal(batches.at(-1)?.position, await store.head())
  t.ok(server.sent() - before < 20, `${server.sent() - before} events and checkpoints came for 15,004 looked at`)
  const taken: StoredEvent[] = []
  for await (const batch of store.readAll(0n)) {
    taken.push(...batch.events)
    t.ok(
      batch.events.every(each => each.position <= batch.position),
      'a position is behind its events',
    )
    if (taken.length > 3_000) break
  }
  await until('a loop that is left to end its call at the server', () => server.open() === 0)
})

t.test('silence is an error of its own, on every call', async t => {
  const still = fakeClock()
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const store = await openEventStoreDb({ url: server.url(), clock: still })
  t.teardown(() => store.close())
  written(await store.append('a-1', 'none', newEvents(1)))
  const head = await store.head()
  server.faults.order('read', { kind: 'freeze' }, 3)
  t.equal(await inTime(still, codeOf(store.head())), 'unavailable')
  t.equal(await inTime(still, codeOf(readWhole(store, 'a-1'))), 'unavailable')
  t.equal(await inTime(still, codeOf(store.readAt([head]))), 'unavailable')
  server.faults.order('subscribe', { kind: 'freeze' }, 9)
  t.equal(await inTime(still, codeOf(readLog(store, 0n, { categories: ['b'] }))), 'unavailable')
  server.faults.clear()
  t.equal((await readLog(store, 0n)).events.length, 1, 'and it goes on')
  await until('every call to be ended', () => server.open() === 0)
})

t.test('what the client or the server would choke on is refused before it is sent', async t => {
  const { server, store } = await open(t)
  const before = server.appends()
  await t.rejects(store.append('a-1', 'none', [{ ...newEvent(), id: 'no uuid' }]), /UUIDs as event ids/)
  await t.rejects(store.append('a-1', 'none', [{ ...newEvent(), data: '{\n}' }]), /line end/)
  for (const stream of ['$all', '$stats-1', '_lexichron-log'])
    await t.rejects(store.append(stream, 'none', newEvents(1)), TypeError)
  const sound = { stream: 'b-1', expected: 'none', events: newEvents(1) } as const
  const unsound = { stream: 'b-2', expected: 'none', events: [{ ...newEvent(), id: 'no uuid' }] } as const
  await t.rejects(store.appendMany([sound, unsound]), TypeError)
  await t.rejects(store.appendMany([{ stream: '_x', expected: 'none', events: newEvents(1) }]), TypeError)
  t.equal(server.appends(), before)
  written(await store.append('a-1', 'none', newEvents(1)))
  const position = await store.head()
  t.same(await store.readAt([position + 1n, position - 1n, 1n]), [], 'where no event begins there is none')
  t.match(await failure(readLog(store, position - 1n)), { code: 'corrupt', message: /no event of this log/ })
  server.log.delete('a-1', 'any', true)
  t.match(await failure(readWhole(store, 'a-1')), { code: 'corrupt', message: /tombstoned/ })
})

t.test('the log has one id, renewed when its end is lost, and no other program’s events', async t => {
  const { server, store } = await open(t)
  const ids = await Promise.all(
    [1, 2, 3].map(async () => {
      const other = await openEventStoreDb({ url: server.url(), clock })
      await other.close()
      return other.logId
    }),
  )
  t.same(new Set([store.logId, ...ids]).size, 1)
  const kept = written(await store.append('a-1', 'none', newEvents(1)))
  const lost = written(await store.append('a-1', 0n, newEvents(1)))
  server.log.truncateAfter(kept.position)
  const restored = await openEventStoreDb({
    url: server.url('connectionName=after'),
    clock,
    seen: new Map([[store.logId, lost.position]]),
  })
  t.not(restored.logId, store.logId)
  t.same(restored.lostEnd, { logId: store.logId, seen: lost.position, head: kept.position })
  const after = await openEventStoreDb({
    url: server.url('connectionName=later'),
    clock,
    seen: new Map([[store.logId, lost.position]]),
  })
  t.equal(after.logId, restored.logId, 'said once')
  t.equal(after.lostEnd, undefined)
  // As a node does that writes on before anybody sees it: the log is longer than what had been seen, and has another history.
  const longer = written(await after.append('a-1', 0n, newEvents(1)))
  const reopened = await openEventStoreDb({
    url: server.url('connectionName=longer'),
    clock,
    seen: new Map([[after.logId, longer.position - 1n]]),
  })
  t.not(reopened.logId, after.logId, 'no event of the log is where one was seen')
  t.same(reopened.lostEnd, { logId: after.logId, seen: longer.position - 1n, head: longer.position })
  const { facts } = await diagnoseEventStore(server.url(), clock)
  const { logId, head, holds } = facts ?? { logId: '', head: 0n, holds: undefined }
  const consumers = [kept.position, longer.position, longer.position - 1n].map((position, index) => ({
    consumer: `c${index}`,
    logId,
    position: Number(position),
  }))
  const log = { logId, head: Number(head), holds: async (at: number) => (await holds?.(BigInt(at))) ?? true }
  t.match(await checkConsumers(consumers, log), [
    { state: 'note' },
    { state: 'ok' },
    { state: 'failed', detail: /at which this log has no event/ },
  ])
  await Promise.all([restored.close(), after.close(), reopened.close()])
  const foreign = await openEventStoreDouble()
  t.teardown(() => foreign.close())
  foreign.log.append('order-1', -1n, [
    { ...newEvent(), contentType: '', data: Buffer.from('{}'), metadata: Buffer.from('') },
  ])
  const refused = await failure(openEventStoreDb({ url: foreign.url(), clock, refuseForeign: true }))
  t.match(refused, { code: 'corrupt', message: /another program/ })
  t.equal(foreign.appends(), 0)
})

t.test('a server that is no use says why at the start, without the login', async t => {
  const folder = t.testdir()
  const pem = (name: string): string => join(folder, name)
  const common = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const certified = (name: string, subject: string, altName: string): { key: Buffer; certificate: Buffer } => {
    const files = ['-keyout', pem(`${name}.key`), '-out', pem(`${name}.crt`)]
    const names = ['-subj', `/CN=${subject}`, '-addext', `subjectAltName=${altName}`]
    execFileSync('openssl', ['req', ...common, ...names, ...files], { stdio: 'ignore' })
    return { key: readFileSync(pem(`${name}.key`)), certificate: readFileSync(pem(`${name}.crt`)) }
  }
  const tls = certified('own', 'localhost', 'IP:127.0.0.1')
  const login = { user: 'ops', password: 'hush hush' }
  const secure = await openEventStoreDouble({ tls, login })
  const elsewhere = await openEventStoreDouble({
    tls: certified('elsewhere', 'elsewhere.example', 'DNS:elsewhere.example'),
  })
  const plain = await openEventStoreDouble()
  const old = await openEventStoreDouble({ version: '22.10.5' })
  const ancient = await openEventStoreDouble({ features: false })
  const frozen = await openEventStoreDouble()
  for (const each of [secure, elsewhere, plain, old, ancient, frozen]) t.teardown(() => each.close())
  frozen.faults.order('features', { kind: 'freeze' }, 99)
  const withLogin = (url: string, password: string): string =>
    url.replace('//', `//ops:${encodeURIComponent(password)}@`)
  const discovering = (url: string): string => url.replace('esdb:', 'esdb+discover:')
  const ca = `tlsCAFile=${encodeURIComponent(pem('own.crt'))}`
  const good = await openEventStoreDb({ url: withLogin(secure.url(ca), login.password), clock })
  written(await good.append('a-1', 'none', newEvents(1)))
  await good.close()
  for (const [url, says] of [
    [withLogin(secure.url(ca), 'wrong hush'), /refuses the login/],
    [withLogin(secure.url(), 'hush hush'), /127\.0\.0\.1:\d+: its certificate is not trusted/],
    [withLogin(secure.url('tlsCAFile=%2Fnowhere'), 'hush hush'), /tlsCAFile cannot be read/],
    [withLogin(plain.url().replace('tls=false', 'tls=true'), 'hush hush'), /127\.0\.0\.1:\d+: it does not speak TLS/],
    [withLogin(old.url(), 'hush hush'), /22\.10\.5, which is too old/],
    [withLogin(ancient.url(), 'hush hush'), /does not tell, which is too old/],
    [withLogin(frozen.url(), 'hush hush'), /gave no answer in 6000 ms/],
    ['esdb://ops:hush%20hush@127.0.0.1:1?tls=false', /cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:1\)/],
    [
      'esdb+discover://ops:hush%20hush@127.0.0.1:1?tls=false&maxDiscoverAttempts=1',
      /cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:1\)/,
    ],
    [
      discovering(withLogin(secure.url('maxDiscoverAttempts=1'), 'hush hush')),
      /127\.0\.0\.1:\d+: its certificate is not trusted/,
    ],
    [
      'esdb+discover://ops:hush%20hush@nowhere.invalid:1?tls=false&maxDiscoverAttempts=1',
      /cannot be reached \(its name is not known here\)/,
    ],
    [
      elsewhere.url(`tlsCAFile=${encodeURIComponent(pem('elsewhere.crt'))}`),
      /127\.0\.0\.1:\d+: its certificate is for another host name/,
    ],
    ['esdb://ops:hush%20hush@nowhere.invalid:1?tls=false', /cannot be reached \(its name is not known here\)/],
  ] as const) {
    // Only one that never answers needs time to go by.
    const own = fakeClock()
    const opening = failure(openEventStoreDb({ url, clock: own }))
    const { message } = await (url.includes(String(frozen.port)) ? inTime(own, opening) : opening)
    t.match(message, says)
    t.notMatch(message, /hush/, 'no password')
    const { findings } = await diagnoseEventStore(url, patientClock())
    const doctors = url.includes(`:${frozen.port}`) ? /gave no answer in 5000 ms/ : says
    t.match(findings, [{ check: 'event store', state: 'failed', detail: doctors }], `doctor: ${message}`)
    t.notMatch(JSON.stringify(findings), /hush/)
  }
  for (const [url, says] of [
    ['esdb://', /is not esdb/],
    ['http://x', /is not esdb/],
    ['esdb://a:b:c', /a host that is not/],
    ['esdb://h:99999', /a host that is not/],
    ['esdb://h,?tls=true', /a host that is not/],
    ['esdb://secret@h', /login that is not/],
    ['esdb://u:%zz@h', /login that is not/],
    ['esdb://h?tls=maybe', /has to be true or false/],
    ['esdb://h?keepAliveInterval=5', /10000 up/],
    ['esdb://h?throwOnAppendFailure=false', /not known/],
    ['esdb://h?userCertFile=a', /go together/],
    ['esdb://h?nodePreference=best', /one of leader/],
    ['esdb://h?constructor=1', /option constructor, which is not known/],
    ['esdb://h?__proto__=1', /option __proto__, which is not known/],
  ] as const)
    t.match(readEventStoreDbAddress(url), { fault: says }, url)
  t.match(readEventStoreDbAddress('esdb+discover://u:p%40@db.example,[::1]:9/?nodePreference=readOnlyReplica'), {
    discover: true,
    tls: true,
    nodePreference: 'read_only_replica',
    login: { username: 'u', password: 'p@' },
    shown: 'esdb+discover://db.example:2113,[::1]:9',
  })
})
