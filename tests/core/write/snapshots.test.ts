/** Stored snapshots of long streams: they save work, decide nothing, and hold no text. */
import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import { redact } from '../../../src/domain/entry/decisions.ts'
import { pastIn, pastJson } from '../../../src/domain/entry/snapshot.ts'
import { type EntryState, entryAggregate } from '../../../src/domain/entry/state.ts'
import { openLongEntry } from '../../support/long-entry.ts'
import { memoryRecords } from '../../support/memory-records.ts'
import { until } from '../../support/until.ts'

const MANY = 1_004
const SHORT_TEXT = 30

/** A folded entry of some thousand revisions, with what was kept of it. */
const opened = await openLongEntry(MANY, SHORT_TEXT)
const { stream, during, records, start, log } = opened
const name = `snapshot:${stream}`
const whole = (await opened.node.streams.load(stream)).state
const stored = records.kept.get(name) ?? ''

/** What a node that starts reads of the stream, and what it makes of it. */
const cold = async (on = start()) => {
  const found: { state?: EntryState } = {}
  const { events } = await during(async () => {
    found.state = (await on.streams.load(stream)).state
  })
  await on.snapshots.close()
  return { events, state: found.state, results: on.results }
}

t.test('a node that starts reads on from the snapshot, and has what a fold of all has', async t => {
  t.same(opened.node.results, ['kept'], 'once a thousand events')
  const { events, state, results } = await cold()
  deepStrictEqual(state, whole)
  t.same(results, ['found'])
  t.ok(events < 20, `${events} events of ${MANY + 1}`)
})

t.test('a snapshot that does not fit is passed over, and another one takes its place', async t => {
  const faults = {
    'a character': stored.replace('"times"', '"timed"'),
    'its end': stored.slice(0, -1),
    'no snapshot': 'nothing of ours',
    'no JSON': '0 {',
    empty: '',
  }
  for (const [what, text] of Object.entries(faults)) {
    records.kept.set(name, text)
    const { events, state, results } = await cold()
    deepStrictEqual(state, whole)
    t.same(results, ['none', 'kept'], what)
    t.ok(events > MANY, `${what}: folded from the start`)
    t.equal((await cold()).results[0], 'found', `${what}: the next one is believed`)
  }
})

t.test('nor is one of another log, stream, fold or event, though its checksum fits', async t => {
  const { openSnapshots } = await import('../../../src/core/write/snapshots.ts')
  const clock = { sleep: () => new Promise<void>(() => undefined) }
  const first = await openSnapshots({ records, logId: log.logId, clock }).find(stream, '2.1')
  if (!first) throw new Error('there is no snapshot')
  const { logId: _, ...snapshot } = first
  const keep = async (logId: string, changed: Partial<typeof snapshot>): Promise<void> => {
    const own = memoryRecords()
    const snapshots = openSnapshots({ records: own, logId, clock })
    snapshots.keep({ ...snapshot, ...changed })
    await snapshots.close()
    records.kept.set(name, [...own.kept.values()][0] ?? '')
  }
  await keep(log.logId, {})
  t.same((await cold()).results, ['found'], 'as it was')
  await keep('another-log', {})
  t.same((await cold()).results, ['none', 'kept'], 'another log')
  await keep(log.logId, { stream: 'entry-another' })
  t.same((await cold()).results, ['none', 'kept'], 'another stream')
  await keep(log.logId, { version: '0.1' })
  t.same((await cold()).results, ['none', 'kept'], 'another fold')
  for (const [what, changed] of [
    ['another event at its revision', { mark: 'AAAAAAAA' }],
    ['beyond the end of the stream', { revision: '4000' }],
    ['a state of another form', { state: { past: { revisions: 7 } } }],
  ] as const) {
    await keep(log.logId, changed)
    const { events, state } = await cold()
    deepStrictEqual(state, whole)
    t.ok(events > MANY, what)
  }
})

t.test('commands go on while the read store is away or does not answer', async t => {
  const away = new Error('the read store is away')
  const failing = { ...records, record: () => Promise.reject(away), kept: records.kept }
  const silent = { ...records, record: () => new Promise<never>(() => undefined), kept: records.kept }
  for (const [what, store] of Object.entries({ failing, silent })) {
    const other = await openLongEntry(6, SHORT_TEXT, store)
    const node = other.start()
    const loading = node.streams.load(other.stream)
    let loaded = false
    void loading.then(() => {
      loaded = true
    })
    await until('the stream is folded', async () => {
      await other.clock.advance(200)
      return loaded
    })
    t.equal((await loading).revision, 6n, what)
    t.same(node.results, ['failed'], what)
  }
})

t.test('it holds no text, and after a removal the snapshot of what is left takes its place', async t => {
  const removed = await openLongEntry(MANY, SHORT_TEXT)
  const kept = removed.records.kept.get(`snapshot:${removed.stream}`) ?? ''
  t.ok(kept.length > MANY)
  for (const each of ['xxxxx', '"long"', '"en"']) t.notOk(kept.includes(each), `no ${each}`)
  t.ok(kept.includes('"state"'))
  await removed.run(redact('privacy'))
  for (const key of removed.keys.asked.flatMap(names => [...names])) await removed.keys.destroy(key)
  const first = removed.start()
  const { entry } = (await first.streams.load(removed.stream)).state
  t.match(entry, { removed: true, lemma: '' })
  await first.snapshots.close()
  t.same(first.results, ['found', 'kept'], 'what does not fit any more is folded anew')
  const next = removed.start()
  const cost = await removed.during(async () => {
    deepStrictEqual((await next.streams.load(removed.stream)).state.entry, entry)
  })
  t.ok(cost.events < 20, `${cost.events} events`)
})

t.test('its form is pinned: whoever changes it, or the fold, raises its version', async t => {
  const { state } = await cold()
  const json = entryAggregate.snapshot?.encode(state ?? entryAggregate.initial) ?? {}
  t.same(Object.keys(json), ['past'])
  deepStrictEqual(pastIn(pastJson(whole.past)), whole.past)
  t.same(entryAggregate.snapshot?.version, 2)
  const small = await openLongEntry(2, 5)
  t.strictSame(pastJson((await small.node.streams.load(small.stream)).state.past), {
    revisions: [0, 1, 1],
    positions: [3, 3, 3],
    times: [1_767_225_660_000, 60_000, 60_000],
    origins: [0],
    setters: [[0], [0], [0], [0], [0, 1, 1], [0]],
    statuses: [[0, 'draft']],
    authors: [[0, '018f4d5e-7a6b-7c3d-8e9f-0a1b2c3d4e5f']],
    replacements: [[0, null]],
    edited: [[0, true]],
    contributors: [[0, '018f4d5e-7a6b-7c3d-8e9f-0a1b2c3d4e5f']],
    holds: [],
  })
})
