/** The OpenAPI document: valid, complete, and each of its examples sent. */
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { exampleId } from '../../src/adapters/http/examples.ts'
import { areas } from '../../src/app/areas.ts'
import { roleRightsOf } from '../../src/app/declared.ts'
import { defined } from '../../src/domain/defined.ts'
import { formOf } from '../../src/domain/forms.ts'
import { type Role, roles } from '../../src/domain/roles.ts'
import { type Operation, openApi, schemaFaults } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'

const app = await openTestApp(t, { LEXICHRON_SECURITY_CONTACT: 'mailto:security@dictionary.example' })
const api = await openApi(app.url)
const { document } = api
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

type Example = {
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly after?: string
  readonly isLast?: boolean
  readonly needs?: string
}
const exampleOf = ({ 'x-example': example }: Operation): Example => Object(example)
const tried = operations.filter(({ operation }) => exampleOf(operation).needs === undefined)

/** In the order of the document, each after the one that makes what it speaks of. */
const inOrder = (left: typeof tried, sent: readonly string[] = []): typeof tried => {
  const isReady = ({ operation }: (typeof tried)[number]): boolean => {
    const { after, isLast = false } = exampleOf(operation)
    return (
      (after === undefined || sent.includes(after)) &&
      (!isLast || left.every(other => exampleOf(other.operation).isLast))
    )
  }
  const next = left.find(isReady)
  if (!next) return left
  const rest = left.filter(other => other !== next)
  return [next, ...inOrder(rest, [...sent, next.operation.operationId])]
}

const roleRights = roleRightsOf(areas)
/** Whom the declaration names, else the first of the roles that may; undefined: a stranger. */
const senderOf = (operation: Operation): Role | undefined => {
  const permission = operation['x-permission']
  const may = (rights: ReadonlySet<string>): boolean => permission === undefined || rights.has(permission)
  const { as } = exampleOf(operation)
  if (as !== undefined) return roles.find(role => role === as)
  return may(roleRights.strangers) ? undefined : roles.find(role => may(roleRights.of(role)))
}
const tokens = new Map<Role, string>()
const tokenFor = async (role: Role): Promise<string> => {
  const token = tokens.get(role) ?? (await app.token(role, role === 'contributor' ? 'author' : role))
  tokens.set(role, token)
  return token
}

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
  const ordered = inOrder(tried)
  t.ok(ordered.length > 45, `${ordered.length} examples`)
  t.equal(
    new Set(ordered.map(({ operation }) => senderOf(operation))).size,
    1 + roles.length,
    'strangers and each role send some',
  )
  let sync = ''
  for (const { method, path, operation } of ordered) {
    const { operationId: id } = operation
    const { headers: more = {} } = exampleOf(operation)
    const sender = senderOf(operation)
    const as = sender && (await tokenFor(sender))
    const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
    const answer = await api(method, addressOf(path, operation), {
      ...defined({ as }),
      ...defined({ body: media ? media.example : undefined }),
      headers: { ...defined({ 'content-type': type }), ...defined({ 'sync-token': sync ? sync : undefined }), ...more },
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
  const files = [...html.matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '')
  t.ok(files.length >= 5)
  for (const file of files) {
    t.ok(file.startsWith('/docs/'), file)
    t.equal((await fetch(app.url + file)).status, 200, file)
  }
})
