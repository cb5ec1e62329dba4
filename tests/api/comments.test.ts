/** Comments through the socket: who says what where, what shows of it to whom, and what is left when it goes. */

import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { unpublishStory } from '../../src/domain/story/decisions.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { openDrafts } from '../support/drafts.ts'
import { eraseNow, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { openStoryWriter } from '../support/stories.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const [ada, ben, cora, mod] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'ben', 'contributor'),
  await signIn(house, 'cora', 'contributor'),
  await signIn(house, 'mod', 'moderator'),
]
const stories = await openStoryWriter(t, house)
const nothing = '00000000-0000-4000-8000-000000000000'

let sync = ''
/** Reads what was written before; no `as`: a stranger. */
const ask = async (method: string, path: string, as?: Person, body?: unknown, more = {}) => {
  // Each is later than the one before.
  await app.clock.advance(5)
  const headers = { ...defined({ 'sync-token': sync || undefined }), ...more }
  const token = as === undefined ? {} : { as: as.token }
  const answer = await api(method, path, { ...token, ...defined({ body }), headers })
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []
const say = async (as: Person, id: string, text: string, more: object = {}): Promise<Received> =>
  ask('POST', '/v1/comments', as, { target: { kind: 'story', id }, text, ...more })
const said = async (as: Person, id: string, text: string, more: object = {}): Promise<string> => {
  const answer = await say(as, id, text, more)
  if (answer.status !== 201) throw new Error(answer.text)
  return String(answer.json['id'])
}
const thread = async (id: string, as?: Person, query = ''): Promise<Received> =>
  ask('GET', `/v1/stories/${id}/comments${query}`, as)
/** What stands in a thread, as somebody sees it: the text, or why it is a stub, after a dash for each level. */
const seen = async (id: string, as?: Person, query = ''): Promise<readonly string[]> =>
  items(await thread(id, as, query)).map(
    ({ depth, text, gone }) => `${'-'.repeat(Number(depth))} ${gone === undefined ? text : `[${gone}]`}`,
  )
const aStory = async (author = ada) => (await stories.publish(author.id, { title: 'Lighthouse' })).id

t.test('a comment is posted once, read by everybody, and answered', async t => {
  const id = await aStory()
  const keyed = { 'idempotency-key': 'first-words' }
  const body = { target: { kind: 'story', id }, text: 'It *shines* ![far](https://x.example/y.png).' }
  const made = await ask('POST', '/v1/comments', ben, body, keyed)
  t.match(made, { status: 201, json: { author: ben.id, depth: 1, replies: 0, open: true, storyId: id, revision: '0' } })
  const again = await ask('POST', '/v1/comments', ben, body, keyed)
  t.match(again, { status: 201, json: made.json })
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  const path = made.headers.get('location') ?? ''
  const read = await ask('GET', path)
  t.match(read, { status: 200, json: { text: body.text } })
  t.match(read.json['html'], /<em>shines<\/em>/)
  t.notMatch(read.json['html'], /<img/)
  await said(cora, id, 'So it does.', { parent: made.json['id'] })
  await said(cora, id, 'And the sea?')
  t.same(await seen(id), [`- ${body.text}`, '-- So it does.', '- And the sea?'])
  t.same(await seen(id, undefined, '?sort=-createdAt'), ['- And the sea?', `- ${body.text}`, '-- So it does.'])
  t.match((await thread(id)).json, { total: 3, totalRelation: 'eq', items: [{ replies: 1 }, {}, { replies: 0 }] })
  const first = await thread(id, undefined, '?limit=2')
  t.equal(items(first).length, 2)
  t.same(await seen(id, undefined, `?limit=2&cursor=${first.json['next']}`), ['- And the sea?'])
  t.same(await seen(id, undefined, `?under=${made.json['id']}`), ['-- So it does.'])
  t.match(await ask('GET', `/v1/comments/${nothing}`), { status: 404, code: 'comment-not-found' })
  t.match(await thread(id, undefined, `?under=${nothing}`), { status: 404, code: 'comment-not-found' })
  const dry = await ask('POST', '/v1/comments?dryRun=true', ben, body)
  t.match(dry.json, { events: [{ type: 'CommentPosted', data: { author: ben.id } }] })
  t.equal((await thread(id)).json['total'], 3, 'nothing was said')
})

t.test('nothing is said of what is not published, or not for one to see', async t => {
  const draftOf = await ask('POST', '/v1/stories', ada, { language: 'en', title: 'Draft' })
  const id = String(draftOf.json['id'])
  t.match(await say(ben, id, 'x'), { status: 404, code: 'story-not-found' })
  t.match(await say(ada, id, 'x'), { status: 409, code: 'comments-not-open' })
  t.match(await say(ben, nothing, 'x'), { status: 404, code: 'story-not-found' })
  t.match(await ask('POST', '/v1/comments', undefined, { target: { kind: 'story', id }, text: 'x' }), { status: 401 })
  for (const kind of ['chapter', 'entry'])
    t.match(await ask('POST', '/v1/comments', ben, { target: { kind, id: nothing }, text: 'x' }), {
      status: 404,
      code: `${kind}-not-found`,
    })
  const other = await aStory()
  const comment = await said(ben, other, 'Fine.')
  await stories.act(other, ada.id, unpublishStory)
  t.match(await ask('GET', `/v1/comments/${comment}`), { status: 404, code: 'comment-not-found' })
  t.match(await thread(other), { status: 404, code: 'story-not-found' })
  t.match(await say(ben, other, 'x'), { status: 404 })
  t.match(await say(ada, other, 'x'), { status: 409, code: 'comments-not-open' })
  t.same(await seen(other, ada), ['- Fine.'], 'its authors read on')
  t.match(items(await ask('GET', '/v1/me/comments', ben))[0], { id: comment, text: 'Fine.' }, 'and who said it')
})

t.test('chapters and entries have threads of their own', async t => {
  const id = await aStory()
  const begun = await ask('POST', `/v1/stories/${id}/chapters`, ada, { title: 'Two' })
  const chapterId = String(begun.json['id'])
  const about = async (as: Person, kind: string, target: string) =>
    ask('POST', '/v1/comments', as, { target: { kind, id: target }, text: `under a ${kind}` })
  t.match(await about(ben, 'chapter', chapterId), { status: 404, code: 'chapter-not-found' })
  t.match(await about(ada, 'chapter', chapterId), { status: 409, code: 'comments-not-open' })
  const chapter = `/v1/stories/${id}/chapters/${chapterId}`
  const saving = { 'if-match': begun.headers.get('etag') }
  const saved = await ask('PUT', `${chapter}/draft`, ada, { title: 'Two', text: 'It was a dark night.' }, saving)
  const publishing = { 'if-match': saved.headers.get('etag') }
  t.equal((await ask('POST', `${chapter}/publish`, ada, {}, publishing)).status, 200)
  await inTime(
    app,
    'the story hears of its chapter',
    async () => (await about(ben, 'chapter', chapterId)).status === 201,
  )
  t.match(items(await ask('GET', `${chapter}/comments`)), [{ text: 'under a chapter', storyId: id }])
  t.match(
    await ask('POST', `/v1/threads/chapter/${chapterId}/close`, ada, {}),
    { status: 200 },
    'its authors are the story’s',
  )
  const editor = await signIn(house, 'edith', 'editor')
  const drafts = openDrafts(api, { author: ben.token, editor: editor.token })
  const unpublished = await drafts.drafted()
  t.match(await about(ben, 'entry', String(unpublished.id)), { status: 409, code: 'comments-not-open' })
  const { id: entry } = await drafts.published()
  t.match(await about(ben, 'entry', String(entry)), { status: 201 })
  t.match(items(await ask('GET', `/v1/entries/${entry}/comments`)), [{ text: 'under a entry' }])
  t.match(await ask('POST', `/v1/threads/entry/${entry}/close`, editor, {}), { status: 403 }, 'an entry is nobody’s')
  t.match(await ask('POST', `/v1/threads/entry/${entry}/close`, mod, {}), { status: 200 })
  t.same(await seen(id), [])
})

t.test('a comment is edited until it is answered, and says what it said', async t => {
  const id = await aStory()
  const comment = await said(ben, id, 'Ferst.')
  const path = `/v1/comments/${comment}`
  t.match(await ask('PATCH', path, cora, { text: 'x' }), { status: 403, code: 'permission-denied' })
  t.match(await ask('PATCH', path, ben, { text: 'First.' }), { status: 200, json: { text: 'First.', revision: '1' } })
  t.match(items(await ask('GET', `${path}/history`)), [{ text: 'Ferst.' }, { text: 'First.' }])
  t.match(await ask('PATCH', path, ben, { text: ' ' }), { status: 422, code: 'text-invalid' })
  const answer = await said(cora, id, 'Second.', { parent: comment })
  t.equal((await thread(id)).json['total'], 2, 'it is counted')
  t.match(await ask('PATCH', path, ben, { text: 'x' }), { status: 409, code: 'comment-fixed' })
  await ask('DELETE', `/v1/comments/${answer}`, cora)
  await thread(id)
  t.match(await ask('PATCH', path, ben, { text: 'Once more.' }), { status: 200 })
  t.match(await ask('PATCH', `/v1/comments/${nothing}`, ben, { text: 'x' }), { status: 404 })
})

t.test('what is deleted is a stub as long as there is an answer, and its stub goes with the last', async t => {
  const id = await aStory()
  const first = await said(ben, id, 'one')
  const second = await said(cora, id, 'two', { parent: first })
  const third = await said(ben, id, 'three', { parent: second })
  t.match(await ask('DELETE', `/v1/comments/${second}`, ben), { status: 403 })
  t.match(await ask('DELETE', `/v1/comments/${second}`, cora), { status: 204 })
  t.match(await ask('DELETE', `/v1/comments/${second}`, cora), { status: 204 })
  t.same(await seen(id), ['- one', '-- [deleted]', '--- three'])
  const stub = await ask('GET', `/v1/comments/${second}`)
  t.match(stub, { status: 200, json: { gone: 'deleted', replies: 1 } })
  t.notOk('text' in stub.json || 'author' in stub.json || 'html' in stub.json)
  t.match(await say(ben, id, 'x', { parent: second }), { status: 409, code: 'comment-gone' })
  t.match(await ask('GET', `/v1/comments/${second}/history`), { status: 404 })
  await ask('DELETE', `/v1/comments/${first}`, ben)
  t.match((await thread(id)).json, { total: 1, items: [{ gone: 'deleted', replies: 1 }, { replies: 1 }, {}] })
  await ask('DELETE', `/v1/comments/${third}`, ben)
  t.same(await seen(id), [])
  t.match((await thread(id)).json, { total: 0 })
  t.match(await ask('GET', `/v1/comments/${second}`), { status: 404 })
})

t.test('five levels are shown, and what is deeper by its own page; fifty are the end', async t => {
  const id = await aStory()
  const ids: string[] = []
  for (let depth = 1; depth <= 50; depth += 1) ids.push(await said(ben, id, `${depth}`, { parent: ids.at(-1) }))
  t.match(await say(ben, id, '51', { parent: ids.at(-1) }), { status: 409, code: 'thread-too-deep' })
  const page = items(await thread(id))
  t.same(
    page.map(({ text }) => text),
    ['1', '2', '3', '4', '5'],
  )
  t.same(
    page.map(({ deeper }) => deeper),
    [undefined, undefined, undefined, undefined, true],
  )
  t.same(
    items(await thread(id, undefined, `?under=${ids[4]}`)).map(({ text }) => text),
    ['6', '7', '8', '9', '10'],
  )
  const last = items(await thread(id, undefined, `?under=${ids[44]}`))
  t.match(last.at(-1), { text: '50', depth: 50, open: false })
  t.equal(last.at(-1)?.['deeper'], undefined)
})

t.test('authors close and freeze under their work, moderators everywhere', async t => {
  const id = await aStory()
  const first = await said(ben, id, 'one')
  const [close, freeze] = [`/v1/threads/story/${id}/close`, `/v1/comments/${first}/freeze`]
  t.match(await ask('POST', close, ben, {}), { status: 403, code: 'permission-denied' })
  t.match(await ask('POST', freeze, ben, {}), { status: 403 })
  t.match(await ask('POST', `/v1/threads/story/${nothing}/close`, mod, {}), { status: 404 })
  t.match(await ask('POST', `/v1/threads/word/${nothing}/close`, mod, {}), { status: 404 })
  t.match(await ask('POST', freeze, ada, {}), { status: 200, json: { id: first, frozen: true } })
  t.match(await say(cora, id, 'x', { parent: first }), { status: 409, code: 'thread-frozen' })
  t.match(await ask('PATCH', `/v1/comments/${first}`, ben, { text: 'x' }), { status: 409, code: 'thread-frozen' })
  t.match(items(await thread(id)), [{ text: 'one', open: false }])
  t.match(await ask('DELETE', freeze, mod), { status: 200, json: { frozen: false } })
  await said(cora, id, 'two', { parent: first })
  t.match(await ask('POST', close, mod, {}), { status: 200, json: { target: { kind: 'story', id }, closed: true } })
  t.match(await say(cora, id, 'x'), { status: 409, code: 'thread-closed' })
  t.match(await say(mod, id, 'x'), { status: 409, code: 'thread-closed' })
  t.same(await seen(id), ['- one', '-- two'], 'what was said stays')
  t.match(await ask('DELETE', close, ada), { status: 200, json: { closed: false } })
  await said(cora, id, 'three')
  t.same(await seen(id), ['- one', '-- two', '- three'])
})

t.test('who has blocked whom is a stub to both, and neither answers the other; nobody is told who did it', async t => {
  const id = await aStory()
  const [bens, coras] = [await said(ben, id, 'of ben'), await said(cora, id, 'of cora')]
  t.match(await ask('PUT', `/v1/me/blocks/${cora.id}`, ben), { status: 204 })
  t.match(await ask('PUT', `/v1/me/blocks/${cora.id}`, ben), { status: 204 })
  t.match(items(await ask('GET', '/v1/me/blocks', ben)), [{ accountId: cora.id }])
  t.same(items(await ask('GET', '/v1/me/blocks', cora)), [])
  t.same(await seen(id, ben), ['- of ben', '- [hidden]'])
  t.same(await seen(id, cora), ['- [hidden]', '- of cora'])
  t.same(await seen(id, mod), ['- of ben', '- of cora'])
  t.same(await seen(id), ['- of ben', '- of cora'])
  const stub = await ask('GET', `/v1/comments/${bens}`, cora)
  t.match(stub, { status: 200, json: { gone: 'hidden' } })
  t.notMatch(stub.text, ben.id)
  t.match(await ask('GET', `/v1/comments/${bens}/history`, cora), { status: 404 })
  const unwanted = { status: 409, code: 'comment-unwanted' }
  t.match(await say(cora, id, 'x', { parent: bens }), unwanted)
  t.match(await say(ben, id, 'x', { parent: coras }), unwanted)
  const quote = { comment: bens, revision: '0', from: 0, to: 2 }
  t.match(await say(cora, id, 'x', { quotes: [quote] }), unwanted)
  const bensStory = await aStory(ben)
  t.match(await say(cora, bensStory, 'x'), unwanted)
  // A block never binds who moderates.
  await ask('PUT', `/v1/me/blocks/${mod.id}`, ben)
  await said(mod, bensStory, 'Please.')
  await ask('DELETE', `/v1/me/blocks/${mod.id}`, ben)
  await ask('DELETE', `/v1/me/blocks/${cora.id}`, ben)
  t.same(await seen(id, cora), ['- of ben', '- of cora'])
  t.match(await ask('PUT', `/v1/me/blocks/${ben.id}`, ben), { status: 422, code: 'relation-to-oneself' })
})

t.test('a mute is one’s own affair', async t => {
  const id = await aStory()
  const [bens] = [await said(ben, id, 'of ben'), await said(cora, id, 'of cora')]
  await ask('PUT', `/v1/me/mutes/${cora.id}`, ben)
  t.same(await seen(id, ben), ['- of ben', '- [hidden]'])
  t.same(await seen(id, cora), ['- of ben', '- of cora'])
  await said(cora, id, 'answer', { parent: bens })
  t.match((await thread(id, ben)).json, { total: 3 })
  t.match(items(await ask('GET', '/v1/me/mutes', ben)), [{ accountId: cora.id }])
  await ask('DELETE', `/v1/me/mutes/${cora.id}`, ben)
  t.same(items(await ask('GET', '/v1/me/mutes', ben)), [])
})

t.test('mentions and quotes are by reference, and say nothing that one may not see', async t => {
  const id = await aStory()
  const source = await said(ben, id, 'a😀bc')
  const quote = { comment: source, revision: '0', from: 1, to: 3 }
  await said(cora, id, 'This?', { quotes: [quote], mentions: [ben.id, ada.id, cora.id] })
  const view = async (as?: Person) => items(await thread(id, as)).find(({ text }) => text === 'This?')
  t.match(await view(), { mentions: [ben.id, ada.id], quotes: [{ comment: source, text: '😀b' }] })
  await ask('PATCH', `/v1/comments/${source}`, ben, { text: 'else' })
  t.match(await view(), { quotes: [{ text: '😀b' }] }, 'as it was quoted')
  // Who is mentioned by somebody that they have blocked is mentioned to nobody but that one, who is not told.
  await ask('PUT', `/v1/me/blocks/${cora.id}`, ben)
  t.match((await view())?.['mentions'], [ada.id])
  t.match((await view(cora))?.['mentions'], [ben.id, ada.id])
  t.same((await view(cora))?.['quotes'], [quote], 'what they do not show each other is not quoted either')
  await ask('DELETE', `/v1/me/blocks/${cora.id}`, ben)
  await ask('DELETE', `/v1/comments/${source}`, ben)
  t.same((await view())?.['quotes'], [quote], 'and what is gone is quoted nowhere')
  t.match(await say(cora, id, 'x', { quotes: [{ ...quote, comment: nothing }] }), {
    status: 422,
    code: 'quote-invalid',
  })
  const eleven = Array.from({ length: 11 }, () => ben.id)
  t.match(await say(cora, id, 'x', { mentions: eleven }), { status: 422 })
})

t.test('a new account comments three times within fifteen minutes, and then waits', async t => {
  const other = temporaryFolder(t)
  const strict = await openTestApp(t, { LEXICHRON_LIMIT_NEW_COMMENTS: '3' }, { folder: other })
  const strictApi = await openApi(strict.url)
  const elsewhere = { app: strict, api: strictApi, folder: other }
  const [author, fresh] = [await signIn(elsewhere, 'ada', 'contributor'), await signIn(elsewhere, 'ben', 'contributor')]
  const { id } = await (await openStoryWriter(t, elsewhere)).publish(author.id, { title: 'Strict' })
  const post = async () =>
    strictApi('POST', '/v1/comments', { as: fresh.token, body: { target: { kind: 'story', id }, text: 'x' } })
  // What is refused is not counted.
  await strictApi('POST', '/v1/comments', { as: fresh.token, body: { target: { kind: 'story', id }, text: ' ' } })
  for (let n = 0; n < 3; n += 1) t.equal((await post()).status, 201)
  const fourth = await post()
  t.match(fourth, { status: 429, code: 'comments-too-soon' })
  t.ok(Number(fourth.headers.get('retry-after')) > 60)
})

t.test('with an account go its comments, and stubs stand where there are answers', async t => {
  const dora = await signIn(house, 'dora', 'contributor')
  const id = await aStory()
  const first = await said(dora, id, 'secret of dora')
  await said(ben, id, 'answer', { parent: first })
  await said(dora, id, 'alone')
  await ask('PUT', `/v1/me/blocks/${ben.id}`, dora)
  await eraseNow(house, dora)
  const left = await inTime(app, 'what she said alone to go', async saw => {
    const now = await seen(id)
    saw(now)
    return now.length === 2 && now
  })
  t.same(left, ['- [deleted]', '-- answer'])
  t.notMatch((await thread(id)).text, dora.id)
  t.match((await thread(id)).json, { total: 1 })
})
