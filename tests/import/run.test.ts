import { join } from 'node:path'
import t from 'tap'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { openNdjson } from '../../src/adapters/import/ndjson.ts'
import { SourceError } from '../../src/adapters/import/source.ts'
import { runImport } from '../../src/commands/import.ts'
import { edit, redact, retire } from '../../src/domain/entry/decisions.ts'
import { entryStream } from '../../src/domain/entry/entry.ts'
import { importStream, type SourceItem } from '../../src/domain/entry/import.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { entryId, importedSenseId } from '../../src/domain/ids.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { fastClock } from '../support/clocks.ts'
import { countsOf, importer, nounLine, openImportHouse, writeLines } from '../support/import.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { temporaryFolder } from '../support/service.ts'

const editor = {
  id: 'e0000000-0000-4000-8000-000000000001',
  permissions: new Set(['entries:edit' as const]),
  now: new Date('2026-05-01T00:00:00.000Z'),
  commandId: 'c0000000-0000-4000-8000-000000000001',
}
const idOf = (lemma: string): string => entryId({ language: 'en', lemma, partOfSpeech: 'noun', homograph: 1 })
const byEditor = (commandId: string) => ({
  commandId,
  correlationId: commandId,
  at: editor.now,
  actor: { kind: 'account' as const, id: editor.id },
})

t.test('a first import writes every entry once, published, with source, licence, rank and the run', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const path = writeLines(folder, 'Words.ndjson', [
    nounLine('cafe\u0301', 'a place', { rank: 7, licence: 'CC0-1.0' }),
    '',
    nounLine('tea', 'a drink', { senses: [{ id: 'tea/1', gloss: 'a drink' }, { gloss: 'a meal' }] }),
  ])
  const imported = await house.importFile('ndjson', path)
  t.match(imported, { source: 'words', complete: true })
  t.equal(countsOf(imported), '2 written, 0 unchanged, 0 kept, 0 faults')

  const cafe = await house.entry('café')
  t.match(cafe, { status: 'published', lemma: 'café', rank: 7, licence: 'CC0-1.0', source: 'words', edited: false })
  const tea = await house.entry('tea')
  t.strictSame(
    tea?.content.senses.map(sense => sense.id),
    [importedSenseId(idOf('tea'), 'tea/1'), importedSenseId(idOf('tea'), 'gloss:a meal:1')],
    'sense ids come from the entry and the key of the source, else the gloss',
  )

  const events = await house.entryEvents()
  t.equal(events.length, 2, 'one append an entry')
  const run = (await house.deps.imports.load(importStream('words'))).state
  t.match(run, { started: 1, completed: 1, format: 'ndjson', last: { written: 2, faults: 0 } })
  const runs: Recorded[] = []
  for await (const page of house.log.readStream(importStream('words'))) runs.push(...page)
  t.strictSame(
    runs.map(each => each.type),
    ['ImportStarted', 'ImportCompleted'],
  )
  t.ok(
    events.every(({ meta }) => meta.correlationId === runs[0]?.meta.correlationId && meta.actor.kind === 'import'),
    'every event is correlated by its run and done by an import',
  )
  t.strictSame(events[0]?.meta.route, { language: 'en', visibility: 'public' })
  t.equal(imported.position, runs[1]?.position, 'the answer names the position that has it all')
})

t.test('run again it writes nothing; a changed source writes only its change, there and back', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const lines = Array.from({ length: 300 }, (_, i) => nounLine(`word ${i}`))
  const path = writeLines(folder, 'a.ndjson', lines)
  t.equal(countsOf(await house.importFile('ndjson', path)), '300 written, 0 unchanged, 0 kept, 0 faults')
  const before = (await house.entryEvents()).length
  t.equal(countsOf(await house.importFile('ndjson', path)), '0 written, 300 unchanged, 0 kept, 0 faults')
  t.equal((await house.entryEvents()).length, before, 'not one event')

  const changed = lines.with(7, nounLine('word 7', 'another meaning'))
  writeLines(folder, 'a.ndjson', [...changed, nounLine('new one')])
  t.equal(countsOf(await house.importFile('ndjson', path)), '2 written, 299 unchanged, 0 kept, 0 faults')
  t.equal((await house.entry('word 7'))?.content.senses[0]?.gloss, 'another meaning')

  // The same record a second time is another change: it must not pass for a repeat of the first import.
  writeLines(folder, 'a.ndjson', lines)
  t.equal(countsOf(await house.importFile('ndjson', path)), '1 written, 299 unchanged, 0 kept, 0 faults')
  t.equal((await house.entry('word 7'))?.content.senses[0]?.gloss, 'what word 7 means')

  // The order of members in a line is no change.
  const { senses, ...rest } = JSON.parse(lines[3] ?? '')
  writeLines(folder, 'a.ndjson', [JSON.stringify({ senses, ...rest })])
  t.equal(countsOf(await house.importFile('ndjson', path)), '0 written, 1 unchanged, 0 kept, 0 faults')
})

t.test('what left the source is named and stays; why lines were not taken is counted by reason', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const lemmas = ['stays', 'leaves', 'retired', 'breaks', 'edited']
  const write = (lines: readonly string[]) => writeLines(folder, 'a.ndjson', lines)
  const first = await house.importFile('ndjson', write(lemmas.map(each => nounLine(each))))
  t.match(first, { left: 0, reasons: [] })
  t.strictSame(house.left, [], 'nothing can have left a source that is new')
  const change = (lemma: string, decide: Parameters<typeof house.deps.entries.run>[1], command: string) =>
    house.deps.entries.run(entryStream(idOf(lemma)), decide, byEditor(command))
  await change('retired', retire('this', 'a duplicate', undefined), 'c0000000-0000-4000-8000-000000000021')
  const edited = edit({ senses: [{ gloss: 'as people say' }] }, idOf('edited'), editor)
  await change('edited', edited, 'c0000000-0000-4000-8000-000000000022')
  writeLines(folder, 'b.ndjson', [nounLine('of another source')])
  await house.importFile('ndjson', join(folder, 'b.ndjson'))
  const lines = [
    nounLine('stays'),
    nounLine('breaks', 'rings\u0007'),
    nounLine('edited'),
    'no 1',
    'no 22',
    'x',
    nounLine('stays'),
  ]
  const again = await house.importFile('ndjson', write(lines))
  t.strictSame(house.left, ['leaves'], 'not what is retired, of another source, or on a line that is wrong')
  t.match(again, { complete: true, left: 1, unchanged: 1, kept: 1, faults: 5 })
  t.equal(
    again.reasons.reduce((sum, { count }) => sum + count, 0),
    6,
  )
  t.match(again.reasons[0], { kind: 'fault', reason: /^The line is not JSON/, count: 3 })
  t.match(again.reasons, [{}, { count: 1 }, { count: 1 }, { count: 1 }])
  t.match((await house.entry('leaves'))?.status, 'published')
})

t.test('a source of which no record can be taken is not done with', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const path = writeLines(folder, 'a.ndjson', [nounLine('one', 'rings\u0007'), nounLine('two', 'rings\u0007')])
  const imported = await house.importFile('ndjson', path)
  t.match(imported, { complete: false, written: 0, faults: 2, reasons: [{ kind: 'fault', count: 2 }] })
  t.match((await house.deps.imports.load(importStream('a'))).state, { completed: 0 })
})

t.test('what people have made of an entry is kept and reported', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const lemmas = ['edited', 'retired', 'removed', 'plain']
  const path = writeLines(
    folder,
    'a.ndjson',
    lemmas.map(each => nounLine(each)),
  )
  await house.importFile('ndjson', path)
  const change = (lemma: string, decide: Parameters<typeof house.deps.entries.run>[1], command: string) =>
    house.deps.entries.run(entryStream(idOf(lemma)), decide, byEditor(command))
  for (const [i, [lemma, decide]] of (
    [
      ['edited', edit({ senses: [{ gloss: 'as people say' }] }, idOf('edited'), editor)],
      ['retired', retire('this', 'a duplicate', undefined)],
      ['removed', redact('law')],
    ] as const
  ).entries())
    t.notOk(isRefusal(await change(lemma, decide, `c0000000-0000-4000-8000-00000000001${i}`)), `${lemma}: prepared`)

  const revision = (await house.deps.entries.load(entryStream(idOf('edited')))).revision
  t.equal(
    countsOf(await house.importFile('ndjson', path)),
    '0 written, 1 unchanged, 3 kept, 0 faults',
    'an unchanged source tells of them too',
  )
  writeLines(
    folder,
    'a.ndjson',
    lemmas.map(each => nounLine(each, 'the source has changed')),
  )
  house.reports.length = 0
  t.equal(countsOf(await house.importFile('ndjson', path)), '1 written, 0 unchanged, 3 kept, 0 faults')
  t.equal((await house.deps.entries.load(entryStream(idOf('edited')))).revision, revision)
  t.equal((await house.entry('edited'))?.content.senses[0]?.gloss, 'as people say')
  t.strictSame(house.reports.map(({ kind, line, lemma }) => `${kind} ${line} ${lemma}`).toSorted(), [
    'kept 1 edited',
    'kept 2 retired',
    'kept 3 removed',
  ])
  t.match(house.reports.find(each => each.lemma === 'edited')?.reason, /People have edited/)

  const other = writeLines(folder, 'b.ndjson', [nounLine('plain', 'by another source')])
  t.equal(countsOf(await house.importFile('ndjson', other)), '0 written, 0 unchanged, 1 kept, 0 faults')
})

t.test('a wrong line is reported with its number and reason, counted, and stops nothing', async t => {
  const folder = temporaryFolder(t)
  const wrong: readonly (readonly [line: string | Uint8Array, reason: RegExp])[] = [
    ['{"language":"en","lemma":"x"', /not JSON/],
    ['[1,2]', /This must be object/],
    ['{"language":"en","lemma":5,"partOfSpeech":"noun"}', /\/lemma: This must be string/],
    [nounLine('unknown member', 'x', { colour: 'red' }), /\/colour: There is no such member/],
    [JSON.stringify({ language: 'en', lemma: 'x', partOfSpeech: 'gerund' }), /\/partOfSpeech/],
    [nounLine('no language', 'x', { language: 'not a language' }), /language/],
    [nounLine('no sense', 'x', { senses: [] }), /no sense/],
    [nounLine('l'.repeat(300)), /longer than 200/],
    [nounLine('bell', 'rings\u0007'), /\/senses\/0\/gloss: .*U\+0007/],
    [nounLine('override \u202e'), /U\+202E/],
    [nounLine('half', 'x').replace('"x"', '"\\ud800"'), /surrogate/],
    [nounLine('blank', ' '), /blank/],
    [nounLine('long', 'g'.repeat(5001)), /longer than 5000/],
    [nounLine('negative', 'x', { rank: -1 }), /\/rank/],
    [nounLine('many', 'x', { senses: Array.from({ length: 201 }, () => ({ gloss: 'x' })) }), /\/senses/],
    [
      nounLine('twins', 'x', {
        senses: [
          { id: 'a', gloss: 'x' },
          { id: 'a', gloss: 'y' },
        ],
      }),
      /same sense id/,
    ],
    [nounLine('shadow', 'x', { source: 'No Name' }), /\/source/],
    [`${'['.repeat(40)}${']'.repeat(40)}`, /deeper than 32/],
    [Uint8Array.of(0x22, 0xff, 0xfe, 0x22), /UTF-8/],
    [nounLine('good'), /there before, in line 1/],
  ]
  const lines = [nounLine('good'), ...wrong.map(([line]) => line), `${nounLine('last')}\r`]
  const path = writeLines(folder, 'broken.ndjson', lines)
  const house = openImportHouse()
  const imported = await house.importFile('ndjson', path)
  t.equal(countsOf(imported), `2 written, 0 unchanged, 0 kept, ${wrong.length} faults`)
  t.equal(imported.complete, true)
  for (const [i, [, reason]] of wrong.entries()) {
    const report = house.reports.find(each => each.line === i + 2)
    t.match(report?.reason, reason, `line ${i + 2}: ${report?.reason}`)
  }
  t.ok(await house.entry('last'), 'the last line, with CRLF, is there')
  t.match((await house.deps.imports.load(importStream('broken'))).state.last, { written: 2, faults: wrong.length })

  // All that is wrong with a line at once, in the words of the interface; of very much the first twenty.
  const many = openImportHouse()
  const senses = Array.from({ length: 30 }, () => ({ gloss: 5, colour: 'red' }))
  await many.importFile(
    'ndjson',
    writeLines(folder, 'many.ndjson', [
      JSON.stringify({ lemma: 5, partOfSpeech: 'gerund', colour: 'red' }),
      nounLine('bell\u0007', ' ', { language: 'qq', source: 'No Name', senses: [{ gloss: ' ' }, { gloss: '\u202e' }] }),
      nounLine('all', 'x', { senses }),
      '{"broken',
    ]),
  )
  const told = (line: number) => {
    const errors = many.reports.find(each => each.line === line)?.errors ?? []
    return errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()
  }
  t.strictSame(told(1), ['/colour unknown', '/language required', '/lemma type', '/partOfSpeech enum'])
  t.strictSame(told(2), [
    '/language language-unknown',
    '/lemma text-invalid',
    '/senses/0/gloss text-invalid',
    '/senses/1/gloss text-invalid',
    '/source source',
  ])
  t.ok(told(3).length > 1 && told(3).length <= 20)
  t.strictSame(told(4), [' json-invalid'])
  t.match(many.reports[1]?.reason, /^\/language: This is not a BCP 47 tag of a registered language\. \/lemma: It has/)

  const strict = openImportHouse()
  const stopped = await strict.importFile('ndjson', path, { strict: true })
  t.match(stopped, { complete: false, faults: 1, written: 1 }, '--strict ends at the first')
  t.strictSame(
    strict.reports.map(each => each.line),
    [2],
  )
  t.equal((await strict.deps.imports.load(importStream('broken'))).state.completed, 0, 'and is not completed')
})

t.test('unusual but legal text is not lost', async t => {
  const folder = temporaryFolder(t)
  const lemmas = [
    'नमस्ते\u200d',
    '👩‍🚀',
    "'s-Gravenhage",
    'A',
    'a',
    '*',
    '"',
    '\\',
    'ſ',
    'l'.repeat(200),
    '𝒳'.repeat(200),
    '__proto__',
    'constructor',
  ]
  const house = openImportHouse()
  const path = writeLines(folder, 'odd.ndjson', [
    `\ufeff${nounLine('mark')}`,
    ...lemmas.map(each => nounLine(each, 'line 1\n\tline 2')),
  ])
  t.equal(
    countsOf(await house.importFile('ndjson', path)),
    `${lemmas.length + 1} written, 0 unchanged, 0 kept, 0 faults`,
  )
  for (const lemma of lemmas) t.equal((await house.entry(lemma))?.content.senses[0]?.gloss, 'line 1\n\tline 2', lemma)
})

/** Items of the file, made to end in an error or to call out after so many. */
const cutAfter = async function* (path: string, count: number, then: () => void): AsyncGenerator<SourceItem> {
  const source = await openNdjson(path)
  let seen = 0
  for await (const item of source.items) {
    if (seen === count) then()
    seen += 1
    yield item
  }
}

t.test('killed or stopped half-way, the same import completes what is missing', async t => {
  const folder = temporaryFolder(t)
  const path = writeLines(
    folder,
    'a.ndjson',
    Array.from({ length: 2000 }, (_, i) => nounLine(`word ${i}`)),
  )
  const store = openMemoryEventStore()
  const first = openImportHouse(store)
  await t.rejects(
    first.run(
      cutAfter(path, 1000, () => {
        throw new Error('the power went')
      }),
    ),
    /the power went/,
  )
  const written = (await first.entryEvents()).length
  t.ok(written > 0 && written < 2000, `${written} were written`)
  t.equal((await first.deps.imports.load(importStream('test'))).state.completed, 0)

  const stopping = new AbortController()
  const second = openImportHouse(store)
  const stopped = await second.run(
    cutAfter(path, 1500, () => stopping.abort()),
    { signal: stopping.signal },
  )
  t.equal(stopped.ended, 'stopped')
  t.ok(stopped.counts.unchanged >= written)

  const third = openImportHouse(store)
  const done = await third.run(cutAfter(path, 2000, () => {}))
  t.match(done, { ended: 'completed', counts: { faults: 0, kept: 0 } })
  t.equal(done.counts.written + done.counts.unchanged, 2000)
  t.equal((await third.entryEvents()).length, 2000, 'each entry has one event')
})

t.test('two at once on one file do no harm', async t => {
  const folder = temporaryFolder(t)
  const path = writeLines(
    folder,
    'a.ndjson',
    Array.from({ length: 1500 }, (_, i) => nounLine(`word ${i}`)),
  )
  const clock = fastClock(1)
  const open = () => openSqliteEventStore({ path: join(folder, 'events.db'), clock })
  const stores = [await open(), await open()]
  t.teardown(() => Promise.all(stores.map(store => store.close())))
  const houses = stores.map(store => openImportHouse(store, clock))
  const done = await Promise.all(houses.map(house => house.importFile('ndjson', path)))
  t.strictSame(
    done.map(each => each.complete),
    [true, true],
  )
  t.equal(
    done.reduce((sum, each) => sum + each.written, 0),
    1500,
    'each entry was written by one of them',
  )
  t.equal(
    done.reduce((sum, each) => sum + each.unchanged, 0),
    1500,
    'and found by the other',
  )
  t.equal((await houses[0]?.entryEvents())?.length, 1500)
})

t.test('what another run has written meanwhile is counted by that one alone', async t => {
  const folder = temporaryFolder(t)
  const path = writeLines(
    folder,
    'a.ndjson',
    Array.from({ length: 100 }, (_, i) => nounLine(`word ${i}`)),
  )
  const store = openMemoryEventStore()
  let other: Promise<Awaited<ReturnType<ReturnType<typeof openImportHouse>['importFile']>>> | undefined
  const first = openImportHouse({
    ...store,
    // All is decided and on its way when the other one comes and is done.
    appendMany: async appends => {
      other ??= openImportHouse(store).importFile('ndjson', path)
      await other
      return store.appendMany(appends)
    },
  })
  t.equal(countsOf(await first.importFile('ndjson', path)), '0 written, 100 unchanged, 0 kept, 0 faults')
  if (!other) throw new Error('there was no other run')
  t.equal(countsOf(await other), '100 written, 0 unchanged, 0 kept, 0 faults')
  t.equal((await first.entryEvents()).length, 100)
})

t.test('a store that is busy, away or silent is asked again; one that stays away ends the import', async t => {
  const folder = temporaryFolder(t)
  const path = writeLines(
    folder,
    'a.ndjson',
    Array.from({ length: 200 }, (_, i) => nounLine(`word ${i}`)),
  )
  const inner = openMemoryEventStore()
  let calls = 0
  const flaky = openImportHouse({
    ...inner,
    appendMany: async appends => {
      calls += 1
      if (calls === 1) throw new EventStoreError('unavailable', 'The disk is away.')
      const results = await inner.appendMany(appends)
      // Written, but nobody heard of it; and some that had to wait.
      if (calls === 2)
        return results.map((result, i) => (i % 2 ? { outcome: 'unknown' as const, cause: 'lost' } : result))
      return results
    },
  })
  const done = await flaky.importFile('ndjson', path)
  t.equal(countsOf(done), '200 written, 0 unchanged, 0 kept, 0 faults', 'whatever had to be sent twice')
  t.equal((await flaky.entryEvents()).length, 200, 'nothing twice, nothing missing')
  t.ok(calls > 2)

  // While this one was refused, another import wrote everything.
  const store = openMemoryEventStore()
  let [other, free]: [Promise<void> | undefined, boolean] = [undefined, false]
  const late = openImportHouse({
    ...store,
    appendMany: async appends => {
      if (free) return store.appendMany(appends)
      other ??= openImportHouse(store)
        .importFile('ndjson', path)
        .then(() => {
          free = true
        })
      await other
      return appends.map(() => new EventStoreError('busy', 'Too many wait.'))
    },
  })
  t.equal(countsOf(await late.importFile('ndjson', path)), '0 written, 200 unchanged, 0 kept, 0 faults')

  const away = openImportHouse({
    ...openMemoryEventStore(),
    appendMany: async appends => appends.map(() => new EventStoreError('busy', 'Too many wait.')),
  })
  await t.rejects(away.importFile('ndjson', path), { name: 'EventStoreError', code: 'busy' })

  const closed = openImportHouse({
    ...openMemoryEventStore(),
    appendMany: async () => {
      throw new EventStoreError('closed', 'The event store is closed.')
    },
  })
  await t.rejects(closed.importFile('ndjson', path), { code: 'closed' })

  const narrow = openMemoryEventStore()
  const small = openImportHouse({
    ...narrow,
    appendMany: async appends => {
      const results = await narrow.appendMany(appends.slice(1))
      return [new EventStoreError('too-large', 'An append holds 1 byte at most.'), ...results]
    },
  })
  const some = await small.importFile('ndjson', writeLines(folder, 'b.ndjson', [nounLine('big'), nounLine('small')]))
  t.equal(countsOf(some), '1 written, 0 unchanged, 0 kept, 1 faults')
  t.match(small.reports[0], { line: 1, lemma: 'big', reason: /1 byte/ })
})

t.test('an import is permitted, and its source named', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const none = async function* (): AsyncGenerator<SourceItem> {}
  const run = { source: 'test', format: 'ndjson' as const, items: none() }
  t.match(await runImport(house.deps, { ...run, caller: { ...importer, permissions: new Set() } }), {
    refused: 'permission-denied',
  })
  t.match(await runImport(house.deps, { ...run, source: 'No Name', caller: importer }), { refused: 'text-invalid' })
  t.match((await house.run(none())).counts, { written: 0, faults: 0 }, 'an empty source is imported')
  await t.rejects(house.importFile('ndjson', join(folder, 'absent.ndjson')), SourceError)
  await t.rejects(house.importFile('ndjson', folder), SourceError)
  const given = writeLines(folder, 'given.ndjson', [])
  await t.rejects(openNdjson(given, { source: 'Bad Name' }), {
    name: 'SourceError',
    kind: 'usage',
    message: '--source "Bad Name" is not the name of a source: a-z, 0-9, "." and "-", 100 characters at most.',
  })
  await t.rejects(openNdjson(writeLines(folder, '日.ndjson', [])), { kind: 'usage', message: /Name the source of/ })
  await t.rejects(house.importFile('wordnet', folder), /it is no folder of WordNet/)
  await t.rejects(house.importFile('wordnet', folder, { source: 'mine' }), /says itself/)
})
