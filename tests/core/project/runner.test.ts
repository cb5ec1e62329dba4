import { deepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { acquireLease, BEAT_MS, leaseRecord, TAKEOVER_MS } from '../../../src/core/consume/lease.ts'
import { restingOn } from '../../../src/core/consume/mark.ts'
import { evolveOne, type Held } from '../../../src/core/project/fold.ts'
import { openFreshness } from '../../../src/core/project/freshness.ts'
import { subscriber } from '../../../src/core/subscribe/define.ts'
import { runSubscriber } from '../../../src/core/subscribe/runner.ts'
import type { Recorded } from '../../../src/domain/event.ts'
import { describeFailure, OwnError } from '../../../src/domain/own-error.ts'
import { type Checkpoint, ReadStoreError } from '../../../src/ports/read-store.ts'
import { fakeClock } from '../../support/clocks.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { openReadSide, type ReadSide, type WordDocument, words } from '../../support/projections.ts'
import { holds } from '../../support/property.ts'
import { until } from '../../support/until.ts'

const COLLECTION = 'words@1#1'
const withReadSide = (name: string, run: (test: Test, side: ReadSide) => Promise<void>): void => {
  t.test(name, async test => {
    const side = await openReadSide({ log: memoryLog({ page: 10 }) })
    try {
      await run(test, side)
    } finally {
      await side.close()
    }
  })
}
const position = async (side: ReadSide, consumer = COLLECTION): Promise<bigint> =>
  (await side.store.checkpoint(consumer))?.position ?? -1n
const caughtUp = (side: ReadSide, consumer = COLLECTION): Promise<true> =>
  until(`${consumer} is at the head`, async () => (await position(side, consumer)) === (await side.log.head()))
const wordOf = async (side: ReadSide, id: string): Promise<WordDocument | undefined> => {
  const body = (await side.store.get(COLLECTION, [id])).get(id)?.body
  return body as WordDocument | undefined
}

t.test('a fold takes events of any order, and a replay gives the same', async () => {
  const types = fc.constantFrom('WordSet', 'WordRemoved', 'WordTouched')
  holds(
    fc.property(fc.array(fc.tuple(types, fc.constantFrom('a', 'b', ''))), facts => {
      const log = memoryLog()
      for (const [type, word] of facts) log.write('word-1', type, { word })
      const fold = (): Held<WordDocument> => {
        let held: Held<WordDocument> = { position: -1n, body: undefined }
        for (const event of log.events) {
          const next = evolveOne(words(), held, event, '1')
          if ('error' in next) throw next.error
          held = next.held
        }
        return held
      }
      deepEqual(fold(), fold())
    }),
    50,
  )
})

withReadSide('documents and checkpoint follow the log, over events that are not wanted too', async (t, side) => {
  const written: Recorded[] = []
  for (let n = 0; n < 35; n += 1) written.push(side.log.write(`word-${n % 4}`, 'WordSet', { word: `w${n}` }))
  const node = side.run(words())
  await caughtUp(side)
  const folded = await wordOf(side, '2')
  t.equal(folded?.word, 'w34')
  t.same(
    folded?.seen,
    written.filter(each => each.stream === 'word-2').map(each => String(each.position)),
    'each once, in order',
  )
  side.log.write('other-1', 'OtherHappened')
  await caughtUp(side)
  const checkpoint = await side.store.checkpoint(COLLECTION)
  const last = written.at(-1)
  const resting = restingOn(await side.log.markAt(await side.log.head()), last, { eventId: '' })
  t.equal(checkpoint?.eventId, resting, 'the checkpoint names what stands at its position, and the last event applied')
  t.equal(checkpoint?.logId, side.log.logId)
  const status = await node.status()
  t.match(status, { name: 'words', version: 1, generation: 1, state: 'following', lag: 0n, parked: 0, progress: 1 })
})

withReadSide('events that were folded before change nothing', async (t, side) => {
  for (let n = 0; n < 12; n += 1) side.log.write(`word-${n % 3}`, n === 7 ? 'WordRemoved' : 'WordSet', { word: `${n}` })
  const first = side.run(words())
  await caughtUp(side)
  await first.stop()
  const before = await side.store.scan(COLLECTION, '', 10)
  // As if the checkpoint had been lost with the machine: everything comes again.
  const token = ((await side.store.checkpoint(COLLECTION))?.token ?? 0) + 1
  const value: Checkpoint = { logId: side.log.logId, position: 0n, eventId: '', token }
  await side.store.apply('', [], { consumer: COLLECTION, value })
  await side.store.swap(
    leaseRecord(COLLECTION),
    await side.store.record(leaseRecord(COLLECTION)),
    `{"owner":"","token":${token},"beat":0}`,
  )
  side.run(words())
  await caughtUp(side)
  t.same(await side.store.scan(COLLECTION, '', 10), before)
  side.log.write('word-0', 'WordSet', { word: 'next' })
  await caughtUp(side)
  const seen = side.log.events.filter(each => each.stream === 'word-0').map(each => String(each.position))
  t.same((await wordOf(side, '0'))?.seen, seen, 'nor is what is folded in memory')
})

withReadSide('a removed document is not resurrected by a replay', async (t, side) => {
  side.log.write('word-1', 'WordSet', { word: 'a' })
  const removal = side.log.write('word-1', 'WordRemoved')
  side.run(words())
  await caughtUp(side)
  t.same((await side.store.load(COLLECTION, ['1'])).get('1'), { id: '1', position: removal.position, removed: true })
})

withReadSide(
  'a failing event parks its document, later events wait in order, others go on, retry lets them in',
  async (t, side) => {
    let broken = true
    const fragile = words({
      evolve: (document, event, id) => {
        if (broken && event.data['fail'] === true) throw new OwnError('poison')
        return words().evolve(document, { ...event, data: { ...event.data, fail: false } }, id)
      },
    })
    const a = [side.log.write('word-a', 'WordSet', { word: 'first' })]
    const poison = side.log.write('word-a', 'WordSet', { word: 'bad', fail: true })
    a.push(poison)
    side.log.write('word-b', 'WordSet', { word: 'b' })
    a.push(side.log.write('word-a', 'WordSet', { word: 'last' }))
    const node = side.run(fragile)
    await caughtUp(side)
    t.equal((await wordOf(side, 'a'))?.word, 'first')
    t.equal((await wordOf(side, 'b'))?.word, 'b')
    const [parked] = await node.parked()
    t.match(parked, { id: 'a', position: poison.position, eventId: poison.id, attempts: 1, error: 'Error: poison' })
    t.equal((await node.status()).parked, 1)

    await node.retry()
    await until('it was tried in vain', async () => (await node.parked())[0]?.attempts === 2)
    a.push(side.log.write('word-a', 'WordSet', { word: 'even later' }))
    await caughtUp(side)
    t.equal((await wordOf(side, 'a'))?.word, 'first', 'still waiting')

    await node.stop()
    const next = side.run(fragile)
    await until('the next node is there', async () => (await next.status()).state === 'following')
    t.equal((await next.parked()).length, 1, 'parked documents outlive the node')
    broken = false
    await next.retry()
    await until('nothing is parked', async () => (await next.parked()).length === 0)
    t.same(
      (await wordOf(side, 'a'))?.seen,
      a.map(each => String(each.position)),
      'all that waited, in order, once',
    )
    a.push(side.log.write('word-a', 'WordSet', { word: 'after' }))
    await caughtUp(side)
    t.equal((await wordOf(side, 'a'))?.word, 'after')
  },
)

withReadSide('an event whose documents cannot be told parks its stream', async (t, side) => {
  let broken = true
  const fragile = words({
    key: event => {
      if (broken && event.data['fail'] === true) throw new OwnError('no key')
      return event.stream.slice(5)
    },
    evolve: (document, event, id) => words().evolve(document, { ...event, data: { word: event.data['word'] } }, id),
  })
  side.log.write('word-a', 'WordSet', { word: '1', fail: true })
  side.log.write('word-a', 'WordSet', { word: '2' })
  side.log.write('word-b', 'WordSet', { word: 'b' })
  const node = side.run(fragile)
  await caughtUp(side)
  t.same([await wordOf(side, 'a'), (await wordOf(side, 'b'))?.word], [undefined, 'b'])
  broken = false
  await node.retry()
  await until('nothing is parked', async () => (await node.parked()).length === 0)
  t.same((await wordOf(side, 'a'))?.seen, ['3', '6'])
  // The same holder, which has met this document in nothing but the retry, and has read one more since it forgot it.
  for (let n = 0; n < 2_100; n += 1) side.log.write(`word-other${n}`, 'WordSet', { word: 'o' })
  side.log.write('word-a', 'WordSet', { word: '3' })
  await caughtUp(side)
  t.same((await wordOf(side, 'a'))?.seen.length, 3, 'it is loaded again, not begun anew')
})

withReadSide('a document that no index can hold is parked, not fatal', async (t, side) => {
  const odd = words({
    evolve: (_, event) => ({ word: event.data['odd'] === true ? (JSON.parse('[1]') as string) : 'w', seen: [] }),
  })
  side.log.write('word-a', 'WordSet', { odd: true })
  side.log.write('word-b', 'WordSet')
  const node = side.run(odd)
  await caughtUp(side)
  t.match((await node.parked())[0]?.error, /member word of index word is neither text/)
  t.ok(await wordOf(side, 'b'))
})

withReadSide(
  'what is kept of a failure says its kind and place, and none of the text that was read',
  async (t, side) => {
    const text = 'written by a person'
    const failures: Readonly<Record<string, (written: string) => unknown>> = {
      SyntaxError: written => JSON.parse(written),
      TypeError: written => Object.defineProperty(Object.freeze({}), written, {}),
      RangeError: written => new Intl.DateTimeFormat('en', { timeZone: written }),
      URIError: written => decodeURIComponent(`%${written}`),
    }
    const odd = words({
      evolve: (_, event) => {
        failures[String(event.data['kind'])]?.(text)
        return { word: 'w', seen: [] }
      },
    })
    for (const kind of Object.keys(failures)) side.log.write(`word-${kind}`, 'WordSet', { kind })
    const node = side.run(odd)
    await caughtUp(side)
    const parked = await node.parked()
    t.same(parked.map(({ id }) => id).toSorted(), Object.keys(failures).toSorted())
    for (const { id, error } of parked) t.match(error, new RegExp(`^${id}( at (src|node_modules)/\\S+:\\d+:\\d+)?$`))
    t.notMatch(JSON.stringify([...(await side.store.records('')).entries()]), /written|person/)
    const multiline = new SyntaxError(`x\n    at evil (/a/src/${text.replaceAll(' ', '-')}:1:1)`)
    t.notMatch(describeFailure(multiline), /written|person/)
    t.equal(describeFailure(text), 'a value was thrown that is no error: string')
    t.comment('of an error of a library nobody knows what it quotes, whatever it is called')
    class LibraryError extends Error {
      override readonly name = 'LibraryError'
    }
    for (const error of [new Error(text), new LibraryError(text), new DOMException(text, text)])
      t.notMatch(describeFailure(error), /written|person/)
    t.match(describeFailure(new LibraryError(text)), /^LibraryError/)
    t.equal(describeFailure(new OwnError('the disk is full')), 'Error: the disk is full')
  },
)

withReadSide('an unknown type stops this node and frees the lease: a newer one goes on', async (t, side) => {
  side.log.write('word-a', 'WordSet', { word: 'a' })
  side.log.write('word-a', 'WordFromTheFuture')
  side.log.write('word-b', 'WordSet', { word: 'b' })
  side.log.unknown.add('WordFromTheFuture')
  const old = side.run(words())
  await until('it stopped', async () => (await old.status()).state === 'stopped')
  t.match((await old.status()).error, /no event type WordFromTheFuture/)
  t.equal((await wordOf(side, 'a'))?.word, 'a', 'what came before it is stored')
  t.equal(await position(side), 3n)
  side.log.unknown.clear()
  const takeovers: string[] = []
  // On a clock that stands still no lease ever lapses.
  side.run(words(), { clock: fakeClock(), trace: { leased: (_, takeover) => takeovers.push(takeover) } })
  await caughtUp(side)
  t.same(takeovers, ['free'])
  t.equal((await wordOf(side, 'b'))?.word, 'b')
})

t.test('a lease is taken after 8 s of the challenger own clock without a beat, with the next token', async t => {
  const side = await openReadSide()
  t.teardown(() => side.close())
  const clock = fakeClock()
  const abort = new AbortController()
  const options = { store: side.store, consumer: 'c', clock, signal: abort.signal }
  const first = await acquireLease({ ...options, owner: 'one' })
  const token = first?.token ?? 0
  t.equal(token, clock.now().getTime(), 'the first token is above all of a store that was deleted before')
  const second = acquireLease({ ...options, owner: 'two' })
  let taken = false
  void second.then(() => {
    taken = true
  })
  const record = async () => JSON.parse((await side.store.record(leaseRecord('c'))) ?? '{}')
  /** Half a second at a time, everyone having done what was due. */
  const pass = async (ms: number, sleepers: number): Promise<void> => {
    for (let passed = 0; passed < ms && !taken; passed += 500) {
      await clock.advance(500)
      await until('all sleep again', () => taken || clock.sleepers() === sleepers)
    }
  }
  await until('both wait', () => clock.sleepers() === 2)
  await pass(TAKEOVER_MS * 2, 2)
  t.notOk(taken, 'a holder that beats keeps it')
  t.ok((await record()).beat >= 7)

  // The holder is suspended: as far as anybody sees, it stops beating.
  const frozen = await side.store.record(leaseRecord('c'))
  abort.abort()
  await first?.release()
  await second
  await side.store.swap(leaseRecord('c'), await side.store.record(leaseRecord('c')), frozen)
  const third = acquireLease({ ...options, signal: new AbortController().signal, owner: 'three' })
  taken = false
  void third.then(() => {
    taken = true
  })
  await until('it waits', () => clock.sleepers() === 1)
  await pass(TAKEOVER_MS - 500, 1)
  t.notOk(taken, 'not before 8 s')
  await pass(1_000, 1)
  await until('it is taken', () => taken)
  const lease = await third
  t.equal(lease?.token, token + 1)
  t.match(await record(), { owner: 'three', token: token + 1 })
  // Somebody takes it from under the holder: it notices at its next beat.
  await side.store.swap(
    leaseRecord('c'),
    await side.store.record(leaseRecord('c')),
    `{"owner":"four","token":${token + 2},"beat":0}`,
  )
  await until('it sleeps', () => clock.sleepers() === 1)
  await clock.advance(BEAT_MS)
  await until('it knows', () => lease?.lost.aborted === true)
  await lease?.release()
  t.match(await record(), { owner: 'four', token: token + 2 }, 'a lost lease is not released')
})

withReadSide(
  'a lease is taken at once from who is known to be dead, from oneself, from nobody else, and when it is damaged',
  async (t, side) => {
    const clock = fakeClock()
    const { store } = side
    const take = (consumer: string, above = 0) => {
      const options = { store, consumer, owner: 'me', clock, signal: new AbortController().signal }
      return acquireLease({ ...options, hasEnded: owner => owner === 'dead', above: async () => above })
    }
    await store.swap(leaseRecord('a'), undefined, '{"owner":"dead","token":7,"beat":9}')
    t.match(await take('a'), { token: 8, takeover: 'ended' }, 'no time has passed')
    await store.swap(leaseRecord('own'), undefined, '{"owner":"me","token":7,"beat":9}')
    t.match(await take('own'), { token: 8, takeover: 'own' }, 'its own, that a store which went away has cut short')
    await store.swap(leaseRecord('b'), undefined, '{"owner":"alive","token":7,"beat":9}')
    let taken = false
    void take('b').then(() => {
      taken = true
    })
    await until('it waits', () => clock.sleepers() === 3)
    t.notOk(taken)
    let damaged = 0
    for (const text of ['{"owner":', '7', 'null', '{"owner":5,"token":1}', '{"owner":"x","token":"y"}']) {
      damaged += 1
      await store.swap(leaseRecord(`c${damaged}`), undefined, text)
      t.equal((await take(`c${damaged}`))?.token, clock.now().getTime(), text)
    }
    const future = clock.now().getTime() + 1_000
    t.equal((await take('d', future))?.token, future + 1, 'above the token of the checkpoint')
    t.match(JSON.parse((await store.record(leaseRecord('d'))) ?? ''), { owner: 'me' })
    await until('who is silent is taken for dead', async () => {
      await clock.advance(500)
      return taken
    })
    t.ok(clock.monotonic() >= 8_000, 'after 8 s of silence')
  },
)

withReadSide('of two nodes one works; when it goes, the other takes over', async (t, side) => {
  const one = side.run(words())
  await until('one leads', async () => (await one.status()).state === 'following')
  const two = side.run(words())
  await until('two waits', async () => (await two.status()).state === 'waiting-for-lease')
  side.log.write('word-a', 'WordSet', { word: 'a' })
  await caughtUp(side)
  t.equal((await two.status()).position, 3n, 'who waits reports what is stored')
  await one.stop()
  await until('two leads', async () => (await two.status()).state === 'following')
  const late = await side.store.checkpoint(COLLECTION)
  if (!late) throw new OwnError('there is a checkpoint')
  const value: Checkpoint = { ...late, token: 1 }
  const storing = side.store.apply('', [], { consumer: COLLECTION, value })
  await t.rejects(storing, { code: 'fenced' }, 'who held it before is fenced before anything new is stored')
  side.log.write('word-a', 'WordSet', { word: 'b' })
  await caughtUp(side)
  t.equal((await wordOf(side, 'a'))?.word, 'b')
  t.equal((await two.status()).state, 'following')
})

withReadSide(
  'a holder whose lease was taken cannot store its checkpoint, and starts over as a challenger',
  async (t, side) => {
    const node = side.run(words())
    side.log.write('word-a', 'WordSet', { word: 'a' })
    await caughtUp(side)
    // Another node took the lease and fenced the checkpoint while this one slept.
    const stored = await side.store.checkpoint(COLLECTION)
    if (!stored) throw new OwnError('there is a checkpoint')
    await side.store.apply('', [], { consumer: COLLECTION, value: { ...stored, token: stored.token + 5 } })
    const text = await side.store.record(leaseRecord(COLLECTION))
    await side.store.swap(leaseRecord(COLLECTION), text, `{"owner":"other","token":${stored.token + 5},"beat":0}`)
    side.log.write('word-a', 'WordSet', { word: 'b' })
    await until('it waits', async () => (await node.status()).state === 'waiting-for-lease')
    t.strictSame(node.errors, [], 'which is no fault: somebody does the work')
    t.equal((await node.status()).error, undefined)
    t.equal(await position(side), 3n, 'the checkpoint stands')
    t.equal((await wordOf(side, 'a'))?.word, 'a', 'and so do the documents')
    await caughtUp(side)
    t.equal((await side.store.checkpoint(COLLECTION))?.token, stored.token + 6, 'the other never beat: taken again')
    t.same((await wordOf(side, 'a'))?.seen, ['3', '6'])
  },
)

withReadSide('the cache is told what has changed after the checkpoint, from where to where', async (t, side) => {
  const calls: object[] = []
  const cache = {
    changed: async (scope: string, tags: readonly string[], from: bigint, to: bigint) => {
      calls.push({ scope, tags, from, to, stored: await position(side) })
    },
  }
  const node = side.run(words({ cacheTags: (id, word) => [`word ${id} ${word?.word}`] }), { cache })
  await until('it follows', async () => (await node.status()).state === 'following')
  t.match(calls.at(-1), { tags: [], from: 0n, to: 0n })
  calls.length = 0
  side.log.write('word-a', 'WordSet', { word: 'a' })
  await until('it was called', () => calls.length > 0)
  t.same(calls, [{ scope: COLLECTION, tags: ['word a a'], from: 0n, to: 3n, stored: 3n }])
  side.log.write('word-a', 'WordSet', { word: 'b' })
  await until('it was called again', () => calls.length > 1)
  t.match(calls[1], { tags: ['word a b'], from: 3n, to: 6n }, 'each begins where the last one ended')
  await node.stop()
  calls.length = 0
  const next = side.run(words({ cacheTags: (id, word) => [`word ${id} ${word?.word}`] }), { cache })
  await until('it was greeted', () => calls.length > 0)
  t.match(calls[0], { tags: [], from: 6n, to: 6n }, 'who begins says where, before it changes anything')
  next.stop()
})

withReadSide('a store that is away is waited out, and everything is there afterwards', async (t, side) => {
  let away = true
  const store = {
    ...side.store,
    apply: (...args: Parameters<typeof side.store.apply>) =>
      away ? Promise.reject(new ReadStoreError('unavailable', 'the disk is full')) : side.store.apply(...args),
  }
  for (let n = 0; n < 25; n += 1) side.log.write(`word-${n % 5}`, 'WordSet', { word: `${n}` })
  const node = side.run(words(), { store })
  await until('it says so', async () => (await node.status()).error?.includes('the disk is full') === true)
  away = false
  await caughtUp(side)
  t.equal((await wordOf(side, '4'))?.seen.length, 5)
  t.equal((await node.status()).error, undefined)
})

withReadSide(
  'a query that names a position waits for it, is woken directly, and gives up after 2 s',
  async (t, side) => {
    const node = side.run(words())
    const view = side.view(words())
    await until('it is built', async () => (await view.ready()) && (await node.status()).state === 'following')
    const waiting = view.waitFor(3n)
    side.log.write('word-a', 'WordSet', { word: 'a' })
    await waiting
    t.equal((await view.get(['a'])).get('a')?.body.word, 'a')
    t.ok(view.position() >= 3n)
    await t.rejects(view.waitFor(4n, 50), { name: 'ProjectionError', code: 'projection-behind' })
  },
)

t.test('other nodes poll the checkpoint every 20 ms while someone waits, once for all who do', async t => {
  const clock = fakeClock()
  let [stored, polls] = [0n, 0]
  const store = {
    checkpoint: async () => {
      polls += 1
      return { logId: 'l', position: stored, eventId: '', token: 1 }
    },
  }
  const freshness = openFreshness({ store, clock })
  const outcome = Promise.allSettled([5n, 5n, 9n].map(each => freshness.waitFor('c', each)))
  for (let passed = 0; passed < 2_000; passed += 20) {
    await until('they sleep', () => clock.sleepers() === (stored === 0n ? 3 : 1))
    if (passed === 100) stored = 5n
    await clock.advance(20)
    if (passed === 100) await until('two are woken', () => clock.sleepers() === 1)
  }
  const [a, b, c] = await outcome
  t.same([a?.status, b?.status, c?.status], ['fulfilled', 'fulfilled', 'rejected'])
  t.match(c, { reason: { code: 'projection-behind' } })
  t.ok(polls >= 95 && polls <= 101, `${polls} polls in two seconds`)
  await freshness.waitFor('c', 5n)
  t.ok(polls <= 101, 'what is known is not asked for')
})

withReadSide(
  'a subscriber: at least once, in order, with its own checkpoint; a failing key is parked and retried',
  async (t, side) => {
    const handled: string[] = []
    let broken = true
    const mail = subscriber({
      name: 'mail',
      categories: ['word'],
      attempts: 2,
      handle: async events => {
        for (const each of events) {
          if (broken && each.stream === 'word-bad') throw new OwnError('no such mailbox')
          handled.push(`${each.stream}:${each.position}`)
        }
      },
    })
    for (const id of ['a', 'bad', 'a', 'bad', 'b']) side.log.write(`word-${id}`, 'WordSet')
    const stopping = new AbortController()
    const options = { subscriber: mail, log: side.log, store: side.store, clock: side.clock, signal: stopping.signal }
    const running = runSubscriber({ ...options, nodeId: 'one' })
    await caughtUp(side, 'subscriber:mail')
    t.same([...new Set(handled)], ['word-a:3', 'word-a:9', 'word-b:15'])
    t.match(await running.parked(), [{ id: 'word-bad', position: 6n, error: 'Error: no such mailbox' }])
    await until('it follows', async () => (await running.status()).state === 'following')
    t.match(await running.status(), { parked: 1, lag: 0n })
    broken = false
    await running.retry()
    await until('nothing is parked', async () => (await running.parked()).length === 0)
    t.same(handled.slice(-2), ['word-bad:6', 'word-bad:12'], 'what waited, in order')
    stopping.abort()
    await running.done

    handled.length = 0
    side.log.write('word-c', 'WordSet')
    const again = new AbortController()
    const next = runSubscriber({ ...options, nodeId: 'two', signal: again.signal })
    await caughtUp(side, 'subscriber:mail')
    t.same(handled, ['word-c:18'], 'it goes on after its checkpoint')
    again.abort()
    await next.done
  },
)

withReadSide('a subscriber may begin with what comes, and goes on after a copy of the log', async (t, side) => {
  const handled: bigint[] = []
  const feed = subscriber({
    name: 'feed',
    categories: ['word'],
    from: 'now',
    handle: async events => void handled.push(...events.map(each => each.position)),
  })
  side.log.write('word-a', 'WordSet')
  const stopping = new AbortController()
  const options = { subscriber: feed, store: side.store, clock: side.clock, nodeId: 'one' }
  const running = runSubscriber({ ...options, log: side.log, signal: stopping.signal })
  await until('it follows', async () => (await running.status()).state === 'following')
  side.log.write('word-a', 'WordSet')
  await caughtUp(side, 'subscriber:feed')
  t.same(handled, [6n])
  stopping.abort()
  await running.done
  const copy = { ...side.log, logId: 'a copy' }
  side.log.write('word-a', 'WordSet')
  const again = new AbortController()
  const next = runSubscriber({ ...options, log: copy, signal: again.signal })
  await caughtUp(side, 'subscriber:feed')
  t.same(handled, [6n, 9n], 'no effect is repeated, none left out')
  t.equal((await side.store.checkpoint('subscriber:feed'))?.logId, 'a copy')
  again.abort()
  await next.done
})
