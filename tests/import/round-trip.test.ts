/** A dictionary that was exported comes out of an import the same. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { JsonObject } from '../../src/domain/event.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { runHere } from '../support/here.ts'
import { countsOf, nounLine, openImportHouse, writeLines } from '../support/import.ts'
import { temporaryFolder } from '../support/service.ts'

type Line = { readonly [member: string]: unknown }
const linesOf = (text: string): readonly Line[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

/** What moves: all but what tells of the log that it lay in. */
const moved = ({ revision: _r, author: _a, contributors: _c, createdAt: _t, updatedAt: _u, ...rest }: Line): Line =>
  rest

t.test('without a service, what was imported is exported all the same', async t => {
  const folder = temporaryFolder(t)
  const file = writeLines(
    folder,
    'a.ndjson',
    ['one', 'two', 'three'].map(lemma => nounLine(lemma)),
  )
  t.match(await runHere(folder, ['import', 'ndjson', file]), { code: 0, out: /^a: 3 written/ })
  const first = await runHere(folder, ['export'])
  t.match(first, { code: 0, err: /3 entries\n$/ })
  t.equal(linesOf(first.out).length, 3)
  const more = writeLines(folder, 'b.ndjson', [nounLine('four')])
  t.match(await runHere(folder, ['import', 'ndjson', more]), { code: 0 })
  t.equal(linesOf((await runHere(folder, ['export'])).out).length, 4, 'what came since then as well')
})

t.test('an export imported into an empty service is the same dictionary, and is exported as the same', async t => {
  const folder = temporaryFolder(t)
  const from = await openTestApp(t)
  const to = await openTestApp(t)
  const [there, here] = [await openApi(from.url), await openApi(to.url)]
  const editor = await from.token('editor')
  const options = { signal: new AbortController().signal, strict: true, onProgress: () => {}, onFault: () => {} }
  const page = readFileSync(new URL('../../docs/ndjson.md', import.meta.url), 'utf8')
  const example = /```json ndjson\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const first = join(folder, 'first.ndjson')
  writeFileSync(first, example)
  t.match(await from.program.import('ndjson', first, options), { written: 2, faults: 0 })
  const body: JsonObject = { language: 'de', lemma: 'Wort', partOfSpeech: 'noun', senses: [{ gloss: 'von Leuten' }] }
  const drafted = await there('POST', '/v1/entries', { as: editor, body })
  const path = drafted.headers.get('location') ?? ''
  const done = await there('POST', `${path}/publish`, { as: editor, headers: { 'if-match': '*' } })

  const sync = { 'sync-token': done.headers.get('sync-token') ?? '' }
  const stream = await there('GET', '/v1/entries/export', { headers: sync })
  const byCommand: string[] = []
  for await (const line of from.program.exportEntries({ signal: options.signal })) byCommand.push(line)
  const entries = linesOf(stream.text).filter(line => !('cursor' in line))
  t.strictSame(entries, linesOf(byCommand.join('\n')), 'both ways to export say the same')
  t.equal(entries.length, 3)

  const file = join(folder, 'words.ndjson')
  writeFileSync(file, stream.text)
  const imported = await to.program.import('ndjson', file, options)
  t.match(imported, { written: 3, faults: 0, kept: 0, complete: true })
  const mine = await to.token('editor')
  const after = await here('POST', '/v1/entries', { as: mine, body: { ...body, lemma: 'anderes' } })
  const again = await here('GET', '/v1/entries/export', {
    headers: { 'sync-token': after.headers.get('sync-token') ?? '' },
  })
  const found = linesOf(again.text).filter(line => !('cursor' in line))
  t.strictSame(
    found.map(moved),
    entries.map(moved).map(line => ({ ...line, source: line['source'] ?? 'words' })),
    'ids, senses, ranks, licences and sources',
  )
  t.same(new Set(found.map(line => line['rank'])), new Set([0, 40]))
  t.same(new Set(found.map(line => line['source'])), new Set(['first', 'teas', 'words']))
  t.match(await to.program.import('ndjson', file, options), { written: 0, unchanged: 3, faults: 0 })
})

t.test('an export that broke off says so; ids and statuses that are not true of an import are refused', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const noun = (lemma: string, more: object = {}) =>
    JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: 'x' }], ...more })
  const cursor = JSON.stringify({ cursor: 'WyI0', count: 1 })
  const end = JSON.stringify({ end: true, count: 2, cursor: 'WyI0' })
  const whole = writeLines(folder, 'whole.ndjson', [noun('a'), cursor, noun('b'), end])
  t.equal(countsOf(await house.importFile('ndjson', whole)), '2 written, 0 unchanged, 0 kept, 0 faults')
  const broken = writeLines(folder, 'broken.ndjson', [noun('c'), cursor, noun('d')])
  t.equal(countsOf(await house.importFile('ndjson', broken)), '2 written, 0 unchanged, 0 kept, 1 faults')
  t.match(house.reports, [{ kind: 'fault', line: 2, reason: /broke off/ }])
  const wrong = writeLines(folder, 'wrong.ndjson', [
    noun('e', { status: 'draft' }),
    noun('f', { id: '501a48e3-b4ec-5dec-be9f-e904d6447fe3' }),
    noun('g', { end: true }),
    JSON.stringify({ cursor: 'x', count: 1, more: 1 }),
    noun('h', { createdAt: '2026-01-01T00:00:00.000Z', author: 'x', revision: '3', contributors: ['x'] }),
  ])
  t.equal(countsOf(await house.importFile('ndjson', wrong)), '1 written, 0 unchanged, 0 kept, 4 faults')
  t.match(house.reports.slice(1), [
    { line: 1, reason: /^\/status: It is draft/ },
    { line: 2, reason: /^\/id: An entry of this identity has the id [0-9a-f-]{36}\./ },
    { line: 3, reason: /\/end/ },
    { line: 4 },
  ])
})

t.test('what is no dictionary is said for what it looks like, and nothing is completed', async t => {
  const folder = temporaryFolder(t)
  const house = openImportHouse()
  const refused = async (content: string | Buffer, message: RegExp) => {
    const path = join(folder, 'thing.ndjson')
    writeFileSync(path, content)
    await t.rejects(house.importFile('ndjson', path), { name: 'SourceError', message }, String(message))
  }
  await refused('', /thing\.ndjson is empty\.$/)
  await refused(gzipSync('{}'), /is compressed with gzip: unpack it first/)
  await refused(Buffer.from([0x50, 0x4b, 3, 4, 1]), /is a ZIP archive/)
  await refused(Buffer.from([7, 0, 9, 10, 0]), /is no text/)
  await refused('\n\n', /has no entry\./)
  await refused('[{"lemma": "x"}]\n', /has no entry\. It looks like one JSON array/)
  await refused('<html>\n', /looks like XML or HTML/)
  await refused('{\n  "lemma": "x"\n}\n', /JSON of several lines/)
  await refused('{"word": "x"}\n{"word": "y"}\n', /other members than an entry has/)
  await refused('lemma,gloss\nx,y\n', /CSV/)
  await refused('lemma\tgloss\n', /tabs/)
  await refused('some words\n', /plain text/)
  t.equal((await house.entryEvents()).length, 0)
})
