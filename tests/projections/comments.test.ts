/** The read models of comments and of who hears whom: what is listed and counted, replayed to the same, and what a removal takes. */

import t from 'tap'
import { removedBy } from '../../src/core/project/removal.ts'
import { commentStream } from '../../src/domain/comment/comment.ts'
import { pathBelow } from '../../src/domain/comment/path.ts'
import { defined } from '../../src/domain/defined.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { relationsStream } from '../../src/domain/relation/relations.ts'
import { commentsProjection, commentTextsProjection } from '../../src/projections/comments.ts'
import { relationsProjection } from '../../src/projections/relations.ts'
import { folded } from '../support/folded.ts'
import { memoryLog } from '../support/memory-log.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const thread = 'story-s1'

/** Three comments, each an answer to the one before. */
const talk = () => {
  const log = memoryLog()
  const paths = new Map<string, string>()
  const post = (id: string, ...ancestors: readonly string[]): void => {
    const parent = ancestors.at(-1)
    const path = pathBelow(paths.get(parent ?? '') ?? '', id, new Date(START))
    paths.set(id, path)
    log.write(commentStream(id), 'CommentPosted', {
      author: `author of ${id}`,
      target: { kind: 'story', id: 's1' },
      audience: 'public',
      story: 's1',
      thread,
      ancestors,
      root: ancestors[0] ?? id,
      ...defined({ parent }),
      path,
      mentions: [],
      quotes: [],
      seen: { target: '0', thread: 'none' },
      text: `says ${id}`,
    })
  }
  const above: Readonly<Record<string, readonly string[]>> = { a: [], b: ['a'], c: ['a', 'b'] }
  for (const [id, ancestors] of Object.entries(above)) post(id, ...ancestors)
  const write = (id: string, type: string, data: JsonObject): Recorded =>
    log.write(commentStream(id), type, { thread, ancestors: [...(above[id] ?? [])], ...data })
  const remove = (id: string, hides = true) => write(id, 'CommentDeleted', { hides, ground: 'author' })
  const state = () =>
    [...folded(commentsProjection, log.events)].map(([id, { replies, listed, standing }]) => [
      id,
      replies,
      listed !== undefined,
      standing !== undefined,
    ])
  return { log, write, remove, state }
}

t.test('what is above counts what stands below, and a stub is listed as long as something does', async t => {
  const { remove, state } = talk()
  t.same(state(), [
    ['a', 2, true, true],
    ['b', 1, true, true],
    ['c', 0, true, true],
  ])
  remove('b')
  t.same(state(), [
    ['a', 1, true, true],
    ['b', 1, true, false],
    ['c', 0, true, true],
  ])
  remove('a')
  remove('c')
  t.same(state(), [
    ['a', 0, false, false],
    ['b', 0, false, false],
    ['c', 0, false, false],
  ])
})

t.test('of decisions that overlap the first hides and the last shows, and no verdict that is late counts', async t => {
  const { write, remove, state } = talk()
  write('c', 'CommentHeld', { decision: 'd1', hides: true })
  write('c', 'CommentHeld', { decision: 'd2', hides: false })
  t.same(state()[2], ['c', 0, true, false])
  t.same(state()[0], ['a', 1, true, true])
  write('c', 'CommentReleased', { decision: 'd1', shows: false })
  t.same(state()[0], ['a', 1, true, true])
  write('c', 'CommentReleased', { decision: 'd2', shows: true })
  t.same(state()[0], ['a', 2, true, true])
  write('c', 'CommentHeld', { decision: 'd3', hides: true })
  remove('c', false)
  write('c', 'CommentReleased', { decision: 'd3', shows: false })
  t.same(state()[0], ['a', 1, true, true])
  t.same(state()[2], ['c', 0, false, false])
})

t.test('replayed, each is the same, and no count is below nothing', async t => {
  const { log, write, remove } = talk()
  write('a', 'CommentEdited', { text: 'says more' })
  remove('c')
  remove('b')
  for (const projection of [commentsProjection, commentTextsProjection])
    t.strictSame(folded<JsonObject>(projection, log.events), folded<JsonObject>(projection, log.events))
  // A document that lost what came before.
  const [last] = log.events.slice(-1)
  t.ok(last)
  const found = folded(commentsProjection, last ? [last] : [])
  t.same(
    [...found.values()].map(({ replies }) => replies),
    [0, 0],
  )
})

t.test('what is deleted has no text in any generation, and keeps its place', async t => {
  const { log, write, remove } = talk()
  write('b', 'CommentEdited', { text: 'says more' })
  t.match(folded(commentTextsProjection, log.events).get('b'), { text: 'says more', revision: '1' })
  const deleted = remove('b')
  t.same([...folded(commentTextsProjection, log.events).keys()], ['a', 'c'])
  t.strictSame(removedBy(commentTextsProjection).idsOf(deleted), ['b'])
  t.strictSame(removedBy(commentsProjection).idsOf(deleted), [], 'neither its place nor what is above it')
  t.notMatch(JSON.stringify([...folded(commentsProjection, log.events).values()]), /says/)
})

t.test('who hears whom is a document for each pair, while there is anything to say of it', async t => {
  const log = memoryLog()
  const said = (type: string, other: string) => log.write(relationsStream('ada'), type, { accountId: 'ada', other })
  said('PersonBlocked', 'ben')
  said('PersonMuted', 'ben')
  said('PersonMuted', 'cora')
  said('PersonUnblocked', 'ben')
  const found = folded(relationsProjection, log.events)
  t.same([...found.keys()], ['ada:ben', 'ada:cora'])
  t.match(found.get('ada:ben'), { muter: 'ada', mutedAt: log.events[1]?.meta.at })
  t.equal(found.get('ada:ben')?.blocker, undefined)
  t.strictSame(folded(relationsProjection, log.events), found)
  said('PersonUnmuted', 'ben')
  t.same([...folded(relationsProjection, log.events).keys()], ['ada:cora'])
  log.write(relationsStream('ada'), 'RelationsCleared', { accountId: 'ada', others: ['cora'] })
  t.equal(folded(relationsProjection, log.events).size, 0)
})
