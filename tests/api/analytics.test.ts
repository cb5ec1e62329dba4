/** The figures through the socket: who may see them, what they count, what is refused, and that they outlive the process. */
import t, { type Test } from 'tap'
import { SEARCHES_EVERY_MS } from '../../src/commands/count-searches.ts'
import { openApi } from '../support/api.ts'
import { openTestApp, type TestAppOptions } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const openOn = async (t: Test, options: TestAppOptions = {}) => {
  const app = await openTestApp(t, {}, options)
  const api = await openApi(app.url)
  return { app, api, auditor: await app.token('auditor'), editor: await app.token('editor') }
}

type Item = {
  readonly day: string
  readonly language?: string
  readonly contributor?: string
  readonly entries: Readonly<Record<string, number>>
  readonly searches?: { readonly total: number; readonly nothing: number; readonly matched: Record<string, number> }
}

t.test('figures of entries at once, of searches after a close, the same after a rebuild', async t => {
  // All on one day, and no batch before its time, however long this takes.
  const [folder, clock] = [temporaryFolder(t), fakeClock()]
  const first = await openOn(t, { folder, clock })
  const { api, editor, auditor } = first
  let sync = ''
  const write = async (method: string, path: string, body: object, status: number, headers = {}) => {
    const answer = await api(method, path, { as: editor, body, headers })
    t.equal(answer.status, status, answer.text.slice(0, 200))
    sync = answer.headers.get('sync-token') ?? ''
    return String(answer.json['id'])
  }
  const draft = (language: string, lemma: string) =>
    write('POST', '/v1/entries', { language, lemma, partOfSpeech: 'noun', senses: [{ gloss: 'a small test' }] }, 201)
  const ids = [await draft('en', 'probe'), await draft('en', 'probes'), await draft('de', 'Sonde')]
  for (const id of ids) await write('POST', `/v1/entries/${id}/publish`, {}, 200, { 'if-match': '*' })
  await write('PATCH', `/v1/entries/${ids[0]}`, { categories: ['tools'] }, 200, { 'if-match': '*' })
  await write('POST', `/v1/entries/${ids[2]}/retire`, { reason: 'A duplicate.' }, 200)

  const ask = async (query: string, as = auditor, with_ = api) => {
    const answer = await with_('GET', `/v1/analytics${query}`, { as, headers: { 'sync-token': sync } })
    t.equal(answer.status, 200, answer.text.slice(0, 200))
    return { items: answer.json['items'] as Item[], next: answer.json['next'], answer }
  }
  const whole = await ask('')
  t.match(whole.items, [{ entries: { drafted: 3, published: 3, edited: 1, retired: 1, restored: 0 }, imported: 0 }])
  t.ok(whole.answer.headers.get('sync-token'))
  const [{ day } = { day: '' }] = whole.items
  t.match((await ask('?group=language')).items, [
    { day, language: 'de', entries: { drafted: 1, published: 1, retired: 1, edited: 0 } },
    { day, language: 'en', entries: { drafted: 2, published: 2, retired: 0, edited: 1 } },
  ])
  const [by] = (await ask('?group=contributor')).items
  t.match(by, { entries: { drafted: 3 }, contributor: /^[0-9a-f-]{36}$/, searches: undefined })
  t.strictSame((await ask(`?contributor=${by?.contributor}&language=DE`)).items.length, 1, 'a tag in any case')
  t.strictSame((await ask(`?contributor=${by?.contributor?.toUpperCase()}`)).items.length, 1)
  t.strictSame((await ask('?contributor=5d9c68c6-c50e-5d3d-a2a5-1b2c3d4e5f60')).items, [])
  t.strictSame((await ask(`?from=${day}&to=${day}`)).items, whole.items)
  t.strictSame((await ask('?to=2001-01-01')).items, [])

  const one = await ask('?group=language&limit=1')
  const two = await ask(`?group=language&limit=1&cursor=${String(one.next)}`)
  t.strictSame([one.items[0]?.language, two.items[0]?.language], ['de', 'en'])
  t.equal(two.next, null)
  t.equal(
    (await api('GET', `/v1/analytics?limit=1&cursor=${String(one.next)}`, { as: auditor })).code,
    'cursor-invalid',
  )

  // Two pages of one search, one that a definition answers on two pages, one in vain, one that is refused.
  const searchAll = async (query: string): Promise<void> => {
    for (let next = ''; ; ) {
      const page = await api('GET', `/v1/search?${query}&limit=1${next}`, { headers: { 'sync-token': sync } })
      t.equal(page.status, 200)
      if (page.json['next'] === null) return
      next = `&cursor=${String(page.json['next'])}`
    }
  }
  await searchAll('q=probe')
  await searchAll('q=small')
  await searchAll('q=small&facets=language')
  t.equal((await api('GET', '/v1/search?q=*a*')).status, 422)
  t.equal((await ask('')).items[0]?.searches?.total, 0, 'they wait for their batch')
  await clock.advance(SEARCHES_EVERY_MS)
  await until('the batch', async saw => {
    // An answer is kept for two seconds.
    await clock.advance(2_000)
    const total = (await ask('')).items[0]?.searches?.total
    saw(total)
    return total === 3
  })
  await searchAll('q=unheardof')
  await first.app.close()

  const second = await openOn(t, { folder, clock })
  const searches = { total: 4, nothing: 1, matched: { exact: 1, definition: 2, prefix: 0 } }
  const last = async () => (await ask('', second.auditor, second.api)).items
  t.match(await last(), [{ searches }])
  const before = await last()
  const watch = { signal: new AbortController().signal, onProgress: () => undefined }
  await second.app.program.rebuild('analytics', watch)
  t.strictSame(await last(), before)
  t.match(await second.app.program.verify(watch), {
    faults: [],
    projections: [{}, {}, { name: 'analytics', different: 0 }],
  })
  const listed = await second.app.program.projections()
  t.match(
    listed.find(each => each.name === 'analytics'),
    { kind: 'projection', state: 'live', parked: [] },
  )
  t.match(
    listed.find(each => each.name === 'redaction'),
    { kind: 'subscriber', state: 'live', parked: [] },
  )
  t.equal(await second.app.program.retry('redaction'), 0)
  await t.rejects(second.app.program.retry('nobody'), /no projection or subscriber nobody/)
  const health = await second.api('GET', '/health', { as: second.auditor })
  t.match(health.json, { parts: { 'projection analytics': { state: 'ok' }, 'subscriber redaction': { state: 'ok' } } })
  t.strictSame([...first.api.faults, ...second.api.faults], [])
})

t.test('who may not see them, and what is no question', async t => {
  const { api, auditor, editor } = await openOn(t)
  t.match(await api('GET', '/v1/analytics'), { status: 401, code: 'unauthenticated' })
  t.match(await api('GET', '/v1/analytics', { as: editor }), { status: 403, code: 'permission-denied' })
  for (const [query, pointer] of [
    ['from=2026-11-24&to=2026-11-23', '/from'],
    ['from=2026-02-30', '/from'],
    ['to=yesterday', '/to'],
    ['to=2026-11-23T10:00:00Z', '/to'],
    ['language=-', '/language'],
    ['contributor=', '/contributor'],
    ['contributor=nobody', '/contributor'],
    ['group=day', '/group/0'],
    ['group=language,language', '/group'],
    ['limit=101', '/limit'],
    ['limit=0', '/limit'],
    ['sort=day', '/sort'],
  ]) {
    const { status, json } = await api('GET', `/v1/analytics?${query}`, { as: auditor })
    t.match({ query, status, json }, { query, status: 400, json: { code: 'validation', errors: [{ pointer }] } })
  }
  t.match(await api('GET', '/v1/analytics?cursor=forged', { as: auditor }), { status: 400, code: 'cursor-invalid' })
  t.match(await api('POST', '/v1/analytics', { as: auditor, body: {} }), { status: 405 })
  t.strictSame(api.faults, [])
})
