/** A removed text is gone everywhere: read models, search, history, export, the log itself, and a rebuild. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { App } from '../../src/adapters/cli/app-port.ts'
import { openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Role } from '../../src/domain/roles.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const SECRET = 'xylophonical'

const json = async (response: Response): Promise<{ readonly [member: string]: unknown }> =>
  JSON.parse(await response.text())

t.test('redacted: gone from every answer, and nothing throws', async t => {
  const folder = temporaryFolder(t)
  const config = loadConfig(environmentFor(folder, { ALERT_MAIL: 'ops@example.org' }), folder)
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
    ...{ language: 'en', lemma: SECRET, partOfSpeech: 'adjective' },
    senses: [{ gloss: `${SECRET} and private` }],
  })
  t.equal(drafted.status, 201)
  const { id } = await json(drafted)
  const path = `/v1/entries/${String(id)}`
  t.equal((await send('POST', `${path}/publish`, {}, { 'if-match': '"0"' })).status, 200)
  const edited = await send('PATCH', path, { etymology: `from ${SECRET}` }, { 'if-match': '"1"' })
  t.equal(edited.status, 200)
  const token = edited.headers.get('sync-token') ?? ''
  const read = (where: string, sync = token) => fetch(`${url}${where}`, { headers: { 'sync-token': sync } })
  t.match(await (await read(`/v1/search?q=${SECRET}`)).text(), SECRET)

  t.equal(
    (await send('POST', `${path}/redact`, { ground: 'privacy' }, { authorization: `Bearer ${editor}` })).status,
    403,
  )
  const redacted = await send('POST', `${path}/redact`, { ground: 'privacy' })
  t.equal(redacted.status, 200)
  t.notMatch(await redacted.text(), SECRET)
  const after = redacted.headers.get('sync-token') ?? ''

  const everywhere = async (at: string, sync: string) => {
    for (const where of [path, `${path}/history`, `${path}?asOf=${new Date().toISOString()}`]) {
      const response = await fetch(`${at}${where}`, {
        headers: { 'sync-token': sync, authorization: `Bearer ${admin}` },
      })
      t.equal(response.status, 410, where)
      t.notMatch(await response.text(), SECRET, where)
    }
    for (const where of [
      `/v1/search?q=${SECRET}`,
      '/v1/search?q=private',
      '/v1/suggest?q=xyl',
      '/v1/entries',
      '/v1/entries/export',
    ]) {
      const response = await fetch(`${at}${where}`, { headers: { 'sync-token': sync } })
      t.equal(response.status, 200, where)
      t.notMatch(await response.text(), SECRET, where)
    }
    t.equal((await fetch(`${at}/v1/random`, { headers: { 'sync-token': sync } })).status, 404)
  }
  await everywhere(url, after)
  t.equal((await send('POST', `${path}/redact`, { ground: 'privacy' })).status, 200, 'repeating it is harmless')
  t.equal((await send('POST', `${path}/publish`, {}, { 'if-match': '"3"' })).status, 410)
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
  for (const each of await work.projections())
    t.strictSame([each.state, each.lag, each.parked.length], ['live', '0', 0], each.name)
  t.equal(await work.retry(undefined), 0)
  await work.close()

  const again = await open()
  t.teardown(() => again.app.close())
  await until('the rebuilt read models', async () =>
    (await fetch(`${again.url}/health/ready`)).status === 200 ? true : undefined,
  )
  await everywhere(again.url, after)
})
