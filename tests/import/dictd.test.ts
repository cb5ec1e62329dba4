import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { openDictd } from '../../src/adapters/import/dictd.ts'
import { languagesOf, licenceOf } from '../../src/adapters/import/dictd-about.ts'
import { equivalents, parseArticle } from '../../src/adapters/import/dictd-article.ts'
import { base64Number } from '../../src/adapters/import/dictd-index.ts'
import { openIdLines } from '../../src/commands/id-lines.ts'
import { checkRecord, type SourceRecord } from '../../src/domain/entry/import.ts'
import { importCommandId } from '../../src/domain/ids.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { countsOf, openImportHouse } from '../support/import.ts'
import { temporaryFolder } from '../support/service.ts'

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const base64 = (n: number): string => (n < 64 ? digits.charAt(n) : base64(Math.floor(n / 64)) + digits.charAt(n % 64))

const notice = 'Available under the terms of the GNU General Public License ver. 2.0 and\n  any later version.\n'

type Written = { readonly words: readonly string[]; readonly text: string }
const header: readonly Written[] = [
  { words: ['00databaseinfo'], text: notice },
  { words: ['00-database-short'], text: 'English-Spanish Dictionary' },
]

/** Writes a dictionary; the index is sorted by word as dictd wants it, the articles stand in the order given. */
const writeDictd = (
  folder: string,
  name: string,
  articles: readonly Written[],
  more: { readonly lines?: readonly string[]; readonly zipped?: boolean; readonly headers?: readonly Written[] } = {},
): string => {
  const index: string[] = []
  const texts: Buffer[] = []
  let offset = 0
  for (const { words, text } of [...(more.headers ?? header), ...articles]) {
    const bytes = Buffer.from(text)
    for (const word of words) index.push(`${word}\t${base64(offset)}\t${base64(bytes.length)}`)
    texts.push(bytes)
    offset += bytes.length
  }
  const whole = Buffer.concat(texts)
  const path = join(folder, `${name}.index`)
  writeFileSync(path, [...index.toSorted(), ...(more.lines ?? [])].map(line => `${line}\n`).join(''))
  writeFileSync(join(folder, `${name}.dict${more.zipped ? '.dz' : ''}`), more.zipped ? gzipSync(whole) : whole)
  return path
}

const collect = async (path: string, options: Parameters<typeof openDictd>[1] = {}) => {
  const source = await openDictd(path, options)
  const records: SourceRecord[] = []
  const faults: string[] = []
  for await (const item of source.items)
    if (item.kind === 'record') records.push(item.record)
    else faults.push(`${item.file} ${item.line}: ${item.reason}`)
  await source.close()
  const find = (lemma: string, part: string) =>
    records.find(({ identity }) => identity.lemma === lemma && identity.partOfSpeech === part)
  return { source, records, faults, find }
}

const articles: readonly Written[] = [
  { words: ['yes'], text: 'yes /jez/\nsí\n' },
  {
    words: ['book'],
    text: 'book /buk/ <n>\nlibro <m>, tomo (grande, viejo)\n      "by the book"  - según las reglas\n   Synonyms: {volume},\n {tome}\n see: {read}\n',
  },
  { words: ['wrap', 'wraps'], text: 'wrap /ræp/ <v, trans>\n1. envolver\n2. empacar\n' },
  { words: ['book'], text: 'book /buk/ <v>\nreservar\n' },
  { words: ['book'], text: 'book /bʊk/ <n>\ncuaderno\n' },
  { words: ['fast'], text: 'fast <adj, adv>\nrápido\n' },
]

t.test('a dictionary in FreeDict’s layout: languages, licence, words, senses', async t => {
  for (const zipped of [false, true]) {
    const folder = temporaryFolder(t)
    const path = writeDictd(folder, 'freedict-eng-spa', articles, { zipped })
    const { source, records, faults, find } = await collect(path)
    t.match(source, { name: 'freedict-eng-spa', licence: 'GPL-2.0-or-later' })
    t.strictSame(faults, [])
    t.equal(records.length, 6)
    t.match(find('yes', 'other'), {
      identity: { language: 'en', homograph: 1 },
      content: {
        pronunciations: [{ ipa: 'jez' }],
        senses: [{ gloss: 'sí', translations: [{ language: 'es', text: 'sí' }] }],
      },
    })
    const book = find('book', 'noun')
    t.match(book?.content.pronunciations, [{ ipa: 'buk' }, { ipa: 'bʊk' }], 'both articles are one entry')
    t.match(book?.content.senses, [
      {
        gloss: 'libro <m>, tomo (grande, viejo)',
        translations: [{ text: 'libro' }, { text: 'tomo (grande, viejo)' }],
        examples: [{ text: 'by the book', translation: 'según las reglas' }],
        relations: [
          { kind: 'synonym', text: 'volume' },
          { kind: 'synonym', text: 'tome' },
          { kind: 'see-also', text: 'read' },
        ],
      },
      { gloss: 'cuaderno' },
    ])
    t.match(find('book', 'verb')?.content.senses, [{ gloss: 'reservar' }])
    t.match(find('wrap', 'verb'), {
      content: {
        variants: ['wraps'],
        senses: [{ gloss: 'envolver', labels: { register: ['transitive'] } }, { gloss: 'empacar' }],
      },
    })
    t.ok(find('fast', 'adjective') && find('fast', 'adverb'), 'two parts of speech are two entries')
    t.strictSame(source.reading(), { done: source.reading().total, total: source.reading().total })
  }
})

t.test('an import of it, again, and with another edition', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const path = writeDictd(folder, 'freedict-eng-spa', articles)
  t.equal(countsOf(await house.importFile('dictd', path)), '6 written, 0 unchanged, 0 kept, 0 faults')
  const ids = (await house.entry('book'))?.content.senses.map(sense => sense.id)
  t.equal(countsOf(await house.importFile('dictd', path)), '0 written, 6 unchanged, 0 kept, 0 faults')
  // Another order, one article more: places in the file say nothing about what a sense is.
  const fresh = { words: ['zebra'], text: 'zebra /ziːbrə/ <n>\ncebra\n' }
  writeDictd(folder, 'freedict-eng-spa', [fresh, ...articles])
  t.equal(countsOf(await house.importFile('dictd', path)), '1 written, 6 unchanged, 0 kept, 0 faults')
  t.strictSame(
    (await house.entry('book'))?.content.senses.map(sense => sense.id),
    ids,
  )
})

t.test('lines and articles that are wrong are reported and pass', async t => {
  const folder = temporaryFolder(t)
  const lines = [
    'no tabs here',
    `bad\t!!\t${base64(3)}`,
    `beyond\t${base64(1_000_000)}\t${base64(3)}`,
    `huge\tA\t${base64(2_000_000)}`,
  ]
  const path = writeDictd(folder, 'freedict-eng-spa', [...articles, { words: ['empty'], text: 'empty /empti/\n' }], {
    lines,
  })
  const { records, faults } = await collect(path)
  t.equal(records.length, 6)
  t.match(faults.toSorted(), [
    /index 11: The line is not of an index/,
    /index 12: The line is not of an index/,
    /index 13: The article lies beyond/,
    /index 14: The article has 2000000 bytes/,
    /The article says nothing/,
  ])
  const zipped = writeDictd(folder, 'cut-eng-spa', articles, { zipped: true })
  writeFileSync(join(folder, 'cut-eng-spa.dict.dz'), 'not gzip')
  await t.rejects(collect(zipped), /incorrect header check/)
})

t.test('what a dictionary does not say has to be stated', async t => {
  const folder = temporaryFolder(t)
  const short = (title: string): Written[] => [{ words: ['00-database-short'], text: title }]
  const nameless = writeDictd(folder, 'words', articles, { headers: short('My words') })
  await t.rejects(openDictd(nameless), { name: 'SourceError', message: /--language/ })
  await t.rejects(openDictd(nameless, { language: 'en' }), { name: 'SourceError', message: /--licence/ })
  await t.rejects(openDictd(nameless, { language: 'no language' }), /not a BCP 47/)
  const stated = await collect(nameless, { language: 'en', licence: 'CC0-1.0', source: 'mine' })
  t.match(stated.records[0], { licence: 'CC0-1.0', source: 'mine', identity: { language: 'en' } })
  t.strictSame(stated.records[0]?.content.senses[0]?.translations, [], 'no language of glosses, no translations')
  await t.rejects(openDictd(join(folder, 'absent.index')), /neither/)
  writeFileSync(join(folder, 'lone.dict'), 'x')
  await t.rejects(openDictd(join(folder, 'lone.dict')), /There is no .*lone.index/)

  t.strictSame(languagesOf('freedict-deu-eng', ''), { language: 'de', target: 'en' })
  t.strictSame(languagesOf('x', 'The Collaborative International Dictionary of English v.0.48'), { language: 'en' })
  t.strictSame(languagesOf('x', 'English-Spanish FreeDict Dictionary'), { language: 'en', target: 'es' })
  t.equal(languagesOf('x', 'Words'), undefined)
  t.equal(licenceOf('Creative Commons Attribution-ShareAlike 3.0 Unported'), 'CC-BY-SA-3.0')
  t.equal(
    licenceOf('the GNU General Public License, version 3 and the GNU Affero General Public License'),
    'GPL-3.0 AND AGPL-3.0',
  )
  t.equal(licenceOf('GNU Free Documentation License'), 'GFDL-1.1-or-later')
  t.equal(licenceOf('all rights reserved'), undefined)
})

t.test('articles by themselves', async t => {
  const webster =
    'Right \\Right\\ (r[imac]t), adv.\n   1. In a right manner.\n      [1913 Webster]\n   2. In a line; ' +
    `${'long '.repeat(2000)}`
  const right = parseArticle(webster, ['right'], undefined)
  t.match(right, { lemma: 'Right', partsOfSpeech: ['adverb'], ipa: undefined })
  t.ok(right && right.senses.length >= 5, 'a text that is too long for one sense becomes several')
  t.equal(
    right?.senses
      .map(each => each.gloss)
      .join(' ')
      .match(/long/g)?.length,
    2000,
    'of which nothing is lost',
  )
  t.match(parseArticle('no headline, but words\n', ['word'], undefined), {
    lemma: 'word',
    senses: [{ gloss: 'no headline, but words' }],
  })
  t.match(parseArticle('jdm./etw. folgen /jeːm ˈfɔlɡən/ <v>\nfollow\n', ['jdm etw folgen'], 'en'), {
    lemma: 'jdm./etw. folgen',
    partsOfSpeech: ['verb'],
  })
  t.match(
    parseArticle('robbed /rɒbd/\nrobado <f>\n', ['robbed'], 'es'),
    { partsOfSpeech: ['noun'] },
    'by what its equivalents are',
  )
  t.match(parseArticle(`talk /${'a'.repeat(300)}/\nhablar\n`, ['talk'], 'es'), { lemma: 'talk', ipa: undefined })
  t.equal(parseArticle('\n\n', ['x'], undefined), undefined)
  t.strictSame(equivalents('[mus.] A <n>, B (c, d); E, A'), ['A', 'B (c, d)', 'E'])
  t.equal(base64Number('GHAt'), 0x6 * 64 ** 3 + 7 * 64 ** 2 + 45)
  t.equal(base64Number(''), undefined)
  t.equal(base64Number('a b'), undefined)
})

t.test('ids are remembered with their first line, however many', async t => {
  const lines = openIdLines()
  const id = (n: number) => importCommandId('test', String(n))
  for (let n = 0; n < 40_000; n += 1) if (lines.put(id(n), n + 1) !== undefined) t.fail(`${n} was there`)
  t.equal(lines.size, 40_000)
  for (const n of [0, 1, 17, 8_191, 39_999]) t.equal(lines.put(id(n), 7), n + 1)
  t.equal(lines.put(id(40_000), 9), undefined)
})

t.test('a line that fits nearly is read once', async t => {
  const spaces = ' '.repeat(100_000)
  const senseOf = (...lines: readonly string[]) => parseArticle(lines.join('\n'), ['a'], undefined)?.senses
  t.match(senseOf(`a${spaces}/${spaces}<${spaces}b`, 'it'), [
    { gloss: 'a' },
    { gloss: '/' },
    { gloss: '<' },
    { gloss: 'b\nit' },
  ])
  t.match(senseOf(`a \\${spaces}x`, 'it'), [{ gloss: 'a \\' }, { gloss: 'x\nit' }])
  const quoted = 'b" -'.repeat(20_000)
  t.match(senseOf('a /a/', `  "${quoted} c`), [{ examples: [{ text: quoted.slice(0, -3), translation: 'c' }] }])
  t.match(senseOf('a /a/', `  "b${'" -'.repeat(20_000)}`), [{ gloss: /^"b" -" -/, examples: [] }])
})

const installed = '/usr/share/dictd/freedict-eng-spa.index'
t.test(
  'the dictionary of a Debian package',
  {
    skip: existsSync(installed)
      ? false
      : 'dict-freedict-eng-spa is not installed (apt-get install dict-freedict-eng-spa)',
  },
  async t => {
    const { source, records, faults } = await collect(installed)
    t.match(source, { name: 'freedict-eng-spa', licence: 'GPL-2.0-or-later' })
    t.strictSame(faults, [])
    t.ok(records.length > 5_000, `${records.length} entries of 5,913 lines of the index`)
    t.strictSame(
      records.filter(record => isRefusal(checkRecord(record))),
      [],
    )
    const identities = new Set(records.map(({ identity }) => JSON.stringify(identity)))
    t.equal(identities.size, records.length, 'each entry comes once')
    t.match(
      records.find(({ identity }) => identity.lemma === 'wrist')?.content.senses.flatMap(sense => sense.translations),
      [{ language: 'es' }, { text: 'muñeca' }],
    )
    const house = openImportHouse()
    t.match(await house.importFile('dictd', installed), { written: records.length, faults: 0, complete: true })
  },
)
