/** Who is told of a comment, by an event and by mail: each once, and never of whom they do not hear, nor of what is held back. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { commentAggregate, commentStream } from '../../src/domain/comment/comment.ts'
import { holdComment, postComment, releaseComment } from '../../src/domain/comment/decisions.ts'
import { CommentTold } from '../../src/domain/comment/notice.ts'
import { defined } from '../../src/domain/defined.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { commentRules } from '../../src/subscribers/comment-mail.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { memoryLog } from '../support/memory-log.ts'
import { openOutbox } from '../support/outbox.ts'
import { asNode, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { openStoryWriter } from '../support/stories.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const outbox = openOutbox(folder)
const person = (name: string): Promise<Person> => signIn(house, name, 'contributor')
const [ada, ben, cora, dan] = [await person('ada'), await person('ben'), await person('cora'), await person('dan')]
const auditor = await app.token('admin')
const stories = await openStoryWriter(t, house)

let sync = ''
const ask = async (method: string, path: string, { token: as }: { readonly token: string }, body?: object) => {
  await app.clock.advance(5)
  const headers = sync === '' ? {} : { 'sync-token': sync }
  const answer = await api(method, path, { as, headers, ...defined({ body }) })
  if (answer.status >= 300) throw new Error(answer.text)
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const say = async (as: Person, story: string, more: object = {}): Promise<string> => {
  const body = { target: { kind: 'story', id: story }, text: 'Well said.', ...more }
  return String((await ask('POST', '/v1/comments', as, body)).json['id'])
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []
/** Who was told of a comment, and why. */
const told = async (comment: string): Promise<Readonly<Record<string, string>>> => {
  const page = await ask('GET', '/v1/events?type=CommentTold&limit=100&order=desc', { token: auditor })
  const events = items(page).map(({ data }) => Object(data))
  return Object.fromEntries(events.flatMap(each => (each.comment === comment ? [[each.accountId, each.because]] : [])))
}
/** Once everybody was told of what was said before: the last comment, which mentions somebody who is told of it. */
const settled = async (story: string, witness: Person = ada): Promise<void> => {
  const last = await say(dan, story, { mentions: [witness.id] })
  await inTime(app, 'the last comment to be told', async () => witness.id in (await told(last)))
}
const mails = async (name: string, subject: RegExp): Promise<number> =>
  (await outbox(`${name}@dictionary.example`, subject)).length

t.test('who is answered, mentioned, and writes the story are told once, by event and mail', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Lighthouse' })
  const first = await say(ben, id)
  const answer = await say(cora, id, { parent: first, mentions: [ben.id, dan.id, ada.id] })
  await settled(id)
  t.same(await told(first), { [ada.id]: 'work' })
  t.same(await told(answer), { [ben.id]: 'answer', [dan.id]: 'mention', [ada.id]: 'mention' })
  const own = await say(ada, id)
  await settled(id)
  t.same(await told(own), {})
  await inTime(app, 'the mails', async () => (await mails('ben', /answered/)) + (await mails('dan', /mentioned/)) === 2)
  // Mails of her account may come at any time.
  t.equal(await mails('cora', /comment/i), 0)
})

t.test('who does not hear its author is told nothing, nor who wants no such news', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Harbour' })
  const first = await say(ben, id)
  await ask('PUT', `/v1/me/mutes/${cora.id}`, ben)
  await ask('PUT', `/v1/me/blocks/${dan.id}`, cora)
  const prefer = async (comments: boolean) => {
    const sent = { as: ada.token, body: { notifications: { comments } }, headers: { 'if-match': '*' } }
    t.match(await api('PATCH', '/v1/me/preferences', sent), { status: 200, json: { notifications: { comments } } })
  }
  await prefer(false)
  const answer = await say(cora, id, { parent: first, mentions: [dan.id, ada.id] })
  await settled(id, ben)
  t.same(await told(answer), {})
  await prefer(true)
  await ask('DELETE', `/v1/me/mutes/${cora.id}`, ben)
  await ask('DELETE', `/v1/me/blocks/${dan.id}`, cora)
})

/** Does something to a comment as another node. */
const act = async (id: string, decide: ReturnType<typeof holdComment>): Promise<void> =>
  asNode(house, 0, async ({ transactor, clock, newId }) => {
    const commandId = newId()
    const actor = { kind: 'system' as const, id: commandId }
    const envelope = { commandId, actor, correlationId: commandId, at: clock.now() }
    const result = await transactor(commentAggregate).run(commentStream(id), decide, envelope)
    if (isRefusal(result)) throw new Error(result.detail)
  })
const seen = async (story: string, as: Person): Promise<readonly unknown[]> =>
  items(await ask('GET', `/v1/stories/${story}/comments`, as)).map(({ text, gone }) => gone ?? text)

t.test('what is held back is a stub, and is told once when it is released', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Cliff' })
  const comment = await say(ben, id)
  await settled(id)
  await act(comment, holdComment('d1'))
  await act(comment, holdComment('d2'))
  await inTime(app, 'the stub', async () => (await seen(id, cora))[0] === 'held')
  t.equal((await seen(id, ben))[0], 'Well said.', 'its author is shown it')
  t.match((await ask('GET', `/v1/comments/${comment}`, ben)).json, { held: true, open: false })
  await act(comment, releaseComment('d1'))
  await act(comment, releaseComment('d2'))
  await inTime(app, 'the comment', async () => (await seen(id, cora))[0] === 'Well said.')
  await settled(id)
  const page = await ask('GET', '/v1/events?type=CommentTold&limit=100&order=desc', { token: auditor })
  t.equal(items(page).filter(({ data }) => Object(data).comment === comment).length, 1, 'and once')
})

t.test('what came too late for its thread is held, told to nobody and not counted', async t => {
  const { id } = await stories.publish(ada.id, { title: 'Dusk' })
  const first = await say(ben, id)
  await ask('POST', `/v1/threads/story/${id}/close`, ada, {})
  // Decided on what another node knew before.
  const late = randomUUID()
  const target = { kind: 'story' as const, id }
  const around = {
    target,
    audience: 'public' as const,
    targetRevision: '0',
    thread: { halts: [] },
    threadRevision: 'none',
    quoted: new Map(),
  }
  const by = { id: cora.id, permissions: new Set([]), now: app.clock.now(), commandId: late }
  await act(
    late,
    postComment({ id: late, text: 'Too late.', mentions: [ben.id], quotes: [] }, around, by) as ReturnType<
      typeof holdComment
    >,
  )
  await inTime(app, 'its stub', async () => (await seen(id, dan))[1] === 'held')
  await ask('DELETE', `/v1/threads/story/${id}/close`, ada)
  await settled(id)
  t.same(await told(late), {})
  await inTime(app, 'the count', async () => {
    const { json } = await ask('GET', `/v1/stories/${id}/comments`, dan)
    return json['total'] === 2
  })
  t.same(await seen(id, dan), ['Well said.', 'held', 'Well said.'], 'also once it is reopened')
  t.same(await told(first), { [ada.id]: 'work' })
})

t.test('what was hidden between queue and mail is not sent', async t => {
  const log = memoryLog()
  const event = log.write('notice-n', CommentTold.type, {
    accountId: 'ben',
    comment: 'c1',
    thread: 'story-s',
    because: 'answer',
  })
  const comment = { author: 'ada' } as Parameters<Parameters<typeof commentRules>[0]['mayBeTold']>[1]
  const rules = (standing: boolean, wanted: boolean) =>
    commentRules({
      publicUrl: () => 'https://dictionary.example',
      from: 'mail@dictionary.example',
      standing: async () => (standing ? comment : undefined),
      mayBeTold: async () => wanted,
    })
  const still = async (standing: boolean, wanted: boolean): Promise<readonly (boolean | undefined)[]> =>
    Promise.all(
      rules(standing, wanted)
        .filter(({ template }) => template === 'comment-answer')
        .map(async rule => rule.still?.(event, 'account:ben')),
    )
  t.same(await still(true, true), [true])
  t.same(await still(false, true), [false])
  t.same(await still(true, false), [false])
  t.same(
    rules(true, true).map(({ to }) => to(event)),
    [['account:ben'], [], []],
  )
})
