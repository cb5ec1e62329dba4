/** The read models of shelves and lists: what is found by whom, replayed to the same, and gone with its owner. */
import t from 'tap'
import { removedBy } from '../../src/core/project/removal.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { readingListStream } from '../../src/domain/shelf/reading-list.ts'
import { shelfStream } from '../../src/domain/shelf/shelf.ts'
import { readingListsProjection } from '../../src/projections/reading-lists.ts'
import { bookmarksProjection, progressProjection, subscriptionsProjection } from '../../src/projections/shelf.ts'
import { folded } from '../support/folded.ts'
import { memoryLog } from '../support/memory-log.ts'

const log = memoryLog()
const [ada, ben] = ['ada', 'ben']
const kept = (accountId: string, type: string, data: JsonObject, target: string): Recorded =>
  log.write(shelfStream(accountId, target), type, { accountId, ...data })

kept(ada, 'Bookmarked', { story: 'one', isPrivate: false, note: 'dear' }, 'one')
kept(ben, 'Bookmarked', { story: 'one', isPrivate: true }, 'one')
kept(ada, 'Subscribed', { kind: 'tag', target: 't1', tag: 'dragons' }, 't1')
kept(ada, 'Subscribed', { kind: 'story', target: 'one' }, 'one')
kept(ada, 'Unsubscribed', { kind: 'story', target: 'one' }, 'one')
kept(ada, 'ProgressMarked', { story: 'one', chapter: 'c1', fraction: 0.5 }, 'one')
kept(ada, 'ProgressMarked', { story: 'two', chapter: 'c9', fraction: 0.1 }, 'two')
kept(ada, 'ProgressForgotten', { story: 'two' }, 'two')
log.write(readingListStream('l1'), 'ReadingListBegun', { accountId: ada, title: 'Winter', isPrivate: true })
log.write(readingListStream('l1'), 'ReadingListOrdered', { accountId: ada, stories: ['two', 'one'] })
log.write(readingListStream('l2'), 'ReadingListBegun', { accountId: ada, title: 'Gone', isPrivate: false })
log.write(readingListStream('l2'), 'ReadingListDeleted', { accountId: ada })

t.test('a bookmark is its owner’s, and stands under the story where it is not private', async t => {
  const found = folded(bookmarksProjection, log.events)
  t.match(found.get('ada:one'), { story: 'one', note: 'dear', shownUnder: 'one' })
  t.equal(found.get('ben:one')?.shownUnder, undefined)
  const hidden = kept(ada, 'Bookmarked', { story: 'one', isPrivate: true }, 'one')
  const after = folded(bookmarksProjection, log.events).get('ada:one')
  t.strictSame(after, { accountId: ada, story: 'one', isPrivate: true, at: found.get('ada:one')?.at })
  t.not(after?.at, hidden.meta.at, 'its place is that of its beginning')
})

t.test('what is followed is found by kind and target, and what is left is not', async t => {
  const found = [...folded(subscriptionsProjection, log.events).values()]
  t.match(found, [{ accountId: ada, followed: 'tag:t1', tag: 'dragons' }])
  t.equal(found.length, 1)
})

t.test('the last place of each story is kept', async t => {
  const found = folded(progressProjection, log.events)
  t.strictSame([...found.keys()], ['ada:one'])
  t.match(found.get('ada:one'), { chapter: 'c1', fraction: 0.5 })
})

t.test('a list is its owner’s, with its stories in order', async t => {
  const found = folded(readingListsProjection, log.events)
  t.strictSame([...found.keys()], ['l1'])
  t.match(found.get('l1'), { title: 'Winter', stories: ['two', 'one'], revision: '1', isPrivate: true })
  t.equal(found.get('l1')?.shownOf, undefined)
  log.write(readingListStream('l1'), 'ReadingListEdited', { accountId: ada, isPrivate: false })
  t.match(folded(readingListsProjection, log.events).get('l1'), { title: 'Winter', shownOf: ada })
})

t.test('replayed, each is the same', async t => {
  for (const projection of [bookmarksProjection, subscriptionsProjection, progressProjection, readingListsProjection])
    t.strictSame(folded<JsonObject>(projection, log.events), folded<JsonObject>(projection, log.events))
})

t.test('where the owner is erased, all of it goes, of every generation, and nobody else’s', async t => {
  const cleared = log.write('shelf-ada-0', 'ShelfCleared', {
    accountId: ada,
    bookmarks: ['one'],
    subscriptions: [{ kind: 'tag', target: 't1' }],
    progress: ['one'],
  })
  t.strictSame([...folded(bookmarksProjection, log.events).keys()], ['ben:one'])
  t.equal(folded(subscriptionsProjection, log.events).size, 0)
  t.equal(folded(progressProjection, log.events).size, 0)
  t.strictSame(removedBy(bookmarksProjection).idsOf(cleared), ['ada:one'])
  t.strictSame(removedBy(subscriptionsProjection).idsOf(cleared), ['ada:tag:t1'])
  t.strictSame(removedBy(progressProjection).idsOf(cleared), ['ada:one'])
})
