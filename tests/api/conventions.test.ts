/** The conventions of docs/api.md, through the socket: what clients rely on whatever they ask for. */
import t from 'tap'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openDrafts, pointers } from '../support/drafts.ts'
import { forgedOf, otherIdOf } from '../support/forged.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)
const [alice, bob, editor, moderator] = await Promise.all([
  app.token('contributor', 'alice'),
  app.token('contributor', 'bob'),
  app.token('editor', 'erin'),
  app.token('moderator', 'mo'),
])
const auditor = await app.token('auditor', 'audrey')

const { word, drafted, published } = openDrafts(api, { author: alice, editor })

t.test('an entry lives: draft, submit, publish, edit, retire, restore, revert', async t => {
  const { path, status, etag, headers } = await drafted()
  t.equal(status, 201)
  t.match(path, /^\/v1\/entries\/[0-9a-f-]{36}$/)
  t.match(etag, /^"0\.[\w-]{8}\.[\w-]+"$/)
  t.match(headers.get('sync-token'), /^[\w-]+$/)
  t.equal((await api('GET', path)).status, 404, 'a stranger does not see a draft')
  const glimpse = await api('GET', path, { as: bob })
  t.match(glimpse.json, { status: 'draft' })
  t.notOk('senses' in glimpse.json, 'another contributor sees the identity alone')
  for (const [who, as] of [
    ['moderator', moderator],
    ['auditor', auditor],
  ] as const) {
    t.strictSame((await api('GET', path, { as })).json, glimpse.json, `so does a ${who}`)
    t.equal((await api('GET', `${path}/history`, { as })).status, 404)
    t.match((await api('GET', '/v1/entries?status=draft&category=tools', { as })).json, { items: [], next: null })
  }
  t.ok('senses' in (await api('GET', path, { as: editor })).json, 'an editor sees it whole')
  const whole = await api('GET', path, { as: alice })
  t.not(whole.headers.get('etag'), glimpse.headers.get('etag'), 'another representation has another tag')
  t.equal((await api('POST', `${path}/submit`, { as: alice })).json['status'], 'submitted')
  t.equal(
    (await api('POST', `${path}/return`, { as: editor, body: { reason: 'More, please.' } })).json['status'],
    'draft',
  )
  const patched = await api('PATCH', path, {
    as: alice,
    body: { categories: ['things'] },
    headers: { 'if-match': '"2"', 'content-type': 'application/merge-patch+json' },
  })
  t.match(patched, { status: 200, json: { revision: '3', categories: ['things'] } })
  const whatever = String(patched.headers.get('etag')).replace(/\w+"$/, 'whatever"')
  const out = await api('POST', `${path}/publish`, { as: editor, headers: { 'if-match': `W/${whatever}` } })
  t.match(out.json, { status: 'published', revision: '4' })
  const edited = await api('PATCH', path, { as: editor, body: { etymology: 'unknown' }, headers: { 'if-match': '*' } })
  t.match(edited.json, { revision: '5', etymology: 'unknown' })
  const read = await api('GET', path, { as: editor })
  const same = await api('PATCH', path, {
    as: editor,
    body: read.json,
    headers: { 'if-match': read.headers.get('etag') ?? '' },
  })
  t.match(same, { status: 200, json: { revision: '5' } }, 'what was read may be sent back whole')
  for (const other of [{ author: 'somebody' }, { revision: '4' }])
    t.equal(
      (await api('PATCH', path, { as: editor, body: other, headers: { 'if-match': '*' } })).code,
      'read-only-member',
    )
  const { path: draft } = await drafted()
  const hidden = { reason: 'Twice.', replacedBy: draft.slice(12) }
  t.equal((await api('POST', `${path}/retire`, { as: editor, body: hidden })).code, 'replacement-unknown')
  const back = await api('POST', `${path}/revert`, {
    as: editor,
    body: { toRevision: '0' },
    headers: { 'if-match': '"9.x", "5"' },
  })
  t.equal(back.status, 200)
  t.notOk('etymology' in back.json)
  t.equal((await api('POST', `${path}/retire`, { as: editor, body: { reason: 'Twice.' } })).json['status'], 'retired')
  t.match(await api('GET', path), { status: 410, code: 'entry-gone', json: { replacedBy: null } })
  t.equal((await api('GET', path, { as: editor })).status, 200, 'editors see what was retired')
  t.equal((await api('POST', `${path}/restore`, { as: editor, body: {} })).json['status'], 'published')
  const history = await api('GET', `${path}/history?limit=2`, { as: editor })
  t.match(history.json, { items: [{ type: 'EntryRestored' }, { type: 'EntryRetired', reason: 'Twice.' }] })
  const older = await api('GET', `${path}/history?limit=2&cursor=${history.json['next']}`, { as: editor })
  t.match(older.json, { items: [{ type: 'EntryReverted' }, { type: 'EntryEdited' }] })
  const gone = await api('POST', `${path}/redact`, { as: moderator, body: { ground: 'privacy' } })
  t.match(gone, { status: 200, json: { removed: true } })
  const seen = { headers: { 'sync-token': gone.headers.get('sync-token') ?? '' } }
  t.match(await api('GET', path, seen), { status: 404, code: 'entry-not-found' })
  t.match(await api('GET', path, { ...seen, as: bob }), { status: 410, code: 'entry-removed' })
})

t.test('preconditions', async t => {
  const { path, etag, sync } = await published()
  const plain = { as: editor, body: { categories: ['a'] } }
  const without = await api('PATCH', path, plain)
  t.match(without, { status: 428, code: 'revision-required', json: { detail: /If-Match/ } })
  const stale = await api('PATCH', path, { ...plain, headers: { 'if-match': '"0.x"' } })
  t.match(stale, { status: 412, code: 'revision-stale', json: { currentRevision: '1' } })
  const again = await api('GET', path, { headers: { 'sync-token': stale.headers.get('sync-token') ?? '' } })
  t.equal(again.status, 200)
  for (const tag of ['"someone-elses"', '"00.x"', '"1x"']) {
    const foreign = await api('PATCH', path, { ...plain, headers: { 'if-match': tag } })
    t.strictSame([foreign.status, foreign.json['statedRevision']], [412, undefined], tag)
  }
  const early = { language: 'en', lemma: word(), partOfSpeech: 'noun' }
  const nothing = await api('POST', '/v1/entries', { as: alice, body: early, headers: { 'if-match': '*' } })
  t.match(nothing, { status: 412, code: 'revision-stale', json: { detail: /nothing yet/ } })
  for (const broken of ['5', '"5', 'W/5', '"a" "b"', '"a",,"b"'])
    t.match(await api('PATCH', path, { ...plain, headers: { 'if-match': broken } }), {
      status: 400,
      code: 'header-invalid',
    })
  const nowhere = otherIdOf(path)
  t.match(await api('PATCH', nowhere, { ...plain, headers: { 'if-match': '"0.x"' } }), { status: 404 })
  t.match(await api('PATCH', nowhere, { ...plain, headers: { 'if-match': '*' } }), { status: 404 })
  t.equal((await api('PATCH', path, { ...plain, headers: { 'if-match': etag } })).status, 200)
  const read = await api('GET', path)
  const tag = read.headers.get('etag') ?? ''
  for (const match of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
    const same = await api('GET', path, { headers: { 'if-none-match': match } })
    t.equal(same.status, 304, match)
    t.equal(same.headers.get('etag'), tag)
    t.equal(same.text, '')
  }
  t.equal((await api('GET', path, { headers: { 'if-none-match': '"0.x"' } })).status, 200)
  t.equal((await api('GET', path, { headers: { 'if-none-match': 'x' } })).status, 400)
  for (const query of ['fields=id,lemma', `asOf=${sync}`])
    t.notMatch((await api('GET', `${path}?${query}`)).headers.get('etag'), /^"\d/, `${query} has no revision tag`)
  t.same(Object.keys((await api('GET', `${path}?fields=id,lemma`)).json), ['id', 'lemma'])
})

t.test('a write repeated under its key has one effect', async t => {
  const body = { language: 'en', lemma: word(), partOfSpeech: 'verb', senses: [{ gloss: 'to do' }] }
  const key = { 'idempotency-key': 'k-1' }
  const first = await api('POST', '/v1/entries', { as: alice, body, headers: key })
  t.equal(first.headers.get('idempotent-replayed'), null)
  // Members in another order are the same payload.
  const turned = Object.fromEntries(Object.entries(body).reverse())
  const second = await api('POST', '/v1/entries', { as: alice, body: turned, headers: key })
  t.match(second, { status: 201, json: { id: first.json['id'], revision: '0' } })
  t.equal(second.headers.get('idempotent-replayed'), 'true')
  t.equal(second.headers.get('location'), first.headers.get('location'))
  const shout = String(first.headers.get('location')).replace(/[0-9a-f-]{36}$/, id => id.toUpperCase())
  t.equal((await api('POST', `${first.headers.get('location')}/submit`, { as: alice, headers: key })).status, 200)
  const again = await api('POST', `${shout}/submit`, { as: alice, headers: key })
  t.equal(again.headers.get('idempotent-replayed'), 'true', 'ids are read without case')
  const other = { as: alice, body: { ...body, lemma: word() }, headers: key }
  t.match(await api('POST', '/v1/entries', other), { status: 422, code: 'idempotency-key-reused' })
  t.match(await api('POST', '/v1/entries', { as: bob, body, headers: key }), { status: 409, code: 'entry-exists' })
  const exists = await api('POST', '/v1/entries', { as: bob, body })
  t.match(exists, { status: 409, json: { entryId: first.json['id'] } })
  t.ok(exists.headers.get('sync-token'))
  for (const bad of ['k'.repeat(256), 'a b', 'é'])
    t.match(await api('POST', '/v1/entries', { as: alice, body, headers: { 'idempotency-key': bad } }), {
      status: 400,
      code: 'header-invalid',
    })
})

t.test('a dry run writes nothing', async t => {
  const body = { language: 'en', lemma: word(), partOfSpeech: 'noun', senses: [{ gloss: 'x' }] }
  const dry = await api('POST', '/v1/entries?dryRun=true', { as: alice, body })
  t.match(dry, { status: 200, json: { events: [{ type: 'EntryDrafted', data: { lemma: body.lemma } }] } })
  t.equal(dry.headers.get('location'), null)
  t.equal((await api('POST', '/v1/entries?dryRun=false', { as: alice, body })).status, 201)
  t.match(await api('POST', '/v1/entries?dryRun=1', { as: alice, body }), { status: 400, code: 'validation' })
})

t.test('lists: pages, links, filters, fields, forged cursors', async t => {
  const category = word()
  // One after the other: the token of the last one stands for all.
  const made: Awaited<ReturnType<typeof published>>[] = []
  while (made.length < 5) made.push(await published({ categories: [category] }))
  const sync = { 'sync-token': made.at(-1)?.sync ?? '' }
  const seen: unknown[] = []
  let path = `/v1/entries?category=${category}&limit=2&fields=id`
  for (let page = 0; page < 4 && path !== ''; page += 1) {
    const list = await api('GET', path, { headers: sync })
    t.equal(list.status, 200)
    t.match(list.headers.get('etag'), /^"c\./, 'a tag of its content, not of a revision')
    const items = list.json['items']
    if (Array.isArray(items)) seen.push(...items.map(each => each.id))
    const link = list.headers.get('link') ?? ''
    t.match(link, /<\/v1\/entries\?[^>]+>; rel="first"/)
    path = /<([^>]+)>; rel="next"/.exec(link)?.[1] ?? ''
    t.equal(path !== '', list.json['next'] !== null)
  }
  t.same(seen.toSorted(), made.map(each => each.id).toSorted(), 'each entry once')
  const one = await api('GET', `/v1/entries?category=${category}&limit=1`)
  const next = String(one.json['next'])
  const forged = next.slice(0, -2) + (next.endsWith('AA') ? 'BB' : 'AA')
  for (const bad of [forged, 'x', `${next}A`, next.slice(1), 'é'])
    t.match(await api('GET', `/v1/entries?category=${category}&limit=1&cursor=${encodeURIComponent(bad)}`), {
      status: 400,
      code: 'cursor-invalid',
    })
  t.match(await api('GET', `/v1/entries?cursor=${next}`), { status: 400, code: 'cursor-invalid' }, 'of other filters')
  t.match(await api('GET', `/v1/search?q=a&cursor=${next}`), { status: 400, code: 'cursor-invalid' }, 'of another list')
  const wrong = [
    'limit=0',
    'limit=101',
    'limit=abc',
    'limit=1.5',
    'limit=1e1',
    'limit=',
    'limit=true',
    'limit=1&limit=2',
  ]
  for (const query of [
    ...wrong,
    'nope=1',
    'sort=rank',
    'fields=nope',
    'status=x',
    'language=-',
    'updatedSince=now',
    '__proto__=1',
  ])
    t.match(await api('GET', `/v1/entries?${query}`), { status: 400, code: 'validation' }, query)
  t.match(await api('GET', '/v1/entries?category=%FF'), { status: 400, code: 'request-malformed' })
  t.equal((await api('GET', '/v1/entries?sort=-updatedAt&limit=100')).status, 200)
})

t.test('as of', async t => {
  const { path, sync, etag } = await published()
  const before = app.clock.now().toISOString()
  await app.clock.advance(1_000)
  await api('PATCH', path, { as: editor, body: { etymology: 'late' }, headers: { 'if-match': etag } })
  t.equal((await api('GET', path)).json['etymology'], 'late')
  t.notOk('etymology' in (await api('GET', `${path}?asOf=${before}`)).json)
  t.notOk('etymology' in (await api('GET', `${path}?asOf=${sync}`)).json)
  t.equal((await api('GET', `${path}?asOf=${app.clock.now().toISOString()}`)).json['etymology'], 'late')
  for (let n = 0; n < 6; n += 1) {
    // Two at a time in one millisecond.
    await app.clock.advance(n % 2)
    await api('PATCH', path, { as: editor, body: { etymology: `late ${n}` }, headers: { 'if-match': '*' } })
  }
  const { items } = (await api('GET', `${path}/history`, { as: editor })).json
  const revisions: readonly { revision: string; at: string }[] = Array.isArray(items) ? items : []
  t.equal(new Set(revisions.map(each => each.at)).size, revisions.length, 'each has its own')
  const public_ = revisions.filter(each => Number(each.revision) > 0)
  t.ok(public_.length >= 6)
  for (const { revision, at } of public_) {
    const shown = await api('GET', `${path}?asOf=${at}`, { as: editor })
    t.match(shown.json, { revision, updatedAt: at }, `at the time that the history shows for ${revision}`)
  }
  t.match(await api('GET', `${path}?asOf=2999-01-01T00:00:00Z`), { status: 400, code: 'as-of-invalid' })
  for (const bad of ['2026-02-31T00:00:00Z', '2026-01-01', '2026-01-01T25:00:00Z'])
    t.match(await api('GET', `${path}?asOf=${bad}`), { status: 400, code: 'validation' }, bad)
  const neither = await api('GET', `${path}?asOf=abc`)
  t.match(neither, { status: 400, code: 'as-of-invalid' })
  t.same(pointers(neither.json), ['/asOf'])
  t.equal((await api('GET', `${path}?asOf=2001-01-01T00:00:00Z`)).status, 404)
})

t.test('bad input, by example', async t => {
  const base = { language: 'en', lemma: word(), partOfSpeech: 'noun' }
  const post = (body: unknown, headers = {}) => api('POST', '/v1/entries', { as: alice, body, headers })
  const raw = (text: string | Uint8Array<ArrayBuffer>, headers = {}) =>
    api('POST', '/v1/entries', { as: alice, raw: text, headers })
  const five = await post({ lemma: 5 })
  t.match(five, { status: 400, code: 'validation' })
  t.ok(pointers(five.json).includes('/lemma'))
  t.same(pointers((await post({ ...base, colour: 1 })).json), ['/colour'])
  t.same(pointers((await post({ ...base, senses: [{ gloss: 'a', 'a/b~': 1 }] })).json), ['/senses/0/a~1b~0'])
  for (const wrong of [
    { homograph: '1' },
    { homograph: 1.5 },
    { variants: 'a' },
    { senses: null },
    { partOfSpeech: 'nounn' },
  ])
    t.match(await post({ ...base, ...wrong }), { status: 400, code: 'validation' }, JSON.stringify(wrong))
  // A body full of faults is told about by its first ones.
  const many = Array.from({ length: 60_000 }, (_, i) => `v${i}`)
  const long = await post({ ...base, variants: many })
  t.match(long, { status: 422, code: 'text-invalid', json: { errors: [{ pointer: '/variants', code: 'maxItems' }] } })
  const membersOf = (count: number) => Object.fromEntries(many.slice(0, count).map(name => [name, 1]))
  const unknown = await post({ ...membersOf(900), ...base })
  t.match(unknown, { status: 400, code: 'validation', json: { errors: [{ pointer: '/v0', code: 'unknown' }] } })
  const crowd = await post({ ...membersOf(30_000), ...base })
  t.match(crowd, { status: 400, code: 'validation', json: { detail: /more than 1000 members/ } })
  const senses = (faulty: number) =>
    Array.from({ length: 100 }, (_, i) => ({
      gloss: 'g',
      examples: Array.from({ length: 100 }, (_, j) => ({ text: i === faulty && j === 99 ? 5 : 't' })),
    }))
  t.match(await post({ ...base, senses: senses(3) }), {
    status: 400,
    json: { errors: [{ pointer: '/senses/3/examples/99/text' }] },
  })
  const late = await post({ ...base, senses: senses(99) })
  t.match(late, { status: 400, code: 'validation', json: { detail: /beyond its first 10000/ } })
  for (const body of [[], null, 'x', 5]) t.match(await post(body), { status: 400 })
  t.match(await api('POST', `${(await drafted()).path}/submit`, { as: alice, raw: 'null' }), { status: 400 })
  const invisible = [
    'a\u200bb',
    'a\u2060',
    '\ufeffa',
    'a\u2028b',
    'a\ufffe',
    'a\u{e0041}',
    ' a',
    'a ',
    'a  b',
    'a\u00a0b',
  ]
  for (const lemma of invisible)
    t.match(await post({ ...base, lemma }), { status: 422, code: 'text-invalid' }, Buffer.from(lemma).toString('hex'))
  const relation = (entryId: string) => ({
    ...base,
    senses: [{ gloss: 'a', relations: [{ kind: 'synonym', entryId, text: 't' }] }],
  })
  t.same(pointers((await post(relation('x'))).json), ['/senses/0/relations/0/entryId'])
  const upper = await post({ ...relation('0E984725-C51C-5BF4-9960-E1C80E27ABA0'), lemma: word() })
  t.match(upper.json, { senses: [{ relations: [{ entryId: '0e984725-c51c-5bf4-9960-e1c80e27aba0' }] }] })
  t.equal(
    (
      await api('GET', String(upper.headers.get('location')).toUpperCase().replace('/V1/ENTRIES', '/v1/entries'), {
        as: alice,
      })
    ).status,
    200,
  )
  const unfit = ['javascript:alert(1)', 'data:audio/ogg,x', '/a.ogg', 'https://me:secret@example.org/a.ogg']
  for (const audioUrl of [...unfit, 'https://example.org/a b.ogg']) {
    const sound = await post({ ...base, pronunciations: [{ ipa: 'a', audioUrl }] })
    t.match(sound, { status: 422 }, audioUrl)
    t.same(pointers(sound.json), ['/pronunciations/0/audioUrl'])
  }
  t.equal(
    (await post({ ...base, lemma: word(), pronunciations: [{ ipa: 'a', audioUrl: 'https://example.org/a.ogg' }] }))
      .status,
    201,
  )
  for (const lemma of ['x'.repeat(300), 'a\u0007', 'a\u202eb', '\ud800', '', '   '])
    t.match(await post({ ...base, lemma }), { status: 422, code: 'text-invalid' }, JSON.stringify(lemma).slice(0, 20))
  t.same(pointers((await post({ ...base, senses: [{ gloss: '\udfff' }] })).json), ['/senses/0/gloss'])
  t.match(await post({ ...base, licence: '\ud800' }), { status: 422 })
  t.match(await post({ ...base, senses: [{ gloss: '' }] }), { status: 422 }, 'too short is not the wrong shape')
  for (const language of ['not a language', 'qq', 'en-Abcd'])
    t.match(await post({ ...base, language }), { status: 422, code: 'language-unknown' }, language)
  const translated = [{ gloss: 'x', translations: [{ language: 'qq', text: 'x' }] }]
  t.match(await post({ ...base, senses: translated }), {
    status: 422,
    json: { errors: [{ pointer: '/senses/0/translations/0/language', code: 'language-unknown' }] },
  })
  t.equal(
    (await post({ ...base, lemma: `می\u200cخواهم${word()}`, language: 'fa' })).status,
    201,
    'ZWNJ is part of words',
  )
  const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`
  t.match(await raw(nested(33)), { status: 400, code: 'json-too-deep' })
  t.match(await raw(nested(32)), { status: 400, code: 'validation' })
  t.match(await raw('['.repeat(1_000_000)), { status: 400, code: 'json-too-deep' })
  t.match(await raw(' '.repeat(2 * 1024 * 1024)), { status: 413, code: 'payload-too-large' })
  for (const text of [
    '{',
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":{}}',
    '{"lemma":"x}',
    '"\\ud8',
    '\ufeff{}',
    '{"a":NaN}',
  ])
    t.match(await raw(text), { status: 400, code: 'json-invalid' }, text)
  t.match(await raw(new Uint8Array([0x22, 0xff, 0x22])), { status: 400, code: 'json-invalid' })
  for (const type of ['text/plain', 'application/merge-patch+json', 'application/json; charset=iso-8859-1', 'x'])
    t.match(await raw('{}', { 'content-type': type }), { status: 415, code: 'unsupported-media-type' }, type)
  t.match(await raw('{}', { 'content-encoding': 'gzip' }), { status: 415 })
  t.match(await raw('{}', { 'content-type': 'application/json; charset="UTF-8"' }), { status: 400, code: 'validation' })
  t.match(await api('GET', '/v1/search?q=a*b*c*d*e'), { status: 400, code: 'pattern-invalid' })
  t.match(await api('GET', '/v1/search?q=*mid*'), { status: 422, code: 'pattern-too-broad' })
  t.match(await api('GET', `/v1/search?q=${'x'.repeat(129)}`), { status: 400 })
  t.match(await api('GET', '/v1/search'), { status: 400, json: { errors: [{ pointer: '/q', code: 'required' }] } })
  t.match(await api('GET', '/v1/word-of-the-day?date=2026-02-30'), {
    status: 400,
    json: { errors: [{ pointer: '/date', detail: /no day of the calendar/ }] },
  })
  t.match(await api('GET', '/v1/entries/not-an-id'), { status: 404, code: 'not-found' })
  t.match(await api('GET', '/v1/entries/%zz'), { status: 400, code: 'request-malformed' })
  t.match(await api('GET', '/v1/nothing/nothing'), { status: 404 })
})

t.test('what a filter cannot be is said, and not taken for nothing found', async t => {
  for (const query of ['language=xx', 'language=nonsense', 'contributor=abc'])
    for (const path of ['/v1/entries', '/v1/search']) {
      if (path === '/v1/search' && query.startsWith('contributor')) continue
      const answer = await api('GET', `${path}?${query}${path === '/v1/search' ? '&q=word' : ''}`)
      t.equal(answer.status, 400, `${path} ${query}`)
      t.match(answer.json['errors'], [{ pointer: `/${query.split('=')[0]}` }])
    }
})

t.test('methods and addresses', async t => {
  const wrong = await api('DELETE', '/v1/search')
  t.match(wrong, { status: 405, code: 'method-not-allowed' })
  t.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS')
  t.equal(
    (await api('PUT', '/v1/entries/00000000-0000-0000-0000-000000000000')).headers.get('allow'),
    'GET, HEAD, OPTIONS, PATCH',
  )
  t.equal((await api('PROPFIND', '/v1/entries')).status, 405)
  const page = await fetch(`${app.url}/docs`, { method: 'POST' })
  t.equal(page.status, 405)
  t.equal(page.headers.get('allow'), 'GET, HEAD, OPTIONS')
  const options = await api('OPTIONS', '/v1/entries')
  t.match(options.status, 204)
  t.equal(options.headers.get('allow'), 'GET, HEAD, OPTIONS, POST')
  for (const path of ['/v1/entries/', '/V1/entries', '/v1//entries', '/nope', '/docs/', '/v1/entries/export/'])
    t.match(await api('GET', path), { status: 404, code: 'not-found' }, path)
  const { path } = await published()
  const [get, head] = [await api('GET', path), await api('HEAD', path)]
  t.equal(head.text, '')
  for (const name of ['etag', 'content-length', 'content-type', 'cache-control', 'vary'])
    t.equal(head.headers.get(name), get.headers.get(name), name)
  const streamed = await api('HEAD', '/v1/entries/export')
  t.equal(streamed.headers.get('content-type'), 'application/x-ndjson')
  t.equal(streamed.headers.get('content-length'), null, 'nobody knows how long it will be')
  t.equal((await api('POST', '/v1/entries/export')).headers.get('allow'), 'GET, HEAD, OPTIONS')
})

t.test('headers of every answer', async t => {
  const { path } = await published()
  const open = await api('GET', path)
  t.equal(open.headers.get('cache-control'), 'public, no-cache')
  t.equal(open.headers.get('vary'), 'Accept, Accept-Encoding, Authorization, Cookie, Origin')
  t.equal((await api('GET', path, { as: alice })).headers.get('cache-control'), 'private, no-store')
  t.equal((await api('GET', path, { headers: { cookie: 'a=b' } })).headers.get('cache-control'), 'private, no-store')
  t.equal((await api('GET', '/nope')).headers.get('cache-control'), 'private, no-store')
  t.equal(open.headers.get('access-control-allow-origin'), null)
  for (const answer of [open, await api('GET', '/nope'), await api('GET', '/docs'), await api('POST', '/v1/entries')]) {
    t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    t.match(answer.headers.get('content-security-policy'), /default-src 'none'/)
    t.match(answer.headers.get('x-request-id'), /^[0-9a-f-]{36}$/)
  }
  const own = await api('GET', '/nope', { headers: { 'x-request-id': 'mine-1' } })
  t.equal(own.headers.get('x-request-id'), 'mine-1')
  t.equal(own.json['requestId'], 'mine-1')
  t.not(
    (await api('GET', path, { headers: { 'x-request-id': 'x'.repeat(129) } })).headers.get('x-request-id')?.length,
    129,
  )
  t.equal((await api('GET', '/.well-known/jwks.json')).headers.get('cache-control'), 'public, max-age=300')
  // A long body is compressed, and its tag then is a weak one that still revalidates.
  const long = await published({ senses: [{ gloss: 'long '.repeat(500) }] })
  const zipped = await api('GET', long.path, { headers: { 'accept-encoding': 'br' } })
  t.equal(zipped.headers.get('content-encoding'), 'br')
  const weak = zipped.headers.get('etag') ?? ''
  t.match(weak, /^W\/"1\./)
  t.equal((await api('GET', long.path, { headers: { 'if-none-match': weak } })).status, 304)
  t.equal((await api('PATCH', long.path, { as: editor, body: {}, headers: { 'if-match': weak } })).status, 200)
})

t.test('who may', async t => {
  const { path, etag } = await drafted()
  const stranger = await api('POST', `${path}/submit`)
  t.match(stranger, { status: 401, code: 'unauthenticated' })
  t.equal(stranger.headers.get('www-authenticate'), 'Bearer realm="lexichron"')
  const forged = await api('GET', '/v1/entries', { as: 'forged' })
  t.equal(forged.status, 401)
  t.match(forged.headers.get('www-authenticate'), /error="invalid_token"/)
  t.equal((await api('GET', '/v1/entries', { headers: { authorization: 'Basic YTpi' } })).status, 401)
  const denied = await api('POST', `${path}/publish`, { as: alice, headers: { 'if-match': etag } })
  t.match(denied, { status: 403, code: 'permission-denied' })
  t.match(denied.headers.get('www-authenticate'), /insufficient_scope/)
  t.match(await api('PATCH', path, { as: bob, body: { categories: ['x'] }, headers: { 'if-match': etag } }), {
    status: 403,
    code: 'permission-denied',
  })
  const nobody = await api('GET', '/v1/entries?status=draft')
  t.match(nobody, { status: 401, code: 'unauthenticated' })
  t.match(nobody.headers.get('www-authenticate'), /^Bearer/)
  t.equal((await api('GET', '/v1/entries?status=draft', { as: bob })).status, 200)
  const broken = { headers: { authorization: 'Bearer not.a.token' } }
  t.equal((await api('GET', '/v1/roles', broken)).status, 401, 'a bad token is refused everywhere')
  const unknown = {
    language: 'en',
    lemma: 'typo',
    partOfSpeech: 'noun',
    senses: [{ gloss: 'x', labels: { registers: ['a'] } }],
  }
  t.match(await api('POST', '/v1/entries?dryRun=true', { as: alice, body: unknown }), { status: 400 })
  const large = Array.from({ length: 50 }, () => ({ gloss: 'g'.repeat(4_500) }))
  for (const dry of ['', '?dryRun=true']) {
    const body = { language: 'en', lemma: 'vast', partOfSpeech: 'noun', senses: large }
    t.match(await api('POST', `/v1/entries${dry}`, { as: alice, body }), {
      status: 422,
      json: { errors: [{ code: 'too-large' }] },
    })
  }
  t.match(await api('GET', path, { as: alice, headers: { 'if-match': '"99.x"' } }), { status: 412 })
  t.match(await api('GET', path, { as: alice, headers: { 'if-match': etag } }), { status: 200 })
  t.match(await api('GET', path, { as: alice, headers: { 'if-match': 'bad' } }), { status: 400 })
  t.match((await api('GET', '/v1/roles')).json, { items: [{ name: 'reader' }] })
  t.equal((await api('GET', '/health')).status, 200)
})

t.test('sync tokens', async t => {
  const { sync: opaque } = await published()
  t.notMatch(
    Buffer.from(opaque, 'base64url').toString('latin1'),
    /[0-9a-f]{8}-[0-9a-f]{4}/,
    'nothing can be read in it',
  )
  const { path, sync } = await published()
  t.equal((await api('GET', path, { headers: { 'sync-token': sync } })).status, 200)
  for (const bad of ['x', `${sync}A`, forgedOf(sync), `${sync},${sync}`])
    t.match(await api('GET', path, { headers: { 'sync-token': bad } }), { status: 400, code: 'sync-token-invalid' })
})

t.test('export and problem pages', async t => {
  const { id } = await published({ language: 'is' })
  const all = await api('GET', '/v1/entries/export?language=is')
  t.equal(all.headers.get('content-type'), 'application/x-ndjson')
  const lines = all.text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(lines, [{ id }, { end: true, count: 1 }])
  const rest = await api('GET', `/v1/entries/export?language=is&cursor=${lines.at(-1).cursor}`)
  t.match(JSON.parse(rest.text), { end: true, count: 0 }, 'nothing comes twice')
  for (let n = 0; n < 3; n += 1) t.equal((await api('GET', '/v1/entries/export?language=-', { as: bob })).status, 400)
  t.equal((await api('GET', '/v1/entries/export', { as: bob })).status, 200, 'what was refused holds no place')
  t.match(await api('GET', '/v1/entries/export', { headers: { accept: 'text/html' } }), {
    status: 406,
    code: 'not-acceptable',
  })
  t.match((await api('GET', '/problems/busy')).json, { code: 'busy', status: 503 })
  const page = await fetch(`${app.url}/problems/busy`, { headers: { accept: 'text/html,application/json;q=0.9' } })
  t.match(page.headers.get('content-type'), 'text/html')
  t.match(await page.text(), /<h1>Busy<\/h1>.*503 <code>busy<\/code>/)
  t.equal((await api('GET', '/problems/busy', { headers: { accept: 'image/png' } })).status, 406)
  t.match(await api('GET', '/problems/nope'), { status: 404, code: 'not-found' })
})

t.test('the token of an answer stands for all that was written for it, of several streams too', async t => {
  const { password } = await app.account('admin', 'two@dictionary.example')
  const signedIn = await api('POST', '/v1/sessions', { body: { email: 'two@dictionary.example', password } })
  const token = signedIn.headers.get('sync-token') ?? ''
  t.equal(signedIn.status, 201)
  const { json } = await api('GET', '/v1/events?order=desc&limit=2', { as: auditor, headers: { 'sync-token': token } })
  const items: readonly { type: string; syncToken: string }[] = Array.isArray(json['items']) ? json['items'] : []
  t.same(items.map(({ type }) => type).toSorted(), ['DeviceAdded', 'SessionStarted'])
  t.equal(items[0]?.syncToken, token, 'it is that of the last one')
})

t.test('a body that a route does not take is refused, on each of them, and changes nothing', async t => {
  const { password } = await app.account('admin', 'root@dictionary.example')
  const signedIn = await api('POST', '/v1/sessions', { body: { email: 'root@dictionary.example', password } })
  const as = String(signedIn.json['accessToken'])
  const headers = { 'sync-token': signedIn.headers.get('sync-token') ?? '' }
  const head = async () => {
    const { json } = await api('GET', '/v1/events?order=desc&limit=1', { as: auditor, headers })
    return json['items']
  }
  const before = await head()
  let withoutBody = 0
  for (const [path, operations] of Object.entries(api.document.paths))
    for (const [method, { operationId, requestBody, parameters = [] }] of Object.entries(operations)) {
      if (method === 'get') continue
      const required = parameters.filter(each => each.in === 'query' && Object(each)['required'] === true)
      t.same(required, [], `${operationId} is asked for without a query`)
      if (!requestBody) withoutBody += 1
      const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name) => {
        const { example } = parameters.find(each => each.in === 'path' && each.name === name) ?? {}
        return String(example ?? '00000000-0000-4000-8000-000000000000')
      })
      const headers = {
        'if-match': '*',
        'content-type': method === 'patch' ? 'application/merge-patch+json' : 'application/json',
      }
      const asked = { as, headers }
      const unknown = await api(method.toUpperCase(), filled, { ...asked, body: { surprise: 1 } })
      t.match(unknown, { status: 400, code: 'validation' }, `${operationId}: ${unknown.text.slice(0, 200)}`)
      t.ok(pointers(unknown.json).length > 0, `${operationId} says what is wrong`)
      const list = await api(method.toUpperCase(), filled, { ...asked, body: [] })
      t.match(list, { status: 400, code: 'validation' }, `${operationId}: no list either`)
      const broken = await api(method.toUpperCase(), filled, { ...asked, raw: '{"a":' })
      t.match(broken, { status: 400, code: 'json-invalid' }, operationId)
    }
  t.ok(withoutBody > 10, `${withoutBody} routes take none`)
  t.same(await head(), before, 'nothing was written')
})

t.test('every answer was as the OpenAPI document says', async t => t.same([...new Set(api.faults)], []))
