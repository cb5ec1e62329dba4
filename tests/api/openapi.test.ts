/** The OpenAPI document: valid, complete, and each of its examples sent. */
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { exampleId } from '../../src/adapters/http/examples.ts'
import { defined } from '../../src/domain/defined.ts'
import { formOf } from '../../src/domain/forms.ts'
import { type Operation, openApi, schemaFaults } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'

const app = await openTestApp(t, { LEXICHRON_SECURITY_CONTACT: 'mailto:security@dictionary.example' })
const api = await openApi(app.url)
const { document } = api
const contributor = await app.token('contributor', 'author')
const editor = await app.token('editor')
const moderator = await app.token('moderator')
const auditor = await app.token('auditor')
const admin = await app.token('admin')
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)

t.test('the document is valid OpenAPI 3.1 with named schemas', async t => {
  const raw: unknown = await (await fetch(`${app.url}/v1/openapi.json`)).json()
  const { valid, errors } = await new Validator().validate(typeof raw === 'object' && raw !== null ? { ...raw } : {})
  t.ok(valid, JSON.stringify(errors))
  t.match(raw, { openapi: '3.1.0' })
  for (const name of ['Entry', 'EntryDraft', 'EntryEdit', 'Problem', 'EntryPage'])
    t.ok(document.components.schemas[name], name)
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'operation ids are unique')
})

t.test('every request and answer has an example that its schema takes', async t => {
  for (const { operation } of operations) {
    const { operationId, requestBody, responses } = operation
    for (const { schema, example } of Object.values(requestBody?.content ?? {})) {
      t.not(example, undefined, `${operationId}: the body has no example`)
      t.equal(schemaFaults(document, schema, example), '', `${operationId}: body`)
    }
    for (const [status, { content }] of Object.entries(responses))
      for (const { schema, example, examples } of Object.values(content ?? {})) {
        const all = example === undefined ? Object.values(examples ?? {}).map(({ value }) => value) : [example]
        t.ok(all.length > 0, `${operationId} ${status}: no example`)
        for (const each of all) t.equal(schemaFaults(document, schema, each), '', `${operationId} ${status}`)
      }
  }
})

t.test('what a text has to be is said in words, of each form that the document has', t => {
  const patterns = new Set<string>()
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'pattern' && typeof inner === 'string') patterns.add(inner)
      look(inner)
    }
  }
  look(document)
  t.ok(patterns.size >= 5)
  for (const pattern of patterns) t.not(formOf(pattern), formOf('something'), pattern)
  t.end()
})

type Schema = { readonly [member: string]: unknown }
const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null
/** Every schema that a client's value is held against, with where it stands; references are followed once. */
const schemasIn = function* (
  value: unknown,
  path: string,
  seen: ReadonlySet<string> = new Set(),
): Generator<[string, Schema]> {
  if (!isSchema(value)) return
  const ref = value['$ref']
  if (typeof ref === 'string') {
    const name = ref.replace('#/components/schemas/', '')
    if (!seen.has(name))
      yield* schemasIn(document.components.schemas[name], `${path}>${name}`, new Set([...seen, name]))
    return
  }
  yield [path, value]
  for (const each of ['anyOf', 'oneOf', 'allOf', 'prefixItems'])
    for (const [n, part] of Object.entries(Object(value[each]))) yield* schemasIn(part, `${path}/${each}/${n}`, seen)
  for (const each of ['properties', 'patternProperties'])
    for (const [name, part] of Object.entries(Object(value[each]))) yield* schemasIn(part, `${path}/${name}`, seen)
  for (const each of ['items', 'additionalProperties', 'propertyNames'])
    yield* schemasIn(value[each], `${path}/${each}`, seen)
}
// Texts are bounded by the domain, in characters (text-invalid), and by the size of a body.
const bounded = ({ type, ...rest }: Schema): boolean =>
  type === 'array'
    ? 'maxItems' in rest || (rest['uniqueItems'] === true && 'enum' in Object(rest['items']))
    : type !== 'object' || rest['additionalProperties'] === false || 'maxProperties' in rest

t.test('what clients send is bounded: no unknown members, no list without an end', t => {
  let looked = 0
  for (const { operation } of operations) {
    const { operationId, requestBody, parameters = [] } = operation
    const bodies = Object.values(requestBody?.content ?? {}).map(({ schema }) => ['body', schema] as const)
    for (const [from, schema] of [...bodies, ...parameters.map(each => [each.name, each.schema] as const)])
      for (const [path, each] of schemasIn(schema, `${operationId}: ${from}`)) {
        looked += 1
        t.ok(bounded(each), `${path} is bounded: ${JSON.stringify(each).slice(0, 200)}`)
      }
  }
  t.ok(looked > 200, `${looked} schemas`)
  t.notOk(bounded({ type: 'array', items: {} }) || bounded({ type: 'object' }))
  t.end()
})

/** The examples in an order in which each finds what it speaks of, and who sends it. */
const story: readonly (readonly [operationId: string, as: string | undefined, headers?: Record<string, string>])[] = [
  // Its id makes the id of the event that the history's example names.
  ['draft-entry', contributor, { 'idempotency-key': 'example' }],
  ['edit-entry', contributor, { 'if-match': '*' }],
  ['submit-entry', contributor],
  ['return-entry', editor],
  ['take-over-entry', editor],
  ['publish-entry', editor, { 'if-match': '*' }],
  ['get-entry', undefined],
  ['list-entries', undefined],
  ['entry-history', undefined],
  ['search-entries', undefined],
  ['suggest-entries', undefined],
  ['random-entry', undefined],
  ['word-of-the-day', undefined],
  ['export-entries', undefined],
  ['read-events', auditor],
  ['read-event', auditor],
  ['read-stream', auditor],
  ['metrics', auditor],
  ['revert-entry', editor, { 'if-match': '*' }],
  ['retire-entry', editor],
  ['restore-entry', editor],
  ['redact-entry', moderator],
  ['analytics', auditor],
  ['welcome', undefined],
  ['health-live', undefined],
  ['health-ready', undefined],
  ['health', undefined],
  ['jwks', undefined],
  ['security-text', undefined],
  ['list-roles', undefined],
  ['explain-problem', undefined],
  ['openapi', undefined],
  ['asyncapi', undefined],
  ['live-page', undefined],
  ['create-live-ticket', editor],
  ['sign-up', undefined],
  ['resend-verification', undefined],
  ['request-password-reset', undefined],
  ['account-verify-page', undefined],
  ['account-reset-page', undefined],
  ['account-openid-page', undefined],
  ['list-openid-providers', undefined],
  ['account-keep-page', undefined],
  ['receipt-keys', undefined],
  ['account-email-page', undefined],
  ['account-revert-page', undefined],
  ['list-accounts', admin],
  ['add-block', admin],
  ['list-blocks', admin],
  ['list-stories', undefined],
  ['list-tags', undefined],
]
/** They do not end: tests/ws asks for them. */
const endless = ['live', 'live-channel']
/** They need an account, or a secret that was in a mail: tests/api/accounts.test.ts, factors.test.ts and profiles.test.ts send them. */
const personal = [
  'verify-email',
  'reset-password',
  'sign-in',
  'refresh',
  'sign-out',
  'list-sessions',
  'end-session',
  'end-other-sessions',
  'me',
  'my-permissions',
  'change-password',
  'change-email',
  'confirm-email',
  'revert-email',
  'step-up',
  'my-totp',
  'offer-totp',
  'confirm-totp',
  'remove-totp',
  'make-recovery-codes',
  'my-activity',
  'export-me',
  'erase-me',
  'keep-me',
  'keep-me-by-link',
  'receipt',
  'passkey-sign-in-options',
  'passkey-step-up-options',
  'passkey-options',
  'add-passkey',
  'list-passkeys',
  'remove-passkey',
  'edit-profile',
  'my-preferences',
  'change-preferences',
  'grant-role',
  'take-role',
  'suspend-account',
  'reinstate-account',
  'end-account-sessions',
  'end-account-session',
]
/** They speak of a story, and of a shelf that only an account has: tests/api/shelf.test.ts and story-files.test.ts send them. */
const kept = [
  'bookmark-story',
  'remove-bookmark',
  'my-bookmarks',
  'story-bookmarks',
  'subscribe',
  'unsubscribe',
  'my-subscriptions',
  'mark-progress',
  'forget-progress',
  'my-reading-progress',
  'begin-reading-list',
  'edit-reading-list',
  'order-reading-list',
  'delete-reading-list',
  'my-reading-lists',
  'get-reading-list',
  'story-feed',
  'author-feed',
  'tag-feed',
  'export-story',
]
/** They need an account, and a story of its own: tests/api/stories.test.ts. */
const written = [
  'begin-story',
  'edit-story',
  'publish-story',
  'unpublish-story',
  'complete-story',
  'reopen-story',
  'schedule-story',
  'cancel-schedule',
  'order-chapters',
  'delete-story',
  'invite-author',
  'withdraw-invitation',
  'accept-invitation',
  'decline-invitation',
  'leave-story',
  'orphan-story',
  'get-story',
  'own-stories',
  'own-invitations',
  'story-history',
  'begin-series',
  'edit-series',
  'order-series',
  'delete-series',
  'get-series',
]
/** They need a provider: tests/api/openid.test.ts. */
const provided = [
  'start-openid',
  'finish-openid',
  'my-identities',
  'link-identity',
  'unlink-identity',
  'finish-openid-by-code',
]
/** Their ids are keyed: tests/api/blocks.test.ts and accounts.test.ts. */
const keyed = ['get-block', 'remove-block', 'read-account', 'read-profile', 'list-account-sessions', 'account-activity']
/** The status of what went well, as the document has it; where a dry run is offered, 200 is the dry run's. */
const success = ({ responses }: Operation): number =>
  Number(['201', ...Object.keys(responses)].find(each => each.startsWith('2') && responses[each]))

/** The example's address, with its parameters filled in. */
const addressOf = (path: string, { parameters = [] }: Operation): string => {
  const given = parameters.filter(each => each.example !== undefined)
  const filled = given
    .filter(each => each.in === 'path')
    .reduce((address, { name, example = '' }) => address.replace(`{${name}}`, example), path)
  const query = new URLSearchParams()
  for (const { name, example = '' } of given.filter(each => each.in === 'query')) query.set(name, example)
  return query.size > 0 ? `${filled}?${query}` : filled
}

t.test('every example is sent, and answered as the document says', async t => {
  t.same(
    operations
      .map(({ operation }) => operation.operationId)
      .filter(id => ![...endless, ...personal, ...keyed, ...provided, ...kept, ...written].includes(id))
      .toSorted(),
    story.map(([id]) => id).toSorted(),
    'each operation has its place in the story',
  )
  let sync = ''
  for (const [id, as, more = {}] of story) {
    const found = operations.find(({ operation }) => operation.operationId === id)
    if (!found) continue
    const { method, path, operation } = found
    const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
    const answer = await api(method, addressOf(path, operation), {
      ...defined({ as }),
      ...(media && { body: media.example }),
      headers: { ...defined({ 'content-type': type }), ...(sync && { 'sync-token': sync }), ...more },
    })
    t.equal(answer.status, success(operation), `${id}: ${answer.text.slice(0, 200)}`)
    if (id === 'draft-entry') t.equal(answer.json['id'], exampleId, 'the id of the examples is the id of their entry')
    sync = answer.headers.get('sync-token') ?? sync
  }
  t.same(api.faults, [])
})

t.test('the page to read it at loads nothing from elsewhere', async t => {
  const page = await fetch(`${app.url}/docs`)
  t.match(page.headers.get('content-type'), 'text/html')
  const policy = page.headers.get('content-security-policy') ?? ''
  t.match(policy, /script-src 'self';/)
  t.notMatch(policy, /unsafe|https:|\*/)
  const html = await page.text()
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '')
  t.ok(files.length >= 5)
  for (const file of files) {
    t.ok(file.startsWith('/docs/'), file)
    t.equal((await fetch(app.url + file)).status, 200, file)
  }
})
