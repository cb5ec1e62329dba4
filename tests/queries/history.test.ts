/** The history's read model against the log: clocks that go back, text of any kind, readings that cannot be written. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { openReadings } from '../../src/commands/history.ts'
import { codecsOf } from '../../src/core/log/codec.ts'
import type { Log } from '../../src/core/log/log.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openRemovals } from '../../src/core/log/removals.ts'
import { openTranscript } from '../../src/core/log/transcript.ts'
import { openFreshness } from '../../src/core/project/freshness.ts'
import { rebuild, verifyProjection } from '../../src/core/project/rebuild.ts'
import { openView } from '../../src/core/project/view.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { defined } from '../../src/domain/defined.ts'
import { entryEvents } from '../../src/domain/entry/events.ts'
import { entryAggregate } from '../../src/domain/entry/state.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import {
  endReading,
  historyEvents,
  openPersonalData,
  openReading,
  readingAggregate,
} from '../../src/domain/history/history.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { openTurns } from '../../src/domain/turns.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { historyId, historyPosition, historyProjection } from '../../src/projections/history.ts'
import { FOLDS_AT_ONCE, FOLDS_OF_ONE, getEntry } from '../../src/queries/entries.ts'
import { openHistory } from '../../src/queries/history.ts'
import { patientClock } from '../support/clocks.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { unusedView, waitedFor } from '../support/projections.ts'
import { holds } from '../support/property.ts'
import { scenario } from '../support/scenario.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const types = [...entryEvents, ...historyEvents]
const reader = { permissions: new Set(['events:read', 'events:read-text'] as const) }
const actor = { kind: 'service', id: '018f4d5e-7a6b-7c3d-8e9f-0a1b2c3d4e5f' } as const

/** A history over a log of events of these times, one a stream; the store's own clock stands still. */
const openWorld = async (t: Tap.Test, times: readonly number[]) => {
  const clock = patientClock()
  let now = 0
  const store = openMemoryEventStore()
  const keys = openMemoryKeys()
  const log = openLog({ store, keys, types })
  const note = async (stream: string, type: string, data: JsonObject, expected: 'none' | bigint) => {
    const commandId = randomUUID()
    const by = type === 'EntryImported' ? ({ kind: 'import', id: actor.id } as const) : actor
    const meta = { actor: by, commandId, correlationId: 'one', causationId: commandId, at: new Date(now).toISOString() }
    const event = {
      type,
      data: { ...data },
      id: randomUUID(),
      meta: { ...meta, route: { visibility: 'public' as const } },
    }
    await log.append(await log.encode(stream, expected, [event]))
  }
  for (const [at, time] of times.entries()) {
    now = time
    await note(`entry-${at}`, 'EntrySubmitted', {}, 'none')
  }
  const reads = waitedFor(await openSqliteReadStore({ path: join(temporaryFolder(t), 'read.db'), clock }), clock)
  t.teardown(() => reads.close())
  const freshness = openFreshness({ store: reads, clock })
  const build = { projection: historyProjection, log, store: reads, clock, freshness, nodeId: 'test' }
  const signal = new AbortController().signal
  const removals = openRemovals(store, ['EntryRedacted'])
  const history = openHistory({
    records: store,
    transcript: openTranscript({ keys, codecs: codecsOf(types), removals }),
    view: openView({ projection: historyProjection, store: reads, clock, freshness }),
    types: new Map([['entry', entryEvents.map(each => each.type)]]),
  })
  return {
    store,
    log,
    keys,
    clock,
    note,
    history,
    build: () => rebuild({ ...build, signal }),
    verify: () => verifyProjection({ ...build, signal }),
  }
}
declare namespace Tap {
  type Test = { teardown(fn: () => unknown): unknown }
}

t.test('ids sort as positions do, and stand for them', async t => {
  const positions = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
  holds(
    fc.property(positions, positions, (a, b) => {
      if (historyPosition(historyId(a)) !== a) return false
      return a === b || a < b === historyId(a) < historyId(b)
    }),
  )
  t.ok(historyId(2n ** 63n - 1n) < '~')
})

t.test('a span of time finds the events of it, whatever the clocks of those who wrote them did', async t => {
  // It runs ahead, is set back by an hour, stands still, jumps, and is behind for a while.
  const times = [1, 2, 3, 3_600, 3_601, 4, 5, 5, 5, 6, 3_602, 3_603, 7_000, 7_001, 6_500, 6_999, 7_002, 9_000].map(
    each => each * 1_000,
  )
  const { history, build, verify, store } = await openWorld(t, times)
  await build()
  const positions: bigint[] = []
  for await (const { events } of store.readAll(0n)) positions.push(...events.map(each => each.position))
  const edges = [...new Set(times.flatMap(each => [each, each + 1]))]
  let asked = 0
  for (const from of [undefined, ...edges])
    for (const to of [undefined, ...edges.filter(each => from === undefined || each >= from)]) {
      asked += 1
      if (asked % 4 > 0) continue
      const expected = positions.filter((_, at) => (times[at] ?? 0) >= (from ?? 0) && (times[at] ?? 0) < (to ?? 1e12))
      const span = {
        ...defined({ from: from === undefined ? undefined : new Date(from) }),
        ...defined({ to: to === undefined ? undefined : new Date(to) }),
      }
      for (const order of ['asc', 'desc'] as const) {
        const found: bigint[] = []
        let place: { readonly at: bigint; readonly end: bigint } | undefined
        do {
          const page = await history.page({ ...span, order }, { limit: 4, ...defined({ place }) }, reader)
          found.push(...page.lines.map(each => each.position))
          place = page.next
        } while (place)
        t.strictSame(found, order === 'asc' ? expected : expected.toReversed(), `${order} ${JSON.stringify(span)}`)
      }
    }
  t.ok(asked > 200)
  const verified = await verify()
  t.strictSame([verified.differing, verified.documents], [0, times.length + 1], 'a replay gives the same')
})

t.test('imported text of a removed entry is shown to nobody, a damaged event breaks nothing', async t => {
  const { history, build, note, store } = await openWorld(t, [1])
  const imported = {
    language: 'en',
    lemma: 'imported text',
    partOfSpeech: 'noun',
    homograph: 1,
    rank: 0,
    licence: 'CC0-1.0',
    content: { variants: [], senses: [], forms: [], pronunciations: [], categories: [] },
    source: 'a-book',
    record: 'x',
  }
  await note('entry-book', 'EntryImported', imported, 'none')
  await build()
  const read = async () => {
    const { lines } = await history.page({ order: 'asc' }, { limit: 10 }, reader)
    let streamed = ''
    for await (const chunk of history.stream({ order: 'asc' }, reader))
      streamed += chunk.lines.map(each => each.text).join()
    return { page: lines.map(each => JSON.parse(each.text)), streamed }
  }
  t.match(await read(), { page: [{}, { data: imported }], streamed: /imported text/ })
  await note('entry-book', 'EntryRedacted', { ground: 'copyright' }, 0n)
  const after = await read()
  t.notMatch(JSON.stringify(after), /imported text/)
  t.match(after.page[1], { removed: ['lemma', 'content'], data: { source: 'a-book', rank: 0 } })
  const meta = '{"actor":{"id":"x","kind":"system"},"at":"x","commandId":"x","route":{},"schema":1}'
  await store.append('entry-broken', 'none', [{ id: randomUUID(), type: 'EntrySubmitted', data: '{"half', meta }])
  await store.append('entry-later', 'none', [{ id: randomUUID(), type: 'FromTomorrow', data: '{"secret":1}', meta }])
  for (const [stream, unreadable] of [
    ['entry-broken', 'corrupt'],
    ['entry-later', 'unknown-type'],
  ] as const) {
    const page = await history.revisions(stream, { limit: 5, order: 'asc' }, reader)
    if (isRefusal(page)) throw new Error(page.detail)
    const event = JSON.parse(page.lines[0]?.text ?? '')
    t.match(event, { stream, unreadable, data: {} })
    t.notOk(JSON.stringify(event).includes('secret'), 'what cannot be read is not guessed at')
  }
})

t.test('a reading ends once', async () => {
  const filters = { order: 'asc' } as const
  const read = { filters, count: 3, format: 'stream', complete: true } as const
  scenario(readingAggregate).given().when(openReading(filters)).then('HistoryOpened')
  scenario(readingAggregate)
    .given({ type: 'HistoryOpened', data: { filters } })
    .when(endReading(read))
    .then('HistoryRead')
  scenario(readingAggregate).given({ type: 'HistoryRead', data: read }).when(endReading(read)).thenNothing()
  scenario(readingAggregate)
    .given({ type: 'HistoryOpened', data: { filters } })
    .when(openReading(filters))
    .thenNothing()
  const opened = { type: 'HistoryOpened', data: { filters } } as const
  scenario(readingAggregate)
    .given(opened)
    .when(openPersonalData(['one']))
    .then('PersonalDataOpened')
  scenario(readingAggregate).given(opened).when(openPersonalData([])).thenNothing()
  scenario(readingAggregate)
    .given({ type: 'HistoryRead', data: read })
    .when(openPersonalData(['one']))
    .thenNothing()
})

t.test(
  'a reading that cannot be written is an error at once, or is tried again when it has been handed out',
  async t => {
    const clock = patientClock()
    const store = openMemoryEventStore()
    const plain = openLog({ store, keys: openMemoryKeys(), types })
    let broken = 0
    const log: Log = {
      ...plain,
      append: async append => {
        if (broken === 0) return plain.append(append)
        broken -= 1
        throw new EventStoreError('unavailable', 'the disk is full')
      },
    }
    const errors: unknown[] = []
    const readings = openReadings({
      readings: openTransactor({ aggregate: readingAggregate, log, clock, random: () => 0.5, cachedStreams: 10 }),
      clock,
      newId: randomUUID,
      onError: (error: unknown) => errors.push(error),
    })
    const request = { actor, correlationId: 'one', filters: { order: 'asc' } } as const
    broken = 1
    await t.rejects(readings.page(request, 3, []), { code: 'unavailable' })
    broken = 1
    await t.rejects(readings.open(request), { code: 'unavailable' })
    t.equal(await store.head(), 0n)

    const opened = await readings.open(request)
    if (isRefusal(opened)) throw new Error(opened.detail)
    broken = 1
    await t.rejects(opened.shows(['one']), { code: 'unavailable' })
    t.equal(await opened.shows(['one', 'two']), undefined, 'what was not recorded is not taken for named')
    t.equal(await opened.shows(['two']), undefined)
    broken = 3
    const first = opened.end(7, false)
    t.equal(await opened.end(99, true), undefined, 'the first end counts')
    t.equal(await first, undefined)
    const events = []
    for await (const batch of plain.readAll(0n)) events.push(...batch.events)
    t.match(events, [
      { type: 'HistoryOpened' },
      { type: 'PersonalDataOpened', data: { subjects: ['one', 'two'] } },
      { type: 'HistoryRead', data: { count: 7, complete: false } },
    ])
    t.equal(events.length, 3, 'nobody is named twice')

    const last = await readings.open(request)
    if (isRefusal(last)) throw new Error(last.detail)
    broken = 1_000
    const failing = last.end(1, false).catch((error: unknown) => error)
    await readings.close()
    t.match(await failing, { code: 'unavailable' })
    t.match(errors, [{ code: 'unavailable' }], 'what could not be recorded is told')
  },
)

t.test('pasts are folded a few at once, and one reader with many holds up nobody', async t => {
  let folding = 0
  const most = { all: 0, strangers: 0 }
  const released: (() => void)[] = []
  const log: Pick<Log, 'readStream' | 'head'> = {
    head: async () => 9n,
    async *readStream(stream) {
      folding += 1
      most.all = Math.max(most.all, folding)
      await new Promise<void>(resolve => released.push(resolve))
      folding -= 1
      yield []
      t.match(stream, /^entry-/)
    },
  }
  const streams = {
    load: async (stream: string) => {
      for await (const page of log.readStream(stream)) t.same(page, [])
      return { state: entryAggregate.initial, revision: 'none' as const, position: 0n, mark: '' }
    },
  }
  const reads = { entries: unusedView, log, streams, folds: openTurns(FOLDS_AT_ONCE, FOLDS_OF_ONE) }
  const permissions = new Set(['entries:read'] as const)
  const ask = (who?: string) =>
    getEntry(reads).run(
      { id: randomUUID(), asOf: { position: 5n } },
      { permissions, ...defined({ actor: who === undefined ? undefined : { kind: 'user', id: who } }) },
    )
  const order: string[] = []
  const strangers = Array.from({ length: 30 }, () => ask().then(() => order.push('stranger')))
  await until('two of them', async () => released.length === 2)
  t.equal(folding, FOLDS_OF_ONE, 'strangers are one reader')
  const others = ['a', 'b', 'c'].map(who => ask(who).then(() => order.push(who)))
  await until('as many as there are turns', async () => folding === FOLDS_AT_ONCE)
  const all = Promise.all([...strangers, ...others])
  let over = false
  void all.then(() => {
    over = true
  })
  while (!over) {
    for (const each of released.splice(0)) each()
    await new Promise(resolve => setImmediate(resolve))
  }
  t.equal(most.all, FOLDS_AT_ONCE)
  t.ok(order.lastIndexOf('c') < 12, `who came last and asks for one does not wait for thirty: ${order.indexOf('c')}`)
})
