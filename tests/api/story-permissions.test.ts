/**
 * Every route of one story, asked by everybody who may stand to it in some relation, of a story of every visibility, published and
 * not: held against the table in tests/fixtures/story-permissions.md. What is not in the table fails here. Commands are dry runs.
 */
import t from 'tap'
import { areas } from '../../src/app/areas.ts'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
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
const house = { app, api, folder }
const { author, people, tokens, suspend } = await signInStoryPeople(house)
const { must, read, latest } = openFollowing(api)
const idOf = (name: string): string => people[name]?.id ?? ''
const write = async (method: string, path: string, as: string | undefined, body?: object) =>
  must(await api(method, path, defined({ as, body })))

/** Of each a story: written by two, one of whom was a third once; somebody is invited; two chapters are published. */
const made = async (body: object, isPublished: boolean): Promise<string> => {
  const { json } = await write('POST', '/v1/stories', author.token, { language: 'en', title: 'Light', ...body })
  const path = `/v1/stories/${String(json['id'])}`
  for (const name of ['co-author', 'suspended co-author', 'former author', 'invited'])
    await write('POST', `${path}/invitations`, author.token, { accountId: idOf(name) })
  for (const name of ['co-author', 'suspended co-author', 'former author'])
    await write('POST', `${path}/invitations/accept`, tokens[name], {})
  await write('DELETE', `${path}/authors/me`, tokens['former author'])
  for (const chapter of ['one', 'two'])
    for (const told of ['added', 'shown'])
      await write('POST', path.replace('/stories/', '/told/'), author.token, { told, chapter, words: 10 })
  if (isPublished) await write('POST', `${path}/publish`, author.token, {})
  return path
}
const removed = async (): Promise<string> => {
  const path = await made({ visibility: 'public' }, true)
  await write('DELETE', path, author.token)
  return path
}
const objects: Readonly<Record<string, string>> = {
  'private draft': await made({ visibility: 'private' }, false),
  'public draft': await made({ visibility: 'public' }, false),
  private: await made({ visibility: 'private' }, true),
  unlisted: await made({ visibility: 'unlisted' }, true),
  members: await made({ visibility: 'members' }, true),
  public: await made({ visibility: 'public' }, true),
  adult: await made({ visibility: 'public', rating: 'explicit' }, true),
  removed: await removed(),
  nothing: '/v1/stories/00000000-0000-4000-8000-000000000000',
}
await suspend()

/** `yes`: it is shown, or would be done; `all`: it is shown with what its authors alone see. */
const seen = ({ status, json }: Received): string =>
  status !== 200 ? String(status) : 'invited' in json ? 'all' : 'yes'
const listed = async (path: string, as: string | undefined): Promise<string> => {
  const answer = await read(path.slice(0, path.lastIndexOf('#')), as)
  const id = path.slice(path.lastIndexOf('/') + 1)
  const items: unknown = answer.json['items']
  if (answer.status !== 200) return String(answer.status)
  return Array.isArray(items) && items.some(item => [Object(item).id, Object(item).storyId].includes(id)) ? 'yes' : 'no'
}
const would =
  (method: string, what: string, body?: object) =>
  async (path: string, as: string | undefined): Promise<string> => {
    const headers = { 'if-match': '*', 'sync-token': latest() }
    const answer = await api(method, `${path}${what}?dryRun=true`, { headers, ...defined({ as, body }) })
    return answer.status === 200 ? 'yes' : String(answer.status)
  }
const asked: Readonly<Record<string, (path: string, as: string | undefined) => Promise<string>>> = {
  'GET /v1/stories/{id}': async (path, as) => seen(await read(path, as)),
  'GET /v1/stories/{id}/history': async (path, as) => seen(await read(`${path}/history`, as)),
  'GET /v1/stories': (path, as) => listed(`/v1/stories?limit=100#${path}`, as),
  'GET /v1/me/stories': (path, as) => listed(`/v1/me/stories?limit=100#${path}`, as),
  'GET /v1/me/invitations': (path, as) => listed(`/v1/me/invitations?limit=100#${path}`, as),
  'PATCH /v1/stories/{id}': would('PATCH', '', { title: 'Lamp' }),
  'POST /v1/stories/{id}/publish': would('POST', '/publish', {}),
  'POST /v1/stories/{id}/unpublish': would('POST', '/unpublish', {}),
  'POST /v1/stories/{id}/complete': would('POST', '/complete', {}),
  'POST /v1/stories/{id}/reopen': would('POST', '/reopen', {}),
  'POST /v1/stories/{id}/schedule': would('POST', '/schedule', { at: '2126-12-24T18:00', timeZone: 'UTC' }),
  'DELETE /v1/stories/{id}/schedule': would('DELETE', '/schedule'),
  'PUT /v1/stories/{id}/chapters/order': would('PUT', '/chapters/order', { chapters: ['two', 'one'] }),
  'POST /v1/stories/{id}/invitations': would('POST', '/invitations', { accountId: idOf('admin') }),
  'DELETE /v1/stories/{id}/invitations/{accountId}': would('DELETE', `/invitations/${idOf('invited')}`),
  'POST /v1/stories/{id}/invitations/accept': would('POST', '/invitations/accept', {}),
  'POST /v1/stories/{id}/invitations/decline': would('POST', '/invitations/decline', {}),
  'DELETE /v1/stories/{id}/authors/me': would('DELETE', '/authors/me'),
  'POST /v1/stories/{id}/orphan': would('POST', '/orphan', {}),
  'DELETE /v1/stories/{id}': would('DELETE', ''),
}
/** Not of one story, or of what tests/api/chapter-permissions.test.ts and others look at: chapters, shelves, words. */
const elsewhere =
  /^(POST \/v1\/stories$|\S+ \/v1\/(stories\/\{id\}\/(?!history|publish|unpublish|complete|reopen|schedule|chapters\/order|invitations|authors|orphan)))/

t.test('the table names every route of a story and every relation to one', t => {
  const { columns, rows } = readTables(fixture).get('Stories') ?? { columns: [], rows: new Map<string, never>() }
  t.same([...columns], Object.keys(tokens))
  t.same(
    [...rows.keys()],
    Object.keys(asked).flatMap(route => Object.keys(objects).map(object => `${route} ${object}`)),
  )
  const routes = Object.entries(api.document.paths).flatMap(([path, methods]) =>
    path.startsWith('/v1/stories') ? Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`) : [],
  )
  t.same(
    routes.filter(route => !(route in asked) && !elsewhere.test(route)),
    [],
  )
  t.end()
})

for (const [route, ask] of Object.entries(asked))
  t.test(route, async t => {
    const written = readTables(fixture).get('Stories')?.rows ?? new Map<string, never>()
    for (const [object, path] of Object.entries(objects)) {
      const found: Record<string, string> = {}
      for (const [name, as] of Object.entries(tokens)) found[name] = await ask(path, as)
      t.same(found, written.get(`${route} ${object}`), object)
    }
  })

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
