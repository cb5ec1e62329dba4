/**
 * Lists and draws with filters that fit little or nothing: what they examine does not grow with the dictionary, a page says
 * where it ended, and every engine answers as the plain definition does.
 */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openMongoReadStore } from '../../../src/adapters/readstore/mongodb/store.ts'
import type { Cursor, Reader } from '../../../src/core/query/define.ts'
import { defined } from '../../../src/domain/defined.ts'
import { type PartOfSpeech, partsOfSpeech } from '../../../src/domain/entry/content.ts'
import { documentOf, type EntryDocument, entriesProjection } from '../../../src/projections/entries.ts'
import { randomEntry } from '../../../src/queries/entry-draw.ts'
import { type ListInput, type ListSort, listEntries, listSorts } from '../../../src/queries/entry-lists.ts'
import { openTestApp } from '../../support/app.ts'
import { fastClock } from '../../support/clocks.ts'
import { noMongo, startMongo } from '../../support/mongodb.ts'
import { fillReadModel, type ReadModel } from '../../support/read-model.ts'
import { permissionsOf } from '../../support/roles.ts'

const MOST = 2_000
/** Half of it is more than is ever placed in memory. */
const SIZE = 4_200
const reader: Reader = { permissions: permissionsOf('reader') }

const idOf = (n: number): string => {
  const spread = ((n * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0')
  return `${spread}-0000-4000-8000-${String(n).padStart(12, '0')}`
}
const at = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString()
const partOf = (n: number): PartOfSpeech => (n % 3 === 0 ? 'verb' : 'noun')

/** Half of them have a common label, every hundredth a rare one; languages and parts of speech go by turns. */
const entryOf = (n: number): { readonly id: string; readonly body: EntryDocument } => {
  const register = [...(n % 2 === 0 ? ['common'] : []), ...(n % 100 === 0 ? ['rare'] : [])]
  const body = documentOf(
    {
      language: n % 5 === 0 ? 'es' : 'en',
      lemma: `word ${String((n * 7_919) % 100_003).padStart(6, '0')}`,
      partOfSpeech: partOf(n),
      homograph: 1,
      status: 'published',
      content: {
        variants: [],
        senses: [
          {
            id: 's',
            gloss: 'what it means',
            labels: { register, region: [], domain: [] },
            examples: [],
            relations: [],
            translations: [],
          },
        ],
        forms: [],
        pronunciations: [],
        categories: n % 2 === 1 ? ['things'] : [],
      },
      licence: 'CC0-1.0',
      source: n % 4 === 0 ? 'few' : 'many',
      edited: false,
      rank: 0,
      contributors: [n % 50 === 0 ? 'ada' : 'importer'],
      createdAt: at(n),
      updatedAt: at((n * 31) % 20_000),
      removed: false,
    },
    '0',
    '',
  )
  return { id: idOf(n), body }
}
const entriesUpTo = (count: number) => Array.from({ length: count }, (_, n) => entryOf(n))

const nothing: readonly Partial<ListInput>[] = [
  { partOfSpeech: 'interjection' },
  { language: 'fr' },
  { language: 'es', partOfSpeech: 'particle' },
  { label: 'zzz' },
  { category: 'zzz' },
  { contributor: 'nobody' },
  { source: 'nowhere' },
  { updatedSince: '2999-01-01T00:00:00.000Z' },
  { label: 'zzz', category: 'things' },
  { label: 'common', category: 'zzz' },
  { label: 'zzz', source: 'many', language: 'en' },
  { source: 'many', partOfSpeech: 'interjection' },
  { contributor: 'importer', partOfSpeech: 'interjection' },
]

const small = await fillReadModel(t, entriesProjection, entriesUpTo(SIZE))
const large = await fillReadModel(t, entriesProjection, entriesUpTo(4 * SIZE))

t.test('a list that nothing fits is one page, at the same cost in a dictionary four times as large', async t => {
  for (const filters of nothing)
    for (const sort of ['lemma', '-lemma', 'updatedAt', '-createdAt'] as const) {
      const ask = ({ view, during }: ReadModel<EntryDocument>) =>
        during(() => listEntries({ entries: view }).run({ limit: 20, sort, ...filters }, reader))
      const [one, four] = [await ask(small), await ask(large)]
      const what = `${JSON.stringify(filters)} by ${sort}`
      t.match(four.answer, { value: { items: [] } }, what)
      t.match(four.answer, { value: { next: null } }, `${what}: one page`)
      t.equal(four.examined, one.examined, what)
      t.ok(four.most <= MOST, `${what}: ${four.most} keys`)
      t.ok(four.read <= 20, `${what}: ${four.read} documents`)
    }
})

t.test('a draw by any filters is a look-up, or says that it looked at some', async t => {
  const filters = nothing.map(({ language, partOfSpeech, label, category }) => ({
    language,
    partOfSpeech,
    label,
    category,
  }))
  for (const each of [...filters, { label: 'rare' }, { partOfSpeech: 'verb' }, { language: 'es', label: 'rare' }]) {
    const input = Object.fromEntries(Object.entries(each).filter(([, value]) => value !== undefined))
    const ask = ({ view, during }: ReadModel<EntryDocument>) =>
      during(() => randomEntry({ entries: view }, () => idOf(77)).run(input, reader))
    const [one, four] = [await ask(small), await ask(large)]
    t.ok(four.examined <= MOST, `${JSON.stringify(input)}: ${four.examined} keys`)
    t.ok(four.read <= 1, `${JSON.stringify(input)}: ${four.read} documents`)
    t.equal('refused' in four.answer, 'refused' in one.answer, JSON.stringify(input))
  }
  const common = await large.during(() =>
    randomEntry({ entries: large.view }, () => idOf(77)).run({ label: 'common', partOfSpeech: 'interjection' }, reader),
  )
  t.match(common.answer, { refused: 'nothing-found', detail: /not all were/ })
  t.ok(common.examined <= MOST)
  const none = await large.during(() =>
    randomEntry({ entries: large.view }, () => idOf(77)).run({ language: 'fr' }, reader),
  )
  t.match(none.answer, { refused: 'nothing-found', detail: 'No published entry matches these filters.' })
})

t.test('a draw finds each of the few that fit', async t => {
  const drawn = new Set<string>()
  for (let n = 0; n < 200; n += 1) {
    const point = `${((n * 256) / 200).toString(16).split('.')[0]?.padStart(2, '0')}000000-0000-4000-8000-000000000000`
    const answer = await randomEntry({ entries: small.view }, () => point).run(
      { label: 'rare', partOfSpeech: 'verb' },
      reader,
    )
    if ('value' in answer) drawn.add(answer.value.id)
  }
  const fits = entriesUpTo(SIZE).filter(({ body }) => body.labelKeys.includes('rare') && body.partOfSpeech === 'verb')
  t.equal(drawn.size, fits.length)
})

/** What the filters mean, over all documents. */
const naive = (
  documents: readonly { readonly id: string; readonly body: EntryDocument }[],
  input: Partial<ListInput>,
) => {
  const { language, partOfSpeech, label, category, contributor, source, updatedSince, sort = 'lemma' } = input
  const member = sort.endsWith('lemma') ? 'sortKey' : sort.endsWith('updatedAt') ? 'updatedAt' : 'createdAt'
  const fits = documents.filter(
    ({ body }) =>
      (language === undefined || body.language === language) &&
      (partOfSpeech === undefined || body.partOfSpeech === partOfSpeech) &&
      (label === undefined || body.labelKeys.includes(label)) &&
      (category === undefined || body.categoryKeys.includes(category)) &&
      (contributor === undefined || body.contributors.includes(contributor)) &&
      (source === undefined || body.source === source) &&
      (updatedSince === undefined || body.updatedAt >= updatedSince),
  )
  const placeOf = ({ id, body }: (typeof documents)[number]): string => `${body[member]} ${id}`
  const sorted = fits
    .map(each => ({ id: each.id, place: placeOf(each) }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
  const ids = sorted.map(({ id }) => id)
  return sort.startsWith('-') ? ids.toReversed() : ids
}

const everyPage = async (model: ReadModel<EntryDocument>, input: Partial<ListInput>) => {
  const ids: string[] = []
  let after: Cursor | undefined
  for (;;) {
    const given: ListInput = { limit: 100, ...input, ...defined({ after: after ? after : undefined }) }
    const { answer, most } = await model.during(() => listEntries({ entries: model.view }).run(given, reader))
    if ('refused' in answer) throw new Error(answer.detail)
    if (most > MOST) throw new Error(`${JSON.stringify(input)}: ${most} keys`)
    ids.push(...answer.value.items.map(({ id }) => id))
    if (!answer.value.next) return ids
    after = answer.value.next
  }
}

const asked: readonly Partial<ListInput>[] = [
  {},
  { language: 'es' },
  { partOfSpeech: 'verb' },
  { language: 'en', partOfSpeech: 'verb' },
  { label: 'rare' },
  { label: 'common' },
  { label: 'common', category: 'things' },
  { label: 'rare', language: 'es' },
  { category: 'things', partOfSpeech: 'verb' },
  { contributor: 'ada' },
  { contributor: 'ada', label: 'rare', source: 'few' },
  { source: 'few', partOfSpeech: 'verb' },
  { source: 'many' },
  { updatedSince: at(19_500) },
  { updatedSince: at(10_000), language: 'es' },
  { updatedSince: at(19_000), label: 'common' },
]

const agree = async (
  check: Pick<typeof t, 'strictSame'>,
  model: ReadModel<EntryDocument>,
  count: number,
  sorts: readonly ListSort[],
) => {
  const documents = entriesUpTo(count)
  for (const input of asked)
    for (const sort of sorts)
      check.strictSame(
        await everyPage(model, { ...input, sort }),
        naive(documents, { ...input, sort }),
        `${JSON.stringify(input)} by ${sort}`,
      )
}

t.test('SQLite answers as the definition does', async t => agree(t, small, SIZE, ['lemma', '-updatedAt']))

t.test('so does MongoDB', { skip: noMongo() ?? false }, async t => {
  const server = await startMongo(t)
  const options = { setting: 'READ_STORE', clock: fastClock(1), newId: randomUUID }
  const store = await openMongoReadStore({ url: server.database(), ...options })
  t.teardown(() => store.close())
  await agree(t, await fillReadModel(t, entriesProjection, entriesUpTo(300), store), 300, listSorts)
})

t.test('every part of speech is asked for where none is named', async t => {
  t.equal(new Set(partsOfSpeech).size, partsOfSpeech.length)
  const app = await openTestApp(t)
  for (const path of ['/v1/random?partOfSpeech=interjection&label=zzz', '/v1/random?language=fr'])
    t.equal((await fetch(`${app.url}${path}`)).status, 404)
})
