/** An entry as it was: by the time that each of its revisions shows, whatever the clocks of the nodes that wrote them did. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { openLog } from '../../src/core/log/open.ts'
import { type Envelope, openTransactor } from '../../src/core/write/transact.ts'
import { emptyContent } from '../../src/domain/entry/content.ts'
import { entryStream } from '../../src/domain/entry/entry.ts'
import { type EntryEvent, entryEvents } from '../../src/domain/entry/events.ts'
import { entryAggregate } from '../../src/domain/entry/state.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { openTurns } from '../../src/domain/turns.ts'
import { FOLDS_AT_ONCE, FOLDS_OF_ONE, getEntry } from '../../src/queries/entries.ts'
import { fakeClock } from '../support/clocks.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { unusedView } from '../support/projections.ts'
import { holdsAsync } from '../support/property.ts'
import { revisionsOf } from '../support/revisions.ts'

const actor = { kind: 'service', id: '018f4d5e-7a6b-7c3d-8e9f-0a1b2c3d4e5f' } as const
const reader = { permissions: new Set(['entries:read', 'entries:edit', 'entries:read-drafts'] as const), actor }
const openFolds = () => openTurns(FOLDS_AT_ONCE, FOLDS_OF_ONE)
const START = Date.parse('2026-01-01T00:00:00.000Z')

const drafted: EntryEvent = {
  type: 'EntryDrafted',
  data: {
    language: 'en',
    lemma: 'word',
    partOfSpeech: 'noun',
    homograph: 1,
    licence: 'CC-BY-SA-4.0',
    content: emptyContent,
  },
}
const edited = (n: number): EntryEvent => ({ type: 'DraftEdited', data: { changes: { etymology: `edit ${n}` } } })

/** Entries that several nodes write, each with a memory of streams and a clock of its own. */
const openNodes = () => {
  const store = openMemoryEventStore({ now: () => new Date(0) })
  const log = openLog({ store, keys: openMemoryKeys(), types: entryEvents })
  const clock = { ...fakeClock(), sleep: async () => {} }
  const open = () => openTransactor({ aggregate: entryAggregate, log, clock, random: () => 0, cachedStreams: 10 })
  return { log, nodes: [open(), open()] as const }
}

const envelopeAt = (ms: number): Envelope => ({
  commandId: randomUUID(),
  actor,
  correlationId: 'one',
  at: new Date(START + ms),
})

t.test('asOf the time of a revision is that revision, with clocks that stand still, differ and go back', async t => {
  // What each command finds on the clock of its node, which of the nodes has it, and how many events it has.
  const commands = fc.array(
    fc.record({
      ms: fc.integer({ min: -3, max: 3 }),
      node: fc.constantFrom(0, 1),
      events: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  await holdsAsync(
    fc.asyncProperty(commands, async all => {
      const { log, nodes } = openNodes()
      const id = randomUUID()
      let n = 0
      for (const { ms, node, events } of all) {
        const decide = ({ entry }: { readonly entry: unknown }): readonly EntryEvent[] =>
          Array.from({ length: events }, (_, at) => {
            n += 1
            return entry === undefined && at === 0 ? drafted : edited(n)
          })
        const result = await nodes[node].run(entryStream(id), decide, envelopeAt(ms))
        if (isRefusal(result)) return false
      }
      const query = getEntry({ entries: unusedView, log, streams: nodes[0], folds: openFolds() })
      let before = ''
      for await (const { event, entry } of revisionsOf(log, id)) {
        if (entry.updatedAt <= before || entry.updatedAt !== event.meta.at) return false
        before = entry.updatedAt
        const found = await query.run({ id, asOf: { time: new Date(entry.updatedAt), toCome: true } }, reader)
        if (isRefusal(found) || found.value.revision !== String(event.revision)) return false
        if (found.value.updatedAt !== entry.updatedAt) return false
      }
      return true
    }),
  )
  t.pass('each of its revisions')
})

t.test('a time after the last event of an entry, and after now, is none that it was ever at', async t => {
  const { log, nodes } = openNodes()
  const id = randomUUID()
  // The node that wrote it was ahead by an hour.
  const ahead = 3_600_000
  await nodes[0].run(entryStream(id), () => [drafted], envelopeAt(ahead))
  const query = getEntry({ entries: unusedView, log, streams: nodes[1], folds: openFolds() })
  const ask = (ms: number) => query.run({ id, asOf: { time: new Date(START + ms), toCome: true } }, reader)
  t.match(await ask(ahead), { value: { revision: '0' } })
  t.match(await ask(ahead + 1), { refused: 'as-of-invalid' })
  const stranger = { permissions: new Set(['entries:read'] as const) }
  for (const ms of [ahead, ahead + 1])
    t.match(
      await query.run({ id, asOf: { time: new Date(START + ms), toCome: true } }, stranger),
      { refused: 'entry-not-found' },
      'who may not see it is not told when it was written',
    )
})
