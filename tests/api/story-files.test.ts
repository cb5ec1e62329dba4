/** Feeds and files of stories through the socket: what may be found, in the forms of Atom, EPUB and CommonMark. */
import { unzipSync } from 'fflate'
import t from 'tap'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { elementsOf } from '../support/xml.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const ada = await signIn({ app, api, folder }, 'ada', 'contributor')

let sync = ''
const act = async (method: string, path: string, body: object = {}): Promise<Received> => {
  const headers = method === 'PUT' ? { 'if-match': '*' } : {}
  const answer = await api(method, path, { as: ada.token, body, headers })
  if (answer.status >= 300) throw new Error(answer.text)
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const read = (path: string, headers = {}) => api('GET', path, { headers: { 'sync-token': sync, ...headers } })
const publish = async (title: string, text: string, more: object = {}) => {
  const about = { language: 'en', title, visibility: 'public', tags: ['Salt & Sea'], ...more }
  const story = `/v1/stories/${String((await act('POST', '/v1/stories', about)).json['id'])}`
  for (const name of ['One <1>', 'Two *2*']) {
    const { json } = await act('POST', `${story}/chapters`, { title: name })
    const chapter = `${story}/chapters/${String(json['id'])}`
    await act('PUT', `${chapter}/draft`, { title: name, text: `${text} ${name.slice(0, 3)}` })
    await act('POST', `${chapter}/publish`)
    await app.clock.advance(1000)
  }
  await act('POST', `${story}/chapters`, { title: 'A draft' })
  await act('POST', `${story}/publish`)
  return story
}
const titlesIn = ({ text }: Received): readonly string[] =>
  [...text.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title ?? '')

t.test('a story, its author and its tag are followed by feeds', async t => {
  const story = await publish('Lighthouse & "Keeper"', '# Sea\n\n*Waves* & <b>wind</b>\n\nEnd.', { summary: 'All.' })
  const feed = await read(`${story}/feed`)
  t.equal(feed.headers.get('content-type'), 'application/atom+xml; charset=utf-8')
  elementsOf(feed.text)
  t.same(titlesIn(feed), ['Lighthouse &amp; &quot;Keeper&quot;', 'Two *2*', 'One &lt;1&gt;'], 'newest first, no draft')
  const own = await api('GET', `${story}/feed`, { as: ada.token, headers: { 'sync-token': sync } })
  t.same(titlesIn(own), titlesIn(feed), 'its author finds no drafts in it either')
  const etag = feed.headers.get('etag') ?? ''
  t.equal((await read(`${story}/feed`, { 'if-none-match': etag })).status, 304)
  for (const path of [`/v1/profiles/${ada.id}/feed`, '/v1/tags/SALT%20%26%20sea/feed']) {
    const found = await read(path)
    elementsOf(found.text)
    t.same(titlesIn(found).slice(1), ['Lighthouse &amp; &quot;Keeper&quot;'], path)
    t.match(found.text, '<summary>All.</summary>')
  }
  const nobody = await read('/v1/profiles/00000000-0000-4000-8000-000000000000/feed')
  t.same([nobody.status, titlesIn(nobody)], [200, ['Stories']])
})

t.test('what may not be found is in no feed, and in no file', async t => {
  const hidden = await publish('Hidden', 'By the sea.', { visibility: 'private' })
  const unlisted = await publish('Unlisted', 'By the sea.', { visibility: 'unlisted' })
  const adults = await publish('Adults', 'By the sea.', { rating: 'explicit' })
  const members = await publish('Members', 'By the sea.', { visibility: 'members' })
  for (const path of [`/v1/profiles/${ada.id}/feed`, '/v1/tags/salt%20%26%20sea/feed'])
    t.notMatch((await read(path)).text, /Hidden|Unlisted|Adults|Members/, path)
  for (const what of ['feed', 'export']) {
    for (const story of [hidden, members])
      t.match(await read(`${story}/${what}`), { status: 404, code: 'story-not-found' }, `${story}/${what}`)
    t.match(await read(`${adults}/${what}`), { status: 403, code: 'adult-content' })
    t.equal((await read(`${adults}/${what}?adult=true`)).status, 200)
    t.equal((await read(`${unlisted}/${what}`)).status, 200, 'who has its id reads it')
  }
})

t.test('a story is taken away as a book, and as CommonMark', async t => {
  const story = await publish('Harbour_1', 'A *new* day & more.\n\n***\n\n1. one', { summary: 'With [signs].' })
  const path = `${app.url}${story}/export`
  const answer = await fetch(path, { headers: { 'sync-token': sync } })
  t.equal(answer.headers.get('content-type'), 'application/epub+zip')
  t.match(answer.headers.get('content-disposition'), /^attachment; filename="[0-9a-f-]{36}\.epub"$/)
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()))
  const names = Object.keys(files)
  t.equal(names.filter(name => name.includes('chapter-')).length, 2, 'no draft')
  for (const name of names.slice(1)) elementsOf(Buffer.from(files[name] ?? []).toString())
  const [first = ''] = names.filter(name => name.includes('chapter-'))
  t.match(Buffer.from(files[first] ?? []).toString(), '<em>new</em> day &amp; more.')
  const markdown = await fetch(`${path}?format=markdown`)
  t.equal(markdown.headers.get('content-type'), 'text/markdown; charset=utf-8')
  t.equal(
    await markdown.text(),
    [
      '# Harbour\\_1\n',
      '<!-- summary -->\n\nWith \\[signs\\]\\.\n',
      '<!-- chapter -->\n\n## One \\<1\\>\n\nA *new* day & more.\n\n***\n\n1. one One\n',
      '<!-- chapter -->\n\n## Two \\*2\\*\n\nA *new* day & more.\n\n***\n\n1. one Two\n',
    ].join('\n'),
  )
  t.equal((await read(`${story}/export?format=pdf`)).status, 400)
  const head = await fetch(path, { method: 'HEAD' })
  t.same([head.status, await head.text()], [200, ''])
  const empty = await act('POST', '/v1/stories', { language: 'en', title: 'Empty' })
  const own = await api('GET', `/v1/stories/${String(empty.json['id'])}/export`, {
    as: ada.token,
    headers: { 'sync-token': sync },
  })
  t.match(own, { status: 422, code: 'story-incomplete' })
})

t.test('answers agree with the document', t => {
  t.same(api.faults, [])
  t.end()
})
