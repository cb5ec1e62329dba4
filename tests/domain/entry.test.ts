import { deepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { By } from '../../src/domain/decider.ts'
import type { EntryContent } from '../../src/domain/entry/content.ts'
import * as decide from '../../src/domain/entry/decisions.ts'
import { derivedFault } from '../../src/domain/entry/derived.ts'
import { type Entry, evolveEntry } from '../../src/domain/entry/entry.ts'
import { type EntryEvent, entryEvents } from '../../src/domain/entry/events.ts'
import { type EntryState, entryAggregate } from '../../src/domain/entry/state.ts'
import type { Json, JsonObject, Recorded } from '../../src/domain/event.ts'
import { entryId } from '../../src/domain/ids.ts'
import { mergePatch } from '../../src/domain/merge-patch.ts'
import type { Role } from '../../src/domain/roles.ts'
import { holds } from '../support/property.ts'
import { permissionsOf } from '../support/roles.ts'
import { type Given, scenario } from '../support/scenario.ts'
import { sense } from '../support/senses.ts'

const COMMAND = '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11'
const by = (role: Role, id = 'author', now = new Date('2026-03-01T00:00:00Z')): By => ({
  id,
  permissions: permissionsOf(role),
  now,
  commandId: COMMAND,
})
const author = by('contributor')
const stranger = by('contributor', 'stranger')
const editor = by('editor', 'editor')

const content = (...senses: ReturnType<typeof sense>[]): EntryContent => ({
  variants: [],
  senses,
  forms: [],
  pronunciations: [],
  categories: [],
})
const identity = { language: 'en', lemma: 'luck', partOfSpeech: 'noun' as const, homograph: 1 }
const one = content(sense('s1', 'good fortune'))

const drafted: Given<EntryEvent> = {
  type: 'EntryDrafted',
  data: { ...identity, content: one, licence: 'CC0-1.0' },
  by: 'author',
}
const empty: Given<EntryEvent> = { ...drafted, data: { ...identity, content: content(), licence: 'CC0-1.0' } }
const submitted: Given<EntryEvent> = { type: 'EntrySubmitted', data: {}, by: 'author' }
const published: Given<EntryEvent> = { type: 'EntryPublished', data: {}, by: 'editor' }
const retired: Given<EntryEvent> = { type: 'EntryRetired', data: { reason: 'a duplicate' }, by: 'editor' }
const redacted: Given<EntryEvent> = { type: 'EntryRedacted', data: { ground: 'privacy' }, by: 'moderator' }
const edited = (gloss: string): Given<EntryEvent> => ({
  type: 'EntryEdited',
  data: { changes: { senses: [sense('s1', gloss)] } },
  by: 'editor',
})
const imported: Given<EntryEvent> = {
  type: 'EntryImported',
  data: { ...identity, content: one, rank: 7, licence: 'WordNet', source: 'wordnet-3.1', record: 'r1' },
  by: 'importer',
}
const entry = scenario(entryAggregate)
const of = (state: EntryState): Entry => {
  if (!state.entry) throw new Error('there is no entry')
  return state.entry
}

t.test('drafting', async () => {
  const draft = decide.draft(identity, { senses: [{ gloss: 'good fortune' }] }, 'CC0-1.0', author)
  entry
    .given()
    .when(draft)
    .then('EntryDrafted')
    .thenState(state => {
      t.match(of(state), { status: 'draft', lemma: 'luck', author: 'somebody', rank: 0, removed: false })
      t.match(of(state).content.senses, [{ gloss: 'good fortune', id: /^[0-9a-f-]{36}$/ }])
    })
  entry.given(drafted).when(draft).thenRefused('entry-exists')
  entry.given(drafted, redacted).when(draft).thenRefused('entry-removed')
  const bidi = decide.draft(
    identity,
    { senses: [{ gloss: 'a\u202eb' }], variants: ['x'.repeat(300)] },
    'CC0-1.0',
    author,
  )
  const refused = entry.given().when(bidi).thenRefused('text-invalid')
  t.same(
    refused.refusal?.errors?.map(each => each.pointer),
    ['/variants/0', '/senses/0/gloss'],
  )
})

t.test('editing: whose, when, and what', async () => {
  const gloss = (text: string, who: By) => decide.edit({ senses: [{ id: 's1', gloss: text }] }, 'id', who)
  entry.given(drafted).when(gloss('luck', author)).then('DraftEdited').again().thenNothing()
  entry.given(drafted, published).when(gloss('luck', editor)).then('EntryEdited')
  entry.given(drafted).when(gloss('luck', stranger)).thenRefused('permission-denied')
  entry.given(drafted, submitted).when(gloss('luck', author)).thenRefused('permission-denied')
  entry.given(drafted, published).when(gloss('luck', author)).thenRefused('permission-denied')
  entry.given(drafted, published, retired).when(gloss('luck', editor)).thenRefused('entry-retired')
  entry.given().when(gloss('luck', editor)).thenRefused('entry-not-found')
  entry.given(drafted, redacted).when(gloss('luck', editor)).thenRefused('entry-removed')
  entry.given(drafted).when(gloss('good fortune', author)).thenNothing()
})

t.test('a patch: merge, identity, read-only members, sense ids', async () => {
  const patch = (body: JsonObject) => entry.given(drafted).when(decide.edit(body, 'id', author))
  patch({ lemma: 'luck', status: 'draft' }).thenNothing()
  patch({ lemma: 'Luck' }).thenRefused('identity-fixed')
  patch({ status: 'published' }).thenRefused('read-only-member')
  patch({ etymology: 'Middle Dutch' })
    .thenEvents({ type: 'DraftEdited', data: { changes: { etymology: 'Middle Dutch' } } })
    .again(decide.edit({ etymology: null }, 'id', author))
    .thenEvents({ type: 'DraftEdited', data: { changes: { etymology: null } } })
  patch({ senses: [{ id: 'elsewhere', gloss: 'x' }] }).thenRefused('sense-unknown')
  patch({
    senses: [
      { id: 's1', gloss: 'x' },
      { id: 's1', gloss: 'y' },
    ],
  }).thenRefused('sense-repeated')
  patch({ senses: [{ gloss: 'new' }, { id: 's1', gloss: 'good fortune' }] }).thenState(state => {
    const ids = of(state).content.senses.map(each => each.id)
    t.equal(ids[1], 's1', 'a known id is kept where it moves to')
    t.not(ids[0], 's1')
  })
  patch({ senses: null }).thenState(state => t.same(of(state).content.senses, []))
  patch({ senses: [{ id: 's1', gloss: ' \u0007' }] }).thenRefused('text-invalid')
})

t.test('what is derived from an entry is bounded', async () => {
  const patch = (body: JsonObject) => entry.given(drafted).when(decide.edit(body, 'id', author))
  const forms = (count: number, form: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => ({ form: form(n) }))
  const plain = (n: number): string => `${n}`.padStart(200, 'a')
  patch({ forms: forms(500, plain) }).thenState(state => t.equal(of(state).content.forms.length, 500))
  patch({ forms: forms(500, n => `ж${n}`) }).thenState(state => t.equal(of(state).content.forms.length, 500))
  // Each is no longer than a word may be, all of them are: 200 letters are 1,400 characters of a key, and of a stem.
  const cyrillic = (n: number): string => `${n}`.padStart(200, 'ж')
  patch({ forms: forms(140, cyrillic) }).thenState(state => t.equal(of(state).content.forms.length, 140))
  patch({ forms: forms(150, cyrillic) }).thenRefused('text-invalid')
  patch({ forms: forms(450, n => `${'\ufdfa'.repeat(198)}${n}`) }).thenRefused('text-invalid')
  const glosses = (count: number) =>
    Array.from({ length: 10 }, (_, at) => ({
      gloss: Array.from({ length: count / 10 }, (_, n) => (at * count + n).toString(36)).join(' '),
    }))
  patch({ senses: glosses(9_000) }).thenState(state => t.equal(of(state).content.senses.length, 10))
  patch({ senses: glosses(10_010) }).thenRefused('text-invalid')
  const excess = derivedFault({ ...one, senses: glosses(10_010).map(({ gloss }, n) => sense(`s${n}`, gloss)) })
  t.match(excess, { pointer: '/senses', code: 'too-many-keys', detail: /more than 10,000 different words/ })
  // What was written before there was a bound stays, and does not come back.
  const wide = content(...glosses(10_010).map(({ gloss }, n) => sense(`s${n}`, gloss)))
  const before: Given<EntryEvent> = { ...drafted, data: { ...identity, content: wide, licence: 'CC0-1.0' } }
  entry
    .given(before, { type: 'DraftEdited', data: { changes: { senses: one.senses } }, by: 'author' })
    .when(decide.revert(0n, undefined))
    .thenRefused('text-invalid')
})

t.test('of many faults the first twenty are told', async () => {
  const given = decide.draft(
    identity,
    { categories: Array.from({ length: 50 }, (_, n) => `\u0007${n}`) },
    'CC0-1.0',
    author,
  )
  const decision = given(entryAggregate.initial)
  t.equal('refused' in decision && decision.errors?.length, 20)
  t.match(decision, { errors: [{ pointer: '/categories/0', code: 'text-invalid' }] })
})

t.test('what readers or reviewers have before them keeps a sense', async () => {
  const clear = decide.edit({ senses: [] }, 'id', { ...author, permissions: new Set(['entries:edit'] as const) })
  entry.given(drafted).when(clear).then('DraftEdited')
  entry.given(drafted, submitted).when(clear).thenRefused('entry-incomplete')
  entry.given(drafted, published).when(clear).thenRefused('entry-incomplete')
  entry.given(empty, edited('chance'), published).when(decide.revert(0n, undefined)).thenRefused('entry-incomplete')
})

t.test('the life of an entry', async () => {
  entry.given(drafted).when(decide.submit(author)).then('EntrySubmitted').again().thenNothing()
  entry.given(drafted).when(decide.submit(stranger)).thenRefused('permission-denied')
  entry.given(empty).when(decide.submit(author)).thenRefused('entry-incomplete')
  entry.given(drafted, published).when(decide.submit(author)).thenRefused('entry-not-draft')
  entry.given(drafted, submitted).when(decide.publish).then('EntryPublished').again().thenNothing()
  entry.given(drafted).when(decide.publish).then('EntryPublished')
  entry.given(empty).when(decide.publish).thenRefused('entry-incomplete')
  entry.given(drafted, published, retired).when(decide.publish).thenRefused('entry-retired')
  entry.given(drafted, submitted).when(decide.sendBack('add an example')).then('EntryReturned').again().thenNothing()
  entry.given(drafted, submitted).when(decide.sendBack(' ')).thenRefused('reason-required')
  entry.given(drafted, published).when(decide.sendBack('no')).thenRefused('entry-not-submitted')
  const retire = decide.retire('this', 'a duplicate', 'other')
  entry.given(drafted, published).when(retire).then('EntryRetired').again().thenNothing()
  entry.given(drafted, published, retired).when(retire).thenRefused('entry-retired')
  entry.given(drafted).when(retire).thenRefused('entry-not-published')
  entry
    .given(drafted, published)
    .when(decide.retire('this', '', undefined))
    .thenRefused('reason-required')
  entry
    .given(drafted, published)
    .when(decide.retire('this', 'a duplicate', 'this'))
    .thenRefused('replacement-unknown')
  entry.given(drafted, published, retired).when(decide.restore(undefined)).then('EntryRestored').again().thenNothing()
  entry.given(drafted).when(decide.restore('why not')).thenRefused('entry-not-retired')
  entry.given(empty, published, retired).when(decide.restore(undefined)).thenRefused('entry-incomplete')
})

t.test('reverting brings back content and sense ids', async () => {
  const story = entry.given(drafted, published, edited('chance'))
  story
    .when(decide.revert(1n, undefined))
    .then('EntryReverted')
    .thenState(state => t.same(of(state).content, one))
    .again()
    .thenNothing()
  story.when(decide.revert(2n, undefined)).thenNothing()
  story.when(decide.revert(9n, undefined)).thenRefused('revision-unknown')
  entry.given(drafted, published, retired).when(decide.revert(0n, undefined)).thenRefused('entry-retired')
})

t.test('taking over', async () => {
  const later = (days: number, role: Role) => by(role, 'other', new Date(Date.parse('2026-01-01') + days * 86_400_000))
  entry
    .given(drafted)
    .when(decide.takeOver(later(29, 'contributor')))
    .thenRefused('entry-not-stale')
  entry
    .given(drafted)
    .when(decide.takeOver(later(31, 'contributor')))
    .then('EntryTakenOver')
  entry
    .given(drafted)
    .when(decide.takeOver(later(1, 'editor')))
    .then('EntryTakenOver')
  entry.given(drafted).when(decide.takeOver(author)).thenNothing()
  entry
    .given(drafted, published)
    .when(decide.takeOver(later(31, 'editor')))
    .thenRefused('entry-not-draft')
})

t.test('importing writes what changed, and nothing over what people did', async () => {
  const record = (digest: string, source = 'wordnet-3.1'): decide.ImportedRecord => ({
    identity,
    content: one,
    rank: 7,
    licence: 'WordNet',
    source,
    record: digest,
  })
  entry
    .given()
    .when(decide.importRecord(record('r1')))
    .then('EntryImported')
    .again()
    .thenNothing()
  entry
    .given(imported)
    .when(decide.importRecord(record('r2')))
    .then('EntryImported')
  entry
    .given(imported, edited('chance'))
    .when(decide.importRecord(record('r2')))
    .thenRefused('entry-edited')
  entry
    .given(drafted)
    .when(decide.importRecord(record('r1')))
    .thenRefused('entry-edited')
  entry
    .given(imported)
    .when(decide.importRecord(record('r1', 'gcide')))
    .thenRefused('entry-exists')
  entry
    .given(imported, retired)
    .when(decide.importRecord(record('r2')))
    .thenRefused('entry-retired')
  entry
    .given(imported, redacted)
    .when(decide.importRecord(record('r2')))
    .thenRefused('entry-removed')
})

t.test('redacting drops the text, once', async () => {
  entry.given(drafted).when(decide.redact('privacy')).then('EntryRedacted').again().thenNothing()
  entry.given().when(decide.redact('privacy')).thenRefused('entry-not-found')
  entry.given(drafted, redacted).when(decide.publish).thenRefused('entry-removed')
  const { state } = entry.given({ ...drafted, removed: true }, published, { ...edited('x'), removed: true }, redacted)
  t.match(of(state), { removed: true, lemma: '', content: { senses: [] } })
  const late = entry.given(drafted, redacted, edited('back again'), imported)
  t.match(of(late.state), { removed: true, lemma: '', content: { senses: [] } }, 'nothing brings the text back')
})

t.test('the route follows the state after the event', async () => {
  const route = (...events: Given<EntryEvent>[]) => entryAggregate.route(entry.given(...events).state)
  t.same(route(drafted), { language: 'en', visibility: 'owner', owner: 'author' })
  t.same(route(drafted, published), { language: 'en', visibility: 'public', owner: 'author' })
  t.same(route(imported), { language: 'en', visibility: 'public' })
  t.same(route(), { visibility: 'owner' })
})

t.test('a fold of any events in any order, opened or removed, never throws', async () => {
  const samples = [drafted, empty, submitted, published, retired, redacted, edited('x'), imported]
  samples.push({ type: 'EntryReturned', data: { reason: 'no' } }, { type: 'EntryRestored', data: {} })
  samples.push({ type: 'EntryTakenOver', data: {} }, { type: 'EntryReverted', data: { toRevision: '0', content: one } })
  samples.push({ type: 'DraftEdited', data: { changes: {} } })
  samples.push({ type: 'EntryHeld', data: { decision: 'd1', hides: true } })
  samples.push({ type: 'EntryReleased', data: { decision: 'd1', shows: true } })
  t.same(
    new Set(samples.map(each => each.type)),
    new Set(entryEvents.map(each => each.type)),
    'every type is among them',
  )
  const given = fc
    .tuple(fc.constantFrom(...samples), fc.boolean())
    .map(([event, removed]) => (removed ? { ...event, removed: true as const } : event))
  holds(
    fc.property(fc.array(given, { maxLength: 12 }), events => {
      const story = entry.given(...events)
      for (const revision of [0n, 5n]) story.when(decide.revert(revision, undefined))
      return true
    }),
  )
  t.equal(evolveEntry(undefined, { ...recorded('EntryPublished') }), undefined)
})

const recorded = (type: 'EntryPublished'): Recorded<EntryEvent> => ({
  type,
  data: {},
  id: 'e',
  stream: 'entry-1',
  revision: 0n,
  position: 1n,
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

t.test('ids are names: pinned, and different where a part differs', async () => {
  const id = entryId(identity)
  t.equal(id, entryId({ ...identity }))
  for (const other of [{ lemma: 'Luck' }, { language: 'de' }, { partOfSpeech: 'verb' }, { homograph: 2 }])
    t.not(entryId({ ...identity, ...other }), id)
})

t.test('merge patch: the examples of RFC 7396, and its laws', async () => {
  const examples: readonly (readonly [Json, Json, Json])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [target, patch, result] of examples) t.same(mergePatch(target, patch), result)
  const object = fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.constant(null)))
  holds(
    fc.property(object, object, (target, patch) => {
      const once = mergePatch(target, patch)
      deepEqual(mergePatch(once, patch), once)
      return Object.entries(patch).every(([member, value]) => value !== null || !Object.hasOwn(Object(once), member))
    }),
    50,
  )
})
