/** What was read, copied from a form or written as other clients write it comes back as what it was. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { StandingMembers } from '../../src/domain/entry/members.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openDrafts, pointers } from '../support/drafts.ts'
import { temporaryFolder } from '../support/service.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)
const [alice, editor] = await Promise.all([app.token('contributor', 'alice'), app.token('editor', 'erin')])

const { word, drafted, published } = openDrafts(api, { author: alice, editor })

t.test('an entry as it was read may be sent back: nothing is written', async t => {
  const line = JSON.stringify({
    language: 'en',
    lemma: word(),
    partOfSpeech: 'noun',
    rank: 7,
    senses: [{ gloss: 'from a file' }],
    etymology: 'old',
  })
  const file = join(temporaryFolder(t), 'words.ndjson')
  writeFileSync(file, line)
  const signal = new AbortController().signal
  const done = await app.program.import('ndjson', file, {
    signal,
    strict: true,
    onProgress: () => {},
    onFault: () => {},
  })
  t.match(done, { written: 1 })
  const { sync } = await published()
  const found = await api('GET', `/v1/entries?source=words`, { as: editor, headers: { 'sync-token': sync } })
  const [imported] = Array.isArray(found.json['items']) ? found.json['items'] : []
  const draft = await drafted({ etymology: 'a', forms: [{ form: 'b' }] })
  const live = await published()
  const retired = await published()
  await api('POST', `${retired.path}/retire`, { as: editor, body: { reason: 'done', replacedBy: live.id } })
  for (const [path, as] of [
    [draft.path, alice],
    [draft.path, editor],
    [live.path, editor],
    [`/v1/entries/${imported?.id}`, editor],
  ] as const) {
    const whole = await api('GET', path, { as })
    const etag = whole.headers.get('etag') ?? ''
    t.equal(whole.status, 200, whole.text)
    const back = await api('PATCH', path, { as, body: whole.json, headers: { 'if-match': etag } })
    t.match([back.status, back.headers.get('etag')], [200, etag], back.text)
    t.strictSame(back.json, whole.json)
    const dry = await api('PATCH', `${path}?dryRun=true`, { as, body: whole.json, headers: { 'if-match': etag } })
    t.strictSame(dry.json, { events: [] })
    for (const member of Object.keys(StandingMembers)) {
      const other = member === 'homograph' || member === 'rank' ? 99 : member === 'contributors' ? ['x'] : 'x'
      const body = { ...whole.json, [member]: other }
      const refused = await api('PATCH', path, { as, body, headers: { 'if-match': etag } })
      t.ok(refused.status === 422 || refused.status === 400, `${member} is compared`)
      t.match(pointers(refused.json), [`/${member}`], member)
    }
  }
  const gone = await api('GET', retired.path, { as: editor })
  t.match(gone.json, { replacedBy: live.id })
})

t.test('a list in a query: by commas, or a parameter an item', async t => {
  const { sync } = await published({ lemma: 'listed', senses: [{ gloss: 'what stands in lists' }] })
  const ask = async (query: string) => api('GET', `/v1/search?q=listed&${query}`, { headers: { 'sync-token': sync } })
  const [commas, each, both] = [
    await ask('in=lemma,form&facets=language,partOfSpeech'),
    await ask('in=lemma&in=form&facets=language&facets=partOfSpeech'),
    await ask('in=lemma,form&facets=language&facets=partOfSpeech'),
  ]
  t.match(commas, { status: 200, json: { items: [{ entry: { lemma: 'listed' } }] } })
  t.strictSame([each.json, both.json], [commas.json, commas.json])
  t.match(await ask('in=lemma&in=lemma'), { status: 400, code: 'validation' })
  t.match(await ask('in=lemma&in=nothing'), { status: 400, code: 'validation' })
  t.match(await ask('limit=1&limit=2'), { status: 400, json: { errors: [{ pointer: '/limit' }] } })
  t.match(await ask('q=other'), { status: 400, json: { errors: [{ pointer: '/q' }] } })
})

t.test('text of several lines ends them with LF, whatever it was typed on', async t => {
  const { path } = await drafted({ etymology: 'one\r\ntwo\rthree\nfour', senses: [{ gloss: 'a\r\nb' }] })
  const { json } = await api('GET', path, { as: alice })
  t.match(json, { etymology: 'one\ntwo\nthree\nfour', senses: [{ gloss: 'a\nb' }] })
  const { path: again } = await published()
  await api('POST', `${again}/retire`, { as: editor, body: { reason: 'first\r\nsecond' } })
  t.match((await api('GET', `${again}/history`, { as: editor })).json, { items: [{ reason: 'first\nsecond' }] })
  const one = { language: 'en', lemma: 'a\r\nb', partOfSpeech: 'noun' }
  t.match(await api('POST', '/v1/entries', { as: alice, body: one }), { status: 422 }, 'a word is one line')
})

t.test('the language of an entry is a registered one, by its current code', async t => {
  const draft = (language: string) =>
    api('POST', '/v1/entries', { as: alice, body: { language, lemma: word(), partOfSpeech: 'noun' } })
  t.match(await draft('German'), {
    status: 422,
    code: 'language-unknown',
    json: { errors: [{ pointer: '/language' }] },
  })
  for (const [given, kept] of [
    ['iw', 'he'],
    ['de-DD', 'de-DE'],
    ['GAV', 'dev'],
    ['i-klingon', 'tlh'],
    ['ja-Latn-hepburn-heploc', 'ja-Latn-alalc97-hepburn'],
  ] as const)
    t.match((await draft(given)).json, { language: kept }, given)
})

t.test('the word of a day is there wherever that day has begun or not yet ended', async t => {
  const { sync } = await published({ language: 'sw' })
  const now = app.clock.now().getTime()
  const dateAt = (hours: number) => new Date(now + hours * 3_600_000).toISOString().slice(0, 10)
  const ask = (date: string) =>
    api('GET', `/v1/word-of-the-day?language=sw&date=${date}`, { headers: { 'sync-token': sync } })
  for (const hours of [-12, 0, 14]) t.equal((await ask(dateAt(hours))).status, 200, `UTC${hours}`)
  t.match(await ask(dateAt(-12 - 24)), { status: 404, code: 'day-unknown' })
  t.match(await ask(dateAt(14 + 24)), { status: 404, code: 'day-unknown' })
})
