import t from 'tap'
import Type from 'typebox'
import type { Log, NewEvent } from '../../../src/core/log/log.ts'
import { openLog } from '../../../src/core/log/open.ts'
import { openShared } from '../../../src/core/log/shared.ts'
import { openMemory } from '../../../src/core/memory/memory.ts'
import { eventType, type Recorded } from '../../../src/domain/event.ts'
import type { EventStore, LoggedEvent } from '../../../src/ports/event-store.ts'
import { openMemoryEventStore } from '../../support/memory-event-store.ts'
import { openMemoryKeys } from '../../support/memory-keys.ts'

const Noted = eventType('Noted', Type.Object({ topic: Type.String(), text: Type.String({ seal: 'document' }) }))

const noted = (id: string, text: string): NewEvent => ({
  id,
  type: 'Noted',
  data: { topic: 'a', text },
  meta: {
    actor: { kind: 'account', id: 'someone' },
    commandId: 'c-1',
    correlationId: 'r-1',
    causationId: 'c-1',
    at: '2026-01-01T00:00:00.000Z',
    route: { visibility: 'public', language: 'en' },
  },
})

/** As an engine of which each subscription gets events of its own, and as one that can be put back. */
const open = (bytes = 32 * 1024 * 1024) => {
  const inner = openMemoryEventStore({ pageSize: 2 })
  let change = (event: LoggedEvent): LoggedEvent => ({ ...event })
  const store: EventStore = {
    ...inner,
    subscribe: async function* (after, filter, signal) {
      for await (const batch of inner.subscribe(after, filter, signal)) {
        const events = batch.events.map(event => change(event))
        yield { ...batch, events }
      }
    },
  }
  const keys = openMemoryKeys()
  const shared = openShared(openMemory(bytes).region('replays'))
  const log = openLog({ store, keys, types: [Noted], shared })
  return {
    log,
    keys,
    shared,
    instead: (other: (event: LoggedEvent) => LoggedEvent) => {
      change = other
    },
  }
}

const write = async (log: Log, stream: string, event: NewEvent): Promise<string> => {
  const encoded = await log.encode(stream, 'none', [event])
  const result = await log.append(encoded)
  if (result.outcome !== 'written' || encoded.key === undefined) throw new Error(result.outcome)
  return encoded.key
}

/** What one who begins to follow is told of until the head. */
const follow = async (log: Log): Promise<readonly Recorded[]> => {
  const told: Recorded[] = []
  for await (const { events, caughtUp } of log.subscribe(0n)) {
    told.push(...events)
    if (caughtUp) break
  }
  return told
}

t.test('those who are at the head share what was decoded there', async t => {
  const { log, shared } = open()
  await write(log, 'note-1', noted('e-1', 'words'))
  const [first] = await follow(log)
  const [second] = await follow(log)
  t.match(first, { id: 'e-1', data: { topic: 'a', text: 'words' } })
  t.equal(second, first, 'it is one event')
  shared.forget()
  const [third] = await follow(log)
  t.not(third, first, 'forgotten, it is decoded again')
  t.same(third, first)
})

t.test('who is behind reads alone, and shares again once it is at the head', async t => {
  const { log } = open()
  for (const n of [1, 2, 3]) await write(log, `note-${n}`, noted(`e-${n}`, 'words'))
  const [one, other] = [await follow(log), await follow(log)]
  t.same(
    one.map(({ id }) => id),
    ['e-1', 'e-2', 'e-3'],
  )
  t.same(other, one)
  t.same(
    other.map((event, n) => event === one[n]),
    [false, false, true],
    'a page that is not the last one takes the place of none',
  )
})

t.test('what was opened is told to nobody once its key is destroyed', async t => {
  const { log, keys } = open()
  const key = await write(log, 'note-1', noted('e-1', 'words'))
  const [before] = await follow(log)
  t.match(before, { data: { text: 'words' } })
  await keys.destroy(key)
  const [after] = await follow(log)
  t.match(after, { id: 'e-1', removed: true, data: { topic: 'a' } })
  t.notMatch(after, { data: { text: /./ } })
})

t.test('two who decode at once while the key is destroyed are each told what the keys say', async t => {
  const { log, keys } = open()
  const key = await write(log, 'note-1', noted('e-1', 'words'))
  await follow(log)
  const [[early]] = await Promise.all([follow(log), keys.destroy(key)])
  const [late] = await follow(log)
  t.equal(early?.removed ?? early?.data['text'] === 'words', true, 'before or after, and nothing between')
  t.equal(late?.removed, true)
})

t.test('another event at the same place is decoded for itself', async t => {
  const { log, instead } = open()
  await write(log, 'note-1', noted('e-1', 'words'))
  const [before] = await follow(log)
  instead(event => ({ ...event, data: event.data.replace('"topic":"a"', '"topic":"b"') }))
  const [other] = await follow(log)
  t.same([before?.data['topic'], other?.data['topic']], ['a', 'b'])
  instead(event => ({ ...event, damaged: true }))
  const failure = await follow(log).catch((error: unknown) => error)
  t.match(failure, { reason: 'damaged' }, 'and a damaged one is told of as that')
})

t.test('it takes as many bytes as it may, and an event that takes more is not kept', async t => {
  const { log } = open(32 * 10_000)
  await write(log, 'note-1', noted('e-1', 'short'))
  await write(log, 'note-2', noted('e-2', 'long '.repeat(2_000)))
  const [first, large] = await follow(log)
  const [again, largeAgain] = await follow(log)
  t.equal(again, first)
  t.not(largeAgain, large)
  t.same(largeAgain, large)
})
