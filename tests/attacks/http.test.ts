/**
 * Requests that a proxy in front may take for something else than we do, and faults that Node or a library would answer by
 * itself, byte for byte on the socket. Each gets an answer of ours: what RFC 9110 and 9112 ask for, as a problem document.
 */
import { readFileSync } from 'node:fs'
import { METHODS } from 'node:http'
import { connect, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import t from 'tap'
import { problemOfError } from '../../src/adapters/http/answering.ts'
import { clientAddress } from '../../src/adapters/http/client-address.ts'
import { closeInStages } from '../../src/adapters/http/staged-close.ts'
import { instantOf } from '../../src/adapters/http/times.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { ReadStoreError } from '../../src/ports/read-store.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { until } from '../support/until.ts'

const PUBLIC = 'https://words.example'
const app = await openTestApp(t, { LEXICHRON_PUBLIC_URL: PUBLIC })
const api = await openApi(app.url)
const { host: HOST, port } = new URL(app.url)

type Heard = {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  readonly code: unknown
}

const readHeard = (bytes: string): Heard => {
  const [head = '', ...rest] = bytes.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Map(
    lines.map(line => {
      const [name = '', ...value] = line.split(': ')
      return [name.toLowerCase(), value.join(': ')] as const
    }),
  )
  const body = rest.join('\r\n\r\n')
  const json = headers.get('content-type')?.includes('json') === true ? /\{.*\}/s.exec(body)?.[0] : undefined
  const { code }: { code?: unknown } = json === undefined ? {} : JSON.parse(json)
  return { status: Number(first.split(' ')[1]), headers, body, code }
}

/** Sends bytes as they are and reads what comes back until the server ends the connection. */
const answersTo = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes))
    let heard = ''
    socket.setEncoding('latin1').on('data', chunk => {
      heard += chunk
      // Whoever was let in stays: that is seen, and left.
      if (heard.startsWith('HTTP/1.1 101')) socket.destroy()
    })
    socket.on('close', () => resolve(heard)).on('error', reject)
  })
const wire = async (bytes: string): Promise<Heard> => readHeard(await answersTo(bytes))

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`
const to = (line: string, ...headers: readonly string[]): Promise<Heard> =>
  wire(lines(`${line} HTTP/1.1`, `Host: ${HOST}`, 'Connection: close', ...headers))

/** Every problem has the headers of every answer, and a code that the status belongs to. */
const isProblem = async (check: Tap, heard: Heard, status: number, code: string, what: string): Promise<void> => {
  check.strictSame([heard.status, heard.code], [status, code], what)
  check.match(heard.headers.get('content-type'), /^application\/problem\+json/, what)
  const standing = ['x-request-id', 'sync-token', 'cache-control', 'x-content-type-options', 'content-security-policy']
  for (const name of standing) check.ok(heard.headers.has(name), `${what}: ${name}`)
  check.match(heard.headers.get('connection'), /close/i, `${what}: the connection ends`)
  const page = await api('GET', `/problems/${code}`)
  check.equal(page.json['status'], status, `${what}: its page`)
}
type Tap = Pick<typeof t, 'strictSame' | 'match' | 'ok' | 'equal'>

t.test('who is gone before the request is read has no address, and passes by no block and no limit', async t => {
  const socket = new Socket()
  t.throws(() => clientAddress({ ip: undefined, socket }), { code: 'request-malformed' })
  t.equal(clientAddress({ ip: '192.0.2.1', socket }), '192.0.2.1')
})

t.test('Host is one, and a host', async t => {
  const targets = [
    'GET /v1/entries',
    'GET /nope',
    'OPTIONS /v1/entries',
    'GET /docs',
    'DELETE /v1/search',
    'GET /health',
  ]
  for (const target of targets) {
    const ask = (...hosts: readonly string[]) => wire(lines(`${target} HTTP/1.1`, ...hosts, 'Connection: close'))
    await isProblem(t, await ask('Host: a', 'Host: b'), 400, 'header-invalid', `${target}, two`)
    await isProblem(t, await ask('Host: a', 'host: a'), 400, 'header-invalid', `${target}, the same twice`)
    await isProblem(t, await ask(), 400, 'request-malformed', `${target}, none`)
    for (const host of ['a b', 'a/b', 'somebody@a', 'a:b', '[::1', 'a, b', 'a:65536', '[::1]:99999'])
      await isProblem(t, await ask(`Host: ${host}`), 400, 'header-invalid', `${target}, ${host}`)
  }
  for (const host of [
    'words.example',
    'words.example:8080',
    '[::1]:8080',
    'a:65535',
    'a:',
    '127.0.0.1',
    'w%C3%B6rter.example',
  ])
    t.equal((await wire(lines('GET /v1/roles HTTP/1.1', `Host: ${host}`, 'Connection: close'))).status, 200, host)
  t.equal((await wire(lines('GET /v1/roles HTTP/1.0'))).status, 200, 'HTTP/1.0 had none')
})

t.test('the four forms of a target', async t => {
  for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
    const heard = await to(`${method} *`)
    t.equal(heard.status, 400, method)
    if (method !== 'HEAD') await isProblem(t, heard, 400, 'request-malformed', `${method} *`)
  }
  const all = await to('OPTIONS *')
  t.strictSame([all.status, all.headers.get('allow')], [204, 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT'])
  const tunnel = await to('CONNECT evil.example:443')
  await isProblem(t, tunnel, 405, 'method-not-allowed', 'a tunnel')
  t.equal(tunnel.headers.get('allow'), 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT')
  const wrong = ['ftp://evil.example/v1/roles', 'http:///v1/roles', 'http://a@evil.example/', '/v1/roles#x', 'v1/roles']
  for (const target of [
    ...wrong,
    'http://evil.example:x/',
    'http://evil.example:99999/',
    'file:///etc/passwd',
    'evil.example:443',
  ])
    await isProblem(t, await to(`GET ${target}`), 400, 'request-malformed', target)
  for (const target of ['http://evil.example/v1/roles', 'HTTPS://evil.example:8443/v1/roles', '/v1/roles'])
    t.equal((await to(`GET ${target}`)).status, 200, target)
  const nothing = await to('DELETE http://evil.example/v1/search')
  t.strictSame([nothing.status, nothing.headers.get('allow')], [405, 'GET, HEAD, OPTIONS'])
  t.equal((await to('GET http://evil.example?x=y')).status, 400, 'the query of the first page')
  t.equal((await to('GET http://evil.example')).status, 200)
  t.equal((await to('GET //evil.example/v1/roles')).status, 404, 'a path, and none of ours')
})

t.test('no page leads to a host that the request named', async t => {
  const editor = await app.token('editor')
  const admin = await app.token('admin')
  for (const lemma of ['one', 'two']) {
    const body = { language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss: 'x' }] }
    const { json } = await api('POST', '/v1/entries', { as: editor, body })
    await api('POST', `/v1/entries/${json['id']}/publish`, { as: editor, headers: { 'if-match': '*' } })
  }
  await api('GET', '/v1/entries')
  const pages = ['/v1/entries', '/v1/search?q=one', '/v1/events', '/v1/accounts', '/v1/blocks', '/v1/analytics']
  for (const page of pages)
    for (const [target = '', host = ''] of [
      [page, 'evil.example'],
      [`http://evil.example${page}`, HOST],
      [`https://evil.example${page}`, 'evil.example'],
    ]) {
      const mark = page.includes('?') ? '&' : '?'
      const heard = await wire(
        lines(
          `GET ${target}${mark}limit=1 HTTP/1.1`,
          `Host: ${host}`,
          `Authorization: Bearer ${admin}`,
          'X-Forwarded-Host: evil.example',
          'Forwarded: host=evil.example;proto=http',
          'Connection: close',
        ),
      )
      t.equal(heard.status, 200, `${target}: ${heard.body.slice(0, 200)}`)
      const link = heard.headers.get('link') ?? ''
      t.ok(link.startsWith(`<${PUBLIC}${page.split('?')[0]}?`), link)
      t.notMatch([...heard.headers.values()].join('\n') + heard.body, 'evil.example', target)
    }
})

t.test('what is expected, and cannot be met', async t => {
  for (const target of ['POST /v1/entries', 'GET /v1/roles', 'GET /nope', 'OPTIONS *'])
    await isProblem(t, await to(target, 'Expect: tea'), 417, 'expectation-failed', target)
  const twice = await wire(lines('GET /v1/roles HTTP/1.1', 'Host: a', 'Host: b', 'Expect: tea'))
  t.strictSame([twice.status, twice.code], [400, 'header-invalid'])
  t.equal((await wire(lines('GET /v1/roles HTTP/1.0', 'Expect: tea'))).status, 200, 'HTTP/1.0 expects nothing')
})

t.test('an upgrade that fails says why', async t => {
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  const version = 'Sec-WebSocket-Version: 13'
  const protocol = 'Sec-WebSocket-Protocol: lexichron.v1'
  const upgrade = (target: string, ...headers: readonly string[]) =>
    wire(lines(`GET ${target} HTTP/1.1`, `Host: ${HOST}`, 'Connection: Upgrade', 'Upgrade: websocket', ...headers))
  for (const target of ['/v1/live', `http://${HOST}/v1/live`])
    t.equal((await upgrade(target, key, version, protocol)).status, 101, target)
  const faults: readonly (readonly [what: string, headers: readonly string[], status: number, code: string])[] = [
    ['no key', [version, protocol], 400, 'header-invalid'],
    ['a short key', ['Sec-WebSocket-Key: abc', version, protocol], 400, 'header-invalid'],
    ['two keys', [key, key, version, protocol], 400, 'header-invalid'],
    ['no version', [key, protocol], 426, 'upgrade-required'],
    ['an old version', [key, 'Sec-WebSocket-Version: 8', protocol], 426, 'upgrade-required'],
    ['a new version', [key, 'Sec-WebSocket-Version: 14', protocol], 426, 'upgrade-required'],
    ['no protocol', [key, version], 400, 'header-invalid'],
    ['another protocol', [key, version, 'Sec-WebSocket-Protocol: chat'], 400, 'header-invalid'],
    ['a protocol twice', [key, version, protocol, protocol], 400, 'header-invalid'],
    ['what is none', [key, version, `${protocol}, @`], 400, 'header-invalid'],
    ['a forged token', [key, version, protocol, 'Authorization: Bearer x'], 401, 'unauthenticated'],
    [
      'a page of elsewhere',
      [key, version, protocol, 'Cookie: a=b', 'Origin: https://evil.example'],
      403,
      'origin-refused',
    ],
    ['two hosts', [key, version, protocol, 'Host: b'], 400, 'header-invalid'],
  ]
  for (const [what, headers, status, code] of faults) {
    const heard = await upgrade('/v1/live', ...headers)
    await isProblem(t, heard, status, code, what)
    if (status !== 426) continue
    t.match(heard.headers.get('connection'), /upgrade/i)
    t.strictSame([heard.headers.get('upgrade'), heard.headers.get('sec-websocket-version')], ['websocket', '13'])
  }
  await isProblem(t, await upgrade('/v1/live?ticket=x', key, version, protocol), 401, 'ticket-invalid', 'a ticket')
  await isProblem(t, await upgrade('/v1/live?x=y', key, version, protocol), 400, 'validation', 'a parameter')
  await isProblem(t, await to('GET /v1/live'), 426, 'upgrade-required', 'no offer')
  const old = await wire(
    lines('GET /v1/live HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket', key, version, protocol),
  )
  t.equal(old.status, 426, 'HTTP/1.0 upgrades to nothing')
  await isProblem(t, await to('POST /v1/live', 'Upgrade: websocket', key, version), 405, 'method-not-allowed', 'a POST')
})

t.test('what is no request is refused as everything is', async t => {
  await isProblem(t, await wire('GARBAGE\r\n\r\n'), 400, 'request-malformed', 'no line of a request')
  const both = ['Transfer-Encoding: chunked', 'Content-Length: 3']
  await isProblem(
    t,
    await wire(`${lines('POST /v1/entries HTTP/1.1', `Host: ${HOST}`, ...both)}abc`),
    400,
    'request-malformed',
    'two lengths',
  )
  await isProblem(t, await to('GET /v1/roles', `X-Large: ${'x'.repeat(17_000)}`), 431, 'headers-too-large', 'a header')
  await isProblem(t, await to(`GET /v1/roles?${'x'.repeat(17_000)}`), 431, 'headers-too-large', 'an address')
  t.equal((await to('GET /v1/roles', `X-Large: ${'x'.repeat(15_000)}`)).status, 200)
})

t.test('limits are those that the problem and the document tell', async t => {
  const editor = await app.token('editor')
  const spaced = (length: number) => `{${' '.repeat(length - 2)}}`
  const send = (length: number) => api('POST', '/v1/entries', { as: editor, raw: spaced(length) })
  t.match(await send(1_048_576), { status: 400, code: 'validation' }, 'as long as a body may be')
  const long = await send(1_048_577)
  t.match(long, { status: 413, code: 'payload-too-large', json: { detail: 'A body is 1,048,576 bytes at most.' } })
  t.match(problemOfError(new EventStoreError('too-large', 'x')), {
    code: 'payload-too-large',
    message: /1,000,000 bytes/,
  })
  const page = readFileSync('docs/api.md', 'utf8')
  for (const limit of ['1,048,576', '16,384']) t.match(page, limit)
  for (const [path, operations] of Object.entries(api.document.paths))
    for (const [method, { responses }] of Object.entries(operations)) {
      const { examples = {} } = Object(responses['431']).content?.['application/problem+json'] ?? {}
      t.match(Object(examples)['headers-too-large']?.value.detail, /16,384/, `${method} ${path}`)
    }
})

t.test('a ticket says nothing of positions, as the document has it, and all else does', async t => {
  const as = await app.token('reader')
  const ticket = (sent: object) => api('POST', '/v1/live/tickets', { body: {}, ...sent })
  const answers = [await ticket({ as }), await ticket({}), await ticket({ as, body: { x: 1 } })]
  t.strictSame(
    answers.map(({ status, headers }) => [status, headers.get('sync-token'), headers.get('etag')]),
    [201, 401, 400].map(status => [status, null, null]),
  )
  t.equal((await api('POST', '/v1/live/tickets?dryRun=true', { as, body: {} })).status, 400)
  t.ok((await api('GET', '/v1/roles', { as })).headers.has('sync-token'))
  t.strictSame([...new Set(api.faults)], [], 'no answer of all these but as the document says')
})

const ask = async (path: string): Promise<unknown> => {
  const { status, json } = await api('GET', path)
  const [fault] = Array.isArray(json['errors']) ? json['errors'] : []
  return [status, fault?.pointer]
}

t.test('times that only Date takes for one', async t => {
  const wrong = ['2026-01-01T24:00:00Z', '2026-01-01T24:00:00.000Z', '2026-02-29T00:00:00Z', '2026-01-01T00:00:00']
  const also = ['2026-1-1T00:00:00Z', '2026-01-01 00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z', '0x1']
  const offsets = [
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+0100',
    '2026-01-01T00:00:00+01:60',
    '2026-01-01T00:60:00Z',
  ]
  for (const time of [...wrong, ...also, ...offsets, '2026-01-01T00:00:00,5Z', '2026-01-01']) {
    t.match(instantOf(time), /RFC 3339/, time)
    t.strictSame(await ask(`/v1/entries?updatedSince=${encodeURIComponent(time)}`), [400, '/updatedSince'], time)
  }
  for (const leap of ['2016-12-31T23:59:60Z', '2017-01-01T00:59:60.5+01:00'])
    t.match(instantOf(leap), /no leap seconds/, 'said in words of its own')
  const right: readonly (readonly [time: string, instant: string])[] = [
    ['2026-01-01T23:59:59.999Z', '2026-01-01T23:59:59.999Z'],
    ['2024-02-29t00:00:00z', '2024-02-29T00:00:00.000Z'],
    ['2026-01-01T00:00:00-00:00', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T00:00:00+23:59', '2025-12-31T00:01:00.000Z'],
    ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123Z'],
  ]
  for (const [time, instant] of right) {
    t.strictSame(instantOf(time), new Date(instant), time)
    t.strictSame(await ask(`/v1/entries?updatedSince=${encodeURIComponent(time)}`), [200, undefined], time)
  }
  const admin = await app.token('admin')
  const block = (expiresAt: string) =>
    api('POST', '/v1/blocks', { as: admin, body: { target: '203.0.113.7', reason: 'Floods.', expiresAt } })
  for (const time of ['2126-01-01T24:00:00Z', '2126-02-30T00:00:00Z', '2126-12-31T23:59:60Z'])
    t.match(await block(time), { status: 400, json: { errors: [{ pointer: '/expiresAt' }] } }, time)
  for (const at of ['/v1/events?from=', '/v1/events?to='])
    t.equal((await api('GET', `${at}2026-01-01T24:00:00Z`, { as: admin })).status, 400, at)
})

t.test(
  'a method or a version that nobody knows is told from what is no HTTP, and one that is known is not offered',
  async t => {
    const asked = (line: string) => wire(lines(line, `Host: ${HOST}`, 'Connection: close'))
    await isProblem(t, await asked('FOO /v1/entries HTTP/1.1'), 501, 'method-not-implemented', 'FOO')
    await isProblem(t, await asked('GET / HTTP/2.0'), 505, 'version-not-supported', 'HTTP/2.0')
    await isProblem(t, await asked('GET / HTTP/1.2'), 505, 'version-not-supported', 'HTTP/1.2')
    await isProblem(t, await asked('GET / HTTP/3.1'), 505, 'version-not-supported', 'HTTP/3.1')
    t.equal(problemOfError(new ReadStoreError('corrupt', 'x')).code, 'projection-building')
    await isProblem(t, await asked('nothing of it'), 400, 'request-malformed', 'no HTTP')
    await isProblem(t, await asked('FOO /v1/entries'), 400, 'request-malformed', 'no version')
    for (const method of METHODS.filter(each => !['GET', 'HEAD', 'POST', 'OPTIONS', 'CONNECT'].includes(each))) {
      const heard = await asked(`${method} /v1/entries HTTP/1.1`)
      await isProblem(t, heard, 405, 'method-not-allowed', method)
      t.match(heard.headers.get('allow'), /GET/, method)
    }
  },
)

t.test('who writes all of a body that is too large before reading hears so', async t => {
  const token = await app.token('contributor')
  const answer = await new Promise<Heard>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    let heard = ''
    let left = 64
    const write = (): void => {
      if (left === 0) {
        socket.setEncoding('latin1').on('data', chunk => {
          heard += chunk
        })
        return void socket.resume()
      }
      left -= 1
      socket.write(Buffer.alloc(65_536, 0x20), write)
    }
    socket.pause()
    socket.on('close', () => resolve(readHeard(heard))).on('error', reject)
    socket.setTimeout(20_000, () => reject(new Error(`left ${left}: ${heard}`)))
    const head = [
      'POST /v1/entries HTTP/1.1',
      `Host: ${HOST}`,
      'Content-Type: application/json',
      'Content-Length: 4194304',
    ]
    socket.write(lines(...head, `Authorization: Bearer ${token}`), write)
  })
  await isProblem(t, answer, 413, 'payload-too-large', 'after all was written')
})

t.test('a connection that is closed in stages ends after so many bytes, or so long', async t => {
  let socket: (Duplex & { bytesRead: number; destroySoon(): void }) | undefined
  const made = () => {
    const duplex = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
      allowHalfOpen: true,
    })
    return Object.assign(duplex, { bytesRead: 5, destroySoon: () => undefined })
  }
  socket = made()
  closeInStages(socket)
  socket.destroySoon()
  socket.push('more')
  t.match(socket, { writableEnded: true, destroyed: false }, 'half-closed')
  socket.bytesRead += 8 * 1024 * 1024 + 1
  socket.push('more')
  await until('the end', () => socket?.destroyed === true)
  const waits = made()
  closeInStages(waits)
  waits.destroySoon()
  waits.push(null)
  waits.resume()
  await until('the end of one that the client has ended', () => waits.destroyed)
})

t.test('the preface of HTTP/2 is a version that is not spoken here', async t => {
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  for (const bytes of [preface, `${preface}\0\0\0\x04\0\0\0\0\0`, lines('PRI * HTTP/2.0', `Host: ${HOST}`)])
    await isProblem(t, await wire(bytes), 505, 'version-not-supported', JSON.stringify(bytes))
  await isProblem(t, await to('PRI /v1/roles'), 501, 'method-not-implemented', 'as a method of HTTP/1.1')
  await isProblem(t, await wire('PRI\r\n\r\n'), 400, 'request-malformed', 'no version')
})

/** Writes a head and 64 KB at a time of a body, until that is whole or the connection ends; what came back, and how much was taken. */
const pour = (line: string, bytes: number, ...headers: readonly string[]): Promise<Heard & { sent: number }> =>
  new Promise((resolve, reject) => {
    const chunked = headers.includes('Transfer-Encoding: chunked')
    const piece = Buffer.alloc(65_536, 0x20)
    const part = chunked ? Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]) : piece
    let heard = ''
    let sent = 0
    const socket = connect(Number(port), '127.0.0.1')
    const write = (): void => {
      if (sent >= bytes || socket.destroyed) return
      sent += part.length
      socket.write(part, write)
    }
    socket.setEncoding('latin1').on('data', chunk => {
      heard += chunk
    })
    // One that has been sent away while it writes is reset in the end.
    socket.on('error', () => undefined).on('close', () => resolve({ ...readHeard(heard), sent }))
    socket.setTimeout(20_000, () => reject(new Error(`sent ${sent}: ${heard}`)))
    socket.write(lines(`${line} HTTP/1.1`, `Host: ${HOST}`, ...headers), write)
  })

t.test('a body that nobody will take is not read, and changes no answer', async t => {
  const json = 'Content-Type: application/json'
  const large = [json, 'Content-Length: 3145728']
  const chunked = [json, 'Transfer-Encoding: chunked']
  const cases: readonly (readonly [line: string, status: number, code: string])[] = [
    ['POST /nope', 404, 'not-found'],
    ['GET /nope', 404, 'not-found'],
    ['PUT /v1/entries', 405, 'method-not-allowed'],
    ['QUERY /v1/entries', 405, 'method-not-allowed'],
    ['POST /v1/entries', 401, 'unauthenticated'],
    ['POST /v1/entries/%zz', 400, 'request-malformed'],
    [`POST /v1/accounts/${'x'.repeat(300)}/suspend`, 404, 'not-found'],
  ]
  for (const [line, status, code] of cases)
    for (const headers of [large, chunked, ['Content-Type: text/plain', 'Content-Length: 3145728']]) {
      // Of the chunked one there is no end: the server makes one.
      const endless = headers === chunked
      const heard = await pour(line, endless ? 64 * 1024 * 1024 : 3_145_728, ...headers)
      await isProblem(t, heard, status, code, `${line}, ${headers.join(', ')}`)
      if (endless) t.ok(heard.sent < 32 * 1024 * 1024, `${line}: ended after ${heard.sent}`)
    }
  for (const line of ['GET /v1/roles', 'OPTIONS /v1/entries']) {
    const heard = await pour(line, 64 * 1024 * 1024, 'Content-Length: 67108864')
    t.match(heard.headers.get('connection'), /close/i, line)
    t.ok(heard.status === 200 || heard.status === 204, line)
    t.ok(heard.sent < 32 * 1024 * 1024, `${line}: ended after ${heard.sent}`)
  }
})

t.test('a connection stays after a small body that nobody took', async t => {
  const small = `Host: ${HOST}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n`
  const heard = await answersTo(
    `PUT /v1/entries HTTP/1.1\r\n${small}\r\n{}POST /nope HTTP/1.1\r\n${small}Connection: close\r\n\r\n{}`,
  )
  t.strictSame(heard.match(/(?<=HTTP\/1\.1 )[0-9]{3}/g), ['405', '404'])
})

const entryBy = (token: string, ...more: readonly string[]): string =>
  lines(
    'POST /v1/entries HTTP/1.1',
    `Host: ${HOST}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    ...more,
  )
/** Each answer in turn: status and code of a problem. */
const eachOf = (heard: string): readonly (readonly [string, unknown])[] =>
  heard
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .map(one => readHeard(one))
    .map(({ status, code }) => [String(status), code])

t.test('what was asked before a broken request is answered first', async t => {
  const ask = `GET /v1/roles HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`
  const token = await app.token('contributor')
  const body = '{"language":"en","lemma":"pipelined","partOfSpeech":"noun","senses":[{"gloss":"g"}]}'
  const write = entryBy(token, `Content-Length: ${body.length}`) + body
  const broken: readonly (readonly [bytes: string, status: string, code: string])[] = [
    ['nonsense\r\n\r\n', '400', 'request-malformed'],
    ['FOO / HTTP/1.1\r\n\r\n', '501', 'method-not-implemented'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505', 'version-not-supported'],
    [`${entryBy(token, 'Transfer-Encoding: chunked')}no length\r\n`, '400', 'request-malformed'],
  ]
  for (const [bytes, status, code] of broken) {
    t.strictSame(
      eachOf(await answersTo(ask + bytes)),
      [
        ['200', undefined],
        [status, code],
      ],
      bytes,
    )
    const [first, ...rest] = eachOf(await answersTo(write + ask + bytes + ask))
    t.ok(first?.[0] === '201' || first?.[1] === 'entry-exists', `${bytes}: the write is answered, by ${first}`)
    t.strictSame(
      rest,
      [
        ['200', undefined],
        [status, code],
      ],
      bytes,
    )
  }
})

t.test('nobody is told to send a body that will not be read', async t => {
  const asks = 'Expect: 100-continue'
  const json = 'Content-Type: application/json'
  const token = await app.token('contributor')
  const as = `Authorization: Bearer ${token}`
  for (const [line, status, code, ...headers] of [
    ['POST /nope', 404, 'not-found', json, 'Content-Length: 9'],
    ['PUT /v1/entries', 405, 'method-not-allowed', json, 'Content-Length: 9'],
    ['POST /v1/entries', 401, 'unauthenticated', json, 'Content-Length: 9'],
    ['POST /v1/entries', 415, 'unsupported-media-type', as, 'Content-Type: text/plain', 'Content-Length: 9'],
    ['POST /v1/entries', 413, 'payload-too-large', as, json, 'Content-Length: 1048577'],
    ['POST /v1/entries%zz', 400, 'request-malformed', as, json, 'Content-Length: 9'],
  ] as const)
    await isProblem(t, await wire(lines(`${line} HTTP/1.1`, `Host: ${HOST}`, asks, ...headers)), status, code, line)

  const body = '{"language":"en","lemma":"asked","partOfSpeech":"noun","senses":[{"gloss":"g"}]}'
  const heard = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
      if (text === 'HTTP/1.1 100 Continue\r\n\r\n')
        socket.write(`${body}GET /v1/roles HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    })
    socket.on('close', () => resolve(text)).on('error', reject)
    socket.write(entryBy(token, asks, `Content-Length: ${body.length}`))
  })
  t.strictSame(
    eachOf(heard).map(([status]) => status),
    ['100', '201', '200'],
    'the connection stays',
  )
})
