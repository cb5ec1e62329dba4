/**
 * What was withdrawn, asked for by whoever saw it, or guesses its id: a replay from before, an old position, time or cursor, and
 * every address that answers for an entry. What is retired is gone; what was removed never was; those who may see it still do.
 */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { entryId } from '../../src/domain/ids.ts'
import { openApi, type Received, type Sent } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { connectLive, type Message, newLiveChecks, openHearing } from '../support/live-client.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const liveChecks = newLiveChecks()
const [ada, bob, editor, moderator] = [
  await app.token('contributor', 'ada'),
  await app.token('contributor', 'bob'),
  await app.token('editor'),
  await app.token('moderator'),
]
const heard = await openHearing(app.url, editor)
/** The Sync-Token of the last write to an entry. */
let written: string | undefined
const noting = (answer: Received): Received => {
  written = answer.headers.get('sync-token') ?? ''
  return answer
}
const NOBODYS = '00000000-0000-5000-8000-000000000000'

const post = async (path: string, as: string, body: object = {}): Promise<Received> => {
  const answer = await api('POST', path, { as, body, headers: { 'if-match': '*' } })
  if (answer.status >= 400) throw new Error(`${path}: ${answer.text}`)
  noting(answer)
  // What is asked for afterwards without a token is answered from read models that have heard of it.
  const after = { headers: defined({ 'sync-token': written }) }
  for (const read of ['/v1/entries?limit=1', '/v1/search?q=x']) await api('GET', read, after)
  return answer
}
const draftOf = (lemma: string) => ({
  language: 'en',
  lemma,
  partOfSpeech: 'noun',
  senses: [{ gloss: `the secret of ${lemma}` }],
})
const draft = async (lemma: string, as = editor): Promise<string> => {
  const answer = noting(await api('POST', '/v1/entries', { as, body: draftOf(lemma) }))
  return String(answer.json['id'])
}
const publish = async (lemma: string): Promise<string> => {
  const id = await draft(lemma)
  await post(`/v1/entries/${id}/publish`, editor)
  return id
}
const retire = (id: string, replacedBy?: string) =>
  post(`/v1/entries/${id}/retire`, editor, { reason: 'A duplicate.', ...defined({ replacedBy }) })
const redact = (id: string) => post(`/v1/entries/${id}/redact`, moderator, { ground: 'privacy' })
const positionNow = async (): Promise<string> =>
  (await api('GET', '/v1/roles', { as: editor })).headers.get('sync-token') ?? ''

type Told = { readonly type: unknown; readonly data: Record<string, unknown> }
const told = (messages: readonly Message[]): readonly Told[] =>
  messages.flatMap(({ op, type, data }) => (op === 'event' ? [{ type, data: Object(data) }] : []))

/** What a WebSocket replays after a position, of all that was written before. */
const replay = async (after: string, entryId: string, as?: string, url = app.url): Promise<readonly Told[]> => {
  if (written !== undefined) await heard(written)
  const client = await connectLive(url, {
    headers: as === undefined ? {} : { authorization: `Bearer ${as}` },
    checks: liveChecks,
  })
  client.say({ op: 'subscribe', id: 'r', channel: 'entries', filter: { entryId }, after })
  await client.find(({ op }) => op === 'caught-up')
  client.end()
  return told(client.messages)
}
/** The same by server-sent events, as text. */
const replayAsText = async (after: string, entryId: string): Promise<string> => {
  if (written !== undefined) await heard(written)
  const ending = new AbortController()
  const answer = await fetch(`${app.url}/v1/live/entries?entryId=${entryId}&after=${after}`, { signal: ending.signal })
  let text = ''
  for await (const part of answer.body ?? []) {
    text += Buffer.from(part).toString('utf8')
    if (text.includes('event: caught-up')) break
  }
  ending.abort()
  return text
}
const typesOf = (events: readonly Told[]) => events.map(({ type }) => type)

t.test('a replay from before the retirement gives no text of it, and its reviewers all of it', async t => {
  const start = await positionNow()
  const id = await publish('retired')
  const between = await positionNow()
  t.match(JSON.stringify(await replay(start, id)), 'EntryPublished', 'while it is published it is replayed')
  await post(`/v1/entries/${id}/retire`, editor, { reason: 'A first time.' })
  await post(`/v1/entries/${id}/restore`, editor)
  const edit = { as: editor, body: { etymology: 'a secret origin' }, headers: { 'if-match': '*' } }
  t.equal(noting(await api('PATCH', `/v1/entries/${id}`, edit)).status, 200)
  t.match(JSON.stringify(await replay(start, id)), 'a secret origin', 'restored, and so is its replay')
  await retire(id)
  t.match(await api('GET', `/v1/entries/${id}`), { status: 410, code: 'entry-gone' })

  for (const after of [start, between])
    for (const as of [undefined, ada]) {
      const events = await replay(after, id, as)
      t.strictSame(typesOf(events), ['EntryRetired', 'EntryRetired'], 'that it was retired is told, and nothing else')
      t.notMatch(JSON.stringify(events), /secret|retired"/, 'not a word of it')
    }
  const text = await replayAsText(start, id)
  t.match(text, 'event: EntryRetired')
  t.notMatch(text, /secret|event: Entry(Drafted|Published|Edited|Restored)/)
  const all = await replay(start, id, editor)
  const whole = ['EntryDrafted', 'EntryPublished', 'EntryRetired', 'EntryRestored', 'EntryEdited', 'EntryRetired']
  t.strictSame(typesOf(all), whole, 'an editor is shown what an editor may see')
  t.match(JSON.stringify(all), 'a secret origin')
  t.notOk(typesOf(await replay(start, id, moderator)).includes('EntryDrafted'), 'and nobody more than they might then')
  t.match(JSON.stringify(await replay(start, id, moderator)), 'a secret origin')
})

t.test('neither does any other look back', async t => {
  const id = await publish('looked-back-at')
  const [position, time] = [await positionNow(), app.clock.now().toISOString()]
  const other = await publish('zz after it')
  const first = await api('GET', '/v1/entries/export')
  const lines = first.text.trim().split('\n')
  t.match(first.text, 'the secret of looked-back-at')
  await app.clock.advance(1_000)
  await retire(id)
  for (const at of [`/v1/entries/${id}`, `/v1/entries/${id}/history`])
    for (const as of [undefined, ada]) {
      const sent: Sent = as === undefined ? {} : { as }
      for (const query of at.endsWith('history') ? [''] : ['', `?asOf=${position}`, `?asOf=${time}`])
        t.match(await api('GET', `${at}${query}`, sent), { status: 410, code: 'entry-gone' }, `${at}${query}`)
      t.equal((await api('HEAD', at, sent)).status, 410)
    }
  t.match(await api('GET', `/v1/entries/${id}?asOf=${position}`, { as: editor }), { json: { status: 'published' } })
  t.equal((await api('GET', `/v1/entries/${id}/history`, { as: editor })).status, 200)
  const { cursor } = Object(JSON.parse(lines.at(-1) ?? ''))
  for (const query of ['', `?cursor=${cursor}`])
    t.notMatch((await api('GET', `/v1/entries/export${query}`)).text, 'the secret of looked-back-at')
  t.match((await api('GET', '/v1/entries/export')).text, other)
  t.notMatch((await api('GET', '/v1/search?q=looked-back-at')).text, 'secret')
})

t.test('a draft that was taken over is no longer its first author’s to look back at', async t => {
  const start = await positionNow()
  const id = await draft('handed on', ada)
  const position = await positionNow()
  t.match(JSON.stringify(await replay(start, id, ada)), 'the secret of handed on')
  await post(`/v1/entries/${id}/take-over`, editor)
  t.notMatch(JSON.stringify(await replay(start, id, ada)), 'secret')
  t.notMatch((await api('GET', `/v1/entries/${id}`, { as: ada })).text, 'secret')
  t.notMatch((await api('GET', `/v1/entries/${id}?asOf=${position}`, { as: ada })).text, 'secret')
  t.match((await api('GET', `/v1/entries/${id}?asOf=${position}`, { as: editor })).text, 'secret')
  await post(`/v1/entries/${id}/publish`, editor)
  t.notMatch(JSON.stringify(await replay(start, id, ada)), 'secret', 'nor once it is published')
  t.equal((await api('GET', `/v1/entries/${id}?asOf=${position}`)).status, 404)
  t.notMatch((await api('GET', `/v1/entries/${id}?asOf=${position}`, { as: ada })).text, 'secret')
})

/** What an answer says, but for what is of the moment. */
const saidBy = ({ status, headers, json }: Received, id: string): unknown => {
  const { requestId: _, ...body } = json
  const of = ['content-type', 'cache-control', 'etag', 'allow', 'vary', 'www-authenticate']
  return [status, JSON.stringify(body).replaceAll(id, 'ID'), of.map(name => headers.get(name))]
}

t.test('to the public a removed entry is as one that never was, wherever it is asked for', async t => {
  const start = await positionNow()
  const id = await publish('removed')
  const [position, time] = [await positionNow(), app.clock.now().toISOString()]
  const tag = (await api('GET', `/v1/entries/${id}`)).headers.get('etag') ?? ''
  await app.clock.advance(1_000)
  await redact(id)
  const never = String((await api('POST', '/v1/entries?dryRun=true', { as: ada, body: draftOf('never') })).status)
  t.equal(never, '200', 'an id that could be one')
  const ways: readonly (readonly [method: string, rest: string, headers?: Readonly<Record<string, string>>])[] = [
    ['GET', ''],
    ['HEAD', ''],
    ['GET', '', { 'if-none-match': tag }],
    ['GET', '', { 'if-none-match': '*' }],
    ['GET', '?fields=id'],
    ['GET', `?asOf=${position}`],
    ['GET', `?asOf=${time}`],
    ['GET', '/history'],
    ['HEAD', '/history'],
    ['POST', '/publish'],
    ['PATCH', ''],
    ['DELETE', ''],
  ]
  const reader = await app.token('reader')
  for (const [method, rest, headers = {}] of ways)
    for (const as of [undefined, reader]) {
      const ask = (which: string) => api(method, `/v1/entries/${which}${rest}`, { headers, ...defined({ as }) })
      const [removed, none] = [await ask(id), await ask(NOBODYS)]
      t.strictSame(saidBy(removed, id), saidBy(none, NOBODYS), `${method} ${rest}`)
      if (method === 'GET') t.match(removed, { status: 404, code: 'entry-not-found' })
    }
  for (const as of [undefined, reader])
    t.strictSame(await replay(start, id, as), await replay(start, NOBODYS, as), 'nor by its id on the live feed')
  t.equal((await replayAsText(start, id)).replaceAll(id, 'ID'), await replayAsText(start, NOBODYS))
  for (const at of ['/v1/entries/export', '/v1/entries', '/v1/search?q=removed', '/v1/suggest?q=removed'])
    t.notMatch((await api('GET', at)).text, id, at)
})

t.test('who may draft is told that it was removed, and which homograph is free', async t => {
  const start = await positionNow()
  const id = await publish('taken away')
  await redact(id)
  for (const as of [ada, editor, moderator]) {
    t.match(await api('GET', `/v1/entries/${id}`, { as }), { status: 410, code: 'entry-removed' })
    t.match(await api('GET', `/v1/entries/${id}/history`, { as }), { status: 410, code: 'entry-removed' })
    t.match(await api('GET', `/v1/entries/${id}?asOf=${start}`, { as }), { status: 404 }, 'it was not there yet')
  }
  const events = await replay(start, id, ada)
  t.strictSame(typesOf(events), ['EntryPublished', 'EntryRedacted'])
  t.notMatch(JSON.stringify(events), 'taken away')
  const again = (homograph?: number) =>
    api('POST', '/v1/entries', {
      as: bob,
      body: { ...draftOf('taken away'), ...defined({ homograph: homograph ? homograph : undefined }) },
    })
  t.match(await again(), { status: 410, code: 'entry-removed', json: { nextHomograph: 2 } })
  t.equal((await again(2)).status, 201)
  t.match(await again(), { status: 410, json: { nextHomograph: 3 } })
})

t.test('an entry is told to have been replaced only by what is published', async t => {
  const start = await positionNow()
  const [old, next] = [await publish('older'), await publish('newer')]
  await retire(old, next)
  const replacement = async (as?: string) => {
    const { json } = await api('GET', `/v1/entries/${old}`, as === undefined ? {} : { as })
    return json['replacedBy']
  }
  const replayed = async () => (await replay(start, old)).map(({ data }) => data['replacedBy'])
  t.strictSame([await replacement(), await replayed()], [next, [next]])
  await retire(next)
  t.strictSame([await replacement(), await replayed()], [null, [undefined]], 'that one was retired as well')
  t.equal(await replacement(editor), next, 'those who review are told all the same')
  await post(`/v1/entries/${next}/restore`, editor)
  t.strictSame([await replacement(), await replayed()], [next, [next]])
  await redact(next)
  t.strictSame([await replacement(), await replayed()], [null, [undefined]], 'and removed')
  await post(`/v1/entries/${old}/restore`, editor)
  t.notMatch((await api('GET', `/v1/entries/${old}/history`)).text, next, 'nor does its history name it')
  t.match((await api('GET', `/v1/entries/${old}/history`, { as: editor })).text, next)
})

t.test('who listens as it happens is told at once, and of a removal once', async t => {
  const id = await publish('live')
  await heard(written ?? '')
  const client = await connectLive(app.url, { checks: liveChecks })
  client.say({ op: 'subscribe', id: 'r', channel: 'entries', filter: { entryId: id } })
  await client.find(({ op }) => op === 'caught-up')
  await retire(id)
  await redact(id)
  await client.find(({ type }) => type === 'EntryRedacted')
  t.strictSame(typesOf(told(client.messages)), ['EntryRetired', 'EntryRedacted'])
  client.end()
})

t.test('nor does a cursor of an export from before the read model was built anew', async t => {
  const ofIcelandic = (lemma: string) => ({ ...draftOf(lemma), language: 'is' })
  const idOf = (lemma: string) => entryId({ ...ofIcelandic(lemma), homograph: 1 })
  const lemmas = ['hestur', 'hundur', 'maður', 'kona'].toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  const [before, retired, stays] = lemmas
  const publishIcelandic = async (lemma = '') => {
    await api('POST', '/v1/entries', { as: editor, body: ofIcelandic(lemma) })
    await post(`/v1/entries/${idOf(lemma)}/publish`, editor)
  }
  await publishIcelandic(before)
  const lines = (await api('GET', '/v1/entries/export?language=is')).text.trim().split('\n')
  const { cursor } = Object(JSON.parse(lines.at(-1) ?? ''))
  for (const lemma of [retired, stays]) await publishIcelandic(lemma)
  const rest = async () => (await api('GET', `/v1/entries/export?language=is&cursor=${cursor}`)).text
  t.match(await rest(), `the secret of ${retired}`)
  await app.program.rebuild('entries', { onProgress: () => undefined, signal: new AbortController().signal })
  await retire(idOf(retired ?? ''))
  t.equal((await api('GET', `/v1/entries/${idOf(retired ?? '')}`)).status, 410)
  t.notMatch(await rest(), `the secret of ${retired}`)
  t.match(await rest(), `the secret of ${stays}`)
})

t.test('a node that came later replays no more than the others', async t => {
  const start = await positionNow()
  const [retired, removed, taken] = [await publish('one'), await publish('two'), await draft('three', ada)]
  await retire(retired)
  await redact(removed)
  await post(`/v1/entries/${taken}/take-over`, editor)
  const later = await openTestApp(t, {}, { folder, clock: app.clock })
  for (const [id, as] of [[retired], [removed], [taken, ada]] as const)
    t.notMatch(JSON.stringify(await replay(start, id, as, later.url)), /secret|EntryPublished/)
  t.match(JSON.stringify(await replay(start, retired, editor, later.url)), 'the secret of one')
})

t.test('every answer and message was as the documents say', async t => {
  t.strictSame([...new Set(api.faults)], [])
  t.strictSame(liveChecks.faults, [])
})
