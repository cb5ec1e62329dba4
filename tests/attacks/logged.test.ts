/**
 * A word that nobody else writes is sent by every door there is. It stands nowhere in the log, on no terminal and in no label of
 * the metrics: who reads those may not read what people wrote.
 */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { MongoServerError } from 'mongodb'
import t from 'tap'
import { WebSocket } from 'ws'
import { readableLine } from '../../src/adapters/logging/readable.ts'
import { errorLine } from '../../src/adapters/logging/redact.ts'
import { openServiceLog } from '../../src/adapters/logging/service-log.ts'
import { reasonOf } from '../../src/adapters/mongodb/client.ts'
import { consumerTrace } from '../../src/app/logging.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { describeFailure, OwnError, wordsOf } from '../../src/domain/own-error.ts'
import { isRequestId } from '../../src/domain/trace.ts'
import { openTestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'

const WORD = 'Zwrqxlbnarv'
const ANY = new RegExp(WORD, 'i')
const ID = '501a48e3-b4ec-5dec-be9f-e904d6447fe3'

/** Sends bytes as they are until the server ends the connection; what it said. */
const wire = (port: string, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('latin1').on('data', chunk => {
      heard += chunk
    })
    socket.on('close', () => resolve(heard)).on('error', reject)
  })

const paths = [
  `/${WORD}`,
  `/${WORD}/${WORD}?${WORD}`,
  `/%${WORD}`,
  `/v1/${WORD}`,
  `/v1/entries/${WORD}`,
  `/v1/entries/${ID}/${WORD}`,
  `/v1/entries/${WORD}/history`,
  `/v1/entries/${WORD.repeat(40)}`,
  `/v1/entries?${WORD}=${WORD}`,
  `/v1/search?q=${WORD}`,
  `/v1/live/${WORD}`,
  `/v1/live?ticket=${WORD}`,
  `/v1/oauth/${WORD}/start`,
  `/v1/oauth/${WORD}/callback?error=${WORD}&state=${WORD}`,
  `/v1/streams/${WORD}`,
  `/v1/streams/${WORD.toLowerCase()}-${ID}`,
  `/v1/receipts/${WORD}`,
  `/v1/profiles/${WORD}`,
  `/v1/accounts/${ID}/roles/${WORD}`,
  `/v1/mail/unsubscribe?token=${WORD}`,
  `/problems/${WORD}`,
  `/docs/${WORD}`,
  `//${WORD}/v1/roles`,
  `http://${WORD}/v1/roles`,
  `http://${WORD}@x/v1/roles`,
  `/v1/roles#${WORD}`,
  WORD,
]
const headers = [
  'X-Request-Id: word Zwrqxlbnarv',
  `X-Request-Id: ${WORD}/`,
  `X-Request-Id: ${WORD}${'x'.repeat(64)}`,
  `X-Request-Id: a\r\nX-Request-Id: ${WORD}`,
  `User-Agent: ${WORD}`,
  `Referer: https://${WORD}.example/${WORD}`,
  `Origin: https://${WORD}.example`,
  `Cookie: __Host-session=${WORD}`,
  `Authorization: Bearer ${WORD}`,
  `Authorization: ${WORD} ${WORD}`,
  `Traceparent: 00-${WORD}-${WORD}-01`,
  `Tracestate: ${WORD}=1`,
  `Baggage: ${WORD}=1`,
  `Forwarded: for=${WORD}`,
  `X-Forwarded-For: ${WORD}`,
  `X-Forwarded-Host: ${WORD}`,
  `Sync-Token: ${WORD}`,
  `If-None-Match: "${WORD}"`,
  `If-Match: "${WORD}"`,
  `Idempotency-Key: ${WORD}`,
  `Last-Event-ID: ${WORD}`,
  `Accept: ${WORD}/${WORD}`,
  `Accept-Encoding: ${WORD}`,
  `Content-Type: ${WORD}/json`,
  `Content-Encoding: ${WORD}`,
  `Expect: ${WORD}`,
  `Upgrade: ${WORD}`,
  `${WORD}: ${WORD}`,
  `Host: ${WORD}`,
  `${WORD} ${WORD}`,
  `Content-Length: ${WORD}`,
  `Transfer-Encoding: ${WORD}`,
  `X-Large: ${WORD.repeat(2_000)}`,
]
/** What never becomes a request, or asks for what is not done here. */
const bare = [
  `${WORD}\r\n\r\n`,
  `${WORD} /${WORD} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET /${WORD} HTTP/9.9\r\nHost: a\r\n\r\n`,
  `GET /${WORD} ${WORD}/1.1\r\n\r\n`,
  `CONNECT ${WORD}:443 HTTP/1.1\r\nHost: ${WORD}\r\n\r\n`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${WORD}`,
  `POST /v1/entries HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${WORD}\r\n`,
]
const upgrades = [
  [`/v1/live?${WORD}=1`, 'lexichron.v1'],
  [`/v1/live?ticket=${WORD}`, 'lexichron.v1'],
  [`/${WORD}`, 'lexichron.v1'],
  ['/v1/live', WORD],
] as const
const messages = [
  WORD,
  `{"${WORD}`,
  JSON.stringify({ [WORD]: WORD }),
  JSON.stringify({ type: WORD, id: WORD }),
  JSON.stringify({ type: 'subscribe', id: WORD, channel: WORD }),
  JSON.stringify({ type: 'subscribe', id: WORD, channel: 'entries', after: WORD }),
  JSON.stringify({ type: 'subscribe', id: WORD, channel: 'entries', filter: { [WORD]: WORD, category: WORD } }),
]
const bodies = [
  WORD,
  `{"${WORD}`,
  JSON.stringify({ [WORD]: WORD }),
  JSON.stringify({ language: WORD, lemma: WORD, partOfSpeech: WORD }),
  JSON.stringify({ language: 'en', lemma: WORD, partOfSpeech: 'noun', senses: [{ gloss: WORD }] }),
  JSON.stringify({ email: `${WORD}@example.org`, password: `${WORD}${WORD}` }),
]

/** A WebSocket that sends all of this and takes its leave with the word. */
const talk = (url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(url, 'lexichron.v1')
    let answers = 0
    ws.on('open', () => {
      for (const message of messages) ws.send(message)
    })
    ws.on('message', () => {
      answers += 1
      if (answers === messages.length) ws.close(4000, WORD)
    })
    ws.on('close', () => resolve()).on('error', reject)
  })

t.test('a rare word by every door', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, { LEXICHRON_LOG_TO: 'files', LEXICHRON_LOG_LEVEL: 'debug' }, { folder })
  const { port, host } = new URL(app.url)
  const editor = await app.token('editor')
  const ask = (line: string, ...more: readonly string[]) => {
    const named = more.some(each => each.startsWith('Host:')) ? [] : [`Host: ${host}`]
    return wire(port, `${[`${line} HTTP/1.1`, ...named, 'Connection: close', ...more].join('\r\n')}\r\n\r\n`)
  }
  for (const path of paths)
    for (const method of ['GET', 'PUT', 'OPTIONS']) t.match(await ask(`${method} ${path}`), /^HTTP\/1\.1 \d/, path)
  for (const header of headers)
    for (const line of ['GET /v1/roles', 'POST /v1/entries', 'GET /nope'])
      t.match(await ask(line, header), /^HTTP\/1\.1 \d/, header.slice(0, 80))
  for (const bytes of bare) t.match(await wire(port, bytes), /^HTTP\/1\.1 [45]/, bytes)
  for (const [path, protocol] of upgrades) {
    const asked = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
    const first = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, close`
    const head = [first, ...asked, `Sec-WebSocket-Protocol: ${protocol}`].join('\r\n')
    t.match(await wire(port, `${head}\r\n\r\n`), /^HTTP\/1\.1 4/, path)
  }
  const statuses = new Set<number>()
  for (const body of bodies)
    for (const path of ['/v1/entries', '/v1/accounts', '/v1/sessions', '/v1/live/tickets', `/${WORD}`]) {
      const sent = { 'content-type': 'application/json', authorization: `Bearer ${editor}` }
      const { status } = await fetch(`${app.url}${path}`, { method: 'POST', headers: sent, body })
      statuses.add(status)
    }
  t.ok(statuses.has(201), 'an entry is drafted of it')
  await talk(`${app.url.replace('http', 'ws')}/v1/live`)
  const metrics = await fetch(`${app.url}/metrics`, {
    headers: { authorization: `Bearer ${await app.token('admin')}` },
  })
  const scraped = await metrics.text()
  t.match(scraped, 'lexichron_http_request_duration_seconds')
  t.notMatch(scraped, ANY)
  await app.close()

  const logs = join(folder, 'logs')
  const text = readdirSync(logs)
    .map(name => readFileSync(join(logs, name), 'utf8'))
    .join('')
  const lines = text.split('\n').filter(each => each !== '')
  t.strictSame(
    lines.filter(each => ANY.test(each)),
    [],
    'the log',
  )
  t.notMatch(lines.map(readableLine).join(''), ANY, 'the terminal')
  for (const known of [
    '"path":"/v1/entries/:id"',
    `"path":"/v1/accounts/${ID}/roles/:role"`,
    '"path":"/v1/live/:channel"',
    `"path":"unmatched","length":${WORD.length + 1},"depth":1`,
    '"msg":"request refused"',
    '"msg":"event taken"',
    '"code":4000',
  ])
    t.ok(
      lines.some(each => each.includes(known)),
      known,
    )
})

t.test('ids of requests in older events, and what parsers quote', async t => {
  const file = join(temporaryFolder(t), 'log')
  const fd = openSync(file, 'w')
  const log = await openServiceLog({ level: 'debug', format: 'json', fd })
  const eventOf = (correlationId: string): Recorded => ({
    id: ID,
    stream: `entry-${ID}`,
    type: 'EntryDrafted',
    position: 1n,
    revision: 0n,
    recordedAt: '2026-01-01T00:00:00.000Z',
    data: {},
    meta: {
      at: '2026-01-01T00:00:00.000Z',
      actor: { kind: 'service', id: 'x' },
      commandId: ID,
      causationId: ID,
      correlationId,
      schema: 1,
      route: { visibility: 'public' },
    },
  })
  const line = (correlationId: string): void => consumerTrace(log.logger).taken?.('entries', [eventOf(correlationId)])
  line(`the/${WORD}`)
  line('chosen-1')
  const failing = (() => {
    try {
      return Object.defineProperty(Object.freeze({}), WORD, {})
    } catch (error) {
      return error
    }
  })()
  t.match(String(failing), ANY, 'it quotes')
  consumerTrace(log.logger).parked?.('entries', ID, eventOf('chosen-2'), failing)
  const quoted = (() => {
    try {
      return JSON.parse(`${WORD} and more`)
    } catch (error) {
      return error
    }
  })()
  t.match(String(quoted), ANY, 'it quotes')
  log.logger.error({ err: quoted }, 'not read')
  log.logger.error({ err: new Error('not read', { cause: quoted }) }, 'not read')
  t.match(errorLine(quoted), { name: 'SyntaxError', stack: /^\s+at / })
  // Of whatever kind it is, and whatever stands in its words, its name or its code: they are not ours.
  const smuggled = Object.assign(new RangeError(`a server said\n    at ${WORD} (src/${WORD}.ts:1:1)\n    at last`), {
    name: `the ${WORD}`,
    code: `E ${WORD}`,
  })
  const rewritten = Object.assign(new Error(`it was told ${WORD}`), { message: 'it was told something' })
  const emptied = Object.assign(new Error(`it was told\n    at ${WORD}`), { message: '' })
  for (const foreign of [smuggled, rewritten, emptied, WORD]) {
    log.logger.error({ err: foreign }, 'not read')
    log.logger.error({ err: new Error('not read', { cause: foreign }) }, 'not read')
    t.notMatch([wordsOf(foreign), describeFailure(foreign)].join(), ANY)
  }
  t.match(errorLine(new OwnError('the file is gone', { cause: smuggled })), {
    message: 'the file is gone',
    stack: /^\s+at /,
    cause: { name: 'Error', stack: /^\s+at / },
  })
  t.notMatch(errorLine(smuggled), { message: /./ })
  await log.close()
  closeSync(fd)
  const text = readFileSync(file, 'utf8')
  t.notMatch(text, ANY)
  t.match(text, '"req":"chosen-1"')
  t.equal(text.match(/"msg":"event taken"/g)?.length, 2)
  for (const id of ['a', 'A-1._:', 'x'.repeat(64), ID]) t.ok(isRequestId(id), id)
  for (const id of ['', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(65), '<a>', 'a@b']) t.notOk(isRequestId(id), id)
})

t.test('what MongoDB quotes of a key that is taken', async t => {
  const errmsg = `E11000 duplicate key error collection: a.b index: word dup key: { word: "${WORD}\n}" }`
  const said = reasonOf(new MongoServerError({ message: errmsg, errmsg, code: 11000, codeName: 'DuplicateKey' }))
  t.equal(said, 'DuplicateKey: E11000 duplicate key error collection: a.b index: word')
})
