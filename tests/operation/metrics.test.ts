import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openMetrics } from '../../src/adapters/metrics/metrics.ts'
import { openMetricsServer } from '../../src/adapters/metrics/server.ts'
import type { Snapshot } from '../../src/adapters/metrics/sources.ts'
import { areas } from '../../src/app/areas.ts'
import { type Closing, openCore, systemClock } from '../../src/app/core.ts'
import { openLivePart } from '../../src/app/health-live.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openTestApp } from '../support/app.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const seriesOf = (text: string, series: string): number | undefined => {
  const line = text.split('\n').find(each => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const root = new URL('../../', import.meta.url)
const page = (path: string): string => readFileSync(new URL(path, root), 'utf8')

t.test('a service tells what it does; alerts and documents speak of metrics that there are', async t => {
  const app = await openTestApp(t)
  const [editor, auditor] = [await app.token('editor'), await app.token('auditor')]
  const json = { authorization: `Bearer ${editor}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ language: 'en', lemma: 'metric', partOfSpeech: 'noun' })
  const drafted = await fetch(`${app.url}/v1/entries`, { method: 'POST', headers: json, body })
  t.equal(drafted.status, 201)
  for (let at = 0; at < 50; at += 1) await (await fetch(`${app.url}/made-up-${at}`)).text()
  for (const method of ['PROPFIND', 'PURGE'])
    await new Promise(resolve => request(`${app.url}/x`, { method }, answer => resolve(answer.resume())).end())
  const scrape = (token?: string) =>
    fetch(`${app.url}/metrics`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  t.equal((await scrape()).status, 401)
  t.equal((await scrape(editor)).status, 403)
  const answer = await scrape(auditor)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), 'text/plain; version=0.0.4')
  t.equal(answer.headers.get('cache-control'), 'private, no-store')
  const text = await until('the projections to follow', async () => {
    const now = await (await scrape(auditor)).text()
    const lag = seriesOf(now, 'lexichron_consumer_lag{kind="projection",name="search"}')
    return lag === 0 ? now : undefined
  })
  const requests = (labels: string) => seriesOf(text, `lexichron_http_request_duration_seconds_count{${labels}}`)
  t.equal(requests('method="POST",route="/v1/entries",status="2xx"'), 1)
  t.equal(requests('method="GET",route="unmatched",status="4xx"'), 50, 'made-up addresses are one series')
  t.notMatch(text, 'made-up')
  t.notMatch(text, 'PROPFIND', 'made-up methods are none')
  t.ok((seriesOf(text, 'lexichron_append_duration_seconds_count{outcome="written"}') ?? 0) >= 1)
  t.ok((seriesOf(text, 'lexichron_append_batch_appends_count') ?? 0) >= 1)
  t.equal(seriesOf(text, 'lexichron_append_queue'), 0)
  t.ok((seriesOf(text, 'lexichron_log_position') ?? 0) >= 3)
  t.equal(seriesOf(text, 'lexichron_consumer_state{kind="subscriber",name="redaction",state="following"}'), 1)
  t.equal(seriesOf(text, 'lexichron_consumer_parked{kind="projection",name="entries"}'), 0)
  t.ok((seriesOf(text, 'lexichron_file_bytes{file="events"}') ?? 0) > 0)
  t.ok((seriesOf(text, 'lexichron_disk_free_bytes') ?? 0) > 0)
  t.equal(seriesOf(text, 'lexichron_ready'), 1)
  t.equal(seriesOf(text, 'lexichron_health_state{part="eventStore",state="ok"}'), 1)
  t.match(text, /^nodejs_eventloop_lag_p99_seconds /m)
  t.match(text, /^process_resident_memory_bytes /m)

  const declared = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(each => each[1] ?? ''))
  const exists = (name: string): boolean =>
    declared.has(name) || declared.has(name.replace(/_(?:bucket|count|sum)$/, ''))
  const rules = page('ops/alerts/lexichron.yml')
  const used = [...rules.matchAll(/lexichron_[a-z_]+/g)].map(each => each[0])
  t.ok(used.length > 15)
  for (const name of used) t.ok(exists(name), `${name} of an alert is a metric`)
  const doc = page('docs/operation.md')
  for (const name of declared) if (name.startsWith('lexichron_')) t.match(doc, `\`${name}\``, `${name} is explained`)
  for (const [, name = ''] of doc.matchAll(/`(lexichron_[a-z_]+)`/g)) t.ok(exists(name), `${name} is a metric`)
  for (const [, name = ''] of rules.matchAll(/alert: (\S+)/g)) t.match(doc, `\`${name}\``, `${name} is explained`)
})

t.test('every figure of a snapshot has its series, of few values', async t => {
  let snapshot: Snapshot = {}
  const metrics = openMetrics({ version: '1', runtime: 'test', snapshot: async () => snapshot })
  const empty = await metrics.render()
  t.match(empty.body, 'lexichron_build_info')
  snapshot = {
    append: { waiting: 7, transactions: 2, events: 5, repeated: 1, conflicts: 2, failed: 3, restarts: 1 },
    consumers: [{ kind: 'projection', name: 'words', state: 'building', lag: 12, parked: 2, rate: 9, progress: 0.5 }],
    live: { connections: 4, messages: 100, drops: 3, position: 9n, replays: 6, replayed: 70 },
    nodes: { nodes: 2, connections: 9, listeners: 5 },
    liveBehindSeconds: 12,
    signingKeyLifeSeconds: 90,
    jobs: [{ name: 'sweep', done: 2, failed: 1, lastDone: 1_700_000_000 }],
    tokenAgeSeconds: 1.5,
    signingKeyAgeSeconds: 60,
    diskFreeBytes: 10,
    longStreams: 1,
    memory: [{ part: 'streams', bytes: 5, limit: 8, full: 3 }],
    known: { accounts: 2, sessions: 3, people: 1 },
    ready: false,
    position: 9,
    fileBytes: { events: 11 },
    logs: { stderr: { dropped: 5, failures: 6 } },
    health: { disk: 'degraded' },
  }
  metrics.cache('hit')
  metrics.cache('miss')
  metrics.cut()
  metrics.refused('connection')
  metrics.snapshot('kept')
  metrics.request('GET', '/x', 503, 12)
  metrics.batch(3)
  for (const again of [1, 2]) {
    const { body } = await metrics.render()
    for (const [series, value] of [
      ['lexichron_append_queue', 7],
      ['lexichron_append_failures_total', 3],
      ['lexichron_consumer_lag{kind="projection",name="words"}', 12],
      ['lexichron_consumer_state{kind="projection",name="words",state="building"}', 1],
      ['lexichron_consumer_state{kind="projection",name="words",state="following"}', 0],
      ['lexichron_projection_progress{name="words"}', 0.5],
      ['lexichron_live_connections', 4],
      ['lexichron_nodes', 2],
      ['lexichron_all_live_connections', 9],
      ['lexichron_all_live_listeners', 5],
      ['lexichron_live_messages_total', 100],
      ['lexichron_live_drops_total', 3],
      ['lexichron_live_replays_waiting', 6],
      ['lexichron_live_replay_events_total', 70],
      ['lexichron_live_behind_seconds', 12],
      ['lexichron_signing_key_life_seconds', 90],
      ['lexichron_housekeeping_runs_total{job="sweep",result="failed"}', 1],
      ['lexichron_log_lines_dropped_total{destination="stderr"}', 5],
      ['lexichron_health_state{part="disk",state="degraded"}', 1],
      ['lexichron_health_state{part="disk",state="ok"}', 0],
      ['lexichron_ready', 0],
      ['lexichron_cache_requests_total{result="hit"}', 1],
      ['lexichron_queries_cut_short_total', 1],
      ['lexichron_refused_total{what="connection"}', 1],
      ['lexichron_snapshots_total{result="kept"}', 1],
      ['lexichron_memory_bytes{part="streams"}', 5],
      ['lexichron_known{kind="sessions"}', 3],
      ['lexichron_known_bytes', 3_550],
      ['lexichron_memory_limit_bytes{part="streams"}', 8],
      ['lexichron_memory_full_total{part="streams"}', 3],
      ['lexichron_http_request_duration_seconds_count{method="GET",route="/x",status="5xx"}', 1],
    ] as const)
      t.equal(seriesOf(body, series), value, `${series}, scrape ${again}`)
  }
  snapshot = { consumers: [], health: {} }
  const gone = (await metrics.render()).body
  t.notMatch(gone, 'words', 'what is gone is not told of for ever')
  for (const name of ['disk_free_bytes', 'log_position', 'ready', 'append_queue', 'live_connections', 'file_bytes'])
    t.notMatch(gone, new RegExp(`^lexichron_${name}[ {]`, 'm'), `${name} is absent rather than 0 or what it was`)
})

t.test('the live feed is late when events wait for it, not when it is quiet', t => {
  let now = 0
  const feed = { connections: 2, messages: 0, drops: 0, position: 5n, replays: 3, replayed: 0 }
  const partOf = openLivePart({ clock: { monotonic: () => now } }, () => feed)
  t.match(partOf(5n), { behindMs: 0, part: { state: 'ok', lag: '0', detail: { connections: 2, replays: 3 } } })
  now = 60_000
  t.match(partOf(9n), { behindMs: 0, part: { state: 'ok', lag: '4' } }, 'it has just been written')
  now += 9_000
  feed.position = 9n
  t.match(partOf(12n), { behindMs: 0, part: { state: 'ok', lag: '3' } }, 'it goes on, though never at the head')
  now += 11_000
  t.match(partOf(20n), { behindMs: 11_000, part: { state: 'degraded', lag: '11' } })
  now += 1_000
  t.match(partOf(undefined), { behindMs: 12_000, part: { state: 'degraded' } }, 'the log is away: what was known of it')
  feed.position = 20n
  t.match(partOf(20n), { behindMs: 0, part: { state: 'ok', lag: '0' } })
  t.same(openLivePart({ clock: { monotonic: () => now } })(7n), {}, 'where there is none')
  t.end()
})

t.test('the port of their own answers /metrics and nothing else', async t => {
  let renders = 0
  let broken = false
  const told: unknown[] = []
  const render = async () => {
    renders += 1
    if (broken) throw new Error('secret')
    return { type: 'text/plain', body: 'x 1\n' }
  }
  const server = await openMetricsServer({
    metrics: { render },
    host: '127.0.0.1',
    port: 0,
    onError: e => told.push(e),
  })
  t.teardown(() => server.close())
  const at = `http://127.0.0.1:${server.port}`
  t.equal(await (await fetch(`${at}/metrics?x=1`)).text(), 'x 1\n')
  t.equal((await fetch(`${at}/metrics`, { method: 'HEAD' })).status, 200)
  t.equal((await fetch(`${at}/health`)).status, 404)
  const posted = await fetch(`${at}/metrics`, { method: 'POST', body: 'x' })
  t.same([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
  broken = true
  const failed = await fetch(`${at}/metrics`)
  t.equal(failed.status, 500)
  t.notMatch(await failed.text(), 'secret')
  t.equal(told.length, 1)
  t.equal(renders, 3)
  await t.rejects(
    openMetricsServer({ metrics: { render }, host: '127.0.0.1', port: server.port, onError: () => undefined }),
    { message: /LEXICHRON_METRICS_PORT \d+ on 127.0.0.1 is in use by another program/, code: 'EADDRINUSE' },
  )
})

t.test('a stream of more than 1,000 events is warned about; detail is for operators', async t => {
  const folder = temporaryFolder(t)
  const config = loadConfig(environmentFor(folder), folder)
  const opened: Closing[] = []
  const core = await openCore({ config, clock: systemClock, areas, opened })
  const events = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      id: `id-${from + at}`,
      type: 'ImportStarted',
      data: '{"format":"ndjson","source":"long"}',
      meta: JSON.stringify({
        actor: { kind: 'import', id: 'i' },
        at: '2026-01-01T00:00:00.000Z',
        schema: 1,
        causationId: 'c',
        commandId: 'c',
        correlationId: 'c',
        route: { visibility: 'owner' },
      }),
    }))
  await core.store.append('import-long', 'none', events(0, 1_000))
  t.same(await core.store.longStreams(20), [], '1,000 are not too many')
  await core.store.append('import-long', 999n, events(1_000, 2))
  t.same(await core.store.longStreams(20), [{ stream: 'import-long', revision: 1_001n }])
  for (const each of opened.toReversed()) await each.close()
  const { url, token } = await openTestApp(t, {}, { folder })
  const auditor = await token('auditor')
  const health = async (headers: Readonly<Record<string, string>>): Promise<unknown> =>
    (await fetch(`${url}/health`, { headers })).json()
  t.match(await health({ authorization: `Bearer ${auditor}` }), {
    state: 'degraded',
    parts: {
      streams: { state: 'degraded', detail: { above1000: [{ stream: 'import-long', events: 1_002 }] } },
      'subscriber redaction': { lag: String, ageMs: Number, detail: { state: String, parked: 0 } },
      'projection entries': { lag: String, ageMs: Number, detail: { state: String } },
      live: { state: 'ok', lag: String, detail: { connections: 0, behindMs: Number } },
    },
  })
  const shown = JSON.stringify(await health({}))
  t.match(shown, '"streams":{"state":"degraded"}')
  for (const inner of ['ageMs', 'detail', 'lag', 'import-long', 'consumers', 'figures']) t.notMatch(shown, inner)
})

const promtool = spawnSync('promtool', ['--version']).error ? 'there is no promtool: .ci/run installs it' : undefined
t.test('alerts are rules that Prometheus takes, and ring when they should', { skip: promtool ?? false }, async t => {
  const rules = fileURLToPath(new URL('../../ops/alerts/lexichron.yml', import.meta.url))
  const check = spawnSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' })
  t.match(check, { status: 0, stdout: /SUCCESS: 22 rules found/ })
  const rings = (alertname: string, at: string, exp: object[]) => ({ eval_time: at, alertname, exp_alerts: exp })
  const file = join(temporaryFolder(t), 'test.yml')
  const node = 'instance="a"'
  writeFileSync(
    file,
    JSON.stringify({
      rule_files: [rules],
      tests: [
        {
          interval: '1m',
          input_series: [
            { series: `lexichron_ready{${node}}`, values: '1 1 0x10' },
            { series: `lexichron_jobs{${node},state="parked"}`, values: '0 0 2x10' },
            { series: `lexichron_jobs_late_seconds{${node}}`, values: '0x12' },
            { series: 'up{job="lexichron-nodes"}', values: '1 1 0x10' },
            { series: `lexichron_live_behind_seconds{${node}}`, values: '0 0 11x10' },
            { series: `lexichron_signing_key_age_seconds{${node}}`, values: '50 60 70x10' },
            { series: `lexichron_signing_key_life_seconds{${node}}`, values: '65x12' },
          ],
          alert_rule_test: [
            rings('LexichronNotReady', '1m', []),
            rings('LexichronNotReady', '5m', [
              {
                exp_labels: { severity: 'page', instance: 'a' },
                exp_annotations: { summary: 'The node may not be sent requests.' },
              },
            ]),
            rings('LexichronDown', '1m', []),
            rings('LexichronDown', '4m', [
              {
                exp_labels: { severity: 'page', job: 'lexichron-nodes' },
                exp_annotations: { summary: 'The node does not answer the scrape.' },
              },
            ]),
            rings('LexichronUnknown', '10m', []),
            rings('LexichronLiveBehind', '1m', []),
            rings('LexichronLiveBehind', '4m', [
              {
                exp_labels: { severity: 'page', instance: 'a' },
                exp_annotations: { summary: 'Listeners wait for events that the node has not read.' },
              },
            ]),
            rings('LexichronSigningKeyOld', '1m', []),
            rings('LexichronSigningKeyOld', '4m', [
              {
                exp_labels: { severity: 'ticket', instance: 'a' },
                exp_annotations: { summary: 'The key that signs access tokens is due for rotation.' },
              },
            ]),
            rings('LexichronJobs', '3m', []),
            rings('LexichronJobs', '8m', [
              {
                exp_labels: { severity: 'ticket', instance: 'a', state: 'parked' },
                exp_annotations: { summary: 'Jobs, such as mails, are parked or late.' },
              },
            ]),
          ],
        },
        {
          interval: '1m',
          input_series: [{ series: 'something_else', values: '1x12' }],
          alert_rule_test: [
            rings('LexichronUnknown', '2m', []),
            rings('LexichronUnknown', '8m', [
              {
                exp_labels: { severity: 'page' },
                exp_annotations: { summary: 'No node tells whether it is ready.' },
              },
            ]),
          ],
        },
      ],
    }),
  )
  const tried = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
  t.equal(tried.status, 0, tried.stdout + tried.stderr)
})
