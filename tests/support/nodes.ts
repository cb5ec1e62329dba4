/** Several services on one data folder: load that survives their deaths, and what has to be true afterwards. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Test } from 'tap'
import type { App } from '../../src/adapters/cli/app-port.ts'
import { openApp } from '../../src/app/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { defined } from '../../src/domain/defined.ts'
import type { Role } from '../../src/domain/roles.ts'
import type { Lease } from '../../src/ports/read-store.ts'
import { delays } from './delays.ts'
import { environmentFor, type Service } from './service.ts'
import { until } from './until.ts'

/** What is asked over HTTP, in whichever process it is. */
export type Node = Pick<Service, 'url'>

/** Does something with the data folder as one more process on it: this one. */
export const asNode = async <T>(
  folder: string,
  work: (app: App) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> => {
  const app = await openApp(loadConfig(environmentFor(folder, env), folder), {
    purpose: 'work',
    version: '0.0.0',
    ...delays,
  })
  try {
    return await work(app)
  } finally {
    await app.close()
  }
}

/** A new access token. */
export const tokenOf = (
  folder: string,
  role: Role = 'editor',
  name: string = role,
  env: Readonly<Record<string, string>> = {},
): Promise<string> =>
  asNode(
    folder,
    async app => {
      const issued = await app.tokens.create({ role, for: name, lifeMs: 3_600_000 })
      if ('refused' in issued) throw new Error(issued.detail)
      return issued.token
    },
    env,
  )

/** A file of so many entries, to import: `imported 0` and on, with `more` in each gloss. */
export const wordsFile = (folder: string, count: number, more = ''): string => {
  const path = join(folder, 'words.ndjson')
  const line = (n: number): string =>
    JSON.stringify({
      language: 'en',
      lemma: `imported ${n}`,
      partOfSpeech: 'noun',
      licence: 'CC0-1.0',
      senses: [{ gloss: `sense ${n}${more}` }],
    })
  writeFileSync(path, Array.from({ length: count }, (_, n) => `${line(n)}\n`).join(''))
  return path
}

/** The log with that many imported entries. */
export const importWords = (folder: string, count: number, more = ''): Promise<void> =>
  asNode(folder, async app => {
    const { signal } = new AbortController()
    const options = { signal, strict: true, onProgress: () => undefined, onFault: () => undefined }
    const done = await app.import('ndjson', wordsFile(folder, count, more), options)
    if ('refused' in done) throw new Error(done.detail)
  })

export type Answered = { readonly id: string; readonly revision: string; readonly sync: string }

/** Sends one draft and waits for its answer, with `patience` for so many milliseconds. */
export const draft = (
  url: string,
  token: string,
  key: string,
  lemma: string,
  { patience, gloss = `the meaning of ${lemma}` }: { readonly patience?: number; readonly gloss?: string } = {},
): Promise<Response> =>
  fetch(`${url}/v1/entries`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': key.replaceAll(' ', '-'),
    },
    body: JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss }] }),
    ...defined({ signal: patience === undefined ? undefined : AbortSignal.timeout(patience) }),
  })

/** What a client waits for an answer before it asks the next node, and for the next try. */
const PATIENCE_MS = 3_000
const PAUSE_MS = 50

/** Drafts and insists: again with the same key, on the next node, until it is answered. `retries` tells how often. */
export const insist = async (
  urls: () => readonly string[],
  token: string,
  key: string,
  lemma: string,
  { patience = PATIENCE_MS, from = 0, ended = (): boolean => false } = {},
): Promise<(Answered & { readonly retries: number }) | undefined> => {
  for (let retries = 0; ; retries += 1) {
    const all = urls()
    const url = all[(from + retries) % all.length] ?? ''
    const text = await draft(url, token, key, lemma, { patience }).then(
      async response => ({
        status: response.status,
        sync: response.headers.get('sync-token'),
        body: await response.text(),
      }),
      () => undefined,
    )
    // One whose log went away before it was told where it stands comes without a token; asked again it is told with one.
    if (text?.status === 201 && text.sync !== null) {
      const { id, revision }: { id: string; revision: string } = JSON.parse(text.body)
      return { id, revision, sync: text.sync, retries }
    }
    // A refusal for good would be a fault of the test, or of the service.
    if (text && ![201, 409, 503].includes(text.status)) throw new Error(`${text.status}: ${text.body}`)
    if (ended()) return undefined
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
}

export type Load = {
  readonly answered: readonly Answered[]
  /** How many commands had to be sent again. */
  retried(): number
  /** Waits until so many more are answered. */
  more(count: number): Promise<void>
  /** Every command that was begun is insisted upon until it is answered. */
  stop(): Promise<void>
}

/** Between two commands of a client. */
const BETWEEN_MS = 5

let loads = 0

/** Clients that draft entries, spread over the nodes; `urls` is asked for each request, so that it may change. */
export const startLoad = (urls: () => readonly string[], token: string, clients = 8): Load => {
  loads += 1
  const name = `load${loads}`
  const answered: Answered[] = []
  let retried = 0
  let stopped = false
  let failed: unknown
  const client = async (n: number): Promise<void> => {
    for (let i = 0; !stopped && failed === undefined; i += 1) {
      const lemma = `${name} ${n} ${i}`
      const done = await insist(urls, token, lemma, lemma, { from: n })
      if (!done) return
      answered.push(done)
      if (done.retries > 0) retried += 1
      // Every process has work all the time, and the checks afterwards little.
      await new Promise(resolve => setTimeout(resolve, BETWEEN_MS))
    }
  }
  const all = Promise.all(
    Array.from({ length: clients }, (_, n) =>
      client(n).catch((error: unknown) => {
        failed ??= error
      }),
    ),
  )
  return {
    answered,
    retried: () => retried,
    more: async count => {
      const goal = answered.length + count
      await until(`${count} more answers`, saw => {
        if (failed !== undefined) throw failed
        saw(`${answered.length} of ${goal} answers`)
        return answered.length >= goal
      })
    },
    stop: async () => {
      stopped = true
      await all
      if (failed !== undefined) throw failed
    },
  }
}

export type LogRow = {
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly id: string
}

/** The log as it lies in the file. */
export const logOf = (folder: string): readonly LogRow[] => {
  const db = new DatabaseSync(join(folder, 'events.db'), { readOnly: true, timeout: 5_000 })
  try {
    const rows = db.prepare('SELECT position, name AS stream, revision, id FROM events ORDER BY position').all()
    return rows.map(row => ({
      position: Number(row['position']),
      stream: String(row['stream']),
      revision: Number(row['revision']),
      id: String(row['id']),
    }))
  } finally {
    db.close()
  }
}

/** Who holds the lease of each consumer, by the read store's file. */
export const leasesOf = (folder: string): ReadonlyMap<string, Lease> => {
  const db = new DatabaseSync(join(folder, 'read.db'), { readOnly: true, timeout: 5_000 })
  try {
    const rows = db.prepare("SELECT name, value FROM record WHERE name LIKE 'lease:%'").all()
    return new Map(rows.map(row => [String(row['name']), JSON.parse(String(row['value']))]))
  } finally {
    db.close()
  }
}

/** Can the read store be written, or does a process that was stopped hold SQLite's lock on it? */
export const readsWritable = (folder: string): boolean => {
  const db = new DatabaseSync(join(folder, 'read.db'), { timeout: 1_000 })
  try {
    db.exec('BEGIN IMMEDIATE')
    db.exec('ROLLBACK')
    return true
  } catch {
    return false
  } finally {
    db.close()
  }
}

/** Does the lease's owner name this process? */
export const isHeldBy = (lease: { readonly owner: string } | undefined, { pid }: { readonly pid: number }): boolean =>
  lease?.owner.split('/').at(-2) === String(pid)

/** Every answered draft is in the log exactly once, at the revision that was answered, and no event is there twice. */
export const checkLog = (t: Test, folder: string, answered: readonly Answered[]): void => {
  const log = logOf(folder)
  const places = new Map<string, LogRow[]>()
  for (const row of log) places.set(row.stream, [...(places.get(row.stream) ?? []), row])
  t.equal(new Set(log.map(({ id }) => id)).size, log.length, 'no event is there twice')
  const wrong = answered.filter(({ id, revision }) => {
    const rows = places.get(`entry-${id}`) ?? []
    return rows.length !== 1 || String(rows[0]?.revision) !== revision
  })
  t.same(wrong, [], `${answered.length} answered commands are there once`)
}

export type Answer = { readonly status: number; readonly text: string; readonly headers: Headers }

const BEHIND = /"code":"projection-behind"/
export const NOT_YET = /"code":"projection-(?:behind|building)"/

/** Asks again while the answer is a 503 that is to be waited out: by default that a busy machine folds late. */
export const ask = (url: string, init: RequestInit = {}, waited: RegExp = BEHIND): Promise<Answer> =>
  until(`an answer from ${url}`, async saw => {
    const response = await fetch(url, init)
    const text = await response.text()
    saw(text)
    return (
      !(response.status === 503 && waited.test(text)) && { status: response.status, text, headers: response.headers }
    )
  })

type Page = { readonly items: readonly unknown[]; readonly next: string | null }

/** Undefined when the read model was replaced since the page before. */
const pageOf = async (url: string, headers: Readonly<Record<string, string>>): Promise<Page | undefined> => {
  const { status, text } = await ask(url, { headers }, /./)
  if (status === 410) return undefined
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return JSON.parse(text)
}

/** All entries as a node lists them, drafts and published ones, with everything in it that the token says. */
export const listOf = async (url: string, token: string, sync?: string): Promise<readonly unknown[]> => {
  const headers = { authorization: `Bearer ${token}`, ...defined({ 'sync-token': sync }) }
  const items: unknown[] = []
  for (const status of ['draft', 'published'])
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await pageOf(`${url}/v1/entries?status=${status}&limit=100${cursor}`, headers)
      if (!page) return listOf(url, token, sync)
      items.push(...page.items)
      cursor = page.next === null ? null : `&cursor=${encodeURIComponent(page.next)}`
    }
  return items
}

/** Waits until the node may be sent requests. */
export const ready = async (service: Node): Promise<void> => {
  await until(`${service.url} is ready`, async saw => {
    const response = await fetch(`${service.url}/health/ready`)
    saw(await response.text())
    return response.status === 200
  })
}

/**
 * What has to be true after every fault: the log has each answered command once, all nodes show the same, and the read
 * models are what a replay of the log gives.
 */
export const checkAll = async (
  t: Test,
  folder: string,
  nodes: readonly Node[],
  token: string,
  answered: readonly Answered[],
): Promise<void> => {
  checkLog(t, folder, answered)
  const last = nodes[0] && (await insist(() => nodes.map(({ url }) => url), token, `last ${loads}`, `last ${loads}`))
  loads += 1
  const lists = []
  for (const node of nodes) {
    await ready(node)
    lists.push(await listOf(node.url, token, last?.sync))
  }
  for (const list of lists.slice(1)) t.ok(JSON.stringify(list) === JSON.stringify(lists[0]), 'the nodes show the same')
  const entries = new Set(logOf(folder).flatMap(({ stream }) => (stream.startsWith('entry-') ? [stream] : []))).size
  if (lists[0]) t.equal(lists[0].length, entries, 'every entry of the log is listed')
  const signal = new AbortController().signal
  const { faults, projections } = await asNode(folder, async app => {
    // What lags behind is not compared: everything has to be there.
    await until('every read model to have all', async saw => {
      const all = await app.projections()
      saw(all.map(({ name, lag }) => `${name} ${lag}`))
      return all.every(({ lag }) => lag === '0')
    })
    return app.verify({ signal, onProgress: () => undefined })
  })
  t.same(faults, [], 'every event of the log is sound')
  for (const { name, different, differences } of projections)
    t.same({ different, differences }, { different: 0, differences: [] }, `${name} is what a replay gives`)
}
