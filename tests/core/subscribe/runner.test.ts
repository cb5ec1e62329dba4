/** The contract of a subscriber: at least once, in order by key, own checkpoint, lease, parking, retry, stop. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { BEAT_MS } from '../../../src/core/consume/lease.ts'
import { requestRetry, retryDone, retryRequested } from '../../../src/core/consume/parking.ts'
import { type Subscriber, subscriber } from '../../../src/core/subscribe/define.ts'
import { inspectSubscriber, retrySubscriber } from '../../../src/core/subscribe/inspect.ts'
import { runSubscriber, type SubscriberOptions } from '../../../src/core/subscribe/runner.ts'
import type { Recorded } from '../../../src/domain/event.ts'
import { OwnError } from '../../../src/domain/own-error.ts'
import { EventStoreError } from '../../../src/ports/event-store.ts'
import { KeysError } from '../../../src/ports/keys.ts'
import { openReadSide, type ReadSide } from '../../support/projections.ts'
import { temporaryFolder } from '../../support/service.ts'
import { until } from '../../support/until.ts'

const open = async (t: Test): Promise<ReadSide> => {
  const side = await openReadSide()
  t.teardown(() => side.close())
  return side
}

let nodes = 0
const start = (t: Test, { log, store, clock }: ReadSide, of: Subscriber, more: Partial<SubscriberOptions> = {}) => {
  const stopping = new AbortController()
  const errors: string[] = []
  nodes += 1
  const handle = runSubscriber({
    subscriber: of,
    log,
    store,
    clock,
    nodeId: `node-${nodes}`,
    signal: stopping.signal,
    onError: message => errors.push(message),
    ...more,
  })
  const stop = async (): Promise<void> => {
    stopping.abort()
    await handle.done
  }
  t.teardown(stop)
  return { ...handle, stop, errors }
}

/** Remembers what was handled; `broken` names the words that fail. */
const recording = (more: Partial<Subscriber> = {}) => {
  const seen: Recorded[] = []
  const broken = new Set<unknown>()
  const of = subscriber({
    name: 'recorder',
    categories: ['word'],
    handle: async events => {
      for (const event of events) if (broken.has(event.data['word'])) throw new OwnError('out of order')
      seen.push(...events)
    },
    ...more,
  })
  return { of, seen, broken, words: () => seen.map(each => each.data['word']) }
}

t.test('every event once when all goes well, from the checkpoint on after a restart', async t => {
  const side = await open(t)
  const { of, words } = recording()
  for (const word of ['a', 'b', 'c']) side.log.write(`word-${word}`, 'WordSet', { word })
  side.log.write('other-x', 'WordSet', { word: 'x' })
  const first = start(t, side, of)
  await until('three are handled', async () => (await first.status()).lag === 0n)
  t.strictSame(words(), ['a', 'b', 'c'])
  t.match(await first.status(), { name: 'recorder', state: 'following', parked: 0, lag: 0n })
  await first.stop()
  side.log.write('word-d', 'WordSet', { word: 'd' })
  t.match(await inspectSubscriber(side, of), { name: 'recorder', lag: 3n, parked: [] })
  const second = start(t, side, of)
  await until('the fourth is handled', async () => (await second.status()).lag === 0n)
  t.strictSame(words(), ['a', 'b', 'c', 'd'])
})

t.test(
  'what it does not want is passed over without a write each, and stored with what comes next, at a beat, at the end',
  async t => {
    const side = await open(t)
    const { of, words } = recording()
    const stored: bigint[] = []
    const store: ReadSide['store'] = {
      ...side.store,
      apply: async (...given) => {
        stored.push(given[2].value.position)
        await side.store.apply(...given)
      },
    }
    const other = (n: number): void => {
      side.log.write(`other-${n}`, 'WordSet', { word: String(n) })
    }
    const node = start(t, side, of, { store })
    const read = async (): Promise<boolean> => (await node.status()).lag === 0n
    side.log.write('word-a', 'WordSet', { word: 'a' })
    await until('the first is handled', async () => words().length === 1 && (await read()))
    const [before, began] = [stored.length, side.clock.monotonic()]
    for (let n = 1; n <= 50; n += 1) {
      other(n)
      await until('it is passed over', read)
    }
    const beats = 1 + Math.floor((side.clock.monotonic() - began) / BEAT_MS)
    t.ok(stored.length - before <= beats, `${stored.length - before} writes in ${beats} beats`)
    side.log.write('word-b', 'WordSet', { word: 'b' })
    await until('the next is handled', async () => words().length === 2 && (await read()))
    t.match(await inspectSubscriber(side, of), { lag: 0n }, 'with what comes next')
    other(51)
    await until('a beat has come', async () => (await inspectSubscriber(side, of)).lag === 0n)
    other(52)
    await until('it is passed over', read)
    await node.stop()
    t.match(await inspectSubscriber(side, of), { lag: 0n }, 'at the end')
    t.strictSame(words(), ['a', 'b'])
  },
)

t.test('one node works, the other takes over what was not certain', async t => {
  const side = await open(t)
  const one = recording()
  const two = recording()
  const first = start(t, side, one.of)
  side.log.write('word-a', 'WordSet', { word: 'a' })
  await until('the first has it', () => one.seen.length === 1)
  const second = start(t, side, two.of)
  side.log.write('word-b', 'WordSet', { word: 'b' })
  await until('the first has the next too', () => one.seen.length === 2)
  t.match(await second.status(), { state: 'waiting-for-lease' })
  t.strictSame(two.words(), [])
  await until('its checkpoint is stored', async () => (await first.status()).lag === 0n)
  await first.stop()
  side.log.write('word-c', 'WordSet', { word: 'c' })
  await until('the second goes on', () => two.seen.length === 1)
  t.strictSame(two.words(), ['c'])
})

t.test('what was handled and not stored comes again', async t => {
  const side = await open(t)
  let stored = true
  const { of, words } = recording()
  const store = {
    ...side.store,
    apply: async (...given: Parameters<typeof side.store.apply>) => {
      if (!stored && given[2].value.position > 0n) throw new OwnError('the disk is full')
      return side.store.apply(...given)
    },
  }
  stored = false
  const node = start(t, side, of, { store })
  side.log.write('word-a', 'WordSet', { word: 'a' })
  await until('it failed to store', () => node.errors.some(each => each.includes('disk is full')))
  stored = true
  await until('it is stored', async () => (await node.status()).lag === 0n)
  t.ok(words().length >= 2, 'at least once')
  t.strictSame(new Set(words()), new Set(['a']))
})

t.test('a failing event parks its key; later ones of the key wait, in order, until a retry', async t => {
  const side = await open(t)
  const { of, words, broken } = recording({ attempts: 2, key: event => String(event.data['key']) })
  broken.add('bad')
  for (const [key, word] of [
    ['k', 'ok'],
    ['k', 'bad'],
    ['l', 'other'],
    ['k', 'later'],
  ])
    side.log.write('word-a', 'WordSet', { key: key ?? '', word: word ?? '' })
  const node = start(t, side, of)
  await until('it went on', async () => (await node.status()).lag === 0n)
  t.strictSame(words(), ['ok', 'other'])
  t.match(await node.status(), { parked: 1 })
  t.match(await node.parked(), [{ id: 'k', type: 'WordSet', error: 'Error: out of order' }])
  t.match((await inspectSubscriber(side, of)).parked, [{ id: 'k' }])

  await node.retry()
  await until('it failed again', async () => ((await node.parked())[0]?.attempts ?? 0) > 1)
  t.strictSame(words(), ['ok', 'other'], 'nothing overtakes what failed')
  side.log.write('word-a', 'WordSet', { key: 'k', word: 'last' })
  broken.clear()
  t.equal(await retrySubscriber(side.store, of, side.clock.now()), 1)
  await until('nothing is parked', async () => (await node.parked()).length === 0)
  await until('all is handled', async () => (await node.status()).lag === 0n)
  t.strictSame(words(), ['ok', 'other', 'bad', 'later', 'last'])
  t.equal(await retrySubscriber(side.store, of, side.clock.now()), 0)
})

t.test('a retry that is asked for while one of the same moment is carried out is carried out too', async t => {
  const { store, clock } = await open(t)
  await requestRetry(store, 'consumer', clock.now())
  const carriedOut = await retryRequested(store, 'consumer')
  await requestRetry(store, 'consumer', clock.now())
  await retryDone(store, 'consumer', carriedOut ?? '')
  const next = await retryRequested(store, 'consumer')
  t.type(next, 'string')
  await retryDone(store, 'consumer', next ?? '')
  t.equal(await retryRequested(store, 'consumer'), undefined)
})

t.test('an engine that is away parks nothing: it is waited for, and nothing is left out', async t => {
  const side = await open(t)
  let away = true
  const seen: unknown[] = []
  const of = subscriber({
    name: 'recorder',
    categories: ['word'],
    attempts: 2,
    handle: async events => {
      for (const { data } of events) {
        // As an adapter's error comes through a command: the engine's own stands beneath.
        const cause = new EventStoreError('unavailable', 'no answer within 2 s')
        if (away) throw new OwnError('the account was not read', { cause })
        seen.push(data['word'])
      }
    },
  })
  for (const word of ['one', 'two', 'three']) side.log.write(`word-${word}`, 'WordSet', { word })
  const node = start(t, side, of)
  await until('it says so', async () => node.errors.length > 0 && (await node.status()).error !== undefined)
  t.match(node.errors.join(), 'the account was not read')
  t.match(await node.parked(), [])
  t.equal((await node.status()).position, 0n, 'its checkpoint stays where it was')
  away = false
  await until('all is handled', async () => seen.length === 3)
  t.strictSame(seen, ['one', 'two', 'three'])
  await until('it is well', async () => (await node.status()).error === undefined)
  t.match(await node.parked(), [])
})

t.test('what waits keeps waiting where a retry meets an engine that is away', async t => {
  const side = await open(t)
  const { of, words, broken } = recording({ attempts: 1 })
  let away = false
  const handling = {
    ...of,
    handle: async (events: readonly Recorded[], signal: AbortSignal) => {
      if (away) throw new KeysError('unavailable', 'no keys')
      await of.handle(events, signal)
    },
  }
  broken.add('bad')
  side.log.write('word-a', 'WordSet', { word: 'bad' })
  const node = start(t, side, handling)
  await until('it is parked', async () => (await node.parked()).length === 1)
  broken.clear()
  away = true
  await node.retry()
  await until('it has met it', async () => node.errors.some(each => each.includes('no keys')))
  t.match(await node.parked(), [{ attempts: 1 }])
  away = false
  await until('it is done without being asked for again', async () => words().length === 1)
  await until('nothing is parked', async () => (await node.parked()).length === 0)
})

t.test('a key that throws parks the stream of its event and holds up nobody else', async t => {
  const side = await open(t)
  const { of, words, broken } = recording({
    attempts: 1,
    key: event => {
      if (event.data['word'] === 'odd') throw new OwnError('no key')
      return event.stream
    },
  })
  broken.add('odd')
  side.log.write('word-a', 'WordSet', { word: 'odd' })
  side.log.write('word-b', 'WordSet', { word: 'even' })
  const node = start(t, side, of)
  await until('it went on', async () => (await node.status()).lag === 0n)
  t.strictSame(words(), ['even'])
  t.match(await node.parked(), [{ id: '~word-a' }])
})

t.test('an effect that never ends has failed after its time, and holds up no close', async t => {
  const side = await open(t)
  const aborted: unknown[] = []
  const done: unknown[] = []
  const of = subscriber({
    name: 'slow',
    categories: ['word'],
    attempts: 1,
    timeoutMs: 2_000,
    handle: (events, signal) =>
      new Promise(resolve => {
        if (events.every(each => each.data['word'] !== 'endless')) {
          done.push(...events.map(each => each.data['word']))
          resolve()
        } else signal.addEventListener('abort', () => aborted.push(signal.reason))
      }),
  })
  side.log.write('word-a', 'WordSet', { word: 'endless' })
  side.log.write('word-b', 'WordSet', { word: 'short' })
  const node = start(t, side, of)
  await until('it went on', async () => (await node.status()).lag === 0n)
  t.strictSame(done, ['short'])
  t.match(await node.parked(), [{ id: 'word-a', error: /slow took longer than 2000 ms/ }])
  t.ok(aborted.length >= 1, 'the effect was told')
  side.log.write('word-c', 'WordSet', { word: 'endless' })
  await until('the next one hangs', async () => (await node.status()).lag > 0n)
  await node.stop()
  t.ok((await inspectSubscriber(side, of)).lag > 0n, 'what was not certain is before the checkpoint')
})

t.test('an event type of a newer version stops it, after all that came before, and frees the lease', async t => {
  const side = await open(t)
  const one = recording()
  const two = recording()
  side.log.write('word-a', 'WordSet', { word: 'a' })
  side.log.unknown.add('WordWeighed')
  side.log.write('word-b', 'WordWeighed', { word: 'b' })
  const node = start(t, side, one.of)
  await node.done
  t.strictSame(one.words(), ['a'])
  t.match(await node.status(), { state: 'stopped', error: /WordWeighed/ })
  side.log.unknown.clear()
  const newer = start(t, side, two.of)
  await until('a newer version goes on', async () => (await newer.status()).lag === 0n)
  t.strictSame(two.words(), ['b'])
})

t.test('from now: what was before is none of its business', async t => {
  const side = await open(t)
  const { of, words } = recording({ from: 'now' })
  side.log.write('word-a', 'WordSet', { word: 'a' })
  const node = start(t, side, of)
  await until('it follows', async () => (await node.status()).state === 'following')
  side.log.write('word-b', 'WordSet', { word: 'b' })
  await until('all is handled', async () => (await node.status()).lag === 0n && words().length > 0)
  t.strictSame(words(), ['b'])
})

t.test('the subscriber of the documentation runs as it stands there', async t => {
  const page = readFileSync(new URL('../../../docs/subscribers.md', import.meta.url), 'utf8')
  const [, indented = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
  const from = new URL('../../../src/subscribers/announcements.ts', import.meta.url)
  const code = indented
    .replaceAll(/^ {3}/gm, '')
    .replaceAll(/from '(\.[^']+)'/g, (_, path: string) => `from '${new URL(path, from)}'`)
  const file = join(temporaryFolder(t), 'announcements.ts')
  writeFileSync(file, code)
  const { announcementsSubscriber } = await import(pathToFileURL(file).href)

  const side = await open(t)
  const told = new Map<string, string>()
  const of: Subscriber = announcementsSubscriber({
    announce: async ({ id, entry }: { readonly id: string; readonly entry: string }) => void told.set(id, entry),
  })
  const node = start(t, side, of)
  await until('it follows', async () => (await node.status()).state === 'following')
  side.log.write('entry-a', 'EntryDrafted')
  const published = side.log.write('entry-a', 'EntryPublished')
  await until('it was told', () => told.size > 0)
  t.strictSame([...told], [[published.id, 'entry-a']])
  await of.handle([published], new AbortController().signal)
  t.equal(told.size, 1, 'a repeat has no second effect')
})

t.test('a name that is no name is refused', async t => {
  t.throws(() => subscriber({ name: 'No Name', categories: [], handle: async () => undefined }), /lower-case/)
})
