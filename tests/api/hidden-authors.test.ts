/**
 * What is written by somebody whom one has blocked or muted, or was blocked by, is in none of the lists that one did not ask for it in by
 * its id; at its own address it is there. Nobody sees by that which of two has blocked the other.
 */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const person = (name: string, role: 'contributor' | 'moderator' | 'editor' = 'contributor') =>
  signIn({ app, api, folder }, name, role)
const ada = await person('ada')
const eve = await person('eve', 'editor')
const readers = {
  eve,
  'who mutes her': await person('ben'),
  'who blocks her': await person('cora'),
  'whom she blocks': await person('dan'),
  'a moderator who mutes her': await person('mod', 'moderator'),
  ada,
}
type Name = keyof typeof readers | 'stranger'
const names: readonly Name[] = [
  'stranger',
  'eve',
  'who mutes her',
  'who blocks her',
  'whom she blocks',
  'a moderator who mutes her',
  'ada',
]
const tokenOf = (name: Name): string | undefined => (name === 'stranger' ? undefined : readers[name].token)
const { must, read } = openFollowing(api)
const act = async (method: string, path: string, as: string, body?: object): Promise<Received> => {
  const headers =
    /^\/v1\/entries\/|\/(draft|order|stories)$/.test(path) && path !== '/v1/stories' ? { 'if-match': '*' } : {}
  return must(await api(method, path, { as, headers, ...defined({ body }) }))
}

const begun = await act('POST', '/v1/entries', eve.token, {
  language: 'en',
  lemma: 'lantern',
  partOfSpeech: 'noun',
  senses: [{ gloss: 'a light' }],
})
const entry = `/v1/entries/${String(begun.json['id'])}`
await act('POST', `${entry}/publish`, eve.token, {})
const write = async (title: string, by: string, also?: { readonly id: string; readonly token: string }) => {
  const about = { language: 'en', title, tags: ['Sea'], visibility: 'public' }
  const story = `/v1/stories/${String((await act('POST', '/v1/stories', by, about)).json['id'])}`
  const chapter = `${story}/chapters/${String((await act('POST', `${story}/chapters`, by, { title: 'One' })).json['id'])}`
  await act('PUT', `${chapter}/draft`, by, { title: 'One', text: 'By the lantern.' })
  await act('POST', `${chapter}/publish`, by, {})
  await act('POST', `${story}/publish`, by, {})
  if (also) {
    await act('POST', `${story}/invitations`, by, { accountId: also.id })
    await act('POST', `${story}/invitations/accept`, also.token, {})
  }
  return { story, id: story.slice('/v1/stories/'.length), title }
}
const hers = await write('Hers', ada.token)
const shared = await write('Shared', eve.token, ada)
const other = await write('Other', eve.token)
const all = [hers, shared, other]
const seriesOf = async (title: string, by: string, stories: readonly string[]): Promise<string> => {
  const series = `/v1/series/${String((await act('POST', '/v1/series', by, { title })).json['id'])}`
  await act('PUT', `${series}/order`, by, { stories })
  return series
}
const herSeries = await seriesOf('Her series', ada.token, [hers.id, shared.id])
const otherSeries = await seriesOf('Other series', eve.token, [shared.id, other.id])
const list = `/v1/lists/${String((await act('POST', '/v1/me/lists', eve.token, { title: 'To read', isPrivate: false })).json['id'])}`
await act('PUT', `${list.replace('/v1/lists', '/v1/me/lists')}/stories`, eve.token, {
  stories: all.map(({ id }) => id),
})
await act('PUT', `/v1/me/bookmarks/${other.id}`, ada.token, { isPrivate: false })

const mutes = ['who mutes her', 'a moderator who mutes her'] as const
const relate = async (method: 'PUT' | 'DELETE'): Promise<void> => {
  for (const name of mutes) await act(method, `/v1/me/mutes/${ada.id}`, readers[name].token)
  await act(method, `/v1/me/blocks/${ada.id}`, readers['who blocks her'].token)
  await act(method, `/v1/me/blocks/${readers['whom she blocks'].id}`, ada.token)
}

const listed: Readonly<Record<string, string>> = {
  'GET /v1/stories': '/v1/stories?limit=100',
  'by tag': '/v1/stories?tag=sea&limit=100',
  'of a series': `/v1/stories?series=${otherSeries.slice('/v1/series/'.length)}`,
  'by what is said': '/v1/search/stories?q=lantern&limit=50',
  'that use a word': `${entry}/stories?limit=100`,
  'feed of a tag': '/v1/tags/sea/feed',
  'in a list of somebody': list,
}
const titlesIn = ({ text }: Received): string =>
  all
    .filter(({ id }) => text.includes(id))
    .map(({ title }) => title)
    .join(' ')
const hides: ReadonlySet<Name> = new Set<Name>(['who mutes her', 'who blocks her', 'whom she blocks'])

t.test('lists', async t => {
  await relate('PUT')
  for (const [where, path] of Object.entries(listed))
    for (const name of names) {
      const expected = where === 'of a series' ? ['Shared Other', 'Other'] : ['Hers Shared Other', 'Other']
      t.equal(titlesIn(await read(path, tokenOf(name))), expected[Number(hides.has(name))], `${where}, ${name}`)
    }
  for (const name of names) {
    const answer = await read(`/v1/stories?author=${ada.id}`, tokenOf(name))
    t.equal(titlesIn(answer), hides.has(name) ? '' : 'Hers Shared', `of hers, ${name}`)
    t.equal((await read(`/v1/profiles/${ada.id}/feed`, tokenOf(name))).text.includes(hers.id), !hides.has(name), name)
  }
})

t.test('pages are whole where some of what would stand on them is hidden', async t => {
  const first = await read('/v1/stories?limit=1', readers['who mutes her'].token)
  t.equal(titlesIn(first), 'Other')
})

t.test('series', async t => {
  const seen = async (path: string, name: Name): Promise<string> => titlesIn(await read(path, tokenOf(name)))
  for (const name of names) {
    const { text } = await read('/v1/series?limit=100', tokenOf(name))
    const series = ['Her series', 'Other series'].filter(title => text.includes(title)).join(', ')
    t.equal(series, hides.has(name) ? 'Other series' : 'Her series, Other series', name)
    t.equal(await seen(otherSeries, name), hides.has(name) ? 'Other' : 'Shared Other', name)
    t.match(await read(herSeries, tokenOf(name)), { status: 200, json: { title: 'Her series' } }, name)
    t.equal(await seen(herSeries, name), hides.has(name) ? '' : 'Hers Shared', name)
  }
})

t.test('bookmarks of others, and their number', async t => {
  for (const name of names) {
    const { json } = await read(`${other.story}/bookmarks`, tokenOf(name))
    const items: unknown = json['items']
    t.match([Array.isArray(items) && items.length, json['total']], hides.has(name) ? [0, 0] : [1, 1], name)
  }
})

t.test('at its own address it is there for all, and says nothing of a block', async t => {
  const answers = await Promise.all(names.map(name => read(hers.story, tokenOf(name))))
  t.same(
    answers.map(({ status, json }) => [status, json['title']]),
    names.map(() => [200, 'Hers']),
  )
  const told = (name: Name) => answers[names.indexOf(name)]?.json
  t.same(told('who blocks her'), told('whom she blocks'))
  t.same(told('who blocks her'), told('eve'))
})

t.test('once nobody blocks or mutes anybody all is there again', async t => {
  await relate('DELETE')
  for (const name of names)
    t.equal(titlesIn(await read('/v1/stories?limit=100', tokenOf(name))), 'Hers Shared Other', name)
})

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
