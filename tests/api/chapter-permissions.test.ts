/**
 * Every route of the chapters of a story, and those of what readers have of it, asked by everybody who may stand to it in some relation,
 * held against the table "Chapters and readers" of tests/fixtures/story-permissions.md. Commands are dry runs.
 */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { temporaryFolder } from '../support/service.ts'
import { signInStoryPeople } from '../support/story-people.ts'
import { readTables } from '../support/tables.ts'

const fixture = new URL('../fixtures/story-permissions.md', import.meta.url)
const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const { author, people, tokens, suspend } = await signInStoryPeople(house)
const { must, read: see, latest } = openFollowing(api)
/** What is written anew over what is there says what it has seen. */
const matching = (method: string): Readonly<Record<string, string>> => (method === 'PUT' ? { 'if-match': '*' } : {})
const write = async (method: string, path: string, as: string | undefined, body?: object): Promise<Received> =>
  must(await api(method, path, { headers: matching(method), ...defined({ as, body }) }))

/** A story, a chapter of it that was published after it was saved twice, and one that is a draft. */
type Made = { readonly story: string; readonly chapter: string; readonly draft: string }
const chapterOf = async (story: string): Promise<string> => {
  const { json } = await write('POST', `${story}/chapters`, author.token, { title: 'One' })
  const chapter = `${story}/chapters/${String(json['id'])}`
  for (const text of ['It was calm at sea.', 'It was calm at sea, once.'])
    await write('PUT', `${chapter}/draft`, author.token, { title: 'One', text })
  return chapter
}
const made = async (body: object, isPublished: boolean): Promise<Made> => {
  const about = { language: 'en', title: 'Light', tags: ['Harbour'], ...body }
  const { json } = await write('POST', '/v1/stories', author.token, about)
  const story = `/v1/stories/${String(json['id'])}`
  for (const name of ['co-author', 'suspended co-author', 'former author', 'invited'])
    await write('POST', `${story}/invitations`, author.token, { accountId: people[name]?.id })
  for (const name of ['co-author', 'suspended co-author', 'former author'])
    await write('POST', `${story}/invitations/accept`, tokens[name], {})
  await write('DELETE', `${story}/authors/me`, tokens['former author'])
  const [draft, chapter] = [await chapterOf(story), await chapterOf(story)]
  await write('POST', `${chapter}/publish`, author.token, {})
  if (isPublished) await write('POST', `${story}/publish`, author.token, {})
  return { story, chapter, draft }
}
const removed = async (): Promise<Made> => {
  const gone = await made({ visibility: 'public' }, true)
  await write('DELETE', gone.story, author.token)
  return gone
}
const idIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
/** A word that their chapters have. */
const calm = await (async (): Promise<string> => {
  const editor = await app.token('editor')
  const body = { language: 'en', lemma: 'calm', partOfSpeech: 'adjective', senses: [{ gloss: 'without wind' }] }
  const path = `/v1/entries/${String((await write('POST', '/v1/entries', editor, body)).json['id'])}`
  must(await api('POST', `${path}/publish`, { as: editor, body: {}, headers: { 'if-match': '*' } }))
  return path
})()
const NOTHING = '00000000-0000-4000-8000-000000000000'
const nothing = `/v1/stories/${NOTHING}`
const objects: Readonly<Record<string, Made>> = {
  'private draft': await made({ visibility: 'private' }, false),
  'public draft': await made({ visibility: 'public' }, false),
  private: await made({ visibility: 'private' }, true),
  unlisted: await made({ visibility: 'unlisted' }, true),
  members: await made({ visibility: 'members' }, true),
  public: await made({ visibility: 'public' }, true),
  adult: await made({ visibility: 'public', rating: 'explicit' }, true),
  removed: await removed(),
  nothing: { story: nothing, chapter: `${nothing}/chapters/${NOTHING}`, draft: `${nothing}/chapters/${NOTHING}` },
}
await suspend()

type Ask = (object: Made, as: string | undefined) => Promise<string>
const told = ({ status }: Received): string => (status === 200 || status === 204 ? 'yes' : String(status))
const read =
  (pathOf: (object: Made) => string): Ask =>
  async (object, as) => {
    const answer = await see(pathOf(object), as)
    // The table of contents: with drafts, and what is saved of them, for authors.
    return answer.status === 200 && answer.text.includes('"draft":{') ? 'all' : told(answer)
  }
const would =
  (method: string, pathOf: (object: Made) => string, body?: object): Ask =>
  async (object, as) => {
    const path = pathOf(object)
    // Of one's own there is nothing yet that could match.
    const headers = { 'sync-token': latest(), ...(path.startsWith('/v1/me/') ? {} : matching(method)) }
    return told(await api(method, `${path}?dryRun=true`, { headers, ...defined({ as, body }) }))
  }
/** Is the story among what is listed there? */
const among =
  (path: string): Ask =>
  async ({ story }, as) => {
    const answer = await see(path, as)
    if (answer.status !== 200) return String(answer.status)
    return answer.text.includes(story.slice('/v1/stories/'.length)) ? 'yes' : 'no'
  }
/** What is one's own of it. */
const ownOf =
  (what: string) =>
  ({ story }: Made): string =>
    story.replace('/v1/stories', `/v1/me/${what}`)
const CHAPTER = '/v1/stories/{id}/chapters/{chapterId}'
const asked: Readonly<Record<string, Ask>> = {
  'GET /v1/stories/{id}/chapters': read(({ story }) => `${story}/chapters`),
  [`GET ${CHAPTER}`]: read(({ chapter }) => chapter),
  [`GET ${CHAPTER} unpublished`]: read(({ draft }) => draft),
  [`GET ${CHAPTER}/comments`]: read(({ chapter }) => `${chapter}/comments`),
  [`GET ${CHAPTER}/draft`]: read(({ chapter }) => `${chapter}/draft`),
  [`GET ${CHAPTER}/history`]: read(({ chapter }) => `${chapter}/history`),
  [`GET ${CHAPTER}/history/{revision}`]: read(({ chapter }) => `${chapter}/history/1`),
  [`GET ${CHAPTER}/differences`]: read(({ chapter }) => `${chapter}/differences?from=1&to=2`),
  'POST /v1/stories/{id}/chapters': would('POST', ({ story }) => `${story}/chapters`, { title: 'Two' }),
  [`PUT ${CHAPTER}/draft`]: would('PUT', ({ chapter }) => `${chapter}/draft`, { title: 'One', text: 'Another text.' }),
  [`POST ${CHAPTER}/publish`]: would('POST', ({ draft }) => `${draft}/publish`, {}),
  [`POST ${CHAPTER}/unpublish`]: would('POST', ({ draft }) => `${draft}/unpublish`, {}),
  [`POST ${CHAPTER}/restore`]: would('POST', ({ chapter }) => `${chapter}/restore`, { revision: '1' }),
  [`DELETE ${CHAPTER}/history`]: would('DELETE', ({ chapter }) => `${chapter}/history`),
  [`DELETE ${CHAPTER}`]: would('DELETE', ({ draft }) => draft),
  'GET /v1/stories/{id}/feed': read(({ story }) => `${story}/feed`),
  'GET /v1/stories/{id}/export': read(({ story }) => `${story}/export`),
  'GET /v1/stories/{id}/words': read(({ story }) => `${story}/words`),
  'GET /v1/stories/{id}/bookmarks': read(({ story }) => `${story}/bookmarks`),
  'GET /v1/stories/{id}/ratings': read(({ story }) => `${story}/ratings`),
  'GET /v1/search/stories': among('/v1/search/stories?q=light&limit=50'),
  'GET /v1/entries/{id}/stories': among(`${calm}/stories?limit=100`),
  'GET /v1/profiles/{id}/feed': among(`/v1/profiles/${author.id}/feed`),
  'GET /v1/tags/{tag}/feed': among('/v1/tags/harbour/feed'),
  'PUT /v1/me/bookmarks/{id}': would('PUT', ownOf('bookmarks'), {}),
  'DELETE /v1/me/bookmarks/{id}': would('DELETE', ownOf('bookmarks')),
  'PUT /v1/me/subscriptions/story/{target}': would('PUT', ownOf('subscriptions/story')),
  'DELETE /v1/me/subscriptions/story/{target}': would('DELETE', ownOf('subscriptions/story')),
  'PUT /v1/me/progress/{id}': async (object, as) =>
    would('PUT', ownOf('progress'), { chapterId: idIn(object.chapter), fraction: 0.5 })(object, as),
  'PUT /v1/me/progress/{id} unpublished': async (object, as) =>
    would('PUT', ownOf('progress'), { chapterId: idIn(object.draft), fraction: 0.5 })(object, as),
  'DELETE /v1/me/progress/{id}': would('DELETE', ownOf('progress')),
  // Without If-Match: nobody has rated it, so that there is nothing that could match.
  'PUT /v1/stories/{id}/rating': async ({ story }, as) =>
    told(await api('PUT', `${story}/rating?dryRun=true`, { body: { stars: 5 }, ...defined({ as }) })),
}

const written = readTables(fixture).get('Chapters and readers') ?? { columns: [], rows: new Map<string, never>() }

t.test('the table names every route of a chapter and every relation to one', async t => {
  t.same([...written.columns], Object.keys(tokens))
  t.same(
    [...written.rows.keys()],
    Object.keys(asked).flatMap(route => Object.keys(objects).map(object => `${route} ${object}`)),
  )
  const routes = Object.entries(api.document.paths).flatMap(([path, methods]) =>
    path.startsWith('/v1/stories/{id}/chapters')
      ? Object.keys(methods).map(each => `${each.toUpperCase()} ${path}`)
      : [],
  )
  t.ok(routes.length > 10)
  t.same(
    routes.filter(route => !(route in asked) && !route.endsWith('/chapters/order')),
    [],
  )
})

for (const [route, ask] of Object.entries(asked))
  t.test(route, async t => {
    for (const [object, each] of Object.entries(objects)) {
      const found: Record<string, string> = {}
      for (const [name, as] of Object.entries(tokens)) found[name] = await ask(each, as)
      t.same(found, written.rows.get(`${route} ${object}`), object)
    }
  })

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
