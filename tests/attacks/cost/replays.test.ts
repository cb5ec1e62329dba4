/** What resuming costs a node: one pass over the log for all who go over the same part of it, and a bound for each who asks. */
import t from 'tap'
import { areas } from '../../../src/app/areas.ts'
import { systemClock } from '../../../src/app/core.ts'
import { channelsOf } from '../../../src/app/declared.ts'
import { openHub } from '../../../src/core/live/hub.ts'
import { type ReplayPage, replayPageBytes } from '../../../src/core/live/replays.ts'
import type { LiveSink } from '../../../src/core/live/transport.ts'
import { type Place, placeOf } from '../../../src/core/log/log.ts'
import { openMemory } from '../../../src/core/memory/memory.ts'
import type { LogFilter } from '../../../src/ports/event-store.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { anonymousPermissions } from '../../support/roles.ts'
import { until } from '../../support/until.ts'

const EVENTS = 60
const SIZES = [10, 40] as const
const SUBSCRIPTIONS = 100
const BYTES = 64 * 1024 * 1024
const START: Place = { position: 0n, mark: '' }

const channel = channelsOf(areas).find('entries')
if (!channel) throw new Error('There is no channel entries.')

const openCase = (t: { teardown(fn: () => unknown): unknown }, most = 100_000, bytes = BYTES) => {
  const log = memoryLog({ page: 20 })
  const events = Array.from({ length: EVENTS }, () => log.write('entry-1', 'EntryPublished'))
  const last = events.at(-1)
  if (!last) throw new Error('The log is empty.')
  const ending = new AbortController()
  let decoded = 0
  const faults: unknown[] = []
  const hub = openHub({
    log: {
      ...log,
      types: new Map(),
      readAll: async function* (after: bigint, filter?: LogFilter) {
        for await (const batch of log.readAll(after, filter)) {
          decoded += batch.events.length
          // A page takes a moment: others come meanwhile.
          await new Promise(resolve => setImmediate(resolve))
          yield batch
        }
      },
    },
    // It stands still, so that no page grows old and no turn ends on a busy machine.
    clock: { ...systemClock, monotonic: () => 0 },
    signal: ending.signal,
    from: placeOf(last),
    news: [],
    tokenOf: ({ position }) => String(position),
    standings: { refresh: async () => undefined, note: () => undefined, of: () => undefined },
    replays: most,
    pages: openMemory(bytes).region('replays').cache<ReplayPage>({ max: 16, sizeOf: replayPageBytes }),
    onError: error => faults.push(error),
  })
  t.teardown(() => ending.abort())
  const resume = (sink: LiveSink, id: string, after: Place) =>
    hub.subscribe({ id, channel, filter: {}, listener: { permissions: anonymousPermissions }, after }, sink)
  return { hub, events, faults, resume, decoded: () => decoded }
}

/** Takes all at once, unless `takes` says how many events at a time; then it is drained a turn later. */
const openSink = (owner: string, takes = Number.POSITIVE_INFINITY) => {
  const got: string[] = []
  const caughtUp = new Set<string>()
  let waits = 0
  const sink: LiveSink = {
    owner,
    transport: {
      name: 'words',
      encode: ({ op, id }) => Buffer.from(`${op} ${id}`),
      around: ({ after }) => ({ before: Buffer.from(`event ${after} `), after: Buffer.alloc(0) }),
      join: ({ before }, id) => Buffer.concat([before, id]),
    },
    send: bytes => {
      const text = String(bytes)
      if (text.startsWith('event')) waits += got.push(text) > 0 ? 1 : 0
      if (text.startsWith('caught-up ')) caughtUp.add(text.slice('caught-up '.length))
    },
    flush: () => undefined,
    alone: () => false,
    full: () => waits >= takes,
    drained: async () => {
      await new Promise(resolve => setImmediate(resolve))
      waits = 0
      return true
    },
    tooSlow: () => got.push('too slow'),
  }
  return { sink, got, caughtUp }
}

t.test(
  'sockets with a hundred subscriptions each that resume: the log is read once, however many they are',
  async t => {
    for (const size of SIZES) {
      const { hub, resume, decoded, faults } = openCase(t)
      const sockets = Array.from({ length: size }, (_, n) => openSink(`account ${n}`))
      for (const { sink } of sockets) for (let n = 0; n < SUBSCRIPTIONS; n += 1) resume(sink, `${n}`, START)
      t.equal(hub.stats().replays, size * SUBSCRIPTIONS)
      await until('all to have caught up', () => sockets.every(({ caughtUp }) => caughtUp.size === SUBSCRIPTIONS))
      t.equal(decoded(), EVENTS, `${size} sockets`)
      t.equal(hub.stats().replayed, EVENTS)
      t.equal(hub.stats().replays, 0)
      for (const { got } of sockets) t.equal(new Set(got).size, EVENTS * SUBSCRIPTIONS, 'each has each event, once')
      for (const { got } of sockets) t.equal(got.length, EVENTS * SUBSCRIPTIONS)
      t.strictSame(faults, [])
    }
  },
)

t.test('of one account, each after another position: they meet, and the log is read once', async t => {
  for (const size of SIZES) {
    const { resume, decoded, events } = openCase(t)
    const { sink, got, caughtUp } = openSink('an account')
    for (let n = 0; n < size; n += 1) {
      // From the end backwards, so that whoever comes first is not the one that is furthest back.
      const event = events[EVENTS - 2 - n]
      resume(sink, `${n}`, event ? placeOf(event) : START)
    }
    resume(sink, 'first', START)
    await until('all to have caught up', () => caughtUp.size === size + 1)
    t.equal(decoded(), EVENTS, `${size} positions`)
    for (let n = 0; n < size; n += 1)
      t.equal(got.filter(each => each.endsWith(` "${n}"`)).length, n + 1, 'what came after its position')
  }
})

t.test('readers that take little at a time: pages that were read are kept for them', async t => {
  for (const size of SIZES) {
    const { resume, decoded } = openCase(t)
    const sockets = Array.from({ length: size }, (_, n) => openSink(`account ${n}`, 3 + (n % 5)))
    for (const { sink } of sockets) resume(sink, 'a', START)
    await until('all to have caught up', () => sockets.every(({ caughtUp }) => caughtUp.size === 1))
    for (const { got } of sockets) t.equal(got.length, EVENTS)
    t.ok(decoded() <= 2 * EVENTS, `${size} sockets: ${decoded()} events`)
  }
})

t.test('an account, or an address, resumes so many at once, and more when one of them has caught up', async t => {
  const { hub, resume } = openCase(t, 3)
  const [one, other] = [openSink('one'), openSink('other')]
  const begun = ['a', 'b', 'c'].map(id => resume(one.sink, id, START))
  t.ok(begun.every(leave => leave !== undefined))
  t.equal(resume(one.sink, 'd', START), undefined)
  t.notOk(one.got.length > 0 || one.caughtUp.has('d'))
  t.ok(resume(other.sink, 'a', START), 'another one has a number of its own')
  begun[0]?.()
  begun[0]?.()
  t.ok(resume(one.sink, 'd', START), 'who leaves makes room, once')
  t.equal(resume(one.sink, 'e', START), undefined)
  await until('all to have caught up', () => one.caughtUp.size === 3 && other.caughtUp.size === 1)
  t.equal(hub.stats().replays, 0)
  t.ok(resume(one.sink, 'e', START))
})
