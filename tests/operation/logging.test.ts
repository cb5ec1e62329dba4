import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { openFiles } from '../../src/adapters/logging/destinations.ts'
import { errorLine, withoutSecretForms } from '../../src/adapters/logging/redact.ts'
import { openServiceLog } from '../../src/adapters/logging/service-log.ts'
import { traceIdOf } from '../../src/domain/trace.ts'
import { openTestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const read = (folder: string): string =>
  readdirSync(folder)
    .toSorted()
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('')

type Line = Readonly<Record<string, unknown>>
/** Whole ones: what is read while it is written may end anywhere. */
const linesOf = (text: string): Line[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(each => each !== '')
    .map(each => {
      const line: unknown = JSON.parse(each)
      return typeof line === 'object' && line !== null ? { ...line } : {}
    })

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl'
const secrets = ['hunter2', 'c2lnbmF0dXJl', 'someone@example.org', 'dGlja2V0', 'Zm9vYmFy', '203.0.113.7']

t.test('nothing secret or personal comes through the log, however it is handed over', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'log')
  const fd = openSync(file, 'w')
  const log = await openServiceLog({ level: 'trace', format: 'json', fd })
  const { logger } = log
  logger.info({ authorization: `Bearer ${jwt}`, headers: { cookie: 'a=hunter2' }, body: { text: 'hunter2' } }, 'one')
  logger.info({
    deep: { list: [{ password: 'hunter2', refreshToken: 'Zm9vYmFy', ok: 1 }] },
    email: 'someone@example.org',
  })
  logger.warn(`Authorization: Bearer ${jwt}; GET /x?ticket=dGlja2V0&q=1&access_token=Zm9vYmFy from someone@example.org`)
  logger.warn('__Host-session=Zm9vYmFy; mongodb://admin:hunter2@db/x; Basic Zm9vYmFyOmh1bnRlcjI= password=hunter2')
  logger.warn({ path: '/a/someone%40example.org/Bearer%20Zm9vYmFy', ip: '203.0.113.7', query: { q: 'hunter2' } })
  const inner = new Error(`bad token ${jwt}`)
  const outer = Object.assign(new Error('someone@example.org is unknown', { cause: inner }), { body: 'hunter2' })
  logger.error({ err: outer, req: 'r1' }, 'failed')
  logger.error({ a: { b: { c: { d: { e: { f: { g: 'hunter2' } } } } } } }, 'too deep')
  logger.error({ key: '-----BEGIN PRIVATE KEY-----\nZm9vYmFy\n-----END PRIVATE KEY-----' }, 'key')
  await log.close()
  closeSync(fd)
  const text = readFileSync(file, 'utf8')
  t.equal(linesOf(text).length, 8, 'every line is JSON')
  for (const secret of secrets) t.notMatch(text, secret)
  t.match(text, '"ok":1', 'what is no secret stays')
  t.match(text, '"msg":"failed"')
  t.match(errorLine(outer), { name: 'Error', cause: { name: 'Error' } })
  const said = new Error('bad login for me, who said aHVudGVyMg', { cause: new TypeError('aHVudGVyMg') })
  const line = errorLine(new Error('the server refuses us', { cause: Object.assign(said, { code: 'EAUTH' }) }))
  t.match(line, { cause: { name: 'Error', code: 'EAUTH', stack: /^\s+at /, cause: { name: 'TypeError' } } })
  t.notMatch(
    JSON.stringify(line),
    /aHVudGVyMg/,
    'what others said to a cause is theirs, and may be what they were told',
  )
  t.equal(withoutSecretForms('a word, 1=1 & two'), 'a word, 1=1 & two')
})

t.test('what clients send stays out, and request and trace are on each line about it, also of consumers', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, { LEXICHRON_LOG_TO: 'files', LEXICHRON_LOG_LEVEL: 'debug' }, { folder })
  const { url } = app
  const token = await app.token('admin', 'someone@example.org')
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const draft = (lemma: string, more: Readonly<Record<string, string>>) =>
    fetch(`${url}/v1/entries`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun' }),
    })
  const traced = await draft('hunter2', { traceparent: `00-${trace}-b7ad6b7169203331-01`, cookie: 'sid=Zm9vYmFy' })
  t.equal(traced.status, 201)
  const plain = await draft('plain', {})
  const plainId = plain.headers.get('x-request-id') ?? ''
  await fetch(`${url}/v1/entries/x?ticket=dGlja2V0&password=hunter2`, { headers: { authorization: `Bearer ${jwt}` } })
  await fetch(`${url}/nowhere/someone@example.org?q=hunter2`)
  await fetch(`${url}/${'a'.repeat(5_000)}`)
  const logs = join(folder, 'logs')
  const about = (id: string) => linesOf(read(logs)).filter(each => each['trace'] === id)
  const consumers = (id: string) => new Set(about(id).flatMap(each => each['consumer'] ?? []))
  await until('both read models to tell of both events', async () =>
    consumers(trace).size >= 2 && consumers(plainId.replaceAll('-', '')).size >= 2 ? true : undefined,
  )
  t.ok(about(trace).every(each => each['req'] === traced.headers.get('x-request-id')))
  t.ok(about(trace).some(each => each['msg'] === 'request' && each['status'] === 201))
  t.ok(about(plainId.replaceAll('-', '')).every(each => each['req'] === plainId))

  const lines = (msg: string) => linesOf(read(logs)).filter(each => each['msg'] === msg)
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/live`, 'lexichron.v1')
  await once(ws, 'open')
  ws.close(1000)
  const leaving = request(`${url}/v1/live/entries`).end()
  const [stream] = await once(leaving, 'response')
  t.equal(stream.statusCode, 200)
  leaving.destroy()
  const bare = connect(Number(new URL(url).port), '127.0.0.1', () => bare.write('nonsense\r\n\r\n'))
  bare.on('error', () => undefined).resume()
  await until('what is no answered request', async () => {
    const requests = lines('request')
    const told = [
      requests.some(each => each['status'] === 101 && each['path'] === '/v1/live'),
      lines('socket ended').some(each => each['code'] === 1000),
      requests.some(each => each['path'] === '/v1/live/:channel' && each['cut'] === true),
      lines('request refused').some(each => each['code'] === 'request-malformed'),
    ]
    return told.every(Boolean) ? true : undefined
  })
  const later = connect(Number(new URL(url).port), '127.0.0.1', () =>
    later.write('GET / HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/3.1\r\n\r\n'),
  )
  later.on('error', () => undefined).resume()
  await until(
    'a version that is not spoken',
    async () => lines('request').some(each => each['status'] === 505) || undefined,
  )
  t.same(lines('request failed'), [], 'what strangers ask for is no error of the service')
  await app.close()
  const text = read(logs)
  for (const secret of [...secrets, token.slice(-20), 'q=hunter', 'aaaaa'.repeat(60)]) t.notMatch(text, secret)
  t.ok(linesOf(text).every(each => each['msg'] !== 'request' || (each['req'] && each['trace'])))
  t.equal(statSync(join(logs, readdirSync(logs)[0] ?? '')).mode & 0o077, 0, 'others cannot read it')
})

t.test('which trace it is', async t => {
  const uuid = '3f0c7a52-6f0e-4c1e-9d0a-7b6f2b8f3a11'
  const trace = '0af7651916cd43dd8448eb211c80319c'
  t.equal(traceIdOf(uuid, `00-${trace}-b7ad6b7169203331-01`), trace)
  t.equal(traceIdOf(uuid), uuid.replaceAll('-', ''))
  t.equal(traceIdOf(uuid, `00-${'0'.repeat(32)}-b7ad6b7169203331-01`), uuid.replaceAll('-', ''), 'zeros are no trace')
  t.match(traceIdOf('what a client sent'), /^[0-9a-f]{32}$/)
  t.equal(traceIdOf('abc'), traceIdOf('abc'))
  t.not(traceIdOf('abc'), traceIdOf('abd'))
})

t.test('files roll by size and only so many are kept', async t => {
  const folder = temporaryFolder(t)
  const log = await openServiceLog({ level: 'info', to: 'files', dataDir: folder, fileMegabytes: 1, files: 3 })
  const filler = 'x'.repeat(1_000)
  const logs = join(folder, 'logs')
  // As much as fills a file, and less than may wait for a slow disk.
  for (let number = 2; number <= 6; number += 1) {
    for (let at = 0; at < 1_100; at += 1) log.logger.info(filler)
    await until(`file ${number}`, saw => {
      saw(readdirSync(logs))
      return readdirSync(logs).some(name => name.endsWith(`.${number}.log`))
    })
  }
  await log.close()
  await until('the oldest to be gone', saw => {
    saw(readdirSync(logs))
    return readdirSync(logs).length <= 3
  })
  t.ok(readdirSync(logs).every(name => /^lexichron\.\d{4}-\d\d-\d\d\.\d+\.log$/.test(name)))
  t.notOk(readdirSync(logs).some(name => name.endsWith('.1.log')))
  t.match(log.faults(), { files: { dropped: 0, failures: 0 } })
})

t.test('a new file each day, and files of days before are among those that are kept or removed', async t => {
  const folder = temporaryFolder(t)
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  const before = [20, 21, 22].map(day => `lexichron.2026-11-${day}.1.log`)
  for (const [at, name] of before.entries()) {
    writeFileSync(join(logs, name), '')
    utimesSync(join(logs, name), 1_700_000_000 + at, 1_700_000_000 + at)
  }
  // What looks at the calendar looks at the global one: three seconds before midnight of this machine, of which the first line needs a few milliseconds.
  const RealDate = globalThis.Date
  const shift = new RealDate(2026, 10, 23, 23, 59, 57).getTime() - RealDate.now()
  class Shifted extends RealDate {
    constructor(...parts: readonly unknown[]) {
      if (parts.length === 0) super(RealDate.now() + shift)
      else super(...(parts as [number, number]))
    }
    static override now(): number {
      return RealDate.now() + shift
    }
  }
  globalThis.Date = Shifted as typeof Date
  t.teardown(() => {
    globalThis.Date = RealDate
  })
  const log = await openServiceLog({ level: 'info', to: 'files', dataDir: folder, fileMegabytes: 1, files: 3 })
  log.logger.info('before midnight')
  await until('the file of the next day', async () => {
    log.logger.info('around midnight')
    return readdirSync(logs).includes('lexichron.2026-11-24.1.log') ? true : undefined
  })
  log.logger.info('after midnight')
  await log.close()
  await until('the oldest to be gone', saw => {
    saw(readdirSync(logs))
    return readdirSync(logs).length <= 3
  })
  t.strictSame(
    readdirSync(logs).toSorted().slice(-2),
    ['lexichron.2026-11-23.1.log', 'lexichron.2026-11-24.1.log'],
    'the latest stay',
  )
  t.match(readFileSync(join(logs, 'lexichron.2026-11-23.1.log'), 'utf8'), 'before midnight')
  t.match(readFileSync(join(logs, 'lexichron.2026-11-24.1.log'), 'utf8'), 'after midnight')
})

t.test('what was logged last is written, also where the log is closed while it changes files', async t => {
  const line = `${'x'.repeat(99)}\n`
  for (let round = 0; round < 60; round += 1) {
    const folder = temporaryFolder(t)
    const files = await openFiles({ folder, megabytes: 0.01, files: 20 })
    const lines = 40 + ((round * 7) % 150)
    for (let at = 0; at < lines; at += 1) {
      files.write(line)
      if (at % 7 === 0) files.flush()
      if (at % 11 === round % 11) await new Promise(resolve => setImmediate(resolve))
    }
    await files.close()
    if (read(folder).length !== lines * line.length) t.fail(`round ${round}: ${read(folder).length / 100} of ${lines}`)
    t.match(files.faults(), { dropped: 0, failures: 0 })
  }
})

t.test('a folder that cannot be written is told of, and taken up again by itself', async t => {
  const folder = temporaryFolder(t)
  const logs = join(folder, 'logs')
  writeFileSync(logs, 'in the way')
  const files = await openFiles({ folder: logs, megabytes: 1, files: 2, retryMs: 20 })
  files.write('lost\n')
  t.match(files.faults(), { dropped: 1, failures: Number, reason: String })
  rmSync(logs)
  mkdirSync(logs)
  await until('it to be taken up', async () => (files.faults().reason === undefined ? true : undefined))
  files.write('kept\n')
  await files.close()
  t.match(read(logs), 'kept')
})

t.test(
  'a full disk costs lines, never the service, and memory stays bounded',
  { skip: process.platform !== 'linux' },
  async t => {
    const fd = openSync('/dev/full', 'w')
    t.teardown(() => closeSync(fd))
    const log = await openServiceLog({ level: 'info', format: 'json', fd })
    const filler = 'x'.repeat(10_000)
    for (let at = 0; at < 1_000; at += 1) log.logger.info(filler)
    await until('the failure', async () => (log.faults()['stderr']?.reason === 'ENOSPC' ? true : undefined))
    t.ok((log.faults()['stderr']?.dropped ?? 0) > 100, 'of 10 MB no more than 4 wait')
    await log.close()
  },
)

t.test('lines for people', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'log')
  const fd = openSync(file, 'w')
  const log = await openServiceLog({ level: 'info', format: 'pretty', fd })
  log.logger.info({ req: 'r1' }, 'a request')
  await log.close()
  closeSync(fd)
  t.match(readFileSync(file, 'utf8'), /^\d\d:\d\d:\d\d a request/)
})
