/**
 * Hashes of passwords, codes and links, and what makes codes, are for decisions alone. Every type of event is walked: each member
 * that could be one is declared secret or is known to be none, and what is secret is shown by no reader, whoever asks.
 */
import t from 'tap'
import { areas } from '../../src/app/areas.ts'
import { categoriesOf, channelsOf } from '../../src/app/declared.ts'
import { liveEventSchemas } from '../../src/core/live/schemas.ts'
import { codecsOf } from '../../src/core/log/codec.ts'
import { openTranscript } from '../../src/core/log/transcript.ts'
import { defined } from '../../src/domain/defined.ts'
import type { EventType, JsonObject, Recorded } from '../../src/domain/event.ts'
import { askUntil, openApi } from '../support/api.ts'
import { openTestApp, whileTimeGoes } from '../support/app.ts'
import { runLine } from '../support/command-line.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'
import { signIn } from '../support/people.ts'
import { permissionsOf } from '../support/roles.ts'
import { temporaryFolder } from '../support/service.ts'

const declaredCategories = categoriesOf(areas)
const types: readonly EventType[] = declaredCategories.flatMap(({ events }) => events)
const membersOf = ({ schema }: EventType): readonly string[] =>
  'properties' in schema ? Object.keys(Object(schema.properties)) : []

/** Personal, or called like a secret, and none: who may see them is said where they are sealed. */
const known: ReadonlySet<string> = new Set([
  'address',
  'agent',
  'bio',
  'displayName',
  'grounds',
  'languages',
  'name',
  'preferences',
  'reason',
  'target',
  // Of a provider, or of a passkey: names of a person there, and a key that is public.
  'issuer',
  'subject',
  'credentialId',
  'publicKey',
  'passkeyId',
  'tokenId',
  // A keyed hash of what tells browsers apart, which opens nothing.
  'device',
])
/** What a mail server answered; whether a link let a device in; what readers say of what they keep. */
const knownOf: ReadonlySet<string> = new Set([
  'ReportFiled.words',
  'MailRefused.code',
  'DeviceAdded.byLink',
  'Bookmarked.note',
  'Subscribed.tag',
  'ReadingListBegun.title',
  'ReadingListEdited.title',
])
const LIKE_A_SECRET = /pass|secret|hash|token|code|mac|key|device|challenge|link/i

t.test('each member that could be a secret is declared one, or is known to be none', async t => {
  for (const type of types)
    for (const member of membersOf(type)) {
      const doubtful = LIKE_A_SECRET.test(member) || (type.seal === 'subject' && type.sealed.includes(member))
      if (!doubtful || known.has(member) || knownOf.has(`${type.type}.${member}`)) continue
      t.ok(type.secrets.includes(member), `${type.type}.${member}`)
    }
  const secrets = new Set(types.flatMap(each => each.secrets))
  t.same([...secrets].toSorted(), ['hash', 'hashes', 'linkHash', 'password', 'secret'])
})

const MARKER = 'what nobody is shown'
const recordedOf = (type: EventType): Recorded => ({
  id: '00000000-0000-4000-8000-000000000000',
  type: type.type,
  stream: 'account-one',
  revision: 0n,
  position: 1n,
  recordedAt: '2026-01-05T10:00:00.000Z',
  data: Object.fromEntries(membersOf(type).map(member => [member, type.secrets.includes(member) ? MARKER : 'clear'])),
  meta: {
    actor: { kind: 'account', id: 'one' },
    commandId: 'one',
    correlationId: 'one',
    causationId: 'one',
    at: '2026-01-05T10:00:00.000Z',
    schema: type.version,
    route: { visibility: 'owner', owner: 'one' },
  },
})

t.test('history, exports and the feed leave them out for who may see everything', async t => {
  const removals = { refresh: async () => undefined, has: () => false }
  const transcript = openTranscript({ keys: openMemoryKeys(), codecs: codecsOf(types), removals })
  const all = { permissions: permissionsOf('admin'), actor: { kind: 'account' as const, id: 'one' } }
  const declared = new Map(types.map(type => [type.type, type]))
  const channels = channelsOf(areas).all
  const schemas = liveEventSchemas(channels, declaredCategories)
  const withSecrets = types.filter(({ secrets }) => secrets.length > 0)
  t.ok(withSecrets.length > 10)
  for (const type of withSecrets) {
    const event = recordedOf(type)
    const { data, meta, ...head } = event
    const logged = { ...head, data: JSON.stringify(data), meta: JSON.stringify(meta) }
    for (const checked of [true, false])
      for (const sight of [
        { text: true, personal: true },
        { text: true, personal: true, own: 'subject:one' },
      ]) {
        const [line] = await transcript.write([logged], sight, checked)
        t.notMatch(line?.text, MARKER, type.type)
        t.match(JSON.parse(line?.text ?? '{}'), { withheld: type.secrets }, `${type.type} says what is left out`)
      }
    for (const { name, carried } of channels) {
      const telling = { event, type: declared.get(type.type), listener: all, id: undefined, replayed: false }
      const sent = carried?.data({ ...telling, standing: () => undefined })
      t.notMatch(JSON.stringify(sent ?? {}), MARKER, name)
    }
    for (const { type: name, data: schema } of schemas.filter(each => each.type === type.type))
      for (const member of type.secrets)
        t.notOk(JSON.stringify(schema).includes(`"${member}"`), `${name}: the schema of the feed promises no ${member}`)
  }
})

t.test('none of them is in anything that a service or its command line says', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, {}, { folder })
  const api = await openApi(app.url)
  const admin = await signIn({ app, api, folder }, 'boss', 'admin')
  const one = await signIn({ app, api, folder }, 'one', 'contributor')
  const must = async (method: string, path: string, as: string | undefined, body: JsonObject) => {
    const answer = await api(method, path, { body, ...defined({ as }) })
    t.ok(answer.status < 300, `${method} ${path} ${answer.text}`)
    return answer
  }
  await must('POST', '/v1/accounts', undefined, { email: 'new@dictionary.example' })
  const asked = await must('POST', '/v1/password-resets', undefined, { email: 'one@dictionary.example' })
  const events = `/v1/events?correlationId=${asked.headers.get('x-request-id')}`
  await askUntil(
    'the wish for a link in the log',
    () => api('GET', events, { as: admin.token }),
    ({ text }) => text.includes('PasswordResetRequested'),
  )
  const { json } = await must('POST', '/v1/me/totp', one.token, {})
  const wish = await must('DELETE', '/v1/me', one.token, { content: 'kept' })
  const headers = { accept: 'application/x-ndjson', 'sync-token': wish.headers.get('sync-token') ?? '' }
  const said: Record<string, string> = {}
  said['history'] = (await api('GET', '/v1/events', { as: admin.token, headers })).text
  said['pages'] = (await api('GET', '/v1/events?category=address&limit=100', { as: admin.token })).text
  said['own data'] = (await api('GET', '/v1/me/export', { as: one.token })).text
  said['own acts'] = (await api('GET', '/v1/me/activity?limit=100', { as: one.token })).text
  said['accounts'] = (await api('GET', '/v1/accounts?limit=100', { as: admin.token })).text
  said['figures'] = (await api('GET', '/v1/analytics', { as: admin.token })).text
  for (const line of [['export'], ['verify'], ['projections'], ['token', 'list'], ['jobs', 'list'], ['doctor']]) {
    const { out, err } = await whileTimeGoes(app, line.join(' '), runLine(folder, [...line, '--json'], app.program))
    said[line.join(' ')] = out + err
  }
  t.match(said['history'], /"PasswordResetRequested"/)
  t.match(said['history'], /"TotpOffered"/)
  t.match(said['own data'], /"ErasureRequested"/)
  const SECRET = /\$argon2id|"(?:password|secret|hashes|hash|linkHash)":/
  for (const [who, text] of Object.entries(said)) {
    t.notMatch(text, SECRET, who)
    t.notOk(text.includes(String(json['secret'])), who)
  }
})
