/** What SECURITY.md tells operators to do where a damaged event is in the way of a removal: its own words are carried out. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { damage, turned } from '../support/damage.ts'
import { temporaryFolder } from '../support/service.ts'
import { rareWords, tracesIn } from '../support/traces.ts'

const document = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8')

t.test('the text of an entry with a damaged event is removed by hand', async t => {
  const folder = join(temporaryFolder(t), 'data')
  const [lemma = '', etymology = '', other = ''] = rareWords(3, 83)
  const app = await openTestApp(t, {}, { folder })
  const api = await openApi(app.url)
  const as = await app.token('admin')
  const draft = async (word: string): Promise<string> => {
    const body = { language: 'en', lemma: word, partOfSpeech: 'noun', senses: [{ gloss: `sense of ${word}` }] }
    return String((await api('POST', '/v1/entries', { as, body })).json['id'])
  }
  const kept = await draft(other)
  const id = await draft(lemma)
  const anyRevision = { 'if-match': '*' }
  await api('POST', `/v1/entries/${id}/publish`, { as, body: {}, headers: anyRevision })
  await api('PATCH', `/v1/entries/${id}`, { as, body: { etymology }, headers: anyRevision })
  await inTime(app, 'the entry to be found', async () =>
    (await api('GET', `/v1/search?q=${lemma}`)).text.includes(lemma),
  )
  await app.close()
  const log = join(folder, 'events.db')
  t.equal(
    damage(log, `UPDATE events SET data = ${turned('data', 9)} WHERE name = ? AND revision = 2`, `entry-${id}`),
    1,
  )

  const again = await openTestApp(t, {}, { folder })
  const asked = await openApi(again.url)
  const token = await again.token('admin')
  const redact = { as: token, body: { ground: 'privacy' }, headers: anyRevision }
  t.match(await asked('POST', `/v1/entries/${id}/redact`, redact), { status: 503, code: 'event-unreadable' })
  await again.close()

  const [, sql = ''] = /sqlite3 events\.db "([^"]*)"/.exec(document) ?? []
  const db = new DatabaseSync(log)
  const names = db
    .prepare(sql.replace('<id>', id))
    .all()
    .flatMap(row => Object.values(row).filter(name => name !== null))
  db.close()
  t.match(names, [/^document:/])
  for (const name of names) {
    const [, batch, n] = /^document:([0-9a-f]+)\.(\d+)$/.exec(String(name)) ?? []
    const file = openSync(join(folder, 'keys', 'document', `${batch}.keys`), 'r+')
    writeSync(file, Buffer.alloc(64), 0, 64, 64 * (Number(n) + 1))
    closeSync(file)
  }
  for (const name of ['read.db', 'read.db-wal', 'read.db-shm']) rmSync(join(folder, name), { force: true })

  const last = await openTestApp(t, {}, { folder })
  const reader = await openApi(last.url)
  for (const entry of [kept, id])
    t.match(await reader('GET', `/v1/entries/${entry}`, { as: await last.token('admin') }), {
      status: 503,
      code: 'projection-building',
    })
  await inTime(last, 'the read models to be built up to the damage', async saw => {
    const left = tracesIn(folder, [other])
    saw(left)
    return left.some(trace => trace.startsWith('read.db'))
  })
  t.same(tracesIn(folder, [lemma, etymology]), [])
})
