/** A client that checks every answer against the service's own OpenAPI document. */
import { Compile } from 'typebox/schema'
import { defined } from '../../src/domain/defined.ts'
import { until } from './until.ts'

export type Sent = {
  readonly body?: unknown
  /** Sent as it is, whatever it is. */
  readonly raw?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
  /** An access token. */
  readonly as?: string
}

export type Received = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON, undefined when it is none. */
  readonly json: Record<string, unknown>
  /** The code of a problem. */
  readonly code: unknown
}

export type Api = {
  (method: string, path: string, sent?: Sent): Promise<Received>
  /** What answers did not agree with the document. */
  readonly faults: string[]
  /** The codes of all problems seen. */
  readonly codes: Set<string>
  readonly document: OpenApi
}

type Media = {
  readonly schema?: unknown
  readonly example?: unknown
  readonly examples?: Record<string, { value: unknown }>
}
export type Operation = {
  readonly operationId: string
  readonly 'x-permission'?: string
  readonly 'x-example'?: unknown
  readonly parameters?: readonly {
    readonly in: string
    readonly name: string
    readonly example?: string
    readonly schema?: unknown
  }[]
  readonly requestBody?: { readonly content: Record<string, Media> }
  readonly responses: Record<
    string,
    { readonly headers?: Record<string, unknown>; readonly content?: Record<string, Media> }
  >
}
export type OpenApi = {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: { readonly schemas: Record<string, unknown> }
}

const isOpenApi = (value: unknown): value is OpenApi =>
  typeof value === 'object' && value !== null && 'paths' in value && 'components' in value

const parse = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

type Check = (value: unknown) => string

/** The names of the schemas that one leads to. */
const namesIn = (document: OpenApi, text: string, found: Set<string> = new Set()): ReadonlySet<string> => {
  for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/([^"]+)/g)) {
    if (found.has(name)) continue
    found.add(name)
    namesIn(document, JSON.stringify(document.components.schemas[name]), found)
  }
  return found
}

const compile = (document: OpenApi, text: string): Check => {
  const names = [...namesIn(document, text)]
  const schemas = Object.fromEntries(names.map(name => [name, document.components.schemas[name]]))
  const whole = `{"allOf":[${text}],"$defs":${JSON.stringify(schemas)}}`
  const local: unknown = JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/'))
  const check = Compile(typeof local === 'object' && local !== null ? local : {})
  return value => (check.Check(value) ? '' : JSON.stringify(check.Errors(value)[1]).slice(0, 600))
}

/** Compiled once each: most answers of a document are of a few schemas. */
const compiled = new WeakMap<OpenApi, Map<string, Check>>()

/** Faults of a value against a schema of the document. */
export const schemaFaults = (document: OpenApi, schema: unknown, value: unknown): string => {
  const checks = compiled.get(document) ?? new Map<string, Check>()
  compiled.set(document, checks)
  const text = JSON.stringify(schema)
  const check = checks.get(text) ?? compile(document, text)
  checks.set(text, check)
  return check(value)
}

type Address = { readonly pattern: RegExp; readonly methods: Readonly<Record<string, Operation>> }

/** The addresses of a document, a path of its own before one with parameters, as the router has it. */
const addressesOf = (document: OpenApi): readonly Address[] =>
  Object.entries(document.paths)
    .toSorted(([a], [b]) => a.split('{').length - b.split('{').length)
    .map(([path, methods]) => ({
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
      methods,
    }))
/** Worked out once each: a file asks thousands of times. */
const addresses = new WeakMap<OpenApi, readonly Address[]>()

const operationOf = (document: OpenApi, method: string, path: string): Operation | undefined => {
  const known = addresses.get(document) ?? addressesOf(document)
  addresses.set(document, known)
  const [plain = ''] = path.split('?')
  return known.find(({ pattern }) => pattern.test(plain))?.methods[method.toLowerCase()]
}

const agree = (document: OpenApi, method: string, path: string, status: number, type: string, text: string): string => {
  const operation = operationOf(document, method === 'HEAD' ? 'GET' : method, path)
  if (!operation || status === 304 || method === 'HEAD') return ''
  const response = operation.responses[status]
  if (!response) return `${operation.operationId}: the status ${status} is not in the document: ${text.slice(0, 200)}`
  const media = response.content?.[type.split(';')[0] ?? '']
  if (!media) return text === '' ? '' : `${operation.operationId} ${status}: the type ${type} is not in the document`
  if (!type.includes('json') || type.includes('ndjson')) return ''
  const { code } = parse(text)
  if (type.startsWith('application/problem') && typeof code === 'string' && !media.examples?.[code])
    return `${operation.operationId} ${status}: the problem ${code} is not in the document`
  const faults = schemaFaults(document, media.schema, JSON.parse(text))
  return faults && `${operation.operationId} ${status}: ${faults}`
}

/** Asks until the answer holds: for what is written beside an answer that was given, or after it. */
export const askUntil = (
  what: string,
  ask: () => Promise<Received>,
  holds: (answer: Received) => boolean,
): Promise<Received> =>
  until(what, async saw => {
    const answer = await ask()
    saw(answer.text)
    return holds(answer) && answer
  })

export const openApi = async (url: string): Promise<Api> => {
  const document = await (await fetch(`${url}/v1/openapi.json`)).json()
  if (!isOpenApi(document)) throw new Error('there is no OpenAPI document')
  const faults: string[] = []
  const codes = new Set<string>()
  let written: string | undefined
  const send = async (method: string, path: string, sent: Sent = {}): Promise<Received> => {
    const body = sent.raw ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body))
    const headers = {
      ...defined({ 'content-type': body === undefined ? undefined : 'application/json' }),
      // What is asked sees what this client wrote before: what it read, and what its caller may do.
      ...defined({ 'sync-token': written }),
      ...defined({ authorization: sent.as === undefined ? undefined : `Bearer ${sent.as}` }),
      ...sent.headers,
    }
    const response = await fetch(url + path, {
      method,
      headers,
      redirect: 'manual',
      ...defined({ body }),
    })
    const text = await response.text()
    if (method !== 'GET' && method !== 'HEAD') written = response.headers.get('sync-token') ?? written
    const json = parse(text)
    const type = response.headers.get('content-type') ?? ''
    const fault = agree(document, method, path, response.status, type, text)
    if (fault) faults.push(fault)
    const documented = operationOf(document, method, path)?.responses[response.status]
    const due = documented === undefined || 'Sync-Token' in (documented.headers ?? {})
    // The static page to read the document at is no answer of the interface.
    const isPage = documented === undefined && path.startsWith('/docs')
    if (!isPage && response.headers.has('sync-token') !== due)
      faults.push(`${method} ${path} ${response.status}: ${due ? 'no' : 'an undocumented'} Sync-Token`)
    const code = response.status >= 400 ? json['code'] : undefined
    if (typeof code === 'string') codes.add(code)
    return { status: response.status, headers: response.headers, text, json, code }
  }
  return Object.assign(send, { faults, codes, document })
}
