/** Ratings through the socket: once a person and work, never of one's own, of what one sees alone, and gone with a suspension until it ends. */

import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { inviteAuthor, leaveStory } from '../../src/domain/story/authors.ts'
import { publishStory, unpublishStory } from '../../src/domain/story/decisions.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { eraseNow, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { openStoryWriter } from '../support/stories.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const person = (name: string): Promise<Person> => signIn(house, name, 'contributor')
const [ada, ben, cora, dan] = [await person('ada'), await person('ben'), await person('cora'), await person('dan')]
const eva = await signIn(house, 'eva', 'editor')
const boss = await signIn(house, 'boss', 'admin')
const service = await app.token('reader')
const stories = await openStoryWriter(t, house)
const nothing = '00000000-0000-4000-8000-000000000000'

let sync = ''
/** Reads what was written before. */
const ask = async (method: string, path: string, who?: Person, body?: unknown, more = {}): Promise<Received> => {
  await app.clock.advance(5)
  const headers = { ...defined({ 'sync-token': sync || undefined }), ...more }
  const answer = await api(method, path, {
    ...defined({ as: who?.token }),
    ...defined({ body }),
    headers,
  })
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []
const rate = (path: string, who: Person, stars: unknown): Promise<Received> =>
  ask('PUT', `${path}/rating`, who, { stars })
const published = async (title: string, more = {}): Promise<string> =>
  `/v1/stories/${(await stories.publish(ada.id, { title, ...more })).id}`
const spread = (...counts: readonly number[]) => Object.fromEntries(counts.map((count, at) => [at + 1, count]))

t.test('a story is rated once, with what is said last, and the counts follow', async t => {
  const story = await published('Lighthouse')
  const made = await rate(story, ben, 5)
  t.match(made, { status: 200, json: { kind: 'story', id: story.slice('/v1/stories/'.length), stars: 5 } })
  const again = await rate(story, ben, 5)
  t.match(again, { status: 200, json: made.json })
  t.equal(again.headers.get('sync-token'), made.headers.get('sync-token'), 'nothing is written')
  t.match(await ask('GET', `${story}/ratings`), { json: { count: 1, mean: 3.61, distribution: spread(0, 0, 0, 0, 1) } })
  await rate(story, ben, 2)
  await rate(story, cora, 4)
  const seen = await ask('GET', `${story}/ratings`, ben)
  t.match(seen, { status: 200, json: { count: 2, distribution: spread(0, 1, 0, 1, 0), yours: 2 } })
  t.notMatch((await ask('GET', `${story}/ratings`)).json, { yours: Number })
  t.match(await ask('GET', `${story}/rating`, ben), { status: 200, json: { stars: 2 } })
  t.match(await ask('GET', `${story}/rating`, dan), { status: 404, code: 'rating-not-found' })
  t.match(await ask('DELETE', `${story}/rating`, ben), { status: 204 })
  t.match(await ask('DELETE', `${story}/rating`, ben), { status: 204 })
  t.match(await ask('DELETE', `${story}/rating`, cora), { status: 204 })
  const empty = await ask('GET', `${story}/ratings`)
  t.same(empty.json, { count: 0, distribution: spread(0, 0, 0, 0, 0) })
  const dry = await ask('PUT', `${story}/rating?dryRun=true`, ben, { stars: 3 })
  t.match(dry.json, { events: [{ type: 'Rated', data: { stars: 3 } }] })
  t.match((await ask('GET', `${story}/ratings`)).json, { count: 0 })
})

t.test('what is no rating is said to be none, in words', async t => {
  const story = await published('Harbour')
  for (const stars of [0, 6, 3.5, '5', -1, null, true, [5]])
    t.match(
      await rate(story, ben, stars),
      { status: 422, code: 'rating-invalid', json: { detail: /1 to 5/, errors: [{ pointer: '/stars' }] } },
      String(stars),
    )
  t.match(await ask('PUT', `${story}/rating`, ben, {}), { status: 400, code: 'validation' })
  t.match(await ask('PUT', `${story}/rating`, ben, { stars: 5, x: 1 }), { status: 400, code: 'validation' })
  t.match((await ask('GET', `${story}/ratings`)).json, { count: 0 })
  t.match(await api('PUT', `${story}/rating`, { body: { stars: 5 } }), { status: 401 })
  t.match(await api('PUT', `${story}/rating`, { as: service, body: { stars: 5 } }), { status: 403 })
  t.match(await rate(`/v1/stories/${nothing}`, ben, 5), { status: 404, code: 'story-not-found' })
  t.match(await rate(`/v1/entries/${nothing}`, ben, 5), { status: 404, code: 'entry-not-found' })
})

t.test('nobody rates what they write, wrote, or have come to write', async t => {
  const story = await published('Twins')
  const id = story.slice('/v1/stories/'.length)
  t.match(await rate(story, ada, 5), { status: 403, code: 'own-work' })
  await rate(story, ben, 5)
  await stories.act(id, ada.id, by => inviteAuthor(ben.id, true, by))
  t.match(await rate(story, ben, 4), { status: 200 }, 'who is invited is no author')
  const accepted = await ask('POST', `${story}/invitations/accept`, ben, {})
  t.match(accepted, { status: 200 })
  await until('the rating of who has become an author', async () => {
    const { status } = await ask('GET', `${story}/rating`, ben)
    return status === 404
  })
  t.match(await rate(story, ben, 5), { status: 403, code: 'own-work' })
  await until('its count', async () => (await ask('GET', `${story}/ratings`)).json['count'] === 0)
  const chapter = await ask('POST', `${story}/chapters`, ben, { title: 'Mine' })
  t.match(chapter, { status: 201 })
  await stories.act(id, ben.id, leaveStory)
  t.match(await rate(story, ben, 5), { status: 403, code: 'own-work' }, 'a chapter of it is still theirs')
})

t.test('what one may not see, one neither rates nor sees the ratings of; published again they are there', async t => {
  const story = await published('Unspeakable')
  const id = story.slice('/v1/stories/'.length)
  await rate(story, ben, 4)
  await stories.act(id, ada.id, unpublishStory)
  t.match(await rate(story, cora, 5), { status: 404, code: 'story-not-found' })
  t.match(await ask('GET', `${story}/ratings`), { status: 404, code: 'story-not-found' })
  t.match(await ask('GET', `${story}/rating`, ben), { status: 200, json: { stars: 4 } }, 'one’s own is one’s own')
  const [mine] = items(await ask('GET', '/v1/me/ratings', ben))
  t.same(Object.keys(mine ?? {}).toSorted(), ['gone', 'id', 'kind', 'ratedAt', 'stars'])
  await stories.act(id, ada.id, publishStory)
  t.match(await ask('GET', `${story}/ratings`), { json: { count: 1, distribution: spread(0, 0, 0, 1, 0) } })
  t.match(items(await ask('GET', '/v1/me/ratings', ben)), [{ id, story: { title: 'Unspeakable' } }])
  const adult = await published('Night', { rating: 'explicit' })
  t.match(await ask('GET', `${adult}/ratings`), { status: 403, code: 'adult-content' })
  t.match(await ask('GET', `${adult}/ratings?adult=true`), { status: 200 })
})

t.test('an entry that is published is rated by who has no word in it', async t => {
  const drafted = await ask('POST', '/v1/entries', dan, {
    language: 'en',
    lemma: 'lodestar',
    partOfSpeech: 'noun',
    senses: [{ gloss: 'A star that shows the way.' }],
  })
  t.match(drafted, { status: 201 })
  const entry = `/v1/entries/${String(drafted.json['id'])}`
  t.match(await rate(entry, ben, 5), { status: 404, code: 'entry-not-found' }, 'a draft is nobody’s to rate')
  t.match(await ask('GET', `${entry}/ratings`, ben), { status: 404, code: 'entry-not-found' })
  t.match(await ask('GET', `${entry}/ratings`, dan), { status: 200, json: { count: 0 } }, 'who drafted it sees it')
  t.match(await ask('POST', `${entry}/submit`, dan, {}, { 'if-match': '*' }), { status: 200 })
  t.match(await ask('POST', `${entry}/publish`, eva, {}, { 'if-match': '*' }), { status: 200 })
  t.match(await rate(entry, ben, 5), { status: 200, json: { kind: 'entry', stars: 5 } })
  t.match(await rate(entry, dan, 5), { status: 403, code: 'own-work' })
  t.match(await rate(entry, eva, 3), { status: 200 }, 'who published it has no word in it')
  t.match(await ask('GET', `${entry}/ratings`, eva), { json: { count: 2, yours: 3 } })
  t.match(items(await ask('GET', '/v1/me/ratings', eva)), [{ kind: 'entry', entry: { lemma: 'lodestar' } }])
  const changed = { senses: [{ gloss: 'A star by which ships are steered.' }] }
  t.match(await ask('PATCH', entry, eva, changed, { 'if-match': '*' }), { status: 200 })
  await until('the rating of who has changed it', async () => (await ask('GET', `${entry}/rating`, eva)).status === 404)
  t.match(await rate(entry, eva, 5), { status: 403, code: 'own-work' })
})

t.test('stories are listed by what their ratings come to, those of one rank by their ids, page by page', async t => {
  const tagged = { tags: ['Ranked'] }
  const [good, best, unrated, other, bad] = [
    await published('One five', tagged),
    await published('Three fives', tagged),
    await published('Nobody has', tagged),
    await published('Nobody either', tagged),
    await published('Three ones', tagged),
  ]
  await rate(good, ben, 5)
  for (const who of [ben, cora, dan]) {
    await rate(best, who, 5)
    await rate(bad, who, 1)
  }
  const ids = async (query: string): Promise<readonly string[]> => {
    const found: string[] = []
    for (let cursor: unknown = ''; typeof cursor === 'string'; ) {
      const page = await ask('GET', `/v1/stories?${query}${cursor && `&cursor=${cursor}`}`)
      if (page.status !== 200) throw new Error(page.text)
      found.push(...items(page).map(({ id }) => `/v1/stories/${String(id)}`))
      cursor = page.json['next']
    }
    return found
  }
  const same = [unrated, other].toSorted().toReversed()
  for (const limit of [1, 2, 100])
    t.same(await ids(`tag=ranked&sort=-rated&limit=${limit}`), [best, good, ...same, bad], `${limit} a page`)
  t.match(await ask('GET', '/v1/stories?sort=rated'), { status: 400, code: 'validation' })
})

t.test('what a suspended account rated counts no longer, and once it is reinstated exactly as before', async t => {
  const zoe = await person('zoe')
  const all = await Promise.all(Array.from({ length: 6 }, (_, n) => published(`Rated ${n}`, { tags: ['Zoe'] })))
  for (const [n, story] of all.entries()) {
    await rate(story, zoe, 1 + (n % 5))
    await rate(story, ben, 3)
  }
  const ratings = async (): Promise<string> =>
    JSON.stringify(await Promise.all(all.map(async story => (await ask('GET', `${story}/ratings`)).text)))
  const ranked = async (): Promise<string> => (await ask('GET', '/v1/stories?tag=zoe&sort=-rated')).text
  const [before, order] = [await ratings(), await ranked()]
  const act = (what: string) => ask('POST', `/v1/accounts/${zoe.id}/${what}`, boss, { reason: 'Votes for sale.' })
  t.match(await act('suspend'), { status: 200 })
  const counts = async (): Promise<readonly unknown[]> =>
    Promise.all(all.map(async story => (await ask('GET', `${story}/ratings`)).json['count']))
  await until('her ratings to be withdrawn', async saw => {
    const found = await counts()
    saw(found)
    return found.every(count => count === 1)
  })
  t.match(await rate(all[0] ?? '', zoe, 5), { status: 401 }, 'she asks for nothing')
  t.match(await act('reinstate'), { status: 200 })
  await until('her ratings to be restored', async saw => {
    const found = await counts()
    saw(found)
    return found.every(count => count === 2)
  })
  await until('all of them, to the byte', async () => (await ratings()) === before && (await ranked()) === order)
})

t.test('a comment is voted for by who is shown it, and by nobody for their own', async t => {
  const story = await published('Talked of')
  const target = { kind: 'story', id: story.slice('/v1/stories/'.length) }
  const said = await ask('POST', '/v1/comments', ben, { target, text: 'It shines.' })
  t.match(said, { status: 201 })
  const comment = `/v1/comments/${String(said.json['id'])}`
  const vote = (who: Person, value: unknown) => ask('PUT', `${comment}/vote`, who, { value })
  t.match(await vote(cora, 1), { status: 200, json: { value: 1 } })
  t.match(await vote(ada, 1), { status: 200 })
  t.match((await ask('GET', `${comment}/votes`, cora)).json, { up: 2, down: 0, score: 2, yours: 1 })
  t.match(await vote(cora, -1), { status: 200, json: { value: -1 } })
  t.same((await ask('GET', `${comment}/votes`)).json, { up: 1, down: 1, score: 0 })
  t.match(await vote(ben, 1), { status: 403, code: 'own-work' })
  for (const value of [0, 2, '1', null])
    t.match(await vote(dan, value), { status: 422, code: 'vote-invalid', json: { errors: [{ pointer: '/value' }] } })
  t.match(await ask('DELETE', `${comment}/vote`, cora), { status: 204 })
  t.match((await ask('GET', `${comment}/votes`)).json, { up: 1, down: 0 })
  t.match(await ask('PUT', `/v1/me/blocks/${ben.id}`, dan), { status: 204 })
  t.match(await vote(dan, -1), { status: 404, code: 'comment-not-found' }, 'who hears nothing of them does not vote')
  await stories.act(target.id, ada.id, unpublishStory)
  t.match(await vote(cora, 1), { status: 404, code: 'comment-not-found' })
  t.match(await ask('GET', `${comment}/votes`, cora), { status: 404, code: 'comment-not-found' })
  await stories.act(target.id, ada.id, publishStory)
  t.match((await ask('GET', `${comment}/votes`)).json, { up: 1, down: 0 }, 'published again they are there')
  t.match(await ask('DELETE', comment, ben), { status: 204 })
  t.match(await vote(cora, 1), { status: 404, code: 'comment-not-found' })
  t.match(await ask('PUT', `/v1/comments/${nothing}/vote`, cora, { value: 1 }), { status: 404 })
})

t.test('who is erased leaves their ratings without a name', async t => {
  const yan = await person('yan')
  const story = await published('Left')
  await rate(story, yan, 5)
  await eraseNow(house, yan)
  t.match((await ask('GET', `${story}/ratings`)).json, { count: 1, distribution: spread(0, 0, 0, 0, 1) })
})
