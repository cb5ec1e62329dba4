import t from 'tap'
import { type Comment, commentAggregate, currentVersion, isStanding } from '../../../src/domain/comment/comment.ts'
import * as decide from '../../../src/domain/comment/decisions.ts'
import type { CommentEvent } from '../../../src/domain/comment/events.ts'
import { COMMENT_LENGTH, MOST_DEPTH, MOST_EDITS } from '../../../src/domain/comment/limits.ts'
import { AFTER, depthOf, isWithin, newestFirst, pathBelow, SEGMENT } from '../../../src/domain/comment/path.ts'
import { commentSight } from '../../../src/domain/comment/sight.ts'
import { targetOf, threadOf } from '../../../src/domain/comment/target.ts'
import * as threads from '../../../src/domain/comment/thread.ts'
import type { By } from '../../../src/domain/decider.ts'
import { permissionsOf } from '../../support/roles.ts'
import { type Given, scenario } from '../../support/scenario.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const by = (id: string, now = new Date(START)): By => ({
  id,
  permissions: permissionsOf('contributor'),
  now,
  commandId: '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11',
})
const ada = by('ada')
const aComment = scenario(commentAggregate)
const aThread = scenario(threads.threadAggregate)
const target = { kind: 'story', id: 's1' } as const
const open: threads.Thread = { halts: [] }
const around: decide.Around = {
  target,
  audience: 'public',
  targetRevision: '3',
  thread: open,
  threadRevision: 'none',
  quoted: new Map(),
}
const first: decide.Posting = { id: 'c1', text: ' It *shines*. ', mentions: [], quotes: [] }
const posted: Given<CommentEvent> = {
  type: 'CommentPosted',
  data: {
    author: 'ada',
    target,
    audience: 'public',
    thread: 'story-s1',
    ancestors: [],
    root: 'c1',
    path: pathBelow('', 'c1', ada.now),
    mentions: [],
    quotes: [],
    seen: { target: '3', thread: 'none' },
    text: 'It *shines*.',
  },
}
const deleted: Given<CommentEvent> = {
  type: 'CommentDeleted',
  data: { thread: 'story-s1', ancestors: [], hides: true, ground: 'author' },
}
const held = (decision: string, hides = true): Given<CommentEvent> => ({
  type: 'CommentHeld',
  data: { thread: 'story-s1', ancestors: [], decision, hides },
})
const commentOf = (...events: readonly Given<CommentEvent>[]): Comment => {
  const { state } = aComment.given(...events)
  if (!state) throw new Error('there is no comment')
  return state
}
const knownAs = (comment: Comment, id = 'c1'): decide.Known => ({ id, comment, revision: '0' })
/** A comment so deep in the thread. */
const at = (depth: number): Comment => {
  let path = ''
  for (let level = 0; level < depth; level += 1) path = pathBelow(path, `c${level}`, ada.now)
  const ancestors = Array.from({ length: depth - 1 }, (_, level) => `c${level}`)
  return { ...commentOf(posted), path, ancestors }
}

t.test('a comment is posted once', async () => {
  const post = decide.postComment(first, around, ada)
  aComment.given().when(post).thenEvents(posted).again().thenRefused('conflict')
  const mentioned = decide.postComment({ ...first, mentions: ['bert', 'ada', 'bert'] }, around, ada)
  t.match(aComment.given().when(mentioned).events[0]?.data, { mentions: ['bert'] })
})

t.test('its text is bounded in code points, in normal form, and no blank', async () => {
  const post = (text: string) => aComment.given().when(decide.postComment({ ...first, text }, around, ada))
  post('😀'.repeat(COMMENT_LENGTH)).then('CommentPosted')
  post('😀'.repeat(COMMENT_LENGTH + 1)).thenRefused('text-invalid')
  for (const text of ['', ' \n', '\u200d', 'half \ud800', 'a\u0000']) post(text).thenRefused('text-invalid')
  t.match(post('e\u0301').events[0]?.data, { text: 'é' })
  post(`${'>'.repeat(200)} deep`).thenRefused('markup-too-deep')
})

t.test('an answer stands below what it answers', async () => {
  const parent = knownAs(commentOf(posted))
  const answer = decide.postComment({ ...first, id: 'c2' }, { ...around, parent }, by('bert'))
  const [event] = aComment.given().when(answer).events
  t.match(event?.data, { root: 'c1', parent: 'c1', ancestors: ['c1'], seen: { parent: '0' } })
  t.ok(event?.type === 'CommentPosted' && isWithin(event.data.path, parent.comment.path))
})

t.test('nothing is said to what is gone, frozen or elsewhere, nor in a closed thread', async () => {
  const answer = (parent: Comment, more: Partial<decide.Around> = {}) =>
    aComment
      .given()
      .when(decide.postComment({ ...first, id: 'c2' }, { ...around, parent: knownAs(parent), ...more }, by('bert')))
  const parent = commentOf(posted)
  answer(commentOf(posted, deleted)).thenRefused('comment-gone')
  answer(commentOf(posted, held('d1'))).thenRefused('comment-gone')
  answer(parent, { target: { kind: 'story', id: 's2' } }).thenRefused('comment-not-found')
  const closed: threads.Thread = { halts: [{ path: '', from: 5n }] }
  answer(parent, { thread: closed }).thenRefused('thread-closed')
  aComment
    .given()
    .when(decide.postComment(first, { ...around, thread: closed }, ada))
    .thenRefused('thread-closed')
  const frozen: threads.Thread = { halts: [{ path: parent.path, comment: 'c1', from: 5n }] }
  answer(parent, { thread: frozen }).thenRefused('thread-frozen')
  answer({ ...parent, path: pathBelow(parent.path, 'c9', ada.now) }, { thread: frozen }).thenRefused('thread-frozen')
  answer({ ...parent, path: pathBelow('', 'c9', ada.now) }, { thread: frozen }).then('CommentPosted')
})

t.test('the depth of answers is exact', async () => {
  const below = (depth: number) =>
    aComment
      .given()
      .when(decide.postComment({ ...first, id: 'deepest' }, { ...around, parent: knownAs(at(depth)) }, ada))
  const deepest = below(MOST_DEPTH - 1).then('CommentPosted').events[0]
  t.ok(deepest?.type === 'CommentPosted' && depthOf(deepest.data.path) === MOST_DEPTH)
  below(MOST_DEPTH).thenRefused('thread-too-deep')
})

t.test('a quote is a part of a comment that stands in the thread', async () => {
  const source = commentOf({ ...posted, data: { ...posted.data, text: 'a😀b' } } as Given<CommentEvent>)
  const quoting = (quote: object, quoted: Comment = source) =>
    aComment
      .given()
      .when(
        decide.postComment(
          { ...first, id: 'c2', quotes: [{ comment: 'c1', revision: '0', from: 0, to: 3, ...quote }] },
          { ...around, quoted: new Map([['c1', quoted]]) },
          ada,
        ),
      )
  quoting({}).then('CommentPosted')
  const faults = [{ to: 4 }, { from: 3 }, { from: 2, to: 1 }, { revision: '1' }, { comment: 'c3' }]
  for (const fault of faults) quoting(fault).thenRefused('quote-invalid')
  quoting({}, { ...source, thread: 'story-s2' }).thenRefused('quote-invalid')
  quoting({}, commentOf(posted, deleted)).thenRefused('quote-invalid')
})

t.test('a comment is edited by who said it, for a day, until it is answered or frozen', async () => {
  const free = { isAnswered: false, thread: open }
  const edit = (more: Partial<typeof free> = {}, who = ada) =>
    decide.editComment('It glows.', { ...free, ...more }, who)
  aComment
    .given(posted)
    .when(edit())
    .thenEvents({ type: 'CommentEdited', data: { thread: 'story-s1', text: 'It glows.' } })
    .thenState(state => t.equal(state && currentVersion(state)?.text, 'It glows.'))
    .thenState(state =>
      t.same(
        state?.versions.map(({ text }) => text),
        ['It *shines*.', 'It glows.'],
      ),
    )
    .again()
    .thenNothing()
  aComment
    .given(posted)
    .when(decide.editComment('It *shines*.', free, ada))
    .thenNothing()
  aComment
    .given(posted)
    .when(edit({}, by('bert')))
    .thenRefused('permission-denied')
  aComment.given().when(edit()).thenRefused('comment-not-found')
  aComment.given(posted, deleted).when(edit()).thenRefused('comment-not-found')
  aComment
    .given(posted)
    .when(edit({ isAnswered: true }))
    .thenRefused('comment-fixed')
  aComment.given(posted, held('d1')).when(edit()).thenRefused('comment-fixed')
  const frozen = { halts: [{ path: commentOf(posted).path, from: 5n }] }
  aComment
    .given(posted)
    .when(edit({ thread: frozen }))
    .thenRefused('thread-frozen')
  const day = 24 * 60 * 60 * 1000
  aComment
    .given(posted)
    .when(edit({}, by('ada', new Date(START + day))))
    .then('CommentEdited')
  aComment
    .given(posted)
    .when(edit({}, by('ada', new Date(START + day + 1))))
    .thenRefused('comment-fixed')
  const many = Array.from(
    { length: MOST_EDITS },
    (_, n): Given<CommentEvent> => ({
      type: 'CommentEdited',
      data: { thread: 'story-s1', text: `edit ${n}` },
    }),
  )
  aComment
    .given(posted, ...many.slice(1))
    .when(edit())
    .then('CommentEdited')
  aComment
    .given(posted, ...many)
    .when(edit())
    .thenRefused('comment-fixed')
})

t.test('a comment is deleted by who said it, and with their account', async () => {
  const remove = decide.deleteComment(ada)
  aComment
    .given(posted)
    .when(remove)
    .thenEvents(deleted)
    .thenState(state => t.match(state, { versions: [], isDeleted: true }))
    .again()
    .thenNothing()
  aComment
    .given(posted)
    .when(decide.deleteComment(by('bert')))
    .thenRefused('permission-denied')
  aComment.given().when(remove).thenRefused('comment-not-found')
  aComment
    .given(posted, deleted)
    .when(decide.deleteComment(by('bert')))
    .thenRefused('comment-not-found')
  // What was held back hides nothing more.
  t.match(aComment.given(posted, held('d1')).when(remove).events[0]?.data, { hides: false })
  const erase = decide.deleteCommentOf('ada')
  aComment.given(posted).when(erase).then('CommentDeleted').again().thenNothing()
  aComment.given(posted).when(decide.deleteCommentOf('bert')).thenNothing()
})

t.test('decisions that overlap are taken back one by one', async () => {
  const hold = decide.holdComment('d1')
  aComment.given(posted).when(hold).thenEvents(held('d1')).again().thenNothing()
  t.match(aComment.given(posted, held('d1')).when(decide.holdComment('d2')).events[0]?.data, { hides: false })
  aComment.given().when(hold).thenRefused('comment-not-found')
  aComment.given(posted, deleted).when(hold).thenRefused('comment-gone')
  const both = [posted, held('d1'), held('d2', false)] as const
  aComment
    .given(...both)
    .when(decide.releaseComment('d1'))
    .thenEvents({ type: 'CommentReleased', data: { thread: 'story-s1', ancestors: [], decision: 'd1', shows: false } })
    .thenState(state => t.equal(state && isStanding(state), false))
    .again(decide.releaseComment('d2'))
    .thenState(state => t.equal(state && isStanding(state), true))
    .again(decide.releaseComment('d2'))
    .thenNothing()
  aComment.given().when(decide.releaseComment('d1')).thenRefused('comment-not-found')
  // A verdict that is taken back after the deletion brings nothing back.
  t.match(aComment.given(posted, held('d1'), deleted).when(decide.releaseComment('d1')).events[0]?.data, {
    shows: false,
  })
})

t.test('what was removed from the log is gone', async () => {
  t.match(aComment.given({ ...posted, removed: true }).state, { versions: [], isDeleted: true })
  const edited: Given<CommentEvent> = { type: 'CommentEdited', data: { thread: 'story-s1', text: 'x' }, removed: true }
  t.equal(commentOf(posted, edited).versions.length, 1)
})

t.test('a thread is closed and reopened, its branches are frozen and thawed', async () => {
  const close = threads.closeThread('story-s1', { by: 'ada' })
  const closed = { type: 'ThreadClosed', data: { thread: 'story-s1', by: 'ada' } } as const
  aThread.given().when(close).thenEvents(closed).again().thenNothing()
  const reopen = threads.reopenThread('story-s1', { by: 'ada' })
  aThread.given(closed).when(reopen).then('ThreadReopened').again().thenNothing()
  aThread.given().when(reopen).thenNothing()
  const branch = { comment: 'c1', path: pathBelow('', 'c1', ada.now) }
  const freeze = threads.freeze('story-s1', branch, { by: 'ada' })
  const frozen = { type: 'SubtreeFrozen', data: { thread: 'story-s1', by: 'ada', ...branch } } as const
  aThread.given().when(freeze).thenEvents(frozen).again().thenNothing()
  const thaw = threads.thaw('story-s1', branch, { by: 'ada' })
  aThread
    .given(closed, frozen)
    .when(thaw)
    .then('SubtreeThawed')
    .thenState(state => t.equal(threads.isClosed(state), true))
    .thenState(state => t.equal(threads.isFrozen(state, branch.path), false))
    .again()
    .thenNothing()
})

t.test('what came too late for its thread stays so when that is reopened, and what comes then does not', async () => {
  const state: threads.Thread = {
    halts: [
      { path: '', from: 10n, to: 20n },
      { path: 'aaaaaaaaaaaaa', from: 30n },
    ],
  }
  const late = (position: bigint, path = 'b') => threads.isTooLate(state, { path, position })
  t.equal(late(9n), false)
  t.equal(late(11n), true)
  t.equal(late(21n), false)
  t.equal(late(31n), false)
  t.equal(late(31n, `aaaaaaaaaaaaa${'b'.repeat(SEGMENT)}`), true)
  t.equal(late(29n, 'aaaaaaaaaaaaa'), false)
})

t.test('paths stand in the order of reading', async () => {
  const [early, late] = [new Date(START), new Date(START + 1)]
  const one = pathBelow('', 'c1', early)
  const two = pathBelow('', 'c2', late)
  const below = pathBelow(one, 'c3', late)
  t.same([two, below, one].toSorted(), [one, below, two])
  t.same([one, below, two].map(newestFirst).toSorted(), [newestFirst(two), newestFirst(one), newestFirst(below)])
  t.ok(below < one + AFTER && two > one + AFTER)
  t.not(pathBelow('', 'c4', early), one)
  t.equal(depthOf(below), 2)
})

t.test('a thread has the name of what it is about', async () => {
  for (const kind of ['story', 'chapter', 'entry'] as const)
    t.same(targetOf(threadOf({ kind, id: 'a-b' })), { kind, id: 'a-b' })
  t.equal(targetOf('word-x'), undefined)
})

t.test('who sees what of a comment', async () => {
  const stands = { author: 'ada', isDeleted: false, isHeld: false }
  const viewer = { account: 'bert', isModerator: false, hides: () => false }
  const hiding = { ...viewer, hides: (account: string) => account === 'ada' }
  t.equal(commentSight(stands, viewer), 'shown')
  t.same(commentSight({ ...stands, isDeleted: true }, { ...viewer, isModerator: true }), { gone: 'deleted' })
  t.same(commentSight({ ...stands, isHeld: true }, viewer), { gone: 'held' })
  t.equal(commentSight({ ...stands, isHeld: true }, { ...viewer, account: 'ada' }), 'shown')
  t.equal(commentSight({ ...stands, isHeld: true }, { ...viewer, isModerator: true }), 'shown')
  t.same(commentSight(stands, hiding), { gone: 'hidden' })
  t.equal(commentSight(stands, { ...hiding, isModerator: true }), 'shown')
})
