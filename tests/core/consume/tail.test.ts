/** What a node follows in its memory goes on past an event that this build cannot read. */
import t from 'tap'
import { tail } from '../../../src/core/consume/tail.ts'
import { type LogBatch, UndecodableEventError } from '../../../src/core/log/log.ts'
import type { Recorded } from '../../../src/domain/event.ts'
import { fastClock } from '../../support/clocks.ts'

const event = (position: bigint): Recorded => ({
  id: `e${position}`,
  stream: 'entry-1',
  revision: position,
  position,
  recordedAt: '',
  type: 'X',
  data: {},
  meta: {
    actor: { kind: 'system', id: 's' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    schema: 1,
    at: '2026-01-01T00:00:00.000Z',
    route: { visibility: 'public' },
  },
})

t.test('an event of a newer build is told once and passed over; a store that is away is tried again', async t => {
  const ending = new AbortController()
  const asked: bigint[] = []
  let away = true
  const subscribe = async function* (after: bigint): AsyncIterable<LogBatch> {
    asked.push(after)
    if (after === 0n && away) {
      away = false
      throw new Error('away')
    }
    for (const position of [1n, 2n, 3n, 4n]) {
      if (position <= after) continue
      if (position === 3n)
        throw new UndecodableEventError('unknown-type', { type: 'FromTheFuture', stream: 'story-1', position }, 'newer')
      yield { events: [event(position)], position, caughtUp: false }
    }
    ending.abort()
  }
  const seen: bigint[] = []
  const told: unknown[] = []
  await tail({
    log: { subscribe },
    clock: fastClock(1),
    from: 0n,
    filter: {},
    signal: ending.signal,
    onEvents: events => seen.push(...events.map(each => each.position)),
    onError: error => void told.push(error),
  })
  t.same(seen, [1n, 2n, 4n])
  t.same(asked, [0n, 0n, 3n])
  t.match(told, [{ message: 'away' }, { name: 'UndecodableEventError' }])
})
