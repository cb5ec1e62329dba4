/** Two nodes under load with listeners at each, and what has to be true of them after each fault. */
import type { Test } from 'tap'
import { listen } from './listener.ts'
import { type Answered, insist, listOf, ready } from './nodes.ts'
import { lexichron, type Service, startService, temporaryFolder } from './service.ts'
import { until } from './until.ts'

type Env = Readonly<Record<string, string>>

/** Each client waits so long between two commands: the checks afterwards are to be short. */
const PAUSE_MS = 150
const LOOK_MS = 250
const UNREACHABLE = 'unreachable'
/** How much of a node's log a failure shows, in characters. */
const LOG_TAIL = 6_000
/** An engine that is well is not called sick for longer; for a moment it may be, where a process was held up. */
const BLAMED_MS = 6_000

const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

type Parts = Readonly<Record<string, { readonly state: string; readonly detail?: { readonly state?: string } }>>

export type Fault = {
  readonly name: string
  /** Parts that a node has to name as not well while it lasts. */
  readonly said?: readonly string[]
  /** Engines that a node may name, as it comes upon them; no other one. */
  readonly may?: readonly string[]
  /** Causes it; it may last when this resolves. */
  readonly strike: () => Promise<void>
  /** Who has to do all the work before it is mended; every node when absent. */
  readonly survivors?: () => readonly Service[]
  readonly mend?: () => Promise<void>
}

export type Row = { readonly fault: string; readonly said: string; readonly moved: number; readonly answered: number }

export type Cluster = {
  readonly folder: string
  readonly nodes: readonly Service[]
  replace(at: number, more?: Env): Promise<Service>
  /** The node that works for this consumer, by its own health; it is one alone. */
  holder(consumer: string): Promise<number>
  /** Causes the fault, waits until the work is done by those who are left, mends, and checks everything. */
  row(fault: Fault): Promise<void>
  /** The events that the log has of drafts, as the history tells them. */
  drafts(): Promise<readonly { readonly id: string; readonly stream: string; readonly at: string }[]>
  /** Ends the load, replays all read models and prints the table. */
  close(): Promise<void>
}

const partsOf = async ({ url }: Service, token: string): Promise<Parts | undefined> => {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}/health`, { headers, signal: AbortSignal.timeout(6_000) }).catch(() => undefined)
  return Object(await answer?.json().catch(() => undefined)).parts
}

export const openCluster = async (t: Test, env: Env): Promise<Cluster> => {
  const folder = temporaryFolder(t)
  const nodes = [await startService(t, folder, env), await startService(t, folder, env)]
  const issued = await lexichron(folder, ['token', 'create', '--role', 'admin', '--for', 'm', '--expires', '1h'], env)
  if (issued.code !== 0) throw new Error(issued.err)
  const token = issued.out.trim()
  const headers = { authorization: `Bearer ${token}` }
  const urls = () => nodes.map(each => each.url)
  const answered: Answered[] = []
  const rows: Row[] = []
  let begun = 0
  let stopped = false
  let abandoned = false
  let failed: unknown
  let resting: Promise<void> | undefined

  const running = new Set<Promise<unknown>>()
  const client = async (n: number): Promise<void> => {
    for (let i = 0; !stopped; i += 1) {
      await resting
      const lemma = `word ${n} ${i}`
      begun += 1
      const work = insist(urls, token, lemma, lemma, { ms: 4_000, from: n, ended: () => abandoned })
      running.add(work)
      const done = await work.finally(() => running.delete(work))
      if (done) answered.push(done)
      await wait(PAUSE_MS)
    }
  }
  const clients = Promise.all(
    [0, 1, 2, 3].map(n =>
      client(n).catch((error: unknown) => {
        failed ??= error
      }),
    ),
  )
  const listeners = [0, 1].map(n => listen(urls, token, n))
  t.teardown(() => {
    // A test that failed has not closed the cluster: nobody is to insist upon nodes that are gone.
    stopped = true
    abandoned = true
    for (const each of listeners) each.close()
  })

  const sick = async (node: Service): Promise<readonly string[]> => {
    const parts = await partsOf(node, token)
    if (!parts) return [UNREACHABLE]
    return Object.entries(parts).flatMap(([name, { state }]) => (state === 'ok' ? [] : [name]))
  }
  /** What a node says of itself that is not well, and what it logged last: for who reads why a test failed. */
  const complaint = async (node: Service): Promise<string> => {
    const parts = await partsOf(node, token)
    const told = parts ? Object.entries(parts).filter(([, { state }]) => state !== 'ok') : UNREACHABLE
    return `${node.url}: ${JSON.stringify(told)}\n${node.output.err.slice(-LOG_TAIL)}`
  }
  const well = (what: string) =>
    until(what, async () => ((await Promise.all(nodes.map(sick))).flat().length === 0 ? true : undefined)).catch(
      async (error: unknown) => {
        throw new Error(`${error}\n${(await Promise.all(nodes.map(complaint))).join('\n')}`)
      },
    )

  const drafts = async () => {
    const last = answered.at(-1)?.sync
    const response = await fetch(`${urls()[0]}/v1/events?category=entry&type=EntryDrafted`, {
      headers: { ...headers, accept: 'application/x-ndjson', ...(last !== undefined && { 'sync-token': last }) },
    })
    return (await response.text())
      .split('\n')
      .flatMap(line => (line.includes('"EntryDrafted"') ? [Object(JSON.parse(line))] : []))
      .map(each => ({ id: String(each.id), stream: String(each.stream), at: String(Object(each.meta).at ?? each.at) }))
  }

  /** Answers come in another order than what they are about: the last few of them are waited for, in either read model. */
  const reached = async ({ url }: Pick<Service, 'url'>): Promise<void> => {
    for (const { sync } of answered.slice(-8))
      for (const path of ['/v1/entries', '/v1/events'])
        await until(`${path} at ${sync}`, async () => {
          const response = await fetch(`${url}${path}?limit=1`, {
            headers: { ...headers, ...(sync !== undefined && { 'sync-token': sync }) },
          }).catch(() => undefined)
          await response?.arrayBuffer()
          return response?.status === 200 ? true : undefined
        })
  }

  /** The same at rest: every command that was begun has been answered. */
  const check = async (fault: string): Promise<void> => {
    const last = answered.at(-1)?.sync
    const lists = []
    for (const node of nodes) {
      await ready(node)
      await reached(node)
      lists.push(await until('the list', () => listOf(node.url, token, last).catch(() => undefined)))
    }
    const [first = [], second] = lists
    t.ok(JSON.stringify(first) === JSON.stringify(second), `${fault}: both nodes show the same`)
    const listed = new Set(first.map(each => String(Object(each).id)))
    t.same(
      answered.filter(each => !listed.has(each.id)),
      [],
      `${fault}: ${answered.length} answered commands are there`,
    )
    const events = await drafts()
    const streams = events.map(each => each.stream)
    t.strictSame(
      [events.length, new Set(streams).size, new Set(events.map(each => each.id)).size, listed.size],
      [begun, begun, begun, begun],
      `${fault}: ${begun} commands were begun, and each is in the log once`,
    )
    for (const [n, { drafted, returns }] of listeners.entries()) {
      const all = async () => (drafted.length >= streams.length ? true : undefined)
      await until(`${fault}: listener ${n} has all`, all)
      t.strictSame(
        drafted.map(id => `entry-${id}`),
        streams,
        `${fault}: listener ${n} heard each once and in order (it came back ${returns()} times)`,
      )
    }
  }

  /** At rest nothing is under way, so that what is compared stands still. */
  const atRest = async (work: () => Promise<void>): Promise<void> => {
    let go = (): void => undefined
    resting = new Promise(resolve => {
      go = resolve
    })
    await Promise.all(running)
    await work()
    resting = undefined
    go()
  }

  /** Drafts an entry at these nodes and waits until each of them shows it: its consumers are worked for. */
  const probe = async (fault: string, at: readonly Service[]): Promise<void> => {
    const lemma = `probe ${fault.replaceAll(/[^A-Za-z0-9]+/g, ' ').trim()}`
    begun += 1
    const done = await insist(() => at.map(each => each.url), token, lemma, lemma, { ms: 5_000 })
    if (!done) throw new Error('a probe was not answered')
    answered.push(done)
    for (const { url } of at)
      await until(`${lemma} at ${url}`, async () => {
        const answer = await fetch(`${url}/v1/entries/${done.id}`, { headers }).catch(() => undefined)
        return answer?.status === 200 ? true : undefined
      })
  }

  const cluster: Cluster = {
    ...{ folder, nodes, drafts },
    replace: async (at, more = {}) => {
      const node = await startService(t, folder, { ...env, ...more })
      nodes[at] = node
      await ready(node)
      return node
    },
    holder: consumer =>
      until(`one that works for ${consumer}`, async () => {
        const states = await Promise.all(
          nodes.map(async each => (await partsOf(each, token))?.[consumer]?.detail?.state),
        )
        const at = states.findIndex(state => state !== undefined && state !== 'waiting-for-lease')
        return at < 0 || states.some((state, other) => other !== at && state !== 'waiting-for-lease') ? undefined : at
      }),
    row: async ({ name, said: expects = [], may = [], strike, survivors, mend }) => {
      await well(`all is well before: ${name}`)
      const said = new Set<string>()
      const lasting = new Set<string>()
      const since = new Map<string, number>()
      let looking = true
      const watching = (async () => {
        while (looking) {
          for (const each of [...nodes]) {
            const parts = await sick(each)
            for (const key of since.keys()) {
              const [url, part = ''] = key.split(' ')
              if (url === each.url && !parts.includes(part)) since.delete(key)
            }
            for (const part of parts) {
              const key = `${each.url} ${part}`
              const from = since.get(key) ?? performance.now()
              since.set(key, from)
              said.add(part)
              if (performance.now() - from > BLAMED_MS) lasting.add(part)
            }
          }
          await wait(LOOK_MS)
        }
      })()
      const before = answered.length
      const from = performance.now()
      await strike()
      const struck = survivors ? from : performance.now()
      await probe(name, survivors?.() ?? nodes)
      const moved = Math.round(performance.now() - struck)
      await mend?.()
      looking = false
      await watching
      for (const part of expects) t.ok(said.has(part), `${name}: health said ${part} is not well ([${[...said]}])`)
      const blamed = ['eventStore', 'readStore', 'cache', 'keys', 'disk'].filter(
        part => lasting.has(part) && !expects.includes(part) && !may.includes(part),
      )
      t.same(blamed, [], `${name}: health blamed no other engine`)
      await atRest(() => check(name))
      rows.push({ fault: name, said: [...said].sort().join(', '), moved, answered: answered.length - before })
    },
    close: async () => {
      stopped = true
      await clients
      if (failed !== undefined) throw failed
      const verified = await lexichron(folder, ['verify', '--json'], env)
      t.equal(verified.code, 0, verified.out + verified.err)
      t.ok(verified.out.includes('"differences":[]'), 'read models are what a replay gives')
      const cells = [
        ['fault', 'health said', 'worked for again after', 'answered'],
        ...rows.map(({ fault, said, moved, answered: n }) => [fault, said === '' ? '-' : said, `${moved} ms`, `${n}`]),
      ]
      const widths = [0, 1, 2, 3].map(at => Math.max(...cells.map(row => row[at]?.length ?? 0)))
      for (const row of cells) t.comment(row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
    },
  }
  return cluster
}
