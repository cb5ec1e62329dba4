/** Shelves and reading lists through the socket: one's own alone, each once, and nothing of what one may no longer see. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { editStory, unpublishStory } from '../../src/domain/story/decisions.ts'
import { askUntil, openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { eraseNow, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { openStoryWriter } from '../support/stories.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const [ada, ben, cora] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'ben', 'contributor'),
  await signIn(house, 'cora', 'contributor'),
]
const service = await app.token('reader')
const stories = await openStoryWriter(t, house)
const nothing = '00000000-0000-4000-8000-000000000000'

let sync = ''
/** Reads what was written before. */
const ask = async (method: string, path: string, { token: as }: Person, body?: unknown, more = {}) => {
  // Each is later than the one before.
  await app.clock.advance(5)
  const headers = { ...defined({ 'sync-token': sync ? sync : undefined }), ...more }
  const answer = await api(method, path, { as, ...defined({ body }), headers })
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []

t.test('a bookmark is made once, read by its owner, and taken away', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Lighthouse' })
  const path = `/v1/me/bookmarks/${id}`
  const made = await ask('PUT', path, ben, { note: 'again' })
  t.match(made, { status: 200, json: { storyId: id, isPrivate: true, note: 'again' } })
  const again = await ask('PUT', path.toUpperCase().replace('/V1/ME/BOOKMARKS', '/v1/me/bookmarks'), ben, {
    note: 'again',
  })
  t.equal(again.headers.get('sync-token'), made.headers.get('sync-token'), 'nothing is written')
  const [kept, ...more] = items(await ask('GET', '/v1/me/bookmarks', ben))
  t.match(kept, { storyId: id, note: 'again', story: { title: 'Lighthouse', authors: [ada.id], words: 100 } })
  t.same(more, [])
  t.same(items(await ask('GET', '/v1/me/bookmarks', cora)), [], 'nobody else’s')
  t.match(await ask('DELETE', path, ben), { status: 204 })
  t.match(await ask('DELETE', path, ben), { status: 204 })
  t.same(items(await ask('GET', '/v1/me/bookmarks', ben)), [])
  t.match(await ask('PUT', `/v1/me/bookmarks/${nothing}`, ben, {}), { status: 404, code: 'story-not-found' })
  t.match(await ask('PUT', path, ben, { note: 'bell \u0007' }), {
    status: 422,
    code: 'text-invalid',
    json: { errors: [{ pointer: '/note' }] },
  })
  t.match(await api('PUT', path, { as: service, body: {} }), { status: 403, code: 'not-an-account' })
  t.match(await api('GET', '/v1/me/bookmarks', { as: service }), { status: 403 })
  t.match(await api('PUT', path, { body: {} }), { status: 401 })
  const dry = await ask('PUT', `${path}?dryRun=true`, ben, {})
  t.match(dry.json, { events: [{ type: 'Bookmarked', data: { story: id } }] })
  t.same(items(await ask('GET', '/v1/me/bookmarks', ben)), [])
  const keyed = { 'idempotency-key': 'once' }
  const first = await ask('PUT', path, ben, {}, keyed)
  const repeated = await ask('PUT', path, ben, {}, keyed)
  t.same(repeated.json, first.json)
  t.equal(repeated.headers.get('idempotent-replayed'), 'true')
  t.match(await ask('PUT', path, ben, { note: 'x' }, keyed), { status: 422, code: 'idempotency-key-reused' })
})

t.test('public bookmarks stand under the story, and their number is of those that show', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Harbour' })
  for (const [who, isPrivate] of [
    [ada, false],
    [ben, true],
    [cora, false],
  ] as const)
    await ask('PUT', `/v1/me/bookmarks/${id}`, who, { isPrivate })
  const path = `/v1/stories/${id}/bookmarks`
  const shown = await api('GET', path, { headers: { 'sync-token': sync } })
  t.match(shown.json, { total: 2, totalRelation: 'eq' })
  t.same(
    items(shown).map(({ accountId }) => accountId),
    [cora.id, ada.id],
    'newest first, and none that is private',
  )
  const first = await api('GET', `${path}?limit=1`)
  const rest = await api('GET', `${path}?limit=1&cursor=${first.json['next']}`)
  t.same(
    [...items(first), ...items(rest)].map(({ accountId }) => accountId),
    [cora.id, ada.id],
  )
  const { headers } = await ask('GET', '/v1/me/preferences', cora)
  const hidden = await ask(
    'PATCH',
    '/v1/me/preferences',
    cora,
    { privacy: { activity: 'nobody' } },
    { 'if-match': headers.get('etag') ?? '' },
  )
  t.equal(hidden.status, 200)
  const fewer = await askUntil(
    'the choice of one who hides what they do',
    () => api('GET', path),
    ({ json }) => json['total'] === 1,
  )
  t.same(
    items(fewer).map(({ accountId }) => accountId),
    [ada.id],
    'who hides what they do is not counted either',
  )
  await stories.act(id, ada.id, unpublishStory)
  t.match(await api('GET', path), { status: 404, code: 'story-not-found' })
})

t.test('of what may no longer be seen nothing is told but its id', async t => {
  const title = 'Unspeakable'
  const { id, chapters } = await stories.publish(ada.id, { title, tags: ['Ghosts'] })
  const series = await stories.series(ada.id, [id])
  await ask('PUT', `/v1/me/bookmarks/${id}`, ben, {})
  await ask('PUT', `/v1/me/progress/${id}`, ben, { chapterId: chapters[0], fraction: 0.5 })
  await ask('PUT', `/v1/me/subscriptions/story/${id}`, ben)
  const begun = await ask('POST', '/v1/me/lists', ben, { title: 'Mine', isPrivate: false })
  const list = String(begun.json['id'])
  const ordered = await ask('PUT', `/v1/me/lists/${list}/stories`, ben, { stories: [id] }, { 'if-match': '*' })
  t.match(ordered, { status: 200, json: { count: 1 } })
  const everywhere = ['/v1/me/bookmarks', '/v1/me/progress', '/v1/me/subscriptions', `/v1/lists/${list}`]
  for (const path of everywhere) t.match((await ask('GET', path, ben)).text, title, path)
  for (const visibility of ['private', 'members', 'unlisted', 'public'] as const) {
    await stories.act(id, ada.id, by => editStory({ visibility }, by))
    for (const path of everywhere) {
      const answer = await ask('GET', path, ben)
      const listed = [...items(answer), ...(Array.isArray(answer.json['stories']) ? answer.json['stories'] : [])]
      const found = listed.find(({ storyId, target }) => (storyId ?? target) === id)
      t.equal(JSON.stringify(found).includes(title), visibility !== 'private', `${path}: ${visibility}`)
      t.equal(found?.gone, visibility === 'private' ? true : undefined, `${path}: ${visibility}`)
    }
    const seen = await api('GET', `/v1/lists/${list}`)
    t.equal(seen.text.includes(title), visibility === 'public', `to strangers: ${visibility}`)
    t.equal(seen.text.includes(id), visibility === 'public', 'nor is its id in the list of another')
  }
  await stories.act(id, ada.id, by => editStory({ rating: 'explicit' }, by))
  for (const path of everywhere) t.notMatch((await ask('GET', path, ben)).text, title, `${path}: for adults`)
  t.match(await api('GET', `/v1/stories/${id}/bookmarks`), { status: 403, code: 'adult-content' })
  await stories.act(id, ada.id, unpublishStory)
  for (const path of everywhere) t.notMatch((await ask('GET', path, ben)).text, title, `${path}: unpublished`)
  for (const [method, path, body] of [
    ['PUT', `/v1/me/bookmarks/${id}`, {}],
    ['PUT', `/v1/me/subscriptions/story/${id}`, undefined],
    ['PUT', `/v1/me/progress/${id}`, { chapterId: chapters[0], fraction: 1 }],
  ] as const)
    t.match(await ask(method, path, cora, body), { status: 404, code: 'story-not-found' }, path)
  t.match(await ask('PUT', `/v1/me/subscriptions/series/${series}`, cora), { status: 404, code: 'series-not-found' })
  for (const path of [`/v1/me/bookmarks/${id}`, `/v1/me/progress/${id}`, `/v1/me/subscriptions/story/${id}`])
    t.match(await ask('DELETE', path, ben), { status: 204 }, 'one may always let go of it')
})

t.test('what is followed: stories, series, authors, tags', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Followed' })
  const series = await stories.series(ada.id, [id])
  const paths = [`story/${id}`, `series/${series}`, `author/${ada.id.toUpperCase()}`, 'tag/Sea%20%26%20Salt']
  for (const path of paths) t.match(await ask('PUT', `/v1/me/subscriptions/${path}`, cora), { status: 200 }, path)
  t.match(await ask('PUT', '/v1/me/subscriptions/tag/sea%20%26%20salt', cora), { json: { target: 'Sea & Salt' } })
  const all = items(await ask('GET', '/v1/me/subscriptions', cora))
  t.same(
    all.map(({ kind, target }) => [kind, target]),
    [
      ['tag', 'Sea & Salt'],
      ['author', ada.id],
      ['series', series],
      ['story', id],
    ],
  )
  t.match(items(await ask('GET', '/v1/me/subscriptions?kind=tag', cora)), [{ kind: 'tag' }])
  t.match(await ask('DELETE', '/v1/me/subscriptions/tag/SEA%20%26%20SALT', cora), { status: 204 })
  t.same(items(await ask('GET', '/v1/me/subscriptions?kind=tag', cora)), [])
  t.match(await ask('PUT', '/v1/me/subscriptions/author/somebody', cora), { status: 422, code: 'text-invalid' })
  t.match(await ask('PUT', '/v1/me/subscriptions/world/somebody', cora), { status: 404 })
  t.match(await ask('PUT', `/v1/me/subscriptions/tag/${'x'.repeat(151)}`, cora), { status: 422 })
})

t.test('progress is marked once a minute, in a chapter that is there', async t => {
  const { id, chapters } = await stories.publish(ada.id, { title: 'Long' }, 2)
  const path = `/v1/me/progress/${id}`
  const mark = (chapterId: unknown, fraction: number) => ask('PUT', path, ben, { chapterId, fraction })
  t.match(await mark(chapters[0], 0.25), { status: 200, json: { fraction: 0.25, chapterId: chapters[0] } })
  const soon = await mark(chapters[1], 0.5)
  t.match(soon, { status: 429, code: 'progress-too-soon' })
  t.match(soon.headers.get('retry-after'), /^[1-9]\d?$/)
  t.match(await mark(chapters[0], 0.25), { status: 200 }, 'the same again is no news')
  await app.pass(60_000)
  t.match(await mark(chapters[1], 0.5), { status: 200 })
  t.match(items(await ask('GET', '/v1/me/progress', ben)), [{ storyId: id, chapterId: chapters[1], fraction: 0.5 }])
  t.match(await mark(nothing, 0.5), { status: 404, code: 'chapter-unknown' })
  t.match(await mark(chapters[0], 1.5), { status: 400 })
  t.match(await ask('DELETE', path, ben), { status: 204 })
  t.same(items(await ask('GET', '/v1/me/progress', ben)), [])
})

t.test('a reading list is begun, renamed, ordered, shown and deleted', async t => {
  const [one, two] = [await stories.publish(ada.id, { title: 'One' }), await stories.publish(ada.id, { title: 'Two' })]
  const begun = await ask('POST', '/v1/me/lists', ben, { title: 'Winter' })
  t.match(begun, { status: 201, json: { title: 'Winter', isPrivate: true, owner: ben.id, count: 0, revision: '0' } })
  const id = String(begun.json['id'])
  t.equal(begun.headers.get('location'), `/v1/lists/${id}`)
  const path = `/v1/me/lists/${id}`
  t.match(await ask('PATCH', path, ben, { title: 'Summer' }), { status: 428, code: 'revision-required' })
  const stale = await ask('PATCH', path, ben, { title: 'Summer' }, { 'if-match': '"7"' })
  t.match(stale, { status: 412, code: 'revision-stale' })
  const renamed = await ask('PATCH', path, ben, { title: 'Summer' }, { 'if-match': begun.headers.get('etag') ?? '' })
  t.match(renamed, { status: 200, json: { title: 'Summer', revision: '1' } })
  const whichever = { 'if-match': '*' }
  t.match(await ask('PUT', `${path}/stories`, ben, { stories: [two.id, one.id] }, whichever), { status: 200 })
  t.match((await ask('GET', `/v1/lists/${id}`, ben)).json, {
    stories: [
      { storyId: two.id, story: { title: 'Two' } },
      { storyId: one.id, story: { title: 'One' } },
    ],
  })
  t.match(await api('GET', `/v1/lists/${id}`), { status: 404, code: 'reading-list-not-found' })
  t.match(await ask('GET', `/v1/lists/${id}`, cora), { status: 404 })
  for (const stories of [[one.id, one.id], [nothing]])
    t.match(await ask('PUT', `${path}/stories`, ben, { stories }, whichever), {
      status: 422,
      code: 'reading-list-invalid',
    })
  t.match(await ask('PUT', `${path}/stories`, cora, { stories: [] }, whichever), { status: 404 })
  t.match(await ask('PATCH', path, cora, { title: 'Mine' }, whichever), { status: 404 })
  t.match(await ask('DELETE', path, cora), { status: 404 })
  t.match(await ask('PATCH', path, ben, { isPrivate: false }, whichever), { status: 200 })
  t.match(await api('GET', `/v1/lists/${id}`, { headers: { 'sync-token': sync } }), {
    status: 200,
    json: { title: 'Summer' },
  })
  t.match(items(await ask('GET', '/v1/me/lists', ben))[0], { id, count: 2 })
  t.match(await ask('DELETE', path, ben), { status: 204 })
  t.match(await ask('GET', `/v1/lists/${id}`, ben), { status: 404 })
  t.match(await ask('POST', '/v1/me/lists', ben, { title: ' ' }), { status: 422, code: 'text-invalid' })
})

t.test('with an account goes all that it kept', async t => {
  const dora = await signIn(house, 'dora', 'contributor')
  const { id, chapters } = await stories.publish(ada.id, { title: 'Kept' })
  const note = 'Nobody is to read this.'
  await ask('PUT', `/v1/me/bookmarks/${id}`, dora, { isPrivate: false, note })
  await ask('PUT', `/v1/me/progress/${id}`, dora, { chapterId: chapters[0], fraction: 1 })
  await ask('PUT', '/v1/me/subscriptions/tag/secret', dora)
  const begun = await ask('POST', '/v1/me/lists', dora, { title: 'Doras', isPrivate: false })
  const list = `/v1/lists/${String(begun.json['id'])}`
  const path = `/v1/stories/${id}/bookmarks`
  t.match((await api('GET', path, { headers: { 'sync-token': sync } })).text, note)
  t.equal((await api('GET', list, { headers: { 'sync-token': sync } })).status, 200)
  await eraseNow(house, dora)
  await askUntil(
    'the bookmark to go',
    () => api('GET', path),
    ({ json }) => json['total'] === 0,
  )
  await askUntil(
    'the list to go',
    () => api('GET', list),
    ({ status }) => status === 404,
  )
  const auditor = await app.token('admin')
  const { text } = await api('GET', '/v1/events?limit=100&order=desc', { as: auditor })
  t.match(text, 'ShelfCleared')
  t.notMatch(text, note)
  t.notMatch(text, 'Doras')
  t.notMatch(text, '"tag":"secret"')
})

t.test('answers agree with the document', t => {
  t.same(api.faults, [])
  t.end()
})
