import fc from 'fast-check'
import t from 'tap'
import { distanceOf } from '../../src/domain/distance.ts'
import type { Entry } from '../../src/domain/entry/entry.ts'
import { closestOf, coverOf, glossesOf, weightOf } from '../../src/domain/search/definitions.ts'
import {
  bestLayer,
  fuzzyDistance,
  highlightsOf,
  layers,
  type Matchable,
  type SearchField,
} from '../../src/domain/search/match.ts'
import {
  distanceFor,
  lettersOf,
  parseQuery,
  patternOf,
  readingOf,
  type SearchQuery,
} from '../../src/domain/search/query.ts'
import { deletesOf, letters, termsOf } from '../../src/domain/search/terms.ts'
import { foldingLanguages } from '../../src/domain/text/languages.ts'
import { ascii } from '../../src/domain/text/text.ts'
import { holds } from '../support/property.ts'

const entryOf = (lemma: string, more: Partial<Entry['content']> = {}, language = 'en'): Entry => ({
  language,
  lemma,
  partOfSpeech: 'noun',
  homograph: 1,
  status: 'published',
  licence: 'CC0-1.0',
  edited: true,
  rank: 0,
  content: { variants: [], senses: [], forms: [], pronunciations: [], categories: [], ...more },
  contributors: [],
  createdAt: '',
  updatedAt: '',
  removed: false,
})
const gloss = (text: string) => ({
  senses: [
    {
      id: 's',
      gloss: text,
      labels: { register: [], region: [], domain: [] },
      examples: [],
      relations: [],
      translations: [],
    },
  ],
})
const queryOf = (q: string, language?: string, fuzzy: 'auto' | 0 | 1 | 2 = 'auto'): SearchQuery => {
  const query = parseQuery(q, { language, fuzzy })
  if ('fault' in query) throw new Error(query.detail)
  return query
}
const all: ReadonlySet<SearchField> = new Set(['lemma', 'form', 'definition'])
const matchableOf = (entry: Entry): Matchable => {
  const terms = termsOf(entry)
  return { ...entry, ...terms, glosses: glossesOf(terms.definition, terms.glosses) }
}
const layerOf = (q: string, entry: Entry, language?: string, fields = all) =>
  bestLayer(queryOf(q, language), matchableOf(entry), fields)

t.test('each layer finds what it should, best first', async t => {
  const luck = entryOf('serendipity', gloss('good luck in making unexpected discoveries'))
  t.same(layerOf('serendipity', luck), { layer: 'exact' })
  t.same(layerOf('Serendipity', luck), { layer: 'case' })
  t.same(layerOf('sérendipity', luck), { layer: 'accent' })
  t.same(layerOf('seren', luck), { layer: 'prefix' })
  t.same(layerOf('serendipty', luck), { layer: 'fuzzy', distance: 1 })
  t.same(layerOf('serendpty', luck), { layer: 'fuzzy', distance: 2 })
  t.same(layerOf('serendipities', luck), { layer: 'stem' })
  t.same(layerOf('unexpected discovery', luck), { layer: 'definition', stems: ['unexpect', 'discoveri'], covered: 1 })
  t.same(layerOf('seren*y', luck), { layer: 'wildcard' })
  t.same(layerOf('seren?ipity', luck), { layer: 'wildcard' })
  t.equal(layerOf('luckless', luck), undefined)
  t.equal(layerOf('serendipty', luck, 'en', new Set(['definition'])), undefined)
  const mouse = entryOf('mouse', { forms: [{ form: 'mice', tags: ['plural'] }], variants: ['mowse'] })
  t.same(layerOf('mice', mouse), { layer: 'form' })
  t.same(layerOf('Mowse', mouse), { layer: 'form' })
  t.same(layerOf('ano', entryOf('año', {}, 'es')), undefined, 'ñ is a letter of its own in Spanish')
  t.same(layerOf('año', entryOf('ano', {}, 'es')), undefined, 'also when no language is named')
  t.same(layerOf('año', entryOf('ano', {}, 'pt')), { layer: 'accent' }, 'and not in Portuguese')
  t.same(layerOf('año', entryOf('año', {}, 'es')), { layer: 'exact' })
  t.same(layerOf('strasse', entryOf('Straße', {}, 'de')), { layer: 'case' })
  t.same(layerOf('hunden', entryOf('hund', {}, 'de')), { layer: 'stem' })
  t.same(layerOf('hunden', entryOf('hund')), undefined, 'an English word has no German stem')
  t.same(layerOf('amor', entryOf('amor', { forms: [{ form: 'amoris', tags: [] }] }, 'la')), { layer: 'exact' })
  t.same(layerOf('vox amor', entryOf('vox', { forms: [{ form: 'vox-amor', tags: [] }] }, 'la')), { layer: 'stem' })
  t.same(layerOf('ISIK', entryOf('ışık', {}, 'tr'), 'tr'), { layer: 'fuzzy', distance: 1 }, 's and ş are two letters')
  t.same(layerOf('IŞIK', entryOf('ışık', {}, 'tr')), { layer: 'case' })
  t.ok(layers.indexOf('exact') < layers.indexOf('definition'))
})

t.test('queries that are refused', async t => {
  const fault = (q: string) => {
    const query = parseQuery(q, { fuzzy: 'auto' })
    return 'fault' in query ? query.fault : undefined
  }
  t.equal(fault('*mid*'), 'pattern-too-broad')
  t.equal(fault('*'), 'pattern-too-broad')
  t.equal(fault('?a?'), 'pattern-too-broad')
  t.equal(fault('-*'), 'pattern-too-broad', 'no letter')
  t.equal(fault('\u0301*n*'), 'pattern-too-broad', 'the mark folds away')
  t.equal(fault('a*b*c*d*'), 'pattern-invalid')
  t.equal(fault(''), 'text-invalid')
  t.equal(fault('a\u0000'), 'text-invalid')
  t.equal(fault('x'.repeat(129)), 'text-invalid')
  t.equal(fault('a*'), undefined)
  t.equal(fault('*a'), undefined)
  t.equal(fault('\u200d'), 'text-invalid', 'nothing to be seen')
  t.equal(layerOf('\u0301', entryOf('anything')), undefined, 'a lone mark is not the beginning of every word')
})

t.test('edits allowed follow the letters, and can be turned off', async t => {
  t.same(
    ['cat', 'cats', 'kitten', 'kittens'].map(each => distanceFor(each.length)),
    [0, 1, 1, 2],
  )
  t.equal(queryOf('serendipty', 'en', 0).distance, 0)
  t.equal(queryOf('serendipty', 'en', 1).distance, 1)
  t.equal(queryOf('cat', 'en', 2).distance, 0, 'a short word has no edits to spare')
  t.equal(lettersOf(ascii('käse')), 4)
})

t.test('a pattern over escaped keys counts an escape as one letter', async t => {
  const key = ascii('año')
  t.ok(patternOf(ascii('a?o')).test(key))
  t.notOk(patternOf(ascii('a??o')).test(key))
  t.ok(patternOf(ascii('a*')).test(key))
  t.ok(patternOf('a.c').test('a.c'))
  t.notOk(patternOf('a.c').test('abc'))
})

/** The definition, word for word. */
const recursive = (a: string, b: string): number => {
  if (a === '' || b === '') return a.length + b.length
  const known = recursed.get(`${a} ${b}`)
  if (known !== undefined) return known
  const swapped = a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1)
  const best = Math.min(
    recursive(a.slice(0, -1), b) + 1,
    recursive(a, b.slice(0, -1)) + 1,
    recursive(a.slice(0, -1), b.slice(0, -1)) + (a.at(-1) === b.at(-1) ? 0 : 1),
    swapped ? recursive(a.slice(0, -2), b.slice(0, -2)) + 1 : Number.POSITIVE_INFINITY,
  )
  recursed.set(`${a} ${b}`, best)
  return best
}
const recursed = new Map<string, number>()

t.test('distance: transpositions are one edit, and the cut-off never lies', async t => {
  const d = (a: string, b: string, most = 5) => distanceOf([...a], [...b], most)
  t.same([d('ab', 'ba'), d('abc', 'abc'), d('kitten', 'sitting'), d('ca', 'abc')], [1, 0, 3, 3])
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
  holds(
    fc.property(word, word, fc.integer({ min: 0, max: 3 }), (a, b, most) => {
      const full = d(a, b, 20)
      return d(a, b, most) === Math.min(full, most + 1) && full === d(b, a, 20) && full === recursive(a, b)
    }),
  )
})

t.test('a query is planned whatever is typed: no reading of it asks for more than an index combines', async () => {
  const typed = fc.string({ unit: fc.constantFrom(...'ñäöåæøõüçşğıéðþəIßйa*? '), minLength: 1, maxLength: 20 })
  holds(
    fc.property(
      fc.oneof(typed, fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constantFrom('vox amorum', 'running')),
      q => {
        const query = parseQuery(q, { fuzzy: 'auto' })
        if ('fault' in query) return query.detail.length > 0
        // What an entry is judged by is among what the indexes are asked: nothing is claimed for a layer that cannot find it.
        for (const language of ['und', 'la', 'cs', 'en', 'fr', 'ru', ...foldingLanguages]) {
          const { key, stem } = readingOf(query, language)
          if (!query.keys.includes(key) || (stem !== undefined && !query.stems.includes(stem))) return false
        }
        return (
          new Set(query.keys.flatMap(key => deletesOf(key, query.distance))).size <= 256 &&
          query.keys.every(key => key !== '' && /^[\x00-\x7e]*$/.test(key))
        )
      },
    ),
    2000,
  )
})

t.test('deletions lose no candidate: whatever is within the distance shares one', async t => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'é'), minLength: 4, maxLength: 12 })
  const edit = fc.tuple(fc.constantFrom('insert', 'delete', 'replace', 'swap'), fc.nat(11), fc.constantFrom('a', 'z'))
  holds(
    fc.property(word, fc.array(edit, { minLength: 1, maxLength: 2 }), (lemma, edits) => {
      let chars = [...lemma]
      for (const [kind, where, char] of edits) {
        const at = where % Math.max(1, chars.length)
        if (kind === 'insert') chars = chars.toSpliced(at, 0, char)
        else if (kind === 'delete') chars = chars.toSpliced(at, 1)
        else if (kind === 'replace') chars = chars.toSpliced(at, 1, char)
        else chars = chars.toSpliced(at, 2, chars[at + 1] ?? '', chars[at] ?? '').filter(Boolean)
      }
      const typed = chars.join('').trim()
      if (typed === '') return true
      const query = queryOf(typed, 'en')
      const terms = termsOf(entryOf(lemma))
      if (fuzzyDistance(query, terms.key, 'en') === undefined) return true
      const asked = new Set(query.keys.flatMap(key => deletesOf(key, query.distance)))
      return terms.deletes.some(each => asked.has(each))
    }),
    2000,
  )
  t.equal(deletesOf('workable', 2).length, 29)
  t.same(letters(ascii('aé')), ['a', '~0000e9'])
})

t.test('highlights point at what matched', async t => {
  const entry = entryOf('Ångström', { ...gloss('a unit; units of length'), forms: [{ form: 'angstroms', tags: [] }] })
  const of = (q: string) => {
    const match = layerOf(q, entry)
    return match && highlightsOf(queryOf(q), match, entry)
  }
  t.same(of('ang'), [{ pointer: '/lemma', text: 'Ångström', ranges: [{ start: 0, end: 3 }] }])
  t.same(of('angs'), [{ pointer: '/lemma', text: 'Ångström', ranges: [{ start: 0, end: 4 }] }])
  const decomposed = entryOf('\u1e0d\u0307uck')
  const prefix = layerOf('d', decomposed)
  t.same(
    prefix && highlightsOf(queryOf('d'), prefix, decomposed),
    [{ pointer: '/lemma', text: '\u1e0d\u0307uck', ranges: [{ start: 0, end: 2 }] }],
    'a letter is marked with its accents',
  )
  t.same(of('length unit'), [
    {
      pointer: '/senses/0/gloss',
      text: 'a unit; units of length',
      ranges: [
        { start: 2, end: 6 },
        { start: 8, end: 13 },
        { start: 17, end: 23 },
      ],
    },
  ])
  t.same(of('angstroms'), [{ pointer: '/forms/0/form', text: 'angstroms', ranges: [{ start: 0, end: 9 }] }])
})

t.test('a definition is answered by one gloss, by how much of it is asked for', async t => {
  const glosses = [
    ['young', 'cat'],
    ['young', 'mammal', 'resembl', 'cat'],
    ['small', 'dog'],
  ]
  t.equal(coverOf(['young', 'cat'], glosses), 1)
  t.equal(coverOf(['mammal', 'cat'], glosses), 0.5)
  t.equal(coverOf(['small', 'cat'], glosses), undefined, 'these are words of two glosses')
  t.same(glossesOf(['young', 'cat', 'small'], [[0, 1], [2]]), [['young', 'cat'], ['small']])
})

t.test('what comes closest has the most telling words, in the fewest', async t => {
  const weights = new Map([
    ['rare', weightOf(1)],
    ['common', weightOf(10_000)],
    ['usual', weightOf(1_000)],
  ])
  t.ok(weightOf(1) > weightOf(2) && weightOf(1_000_000) >= 0, 'a word tells the less the more have it')
  const asked = ['rare', 'common', 'usual']
  t.equal(closestOf(asked, [['nothing', 'of', 'it']], weights), undefined)
  t.equal(closestOf(asked, [['common']], weights), undefined, 'too little')
  t.match(
    closestOf(
      asked,
      [
        ['common', 'usual'],
        ['rare', 'other'],
      ],
      weights,
    ),
    { stems: ['rare'], covered: 1 / 3 },
  )
  const scoreOf = (gloss: string[]) => closestOf(asked, [gloss], weights)?.score ?? 0
  t.ok(scoreOf(['rare', 'usual']) > scoreOf(['rare', 'usual', 'and', 'what', 'else', 'there', 'is']))
})
