/**
 * The guides that need no engine but the embedded ones, run as they stand there, one after another on one start: of a new
 * log that stays empty, and of one that is being filled with WordNet, from its first second on.
 */
import t, { type Test } from 'tap'
import { blocksOf, openShell, page, type Shell } from '../support/documents.ts'
import { ask, NOT_YET, ready } from '../support/nodes.ts'
import { startProcess } from '../support/processes.ts'
import { sendAll } from '../support/requests.ts'
import { type Service, startService, temporaryFolder } from '../support/service.ts'
import { readTour, tourOf } from '../support/tour.ts'
import { until } from '../support/until.ts'

type Start = { readonly service: Service; readonly shell: Shell; readonly isFilled: boolean }

/** Runs the blocks of a guide; answers what they printed. */
const run = async (t: Test, { shell }: Start, blocks: readonly string[]): Promise<string> => {
  const ran = await shell.run(blocks)
  t.equal(ran.code, 0, `${ran.out}\n${ran.err}`)
  return ran.out
}

/** What the example of docs/live.md for Node hears of all this. */
const listens = (t: Test, { service }: Start) => {
  const [example = ''] = blocksOf(page('docs/live.md'), 'js node')
  const code = example.replaceAll('localhost:8080', new URL(service.url).host)
  const { output } = startProcess(t, process.execPath, ['--input-type=module', '-e', code])
  return () =>
    until('a publication', async saw => {
      saw(`${output.out}\n${output.err}`)
      return output.out.includes('EntryPublished') && output.err === ''
    })
}

const history = async (t: Test, start: Start): Promise<void> => {
  // A script waits until each write is in the history, and each reading that the log keeps.
  const settle = (type: string, count: number) =>
    `until [ "$(audit 'localhost:8080/v1/events?type=${type}' | jq '.items | length')" = ${count} ]; do sleep 0.05; done`
  const after = new Map([
    [1, settle('EntryEdited', 1)],
    [3, settle('HistoryRead', 1)],
    [6, settle('HistoryRead', 2)],
  ])
  const blocks = blocksOf(page('docs/history.md'), 'sh guide')
  const out = await run(
    t,
    start,
    blocks.map((block, at) => `${block}\n${after.get(at) ?? ''}`),
  )
  const answers = out
    .trim()
    .split('\n')
    .map((answer): unknown => JSON.parse(answer))
  const [event, others, before, caused, followed, trailer, readings, ...more] = answers
  const count = start.isFilled ? Number : 3
  t.strictSame(more, [], out)
  t.match(event, {
    type: 'EntryEdited',
    stream: /^entry-/,
    revision: '2',
    data: { changes: { senses: [{ gloss: 'a mistake about time' }] } },
  })
  t.strictSame(others, ['EntryEdited'])
  t.equal(before, 'a thing out of its time')
  t.strictSame(caused, ['EntryEdited'])
  t.ok(Array.isArray(followed) && followed.includes('HistoryRead'), 'that the auditor looked came after the edit')
  t.match(trailer, { end: true, count })
  t.match(readings, [
    { count: 1, format: 'page', filters: { actor: /^[0-9a-f-]{36}$/, order: 'asc' } },
    { count, format: 'stream', filters: { category: 'entry' } },
  ])
}

const tour = async (t: Test, start: Start): Promise<void> => {
  const answers = readTour(await run(t, start, tourOf(page('README.md'))))
  t.equal(answers.length, 14)
  for (const answer of answers.slice(0, 13)) t.equal(answer['code'], undefined, JSON.stringify(answer))
  for (const answer of answers.slice(0, 3)) t.equal('filling' in answer, start.isFilled)
  t.match(JSON.stringify(answers[6]), '"lemma":"lexichron"', 'what one writes is found at once')
}

/** Who was made an account by the command line, as docs/accounts.md says at its beginning. */
type Member = { readonly email: string; readonly password: string; readonly id: string; readonly token: string }

const member = async (t: Test, { service, shell }: Start, email: string): Promise<Member> => {
  const [command = ''] = blocksOf(page('docs/accounts.md'), 'sh guide')
  const out = await shell.run([command.replace('admin@dictionary.example', email)])
  t.equal(out.code, 0, out.err)
  const password = out.out.trim()
  const sent = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  }
  const session = JSON.parse((await ask(`${service.url}/v1/sessions`, sent, NOT_YET)).text)
  const token = String(session.accessToken)
  const me = await ask(`${service.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } }, NOT_YET)
  return { email, password, token, id: String(JSON.parse(me.text).id) }
}

const accounts = async (t: Test, start: Start, ada: Member): Promise<void> => {
  const values = new Map([
    ['email', ada.email],
    ['password', ada.password],
    ['bio', 'Collects words.'],
  ])
  const seen: string[] = []
  for (const block of blocksOf(page('docs/accounts.md'), 'http guide'))
    await sendAll(block, {
      url: start.service.url,
      values,
      token: () => ada.token,
      onAnswer: (request, { json }) => {
        seen.push(request)
        if (request === 'POST /v1/sessions') t.match(json, { expiresIn: 600, session: { id: String } })
      },
    })
  t.strictSame(seen, [
    'POST /v1/sessions',
    'POST /v1/sessions',
    'GET /v1/me',
    'PATCH /v1/me',
    'PATCH /v1/me/preferences',
  ])
}

const stories = async (t: Test, start: Start, ada: Member, ben: Member): Promise<void> => {
  const values = new Map([['accountId', ben.id]])
  let last: unknown
  for (const block of blocksOf(page('docs/stories.md'), 'http guide'))
    await sendAll(block, {
      url: start.service.url,
      values,
      token: by => (by === undefined ? ada : ben).token,
      onAnswer: (request, { json }) => {
        if (request === 'POST /v1/stories') values.set('id', String(json['id']))
        if (request === 'POST /v1/stories/{id}/chapters') values.set('chapterId', String(json['id']))
        last = json
      },
    })
  t.match(last, { authors: [ada.id, ben.id] })
}

const moving = async (t: Test, start: Start): Promise<void> => {
  await run(t, start, [...blocksOf(page('docs/ndjson.md'), 'sh guide'), 'grep -q metachronism words.ndjson'])
}

const operation = async (t: Test, start: Start): Promise<void> => {
  // The last block reads all of the log.
  const out = await run(t, start, blocksOf(page('docs/operation.md'), 'sh guide').toReversed())
  t.match(out, '203.0.113.7')
}

/** A mail waits in the queue for as long as a file is where the outbox was. */
const mail = async (t: Test, start: Start, ada: Member): Promise<void> => {
  const { url } = start.service
  const json = `-H 'Content-Type: application/json'`
  const key = 'KEY=$(lexichron jobs list --json | jq -r "map(select(.kind == \\"mail\\"))[0].key // empty")'
  const [block = ''] = blocksOf(page('docs/mail.md'), 'sh guide')
  const out = await run(t, start, [
    'mv outbox outbox-of-before; touch outbox',
    `curl -sS ${url}/v1/password-resets ${json} -d '{"email": "${ada.email}"}'`,
    `until ${key}; [ -n "$KEY" ]; do sleep 0.05; done`,
    block
      .replaceAll(' KEY ', ' "$KEY" ')
      .replace(/^lexichron mail test/m, 'rm outbox; mv outbox-of-before outbox\nlexichron mail test'),
  ])
  t.match(out, /data\.template +reset-password/)
  t.match(out, 'entry-removed\n')
  t.match(out, 'taken as <')
}

for (const [name, sample] of [
  ['against an empty log', 'none'],
  ['from the first second of a first start on', 'wordnet'],
] as const)
  t.test(`the guides work as they stand there, ${name}`, async t => {
    const data = temporaryFolder(t)
    const service = await startService(t, data, { LEXICHRON_SAMPLE: sample })
    const start = { service, shell: await openShell(t, data, service.url), isFilled: sample === 'wordnet' }
    // What reads all of the log comes early: while it is filled, there is more of it with each second.
    await t.test('operation', t => operation(t, start))
    const heard = listens(t, start)
    await t.test("an auditor's day", t => history(t, start))
    await t.test('NDJSON', t => moving(t, start))
    await t.test('the tour of the README: every command is answered', t => tour(t, start))
    await heard()
    const ada = await member(t, start, 'ada@dictionary.example')
    await t.test('accounts', t => accounts(t, start, ada))
    await t.test('stories', async t => stories(t, start, ada, await member(t, start, 'ben@dictionary.example')))
    await t.test('mail and jobs', t => mail(t, start, ada))
    await ready(service)
  })
