/** The service on EventStoreDB, on the double of its protocol: a day of it, a restart, the database away and back, bad starts. */
import { join } from 'node:path'
import t from 'tap'
import WebSocket from 'ws'
import { diagnose } from '../../src/app/doctor.ts'
import { loadConfig } from '../../src/config/load.ts'
import { defined } from '../../src/domain/defined.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { openEventStoreDouble } from '../support/esdb/server.ts'
import { environmentFor, lexichron, startService } from '../support/service.ts'
import { until } from '../support/until.ts'

type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers }
const call = async (
  url: string,
  token?: string,
  init: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> => {
  const response = await fetch(url, {
    method: init.method ?? 'GET',
    headers: {
      'content-type': 'application/json',
      ...defined({ authorization: token === undefined ? undefined : `Bearer ${token}` }),
      ...init.headers,
    },
    ...defined({ body: init.body === undefined ? undefined : JSON.stringify(init.body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : JSON.parse(text), headers: response.headers }
}

const draft = (lemma: string) => ({
  method: 'POST',
  body: { language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: `what ${lemma} means` }] },
})

t.test('draft, publish, search, history, live; a restart; the database away and back', async t => {
  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  const env = {
    LEXICHRON_EVENT_STORE: server.url('defaultDeadline=1500'),
    LEXICHRON_KEYS_SHARED: 'true',
    LEXICHRON_DATA_DIR: t.testdir(),
  }
  const first = await openTestApp(t, env)
  const token = await first.token('admin')
  const publish = async (url: string, lemma: string): Promise<Answer> => {
    const made = await call(`${url}/v1/entries`, token, draft(lemma))
    t.equal(made.status, 201, JSON.stringify(made.body))
    return call(`${url}/v1/entries/${made.body['id']}/publish`, token, {
      method: 'POST',
      headers: { 'if-match': made.headers.get('etag') ?? '' },
    })
  }
  const search = (url: string, q: string, after?: string | null) =>
    call(`${url}/v1/search?q=${q}`, undefined, after ? { headers: { 'sync-token': after } } : {})

  const socket = new WebSocket(`${first.url.replace('http', 'ws')}/v1/live`, 'lexichron.v1')
  const heard: string[] = []
  socket.on('message', data => heard.push(String(data)))
  await new Promise(resolve => socket.once('open', resolve))
  socket.send(JSON.stringify({ op: 'subscribe', id: 'a', channel: 'entries' }))
  await until('the subscription', async () => heard.find(each => each.includes('subscribed')))
  const published = await publish(first.url, 'weevil')
  t.equal(published.status, 200)
  await until('the event', async () => heard.find(each => each.includes('EntryPublished')))
  socket.close()
  t.match(await search(first.url, 'weevil', published.headers.get('sync-token')), {
    status: 200,
    body: { items: [{ entry: { lemma: 'weevil' } }] },
  })
  const events = await call(`${first.url}/v1/events?category=entry`, token)
  const [event] = events.body['items'] as { id: string; type: string }[]
  t.equal((await call(`${first.url}/v1/events/${event?.id}`, token)).body['type'], event?.type, 'found by its id')
  await first.close()

  const second = await openTestApp(t, env)
  t.match(await search(second.url, 'weevil'), { body: { items: [{ entry: { lemma: 'weevil' } }] } }, 'after a restart')
  const writer = await second.token('admin', 'again')
  await server.stop()
  const refused = await call(`${second.url}/v1/entries`, writer, draft('lost'))
  t.equal(refused.status, 503, JSON.stringify(refused.body))
  t.ok(refused.headers.has('retry-after'))
  t.equal((await search(second.url, 'weevil')).status, 200, 'queries go on')
  const health = await inTime(second, 'health to see it', async () => {
    const { status } = await call(`${second.url}/health/ready`)
    return status === 503 ? status : undefined
  })
  t.equal(health, 503)
  await server.start()
  const made = await inTime(second, 'commands to go on', async () => {
    const answer = await call(`${second.url}/v1/entries`, writer, draft('back'))
    return answer.status === 201 ? answer : undefined
  })
  t.equal(server.log.all.filter(each => each.type === 'EntryDrafted').length, 2, 'nothing was half-written')
  await inTime(second, 'read models to follow', async () => {
    const { status } = await call(`${second.url}/v1/entries/${made.body['id']}`, writer)
    return status === 200 ? true : undefined
  })
  const config = loadConfig(environmentFor(env.LEXICHRON_DATA_DIR, env), env.LEXICHRON_DATA_DIR)
  const findings = await diagnose(() => config)
  t.match(
    findings.filter(each => each.check === 'event store'),
    [
      { state: 'ok', detail: /EventStoreDB 23\.10\.6/ },
      { state: 'ok', detail: /position/ },
    ],
  )
  await second.close()
})

t.test('a start that cannot be: one line, the setting, no login, exit code 75; or it waits', async t => {
  const folder = t.testdir()
  const env = { LEXICHRON_EVENT_STORE: 'esdb://ops:hush@127.0.0.1:1?tls=false', LEXICHRON_KEYS_SHARED: 'true' }
  const { code, err } = await lexichron(folder, ['serve'], env)
  t.equal(code, 75)
  t.match(err, /LEXICHRON_EVENT_STORE: EventStoreDB at esdb:\/\/127\.0\.0\.1:1 cannot be reached/)
  t.notMatch(err, /hush/)
  const unshared = await lexichron(folder, ['serve'], { LEXICHRON_EVENT_STORE: env.LEXICHRON_EVENT_STORE })
  t.match(unshared.err, /LEXICHRON_KEYS_SHARED=true/)
  t.equal(unshared.code, 2)
  const doctor = await lexichron(folder, ['doctor'], env)
  t.match(
    doctor.out,
    /FAILED\s+event store\s+LEXICHRON_EVENT_STORE: EventStoreDB at esdb:\/\/127\.0\.0\.1:1 cannot be reached/,
  )
  t.notMatch(doctor.out, /hush/)

  const server = await openEventStoreDouble()
  t.teardown(() => server.close())
  server.faults.order('features', { kind: 'overloaded' }, 1)
  const service = await startService(t, join(folder, 'waiting'), { ...env, LEXICHRON_EVENT_STORE: server.url() }, [
    '--wait',
  ])
  t.match(service.output.err, /waits: LEXICHRON_EVENT_STORE: .* has more to do than it takes/)
  t.equal((await fetch(`${service.url}/health/live`)).status, 200)
  t.equal(await service.stop(), 0)
})
