/** A damaged event under a service: nobody is told it as true, and everybody who needs it is told where it stands. */
import { join } from 'node:path'
import t from 'tap'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { damage, tableOf, termTablesOf, turned } from '../support/damage.ts'
import { runHere } from '../support/here.ts'
import { temporaryFolder } from '../support/service.ts'

const draftOf = (lemma: string) => ({ language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: 'g' }] })

t.test('a damaged event', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, {}, { folder })
  const api = await openApi(app.url)
  const [author, auditor, admin] = [
    await app.token('contributor'),
    await app.token('auditor'),
    await app.token('admin'),
  ]
  const made = await api('POST', '/v1/entries', { as: author, body: draftOf('damaged') })
  const path = made.headers.get('location') ?? ''
  const id = path.split('/').at(-1) ?? ''
  await api('POST', '/v1/entries', { as: author, body: draftOf('sound') })
  t.match(await runHere(folder, ['verify', '--json']), { code: 0 }, 'all is sound before')
  const changed = damage(
    join(folder, 'events.db'),
    `UPDATE events SET meta = ${turned('meta', 40)} WHERE name = ?`,
    `entry-${id}`,
  )
  t.equal(changed, 1)

  await t.test('is a problem of its own to who reads the history of its entry', async t => {
    const answer = await api('GET', `${path}/history`, { as: author })
    t.match(answer, { status: 503, code: 'event-unreadable' })
    t.equal((await api('GET', path, { as: author })).status, 200, 'the read model has what it was')
  })

  await t.test('is shown by its position alone to who reads the log', async t => {
    const page = await api('GET', '/v1/events?category=entry&limit=100', { as: auditor })
    const items: Record<string, unknown>[] = Array.isArray(page.json['items']) ? page.json['items'] : []
    t.equal(items.length, 2)
    t.match(items[0], { unreadable: 'damaged', id: '', stream: '', data: {} })
    t.match(items[1], { type: 'EntryDrafted' })
    t.same(api.faults, [], 'as the document says')
    const position = String(items[0]?.['position'])

    const health = await api('GET', '/health', { as: admin })
    t.match(health.json, {
      state: 'degraded',
      parts: { damage: { state: 'degraded', detail: { damagedEvents: 1, positions: [position] } } },
    })
    const metrics = await api('GET', '/metrics', { as: admin })
    t.match(metrics.text, /lexichron_damage_total\{kind="event"\} 1\n/)

    const verified = await runHere(folder, ['verify', '--json'])
    t.equal(verified.code, 1)
    const report: Record<string, unknown> = JSON.parse(verified.out)
    t.match(report, { damaged: [{ position, soundAt: /^20/ }], faults: [] })
    const said = await runHere(folder, ['verify'])
    t.match(said.out, new RegExp(`the event at position ${position} is damaged: .*; it was sound at 20`))
    t.match(said.out, /entries: .*the log can be read up to position/)
    t.notMatch(said.err, /should not have happened/)
  })

  await t.test('stops a consumer that has to fold it, which says where', async t => {
    const asked = await runHere(folder, ['rebuild', 'entries'])
    t.equal(asked.code, 1)
    t.match(asked.err, /The event at position \d+ is damaged/)
    t.notMatch(asked.err, /should not have happened/)
    const health = await inTime(app, 'the read model that is built stops', async saw => {
      const answer = await api('GET', '/health', { as: admin })
      saw(answer.text)
      return answer.text.includes('position') && answer.text.includes('stopped') && answer
    })
    t.match(health.text, /The event at position \d+ is damaged: it does not fit its checksum/)
  })
})

t.test('damaged documents', async t => {
  const folder = temporaryFolder(t)
  const reads = join(folder, 'read.db')
  const app = await openTestApp(t, {}, { folder })
  const api = await openApi(app.url)
  const [author, editor, admin] = [await app.token('contributor'), await app.token('editor'), await app.token('admin')]
  const paths: string[] = []
  for (const lemma of ['hurt', 'healthy']) {
    const path = (await api('POST', '/v1/entries', { as: author, body: draftOf(lemma) })).headers.get('location') ?? ''
    await api('POST', `${path}/publish`, { as: editor, headers: { 'if-match': '*' } })
    paths.push(path)
  }
  const [hurt = '', healthy = ''] = paths
  const id = hurt.split('/').at(-1) ?? ''
  await inTime(app, 'both are found', async saw => {
    const answer = await api('GET', '/v1/search?q=healthy')
    saw(answer.text)
    return answer.text.includes('healthy')
  })

  await t.test('are not told, and their read model is built again', async t => {
    const sql = `UPDATE ${tableOf(reads, 'entries')} SET body = replace(body, 'hurt', 'hurl') WHERE id = ?`
    t.equal(damage(reads, sql, id), 1)
    t.match(await api('GET', hurt), { status: 503, code: 'projection-building' })
    t.equal((await api('GET', healthy)).status, 200, 'others are as they were')
    const answer = await inTime(app, 'it is built again', async saw => {
      const again = await api('GET', hurt)
      saw(again.text)
      return again.status === 200 && again
    })
    t.match(answer.json, { lemma: 'hurt' })
    const { json } = await api('GET', '/health', { as: admin })
    const found = JSON.stringify(json)
    t.match(found, /"damagedDocumentsMet":[1-9].*"collection":"entries@/)
  })

  await t.test('are found by verify, with lost index entries, and repaired', async t => {
    await app.close()
    t.match(await runHere(folder, ['verify', '--json']), { code: 0 })
    const search = tableOf(reads, 'search')
    const entries = tableOf(reads, 'entries')
    const changed = termTablesOf(reads, search).map(table =>
      damage(
        reads,
        `UPDATE OR IGNORE ${table} SET term = 'x' || term WHERE doc = (SELECT doc FROM ${search} WHERE id = ?)`,
        id,
      ),
    )
    t.ok(
      changed.some(count => count > 0),
      `rows of the indexes on terms: ${changed}`,
    )
    t.equal(damage(reads, `UPDATE ${entries} SET position = position + 1 WHERE id = ?`, id), 1)
    const verified = await runHere(folder, ['verify', '--json'])
    t.equal(verified.code, 1)
    t.match(JSON.parse(verified.out), {
      damaged: [],
      projections: [
        { name: 'entries', different: 1, differences: [`${id}: damaged`] },
        { name: 'search', differences: [`${id}: damaged`] },
      ],
    })
    const repaired = await runHere(folder, ['repair', '--json'])
    t.equal(repaired.code, 0, repaired.err)
    t.match(JSON.parse(repaired.out), { projections: [{ rebuilt: true }, { rebuilt: true }, { rebuilt: false }] })
    t.match(await runHere(folder, ['verify', '--json']), { code: 0 }, 'and all is sound')
  })
})

t.test('a bit of the table of streams: the entry does not end elsewhere, and is not drafted anew', async t => {
  const folder = temporaryFolder(t)
  const log = join(folder, 'events.db')
  const before = await openTestApp(t, {}, { folder })
  const api = await openApi(before.url)
  const made = await api('POST', '/v1/entries', { as: await before.token('contributor'), body: draftOf('hurt') })
  t.equal(made.status, 201)
  const path = made.headers.get('location') ?? ''
  await before.close()
  t.equal(
    damage(
      log,
      'UPDATE streams SET revision = revision + 4 WHERE number = (SELECT stream FROM events WHERE name = ? LIMIT 1)',
      `entry-${path.split('/').at(-1)}`,
    ),
    1,
  )

  const app = await openTestApp(t, {}, { folder })
  const again = await openApi(app.url)
  const [author, admin] = [await app.token('contributor'), await app.token('admin')]
  const unreadable = { status: 503, code: 'event-unreadable' }
  t.match(await again('GET', `${path}/history`, { as: author }), unreadable)
  t.match(await again('POST', '/v1/entries', { as: author, body: draftOf('hurt') }), unreadable)
  t.match(
    await again('PATCH', path, { as: author, headers: { 'if-match': '*' }, body: { etymology: 'x' } }),
    unreadable,
  )
  t.same(again.faults, [])
  t.match((await again('GET', '/health', { as: admin })).json, {
    parts: { damage: { state: 'degraded', detail: { damagedStreams: 1, streams: [/^entry-/] } } },
  })
  t.match((await again('GET', '/metrics', { as: admin })).text, /lexichron_damage_total\{kind="stream"\} 1\n/)
  const verified = await runHere(folder, ['verify', '--json'])
  t.equal(verified.code, 1)
  t.match(JSON.parse(verified.out), {
    faults: [],
    damaged: [],
    lookups: { different: 2, differences: [/^the table of names or of streams/, /^the table of streams ends/] },
  })
  t.match((await runHere(folder, ['verify'])).out, /log: 2 of its own tables and indexes do not fit/)
  const repaired = await runHere(folder, ['repair', '--json'])
  t.match(repaired, { code: 0 })
  t.match(JSON.parse(repaired.out), { lookups: { different: 2, repaired: true } })
  t.match(await runHere(folder, ['verify', '--json']), { code: 0 })
  t.match(await again('GET', `${path}/history`, { as: author }), { status: 200 })
  t.match(await again('POST', '/v1/entries', { as: author, body: draftOf('hurt') }), { status: 409 })
})
