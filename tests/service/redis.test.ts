/** The service with Redis: two nodes count limits together and share what they know, and do without it when it is away. */
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { defined } from '../../src/domain/defined.ts'
import type { Role } from '../../src/domain/roles.ts'
import { hurried, runHere } from '../support/here.ts'
import { connectLive } from '../support/live-client.ts'
import { ask, asNode, NOT_YET, ready, tokenOf } from '../support/nodes.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const reason = noRedis()
type Json = Readonly<Record<string, unknown>>

type House = {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly urls: readonly string[]
}

/** What is changed at one node holds at the other: for what is asked there, and for the sockets that are open there. */
const changesElsewhere = async (t: Test, { folder, env, urls: [here = '', there = ''] }: House): Promise<void> => {
  const ask = async (url: string, line: string, as: string, body?: object) => {
    const [method = '', path] = line.split(' ')
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
      ...defined({ body: body ? JSON.stringify(body) : undefined }),
    })
    const text = await answer.text()
    return { status: answer.status, json: Object(text === '' ? undefined : JSON.parse(text)) }
  }
  const person = async (name: string, role: Role) => {
    const email = `${name}@dictionary.example`
    const made = await asNode(folder, app => app.accounts.create({ role, email }), env)
    if ('refused' in made) throw new Error(made.detail)
    const { json } = await until(`${name} signed in`, async saw => {
      const answer = await ask(here, 'POST /v1/sessions', '', { email, password: made.password })
      saw(answer)
      return answer.status === 201 && answer
    })
    return { id: made.accountId, token: String(json.accessToken), session: String(json.session.id) }
  }
  const is = (status: number, line: string, as: string) =>
    until(`${status} for ${line} at the other node`, async saw => {
      const answer = await ask(there, line, as)
      saw(answer)
      return answer.status === status
    })
  /** Open at the other node, where the person is known. */
  const listen = async (as: string, channel: string) => {
    await is(200, 'GET /v1/me', as)
    const client = await connectLive(there, { headers: { authorization: `Bearer ${as}` } })
    client.say({ op: 'subscribe', id: 'a', channel })
    return client
  }
  const [boss, ada, bob] = [
    await person('boss', 'admin'),
    await person('ada', 'contributor'),
    await person('bob', 'contributor'),
  ]
  const change = async (line: string) => {
    const answer = await ask(here, line, boss.token, { reason: 'A test.' })
    t.equal(answer.status, 200, JSON.stringify(answer.json))
  }

  const without = await listen(ada.token, 'events')
  t.match(await without.find(({ id }) => id === 'a'), { op: 'error', code: 'permission-denied' })
  await change(`PUT /v1/accounts/${ada.id}/roles/auditor`)
  await is(200, 'GET /v1/events', ada.token)
  t.equal(await without.closed(), 1012, 'it is to connect again with what it may do now')
  const granted = await listen(ada.token, 'events')
  await granted.find(({ op }) => op === 'caught-up')
  await change(`DELETE /v1/accounts/${ada.id}/roles/auditor`)
  await is(403, 'GET /v1/events', ada.token)
  t.equal(await granted.closed(), 1012, 'a role was taken back')

  const sockets = [await listen(ada.token, 'me'), await listen(bob.token, 'me')]
  for (const socket of sockets) await socket.find(({ op }) => op === 'caught-up')
  await change(`POST /v1/accounts/${bob.id}/suspend`)
  t.equal((await ask(here, `DELETE /v1/sessions/${ada.session}`, ada.token)).status, 204)
  for (const { token } of [ada, bob]) await is(401, 'GET /v1/me', token)
  for (const socket of sockets) t.equal(await socket.closed(), 1008, 'a session has ended, an account is suspended')
  t.same(
    [without, granted, ...sockets].flatMap(({ faults }) => faults),
    [],
  )
}

if (reason !== undefined) t.test('a service with Redis', { skip: reason }, () => undefined)
else
  t.test('limits and idempotency over two nodes; Redis goes and comes back', async t => {
    const redis = await startRedis(t)
    const folder = temporaryFolder(t)
    const env = {
      LEXICHRON_CACHE: redis.url,
      LEXICHRON_LIMIT_SEARCH: '6',
      LEXICHRON_LIMIT_READS: '0',
      LEXICHRON_LIMIT_WRITES: '0',
    }
    const nodes = [await startService(t, folder, env), await startService(t, folder, env)]
    const urls = nodes.map(({ url }) => url)
    for (const node of nodes) await ready(node)
    const admin = await tokenOf(folder, 'admin', 'tests', env)
    const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }
    const health = async (url = urls[0] ?? ''): Promise<Json> =>
      Object(Object(Object(await (await fetch(`${url}/health`, { headers })).json()).parts).cache)
    await until('Redis in use', async saw => {
      const states = await Promise.all(urls.map(url => health(url)))
      saw(states)
      return states.every(({ state }) => state === 'ok')
    })

    const partOf = async (url: string, name: string): Promise<Json> =>
      Object(Object(Object(await (await fetch(`${url}/health`, { headers })).json()).parts)[name])
    const socket = new WebSocket(`${urls[0]?.replace('http', 'ws')}/v1/live`, 'lexichron.v1')
    t.teardown(() => socket.terminate())
    const seen = (url = '', connections = 1, nodeCount = 2) =>
      until(`${connections} at ${nodeCount} nodes`, async saw => {
        const { state, detail } = await partOf(url, 'nodes')
        const found = Object(detail)
        saw(found)
        return found.connections === connections && found.nodes === nodeCount ? { state, ...found } : undefined
      })
    t.match(
      await seen(urls[1]),
      { state: 'ok', alone: false, listeners: 1 },
      'who listens to the one is known to the other',
    )
    const figures = await (await fetch(`${urls[1]}/metrics`, { headers })).text()
    t.match(figures, /^lexichron_nodes 2$/m)
    t.match(figures, /^lexichron_all_live_connections 1$/m)
    t.match(figures, /^lexichron_live_connections 0$/m)

    const search = async (at: number, as: Readonly<Record<string, string>> = {}) => {
      const answer = await fetch(`${urls[at % 2]}/v1/search?q=luck`, { headers: as })
      await answer.text()
      return { status: answer.status, left: /r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1] }
    }
    /** On a machine so busy that Redis is passed over for being slow, somebody else's requests are counted anew. */
    const passedOver = () => nodes.map(({ output }) => output.err.split('gone without').length).join()
    let clients = 0
    const answers = await until('requests that Redis counted, all of them', async saw => {
      clients += 1
      const as = { authorization: `Bearer ${await tokenOf(folder, 'editor', `client ${clients}`, env)}` }
      const before = passedOver()
      const found = []
      for (let n = 0; n < 8; n += 1) found.push(await search(n, as))
      saw(found)
      return passedOver() === before && found
    })
    t.same(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200, 200, 429, 429],
      'six for both nodes together',
    )
    t.same(
      answers.slice(0, 3).map(({ left }) => left),
      ['5', '4', '3'],
    )

    const entry = { language: 'en', lemma: 'shared', partOfSpeech: 'noun', senses: [{ gloss: 'by two' }] }
    const post = (url: string, path: string, body: object, more = {}) =>
      fetch(url + path, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) })
    const [one = '', two = ''] = urls
    const both = await until('claims that Redis kept, all of them', async saw => {
      clients += 1
      const key = { 'idempotency-key': `k${clients}` }
      const before = passedOver()
      const first = await post(one, '/v1/entries', { ...entry, lemma: `shared ${clients}` }, key)
      const second = await post(two, '/v1/entries', { ...entry, lemma: `another ${clients}` }, key)
      const found = [first.status, second.status]
      saw(found)
      return passedOver() === before && found
    })
    t.same(both, [201, 422], 'the same key with another payload, at the other node')

    await t.test('a change of roles, an account or a session holds at the other node', t =>
      changesElsewhere(t, { folder, env, urls }),
    )

    await redis.kill()
    for (const url of urls) await until(`${url} noticed`, async () => (await health(url))['state'] === 'degraded')
    t.notMatch(JSON.stringify(await health()), /127\.0\.0\.1|redis:/)
    t.match(await seen(urls[1], 0, 1), { state: 'degraded', alone: true, reason: /without Redis/ })
    const made = await post(one, '/v1/entries', { ...entry, lemma: 'without' })
    t.equal(made.status, 201)
    const again: number[] = []
    for (let n = 0; n < 14; n += 1) again.push((await search(n)).status)
    t.equal(again.filter(status => status === 200).length, 12, 'each node counts for itself')
    t.equal((await fetch(`${one}/health/ready`)).status, 200, 'and is ready all the same')
    const doctor = await runHere(folder, ['doctor'], env, hurried)
    t.match(
      doctor.out + doctor.err,
      /cache.*LEXICHRON_CACHE is redis:\/\/127\.0\.0\.1:\d+: Redis cannot be used: nothing listens there \(ECONNREFUSED\)/,
    )

    await redis.restart()
    await until('in use again', async () => (await health())['state'] === 'ok')
    await seen(urls[1])
    t.equal(await nodes[0]?.stop(), 0)
    await seen(urls[1], 0, 1)
    t.match(
      nodes[0]?.output.err,
      /LEXICHRON_CACHE: Redis at redis:\S+ is gone without: [^\n]*\n[\s\S]*LEXICHRON_CACHE: Redis at redis:\S+ answers/,
    )
    const sound = await runHere(folder, ['doctor'], env, hurried)
    t.match(sound.out + sound.err, /Redis [567]\S* answers and takes writes/)
  })

if (reason === undefined)
  t.test('a service starts without its Redis', async t => {
    const folder = temporaryFolder(t)
    const { url, output } = await startService(t, folder, { LEXICHRON_CACHE: 'redis://me:secret@127.0.0.1:1' })
    t.equal((await ask(`${url}/v1/search?q=luck`, {}, NOT_YET)).status, 200)
    await until('what the log says', saw => {
      saw(output.err)
      return /LEXICHRON_CACHE: Redis at redis:\/\/\[redacted\]@127\.0\.0\.1:1 is gone without: nothing listens there/.test(
        output.err,
      )
    })
    t.notMatch(output.err, 'secret')
    const several = await runHere(folder, ['projections'], { LEXICHRON_CACHE: 'redis+sentinel://me:secret@a' })
    t.match(several, {
      code: 2,
      err: /LEXICHRON_CACHE is "redis\+sentinel:\/\/me:\*\*\*@a": it does not say what the sentinels/,
    })
    const wrong = await runHere(folder, ['projections'], { LEXICHRON_CACHE: 'redis://' })
    t.match(wrong, { code: 2, err: /LEXICHRON_CACHE is "redis:\/\/": it names no host/ })
  })
