/** The search's paging against an index that answers by brute force, planned by the real planner. */
import { deepEqual } from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { plan } from '../../src/core/project/planner.ts'
import { closestOf } from '../../src/domain/search/definitions.ts'
import { bestLayer, DISTANT, type SearchField } from '../../src/domain/search/match.ts'
import { parseQuery, type SearchQuery } from '../../src/domain/search/query.ts'
import { type SearchDocument, searchProjection } from '../../src/projections/search.ts'
import { type SearchCursor, search } from '../../src/queries/search.ts'
import { readDefinitions, tellingOf, weightsOf } from '../../src/queries/search-definitions.ts'
import { matchable, type SearchIndex, type SearchRequest } from '../../src/queries/search-steps.ts'
import { fakeClock } from '../support/clocks.ts'
import { holdsAsync, sample } from '../support/property.ts'
import { documentsOf, indexOf, type Word } from '../support/search-index.ts'

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

const lemmaAndForm: ReadonlySet<SearchField> = new Set(['lemma', 'form'])
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
  const matchedIn = (wanted: ReadonlySet<SearchField>, asked = query) =>
    documents.flatMap(({ id, body }) => {
      const entry = matchable(body)
      const match = language !== undefined && entry.language !== language ? undefined : bestLayer(asked, entry, wanted)
      return match ? [{ id, layer: match.layer, distance: match.distance }] : []
    })
  const inLemmas = matchedIn(lemmaAndForm)
  const isFoundBefore = inLemmas.some(({ distance }) => !(query.isPhrase && distance === DISTANT))
  const asking = { index, query, filters: [], fields: fields ?? all }
  const read = await readDefinitions(asking)
  const inAll = matchedIn(fields ?? all, read.query)
  const parts = (): readonly { id: string; layer: string }[] => {
    const weights = weightsOf(read)
    const telling = tellingOf(read)
    return documents.flatMap(({ id, body }) => {
      const entry = matchable(body)
      if (language !== undefined && entry.language !== language) return []
      const isMet =
        body.definition?.some(stem => telling.includes(stem)) && !bestLayer(read.query, entry, fields ?? all)
      const isClose = read.query.definitions.some(stems => closestOf(stems, entry.glosses, weights) !== undefined)
      return isMet && isClose ? [{ id, layer: 'definition' }] : []
    })
  }
  const isDefined = inAll.some(({ layer }) => layer === 'definition')
  const isPhrase = query.definitions.some(stems => stems.length > 1)
  const hasParts = isPhrase && !isDefined && (fields ?? all).has('definition')
  const whole = (fields === undefined && isFoundBefore ? inLemmas : inAll).map(({ id, layer }) => ({ id, layer }))
  const expected = hasParts && !(fields === undefined && isFoundBefore) ? [...whole, ...parts()] : whole
  const sorted = (list: readonly { id: string; layer: string }[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  deepEqual(sorted(hits), sorted(expected))
  const inOnePage = await every(index, { ...request, limit: 100 })
  // The order does not depend on the page size.
  deepEqual(hits, inOnePage)
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
