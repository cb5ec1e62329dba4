import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { fakeClock } from '../support/clocks.ts'
import { cacheContract } from './cache.ts'

cacheContract(t, 'memory', async () => {
  const clock = fakeClock()
  return { cache: openMemoryCache({ clock, max: 1000 }), pass: clock.advance }
})

const open = (max: number, maxBytes?: number) =>
  openMemoryCache({ clock: fakeClock(), max, ...(maxBytes !== undefined && { maxBytes }) })

t.test('a forgotten invalidation still refuses older loads', async t => {
  const cache = open(10)
  await cache.invalidate(['victim'], 50n)
  for (let n = 0; n < 20; n += 1) await cache.invalidate([`other-${n}`], 60n)
  await cache.set('victim', { value: 'stale', position: 49n })
  t.equal(await cache.get('victim'), undefined)
  await cache.set('victim', { value: 'fresh', position: 60n })
  t.same(await cache.get('victim'), { value: 'fresh', position: 60n })
  await cache.clear()
  await cache.set('victim', { value: 'stale', position: 49n })
  t.equal(await cache.get('victim'), undefined, 'also after all values were cleared')
})

t.test('keys that clients make up push out no more than their own kind', async t => {
  const cache = open(10)
  await cache.set('page', { value: 'v', position: 1n })
  await cache.claim('command', 'owner', 1000)
  for (let n = 0; n < 1000; n += 1) await cache.hit(`address-${n}`, 1000)
  t.ok(await cache.get('page'))
  t.equal((await cache.claim('command', 'other', 1000)).claimed, false)
  t.equal((await cache.hit('address-999', 1000)).count, 2)
  t.equal((await cache.hit('address-0', 1000)).count, 1, 'the oldest were forgotten')
  for (let n = 0; n < 1000; n += 1) await cache.claim(`claim-${n}`, 'x', 1000)
  t.equal((await cache.claim('command', 'other', 1000)).claimed, true)
})

t.test('values are bounded by number and by bytes, the least recently used goes', async t => {
  const few = open(3)
  for (const key of ['a', 'b', 'c']) await few.set(key, { value: key, position: 1n })
  await few.get('a')
  await few.set('d', { value: 'd', position: 1n })
  t.ok(await few.get('a'))
  t.notOk(await few.get('b'))

  const small = open(1000, 10_000)
  for (let n = 0; n < 20; n += 1) await small.set(`k-${n}`, { value: 'x'.repeat(1000), position: 1n })
  let kept = 0
  for (let n = 0; n < 20; n += 1) if (await small.get(`k-${n}`)) kept += 1
  t.equal(kept, 4)
  await small.set('k-19', { value: 'x'.repeat(10_000), position: 2n })
  t.equal(await small.get('k-19'), undefined, 'one too large is not kept, nor is what it replaces')
})

t.test('a value from beyond an invalidation stays', async t => {
  const cache = open(10)
  await cache.set('a', { value: 'new', position: 9n })
  await cache.invalidate(['a'], 8n)
  t.same(await cache.get('a'), { value: 'new', position: 9n })
  await cache.invalidate(['a'], 9n)
  t.equal(await cache.get('a'), undefined)
})
