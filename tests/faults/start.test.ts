/** What a start finds in the data folder: what is filled with the sample, what is left alone, and what ends it. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { runHere } from '../support/here.ts'
import { ask, draft, insist, tokenOf } from '../support/nodes.ts'
import { type Service, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const WITH_SAMPLE = { LEXICHRON_SAMPLE: 'wordnet' }

/** How far the filling says it is; undefined while it says nothing. */
const filled = ({ output }: Service): number | undefined => {
  const last = [...(output.out + output.err).matchAll(/"step":"import [^"]+","done":(\d+)/g)].at(-1)?.[1]
  return last === undefined ? undefined : Number(last)
}

t.test('a token made before the first start is no dictionary: the sample comes, and goes on after kill -9', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  // Before the services, so that they have heard of it when it is used.
  const admin = await tokenOf(folder, 'admin')
  const first = await startService(t, folder, WITH_SAMPLE)
  const before = await until('a part of it', async () => ((filled(first) ?? 0) > 500 ? filled(first) : undefined))
  await first.stop('SIGKILL')
  const second = await startService(t, folder, WITH_SAMPLE)
  const ready = await fetch(`${second.url}/health/ready`)
  t.equal(ready.status, 200, 'from the first moment on')
  t.match(await ready.json(), { status: 'ready', state: 'degraded', filling: Number })
  const found = await fetch(`${second.url}/v1/search?q=be`)
  t.match(found.headers.get('lexichron-filling'), /^\d{1,2}%$/)
  t.match(await found.json(), { items: [{ entry: { lemma: 'be' } }], filling: Number }, 'what is used most is there')
  const after = await until('it to be taken up', async () => filled(second))
  t.ok(before > 0 && after > 0)
  const drafted = await draft(second.url, token, 'mine', 'beside the sample')
  t.equal(drafted.status, 201, 'and all else goes on meanwhile')
  const seen = await ask(`${second.url}/v1/entries?status=draft`, {
    headers: { authorization: `Bearer ${token}`, 'sync-token': drafted.headers.get('sync-token') ?? '' },
  })
  t.match(JSON.parse(seen.text), { items: [{ lemma: 'beside the sample' }], filling: Number }, 'and is seen at once')
  const feed = await fetch(`${second.url}/v1/live/projections`, {
    headers: { authorization: `Bearer ${admin}` },
  })
  let told = ''
  for await (const bytes of feed.body ?? []) {
    told += Buffer.from(bytes).toString('utf8')
    if (told.includes('"filling"')) break
  }
  t.match(told, /"filling":\d+/, 'the feed says so too')
  t.equal(await second.stop(), 0)
})

t.test(
  'a service whose files another program holds ends by itself all the same, in the midst of the filling',
  async t => {
    const folder = temporaryFolder(t)
    const service = await startService(t, folder, WITH_SAMPLE)
    await until('a part of it', async () => (filled(service) ?? 0) > 500)
    const held = ['events.db', 'jobs.db', 'read.db'].map(file => {
      const db = new DatabaseSync(join(folder, file), { timeout: 60_000 })
      t.teardown(() => db.close())
      db.exec('BEGIN IMMEDIATE')
      return db
    })
    t.equal(await service.stop(), 0, 'not with 1, which is what ten seconds end with')
    for (const db of held) db.exec('ROLLBACK')
    t.match(await runHere(folder, ['verify']), { code: 0 }, 'and nothing of it is lost or half there')
  },
)

t.test('a log that holds entries of people is never filled', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  const first = await startService(t, folder)
  const mine = await insist(() => [first.url], token, 'mine', 'mine')
  await first.stop('SIGKILL')
  const second = await startService(t, folder, WITH_SAMPLE)
  const search = await until('it can be read', async () => {
    const answer = await fetch(`${second.url}/v1/entries/${mine?.id}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    return answer.status === 200 ? answer : undefined
  })
  t.match(await search.json(), { lemma: 'mine' })
  t.equal(await second.stop(), 0)
  t.equal(filled(second), undefined)
  const db = new DatabaseSync(join(folder, 'events.db'), { readOnly: true })
  t.teardown(() => db.close())
  t.match(db.prepare("SELECT count(*) AS n FROM events WHERE name LIKE 'entry-%'").get(), { n: 1 })
})
