/** What strangers filtered by is text too: no address with words in it outlives the removal of them in a file. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { rareWords, tracesIn, untilGone } from '../support/traces.ts'

t.test('no filter of any route leaves its words in a file, be it over a stop, a start and an upgrade', async t => {
  const folder = join(temporaryFolder(t), 'data')
  const [lemma = '', gloss = '', category = '', label = '', source = '', seed = ''] = rareWords(6, 58)
  const words = [lemma, gloss, category, label, source, seed]
  const first = await openTestApp(t, {}, { folder })
  const api = await openApi(first.url)
  const as = await first.token('admin')
  const made = await api('POST', '/v1/entries', {
    as,
    body: {
      language: 'en',
      lemma,
      partOfSpeech: 'noun',
      categories: [category],
      senses: [{ gloss, labels: { domain: [label] } }],
    },
  })
  const path = made.headers.get('location') ?? ''
  await api('POST', `${path}/publish`, { as, headers: { 'if-match': '*' } })
  await inTime(first, 'it to be found', async () => (await api('GET', `/v1/search?q=${lemma}`)).text.includes(lemma))
  const asked = [
    ...['entries', 'search', 'random'].flatMap(route =>
      [`category=${category}`, `label=${label}`, `language=en&category=${category}`].map(
        filter => `/v1/${route}?${filter}${route === 'search' ? `&q=${lemma}` : ''}`,
      ),
    ),
    `/v1/entries?source=${source}`,
    `/v1/random?seed=${seed}`,
    `/v1/suggest?q=${lemma}`,
    `/v1/search?q=${gloss}&in=definition`,
    `${path}?asOf=${seed}`,
    `/v1/export?cursor=${seed}`,
    `/v1/analytics?language=en-x-${seed.slice(0, 8)}`,
    '/v1/entries?language=en',
    path,
  ]
  for (let n = 0; n < 3; n += 1) for (const each of asked) await api('GET', each)
  t.match((await api('GET', `/v1/entries?category=${category}`)).json, { items: [{ lemma }] })
  await api('POST', `${path}/redact`, { as, headers: { 'if-match': '*' }, body: { ground: 'privacy' } })
  await untilGone(first, folder, words)
  await first.close()
  t.same(tracesIn(folder, words), [], 'the stop has brought nothing back')

  // As the builds did that kept them, which have worked off the removal too.
  const db = new DatabaseSync(join(folder, 'read.db'))
  const insert = db.prepare('INSERT INTO record (name, value) VALUES (?, ?)')
  insert.run('hot-answers', JSON.stringify([`p["/v1/entries",{"category":"${category}"}]`]))
  db.exec("UPDATE record SET name = 'scrubbed' WHERE name = 'left-the-files'")
  db.close()
  t.not(tracesIn(folder, words).length, 0)
  const second = await openTestApp(t, {}, { folder })
  // The record of before is among them.
  await untilGone(second, folder, words)
  await second.close()
  t.same(tracesIn(folder, words), [])
})
