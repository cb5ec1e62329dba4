import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import type { Entry } from '../../src/domain/entry.ts'
import { anonymousPermissions, permissionsOf } from '../../src/domain/roles.ts'
import { documentOf, type EntryDocument, entryCacheKey } from '../../src/projections/entries.ts'
import type { View } from '../../src/projections/view.ts'
import { getEntry } from '../../src/queries/entries.ts'
import { fakeClock } from '../support/clocks.ts'

const entry = (lemma: string, status: Entry['status'] = 'published'): Entry => ({
  ...{ language: 'en', lemma, partOfSpeech: 'noun', homograph: 1, status, licence: 'CC0-1.0', edited: true, rank: 0 },
  content: { variants: [], senses: [], forms: [], pronunciations: [], categories: [] },
  ...{ author: 'me', contributors: ['me'], createdAt: '', updatedAt: '', removed: false },
})

const open = () => {
  const documents = new Map<string, EntryDocument>()
  const state = { position: 10n, reads: 0, ready: true }
  const view: View<EntryDocument> = {
    name: 'entries',
    get: async ids => {
      state.reads += 1
      const found = ids.flatMap(id => {
        const body = documents.get(id)
        return body ? [[id, { id, position: state.position, body }] as const] : []
      })
      return new Map(found)
    },
    find: async () => ({ documents: [], next: null, examined: 0, generation: '1.1', position: state.position }),
    select: async () => ({ documents: [], next: null, examined: 0, generation: '1.1', position: state.position }),
    count: async () => 0,
    generation: () => '1.1',
    position: () => state.position,
    waitFor: async () => undefined,
    ready: async () => state.ready,
  }
  const cache = openMemoryCache({ clock: fakeClock(), max: 10 })
  const log = { head: async () => state.position, readStream: async function* () {} }
  return { documents, state, cache, query: getEntry({ entries: view, log, cache }) }
}
const stranger = { permissions: anonymousPermissions }

t.test('a published entry is read once, as long as the read model stands still', async t => {
  const { documents, state, query } = open()
  documents.set('1', documentOf(entry('luck'), '4'))
  const first = await query.run({ id: '1' }, stranger)
  const second = await query.run({ id: '1' }, stranger)
  t.match(first, { value: { lemma: 'luck', revision: '4' }, position: 10n })
  t.same(second, first, 'the same value and the same bytes')
  t.equal(state.reads, 1)
  documents.set('1', documentOf(entry('luck', 'retired'), '5'))
  state.position = 11n
  t.match(await query.run({ id: '1' }, stranger), { refused: 'entry-gone' })
  t.equal(state.reads, 2)
})

t.test('a cached value older than what this node reads is not served, an invalidated one neither', async t => {
  const { documents, state, cache, query } = open()
  documents.set('1', documentOf(entry('luck'), '4'))
  await query.run({ id: '1' }, stranger)
  await cache.invalidate([entryCacheKey('1')], 10n)
  await query.run({ id: '1' }, stranger)
  t.equal(state.reads, 2)
  state.position = 12n
  await query.run({ id: '1' }, stranger)
  t.equal(state.reads, 3)
  state.ready = false
  await query.run({ id: '1' }, stranger)
  t.equal(state.reads, 4, 'and while nothing is known of the read model, it is asked')
})

t.test('what not everybody may see is never cached', async t => {
  const { documents, state, query, cache } = open()
  documents.set('1', documentOf(entry('luck', 'draft'), '0'))
  const author = { actor: { kind: 'service', id: 'me' }, permissions: permissionsOf('contributor') }
  t.match(await query.run({ id: '1' }, author), { value: { status: 'draft', senses: [] } })
  t.match(await query.run({ id: '1' }, stranger), { refused: 'entry-not-found' })
  const other = { actor: { kind: 'service', id: 'you' }, permissions: permissionsOf('contributor') }
  const identity = await query.run({ id: '1' }, other)
  t.match(identity, { value: { status: 'draft', author: 'me' } })
  t.notMatch(identity, { value: { senses: [] } })
  t.equal(await cache.get(entryCacheKey('1')), undefined)
  t.equal(state.reads, 3)
})
