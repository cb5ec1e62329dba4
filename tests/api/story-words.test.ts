/** Words of stories and uses of entries through the socket, and that nothing comes through of what one may not see. */
import t from 'tap'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const ada = await signIn({ app, api, folder }, 'ada', 'editor')
const eve = await signIn({ app, api, folder }, 'eve', 'contributor')
const { must, read } = openFollowing(api)

const act = async (method: string, path: string, body: object = {}, as = ada.token): Promise<Received> => {
  const headers = method === 'PUT' || method === 'PATCH' || path.startsWith('/v1/entries/') ? { 'if-match': '*' } : {}
  return must(await api(method, path, { as, body, headers }))
}
const entry = async (lemma: string, more: object = {}, isPublished = true): Promise<string> => {
  const body = { language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: 'a word' }], ...more }
  const path = `/v1/entries/${String((await act('POST', '/v1/entries', body)).json['id'])}`
  if (isPublished) await act('POST', `${path}/publish`)
  return path
}
type Written = { readonly story: string; readonly id: string; readonly chapter: string }
const chapterIn = async (story: string, text: string): Promise<string> => {
  const chapter = `${story}/chapters/${String((await act('POST', `${story}/chapters`, { title: 'One' })).json['id'])}`
  await act('PUT', `${chapter}/draft`, { title: 'One', text })
  await act('POST', `${chapter}/publish`)
  return chapter
}
const write = async (title: string, text: string, more: object = {}): Promise<Written> => {
  const about = { language: 'en', title, visibility: 'public', ...more }
  const id = String((await act('POST', '/v1/stories', about)).json['id'])
  const story = `/v1/stories/${id}`
  const chapter = await chapterIn(story, text)
  await act('POST', `${story}/publish`)
  return { story, id, chapter }
}
type Word = {
  readonly entry: { readonly lemma: string }
  readonly matched: string
  readonly word: string
  readonly chapterId: string
}
type Use = { readonly story: { readonly title: string }; readonly matched: string; readonly chapterId: string }
const items = <Item>({ json }: Received): readonly Item[] => (Array.isArray(json['items']) ? json['items'] : [])
const wordsOf = async (path: string, as?: string): Promise<readonly string[]> =>
  items<Word>(await read(path, as)).map(({ entry: { lemma }, matched, word }) => `${lemma} ${matched} ${word}`)
const usesOf = async (path: string, as?: string): Promise<readonly string[]> =>
  items<Use>(await read(`${path}/stories`, as)).map(({ story: { title }, matched }) => `${title} ${matched}`)

const lantern = await entry('lantern')
const goose = await entry('goose', { forms: [{ form: 'geese', tags: ['plural'] }] })
const harbour = await entry('harbour', { variants: ['harbor'] })
const resume = await entry('résumé')
await entry('the')
const draft = await entry('quay', {}, false)
const german = await entry('Gate', { language: 'de' })
const first = await write('Dawn', 'The Lanterns shone. A lantern, by the *harbor*, and geese.')

t.test('a story has the words that the dictionary has, by key, form and stem', async t => {
  t.same(
    new Set(await wordsOf(`${first.story}/words`)),
    new Set(['lantern key lantern', 'goose form geese', 'harbour form harbor']),
  )
  const second = await chapterIn(first.story, 'Lanterns at the quay gate, and a RESUME of it.')
  const all = items<Word>(await read(`${first.story}/words`))
  t.equal(all.length, 4, 'each once')
  const own = `${first.story}/words?chapter=${second.split('/').at(-1)}`
  t.same(new Set(await wordsOf(own)), new Set(['lantern stem Lanterns', 'résumé key RESUME']))
  for (const { chapterId } of all) t.ok([first.chapter, second].includes(`${first.story}/chapters/${chapterId}`))
  const pages: string[] = []
  let cursor = ''
  do {
    const page = await read(`${first.story}/words?limit=1${cursor}`)
    pages.push(...items<Word>(page).map(({ entry: { lemma } }) => lemma))
    cursor = page.json['next'] ? `&cursor=${String(page.json['next'])}` : ''
  } while (cursor !== '')
  t.same(
    pages,
    all.map(({ entry: { lemma } }) => lemma),
    'page by page',
  )
})

t.test('it follows the entries and the chapters', async t => {
  const { story, chapter } = await write('Noon', 'The quay was quiet at noon that day.')
  t.same(await wordsOf(`${story}/words`, ada.token), [], 'an entry that is not published, to its author too')
  t.same(items(await read(`${draft}/stories`, ada.token)), [])
  await act('POST', `${draft}/publish`)
  t.same(
    [await wordsOf(`${story}/words`), await usesOf(draft)].map(each => each.length),
    [1, 2],
  )
  await act('PUT', `${chapter}/draft`, { title: 'One', text: 'Nothing is said of it any more.' })
  t.equal((await wordsOf(`${story}/words`)).length, 1, 'a draft changes nothing')
  await act('POST', `${chapter}/publish`)
  t.same([await wordsOf(`${story}/words`), await usesOf(draft)], [[], ['Dawn key']])
  await act('POST', `${draft}/retire`, { reason: 'spam' })
  t.equal((await read(`${draft}/stories`)).status, 410)
  t.notOk((await wordsOf(`${first.story}/words`)).some(word => word.startsWith('quay')))
})

t.test('an entry is used by stories of its language, each once, in its best way', async t => {
  t.same(await usesOf(goose), ['Dawn form'])
  await write('Geese', 'Goose and gander went to the lake.', { language: 'en-GB' })
  t.same(new Set(await usesOf(goose)), new Set(['Dawn form', 'Geese key']))
  t.same(await usesOf(german), [], 'of another language')
  t.same(await usesOf(resume), ['Dawn key'])
  t.equal((await read(`${harbour.slice(0, -4)}0000/stories`)).code, 'entry-not-found')
  const [use] = items<Use>(await read(`${lantern}/stories`))
  t.equal(`${first.story}/chapters/${use?.chapterId}`, first.chapter)
})

t.test('what one may not see uses nothing, whoever asks', async t => {
  const word = await entry('zephyrine')
  const text = 'The zephyrine stood there, and nobody knew it.'
  const hidden = [
    await write('A', text, { visibility: 'private' }),
    await write('B', text, { visibility: 'unlisted' }),
    await write('C', text),
    await write('D', text),
  ]
  await act('POST', `${hidden[2]?.story}/unpublish`)
  await act('DELETE', `${hidden[3]?.story}`)
  for (const as of [undefined, eve.token, ada.token])
    t.same((await read(`${word}/stories`, as)).json, { items: [], next: null })
  const statuses = async (as?: string) => {
    const found: number[] = []
    for (const { story } of hidden) found.push((await read(`${story}/words`, as)).status)
    return found
  }
  t.same(await statuses(eve.token), [404, 200, 404, 404])
  t.same(await statuses(ada.token), [200, 200, 200, 404])
  const members = await write('Members', text, { visibility: 'members' })
  t.same([await usesOf(word), await usesOf(word, eve.token)], [[], ['Members key']])
  t.equal((await read(`${members.story}/words`)).status, 404)
  const adult = await write('Adults', text, { rating: 'explicit' })
  t.same(await usesOf(word, eve.token), ['Members key'])
  t.equal((await read(`${adult.story}/words`, eve.token)).code, 'adult-content')
  t.same(await wordsOf(`${adult.story}/words?adult=true`), ['zephyrine key zephyrine'])
  await act('PATCH', '/v1/me/preferences', { adult: true }, eve.token)
  t.same(new Set(await usesOf(word, eve.token)), new Set(['Members key', 'Adults key']))
  t.same(await usesOf(word), [])
})

t.test('a chapter that is taken back uses nothing, and is none to ask for', async t => {
  const word = await entry('xylograph')
  const { story, chapter } = await write('Wood', 'A story of wood, and what is cut of it.')
  const cut = await chapterIn(story, 'A xylograph hung on the wall there.')
  const own = `${story}/words?chapter=${cut.split('/').at(-1)}`
  t.same([await usesOf(word), await wordsOf(own)], [['Wood key'], ['xylograph key xylograph']])
  await act('POST', `${cut}/unpublish`)
  t.same([await usesOf(word), (await read(own, ada.token)).code], [[], 'chapter-not-found'])
  t.equal((await read(`${story}/words?chapter=${first.chapter.split('/').at(-1)}`)).code, 'chapter-not-found')
  t.equal((await read(`${story}/words?chapter=x`)).status, 400)
  t.ok(chapter)
})

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
