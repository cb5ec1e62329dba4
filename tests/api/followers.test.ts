/** A chapter that is published is one event and one mail to each who follows it, and none to who may not see it or wants none. */
import t from 'tap'
import { FollowedPublished } from '../../src/domain/shelf/shelf.ts'
import type { Story } from '../../src/domain/story/story.ts'
import { storyRules } from '../../src/subscribers/story-mail.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { memoryLog } from '../support/memory-log.ts'
import { openOutbox } from '../support/outbox.ts'
import { type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const outbox = openOutbox(folder)
const person = (name: string): Promise<Person> => signIn(house, name, 'contributor')
const [ada, ben, cora, dan] = [await person('ada'), await person('ben'), await person('cora'), await person('dan')]
/** Whom ada has blocked, who has blocked her, and who has muted her. */
const apart = [await person('eve'), await person('fay'), await person('gus')] as const
const auditor = await app.token('admin')

const must = (answer: Received): Received => {
  if (answer.status >= 300) throw new Error(answer.text)
  return answer
}
const act = async (method: string, path: string, { token: as }: Person, body: object = {}) =>
  must(await api(method, path, { as, body, headers: method === 'PUT' ? { 'if-match': '*' } : {} }))
const follow = async (path: string, { token: as }: Person) =>
  must(await api('PUT', `/v1/me/subscriptions/${path}`, { as }))
const chapter = async (story: string): Promise<string> => {
  const begun = await act('POST', `${story}/chapters`, ada, { title: 'One' })
  const path = `${story}/chapters/${String(begun.json['id'])}`
  await act('PUT', `${path}/draft`, ada, { title: 'One', text: 'Once upon a time, by the sea.' })
  return path
}
const begun = async (title: string, more: object = {}): Promise<string> => {
  const made = await act('POST', '/v1/stories', ada, { language: 'en', title, visibility: 'public', ...more })
  return `/v1/stories/${String(made.json['id'])}`
}
const mailsTo = async (name: string, title: string): Promise<number> =>
  (await outbox(`${name}@dictionary.example`, new RegExp(title))).length
const told = async ({ id }: Person): Promise<readonly { data: { story: string; chapters: string[] } }[]> => {
  const { json } = await api('GET', `/v1/events?type=FollowedPublished&limit=100`, { as: auditor })
  const items = Array.isArray(json['items']) ? json['items'] : []
  return items.filter(({ data }) => data.accountId === id)
}

t.test('each is told once, however many ways they follow it', async t => {
  const story = await begun('Lighthouse', { tags: ['Sea'] })
  const id = story.slice('/v1/stories/'.length)
  const [eve, fay, gus] = apart
  for (const one of apart) await follow(`author/${ada.id}`, one)
  must(await api('PUT', `/v1/me/blocks/${eve.id}`, { as: ada.token }))
  must(await api('PUT', `/v1/me/blocks/${ada.id}`, { as: fay.token }))
  must(await api('PUT', `/v1/me/mutes/${ada.id}`, { as: gus.token }))
  await follow(`author/${ada.id}`, ben)
  await follow('tag/sea', ben)
  await follow(`author/${ada.id}`, ada)
  await follow('tag/SEA', cora)
  await follow('tag/sea', dan)
  const { headers } = await api('GET', '/v1/me/preferences', { as: dan.token })
  const off = await api('PATCH', '/v1/me/preferences', {
    as: dan.token,
    body: { notifications: { chapters: false } },
    headers: { 'if-match': headers.get('etag') ?? '' },
  })
  t.match(off, { status: 200, json: { notifications: { chapters: false, roles: true } } })
  const first = await chapter(story)
  await act('POST', `${first}/publish`, ada)
  await act('POST', `${story}/publish`, ada)
  await inTime(
    app,
    'the mails of the story',
    async () => (await mailsTo('ben', 'Lighthouse')) + (await mailsTo('cora', 'Lighthouse')) === 2,
  )
  const second = await chapter(story)
  await act('POST', `${second}/publish`, ada)
  await inTime(
    app,
    'the mails of the chapter',
    async () => (await mailsTo('ben', 'Lighthouse')) + (await mailsTo('cora', 'Lighthouse')) === 4,
  )
  const [one, two, ...more] = await told(ben)
  t.match(one?.data, { story: id, chapters: [first.slice(-36)] })
  t.match(two?.data, { story: id, chapters: [second.slice(-36)] })
  t.same(more, [], 'once for each')
  t.same(
    [(await told(ada)).length, (await told(dan)).length],
    [0, 0],
    'its author knows, and who wants none is told nothing',
  )
  t.same([await mailsTo('ada', 'Lighthouse'), await mailsTo('dan', 'Lighthouse')], [0, 0])
  for (const one of apart) t.same(await told(one), [], 'nor who has blocked or muted its author, or is blocked by her')
  await act('POST', `${story}/unpublish`, ada)
  await act('POST', `${story}/publish`, ada)
  const other = await begun('Harbour', { tags: ['Sea'] })
  await act('POST', `${await chapter(other)}/publish`, ada)
  await act('POST', `${other}/publish`, ada)
  await inTime(app, 'the mails of another', async () => (await mailsTo('ben', 'Harbour')) === 1)
  t.equal(await mailsTo('ben', 'Lighthouse'), 2, 'what is published again is no news')
})

t.test('of what they may not find nobody is told', async t => {
  for (const [title, more] of [
    ['Unlisted', { visibility: 'unlisted', tags: ['Sea'] }],
    ['Hidden', { visibility: 'private', tags: ['Sea'] }],
    ['Adults', { rating: 'explicit', tags: ['Sea'] }],
    ['Last', { visibility: 'members', tags: ['Sea'] }],
  ] as const) {
    const story = await begun(title, more)
    await act('POST', `${await chapter(story)}/publish`, ada)
    await act('POST', `${story}/publish`, ada)
  }
  await inTime(app, 'the mail of the last', async () => (await mailsTo('cora', 'Last')) === 1)
  for (const title of ['Unlisted', 'Hidden', 'Adults']) t.equal(await mailsTo('cora', title), 0, title)
})

t.test('what was hidden between queue and mail is not sent', async t => {
  let story: Story | undefined
  let wanted = true
  const [rule] = storyRules({
    publicUrl: () => 'https://x.example',
    from: 'a@x.example',
    story: async () => story,
    mayBeTold: async () => wanted,
    keysOf: async stream => [`document:${stream}`],
    streamOf: id => `story-${id}`,
  })
  const told = { accountId: 'ben', story: 's', chapters: ['c'] }
  const event = memoryLog().write('shelf-ben-0', FollowedPublished.type, told)
  const still = () => rule?.still?.(event, 'account:ben')
  t.same(await rule?.to(event), ['account:ben'])
  t.equal(await still(), false, 'the story is gone')
  const chapters = [{ id: 'c', by: 'ada', isShown: true, words: 1, revision: 1 }]
  story = {
    title: 'Sea',
    chapters,
    authors: ['ada'],
    former: [],
    invited: [],
    language: 'en',
    tags: [],
    warnings: [],
    rating: 'general',
    visibility: 'public',
    isPublished: true,
    isCompleted: false,
    isDeleted: false,
    createdAt: '',
    updatedAt: '',
  }
  t.equal(await still(), true)
  t.match(await rule?.data(event, 'en'), { title: 'Sea', chapters: 1, url: 'https://x.example/v1/stories/s' })
  t.same(await rule?.keys?.(event), ['document:story-s'], 'with its key the mail is forgotten')
  story = { ...story, chapters: chapters.map(known => ({ ...known, isShown: false })) }
  t.equal(await still(), false, 'the chapter is hidden')
  story = { ...story, chapters }
  wanted = false
  t.equal(await still(), false, 'it may not be seen, or is not wanted any more')
})

t.test('answers agree with the document', t => {
  t.same(api.faults, [])
  t.end()
})
