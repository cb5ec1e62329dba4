/** The history of an entry by what is kept of its past, against the same by folding the whole stream. */
import { deepStrictEqual, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { Log } from '../../src/core/log/log.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import type { Deciding } from '../../src/domain/decider.ts'
import type { EntryContentChange } from '../../src/domain/entry/content.ts'
import { revert } from '../../src/domain/entry/decisions.ts'
import { entryStream } from '../../src/domain/entry/entry.ts'
import { type EntryEvent, entryEvents } from '../../src/domain/entry/events.ts'
import { holdersOf } from '../../src/domain/entry/past.ts'
import { type EntryState, entryAggregate, entryAt } from '../../src/domain/entry/state.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { differencesOf, type HistorySight, historyPage, openEntryEvents } from '../../src/queries/entry-history.ts'
import { fakeClock } from '../support/clocks.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { holdsAsync } from '../support/property.ts'
import { type Revision, revisionsOf } from '../support/revisions.ts'
import { sense } from '../support/senses.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const MEMBERS_AND_IDENTITY = 7

/** A log that counts the events which are read of it. */
const counted = (log: Log) => {
  const reads = { events: 0 }
  const readStream: Log['readStream'] = async function* (stream, options) {
    for await (const page of log.readStream(stream, options)) {
      reads.events += page.length
      yield page
    }
  }
  return { log: { ...log, readStream }, reads }
}

const open = () => {
  const store = openMemoryEventStore({ now: () => new Date(0) })
  const { log, reads } = counted(openLog({ store, keys: openMemoryKeys(), types: entryEvents }))
  const clock = { ...fakeClock(), sleep: async () => {} }
  const entries = openTransactor({ aggregate: entryAggregate, log, clock, random: () => 0, cachedStreams: 10 })
  const id = randomUUID()
  let commands = 0
  const run = async (decide: Deciding<EntryState, EntryEvent>, who = 'author') => {
    commands += 1
    const result = await entries.run(entryStream(id), decide, {
      commandId: randomUUID(),
      actor: { kind: 'account', id: who },
      correlationId: 'one',
      at: new Date(START + commands * 1_000),
    })
    if (isRefusal(result)) throw new Error(result.detail)
    return result
  }
  return { log, reads, entries, id, run }
}

const identity = { language: 'en', lemma: 'luck', partOfSpeech: 'noun' as const, homograph: 1, licence: 'CC0-1.0' }
const content = { variants: [], senses: [sense('s1', 'fortune')], forms: [], pronunciations: [], categories: [] }
const drafted: EntryEvent = { type: 'EntryDrafted', data: { ...identity, content } }
const imported: EntryEvent = {
  type: 'EntryImported',
  data: { ...identity, content: { ...content, etymology: 'of old' }, rank: 3, source: 'wordnet', record: 'r1' },
}

const changes: fc.Arbitrary<EntryContentChange> = fc.record(
  {
    variants: fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }),
    senses: fc
      .uniqueArray(fc.constantFrom('s1', 's2', 's3'), { maxLength: 3 })
      .chain(ids => fc.tuple(...ids.map(each => fc.constantFrom('one', 'two').map(gloss => sense(each, gloss))))),
    etymology: fc.constantFrom('old', 'older', null),
    categories: fc.array(fc.constantFrom('c', 'd'), { maxLength: 2 }),
  },
  { requiredKeys: [] },
)

/** Facts in any order that a fold takes: what follows from what is not told here. */
const facts: fc.Arbitrary<EntryEvent> = fc.oneof(
  { weight: 4, arbitrary: changes.map((each): EntryEvent => ({ type: 'DraftEdited', data: { changes: each } })) },
  { weight: 4, arbitrary: changes.map((each): EntryEvent => ({ type: 'EntryEdited', data: { changes: each } })) },
  fc.constantFrom<EntryEvent>(
    { type: 'EntrySubmitted', data: {} },
    { type: 'EntryReturned', data: { reason: 'not yet' } },
    { type: 'EntryPublished', data: {} },
    { type: 'EntryRetired', data: { reason: 'twice', replacedBy: 'another' } },
    { type: 'EntryRestored', data: {} },
    { type: 'EntryTakenOver', data: {} },
    { type: 'EntryReverted', data: { toRevision: '0', content } },
    imported,
  ),
)

const isOpen = ({ entry: { status } }: Revision): boolean => status === 'published' || status === 'retired'

/** The pages of a history, one item each or as many as there are, joined. */
const pagesOf = async (deps: ReturnType<typeof open>, sight: HistorySight, limit: number) => {
  const { past } = (await deps.entries.load(entryStream(deps.id))).state
  const items = []
  for (let before: number | undefined, more = true; more; ) {
    const page = await historyPage(past, openEntryEvents(deps.log, deps.id), { limit, before, sight })
    if (!page || page.items.length > limit) throw new Error('no page of this size')
    items.push(...page.items)
    more = page.more
    before = Number(page.items.at(-1)?.revision)
  }
  return items
}

t.test('each revision and each difference is as the whole fold has it, read from the events that hold it', async t => {
  const stories = fc.tuple(
    fc.constantFrom(drafted, imported),
    fc.array(fc.tuple(facts, fc.constantFrom('author', 'editor')), { maxLength: 14, size: 'max' }),
  )
  await holdsAsync(
    fc.asyncProperty(stories, async ([first, rest]) => {
      const deps = open()
      await deps.run(() => [first])
      for (const [fact, who] of rest) await deps.run(() => [fact], who)
      const model: Revision[] = []
      for await (const revision of revisionsOf(deps.log, deps.id)) model.push(revision)
      const { past } = (await deps.entries.load(entryStream(deps.id))).state
      for (const { event, entry } of model) {
        const revision = Number(event.revision)
        const holders = holdersOf(past, revision)
        const events = await openEntryEvents(deps.log, deps.id).at(holders)
        ok(holders.length <= MEMBERS_AND_IDENTITY && events.size === holders.length)
        deepStrictEqual(entryAt(past, revision, events), entry)
      }
      for (const [sight, limit] of [
        ['reviewer', 1],
        ['reviewer', 100],
        ['public', 1],
        ['public', 3],
      ] as const) {
        const shown = sight === 'public' ? model.filter(isOpen) : model
        const expected = shown
          .map(({ event, entry }, at) => ({
            revision: String(event.revision),
            status: entry.status,
            differences: differencesOf(shown[at - 1]?.entry, entry),
          }))
          .toReversed()
        const found = (await pagesOf(deps, sight, limit)).map(({ revision, status, differences }) => ({
          revision,
          status,
          differences,
        }))
        deepStrictEqual(found, expected)
      }
    }),
  )
  t.pass('in any order of events')
})

t.test('a page ends short where its revisions are large, and the next one goes on', async t => {
  const deps = open()
  await deps.run(() => [drafted])
  const MANY = 12
  for (let n = 1; n <= MANY; n += 1)
    await deps.run(() => [{ type: 'DraftEdited', data: { changes: { etymology: `${n} `.padEnd(500_000, 'x') } } }])
  const { past } = (await deps.entries.load(entryStream(deps.id))).state
  const events = openEntryEvents(deps.log, deps.id)
  const page = await historyPage(past, events, { limit: 100, before: undefined, sight: 'author' })
  t.equal(page?.items.length, 4, 'each shows what was before and what is now')
  t.equal(page?.more, true)
  t.equal((await pagesOf(deps, 'author', 100)).length, MANY + 1)
})

t.test('a revert reads the revision that it goes back to, and a repeat is answered without the stream', async t => {
  const deps = open()
  await deps.run(() => [drafted])
  const MANY = 40
  for (let n = 1; n <= MANY; n += 1)
    await deps.run(() => [{ type: 'DraftEdited', data: { changes: { etymology: `edit ${n}` } } }])
  deps.reads.events = 0
  const result = await deps.run(revert(7n, undefined))
  t.equal(result.state.entry?.content.etymology, 'edit 7')
  t.equal(deps.reads.events, 2, 'the draft and the edit')

  const commandId = randomUUID()
  const envelope = { commandId, actor: { kind: 'account', id: 'author' } as const, correlationId: 'one' }
  const rename: EntryEvent = { type: 'DraftEdited', data: { changes: { etymology: 'renamed' } } }
  const at = new Date(START + 1_000_000)
  await deps.entries.run(entryStream(deps.id), () => [rename], { ...envelope, at })
  await deps.run(() => [{ type: 'DraftEdited', data: { changes: { etymology: 'later' } } }])
  deps.reads.events = 0
  const again = await deps.entries.run(entryStream(deps.id), () => [rename], { ...envelope, at })
  t.match(again, {
    replayed: true,
    revision: BigInt(MANY + 2),
    state: { entry: { content: { etymology: 'renamed' } } },
  })
  t.equal(isRefusal(again) ? 0 : again.state.past.moments.length, MANY + 3)
  t.ok(deps.reads.events <= MEMBERS_AND_IDENTITY + 1, `read ${deps.reads.events} events`)
})
