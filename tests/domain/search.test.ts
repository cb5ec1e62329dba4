import fc from 'fast-check'
import t from 'tap'
import type { Entry } from '../../src/domain/entry.ts'
import { canonicalLanguage, foldingLanguages } from '../../src/domain/languages.ts'
import {
  bestLayer,
  distanceOf,
  fuzzyDistance,
  highlightsOf,
  layers,
  type SearchField,
} from '../../src/domain/search-match.ts'
import { distanceFor, lettersOf, parseQuery, patternOf, type SearchQuery } from '../../src/domain/search-query.ts'
import { deletesOf, letters, termsOf } from '../../src/domain/search-terms.ts'
import { accentKey, ascii, caseKey, checkText, normalise, sortKey, stem, stemsOf } from '../../src/domain/text.ts'

t.test('language tags: canonical, whatever the runtime', async t => {
  const pinned: Readonly<Record<string, string | undefined>> = {
    ...{ en: 'en', EN: 'en', 'en-us': 'en-US', 'ZH-hant-tw': 'zh-Hant-TW', iw: 'he', eng: 'en', deu: 'de', ger: 'de' },
    ...{
      'sl-rozaj-biske': 'sl-biske-rozaj',
      'de-ch-1996': 'de-CH-1996',
      'es-419': 'es-419',
      'zh-cmn': 'zh',
      tl: 'fil',
    },
    ...{ 'en-x-Klingon': 'en-x-klingon', 'de-u-co-phonebk': 'de-u-co-phonebk' },
    ...{ english: 'english', '': undefined, e: undefined, en_US: undefined, 'en-': undefined, '-en': undefined },
    ...{ 'de-1996-1996': undefined, 'en-toolongsubtag': undefined, ['x'.repeat(61)]: undefined },
  }
  for (const [tag, canonical] of Object.entries(pinned)) t.equal(canonicalLanguage(tag), canonical, tag)
  fc.assert(
    fc.property(fc.string(), tag => {
      const once = canonicalLanguage(tag)
      return once === undefined || canonicalLanguage(once) === once
    }),
  )
})

t.test('folding, per language', async t => {
  const pinned: readonly (readonly [string, string, string, string])[] = [
    ['tr', 'IŞIK', 'ışık', 'ışık'],
    ['tr', 'İstanbul', 'istanbul', 'istanbul'],
    ['en', 'İstanbul', 'istanbul', 'istanbul'],
    ['de', 'Straße', 'strasse', 'strasse'],
    ['de', 'ÄPFEL', 'äpfel', 'apfel'],
    ['el', 'ΣΊΣΥΦΟΣ', 'σίσυφοσ', 'σισυφοσ'],
    ['el', 'Σίσυφος', 'σίσυφοσ', 'σισυφοσ'],
    ['es', 'Año', 'año', 'año'],
    ['fr', 'Año', 'año', 'ano'],
    ['sv', 'Ångström', 'ångström', 'ångström'],
    ['en', 'Ångström', 'ångström', 'angstrom'],
    ['en', 'naïve', 'naïve', 'naive'],
    ['da', 'Æble', 'æble', 'æble'],
    ['en', 'Æon', 'æon', 'aeon'],
    ['pl', 'Łódź', 'łódź', 'lodz'],
  ]
  for (const [language, text, byCase, byAccent] of pinned) {
    t.equal(caseKey(text, language), byCase, `${language} ${text}`)
    t.equal(accentKey(text, language), byAccent, `${language} ${text}`)
  }
  t.equal(normalise('e\u0301'), 'é')
  const language = fc.constantFrom('und', ...foldingLanguages)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), language, (text, of) => {
      const key = accentKey(normalise(text), of)
      t.equal(accentKey(key, of), key)
      t.equal(caseKey(caseKey(text, of), of), caseKey(text, of))
      return true
    }),
  )
})

t.test('sort keys are ASCII and sort by folding first', async t => {
  t.equal(sortKey('luck'), 'luck')
  t.equal(sortKey('Émile'), 'emile ~0000c9mile')
  const sorted = ['zebra', 'Émile', 'emil', 'emile', 'ähnlich', 'Ahne'].toSorted((a, b) =>
    sortKey(a) < sortKey(b) ? -1 : 1,
  )
  t.same(sorted, ['Ahne', 'ähnlich', 'emil', 'emile', 'Émile', 'zebra'])
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      t.match(sortKey(a), /^[\x00-\x7e]*$/)
      const [x, y] = [[...a], [...b]].map(each => each.map(char => char.codePointAt(0) ?? 0))
      if (a !== b && x && y) t.not(ascii(a), ascii(b), 'different texts have different keys')
      return true
    }),
  )
})

t.test('text that may not be stored', async t => {
  const line = { max: 10, multiline: false }
  for (const good of ['a', 'zero\u200djoin', '👍🏽', 'x'.repeat(10), '😀'.repeat(10)])
    t.equal(checkText(good, line), undefined)
  for (const bad of [
    '',
    '  ',
    'a\tb',
    'a\u0000',
    '\u202eabc',
    'a\u2066b',
    '\ud800',
    'x'.repeat(11),
    '😀'.repeat(11),
    '\u0085a',
  ])
    t.type(checkText(bad, line), 'string', JSON.stringify(bad))
  t.equal(checkText('a\tb\nc', { max: 10, multiline: true }), undefined)
  t.type(checkText('a\rb', { max: 10, multiline: true }), 'string')
})

t.test('stems', async t => {
  t.equal(stem('running', 'en'), 'run')
  t.equal(stem('Häuser', 'de'), 'haus')
  t.equal(stem('word', 'tlh'), 'word')
  t.same(stemsOf('The making of unexpected discoveries', 'en'), ['make', 'unexpect', 'discoveri'])
})

const entryOf = (lemma: string, more: Partial<Entry['content']> = {}, language = 'en'): Entry => ({
  ...{
    language,
    lemma,
    partOfSpeech: 'noun',
    homograph: 1,
    status: 'published',
    licence: 'CC0-1.0',
    edited: true,
    rank: 0,
  },
  content: { ...{ variants: [], senses: [], forms: [], pronunciations: [], categories: [] }, ...more },
  ...{ contributors: [], createdAt: '', updatedAt: '', removed: false },
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
const layerOf = (q: string, entry: Entry, language?: string, fields = all) =>
  bestLayer(queryOf(q, language), { ...entry, ...termsOf(entry) }, fields)

t.test('each layer finds what it should, best first', async t => {
  const luck = entryOf('serendipity', gloss('good luck in making unexpected discoveries'))
  t.same(layerOf('serendipity', luck), { layer: 'exact' })
  t.same(layerOf('Serendipity', luck), { layer: 'case' })
  t.same(layerOf('sérendipity', luck), { layer: 'accent' })
  t.same(layerOf('seren', luck), { layer: 'prefix' })
  t.same(layerOf('serendipty', luck), { layer: 'fuzzy', distance: 1 })
  t.same(layerOf('serendpty', luck), { layer: 'fuzzy', distance: 2 })
  t.same(layerOf('serendipities', luck), { layer: 'stem' })
  t.same(layerOf('unexpected discovery', luck), { layer: 'definition' })
  t.same(layerOf('seren*y', luck), { layer: 'wildcard' })
  t.same(layerOf('seren?ipity', luck), { layer: 'wildcard' })
  t.equal(layerOf('luckless', luck), undefined)
  t.equal(layerOf('serendipty', luck, 'en', new Set(['definition'])), undefined)
  const mouse = entryOf('mouse', { forms: [{ form: 'mice', tags: ['plural'] }], variants: ['mowse'] })
  t.same(layerOf('mice', mouse), { layer: 'form' })
  t.same(layerOf('Mowse', mouse), { layer: 'form' })
  t.same(layerOf('ano', entryOf('año', {}, 'es')), undefined, 'ñ is a letter of its own in Spanish')
  t.same(layerOf('año', entryOf('año', {}, 'es')), { layer: 'exact' })
  t.same(layerOf('strasse', entryOf('Straße', {}, 'de')), { layer: 'case' })
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
  t.equal(fault('a*b*c*d*'), 'pattern-invalid')
  t.equal(fault(''), 'text-invalid')
  t.equal(fault('a\u0000'), 'text-invalid')
  t.equal(fault('x'.repeat(129)), 'text-invalid')
  t.equal(fault('a*'), undefined)
  t.equal(fault('*a'), undefined)
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

t.test('distance: transpositions are one edit, and the cut-off never lies', async t => {
  const d = (a: string, b: string, most = 5) => distanceOf([...a], [...b], most)
  t.same([d('ab', 'ba'), d('abc', 'abc'), d('kitten', 'sitting'), d('ca', 'abc')], [1, 0, 3, 3])
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 3 }), (a, b, most) => {
      const full = d(a, b, 20)
      return d(a, b, most) === Math.min(full, most + 1) && full === d(b, a, 20)
    }),
  )
})

t.test('deletions lose no candidate: whatever is within the distance shares one', async t => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'é'), minLength: 4, maxLength: 12 })
  const edit = fc.tuple(fc.constantFrom('insert', 'delete', 'replace', 'swap'), fc.nat(11), fc.constantFrom('a', 'z'))
  fc.assert(
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
      if (fuzzyDistance(query, terms.key) === undefined) return true
      const asked = new Set(query.keys.flatMap(key => deletesOf(key, query.distance)))
      return terms.deletes.some(each => asked.has(each))
    }),
    { numRuns: 2000 },
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
  t.same(of('ang'), [{ pointer: '/lemma', text: 'Ångström', ranges: [[0, 3]] }])
  t.same(of('length unit'), [
    {
      pointer: '/senses/0/gloss',
      text: 'a unit; units of length',
      ranges: [
        [2, 6],
        [8, 13],
        [17, 23],
      ],
    },
  ])
  t.same(of('angstroms'), [{ pointer: '/forms/0/form', text: 'angstroms', ranges: [[0, 9]] }])
})
