/** The end of the log is read once for all who wait there. */
import t from 'tap'
import { openTail, wanting } from '../../src/adapters/eventstore/sqlite/tail.ts'
import { defined } from '../../src/domain/defined.ts'
import type { LoggedEvent } from '../../src/ports/event-store.ts'

const event = (position: number, stream: string, type: string, damaged = false): LoggedEvent => ({
  id: `event-${position}`,
  stream,
  type,
  revision: 0n,
  position: BigInt(position),
  recordedAt: '2026-01-01T00:00:00.000Z',
  data: '{}',
  meta: '{}',
  ...defined({ damaged: damaged ? damaged : undefined }),
})

/** A log in memory that counts how often it is asked. */
const open = () => {
  const events: LoggedEvent[] = []
  const asked = { heads: 0, pages: 0 }
  const head = (): number => Number(events.at(-1)?.position ?? 0n)
  const tail = openTail({
    head: () => {
      asked.heads += 1
      return head()
    },
    cursor: () => ({
      next: (after, until) => {
        asked.pages += 1
        const found = events.filter(({ position }) => position > after && position <= until)
        return { events: found, position: until, caughtUp: true }
      },
    }),
  })
  const write = (...more: readonly LoggedEvent[]): void => {
    events.push(...more)
    tail.renew()
  }
  return { tail, asked, write }
}

const ids = (found: ReturnType<ReturnType<typeof openTail>['after']>) => found?.events.map(({ id }) => id)

t.test('twenty consumers ask the file once, and each is given what is for it', t => {
  const { tail, asked, write } = open()
  write(event(1, 'word-a', 'WordSet'), event(2, 'entry-a', 'EntryDrafted'), event(3, 'word-b', 'WordGone'))
  const filters = [{}, { categories: ['word'] }, { types: ['WordGone'] }, { categories: ['entry'], types: ['WordSet'] }]
  for (let n = 0; n < 5; n += 1)
    t.strictSame(
      filters.map(filter => ids(tail.after(0, wanting(filter)))),
      [['event-1', 'event-2', 'event-3'], ['event-1', 'event-3'], ['event-3'], []],
    )
  t.strictSame(asked, { heads: 1, pages: 1 })
  t.match(
    tail.after(0, wanting({ types: ['nothing'] })),
    { position: 3, caughtUp: true },
    'who wants none of it goes on',
  )
  t.strictSame(ids(tail.after(2, wanting())), ['event-3'], 'of who has some of it already, the rest')
  t.strictSame(asked, { heads: 1, pages: 1 })
  t.end()
})

t.test('what is committed later is read once more', t => {
  const { tail, asked, write } = open()
  write(event(1, 'word-a', 'WordSet'))
  t.strictSame(ids(tail.after(0, wanting())), ['event-1'])
  write(event(2, 'word-a', 'WordSet'))
  t.equal(tail.head(), 2)
  t.strictSame(ids(tail.after(1, wanting())), ['event-2'])
  t.strictSame(asked, { heads: 2, pages: 2 })
  t.strictSame(ids(tail.after(0, wanting())), ['event-1', 'event-2'], 'also for who is a little behind')
  t.end()
})

t.test('who is far behind, or would be given a damaged event, reads for themselves', t => {
  const far = open()
  far.write(...Array.from({ length: 65 }, (_, n) => event(n + 1, 'word-a', 'WordSet')))
  t.equal(far.tail.after(0, wanting()), undefined)
  t.equal(ids(far.tail.after(1, wanting()))?.length, 64)
  const damaged = open()
  damaged.write(event(1, 'word-a', 'WordSet', true), event(2, 'entry-a', 'EntryDrafted'))
  t.equal(damaged.tail.after(0, wanting({ categories: ['entry'] })), undefined)
  t.strictSame(ids(damaged.tail.after(1, wanting())), ['event-2'], 'after it there is none')
  t.end()
})
