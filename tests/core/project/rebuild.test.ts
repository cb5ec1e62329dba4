import t, { type Test } from 'tap'
import { catchUp } from '../../../src/core/project/catch-up.ts'
import { openFreshness } from '../../../src/core/project/freshness.ts'
import { inspectProjection } from '../../../src/core/project/inspect.ts'
import {
  beginBuilding,
  goLive,
  KEEP_MS,
  pointerRecord,
  readPointer,
  sweep,
  touch,
} from '../../../src/core/project/pointer.ts'
import { rebuild, requestRebuild, verifyProjection } from '../../../src/core/project/rebuild.ts'
import { openView } from '../../../src/core/project/view.ts'
import { defined } from '../../../src/domain/defined.ts'
import type { JsonObject } from '../../../src/domain/event.ts'
import { ReadStoreError } from '../../../src/ports/read-store.ts'
import { fakeClock } from '../../support/clocks.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { openReadSide, type ReadSide, words } from '../../support/projections.ts'
import { until } from '../../support/until.ts'

const withReadSide = (name: string, run: (test: Test, side: ReadSide) => Promise<void>): void => {
  t.test(name, async test => {
    const side = await openReadSide({ log: memoryLog({ page: 10 }) })
    try {
      for (let n = 0; n < 30; n += 1) side.log.write(`word-${n % 6}`, 'WordSet', { word: `w${n}` })
      await run(test, side)
    } finally {
      await side.close()
    }
  })
}
const never = (): AbortSignal => new AbortController().signal
const list = { where: [], order: ['word'], limit: 2 }

withReadSide(
  'a rebuild is made beside the live one and swapped in; the running node goes over to it',
  async (t, side) => {
    const node = side.run(words())
    const view = side.view(words())
    await until('it is built', async () => (await node.status()).state === 'following')
    const first = await view.find(list)
    t.equal(first.generation, '1.1')

    const seen: number[] = []
    const options = { projection: words(), ...side, nodeId: 'command-line', signal: never() }
    const generation = await rebuild({ ...options, onProgress: ({ progress }) => seen.push(progress) })
    t.equal(generation, 2)
    t.same(await readPointer(side.store, 'words'), { next: 3, versions: { '1': { live: 2 } } })
    t.same(
      await side.store.scan('words@1#2', '', 100),
      await side.store.scan('words@1#1', '', 100),
      'the same documents',
    )
    await until('the node follows it', async () => {
      const status = await node.status()
      return status.generation === 2 && status.state === 'following'
    })
    side.log.write('word-new', 'WordSet', { word: 'new' })
    await view.waitFor(await side.log.head())
    await until('the view reads it', async () => (await view.find(list)).generation === '1.2')
    t.ok((await view.get(['new'])).has('new'))

    const second = await view.find({ ...list, ...defined({ after: first.next ?? undefined }) }, first.generation)
    t.equal(second.generation, '1.1', 'a cursor stays with its own generation while that is there')
    t.equal(second.documents.length, 2)
    await side.store.drop('words@1#1')
    const third = view.find({ ...list, ...defined({ after: second.next ?? undefined }) }, second.generation)
    await t.rejects(third, { name: 'ProjectionError', code: 'cursor-expired' })
    for (const forged of ['', '1', '7.1', '1.x'])
      await t.rejects(view.find(list, forged), { code: 'cursor-expired' }, `cursor of ${forged}`)
  },
)

withReadSide('how far a rebuild is shows wherever it is asked, whichever process builds it', async (t, side) => {
  const node = side.run(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  const inspect = () => inspectProjection(side, words())
  t.equal((await inspect()).progress, undefined, 'nothing is being built')
  const at = await beginBuilding(side.store, 'words', 1, side.clock.now())
  const other = { owner: 'another process', token: 1, beat: 1 }
  await side.store.swap(`lease:words@1#${at.generation}`, undefined, JSON.stringify(other))
  await side.store.ensure(`words@1#${at.generation}`, words().indexes)
  const head = await side.log.head()
  const checkpoint = { logId: side.log.logId, position: head / 2n, eventId: '', token: 1 }
  await side.store.apply('', [], { consumer: `words@1#${at.generation}`, value: checkpoint })
  node.refresh()
  await until('the node tells of it', async saw => {
    const { progress } = await node.status()
    saw(progress)
    return progress === 0.5
  })
  t.match(await inspect(), { state: 'live', position: head, progress: 0.5 })
})

withReadSide('a process that is there for one look reads what is new in the log itself', async (t, side) => {
  const options = { projection: words(), ...side, nodeId: 'command-line', signal: never() }
  const view = side.view(words())
  const seen: number[] = []
  await catchUp({ ...options, view, onProgress: ({ progress }) => seen.push(progress) })
  t.equal(view.position(), await side.log.head(), 'from nothing')
  side.log.write('word-new', 'WordSet', { word: 'new' })
  await catchUp({ ...options, view })
  t.ok((await view.get(['new'])).has('new'), 'and where it was left')
  await catchUp({ ...options, view, onProgress: () => t.fail('there is nothing to do') })
  const ended = new AbortController()
  ended.abort()
  side.log.write('word-newer', 'WordSet', { word: 'newer' })
  await catchUp({ ...options, view, signal: ended.signal })
  t.notOk((await view.get(['newer'])).has('newer'), 'it ends when it is told to')
})

withReadSide('a running node carries out a rebuild that was asked for', async (t, side) => {
  const node = side.run(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  t.equal(await requestRebuild(side.store, words(), side.clock.now()), 2)
  t.equal(await requestRebuild(side.store, words(), side.clock.now()), 2, 'asked twice it is one')
  node.refresh()
  await until('it is swapped', async () => (await node.status()).generation === 2)
  t.same((await readPointer(side.store, 'words')).versions, { '1': { live: 2 } })
})

withReadSide('a rebuild that was killed is gone on with from its checkpoint', async (t, side) => {
  const building = await beginBuilding(side.store, 'words', 1, side.clock.now())
  let folded = 0
  const counting = words({
    evolve: (document, event, id) => {
      folded += 1
      return words().evolve(document, event, id)
    },
  })
  const stopping = new AbortController()
  const options = { projection: counting, ...side, nodeId: 'one' }
  const first = rebuild({
    ...options,
    signal: stopping.signal,
    onProgress: ({ position }) => {
      if (position >= 30n) stopping.abort()
    },
  })
  t.equal(await first, undefined)
  const before = folded
  t.ok(before >= 10 && before < 30, `${before} events folded`)
  t.equal(await rebuild({ ...options, nodeId: 'two', signal: never() }), building.generation)
  t.ok(folded - before < 30, 'not from the beginning')
  t.equal((await side.store.scan('words@1#1', '', 100)).length, 6)
  t.match(await verifyProjection({ ...options, projection: words(), signal: never() }), { differing: 0, documents: 6 })
})

withReadSide('only one of two swaps of the pointer counts', async (t, side) => {
  const at = await beginBuilding(side.store, 'words', 1, side.clock.now())
  t.equal(await goLive(side.store, 'words', { version: 1, generation: 99 }), false, 'what is not being built')
  const outcomes = await Promise.all([goLive(side.store, 'words', at), goLive(side.store, 'words', at)])
  t.same(outcomes, [true, true], 'who finds it done is content')
  const next = await Promise.all(
    Array.from({ length: 5 }, () => beginBuilding(side.store, 'words', 1, side.clock.now())),
  )
  t.same(new Set(next.map(each => each.generation)), new Set([2]), 'five who begin at once begin the same')
  t.same(JSON.parse((await side.store.record(pointerRecord('words'))) ?? ''), {
    next: 3,
    versions: { '1': { live: 1, building: 2 } },
  })
})

withReadSide(
  'a new version is built beside the old one, which is read through a mapper or not at all',
  async (t, side) => {
    const old = side.run(words())
    await until('version 1 is live', async () => (await old.status()).state === 'following')
    const next = words({
      version: 2,
      indexes: [
        { name: 'word', on: ['word'] },
        { name: 'upper', on: ['upper'] },
      ],
      evolve: (document, event, id) => {
        const folded = words().evolve(document, event, id)
        return folded && { ...folded, upper: folded.word.toUpperCase() }
      },
    })
    const upper = (body: JsonObject): string | undefined =>
      typeof body['upper'] === 'string' ? body['upper'] : undefined

    const strict = side.view(next)
    await t.rejects(strict.get(['1']), { name: 'ProjectionError', code: 'projection-building' })
    await t.rejects(strict.waitFor(1n), { code: 'projection-building' })
    t.equal(await strict.ready(), false)
    const mapping = side.view({
      ...next,
      reads: { 1: document => ({ word: String(document['word']), seen: [], upper: 'MAPPED' }) },
    })
    t.equal(await mapping.ready(), true)
    t.equal(upper((await mapping.get(['1'])).get('1')?.body ?? {}), 'MAPPED')
    t.equal((await mapping.find(list)).documents.length, 2, 'an index that both versions have answers')
    await t.rejects(mapping.find({ where: [], order: ['upper'], limit: 1 }), { code: 'projection-building' })

    const node = side.run(next)
    await until('version 2 is live', async () => (await node.status()).state === 'following')
    side.log.write('word-1', 'WordSet', { word: 'both' })
    for (const collection of ['words@1#1', 'words@2#2'])
      await until(
        `${collection} is folded`,
        async () => (await side.store.get(collection, ['1'])).get('1')?.body['word'] === 'both',
      )
    await until('the view is over', async () => upper((await mapping.get(['1'])).get('1')?.body ?? {}) === 'BOTH')
    t.equal(await strict.ready(), true)
    t.match(await old.status(), { version: 1, generation: 1, state: 'following' }, 'the old node folds its own')
    t.match(await node.status(), { version: 2, generation: 2, state: 'following' })
  },
)

withReadSide(
  "another log's checkpoint rebuilds, and so does one whose last event is not in the log",
  async (t, side) => {
    const first = side.run(words())
    await until('it is built', async () => (await first.status()).state === 'following')
    await first.stop()
    const copied = side.run(words(), { log: { ...side.log, logId: 'a copy' } })
    await until('a copy, though it has the same events, is another log', async () => {
      const status = await copied.status()
      return status.generation === 2 && status.state === 'following'
    })
    await copied.stop()
    const other = memoryLog()
    other.write('word-x', 'WordSet', { word: 'x' })
    const second = side.run(words(), { log: other })
    await until('it is built again', async () => {
      const status = await second.status()
      return status.generation === 3 && status.state === 'following'
    })
    t.same(
      (await side.store.scan('words@1#3', '', 10)).map(each => each.id),
      ['x'],
    )
    t.ok(second.errors.some(each => each.includes('another log')))
    await second.stop()

    const shorter = memoryLog({ logId: other.logId })
    for (let n = 0; n < 9; n += 1) shorter.write('word-y', 'WordSet', { word: 'y' })
    const third = side.run(words(), { log: shorter })
    await until('a history without the last event counts as another', async () => {
      const status = await third.status()
      return status.generation === 4 && status.state === 'following'
    })
    t.same(
      (await side.store.scan('words@1#4', '', 10)).map(each => each.id),
      ['y'],
    )
  },
)

withReadSide('what no node used for an hour is dropped, with its records', async (t, side) => {
  const { store } = side
  const clock = fakeClock()
  for (const generation of [1, 2, 3]) await store.ensure(`words@1#${generation}`, [])
  await store.ensure('others@1#1', [])
  await store.swap('parked:words@1#1:a', undefined, '{}')
  await store.swap('lease:words@1#10', undefined, 'another’s')
  await touch(store, 'words@1#1', clock.now())
  await clock.advance(KEEP_MS / 2)
  await touch(store, 'words@1#2', clock.now())
  const keep = new Set(['words@1#3'])
  t.same(await sweep(store, 'words', keep, clock.now()), [])
  await clock.advance(KEEP_MS / 2)
  t.same(await sweep(store, 'words', keep, clock.now()), ['words@1#1'])
  t.equal((await store.records('parked:words@1#1')).size, 0)
  t.equal(await store.record('lease:words@1#10'), 'another’s', 'a name that begins alike is not touched')
  await clock.advance(KEEP_MS)
  t.same(await sweep(store, 'words', keep, clock.now()), ['words@1#2'])
  t.same(await store.collections(), ['others@1#1', 'words@1#3'])
})

withReadSide('verify replays all and tells what differs', async (t, side) => {
  side.log.write('word-5', 'WordRemoved')
  const node = side.run(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  await node.stop()
  const options = { projection: words(), ...side, nodeId: 'verifier', signal: never() }
  t.match(await verifyProjection(options), { generation: 1, documents: 5, differing: 0, differences: [], moved: 0 })
  const stored = await side.store.checkpoint('words@1#1')
  if (!stored) throw new Error('there is a checkpoint')
  const position = await side.log.head()
  const wrong = [
    { id: '0', position, body: { word: 'wrong', seen: [] } },
    { id: '1', position, removed: true as const },
    { id: 'extra', position, body: { word: 'extra', seen: [] } },
    { id: '2', position: position + 3n, body: { word: 'newer', seen: [] } },
  ]
  await side.store.apply('words@1#1', wrong, { consumer: 'words@1#1', value: stored })
  const { differences, differing, moved } = await verifyProjection(options)
  t.same(differences, [
    { id: '0', kind: 'different' },
    { id: '1', kind: 'missing' },
    { id: 'extra', kind: 'extra' },
  ])
  t.same([differing, moved], [3, 1])
  t.same(await side.store.collections(), ['words@1#1'], 'the scratch is gone')
  t.same([...(await side.store.records('lease:')).keys()], ['lease:words@1#1'], 'and its records')

  const at = () => verifyProjection({ ...options, nodeId: `verifier-${Math.random()}` })
  const both = await Promise.all([at(), at(), at()])
  t.same(
    both.map(each => each.differing),
    [3, 3, 3],
    'verifications at once do not disturb each other',
  )
})

t.test('who waits on a collection that was swapped out goes over to the one in its place', async t => {
  const side = await openReadSide({ log: memoryLog({ page: 10 }) })
  t.teardown(() => side.close())
  side.log.write('word-1', 'WordSet', { word: 'a' })
  const node = side.run(words())
  const view = side.view(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  await node.stop()
  t.equal((await view.find(list)).generation, '1.1')
  const event = side.log.write('word-1', 'WordSet', { word: 'b' })
  const waiting = view.waitFor(event.position)
  const options = { projection: words(), ...side, nodeId: 'builder', signal: never() }
  t.equal(await rebuild(options), 2)
  await waiting
  t.equal((await view.get(['1'])).get('1')?.body.word, 'b', 'nobody folds the old one any more')
  await t.rejects(view.waitFor(event.position + 1n, 300), { code: 'projection-behind' })
})

withReadSide('readers stay with what they have seen until the collection in its place has it too', async (t, side) => {
  const node = side.run(words())
  const view = side.view(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  await node.stop()
  t.equal((await view.find(list)).generation, '1.1')
  const at = await beginBuilding(side.store, 'words', 1, side.clock.now())
  await side.store.ensure('words@1#2', words().indexes)
  const value = { logId: side.log.logId, position: 3n, eventId: '', token: 1 }
  await side.store.apply('words@1#2', [], { consumer: 'words@1#2', value })
  t.ok(await goLive(side.store, 'words', at))
  const read = async () => {
    await side.clock.advance(600)
    return (await view.find(list)).generation
  }
  t.equal(await read(), '1.1', 'it is behind')
  t.equal(await read(), '1.1')
  await side.store.apply('words@1#2', [], {
    consumer: 'words@1#2',
    value: { ...value, position: await side.log.head() },
  })
  t.equal(await read(), '1.2')
})

withReadSide('who waited on one collection waits again when another reader has moved on', async (t, side) => {
  const node = side.run(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  await node.stop()
  const clock = fakeClock()
  const asked: string[] = []
  const gate = Promise.withResolvers<void>()
  const freshness = {
    ...openFreshness({ store: side.store, clock }),
    waitFor: (collection: string) => {
      asked.push(collection)
      return gate.promise
    },
  }
  const view = openView({ projection: words(), store: side.store, clock, freshness })
  const waiting = view.waitFor(10_000n)
  await until('it waits', () => asked.length === 1)
  await rebuild({ projection: words(), ...side, nodeId: 'builder', signal: never() })
  await clock.advance(600)
  t.equal((await view.find(list)).generation, '1.2')
  gate.resolve()
  await waiting
  t.same(asked, ['words@1#1', 'words@1#2'])
})

withReadSide('verify does not take for wrong what the live collection has not come to', async (t, side) => {
  const node = side.run(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  await node.stop()
  side.log.write('word-0', 'WordSet', { word: 'later' })
  side.log.write('word-1', 'WordRemoved')
  side.log.write('word-new', 'WordSet', { word: 'later' })
  const options = { projection: words(), ...side, nodeId: 'verifier', signal: never() }
  t.match(await verifyProjection(options), { differing: 0, moved: 3 })
})

withReadSide('queries are answered where nothing can be written', async (t, side) => {
  const node = side.run(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  let tried = 0
  const swap = (): Promise<boolean> => {
    tried += 1
    return Promise.reject(new ReadStoreError('unavailable', 'the disk is full'))
  }
  const view = openView({ projection: words(), ...side, store: { ...side.store, swap } })
  for (let n = 0; n < 5; n += 1) t.equal((await view.find(list)).documents.length, 2)
  t.equal(tried, 1, 'and what could not be written is not tried for each of them')
})

withReadSide('a checkpoint without its collection is no reason to leave out what is before it', async (t, side) => {
  const at = await beginBuilding(side.store, 'words', 1, side.clock.now())
  const value = { logId: side.log.logId, position: await side.log.head(), eventId: '', token: 1 }
  await side.store.apply('', [], { consumer: `words@1#${at.generation}`, value })
  const node = side.run(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  t.equal((await side.view(words()).find({ ...list, limit: 10 })).documents.length, 6)
})

withReadSide('the read store lost under the running node is built again', async (t, side) => {
  const node = side.run(words())
  const view = side.view(words())
  await until('it is built', async () => (await node.status()).state === 'following')
  for (const collection of await side.store.collections()) await side.store.drop(collection)
  for (const [name, text] of await side.store.records('')) await side.store.swap(name, text, undefined)
  side.log.write('word-1', 'WordSet', { word: 'after the loss' })
  await until('all is back', async () => {
    const found = await view.get(['0', '1']).catch(() => new Map())
    return found.get('1')?.body.word === 'after the loss' && found.has('0')
  })
  const [collection = ''] = await side.store.collections()
  t.equal((await side.store.scan(collection, '', 100)).length, 6)
  t.not(collection, 'words@1#1', 'no name of the lost store is used again')
})

t.test('a batch does not hold the event loop, however slow its fold is', async t => {
  const side = await openReadSide({ log: memoryLog({ page: 2_000 }) })
  t.teardown(() => side.close())
  for (let n = 0; n < 2_000; n += 1) side.log.write(`word-${n}`, 'WordSet', { word: `${n}` })
  let turns = 0
  let running = true
  t.teardown(() => {
    running = false
  })
  let folding = 0
  const met = new Set<number>()
  const turn = (): void => {
    turns += 1
    if (running) setImmediate(turn)
  }
  const slow = words({
    evolve: (document, event, id) => {
      folding += 0.1
      met.add(turns)
      return words().evolve(document, event, id)
    },
  })
  turn()
  const clock = { ...side.clock, monotonic: () => side.clock.monotonic() + folding }
  const node = side.run(slow, { clock })
  await until('it is built', async () => (await side.store.checkpoint('words@1#1'))?.position === 6_000n)
  running = false
  t.ok(met.size > 10, `200 ms of folding, in one batch, met ${met.size} turns of the event loop`)
  await node.stop()
})
