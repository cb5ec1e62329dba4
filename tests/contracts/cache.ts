/** What every adapter of the cache port promises. */
import type { Test } from 'tap'
import type { Cache } from '../../src/ports/cache.ts'

export type CacheUnderTest = {
  readonly cache: Cache
  /** Lets so much time pass for the cache: nobody waits for it. */
  pass(ms: number): Promise<void>
}

/** A fresh, empty cache a call. Times of the contract are minutes: what a test takes itself is nothing against them. */
export const cacheContract = (t: Test, name: string, open: (t: Test) => Promise<CacheUnderTest>): void => {
  const value = (value: string, position: bigint) => ({ value, position })

  t.test(`${name}: keeps a value with its position until its time is over`, async t => {
    const { cache, pass } = await open(t)
    t.equal(await cache.get('a'), undefined)
    await cache.set('a', value('{"a":"é\\u0000"}', 2n ** 60n))
    t.same(await cache.get('a'), value('{"a":"é\\u0000"}', 2n ** 60n))
    await cache.set('b', value('1', 1n), 50_000)
    t.same(await cache.get('b'), value('1', 1n))
    await pass(60_000)
    t.equal(await cache.get('b'), undefined)
    t.ok(await cache.get('a'))
    await cache.set('b', value('0', 0n))
    t.same(await cache.get('b'), value('0', 0n), 'what is over no longer guards')
  })

  t.test(`${name}: an older load does not replace a newer value`, async t => {
    const { cache } = await open(t)
    await cache.set('a', value('new', 9n))
    await cache.set('a', value('old', 8n))
    t.same(await cache.get('a'), value('new', 9n))
    await cache.set('a', value('same', 9n))
    t.same(await cache.get('a'), value('same', 9n))
    await cache.set('a', value('newer', 10n))
    t.same(await cache.get('a'), value('newer', 10n))
  })

  t.test(`${name}: an invalidation forgets, and refuses older loads from then on`, async t => {
    const { cache } = await open(t)
    await cache.set('a', value('old', 5n))
    await cache.invalidate(['a', 'b', 'c'], 7n)
    t.equal(await cache.get('a'), undefined)
    for (const key of ['a', 'b']) {
      await cache.set(key, value('older', 6n))
      t.equal(await cache.get(key), undefined, 'a load from before')
      await cache.set(key, value('since', 7n))
      t.same(await cache.get(key), value('since', 7n), 'a load from then')
    }
    await cache.invalidate(['c'], 6n)
    await cache.set('c', value('older', 6n))
    t.equal(await cache.get('c'), undefined, 'an invalidation that comes late lowers nothing')
    await cache.set('z', value('untouched', 1n))
    t.same(await cache.get('z'), value('untouched', 1n), 'other keys are not concerned')
  })

  t.test(`${name}: one caller gets a claim, until it is released or over`, async t => {
    const { cache, pass } = await open(t)
    const claims = await Promise.all(['x', 'y', 'z'].map(owner => cache.claim('k', owner, 50_000)))
    t.equal(claims.filter(each => each.claimed).length, 1)
    const owner = claims[0]?.owner ?? ''
    t.ok(
      claims.every(each => each.owner === owner),
      'all are told whose it is',
    )
    t.same(await cache.claim('k', owner, 50_000), { claimed: false, owner }, 'also the owner gets it once')
    await cache.release('k', 'nobody')
    t.equal((await cache.claim('k', 'w', 50_000)).claimed, false, 'only its owner releases it')
    await cache.release('k', owner)
    t.same(await cache.claim('k', 'w', 50_000), { claimed: true, owner: 'w' })
    await pass(60_000)
    t.same(await cache.claim('k', 'v', 50_000), { claimed: true, owner: 'v' })
    await cache.release('k', 'w')
    t.equal((await cache.claim('k', 'u', 50_000)).claimed, false, 'a claim that is over releases nothing')
  })

  t.test(`${name}: counts hits in a window that begins with the first`, async t => {
    const { cache, pass } = await open(t)
    const first = await cache.hit('h', 80_000)
    t.equal(first.count, 1)
    t.ok(first.resetMs > 0 && first.resetMs <= 80_000)
    await pass(30_000)
    const second = await cache.hit('h', 80_000)
    t.equal(second.count, 2)
    t.ok(second.resetMs <= 50_000 && second.resetMs > 0, 'its end does not move')
    t.equal((await cache.hit('other', 80_000)).count, 1)
    await pass(60_000)
    t.equal((await cache.hit('h', 80_000)).count, 1)
    const counts = await Promise.all(Array.from({ length: 50 }, () => cache.hit('many', 60_000)))
    t.same(
      counts.map(each => each.count).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, n) => n + 1),
    )
  })

  t.test(`${name}: forgets everything when cleared, and the names do not mix`, async t => {
    const { cache } = await open(t)
    await cache.set('k', value('v', 1n))
    await cache.claim('k', 'owner', 60_000)
    await cache.hit('k', 60_000)
    t.same(await cache.get('k'), value('v', 1n))
    await cache.clear()
    t.equal(await cache.get('k'), undefined)
    t.equal((await cache.claim('k', 'other', 60_000)).claimed, true)
    t.equal((await cache.hit('k', 60_000)).count, 1)
    await cache.close()
  })
}
