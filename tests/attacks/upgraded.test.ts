/** A removal on a folder that a build from before there were checksums has filled, and that one may still be writing to. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp, type TestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { rareWords, untilGone } from '../support/traces.ts'

const folder = join(temporaryFolder(t), 'data')
const [first = '', second = ''] = rareWords(2, 41)

const use = async (app: TestApp) => {
  const api = await openApi(app.url)
  const admin = await app.token('admin')
  const post = async (path: string, body: object) => {
    const headers = path === '/v1/entries' ? {} : { 'if-match': '*' }
    const answer = await api('POST', path, { as: admin, body, headers })
    if (answer.status >= 400) throw new Error(`${path}: ${answer.text}`)
    return String(answer.json['id'])
  }
  const publish = async (word: string): Promise<string> => {
    const senses = [{ gloss: `sense of ${word}` }]
    const id = await post('/v1/entries', { language: 'en', lemma: word, partOfSpeech: 'noun', senses })
    await post(`/v1/entries/${id}/publish`, {})
    return id
  }
  const redact = (id: string) => post(`/v1/entries/${id}/redact`, { ground: 'privacy' })
  const found = (word: string) =>
    inTime(app, `${word} to be found`, async () => (await api('GET', `/v1/search?q=${word}`)).text.includes(word))
  const health = async () => (await api('GET', '/health', { as: admin })).json['parts']
  return { publish, redact, found, health }
}

const tablesOf = (db: DatabaseSync): readonly string[] =>
  db
    .prepare('SELECT number FROM collection')
    .all()
    .map(({ number }) => `c${String(number)}`)

/** As the older build had it: versions of its own, and no checksums. */
const makeOlder = (path: string): void => {
  const db = new DatabaseSync(path)
  for (const table of tablesOf(db)) db.exec(`ALTER TABLE ${table} DROP COLUMN checksum`)
  const older = "replace(replace(%, '@2#', '@1#'), '@3#', '@1#')"
  db.exec(`UPDATE collection SET name = ${older.replace('%', 'name')};
    UPDATE checkpoint SET consumer = ${older.replace('%', 'consumer')};
    UPDATE record SET value = replace(replace(value, '"2":', '"1":'), '"3":', '"1":') WHERE name LIKE 'pointer:%';
    PRAGMA user_version = 1`)
  db.close()
}

t.test('what the older build has made is rid of the text too, and so is what it makes beside this one', async t => {
  const before = await openTestApp(t, {}, { folder })
  const filled = await use(before)
  const ids = [await filled.publish(first), await filled.publish(second)] as const
  await filled.found(second)
  await before.close()
  const path = join(folder, 'read.db')
  makeOlder(path)

  const app = await openTestApp(t, {}, { folder })
  const { redact, found, health } = await use(app)
  await found(second)
  const beside = new DatabaseSync(path, { timeout: 10_000 })
  t.teardown(() => beside.close())
  t.equal(beside.prepare('PRAGMA user_version').get()?.['user_version'], 2)
  const older = beside.prepare("SELECT number FROM collection WHERE name LIKE 'entries@1#%'").get()?.['number']
  t.ok(older, 'they stay for as long as a process of the older build may read them')
  t.ok(beside.prepare(`SELECT 1 FROM c${String(older)} WHERE body LIKE ?`).get(`%${first}%`))

  await redact(ids[0])
  const isGone = (word: string) => untilGone(app, folder, [word])
  await isGone(first)
  t.match(await health(), { 'subscriber redaction': { state: 'ok', detail: { parked: 0 } } })
  t.ok(beside.prepare(`SELECT 1 FROM c${String(older)} WHERE body LIKE ?`).get(`%${second}%`), 'nothing else is')

  beside.exec(`ALTER TABLE c${String(older)} DROP COLUMN checksum`)
  await redact(ids[1])
  await isGone(second)
  t.match(await health(), { 'subscriber redaction': { state: 'ok', detail: { parked: 0 } } })
})
