/**
 * The counts of ratings, folded of what is decided: never negative, replayed to the same bytes, and after a suspension that is over the
 * same as if there had been none, whatever was voted for meanwhile and wherever the process was cut off.
 */
import t from 'tap'
import { AccountReinstated, AccountSuspended, accountStream } from '../../src/domain/account/account.ts'
import { type Decide, fold } from '../../src/domain/decider.ts'
import type { EventMeta, JsonObject, Recorded } from '../../src/domain/event.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { storyStream } from '../../src/domain/story/story.ts'
import { voteForComment, withdrawCommentVote } from '../../src/domain/votes/comment-votes.ts'
import { boundOf, noStars, totalOf } from '../../src/domain/votes/figures.ts'
import { rate, withdrawRating } from '../../src/domain/votes/ratings.ts'
import { type Votes, type VotesEvent, votesAggregate, votesStream } from '../../src/domain/votes/votes.ts'
import { commentVotesProjection } from '../../src/projections/comment-votes.ts'
import {
  allOf,
  isVotesEvent,
  ownRatingsProjection,
  type RatingsDocument,
  ratingsProjection,
} from '../../src/projections/ratings.ts'
import { type StoryDocument, storiesProjection } from '../../src/projections/stories.ts'
import { suspendedVotesSubscriber, type VotesDeps } from '../../src/subscribers/votes.ts'
import { folded } from '../support/folded.ts'
import { memoryLog } from '../support/memory-log.ts'

/** The same numbers in every run. */
const numbers = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

const meta: EventMeta = {
  actor: { kind: 'account', id: 'ada' },
  commandId: 'c',
  correlationId: 'c',
  causationId: 'c',
  at: '2026-01-05T10:00:00.000Z',
  schema: 1,
  route: { visibility: 'owner' },
}

/** Streams of votes in memory. `before`: what happens just before a command of the process is decided. */
const openWorld = () => {
  const log = memoryLog()
  const stateOf = (stream: string): Votes =>
    fold(votesAggregate, log.events.filter(event => event.stream === stream).filter(isVotesEvent))
  const decide = <Code extends never>(stream: string, decided: Decide<Votes, VotesEvent, Code>): boolean => {
    const events = decided(stateOf(stream))
    if (isRefusal(events)) return false
    for (const { type, data } of events) log.write(stream, type, data)
    return true
  }
  let before: (stream: string) => void = () => undefined
  const votes: VotesDeps['votes'] = {
    run: async (stream, decided) => {
      before(stream)
      if (typeof decided !== 'function') throw new Error('a decision on events')
      const events = decided(stateOf(stream))
      if (isRefusal(events)) return events
      for (const { type, data } of events) log.write(stream, type, data)
      const state = stateOf(stream)
      return { outcome: 'accepted', stream, state, revision: 0n, mark: '', position: 0n, replayed: false, events: [] }
    },
  }
  const process = suspendedVotesSubscriber({ votes, clock: { now: () => new Date(meta.at) } })
  return {
    log,
    decide,
    stateOf,
    rate: (account: string, target: string, stars: number): boolean => {
      const of = { kind: 'story', target } as const
      const events = rate(account, of, stars)(stateOf(votesStream(account, of)))
      if (isRefusal(events)) return false
      for (const { type, data } of events) log.write(votesStream(account, of), type, data)
      return true
    },
    account: (type: string, id: string): Recorded => log.write(accountStream(id), type, { accountId: id }),
    carryOut: (event: Recorded): Promise<void> => process.handle([event], new AbortController().signal),
    meanwhile: (work: (stream: string) => void): void => {
      before = work
    },
  }
}

const bytes = (documents: ReadonlyMap<string, JsonObject>): string =>
  JSON.stringify([...documents].toSorted(([a], [b]) => (a < b ? -1 : 1)))
const countsOf = (events: readonly Recorded[]): ReadonlyMap<string, RatingsDocument> =>
  folded(ratingsProjection, events)

t.test('a rating that is changed moves both counts, one that is taken away its own', async t => {
  const world = openWorld()
  world.rate('ada', 'one', 5)
  world.rate('ben', 'one', 5)
  world.rate('ada', 'one', 2)
  t.same(countsOf(world.log.events).get('story:one')?.counts, [0, 1, 0, 0, 1])
  t.same(countsOf(world.log.events).get(allOf('story'))?.counts, [0, 1, 0, 0, 1])
  const of = { kind: 'story', target: 'one' } as const
  world.decide(votesStream('ada', of), withdrawRating('ada', of))
  const found = countsOf(world.log.events)
  t.same(found.get('story:one')?.counts, [0, 0, 0, 0, 1])
  t.equal(bytes(found), bytes(countsOf(world.log.events)), 'replayed it is the same')
  t.same([...folded(ownRatingsProjection, world.log.events).keys()], ['ben:story:one'])
})

t.test('a suspension that is over leaves the very same bytes, also where it was cut off and done again', async t => {
  for (const seed of [1, 2, 3, 4]) {
    const random = numbers(seed)
    const drawn = (below: number): number => Math.floor(random() * below)
    const world = openWorld()
    for (let n = 0; n < 400; n += 1) world.rate(['ada', 'ben', 'cora'][drawn(3)] ?? '', `s${drawn(120)}`, 1 + drawn(5))
    const before = bytes(countsOf(world.log.events))
    const suspended = world.account(AccountSuspended.type, 'ada')
    // It ends in the middle, and begins again.
    let left = 1 + drawn(60)
    world.meanwhile(() => {
      left -= 1
      if (left === 0) throw new Error('the process ended')
    })
    await t.rejects(world.carryOut(suspended), /the process ended/)
    await world.carryOut(suspended)
    const without = countsOf(world.log.events)
    const others = [...folded(ownRatingsProjection, world.log.events).values()].filter(
      ({ accountId }) => accountId !== 'ada',
    )
    t.equal(totalOf(without.get(allOf('story'))?.counts ?? noStars), others.length, 'only the others’ count')
    for (const [, { counts }] of without) t.ok(counts.every(count => count >= 0))
    t.notOk(world.rate('ada', 's1', 5), 'and nothing is rated meanwhile')
    const reinstated = world.account(AccountReinstated.type, 'ada')
    left = 1 + drawn(60)
    await t.rejects(world.carryOut(reinstated), /the process ended/)
    await world.carryOut(reinstated)
    t.equal(bytes(countsOf(world.log.events)), before)
    const { length } = world.log.events
    // What a node that was cut off still does, after another one has done it.
    await world.carryOut(suspended)
    await world.carryOut(reinstated)
    t.equal(world.log.events.length, length, 'late, it changes nothing')
    t.ok(world.rate('ada', 's1', 5))
  }
})

t.test('votes that race with a suspension are withdrawn with the others, or refused', async t => {
  const random = numbers(7)
  const world = openWorld()
  for (let n = 0; n < 60; n += 1) world.rate('ada', `s${n}`, 3)
  const accepted = new Map<string, number>()
  let at = 0
  let refused = 0
  world.meanwhile(() => {
    for (let n = 0; n < 4; n += 1) {
      const [target, stars] = [`s${Math.floor(random() * 400)}`, 1 + Math.floor(random() * 5)]
      if (world.rate('ada', target, stars)) accepted.set(target, stars)
      else refused += 1
    }
    at += 1
  })
  await world.carryOut(world.account(AccountSuspended.type, 'ada'))
  t.equal(at, 64)
  t.ok(accepted.size > 0 && refused > 0, 'some came before, some after')
  t.same(countsOf(world.log.events).get(allOf('story'))?.counts, noStars, 'none of them counts')
  world.meanwhile(() => undefined)
  await world.carryOut(world.account(AccountReinstated.type, 'ada'))
  const found = countsOf(world.log.events)
  for (let n = 0; n < 400; n += 1) {
    const [target, unraced] = [`s${n}`, n < 60 ? 3 : undefined]
    const stars = accepted.get(target) ?? unraced
    const counts = found.get(`story:${target}`)?.counts ?? noStars
    t.same(counts, stars === undefined ? noStars : noStars.map((_, index) => (index === stars - 1 ? 1 : 0)), target)
  }
})

t.test('down after up moves both counts of a comment, and works have none of it', async t => {
  const world = openWorld()
  const vote = (account: string, value: unknown) =>
    voteForComment(account, 'c1', value)(world.stateOf(votesStream(account, { kind: 'comment', target: 'c1' })))
  const cast = (account: string, value: unknown): void => {
    const events = vote(account, value)
    if (isRefusal(events)) throw new Error(events.detail)
    for (const { type, data } of events)
      world.log.write(votesStream(account, { kind: 'comment', target: 'c1' }), type, data)
  }
  const counts = () => folded(commentVotesProjection, world.log.events).get('c1')
  cast('ada', 1)
  cast('ben', 1)
  t.same(counts(), { up: 2, down: 0 })
  cast('ada', -1)
  t.same(counts(), { up: 1, down: 1 })
  await world.carryOut(world.account(AccountSuspended.type, 'ada'))
  t.same(counts(), { up: 1, down: 0 })
  await world.carryOut(world.account(AccountReinstated.type, 'ada'))
  t.same(counts(), { up: 1, down: 1 })
  world.decide(votesStream('ben', { kind: 'comment', target: 'c1' }), withdrawCommentVote('ben', 'c1'))
  t.same(counts(), { up: 0, down: 1 })
  t.equal(countsOf(world.log.events).size, 0)
})

t.test('a story is sorted by what its ratings come to, and begins without any', async t => {
  const world = openWorld()
  const stream = storyStream('one')
  const begun = { author: 'eve', language: 'en', title: 'Sea', tags: [], warnings: [], rating: 'general' }
  world.rate('ada', 'one', 5)
  t.same(folded(storiesProjection, world.log.events).size, 0, 'of what is not there nothing is kept')
  world.log.write(stream, 'StoryBegun', { ...begun, visibility: 'public' })
  const story = (): StoryDocument | undefined => folded(storiesProjection, world.log.events).get('one')
  t.match(story(), { stars: noStars, rated: boundOf(noStars), revision: '0' })
  world.rate('ben', 'one', 4)
  world.log.write(stream, 'StoryPublished', { chapters: [] })
  world.rate('cora', 'one', 4)
  t.match(story(), { stars: [0, 0, 0, 2, 0], rated: boundOf([0, 0, 0, 2, 0]), revision: '1', isPublished: true })
  const suspended = world.account(AccountSuspended.type, 'ben')
  await world.carryOut(suspended)
  t.match(story(), { stars: [0, 0, 0, 1, 0], rated: boundOf([0, 0, 0, 1, 0]), revision: '1' })
  world.log.write(stream, 'StoryDeleted', { chapters: [], ground: 'author' })
  world.rate('dora', 'one', 1)
  t.equal(story(), undefined)
})
