/**
 * A chapter is written in two streams, its own and its story's. What fails between the two ends right: by the same request again, and by
 * itself after a start.
 */
import t from 'tap'
import type { Between } from '../../src/adapters/cli/app-port.ts'
import { storyCategory } from '../../src/domain/story/story.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

/** While it is cut off, nothing is written to the streams of stories. */
const openCut = () => {
  let isCut = false
  let refused = 0
  const isStory = (stream: string): boolean => stream.startsWith(`${storyCategory}-`)
  const away = (): EventStoreError => {
    refused += 1
    return new EventStoreError('unavailable', 'The store is away.')
  }
  const between: Between = store => ({
    ...store,
    append: async (stream, expected, events) => {
      if (isCut && isStory(stream)) throw away()
      return store.append(stream, expected, events)
    },
    appendMany: async appends => {
      const passed = appends.filter(({ stream }) => !(isCut && isStory(stream)))
      const answers = (await store.appendMany(passed)).values()
      return appends.map(append => (passed.includes(append) ? (answers.next().value ?? away()) : away()))
    },
  })
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    isCut = true
    try {
      return await work()
    } finally {
      isCut = false
    }
  }
  const cut = (): void => {
    isCut = true
  }
  return { between, during, cut, refused: () => refused }
}

const folder = temporaryFolder(t)
const line = openCut()
const app = await openTestApp(t, {}, { folder, between: line.between })
const api = await openApi(app.url)
const ada = await signIn({ app, api, folder }, 'ada', 'contributor')
const { must, read, latest } = openFollowing(api)

const post = (path: string, body: object = {}, key?: string): Promise<Received> =>
  api('POST', path, { as: ada.token, body, headers: key === undefined ? {} : { 'idempotency-key': key } })
const story = async (): Promise<string> =>
  `/v1/stories/${String(must(await post('/v1/stories', { language: 'en', title: 'The Sea', visibility: 'public' })).json['id'])}`
const chapterIn = async (of: string, text = 'It was calm at sea.'): Promise<string> => {
  const path = `${of}/chapters/${String(must(await post(`${of}/chapters`, { title: 'One' })).json['id'])}`
  const headers = { 'if-match': '*' }
  must(await api('PUT', `${path}/draft`, { as: ada.token, body: { title: 'One', text }, headers }))
  return path
}
const chaptersOf = async (of: string): Promise<readonly { readonly id: string; readonly published: boolean }[]> => {
  const { json } = await read(`${of}/chapters`, ada.token)
  return Array.isArray(json['items']) ? json['items'] : []
}

t.test('a chapter that was begun, and not added, is added by the same request', async t => {
  const of = await story()
  const before = line.refused()
  const failed = await line.during(() => post(`${of}/chapters`, { title: 'One' }, 'begin'))
  t.equal(failed.status, 503)
  t.ok(line.refused() > before, 'it failed between the two')
  t.same(await chaptersOf(of), [], 'until then nobody is shown it')
  const added = must(await post(`${of}/chapters`, { title: 'One' }, 'begin'))
  t.same(
    (await chaptersOf(of)).map(({ id }) => id),
    [added.json['id']],
  )
  const again = must(await post(`${of}/chapters`, { title: 'One' }, 'begin'))
  t.equal(again.json['id'], added.json['id'])
  t.equal((await chaptersOf(of)).length, 1, 'and once')
})

t.test('a chapter that was published, and not shown, is shown by itself', async t => {
  const of = await story()
  const path = await chapterIn(of)
  const before = line.refused()
  const published = await line.during(() => post(`${path}/publish`, {}, 'publish'))
  t.ok(line.refused() > before, `it failed between the two: ${published.status}`)
  await inTime(app, 'the story is told', async () => (await chaptersOf(of))[0]?.published)
  must(await post(`${path}/publish`, {}, 'publish'))
  must(await post(`${of}/publish`))
  t.match((await read(of)).json, { chapters: 1, words: 5 })
})

t.test('a chapter that was unpublished is hidden first: a failure leaves it as it was', async t => {
  const of = await story()
  const [first, second] = [await chapterIn(of), await chapterIn(of)]
  for (const path of [first, second, of]) must(await post(`${path}/publish`))
  const failed = await line.during(() => post(`${first}/unpublish`, {}, 'hide'))
  t.equal(failed.status, 503)
  t.equal((await read(first)).status, 200)
  must(await post(`${first}/unpublish`, {}, 'hide'))
  t.same([(await read(first)).status, (await read(second)).status], [404, 200])
})

t.test('what failed is right after a start', async t => {
  const of = await story()
  const path = await chapterIn(of)
  const other = await story()
  line.cut()
  t.equal((await post(`${other}/chapters`, { title: 'One' }, 'other')).status, 503)
  await post(`${path}/publish`)
  await app.close()
  const next = await openTestApp(t, {}, { folder, clock: app.clock })
  const reached = await openApi(next.url)
  const seen = (what: string) => reached('GET', what, { as: ada.token, headers: { 'sync-token': latest() } })
  await inTime(next, 'the story is told', async saw => {
    const { json } = await seen(`${of}/chapters`)
    saw(json)
    return Array.isArray(json['items']) && json['items'][0]?.published === true
  })
  t.same((await seen(`${other}/chapters`)).json['items'], [], 'what was not added is shown to nobody')
  const headers = { 'idempotency-key': 'other' }
  const added = await reached('POST', `${other}/chapters`, { as: ada.token, body: { title: 'One' }, headers })
  t.equal(added.status, 201)
  const { json } = await reached('GET', `${other}/chapters`, {
    as: ada.token,
    headers: { 'sync-token': added.headers.get('sync-token') ?? '' },
  })
  t.match(json['items'], [{ id: added.json['id'] }])
})
