/** Requests as the guides write them, `POST /v1/stories/{id}/publish   If-Match: "..."   {"json": "body"}`, sent in their order. */
import { defined } from '../../src/domain/defined.ts'
import { ask, NOT_YET } from './nodes.ts'

const REQUEST = /^(GET|POST|PUT|PATCH|DELETE) (\/\S+)[ ]*(If-Match: \S+)?[ ]*(\{.*\})?[ ]*(?:by (.+))?$/
const ANSWER = /^-> (\d{3})/

type Request = {
  readonly method: string
  readonly path: string
  readonly needsRevision: boolean
  readonly body?: Readonly<Record<string, unknown>>
  /** Who sends it, where that is somebody else. */
  readonly by?: string
  /** What the guide says of the answer, where it says something. */
  readonly status?: number
}

/** The requests of a block. @throws on a line that is none and no answer */
const read = (block: string): readonly Request[] => {
  const requests: Request[] = []
  for (const line of block.split('\n')) {
    const [said = '', answer = ''] = line.startsWith('->') ? ['', line] : line.split(/ +(?=-> )/)
    const [, method, path, revision, body, by] = REQUEST.exec(said) ?? []
    if (method !== undefined && path !== undefined)
      requests.push({
        method,
        path,
        needsRevision: revision !== undefined,
        ...defined({ body: body === undefined ? undefined : JSON.parse(body), by }),
      })
    const status = ANSWER.exec(answer)?.[1]
    const last = requests.pop()
    if (last) requests.push({ ...last, ...defined({ status: status === undefined ? undefined : Number(status) }) })
    // What follows an answer in more lines is its headers.
    if (method === undefined && status === undefined && !/^(?: +\S.*)?$/.test(line))
      throw new Error(`no request: ${line}`)
  }
  return requests
}

export type Answered = { readonly status: number; readonly json: Readonly<Record<string, unknown>> }

export type Sender = {
  readonly url: string
  /** The access token of whom the guide speaks to, and of the others it names. */
  token(by: string | undefined): string | undefined
  /** What stands where the guide has `{name}` or `"name": "..."`. */
  readonly values: Map<string, string>
  /** Is told of each answer, in the order of the requests. */
  onAnswer(request: string, answered: Answered): void
}

/** Sends all of them, each after the answer to the one before. */
export const sendAll = async (block: string, { url, token, values, onAnswer }: Sender): Promise<void> => {
  let sync: string | undefined
  for (const { method, path, needsRevision, body, by, status } of read(block)) {
    const at = url + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? name)
    const bearer = token(by)
    const who = defined({ authorization: bearer === undefined ? undefined : `Bearer ${bearer}`, 'sync-token': sync })
    const revision = needsRevision ? (await ask(at, { headers: who }, NOT_YET)).headers.get('etag') : undefined
    const filled = Object.entries(body ?? {}).map(([name, value]) => [name, value === '...' ? values.get(name) : value])
    const headers = {
      ...who,
      ...defined({ 'if-match': revision ?? undefined }),
      'content-type': 'application/json',
      // As a browser says of a page of the service's own.
      'sec-fetch-site': 'same-origin',
    }
    const sent = { method, headers, ...defined({ body: body && JSON.stringify(Object.fromEntries(filled)) }) }
    const answer = await ask(at, sent, NOT_YET)
    sync = answer.headers.get('sync-token') ?? sync
    if (status === undefined ? answer.status >= 300 : answer.status !== status)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    onAnswer(`${method} ${path}`, { status: answer.status, json: Object(JSON.parse(answer.text || '{}')) })
  }
}
