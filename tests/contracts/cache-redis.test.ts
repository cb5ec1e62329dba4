/** The cache's contract on a real Redis, what nodes share, and what happens when it is away, slow, full or closed to us. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { openRedisCache, type RedisCacheStatus } from '../../src/adapters/cache/redis.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { cacheContract } from './cache.ts'

const reason = noRedis()
const clock = { monotonic: () => performance.now() }

if (reason !== undefined) t.test('the cache in Redis', { skip: reason }, () => undefined)
else {
  const server = await startRedis(t)
  const open = (url = server.url, prefix = `t:${randomUUID()}:`, onChange?: (status: RedisCacheStatus) => void) =>
    openRedisCache({
      ...{ url, prefix, random: () => 0.5, monotonic: clock.monotonic, ...(onChange && { onChange }) },
      fallback: openMemoryCache({ clock, max: 100 }),
    })
  const ready = async (cache: ReturnType<typeof open>) => {
    await until('Redis to be ready', async () => (cache.status().state === 'ready' ? true : undefined))
    return cache
  }

  cacheContract(t, 'Redis', async t => {
    const cache = await ready(open())
    t.teardown(() => cache.close())
    return { cache, pass: ms => new Promise(resolve => setTimeout(resolve, ms)) }
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
      counts.map(each => each.count).sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, n) => n + 1),
    )
    await two.invalidate(['k{}{'], 2n ** 62n)
    t.equal(await one.get('k{}{'), undefined, 'on every node')
  })

  t.test('away it is passed over, and back it is used again', async t => {
    const mine = await startRedis(t)
    const changes: string[] = []
    const cache = await ready(open(mine.url, 'x:', ({ state }) => changes.push(state)))
    t.teardown(() => cache.close())
    await cache.set('k', { value: 'v', position: 1n })
    await mine.kill()
    await until('the loss noticed', async () => (cache.status().state === 'away' ? true : undefined))
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

  t.test('a server that does not answer is waited for a quarter of a second once, not by every request', async t => {
    const mine = await startRedis(t)
    const cache = await ready(open(mine.url, 'x:'))
    t.teardown(() => cache.close())
    mine.freeze()
    t.teardown(() => mine.thaw())
    t.equal(await cache.get('k'), undefined)
    const before = cache.status().passedOver
    t.equal(cache.status().state, 'away')
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get('k')))
    t.ok(answers.every(each => each === undefined))
    t.equal(cache.status().passedOver, before + 100)
    mine.thaw()
    await until('its return', async () => {
      await cache.set('k', { value: 'v', position: 1n })
      return (await cache.get('k')) ? true : undefined
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
      await until('what it says', async () => {
        await cache.set('k', { value: 'v', position: 1n })
        return says.test(cache.status().reason ?? '') ? true : undefined
      })
      t.notMatch(cache.status().reason, 'wr0ng')
      t.equal((await cache.hit('h', 1_000)).count, 1)
      t.equal((await cache.claim('c', 'a', 1_000)).claimed, true)
    }
  })
}
