/** What is looked at of comments before others see it, through the socket: what is held, what is refused, and what becomes of it. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { openStoryWriter } from '../support/stories.ts'

const folder = temporaryFolder(t)
const words = join(folder, 'words.txt')
writeFileSync(words, 'hold dubious\nrefuse /forb[i1]dden/\n')
const app = await openTestApp(
  t,
  {
    LEXICHRON_WORDS: words,
    LEXICHRON_LIMIT_NEW_LINKS: '1',
    LEXICHRON_REPEAT_MINUTES: '6',
    LEXICHRON_REPORTS_HIDE: '3',
  },
  { folder },
)
const api = await openApi(app.url)
const house = { app, api, folder }
const [ada, ben, cora, dan, mod] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'ben', 'contributor'),
  await signIn(house, 'cora', 'contributor'),
  await signIn(house, 'dan', 'contributor'),
  await signIn(house, 'mod', 'moderator'),
]
const stories = await openStoryWriter(t, house)
const story = (await stories.publish(ada.id, { title: 'Lighthouse' })).id

let sync = ''
const ask = async (method: string, path: string, as?: Person, body?: unknown) => {
  await app.clock.advance(5)
  const token = as === undefined ? {} : { as: as.token }
  const headers = defined({ 'sync-token': sync || undefined })
  const answer = await api(method, path, { ...token, ...defined({ body }), headers })
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const say = (as: Person, text: string, more: object = {}): Promise<Received> =>
  ask('POST', '/v1/comments', as, { target: { kind: 'story', id: story }, text, ...more })
const heldCase = (id: string) =>
  inTime(app, 'the case of what is held', async () => {
    const found = await ask('GET', `/v1/moderation/cases/comment-${id}`, mod)
    return found.status === 200 && found.json['automated'] === true ? found : undefined
  })
const isShown = async (id: string): Promise<boolean> => {
  const { json } = await ask('GET', `/v1/comments/${id}`, dan)
  return json['text'] !== undefined
}

t.test('what is held waits for a moderator, and is shown once they let it go', async t => {
  const made = await say(ben, 'A dubious word.')
  t.match(made, { status: 201, json: { held: true, open: false, text: 'A dubious word.' } })
  const id = String(made.json['id'])
  t.notOk(await isShown(id))
  t.match(await say(cora, 'An answer.', { parent: id }), { status: 409, code: 'comment-gone' })
  const found = await heldCase(id)
  t.match(found.json, { source: 'pipeline', step: 'words', authors: [ben.id], now: { text: 'A dubious word.' } })
  t.match(await ask('GET', '/v1/moderation/queue?automated=true', mod), { json: { items: [{ id: `comment-${id}` }] } })
  await inTime(app, 'the decision', async () => {
    const { json } = await ask('GET', '/v1/me/decisions', ben)
    return Array.isArray(json['items']) && json['items'].length === 1
  })
  const dismissed = await ask('POST', `/v1/moderation/cases/comment-${id}/dismiss`, mod, { reason: 'It is fine.' })
  t.equal(dismissed.status, 200)
  await inTime(app, 'the comment to be shown', () => isShown(id))
  t.match(await say(cora, 'An answer.', { parent: id }), { status: 201 })
})

t.test('what is refused is not there, and says which step and why', async t => {
  t.match(await say(ben, 'It is FORB1DDEN.'), {
    status: 422,
    code: 'text-refused',
    json: { errors: [{ pointer: '/text', code: 'words' }] },
  })
  t.match(await say(ben, 'Twice, the same.'), { status: 201 })
  t.match(await say(ben, '*Twice*, the SAME'), { status: 422, json: { errors: [{ code: 'repeat' }] } })
  t.match(await say(cora, 'Twice, the same.'), { status: 201 }, 'another may say it')
  t.match(await say(ben, 'https://a.example https://b.example'), { status: 201, json: { held: true } })
})

t.test('of an edit only what is added is looked at', async t => {
  const id = String((await say(cora, 'Plain.')).json['id'])
  t.match(await ask('PATCH', `/v1/comments/${id}`, cora, { text: 'Forbidden.' }), { status: 422, code: 'text-refused' })
  t.ok(await isShown(id))
  t.match(await ask('PATCH', `/v1/comments/${id}`, cora, { text: 'Dubious.' }), { status: 200, json: { held: true } })
  t.notOk(await isShown(id))
})

t.test('what enough people report is hidden until a moderator has looked', async t => {
  const id = String((await say(ada, 'Many mind this.')).json['id'])
  const report = (as: Person) =>
    ask('POST', '/v1/reports', as, { target: { kind: 'comment', id }, category: 'harassment' })
  await report(ben)
  await report(cora)
  t.ok(await isShown(id))
  await report(dan)
  const found = await heldCase(id)
  t.match(found.json, { reports: 3, source: 'report', automated: true })
  await inTime(app, 'the comment to be hidden', async () => !(await isShown(id)))
  const statement = {
    category: 'cyber-violence',
    rule: 'Rule 3',
    ground: 'terms',
    source: 'report',
    facts: 'It insults.',
  }
  const decided = await ask('POST', '/v1/moderation/decisions', mod, {
    case: `comment-${id}`,
    measures: [{ measure: 'hide', target: { kind: 'comment', id } }],
    statement,
  })
  t.equal(decided.status, 201)
  await inTime(app, 'the outcome', async () => {
    const { json } = await ask('GET', '/v1/me/reports', dan)
    return Array.isArray(json['items']) && Object(json['items'][0]).outcome === 'upheld'
  })
  const closed = await ask('GET', `/v1/moderation/cases/comment-${id}`, mod)
  t.match(closed.json, { state: 'closed', automated: false, closed: { because: 'decision', by: mod.id } })
  const past = closed.json['decisions']
  t.match(past, [
    { automated: false, state: 'standing' },
    { automated: true, state: 'overturned' },
  ])
  t.notOk(await isShown(id), 'the moderator’s own decision holds it')
})
