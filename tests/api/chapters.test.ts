/** Chapters through the interface: drafts, publication, history, differences, restoring, purging, and what is refused. */
import t from 'tap'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const ada = await signIn(house, 'ada', 'contributor')
const boss = await signIn(house, 'boss', 'admin')
const bert = await signIn(house, 'bert', 'contributor')
const NOTHING = '00000000-0000-4000-8000-000000000000'

const { must, read } = openFollowing(api)
const post = (path: string, body: object = {}, as = ada.token) => api('POST', path, { as, body })
const remove = (path: string, as = ada.token) => api('DELETE', path, { as })
const itemsOf = ({ json }: Received): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(json['items']) ? json['items'] : []

const story = async (body: object = {}): Promise<string> =>
  `/v1/stories/${String(must(await post('/v1/stories', { language: 'en', title: 'The Sea', visibility: 'public', ...body })).json['id'])}`
const chapter = async (of: string, title = 'One'): Promise<string> =>
  `${of}/chapters/${String(must(await post(`${of}/chapters`, { title })).json['id'])}`
/** Saves on the draft as it stands; a minute later as often again. */
const save = async (path: string, text: string, more: object = {}, match = '*') =>
  api('PUT', `${path}/draft`, { as: ada.token, body: { title: 'One', text, ...more }, headers: { 'if-match': match } })
const published = async (text = 'Once upon a time.', body: object = {}) => {
  const of = await story(body)
  const path = await chapter(of)
  must(await save(path, text))
  must(await post(`${path}/publish`))
  must(await post(`${of}/publish`))
  return { of, path }
}

t.test('a chapter lives: begun, saved, published, edited, unpublished, deleted', async t => {
  const of = await story()
  const made = await api('POST', `${of}/chapters`, {
    as: ada.token,
    body: { title: ' The Storm ' },
    headers: { 'idempotency-key': 'one' },
  })
  t.equal(made.status, 201)
  const path = `${of}/chapters/${String(made.json['id'])}`
  t.equal(made.headers.get('location'), path)
  t.match(made.json, { title: 'The Storm', words: 0, published: false, changed: true, revision: '0', savedBy: ada.id })
  const again = await api('POST', `${of}/chapters`, {
    as: ada.token,
    body: { title: ' The Storm ' },
    headers: { 'idempotency-key': 'one' },
  })
  t.equal(again.json['id'], made.json['id'])
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  must(again)
  t.equal(itemsOf(await read(`${of}/chapters`, ada.token)).length, 1, 'a repeat adds no second one')

  const text = 'The sea was *calm*.\n\n![a ship](https://e.example/ship.png)\n'
  t.equal((await api('PUT', `${path}/draft`, { as: ada.token, body: { title: 'x', text } })).status, 428)
  const first = await save(path, text, { title: 'The Storm', note: 'For B.' }, made.headers.get('etag') ?? '')
  t.match(must(first), { status: 200, json: { words: 11, characters: text.length, note: 'For B.', revision: '1' } })
  t.notOk('text' in first.json)
  t.equal((await save(path, text, {}, made.headers.get('etag') ?? '')).code, 'revision-stale')
  const draft = await read(`${path}/draft`, ada.token)
  t.match(draft.json, { title: 'The Storm', text, note: 'For B.', readingMinutes: 1 })
  t.equal(draft.headers.get('etag'), first.headers.get('etag'))
  t.equal((await read(path, ada.token)).code, 'chapter-not-found', 'readers do not have it yet')
  t.equal((await read(path)).code, 'story-not-found')

  const dry = await post(`${path}/publish?dryRun=true`)
  t.match(dry.json, { events: [{ type: 'ChapterPublished' }] })
  t.match(must(await post(`${path}/publish`)).json, { published: true, changed: false })
  must(await post(`${of}/publish`))
  const open = await read(path)
  t.match(open.json, {
    title: 'The Storm',
    text,
    note: 'For B.',
    words: 11,
    readingMinutes: 1,
    previous: null,
    next: null,
  })
  t.equal(
    open.json['html'],
    '<p>The sea was <em>calm</em>.</p>\n<p><a href="https://e.example/ship.png" data-image="image" rel="nofollow ugc noopener noreferrer">a ship</a></p>\n',
  )
  const images = await read(`${path}?images=true`)
  t.match(
    images.json['html'],
    '<img src="https://e.example/ship.png" alt="a ship" loading="lazy" referrerpolicy="no-referrer" />',
  )
  t.not(images.headers.get('etag'), open.headers.get('etag'))
  t.equal((await api('GET', path, { headers: { 'if-none-match': open.headers.get('etag') ?? '' } })).status, 304)
  t.match((await read(of)).json, { chapters: 1, words: 11 })

  must(await save(path, 'The sea was wild.'))
  t.match((await read(path)).json, { text }, 'what is saved as a draft moves nothing that readers have')
  t.match((await read(`${path}/draft`, ada.token)).json, { changed: true, published: true })
  must(await post(`${path}/publish`))
  t.match((await read(path)).json, { text: 'The sea was wild.', words: 4 })
  t.match((await read(of)).json, { words: 4 })

  t.equal((await post(`${path}/unpublish`)).code, 'last-chapter')
  t.equal((await remove(path)).code, 'last-chapter')
  const second = await chapter(of, 'Two')
  must(await save(second, 'The next morning.', { title: 'Two' }))
  must(await post(`${second}/publish`))
  t.match((await read(path)).json, { next: second.split('/').at(-1) })
  t.match((await read(second)).json, { previous: path.split('/').at(-1), next: null })
  must(await post(`${path}/unpublish`))
  t.equal((await read(path)).code, 'chapter-not-found')
  t.match((await read(of)).json, { chapters: 1, words: 3 })
  t.strictSame(
    itemsOf(await read(`${of}/chapters`)).map(({ title }) => title),
    ['Two'],
  )
  t.strictSame(
    itemsOf(await read(`${of}/chapters`, ada.token)).map(({ title, published: is }) => [title, is]),
    [
      ['One', false],
      ['Two', true],
    ],
  )
  must(await post(`${path}/publish`))
  t.match((await read(path)).json, { text: 'The sea was wild.' })
  t.match(must(await remove(path)).json, { removed: true })
  t.equal((await read(`${path}/draft`, ada.token)).code, 'chapter-not-found')
  t.equal((await read(path)).code, 'chapter-not-found')
  t.equal(must(await remove(path)).status, 200, 'repeated it is gone already')
})

t.test('to whom a chapter is not theirs, it is not', async t => {
  const of = await story({ visibility: 'private' })
  const path = await chapter(of)
  const ways = [
    ['GET', `${path}`],
    ['GET', `${path}/draft`],
    ['GET', `${path}/history`],
    ['GET', `${path}/history/0`],
    ['GET', `${path}/differences?from=0&to=0`],
    ['POST', `${path}/publish`],
    ['POST', `${path}/unpublish`],
    ['POST', `${path}/restore`],
    ['PUT', `${path}/draft`],
    ['DELETE', `${path}/history`],
    ['DELETE', path],
    ['POST', `${of}/chapters`],
  ] as const
  const ask = (method: (typeof ways)[number][0], at: string, as: string) =>
    api(method, at, {
      as,
      headers: { 'if-match': '*' },
      ...(method === 'PUT'
        ? { body: { title: 'x', text: 'x' } }
        : method === 'POST'
          ? { body: at.endsWith('restore') ? { revision: '0' } : at.endsWith('chapters') ? { title: 'x' } : {} }
          : {}),
    })
  for (const [method, at] of ways)
    t.equal((await ask(method, at, bert.token)).code, 'story-not-found', `${method} ${at}`)
  must(await save(path, 'Once upon a time.'))
  must(await post(`${path}/publish`))
  must(await post(`${of}/publish`))
  must(await api('PATCH', of, { as: ada.token, body: { visibility: 'public' }, headers: { 'if-match': '*' } }))
  for (const [method, at] of ways.slice(1))
    t.equal((await ask(method, at, bert.token)).code, 'permission-denied', `${method} ${at}`)
  const other = await story()
  const astray = path.replace(of, other)
  for (const [method, at] of ways.slice(0, -1))
    t.equal((await ask(method, at.replace(of, other), ada.token)).code, 'chapter-not-found', `${method} ${at}`)
  t.equal((await read(astray)).code, 'story-not-found')
  t.equal((await read(`${of}/chapters/${NOTHING}`)).code, 'chapter-not-found')
  t.equal(
    (
      await read(
        `${of.toUpperCase().replace('/V1/STORIES', '/v1/stories')}/chapters/${(path.split('/').at(-1) ?? '').toUpperCase()}`,
      )
    ).status,
    200,
  )
})

t.test('the history tells every revision, what each said, and what differs', async t => {
  const of = await story()
  const path = await chapter(of)
  const lines = Array.from({ length: 200 }, (_, i) => `Paragraph ${i} says what it says.\n\n`)
  must(await save(path, lines.join('')))
  must(await post(`${path}/publish`))
  must(await save(path, lines.with(100, 'Paragraph 100 says no more.\n\n').join(''), { title: 'Two', note: 'So.' }))
  const history = await read(`${path}/history`, ada.token)
  t.strictSame(
    itemsOf(history).map(({ revision, kind, by }) => [revision, kind, by]),
    [
      ['3', 'saved', ada.id],
      ['2', 'published', ada.id],
      ['1', 'saved', ada.id],
      ['0', 'begun', ada.id],
    ],
  )
  const page = await read(`${path}/history?limit=3`, ada.token)
  t.equal(itemsOf(page).length, 3)
  const rest = await read(`${path}/history?limit=3&cursor=${String(page.json['next'])}`, ada.token)
  t.strictSame(
    itemsOf(rest).map(({ kind }) => kind),
    ['begun'],
  )
  t.equal(rest.json['next'], null)

  t.match((await read(`${path}/history/1`, ada.token)).json, { title: 'One', text: lines.join(''), kind: 'saved' })
  t.match((await read(`${path}/history/2`, ada.token)).json, { title: 'One', text: lines.join('') })
  t.match((await read(`${path}/history/0`, ada.token)).json, { title: 'One', text: '' })
  t.match((await read(`${path}/history/3`, ada.token)).json, { title: 'Two', note: 'So.' })
  t.equal((await read(`${path}/history/4`, ada.token)).code, 'chapter-revision-unknown')
  const passages = (await read(`${path}/differences?from=1&to=3`, ada.token)).json['passages']
  t.strictSame(
    Array.isArray(passages) && passages.filter(({ kind }) => kind !== 'same').map(({ kind, text }) => [kind, text]),
    [
      ['removed', 'what'],
      ['added', 'no'],
      ['removed', 'it says'],
      ['added', 'more'],
    ],
  )
  t.ok(JSON.stringify(passages).length < 2_000, 'what is the same is cut')
  t.equal((await read(`${path}/differences?from=1&to=9`, ada.token)).code, 'chapter-revision-unknown')
  t.equal((await read(`${path}/differences?from=1`, ada.token)).status, 400)

  t.match(must(await post(`${path}/restore`, { revision: '1' })).json, { title: 'One', changed: false })
  const restored = await read(`${path}/draft`, ada.token)
  t.match(restored.json, { text: lines.join('') })
  t.notOk('note' in restored.json)
  t.equal(itemsOf(await read(`${path}/history?limit=1`, ada.token))[0]?.['kind'], 'restored')
  t.equal((await post(`${path}/restore`, { revision: '99' })).code, 'chapter-revision-unknown')
})

t.test('a draft is saved six times a minute', async t => {
  const path = await chapter(await story())
  for (let i = 0; i < 6; i += 1) must(await save(path, `Save ${i}.`))
  const refused = await save(path, 'One more.')
  t.match(refused, { status: 429, code: 'saves-too-many' })
  const seconds = Number(refused.headers.get('retry-after'))
  t.ok(seconds >= 59 && seconds <= 61, String(seconds))
  t.match((await read(`${path}/draft`, ada.token)).json, { text: 'Save 5.' })
  await app.pass(seconds * 1_000)
  must(await save(path, 'One more.'))
})

/** What the log still has of a chapter's text, as an administrator reads it: of each event whether it was removed. */
const removedOf = async (path: string) => {
  const { json } = await api('GET', `/v1/streams/chapter-${String(path.split('/').at(-1))}?limit=100`, {
    as: boss.token,
  })
  const items = Array.isArray(json['items']) ? json['items'] : []
  return items.map(item => {
    const { type, data } = Object(item)
    const words = Object.keys(Object(data)).filter(name => ['title', 'note', 'change', 'part', 'draft'].includes(name))
    return [String(type), words.length === 0] as const
  })
}
const untilRemoved = (path: string, last: number) =>
  until('the keys are destroyed', async saw => {
    const found = await removedOf(path)
    saw(found)
    const sealed = found.filter(([type]) => type !== 'ChapterUnpublished' && type !== 'ChapterDeleted')
    return sealed.length > last && sealed.slice(0, -last || undefined).every(([, removed]) => removed)
      ? found
      : undefined
  })

t.test('a purge leaves what stands and nothing that was', async t => {
  const { of, path } = await published('A secret that was published.')
  must(await save(path, 'What stands as a draft.'))
  must(await post(`${path}/publish`))
  must(await save(path, 'Another draft, not published.'))
  t.match(must(await remove(`${path}/history`)).json, { published: true, changed: true })
  t.strictSame(
    itemsOf(await read(`${path}/history`, ada.token)).map(({ kind }) => kind),
    ['purged'],
  )
  t.strictSame((await untilRemoved(path, 1)).at(-1), ['HistoryPurged', false], 'what stands has a key of its own')
  t.equal((await read(`${path}/history/1`, ada.token)).code, 'chapter-revision-unknown')
  t.match((await read(`${path}/draft`, ada.token)).json, { text: 'Another draft, not published.', title: 'One' })
  t.match((await read(path)).json, { text: 'What stands as a draft.', title: 'One' })
  must(await save(path, 'A draft after it.'))
  t.match((await read(`${path}/draft`, ada.token)).json, { text: 'A draft after it.' })
  must(await post(`${path}/publish`))
  t.match((await read(path)).json, { text: 'A draft after it.' })
  t.strictSame(
    itemsOf(await read(`${of}/chapters`)).map(({ title }) => title),
    ['One'],
  )
})

t.test('bad input is refused, and changes nothing', async t => {
  const path = await chapter(await story())
  must(await save(path, 'As it was.'))
  const refused: readonly (readonly [body: object, status: number, code: string])[] = [
    [{ text: '> '.repeat(10_000) }, 422, 'markup-too-deep'],
    [{ text: '['.repeat(10_000) }, 422, 'markup-too-deep'],
    [{ text: 'half \ud800' }, 422, 'text-invalid'],
    [{ text: 'a\u0000b' }, 422, 'text-invalid'],
    [{ text: '\u{20000}'.repeat(510_001) }, 422, 'text-invalid'],
    [{ text: 'x', title: '' }, 422, 'text-invalid'],
    [{ text: 'x', title: 'x'.repeat(256) }, 422, 'text-invalid'],
    [{ text: 'x', note: 'x'.repeat(5_001) }, 422, 'text-invalid'],
    [{ text: 5 }, 400, 'validation'],
    [{ text: 'x', html: '<b>' }, 400, 'validation'],
    [{ text: 'x'.repeat(2_200_000) }, 413, 'payload-too-large'],
  ]
  for (const [body, status, code] of refused)
    t.match(
      await api('PUT', `${path}/draft`, { as: ada.token, body: { title: 'x', ...body }, headers: { 'if-match': '*' } }),
      { status, code },
    )
  t.match((await read(`${path}/draft`, ada.token)).json, { text: 'As it was.', title: 'One', revision: '1' })
  const long = await post(`${path}/publish`, { note: 'x'.repeat(1_100_000) })
  t.match(long, { status: 413, code: 'payload-too-large' }, 'the other routes take what they took')
  must(await save(path, 'Too short'))
  t.equal((await post(`${path}/publish`)).code, 'chapter-too-short')
})

t.test('a text of every length is kept, shown and found again', async t => {
  const { path } = await published()
  await app.pass(61_000)
  let drawn = 7
  const random = Array.from({ length: 510_000 }, () => {
    drawn = (drawn * 1_103_515_245 + 12_345) % 2_147_483_648
    return String.fromCodePoint(0x20000 + ((drawn >> 8) % 42_000))
  }).join('')
  const saved = must(await save(path, random))
  t.match(saved.json, { characters: 510_000, words: 510_000 })
  t.ok((await read(`${path}/draft`, ada.token)).json['text'] === random)
  must(await post(`${path}/publish`))
  t.ok((await read(path)).json['text'] === random)
  must(await save(path, `${random.slice(0, -2)}.`))
  t.match(must(await remove(`${path}/history`)).json, { published: true, changed: true })
  t.ok((await read(`${path}/draft`, ada.token)).json['text'] === `${random.slice(0, -2)}.`)
  t.ok((await read(path)).json['text'] === random)
  t.match(must(await save(path, 'Short again.')).json, { characters: 12 })
})

t.test('what its story no longer has is deleted, with its keys', async () => {
  const { of, path } = await published()
  const second = await chapter(of, 'Two')
  must(await save(second, 'A secret.'))
  must(await remove(second))
  await untilRemoved(second, 0)
  must(await remove(of))
  await untilRemoved(path, 0)
  await until('the chapter is gone', async saw => {
    const { code } = await read(`${path}/draft`, ada.token)
    saw(code)
    return code === 'story-not-found' || code === 'chapter-not-found'
  })
})
