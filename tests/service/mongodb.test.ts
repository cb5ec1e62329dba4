/** The service with its read models and keys in MongoDB: everything works, two nodes share it, and it may go away and come back. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { hurried, runHere } from '../support/here.ts'
import { noMongo, startMongo } from '../support/mongodb.ts'
import { ask, NOT_YET, ready, tokenOf } from '../support/nodes.ts'
import { startService, temporaryFolder } from '../support/service.ts'
import { openProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const reason = noMongo()
const words = ['serendipity', 'serene', 'sermon', 'luck', 'lucky']

type Json = Readonly<Record<string, unknown>>
const askJson = async (url: string, path: string, init: RequestInit = {}) => {
  const { status, text, headers } = await ask(url + path, init, NOT_YET)
  const json: Json = text.startsWith('{') ? JSON.parse(text) : {}
  return { status, json, sync: headers.get('sync-token') ?? '', headers }
}
const lemmas = (json: Json): readonly unknown[] =>
  Array.isArray(json['items']) ? json['items'].map(item => Object(Object(item).entry ?? item).lemma) : []

if (reason !== undefined) t.test('a service on MongoDB', { skip: reason }, () => undefined)
else {
  const server = await startMongo(t)
  const proxy = await openProxy(t, server.url)
  const masterKey = randomBytes(32).toString('base64')
  const settings = () => ({
    LEXICHRON_READ_STORE: proxy.through(server.database()),
    LEXICHRON_KEYS: server.database(),
    LEXICHRON_MASTER_KEY: masterKey,
    LEXICHRON_SAMPLE: 'none',
    LEXICHRON_LIMIT_WRITES: '0',
    LEXICHRON_LIMIT_READS: '0',
    LEXICHRON_LIMIT_SEARCH: '0',
    LEXICHRON_LOG_LEVEL: 'warn',
  })

  t.test('the whole tour, two nodes, a rebuild, an outage', async t => {
    const folder = temporaryFolder(t)
    const env = settings()
    const [one, two] = [await startService(t, folder, env), await startService(t, folder, env)]
    const bearer = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })
    const editor = bearer(await tokenOf(folder, 'editor', 'tests', env))
    const admin = bearer(await tokenOf(folder, 'admin', 'tests', env))
    const readStoreIs = (state: 'ok' | 'failed') =>
      until(`the read store to be ${state} in health`, async saw => {
        const { json } = await askJson(one.url, '/health', { headers: admin })
        saw(json)
        return Object(json['parts']).readStore?.state === state
      })
    const post = (url: string, path: string, body: object, more = {}) =>
      askJson(url, path, { method: 'POST', headers: { ...editor, ...more }, body: JSON.stringify(body) })

    let sync = ''
    const ids: string[] = []
    for (const lemma of words) {
      const made = await post(one.url, '/v1/entries', {
        language: 'en',
        lemma,
        partOfSpeech: 'noun',
        senses: [{ gloss: `what ${lemma} means` }],
      })
      t.equal(made.status, 201, JSON.stringify(made.json))
      const id = String(made.json['id'])
      ids.push(id)
      const done = await post(two.url, `/v1/entries/${id}/publish`, {}, { 'if-match': '*' })
      t.equal(done.status, 200, JSON.stringify(done.json))
      sync = done.sync
    }
    const reading = { headers: { 'sync-token': sync } }
    for (const { url } of [one, two]) {
      const found = await askJson(url, '/v1/search?q=serendipty', reading)
      t.match(found, { status: 200, json: { items: [{ matched: 'fuzzy', distance: 1 }] } })
      t.same(lemmas((await askJson(url, '/v1/entries?language=en&sort=lemma', reading)).json), [...words].sort())
      const suggested = (await askJson(url, '/v1/suggest?q=ser&language=en', reading)).json
      t.equal(Array.isArray(suggested['items']) ? suggested['items'].length : 0, 3)
      t.equal((await askJson(url, `/v1/entries/${ids[0]}/history`, reading)).status, 200)
      t.equal((await askJson(url, '/v1/random?language=en', reading)).status, 200)
    }
    const history = await askJson(two.url, '/v1/events?category=entry&limit=100', {
      headers: { ...admin, 'sync-token': sync },
    })
    t.equal(Array.isArray(history.json['items']) && history.json['items'].length, words.length * 2)
    const day = await askJson(one.url, '/v1/analytics', { headers: { ...admin, 'sync-token': sync } })
    t.equal(day.status, 200)

    const scrape = await fetch(`${one.url}/metrics`, { headers: admin })
    const metrics = await scrape.text()
    t.match(metrics, /lexichron_engine_connections\{port="read",state="open"\} [1-9]/)
    t.match(metrics, /lexichron_engine_commands_total\{port="read",command="find",result="done"\} [1-9]/)
    t.match(metrics, /lexichron_engine_command_seconds_total\{port="read",command="update"\} (?!0\n)\d/)

    const verified = await runHere(folder, ['verify', '--json'], env)
    t.equal(verified.code, 0, verified.err)
    const rebuilt = await runHere(folder, ['rebuild', 'entries', '--json'], env)
    t.equal(rebuilt.code, 0, rebuilt.err)
    await until('both nodes on the new generation', async saw => {
      const found = await Promise.all([one, two].map(({ url }) => askJson(url, '/v1/entries?sort=lemma')))
      saw(found.map(({ json }) => json))
      return found.every(({ json }) => lemmas(json).length === words.length)
    })

    // The read store goes: commands go on, queries say when to come back, then everything catches up.
    proxy.cut()
    const late = await post(one.url, '/v1/entries', {
      language: 'en',
      lemma: 'meanwhile',
      partOfSpeech: 'noun',
      senses: [{ gloss: 'g' }],
    })
    t.equal(late.status, 201, 'commands do not need it')
    const away = await askJson(one.url, '/v1/search?q=luck')
    t.equal(away.status, 503)
    t.ok(away.headers.get('retry-after'))
    t.notMatch(JSON.stringify(away.json), /127\.0\.0\.1|mongodb/, 'nothing of what is behind')
    await readStoreIs('failed')
    proxy.heal()
    const published = await until('a publish after it came back', async saw => {
      const done = await post(two.url, `/v1/entries/${late.json['id']}/publish`, {}, { 'if-match': '*' })
      saw(done.json)
      return done.status === 200 && done
    })
    for (const { url } of [one, two])
      await until('what was written meanwhile', async saw => {
        const found = await askJson(url, '/v1/search?q=meanwhile', { headers: { 'sync-token': published.sync } })
        saw(found.json)
        return lemmas(found.json).includes('meanwhile')
      })
    for (const node of [one, two]) await ready(node)
    await readStoreIs('ok')
    const again = await runHere(folder, ['verify', '--json'], env)
    t.equal(again.code, 0, again.err + again.out)
    const doctor = await runHere(folder, ['doctor'], env, hurried)
    t.match(doctor.out + doctor.err, /read store.*it answers and has \d+ collections/)
    t.match(doctor.out + doctor.err, /LEXICHRON_MASTER_KEY opens them/)
    proxy.cut()
    await readStoreIs('failed')
    const ended = await Promise.all([one, two].map(node => node.stop('SIGTERM')))
    proxy.heal()
    t.same(ended, [0, 0], 'each ends by itself, in its ten seconds')
    for (const { output } of [one, two]) {
      const plain = output.err.split('\n').filter(line => line !== '' && !line.startsWith('{'))
      t.same(plain, [], 'whatever is said of the outage is a line of the log')
    }
  })

  t.test('what is wrong with an address is said at the start, without its password', async t => {
    const folder = temporaryFolder(t)
    const base = settings()
    const port = Number(new URL(server.url).port)
    const nowhere = await openProxy(t, 'tcp://127.0.0.1:1')
    const cases = [
      [
        { LEXICHRON_READ_STORE: `mongodb://me:pa55word@127.0.0.1:${nowhere.port}/x` },
        /LEXICHRON_READ_STORE mongodb:\/\/\*\*\*@127.*no server answered within 5 s/,
      ],
      [{ LEXICHRON_READ_STORE: 'mongodb://me:pa55@word@ho st/x' }, /LEXICHRON_READ_STORE/],
      [
        { LEXICHRON_READ_STORE: `mongodb://127.0.0.1:${port}/x?replicaSet=words` },
        /LEXICHRON_READ_STORE .*replica set/,
      ],
      [{ LEXICHRON_KEYS: server.database(), LEXICHRON_MASTER_KEY: '' }, /LEXICHRON_MASTER_KEY, which is not set/, 2],
      [{ LEXICHRON_MASTER_KEY: 'short' }, /LEXICHRON_MASTER_KEY is "\*\*\*": it has to be 32 bytes/, 2],
      [
        { LEXICHRON_KEYS: base.LEXICHRON_READ_STORE },
        /LEXICHRON_KEYS and LEXICHRON_READ_STORE name the same database/,
        2,
      ],
      [{ LEXICHRON_KEYS: 'file:keys' }, /LEXICHRON_MASTER_KEY is set, but/, 2],
    ] as const
    const answers = await Promise.all(
      cases.map(async ([env, what, expected = 1]) => ({
        ...(await runHere(folder, ['projections'], { ...base, ...env })),
        what,
        expected,
      })),
    )
    for (const { code, err, what, expected } of answers) {
      t.equal(code, expected, err)
      t.match(err, what)
      t.notMatch(err, /pa55/)
    }
    const { url } = server
    t.equal((await runHere(folder, ['token', 'list'], { ...base, LEXICHRON_KEYS: url })).code, 0)
    const wrong = await runHere(folder, ['token', 'list'], {
      ...base,
      LEXICHRON_KEYS: url,
      LEXICHRON_MASTER_KEY: randomBytes(32).toString('hex'),
    })
    t.match(wrong, { code: 1, err: /LEXICHRON_MASTER_KEY is not the one/ })
  })

  t.test('with --wait it waits for engines that are not there yet', async t => {
    const folder = temporaryFolder(t)
    const turnedAway = proxy.refused()
    proxy.cut()
    const starting = startService(t, folder, settings(), ['--wait'])
    // It has looked once, in vain, and neither ended nor listened.
    await until('an attempt', () => proxy.refused() > turnedAway)
    proxy.heal()
    const { url } = await starting
    t.equal((await askJson(url, '/health/live')).status, 200)
  })
}
