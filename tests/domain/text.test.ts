import fc from 'fast-check'
import snowball from 'snowball-stemmers'
import t from 'tap'
import { checkLemma } from '../../src/domain/entry/lemma.ts'
import { canonicalLanguage, foldingLanguages, stemmerOf } from '../../src/domain/text/languages.ts'
import { registeredLanguage } from '../../src/domain/text/registered-languages.ts'
import {
  accentKey,
  ascii,
  caseKey,
  keySize,
  LONGEST_WORD,
  mayFit,
  readText,
  sortKey,
  stem,
  stemsOf,
  wordsIn,
} from '../../src/domain/text/text.ts'
import { holds } from '../support/property.ts'

const normal = (text: string): string => readText(text, { max: 1_000, multiline: true }).text

t.test('language tags: canonical, whatever the runtime', async t => {
  const pinned: Readonly<Record<string, string | undefined>> = {
    en: 'en',
    EN: 'en',
    'en-us': 'en-US',
    'ZH-hant-tw': 'zh-Hant-TW',
    iw: 'he',
    eng: 'en',
    deu: 'de',
    ger: 'de',

    'sl-rozaj-biske': 'sl-biske-rozaj',
    'de-ch-1996': 'de-CH-1996',
    'es-419': 'es-419',
    'zh-cmn': 'zh',
    tl: 'fil',
    tgl: 'fil',
    nep: 'ne',
    'en-u-co-phonebk-a-xx': 'en-a-xx-u-co-phonebk',
    'en-x-Klingon': 'en-x-klingon',
    'de-u-co-phonebk': 'de-u-co-phonebk',
    english: 'english',
    '': undefined,
    e: undefined,
    en_US: undefined,
    'en-': undefined,
    '-en': undefined,

    'de-1996-1996': undefined,
    'en-toolongsubtag': undefined,
    ['x'.repeat(61)]: undefined,
    'en-a-bb-a-cc': undefined,
  }
  for (const [tag, canonical] of Object.entries(pinned)) t.equal(canonicalLanguage(tag), canonical, tag)
  holds(
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
    ['ru', 'Мойё', 'мойё', 'мойе'],
    ['hi', 'किताब', 'किताब', 'किताब'],
    ['th', 'ที่', 'ที่', 'ที่'],
    ['ja', 'がか', 'がか', 'がか'],
    ['ar', 'كِتَابٌ', 'كِتَابٌ', 'كتاب'],
    ['he', 'שָׁלוֹם', 'שָׁלוֹם', 'שלום'],
    ['fa', 'می\u200cخواهم', 'می\u200cخواهم', 'میخواهم'],
    ['vi', 'Đường', 'đường', 'duong'],
    ['und', '\u0301', '\u0301', '\u0301'],
  ]
  for (const [language, text, byCase, byAccent] of pinned) {
    t.equal(caseKey(text, language), byCase, `${language} ${text}`)
    t.equal(accentKey(text, language), byAccent, `${language} ${text}`)
  }
  t.equal(normal('e\u0301'), 'é')
  const language = fc.constantFrom('und', ...foldingLanguages)
  holds(
    fc.property(fc.string({ unit: 'grapheme' }), language, (text, of) => {
      const key = accentKey(normal(text), of)
      return accentKey(key, of) === key && caseKey(caseKey(text, of), of) === caseKey(text, of)
    }),
  )
})

t.test('sort keys are ASCII and sort by folding first', async t => {
  t.equal(sortKey('luck'), 'luck')
  t.equal(sortKey('Émile'), 'emile\t~0000c9mile')
  const sorted = ['zebra', 'Émile', 'emile zola', 'emil', 'emile', 'ähnlich', 'Ahne'].toSorted((a, b) =>
    sortKey(a) < sortKey(b) ? -1 : 1,
  )
  t.same(sorted, ['Ahne', 'ähnlich', 'emil', 'emile', 'Émile', 'emile zola', 'zebra'])
  holds(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      // Different texts have different keys.
      return /^[\x00-\x7e]*$/.test(sortKey(a)) && (a === b || ascii(a) !== ascii(b))
    }),
  )
})

t.test('a language is one that is registered, whatever the runtime knows', async t => {
  for (const tag of ['en', 'aaa', 'zzj', 'tlh', 'qaa', 'qtz', 'und', 'zh-Hant-TW', 'de-1996', 'en-x-own', 'sr-Qaaa-QM'])
    t.equal(registeredLanguage(tag), tag)
  t.equal(registeredLanguage('DEU-at'), 'de-AT')
  for (const [given, current] of [
    ['lak', 'ksp'],
    ['my-BU', 'my-MM'],
    ['sr-Cyrl-tp', 'sr-Cyrl-TL'],
    ['zh-min-nan', 'nan'],
    ['sgn-BE-FR', 'sfb'],
    ['en-GB-oed', 'en-GB-oxendict'],
    ['en-x-DD', 'en-x-dd'],
  ] as const)
    t.equal(registeredLanguage(given), current, given)
  t.equal(registeredLanguage('en-u-ca-gregory-x-any'), 'en-u-ca-gregory-x-any', 'what follows a singleton is its own')
  for (const tag of ['qq', 'xx', 'qzz', 'qua1', 'en-Abcd', 'en-AB', 'en-abcde', 'x-own', 'english', '', '*'])
    t.equal(registeredLanguage(tag), undefined, tag)
  // Of the registry of 2025-08-25: all of two letters, and of three without what has a shorter code.
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  const pairs = letters.flatMap(a => letters.map(b => a + b))
  const itself = (tag: string) => registeredLanguage(tag) === tag
  t.equal(pairs.filter(itself).length, 182)
  t.equal(
    pairs.flatMap(pair => letters.map(c => pair + c)).filter(itself).length,
    8596 - 103,
    'without those that another code has replaced',
  )
})

t.test('a lemma has nothing that does not show', async t => {
  // Persian with ZWNJ, Bengali with a final ZWJ, Mongolian with a selector, an ideograph with a variation, a bare mark.
  const spelt = [
    'می‌خواهم',
    'উৎ\u09cd\u200d',
    'ᠠ\u180b',
    '葛\u{e0100}',
    'ice cream',
    "rock 'n' roll",
    'naïve',
    '\u0301a',
    '\u2801\u2800\u2803',
  ]
  for (const good of spelt) t.equal(checkLemma(good), good.normalize('NFC'), JSON.stringify(good))
  const points = [0xad, 0x34f, 0x61c, 0x115f, 0x17b4, 0x180e, 0x200e, 0x206a, 0x3164, 0xffa0, 0xfff9, 0x1d173]
  for (const bad of [
    ...points.map(point => `a${String.fromCodePoint(point)}b`),
    '\u200da',
    '\ufe0fa',
    'a\u200c',
    'a\u200c\u200cb',
    'a\u200d\u200cb',
    'a \u200cb',
    'a\ufe0f\ufe0f',
    // Nothing but what shows nothing, or what each font shows otherwise.
    '\u2800',
    '\u2800\u2800',
    'a\u2800b',
    '\ue000',
    'a\uf8ffb',
    '\u{f0000}',
    '\u{10fffd}',
    '\u3164',
    '\u115f',
  ])
    t.match(checkLemma(bad), { refused: 'text-invalid', errors: [{ pointer: '/lemma' }] }, JSON.stringify(bad))
})

t.test('text that may not be stored', async t => {
  const line = { max: 10, multiline: false }
  for (const good of ['a', 'zero\u200djoin', '👍🏽', 'x'.repeat(10), '😀'.repeat(10)])
    t.equal(readText(good, line).fault, undefined)
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
    '\u200d',
    ' \u00ad\ufeff ',
    '\u3164',
    '\u2800',
  ])
    t.type(readText(bad, line).fault, 'string', JSON.stringify(bad))
  t.equal(readText('a\tb\nc', { max: 10, multiline: true }).fault, undefined)
  t.same(readText('a\r\nb\rc', { max: 10, multiline: true }), { text: 'a\nb\nc' })
  t.type(readText('a\rb', line).fault, 'string')
})

t.test('stems', async t => {
  t.equal(stem('running', 'en'), 'run')
  t.equal(stem('Häuser', 'de'), 'haus')
  t.equal(stem('word', 'tlh'), 'word')
  for (const language of ['en', 'ar', 'eu', 'hy', 'cs', 'ga', 'nn', 'sl', 'ta', 'tr', 'hu', 'ro', 'fi'])
    t.ok(stemmerOf(language) && stem('abc', language) !== '', language)
  holds(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('en', 'de', 'tr', 'ar', 'ta'),
      (text, of) => stemsOf(text, of).every(each => each !== ''),
    ),
  )
  t.same(wordsIn('a 👍🏽 b’s'), [
    { word: 'a', at: 0 },
    { word: 'b’s', at: 7 },
  ])
  t.same(stemsOf('The making of unexpected discoveries', 'en'), ['make', 'unexpect', 'discoveri'])
})

t.test('a letter under more marks than any script writes is refused, and costs no time', async t => {
  const laden = `a${'\u0301\u0323'.repeat(150_000)}`
  const line = { max: 200, multiline: false }
  t.match(readText(laden, { max: 20_000, multiline: true }), { text: laden, fault: /longer than/ })
  t.equal(
    readText(laden, { max: 200_000, multiline: true }).text,
    laden,
    'not normalised: that would take half a minute',
  )
  t.match(readText(`a${'\u0301'.repeat(31)}`, line).fault, /more than 30 combining marks/)
  t.equal(readText(`a${'\u0301'.repeat(30)}`, line).fault, undefined)
})

t.test('what cannot fit is not normalised, and what fits is never refused for how it was written', async t => {
  t.match(readText('e\u0301'.repeat(100), { max: 10, multiline: false }), {
    text: 'e\u0301'.repeat(100),
    fault: 'It is longer than 10 characters.',
  })
  t.equal(readText('\u03b1\u0313\u0300\u0345'.repeat(10), { max: 10, multiline: false }).text, '\u1f82'.repeat(10))
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))
  holds(fc.property(text, given => mayFit(given.normalize('NFD'), [...given.normalize('NFC')].length)))
})

t.test('the size of a key is known before it is made', async t => {
  t.equal(keySize('word'), 4)
  t.equal(keySize('~}'), 8)
  t.equal(keySize('\ufdfa'), 108, '15 letters and three spaces')
  const language = fc.constantFrom('und', ...foldingLanguages)
  holds(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), language, (text, of) => {
      const given = text.normalize('NFC')
      return ascii(accentKey(given, of)).length <= keySize(given) && ascii(stem(given, of)).length <= keySize(given)
    }),
  )
  const keyed = { max: 200, multiline: false, keyed: true } as const
  t.equal(readText('\ufdfa'.repeat(11), keyed).fault, undefined)
  t.match(readText('\ufdfa'.repeat(12), keyed).fault, /longer than 200 characters where each that stands for several/)
  t.equal(readText('가'.repeat(200), keyed).fault, undefined, 'a syllable is one')
})

t.test('a word that nobody can ask for is no word', async t => {
  t.same(stemsOf(`${'x'.repeat(LONGEST_WORD)} ${'y'.repeat(LONGEST_WORD + 1)} 😀`, 'und'), ['x'.repeat(LONGEST_WORD)])
})

t.test('tags of one language have one stemmer', async t => {
  const made: string[] = []
  const { newStemmer } = snowball
  snowball.newStemmer = name => {
    made.push(name)
    return newStemmer(name)
  }
  t.teardown(() => {
    snowball.newStemmer = newStemmer
  })
  for (let n = 0; n < 100; n += 1) t.equal(stem('перстни', `ru-x-a${n}`), stem('перстни', 'ru'))
  for (let n = 0; n < 100; n += 1) t.equal(stem('norske', n % 2 === 0 ? `nb-x-b${n}` : `nn-x-b${n}`), 'norsk')
  t.ok(made.length <= 2, `${made}`)
})
