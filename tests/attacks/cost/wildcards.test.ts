/**
 * Patterns that fit little of what begins or ends as they do: a page looks at 2,000 keys at most and reads the documents that it
 * shows, in a dictionary of any size; and every engine finds what the plain pattern does.
 */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openMongoReadStore } from '../../../src/adapters/readstore/mongodb/store.ts'
import { emptyContent, type PartOfSpeech } from '../../../src/domain/entry/content.ts'
import { parseQuery, patternOf } from '../../../src/domain/search/query.ts'
import { type SearchDocument, searchDocument, searchProjection } from '../../../src/projections/search.ts'
import { type SearchCursor, search } from '../../../src/queries/search.ts'
import type { SearchFilters, SearchRequest } from '../../../src/queries/search-steps.ts'
import { fastClock } from '../../support/clocks.ts'
import { noMongo, startMongo } from '../../support/mongodb.ts'
import { fillReadModel, type ReadModel } from '../../support/read-model.ts'

const MOST = 2_000
const SIZE = 4_000

const syllables = ['ca', 'se', 'pto', 'zzi', 'ab', 'qu', 'ing', 's', 'ér', 'т']
/** Words of two to five syllables; all begin with `s` or `p` but every tenth, and end with `e` or `s`. */
const short = ['as', 'is', 'b', 'só', 'ты', 'at', 'us']
const wordOf = (n: number): string => {
  const word = short[n]
  if (word !== undefined) return word
  const begin = n % 10 === 0 ? 'q' : n % 2 === 0 ? 's' : 'p'
  let middle = ''
  for (let rest = n; rest > 0; rest = Math.floor(rest / syllables.length)) middle += syllables[rest % syllables.length]
  return `${begin}${middle}${n % 3 === 0 ? 's' : 'e'}`
}
const entryOf = (n: number): { readonly id: string; readonly body: SearchDocument } => {
  const partOfSpeech: PartOfSpeech = n % 7 === 0 ? 'verb' : 'noun'
  const body = searchDocument({
    language: 'en',
    lemma: wordOf(n),
    partOfSpeech,
    homograph: 1,
    status: 'published',
    content: emptyContent,
    licence: '',
    edited: false,
    rank: 0,
    contributors: [],
    createdAt: '',
    updatedAt: '',
    removed: false,
  })
  const spread = ((n * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, '0')
  return { id: `${spread}-0000-4000-8000-${String(n).padStart(12, '0')}`, body }
}
const entriesUpTo = (count: number) => Array.from({ length: count }, (_, n) => entryOf(n))
const requestOf = (q: string, filters: SearchFilters = {}): SearchRequest => {
  const query = parseQuery(q, { language: 'en', fuzzy: 'auto' })
  if ('fault' in query) throw new Error(query.detail)
  return { query, filters: { language: 'en', ...filters }, fields: undefined, limit: 20 }
}

const patterns = [
  's*zzz',
  'p*a*b',
  '?s',
  'c?t',
  's*q',
  's*zzi*e',
  'q*s',
  's??e',
  '*zzis',
  '???s',
  's*т*e',
  'p*é*s',
  'pca*',
]

const small = await fillReadModel(t, searchProjection, entriesUpTo(SIZE))
const large = await fillReadModel(t, searchProjection, entriesUpTo(4 * SIZE))

t.test('a page of a pattern looks at 2,000 keys, and reads what it shows', async t => {
  for (const q of patterns)
    for (const model of [small, large]) {
      const page = await model.during(() => search(model.view, requestOf(q)))
      t.ok(page.most <= MOST, `${q}: ${page.most} keys`)
      t.ok(page.read <= Math.max(20, page.answer.hits.length), `${q}: ${page.read} documents`)
    }
  const filtered = await large.during(() => search(large.view, requestOf('s*e', { partOfSpeech: 'interjection' })))
  t.ok(filtered.most <= MOST)
  t.ok(filtered.read <= 200, `${filtered.read} documents`)
})

t.test('what nothing fits is looked for among what has both ends, or as many letters', async t => {
  for (const q of ['s*zzz', 'p*a*b', 's*q', '?q', 'c?t']) {
    const [one, four] = [
      await small.during(() => search(small.view, requestOf(q))),
      await large.during(() => search(large.view, requestOf(q))),
    ]
    t.match(four.answer, { hits: [], next: null }, q)
    t.equal(four.examined, one.examined, `${q}: ${four.examined} keys`)
  }
})

const everyPage = async (model: ReadModel<SearchDocument>, request: SearchRequest): Promise<readonly string[]> => {
  const ids: string[] = []
  for (let cursor: SearchCursor | undefined; ; ) {
    const { hits, next } = await search(model.view, request, cursor)
    ids.push(...hits.map(({ id }) => id))
    if (!next) return ids.toSorted()
    cursor = next
  }
}

const agree = async (check: Pick<typeof t, 'strictSame'>, model: ReadModel<SearchDocument>, count: number) => {
  const documents = entriesUpTo(count)
  for (const q of patterns)
    for (const filters of [{}, { partOfSpeech: 'verb' }]) {
      const request = requestOf(q, filters)
      const pattern = patternOf(request.query.keys[0] ?? '')
      const fits = documents.filter(
        ({ body }) =>
          pattern.test(body.key ?? '') && (!('partOfSpeech' in filters) || body.partOfSpeech === filters.partOfSpeech),
      )
      check.strictSame(
        await everyPage(model, request),
        fits.map(({ id }) => id).toSorted(),
        `${q} ${JSON.stringify(filters)}`,
      )
    }
}

t.test('SQLite finds what the pattern fits', async t => agree(t, small, SIZE))

t.test('so does MongoDB', { skip: noMongo() ?? false }, async t => {
  const server = await startMongo(t)
  const options = { setting: 'READ_STORE', clock: fastClock(1), newId: randomUUID }
  const store = await openMongoReadStore({ url: server.database(), ...options })
  t.teardown(() => store.close())
  await agree(t, await fillReadModel(t, searchProjection, entriesUpTo(300), store), 300)
})
