/** The search in definitions, and what comes before and behind it. */
import t from 'tap'
import type { SearchField } from '../../src/domain/search/match.ts'
import { parseQuery } from '../../src/domain/search/query.ts'
import { type SearchCursor, search } from '../../src/queries/search.ts'
import { documentsOf, indexOf, type Word } from '../support/search-index.ts'

const every: readonly SearchField[] = ['lemma', 'form', 'definition']
const wordOf = (lemma: string, gloss: string, rank = 0): Word => ({ lemma, gloss, rank, language: 'en', form: '' })

/** Every hit, page by page. */
const find = async (
  words: readonly Word[],
  q: string,
  { limit = 20, fuzzy = 'auto' as 'auto' | 0, fields = every as readonly SearchField[] | null } = {},
) => {
  const query = parseQuery(q, { language: 'en', fuzzy })
  if ('fault' in query) throw new Error(query.detail)
  const index = indexOf(documentsOf(words))
  const found: string[] = []
  let cursor: SearchCursor | undefined
  for (let pages = 0; pages < 500; pages += 1) {
    const request = { query, filters: { language: 'en' }, fields: fields ? new Set(fields) : undefined, limit }
    const page = await search(index, request, cursor)
    for (const { body, match } of page.hits)
      found.push(
        [body.lemma, match.layer, match.distance ?? match.covered].filter(part => part !== undefined).join(' '),
      )
    if (!page.next) return found
    cursor = structuredClone(page.next)
  }
  throw new Error('paging does not end')
}

t.test('what begins alike, and what fits a pattern, comes by use', async t => {
  const words = [
    wordOf('run a risk', 'x', 1),
    wordOf('run away', 'x', 9),
    wordOf('runner', 'x', 5),
    wordOf('running board', 'x', 7),
  ]
  for (const limit of [1, 20]) {
    t.same(await find(words, 'run', { limit }), [
      'run away prefix',
      'running board prefix',
      'runner prefix',
      'run a risk prefix',
    ])
    t.same(await find(words, 'runn', { limit }), ['running board prefix', 'runner prefix'])
    t.same(
      await find(words, 'run a', { limit }),
      ['run away prefix', 'run a risk prefix'],
      'longer than there is an index for',
    )
    t.same(await find(words, 'run*', { limit }), [
      'run away wildcard',
      'running board wildcard',
      'runner wildcard',
      'run a risk wildcard',
    ])
  }
})

t.test('more than two thousand that begin alike: none is lost, none comes twice', async t => {
  const words = Array.from({ length: 2_050 }, (_, n) => wordOf(`begin ${n}`, 'x', n % 7))
  const found = await find(words, 'begin ', { limit: 100 })
  t.equal(found.length, 2_050)
  t.equal(new Set(found).size, 2_050)
  t.equal((await find(words, 'begin*', { limit: 100 })).length, 2_050)
})

t.test('of several words a definition says more than a lemma two edits away', async t => {
  const words = [wordOf('kitten', 'young cat'), wordOf('young man', 'a boy'), wordOf('young cab', 'x')]
  const expected = ['young cab fuzzy 1', 'kitten definition 1', 'young man fuzzy 2']
  for (const limit of [1, 20]) t.same(await find(words, 'young cat', { limit }), expected)
  const others = words.filter(({ lemma }) => lemma !== 'young cab')
  t.same(await find(others, 'young cat', { fields: null }), ['kitten definition 1', 'young man fuzzy 2'])
  t.same(
    await find(words, 'young cat', { fields: null }),
    ['young cab fuzzy 1', 'young man fuzzy 2'],
    'lemmas found something',
  )
  t.same(
    await find([wordOf('kittens', 'mittenz'), wordOf('mittens', 'x')], 'mittenz'),
    ['mittens fuzzy 1', 'kittens fuzzy 2'],
    'of one word a lemma does',
  )
})

t.test('definitions come by how much of them is asked for, then by use', async t => {
  const words = [
    wordOf('cub', 'young cat or bear or fox', 9),
    wordOf('kitten', 'young cat', 1),
    wordOf('kitty', 'a young cat', 3),
    wordOf('litter', 'young animals; a bed of straw for a cat', 8),
  ]
  const expected = ['kitty definition 1', 'kitten definition 1', 'cub definition 1', 'litter definition 1']
  for (const limit of [1, 20]) t.same(await find(words, 'young cats', { limit }), expected)
})

t.test('the words have to be in one gloss', async t => {
  const [entry] = documentsOf([wordOf('odd', 'young')])
  t.same(entry?.body.glosses, [[0]])
  t.equal(entry?.body.brevity, 1)
})

t.test('more than two hundred that have every word: in the order of the index, none lost', async t => {
  const words = Array.from({ length: 230 }, (_, n) =>
    wordOf(`w${n}`, n % 2 === 0 ? 'kind of tree' : 'a kind of tall tree', n % 5),
  )
  const found = await find(words, 'kind of tree', { limit: 37 })
  t.equal(found.length, 230)
  t.equal(new Set(found).size, 230)
  const isShort = (hit: string): boolean => Number(/\d+/.exec(hit)?.[0]) % 2 === 0
  t.ok(found.slice(0, 115).every(isShort), 'the shorter glosses first')
})

t.test('one misspelt word among several is forgiven', async t => {
  const words = [
    wordOf('acrophobia', 'a morbid fear of great heights'),
    wordOf('height', 'x', 3),
    wordOf('weight', 'y'),
    wordOf('hydrophobia', 'fear of water'),
  ]
  t.same(await find(words, 'fear of hieghts'), ['acrophobia definition 1'])
  t.same(await find(words, 'faer of hieghts'), [], 'two are not')
  t.same(
    await find(words, 'fear of hieghts', { fuzzy: 0 }),
    ['hydrophobia definition 0.5', 'acrophobia definition 0.5'],
    'nor is it where no edit is allowed',
  )
})

t.test('where no gloss has every word, those come that have the most telling ones', async t => {
  const words = [
    ...Array.from({ length: 20 }, (_, n) => wordOf(`person${n}`, 'a person who does something')),
    wordOf('author', 'writes books professionally'),
    wordOf('clerk', 'writes letters'),
  ]
  for (const limit of [1, 20])
    t.same((await find(words, 'somebody who writes books', { limit })).slice(0, 2), [
      'author definition 0.6666666666666666',
      'clerk definition 0.3333333333333333',
    ])
  t.same(await find(words, 'books of wizards'), ['author definition 0.5'])
  t.same(await find(words, 'wizards'), [], 'a word that nobody has is nowhere')
  t.same(await find(words, 'who writes letters'), ['clerk definition 1'], 'behind a whole answer there are no parts')
})
