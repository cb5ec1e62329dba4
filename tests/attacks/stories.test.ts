/**
 * Stories as oracles, and stories that were withdrawn: pages and histories that tell of what their reader is not shown, and what is asked
 * for again by who saw it before it was unpublished, made private or deleted.
 */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { askUntil, openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openDrafts } from '../support/drafts.ts'
import { connectLive, newLiveChecks } from '../support/live-client.ts'
import { asNode, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { rareWords, tracesIn, untilGone } from '../support/traces.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const liveChecks = newLiveChecks()
const house = { app, api, folder }
const [ada, eve, bob] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'eve', 'contributor'),
  await signIn(house, 'bob', 'contributor'),
]
const NOBODYS = '00000000-0000-4000-8000-000000000000'

let sync = ''
const must = async (method: string, path: string, { token: as }: Person, body: object = {}): Promise<Received> => {
  await app.clock.advance(5)
  const isConditional = method === 'PATCH' || path.endsWith('/draft')
  const answer = await api(method, path, { as, body, headers: isConditional ? { 'if-match': '*' } : {} })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`)
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const read = (path: string, who?: Person): Promise<Received> =>
  api('GET', path, { headers: { 'sync-token': sync }, ...defined({ as: who?.token }) })
const itemsOf = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []

const addChapter = async (by: Person, path: string, text: string): Promise<string> => {
  const chapter = `${path}/chapters/${String((await must('POST', `${path}/chapters`, by, { title: 'One' })).json['id'])}`
  await must('PUT', `${chapter}/draft`, by, { title: 'One', text })
  await must('POST', `${chapter}/publish`, by)
  return chapter
}

type Story = { readonly id: string; readonly path: string; readonly chapter: string }
const publish = async (by: Person, title: string, text: string, more: object = {}): Promise<Story> => {
  const id = String(
    (await must('POST', '/v1/stories', by, { language: 'en', title, visibility: 'public', ...more })).json['id'],
  )
  const path = `/v1/stories/${id}`
  const chapter = await addChapter(by, path, text)
  await must('POST', `${path}/publish`, by)
  return { id, path, chapter }
}

t.test('a page of a search says the same of what follows, whatever stands in stories of others', async t => {
  const guess = 'wherrymander'
  const text = `It was the ${guess} that did it.`
  // The places of stories follow from their ids: among so many some stand before the bait, and some behind it.
  for (let n = 0; n < 5; n += 1) await publish(ada, `Secret ${n}`, text, { visibility: 'private' })
  const bait = await publish(eve, 'Bait', text)
  for (const query of [`q=${guess}`, `q=${guess}+nothingness`])
    for (const limit of [1, 2]) {
      const answer = await read(`/v1/search/stories?${query}&limit=${limit}`, eve)
      t.same([itemsOf(answer).length, answer.json['next']], [1, null], `${query}, ${limit} a page`)
    }
  await must('DELETE', bait.path, eve)
})

t.test('a page of bookmarks says nothing of those who hide what they do', async t => {
  const { id, path } = await publish(ada, 'Kept', 'Nothing is told.')
  for (const who of [bob, eve, ada]) await must('PUT', `/v1/me/bookmarks/${id}`, who, { isPrivate: false })
  for (const who of [bob, ada]) await must('PATCH', '/v1/me/preferences', who, { privacy: { activity: 'nobody' } })
  const one = await askUntil(
    'the choice of those who hide it',
    () => read(`${path}/bookmarks?limit=1`),
    ({ json }) => json['total'] === 1,
  )
  t.same([itemsOf(one).map(({ accountId }) => accountId), one.json['next']], [[eve.id], null])
  for (const who of [bob, ada]) await must('PATCH', '/v1/me/preferences', who, { privacy: { activity: 'everybody' } })
  await askUntil(
    'another choice',
    () => read(`${path}/bookmarks`),
    ({ json }) => json['total'] === 3,
  )
  const seen: unknown[] = []
  for (let next: unknown = ''; next !== null; ) {
    const page: Received = await read(`${path}/bookmarks?limit=1${next === '' ? '' : `&cursor=${String(next)}`}`)
    seen.push(...itemsOf(page).map(({ accountId }) => accountId))
    next = page.json['next']
  }
  t.same(seen, [ada.id, eve.id, bob.id], 'page by page, the newest first')
})

t.test('a history tells what its reader could see happen, and nothing that was for others then', async t => {
  const { path } = await publish(ada, 'First', 'Nothing is told.', { visibility: 'members' })
  await must('PATCH', path, ada, { title: 'Members alone' })
  await must('PATCH', path, ada, { title: 'Open', visibility: 'public' })
  await must('PATCH', path, ada, { summary: 'Seen by all.' })
  await must('PATCH', path, ada, { title: 'Nobody saw this', visibility: 'private' })
  await must('PATCH', path, ada, { title: 'Nor this', summary: 'Or this.' })
  await must('PATCH', path, ada, { title: 'Open', summary: 'Again.', visibility: 'public' })
  const history = async (who?: Person): Promise<string> => JSON.stringify(itemsOf(await read(`${path}/history`, who)))
  t.match(await history(), 'Seen by all.')
  t.notMatch(await history(), /Members alone|Nobody saw|Nor this|Or this/, 'to a stranger')
  t.match(await history(eve), 'Members alone', 'a member was told then')
  t.notMatch(await history(eve), /Nobody saw|Nor this|Or this/)
  t.match(await history(ada), 'Nobody saw this', 'its author sees all of it')
})

/** What a WebSocket replays after a position of all that was written before. */
const replay = async (channel: string, after: string, who?: Person): Promise<string> => {
  const client = await connectLive(app.url, {
    headers: who === undefined ? {} : { authorization: `Bearer ${who.token}` },
    checks: liveChecks,
  })
  client.say({ op: 'subscribe', id: 'r', channel, after })
  await client.find(({ op }) => op === 'caught-up')
  client.end()
  return JSON.stringify(client.messages.filter(({ op }) => op === 'event').map(({ type, data }) => ({ type, data })))
}

t.test('what is withdrawn is replayed to nobody, and asked for it is as what never was', async t => {
  const start = sync
  const secret = 'quavermoss'
  for (const end of ['unpublish', 'private', 'unlisted', 'delete'] as const) {
    const { id, path, chapter } = await publish(ada, `${secret} ${end}`, `A ${secret} grew.`, { tags: [secret] })
    await must('PUT', `/v1/me/bookmarks/${id}`, eve, { isPrivate: false })
    for (const channel of ['stories', `story:${id}`])
      await until(`${channel} tells of it`, async () => (await replay(channel, start)).includes(id))
    const tag = (await read(path)).headers.get('etag') ?? ''
    if (end === 'unpublish') await must('POST', `${path}/unpublish`, ada)
    else if (end === 'delete') await must('DELETE', path, ada)
    else await must('PATCH', path, ada, { visibility: end })
    for (const who of [undefined, eve])
      for (const channel of ['stories', `story:${id}`])
        await until(`${channel} tells nothing of it`, async () => !(await replay(channel, start, who)).includes(id))
    const lists = [
      '/v1/stories',
      `/v1/stories?tag=${secret}`,
      `/v1/search/stories?q=${secret}`,
      `/v1/tags/${secret}/feed`,
    ]
    for (const list of [...lists, `/v1/profiles/${ada.id}/feed`, `/v1/stories?author=${ada.id}`])
      for (const who of [undefined, eve]) t.notMatch((await read(list, who)).text, id, `${end}: ${list}`)
    await app.pass(61_000)
    t.notMatch((await read('/v1/tags?language=en')).text, secret, `${end}: counted under no tag`)
    if (end === 'unlisted') continue
    const rests = ['', '?adult=true', '/history', '/chapters', '/feed', '/bookmarks', '/export?format=epub']
    for (const who of [undefined, eve])
      for (const rest of [...rests, chapter.slice(path.length)]) {
        const ask = (which: string): Promise<Received> =>
          api('GET', `/v1/stories/${which}${rest}`, {
            headers: { 'sync-token': sync, 'if-none-match': tag },
            ...defined({ as: who?.token }),
          })
        const [withdrawn, never] = [await ask(id), await ask(NOBODYS)]
        const said = ({ status, json, headers }: Received): unknown => {
          const { requestId: _, instance: _i, ...body } = json
          return [
            status,
            JSON.stringify(body).replaceAll(id, NOBODYS),
            headers.get('cache-control'),
            headers.get('etag'),
          ]
        }
        t.same(said(withdrawn), said(never), `${end}: ${rest}`)
      }
    t.match(
      itemsOf(await read('/v1/me/bookmarks', eve)).find(({ storyId }) => storyId === id),
      { gone: true },
    )
  }
})

t.test('nor does anything that is done with its id, or with that of a chapter that is not shown', async t => {
  const { id, path, chapter } = await publish(ada, 'Closed', 'Nothing is told.', { visibility: 'private' })
  const open = await publish(ada, 'Open', 'Nothing is told here.')
  const added = await must('POST', `${open.path}/chapters`, ada, { title: 'A draft' })
  const draft = String(added.json['id'])
  const own = `/v1/series/${String((await must('POST', '/v1/series', eve, { title: 'Mine' })).json['id'])}`
  const list = `/v1/me/lists/${String((await must('POST', '/v1/me/lists', eve, { title: 'Mine' })).json['id'])}`
  const all = { 'if-match': '*' }
  const ways: readonly (readonly [method: string, path: (id: string) => string, body?: (id: string) => object])[] = [
    ['PUT', of => `/v1/me/bookmarks/${of}`, () => ({})],
    ['PUT', of => `/v1/me/progress/${of}`, () => ({ chapterId: chapter.split('/').at(-1), fraction: 0.5 })],
    ['PUT', of => `/v1/me/subscriptions/story/${of}`],
    ['PUT', () => `${own}/order`, of => ({ stories: [of] })],
    ['PUT', () => `${list}/stories`, of => ({ stories: [of] })],
    ['POST', of => `/v1/stories/${of}/publish`, () => ({})],
    ['PATCH', of => `/v1/stories/${of}`, () => ({ title: 'Taken' })],
    ['DELETE', of => `/v1/stories/${of}`],
    ['POST', of => `/v1/stories/${of}/chapters`, () => ({ title: 'Two' })],
    ['POST', of => `/v1/stories/${of}/invitations`, () => ({ accountId: bob.id })],
    ['POST', of => `/v1/stories/${of}/invitations/accept`, () => ({})],
    ['GET', of => `/v1/stories/${of}${chapter.slice(path.length)}/draft`],
    ['GET', of => `/v1/stories?series=${of}`],
  ]
  const ofChapters: typeof ways = [
    ['GET', of => `${open.path}/chapters/${of}`],
    ['GET', of => `${open.path}/chapters/${of}/draft`],
    ['GET', of => `${open.path}/chapters/${of}/history`],
    ['PUT', of => `${open.path}/chapters/${of}/draft`, () => ({ title: 'Taken', text: 'Taken from its author.' })],
    ['POST', of => `${open.path}/chapters/${of}/publish`, () => ({})],
    ['DELETE', of => `${open.path}/chapters/${of}`],
    ['PUT', () => `/v1/me/progress/${open.id}`, of => ({ chapterId: of, fraction: 0.5 })],
  ]
  for (const [secret, some] of [
    [id, ways],
    [draft, ofChapters],
  ] as const)
    for (const [method, at, body] of some) {
      const ask = async (which: string): Promise<unknown> => {
        const sent = { as: eve.token, headers: { ...all, 'sync-token': sync }, ...defined({ body: body?.(which) }) }
        const { status, json } = await api(
          method,
          at(which),
          at(which).includes('/me/') && !at(which).includes('lists') ? { ...sent, headers: {} } : sent,
        )
        const { requestId: _, ...said } = json
        return [status, JSON.stringify(said).replaceAll(which, 'ID')]
      }
      t.same(await ask(secret), await ask(NOBODYS), `${method} ${at('ID')}`)
    }
})

t.test('what was said about a work goes with it, in every file and under every key', async t => {
  const words = rareWords(6, 11)
  const said = async (n: number, kind: string, id: string, more: object = {}): Promise<string> => {
    const body = { target: { kind, id }, text: `It says ${words[n]} here.`, ...more }
    return String((await must('POST', '/v1/comments', n % 2 === 0 ? bob : eve, body)).json['id'])
  }
  const [whole, part] = [await publish(ada, 'Whole', 'The one text.'), await publish(ada, 'Part', 'Another text.')]
  await addChapter(ada, part.path, 'A text that stays.')
  const chapterIn = ({ chapter }: Story): string => chapter.slice(chapter.lastIndexOf('/') + 1)
  const [mod, editor] = [await signIn(house, 'mod', 'moderator'), await signIn(house, 'editor', 'editor')]
  const entry = String((await openDrafts(api, { author: bob.token, editor: editor.token }).published()).id)
  const first = await said(0, 'story', whole.id)
  const gone = [
    first,
    await said(1, 'story', whole.id, { parent: first }),
    await said(2, 'chapter', chapterIn(whole)),
    await said(3, 'chapter', chapterIn(part)),
    await said(4, 'entry', entry),
  ]
  const kept = await said(5, 'story', part.id)
  await until('all of it to be written', () => tracesIn(folder, words).length >= words.length)
  await must('DELETE', whole.path, ada)
  await must('DELETE', part.chapter, ada)
  await must('POST', `/v1/entries/${entry}/redact`, mod, { ground: 'privacy' })
  const isUnread = (id: string): Promise<boolean> =>
    asNode(house, 0, async ({ log }) => {
      for await (const page of log.readStream(`comment-${id}`))
        for (const { type, removed } of page) if (type === 'CommentPosted') return removed === true
      return false
    })
  for (const id of gone) await until('its key to be gone', () => isUnread(id))
  t.notOk(await isUnread(kept))
  await untilGone(app, folder, words.slice(0, 5))
  t.match((await read(`/v1/comments/${kept}`)).json, { text: `It says ${words[5]} here.` })
})

t.test('every answer and message was as the documents say', async t => {
  t.strictSame([...new Set(api.faults)], [])
  t.strictSame(liveChecks.faults, [])
})
