/**
 * Every route of series and of reading lists, asked by everybody who may stand to what is in them in some relation, with a story of every
 * visibility in each: held against the table "Series and reading lists" of tests/fixtures/story-permissions.md. Commands are dry runs.
 */
import t from 'tap'
import { areas } from '../../src/app/areas.ts'
import { defined } from '../../src/domain/defined.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { temporaryFolder } from '../support/service.ts'
import { signInStoryPeople } from '../support/story-people.ts'
import { readTables } from '../support/tables.ts'
import { toldChapters } from '../support/told-chapters.ts'

const fixture = new URL('../fixtures/story-permissions.md', import.meta.url)
const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder, areas: [...areas, toldChapters] })
const api = await openApi(app.url)
const { author, people, tokens, suspend } = await signInStoryPeople({ app, api, folder })
const { must, read, latest } = openFollowing(api)
const write = async (method: string, path: string, as: string | undefined, body?: object): Promise<string> => {
  const headers = /\/(order|stories)$/.test(path) && method === 'PUT' ? { 'if-match': '*' } : {}
  return String(must(await api(method, path, { headers, ...defined({ as, body }) })).json['id'])
}

/** A story, and what the author has made of it alone: a series, a reading list for all to see, and one of their own. */
type Made = { readonly story: string; readonly series: string; readonly list: string; readonly private: string }
const made = async (body: object, isPublished: boolean): Promise<Made> => {
  const story = await write('POST', '/v1/stories', author.token, { language: 'en', title: 'Light', ...body })
  const path = `/v1/stories/${story}`
  const authors = ['co-author', 'suspended co-author', 'former author']
  for (const name of [...authors, 'invited'])
    await write('POST', `${path}/invitations`, author.token, { accountId: people[name]?.id })
  for (const name of authors) await write('POST', `${path}/invitations/accept`, tokens[name], {})
  await write('DELETE', `${path}/authors/me`, tokens['former author'])
  for (const told of ['added', 'shown'])
    await write('POST', path.replace('/stories/', '/told/'), author.token, { told, chapter: 'one', words: 10 })
  if (isPublished) await write('POST', `${path}/publish`, author.token, {})
  const series = await write('POST', '/v1/series', author.token, { title: 'Lights' })
  await write('PUT', `/v1/series/${series}/order`, author.token, { stories: [story] })
  const listOf = async (isPrivate: boolean): Promise<string> => {
    const list = await write('POST', '/v1/me/lists', author.token, { title: 'To read', isPrivate })
    await write('PUT', `/v1/me/lists/${list}/stories`, author.token, { stories: [story] })
    return list
  }
  return { story, series, list: await listOf(false), private: await listOf(true) }
}
const removed = async (): Promise<Made> => {
  const gone = await made({ visibility: 'public' }, true)
  await write('DELETE', `/v1/stories/${gone.story}`, author.token)
  return gone
}
const NOTHING = '00000000-0000-4000-8000-000000000000'
const objects: Readonly<Record<string, Made>> = {
  'private draft': await made({ visibility: 'private' }, false),
  'public draft': await made({ visibility: 'public' }, false),
  private: await made({ visibility: 'private' }, true),
  unlisted: await made({ visibility: 'unlisted' }, true),
  members: await made({ visibility: 'members' }, true),
  public: await made({ visibility: 'public' }, true),
  adult: await made({ visibility: 'public', rating: 'explicit' }, true),
  removed: await removed(),
  nothing: { story: NOTHING, series: NOTHING, list: NOTHING, private: NOTHING },
}
await suspend()

type Ask = (object: Made, as: string | undefined) => Promise<string>
/** `with`: with the story in it; `yes`: without. */
const one =
  (pathOf: (object: Made) => string): Ask =>
  async (object, as) => {
    const answer = await read(pathOf(object), as)
    if (answer.status !== 200) return String(answer.status)
    return answer.text.includes(`"${object.story}"`) ? 'with' : 'yes'
  }
const among =
  (path: (object: Made) => string, member: 'series' | 'story' | 'list'): Ask =>
  async (object, as) => {
    const answer = await read(path(object), as)
    if (answer.status !== 200) return String(answer.status)
    return answer.text.includes(`"${object[member]}"`) ? 'yes' : 'no'
  }
const would =
  (method: string, pathOf: (object: Made) => string, body?: (object: Made) => object): Ask =>
  async (object, as) => {
    const path = pathOf(object)
    const headers = { 'sync-token': latest(), ...(/subscriptions/.test(path) ? {} : { 'if-match': '*' }) }
    const sent = { headers, ...defined({ as, body: body?.(object) }) }
    const { status } = await api(method, `${path}?dryRun=true`, sent)
    return status === 200 || status === 204 ? 'yes' : String(status)
  }
const ofSeries = ({ series }: Made): string => `/v1/series/${series}`
const ofList = ({ list }: Made): string => `/v1/me/lists/${list}`
const asked: Readonly<Record<string, Ask>> = {
  'GET /v1/series/{id}': one(ofSeries),
  'GET /v1/series': among(() => '/v1/series?limit=100', 'series'),
  'GET /v1/series?author=': among(() => `/v1/series?limit=100&author=${author.id}`, 'series'),
  'GET /v1/stories?series=': among(({ series }) => `/v1/stories?series=${series}`, 'story'),
  'PATCH /v1/series/{id}': would('PATCH', ofSeries, () => ({ title: 'Lamps' })),
  'PUT /v1/series/{id}/order': would(
    'PUT',
    object => `${ofSeries(object)}/order`,
    () => ({ stories: [] }),
  ),
  'DELETE /v1/series/{id}': would('DELETE', ofSeries),
  'PUT /v1/me/subscriptions/series/{target}': would('PUT', ({ series }) => `/v1/me/subscriptions/series/${series}`),
  'GET /v1/lists/{id}': one(({ list }) => `/v1/lists/${list}`),
  'GET /v1/lists/{id} of their own': one(object => `/v1/lists/${object.private}`),
  'GET /v1/me/lists': among(() => '/v1/me/lists?limit=100', 'list'),
  'PATCH /v1/me/lists/{id}': would('PATCH', ofList, () => ({ title: 'Read' })),
  'PUT /v1/me/lists/{id}/stories': would(
    'PUT',
    object => `${ofList(object)}/stories`,
    () => ({ stories: [] }),
  ),
  'DELETE /v1/me/lists/{id}': would('DELETE', ofList),
}

const written = readTables(fixture).get('Series and reading lists') ?? { columns: [], rows: new Map<string, never>() }

t.test('the table names every route of a series and of a reading list, and every relation', async t => {
  t.same([...written.columns], Object.keys(tokens))
  t.same(
    [...written.rows.keys()],
    Object.keys(asked).flatMap(route => Object.keys(objects).map(object => `${route} ${object}`)),
  )
  const routes = Object.entries(api.document.paths).flatMap(([path, methods]) =>
    /^\/v1\/(series|lists|me\/lists)/.test(path)
      ? Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`)
      : [],
  )
  t.ok(routes.length > 10)
  t.same(
    routes.filter(route => !(route in asked) && !/^POST \/v1\/(series|me\/lists)$/.test(route)),
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
