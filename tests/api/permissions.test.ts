/**
 * Who may ask what: every route and every channel of the live feed, as each kind of person, against the table in
 * tests/fixtures/permissions.md. A route that is not in the table fails here. Requests name nothing that is there, so that
 * whoever may ask is told so, and nothing is changed. Only those who signed in are told which permission they miss.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { WebSocket } from 'ws'
import { defined } from '../../src/domain/defined.ts'
import { channelNames } from '../../src/subscribers/live-channels.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'

type Table = ReadonlyMap<string, Readonly<Record<string, string>>>

const source = readFileSync(new URL('../fixtures/permissions.md', import.meta.url), 'utf8')
const cells = (line: string): readonly string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map(each => each.trim())
const lines = source.split('\n').filter(line => line.startsWith('|') && !line.startsWith('|--'))
const [, ...persons] = cells(lines[0] ?? '')
const table: Table = new Map(
  lines.slice(1).map(line => {
    const [asked = '', ...said] = cells(line)
    return [asked.replaceAll('`', ''), Object.fromEntries(persons.map((name, index) => [name, said[index] ?? '']))]
  }),
)

const app = await openTestApp(t)
const api = await openApi(app.url)

const signIn = async (name: string, role: 'contributor' | 'editor' | 'moderator' | 'auditor' | 'admin') => {
  const email = `${name}@dictionary.example`
  const { accountId: id, password } = await app.account(role, email)
  const session = await api('POST', '/v1/sessions', { body: { email, password } })
  if (session.status !== 201) throw new Error(session.text)
  return { id, token: String(session.json['accessToken']) }
}

const boss = await signIn('boss', 'admin')
const suspended = await signIn('suspended', 'editor')
const ended = await signIn('ended', 'contributor')
const ofRole = async (role: 'contributor' | 'editor' | 'moderator' | 'auditor' | 'admin') =>
  (await signIn(role, role)).token
const tokens: Readonly<Record<string, string | undefined>> = {
  stranger: undefined,
  reader: await app.token('reader'),
  contributor: await ofRole('contributor'),
  editor: await ofRole('editor'),
  moderator: await ofRole('moderator'),
  auditor: await ofRole('auditor'),
  admin: await ofRole('admin'),
  suspended: suspended.token,
  ended: ended.token,
}
const act = async (method: string, path: string, body: object) => {
  const answer = await api(method, `/v1/accounts/${path}`, { as: boss.token, body })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer
}
const expiresAt = new Date(app.clock.now().getTime() + 1000).toISOString()
await act('PUT', `${ended.id}/roles/admin`, { reason: 'A test.', expiresAt })
await act('POST', `${suspended.id}/suspend`, { reason: 'Spam.' })
await app.clock.advance(1000)

const NOTHING = '00000000-0000-4000-8000-000000000000'
const params: Readonly<Record<string, string>> = { role: 'emperor', channel: 'entries', code: 'conflict' }
/** Signs out, so it comes last. */
const LAST = 'DELETE /v1/sessions/current'
const denials: ReadonlySet<unknown> = new Set(['unauthenticated', 'permission-denied', 'not-an-account'])

const ask = async (method: string, path: string, as: string | undefined): Promise<string> => {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => params[name] ?? NOTHING)
  // Answered at once, where it would go on for ever.
  const headers = { accept: path === '/v1/live/{channel}' ? 'image/png' : '*/*' }
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} }
  const answer = await api(method, filled, { headers, ...body, ...defined({ as }) })
  if (!denials.has(answer.code)) return answer.status < 500 ? 'yes' : String(answer.status)
  const named = /[a-z]+:[a-z]+(-[a-z]+)*\b(?!\/)/.test(String(answer.json['detail']))
  const expected = answer.code === 'permission-denied'
  return named === expected ? String(answer.status) : `${answer.status} ${answer.text}`
}

/** What the codes of the feed would be over HTTP. */
const refusals: Readonly<Record<string, string>> = { 'permission-denied': '403' }

const subscribe = (channel: string, as: string | undefined): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const headers = as === undefined ? {} : { authorization: `Bearer ${as}` }
  const ws = new WebSocket(`${app.url.replace('http', 'ws')}/v1/live`, 'lexichron.v1', { headers })
  ws.on('open', () => ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel })))
  ws.on('message', text => {
    const message = Object(JSON.parse(String(text)))
    if (message.id === 'a') resolve(message.op === 'error' ? (refusals[message.code] ?? String(message.code)) : 'yes')
  })
  ws.on('unexpected-response', (_, response) => resolve(String(response.statusCode)))
  ws.on('error', reject)
  return promise.finally(() => ws.terminate())
}

const routes = Object.entries(api.document.paths)
  .flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
  .toSorted((a, b) => Number(a === LAST) - Number(b === LAST))
const channels = channelNames.map(name => `channel ${name}`)

t.test('the table names every route, every channel and every person', async t => {
  t.same(persons, Object.keys(tokens))
  t.same([...table.keys()].toSorted(), [...routes, ...channels].toSorted())
})

for (const name of Object.keys(tokens))
  t.test(`${name}: what may be asked`, async t => {
    const found: Record<string, string> = {}
    for (const channel of channelNames) found[`channel ${channel}`] = await subscribe(channel, tokens[name])
    for (const route of routes) {
      const [method = '', path = ''] = route.split(' ')
      found[route] = await ask(method, path, tokens[name])
    }
    for (const [asked, said] of Object.entries(found)) t.equal(said, table.get(asked)?.[name], asked)
  })
