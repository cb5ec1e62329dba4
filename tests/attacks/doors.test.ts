/**
 * Doors: every place where a text from outside chooses by name, tried with the names that plain objects inherit. Looked up
 * in an object, they find a function where there is nothing. One row a door: what comes in, and how it is refused.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import jwt from 'jsonwebtoken'
import t from 'tap'
import { WebSocket } from 'ws'
import { createTokenVerifier } from '../../src/adapters/http/access-tokens.ts'
import { openProblems } from '../../src/adapters/http/problems.ts'
import { languagesOf, licenceOf } from '../../src/adapters/import/dictd-about.ts'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { withoutSecrets } from '../../src/adapters/logging/redact.ts'
import { storedOf } from '../../src/adapters/readstore/mongodb/plan.ts'
import { areas } from '../../src/app/areas.ts'
import { channelsOf } from '../../src/app/declared.ts'
import { mails } from '../../src/app/mail.ts'
import { openApp } from '../../src/app/program.ts'
import { type EngineSetting, parseEngine } from '../../src/config/engines.ts'
import type { Environment } from '../../src/config/environment.ts'
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import { settings } from '../../src/config/settings.ts'
import { openLog } from '../../src/core/log/open.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { sameJson } from '../../src/domain/json.ts'
import { mergePatch } from '../../src/domain/merge-patch.ts'
import { isRole } from '../../src/domain/roles.ts'
import { foldingOf, stemmerOf, stopWordsOf } from '../../src/domain/text/languages.ts'
import { analyticsProjection } from '../../src/projections/analytics.ts'
import { openApi, type Sent } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { runLine } from '../support/command-line.ts'
import { countsOf, nounLine, openImportHouse, writeLines } from '../support/import.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'isPrototypeOf'] as const

const inherited = (): ReadonlyMap<PropertyKey, unknown> =>
  new Map(Reflect.ownKeys(Object.prototype).map(key => [key, Reflect.get(Object.prototype, key)]))
/** What every object inherits, before any door was tried. */
const untouched = inherited()

/** Nobody is there: what is asked of it is not sent on. */
const provider = {
  LEXICHRON_OPENID_PROVIDERS: 'example',
  LEXICHRON_OPENID_EXAMPLE_ISSUER: 'http://127.0.0.1:1',
  LEXICHRON_OPENID_EXAMPLE_CLIENT_ID: 'lexichron',
  LEXICHRON_OPENID_EXAMPLE_CLIENT_SECRET: 'a secret of the tests',
  LEXICHRON_PUBLIC_URL: 'https://words.example',
}
const app = await openTestApp(t, provider)
const api = await openApi(app.url)
const [contributor, editor, auditor] = [
  await app.token('contributor'),
  await app.token('editor'),
  await app.token('auditor'),
]
/** An account, as all routes take one. */
const signIn = async (): Promise<string> => {
  const email = 'boss@dictionary.example'
  const { password } = await app.account('admin', email)
  const { json } = await api('POST', '/v1/sessions', { body: { email, password } })
  return String(json['accessToken'])
}
const admin = await signIn()
const noun = { language: 'en', partOfSpeech: 'noun', senses: [{ gloss: 'What it means. '.repeat(200) }] }
const drafted = await api('POST', '/v1/entries', { as: editor, body: { ...noun, lemma: 'door' } })
const path = `/v1/entries/${String(drafted.json['id'])}`
const etag = drafted.headers.get('etag') ?? ''
await api('POST', `${path}/publish`, { as: editor, body: {}, headers: { 'if-match': etag } })
const entry = await api('GET', path, { as: editor })
const held = { 'if-match': entry.headers.get('etag') ?? '' }

/** The newest event about an entry or a token, and the entry: what no refusal may move. */
const state = async () => {
  const newest = async (category: string) =>
    (await api('GET', `/v1/events?category=${category}&order=desc&limit=1`, { as: admin })).json['items']
  const { json } = await api('GET', path, { as: editor })
  return { json, entries: await newest('entry'), tokens: await newest('token'), imports: await newest('import') }
}
const before = await state()

type Ask = readonly [method: string, path: string, sent?: Sent]
/** What is sent, and the refusal: `member` where the name is a member of the body, of which `__proto__` is none. */
type HttpDoor = readonly [door: string, ask: (name: string) => Ask, status: number, code?: string, member?: 'member']

const get = (at: string, headers: Readonly<Record<string, string>> = {}): Ask => ['GET', at, { as: auditor, headers }]
const post = (body: JsonObject): Ask => [
  'POST',
  '/v1/entries',
  { as: contributor, body: { ...noun, lemma: 'x', ...body } },
]
const patch = (body: JsonObject): Ask => [
  'PATCH',
  path,
  { as: editor, body, headers: { ...held, 'content-type': 'application/merge-patch+json' } },
]
const act = (action: string, body: JsonObject): Ask => [
  'POST',
  `${path}/${action}`,
  { as: editor, body, headers: held },
]
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const httpDoors: readonly HttpDoor[] = [
  ['an address', name => get(`/${name}`), 404, 'not-found'],
  ['an address of the interface', name => get(`/v1/${name}`), 404, 'not-found'],
  ['a part of the health', name => get(`/health/${name}`), 404, 'not-found'],
  ['a page', name => get(`/docs/${name}`), 404],
  ['a file of a page', name => get(`/docs/static/${name}`), 404],
  ['an entry', name => get(`/v1/entries/${name}`), 404, 'not-found'],
  ['a page of an entry', name => get(`${path}/${name}`), 404, 'not-found'],
  ['an action', name => act(name, {}), 404, 'not-found'],
  ['an event', name => get(`/v1/events/${name}`), 404, 'not-found'],
  ['a stream', name => get(`/v1/streams/${name}`), 404, 'not-found'],
  ['a stream of a category', name => get(`/v1/streams/entry-${name.replaceAll('_', '.')}`), 404, 'stream-not-found'],
  ['a problem', name => get(`/problems/${name}`), 404, 'not-found'],
  ['a channel', name => get(`/v1/live/${name}`), 404, 'not-found'],
  ['a filter of a channel', name => get(`/v1/live/entries?${name}=x`), 400, 'validation'],
  ['a value of a filter', name => get(`/v1/live/entries?type=${name}`), 400, 'validation'],
  ['Accept', name => get('/problems/busy', { accept: name }), 406, 'not-acceptable'],
  ['Accept of a stream', name => get('/v1/events', { accept: name }), 406, 'not-acceptable'],
  ['Accept-Encoding', name => get(path, { 'accept-encoding': name }), 200],
  ['Authorization', name => get(path, { authorization: name }), 401, 'unauthenticated'],
  ['the access token', name => ['GET', path, { as: name }], 401, 'unauthenticated'],
  ['its header', name => ['GET', path, { as: `${encoded({ alg: name, kid: name })}.e30.AA` }], 401, 'unauthenticated'],
  ['Sync-Token', name => get(path, { 'sync-token': name }), 400, 'sync-token-invalid'],
  ['Sync-Token of JSON', name => get(path, { 'sync-token': encoded([name]) }), 400, 'sync-token-invalid'],
  ['a cursor of JSON', name => get(`/v1/entries?cursor=${encoded({ [name]: name })}`), 400, 'cursor-invalid'],
  ['If-None-Match', name => get(path, { 'if-none-match': name }), 400, 'header-invalid'],
  ['If-None-Match with a tag', name => get(path, { 'if-none-match': `"${name}"` }), 200],
  ['If-Match', name => ['PATCH', path, { as: editor, body: {}, headers: { 'if-match': name } }], 400, 'header-invalid'],
  [
    'If-Match with a tag',
    name => ['PATCH', path, { as: editor, body: {}, headers: { 'if-match': `"${name}"` } }],
    412,
    'revision-stale',
  ],
  ['Content-Type', name => ['POST', '/v1/entries', { as: editor, raw: '{}', headers: { 'content-type': name } }], 415],
  [
    'Content-Encoding',
    name => ['POST', '/v1/entries', { as: editor, raw: '{}', headers: { 'content-encoding': name } }],
    415,
  ],
  ['a ticket', name => ['GET', `/v1/live?ticket=${name}`], 426, 'upgrade-required'],
  ['the name of a header', name => get(path, { [name]: name }), 200],
  ['headers that nobody reads', name => get(path, { 'x-request-id': name, traceparent: name, origin: name }), 200],

  ['a member of a draft', name => post({ [name]: {} }), 400, 'validation', 'member'],
  ['a member of a sense', name => post({ senses: [{ gloss: 'x', [name]: {} }] }), 400, 'validation', 'member'],
  ['labels', name => post({ senses: [{ gloss: 'x', labels: { [name]: ['x'] } }] }), 400, 'validation', 'member'],
  ['an object for a text', name => post({ lemma: { [name]: 1 } }), 400, 'validation', 'member'],
  ['an object for a list', name => post({ senses: { [name]: 1 } }), 400, 'validation', 'member'],
  ['a part of speech', name => post({ partOfSpeech: name }), 400, 'validation'],
  ['a relation', name => post({ senses: [{ gloss: 'x', relations: [{ kind: name, text: 'x' }] }] }), 400, 'validation'],
  ['the id of a sense', name => post({ senses: [{ gloss: 'x', id: name }] }), 422],
  ['a member of a patch', name => patch({ [name]: {} }), 400, 'validation', 'member'],
  ['null for one', name => patch({ [name]: null }), 400, 'validation', 'member'],
  ['a member below a fixed one', name => patch({ source: { [name]: {} } }), 400, 'validation', 'member'],
  ['a fixed member', name => patch({ status: name }), 422, 'read-only-member'],
  ['a member of the identity', name => patch({ language: name }), 422, 'identity-fixed'],
  ['a member of an action', name => act('retire', { reason: 'x', [name]: 1 }), 400, 'validation', 'member'],
  ['an object for a reason', name => act('retire', { reason: { [name]: 'x' } }), 400, 'validation', 'member'],
]

for (const [door, ask, status, code, member] of httpDoors)
  t.test(`by HTTP: ${door}`, async t => {
    for (const name of names) {
      const [method, at, sent] = ask(name)
      const answer = await api(method, at, sent)
      const isProto = member && name === '__proto__'
      t.equal(answer.status, isProto ? 400 : status, `${name}: ${answer.text.slice(0, 200)}`)
      if (code !== undefined) t.equal(answer.code, isProto ? 'json-invalid' : code, name)
    }
  })

/** Query parameters that take any text: nothing is found for these names. Every other one refuses them. */
const anyText = new Set(['q', 'category', 'label', 'source', 'seed', 'correlationId', 'tag', 'withoutTag'])
/** Here a category is one of a list. */
const closedCategories: ReadonlySet<string> = new Set(['/v1/events', '/v1/moderation/queue'])
/** Those that are answered for what they say, not for their form. */
const answers: ReadonlyMap<string, { readonly status: number; readonly code?: string }> = new Map([
  ['/v1/accounts role', { status: 422, code: 'role-unknown' }],
  ['/v1/accounts name', { status: 200 }],
  ['/v1/accounts email', { status: 422, code: 'email-invalid' }],
])
const malformed = { status: 400, code: 'validation' }
/** Where a provider sends browsers back to: parameters that nobody knows are passed over there (RFC 6749, 4.1.2). */
const CALLBACK = '/v1/oauth/{provider}/callback'
const notBegun = { status: 400, code: 'openid-flow-invalid' }

t.test('by HTTP: parameters of every address, their names and their values', async t => {
  const read = Object.entries(api.document.paths).filter(([at, { get: found }]) => found && at !== '/v1/live')
  t.ok(read.length > 15, 'the document has them all')
  for (const [template, { get: operation }] of read) {
    const parameters = operation?.parameters ?? []
    const at = parameters
      .filter(each => each.in === 'path')
      .reduce((address, { name, example }) => address.replace(`{${name}}`, String(example)), template)
    for (const name of names) {
      const unknown = await api('GET', `${at}?${name}=1`, { as: admin })
      t.match(unknown, template === CALLBACK ? notBegun : malformed, `${at}?${name}`)
      for (const { name: parameter } of parameters.filter(each => each.in === 'query')) {
        // A channel has no end; its own doors stand in the table.
        if (template === '/v1/live/{channel}') continue
        const isFree = anyText.has(parameter) && !(parameter === 'category' && closedCategories.has(template))
        const needed = parameter !== 'q' && parameters.some(each => each.name === 'q') ? '&q=x' : ''
        const answer = await api('GET', `${at}?${parameter}=${name}${needed}`, { as: admin })
        const what = `${at}?${parameter}=${name}: ${answer.status} ${answer.text.slice(0, 200)}`
        if (template === CALLBACK) t.match(answer, notBegun, what)
        else if (!isFree) t.match(answer, answers.get(`${template} ${parameter}`) ?? { status: 400 }, what)
        else if (template === '/v1/random' && parameter === 'seed') t.equal(answer.status, 200, what)
        else t.ok(answer.status === 404 || (answer.status === 200 && !answer.text.includes('"lemma"')), what)
      }
    }
  }
})

t.test('by HTTP: members of every body', async t => {
  const operations = Object.entries(api.document.paths).flatMap(([at, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody, parameters = [] }]) => {
      const of = parameters.filter(each => each.in === 'path')
      const filled = of.reduce((address, { name, example }) => address.replace(`{${name}}`, String(example)), at)
      return requestBody ? [{ at: filled, method }] : []
    }),
  )
  t.ok(operations.length > 9, 'the document has them all')
  for (const { at, method } of operations)
    for (const name of names) {
      const sent = { as: admin, body: { [name]: {} }, headers: held }
      const answer = await api(method.toUpperCase(), at, sent)
      const code = name === '__proto__' ? 'json-invalid' : 'validation'
      t.match(answer, { status: 400, code }, `${method} ${at} ${name}: ${answer.text.slice(0, 200)}`)
    }
})

type Message = Readonly<Record<string, unknown>>
const connect = async (query = '') => {
  const ws = new WebSocket(`${app.url.replace('http', 'ws')}/v1/live${query}`, 'lexichron.v1')
  const messages: Message[] = []
  let refused: number | undefined
  ws.on('message', data => messages.push(Object(JSON.parse(String(data)))))
  ws.on('unexpected-response', (_request, response) => {
    refused = response.statusCode
    ws.terminate()
  })
  ws.on('error', () => undefined)
  await until('an answer to the upgrade', () => ws.readyState !== ws.CONNECTING)
  return { ws, messages, refused: () => refused }
}

const subscribe = { op: 'subscribe', id: 'a', channel: 'entries' }
/** What is said on the feed, and the error: its code and, where several faults have the same, its words. */
const liveDoors: readonly (readonly [door: string, say: (name: string) => unknown, code: string, says?: RegExp])[] = [
  ['a message', name => name, 'message-malformed'],
  ['an op', name => ({ op: name }), 'op-unknown'],
  ['a member for the op', name => ({ [name]: 'subscribe' }), 'op-unknown'],
  ['an object for the op', name => ({ op: { [name]: 'subscribe' } }), 'op-unknown'],
  ['a member', name => ({ ...subscribe, [name]: {} }), 'message-invalid'],
  ['a channel', name => ({ ...subscribe, channel: name }), 'message-invalid'],
  ['an object for the id', name => ({ ...subscribe, id: { [name]: 'a' } }), 'message-invalid'],
  ['a filter', name => ({ ...subscribe, filter: { [name]: 'x' } }), 'filter-invalid', /entries has no member /],
  ['an object for one', name => ({ ...subscribe, filter: { [name]: {} } }), 'filter-invalid', /entries has no member /],
  ['an object for its value', name => ({ ...subscribe, filter: { type: { [name]: 'x' } } }), 'filter-invalid'],
  [
    'a type',
    name => ({ ...subscribe, filter: { type: name } }),
    'filter-invalid',
    /^type has to be one of EntryDrafted, /,
  ],
  ['a language', name => ({ ...subscribe, filter: { language: name } }), 'filter-invalid', /^language has to be /],
  ['the place to resume at', name => ({ ...subscribe, after: name }), 'after-invalid'],
  ['one of JSON', name => ({ ...subscribe, after: encoded({ [name]: name }) }), 'after-invalid'],
  ['a subscription to leave', name => ({ op: 'unsubscribe', id: name }), 'id-unknown'],
  ['a subscription to acknowledge', name => ({ op: 'ack', id: name, after: 'x' }), 'id-unknown'],
]

t.test('on the live feed', async t => {
  for (const name of names) {
    const { ws, messages } = await connect()
    for (const [door, say, code, detail = /./] of liveDoors) {
      const count = messages.length
      ws.send(JSON.stringify(say(name)))
      await until(`an answer to ${door}`, () => messages.length > count)
      t.match(messages.at(-1), { op: 'error', code, detail }, `${door}: ${name}`)
    }
    ws.send(JSON.stringify({ ...subscribe, id: name, filter: { language: 'zu' } }))
    await until('a subscription by that name', () => messages.some(each => each['op'] === 'caught-up'))
    ws.send(JSON.stringify({ op: 'unsubscribe', id: name }))
    await until('its end', () => messages.some(each => each['op'] === 'unsubscribed' && each['id'] === name))
    t.notOk(
      messages.some(each => each['op'] === 'event'),
      `nothing is told of it in Zulu: ${name}`,
    )
    ws.terminate()
    t.equal((await connect(`?ticket=${name}`)).refused(), 401, `a ticket: ${name}`)
    t.equal((await connect(`?ticket=${encoded([name, 1, name])}.${name}`)).refused(), 401, `a ticket of JSON: ${name}`)
  }
})

/** What is set, and what is said of it; undefined where any text will do. */
const settingDoors: readonly (readonly [door: string, set: (name: string) => Environment, says: RegExp | undefined])[] =
  [
    ['a setting of somebody else', name => ({ [name]: name, [`${name}_FILE`]: name }), undefined],
    [
      'a setting that there is not',
      name => ({ [`LEXICHRON_${name}`]: name }),
      /is no setting: the nearest one is LEXICHRON_\w+\.$/,
    ],
    ['LEXICHRON_LOG_LEVEL', name => ({ LEXICHRON_LOG_LEVEL: name }), /^LEXICHRON_LOG_LEVEL is .* it has to be /],
    ['LEXICHRON_LOG_FORMAT', name => ({ LEXICHRON_LOG_FORMAT: name }), /^LEXICHRON_LOG_FORMAT is .* it has to be /],
    ['LEXICHRON_LOG_TO', name => ({ LEXICHRON_LOG_TO: name }), /^LEXICHRON_LOG_TO is .* it has to be /],
    ['LEXICHRON_SAMPLE', name => ({ LEXICHRON_SAMPLE: name }), /^LEXICHRON_SAMPLE is .* it has to be /],
    ['a truth', name => ({ LEXICHRON_KEYS_SHARED: name }), /^LEXICHRON_KEYS_SHARED is .* it has to be /],
    ['a number', name => ({ PORT: name }), /^PORT is .* it has to be /],
    ['an address', name => ({ LEXICHRON_PUBLIC_URL: `${name}://x` }), /^LEXICHRON_PUBLIC_URL is .* it has to be /],
    ['a network', name => ({ LEXICHRON_TRUSTED_PROXIES: name }), /^LEXICHRON_TRUSTED_PROXIES is .* it has to be /],
    ['an origin', name => ({ LEXICHRON_ALLOWED_ORIGINS: name }), /^LEXICHRON_ALLOWED_ORIGINS is .* it has to be /],
    ['a master key', name => ({ LEXICHRON_MASTER_KEY: name }), /^LEXICHRON_MASTER_KEY is "\*\*\*": it has to be /],
    [
      'a file for a setting',
      name => ({ LEXICHRON_HOST_FILE: name }),
      /^LEXICHRON_HOST_FILE names .*, which cannot be read \(ENOENT\)/,
    ],
    ...(
      [
        'LEXICHRON_EVENT_STORE',
        'LEXICHRON_READ_STORE',
        'LEXICHRON_CACHE',
        'LEXICHRON_KEYS',
        'LEXICHRON_MAIL',
      ] as const satisfies readonly EngineSetting[]
    ).map(
      setting =>
        [
          `the engine of ${setting}`,
          (name: string) => ({ [setting]: `${name}://host/x` }),
          new RegExp(`^${setting} is .*: it names no engine that can stand there: use `),
        ] as const,
    ),
  ]

const cwd = '/srv/lexichron'
const faultsOf = (environment: Environment): readonly string[] => {
  try {
    loadConfig(environment, cwd)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

t.test('by settings', async t => {
  const usual = loadConfig({}, cwd)
  for (const name of names) {
    for (const [door, set, says] of settingDoors) {
      const faults = faultsOf(set(name))
      if (says) t.match(faults, [says], `${door}: ${name}`)
      else t.strictSame([faults, loadConfig(set(name), cwd)], [[], usual], `${door}: ${name}`)
    }
    for (const setting of Object.keys(settings)) {
      // A name there asks for settings of its own.
      const says =
        setting === 'LEXICHRON_OPENID_PROVIDERS'
          ? /^LEXICHRON_OPENID_\w+ (?:names|needs|is not set)/
          : new RegExp(`^${setting} is `)
      for (const fault of faultsOf({ [setting]: name })) t.match(fault, says)
    }
    t.match(parseEngine('LEXICHRON_EVENT_STORE', name, { dataDir: cwd, cwd }), { fault: /^names no engine/ })
    if (faultsOf({ NODE_ENV: name }).length === 0)
      t.equal(loadConfig({ NODE_ENV: name }, cwd).log.level, 'info', `an environment that is called ${name}`)
  }
  t.strictSame(faultsOf({ NODE_ENV: 'toString' }), [], 'any word names an environment')
})

/** Words of the command line, the exit code, and what is said. */
const commandDoors: readonly (readonly [door: string, line: (name: string) => readonly string[], number, RegExp])[] = [
  ['a command', name => [name], 2, /There is no command /],
  ['a command of a group', name => ['token', name], 2, /Which one\?/],
  ['one of the other group', name => ['keys', name], 2, /Which one\?/],
  ['an option', name => ['verify', `--${name}`], 2, /Unknown option/],
  ['an option with a value', name => ['verify', `--${name}=x`], 2, /Unknown option/],
  ['a format', name => ['import', name, 'x'], 2, /is unknown: use wordnet, dictd, ndjson/],
  ['a file to import', name => ['import', 'ndjson', name], 1, /is not a file/],
  ['a role', name => ['token', 'create', '--for', 'x', '--role', name], 2, /is unknown: use reader/],
  [
    'a life',
    name => ['token', 'create', '--for', 'x', '--role', 'reader', '--expires', name],
    2,
    /write a time such as/,
  ],
  ['a token', name => ['token', 'revoke', name], 1, /There is no such token/],
  ['a projection', name => ['rebuild', name], 2, /is unknown: use entries/],
  ['a subscriber', name => ['projections', 'retry', name], 2, /is unknown: use entries/],
  ['a language', name => ['export', '--language', name], 2, /is no BCP 47 tag of a registered/],
  [
    'a role of an account',
    name => ['account', 'create', '--email', 'a@b.example', '--role', name],
    2,
    /is unknown: use/,
  ],
  ['a mail', name => ['mail', 'preview', name], 2, /is unknown: use .*verify-email/],
  ['a language of a mail', name => ['mail', 'preview', 'token-issued', '--locale', `${name}_`], 2, /write a language/],
  ['a job', name => ['jobs', 'drop', name], 1, /no job .* waits or is parked/],
  ['a state of jobs', name => ['jobs', 'list', '--state', name], 2, /is unknown: use/],
]

t.test('by the command line', async t => {
  const folder = temporaryFolder(t)
  const opened = await openApp(loadConfig(environmentFor(folder), folder), { purpose: 'work', version: '0.0.0' })
  t.teardown(() => opened.close())
  const run = async (line: readonly string[]) => {
    const { code, out, err } = await runLine(folder, line, opened)
    return { code, said: out + err }
  }
  t.equal((await run(['rebuild'])).code, 0)
  for (const name of names) {
    for (const [door, line, code, says] of commandDoors)
      t.match(await run(line(name)), { code, said: says }, `${door}: ${name}`)
    const watch = { onProgress: () => undefined, signal: new AbortController().signal }
    await t.rejects(opened.rebuild(name, watch), /There is no projection /, name)
    await t.rejects(opened.retry(name), /There is no projection or subscriber /, name)
  }
  t.match(await run(['verify']), { code: 0, said: /^0 events read/m }, 'and nothing was written')
})

/** A line of NDJSON, and why it is none. */
const lineDoors: readonly (readonly [door: string, line: (name: string) => JsonObject, reason: RegExp])[] = [
  ['a member', name => ({ [name]: {} }), /^\/\S+: There is no such member /],
  [
    'a member of a sense',
    name => ({ senses: [{ gloss: 'x', [name]: {} }] }),
    /^\/senses\/0\/\S+: There is no such member /,
  ],
  [
    'labels',
    name => ({ senses: [{ gloss: 'x', labels: { [name]: ['x'] } }] }),
    /^\/senses\/0\/labels\/\S+: There is no such member /,
  ],
  ['an object for a lemma', name => ({ lemma: { [name]: 'x' } }), /^\/lemma: /],
  ['a part of speech', name => ({ partOfSpeech: name }), /^\/partOfSpeech: /],
  [
    'a relation',
    name => ({ senses: [{ gloss: 'x', relations: [{ kind: name, text: 'x' }] }] }),
    /^\/senses\/0\/relations\/0\/kind: /,
  ],
  ['a source', name => ({ source: `${name}!` }), /^\/source: A source is named by/],
]

t.test('by imports', async t => {
  const house = openImportHouse()
  const folder = temporaryFolder(t)
  for (const [door, line, reason] of lineDoors) {
    house.reports.length = 0
    const texts = names.map(name => nounLine('x', 'x', line(name)))
    // What no line of is an entry is no dictionary; what is wrong in an entry is its own fault.
    const outcome = await house
      .importFile('ndjson', writeLines(folder, 'doors.ndjson', texts))
      .then(countsOf, (error: unknown) => String(error))
    t.match(outcome, /has no entry|^0 written, 0 unchanged, 0 kept/, door)
    t.equal(house.reports.length, names.length, door)
    for (const report of house.reports) t.match(report.reason, reason, door)
  }
  t.strictSame(await house.entryEvents(), [])
  const copyright = '  29 WordNet 3.1 Copyright 2011'
  for (const part of ['noun', 'verb', 'adj', 'adv'])
    for (const kind of ['index', 'data']) writeFileSync(join(folder, `${kind}.${part}`), `${copyright}\n`)
  const pointers = names.map(name => `${name} 00000100 n 0000`).join(' ')
  const synset = `00000100 05 n 01 door(constructor) 0 ${String(names.length).padStart(3, '0')} ${pointers} | a way in`
  writeLines(folder, 'data.noun', [copyright, synset])
  writeLines(folder, 'index.noun', [copyright, 'door(constructor) n 1 0 1 0 00000100  '])
  house.reports.length = 0
  t.equal(countsOf(await house.importFile('wordnet', folder)), '1 written, 0 unchanged, 0 kept, 6 faults')
  const reasons = names.map(name => `"${name}" is not a pointer symbol.`)
  t.strictSame(
    house.reports.map(each => each.reason),
    reasons,
  )
  t.match((await house.entry('door(constructor)'))?.content.senses, [{ relations: [], labels: { register: [] } }])
})

const recorded = (type: string): Recorded => ({
  type,
  data: {},
  id: 'event',
  stream: 'entry-a',
  revision: 0n,
  position: 3n,
  recordedAt: '2026-11-23T10:00:00Z',
  meta: {
    actor: { kind: 'account', id: type },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    schema: 1,
    at: '2026-11-23T10:00:00.000Z',
    route: { visibility: 'public', language: type },
  },
})
const own = (name: string, value: JsonObject | string): JsonObject => ({ [name]: value })

/** What is asked, and the answer: that there is no such thing. */
const otherDoors: readonly (readonly [
  door: string,
  ask: (name: string) => unknown,
  answer: (name: string) => unknown,
])[] = [
  ['a role', isRole, () => false],
  ['the language of a mail', mails.localeOf, () => 'en'],
  ['a channel', channelsOf(areas).find, () => undefined],
  ['a problem', openProblems([]).find, () => undefined],
  ['how a language folds', foldingOf, () => foldingOf('und')],
  ['how a language stems', stemmerOf, () => undefined],
  ['the stop words of a language', name => [...stopWordsOf(name)], () => []],
  ['the languages of a dictionary', name => languagesOf(name, name), () => undefined],
  ['its licence', licenceOf, () => undefined],
  ['members of JSON', name => sameJson({}, own(name, {})) || sameJson(own(name, {}), {}), () => false],
  ['and the same ones', name => sameJson(own(name, { a: 1 }), own(name, { a: 1 })), () => true],
  ['a merge patch', name => Object.entries(Object(mergePatch({}, own(name, { a: 1 })))), name => [[name, { a: 1 }]]],
  ['what it takes away', name => mergePatch({ a: 1 }, { [name]: null }), () => ({ a: 1 })],
  [
    'a type of event, counted',
    name => analyticsProjection.evolve(undefined, recorded(name), '2026-11-23 day  '),
    () => undefined,
  ],
  [
    'a member of a stored document',
    name => Object.entries(storedOf('id', 1n, own(name, 'x')).m ?? {}),
    name => [[name, 'x']],
  ],
  [
    'a member of a log line',
    name => Object.entries(withoutSecrets(own(name, { password: 'x' }))),
    name => [[name, { password: '[redacted]' }]],
  ],
]

for (const [door, ask, answer] of otherDoors)
  t.test(`within: ${door}`, async t => {
    for (const name of names) t.strictSame(ask(name), answer(name), name)
  })

t.test('within: a type of event in the log', async t => {
  for (const name of names) {
    const store = openMemoryEventStore()
    const { meta } = recorded(name)
    const event = { id: 'event', type: name, data: JSON.stringify(own(name, {})), meta: JSON.stringify(meta) }
    await store.append(`${name}-a`, 'none', [event])
    const log = openLog({ store, keys: openMemoryKeys(), types: [] })
    const reading = Array.fromAsync(log.readAll(0n)).catch((error: unknown) => error)
    t.match(await reading, { name: 'UndecodableEventError', reason: 'unknown-type' }, name)
  }
})

t.test('within: names of keys, and what signed tokens claim', async t => {
  const clock = fakeClock()
  const keys = await openFileKeys({ folder: join(temporaryFolder(t), 'keys'), randomBytes, clock })
  t.teardown(() => keys.close())
  const [key] = await keys.signing(clock.now())
  const scope = { issuer: 'https://dictionary.example', audience: 'lexichron' }
  const verifier = createTokenVerifier({ ...scope, keys, clock, max: 3 })
  const iat = clock.now().getTime() / 1000
  const payload = { iss: scope.issuer, aud: scope.audience, sub: 's', jti: 'j', kind: 'service', role: 'reader' }
  const sign = (claims: object, header: object = {}): string =>
    jwt.sign({ ...payload, iat, exp: iat + 60, ...claims }, key?.privateKey ?? '', {
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: 'at+jwt', kid: key?.kid ?? '', ...header },
    })
  t.match(await verifier.verify(sign({})), { claims: { role: 'reader' } })
  for (const name of names) {
    t.strictSame(await verifier.verify(sign({ role: name })), { fault: 'not-genuine' }, `the role ${name}`)
    t.strictSame(await verifier.verify(sign({ kind: name })), { fault: 'not-genuine' }, `the kind ${name}`)
    t.strictSame(await verifier.verify(sign({}, { kid: name })), { fault: 'unknown-key' }, `the key ${name}`)
    t.strictSame(await verifier.verify(sign({}, { typ: name })), { fault: 'wrong-type' }, `the type ${name}`)
    await t.rejects(keys.find(new Set([`subject:${name}`])), { code: 'corrupt' }, `the key of a subject called ${name}`)
  }
})

t.test('nothing was changed by any of it, and no figure has such a label', async t => {
  t.strictSame(await state(), before)
  t.strictSame(inherited(), untouched, 'nothing is left in what all objects inherit')
  const metrics = await api('GET', '/metrics', { as: admin })
  t.equal(metrics.status, 200)
  for (const name of names) t.notOk(metrics.text.includes(`"${name}"`), name)
  t.strictSame([...new Set(api.faults)], [], 'and every answer was as the OpenAPI document says')
})
