/** The search of stories through the socket: what is found, what is quoted, and that nothing comes through of what one may not see. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const ada = await signIn({ app, api, folder }, 'ada', 'contributor')
const eve = await signIn({ app, api, folder }, 'eve', 'contributor')

let sync = ''
const act = async (method: string, path: string, body: object = {}, as = ada.token): Promise<Received> => {
  const headers = method === 'PUT' || method === 'PATCH' ? { 'if-match': '*' } : {}
  const answer = await api(method, path, { as, body, headers })
  if (answer.status >= 300) throw new Error(answer.text)
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
type Who = { readonly token: string } | undefined
const search = (query: string, who?: Who): Promise<Received> =>
  api('GET', `/v1/search/stories?${query}`, {
    ...defined({ as: who ? who.token : undefined }),
    headers: { 'sync-token': sync },
  })
type Item = {
  readonly story: { readonly id: string; readonly title: string }
  readonly matched: string
  readonly covered: number
  readonly chapterId?: string
  readonly highlights: readonly {
    readonly pointer: string
    readonly text: string
    readonly ranges: readonly { readonly start: number; readonly end: number }[]
  }[]
}
const itemsOf = ({ json }: Received): readonly Item[] => (Array.isArray(json['items']) ? json['items'] : [])
const titles = async (query: string, who?: Who): Promise<readonly string[]> =>
  itemsOf(await search(query, who)).map(({ story }) => story.title)

type Published = { readonly story: string; readonly id: string; readonly chapter: string }
const publish = async (title: string, text: string, more: object = {}): Promise<Published> => {
  const about = { language: 'en', title, visibility: 'public', ...more }
  const id = String((await act('POST', '/v1/stories', about)).json['id'])
  const story = `/v1/stories/${id}`
  const chapter = `${story}/chapters/${String((await act('POST', `${story}/chapters`, { title: 'One' })).json['id'])}`
  await act('PUT', `${chapter}/draft`, { title: 'One', text })
  await act('POST', `${chapter}/publish`)
  await act('POST', `${story}/publish`)
  return { story, id, chapter }
}

t.test('stories are found by title, tags, summary and text, in this order, each once', async t => {
  await publish('Lantern', 'A lantern shone over the *quiet* harbour, and no boats came.')
  await publish('Nightfall', 'Nothing is told here of it.', { tags: ['Lanterns'] })
  await publish('Dusk', 'Nothing is told here of it.', { summary: 'Who lights the lantern?' })
  const text = await publish('Dawn', 'It was late. Two lanterns burnt at the gate.')
  const found = itemsOf(await search('q=the+LANTERNS'))
  t.same(
    found.map(({ matched, covered }) => [matched, covered]),
    [
      ['title', 1],
      ['title', 1],
      ['summary', 1],
      ['text', 1],
    ],
  )
  t.same(new Set(found.map(({ story }) => story.title)), new Set(['Lantern', 'Nightfall', 'Dusk', 'Dawn']))
  const quote = found.at(-1)
  t.equal(`${text.story}/chapters/${quote?.chapterId}`, text.chapter)
  t.same(quote?.highlights, [
    { pointer: '/text', text: 'It was late. Two lanterns burnt at the gate.', ranges: [{ start: 17, end: 25 }] },
  ])
  t.match(found.find(({ story }) => story.title === 'Nightfall')?.highlights, [{ pointer: '/tags/0', ranges: [{}] }])
  t.match(found[2]?.highlights, [{ pointer: '/summary' }])
  const pages: string[] = []
  let next = ''
  do {
    const { json } = await search(`q=lanterns&limit=1${next}`)
    for (const { story } of (json['items'] as readonly Item[] | undefined) ?? []) pages.push(story.title)
    next = json['next'] ? `&cursor=${String(json['next'])}` : ''
  } while (next !== '')
  t.same(
    pages,
    found.map(({ story }) => story.title),
    'page by page',
  )
  t.same(
    await titles('q=lantern+gate+moon'),
    ['Dawn', ...(await titles('q=lantern+gate+moon')).slice(1)],
    'most words first',
  )
  t.match(itemsOf(await search('q=the+lantern+gate+moon')), [
    { story: { title: 'Dawn' }, matched: 'part', covered: 0.67 },
    { covered: 0.33 },
    { covered: 0.33 },
    { covered: 0.33 },
  ])
})

t.test('filters of the list hold', async t => {
  await publish('Marmot', 'The marmot slept all the winter.', { tags: ['alps'], warnings: ['death'] })
  await publish('Murmeltier', 'Das Marmot schlief im Winter.', { language: 'de' })
  t.same(new Set(await titles('q=marmot')), new Set(['Marmot', 'Murmeltier']))
  t.same(await titles('q=marmot&language=de'), ['Murmeltier'])
  t.same(await titles('q=marmot&tag=ALPS'), ['Marmot'])
  t.same(await titles('q=marmot&withoutTag=alps'), ['Murmeltier'])
  t.same(await titles('q=marmot&withoutWarning=death'), ['Murmeltier'])
  t.same(await titles('q=marmot&minWords=100'), [])
  t.same(await titles(`q=marmot&author=${eve.id}`), [])
})

t.test('what has no word, or too many, is refused', async t => {
  for (const q of ['%3F%3F', Array.from('abcdefghijklm').join('+'), 'x'.repeat(200), '%00a'])
    t.match(await search(`q=${q}`), { status: 422, code: 'text-invalid' }, q)
  t.equal((await search('q=')).status, 400)
  t.equal((await search('q=a&limit=51')).status, 400)
  t.equal((await search('q=a&cursor=forged')).status, 400)
})

t.test('what one may not see is found by nothing, whoever asks, and told of in no number', async t => {
  const secret = 'Zephyrine'
  const text = `The ${secret} stood there, and nobody knew it.`
  const none = async (query: string, who?: Who, what = query) => {
    const { json } = await search(query, who)
    t.same(json, { items: [], next: null }, what)
  }
  const cases = {
    private: await publish(secret, text, { visibility: 'private', tags: [secret] }),
    unlisted: await publish(secret, text, { visibility: 'unlisted', tags: [secret] }),
  }
  const hidden = await publish(secret, text)
  await act('POST', `${hidden.story}/unpublish`)
  const moved = await publish(secret, text)
  await act('PATCH', moved.story, { visibility: 'private' })
  const gone = await publish(secret, text)
  await act('DELETE', gone.story)
  for (const who of [undefined, eve, ada]) await none(`q=${secret}`, who)
  const members = await publish('Members', text, { visibility: 'members' })
  await none(`q=${secret}`, undefined, 'to strangers, of what is for members')
  t.same(await titles(`q=${secret}`, eve), ['Members'])
  await act('DELETE', members.story)
  const adult = await publish('Adults', text, { rating: 'explicit' })
  await none(`q=${secret}`, undefined, 'to strangers, of what is for adults')
  await none(`q=${secret}`, eve, 'to who has not asked for it')
  await act('PATCH', '/v1/me/preferences', { adult: true }, eve.token)
  t.same(await titles(`q=${secret}`, eve), ['Adults'])
  await act('PATCH', adult.story, { rating: 'general' })
  t.same(await titles(`q=${secret}`), ['Adults'])
  await act('DELETE', adult.story)
  await act('PATCH', cases.unlisted.story, { visibility: 'public', title: 'Shown', tags: [] })
  t.same(await titles(`q=${secret}`), ['Shown'], 'found once it is listed')
})

t.test('what is a draft, was taken back, or was purged is found no more', async t => {
  const { story, chapter } = await publish('Quince', 'The quillfeather is written here.')
  await act('PUT', `${chapter}/draft`, { title: 'One', text: 'The brontosaur is written here.' })
  t.same(await titles('q=brontosaur', ada), [], 'a draft, to its author too')
  t.same(await titles('q=quillfeather'), ['Quince'])
  await act('POST', `${chapter}/publish`)
  t.same([await titles('q=quillfeather'), await titles('q=brontosaur')], [[], ['Quince']])
  await act('DELETE', `${chapter}/history`)
  t.same(await titles('q=brontosaur'), ['Quince'], 'what stands stays after a purge')
  const other = `${story}/chapters/${String((await act('POST', `${story}/chapters`, { title: 'Two' })).json['id'])}`
  await act('PUT', `${other}/draft`, { title: 'Two', text: 'A second one, of xylographers.' })
  t.same(await titles('q=xylographer'), [])
  await act('POST', `${other}/publish`)
  t.same(await titles('q=xylographers'), ['Quince'])
  t.match(itemsOf(await search('q=xylographer+quince'))[0], { matched: 'part', covered: 1 }, 'in title and text')
  await act('POST', `${other}/unpublish`)
  t.same(await titles('q=xylographer'), [])
  t.match(itemsOf(await search('q=xylographer+quince'))[0], { covered: 0.5 }, 'no number tells of it')
  await act('POST', `${other}/publish`)
  await act('DELETE', other)
  t.same(await titles('q=xylographer'), [])
})

/** The files of the stores that a word stands in. */
const filesWith = (word: string): readonly string[] =>
  readdirSync(folder).filter(name => /\.db/.test(name) && readFileSync(join(folder, name)).includes(word))

t.test('what was deleted stands in no file any more: neither the text nor what it was found by', async t => {
  const kept = await publish('Plover', 'A whimbrelkin is written here.', { summary: 'Of a dunlinette.' })
  const other = `${kept.story}/chapters/${String((await act('POST', `${kept.story}/chapters`, { title: 'Two' })).json['id'])}`
  await act('PUT', `${other}/draft`, { title: 'Two', text: 'And a godwitling, of course.' })
  await act('POST', `${other}/publish`)
  const words = ['whimbrelkin', 'dunlinett', 'godwitl']
  for (const word of words) {
    await search(`q=${word}`)
    await until(`${word} is in a file`, () => filesWith(word).length > 0)
  }
  await act('DELETE', other)
  await until('the chapter is in none', () => filesWith('godwitl').length === 0)
  t.same(await titles('q=whimbrelkin'), ['Plover'])
  await act('DELETE', kept.story)
  for (const word of words) await until(`${word} is in none`, () => filesWith(word).length === 0)
  t.same(await titles('q=whimbrelkin'), [])
})
