/** A removed text is gone everywhere: read models, search, history, export, the log itself, and a rebuild. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { App } from '../../src/adapters/cli/app-port.ts'
import { openApp } from '../../src/app/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Role } from '../../src/domain/roles.ts'
import { ask, NOT_YET, ready } from '../support/nodes.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const SECRET = 'xylophonical'

const json = async (response: Response): Promise<{ readonly [member: string]: unknown }> =>
  JSON.parse(await response.text())

t.test('redacted: gone from every answer, and nothing throws', async t => {
  const folder = temporaryFolder(t)
  const config = loadConfig(environmentFor(folder, { LEXICHRON_ALERT_MAIL: 'ops@example.org' }), folder)
  const open = async (): Promise<{ app: App; url: string }> => {
    const app = await openApp(config, { purpose: 'serve', version: '0.0.0' })
    return { app, url: await app.listen() }
  }
  const { app, url } = await open()
  const issued = async (role: Role): Promise<string> => {
    const token = await app.tokens.create({ role, for: role, lifeMs: 3_600_000 })
    if ('refused' in token) throw new Error(token.detail)
    return token.token
  }
  const [editor, admin] = [await issued('editor'), await issued('admin')]
  const send = (method: string, path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json', ...headers },
    })

  const drafted = await send('POST', '/v1/entries', {
    language: 'en',
    lemma: SECRET,
    partOfSpeech: 'adjective',
    senses: [{ gloss: `${SECRET} and private` }],
  })
  t.equal(drafted.status, 201)
  const { id } = await json(drafted)
  const path = `/v1/entries/${String(id)}`
  t.equal((await send('POST', `${path}/publish`, {}, { 'if-match': '"0"' })).status, 200)
  const edited = await send('PATCH', path, { etymology: `from ${SECRET}` }, { 'if-match': '"1"' })
  t.equal(edited.status, 200)
  const token = edited.headers.get('sync-token') ?? ''
  const found = await ask(`${url}/v1/search?q=${SECRET}`, { headers: { 'sync-token': token } }, NOT_YET)
  t.match(found.text, SECRET)

  t.equal(
    (await send('POST', `${path}/redact`, { ground: 'privacy' }, { authorization: `Bearer ${editor}` })).status,
    403,
  )
  const redacted = await send('POST', `${path}/redact`, { ground: 'privacy' })
  t.equal(redacted.status, 200)
  t.notMatch(await redacted.text(), SECRET)
  const after = redacted.headers.get('sync-token') ?? ''

  const everywhere = async (at: string, sync: string) => {
    const read = (where: string, more: Readonly<Record<string, string>> = {}) =>
      ask(`${at}${where}`, { headers: { 'sync-token': sync, ...more } }, NOT_YET)
    for (const where of [path, `${path}/history`, `${path}?asOf=${new Date().toISOString()}`]) {
      const answer = await read(where, { authorization: `Bearer ${admin}` })
      t.equal(answer.status, 410, where)
      t.notMatch(answer.text, SECRET, where)
    }
    for (const where of [
      `/v1/search?q=${SECRET}`,
      '/v1/search?q=private',
      '/v1/suggest?q=xyl',
      '/v1/entries',
      '/v1/entries/export',
    ]) {
      const answer = await read(where)
      t.equal(answer.status, 200, where)
      t.notMatch(answer.text, SECRET, where)
    }
    t.equal((await read('/v1/random')).status, 404)
  }
  await everywhere(url, after)
  t.equal((await send('POST', `${path}/redact`, { ground: 'privacy' })).status, 200, 'repeating it is harmless')
  t.equal((await send('POST', `${path}/publish`, {}, { 'if-match': '"3"' })).status, 410)
  await until('every consumer has all', async saw => {
    const all = await app.projections()
    saw(all.map(({ name, lag }) => `${name} ${lag}`))
    return all.every(({ lag }) => lag === '0')
  })
  const outbox = (): readonly string[] =>
    readdirSync(join(folder, 'outbox')).map(name => readFileSync(join(folder, 'outbox', name), 'utf8'))
  await until('the mail that tells of it', () => outbox().some(each => each.includes('was removed for good')))
  t.notOk(outbox().some(each => each.includes(SECRET)))
  await app.close()

  // The key that sealed the text is destroyed, so the log has it no more, in no copy; what read models held is overwritten.
  const files = readdirSync(folder).filter(name => /\.db/.test(name))
  t.ok(['events.db', 'read.db', 'jobs.db'].every(each => files.includes(each)))
  for (const file of files) t.notOk(readFileSync(join(folder, file)).includes(SECRET), file)

  const work = await openApp(config, { purpose: 'work', version: '0.0.0' })
  const watch = { signal: new AbortController().signal, onProgress: () => undefined }
  const verified = await work.verify(watch)
  t.match(verified, {
    faults: [],
    projections: [
      { name: 'entries', different: 0 },
      { name: 'search', different: 0 },
    ],
  })
  for (const name of work.projectionNames) await work.rebuild(name, watch)
  for (const { name, state, lag, parked } of await work.projections())
    t.strictSame([state, lag, parked.length], ['live', '0', 0], name)
  t.equal(await work.retry(undefined), 0)
  await work.close()

  const again = await open()
  t.teardown(() => again.app.close())
  await ready(again)
  await everywhere(again.url, after)
})
