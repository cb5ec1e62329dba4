/**
 * What every event store has to do, whatever the engine. Positions are opaque and grow; nothing here counts on them being
 * dense, on a clock, or on the log being empty at the start: a category of its own keeps each test apart.
 */
import type { Test } from 'tap'
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type LogFilter,
  MAX_APPEND_BYTES,
  type StoredEvent,
} from '../../src/ports/event-store.ts'
import {
  codeOf,
  idsOf,
  newCategory,
  newEvent,
  newEvents,
  newStream,
  readLog,
  readWhole,
  tail,
  written,
} from '../support/event-stores.ts'
import { until } from '../support/until.ts'

const rising = (positions: readonly bigint[]): boolean =>
  positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? 0n))

/** Runs the suite. `open` returns a store for one test, closed by the test when it does not close it itself. */
export const eventStoreContract = (root: Test, name: string, open: (t: Test) => Promise<EventStore>): void => {
  const check = (what: string, body: (t: Test, store: EventStore) => Promise<void>): void => {
    root.test(`${name}: ${what}`, async t => {
      const store = await open(t)
      t.teardown(() => store.close())
      await body(t, store)
    })
  }

  check('appends, and reads back to the byte', async (t, store) => {
    const stream = newStream()
    const texts = [
      'naïve',
      '日本語',
      '👩‍👩‍👧‍👦 \u{10ffff}',
      'a\u0000b\u001f"\\/',
      '\u2028\u2029',
      'ﬀ é e\u0301',
      '',
      ' ',
    ]
    const events = texts.map(text => newEvent('Noted', { text }))
    const meta = '{"é":"\ud83d\ude00","n":1e21,"z":-0.5}'
    const first = written(await store.append(stream, 'none', [{ ...newEvent(), data: '{"a":1 }', meta }]))
    const second = written(await store.append(stream, 0n, events))
    t.equal(first.revision, 0n)
    t.equal(second.revision, BigInt(events.length))
    t.ok(second.position > first.position)
    const read = await readWhole(store, stream)
    t.equal(read[0]?.data, '{"a":1 }')
    t.equal(read[0]?.meta, meta)
    t.same(
      read.slice(1).map(({ id, type, data, meta }) => ({ id, type, data, meta })),
      events,
    )
    t.same(
      read.map(event => event.revision),
      read.map((_, index) => BigInt(index)),
    )
    t.ok(rising(read.map(event => event.position)))
    t.equal(read.at(-1)?.position, second.position)
    for (const { recordedAt } of read) t.match(recordedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    t.ok(read.every(event => event.stream === stream))
    t.equal(await store.head(), second.position)
  })

  check('refuses every revision but the right one', async (t, store) => {
    const stream = newStream()
    t.same(await store.append(stream, 0n, newEvents(1)), { outcome: 'conflict', current: 'none' })
    written(await store.append(stream, 'none', newEvents(3)))
    for (const wrong of ['none', 0n, 1n, 3n, 10n ** 15n] as const)
      t.same(await store.append(stream, wrong, newEvents(1)), { outcome: 'conflict', current: 2n }, `at ${wrong}`)
    t.equal((await readWhole(store, stream)).length, 3)
    t.equal(written(await store.append(stream, 2n, newEvents(1))).revision, 3n)
  })

  check('answers a repeat with the first result, whatever came after', async (t, store) => {
    const stream = newStream()
    const [one, two] = [newEvents(2), newEvents(3)]
    const first = written(await store.append(stream, 'none', one))
    const second = written(await store.append(stream, 1n, two))
    for (let round = 0; round < 20; round += 1)
      await store.appendMany(
        Array.from({ length: 50 }, () => ({ stream: newStream(), expected: 'none', events: newEvents(1) })),
      )
    written(await store.append(stream, 4n, newEvents(1)))
    t.same(await store.append(stream, 'none', one), first)
    t.same(await store.append(stream, 1n, two), second)
    t.equal((await readWhole(store, stream)).length, 6)
    const elsewhere = written(await store.append(newStream(), 'none', one))
    t.ok(elsewhere.position > second.position, 'ids are the stream’s own')
  })

  check('takes nothing else for a repeat', async (t, store) => {
    const stream = newStream()
    const [a, b, c] = [newEvent(), newEvent(), newEvent()]
    written(await store.append(stream, 'none', [a, b]))
    const conflict = { outcome: 'conflict', current: 1n }
    t.same(await store.append(stream, 'none', [b, a]), conflict, 'another order')
    t.same(await store.append(stream, 'none', [a, c]), conflict, 'an old one, then a new one')
    t.same(await store.append(stream, 'none', [a, b, c]), conflict, 'more than there were')
    t.same(await store.append(stream, 'none', [c]), conflict, 'a new one')
    t.same(await store.append(stream, 'none', [b]), conflict, 'an old one at another revision')
    t.same(await store.append(stream, 5n, [b]), conflict, 'beyond the end')
    t.same(idsOf(await readWhole(store, stream)), [a.id, b.id])
  })

  check('lets one of twenty racing appends win', async (t, store) => {
    const stream = newStream()
    const results = await Promise.all(Array.from({ length: 20 }, () => store.append(stream, 'none', newEvents(2))))
    t.equal(results.filter(result => result.outcome === 'written').length, 1)
    t.equal(results.filter(result => result.outcome === 'conflict' && result.current === 1n).length, 19)
    t.equal((await readWhole(store, stream)).length, 2)
  })

  check('keeps the order of appends that were not awaited', async (t, store) => {
    const category = newCategory()
    const streams = Array.from({ length: 20 }, () => newStream(category))
    const sent = new Map(streams.map(stream => [stream, newEvents(30)]))
    const results: Promise<AppendResult>[] = []
    for (let index = 0; index < 30; index += 1)
      for (const stream of streams)
        results.push(
          store.append(
            stream,
            index === 0 ? 'none' : BigInt(index - 1),
            sent.get(stream)?.slice(index, index + 1) ?? [],
          ),
        )
    const answers = (await Promise.all(results)).map(written)
    t.ok(rising(answers.map(answer => answer.position)), 'positions follow the calls')
    for (const stream of streams) t.same(idsOf(await readWhole(store, stream)), idsOf(sent.get(stream) ?? []))
    const { events } = await readLog(store, 0n, { categories: [category] })
    t.equal(events.length, 600)
    t.ok(rising(events.map(event => event.position)))
  })

  check('answers each of many appends for itself', async (t, store) => {
    const category = newCategory()
    const [taken, free, big] = [newStream(category), newStream(category), newStream(category)]
    written(await store.append(taken, 'none', newEvents(1)))
    const large = { ...newEvent(), data: JSON.stringify('x'.repeat(MAX_APPEND_BYTES)) }
    const [first, second, third] = await store.appendMany([
      { stream: taken, expected: 'none', events: newEvents(1) },
      { stream: big, expected: 'none', events: [large] },
      { stream: free, expected: 'none', events: newEvents(2) },
    ])
    t.same(first, { outcome: 'conflict', current: 0n })
    t.ok(second instanceof EventStoreError && second.code === 'too-large')
    t.match(third, { outcome: 'written', revision: 1n })
    t.same(await store.appendMany([]), [])
    const twice = { stream: newStream(category), expected: 'none', events: newEvents(1) } as const
    await t.rejects(store.appendMany([twice, twice]), TypeError)
    const empty = { stream: newStream(category), expected: 'none', events: [] } as const
    await t.rejects(store.appendMany([twice, empty]), TypeError)
    t.equal((await readLog(store, 0n, { categories: [category] })).events.length, 3)
  })

  check('refuses what is too large or wrong, writing nothing of it', async (t, store) => {
    const stream = newStream()
    const half = (size: number): StoredEvent => ({
      ...newEvent(),
      data: JSON.stringify('é'.repeat(size / 2 - 1)),
      meta: '{}',
    })
    t.equal(await codeOf(store.append(stream, 'none', [half(600_000), half(600_000)])), 'too-large')
    t.same(await readWhole(store, stream), [])
    const fits = [half(500_000), half(499_996)]
    t.equal(written(await store.append(stream, 'none', fits)).revision, 1n)
    t.same(
      (await readWhole(store, stream)).map(event => event.data === fits[Number(event.revision)]?.data),
      [true, true],
    )
    await t.rejects(store.append(stream, 1n, []), TypeError)
    await t.rejects(store.append(stream, -1n, newEvents(1)), TypeError)
    await t.rejects(store.append(stream, 1n, [{ ...newEvent(), data: '"\ud800"' }]), TypeError)
    t.equal((await readWhole(store, stream)).length, 2)
  })

  check('reads a stream in both directions, from a revision, up to a limit', async (t, store) => {
    const stream = newStream()
    const events = newEvents(2_300)
    for (let index = 0; index < events.length; index += 460)
      written(await store.append(stream, index === 0 ? 'none' : BigInt(index - 1), events.slice(index, index + 460)))
    const ids = idsOf(events)
    const down = ids.toReversed()
    t.same(idsOf(await readWhole(store, stream)), ids)
    t.same(idsOf(await readWhole(store, stream, { direction: 'backwards' })), down)
    t.same(idsOf(await readWhole(store, stream, { from: 2_290n })), ids.slice(2_290))
    t.same(idsOf(await readWhole(store, stream, { from: 10n, limit: 1_500 })), ids.slice(10, 1_510))
    t.same(idsOf(await readWhole(store, stream, { from: 1_200n, direction: 'backwards' })), down.slice(1_099))
    t.same(idsOf(await readWhole(store, stream, { direction: 'backwards', limit: 1 })), down.slice(0, 1))
    t.same(await readWhole(store, stream, { from: 2_300n }), [])
    t.same(idsOf(await readWhole(store, stream, { from: 9_999n, direction: 'backwards', limit: 2 })), down.slice(0, 2))
    t.same(await readWhole(store, stream, { limit: 0 }), [])
    t.same(await readWhole(store, newStream()), [])
    for await (const page of store.readStream(stream)) {
      t.ok(page.length > 0 && page.length < 2_300, 'it comes in pages')
      break
    }
  })

  check('reads the log through filters, with progress over what they pass over', async (t, store) => {
    const [left, right] = [newCategory(), newCategory()]
    const start = await store.head()
    const expected: { category: string; type: string; id: string }[] = []
    for (let round = 0; round < 6; round += 1)
      for (const [category, type, count] of [
        [left, 'Opened', 1],
        [right, 'Opened', 400],
        [left, 'Shut', 2],
        [newCategory(), 'Shut', 3],
      ] as const) {
        const events = newEvents(count, type)
        written(await store.append(newStream(category), 'none', events))
        expected.push(...events.map(({ id }) => ({ category, type, id })))
      }
    const head = await store.head()
    const matching = (pass: (event: { category: string; type: string }) => boolean): string[] =>
      idsOf(expected.filter(pass))
    for (const [filter, pass] of [
      [undefined, () => true],
      [{}, () => true],
      [{ categories: [left] }, event => event.category === left],
      [{ categories: [right, left] }, event => event.category === left || event.category === right],
      [{ categories: [left, right], types: ['Shut'] }, event => event.category === left && event.type === 'Shut'],
      [{ categories: [left, newCategory()], types: ['Opened', 'Shut'] }, event => event.category === left],
      [{ categories: [right], types: ['Shut'] }, () => false],
      [{ categories: [] }, () => false],
      [{ types: [] }, () => false],
      [{ types: ['NeverSeen'] }, () => false],
    ] as [LogFilter | undefined, (event: { category: string; type: string }) => boolean][]) {
      const { events, batches } = await readLog(store, start, filter)
      const label = JSON.stringify(filter) ?? 'no filter'
      t.same(idsOf(events), matching(pass), label)
      t.equal(batches.at(-1)?.position, head, `${label}: considered up to the head`)
      t.same(
        batches.map(batch => batch.caughtUp),
        batches.map((_, index) => index === batches.length - 1),
        `${label}: the last has caught up`,
      )
      t.ok(rising(batches.map(batch => batch.position)), `${label}: positions rise`)
      for (const batch of batches)
        t.ok(batch.events.every(event => event.position <= batch.position) && batch.events.length <= 1_000)
    }
    const types = await readLog(store, start, { types: ['Shut'] })
    t.same(
      idsOf(types.events),
      matching(event => event.type === 'Shut'),
    )
    const { events } = await readLog(store, start)
    const middle = events[700]
    t.same(idsOf((await readLog(store, middle?.position ?? 0n)).events), idsOf(events.slice(701)), 'after a position')
    const end = await readLog(store, head)
    t.same(end.batches, [{ events: [], position: head, caughtUp: true }], 'nothing after the head')
  })

  check('subscribes: what was, then what comes', async (t, store) => {
    const category = newCategory()
    const start = await store.head()
    const [old, live, more] = [newEvents(1_500), newEvents(3), newEvents(200)]
    for (let index = 0; index < old.length; index += 500)
      written(await store.append(newStream(category), 'none', old.slice(index, index + 500)))
    const following = tail(store, start)
    const filtered = tail(store, start, { categories: [category] })
    await following.until(() => following.batches.at(-1)?.caughtUp === true)
    t.same(idsOf(following.events), idsOf(old))
    written(await store.append(newStream(category), 'none', live))
    await following.until(() => following.events.length >= old.length + live.length)
    await Promise.all(more.map(event => store.append(newStream(), 'none', [event])))
    const head = await store.head()
    await following.until(() => following.batches.at(-1)?.position === head)
    await filtered.until(() => filtered.batches.at(-1)?.position === head)
    t.same(idsOf(following.events).toSorted(), idsOf([...old, ...live, ...more]).toSorted())
    t.same(idsOf(filtered.events), idsOf([...old, ...live]), 'the filter holds, its progress reaches the head')
    for (const each of [following, filtered]) {
      t.ok(rising(each.batches.map(batch => batch.position)))
      t.ok(rising(each.events.map(event => event.position)))
      t.equal(each.batches.at(-1)?.caughtUp, true)
    }
    await Promise.all([following.stop(), filtered.stop()])
    const seen = following.events.length
    written(await store.append(newStream(category), 'none', newEvents(1)))
    t.equal(following.events.length, seen, 'nothing comes after the abort')
  })

  check('a subscription at the head says so, and ends at the abort without an error', async (t, store) => {
    written(await store.append(newStream(), 'none', newEvents(1)))
    const head = await store.head()
    const idle = tail(store, head)
    await idle.until(() => idle.batches.length > 0)
    t.same(idle.batches, [{ events: [], position: head, caughtUp: true }])
    await idle.stop()
    const late = new AbortController()
    late.abort()
    for await (const batch of store.subscribe(0n, undefined, late.signal)) t.fail(`${batch.events.length} events came`)
    for await (const batch of store.subscribe(0n)) {
      t.ok(batch.events.length > 0, 'leaving the loop ends it too')
      break
    }
  })

  check('a filter learns of categories and types that come later', async (t, store) => {
    const category = newCategory()
    const following = tail(store, await store.head(), { categories: [category] })
    await following.until(() => following.batches.length > 0)
    const [first, second] = [newEvent('First'), newEvent('Second')]
    written(await store.append(newStream(category), 'none', [first]))
    await following.until(() => following.events.length === 1)
    written(await store.append(newStream(category), 'none', [second]))
    await following.until(() => following.events.length === 2)
    t.same(idsOf(following.events), [first.id, second.id])
    await following.stop()
  })

  check('reads events at their positions', async (t, store) => {
    const stream = newStream()
    const events = newEvents(3)
    written(await store.append(stream, 'none', events))
    await store.appendMany(
      Array.from({ length: 200 }, () => ({ stream: newStream(), expected: 'none', events: newEvents(1) })),
    )
    const read = await readWhole(store, stream)
    const [one, two] = read
    if (!one || !two) throw new Error('nothing was read')
    t.same(await store.readAt([two.position, one.position]), [two, one], 'in the order asked')
    t.same(await store.readAt([two.position + 1_000_000n, one.position, 0n]), [one], 'what is not there is passed over')
    t.same(await store.readAt([]), [])
  })

  check('says that it is busy before it holds too much', async (t, store) => {
    const category = newCategory()
    const appends = Array.from({ length: 6_000 }, () => ({ stream: newStream(category), events: newEvents(1) }))
    const results = await Promise.allSettled(appends.map(({ stream, events }) => store.append(stream, 'none', events)))
    // A store that waits no longer for an answer does not know: the same events at the same revision tell.
    for (const [at, { stream, events }] of appends.entries()) {
      const result = results[at]
      if (result?.status !== 'fulfilled' || result.value.outcome !== 'unknown') continue
      await until('the outcome', async () => (await store.append(stream, 'none', events)).outcome === 'written')
    }
    const refused = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    const accepted = results.filter(result => result.status === 'fulfilled').length
    t.ok(accepted >= 4_096 && refused.length > 0, `${accepted} accepted`)
    t.ok(refused.every(error => error instanceof EventStoreError && error.code === 'busy'))
    t.equal((await readLog(store, 0n, { categories: [category] })).events.length, accepted)
    written(await store.append(newStream(category), 'none', newEvents(1)))
  })

  check('drains at the close; later calls say closed', async (t, store) => {
    const stream = newStream()
    const following = tail(store, 0n)
    await following.until(() => following.batches.length > 0)
    const ended = t.rejects(following.until(() => false))
    const waiting = Array.from({ length: 50 }, (_, index) =>
      store.append(stream, index === 0 ? 'none' : BigInt(index - 1), newEvents(1)),
    )
    const closed = store.close()
    t.ok((await Promise.all(waiting)).every(result => result.outcome === 'written'))
    await closed
    await ended
    await store.close()
    for (const call of [
      store.append(stream, 49n, newEvents(1)),
      store.head(),
      store.readAt([1n]),
      readWhole(store, stream),
      readLog(store, 0n),
      tail(store, 0n).until(() => false),
    ])
      t.equal(await codeOf(call), 'closed')
    const [many] = await store.appendMany([{ stream, expected: 49n, events: newEvents(1) }])
    t.ok(many instanceof EventStoreError && many.code === 'closed')
  })
}
