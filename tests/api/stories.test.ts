/** Stories through the interface: how they begin and end, who writes them, in which lists they are, and what is refused. */
import t from 'tap'
import { areas } from '../../src/app/areas.ts'
import { type Closing, openCore } from '../../src/app/core.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { eraseNow, signIn } from '../support/people.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { toldChapters } from '../support/told-chapters.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder, areas: [...areas, toldChapters] })
const api = await openApi(app.url)
const house = { app, api, folder }
const ada = await signIn(house, 'ada', 'contributor')
const bert = await signIn(house, 'bert', 'contributor')
const mia = await signIn(house, 'mia', 'contributor')
const boss = await signIn(house, 'boss', 'admin')
const NOTHING = '00000000-0000-4000-8000-000000000000'

const { must, read } = openFollowing(api)
const post = (path: string, as: string, body: object = {}) => api('POST', path, { as, body })
const patch = (path: string, as: string, body: object, match = '*') =>
  api('PATCH', path, { as, body, headers: { 'if-match': match } })

let begun = 0
type Begun = { readonly id: string; readonly path: string }
const begin = async (body: object = {}, as = ada.token): Promise<Begun> => {
  begun += 1
  const { json } = must(await post('/v1/stories', as, { language: 'en', title: `Story ${begun}`, ...body }))
  return { id: String(json['id']), path: `/v1/stories/${String(json['id'])}` }
}
const tell = async ({ id }: Begun, told: string, chapter: string, more: object = {}, as = ada.token) =>
  post(`/v1/told/${id}`, as, { told, chapter, ...more })
const withChapter = async (story: Begun, chapter = 'one', words = 100, as = ada.token): Promise<Begun> => {
  must(await tell(story, 'added', chapter, {}, as))
  must(await tell(story, 'shown', chapter, { words }, as))
  return story
}
/** Each a second later than the one before: the clock of the app stands still. */
const published = async (body: object = {}, words = 100): Promise<Begun> => {
  await app.clock.advance(1_000)
  const story = await withChapter(await begin({ visibility: 'public', ...body }), 'one', words)
  must(await post(`${story.path}/publish`, ada.token))
  return story
}
const idsIn = ({ json }: Received): readonly string[] =>
  Array.isArray(json['items']) ? json['items'].map(item => String(Object(item).id)) : []
const pointersOf = ({ json }: Received): readonly string[] =>
  Array.isArray(json['errors']) ? json['errors'].map(error => String(Object(error).pointer)) : []

t.test('a story lives: begun, edited, published, hidden, shown again', async t => {
  const made = must(
    await api('POST', '/v1/stories', {
      as: ada.token,
      headers: { 'idempotency-key': 'once' },
      body: { language: 'EN-gb', title: ' The Lighthouse ', summary: 'Who keeps it?', tags: ['Sea', 'SEA'] },
    }),
  )
  t.equal(made.status, 201)
  const id = String(made.json['id'])
  const path = `/v1/stories/${id}`
  t.equal(made.headers.get('location'), path)
  t.match(made.headers.get('etag'), /^"0\.[\w-]{8}\.[\w-]+"$/)
  t.match(made.json, { language: 'en-GB', title: 'The Lighthouse', tags: ['Sea'], visibility: 'private', drafts: 0 })
  const again = await api('POST', '/v1/stories', {
    as: ada.token,
    headers: { 'idempotency-key': 'once' },
    body: { language: 'EN-gb', title: ' The Lighthouse ', summary: 'Who keeps it?', tags: ['Sea', 'SEA'] },
  })
  t.match(again, { status: 201, json: { id } }, 'the same command sent again finds it')
  t.equal(again.headers.get('idempotent-replayed'), 'true')

  t.equal((await api('PATCH', path, { as: ada.token, body: { title: 'x' } })).status, 428)
  const first = await read(path, ada.token)
  const edited = await patch(path, ada.token, { title: 'The Lamp', summary: null, visibility: 'public' })
  t.match(edited, { status: 200, json: { title: 'The Lamp', visibility: 'public', revision: '2' } })
  t.notOk('summary' in edited.json)
  t.equal((await patch(path, ada.token, { title: 'x' }, first.headers.get('etag') ?? '')).status, 412)
  t.equal((await patch(path, ada.token, { language: 'fr' })).status, 400)
  const dry = await api('POST', `${path}/complete?dryRun=true`, { as: ada.token, body: {} })
  t.match(dry.json, { events: [{ type: 'StoryCompleted' }] })

  for (const as of [undefined, bert.token, boss.token]) t.equal((await read(path, as)).code, 'story-not-found')
  t.equal((await post(`${path}/publish`, ada.token)).code, 'story-incomplete')
  await withChapter({ id, path }, 'one', 321)
  must(await post(`${path}/publish`, ada.token))
  const open = await read(path)
  t.match(open.json, { published: true, chapters: 1, words: 321, authors: [ada.id] })
  for (const hidden of ['drafts', 'invited', 'schedule']) t.notOk(hidden in open.json, hidden)
  t.equal((await api('GET', path, { headers: { 'if-none-match': open.headers.get('etag') ?? '' } })).status, 304)
  t.not((await read(path, ada.token)).headers.get('etag'), open.headers.get('etag'), 'its author is shown more')
  t.match((await post(`${path}/complete`, ada.token)).json, { completed: true })
  t.match((await post(`${path}/reopen`, ada.token)).json, { completed: false })
  must(await post(`${path}/unpublish`, ada.token))
  t.equal((await read(path)).status, 404)
  t.match((await read('/v1/me/stories', ada.token)).json, { items: [{ id, published: false, drafts: 0 }] })
  t.same(idsIn(await read('/v1/me/stories', bert.token)), [])
  t.equal((await read('/v1/me/stories')).status, 401)
})

t.test('what is refused is said, and changes nothing', async t => {
  const story = await begin()
  const before = await read(story.path, ada.token)
  const tags = (count: number) => Array.from({ length: count }, (_, i) => `tag ${i}`)
  const refused: readonly (readonly [body: object, pointer: string])[] = [
    [{ tags: tags(76) }, '/tags'],
    [{ title: 'x'.repeat(256) }, '/title'],
    [{ title: '' }, '/title'],
    [{ title: 'half \ud800' }, ''],
    [{ title: 'a\u202eb' }, '/title'],
    [{ summary: 'x'.repeat(1_251) }, '/summary'],
    [{ tags: ['x'.repeat(151)] }, '/tags/0'],
  ]
  for (const [body, pointer] of refused) {
    const answer = await patch(story.path, ada.token, body)
    t.ok([400, 422].includes(answer.status), answer.text)
    if (pointer !== '') t.same(pointersOf(answer), [pointer], answer.text)
    const begins = await post('/v1/stories', ada.token, { language: 'en', title: 'x', ...body })
    t.ok([400, 422].includes(begins.status), begins.text)
  }
  for (const body of [{ warnings: ['boredom'] }, { rating: 'x' }, { visibility: 'friends' }, { author: bert.id }])
    t.equal((await patch(story.path, ada.token, body)).status, 400, JSON.stringify(body))
  t.equal((await post('/v1/stories', ada.token, { language: 'tlhx', title: 'x' })).code, 'language-unknown')
  t.equal((await post('/v1/stories', await app.token('contributor'), { language: 'en', title: 'x' })).status, 403)
  t.same((await read(story.path, ada.token)).json, before.json)
  t.match(await patch(story.path, ada.token, { tags: tags(75), title: '😀'.repeat(255) }), { status: 200 })
})

t.test('an invitation is asked, and answered', async t => {
  const story = await begin()
  const invite = (accountId: string, as = ada.token) => post(`${story.path}/invitations`, as, { accountId })
  t.equal((await invite(ada.id)).code, 'invitee-unknown')
  t.equal((await invite(NOTHING)).code, 'invitee-unknown')
  t.equal((await invite(bert.id, mia.token)).code, 'story-not-found')
  t.match(must(await invite(bert.id.toUpperCase())).json, { invited: [bert.id] })
  t.equal((await read(story.path, bert.token)).status, 404, 'the invited is no author')
  t.match((await read('/v1/me/invitations', bert.token)).json, { items: [{ storyId: story.id, authors: [ada.id] }] })
  t.same((await read('/v1/me/invitations', mia.token)).json['items'], [])
  t.equal((await tell(story, 'added', 'one', {}, bert.token)).status, 404)
  for (const answer of ['accept', 'decline'])
    t.equal((await post(`${story.path}/invitations/${answer}`, mia.token)).code, 'invitation-not-found')
  t.match(must(await post(`${story.path}/invitations/decline`, bert.token)).json, { id: story.id })
  t.match((await read(story.path, ada.token)).json, { authors: [ada.id], invited: [] })
  t.equal((await post(`${story.path}/invitations/accept`, bert.token)).code, 'invitation-not-found')

  must(await invite(bert.id))
  must(await api('DELETE', `${story.path}/invitations/${bert.id}`, { as: ada.token }))
  t.equal((await post(`${story.path}/invitations/accept`, bert.token)).code, 'invitation-not-found')
  must(await invite(bert.id))
  t.match(must(await post(`${story.path}/invitations/accept`, bert.token)).json, { authors: [ada.id, bert.id] })
  must(await tell(story, 'added', 'one', {}, bert.token))
  t.equal((await api('DELETE', `${story.path}/authors/me`, { as: mia.token })).status, 404)
  must(await api('DELETE', `${story.path}/authors/me`, { as: bert.token }))
  t.equal((await api('DELETE', `${story.path}/authors/me`, { as: ada.token })).code, 'last-author')
  t.equal((await read(story.path, bert.token)).status, 404)
  t.equal((await tell(story, 'added', 'two', {}, bert.token)).status, 404)
})

t.test('that somebody is suspended shows in no invitation; who is erased cannot be asked', async t => {
  const story = await begin()
  const banned = await signIn(house, 'banned', 'contributor')
  const gone = await signIn(house, 'gone', 'contributor')
  must(await post(`/v1/accounts/${banned.id}/suspend`, boss.token, { reason: 'A test.' }))
  await eraseNow(house, gone)
  const ask = (accountId: string) => post(`${story.path}/invitations`, ada.token, { accountId })
  const [free, held] = [await ask(mia.id), await ask(banned.id)]
  t.equal(free.status, 200)
  t.equal(held.status, 200)
  t.same(Object.keys(held.json), Object.keys(free.json))
  t.match(held.json['invited'], [mia.id, banned.id])
  const [erased, never] = [await ask(gone.id), await ask(NOTHING)]
  t.same([erased.status, erased.json['detail']], [never.status, never.json['detail']], 'as one that never was')
})

t.test('who orphans a story is named no more, and the others are as before', async t => {
  const story = await published()
  must(await post(`${story.path}/invitations`, ada.token, { accountId: bert.id }))
  must(await post(`${story.path}/invitations/accept`, bert.token))
  const other = await published()
  must(await post(`${story.path}/orphan`, ada.token))
  t.match((await read(story.path)).json, { authors: [bert.id], formerAuthors: 1 })
  t.notMatch((await read(story.path)).text, ada.id)
  for (const as of [undefined, bert.token, boss.token])
    t.notMatch((await read(`${story.path}/history`, as)).text, ada.id, 'nor in its history')
  t.equal((await patch(story.path, ada.token, { title: 'Mine?' })).status, 403)
  must(await patch(story.path, bert.token, { title: 'Ours.' }))
  t.match((await read(other.path)).json, { authors: [ada.id] })
  must(await post(`${other.path}/orphan`, ada.token))
  t.match((await read(other.path)).json, { authors: [], formerAuthors: 1 })
  t.match((await read(story.path)).json, { authors: [bert.id], formerAuthors: 1 }, 'one of two orphans')
  t.equal((await post(`${(await begin()).path}/orphan`, ada.token)).code, 'story-not-published')
})

t.test('the order of chapters, and the only one that is published', async t => {
  const story = await published()
  must(await tell(story, 'added', 'two'))
  must(await tell(story, 'added', 'three'))
  const order = (chapters: readonly string[], as = ada.token) =>
    api('PUT', `${story.path}/chapters/order`, { as, body: { chapters } })
  t.match(must(await order(['three', 'one', 'two'])).json, { chapters: 1, drafts: 2 })
  for (const [chapters, pointers] of [
    [['one', 'two'], ['/chapters']],
    [['one', 'two', 'three', 'four'], ['/chapters/3']],
    [['one', 'one', 'two', 'three'], ['/chapters/1']],
    [[], ['/chapters', '/chapters', '/chapters']],
  ] as const) {
    const answer = await order(chapters)
    t.same([answer.code, pointersOf(answer)], ['chapter-order-invalid', pointers])
  }
  t.equal((await order(['three', 'one', 'two'], mia.token)).status, 403)
  for (const told of ['hidden', 'withdrawn']) t.equal((await tell(story, told, 'one')).code, 'last-chapter')
  must(await tell(story, 'shown', 'two', { words: 50 }))
  must(await tell(story, 'hidden', 'one', { revision: 2 }))
  t.match((await read(story.path)).json, { chapters: 1, words: 50 }, 'drafts are not counted')
  t.equal((await tell(story, 'shown', 'nine')).code, 'chapter-unknown')
})

t.test('what is for adults is shown to who says so', async t => {
  const { id, path } = await published({ rating: 'explicit', tags: ['adults'] })
  t.equal((await read(path)).code, 'adult-content')
  t.equal((await read(path, mia.token)).code, 'adult-content')
  t.equal((await read(`${path}/history`)).code, 'adult-content')
  t.equal((await read(`${path}?adult=true`)).status, 200)
  t.equal((await read(path, ada.token)).status, 200)
  t.notOk(idsIn(await read('/v1/stories?tag=adults')).includes(id))
  t.notOk(idsIn(await read('/v1/stories?tag=adults', mia.token)).includes(id))
  must(await api('PATCH', '/v1/me/preferences', { as: mia.token, body: { adult: true }, headers: { 'if-match': '*' } }))
  t.equal((await read(path, mia.token)).status, 200)
  t.ok(idsIn(await read('/v1/stories?tag=adults', mia.token)).includes(id))
  must(await api('PATCH', '/v1/me/preferences', { as: mia.token, body: { adult: null }, headers: { 'if-match': '*' } }))
})

t.test('lists: filters, sorts, pages', async t => {
  const tag = 'Filtered'
  const list = async (query: string, as?: string) => idsIn(await read(`/v1/stories?tag=filtered&${query}`, as))
  const short = await published({ title: 'B', tags: [tag, 'ocean'], language: 'es' }, 10)
  const long = await published({ title: 'A', tags: [tag], warnings: ['war', 'death'], rating: 'teen' }, 5_000)
  const members = await published({ title: 'C', tags: [tag], visibility: 'members' }, 700)
  const unlisted = await published({ tags: [tag], visibility: 'unlisted' })
  const closed = await published({ tags: [tag], visibility: 'private' })
  const draft = await begin({ tags: [tag], visibility: 'public' })
  await app.clock.advance(1_000)
  must(await post(`${long.path}/complete`, ada.token))
  const ids = (...stories: readonly Begun[]) => stories.map(({ id }) => id)
  t.same(await list(''), ids(long, short), 'the last changed first')
  t.same(await list('', mia.token), ids(long, members, short))
  t.same(
    await list('', ada.token),
    ids(long, members, short),
    'what is unlisted is in no list, not even for its author',
  )
  for (const { path, id } of [closed, draft]) t.equal((await read(path)).status, 404, id)
  t.equal((await read(unlisted.path)).status, 200, 'but for whoever has its id')
  t.same(await list('sort=title', mia.token), ids(long, short, members))
  t.same(await list('sort=words', mia.token), ids(short, members, long))
  t.same(await list('sort=-words', mia.token), ids(long, members, short))
  t.same(await list('sort=-publishedAt', mia.token), ids(members, long, short))
  t.same(await list('language=es'), ids(short))
  t.same(await list('tag=OCEAN'), ids(short), 'in any case, and all that are named')
  t.same(await list('withoutTag=Ocean'), ids(long))
  t.same(await list('rating=teen,mature'), ids(long))
  t.same(await list('warning=war'), ids(long))
  t.same(await list('withoutWarning=war,gore'), ids(short))
  t.same(await list(`author=${ada.id}`), ids(long, short))
  t.same(await list(`author=${bert.id}`), [])
  t.same(await list('completed=true'), ids(long))
  t.same(await list('completed=false'), ids(short))
  t.same(await list('minWords=10&maxWords=700', mia.token), ids(members, short))
  t.same(await list('minWords=11', mia.token), ids(long, members))
  const { updatedAt } = (await read(long.path)).json
  t.same(await list(`updatedSince=${String(updatedAt)}`), ids(long))
  for (const bad of ['sort=best', 'rating=x', 'minWords=-1', 'updatedSince=yesterday', 'author=x', 'nope=1'])
    t.equal((await read(`/v1/stories?${bad}`)).status, 400, bad)

  const seen: string[] = []
  let cursor: unknown = ''
  do {
    const more = cursor === '' ? '' : `&cursor=${String(cursor)}`
    const page = await read(`/v1/stories?tag=filtered&withoutTag=nothing&limit=1${more}`, mia.token)
    seen.push(...idsIn(page))
    cursor = page.json['next']
  } while (cursor !== null)
  t.same(seen, ids(long, members, short), 'page by page, each once')

  await api('PATCH', '/v1/me/preferences', {
    as: ada.token,
    body: { privacy: { activity: 'nobody' } },
    headers: { 'if-match': '*' },
  })
  t.same(await list(`author=${ada.id}`), [], 'who hides what they contributed to is found by nobody')
  await api('PATCH', '/v1/me/preferences', { as: ada.token, body: { privacy: null }, headers: { 'if-match': '*' } })

  must(await patch(short.path, ada.token, { tags: ['renamed'] }))
  t.same(await list(''), ids(long), 'a tag that it had is nowhere any more')
  t.same(idsIn(await read('/v1/stories?tag=ocean')), [])
})

t.test('tags are counted as far as everybody may see', async t => {
  const language = 'eo'
  const counts = async (query = '') => {
    await app.pass(61_000)
    const { json } = await read(`/v1/tags?language=${language}${query}`)
    return Array.isArray(json['items']) ? json['items'].map(item => `${Object(item).tag} ${Object(item).stories}`) : []
  }
  const one = await published({ language, tags: ['Ŝipo', 'maro'] })
  await published({ language, tags: ['MARO', 'marbordo'] })
  for (const visibility of ['private', 'unlisted', 'members'])
    await published({ language, visibility, tags: ['secret'] })
  await published({ language, rating: 'mature', tags: ['secret'] })
  await begin({ language, visibility: 'public', tags: ['secret'] })
  t.same(await counts(), ['maro 2', 'marbordo 1', 'ŝipo 1'])
  t.same(await counts('&q=Mar'), ['maro 2', 'marbordo 1'])
  const first = await read(`/v1/tags?language=${language}&limit=2`)
  const second = await read(`/v1/tags?language=${language}&limit=2&cursor=${String(first.json['next'])}`)
  t.match(second.json, { items: [{ tag: 'ŝipo', stories: 1 }], next: null })
  t.match((await read('/v1/tags?q=maro')).json, { items: [{ tag: 'maro', stories: 2 }] }, 'of all languages')
  must(await post(`${one.path}/unpublish`, ada.token))
  t.same(await counts(), ['marbordo 1', 'maro 1'])
})

t.test('a series has what its reader is shown of it', async t => {
  const open = await published({ title: 'Open' })
  const closed = await published({ title: 'Members', visibility: 'members' })
  const draft = await begin({ title: 'Draft' })
  const made = must(await post('/v1/series', ada.token, { title: 'Lights', summary: 'Of light.' }))
  t.equal(made.status, 201)
  const path = `/v1/series/${String(made.json['id'])}`
  const order = (stories: readonly string[], as = ada.token) => api('PUT', `${path}/order`, { as, body: { stories } })
  t.equal((await read(path)).code, 'series-not-found', 'one of which nothing is shown is not there')
  t.match(must(await order([draft.id])).json, { stories: [draft.id] })
  t.equal((await read(path)).code, 'series-not-found')
  t.equal((await read(path, mia.token)).code, 'series-not-found')
  must(await order([draft.id, closed.id, open.id]))
  t.same((await read(path)).json['stories'], [open.id])
  t.same((await read(path, mia.token)).json['stories'], [closed.id, open.id])
  t.same((await read(path, ada.token)).json['stories'], [draft.id, closed.id, open.id])
  t.notMatch((await read(path)).text, closed.id)
  t.same(idsIn(await read(`/v1/stories?series=${String(made.json['id'])}`)), [open.id])
  const series = `/v1/stories?series=${String(made.json['id'])}&limit=1`
  const first = await read(series, mia.token)
  t.same(idsIn(first), [closed.id])
  t.same(idsIn(await read(`${series}&cursor=${String(first.json['next'])}`, mia.token)), [open.id])
  t.same(idsIn(await read(`/v1/stories?series=${NOTHING}`)), [])
  t.equal((await order([open.id], bert.token)).code, 'series-not-found')
  t.same(pointersOf(await order([open.id, open.id])), ['/stories/1'])
  t.equal((await order([NOTHING])).code, 'series-order-invalid')
  const foreign = await begin({}, bert.token)
  t.same(pointersOf(await order([open.id, foreign.id])), ['/stories/1'])
  t.match(must(await patch(path, ada.token, { summary: null })).json, { title: 'Lights' })
  t.equal((await patch(path, mia.token, { title: 'x' })).code, 'series-not-found')
  t.equal((await post('/v1/series', ada.token, { title: ' ' })).code, 'text-invalid')
  must(await api('DELETE', path, { as: ada.token }))
  t.equal((await read(path, ada.token)).status, 404)
  t.equal((await read(open.path)).status, 200, 'its stories stay')
})

t.test('the history tells readers what they could see, and its authors all', async t => {
  const story = await published({ title: 'First' })
  must(await post(`${story.path}/invitations`, ada.token, { accountId: bert.id }))
  must(await patch(story.path, ada.token, { title: 'Second' }))
  must(await patch(story.path, ada.token, { visibility: 'unlisted' }))
  must(await patch(story.path, ada.token, { title: 'Third' }))
  must(await patch(story.path, ada.token, { visibility: 'public' }))
  const typesIn = ({ json }: Received) =>
    Array.isArray(json['items']) ? json['items'].map(item => String(Object(item).type)) : []
  const open = await read(`${story.path}/history`)
  t.same(typesIn(open), ['StoryEdited', 'StoryPublished'])
  t.match(open.json, { items: [{ changes: { title: 'Second' } }, {}] })
  const whole = await read(`${story.path}/history?limit=100`, ada.token)
  t.same(typesIn(whole).toReversed(), [
    'StoryBegun',
    'ChapterAdded',
    'ChapterShown',
    'StoryPublished',
    'AuthorInvited',
    'StoryEdited',
    'StoryVisibilityChanged',
    'StoryEdited',
    'StoryVisibilityChanged',
  ])
  const first = await read(`${story.path}/history?limit=4`, ada.token)
  const rest = await read(`${story.path}/history?limit=100&cursor=${String(first.json['next'])}`, ada.token)
  t.same([...typesIn(first), ...typesIn(rest)], typesIn(whole))
  t.equal(rest.json['next'], null)
  t.equal((await read(`/v1/stories/${NOTHING}/history`)).code, 'story-not-found')
  t.equal((await read(`${(await begin()).path}/history`)).code, 'story-not-found')
})

t.test('a plan is for a time to come that a clock will show', async t => {
  const story = await withChapter(await begin({ visibility: 'public' }))
  const plan = (at: string, timeZone = 'Europe/Madrid', as = ada.token) =>
    post(`${story.path}/schedule`, as, { at, timeZone })
  for (const [at, zone, pointer] of [
    ['2020-01-01T10:00', 'Europe/Madrid', '/at'],
    ['2027-03-28T02:30', 'Europe/Madrid', '/at'],
    ['2027-02-30T02:30', 'Europe/Madrid', '/at'],
    ['2027-03-28T12:00', 'Mars/Olympus', '/timeZone'],
  ] as const) {
    const answer = await plan(at, zone)
    t.same([answer.code, pointersOf(answer)], ['schedule-invalid', [pointer]], `${at} ${zone}`)
  }
  for (const at of ['2027-03-28', '2027-03-28T12:00Z', 'tomorrow']) t.equal((await plan(at)).status, 400, at)
  t.equal((await plan('2127-03-28T12:00', 'UTC', mia.token)).status, 404)
  t.match(must(await plan('2127-07-01T12:00')).json, { schedule: { due: '2127-07-01T10:00:00.000Z' } })
  t.notOk('schedule' in must(await api('DELETE', `${story.path}/schedule`, { as: ada.token })).json)
  t.equal(
    (await post(`${(await begin()).path}/schedule`, ada.token, { at: '2127-07-01T12:00', timeZone: 'UTC' })).code,
    'story-incomplete',
  )
  const open = await published()
  t.equal(
    (await post(`${open.path}/schedule`, ada.token, { at: '2127-07-01T12:00', timeZone: 'UTC' })).code,
    'story-published',
  )
})

/** What the log gives back of a stream: the texts of its events, and of how many the key is destroyed. */
const logged = async (stream: string) => {
  const opened: Closing[] = []
  const core = await openCore({ config: loadConfig(environmentFor(folder), folder), clock: app.clock, areas, opened })
  try {
    const events: Recorded[] = []
    for await (const page of core.log.readStream(stream)) events.push(...page)
    return { text: JSON.stringify(events.map(({ data }) => data)), removed: events.filter(each => each.removed).length }
  } finally {
    for (const each of opened.toReversed()) await each.close()
  }
}

t.test('the keys of what is deleted are destroyed, of a story and of a series', async t => {
  const story = await published({ title: 'Unrepeatable', tags: ['indelible'] })
  const kept = await published({ title: 'Kept' })
  const { json } = must(await post('/v1/series', ada.token, { title: 'Unrepeated' }))
  const streams = [`story-${story.id}`, `series-${String(json['id'])}`] as const
  t.match((await logged(streams[0])).text, 'Unrepeatable')
  must(await api('DELETE', story.path, { as: ada.token }))
  must(await api('DELETE', `/v1/series/${String(json['id'])}`, { as: ada.token }))
  for (const stream of streams) {
    const left = await inTime(app, 'the end of the keys', async saw => {
      const found = await logged(stream)
      saw(found)
      return found.removed > 0 && found
    })
    t.notMatch(left.text, /Unrepeat|indelible/)
  }
  t.match((await logged(`story-${kept.id}`)).text, 'Kept', 'and no others')
})

t.test('what is deleted is as what never was', async t => {
  const story = await published({ tags: ['doomed'] })
  t.equal((await api('DELETE', story.path, { as: bert.token })).status, 403)
  t.equal((await api('DELETE', (await begin()).path, { as: bert.token })).status, 404)
  t.match(must(await api('DELETE', story.path, { as: ada.token })).json, { id: story.id, removed: true })
  const [gone, never] = [await read(story.path, ada.token), await read(`/v1/stories/${NOTHING}`, ada.token)]
  t.same([gone.status, gone.json['detail']], [never.status, never.json['detail']])
  t.equal((await read(`${story.path}/history`, ada.token)).status, 404)
  t.equal((await patch(story.path, ada.token, { title: 'x' })).status, 404)
  t.same(idsIn(await read('/v1/stories?tag=doomed')), [])
})

// Sessions end as time goes on, so this comes last.
t.test('a story is published at the time that was planned last', async t => {
  const story = await withChapter(await begin({ visibility: 'public' }))
  const taken = await withChapter(await begin({ visibility: 'public' }))
  const inAnHour = (hours: number) => new Date(app.clock.now().getTime() + hours * 3_600_000).toISOString().slice(0, 19)
  const plan = async ({ path }: Begun, hours: number) =>
    must(await post(`${path}/schedule`, ada.token, { at: inAnHour(hours), timeZone: 'UTC' }))
  await plan(story, 1)
  await plan(taken, 1)
  await plan(story, 2)
  must(await api('DELETE', `${taken.path}/schedule`, { as: ada.token }))
  await app.pass(3_660_000)
  t.equal((await read(story.path)).status, 404, 'not at the first time')
  await app.pass(3_660_000)
  const open = await inTime(app, 'the publication', async saw => {
    const answer = await api('GET', story.path)
    saw(answer.text)
    return answer.status === 200 && answer
  })
  t.match(open.json, { published: true, chapters: 1 })
  t.match((await read(`${story.path}/history`)).json, {
    items: [{ type: 'StoryPublished', actor: { kind: 'system' } }],
  })
  t.equal((await api('GET', taken.path)).status, 404, 'what was taken back is not published')
})

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
