/** The cache's contract on a real Redis, what nodes share, and what happens when it is away, slow, full or closed to us. */
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { openRedisCache, type RedisCacheStatus } from '../../src/adapters/cache/redis.ts'
import { fakeClock } from '../support/clocks.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { cacheContract } from './cache.ts'

const reason = noRedis()
/** Contracts are not about time: only what does not answer at all is not waited for. */
const PATIENT_MS = 60_000

if (reason !== undefined) t.test('the cache in Redis', { skip: reason }, () => undefined)
else {
  const server = await startRedis(t)
  type More = {
    readonly clock?: ReturnType<typeof fakeClock>
    readonly answerMs?: number
    readonly onChange?: (status: RedisCacheStatus) => void
  }
  const open = (url = server.url, prefix = `t:${randomUUID()}:`, { clock = fakeClock(), ...more }: More = {}) =>
    openRedisCache({
      ...{ url, prefix, random: () => 0.5, monotonic: clock.monotonic, answerMs: PATIENT_MS, ...more },
      fallback: openMemoryCache({ clock, max: 100 }),
    })
  const ready = async (cache: ReturnType<typeof open>) => {
    await until('Redis to be ready', saw => {
      saw(cache.status())
      return cache.status().state === 'ready'
    })
    return cache
  }

  const direct = new Redis(server.url)
  t.teardown(() => direct.disconnect())
  /** Lets time pass for what is kept under the prefix: each has so much less to live. */
  const pass = async (prefix: string, ms: number): Promise<void> => {
    for (const key of await direct.keys(`${prefix}*`)) {
      const left = await direct.pttl(key)
      if (left > ms) await direct.pexpire(key, left - ms)
      else if (left >= 0) await direct.del(key)
    }
  }
  cacheContract(t, 'Redis', async t => {
    const prefix = `t:${randomUUID()}:`
    const cache = await ready(open(server.url, prefix))
    t.teardown(() => cache.close())
    return { cache, pass: ms => pass(prefix, ms) }
  })

  t.test('nodes share values, claims and windows; another log has its own', async t => {
    const prefix = `t:${randomUUID()}:`
    const [one, two, other] = [
      await ready(open(server.url, prefix)),
      await ready(open(server.url, prefix)),
      await ready(open()),
    ]
    t.teardown(() => Promise.all([one, two, other].map(each => each.close())))
    await one.set('k{}{', { value: '{"x":"é"}', position: 2n ** 62n })
    t.same(await two.get('k{}{'), { value: '{"x":"é"}', position: 2n ** 62n })
    t.equal(await other.get('k{}{'), undefined)
    t.equal((await one.claim('c', 'a', 1_000)).claimed, true)
    t.same(await two.claim('c', 'b', 1_000), { claimed: false, owner: 'a' })
    const counts = await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? one : two).hit('h', 10_000)))
    t.same(
      counts.map(({ count }) => count).sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, n) => n + 1),
    )
    await two.invalidate(['k{}{'], 2n ** 62n)
    t.equal(await one.get('k{}{'), undefined, 'on every node')
  })

  t.test('away it is passed over, and back it is used again', async t => {
    const mine = await startRedis(t)
    const changes: string[] = []
    const cache = await ready(open(mine.url, 'x:', { onChange: ({ state }) => changes.push(state) }))
    t.teardown(() => cache.close())
    await cache.set('k', { value: 'v', position: 1n })
    await mine.kill()
    await until('the loss noticed', () => cache.status().state === 'away')
    t.equal(await cache.get('k'), undefined)
    await cache.set('k', { value: 'v', position: 1n })
    await cache.invalidate(['k'], 2n)
    t.same(await cache.claim('c', 'a', 10_000), { claimed: true, owner: 'a' }, "the node's own")
    t.same(await cache.claim('c', 'b', 10_000), { claimed: false, owner: 'a' })
    t.equal((await cache.hit('h', 10_000)).count, 1)
    t.equal((await cache.hit('h', 10_000)).count, 2)
    t.ok(cache.status().passedOver >= 7)
    t.notMatch(cache.status().reason, /\d{4,}/, 'no address')
    await mine.restart()
    await ready(cache)
    await cache.set('k', { value: 'w', position: 3n })
    t.same(await cache.get('k'), { value: 'w', position: 3n })
    t.same(changes, ['ready', 'away', 'ready'])
  })

  t.test('a server that does not answer is waited for once, not by every request', async t => {
    const mine = await startRedis(t)
    const clock = fakeClock()
    const cache = await ready(open(mine.url, 'x:', { clock, answerMs: 250 }))
    t.teardown(() => cache.close())
    mine.freeze()
    t.teardown(() => mine.thaw())
    t.equal(await cache.get('k'), undefined)
    const before = cache.status().passedOver
    t.equal(cache.status().state, 'away')
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get('k')))
    t.ok(answers.every(answer => answer === undefined))
    t.equal(cache.status().passedOver, before + 100)
    mine.thaw()
    t.equal(await cache.get('k'), undefined, 'for half a second it is let alone')
    await clock.advance(500)
    await until('its return', async () => {
      await clock.advance(500)
      await cache.set('k', { value: 'v', position: 1n })
      return (await cache.get('k')) !== undefined
    })
    t.equal(cache.status().state, 'ready')
  })

  t.test('full, read-only, closed to us: each says what to do, and nothing fails', async t => {
    for (const [options, url, says] of [
      [['--maxmemory', '1', '--maxmemory-policy', 'noeviction'], '', /full and evicts nothing/],
      [['--replicaof', '127.0.0.1', '1', '--replica-read-only', 'yes'], '', /replica and takes no writes/],
      [['--requirepass', 'right'], 'redis://:wr0ng@', /refuses the user or the password/],
    ] as const) {
      const mine = await startRedis(t, options)
      const cache = open(url === '' ? mine.url : mine.url.replace('redis://', url), 'x:')
      t.teardown(() => cache.close())
      await until('what it says', async saw => {
        await cache.set('k', { value: 'v', position: 1n })
        saw(cache.status())
        return says.test(cache.status().reason ?? '')
      })
      t.notMatch(cache.status().reason, 'wr0ng')
      t.equal((await cache.hit('h', 1_000)).count, 1)
      t.equal((await cache.claim('c', 'a', 1_000)).claimed, true)
    }
  })
}
