/** The search model's fold keeps terms alone, not the entry: it is compared with terms made of the whole entry. */
import { deepEqual, equal } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { EntryContent, EntryContentChange, EntrySense } from '../../src/domain/entry/content.ts'
import { type Entry, evolveEntry } from '../../src/domain/entry/entry.ts'
import type { EntryEvent } from '../../src/domain/entry/events.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { type SearchDocument, searchDocument, searchProjection } from '../../src/projections/search.ts'
import { holds } from '../support/property.ts'

const sense = fc.record({
  id: fc.constantFrom('a', 'b'),
  gloss: fc.constantFrom('good luck', 'a small cat', 'running dogs'),
  labels: fc.record({
    register: fc.subarray(['formal', 'Sláng']),
    region: fc.constant<string[]>([]),
    domain: fc.subarray(['music']),
  }),
  examples: fc.constant<EntrySense['examples']>([{ text: 'an example that nobody searches by' }]),
  relations: fc.constant<EntrySense['relations']>([]),
  translations: fc.constant<EntrySense['translations']>([]),
})
const members = {
  variants: fc.subarray(['lucke', 'Lück']),
  senses: fc.array(sense, { maxLength: 2 }),
  forms: fc.array(fc.record({ form: fc.constantFrom('lucks', 'Lucked'), tags: fc.subarray(['plural']) }), {
    maxLength: 2,
  }),
  pronunciations: fc.constant<EntryContent['pronunciations']>([]),
  categories: fc.subarray(['games', 'Été']),
}
const content: fc.Arbitrary<EntryContent> = fc.record(members)
const changes: fc.Arbitrary<EntryContentChange> = fc.record(members, { requiredKeys: [] })
const identity = { language: 'en', lemma: 'Luck', partOfSpeech: 'noun' as const, homograph: 2 }

const events: fc.Arbitrary<EntryEvent> = fc.oneof(
  content.map((content): EntryEvent => ({ type: 'EntryDrafted', data: { ...identity, content, licence: 'CC0-1.0' } })),
  fc.tuple(content, fc.nat(9)).map(
    ([content, rank]): EntryEvent => ({
      type: 'EntryImported',
      data: { ...identity, content, rank, licence: 'x', source: 's', record: 'r' },
    }),
  ),
  changes.map((changes): EntryEvent => ({ type: 'DraftEdited', data: { changes } })),
  changes.map((changes): EntryEvent => ({ type: 'EntryEdited', data: { changes } })),
  content.map((content): EntryEvent => ({ type: 'EntryReverted', data: { toRevision: '0', content } })),
  fc.constantFrom<EntryEvent>(
    { type: 'EntrySubmitted', data: {} },
    { type: 'EntryPublished', data: {} },
    { type: 'EntryReturned', data: { reason: 'more' } },
    { type: 'EntryRetired', data: { reason: 'less' } },
    { type: 'EntryRestored', data: {} },
    { type: 'EntryTakenOver', data: {} },
  ),
)

const recorded = (event: EntryEvent, n: number): Recorded<EntryEvent> => ({
  ...event,
  id: String(n),
  stream: 'entry-1',
  revision: BigInt(n),
  position: BigInt(n + 1),
  recordedAt: '2026-01-01T00:00:00.000Z',
  meta: {
    actor: { kind: 'account', id: 'a' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    at: '2026-01-01T00:00:00.000Z',
    schema: 1,
    route: { visibility: 'public' },
  },
})

const stored = (document: SearchDocument | undefined): SearchDocument | undefined =>
  document && JSON.parse(JSON.stringify(document))

t.test('folded over its own documents, it holds the terms of the entry that the aggregate folds', async t => {
  let seen = 0
  holds(
    fc.property(fc.array(events, { minLength: 1, maxLength: 12 }), story => {
      let entry: Entry | undefined
      let inMemory: SearchDocument | undefined
      let fromStore: SearchDocument | undefined
      for (const [n, given] of story.entries()) {
        const event = recorded(given, n)
        entry = evolveEntry(entry, event)
        inMemory = searchProjection.evolve(inMemory, event, '1')
        fromStore = searchProjection.evolve(stored(fromStore), event, '1')
        const expected = stored(entry && searchDocument(entry))
        deepEqual(stored(inMemory), expected)
        deepEqual(stored(fromStore), expected)
        if (expected?.hidden) seen += 1
        equal(expected?.key !== undefined, entry?.status === 'published')
      }
    }),
    300,
  )
  t.ok(seen > 50, 'unpublished entries are among them')
})

t.test('a removal leaves nothing, and no text of a sense or example is kept at all', async t => {
  const drafted = recorded(
    {
      type: 'EntryImported',
      data: {
        ...identity,
        rank: 1,
        licence: 'x',
        source: 's',
        record: 'r',
        content: {
          variants: [],
          forms: [],
          pronunciations: [],
          categories: [],
          etymology: 'of unknown origin',
          senses: [
            {
              id: 'a',
              gloss: 'Good luck indeed',
              labels: { register: [], region: [], domain: [] },
              examples: [{ text: 'what luck' }],
              relations: [],
              translations: [],
            },
          ],
        },
      },
    },
    0,
  )
  const document = searchProjection.evolve(undefined, drafted, '1')
  for (const text of ['Good luck indeed', 'what luck', 'unknown origin'])
    t.notOk(JSON.stringify(document).includes(text), text)
  const redacted: EntryEvent = { type: 'EntryRedacted', data: { ground: 'privacy' } }
  t.equal(searchProjection.evolve(document, recorded(redacted, 1), '1'), undefined)
})
