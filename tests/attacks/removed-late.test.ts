/** A removal that cannot be carried out in full: what can go goes, operators are told, and it is gone as soon as it can be. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { rareWords, tracesIn, untilGone } from '../support/traces.ts'

t.test('one read model that cannot be written keeps the text of itself alone, and health tells of it', async t => {
  const folder = join(temporaryFolder(t), 'data')
  const [lemma = '', gloss = '', kept = '', later = ''] = rareWords(4, 57)
  const app = await openTestApp(t, {}, { folder })
  const api = await openApi(app.url)
  const as = await app.token('admin')
  const post = async (path: string, body: object) => {
    const headers = path === '/v1/entries' ? {} : { 'if-match': '*' }
    const answer = await api('POST', path, { as, body, headers })
    if (answer.status >= 400) throw new Error(`${path}: ${answer.text}`)
    return String(answer.json['id'])
  }
  const publish = async (word: string): Promise<string> => {
    const id = await post('/v1/entries', { language: 'en', lemma: word, partOfSpeech: 'noun', senses: [{ gloss }] })
    await post(`/v1/entries/${id}/publish`, {})
    await inTime(app, `${word} to be found`, async () => (await api('GET', `/v1/search?q=${word}`)).text.includes(word))
    return id
  }
  const removals = async () => Object(Object((await api('GET', '/health', { as })).json['parts'])['removals'])
  const gone = (words: readonly string[]) => untilGone(app, folder, words)
  const ids = [await publish(lemma), await publish(later)] as const
  t.match(await removals(), { state: 'ok', detail: undefined })

  const beside = new DatabaseSync(join(folder, 'read.db'), { timeout: 10_000 })
  t.teardown(() => beside.close())
  beside.exec(`INSERT INTO collection (number, name, indexes, uuids) VALUES (999, 'entries@1#1', '[]', 1);
    CREATE TABLE c999 (doc INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, text TEXT)`)
  beside.prepare('INSERT INTO c999 (id, position, text) VALUES (?, 1, ?)').run(ids[0], kept)
  await post(`/v1/entries/${ids[0]}/redact`, { ground: 'privacy' })
  await gone([lemma])
  const told = await inTime(app, 'health to tell of it', async () => {
    const part = await removals()
    return part.state === 'degraded' && part
  })
  t.match(told.detail, { owed: 1, first: /^\d+$/, reason: /redaction has parked 1/ })
  t.ok(told.detail.lateMs > 60_000, 'not before it was due')
  t.notMatch(JSON.stringify(told), new RegExp([lemma, gloss, kept].join('|')))
  t.not(tracesIn(folder, [kept]).length, 0)

  await post(`/v1/entries/${ids[1]}/redact`, { ground: 'privacy' })
  await gone([later, gloss])
  beside.exec('ALTER TABLE c999 RENAME COLUMN text TO body')
  await gone([kept])
  t.match(
    await inTime(app, 'all to be well', async () => {
      const part = await removals()
      return part.state === 'ok' && part
    }),
    { state: 'ok', detail: undefined },
  )
})
