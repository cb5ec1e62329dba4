import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { openMemory } from '../../src/core/memory/memory.ts'
import { defined } from '../../src/domain/defined.ts'
import { fakeClock } from '../support/clocks.ts'
import { cacheContract, foundIn, loadInto } from './cache.ts'

cacheContract(t, 'memory', async () => {
  const clock = fakeClock()
  return { cache: openMemoryCache({ clock, max: 1000 }), pass: clock.advance }
})

/** A quarter of the memory is for answers. */
const open = (max: number, bytes?: number) =>
  openMemoryCache({
    clock: fakeClock(),
    max,
    ...defined({ memory: bytes === undefined ? undefined : openMemory(4 * bytes) }),
  })

const on = (tag: string) => [{ scope: 's', tags: [tag] }]

t.test('a tag or scope that was forgotten takes what holds it with it', async t => {
  const cache = open(10)
  await cache.changed('s', [], 0n, 5n)
  const slow = await cache.look('slow', on('victim'))
  await loadInto(cache, 'k', on('victim'), 'stale', 5n)
  await cache.changed('s', ['victim'], 5n, 6n)
  for (let n = 0; n < 20; n += 1) await cache.look(`other-${n}`, on(`other-${n}`))
  await cache.keep('slow', slow.marks ?? '', { value: 'stale', position: 5n }, { freshMs: 1_000, staleMs: 0 })
  t.equal(await foundIn(cache, 'slow', on('victim')), undefined)
  await loadInto(cache, 'k', on('kept'), 'v', 6n)
  for (let n = 0; n < 20; n += 1) await cache.look(`k-${n}`, [{ scope: `z-${n}`, tags: [] }])
  const after = await cache.look('k', on('kept'))
  t.same([after.found, after.reached], [undefined, [0n]])
})

t.test('keys that clients make up push out no more than their own kind', async t => {
  const cache = open(10)
  await loadInto(cache, 'page', on('x'), 'v')
  await cache.claim('command', 'owner', 1000)
  for (let n = 0; n < 1000; n += 1) await cache.hit(`address-${n}`, 1000)
  t.ok(await foundIn(cache, 'page', on('x')))
  t.equal((await cache.claim('command', 'other', 1000)).claimed, false)
  t.equal((await cache.hit('address-999', 1000)).count, 2)
  t.equal((await cache.hit('address-0', 1000)).count, 1, 'the oldest were forgotten')
  for (let n = 0; n < 1000; n += 1) await cache.claim(`claim-${n}`, 'x', 1000)
  t.equal((await cache.claim('command', 'other', 1000)).claimed, true)
})

t.test('values are bounded by number and by bytes, the least recently used goes', async t => {
  const few = open(3)
  for (const key of ['a', 'b', 'c']) await loadInto(few, key, on('x'), key)
  await foundIn(few, 'a', on('x'))
  await loadInto(few, 'd', on('x'), 'd')
  t.ok(await foundIn(few, 'a', on('x')))
  t.notOk(await foundIn(few, 'b', on('x')))

  const small = open(1000, 12_000)
  for (let n = 0; n < 20; n += 1) await loadInto(small, `k-${n}`, on('x'), 'x'.repeat(1000))
  let kept = 0
  for (let n = 0; n < 20; n += 1) if (await foundIn(small, `k-${n}`, on('x'))) kept += 1
  t.equal(kept, 4)
  await loadInto(small, 'k-19', on('x'), 'x'.repeat(10_000), 2n)
  t.equal(await foundIn(small, 'k-19', on('x')), undefined, 'one too large is not kept, nor is what it replaces')
})
