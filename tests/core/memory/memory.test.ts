/** The memory of a node: caches of one part share its bytes, buffers say when they are full. */
import { equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { memoryFor, memoryLimits } from '../../../src/adapters/host/memory.ts'
import { type MemoryPart, openMemory } from '../../../src/core/memory/memory.ts'
import { holds } from '../../support/property.ts'

const MEGABYTE = 1024 * 1024
const WHOLE = 64_000
/** A quarter. */
const STREAMS = 16_000

const reportOf = (memory: ReturnType<typeof openMemory>, wanted: MemoryPart) => {
  const found = memory.report().find(({ part }) => part === wanted)
  if (!found) throw new Error(`no part ${wanted}`)
  return found
}

t.test('caches of one part push out what of all of them was used least lately, and no other part', async t => {
  const memory = openMemory(WHOLE)
  const options = { max: 100, sizeOf: ({ bytes }: { readonly bytes: number }) => bytes }
  const [one, two] = [memory.region('streams').cache(options), memory.region('streams').cache(options)]
  const other = memory.region('answers').cache(options)
  other.set('a', { bytes: 1_000 })
  one.set('a', { bytes: 6_000 })
  two.set('a', { bytes: 6_000 })
  t.ok(one.get('a'), 'used again')
  two.set('b', { bytes: 6_000 })
  t.strictSame([one.has('a'), two.has('a'), two.has('b'), other.has('a')], [true, false, true, true])
  t.match(reportOf(memory, 'streams'), { full: 1, limit: STREAMS })
  two.set('b', { bytes: 20_000 })
  t.notOk(two.has('b'), 'one too large is not kept, nor is what it replaces')
  one.clear()
  t.equal(reportOf(memory, 'streams').bytes, 0)
  for (const { part, limit } of memory.report()) t.ok(limit <= WHOLE / 4, `${part} has ${limit}`)
  t.ok(memory.report().reduce((sum, { limit }) => sum + limit, 0) <= WHOLE)
})

t.test('whatever is done, the bytes are within the limit and are those of what is there', async t => {
  const step = fc.record({
    cache: fc.nat(1),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    what: fc.oneof(
      { weight: 20, arbitrary: fc.constant('set') },
      { weight: 6, arbitrary: fc.constantFrom('get', 'delete') },
      { weight: 1, arbitrary: fc.constant('clear') },
    ),
    bytes: fc.oneof(fc.nat(300), fc.nat(9_000)),
  })
  holds(
    fc.property(fc.array(step, { minLength: 40, maxLength: 60 }), steps => {
      const memory = openMemory(WHOLE)
      const options = { max: 4, sizeOf: (value: { readonly bytes: number }) => value.bytes }
      const caches = [memory.region('streams').cache(options), memory.region('streams').cache(options)]
      for (const { cache: at, key, what, bytes } of steps) {
        const cache = caches[at]
        if (what === 'set') cache?.set(key, { bytes })
        else if (what === 'get') cache?.get(key)
        else if (what === 'delete') cache?.delete(key)
        else cache?.clear()
        const held = caches.flatMap(each => ['a', 'b', 'c', 'd', 'e', 'f'].flatMap(name => each.peek(name) ?? []))
        const { bytes: told, limit } = reportOf(memory, 'streams')
        ok(told <= limit, `${told} of ${limit}`)
        const OVERHEAD = 304
        equal(
          told,
          held.reduce((sum, value) => sum + value.bytes + OVERHEAD, 0),
        )
      }
    }),
  )
  t.pass('two caches of four values')
})

t.test(
  'what waits for readers is bounded for all of them: who has the most is cut first, and as many as make room',
  async t => {
    const memory = openMemory(1_000_000)
    const { limit } = reportOf(memory, 'live')
    const cut: string[] = []
    const open = (name: string) => memory.live.account(() => cut.push(name))
    const [much, more, little] = [open('much'), open('more'), open('little')]
    much.hold(limit / 2 - 2)
    more.hold(limit / 2)
    little.hold(1)
    t.strictSame(cut, [], 'all of it fits')
    t.match(reportOf(memory, 'live'), { bytes: limit - 1, full: 0 })
    little.hold(3)
    t.strictSame(cut, ['more'])
    t.match(reportOf(memory, 'live'), { bytes: limit / 2 + 1, full: 1 })
    more.hold(limit)
    t.equal(reportOf(memory, 'live').bytes, limit / 2 + 1, 'who was cut is counted no more')
    much.hold(0)
    t.equal(reportOf(memory, 'live').bytes, 3)
    open('all').hold(limit + 1)
    t.strictSame(cut, ['more', 'all'], 'itself, where it has the most')
    const many = Array.from({ length: 10 }, (_, n) => open(`${n}`))
    for (const [n, each] of many.entries()) each.hold(limit / 11 + n)
    little.hold(limit / 8)
    t.strictSame(cut, ['more', 'all', 'little', '9'], 'down to seven eighths')
  },
)

t.test('what caches may have follows the least of the limits of a process', async t => {
  t.equal(memoryFor([4_096 * MEGABYTE, 1_024 * MEGABYTE, 24_000 * MEGABYTE]), 128 * MEGABYTE)
  t.equal(memoryFor([512 * MEGABYTE, 0, undefined]), 64 * MEGABYTE)
  t.equal(memoryFor([64 * MEGABYTE, undefined, 24_000 * MEGABYTE]), 16 * MEGABYTE, 'so much it takes')
  t.equal(memoryFor([64_000 * MEGABYTE]), 256 * MEGABYTE, 'and no more than is of use')
  t.ok(memoryLimits().some(limit => limit !== undefined && limit > 0))
})
