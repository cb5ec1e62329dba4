/** What every adapter of the cache port promises. */
import type { Test } from 'tap'
import type { Cache, Dependency } from '../../src/ports/cache.ts'

export type CacheUnderTest = {
  readonly cache: Cache
  /** Lets so much time pass for the cache: nobody waits for it. */
  pass(ms: number): Promise<void>
}

/** The value's text under the key, if it is found. */
export const foundIn = async (cache: Cache, key: string, on: readonly Dependency[]): Promise<string | undefined> =>
  (await cache.look(key, on)).found?.value

/** Looks, and keeps what is not found: what everybody does who loads. */
export const loadInto = async (
  cache: Cache,
  key: string,
  on: readonly Dependency[],
  value: string,
  position = 1n,
): Promise<void> => {
  const { marks = 'none' } = await cache.look(key, on)
  await cache.keep(key, marks, { value, position }, { freshMs: 600_000, staleMs: 0 })
}

/** A fresh, empty cache a call. Times of the contract are minutes: what a test takes itself is nothing against them. */
export const cacheContract = (t: Test, name: string, open: (t: Test) => Promise<CacheUnderTest>): void => {
  const on = (...tags: string[]) => [{ scope: 's', tags }]

  t.test(`${name}: keeps a value with its position until its time is over`, async t => {
    const { cache, pass } = await open(t)
    const empty = await cache.look('a', on('x'))
    t.equal(empty.found, undefined)
    t.same(empty.reached, [0n])
    const text = '{"a":"é\\u0000"}\nand a second line'
    await loadInto(cache, 'a', on('x'), text, 2n ** 60n)
    t.same((await cache.look('a', on('x'))).found, { value: text, position: 2n ** 60n, fresh: true })
    const { marks = '' } = await cache.look('b', on('x'))
    await cache.keep('b', marks, { value: '1', position: 1n }, { freshMs: 60_000, staleMs: 60_000 })
    t.equal((await cache.look('b', on('x'))).found?.fresh, true)
    await pass(70_000)
    t.equal((await cache.look('b', on('x'))).found?.fresh, false, 'late, and still there')
    await pass(70_000)
    t.equal(await foundIn(cache, 'b', on('x')), undefined)
    t.equal(await foundIn(cache, 'a', on('x')), text)
    await loadInto(cache, 'b', on('x'), '0', 0n)
    t.equal(await foundIn(cache, 'b', on('x')), '0', 'what is over no longer guards')
  })

  t.test(`${name}: what holds a changed tag is not found again, in any order of loading and changing`, async t => {
    const { cache } = await open(t)
    const lists = on('language en', 'removal')
    await cache.changed('s', [], 0n, 5n)
    await loadInto(cache, 'list', lists, 'old', 5n)
    await loadInto(cache, 'other', on('language de', 'removal'), 'other', 5n)
    await loadInto(cache, 'elsewhere', [{ scope: 'z', tags: ['language en'] }], 'elsewhere', 5n)
    // On its way while the change happens.
    const before = await cache.look('slow', lists)
    await cache.changed('s', ['language en', 'entry 7'], 5n, 8n)
    await cache.keep('slow', before.marks ?? '', { value: 'of before', position: 7n }, { freshMs: 600_000, staleMs: 0 })
    t.equal(await foundIn(cache, 'slow', lists), undefined, 'loaded before, kept after')
    t.equal(await foundIn(cache, 'list', lists), undefined)
    t.equal(await foundIn(cache, 'other', on('language de', 'removal')), 'other')
    t.equal(await foundIn(cache, 'elsewhere', [{ scope: 'z', tags: ['language en'] }]), 'elsewhere')
    t.same((await cache.look('other', on('language de', 'removal'))).reached, [8n], 'what stands, stands up to there')
    await loadInto(cache, 'list', lists, 'new', 8n)
    t.equal(await foundIn(cache, 'list', lists), 'new')
    await cache.changed('s', ['removal'], 8n, 9n)
    t.equal(await foundIn(cache, 'list', lists), undefined)
    t.equal(await foundIn(cache, 'other', on('language de', 'removal')), undefined)
  })

  t.test(`${name}: a change that nobody told of is noticed, and everything in the scope forgotten`, async t => {
    const { cache } = await open(t)
    const both = [...on('x'), { scope: 'z', tags: ['y'] }]
    await cache.changed('s', [], 0n, 5n)
    await cache.changed('z', [], 0n, 4n)
    for (const key of ['a', 'b']) await loadInto(cache, key, both, 'old', 5n)
    await loadInto(cache, 'z', [{ scope: 'z', tags: ['y'] }], 'stays', 4n)
    t.same((await cache.look('a', both)).reached, [5n, 4n])
    // 5 to 7 is missing.
    await cache.changed('s', ['w'], 7n, 9n)
    t.equal(await foundIn(cache, 'a', both), undefined)
    t.equal(await foundIn(cache, 'z', [{ scope: 'z', tags: ['y'] }]), 'stays')
    await loadInto(cache, 'a', both, 'new', 9n)
    await cache.changed('s', ['q'], 5n, 7n)
    const late = await cache.look('a', both)
    t.same([late.found?.value, late.reached[0]], ['new', 9n], 'said late it changes nothing and lowers nothing')
    await cache.changed('s', [], 9n, 12n)
    t.equal(await foundIn(cache, 'a', both), 'new', 'nothing changed, nothing forgotten')
  })

  t.test(`${name}: an older load does not replace a newer value`, async t => {
    const { cache } = await open(t)
    await loadInto(cache, 'a', on('x'), 'new', 9n)
    await loadInto(cache, 'a', on('x'), 'old', 8n)
    t.equal(await foundIn(cache, 'a', on('x')), 'new')
    await loadInto(cache, 'a', on('x'), 'same', 9n)
    t.equal(await foundIn(cache, 'a', on('x')), 'same')
    await loadInto(cache, 'a', on('x'), 'newer', 10n)
    t.equal(await foundIn(cache, 'a', on('x')), 'newer')
    t.equal(await foundIn(cache, 'a', on('y')), undefined, 'nor is it found under other tags')
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

  t.test(`${name}: who is there, until their time is over or they leave`, async t => {
    const { cache, pass } = await open(t)
    const names = async () => [...(await cache.present('g', 'a', 'one', 60_000)).members.keys()].toSorted()
    t.same(await names(), ['a'])
    const { members } = await cache.present('g', 'b', 'two é and more', 150_000)
    t.same([...members].toSorted(), [
      ['a', 'one'],
      ['b', 'two é and more'],
    ])
    await cache.present('elsewhere', 'c', '', 1_000_000)
    await cache.present('g', 'b', 'newer', 150_000)
    await pass(80_000)
    t.same([...(await cache.present('g', 'c', 'three', 1_000_000)).members].toSorted(), [
      ['b', 'newer'],
      ['c', 'three'],
    ])
    await cache.leave('g', 'b')
    await cache.leave('nowhere', 'b')
    t.same(await names(), ['a', 'c'])
  })

  t.test(`${name}: erases values, or everything; and the names do not mix`, async t => {
    const { cache } = await open(t)
    await loadInto(cache, 'k', on('k'), 'v')
    await cache.claim('k', 'owner', 60_000)
    await cache.hit('k', 60_000)
    t.equal(await foundIn(cache, 'k', on('k')), 'v')
    await cache.forget()
    t.equal(await foundIn(cache, 'k', on('k')), undefined)
    t.equal((await cache.claim('k', 'other', 60_000)).claimed, false)
    t.equal((await cache.hit('k', 60_000)).count, 2)
    await loadInto(cache, 'k', on('k'), 'v')
    await cache.clear()
    t.equal(await foundIn(cache, 'k', on('k')), undefined)
    t.equal((await cache.claim('k', 'other', 60_000)).claimed, true)
    t.equal((await cache.hit('k', 60_000)).count, 1)
    await cache.close()
  })
}
