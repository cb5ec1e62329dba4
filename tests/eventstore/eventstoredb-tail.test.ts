/** The one subscription of a process, on a clock that stands still until it is moved. */
import t from 'tap'
import type { Reader } from '../../src/adapters/eventstore/eventstoredb/reader.ts'
import { openTail } from '../../src/adapters/eventstore/eventstoredb/tail.ts'
import { defined } from '../../src/domain/defined.ts'
import { EventStoreError, type LoggedEvent } from '../../src/ports/event-store.ts'
import { fakeClock, settle } from '../support/clocks.ts'

const eventAt = (position: bigint): LoggedEvent => ({
  id: `event ${position}`,
  type: 'Noted',
  data: '{}',
  meta: '{}',
  stream: 'a-1',
  revision: position,
  position,
  recordedAt: '2026-01-01T00:00:00.000Z',
})

type Script = {
  head: bigint
  /** Positions of events that a look finds. */
  there: Set<bigint>
  /** Another history: its events are others. */
  other?: true
  /** Fails every subscription that begins. */
  away: boolean
}

/** A reader whose log is told what to do, and which tells what was asked of it. */
const scripted = (head: bigint) => {
  const script: Script = { head, there: new Set([head]), away: false }
  const begun: bigint[] = []
  const patience: (number | undefined)[] = []
  let ended = 0
  let give: ((events: readonly LoggedEvent[] | Error) => void) | undefined
  const reader: Reader = {
    head: async () => script.head,
    heard: position => {
      if (position > script.head) script.head = position
    },
    stream: async function* () {},
    at: async position =>
      script.there.has(position) ? { ...eventAt(position), ...defined({ id: script.other && 'another' }) } : undefined,
    follow: async after => {
      begun.push(after)
      if (script.away) throw new EventStoreError('unavailable', 'away')
      return {
        next: (ms, signal) => {
          patience.push(ms)
          return new Promise((resolve, reject) => {
            give = what => (what instanceof Error ? reject(what) : resolve(what))
            signal?.addEventListener('abort', () => resolve(undefined), { once: true })
          })
        },
        end: async () => {
          ended += 1
        },
      }
    },
  }
  return {
    script,
    begun,
    patience,
    reader,
    ended: () => ended,
    give: async (what: readonly LoggedEvent[] | Error): Promise<void> => {
      give?.(what)
      await settle()
    },
  }
}

t.test('it begins at the head, keeps what comes, and waits for the word that it has begun', async t => {
  const clock = fakeClock()
  const { reader, begun, patience, give, script } = scripted(7n)
  const tail = openTail({ reader, clock, random: () => 0.5 })
  t.equal(tail.after(7n), undefined, 'nothing is kept yet')
  await Promise.all([tail.start(), tail.start()])
  await settle()
  t.same(begun, [7n])
  t.same(patience, [5_000], 'a server that says nothing at all is not waited for')
  await give([])
  t.same(patience.slice(1), [undefined], 'and then however long it takes')
  t.same(tail.after(7n), [])
  t.equal(tail.after(6n), undefined, 'what was before is in the log alone')
  const news = tail.news()
  await give([eventAt(8n), eventAt(9n)])
  await news
  t.same(
    tail.after(7n)?.map(event => event.position),
    [8n, 9n],
  )
  t.same(
    tail.after(8n)?.map(event => event.position),
    [9n],
  )
  t.equal(script.head, 9n, 'the reader has heard of it')
  await tail.close()
})

t.test(
  'a quiet one is compared with the head: where something is missing, it begins anew after the last event',
  async t => {
    const clock = fakeClock()
    const { reader, begun, give, script, ended } = scripted(7n)
    const tail = openTail({ reader, clock, random: () => 0.5 })
    await tail.start()
    await settle()
    await give([eventAt(8n)])
    script.there.add(8n)
    for (let n = 0; n < 10; n += 1) await clock.advance(10_000)
    t.same(begun, [7n], 'there is nothing to bring')
    script.head = 11n
    await clock.advance(10_000)
    t.same(begun, [7n], 'it may be on its way')
    await clock.advance(3_000)
    t.equal(ended(), 1, 'it is not')
    await clock.advance(100)
    t.same(begun, [7n, 8n])
    t.equal(tail.restarts(), 1)
    await give([eventAt(11n)])
    t.same(
      tail.after(8n)?.map(event => event.position),
      [11n],
    )
    script.head = 12n
    await clock.advance(10_000)
    await give([eventAt(12n)])
    await clock.advance(3_000)
    t.same(begun, [7n, 8n], 'it was on its way')
    await tail.close()
  },
)

t.test(
  'while the server is away the pauses grow to two seconds and their jitter, and shrink after a sound time',
  async t => {
    const clock = fakeClock()
    const { reader, begun, give, script } = scripted(7n)
    const jitter = [0, 0.999]
    let drawn = 0
    const tail = openTail({ reader, clock, random: () => jitter[drawn++ % 2] ?? 0 })
    await tail.start()
    await settle()
    script.away = true
    await give(new EventStoreError('unavailable', 'cut'))
    const pauses: number[] = []
    for (let tries = 1; tries < 12; tries += 1) {
      let waited = 0
      for (; begun.length === tries; waited += 10) await clock.advance(10)
      pauses.push(waited)
    }
    t.same(pauses.slice(0, 5), [50, 300, 200, 1_200, 800], 'between half and one and a half of it')
    t.same(pauses.slice(6), [1_000, 3_000, 1_000, 3_000, 1_000])
    script.away = false
    const before = begun.length
    await clock.advance(3_000)
    t.equal(begun.length, before + 1, 'three seconds after it is back at most')
    await give([])
    await clock.advance(10_001)
    await give(new EventStoreError('unavailable', 'dropped: too slow'))
    await clock.advance(150)
    t.equal(begun.length, before + 2, 'one that lived for long begins at once')
    for (const position of [8n, 9n, 10n, 11n]) {
      script.there.add(position)
      await give([eventAt(position)])
      await give(new EventStoreError('unavailable', 'cut'))
      await clock.advance(150)
      t.equal(begun.at(-1), position, 'so does one that brought something, however short it lived')
    }
    await tail.close()
  },
)

t.test('where the last event is gone the log has lost its end: all who follow are told', async t => {
  const clock = fakeClock()
  const { reader, begun, give, script } = scripted(7n)
  const tail = openTail({ reader, clock, random: () => 0.5 })
  await tail.start()
  await settle()
  await give([eventAt(8n)])
  await give(new EventStoreError('unavailable', 'restarted'))
  const news = tail.news()
  await clock.advance(100)
  await clock.advance(200)
  t.same(tail.after(8n), [], 'one look in vain is none')
  script.there.add(8n)
  await clock.advance(400)
  t.same(begun, [7n, 8n], 'it was there')
  script.there.delete(8n)
  await give(new EventStoreError('unavailable', 'restarted'))
  for (const pause of [800, 1_600, 2_000]) await clock.advance(pause)
  await news
  t.throws(() => tail.after(8n), { code: 'corrupt', message: /has lost its end: there is no event at 8/ })
  t.same(begun, [7n, 8n], 'nothing is read of another history')
  await tail.close()
})

t.test('where another event stands the log has another history: nothing of it is taken for what follows', async t => {
  const clock = fakeClock()
  const { reader, begun, give, script } = scripted(7n)
  const tail = openTail({ reader, clock, random: () => 0.5 })
  await tail.start()
  await settle()
  await give([eventAt(8n)])
  script.there.add(8n)
  script.other = true
  await give(new EventStoreError('unavailable', 'restarted'))
  for (const pause of [100, 200, 400, 800]) await clock.advance(pause)
  t.throws(() => tail.after(8n), { code: 'corrupt', message: /has lost its end: there is another event at 8/ })
  t.same(begun, [7n])
  await tail.close()
})

t.test('closing ends it at once, wherever it is', async t => {
  const clock = fakeClock()
  const { reader, give } = scripted(7n)
  const tail = openTail({ reader, clock, random: () => 0.5 })
  await tail.start()
  await settle()
  await give(new EventStoreError('unavailable', 'cut'))
  const news = tail.news()
  await tail.close()
  await news
  t.equal(clock.sleepers(), 0, 'nothing is left that sleeps')
  await tail.start()
  await tail.close()
})
