/**
 * A service whose data folder was copied, written on, and then had the copy put back: the log has the same id, and other events
 * where there were some before. Nothing that a client kept of those passes for something it knows of these.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { openTestApp, type TestApp } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { connectLive } from '../support/live-client.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const [folder, copy] = [temporaryFolder(t), temporaryFolder(t)]
// Stands still over all of it: what tells the histories apart is not the time.
const clock = fakeClock()
const start = async (): Promise<TestApp> => openTestApp(t, {}, { folder, clock })

const putBack = (): void => {
  rmSync(folder, { recursive: true })
  execFileSync('cp', ['-a', copy, folder])
}

/** What a client keeps of an entry that it has written to. */
const write = async (app: TestApp, path: string, as: string, etymology: string, ifMatch: string) => {
  const api = await openApi(app.url)
  return api('PATCH', path, { as, body: { etymology }, headers: { 'if-match': ifMatch } })
}

t.test('tokens, cursors, entity tags and the feed, after the copy was put back and written on', async t => {
  let app = await start()
  let api = await openApi(app.url)
  const as = await app.token('editor')
  const path = await (async () => {
    const body = { language: 'en', partOfSpeech: 'noun', lemma: 'word', senses: [{ gloss: 'g' }] }
    const made = await api('POST', '/v1/entries', { as, body })
    const published = await api('POST', `${made.headers.get('location')}/publish`, { as, headers: { 'if-match': '*' } })
    t.equal(published.status, 200, published.text)
    return made.headers.get('location') ?? ''
  })()
  for (const lemma of ['another', 'one more'])
    await api('POST', '/v1/entries', { as, body: { language: 'en', partOfSpeech: 'noun', lemma } })
  const kept = await api('GET', path)
  const keptToken = String(kept.headers.get('sync-token'))
  await app.close()
  execFileSync('cp', ['-a', `${folder}/.`, copy])

  app = await start()
  api = await openApi(app.url)
  const a = await write(app, path, as, 'A', '*')
  t.equal(a.status, 200, a.text)
  const sync = String(a.headers.get('sync-token'))
  const tag = String(a.headers.get('etag'))
  t.equal((await api('GET', path, { headers: { 'if-none-match': tag, 'sync-token': sync } })).status, 304)
  const list = await api('GET', '/v1/entries?status=draft&limit=1', { as, headers: { 'sync-token': sync } })
  const cursor = String(list.json['next'])
  t.equal((await api('GET', `/v1/entries?status=draft&limit=1&cursor=${cursor}`, { as })).status, 200)
  const auditor = await app.token('auditor')
  const events = await api('GET', '/v1/events?limit=1', { as: auditor })
  const pages = String(events.json['next'])
  await app.close()
  putBack()

  app = await start()
  api = await openApi(app.url)
  t.test('before anything is written', async t => {
    for (const [what, answer] of [
      ['a token of what was lost', await api('GET', path, { headers: { 'sync-token': sync } })],
      ['a token of what was lost', await api('GET', `${path}?asOf=${sync}`)],
    ] as const)
      t.match(answer, { status: 409, code: 'other-log' }, what)
    t.equal((await api('GET', path, { headers: { 'sync-token': keptToken } })).status, 200, 'what was kept is there')
  })
  const b = await write(app, path, as, 'B', '*')
  t.equal(b.status, 200, b.text)
  const same = String(b.json['revision'])
  t.equal(same, a.json['revision'], 'it is the same revision')
  await until('it is to be read', async () => (await api('GET', path)).json['etymology'] === 'B')
  const reader = await app.token('auditor', 'another')

  t.test('tokens and cursors are of another history', async t => {
    for (const [what, answer] of [
      ['Sync-Token', await api('GET', path, { headers: { 'sync-token': sync } })],
      ['asOf', await api('GET', `${path}?asOf=${sync}`)],
      ['after', await api('GET', `/v1/events?after=${sync}`, { as: reader })],
      ['before', await api('GET', `/v1/events?before=${sync}`, { as: reader })],
      ['cursor', await api('GET', `/v1/entries?status=draft&limit=1&cursor=${cursor}`, { as })],
      ['cursor of the log', await api('GET', `/v1/events?limit=1&cursor=${pages}`, { as: reader })],
    ] as const)
      t.match(answer, { status: 409, code: 'other-log' }, what)
    t.equal((await api('GET', path, { headers: { 'sync-token': keptToken } })).status, 200, 'those of before are good')
    const own = String(b.headers.get('sync-token'))
    t.equal((await api('GET', path, { headers: { 'sync-token': own } })).status, 200)
  })

  t.test('a stream of server-sent events says so, and where to begin', async t => {
    for (const [target, headers] of [
      [`/v1/live/entries?after=${sync}`, {}],
      ['/v1/live/entries', { 'last-event-id': sync }],
    ] as const) {
      const ending = new AbortController()
      const response = await fetch(`${app.url}${target}`, { headers, signal: ending.signal })
      let said = ''
      for await (const bytes of response.body ?? []) {
        said += Buffer.from(bytes).toString()
        if (/event: reset\ndata: .*\n\n/.test(said)) break
      }
      ending.abort()
      t.match(said, /^id: [\w-]+\nevent: reset\ndata: \{"op":"reset".*"code":"other-log"/, target)
    }
  })

  t.test('the feed says so, and from what both have it brings what is there now', async t => {
    const client = await connectLive(app.url)
    client.say({ op: 'subscribe', id: 'lost', channel: 'entries', after: sync })
    t.match(await client.find(({ id }) => id === 'lost'), { op: 'error', code: 'other-log', detail: /read again/ })
    client.say({ op: 'subscribe', id: 'kept', channel: 'entries', after: keptToken })
    t.match(await client.find(({ id, op }) => id === 'kept' && op === 'event'), { type: 'EntryEdited' })
    t.same(client.faults, [])
    client.end()
  })

  t.test('an entity tag of the same revision is stale', async t => {
    const read = await api('GET', path, { headers: { 'if-none-match': tag } })
    t.match([read.status, read.json['etymology']], [200, 'B'])
    t.match(await api('GET', path, { headers: { 'if-match': tag } }), { status: 412, code: 'revision-stale' })
    for (const stale of [tag, `W/${tag}`, `"none", ${tag}`, `"${same}.aaaaaf"`]) {
      const refused = await write(app, path, as, 'C', stale)
      t.match(refused, { status: 412, code: 'revision-stale', json: { currentRevision: same } }, stale)
    }
    t.equal((await api('GET', path)).json['etymology'], 'B', 'and nothing was written')
    const now = String(read.headers.get('etag'))
    t.match(now, new RegExp(`^"${same}\\.[\\w-]{8}\\.\\w+"$`))
    t.not(now, tag)
    t.equal((await write(app, path, as, 'C', `${tag}, ${now}`)).status, 200, 'the one of now is good')
  })

  t.test('so is that of a profile', async t => {
    const { accountId, password } = await app.account('contributor', 'reader@words.example')
    t.ok(accountId)
    const signedIn = await api('POST', '/v1/sessions', {
      body: { email: 'reader@words.example', password, transport: 'token' },
    })
    const me = { as: String(signedIn.json['accessToken']) }
    const edit = (bio: string, ifMatch: string) =>
      api('PATCH', '/v1/me', { ...me, body: { bio }, headers: { 'if-match': ifMatch } })
    const first = await edit('One.', '*')
    t.equal(first.status, 200, first.text)
    const mine = String(first.headers.get('etag'))
    const [edits, mark = '', shown] = mine.slice(1, -1).split('.')
    t.match(mark, /^[\w-]{8}$/)
    const theirs = `"${edits}.${mark.startsWith('A') ? 'B' : 'A'}${mark.slice(1)}.${shown}"`
    t.match(await edit('Two.', theirs), { status: 412, code: 'revision-stale' })
    t.equal((await edit('Two.', mine)).status, 200)
  })
})
