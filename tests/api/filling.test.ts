/** What answers say while the dictionary is being filled: what is there, that it is not all, and that nobody is to keep it. */
import t from 'tap'
import { draftExample } from '../../src/adapters/http/examples.ts'
import { fillingMembers } from '../../src/adapters/http/filling.ts'
import { type Edge, openEdge } from '../support/edge.ts'

const DRAWN = [
  '/v1/search?q=serendipity',
  '/v1/suggest?q=seren',
  '/v1/entries',
  '/v1/random',
  '/v1/word-of-the-day?language=en',
]

const get = async ({ url }: Edge, path: string, headers: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(url + path, { headers })
  return { status: response.status, headers: response.headers, body: await response.text() }
}

const publish = async (edge: Edge): Promise<string> => {
  const headers = { authorization: `Bearer ${edge.token('editor')}`, 'content-type': 'application/json' }
  const drafted = await fetch(`${edge.url}/v1/entries`, { method: 'POST', headers, body: JSON.stringify(draftExample) })
  const path = drafted.headers.get('location') ?? ''
  const done = await fetch(`${edge.url}${path}/publish`, {
    method: 'POST',
    headers: { ...headers, 'if-match': drafted.headers.get('etag') ?? '' },
    body: '{}',
  })
  if (done.status !== 200) throw new Error(await done.text())
  return path
}

t.test('answers that are drawn from all of it say how much is there, and are kept by nobody', async t => {
  const edge = await openEdge(t)
  edge.faults.keeps = true
  await publish(edge)
  edge.faults.filling = 43
  for (const path of DRAWN) {
    const { status, headers, body } = await get(edge, path)
    t.equal(status, 200, path)
    t.equal(headers.get('lexichron-filling'), '43%', path)
    t.match(JSON.parse(body), { filling: 43 }, path)
    t.equal(headers.get('cache-control'), 'private, no-store', path)
    t.equal(headers.get('etag'), null, `${path}: nothing that could be asked about again`)
  }
  const exported = await get(edge, '/v1/entries/export')
  t.equal(exported.headers.get('lexichron-filling'), '43%')

  edge.faults.filling = 44
  for (const path of DRAWN) t.match(JSON.parse((await get(edge, path)).body), { filling: 44 }, `${path}: asked anew`)

  delete edge.faults.filling
  for (const path of [...DRAWN, '/v1/entries/export']) {
    const { headers, body } = await get(edge, path)
    t.equal(headers.get('lexichron-filling'), null, path)
    t.notMatch(body, '"filling"', path)
  }
  const whole = await get(edge, '/v1/entries')
  t.equal(whole.headers.get('cache-control'), 'public, no-cache')
  const again = await get(edge, '/v1/entries', { 'if-none-match': whole.headers.get('etag') ?? '' })
  t.equal(again.status, 304, 'and the whole of it is kept as ever')
})

t.test('one entry is what it is, however much of the dictionary is there', async t => {
  const edge = await openEdge(t)
  const path = await publish(edge)
  edge.faults.filling = 43
  const { status, headers, body } = await get(edge, path)
  t.equal(status, 200)
  t.equal(headers.get('lexichron-filling'), null)
  t.notMatch(body, '"filling"')
  t.ok(headers.get('etag'))
})

t.test('what is not found may be found later', async t => {
  const edge = await openEdge(t)
  edge.faults.filling = 7
  for (const path of ['/v1/random', '/v1/word-of-the-day?language=en']) {
    const { status, headers, body } = await get(edge, path)
    t.equal(status, 404, path)
    t.match(JSON.parse(body).detail, /being filled, and 7% of it are there: ask again\.$/, path)
    t.equal(headers.get('lexichron-filling'), '7%', path)
  }
  t.strictSame(
    fillingMembers({ items: [], total: 0, totalRelation: 'eq' }, 7),
    { filling: 7, totalRelation: 'gte' },
    'nobody knows how many there will be',
  )
  const { body } = await get(edge, '/v1/search?q=serendipity')
  t.strictSame(JSON.parse(body), { items: [], next: null, filling: 7 })
  delete edge.faults.filling
  t.notMatch((await get(edge, '/v1/random')).body, 'being filled')
})

t.test('health says so too, and that it may be sent requests', async t => {
  const edge = await openEdge(t)
  edge.faults.filling = 43
  t.match(JSON.parse((await get(edge, '/health')).body), { filling: 43 }, 'to strangers as well')
  const ready = await get(edge, '/health/ready')
  t.equal(ready.status, 200)
  t.match(JSON.parse(ready.body), { status: 'ready', filling: 43 })
  delete edge.faults.filling
  t.strictSame(JSON.parse((await get(edge, '/health/ready')).body), { status: 'ready', state: 'ok' })
})
