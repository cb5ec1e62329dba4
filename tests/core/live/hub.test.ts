/** The live feed's hub on a log in memory: joining without a gap, and turns at catching up. */
import t from 'tap'
import { areas } from '../../../src/app/areas.ts'
import { systemClock } from '../../../src/app/core.ts'
import { channelsOf } from '../../../src/app/declared.ts'
import type { ListenedTo } from '../../../src/core/live/channels.ts'
import { type Hub, openHub as openLiveHub } from '../../../src/core/live/hub.ts'
import { type ReplayPage, replayPageBytes } from '../../../src/core/live/replays.ts'
import { openStandings, type Standings } from '../../../src/core/live/standings.ts'
import type { LiveSink } from '../../../src/core/live/transport.ts'
import { type Place, placeOf } from '../../../src/core/log/log.ts'
import { openMemory } from '../../../src/core/memory/memory.ts'
import type { Recorded } from '../../../src/domain/event.ts'
import { NO_MARK } from '../../../src/domain/mark.ts'
import { openTurns } from '../../../src/domain/turns.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { entryStandings } from '../../../src/subscribers/entry-channel.ts'
import { fakeClock, settle } from '../../support/clocks.ts'
import { type MemoryLog, memoryLog } from '../../support/memory-log.ts'
import { anonymousPermissions, permissionsOf } from '../../support/roles.ts'
import { until } from '../../support/until.ts'

/** Numbers that repeat, so that a failure does too (Park and Miller, 1988). */
const openRandom = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

const channels = channelsOf(areas)
const listenedTo = (name: string): ListenedTo => {
  const found = channels.find(name)
  if (!found) throw new Error(`There is no channel ${name}.`)
  return found
}

const ticks = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await null
}

const placeAt = ({ events }: Pick<MemoryLog, 'events'>, position: bigint): Place => {
  const event = events.find(each => each.position === position)
  return event ? placeOf(event) : { position, mark: NO_MARK }
}

const MEMORY_BYTES = 64 * 1024 * 1024

/** What tokens were made of. */
const told = new Map<bigint, string>()

const openHub = (
  log: Pick<MemoryLog, 'readAll' | 'subscribe' | 'markAt'>,
  signal: AbortSignal,
  from: Place,
  clock: Clock = systemClock,
  standings: Standings = { refresh: async () => undefined, note: () => undefined, of: () => undefined },
): Hub =>
  openLiveHub({
    log: { ...log, types: new Map() },
    clock,
    signal,
    from,
    news: [],
    tokenOf: ({ position, mark }) => {
      told.set(position, mark)
      return String(position)
    },
    standings,
    replays: 1_000,
    pages: openMemory(MEMORY_BYTES).region('replays').cache<ReplayPage>({ max: 16, sizeOf: replayPageBytes }),
    onError: error => t.fail('the hub complained', { error }),
  })

/** How often an event was encoded. */
let encodings = 0

const sinkOf = (owner: string, took: (op: string, after: string) => void): LiveSink => ({
  owner,
  transport: {
    name: 'words',
    encode: message => Buffer.from(`${message.op} ${message.after}\n`),
    around: event => {
      encodings += 1
      return { before: Buffer.from(`event ${event.after} `), after: Buffer.from('\n') }
    },
    join: ({ before, after }, id) => Buffer.concat([before, id, after]),
  },
  send: bytes => {
    for (const line of String(bytes).trimEnd().split('\n')) {
      const [op = '', after = ''] = line.split(' ')
      took(op, after)
    }
  },
  flush: () => undefined,
  alone: () => false,
  full: () => false,
  drained: async () => true,
  tooSlow: () => t.fail('nobody was slow'),
})

t.test('who resumes has every event once and in order, whenever the tail comes in between', async t => {
  const random = openRandom(7)
  const log = memoryLog({ page: 5 })
  /** Batches come as late as the turn of the moment has it. */
  const late = async function* <T>(batches: AsyncIterable<T>): AsyncIterable<T> {
    for await (const batch of batches) {
      await ticks(random(12))
      yield batch
    }
  }
  const ending = new AbortController()
  const hub = openHub(
    {
      ...log,
      readAll: (after, filter) => late(log.readAll(after, filter)),
      subscribe: (after, filter, signal) => late(log.subscribe(after, filter, signal)),
    },
    ending.signal,
    placeAt(log, 0n),
  )
  const listener = { permissions: permissionsOf('auditor') }
  const write = () => log.write('entry-1', 'EntryPublished')
  for (let n = 0; n < 20; n += 1) write()
  const heard: { readonly from: bigint; readonly got: bigint[] }[] = []
  for (let round = 0; round < 600; round += 1) {
    for (let n = random(3); n >= 0; n -= 1) {
      const from = log.events.at(-1 - random(10))?.position ?? 0n
      const got: bigint[] = []
      heard.push({ from, got })
      const sink = sinkOf(`owner ${n}`, (op, after) => {
        if (op === 'event') got.push(BigInt(after))
      })
      hub.subscribe({ id: 'a', channel: listenedTo('events'), filter: {}, listener, after: placeAt(log, from) }, sink)
    }
    await ticks(random(20))
    write()
    if (random(2) === 0) await new Promise(resolve => setImmediate(resolve))
  }
  const last = log.events.at(-1)?.position
  await until('all of them', () => heard.every(({ got }) => got.at(-1) === last))
  const positions = log.events.map(each => each.position)
  const wrong = heard.filter(({ from, got }) => got.join() !== positions.filter(each => each > from).join())
  t.same(wrong, [], `${heard.length} listeners`)
  for (const [position, mark] of told)
    if (mark !== (await log.markAt(position))) t.fail(`${position} is told with ${mark}`)
  ending.abort()
  await hub.done
})

t.test('an event is encoded once for all who get the same of it, whatever they call their subscriptions', async t => {
  const log = memoryLog({ page: 5 })
  const ending = new AbortController()
  const hub = openHub(log, ending.signal, placeAt(log, 0n))
  const got = new Map<string, string[]>()
  for (const who of ['anonymousPermissions', 'auditor'] as const)
    for (let n = 0; n < 20; n += 1) {
      const lines: string[] = []
      got.set(`${who} ${n}`, lines)
      const sink: LiveSink = {
        ...sinkOf('o', () => undefined),
        send: bytes => void lines.push(String(bytes)),
      }
      const permissions = who === 'auditor' ? permissionsOf(who) : anonymousPermissions
      hub.subscribe(
        {
          id: `id ${n}`,
          channel: listenedTo('entries'),
          filter: {},
          listener: { permissions },
          after: placeAt(log, 0n),
        },
        sink,
      )
    }
  encodings = 0
  log.write('entry-1', 'EntryPublished')
  await until('all', () => [...got.values()].every(lines => lines.some(each => each.startsWith('event'))))
  t.equal(encodings, 1)
  for (const [name, lines] of got) t.match(lines.at(-1), `"id ${name.split(' ')[1]}"`, 'with its own id')
  ending.abort()
  await hub.done
})

t.test('nobody is told that they have caught up with what they were beyond already', async t => {
  const log = memoryLog({ page: 5 })
  const ending = new AbortController()
  const clock = fakeClock()
  const held = Promise.withResolvers<void>()
  const hub = openHub(
    {
      ...log,
      subscribe: async function* (after, filter, signal) {
        for await (const batch of log.subscribe(after, filter, signal)) {
          yield batch
          if (batch.position === 3n) await held.promise
        }
      },
    },
    ending.signal,
    placeAt(log, 0n),
    clock,
  )
  const heard: string[] = []
  const listener = { permissions: anonymousPermissions }
  const subscribe = (owner: string, position: bigint) =>
    hub.subscribe(
      // Nothing is published: they are only told how far the log has gone.
      { id: 'a', channel: listenedTo('entries'), filter: { language: 'fr' }, listener, after: placeAt(log, position) },
      sinkOf(owner, (op, at) => void heard.push(`${owner} ${op} ${at}`)),
    )
  subscribe('behind', 0n)
  // Another node's client, which has seen more than this node's tail.
  subscribe('ahead', 6n)
  log.write('entry-1', 'EntryPublished')
  await until('the tail is at 3', () => hub.stats().position === 3n)
  for (let second = 0; second < 5; second += 1) await clock.advance(1_000)
  await until('the one behind was told', () => heard.includes('behind caught-up 3'))
  t.notOk(heard.includes('ahead caught-up 3'))
  t.ok(heard.includes('ahead caught-up 6'), 'as it joined')
  held.resolve()
  log.write('entry-1', 'EntryPublished')
  log.write('entry-1', 'EntryPublished')
  await until('the tail is at 9', () => hub.stats().position === 9n)
  for (let second = 0; second < 5; second += 1) await clock.advance(1_000)
  await until('both were told', () => heard.includes('ahead caught-up 9') && heard.includes('behind caught-up 9'))
  ending.abort()
  await clock.advance(1_000)
  await hub.done
})

t.test('what was withdrawn by the end of a batch is not shown at its beginning', async t => {
  const log = memoryLog()
  const ending = new AbortController()
  for (const type of ['EntryPublished', 'EntryRetired', 'EntryRestored']) log.write('entry-restored', type)
  for (const type of ['EntryPublished', 'EntryRetired']) log.write('entry-retired', type)
  for (const type of ['EntryPublished', 'EntryRedacted']) log.write('entry-removed', type)
  const store = {
    head: async () => 0n,
    readAll: async function* () {
      yield* []
    },
  }
  const standings = openStandings(store, entryStandings)
  const hub = openHub(log, ending.signal, placeAt(log, 0n), systemClock, standings)
  const actor = { kind: 'account', id: 'one and the same' } as const
  const got = (['reader', 'contributor', 'editor'] as const).map(role => {
    const positions: string[] = []
    const sink = sinkOf('owner', (op, after) => {
      if (op === 'event') positions.push(after)
    })
    const listener = { actor, permissions: permissionsOf(role) }
    hub.subscribe({ id: 'a', channel: listenedTo('entries'), filter: {}, listener }, sink)
    return positions
  })
  const at = (...numbers: readonly number[]) => numbers.map(number => String(log.events[number]?.position))
  await until('all of it', () => got[2]?.length === log.events.length)
  t.strictSame(got[0], at(0, 1, 2, 4, 6), 'of the retired one its retirement, of the removed one its removal')
  t.strictSame(got[1], at(0, 1, 2, 4, 5, 6), 'who may draft is told of what was removed')
  ending.abort()
  await hub.done
})

t.test('how an entry stands is one and the same, in whatever order the log is read', async t => {
  const changes = ['EntryTakenOver', 'EntryRetired', 'EntryRestored', 'EntryTakenOver', 'EntryRetired', 'EntryRedacted']
  const log = memoryLog()
  const events = changes.map((type, at): Recorded => {
    const event = log.write('entry-1', type)
    return { ...event, meta: { ...event.meta, actor: { kind: 'account', id: `author ${at}` } } }
  })
  const of = ({ meta, data, ...event }: Recorded) => ({
    ...event,
    data: JSON.stringify(data),
    meta: JSON.stringify(meta),
  })
  for (let ahead = 0; ahead <= events.length; ahead += 1) {
    const behind = {
      head: log.head,
      readAll: async function* () {
        yield { events: events.slice(0, ahead).map(of), position: await log.head(), caughtUp: true }
      },
    }
    const standings = openStandings(behind, entryStandings)
    standings.note(events.slice(ahead))
    await standings.refresh()
    t.match(standings.of('entry-1'), { retired: true, removed: true, author: 'author 3' }, `the tail began at ${ahead}`)
    t.equal(standings.of('entry-2'), undefined)
  }
})

t.test('three who ask for forty resumptions each do not hold up a fourth', async t => {
  const log = memoryLog({ page: 5 })
  for (let n = 0; n < 2_000; n += 1) log.write('entry-1', 'EntryPublished')
  const ending = new AbortController()
  let pages = 0
  const hub = openHub(
    {
      ...log,
      readAll: async function* (after, filter) {
        for await (const batch of log.readAll(after, filter)) {
          pages += 1
          // A page takes longer than all that is done with it: this is where a greedy reader would keep its turn.
          for (let turn = 0; turn < 10; turn += 1) await settle()
          yield batch
        }
      },
    },
    ending.signal,
    placeAt(log, log.events.at(-1)?.position ?? 0n),
    // So many milliseconds as pages were read: a turn is over after as many on any machine.
    { ...systemClock, monotonic: () => pages },
  )
  const listener = { permissions: anonymousPermissions }
  const leave = Array.from({ length: 120 }, (_, n) =>
    hub.subscribe(
      { id: `g${n}`, channel: listenedTo('entries'), filter: { entryId: 'none' }, listener, after: placeAt(log, 0n) },
      sinkOf(`greedy ${n % 3}`, () => undefined),
    ),
  )
  let read: number | undefined
  hub.subscribe(
    {
      id: 'a',
      channel: listenedTo('entries'),
      filter: {},
      listener,
      after: placeAt(log, log.events.at(-1 - 20)?.position ?? 0n),
    },
    sinkOf('patient', op => {
      if (op === 'caught-up') read ??= pages
    }),
  )
  const before = await until('the other has caught up', () => read)
  t.ok(before < 100, `${before} pages were read, where the log has 400`)
  for (const each of leave) each?.()
  ending.abort()
  await hub.done
})

t.test('turns: so many at once, fewer of one owner, owners one after the other', async t => {
  const turns = openTurns(3, 2)
  const order: string[] = []
  const ends = new Map<string, () => void>()
  const begin = (owner: string, name: string) =>
    turns.take(owner, () => {
      order.push(name)
      return new Promise<void>(resolve => ends.set(name, resolve))
    })
  const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map(name => begin(name.charAt(0), name))
  t.same(order, ['a1', 'a2', 'b1'], 'a third of one owner waits though there is a place')
  for (const [ended, begun] of [
    ['a1', 'a3'],
    ['a2', 'b2'],
    ['b1', 'c1'],
    ['a3', 'a4'],
  ]) {
    ends.get(ended ?? '')?.()
    await until(String(begun), () => order.at(-1) === begun)
  }
  for (const end of ends.values()) end()
  await Promise.all(all)
  let failed = 0
  await turns.take('a', () => Promise.reject(new Error('broken'))).catch(() => (failed += 1))
  await turns.take('a', async () => undefined)
  t.equal(failed, 1, 'a turn that fails is given back')
})
