/** Reports and cases through the socket: who may report what, what is kept of it, who judges it, and who is told. */

import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { eraseNow, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { openStoryWriter } from '../support/stories.ts'

const folder = temporaryFolder(t)
const limits = { LEXICHRON_LIMIT_REPORTS: '12', LEXICHRON_LIMIT_REPORTS_ABOUT: '6', LEXICHRON_REPORTS_HIDE: '0' }
const app = await openTestApp(t, limits, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const [ada, ben, cora, mod, eve] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'ben', 'contributor'),
  await signIn(house, 'cora', 'contributor'),
  await signIn(house, 'mod', 'moderator'),
  await signIn(house, 'eve', 'moderator'),
]
const stories = await openStoryWriter(t, house)
const nothing = '00000000-0000-4000-8000-000000000000'

let sync = ''
/** Reads what was written before; no `as`: a stranger. */
const ask = async (method: string, path: string, as?: Person, body?: unknown, more = {}) => {
  await app.clock.advance(5)
  const headers = { ...defined({ 'sync-token': sync || undefined }), ...more }
  const token = as === undefined ? {} : { as: as.token }
  const answer = await api(method, path, { ...token, ...defined({ body }), headers })
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []
const story = (await stories.publish(ada.id, { title: 'Lighthouse' })).id
const say = async (as: Person, text: string): Promise<string> => {
  const answer = await ask('POST', '/v1/comments', as, { target: { kind: 'story', id: story }, text })
  if (answer.status !== 201) throw new Error(answer.text)
  return String(answer.json['id'])
}
const report = (as: Person | undefined, id: string, more: object = {}) =>
  ask('POST', '/v1/reports', as, { target: { kind: 'comment', id }, category: 'harassment', ...more })
const act = (as: Person, id: string, what: string, body: object = {}) =>
  ask('POST', `/v1/moderation/cases/comment-${id}/${what}`, as, body)
/** The case, once it has heard of so many reports. */
const theCase = (as: Person, id: string, reports = 1) =>
  inTime(app, 'the case of the report', async () => {
    const found = await ask('GET', `/v1/moderation/cases/comment-${id}`, as)
    return found.status === 200 && Number(found.json['reports']) >= reports ? found : undefined
  })
const outcomeFor = (as: Person, id: string) =>
  inTime(app, 'the outcome of the report', async () =>
    items(await ask('GET', '/v1/me/reports', as)).find(
      ({ target, outcome }) => Object(target).id === id && outcome !== undefined,
    ),
  )

t.test('a report is received, kept with what it is about, and judged', async t => {
  const id = await say(ben, 'You again!')
  const keyed = { 'idempotency-key': 'first-report' }
  const body = { target: { kind: 'comment', id: id.toUpperCase() }, category: 'harassment', words: 'He will not stop.' }
  const made = await ask('POST', '/v1/reports', cora, body, keyed)
  t.match(made, { status: 201, json: { target: { kind: 'comment', id }, category: 'harassment', filings: 1 } })
  t.match(await ask('POST', '/v1/reports', cora, body, keyed), { status: 201, json: made.json })
  const again = await report(cora, id)
  t.match(again, { status: 409, code: 'report-repeated' })
  t.ok(Number(again.headers.get('retry-after')) > 80_000)
  t.match(items(await ask('GET', '/v1/me/reports', cora)), [{ id: made.json['id'], category: 'harassment' }])
  t.same(items(await ask('GET', '/v1/me/reports', ben)), [], 'nobody sees what others report')
  t.equal((await ask('DELETE', `/v1/comments/${id}`, ben)).status, 204)
  const found = await theCase(mod, id)
  t.match(found.json, {
    state: 'open',
    authors: [ben.id],
    reports: 1,
    now: { text: '', gone: true },
    filed: [{ reporter: cora.id, words: 'He will not stop.', evidence: { text: 'You again!' }, selfDeleted: false }],
  })
  t.match(await act(mod, id, 'claim'), { status: 200, json: { claimant: mod.id } })
  t.match(await act(eve, id, 'claim'), { status: 409, code: 'case-claimed' })
  t.match(items(await ask('GET', `/v1/moderation/queue?claimant=${mod.id}`, eve)), [{ id: `comment-${id}` }])
  t.match(await act(mod, id, 'dismiss', { reason: '' }), { status: 422, code: 'reason-required' })
  t.match(await act(mod, id, 'dismiss', { reason: 'Deleted by himself.' }), {
    status: 200,
    json: { state: 'closed', closed: { because: 'dismissed', by: mod.id, reason: 'Deleted by himself.' } },
  })
  t.match(await outcomeFor(cora, id), { outcome: 'dismissed' })
  t.match(await act(eve, id, 'claim'), { status: 409, code: 'case-closed' })
  t.same(items(await ask('GET', `/v1/moderation/queue?claimant=${mod.id}`, eve)), [])
  t.match(items(await ask('GET', '/v1/moderation/queue?state=closed', eve)), [{ id: `comment-${id}` }])
})

t.test('what one cannot see, or is one’s own, one cannot report', async t => {
  const id = await say(ben, 'Mine.')
  t.match(await report(ben, id), { status: 409, code: 'report-not-possible' })
  t.match(await report(undefined, id), { status: 401 })
  t.match(await report(cora, nothing), { status: 404, code: 'comment-not-found' })
  const draft = await ask('POST', '/v1/stories', ada, { language: 'en', title: 'Draft' })
  const about = (kind: string, target: unknown) =>
    ask('POST', '/v1/reports', cora, { target: { kind, id: target }, category: 'spam' })
  t.match(await about('story', draft.json['id']), { status: 404, code: 'story-not-found' })
  t.match(await about('chapter', nothing), { status: 404, code: 'chapter-not-found' })
  t.match(await about('entry', nothing), { status: 404, code: 'entry-not-found' })
  t.match(await about('account', nothing), { status: 404, code: 'profile-not-found' })
  t.match(await about('account', ben.id), { status: 201 })
  t.match(await about('story', story), { status: 201 })
  t.match(await report(cora, id, { category: 'boring' }), { status: 400, code: 'validation' })
  // Who is insulted and blocked may report it all the same.
  t.equal((await ask('PUT', `/v1/me/blocks/${ada.id}`, ben)).status, 204)
  t.match(await report(ada, id), { status: 201 })
  t.equal((await ask('DELETE', `/v1/me/blocks/${ada.id}`, ben)).status, 204)
})

t.test('moderators do not judge their own case, and only they see any', async t => {
  const id = await say(mod, 'A moderator says this.')
  t.match(await report(eve, id), { status: 201 })
  const zoe = await signIn(house, 'zoe', 'moderator')
  await theCase(zoe, id)
  for (const own of [mod, eve]) {
    t.match(await ask('GET', `/v1/moderation/cases/comment-${id}`, own), { status: 403, code: 'case-own' })
    for (const what of ['claim', 'release']) t.match(await act(own, id, what), { status: 403, code: 'case-own' })
    t.match(await act(own, id, 'dismiss', { reason: 'x' }), { status: 403, code: 'case-own' })
    t.match(await act(zoe, id, 'assign', { moderator: own.id }), { status: 403, code: 'case-own' })
  }
  t.match(await act(zoe, id, 'assign', { moderator: ben.id }), { status: 422, code: 'moderator-unknown' })
  t.match(await act(zoe, id, 'assign', { moderator: zoe.id }), { status: 200, json: { claimant: zoe.id } })
  t.match(await act(zoe, id, 'release'), { status: 200, json: { state: 'open', claimant: undefined } })
  t.match(await ask('GET', '/v1/moderation/queue', ben), { status: 403 })
  t.match(await ask('GET', `/v1/moderation/cases/comment-${id}`, ben), { status: 403 })
  t.match(await act(ben, id, 'claim'), { status: 403 })
  t.match(await ask('GET', `/v1/moderation/cases/comment-${nothing}`, mod), { status: 404, code: 'case-not-found' })
  t.match(await act(mod, nothing, 'claim'), { status: 404, code: 'case-not-found' })
})

t.test('the queue is filtered, and up to fifty are claimed or dismissed at once', async t => {
  const people = [await signIn(house, 'dan', 'contributor'), await signIn(house, 'fay', 'contributor')] as const
  const [dan, fay] = people
  const [one, two] = [await say(dan, 'One.'), await say(dan, 'Two.')]
  await report(fay, one, { category: 'minors' })
  await report(fay, two, { category: 'privacy' })
  await theCase(mod, one)
  await theCase(mod, two)
  const queue = async (query: string) =>
    items(await ask('GET', `/v1/moderation/queue?${query}`, mod)).map(({ id }) => id)
  t.same(await queue('category=minors&kind=comment&language=en&automated=false'), [`comment-${one}`])
  t.same(await queue('category=privacy'), [`comment-${two}`])
  t.same(await queue('category=minors&kind=story'), [])
  t.equal((await queue('limit=1'))[0], `comment-${one}`, 'what cannot wait comes first')
  const first = await ask('GET', '/v1/moderation/queue?limit=1', mod)
  t.notOk(
    (await queue(`limit=100&cursor=${first.json['next']}`)).includes(`comment-${one}`),
    'and is not on the page after',
  )
  const bulk = (body: object) => ask('POST', '/v1/moderation/bulk', mod, body)
  const both = [`comment-${one}`, `comment-${two}`, `comment-${nothing}`]
  t.match(items(await bulk({ action: 'claim', cases: both })), [
    { id: both[0], outcome: 'done', isOpen: true },
    { outcome: 'done' },
    { outcome: 'refused', code: 'case-not-found' },
  ])
  t.match(items(await bulk({ action: 'dismiss', cases: both.slice(0, 2) })), [
    { outcome: 'refused', code: 'reason-required' },
    { outcome: 'refused', code: 'reason-required' },
  ])
  t.match(items(await bulk({ action: 'dismiss', cases: both.slice(0, 2), reason: 'Fine.' })), [
    { outcome: 'done', isOpen: false },
    { outcome: 'done', isOpen: false },
  ])
  const many = Array.from({ length: 51 }, () => both[0])
  t.match(await bulk({ action: 'claim', cases: many }), { status: 422, code: 'text-invalid' })
})

t.test('what was judged is opened again only when it says something else', async t => {
  const [gus, hal] = [await signIn(house, 'gus', 'contributor'), await signIn(house, 'hal', 'contributor')]
  const id = await say(gus, 'Rude.')
  await report(cora, id)
  await theCase(mod, id)
  t.equal((await act(mod, id, 'dismiss', { reason: 'Rude, no more.' })).status, 200)
  await report(hal, id)
  t.match(await outcomeFor(hal, id), { outcome: 'dismissed' }, 'who reports what was judged is told at once')
  t.match((await theCase(mod, id)).json, { state: 'closed', round: 1, reports: 1 })
  t.equal((await ask('PATCH', `/v1/comments/${id}`, gus, { text: 'Ruder.' })).status, 200)
  t.match(await report(hal, id), { status: 201, json: { filings: 2 } })
  await inTime(app, 'the case to be open again', async () => (await theCase(mod, id)).json['state'] === 'open')
  t.match((await theCase(mod, id)).json, { round: 2, filed: [{ evidence: { text: 'Ruder.' } }, {}] })
})

t.test('the case of whom was erased ends with its reason, and the words of a reporter go with them', async t => {
  const [ian, joe] = [await signIn(house, 'ian', 'contributor'), await signIn(house, 'joe', 'contributor')]
  const id = await say(ian, 'Before I go.')
  await report(joe, id, { words: 'My words.' })
  await theCase(mod, id)
  await eraseNow(house, joe)
  const [filed] = Object(await theCase(mod, id)).json.filed
  t.match(filed, { reporter: joe.id, words: undefined, evidence: { text: 'Before I go.' } })
  await eraseNow(house, ian)
  const ended = await inTime(app, 'the end of the case', async () => {
    const found = await theCase(mod, id)
    return found.json['state'] === 'closed' ? found : undefined
  })
  t.match(ended.json, { closed: { because: 'gone', by: undefined }, now: { gone: true } })
  t.match(Object(ended.json)['filed'], [{ evidence: { text: 'Before I go.' } }], 'evidence stays')
})

t.test('who reports too much waits, and holds nobody up', async t => {
  const kim = await signIn(house, 'kim', 'contributor')
  const lou = await signIn(house, 'lou', 'contributor')
  const ids: string[] = []
  for (let n = 0; n < 8; n += 1) ids.push(await say(lou, `Number ${n}.`))
  const answers = []
  for (const id of ids) answers.push(await report(kim, id))
  t.same(
    answers.map(({ status }) => status),
    [201, 201, 201, 201, 201, 201, 429, 429],
  )
  t.ok(Number(answers.at(-1)?.headers.get('retry-after')) > 0)
  t.match(answers.at(-1), { code: 'reports-too-many' })
  t.match(await report(cora, String(ids.at(-1))), { status: 201 })
})

t.test('what was deleted a moment ago may be reported by those who had seen it', async t => {
  // Access tokens are good for a few minutes.
  const [nan, ola, pam] = [
    await signIn(house, 'nan', 'contributor'),
    await signIn(house, 'ola', 'contributor'),
    await signIn(house, 'pam', 'moderator'),
  ]
  const id = await say(nan, 'Gone in a minute.')
  await ask('DELETE', `/v1/comments/${id}`, nan)
  t.match(await report(ola, id, { words: 'He insulted me and deleted it.' }), { status: 201 })
  const { json } = await theCase(pam, id)
  const [filed] = Array.isArray(json['filed']) ? json['filed'] : []
  t.match(filed, { selfDeleted: true, words: 'He insulted me and deleted it.', evidence: undefined })
  await app.pass(11 * 60_000)
  t.match(await report(await signIn(house, 'quin', 'moderator'), id), { status: 404, code: 'comment-not-found' })
})
