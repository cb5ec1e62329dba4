/** The cache's contract on a real Redis, what nodes share, and what happens when it is away, slow, full or closed to us. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { askRedis, openRedisCache, type RedisCacheStatus } from '../../src/adapters/cache/redis.ts'
import { readRedisAddress } from '../../src/config/redis.ts'
import { fakeClock } from '../support/clocks.ts'
import { freePort, noRedis, startCluster, startRedis, startSentinel } from '../support/redis.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'
import { cacheContract, foundIn, loadInto } from './cache.ts'

const reason = noRedis()
const on = [{ scope: 's', tags: ['x{', 'y}'] }]
/** Contracts are not about time: only what does not answer at all is not waited for. */
const PATIENT_MS = 60_000

if (reason !== undefined) t.test('the cache in Redis', { skip: reason }, () => undefined)
else {
  const [server, cluster] = await Promise.all([startRedis(t), startCluster(t)])
  type More = {
    readonly clock?: ReturnType<typeof fakeClock>
    readonly answerMs?: number
    readonly onChange?: (status: RedisCacheStatus) => void
  }
  const open = (url = server.url, prefix = `t:${randomUUID()}:`, { clock = fakeClock(), ...more }: More = {}) =>
    openRedisCache({
      url,
      prefix,
      random: Math.random,
      monotonic: clock.monotonic,
      answerMs: PATIENT_MS,
      ...more,
      fallback: openMemoryCache({ clock, max: 100 }),
    })
  const ready = async (cache: ReturnType<typeof open>) => {
    await until('Redis to be ready', saw => {
      saw(cache.status())
      return cache.status().state === 'ready'
    })
    return cache
  }

  const directTo = (url: string): Redis => {
    const client = new Redis(url)
    t.teardown(() => client.disconnect())
    return client
  }
  const direct = [directTo(server.url)]
  const members = cluster.nodes.map(({ url }) => directTo(url))
  /** Lets time pass for what is kept under the prefix: each has so much less to live, and who is there so much less left. */
  const pass = async (servers: readonly Redis[], prefix: string, ms: number): Promise<void> => {
    for (const client of servers)
      for (const key of await client.keys(`${prefix}*`)) {
        if ((await client.type(key)) === 'hash')
          for (const [member, text] of Object.entries(await client.hgetall(key))) {
            const [, end = '', rest = ''] = /^(\d+)( .*)$/s.exec(text) ?? []
            await client.hset(key, member, `${Number(end) - ms}${rest}`)
          }
        const left = await client.pttl(key)
        if (left > ms) await client.pexpire(key, left - ms)
        else if (left >= 0) await client.del(key)
      }
  }
  cacheContract(t, 'Redis', async t => {
    const prefix = `t:${randomUUID()}:`
    const cache = await ready(open(server.url, prefix))
    t.teardown(() => cache.close())
    return { cache, pass: ms => pass(direct, prefix, ms) }
  })

  cacheContract(t, 'a Redis cluster', async t => {
    const prefix = `t:${randomUUID()}:`
    const cache = await ready(open(cluster.url, prefix))
    t.teardown(() => cache.close())
    return { cache, pass: ms => pass(members, prefix, ms) }
  })

  t.test('a cluster that has lost a member is passed over until it is back', async t => {
    const clock = fakeClock()
    const cache = await ready(open(cluster.url, undefined, { clock }))
    t.teardown(() => cache.close())
    const many = Array.from({ length: 300 }, (_, n) => `tag ${n}`)
    await cache.changed('s', many, 0n, 1n)
    await loadInto(cache, 'k', on, 'v')
    t.equal(await foundIn(cache, 'k', on), 'v')
    await cluster.nodes[0]?.kill()
    await until('the loss noticed', async saw => {
      await clock.advance(500)
      await foundIn(cache, 'k', on)
      saw(cache.status())
      return cache.status().state === 'away'
    })
    t.match(cache.status().reason, /\S/)
    for (let n = 0; n < 20; n += 1) t.equal((await cache.claim(`c${n}`, 'a', 10_000)).claimed, true)
    await cluster.nodes[0]?.restart()
    await until('its return', async () => {
      await clock.advance(500)
      await loadInto(cache, 'k', on, 'w', 3n)
      return (await foundIn(cache, 'k', on)) === 'w' && cache.status().state === 'ready'
    })
  })

  t.test('sentinels: the new primary is used as soon as they have chosen it', async t => {
    const { url, primary } = await startSentinel(t)
    const clock = fakeClock()
    const cache = await ready(open(url, undefined, { clock, answerMs: 250 }))
    t.teardown(() => cache.close())
    await until('it to answer in time', async () => {
      await clock.advance(500)
      await loadInto(cache, 'k', on, 'v')
      return (await foundIn(cache, 'k', on)) === 'v'
    })
    // One that hangs keeps its connections: only the sentinels know.
    primary.freeze()
    t.teardown(() => primary.thaw())
    await until('the other one in use', async () => {
      await clock.advance(500)
      await loadInto(cache, 'n', on, 'w', 2n)
      return (await foundIn(cache, 'n', on)) === 'w'
    })
    t.equal(cache.status().state, 'ready')
  })

  t.test('nodes share values, claims and windows; another log has its own', async t => {
    const prefix = `t:${randomUUID()}:`
    const [one, two, other] = [
      await ready(open(server.url, prefix)),
      await ready(open(server.url, prefix)),
      await ready(open()),
    ]
    t.teardown(() => Promise.all([one, two, other].map(each => each.close())))
    await one.changed('s', [], 2n ** 62n - 1n, 2n ** 62n)
    await loadInto(one, 'k{}{', on, '{"x":"é"}', 2n ** 62n)
    t.match(await two.look('k{}{', on), {
      found: { value: '{"x":"é"}', position: 2n ** 62n },
      reached: [2n ** 62n],
    })
    t.equal(await foundIn(other, 'k{}{', on), undefined)
    await one.present('g', 'a', '1', 1_000)
    t.same(await two.present('g', 'b', '2', 1_000), {
      members: new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
      alone: false,
    })
    t.equal((await one.claim('c', 'a', 1_000)).claimed, true)
    t.same(await two.claim('c', 'b', 1_000), { claimed: false, owner: 'a' })
    const counts = await Promise.all(Array.from({ length: 40 }, (_, n) => (n % 2 ? one : two).hit('h', 10_000)))
    t.same(
      counts.map(({ count }) => count).sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, n) => n + 1),
    )
    // More tags than one command takes away.
    const many = Array.from({ length: 2_500 }, (_, n) => `tag ${n}`)
    await two.changed('s', [...many, 'y}'], 2n ** 62n, 2n ** 62n + 1n)
    t.equal(await foundIn(one, 'k{}{', on), undefined, 'on every node')
    await loadInto(two, 'k', on, 'v')
    const raw = new Redis(server.url)
    t.equal(await raw.unlink(...(await raw.keys(`${prefix}*}t`))), 2)
    raw.disconnect()
    t.equal(await foundIn(one, 'k', on), undefined, 'an evicted tag takes with it what it stood for')
  })

  t.test('away it is passed over, and back it is used again', async t => {
    const mine = await startRedis(t)
    const changes: string[] = []
    const cache = await ready(open(mine.url, 'x:', { onChange: ({ state }) => changes.push(state) }))
    t.teardown(() => cache.close())
    await cache.changed('s', [], 0n, 1n)
    await loadInto(cache, 'k', on, 'v')
    await mine.kill()
    await until('the loss noticed', () => cache.status().state === 'away')
    t.same(await cache.look('k', on), { reached: [0n] })
    await cache.keep('k', 'marks', { value: 'v', position: 1n }, { freshMs: 1_000, staleMs: 0 })
    await cache.changed('s', ['x{'], 1n, 2n)
    t.same(await cache.claim('c', 'a', 10_000), { claimed: true, owner: 'a' }, "the node's own")
    t.same(await cache.claim('c', 'b', 10_000), { claimed: false, owner: 'a' })
    t.equal((await cache.hit('h', 10_000)).count, 1)
    t.equal((await cache.hit('h', 10_000)).count, 2)
    t.same(await cache.present('g', 'a', '1', 1_000), { members: new Map([['a', '1']]), alone: true })
    t.ok(cache.status().passedOver >= 8)
    t.notMatch(cache.status().reason, /\d{4,}/, 'no address')
    await mine.restart()
    await ready(cache)
    await loadInto(cache, 'k', on, 'w', 3n)
    t.equal(await foundIn(cache, 'k', on), 'w')
    t.same(changes, ['ready', 'away', 'ready'])
  })

  t.test('a server that does not answer is waited for once, not by every request', async t => {
    const mine = await startRedis(t)
    const clock = fakeClock()
    const cache = await ready(open(mine.url, 'x:', { clock, answerMs: 250 }))
    t.teardown(() => cache.close())
    mine.freeze()
    t.teardown(() => mine.thaw())
    const late = await Promise.all([1, 2, 3].map(() => foundIn(cache, 'k', on)))
    t.same(late, [undefined, undefined, undefined])
    t.equal(cache.status().state, 'ready', 'late once, however many asked: it may have been this process')
    await until('the next that is late', async () => {
      await clock.advance(500)
      await foundIn(cache, 'k', on)
      return cache.status().state === 'away'
    })
    const before = cache.status().passedOver
    t.equal(cache.status().state, 'away')
    const answers = await Promise.all(Array.from({ length: 100 }, () => foundIn(cache, 'k', on)))
    t.ok(answers.every(answer => answer === undefined))
    t.equal(cache.status().passedOver, before + 100)
    mine.thaw()
    t.equal(await foundIn(cache, 'k', on), undefined, 'for half a second it is let alone')
    await clock.advance(500)
    await until('its return', async () => {
      await clock.advance(500)
      await loadInto(cache, 'k', on, 'v')
      return (await foundIn(cache, 'k', on)) !== undefined
    })
    t.equal(cache.status().state, 'ready')
  })

  t.test('a certificate of an authority that is not trusted, and one that is', async t => {
    const folder = temporaryFolder(t)
    const file = (name: string): string => join(folder, name)
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1',
        '-keyout',
        file('key'),
        '-out',
        file('cert'),
      ],
      { stdio: 'ignore' },
    )
    const port = await freePort()
    await startRedis(t, [
      '--tls-port',
      String(port),
      '--tls-cert-file',
      file('cert'),
      '--tls-key-file',
      file('key'),
      '--tls-ca-cert-file',
      file('cert'),
      '--tls-auth-clients',
      'no',
    ])
    const url = `rediss://127.0.0.1:${port}`
    const cache = open(url)
    t.teardown(() => cache.close())
    await until('what it says', async () =>
      /certificate is not trusted/.test(cache.status().reason ?? '') ? true : undefined,
    )
    t.match(cache.status().reason, /tlsCAFile=/)
    t.match(await askRedis(url), { fault: /^Redis cannot be used: its certificate is not trusted \(.*CERT/ })
    t.match(await askRedis(`${url}?tlsCAFile=${file('cert')}`), { version: /^[567]/ })
    t.throws(() => open(`${url}?tlsCAFile=${file('none')}`), { message: /tlsCAFile, which cannot be read \(ENOENT\)/ })
    t.match(await askRedis(`redis://127.0.0.1:${port}`), { fault: /cannot be used: it ended the connection|closed/ })
  })

  t.test('addresses, and what looking at one says', async t => {
    t.match(readRedisAddress('rediss+sentinel://me:p%40ss@a:1,[::1]/main/3?sentinelPassword=s&tlsCAFile=/x'), {
      kind: 'sentinel',
      tls: true,
      group: 'main',
      database: 3,
      username: 'me',
      password: 'p@ss',
      sentinelPassword: 's',
      caFile: '/x',
      hosts: [
        { host: 'a', port: 1 },
        { host: '::1', port: 26_379 },
      ],
    })
    t.same(readRedisAddress('redis://:secret@host'), {
      kind: 'server',
      tls: false,
      hosts: [{ host: 'host', port: 6379 }],
      database: 0,
      password: 'secret',
    })
    for (const [wrong, says] of [
      ['redis://a,b', /several servers/],
      ['redis://a:99999', /host or port/],
      ['redis://a/x', /number of a database/],
      ['redis://a/0/1', /number of a database/],
      ['redis+cluster://a/1', /takes no path/],
      ['redis+sentinel://a', /what the sentinels call it/],
      ['redis://u:%zz@a', /percent-encoded/],
      ['redis://a?tlsCAFile=/x', /the option tlsCAFile/],
      ['rediss://a?tlsCAFile=x', /the option tlsCAFile/],
      ['redis://u:secret@a?x=secret', /the option x/],
    ] as const) {
      const found = readRedisAddress(wrong)
      t.match('fault' in found ? found.fault : '', says, wrong)
      t.notMatch(found, 'secret')
    }
    // A port that is free may be taken the next moment; this one is nobody's.
    const closed = 1
    const one = await startRedis(t, ['--requirepass', 'right'])
    t.match(await askRedis(`redis://127.0.0.1:${closed}`), { fault: /nothing listens there \(ECONNREFUSED\)/ })
    t.match(await askRedis(`redis+sentinel://127.0.0.1:${closed}/x`), { fault: /no sentinel answers/ })
    t.match(await askRedis(`redis+cluster://127.0.0.1:${closed}`), {
      fault: /cannot be used: nothing answers there/,
    })
    t.match(await askRedis(one.url.replace('redis:', 'redis+cluster:')), { fault: /user or the password|no cluster/ })
    t.match(await askRedis(server.url.replace('redis:', 'redis+cluster:')), { fault: /it is no cluster/ })
    t.match(await askRedis(cluster.nodes[0]?.url ?? ''), { fault: /it is one of a cluster|takes writes/ })
    t.match(await askRedis(cluster.url), { version: /^7/ })
    t.match(await askRedis(one.url), { fault: /refuses the user or the password \(NOAUTH\)/ })
    t.match(await askRedis(one.url.replace('//', '//:right@')), { version: /^[567]/ })
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
        await loadInto(cache, 'k', on, 'v')
        saw(cache.status())
        return says.test(cache.status().reason ?? '')
      })
      t.notMatch(cache.status().reason, 'wr0ng')
      t.match(await askRedis(url === '' ? mine.url : mine.url.replace('redis://', url)), { fault: says })
      t.equal((await cache.hit('h', 1_000)).count, 1)
      t.equal((await cache.claim('c', 'a', 1_000)).claimed, true)
    }
  })
}
