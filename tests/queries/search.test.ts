/** The search's paging against an index that answers by brute force, planned by the real planner. */
import { deepEqual } from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { plan } from '../../src/core/project/planner.ts'
import type { Entry } from '../../src/domain/entry/entry.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import { bestLayer, type SearchField } from '../../src/domain/search/match.ts'
import { parseQuery, type SearchQuery } from '../../src/domain/search/query.ts'
import { compareKeysets, keysetOf, matches } from '../../src/ports/conditions.ts'
import { type SearchDocument, searchDocument, searchProjection } from '../../src/projections/search.ts'
import { type SearchCursor, type SearchIndex, type SearchRequest, search } from '../../src/queries/search.ts'
import { fakeClock } from '../support/clocks.ts'
import { holdsAsync, sample } from '../support/property.ts'

type Word = {
  readonly lemma: string
  readonly language: string
  readonly gloss: string
  readonly form: string
  readonly rank: number
}

const entryOf = ({ lemma, language, gloss, form, rank }: Word): Entry => ({
  language,
  lemma,
  partOfSpeech: 'noun',
  homograph: 1,
  status: 'published',
  licence: 'CC0-1.0',
  edited: true,
  rank,
  content: {
    variants: [],
    pronunciations: [],
    categories: [],
    forms: form === '' ? [] : [{ form, tags: [] }],
    senses: [
      {
        id: 's',
        gloss,
        labels: { register: [], region: [], domain: [] },
        examples: [],
        relations: [],
        translations: [],
      },
    ],
  },
  contributors: [],
  createdAt: '',
  updatedAt: '',
  removed: false,
})

const documentsOf = (words: readonly Word[]): { id: string; body: SearchDocument }[] =>
  words.map((word, n) => ({ id: idOf(n), body: searchDocument(entryOf(word)) }))
const idOf = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-5000-8000-000000000000`

/** Every query is planned first, so that one without an index fails here. */
const indexOf = (documents: { id: string; body: SearchDocument }[]): SearchIndex => ({
  find: async query => {
    plan(query, searchProjection.indexes)
    const found = documents
      .filter(({ body }) => query.where.every(condition => matches(body, condition)))
      .map(document => ({ document, key: keysetOf(query.order, document.id, document.body) }))
      .toSorted((a, b) => compareKeysets(query.order, a.key, b.key))
      .filter(({ key }) => query.after === undefined || compareKeysets(query.order, key, query.after) > 0)
    const page = found.slice(0, query.limit)
    return {
      documents: page.map(each => each.document),
      next: found.length > query.limit ? (page.at(-1)?.key ?? null) : null,
      examined: page.length,
    }
  },
  select: async (query, members) => {
    const page = await indexOf(documents).find(query)
    const rows = page.documents.map(({ id, body }) => {
      const document: JsonObject = body
      return { id, members: members.map(member => document[member] ?? null) }
    })
    return { ...page, documents: rows }
  },
  get: async ids => new Map(documents.filter(each => ids.includes(each.id)).map(each => [each.id, each])),
  count: async (query, limit) => {
    plan({ ...query, limit: 1 }, searchProjection.indexes)
    return Math.min(
      limit,
      documents.filter(({ body }) => query.where.every(condition => matches(body, condition))).length,
    )
  },
})

const fail = (id: string): never => {
  throw new Error(`${id} is in no document`)
}

const queryOf = (q: string, language?: string): SearchQuery | undefined => {
  const query = parseQuery(q, { language, fuzzy: 'auto' })
  return 'fault' in query ? undefined : query
}

const every = async (index: SearchIndex, request: SearchRequest) => {
  const hits: { id: string; layer: string }[] = []
  let cursor: SearchCursor | undefined
  for (let pages = 0; pages < 1000; pages += 1) {
    const page = await search(index, request, cursor)
    if (page.hits.length > request.limit)
      throw new Error(`a page of ${page.hits.length}, where ${request.limit} were asked`)
    hits.push(...page.hits.map(({ id, match }) => ({ id, layer: match.layer })))
    if (!page.next) return hits
    cursor = structuredClone(page.next)
  }
  throw new Error('paging does not end')
}

const vocabulary = [
  'luck',
  'lucky',
  'Luck',
  'lück',
  'duck',
  'ducks',
  'unlucky',
  'pluck',
  'lucks',
  'luckier',
  'truck',
  'kitten',
  'kittens',
  'sitten',
  'año',
  'ano',
  'Ano',
]
const word: fc.Arbitrary<Word> = fc.record({
  lemma: fc.constantFrom(...vocabulary),
  language: fc.constantFrom('en', 'de', 'tr', 'es'),
  gloss: fc.constantFrom('good luck', 'a small cat', 'lucky duck of kittens', 'nothing'),
  form: fc.constantFrom('', 'lucked', 'luck', 'Kitten'),
  rank: fc.integer({ min: 0, max: 3 }),
})
const asked = fc.record({
  q: fc.constantFrom(
    'luck',
    'LUCK',
    'lukc',
    'kiten',
    'kittens',
    'luck*',
    '*ck',
    'l?ck',
    'duck lucky',
    'small cats',
    'x',
    'lück',
    'año',
    'ANO',
    'añ*',
    '*ño',
    'l*ück',
    'lucks ducks',
  ),
  language: fc.constantFrom(undefined, 'en', 'de', 'es'),
  fields: fc.constantFrom<ReadonlySet<SearchField> | undefined>(
    undefined,
    new Set(['lemma']),
    new Set(['form', 'definition']),
    new Set(['definition']),
  ),
  limit: fc.integer({ min: 1, max: 7 }),
})

const all: ReadonlySet<SearchField> = new Set(['lemma', 'form', 'definition'])
type Asked = {
  readonly q: string
  readonly language: string | undefined
  readonly fields: ReadonlySet<SearchField> | undefined
  readonly limit: number
}

/** Pages against `bestLayer` over every document, and against one page that holds them all. @throws where they differ. */
const agrees = async (
  index: SearchIndex,
  documents: readonly { id: string; body: SearchDocument }[],
  { q, language, fields, limit }: Asked,
): Promise<void> => {
  const query = queryOf(q, language)
  if (!query) throw new Error(`${q} is refused`)
  const filters = language === undefined ? {} : { language }
  const request: SearchRequest = { query, filters, fields, limit }
  const hits = await every(index, request)
  const matched = documents.flatMap(({ id, body }) => {
    const { lemma = '', key = '', forms = [], stems = [], definition = [] } = body
    const entry = { language: body.language ?? '', lemma, key, forms, stems, definition }
    const match =
      language !== undefined && entry.language !== language ? undefined : bestLayer(query, entry, fields ?? all)
    return match ? [{ id, layer: match.layer }] : []
  })
  const others = matched.filter(each => each.layer !== 'definition')
  const expected = fields === undefined && others.length > 0 ? others : matched
  const sorted = (list: readonly { id: string; layer: string }[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  deepEqual(sorted(hits), sorted(expected))
  const whole = await every(index, { ...request, limit: 100 })
  // The order does not depend on the page size.
  deepEqual(hits, whole)
}

t.test('paging gives each entry once, in its best layer, best layer first, whatever the page size', async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(word, { maxLength: 40 }), asked, async (words, question) => {
      const documents = documentsOf(words)
      await agrees(indexOf(documents), documents, question)
    }),
    300,
  )
})

t.test('the embedded read store finds the same, in the same order, with and without a language', async t => {
  const path = join(t.testdir(), 'read.db')
  const store = await openSqliteReadStore({ path, clock: fakeClock() })
  t.teardown(() => store.close())
  // An exploration asks more questions, of as many words.
  const words = sample(word, 150, 11).slice(0, 150)
  const documents = documentsOf(words)
  const collection = 'search@1#1'
  await store.ensure(collection, searchProjection.indexes)
  await store.apply(
    collection,
    documents.map(each => ({ ...each, position: 1n })),
    { consumer: collection, value: { logId: 'log', position: 1n, eventId: '', token: 1 } },
  )
  const bodies = new Map(documents.map(({ id, body }) => [id, body]))
  const index: SearchIndex = {
    find: async query => {
      const page = await store.find(collection, plan(query, searchProjection.indexes))
      return { ...page, documents: page.documents.map(({ id }) => ({ id, body: bodies.get(id) ?? fail(id) })) }
    },
    select: (query, members) => store.select(collection, plan(query, searchProjection.indexes), members),
    get: async ids => new Map(ids.map(id => [id, { id, body: bodies.get(id) ?? fail(id) }])),
    count: (query, limit) => store.count(collection, plan({ ...query, limit: 1 }, searchProjection.indexes), limit),
  }
  let fuzzy = 0
  for (const question of sample(asked, 60, 12)) {
    await agrees(index, documents, question)
    const query = queryOf(question.q, question.language)
    if (!query) continue
    const request = { query, filters: {}, fields: question.fields, limit: 50 }
    const filters = question.language === undefined ? {} : { language: question.language }
    const here = await every(index, { ...request, filters })
    t.strictSame(here, await every(indexOf(documents), { ...request, filters }), 'as the reference does')
    if (question.language !== undefined) fuzzy += here.filter(each => each.layer === 'fuzzy').length
  }
  t.ok(fuzzy > 0, 'fuzzy hits in one language are among them')
})

t.test('a fuzzy layer is ordered by distance, then use', async t => {
  const words = [
    { lemma: 'kittens', rank: 0 },
    { lemma: 'mittens', rank: 9 },
    { lemma: 'kitchen', rank: 5 },
    { lemma: 'smitten', rank: 1 },
  ].map(each => ({ language: 'en', gloss: 'x', form: '', ...each }))
  const query = queryOf('kittenz')
  if (!query) throw new Error('no query')
  const hits = await search(indexOf(documentsOf(words)), { query, filters: {}, fields: undefined, limit: 10 })
  t.same(
    hits.hits.map(({ body, match }) => [body.lemma, match.layer, match.distance]),
    [
      ['kittens', 'fuzzy', 1],
      ['mittens', 'fuzzy', 2],
    ],
  )
})
