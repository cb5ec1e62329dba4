/**
 * Who may ask what, against the tables in tests/fixtures/permissions.md: every route and every channel of the live feed as
 * each kind of person, every command on entries of every state and author, accounts of one's own and of others, single
 * members of answers, and the command line. What is not in the tables fails here, and so does what they name and is not there.
 */
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { commands } from '../../src/adapters/cli/run.ts'
import { areas } from '../../src/app/areas.ts'
import { channelsOf } from '../../src/app/declared.ts'
import { operator } from '../../src/commands/tokens.ts'
import { defined } from '../../src/domain/defined.ts'
import { searchesCategory } from '../../src/domain/search/searches.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp, whileTimeGoes } from '../support/app.ts'
import { runLine } from '../support/command-line.ts'
import { nounLine, writeLines } from '../support/import.ts'
import { openDoors, openPeople, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { readTables, type Table } from '../support/tables.ts'

const tables = readTables(new URL('../fixtures/permissions.md', import.meta.url))
const tableOf = (heading: string): Table => {
  const found = tables.get(heading)
  if (!found) throw new Error(`there is no table ${heading}`)
  return found
}

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const { accounts, tokens, boss } = await openPeople(house)
const author = await signIn(house, 'author', 'contributor')

const NOTHING = '00000000-0000-4000-8000-000000000000'
const params: Readonly<Record<string, string>> = { role: 'emperor', channel: 'entries', code: 'conflict' }
/** Signs out, so it comes last. */
const LAST = 'DELETE /v1/sessions/current'
const denials: ReadonlySet<unknown> = new Set(['unauthenticated', 'permission-denied', 'not-an-account'])

/** The name of a permission, and not the address of a problem. */
const NAME = /\b[a-z]+:[a-z]+(-[a-z]+)*\b(?!\/)/
/** Which permission is missing is told to some alone. */
const isToldRightly = (
  name: string,
  { code, detail }: { readonly code?: unknown; readonly detail?: unknown },
): boolean =>
  NAME.test(String(detail)) === (code === 'permission-denied' && tableOf('Told').rows.get(name)?.['told'] === 'yes')

const ask = async (method: string, path: string, name: string): Promise<string> => {
  const as = tokens[name]
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => params[name] ?? NOTHING)
  // Answered at once, where it would go on for ever.
  const headers = { accept: path === '/v1/live/{channel}' ? 'image/png' : '*/*' }
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} }
  const answer = await api(method, filled, { headers, ...body, ...defined({ as }) })
  if (!denials.has(answer.code)) return answer.status < 500 ? 'yes' : String(answer.status)
  return isToldRightly(name, answer.json) ? String(answer.status) : `${answer.status} ${answer.text}`
}

/** What the codes of the feed would be over HTTP. */
const refusals: Readonly<Record<string, string>> = { 'permission-denied': '403' }

type Heard = {
  readonly op: string
  readonly code?: string
  readonly detail?: string
  readonly data?: Record<string, unknown>
}
/** What a subscription is told until it has caught up, or is refused; a status where there is none. */
const listen = (channel: string, as: string | undefined, after?: string): Promise<readonly Heard[] | number> => {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Heard[] | number>()
  const headers = as === undefined ? {} : { authorization: `Bearer ${as}` }
  const ws = new WebSocket(`${app.url.replace('http', 'ws')}/v1/live`, 'lexichron.v1', { headers })
  const heard: Heard[] = []
  ws.on('open', () => ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel, ...defined({ after }) })))
  ws.on('message', text => {
    const message = Object(JSON.parse(String(text)))
    heard.push(message)
    if (message.op === 'error' || message.op === (after === undefined ? 'subscribed' : 'caught-up')) resolve(heard)
  })
  ws.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
  ws.on('error', reject)
  return promise.finally(() => ws.terminate())
}
const subscribe = async (channel: string, name: string): Promise<string> => {
  // A thread is named by what it is about.
  const id = channel.startsWith('comments:') ? `story-${NOTHING}` : NOTHING
  const heard = await listen(channel.replace('{id}', id), tokens[name])
  if (typeof heard === 'number') return String(heard)
  const last = heard.at(-1)
  if (last?.op !== 'error') return 'yes'
  return isToldRightly(name, last) ? (refusals[last.code ?? ''] ?? String(last.code)) : JSON.stringify(last)
}

const routes = Object.entries(api.document.paths)
  .flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
  .toSorted((a, b) => Number(a === LAST) - Number(b === LAST))
const channelNames = channelsOf(areas).all.map(({ name }) => name)
const channels = channelNames.map(name => `channel ${name}`)

// Entries

type Entry = {
  readonly id: string
  readonly path: string
  readonly lemma: string
  readonly status: string
  readonly language: string
}
type Language = 'es' | 'en'
let drafted = 0
let latest = ''
const must = (answer: Received): Received => {
  if (answer.status >= 300) throw new Error(answer.text)
  latest = answer.headers.get('sync-token') ?? latest
  return answer
}
const whichever = { 'if-match': '*' }
const draft = async ({ token: as }: Person, language: Language): Promise<Entry> => {
  drafted += 1
  const lemma = `palabra${String.fromCodePoint(...[...String(drafted)].map(digit => 97 + Number(digit)))}`
  const body = { language, lemma, partOfSpeech: 'noun', senses: [{ gloss: 'Lo que no se dice.' }] }
  const { json } = must(await api('POST', '/v1/entries', { as, body }))
  const id = String(json['id'])
  return { id, lemma, language, path: `/v1/entries/${id}`, status: 'draft' }
}
const act = async (entry: Entry, what: string, as: string, body: object = {}): Promise<Entry> => {
  const { json } = must(await api('POST', `${entry.path}/${what}`, { as, body, headers: whichever }))
  return { ...entry, status: String(json['status'] ?? entry.status) }
}
const submitted = async (by: Person, language: Language) => act(await draft(by, language), 'submit', by.token)
const published = async (language: Language) => act(await draft(author, language), 'publish', boss.token)
const reason = 'Una razón.'
const retired = async (language: Language) => act(await published(language), 'retire', boss.token, { reason })

const beginning = (await api('GET', '/v1/entries')).headers.get('sync-token') ?? ''
/** By the state, and the language of those that somebody else wrote. */
const foreign: Readonly<Record<string, Entry>> = {
  'draft es': await draft(author, 'es'),
  'draft en': await draft(author, 'en'),
  'submitted es': await submitted(author, 'es'),
  'published es': await published('es'),
  'published en': await published('en'),
  'retired es': await retired('es'),
  'retired en': await retired('en'),
  'removed es': await act(await published('es'), 'redact', boss.token, { ground: 'privacy' }),
  nothing: {
    id: '00000000-0000-5000-8000-000000000000',
    path: '/v1/entries/00000000-0000-5000-8000-000000000000',
    lemma: 'nada',
    language: 'es',
    status: 'draft',
  },
}
/** Accounts by name; everybody else has nothing of their own. */
const people: ReadonlyMap<string, Person> = new Map(Object.entries(accounts))
const own = new Map<string, Readonly<Record<string, Entry>>>()
for (const name of tableOf('Entries').columns) {
  const person = people.get(name)
  if (!person) continue
  own.set(name, { 'own draft es': await draft(person, 'es'), 'own submitted es': await submitted(person, 'es') })
}
const objects = ['own draft es', 'own submitted es', ...Object.keys(foreign)]
const objectOf = (object: string, name: string): Entry | undefined => foreign[object] ?? own.get(name)?.[object]

/** As a reader sees it: whole, what it is called alone, or why not. */
const seenIn = (answer: Received): string =>
  answer.status === 200 ? ('senses' in answer.json ? 'yes' : 'identity') : String(answer.status)
const read = (path: string, as: string | undefined) =>
  api('GET', path, { headers: { 'sync-token': latest }, ...defined({ as }) })
const among = (answer: Received, id: string): string => {
  if (answer.status !== 200) return String(answer.status)
  const items: unknown = answer.json['items']
  const found = (Array.isArray(items) ? items.map(Object) : []).find(item => item.id === id || item.entry?.id === id)
  return found === undefined ? 'no' : 'senses' in (found.entry ?? found) ? 'yes' : 'identity'
}
/** A dry run: it says what would be written, and nothing is. */
const would =
  (method: 'POST' | 'PATCH', what: string, body: object = {}) =>
  async ({ path }: Entry, as: string | undefined): Promise<string> => {
    const answer = await api(method, `${path}${what}?dryRun=true`, { headers: whichever, body, ...defined({ as }) })
    return answer.status === 200 ? 'yes' : String(answer.status)
  }
const onEntries: Readonly<Record<string, (entry: Entry, as: string | undefined) => Promise<string>>> = {
  'GET /v1/entries/{id}': async ({ path }, as) => seenIn(await read(path, as)),
  'GET /v1/entries/{id}/history': async ({ path }, as) => {
    const answer = await read(`${path}/history`, as)
    return answer.status === 200 ? 'yes' : String(answer.status)
  },
  'GET /v1/entries': async ({ id, status, language }, as) =>
    among(await read(`/v1/entries?status=${status}&language=${language}&limit=100`, as), id),
  'GET /v1/search': async ({ id, lemma }, as) => among(await read(`/v1/search?q=${lemma}`, as), id),
  'PATCH /v1/entries/{id}': would('PATCH', '', { categories: ['vida'] }),
  'POST /v1/entries/{id}/submit': would('POST', '/submit'),
  'POST /v1/entries/{id}/publish': would('POST', '/publish'),
  'POST /v1/entries/{id}/return': would('POST', '/return', { reason }),
  'POST /v1/entries/{id}/retire': would('POST', '/retire', { reason }),
  'POST /v1/entries/{id}/restore': would('POST', '/restore', { reason }),
  'POST /v1/entries/{id}/revert': would('POST', '/revert', { toRevision: '0' }),
  'POST /v1/entries/{id}/take-over': would('POST', '/take-over'),
  'POST /v1/entries/{id}/redact': would('POST', '/redact', { ground: 'privacy' }),
}

/** What is asked, held against a table, person by person; `-`: it is not theirs to ask, there is nothing of their own. */
const holdAgainst = async (
  t: Test,
  heading: string,
  rows: ReadonlyMap<string, (name: string) => Promise<string> | string>,
): Promise<void> => {
  const { columns, rows: written } = tableOf(heading)
  t.same([...written.keys()].toSorted(), [...rows.keys()].toSorted(), 'the table has these rows, and no others')
  for (const [row, find] of rows) {
    const found: Record<string, string> = {}
    for (const name of columns) found[name] = await find(name)
    t.same(found, written.get(row), row)
  }
}

t.test('the table names every route, every channel and every person', async t => {
  const { columns, rows } = tableOf('Routes and channels')
  const others = tableOf('Like others').rows
  t.same([...columns, ...others.keys()].toSorted(), Object.keys(tokens).toSorted())
  t.same([...rows.keys()].toSorted(), [...routes, ...channels].toSorted())
  t.same([...tableOf('Told').rows.keys()].toSorted(), Object.keys(tokens).toSorted())
})

t.test('entries of every state, of their author and of others', async t => {
  const rows = Object.entries(onEntries).flatMap(([route, find]) =>
    objects.map((object): readonly [string, (name: string) => Promise<string> | string] => [
      `${route} ${object}`,
      name => {
        const entry = objectOf(object, name)
        return entry ? find(entry, tokens[name]) : '-'
      },
    ]),
  )
  await holdAgainst(t, 'Entries', new Map(rows))
})

// Accounts

/** Without a reason nothing is done; who is told so was let in. */
const statusOf = ({ status, code }: Received): string =>
  code === 'reason-required' || status < 300 ? 'yes' : code === 'own-role' ? 'own' : String(status)
const onAccounts: Readonly<Record<string, (id: string, as: string | undefined) => Promise<Received>>> = {
  'GET /v1/accounts/{id}': (id, as) => read(`/v1/accounts/${id}`, as),
  'GET /v1/accounts/{id}/sessions': (id, as) => read(`/v1/accounts/${id}/sessions`, as),
  'GET /v1/profiles/{id}': (id, as) => read(`/v1/profiles/${id}`, as),
  ...Object.fromEntries(
    [
      ['PUT', '/roles/editor'],
      ['DELETE', '/roles/editor'],
      ['POST', '/suspend'],
      ['POST', '/reinstate'],
      ['DELETE', '/sessions'],
    ].map(([method = '', path = '']) => [
      `${method} /v1/accounts/{id}${path}`,
      (id: string, as: string | undefined) =>
        api(method, `/v1/accounts/${id}${path}`, { body: { reason: '' }, ...defined({ as }) }),
    ]),
  ),
}

const holdsText = (answer: Received, ...texts: readonly string[]): string =>
  answer.status === 200 ? (texts.some(text => answer.text.includes(text)) ? 'yes' : 'no') : String(answer.status)

t.test("one's own account, somebody else's, and one that was erased", async t => {
  const targets: Readonly<Record<string, (name: string) => string | undefined>> = {
    own: name => people.get(name)?.id,
    other: () => author.id,
    erased: () => accounts.erased.id,
    nobody: () => NOTHING,
  }
  const rows = Object.entries(onAccounts).flatMap(([route, find]) =>
    Object.entries(targets).map(([target, idOf]): readonly [string, (name: string) => Promise<string> | string] => [
      `${route} ${target}`,
      async name => {
        const id = idOf(name)
        return id === undefined ? '-' : statusOf(await find(id, tokens[name]))
      },
    ]),
  )
  const { json } = await read('/v1/sessions', author.token)
  const [session] = Array.isArray(json['items']) ? json['items'].map(Object) : []
  const theirs = async (name: string) =>
    statusOf(await api('DELETE', `/v1/sessions/${String(session?.id)}`, defined({ as: tokens[name] })))
  const keyed = await signIn(house, 'keyed', 'contributor')
  const { passkeyId, identityId } = await openDoors(house, keyed)
  const doors = [
    ['passkeys', passkeyId],
    ['identities', identityId],
  ] as const
  const doorRows = doors.flatMap(([kind, id]): readonly [string, (name: string) => Promise<string>][] => [
    [`GET /v1/me/${kind} of other`, async name => holdsText(await read(`/v1/me/${kind}`, tokens[name]), id)],
    [
      `DELETE /v1/me/${kind}/{id} other`,
      async name => statusOf(await api('DELETE', `/v1/me/${kind}/${id}`, defined({ as: tokens[name] }))),
    ],
  ])
  await holdAgainst(t, 'Accounts', new Map([...rows, ['DELETE /v1/sessions/{id} other', theirs], ...doorRows]))
  for (const [kind, id] of doors) {
    t.equal(holdsText(await read(`/v1/me/${kind}`, keyed.token), id), 'yes', `${kind}: their own, and still there`)
    t.equal((await api('DELETE', `/v1/me/${kind}/${id}`, { as: keyed.token })).status, 204, `${kind}: theirs to end`)
  }
})

// Members of answers

const HASH = '$argon2id$'

t.test('single members of answers', async t => {
  const again = await act(await retired('es'), 'restore', boss.token, { reason: 'Otra razón.' })
  const stream = (name: string, as: string | undefined) => read(`/v1/streams/${name}`, as)
  const address = 'author@dictionary.example'
  const fields: Readonly<Record<string, (as: string | undefined, name: string) => Promise<string>>> = {
    'own address in GET /v1/me': async (as, name) =>
      holdsText(await read('/v1/me', as), `${name.replaceAll(' for ', '-')}@dictionary.example`),
    'own address in GET /v1/me/export': async (as, name) =>
      holdsText(await read('/v1/me/export', as), `${name.replaceAll(' for ', '-')}@dictionary.example`),
    'own password in GET /v1/me/export': async as => holdsText(await read('/v1/me/export', as), HASH),
    'address in GET /v1/accounts/{id}': async as => holdsText(await read(`/v1/accounts/${author.id}`, as), address),
    'address in GET /v1/accounts': async as => holdsText(await read('/v1/accounts?limit=100', as), address),
    'address in GET /v1/profiles/{id}': async as => holdsText(await read(`/v1/profiles/${author.id}`, as), address),
    'GET /v1/accounts?email=': async as => holdsText(await read(`/v1/accounts?email=${address}`, as), author.id),
    'address in GET /v1/streams/{stream}': async as => holdsText(await stream(`account-${author.id}`, as), address),
    'password in GET /v1/streams/{stream}': async as => holdsText(await stream(`account-${author.id}`, as), HASH),
    'text in GET /v1/streams/{stream}': async as =>
      holdsText(await stream(`entry-${foreign['draft en']?.id}`, as), 'Lo que no'),
    'reasons in GET /v1/entries/{id}/history': async as => holdsText(await read(`${again.path}/history`, as), reason),
    'reviewers in GET /v1/entries/{id}/history': async as =>
      holdsText(await read(`${again.path}/history`, as), boss.id),
    'detail in GET /health': async as => holdsText(await read('/health', as), '"detail"'),
  }
  const rows = Object.entries(fields).map(([field, find]): readonly [string, (name: string) => Promise<string>] => [
    field,
    name => find(tokens[name], name),
  ])
  await holdAgainst(t, 'Members of answers', new Map(rows))
})

t.test('events of the live feed', async t => {
  const heard = new Map<string, Promise<readonly Heard[]>>()
  const replay = (channel: string, name: string): Promise<readonly Heard[]> => {
    const key = `${channel} ${name}`
    const found =
      heard.get(key) ?? listen(channel, tokens[name], beginning).then(all => (Array.isArray(all) ? all : []))
    heard.set(key, found)
    return found
  }
  const has = async (channel: string, name: string, fits: (event: Heard, data: Record<string, unknown>) => boolean) => {
    const all = await replay(channel, name)
    if (all.at(-1)?.op === 'error') return refusals[all.at(-1)?.code ?? ''] ?? 'error'
    return all.some(event => event.op === 'event' && fits(event, event.data ?? {})) ? 'yes' : 'no'
  }
  const about = (object: string) => async (name: string) => {
    const entry = objectOf(object, name)
    return entry ? has('entries', name, (_, data) => data['entryId'] === entry.id) : '-'
  }
  const written = JSON.stringify('Lo que no se dice.')
  const rows = new Map<string, (name: string) => Promise<string>>([
    ...objects.map(object => [`entries: ${object}`, about(object)] as const),
    ['events: an event', name => has('events', name, () => true)],
    ['events: text', name => has('events', name, (_, data) => JSON.stringify(data).includes(written))],
    ['events: an address', name => has('events', name, (_, data) => JSON.stringify(data).includes('@dictionary'))],
    ['events: a password', name => has('events', name, (_, data) => JSON.stringify(data).includes(HASH))],
    ['me: of others', name => has('me', name, (_, data) => data['id'] !== people.get(name)?.id)],
  ])
  await holdAgainst(t, 'Events of the live feed', rows)
})

for (const name of Object.keys(tokens))
  t.test(`${name}: what may be asked`, async t => {
    const { as = name, ['but may ask']: but = '' } = tableOf('Like others').rows.get(name) ?? {}
    const found: Record<string, string> = {}
    for (const channel of channelNames) found[`channel ${channel}`] = await subscribe(channel, name)
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ')
      found[route] = await ask(method, path, name)
    }
    const written = [...tableOf('Routes and channels').rows].map(([asked, said]) => [asked, said[as]])
    const beside = [...but.matchAll(/`([^`]+)`/g)].map(([, route = '']) => [route, 'yes'])
    t.same(found, Object.fromEntries([...written, ...beside]))
  })

// The command line

/** What each command is given here; undefined: it opens no log, and nothing could be written by it. */
const lines: Readonly<Record<string, (() => readonly string[]) | undefined>> = {
  serve: undefined,
  copy: undefined,
  'receipt verify': undefined,
  completion: undefined,
  config: undefined,
  doctor: undefined,
  'mail preview': undefined,
  'mail test': undefined,
  import: () => ['ndjson', writeLines(temporaryFolder(t), 'two.ndjson', [nounLine('uno'), nounLine('dos')])],
  export: () => [],
  rebuild: () => ['entries'],
  projections: () => [],
  'projections retry': () => [],
  verify: () => [],
  repair: () => [],
  'token create': () => ['--role', 'reader', '--for', 'a reader'],
  'token list': () => [],
  'token revoke': () => [issued],
  'account create': () => ['--email', 'new@dictionary.example', '--role', 'contributor'],
  'keys rotate': () => [],
  'keys rotate-addresses': () => [],
  'jobs list': () => [],
  'jobs show': () => ['nothing'],
  'jobs retry': () => [],
  'jobs drop': () => ['nothing'],
  'blocks add': () => ['192.0.2.1', '--reason', 'A test.'],
  'blocks list': () => [],
  'blocks remove': () => ['192.0.2.1'],
}
let issued = ''

t.test('commands of the command line, which act for whoever has the machine', async t => {
  const { rows } = tableOf('Commands')
  t.same([...rows.keys()].toSorted(), commands.map(({ name }) => name).toSorted())
  t.same(Object.keys(lines).toSorted(), commands.map(({ name }) => name).toSorted())
  const made = await app.program.tokens.create({ role: 'reader', for: 'a reader', lifeMs: 1000 })
  issued = 'refused' in made ? '' : made.id
  const auditor = await app.token('auditor', 'watch')
  // Of services: sessions would end as time goes on.
  const marker = { id: '', token: await app.token('contributor', 'marker') }
  /** What was written before and after a command is ours, and says where it stands. */
  const mark = async () => {
    const { id } = await draft(marker, 'es')
    return { stream: `entry-${id}`, token: latest }
  }
  // What the service counts by itself, whenever it does.
  const counted = `${searchesCategory}-`
  let before = await mark()
  for (const { name } of commands) {
    const line = lines[name]
    const { code, err } = line
      ? await whileTimeGoes(app, name, runLine(folder, [...name.split(' '), ...line()], app.program))
      : { code: 0, err: '' }
    const refused = name === 'jobs show' || name === 'jobs drop'
    t.equal(code, refused ? 1 : 0, `${name}: ${err}`)
    const after = await mark()
    const headers = { 'sync-token': after.token }
    const { json } = await api('GET', `/v1/events?after=${before.token}&limit=100`, { as: auditor, headers })
    const items = (Array.isArray(json['items']) ? json['items'].map(Object) : []).filter(
      ({ stream }) => stream !== after.stream && !String(stream).startsWith(counted),
    )
    const actors = new Set(items.map(({ meta }) => (meta.actor.id === operator.id ? 'operator' : meta.actor.kind)))
    t.equal([...actors].toSorted().join(', ') || '-', rows.get(name)?.['writes as'], name)
    before = after
  }
  t.same([...new Set(api.faults)], [], 'every answer was as the document says')
})
