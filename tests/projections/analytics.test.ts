/** The figures of a day: a pure fold, the same live, repeated, in any order of nodes, and rebuilt. */
import { deepEqual, equal } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { openFreshness } from '../../src/core/project/freshness.ts'
import { rebuild } from '../../src/core/project/rebuild.ts'
import { runProjection } from '../../src/core/project/runner.ts'
import { openView } from '../../src/core/project/view.ts'
import { defined } from '../../src/domain/defined.ts'
import { entryEvents } from '../../src/domain/entry/events.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { type AnalyticsDocument, analyticsProjection } from '../../src/projections/analytics.ts'
import { analytics, currentFigures } from '../../src/queries/analytics.ts'
import { type MemoryLog, memoryLog } from '../support/memory-log.ts'
import { openReadSide } from '../support/projections.ts'
import { holds } from '../support/property.ts'
import { until } from '../support/until.ts'

let positions = 0n
const event = (type: string, more: { data?: JsonObject; at?: string; actor?: string; language?: string } = {}) => {
  const { data = {}, at = '2026-11-23T10:00:00.000Z', actor = 'ada', language } = more
  positions += 2n
  const recorded: Recorded = {
    type,
    data,
    id: `event-${positions}`,
    stream: 'entry-a',
    revision: 0n,
    position: positions,
    recordedAt: at,
    meta: {
      actor: { kind: 'account', id: actor },
      commandId: 'c',
      correlationId: 'c',
      causationId: 'c',
      at,
      schema: 1,
      route: { visibility: 'public', ...defined({ language }) },
    },
  }
  return recorded
}

/** As the runner folds, with its guard by position. */
const foldAll = (events: readonly Recorded[]): Record<string, AnalyticsDocument> => {
  const documents = new Map<string, { position: bigint; body: AnalyticsDocument }>()
  for (const each of events)
    for (const id of [analyticsProjection.key(each)].flat()) {
      const before = documents.get(id)
      if (before && before.position >= each.position) continue
      const body = analyticsProjection.evolve(before?.body, each, id)
      if (body) documents.set(id, { position: each.position, body })
    }
  return Object.fromEntries([...documents].map(([id, { body }]) => [id, body]))
}

t.test('each event counts in the day, its language, its contributor, and both', async t => {
  const found = foldAll([
    event('EntryDrafted', { language: 'en' }),
    event('DraftEdited', { language: 'en' }),
    event('EntryPublished', { language: 'en', actor: 'bob' }),
    event('EntryEdited', { language: 'de' }),
    event('EntryRetired', { at: '2026-11-24T00:00:00.000Z' }),
    event('ImportCompleted', { data: { written: 1_000, unchanged: 5, kept: 0, faults: 0 } }),
    event('SearchesCounted', { data: { node: 'n', batch: 0, day: '2026-11-22', counts: { exact: 5, nothing: 2 } } }),
    event('SearchesCounted', { data: { node: 'n', batch: 1, day: '2026-11-22', counts: { exact: 1, fuzzy: 3 } } }),
  ])
  t.match(found, {
    '2026-11-23 day  ': { entries: { drafted: 1, edited: 2, published: 1 }, imported: 1_000 },
    '2026-11-23 language en ': { language: 'en', entries: { drafted: 1, edited: 1, published: 1 } },
    '2026-11-23 contributor  ada': { contributor: 'ada', entries: { drafted: 1, edited: 2 } },
    '2026-11-23 language-contributor en bob': { entries: { published: 1 } },
    '2026-11-24 language und ': { entries: { retired: 1 } },
    '2026-11-22 day  ': { searches: { exact: 6, nothing: 2, fuzzy: 3 } },
  })
  t.notOk(found['2026-11-22 language und '], 'searches have no language')
})

t.test('every event of an entry is counted, but for imports and what decisions about it do', async t => {
  const wanted = new Set(analyticsProjection.types)
  // Nobody works on an entry by those.
  const others: ReadonlySet<string> = new Set(['EntryImported', 'EntryHeld', 'EntryReleased'])
  for (const { type } of entryEvents) t.equal(wanted.has(type), !others.has(type), type)
})

t.test('a replay, and a repeat of any part, give the same figures', async () => {
  const types = [...(analyticsProjection.types ?? [])].filter(each => /^(Entry|Draft)/.test(each))
  const some = fc.array(
    fc.record({
      type: fc.constantFrom(...types),
      actor: fc.constantFrom('ada', 'bob'),
      language: fc.constantFrom('en', 'de', undefined),
      at: fc.constantFrom('2026-11-23T10:00:00.000Z', '2026-11-24T10:00:00.000Z'),
    }),
    { minLength: 1, maxLength: 40 },
  )
  holds(
    fc.property(some, fc.nat(), (drawn, cut) => {
      const events = drawn.map(({ type, actor, language, at }) => event(type, { actor, at, ...defined({ language }) }))
      const once = foldAll(events)
      deepEqual(foldAll(events), once)
      deepEqual(foldAll([...events, ...events.slice(cut % events.length)]), once)
      const days = Object.values(once).filter(each => each.grain === 'day')
      const total = days.flatMap(each => Object.values(each.entries ?? {})).reduce((sum, each) => sum + each, 0)
      equal(total, events.length, 'the days add up to everything that happened')
    }),
    50,
  )
})

const happen = (log: MemoryLog, times: number): void => {
  const types = ['EntryDrafted', 'EntryPublished', 'EntryImported', 'EntryEdited']
  for (let n = 0; n < times; n += 1) log.write(`entry-${n}`, types[n % types.length] ?? '')
  log.write('import-wordnet', 'ImportCompleted', { written: times, unchanged: 0, kept: 0, faults: 0 })
  const counts = { exact: 3, definition: 1, nothing: 2 }
  log.write('searches-n.0', 'SearchesCounted', { node: 'n', batch: 0, day: '2026-01-01', counts })
}

t.test('live figures are those of a rebuild; pages of each grain come whole', async t => {
  const log = memoryLog()
  const side = await openReadSide({ log })
  t.teardown(() => side.close())
  const { store, clock } = side
  const options = { projection: analyticsProjection, log, store, clock }
  const freshness = openFreshness({ store, clock })
  const stopping = new AbortController()
  const { signal } = stopping
  const handle = runProjection({ ...options, freshness, nodeId: 'node', signal })
  t.teardown(async () => {
    stopping.abort()
    await handle.done
  })
  happen(log, 40)
  await until('it is live', async () => (await handle.status()).state === 'following')
  happen(log, 40)
  const view = openView({ projection: analyticsProjection, store, clock, freshness })
  // What the status counts as folded may not be stored yet.
  await until('it is read', () => view.ready())
  await view.waitFor(await log.head())
  const query = analytics({ analytics: view })
  const reader = { permissions: new Set(['analytics:read'] as const) }
  const ask = async (input: Partial<Parameters<typeof query.run>[0]>) => {
    const result = await query.run({ group: [], limit: 100, ...input }, reader)
    if ('refused' in result) throw new Error(result.detail)
    return result.value
  }
  const live = [await ask({}), await ask({ group: ['language'] }), await ask({ group: ['language', 'contributor'] })]
  const today = log.events[0]?.meta.at.slice(0, 10) ?? ''
  const [day] = (await ask({ from: today, to: today })).items
  t.match(day, { day: today, entries: { drafted: 20, published: 20, edited: 20 }, imported: 80 })
  const [searched] = (await ask({ from: '2026-01-01', to: '2026-01-01' })).items
  t.match(searched, { searches: { total: 12, nothing: 4, matched: { exact: 6, definition: 2, stem: 0 } } })
  t.match(await currentFigures({ analytics: view })(today), {
    figures: { ...day },
    position: log.events.at(-1)?.position,
  })
  t.match(await currentFigures({ analytics: view })('1999-01-01'), { figures: { entries: { drafted: 0 } } })

  const before = view.generation()
  await rebuild({ ...options, nodeId: 'another', signal: new AbortController().signal })
  await until('the new one is read', async () => (await view.ready()) && view.generation() !== before)
  const anew = [await ask({}), await ask({ group: ['language'] }), await ask({ group: ['language', 'contributor'] })]
  t.strictSame(anew, live)
})
