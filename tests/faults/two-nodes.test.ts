/** Two services, an import and the command line on one data folder, through kill -9 and SIGSTOP. */
import t, { type Test } from 'tap'
import { areas } from '../../src/app/areas.ts'
import { openCore, systemClock } from '../../src/app/core.ts'
import { loadConfig } from '../../src/config/load.ts'
import { tail } from '../../src/core/consume/tail.ts'
import {
  type Answered,
  asNode,
  checkAll,
  draft,
  insist,
  isHeldBy,
  leasesOf,
  listOf,
  logOf,
  readsWritable,
  ready,
  startLoad,
  tokenOf,
  wordsFile,
} from '../support/nodes.ts'
import { environmentFor, lexichron, type Service, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const IMPORTED = 1_000
/** Nodes say on which grounds they took each lease. */
const TELLING = { LEXICHRON_LOG_LEVEL: 'info' }

const holders = (folder: string, nodes: readonly Service[]): readonly (number | undefined)[] =>
  [...leasesOf(folder).values()].map(lease => nodes.find(node => isHeldBy(lease, node))?.pid)

/** Waits until every consumer is worked for by this node: on which grounds it took their leases, as it logged them. */
const takesAll = async (folder: string, node: Service): Promise<ReadonlySet<string>> => {
  const all = [...leasesOf(folder).keys()].map(name => name.replace('lease:', ''))
  const grounds = () =>
    new Map(
      [...node.output.err.matchAll(/"consumer":"([^"]+)","takeover":"([^"]+)"/g)].map(([, consumer, takeover]) => [
        consumer ?? '',
        takeover ?? '',
      ]),
    )
  await until('it holds every lease, and has said so', saw => {
    saw([...grounds()])
    return holders(folder, [node]).every(pid => pid === node.pid) && all.every(name => grounds().has(name))
  })
  return new Set(all.map(name => grounds().get(name) ?? ''))
}

/** Follows the log in this process as the live feed does. */
const openFollower = async (t: Test, folder: string) => {
  const closing: { readonly close: () => Promise<unknown> }[] = []
  const core = await openCore({
    config: loadConfig(environmentFor(folder), folder),
    clock: systemClock,
    areas,
    opened: closing,
  })
  const stop = new AbortController()
  const followed: { readonly position: bigint; readonly id: string }[] = []
  const following = tail({
    log: core.log,
    clock: systemClock,
    from: 0n,
    filter: {},
    signal: stop.signal,
    onEvents: events => followed.push(...events),
    onError: error => t.fail(String(error)),
  })
  const close = async (): Promise<void> => {
    stop.abort()
    await following
    for (const part of closing.toReversed()) await part.close()
  }
  t.teardown(close)
  return { followed, close }
}

t.test('on one data folder', async t => {
  const folder = temporaryFolder(t)
  const token = await tokenOf(folder)
  const answered: Answered[] = []
  const { followed, close } = await openFollower(t, folder)
  const start = (): Promise<Service> => startService(t, folder, TELLING)
  const a = await start()
  await ready(a)
  const b = await start()
  await ready(b)
  let alive: readonly Service[] = [a, b]
  const urls = (): readonly string[] => alive.map(({ url }) => url)

  await t.test('a token revoked by one process is refused by the others', async t => {
    const issued = await asNode(folder, async app => {
      const made = await app.tokens.create({ role: 'editor', for: 'short', lifeMs: 60 * 60_000 })
      if ('refused' in made) throw new Error(made.detail)
      for (const url of urls()) t.equal((await draft(url, made.token, 'short', 'short')).status, 201)
      await app.tokens.revoke(made.id)
      return made
    })
    // They hear of it from the log.
    for (const url of urls())
      await until(
        `it is refused by ${url}`,
        async () => (await draft(url, issued.token, 'short', 'short')).status === 401,
      )
  })

  await t.test('kill -9 of either loses nothing, and who takes over knows that it is dead', async t => {
    t.ok(
      holders(folder, [a]).length >= 3 && holders(folder, [a]).every(pid => pid === a.pid),
      'each consumer has one holder, the node that was there first',
    )
    const load = startLoad(urls, token)
    const importing = lexichron(folder, ['import', 'ndjson', wordsFile(folder, IMPORTED), '--json'])
    await load.more(100)
    const done = await importing
    t.equal(done.code, 0, done.err)
    t.match(JSON.parse(done.out.trim().split('\n').at(-1) ?? '{}'), { complete: true, written: IMPORTED })

    alive = [b]
    await a.stop('SIGKILL')
    t.same(await takesAll(folder, b), new Set(['ended']), 'it does not wait for a lease to lapse')
    await load.more(50)
    // Killed with nobody beside it.
    alive = []
    await b.stop('SIGKILL')
    const c = await start()
    alive = [c]
    t.same(await takesAll(folder, c), new Set(['ended']), 'nor does a start after kill -9')
    const d = await start()
    await ready(d)
    alive = [c, d]
    await load.more(50)
    await load.stop()
    t.ok(load.retried() > 0, `${load.answered.length} answered, ${load.retried()} of them after being cut off`)
    answered.push(...load.answered)
  })

  await t.test('a node that is stopped for longer than a lease, and wakes, does no harm', async t => {
    const [c, d] = alive
    if (!c || !d) throw new Error('two nodes were started')
    const load = startLoad(() => [d.url], token, 4)
    await load.more(30)
    const before = leasesOf(folder)
    t.same(new Set(holders(folder, [c, d])), new Set([c.pid]))
    // Stopped inside a transaction it would keep SQLite's lock: then nobody can write until it wakes, so it is stopped again.
    await until('it is stopped outside of a transaction', async () => {
      c.send('SIGSTOP')
      const probes = [0, 1].map(n =>
        insist(() => [d.url], token, `probe ${n}`, `probe ${n}`, { patience: 1_000, ended: () => true }),
      )
      if ((await Promise.all(probes)).every(probe => probe !== undefined) && readsWritable(folder)) return true
      c.send('SIGCONT')
      return false
    })
    t.same(await takesAll(folder, d), new Set(['silent']), 'who only sleeps is waited for until the lease lapses')
    const taken = leasesOf(folder)
    for (const [name, { token: fence }] of before)
      t.ok((taken.get(name)?.token ?? 0) > fence, `${name} has a token above that of the sleeper`)
    const written = await insist(() => [d.url], token, 'while it slept', 'while it slept')
    t.ok((await listOf(d.url, token, written?.sync)).length > IMPORTED, 'the other folds what it no longer does')

    c.send('SIGCONT')
    const other = startLoad(() => [c.url, d.url], token, 4)
    await other.more(30)
    await load.stop()
    await other.stop()
    t.same(new Set(holders(folder, [c, d])), new Set([d.pid]), 'it is a challenger again')
    for (const [name, { token: fence }] of leasesOf(folder))
      t.equal(taken.get(name)?.token, fence, `${name} stayed with the other`)
    answered.push(...load.answered, ...other.answered)
  })

  await t.test('in the end all is there, once, for everybody', async t => {
    await checkAll(t, folder, alive, token, answered)
    const log = logOf(folder)
    await until('the follower has all', saw => {
      saw(`${followed.length} of ${log.length}`)
      return followed.length >= log.length
    })
    t.same(
      followed.map(({ position }) => Number(position)),
      log.map(({ position }) => position),
      'who follows sees the events of all processes in one order, each once',
    )
    await close()
    for (const node of alive) t.equal(await node.stop(), 0)
  })
})
