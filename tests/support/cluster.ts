/** Two nodes under load with listeners at each, and what has to be true of them after each fault. */
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { listen } from './listener.ts'
import { type Answered, insist, listOf, ready } from './nodes.ts'
import { lexichron, type Service, startService, temporaryFolder } from './service.ts'
import type { Proxy as TcpProxy } from './tcp-proxy.ts'
import { until } from './until.ts'

type Env = Readonly<Record<string, string>>

/** Each client waits so long between two commands: the checks afterwards are to be short. */
const PAUSE_MS = 150
const UNREACHABLE = 'unreachable'
const ENGINES = ['eventStore', 'readStore', 'cache', 'keys', 'disk']
/** An engine is away for so long at least: longer than leases, and than a node goes on without news of the log. */
const AWAY_MS = 10_000
/** Read by clock-ahead.mjs; far more than a run of these tests takes. */
const HOUR_MS = 3_600_000
/** How much of a node's log a failure shows, in characters. */
const LOG_TAIL = 6_000

const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

type Parts = Readonly<Record<string, { readonly state: string; readonly detail?: { readonly state?: string } }>>

export type Fault = {
  readonly name: string
  /** Parts that every node has to name as not well, and no engine beside them, before it is mended. */
  readonly said?: readonly string[]
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
  /** Causes the fault, waits until it is said and the work is done by those who are left, mends, and checks everything. */
  row(fault: Fault): Promise<void>
  /** A row: what stands behind the proxy is away for some time, and every node says these parts. */
  away(name: string, proxy: TcpProxy, said: readonly string[]): Promise<void>
  /** Waits until a command is under way. */
  busy(): Promise<void>
  /** Waits until so many more are answered. */
  more(count: number): Promise<void>
  /** A row: the clock of one node is an hour ahead, for its whole process. */
  clockAhead(at: number): Promise<void>
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
  const issued = await lexichron(folder, ['token', 'create', '--role', 'admin', '--for', 'm', '--expires', '1d'], env)
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
      const work = insist(urls, token, lemma, lemma, { patience: 4_000, from: n, ended: () => abandoned })
      running.add(work)
      const done = await work.finally(() => running.delete(work))
      if (done) answered.push(done)
      await wait(PAUSE_MS)
    }
  }
  const listeners = [0, 1].map(n => listen(urls, token, n))
  t.teardown(() => {
    // A test that failed has not closed the cluster: nobody is to insist upon nodes that are gone.
    stopped = true
    abandoned = true
    for (const each of listeners) each.close()
  })
  // What is drafted before a listener has a position is none of its business.
  for (const [n, listener] of listeners.entries())
    await until(`listener ${n} has a position`, saw => {
      saw(listener.story())
      return listener.begun()
    })
  const clients = Promise.all(
    [0, 1, 2, 3].map(n =>
      client(n).catch((error: unknown) => {
        failed ??= error
      }),
    ),
  )

  const sick = async (node: Service): Promise<readonly string[]> => {
    const parts = await partsOf(node, token)
    if (!parts) return [UNREACHABLE]
    return Object.entries(parts).flatMap(([name, { state }]) => (state === 'ok' ? [] : [name]))
  }
  /** Waits until every node says that these are not well, and blames no engine beside them, at one look: all it said. */
  const toldBy = async (fault: string, parts: readonly string[]): Promise<ReadonlySet<string>> => {
    const told = new Set<string>()
    for (const node of nodes)
      await until(`${fault}: ${node.url} says ${parts.join()} and no other engine`, async saw => {
        const now = await sick(node)
        saw(now)
        for (const part of now) told.add(part)
        return (
          parts.every(part => now.includes(part)) && !now.some(part => ENGINES.includes(part) && !parts.includes(part))
        )
      })
    return told
  }
  /** What a node says of itself that is not well, and what it logged last: for who reads why a test failed. */
  const complaint = async (node: Service): Promise<string> => {
    const parts = await partsOf(node, token)
    const told = parts ? Object.entries(parts).filter(([, { state }]) => state !== 'ok') : UNREACHABLE
    return `${node.url}: ${JSON.stringify(told)}\n${node.output.err.slice(-LOG_TAIL)}`
  }
  const well = (what: string) =>
    until(what, async () => (await Promise.all(nodes.map(sick))).flat().length === 0).catch(async (error: unknown) => {
      throw new Error(`${error}\n${(await Promise.all(nodes.map(complaint))).join('\n')}`)
    })

  const drafts = async () => {
    const last = answered.at(-1)?.sync
    const response = await fetch(`${urls()[0]}/v1/events?category=entry&type=EntryDrafted`, {
      headers: { ...headers, accept: 'application/x-ndjson', ...defined({ 'sync-token': last }) },
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
            headers: { ...headers, ...defined({ 'sync-token': sync }) },
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
    for (const [n, { drafted, returns, story }] of listeners.entries()) {
      await until(`${fault}: listener ${n} has all`, saw => {
        saw([`${drafted.length} of ${streams.length}`, ...story()])
        return drafted.length >= streams.length
      })
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
    const done = await insist(() => at.map(each => each.url), token, lemma, lemma, { patience: 5_000 })
    if (!done) throw new Error('a probe was not answered')
    answered.push(done)
    for (const { url } of at)
      await until(`${lemma} at ${url}`, async () => {
        const answer = await fetch(`${url}/v1/entries/${done.id}`, { headers }).catch(() => undefined)
        return answer?.status === 200 ? true : undefined
      })
  }

  const replace: Cluster['replace'] = async (at, more = {}) => {
    const node = await startService(t, folder, { ...env, ...more })
    nodes[at] = node
    await ready(node)
    return node
  }

  const more = async (count: number): Promise<void> => {
    const goal = answered.length + count
    await until(`${count} more answers`, saw => {
      saw(answered.length)
      if (failed !== undefined) throw failed
      return answered.length >= goal
    })
  }

  const row = async ({ name, said: expects = [], strike, survivors, mend }: Fault): Promise<void> => {
    await well(`all is well before: ${name}`)
    const before = answered.length
    let from = performance.now()
    await strike()
    const said = expects.length > 0 ? await toldBy(name, expects) : new Set<string>()
    if (!survivors) {
      from = performance.now()
      await mend?.()
    }
    await probe(name, survivors?.() ?? nodes)
    const moved = Math.round(performance.now() - from)
    if (survivors) await mend?.()
    await atRest(() => check(name))
    rows.push({ fault: name, said: [...said].sort().join(', '), moved, answered: answered.length - before })
  }

  const cluster: Cluster = {
    folder,
    nodes,
    replace,
    holder: consumer =>
      until(`one that works for ${consumer}`, async () => {
        const states = await Promise.all(
          nodes.map(async each => (await partsOf(each, token))?.[consumer]?.detail?.state),
        )
        const at = states.findIndex(state => state !== undefined && state !== 'waiting-for-lease')
        return at < 0 || states.some((state, other) => other !== at && state !== 'waiting-for-lease') ? undefined : at
      }),
    row,
    away: (name, proxy, said) =>
      row({
        name,
        said,
        strike: async () => {
          proxy.cut()
          await wait(AWAY_MS)
        },
        mend: async () => proxy.heal(),
      }),
    busy: () => until('a command under way', () => running.size > 0).then(() => undefined),
    more,
    clockAhead: async at => {
      const ahead = fileURLToPath(new URL('clock-ahead.mjs', import.meta.url))
      await row({
        name: `the clock of node ${at + 1} an hour ahead`,
        strike: async () => {
          await nodes[at]?.stop()
          await replace(at, { NODE_OPTIONS: `--import=${ahead}`, CLOCK_AHEAD_MS: String(HOUR_MS) })
          await until('events of that clock', async saw => {
            const times = (await drafts().catch(() => [])).map(each => Date.parse(each.at))
            saw(times.at(-1))
            return Math.max(...times) - Math.min(...times) > HOUR_MS / 2
          })
        },
      })
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
