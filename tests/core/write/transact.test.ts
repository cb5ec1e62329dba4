import t from 'tap'
import type { Encoded, Log, NewEvent } from '../../../src/core/log/log.ts'
import { MAX_WAITING_ON_STREAM } from '../../../src/core/write/stream-turns.ts'
import { type Envelope, openTransactor, type Result } from '../../../src/core/write/transact.ts'
import type { Aggregate } from '../../../src/domain/decider.ts'
import type { DomainEvent } from '../../../src/domain/event.ts'
import { uuidv5 } from '../../../src/domain/ids.ts'
import { isRefusal, refuse } from '../../../src/domain/refusal.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { type Append, type AppendResult, type EventStore, EventStoreError } from '../../../src/ports/event-store.ts'
import { settle } from '../../support/clocks.ts'
import { openMemoryEventStore } from '../../support/memory-event-store.ts'

type Counted = DomainEvent<'Counted', { readonly by: number }>
const counter: Aggregate<number, Counted> = {
  category: 'counter',
  events: [{ type: 'Counted', version: 1, schema: {}, sealed: [], text: [], secrets: [], upcasters: {} }],
  initial: 0,
  evolve: (sum, event) => sum + event.data.by,
  route: sum => ({ visibility: sum > 0 ? 'public' : 'owner' }),
}
const add = (by: number) => (): readonly Counted[] => [{ type: 'Counted', data: { by } }]
const addUpTo = (most: number) => (sum: number) =>
  sum >= most ? refuse('conflict', 'full') : [{ type: 'Counted' as const, data: { by: 1 } }]

/** A clock that stands still and never waits. */
const clock: Clock = { now: () => new Date(0), monotonic: () => 0, sleep: async () => {} }

/** A log without a codec of its own: what is under test here is the loop, not the encoding. */
const plainLog = (
  store: EventStore,
): Pick<Log, 'encode' | 'append' | 'readStream' | 'readUnopened'> & { appends: Append[] } => {
  const appends: Append[] = []
  const readStream: Log['readStream'] = async function* (stream, options) {
    for await (const page of store.readStream(stream, options))
      yield page.map(event => ({ ...event, data: JSON.parse(event.data), meta: JSON.parse(event.meta) }))
  }
  return {
    appends,
    encode: async (stream, expected, events): Promise<Encoded> => ({
      stream,
      expected,
      key: undefined,
      events: events.map(({ id, type, data, meta }) => ({
        id,
        type,
        data: JSON.stringify(data),
        meta: JSON.stringify(meta),
      })),
    }),
    append: append => {
      appends.push(append)
      return store.append(append.stream, append.expected, append.events)
    },
    readStream,
    readUnopened: async function* (stream, options) {
      for await (const page of readStream(stream, options)) yield page.map(event => ({ ...event, removed: true }))
    },
  }
}

/** What stands below 0 counts as removed. */
const removable: Aggregate<number, Counted> = { ...counter, isRemoved: sum => sum < 0 }

const open = (
  store = openMemoryEventStore(),
  wrap: (log: ReturnType<typeof plainLog>) => ReturnType<typeof plainLog> = log => log,
) => {
  const log = wrap(plainLog(store))
  const transactor = () => openTransactor({ aggregate: counter, log, clock, random: () => 0, cachedStreams: 10 })
  return { store, log, transactor, node: transactor() }
}

const command = (n: number, more: Partial<Envelope> = {}): Envelope => ({
  commandId: uuidv5('6ba7b812-9dad-11d1-80b4-00c04fd430c8', String(n)),
  actor: { kind: 'service', id: 'tester' },
  correlationId: 'request-1',
  at: new Date('2026-01-02T03:04:05.006Z'),
  ...more,
})
const accepted = (result: Result<number>) => {
  if (isRefusal(result)) throw new Error(`refused: ${result.refused}`)
  return result
}

t.test('writes what was decided, with envelope and route from the state after the event', async t => {
  const { node, store } = open()
  const result = accepted(
    await node.run('counter-1', add(2), command(1, { traceparent: '00-a-b-01', fingerprint: 'f' })),
  )
  t.match(result, { state: 2, revision: 0n, replayed: false, stream: 'counter-1' })
  t.equal(result.events.length, 1)
  for await (const page of store.readStream('counter-1'))
    t.match(JSON.parse(page[0]?.meta ?? ''), {
      actor: { kind: 'service', id: 'tester' },
      at: '2026-01-02T03:04:05.006Z',
      correlationId: 'request-1',

      traceparent: '00-a-b-01',
      fingerprint: 'f',
      route: { visibility: 'public' },
      commandId: command(1).commandId,
    })
})

t.test('a repeat gets its first answer again, also from another node and after other commands', async t => {
  const { node, transactor, log } = open()
  const first = accepted(await node.run('counter-1', add(2), command(1)))
  accepted(await node.run('counter-1', add(5), command(2)))
  for (const each of [node, transactor()]) {
    const again = accepted(await each.run('counter-1', add(2), command(1)))
    t.match(again, { state: 2, revision: 0n, position: first.position, replayed: true })
  }
  t.equal(log.appends.length, 2)
  const other = await node.run('counter-1', add(9), command(1, { fingerprint: 'another body' }))
  t.match(other, { refused: 'idempotency-key-reused' })
})

t.test('one key given to two nodes at the same moment: what is recorded is answered, on both', async t => {
  const { transactor } = open()
  const [one, two] = [transactor(), transactor()]
  accepted(await two.run('counter-1', add(1), command(1)))
  const keyed = { fingerprint: 'this body' }
  accepted(await one.run('counter-1', add(2), command(2, keyed)))
  // The other one has not heard of it, and the store takes its ids for a repeat, whatever they say.
  const other = await two.run('counter-1', add(7), command(2, { fingerprint: 'another body' }))
  t.match(other, { refused: 'idempotency-key-reused' })
  t.equal((await two.load('counter-1')).state, 3, 'and keeps nothing of what it had decided')
  t.match(await two.run('counter-1', add(4), command(3, { fingerprint: 'g' })), { state: 7, replayed: false })

  accepted(await one.run('counter-1', add(10), command(4, keyed)))
  const later = { ...keyed, at: new Date('2026-01-02T03:04:06.000Z') }
  const repeat = accepted(await two.run('counter-1', add(10), command(4, later)))
  t.match(repeat, { state: 17, replayed: true }, 'of the same body: the first answer')
})

t.test('what was removed meanwhile, here or on another node, is in no first answer', async t => {
  const log = plainLog(openMemoryEventStore())
  const [one, two] = [1, 2].map(() =>
    openTransactor({ aggregate: removable, log, clock, random: () => 0, cachedStreams: 10 }),
  )
  if (!one || !two) throw new Error('two nodes')
  accepted(await one.run('counter-1', add(2), command(1)))
  accepted(await two.run('counter-1', add(-9), command(2)))
  for (const node of [one, two])
    t.match(await node.run('counter-1', add(2), command(1)), { state: -7, revision: 1n, replayed: true })
})

t.test('what another node has just written under the same command is answered as that one answered', async t => {
  const { transactor, log } = open()
  const [one, two, three] = [transactor(), transactor(), transactor()]
  accepted(await one.run('counter-1', add(1), command(1)))
  // What the others remember of the stream is from before the command.
  await two.load('counter-1')
  await three.load('counter-1')
  const first = accepted(await one.run('counter-1', add(5), command(2, { fingerprint: 'five' })))
  const later = { fingerprint: 'five', at: new Date('2026-01-02T03:04:06.000Z') }
  const again = accepted(await two.run('counter-1', add(5), command(2, later)))
  t.equal(log.appends.length, 3, 'it had to be sent to be known')
  t.match(again, { state: 6, revision: first.revision, position: first.position, replayed: true, events: [] })
  const other = await three.run('counter-1', add(7), command(2, { fingerprint: 'seven' }))
  t.match(other, { refused: 'idempotency-key-reused' }, 'what it decided is not taken for what was written')
  t.match(await three.run('counter-1', add(1), command(3)), { state: 7 }, 'nor remembered')
})

t.test(
  '256 commands are remembered, the 257th back is decided afresh and meets its own events as a conflict',
  async t => {
    const { node } = open()
    for (let n = 0; n < 257; n += 1) accepted(await node.run('counter-1', add(1), command(n)))
    t.match(await node.run('counter-1', add(1), command(1)), { replayed: true, state: 2 })
    t.match(await node.run('counter-1', add(1), command(0)), { replayed: false, revision: 257n })
  },
)

t.test('If-Match: current goes through, stale is refused whatever the cache says, and writes nothing', async t => {
  const { node, transactor } = open()
  const other = transactor()
  accepted(await node.run('counter-1', add(1), command(1)))
  accepted(await other.run('counter-1', add(1), command(2)))
  t.match(await node.run('counter-1', add(1), command(3, { ifMatch: { revision: 0n } })), {
    refused: 'revision-stale',
    context: { currentRevision: '1' },
  })
  t.match(await transactor().load('counter-1'), { revision: 1n })
  t.match(await other.run('counter-1', add(1), command(4, { ifMatch: { revision: 1n } })), { revision: 2n })
  t.match(
    await node.run('counter-1', add(1), command(5, { ifMatch: { revision: 2n } })),
    { revision: 3n },
    'the cached state was behind',
  )
})

t.test('a refusal on a cached state counts only after reading again', async t => {
  const { node, transactor } = open()
  const other = transactor()
  const drain = (sum: number): readonly Counted[] => [{ type: 'Counted', data: { by: -sum } }]
  accepted(await node.run('counter-1', add(3), command(1)))
  accepted(await other.run('counter-1', drain, command(2)))
  t.match(await node.run('counter-1', addUpTo(3), command(3)), { state: 1, revision: 2n })
  t.match(await node.run('counter-1', addUpTo(1), command(4)), { refused: 'conflict' })
})

t.test('nothing to do is a success that writes nothing, and counts only after reading again', async t => {
  const { node, log, transactor } = open()
  const ensure = (sum: number): readonly Counted[] => (sum > 0 ? [] : [{ type: 'Counted', data: { by: 1 } }])
  accepted(await node.run('counter-1', ensure, command(1)))
  t.match(await node.run('counter-1', ensure, command(2)), { replayed: false, revision: 0n, events: [] })
  t.equal(log.appends.length, 1)
  accepted(await transactor().run('counter-1', add(-1), command(3)))
  t.match(await node.run('counter-1', ensure, command(4)), { revision: 2n, state: 1 })
})

t.test('what may not be seen has no revision for who asks: that comes before a stale one', async t => {
  const { node } = open()
  accepted(await node.run('counter-1', add(1), command(1)))
  const ifMatch = { revision: 7n }
  for (const refused of ['permission-denied', 'entry-not-found'] as const) {
    const answer = await node.run('counter-1', () => refuse(refused, 'not to you'), command(2, { ifMatch }))
    t.strictSame(answer, refuse(refused, 'not to you'))
  }
  const other = await node.run('counter-1', () => refuse('conflict', 'something else'), command(2, { ifMatch }))
  t.match(
    other,
    { refused: 'revision-stale', context: { currentRevision: '0' } },
    'who may see it is told to read again',
  )
})

t.test('a conflict is decided again on the new state, and without end is given up', async t => {
  const { store, transactor } = open()
  const rivals = [transactor(), transactor(), transactor(), transactor()]
  await Promise.all(rivals.map((rival, n) => rival.run('counter-1', add(1), command(n))))
  t.match(await transactor().load('counter-1'), { state: 4, revision: 3n })

  const restless = open(store, log => ({
    ...log,
    append: async (append: Append): Promise<AppendResult> => ({ outcome: 'conflict', current: append.expected }),
  }))
  t.match(await restless.node.run('counter-1', add(1), command(9)), { refused: 'conflict' })
  t.match(await restless.node.run('counter-1', add(1), command(9, { ifMatch: { revision: 3n } })), {
    refused: 'revision-stale',
  })
})

t.test('commands on one stream take turns, so that none meets another; of too many the last is told so', async t => {
  const { node, log } = open()
  const results = await Promise.all(Array.from({ length: 200 }, (_, n) => node.run('counter-1', add(1), command(n))))
  t.match(
    accepted(results[199] ?? refuse('conflict', 'none')),
    { state: 200, revision: 199n },
    'in the order they came',
  )
  t.equal(log.appends.length, 200, 'no append was tried twice')

  // A stream that hangs keeps no other one waiting, and no more than so many of its own.
  const opened: (() => void)[] = []
  const slow = open(openMemoryEventStore(), plain => ({
    ...plain,
    append: async (append: Append): Promise<AppendResult> => {
      if (append.stream === 'counter-1') await new Promise<void>(resolve => opened.push(resolve))
      return plain.append(append)
    },
  }))
  const waiting = Array.from({ length: MAX_WAITING_ON_STREAM + 1 }, (_, n) =>
    slow.node.run('counter-1', n === 1 ? () => refuse('entry-retired', 'no') : add(1), command(n)),
  )
  await t.rejects(slow.node.run('counter-1', add(1), command(-1)), { name: 'EventStoreError', code: 'busy' })
  t.match(await slow.node.run('counter-2', add(1), command(-2)), { state: 1 })
  let freeing = true
  const all = Promise.all(waiting).finally(() => {
    freeing = false
  })
  while (freeing) {
    opened.shift()?.()
    await settle()
  }
  const done = await all
  t.match(done[1], { refused: 'entry-retired' }, 'a refusal passes the turn on')
  t.match(done.at(-1), { state: MAX_WAITING_ON_STREAM })
  const after = slow.node.run('counter-1', () => [], command(-3))
  t.match(await after, { state: MAX_WAITING_ON_STREAM }, 'the turn is free again')
})

t.test('an unknown outcome is resent, the same events at the same revision, and never decided again', async t => {
  let decided = 0
  const count = (): readonly Counted[] => {
    decided += 1
    return [{ type: 'Counted', data: { by: 1 } }]
  }
  const flaky = (answers: number, write: boolean) => {
    const sent: Append[] = []
    const opened = open(openMemoryEventStore(), log => ({
      ...log,
      append: async (append: Append): Promise<AppendResult> => {
        sent.push(append)
        const result = write || sent.length > answers ? await log.append(append) : undefined
        return sent.length > answers && result ? result : { outcome: 'unknown', cause: 'the wire was cut' }
      },
    }))
    return { ...opened, sent }
  }
  for (const write of [true, false]) {
    decided = 0
    const { node, sent } = flaky(2, write)
    t.match(await node.run('counter-1', count, command(1)), { state: 1, revision: 0n })
    t.equal(sent.length, 3)
    t.same(sent[2], sent[0])
    t.equal(decided, 1)
  }
  // The store went away before it could say: that is no answer to what was sent first.
  let asked = 0
  const away = open(openMemoryEventStore(), log => ({
    ...log,
    append: async (append: Append): Promise<AppendResult> => {
      asked += 1
      if (asked === 1) await log.append(append)
      if (asked > 1) throw new EventStoreError('unavailable', 'the disk is full')
      return { outcome: 'unknown', cause: 'the wire was cut' }
    },
  }))
  t.match(await away.node.run('counter-1', count, command(1)), { refused: 'outcome-unknown' })
  const dead = flaky(1000, true)
  t.match(await dead.node.run('counter-1', count, command(1)), { refused: 'outcome-unknown' })
  t.match(await dead.transactor().load('counter-1'), { state: 1, revision: 0n }, 'it was written once all the same')
})

t.test('a dry run answers with the events and writes nothing', async t => {
  const { node, log } = open()
  const result = accepted(await node.run('counter-1', add(2), command(1, { dryRun: true })))
  const [event]: readonly NewEvent[] = result.events
  t.match(event, { type: 'Counted', data: { by: 2 } })
  t.equal(log.appends.length, 0)
  t.match(await node.load('counter-1'), { state: 0, revision: 'none' })
})

t.test('a forgotten stream is read from the log again', async t => {
  const { node } = open()
  accepted(await node.run('counter-1', add(2), command(1)))
  node.forget('counter-1')
  t.match(await node.run('counter-1', add(1), command(2)), { state: 3 })
})

/** What was not opened counts a thousand. */
const sealed: Aggregate<number, Counted> = {
  ...counter,
  evolve: (sum, event) => sum + (event.removed ? 1000 : event.data.by),
}

t.test('what is asked unopened is decided without what is sealed, and nothing of it is kept', async t => {
  const log = plainLog(openMemoryEventStore())
  const [one, two] = [1, 2].map(() =>
    openTransactor({ aggregate: sealed, log, clock, random: () => 0, cachedStreams: 10 }),
  )
  if (!one || !two) throw new Error('two nodes')
  accepted(await one.run('counter-1', add(1), command(1)))
  t.match(await two.unopened.load('counter-1'), { state: 1000, revision: 0n })
  t.match(await two.unopened.run('counter-1', add(2), command(2)), { state: 1002, revision: 1n })
  t.match(await two.unopened.load('counter-1'), { state: 2000 }, 'read again: it was not kept')
  t.match(await two.load('counter-1'), { state: 3 }, 'opened by who opens it')
  t.match(await two.unopened.run('counter-1', add(4), command(3)), { state: 7 }, 'as it is in memory')
  const three = openTransactor({ aggregate: sealed, log, clock, random: () => 0, cachedStreams: 10 })
  t.match(
    await three.unopened.run('counter-1', add(2), command(2)),
    { state: 2000, revision: 1n, replayed: true },
    'a repeat has its first answer',
  )
  t.match(await three.unopened.run('counter-2', add(2), command(9)), { state: 2, revision: 0n })
  t.match(await three.unopened.run('counter-2', add(2), command(10)), { state: 1002 }, 'nor what it wrote itself')
})
