/** The OpenAPI document: valid, complete, and each of its examples sent. */
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { exampleId } from '../../src/adapters/http/examples.ts'
import { type Operation, openApi, schemaFaults } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)
const { document } = api
const contributor = await app.token('contributor', 'author')
const editor = await app.token('editor')
const moderator = await app.token('moderator')
const auditor = await app.token('auditor')
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
  ['list-roles', undefined],
  ['explain-problem', undefined],
  ['openapi', undefined],
  ['asyncapi', undefined],
  ['live-page', undefined],
  ['create-live-ticket', editor],
]
/** They do not end: tests/ws asks for them. */
const endless = ['live', 'live-channel']
/** Those that make something. */
const creating = ['draft-entry', 'create-live-ticket']

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
      .filter(id => !endless.includes(id))
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
      ...(as !== undefined && { as }),
      ...(media && { body: media.example }),
      headers: { ...(type !== undefined && { 'content-type': type }), ...(sync && { 'sync-token': sync }), ...more },
    })
    t.equal(answer.status, creating.includes(id) ? 201 : 200, `${id}: ${answer.text.slice(0, 200)}`)
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
