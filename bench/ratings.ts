/**
 * An account with ten thousand ratings is suspended, and reinstated: from the event about the account until the counts of all works and the
 * order of all stories say so, on the embedded engines; and how much of that is writing what is withdrawn.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import { openSqliteReadStore } from '../src/adapters/readstore/sqlite/store.ts'
import { systemClock as clock } from '../src/app/core.ts'
import type { Log, NewEvent } from '../src/core/log/log.ts'
import { openLog } from '../src/core/log/open.ts'
import { openFreshness } from '../src/core/project/freshness.ts'
import { runProjection } from '../src/core/project/runner.ts'
import { openView } from '../src/core/project/view.ts'
import { openTransactor } from '../src/core/write/transact.ts'
import { AccountReinstated, AccountSuspended, accountStream } from '../src/domain/account/account.ts'
import type { EventMeta, JsonObject } from '../src/domain/event.ts'
import { storyEvents } from '../src/domain/story/events.ts'
import { storyStream } from '../src/domain/story/story.ts'
import { totalOf } from '../src/domain/votes/figures.ts'
import { votesAggregate, votesEvents, votesStream } from '../src/domain/votes/votes.ts'
import { EventStoreError } from '../src/ports/event-store.ts'
import { allOf, ratingsProjection } from '../src/projections/ratings.ts'
import { storiesProjection } from '../src/projections/stories.ts'
import { suspendedVotesSubscriber } from '../src/subscribers/votes.ts'
import { openMemoryKeys } from '../tests/support/memory-keys.ts'
import { type BenchOptions, type BenchRow, inFolder, main, median } from './bench.ts'

const RATINGS = 10_000
const REACH_MS = 1_000
const WAIT_MS = 120_000
const account = randomUUID()
const at = '2026-01-05T10:00:00.000Z'
const meta: EventMeta = {
  actor: { kind: 'account', id: account },
  commandId: 'c',
  correlationId: 'c',
  causationId: 'c',
  at,
  schema: 1,
  route: { visibility: 'owner' },
}
const event = (type: string, data: JsonObject): NewEvent => {
  const { schema: _, ...rest } = meta
  return { id: randomUUID(), type, data, meta: rest }
}

const append = async (log: Log, streams: ReadonlyMap<string, readonly NewEvent[]>): Promise<void> => {
  const all = [...streams]
  for (let from = 0; from < all.length; from += 500) {
    const encoded = await Promise.all(
      all.slice(from, from + 500).map(([stream, events]) => log.encode(stream, 'none', events)),
    )
    for (const result of await log.appendMany(encoded))
      if (result instanceof EventStoreError || result.outcome !== 'written') throw new Error('the log was not filled')
  }
}

/** Stories that are published, with some tags each, and one rating of each by the account. */
const fill = async (log: Log, ratings: number): Promise<void> => {
  const stories = Array.from({ length: ratings }, () => randomUUID())
  const begun = { author: randomUUID(), language: 'en', warnings: [], rating: 'general', visibility: 'public' }
  const written = stories.map((id, n): readonly [string, readonly NewEvent[]] => [
    storyStream(id),
    [
      event('StoryBegun', { ...begun, title: `The ${n} winds`, tags: ['Sea', `Tag ${n % 300}`, 'Storms'] }),
      event('StoryPublished', { chapters: [] }),
    ],
  ])
  await append(log, new Map(written))
  const votes = new Map<string, NewEvent[]>()
  for (const [n, target] of stories.entries()) {
    const stream = votesStream(account, { kind: 'story', target })
    const rated = event('Rated', { accountId: account, kind: 'story', target, stars: 1 + (n % 5) })
    votes.set(stream, [...(votes.get(stream) ?? []), rated])
  }
  await append(log, votes)
}

/** Milliseconds until it is written, until the counts are right, until the lists of stories are. `cpu`: of all threads, until then. */
type Took = { readonly written: number; readonly counted: number; readonly ranked: number; readonly cpu: number }

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const ratings = quick ? 200 : RATINGS
    const events = await openSqliteEventStore({ path: join(folder, 'events.db'), clock })
    const log = openLog({ store: events, keys: openMemoryKeys(), types: [...storyEvents, ...votesEvents] })
    const store = await openSqliteReadStore({ path: join(folder, 'read.db'), clock })
    const freshness = openFreshness({ store, clock })
    const ending = new AbortController()
    await fill(log, ratings)
    const shared = { store, log, clock, freshness, nodeId: randomUUID(), signal: ending.signal }
    const handles = [
      runProjection({ ...shared, projection: ratingsProjection }),
      runProjection({ ...shared, projection: storiesProjection }),
    ]
    const views = { store, clock, freshness }
    const counts = openView({ projection: ratingsProjection, ...views })
    const stories = openView({ projection: storiesProjection, ...views })
    const caughtUp = async (view: typeof counts | typeof stories): Promise<void> => {
      while (!(await view.ready())) await clock.sleep(20)
      await view.waitFor(await log.head(), WAIT_MS)
    }
    const votes = openTransactor({ aggregate: votesAggregate, log, clock, random: Math.random, cachedStreams: 1_000 })
    const subscriber = suspendedVotesSubscriber({ votes, clock })
    let revision = 0n
    const decide = async (type: string): Promise<Took> => {
      revision += 1n
      const stream = accountStream(account)
      const data = { accountId: account }
      const decision = { id: randomUUID(), type, data, stream, revision, position: revision, recordedAt: at, meta }
      const since = performance.now()
      const cpuBefore = process.cpuUsage()
      await subscriber.handle([decision], ending.signal)
      const written = performance.now() - since
      await caughtUp(counts)
      const counted = performance.now() - since
      await caughtUp(stories)
      const { user, system } = process.cpuUsage(cpuBefore)
      return { written, counted, ranked: performance.now() - since, cpu: (user + system) / 1_000 }
    }
    const left = async (): Promise<number> => {
      const all = (await counts.get([allOf('story')])).get(allOf('story'))
      return all ? totalOf(all.body.counts) : 0
    }
    try {
      await caughtUp(counts)
      await caughtUp(stories)
      const rows: BenchRow[] = []
      const times: { readonly [type: string]: Took[] } = { [AccountSuspended.type]: [], [AccountReinstated.type]: [] }
      for (let round = 0; round < (quick ? 1 : 5); round += 1)
        for (const [type, took] of Object.entries(times)) {
          took.push(await decide(type))
          const expected = type === AccountSuspended.type ? 0 : ratings
          if ((await left()) !== expected) throw new Error(`${await left()} count, and not ${expected}`)
        }
      for (const [type, took] of Object.entries(times)) {
        const of = (member: keyof Took): number => median(took.map(each => each[member]))
        rows.push({
          work: `ratings of one account: ${type}`,
          against: '',
          ours: `counts ${of('counted').toFixed(0)} ms, lists of stories ${of('ranked').toFixed(0)} ms`,
          peer: '',
          reach: `<= ${REACH_MS} ms`,
          met: of('ranked') <= REACH_MS,
          note: `${ratings} ratings; written within ${of('written').toFixed(0)} ms; ${of('cpu').toFixed(0)} ms of CPU on all threads`,
        })
      }
      return rows
    } finally {
      ending.abort()
      await Promise.all(handles.map(({ done }) => done))
      await store.close()
      await events.close()
    }
  })

await main(import.meta, run)
