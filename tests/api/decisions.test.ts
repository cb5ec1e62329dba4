/** Decisions of moderators end to end: what they do, to whom it is told, how it is appealed against, and that an overturned one leaves nothing. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
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
const stories = await openStoryWriter(t, house)
const [ada, ben] = [await signIn(house, 'ada', 'contributor'), await signIn(house, 'ben', 'contributor')]
const [mia, max] = [await signIn(house, 'mia', 'moderator'), await signIn(house, 'max', 'moderator')]
const boss = await signIn(house, 'boss', 'admin')

let sync = ''
const send = async (method: string, path: string, as: Person | undefined, body?: object): Promise<Received> => {
  await app.clock.advance(5)
  const headers = sync === '' ? {} : { 'sync-token': sync }
  const answer = await api(method, path, { headers, ...defined({ as: as?.token, body }) })
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const ask = async (method: string, path: string, as: Person | undefined, body?: object): Promise<Received> => {
  const answer = await send(method, path, as, body)
  if (answer.status >= 300) throw new Error(answer.text)
  return answer
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []

const statement = {
  category: 'illegal-or-harmful-speech',
  rule: 'Rule 3: no insults',
  ground: 'terms',
  source: 'own-initiative',
  facts: 'It insults the author.',
}
const measure = (kind: string, id: string, what = 'hide') => ({ measure: what, target: { kind, id } })
type Measure = ReturnType<typeof measure>
const deciding = (measures: readonly Measure[]) => ({ measures, statement })
const decide = async (as: Person, ...measures: readonly Measure[]): Promise<string> =>
  String((await ask('POST', '/v1/moderation/decisions', as, deciding(measures))).json['id'])
const say = async (as: Person, story: string, more: object = {}): Promise<string> => {
  const body = { target: { kind: 'story', id: story }, text: 'You fool!', ...more }
  return String((await ask('POST', '/v1/comments', as, body)).json['id'])
}
const thread = async (story: string, as: Person) => {
  const page = await ask('GET', `/v1/stories/${story}/comments`, as)
  return { seen: items(page).map(({ text, gone }) => gone ?? text), total: page.json['total'] }
}
const shows = (story: string, as: Person, seen: readonly unknown[], total: number): Promise<unknown> =>
  inTime(app, `the thread to show ${seen.join()}`, async saw => {
    const found = await thread(story, as)
    saw(found)
    return found.seen.join() === seen.join() && found.total === total
  })
const status = async (path: string, as: Person | undefined): Promise<number> => (await send('GET', path, as)).status
const comesTo = (path: string, as: Person | undefined, wanted: number): Promise<unknown> =>
  inTime(app, `${path} to be ${wanted}`, async saw => {
    const found = await status(path, as)
    saw(found)
    return found === wanted
  })
const overturn = (id: string): Promise<Received> =>
  ask('POST', `/v1/moderation/decisions/${id}/overturn`, boss, { reason: 'It was a quotation.' })

t.test(
  'a hidden comment is a stub and no longer counted, and an overturned decision shows it again as it was',
  async t => {
    const { id } = await stories.publish(ada.id, { title: 'Lighthouse' })
    const first = await say(ben, id)
    await say(ben, id, { parent: first, text: 'Really.' })
    await shows(id, ada, ['You fool!', 'Really.'], 2)
    const whole = async () =>
      items(await ask('GET', `/v1/stories/${id}/comments`, ada)).map(({ revision: _, ...comment }) => comment)
    const before = await whole()
    const one = await decide(mia, measure('comment', first))
    const two = await decide(max, measure('comment', first))
    await shows(id, ada, ['held', 'Really.'], 1)
    t.same((await thread(id, ben)).seen, ['You fool!', 'Really.'], 'its author is shown it')
    t.same((await thread(id, max)).seen, ['You fool!', 'Really.'], 'and so are moderators')
    t.match(await send('PATCH', `/v1/comments/${first}`, ben, { text: 'You fool.' }), { status: 409 })
    await overturn(one)
    await overturn(one)
    const settled = async () => (await ask('GET', `/v1/me/decisions/${one}`, ben)).json['state'] === 'overturned'
    await inTime(app, 'the end of the first decision', settled)
    t.match((await ask('GET', `/v1/me/decisions/${two}`, ben)).json, { state: 'standing' })
    await shows(id, ada, ['held', 'Really.'], 1)
    await overturn(two)
    await shows(id, ada, ['You fool!', 'Really.'], 2)
    t.same(await whole(), before, 'with all that it was')
  },
)

t.test('a year is counted for everybody, in numbers alone', async t => {
  const year = app.clock.now().toISOString().slice(0, 4)
  const path = `/v1/moderation/transparency?year=${year}`
  const figures = async () => (await ask('GET', path, undefined)).json
  const number = (found: Record<string, unknown>, ...members: readonly string[]): number =>
    Number(members.reduce((value: unknown, member) => Object(value)[member], found))
  const category = 'illegal-or-harmful-speech'
  const places = [
    ['decisions'],
    ['categories', category, 'decisions'],
    ['categories', category, 'measures', 'hide'],
    ['measures', 'hide'],
    ['measures', 'freeze'],
    ['automations', 'not'],
    ['grounds', 'terms'],
    ['sources', 'own-initiative'],
    ['overturned', 'administrator'],
    ['appeals', 'filed'],
    ['appeals', 'upheld'],
    ['reports', 'harassment'],
  ]
  const before = await figures()
  const { id } = await stories.publish(ada.id, { title: 'Pier' })
  const comment = await say(ben, id)
  const target = { kind: 'comment', id: comment }
  await ask('POST', '/v1/reports', ada, { target, category: 'harassment' })
  const decision = await decide(mia, measure('comment', comment), measure('story', id, 'freeze'))
  await inTime(
    app,
    'the statement',
    async () => (await send('GET', `/v1/me/decisions/${decision}`, ben)).status === 200,
  )
  await ask('POST', `/v1/me/decisions/${decision}/appeal`, ben, { message: 'It was a joke.' })
  const upheld = { outcome: 'upheld', message: 'It was none.' }
  await ask('POST', `/v1/moderation/appeals/${decision}/decide`, max, upheld)
  await overturn(decision)
  const after = await figures()
  for (const place of places) t.equal(number(after, ...place), number(before, ...place) + 1, place.join(' '))
  t.notMatch(JSON.stringify(after), new RegExp([ada.id, ben.id, mia.id, max.id, decision, comment].join('|')), 'nobody')
  const none = (await ask('GET', '/v1/moderation/transparency?year=1999', undefined)).json
  t.match(none, { year: '1999', decisions: 0, reports: { harassment: 0 }, measures: { hide: 0 } }, 'with its zeros')
  for (const wrong of ['', '?year=99', '?year=20266', '?year=next', `?year=${year}&more=1`])
    t.match(
      await send('GET', `/v1/moderation/transparency${wrong}`, undefined),
      { status: 400, code: 'validation' },
      wrong,
    )
})

t.test('who is affected is told why, and nobody else', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Harbour' })
  const comment = await say(ben, id)
  const decision = await decide(mia, measure('comment', comment), measure('story', id, 'freeze'))
  const own = (await ask('GET', `/v1/me/decisions/${decision}`, ben)).json
  t.match(own, {
    state: 'standing',
    automated: false,
    about: [{ target: { kind: 'comment', id: comment }, text: 'You fool!' }],
    measures: [{ measure: 'hide' }],
    statement: { category: 'illegal-or-harmful-speech', rule: 'Rule 3: no insults', automation: 'not' },
    facts: 'It insults the author.',
  })
  t.equal(Array.isArray(own['measures']) && own['measures'].length, 1, 'what is of others is not told')
  t.notOk('by' in own, 'nor who it was')
  t.match((await ask('GET', `/v1/me/decisions/${decision}`, ada)).json, { measures: [{ measure: 'freeze' }] })
  t.match(await send('GET', `/v1/me/decisions/${decision}`, mia), { status: 404 })
  t.match((await ask('GET', `/v1/moderation/decisions/${decision}`, max)).json, { by: mia.id })
  t.match(await send('GET', `/v1/moderation/decisions/${decision}`, ben), { status: 403 })
  await inTime(app, 'the thread to be closed', async () => {
    const answer = await send('POST', '/v1/comments', max, { target: { kind: 'story', id }, text: 'So?' })
    return answer.json['code'] === 'thread-closed'
  })
  await ask('DELETE', `/v1/threads/story/${id}/close`, ada)
  t.match(
    await send('POST', '/v1/comments', max, { target: { kind: 'story', id }, text: 'So?' }),
    { json: { code: 'thread-closed' } },
    'its author does not reopen what a decision froze',
  )
  await overturn(decision)
  await inTime(app, 'the thread to be open', async () => {
    const answer = await send('POST', '/v1/comments', max, { target: { kind: 'story', id }, text: 'So?' })
    return answer.status === 201
  })
})

t.test('what is held of stories is out of sight everywhere, and comes back as it was', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Cliffhanger', tags: ['cliffs'] }, 2)
  await say(ben, id, { text: 'Good.' })
  const places = [`/v1/stories/${id}`, `/v1/stories/${id}/chapters`, `/v1/stories/${id}/comments`]
  const listed = async (as: Person | undefined) =>
    items(await ask('GET', '/v1/stories?tag=cliffs', as)).map(each => each['id'])
  await inTime(app, 'the story in lists', async () => (await listed(ben)).length === 1)
  const before = (await ask('GET', `/v1/stories/${id}`, ben)).json
  const decision = await decide(mia, measure('story', id))
  for (const path of places) await comesTo(path, ben, 404)
  t.same(await listed(ben), [])
  t.same(items(await ask('GET', '/v1/search/stories?q=cliffhanger', ben)), [])
  t.match((await ask('GET', `/v1/stories/${id}`, ada)).json, { published: false, held: [decision] })
  t.match((await ask('GET', `/v1/stories/${id}`, mia)).json, { title: 'Cliffhanger', held: [decision] })
  t.match(await send('POST', `/v1/stories/${id}/publish`, ada, {}), { status: 409, json: { code: 'story-held' } })
  await overturn(decision)
  for (const path of places) await comesTo(path, ben, 200)
  const { revision: _, ...after } = (await ask('GET', `/v1/stories/${id}`, ben)).json
  const { revision: _r, ...was } = before
  t.same(after, was)
  await inTime(app, 'the story to be found', async () => {
    const found = await ask('GET', '/v1/search/stories?q=cliffhanger', ben)
    return items(found).length === 1
  })
})

t.test('a held chapter is as if it were not published, also when its author publishes it again', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Tides' })
  const begun = await ask('POST', `/v1/stories/${id}/chapters`, ada, { title: 'Two' })
  const chapterId = String(begun.json['id'])
  const chapter = `/v1/stories/${id}/chapters/${chapterId}`
  const save = async (text: string, etag: string | null): Promise<string | null> => {
    await app.clock.advance(60_000)
    const saved = await api('PUT', `${chapter}/draft`, {
      as: ada.token,
      body: { title: 'Two', text },
      headers: { 'if-match': etag ?? '' },
    })
    const published = await api('POST', `${chapter}/publish`, {
      as: ada.token,
      body: {},
      headers: { 'if-match': saved.headers.get('etag') ?? '' },
    })
    if (published.status !== 200) throw new Error(published.text)
    return published.headers.get('etag')
  }
  const etag = await save('It was a dark night.', begun.headers.get('etag'))
  await comesTo(chapter, ben, 200)
  const { words } = (await ask('GET', `/v1/stories/${id}`, ben)).json
  const decision = await decide(mia, measure('chapter', chapterId))
  t.match((await ask('GET', `/v1/me/decisions/${decision}`, ada)).json, {
    about: [{ text: 'Two\nIt was a dark night.' }],
  })
  await comesTo(chapter, ben, 404)
  t.match((await ask('GET', `/v1/stories/${id}`, ben)).json, { chapters: 1 })
  const contents = async (as: Person) =>
    items(await ask('GET', `/v1/stories/${id}/chapters`, as)).map(each => each['id'])
  t.notOk((await contents(ben)).includes(chapterId))
  const own = items(await ask('GET', `/v1/stories/${id}/chapters`, ada)).find(each => each['id'] === chapterId)
  t.match(own, { held: [decision] })
  await save('It was a dark and stormy night.', etag)
  await inTime(app, 'the story to be told', async () => {
    const { json } = await ask('GET', `/v1/stories/${id}/history?limit=5`, ada)
    return JSON.stringify(json).includes('ChapterShown')
  })
  t.equal(await status(chapter, ben), 404, 'it stays held')
  await overturn(decision)
  await comesTo(chapter, ben, 200)
  t.match((await ask('GET', chapter, ben)).json, { text: 'It was a dark and stormy night.' })
  t.ok(Number((await ask('GET', `/v1/stories/${id}`, ben)).json['words']) > Number(words))
})

t.test('a held entry is in no list or search, and moderators find it', async t => {
  const edith = await signIn(house, 'edith', 'editor')
  const drafts = openDrafts(api, { author: ben.token, editor: edith.token })
  const { id: made, sync: written } = await drafts.published({ lemma: 'maelstrom' })
  sync = written
  const entry = String(made)
  const path = `/v1/entries/${entry}`
  const found = async (as: Person | undefined) => items(await ask('GET', '/v1/search?q=maelstrom', as)).length
  t.equal(await found(ben), 1)
  const { revision: _, ...before } = (await ask('GET', path, undefined)).json
  const [one, two] = [await decide(mia, measure('entry', entry)), await decide(max, measure('entry', entry))]
  await comesTo(path, undefined, 404)
  await comesTo(path, ben, 404)
  await inTime(app, 'both holds', async () => {
    const { json } = await ask('GET', path, mia)
    return Array.isArray(json['held']) && json['held'].length === 2
  })
  t.match((await ask('GET', path, edith)).json, { status: 'held' }, 'its author sees it')
  t.equal(await found(ben), 0)
  const held = items(await ask('GET', '/v1/entries?status=held', mia)).map(({ id }) => id)
  t.same(held, [entry])
  t.match(await send('GET', '/v1/entries?status=held', ben), { status: 403 })
  t.match(await send('GET', `${path}/comments`, ben), { status: 404 })
  await overturn(one)
  const ended = async () => (await ask('GET', `/v1/me/decisions/${one}`, edith)).json['state'] === 'overturned'
  await inTime(app, 'the end of one', ended)
  t.equal(await status(path, ben), 404)
  await overturn(two)
  await comesTo(path, ben, 200)
  const { revision: _r, ...after } = (await ask('GET', path, undefined)).json
  t.same(after, before)
  await inTime(app, 'the entry to be found', async () => (await found(ben)) === 1)
})

t.test('nobody decides about their own, about what is gone, or what is not there', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Dusk' })
  const own = await say(mia, id)
  const post = (as: Person, measures: readonly Measure[]) =>
    send('POST', '/v1/moderation/decisions', as, deciding(measures))
  t.match(await post(mia, [measure('comment', own)]), { status: 403, json: { code: 'own-case' } })
  const gone = await say(ben, id)
  await ask('DELETE', `/v1/comments/${gone}`, ben)
  t.match(await post(mia, [measure('comment', gone)]), { status: 409, json: { code: 'moderated-gone' } })
  t.match(await post(mia, [measure('comment', randomUUID())]), { status: 404, json: { code: 'moderated-not-found' } })
  t.match(await post(mia, []), { status: 422, json: { code: 'decision-invalid' } })
  t.match(await post(mia, [measure('account', ben.id)]), { status: 422, json: { code: 'decision-invalid' } })
  t.match(await post(mia, [measure('account', ben.id, 'suspend')]), { status: 403 }, 'for administrators')
  t.match(await post(boss, [measure('account', boss.id, 'suspend')]), { status: 403, json: { code: 'own-case' } })
  t.match(await post(ben, [measure('comment', own)]), { status: 403 })
  t.match(await post(mia, [measure('story', id), measure('story', id)]), { status: 422 })
})

t.test('an account is suspended by a decision, and only its overturning ends that', async t => {
  const dan = await signIn(house, 'dan', 'contributor')
  const decision = await decide(boss, measure('account', dan.id, 'suspend'))
  await inTime(app, 'the end of the session', async () => (await send('GET', '/v1/me', dan)).status === 401)
  const other = await signIn(house, 'other', 'admin')
  await ask('POST', `/v1/moderation/decisions/${decision}/overturn`, other, { reason: 'Mistaken identity.' })
  const stateOf = async () => (await ask('GET', `/v1/accounts/${dan.id}`, boss)).json['state']
  await inTime(app, 'the account to be active', async () => (await stateOf()) === 'active')
  const again = await decide(boss, measure('account', dan.id, 'suspend'))
  await inTime(app, 'the suspension', async () => (await stateOf()) === 'suspended')
  await ask('POST', `/v1/accounts/${dan.id}/reinstate`, boss, { reason: 'For another reason.' })
  await ask('POST', `/v1/accounts/${dan.id}/suspend`, boss, { reason: 'By hand.' })
  await ask('POST', `/v1/moderation/decisions/${again}/overturn`, other, { reason: 'Mistaken again.' })
  const carried = async () =>
    items(await ask('GET', '/v1/events?type=StatementWithdrawn&limit=1&order=desc', boss)).some(
      ({ data }) => Object(data).decision === again,
    )
  await inTime(app, 'the end of the decision', carried)
  t.equal(await stateOf(), 'suspended', 'what an administrator did stands')
})

t.test('one appeal a decision, decided by another moderator, with a dialogue, and it puts everything back', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Dawn' })
  const comment = await say(ben, id)
  const decision = await decide(mia, measure('comment', comment))
  await shows(id, ada, ['held'], 0)
  const appeal = `/v1/me/decisions/${decision}/appeal`
  const path = `/v1/moderation/appeals/${decision}`
  t.match(await send('POST', `${path}/decide`, max, { outcome: 'upheld', message: 'So.' }), { status: 404 })
  t.match(await send('POST', appeal, ada, { message: 'I mind.' }), { status: 404 }, 'it is about nothing of hers')
  t.match(await send('POST', appeal, ben, { message: 'It was a joke.' }), { status: 201, json: { state: 'open' } })
  t.match(await send('POST', appeal, ben, { message: 'Again.' }), { status: 409, json: { code: 'appeal-exists' } })
  const open = items(await ask('GET', '/v1/moderation/appeals', max))
  t.match(
    open.find(each => each['decision'] === decision),
    { accountId: ben.id, state: 'open', messages: 1 },
  )
  t.match(await send('POST', `${path}/ask`, mia, { message: 'Why?' }), { status: 403, json: { code: 'own-case' } })
  await ask('POST', `${path}/ask`, max, { message: 'Are you friends?' })
  await ask('POST', `${appeal}/messages`, ben, { message: 'From school.' })
  t.match((await ask('GET', `/v1/moderation/decisions/${decision}`, max)).json, {
    about: [{ text: 'You fool!' }],
    appeal: {
      messages: [{ text: 'It was a joke.' }, { from: 'moderator', text: 'Are you friends?' }, { text: 'From school.' }],
    },
  })
  t.match(await send('POST', `${path}/decide`, mia, { outcome: 'upheld', message: 'So.' }), { status: 403 })
  await ask('POST', `${path}/decide`, max, { outcome: 'overturned', message: 'Among friends.' })
  await shows(id, ada, ['You fool!'], 1)
  await inTime(app, 'the end of the decision', async () => {
    const { json } = await ask('GET', `/v1/me/decisions/${decision}`, ben)
    return json['state'] === 'overturned'
  })
  t.match((await ask('GET', `/v1/me/decisions/${decision}`, ben)).json, {
    overturned: { through: 'appeal', reason: 'Among friends.' },
    appeal: { state: 'overturned', reason: 'Among friends.' },
  })
  t.match(await send('POST', `${path}/decide`, max, { outcome: 'upheld', message: 'No.' }), {
    status: 409,
    json: { code: 'appeal-over' },
  })
  const told = await ask('GET', '/v1/events?type=AppealDecided&limit=100&order=desc', boss)
  t.ok(
    items(told).some(({ stream }) => stream === `appeal-${decision}`),
    'it is in the log',
  )
})

t.test('an appeal closes when the account of who filed it is erased', async t => {
  const eva = await signIn(house, 'eva', 'contributor')
  const { id } = await stories.publish(ada.id, { title: 'Noon' })
  const decision = await decide(mia, measure('comment', await say(eva, id)))
  await ask('POST', `/v1/me/decisions/${decision}/appeal`, eva, { message: 'Please look again.' })
  await eraseNow(house, eva)
  await inTime(app, 'the appeal to be closed', async () => {
    const closed = items(await ask('GET', '/v1/moderation/appeals?state=closed', max))
    return closed.some(each => each['decision'] === decision)
  })
  const { appeal } = (await ask('GET', `/v1/moderation/decisions/${decision}`, max)).json
  t.match(appeal, { state: 'closed' })
  t.notMatch(JSON.stringify(appeal), /look again/)
  const late = { outcome: 'overturned', message: 'Nobody is left.' }
  t.match(await send('POST', `/v1/moderation/appeals/${decision}/decide`, max, late), { status: 409 })
})
