import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Parser } from '@asyncapi/parser'
import t from 'tap'
import { Compile } from 'typebox/compile'
import { areas } from '../../src/app/areas.ts'
import { categoriesOf, channelsOf } from '../../src/app/declared.ts'
import { resetMessage, serverMessages } from '../../src/core/live/messages.ts'
import { liveEventSchemas } from '../../src/core/live/schemas.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { connectLive, type Message, newLiveChecks, entriesTold as seen } from '../support/live-client.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const liveChecks = newLiveChecks()
const connect = (url: string, options: Parameters<typeof connectLive>[1] = {}) =>
  connectLive(url, { ...options, checks: liveChecks })
const bearer = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })
const content = { senses: [{ gloss: 'A thing.' }] }

const publish = async (url: string, token: string, lemma: string): Promise<string> => {
  const post = (path: string, body: unknown, headers = {}) =>
    fetch(url + path, { method: 'POST', headers: { ...bearer(token), ...headers }, body: JSON.stringify(body) })
  const drafted = await post('/v1/entries', { language: 'en', lemma, partOfSpeech: 'noun', ...content })
  const id = String(Object(await drafted.json())['id'])
  const published = await post(`/v1/entries/${id}/publish`, {}, { 'if-match': drafted.headers.get('etag') ?? '' })
  if (published.status !== 200) throw new Error(`${published.status}: ${await published.text()}`)
  return id
}
const app = await openTestApp(t, { LEXICHRON_LIMIT_SOCKETS: '2000' })
const editor = await app.token('editor')

t.test('what is published arrives, what is not stays, a filter narrows, and resuming repeats nothing', async t => {
  const client = await connect(app.url)
  client.say({ op: 'subscribe', id: 'a', channel: 'entries' })
  client.say({ op: 'subscribe', id: 'b', channel: 'entries', filter: { language: 'fr' } })
  const subscribed = await client.find(each => each['op'] === 'subscribed' && each['id'] === 'a')
  await client.find(each => each['op'] === 'caught-up' && each['id'] === 'b')
  const first = await publish(app.url, editor, 'first')
  const told = await client.find(each => each['type'] === 'EntryPublished')
  t.match(told, { id: 'a', data: { entryId: first, language: 'en', revision: '1' } })
  t.notOk(
    client.messages.some(each => each['type'] === 'EntryDrafted'),
    "a draft is its author's",
  )
  const heard = async (role: 'auditor' | 'moderator' | 'admin') => {
    const listener = await connect(app.url, { headers: bearer(await app.token(role, role)) })
    listener.say({ op: 'subscribe', id: 'd', channel: 'entries', after: subscribed['after'] })
    await listener.find(each => each['op'] === 'caught-up' && each['id'] === 'd')
    listener.say({ op: 'subscribe', id: 'own', channel: 'me', after: subscribed['after'] })
    await listener.find(each => each['op'] === 'event' && each['id'] === 'own')
    listener.end()
    return listener.messages.some(each => each['type'] === 'EntryDrafted')
  }
  t.strictSame(await Promise.all([heard('auditor'), heard('moderator'), heard('admin')]), [false, false, true])
  const more: string[] = [first]
  for (const lemma of ['second', 'third', 'fourth']) more.push(await publish(app.url, editor, lemma))
  await until('all four', async () => (seen(client.messages, 'a').length >= 4 ? true : undefined))
  t.strictSame(seen(client.messages, 'a'), more)
  t.strictSame(seen(client.messages, 'b'), [])

  const again = await connect(app.url)
  again.say({ op: 'subscribe', id: 'a', channel: 'entries', after: told['after'] })
  again.say({ op: 'subscribe', id: 'all', channel: 'entries', after: subscribed['after'] })
  await again.find(each => each['op'] === 'caught-up' && each['id'] === 'a')
  await again.find(each => each['op'] === 'caught-up' && each['id'] === 'all')
  more.push(await publish(app.url, editor, 'fifth'))
  await until('the fifth', async () => (seen(again.messages, 'all').length >= 5 ? true : undefined))
  t.strictSame(seen(again.messages, 'all'), more)
  t.strictSame(seen(again.messages, 'a'), more.slice(1))
  await again.find(each => each['op'] === 'caught-up' && each['id'] === 'all')
  t.strictSame([...client.faults, ...again.faults], [], 'every message is as its schema says')
  client.end()
  again.end()
})

t.test('bad messages are answered or end the connection, and nothing else', async t => {
  const client = await connect(app.url)
  const code = async (message: unknown, id?: string) => {
    const from = client.messages.length
    client.ws.send(typeof message === 'string' ? message : JSON.stringify(message))
    const found = await until('an error', async () => client.messages.slice(from).find(each => each['op'] === 'error'))
    if (id !== undefined) t.equal(found['id'], id)
    return found['code']
  }
  t.equal(await code('{'), 'message-malformed')
  t.equal(await code('[]'), 'message-malformed')
  t.equal(await code({ op: 'dance' }), 'op-unknown')
  t.equal(await code({ op: 'ping', extra: 1 }), 'message-invalid')
  t.equal(await code({ op: 'subscribe', id: 'x', channel: 'secrets' }, 'x'), 'message-invalid')
  t.equal(await code('{"op":"subscribe","id":"\\ud800","channel":"entries"}'), 'message-invalid')
  const entries = { op: 'subscribe', id: 'x', channel: 'entries' }
  t.equal(await code({ ...entries, filter: { colour: 'red' } }, 'x'), 'filter-invalid')
  t.equal(await code({ ...entries, filter: { language: 5 } }), 'filter-invalid')
  const fault = async (message: unknown) => {
    await code(message)
    return client.messages.findLast(each => each['op'] === 'error')
  }
  for (const [filter, pointer, detail] of [
    [{ colour: 'red' }, '/filter/colour', /has no member colour/],
    [{ type: 'Nope' }, '/filter/type', /^type has to be one of EntryDrafted, .*EntryRedacted/],
    [{ type: 'TokenIssued' }, '/filter/type', /^type has to be/],
    [{ language: 'German' }, '/filter/language', /^language has to be a BCP 47 tag/],
    [{ entryId: 'x' }, '/filter/entryId', /^entryId has to be an id/],
    [{ language: 5 }, '/filter/language', /^language has to be a text of 1 to 100/],
    [{ 'a~/b': 'x' }, '/filter/a~0~1b', /a~\/b/],
    ['x', '/filter', /filter/],
  ] as const)
    t.match(await fault({ ...entries, filter }), { pointer, detail }, JSON.stringify(filter))
  t.match(await fault({ ...entries, channel: 'secrets' }), {
    pointer: '/channel',
    detail: /entries, activity, events/,
  })
  t.match(await fault({ op: 'subscribe', channel: 'entries' }), {
    pointer: '/id',
    detail: 'subscribe: /id: This is missing.',
  })
  t.match(await fault({ op: 'dance' }), { pointer: '/op' })
  t.equal(await code({ ...entries, after: 'forged' }, 'x'), 'after-invalid')
  t.equal(await code({ op: 'subscribe', id: 'x', channel: 'events' }), 'permission-denied')
  t.equal(await code({ op: 'subscribe', id: 'x', channel: 'me' }), 'permission-denied')
  t.equal(await code({ op: 'unsubscribe', id: 'x' }), 'id-unknown')
  for (let n = 0; n < 100; n += 1) client.say({ op: 'subscribe', id: `n${n}`, channel: 'entries' })
  t.equal(await code({ op: 'subscribe', id: 'x', channel: 'entries' }), 'too-many-subscriptions')
  t.equal(await code({ op: 'subscribe', id: 'n1', channel: 'entries' }), 'id-taken')
  client.say({ op: 'unsubscribe', id: 'n1' })
  await client.find(each => each['op'] === 'unsubscribed')
  client.say({ op: 'ping' })
  await client.find(each => each['op'] === 'pong')
  t.strictSame(client.faults, [])

  const other = await openTestApp(t)
  const foreign = await connect(other.url)
  foreign.say(entries)
  const { after } = await foreign.find(each => each['op'] === 'caught-up')
  t.equal(await code({ ...entries, after }), 'after-invalid', 'signed by a service with other secrets')

  client.ws.send(Buffer.from([1, 2, 3]))
  t.equal(await client.closed(), 1003)
  foreign.ws.send('x'.repeat(1024 * 1024))
  t.equal(await foreign.closed(), 1009)
  const flooding = await connect(app.url)
  for (let n = 0; n < 1000; n += 1) flooding.say({ op: 'ping' })
  t.equal(await flooding.closed(), 1008)
})

t.test('who may connect: origins, tickets, tokens that end', async t => {
  const app = await openTestApp(t, { LEXICHRON_ALLOWED_ORIGINS: 'https://good.example' })
  const cookie = { cookie: 'a=b' }
  t.equal((await connect(app.url, { headers: { ...cookie, origin: 'https://evil.example' } })).state.refused, 403)
  const good = await connect(app.url, { headers: { ...cookie, origin: 'https://good.example' } })
  t.equal(good.state.refused, undefined)
  good.end()
  t.equal((await connect(app.url, { headers: { authorization: 'Bearer nonsense' } })).state.refused, 401)
  t.equal((await fetch(`${app.url}/v1/live`)).status, 426)
  t.equal((await connect(app.url, { query: '?ticket=forged' })).state.refused, 401)

  const auditor = await app.token('auditor')
  t.equal((await fetch(`${app.url}/v1/live/tickets`, { method: 'POST' })).status, 401)
  const made = await fetch(`${app.url}/v1/live/tickets`, { method: 'POST', headers: bearer(auditor), body: '{}' })
  const { ticket } = Object(await made.json())
  const listening = await connect(app.url, { query: `?ticket=${ticket}` })
  listening.say({ op: 'subscribe', id: 'log', channel: 'events', filter: { category: 'token' } })
  listening.say({ op: 'subscribe', id: 'p', channel: 'projections', filter: { name: 'entries' } })
  listening.say({ op: 'subscribe', id: 'n', channel: 'activity' })
  await listening.find(each => each['id'] === 'log' && each['op'] === 'caught-up')
  t.equal((await connect(app.url, { query: `?ticket=${ticket}` })).state.refused, 401, 'a ticket is for one use')
  await app.token('reader', 'Jane Doe')
  const issued = await listening.find(each => each['type'] === 'TokenIssued')
  t.notMatch(JSON.stringify(issued), /Jane Doe/, 'names do not leave by the feed')
  const news = (type: string, holds: (data: Message) => boolean = () => true) =>
    inTime(app, `${type} of the channels that tell every second`, () =>
      listening.messages.some(each => each['type'] === type && holds(Object(each['data']))),
    )
  await news('ProjectionProgress')
  await news('Activity', data => Number(data['connections']) > 0)
  await news('Analytics', data => data['day'] !== undefined)
  const stranger = await connect(app.url)
  stranger.say({ op: 'subscribe', id: 'n', channel: 'activity' })
  await stranger.find(each => each['op'] === 'caught-up')
  await inTime(app, 'two seconds of activity', () => seen(stranger.messages, 'n').length > 1)
  t.notOk(
    stranger.messages.some(each => each['type'] === 'Analytics'),
    'figures are for those who may read them',
  )
  stranger.end()
  const metrics = await (await fetch(`${app.url}/metrics`, { headers: bearer(auditor) })).text()
  t.match(metrics, /lexichron_live_connections [1-9]/)
  t.match(metrics, /lexichron_live_messages_total [1-9]/)
  t.strictSame(listening.faults, [])
  listening.end()
})

t.test(
  'what was removed does not come back by a replay, and texts of the log are for those who may read them',
  async t => {
    const folder = temporaryFolder(t)
    const app = await openTestApp(t, {}, { folder })
    const { url, token } = app
    const [moderator, auditor] = [await token('moderator'), await token('auditor')]
    const start = (await fetch(`${url}/v1/entries`)).headers.get('sync-token') ?? ''
    const file = join(folder, 'words.ndjson')
    const line = {
      language: 'en',
      lemma: 'imported',
      partOfSpeech: 'noun',
      licence: 'CC0-1.0',
      senses: [{ gloss: 'SECRET one' }],
    }
    writeFileSync(file, `${JSON.stringify(line)}\n`)
    const quiet = {
      strict: false,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onFault: () => undefined,
    }
    const imported = await app.program.import('ndjson', file, { ...quiet, source: 'words' })
    t.match(imported, { written: 1, faults: 0 })
    const drafted = await publish(url, await token('editor'), 'drafted')

    const events = async (options: Parameters<typeof connect>[1], channel: string, after: string) => {
      const client = await connect(url, options)
      client.say({ op: 'subscribe', id: 'r', channel, after })
      await client.find(each => each['op'] === 'caught-up')
      client.end()
      return client.messages.filter(each => each['op'] === 'event')
    }
    const before = await events({}, 'entries', start)
    t.match(JSON.stringify(before), /SECRET one/, 'public text is in the feed')
    const found = before.find(each => each['type'] === 'EntryImported')
    const removable = String(Object(found?.['data'])['entryId'])
    for (const id of [removable, drafted]) {
      const body = JSON.stringify({ ground: 'privacy' })
      const done = await fetch(`${url}/v1/entries/${id}/redact`, { method: 'POST', headers: bearer(moderator), body })
      t.equal(done.status, 200)
    }
    t.strictSame(await events({}, 'entries', start), [], 'to strangers there never were such entries')
    for (const [headers, channel] of [
      [bearer(moderator), 'entries'],
      [bearer(auditor), 'events'],
    ] as const) {
      const after = await events({ headers }, channel, start)
      t.notMatch(JSON.stringify(after), /SECRET|A thing/)
      t.match(
        after.find(each => each['type'] === 'EntryImported'),
        { data: { removed: true } },
      )
    }
  },
)

t.test('a revoked token ends its connection, and only its own; the end of the node ends the others', async t => {
  const own = await openTestApp(t)
  const issue = async (name: string) => {
    const made = await own.program.tokens.create({ role: 'auditor', for: name, lifeMs: 3_600_000 })
    if ('refused' in made) throw new Error(made.detail)
    return made
  }
  const [ends, stays] = [await issue('ends'), await issue('stays')]
  const one = await connect(own.url, { headers: { authorization: `Bearer ${ends.token}` } })
  const two = await connect(own.url, { headers: { authorization: `Bearer ${stays.token}` } })
  const stream = await fetch(`${own.url}/v1/live/events`, { headers: { authorization: `Bearer ${ends.token}` } })
  await own.program.tokens.revoke(ends.id)
  t.equal(await inTime(own, 'the close', () => one.state.closed), 1008)
  await stream.text()
  t.equal(two.state.closed, undefined)
  await own.close()
  t.equal(await two.closed(), 1012, 'told to come back')
})

t.test('two nodes on one data folder, and a resume on the other across a restart', async t => {
  const shared = { folder: temporaryFolder(t), clock: fakeClock() }
  const open = () => openTestApp(t, {}, shared)
  const [a, b] = [await open(), await open()]
  const by = await a.token('editor')
  const there = await connect(b.url)
  there.say({ op: 'subscribe', id: 'a', channel: 'entries' })
  await there.find(each => each['op'] === 'caught-up')
  const ids = [await publish(a.url, by, 'one')]
  // A node hears of what another one wrote when it looks.
  const { after } = await inTime(a, 'the event', () => there.messages.find(each => each['type'] === 'EntryPublished'))
  await b.close()
  t.equal(await there.closed(), 1012)
  ids.push(await publish(a.url, by, 'two'), await publish(a.url, by, 'three'))
  const c = await open()
  const back = await connect(c.url)
  back.say({ op: 'subscribe', id: 'a', channel: 'entries', after })
  await inTime(a, 'two more', () => seen(back.messages, 'a').length >= 2)
  ids.push(await publish(a.url, by, 'four'))
  await inTime(a, 'three more', () => seen(back.messages, 'a').length >= 3)
  t.strictSame(seen(back.messages, 'a'), ids.slice(1))
  back.end()
})

t.test('the same as server-sent events', async t => {
  const status = async (path: string, headers: Record<string, string> = {}) => {
    const ending = new AbortController()
    const answer = await fetch(`${app.url}/v1/live/${path}`, { headers, signal: ending.signal })
    ending.abort()
    return answer.status
  }
  t.equal(await status('secrets'), 404)
  t.equal(await status('events'), 401)
  t.equal(await status('events', bearer(editor)), 403)
  t.equal(await status('entries?name=x'), 400)
  t.equal(await status('entries?type=Nope'), 400)
  t.equal(await status('entries?language=iw'), 200)
  t.equal(await status('entries', { accept: 'text/html' }), 406)
  t.equal(await status('entries', { cookie: 'a=b', origin: 'https://evil.example' }), 403)
  const ending = new AbortController()
  const answer = await fetch(`${app.url}/v1/live/entries?language=en`, { signal: ending.signal })
  t.match(answer.headers.get('content-type'), 'text/event-stream')
  t.match(answer.headers.get('cache-control'), 'no-store, no-transform')
  let text = ''
  const reading = (async () => {
    for await (const part of answer.body ?? []) text += Buffer.from(part).toString('utf8')
  })().catch(() => undefined)
  await until('caught up', async () => (text.includes('event: caught-up') ? true : undefined))
  const id = await publish(app.url, editor, 'streamed')
  await until('the event', async () => (text.includes(id) ? true : undefined))
  t.match(text, /id: [\w-]+\nevent: EntryPublished\ndata: \{/)
  ending.abort()
  await reading
})

t.test('a stream that cannot be resumed says so in an event, and goes on from there', async t => {
  const listen = async (path: string, headers: Record<string, string> = {}) => {
    const ending = new AbortController()
    const answer = await fetch(`${app.url}/v1/live/${path}`, { headers, signal: ending.signal })
    const state = { text: '' }
    const reading = (async () => {
      for await (const part of answer.body ?? []) state.text += Buffer.from(part).toString('utf8')
    })().catch(() => undefined)
    t.equal(answer.status, 200, 'an error would end it for ever in a browser')
    await until('caught up', () => state.text.includes('event: caught-up'))
    return {
      state,
      end: async () => {
        ending.abort()
        await reading
      },
    }
  }
  const before = await publish(app.url, editor, 'before the reset')
  for (const [path, headers] of [
    ['entries?after=forged', {}],
    ['entries', { 'last-event-id': 'not ours' }],
  ] as const) {
    const { state, end } = await listen(path, headers)
    const [first = ''] = state.text.split('\n\n')
    const [, id = '', data = ''] = /^id: ([\w-]+)\nevent: reset\ndata: (.*)$/.exec(first) ?? []
    const message: unknown = JSON.parse(data || '{}')
    t.match(message, {
      op: 'reset',
      id: 'entries',
      after: id,
      code: 'after-invalid',
      detail: /not made by this service/,
    })
    t.ok(Compile(resetMessage).Check(message), 'as its schema says')
    t.notMatch(state.text, before, 'from now on')
    const next = await publish(app.url, editor, `after the reset ${path}`)
    await until('the next event', () => state.text.includes(next))
    await end()
    const resumed = await listen('entries', { 'last-event-id': id })
    t.notMatch(resumed.state.text, 'event: reset', 'its id is where to begin')
    t.match(resumed.state.text, next)
    await resumed.end()
  }
})

t.test('a reader who takes nothing is sent away, and the others notice nothing', async t => {
  const slow = await connect(app.url, { headers: { authorization: `Bearer ${editor}` } })
  const quick = await connect(app.url)
  for (let n = 0; n < 60; n += 1) slow.say({ op: 'subscribe', id: `s${n}`, channel: 'entries' })
  await slow.find(each => each['op'] === 'caught-up' && each['id'] === 's59')
  quick.say({ op: 'subscribe', id: 'a', channel: 'entries' })
  await quick.find(each => each['op'] === 'caught-up')
  slow.ws.pause()
  const gloss = 'x'.repeat(1900)
  const senses = Array.from({ length: 30 }, () => ({ gloss }))
  for (let n = 0; n < 20; n += 1) {
    const answer = await fetch(`${app.url}/v1/entries`, {
      method: 'POST',
      headers: bearer(editor),
      body: JSON.stringify({ language: 'en', lemma: `big${n}`, partOfSpeech: 'noun', senses }),
    })
    if (answer.status !== 201) throw new Error(await answer.text())
  }
  const id = await publish(app.url, editor, 'small')
  await until('the small one', async () => (seen(quick.messages, 'a').includes(id) ? true : undefined))
  slow.ws.resume()
  t.ok([1013, 1006].includes(await slow.closed()), 'after its bounded buffer')
  quick.end()
})

t.test('a thousand sockets each get each event once', async t => {
  const clients = []
  for (let n = 0; n < 1000; n += 100)
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => connect(app.url)))))
  for (const client of clients) client.say({ op: 'subscribe', id: 'a', channel: 'entries' })
  for (const client of clients) await client.find(each => each['op'] === 'caught-up')
  const id = await publish(app.url, editor, 'everywhere')
  for (const client of clients) await client.find(each => each['type'] === 'EntryPublished')
  t.ok(clients.every(({ messages }) => seen(messages, 'a').join() === id))
  for (const client of clients) client.end()
})

t.test('the AsyncAPI document is valid and has the schemas that messages here were checked against', async t => {
  const text = await (await fetch(`${app.url}/v1/asyncapi.json`)).text()
  const { document, diagnostics } = await new Parser().parse(text)
  t.strictSame(
    diagnostics.filter(({ severity }) => severity === 0),
    [],
  )
  t.equal(document?.version(), '3.0.0')
  const { messages } = JSON.parse(text).channels.live
  const { event, ...answers } = serverMessages
  for (const [op, schema] of Object.entries(answers))
    t.strictSame(messages[op].payload, JSON.parse(JSON.stringify(schema)))
  for (const { channel, type, data } of liveEventSchemas(channelsOf(areas).all, categoriesOf(areas))) {
    // A channel for each id has a name of its own as a component.
    const { payload } = messages[`${channel.replace(':{id}', '-of-one')}.${type}`]
    t.strictSame(payload.properties, { ...JSON.parse(JSON.stringify(event.properties)), type: { const: type }, data })
  }
  t.notMatch(text, '"seal"', "under which key a member lies is nobody else's business")
  t.strictSame(liveChecks.faults, [], 'every message that this file was sent is as its schema says')
  t.strictSame([...liveChecks.channels].toSorted(), ['activity', 'entries', 'events', 'me', 'projections'])
})
