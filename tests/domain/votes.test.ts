/** Ratings as they are decided (accept, refuse, repeat), and what decisions about an account do to its votes. */
import t from 'tap'
import { voteForComment, withdrawCommentVote } from '../../src/domain/votes/comment-votes.ts'
import { boundOf, counted, isStars, meanOf, noStars, type StarCounts, totalOf } from '../../src/domain/votes/figures.ts'
import { isOwnEntry, isOwnStory, MOST_VOTES, rate, withdrawRating } from '../../src/domain/votes/ratings.ts'
import {
  MOST_ITEMS,
  SHARDS,
  type Votes,
  type VotesEvent,
  votesAggregate,
  votesStream,
  votesStreamsOf,
} from '../../src/domain/votes/votes.ts'
import { restoreVotes, withdrawVotes } from '../../src/domain/votes/withdrawals.ts'
import { scenario } from '../support/scenario.ts'

const votes = scenario(votesAggregate)
const ada = 'ada'
const one = { kind: 'story', target: 'one' } as const
const sea = { kind: 'entry', target: 'sea' } as const
const rated = (target: string, stars: number): VotesEvent => ({
  type: 'Rated',
  data: { accountId: ada, kind: 'story', target, stars },
})
const [first, second] = ['suspension 1', 'suspension 2']
const by = (decision: string, revision: number) => ({ accountId: ada, decision, revision })

t.test('a work is rated once, with what is said last, and says what it counted with before', async t => {
  votes
    .given()
    .when(rate(ada, one, 4))
    .thenEvents({ type: 'Rated', data: { accountId: ada, ...one, stars: 4 } })
    .again()
    .thenNothing()
    .again(rate(ada, one, 2))
    .thenEvents({ type: 'Rated', data: { accountId: ada, ...one, stars: 2, previous: 4 } })
    .thenState(state => t.match([...state.votes.values()], [{ ...one, value: 2 }]))
    .again(rate(ada, { kind: 'entry', target: 'one' }, 5))
    .thenEvents({ type: 'Rated', data: { accountId: ada, kind: 'entry', target: 'one', stars: 5 } })
    .again(withdrawRating(ada, one))
    .thenEvents({ type: 'RatingWithdrawn', data: { accountId: ada, ...one, previous: 2 } })
    .again()
    .thenNothing()
  votes.given().when(withdrawRating(ada, sea)).thenNothing()
})

t.test('a rating is a whole number of stars from one to five', async t => {
  for (const stars of [1, 2, 3, 4, 5])
    votes
      .given()
      .when(rate(ada, one, stars))
      .then('Rated')
  for (const stars of [0, 6, 3.5, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', true, null, undefined, [5], {}]) {
    const { refusal } = votes
      .given(rated('one', 4))
      .when(rate(ada, one, stars))
      .thenRefused('rating-invalid')
    t.match(refusal, { detail: /1 to 5/, errors: [{ pointer: '/stars' }] })
    t.notOk(isStars(stars))
  }
})

t.test('there is room for so many, and for a change of one that is there', async () => {
  const full = votes.given(...Array.from({ length: MOST_VOTES }, (_, n) => rated(`s${n}`, 3)))
  full.when(rate(ada, one, 3)).thenRefused('votes-full')
  full.when(rate(ada, { kind: 'story', target: 's7' }, 4)).then('Rated')
})

t.test('a comment is voted for once, up or down', async () => {
  const up = votes
    .given()
    .when(voteForComment(ada, 'c1', 1))
    .thenEvents({ type: 'CommentVoted', data: { accountId: ada, comment: 'c1', value: 1 } })
  up.again().thenNothing()
  up.again(voteForComment(ada, 'c1', -1))
    .thenEvents({ type: 'CommentVoted', data: { accountId: ada, comment: 'c1', value: -1, previous: 1 } })
    .again(withdrawCommentVote(ada, 'c1'))
    .thenEvents({ type: 'CommentVoteWithdrawn', data: { accountId: ada, comment: 'c1', previous: -1 } })
    .again()
    .thenNothing()
  for (const value of [0, 2, -2, 0.5, '1', null, true, undefined])
    up.again(voteForComment(ada, 'c1', value)).thenRefused('vote-invalid')
  const held = up.again(withdrawVotes(by(first, 3)))
  held.thenEvents({
    type: 'VotesWithdrawn',
    data: {
      accountId: ada,
      decision: first,
      accountRevision: 3,
      items: [{ kind: 'comment', target: 'c1', value: 1 }],
    },
  })
  held.again(voteForComment(ada, 'c2', 1)).thenRefused('account-suspended')
  held
    .again(withdrawCommentVote(ada, 'c1'))
    .thenEvents({ type: 'CommentVoteWithdrawn', data: { accountId: ada, comment: 'c1' } })
})

t.test('what one has a hand in is one’s own', async t => {
  const chapter = { id: 'c', by: 'cora', isShown: true, words: 1, revision: 1 }
  const story = { authors: ['ada', 'ben'], former: ['dora'], chapters: [chapter] }
  for (const id of ['ada', 'ben', 'cora', 'dora']) t.ok(isOwnStory(story, id), id)
  t.notOk(isOwnStory(story, 'eve'))
  t.ok(isOwnEntry({ author: 'ada', contributors: ['ben'] }, 'ada'))
  t.ok(isOwnEntry({ contributors: ['ben'] }, 'ben'))
  t.notOk(isOwnEntry({ author: 'ada', contributors: ['ben'] }, 'eve'))
})

t.test('a decision withdraws what is there, and nothing is voted for after', async t => {
  const held = votes
    .given(rated('two', 2), rated('one', 4))
    .when(withdrawVotes(by(first, 3)))
    .thenEvents({
      type: 'VotesWithdrawn',
      data: {
        accountId: ada,
        decision: first,
        accountRevision: 3,
        items: [
          { kind: 'story', target: 'one', value: 4 },
          { kind: 'story', target: 'two', value: 2 },
        ],
      },
    })
  held.again().thenNothing()
  held.again(rate(ada, one, 5)).thenRefused('account-suspended')
  held.again(rate(ada, one, 4)).thenRefused('account-suspended')
  // What is taken away meanwhile did not count, and does not come back.
  held
    .again(withdrawRating(ada, one))
    .thenEvents({ type: 'RatingWithdrawn', data: { accountId: ada, ...one } })
    .again(restoreVotes({ accountId: ada, revision: 4 }))
    .thenEvents({
      type: 'VotesRestored',
      data: {
        accountId: ada,
        decision: first,
        accountRevision: 4,
        items: [{ kind: 'story', target: 'two', value: 2 }],
      },
    })
    .thenState(({ holds }) => t.same(holds, []))
  // Where there was nothing, what comes late is refused as well.
  votes
    .given()
    .when(withdrawVotes(by(first, 3)))
    .then('VotesWithdrawn')
    .again(rate(ada, one, 5))
    .thenRefused('account-suspended')
})

t.test('what is carried out again, or late, changes nothing', async () => {
  const over = votes
    .given(rated('one', 4))
    .when(withdrawVotes(by(first, 3)))
    .again(restoreVotes({ accountId: ada, revision: 5 }))
    .then('VotesRestored')
  over.again().thenNothing()
  over.again(withdrawVotes(by(first, 3))).thenNothing()
  over.again(rate(ada, one, 4)).thenNothing()
  const anew = over.again(withdrawVotes(by(second, 7))).then('VotesWithdrawn')
  anew.again(restoreVotes({ accountId: ada, revision: 5 })).thenNothing()
  votes
    .given(rated('one', 4))
    .when(restoreVotes({ accountId: ada, revision: 5 }))
    .thenNothing()
})

t.test('of two decisions both have to end before anything counts', async t => {
  const both = votes
    .given(rated('one', 4))
    .when(withdrawVotes(by(first, 3)))
    .again(withdrawVotes(by(second, 6)))
    .thenEvents({ type: 'VotesWithdrawn', data: { accountId: ada, decision: second, accountRevision: 6, items: [] } })
  const { events } = both.again(restoreVotes({ accountId: ada, revision: 8 })).then('VotesRestored', 'VotesRestored')
  t.match(events, [
    { data: { decision: first, items: [] } },
    { data: { decision: second, items: [{ target: 'one', value: 4 }] } },
  ])
})

t.test('so many items an event, each once', async t => {
  const many = Array.from({ length: 2 * MOST_ITEMS + 1 }, (_, n) => rated(`s${n}`, 1 + (n % 5)))
  const withdrawn = votes.given(...many).when(withdrawVotes(by(first, 3)))
  const restored = withdrawn.again(restoreVotes({ accountId: ada, revision: 4 }))
  for (const { events } of [withdrawn, restored]) {
    const items = events.map(({ data }) => ('items' in data ? data.items : []))
    t.same(
      items.map(each => each.length),
      [MOST_ITEMS, MOST_ITEMS, 1],
    )
    t.equal(new Set(items.flat().map(({ target }) => target)).size, many.length)
  }
  restored.thenState((state: Votes) => t.equal(state.votes.size, many.length))
})

t.test('all votes for one target are on one stream of sixty-four', async t => {
  const streams = new Set(votesStreamsOf(ada))
  t.equal(streams.size, SHARDS)
  t.equal(votesStream(ada, one), votesStream(ada, { ...one }))
  const used = new Set(Array.from({ length: 2_000 }, (_, n) => votesStream(ada, { kind: 'story', target: String(n) })))
  t.same(
    [...used].filter(stream => !streams.has(stream)),
    [],
  )
  t.equal(used.size, SHARDS, 'all are used')
})

const give = (...given: readonly number[]): StarCounts =>
  given.reduce<StarCounts>((counts, stars) => counted(counts, stars, 1), noStars)

t.test('counts are never negative, and other numbers of stars count nowhere', async t => {
  t.same(give(1, 5, 5), [1, 0, 0, 0, 2])
  t.same(counted(give(1), 1, -1), noStars)
  t.same(counted(noStars, 3, -1), noStars)
  t.same(counted(noStars, 6, 1), noStars)
  t.equal(totalOf(give(1, 2, 3)), 3)
})

t.test('the mean begins at that of all works, and moves with a work’s own ratings', async t => {
  t.equal(meanOf(noStars, give(5, 5)), undefined)
  t.equal(meanOf(give(5), noStars), 3.33, 'five pseudo-ratings of 3')
  t.equal(meanOf(give(5), [0, 0, 0, 0, 1_000_000]), 5)
  t.equal(meanOf([0, 0, 0, 0, 100], noStars), 4.9)
  t.equal(meanOf([0, 0, 2, 0, 0], noStars), 3)
})

t.test('the bound is that of Open Library: few ratings are worth less than many as good', async t => {
  t.equal(boundOf(noStars), 2_047_372, 'mean 3, variance 2, of five pseudo-votes')
  t.ok(boundOf([0, 0, 0, 0, 1]) > boundOf(noStars))
  t.ok(boundOf([0, 0, 0, 0, 100]) > boundOf([0, 0, 0, 0, 1]))
  t.ok(boundOf([0, 0, 0, 100, 0]) > boundOf([0, 0, 0, 0, 1]), 'a hundred fours are surer than one five')
  t.ok(boundOf([10, 0, 0, 0, 0]) < boundOf(noStars))
  t.ok(Number.isSafeInteger(boundOf([3, 1, 4, 1, 5])), 'an index holds whole numbers')
})
