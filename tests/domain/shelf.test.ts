/** Shelves and reading lists as they decide: accept, refuse, repeat. */
import t from 'tap'
import {
  beginList,
  deleteList,
  editList,
  LIST_TITLE_LENGTH,
  MOST_LISTED,
  orderList,
  readingListAggregate,
} from '../../src/domain/shelf/reading-list.ts'
import {
  bookmark,
  clearShelf,
  forgetProgress,
  MOST_KEPT,
  markProgress,
  NOTE_LENGTH,
  removeBookmark,
  shelfAggregate,
  shelfStream,
  shelvesOf,
  subscribe,
  tagTarget,
  unsubscribe,
} from '../../src/domain/shelf/shelf.ts'
import { scenario } from '../support/scenario.ts'

const shelf = scenario(shelfAggregate)
const ada = 'ada'

t.test('a story is bookmarked once, with what is said last', async t => {
  const plain = { story: 'one', isPrivate: false }
  shelf.given().when(bookmark(ada, plain)).then('Bookmarked').again().thenNothing()
  const noted = shelf
    .given()
    .when(bookmark(ada, plain))
    .again(bookmark(ada, { ...plain, isPrivate: true, note: ' re-read\r\nin May ' }))
  noted.thenEvents({
    type: 'Bookmarked',
    data: { accountId: ada, story: 'one', isPrivate: true, note: 're-read\nin May' },
  })
  noted.thenState(({ bookmarks }) => t.strictSame([...bookmarks.keys()], ['one']))
  noted
    .again(bookmark(ada, { ...plain, isPrivate: true }))
    .then('Bookmarked')
    .thenState(({ bookmarks }) => t.equal(bookmarks.get('one')?.note, undefined, 'a note that is not given is none'))
  noted.again(removeBookmark(ada, 'one')).then('BookmarkRemoved').again().thenNothing()
  shelf.given().when(removeBookmark(ada, 'one')).thenNothing()
})

t.test('a note is text of 5,000 code points at most', async () => {
  const noted = (note: string) => shelf.given().when(bookmark(ada, { story: 'one', isPrivate: true, note }))
  noted('𝒜'.repeat(NOTE_LENGTH)).then('Bookmarked')
  noted('𝒜'.repeat(NOTE_LENGTH + 1)).thenRefused('text-invalid')
  noted('half \ud800').thenRefused('text-invalid')
  noted('bell \u0007').thenRefused('text-invalid')
})

t.test('whoever and whatever is followed, is followed once', async t => {
  const dragons = { kind: 'tag', target: tagTarget('dragons'), tag: 'dragons' } as const
  shelf
    .given()
    .when(subscribe(ada, dragons))
    .thenEvents({ type: 'Subscribed', data: { accountId: ada, ...dragons } })
    .again()
    .thenNothing()
    .again(unsubscribe(ada, dragons))
    .then('Unsubscribed')
    .again()
    .thenNothing()
  shelf
    .given()
    .when(subscribe(ada, { kind: 'author', target: 'x' }))
    .again(subscribe(ada, { kind: 'story', target: 'x' }))
    .then('Subscribed')
    .thenState(({ subscriptions }) => t.equal(subscriptions.size, 2, 'a story and an author of one id are two'))
  t.not(tagTarget('dragons'), tagTarget('dragon'))
})

t.test('progress is marked once a minute', async t => {
  const start = Date.parse('2026-01-01T00:00:00.000Z')
  const first = {
    type: 'ProgressMarked',
    data: { accountId: ada, story: 'one', chapter: 'c', fraction: 0.25 },
  } as const
  const later = (seconds: number, fraction: number, story = 'one') =>
    shelf.given(first).when(markProgress(ada, { story, chapter: 'c', fraction }, new Date(start + seconds * 1000)))
  t.strictSame(later(59, 0.5).thenRefused('progress-too-soon').refusal?.context, { seconds: 1 })
  later(60, 0.5)
    .then('ProgressMarked')
    .thenState(({ progress }) => t.equal(progress.get('one')?.fraction, 0.5))
  later(1, 0.25).thenNothing()
  later(1, 0.250_4).thenNothing()
  later(1, 0.5, 'another').then('ProgressMarked')
  shelf.given(first).when(forgetProgress(ada, 'one')).then('ProgressForgotten').again().thenNothing()
})

t.test('a shelf that is full takes nothing more, and lets what is there be changed', async () => {
  const many = Array.from({ length: MOST_KEPT }, (_, at) => ({
    type: 'Bookmarked' as const,
    data: { accountId: ada, story: `s${at}`, isPrivate: false },
  }))
  const story = shelf.given(...many)
  story.when(bookmark(ada, { story: 'more', isPrivate: false })).thenRefused('shelf-full')
  story.when(bookmark(ada, { story: 's7', isPrivate: true })).then('Bookmarked')
})

t.test('who is erased keeps nothing, and the event names what went', async () => {
  shelf
    .given()
    .when(bookmark(ada, { story: 'one', isPrivate: true, note: 'mine' }))
    .again(subscribe(ada, { kind: 'author', target: 'ben' }))
    .again(markProgress(ada, { story: 'two', chapter: 'c', fraction: 1 }, new Date(0)))
    .again(clearShelf(ada))
    .thenEvents({
      type: 'ShelfCleared',
      data: {
        accountId: ada,
        bookmarks: ['one'],
        subscriptions: [{ kind: 'author', target: 'ben' }],
        progress: ['two'],
      },
    })
    .again()
    .thenNothing()
  shelf.given().when(clearShelf(ada)).thenNothing()
})

t.test('what was said under a key that is gone is folded without its text', async t => {
  const data = { accountId: ada, story: 'one', isPrivate: true, note: 'mine' }
  const { state } = shelf.given({ type: 'Bookmarked', data, removed: true })
  t.strictSame([...state.bookmarks.values()], [{ isPrivate: true, at: '2026-01-01T00:00:00.000Z' }])
})

t.test('sixteen shelves take all targets, each its own', async t => {
  const targets = Array.from({ length: 400 }, (_, at) => `target-${at}`)
  const used = new Set(targets.map(target => shelfStream(ada, target)))
  t.strictSame([...used].toSorted(), [...shelvesOf(ada)].toSorted())
  t.equal(shelfStream(ada, 'one'), shelfStream(ada, 'one'))
  t.not(shelfStream(ada, 'one'), shelfStream('ben', 'one'))
})

const lists = scenario(readingListAggregate)
const owner = { id: ada }
const begun = { type: 'ReadingListBegun', data: { accountId: ada, title: 'Winter', isPrivate: true } } as const

t.test('a list is begun once, renamed, shown and deleted by its owner', async t => {
  lists
    .given()
    .when(beginList({ title: ' Winter ', isPrivate: true }, owner))
    .thenEvents(begun)
    .again()
    .thenRefused('conflict')
  lists
    .given(begun)
    .when(editList({ title: 'Summer' }, owner))
    .then('ReadingListEdited')
    .again()
    .thenNothing()
  lists
    .given(begun)
    .when(editList({ isPrivate: false }, owner))
    .then('ReadingListEdited')
    .thenState(list => t.match(list, { isPrivate: false, title: 'Winter' }))
  lists
    .given(begun)
    .when(deleteList(owner))
    .then('ReadingListDeleted')
    .thenState(list => t.notOk(list?.title))
    .again()
    .thenNothing()
    .again(editList({ title: 'Back' }, owner))
    .thenRefused('reading-list-not-found')
})

t.test('a title is a line of 255 code points at most', async () => {
  for (const title of ['', ' ', 'a\nb', '𝒜'.repeat(LIST_TITLE_LENGTH + 1), 'half \udc00']) {
    lists
      .given()
      .when(beginList({ title, isPrivate: true }, owner))
      .thenRefused('text-invalid')
    lists.given(begun).when(editList({ title }, owner)).thenRefused('text-invalid')
  }
  lists
    .given()
    .when(beginList({ title: '𝒜'.repeat(LIST_TITLE_LENGTH), isPrivate: true }, owner))
    .then('ReadingListBegun')
})

t.test('a list has each story once, in the order given, 500 at most', async t => {
  lists
    .given(begun)
    .when(orderList(['b', 'a'], owner))
    .then('ReadingListOrdered')
    .again()
    .thenNothing()
    .again(orderList(['a', 'b'], owner))
    .thenState(list => t.strictSame(list?.stories, ['a', 'b']))
    .again(orderList([], owner))
    .thenState(list => t.strictSame(list?.stories, []))
  const twice = lists
    .given(begun)
    .when(orderList(['a', 'b', 'a'], owner))
    .thenRefused('reading-list-invalid')
  t.equal(twice.refusal?.errors?.[0]?.pointer, '/stories/2')
  const many = Array.from({ length: MOST_LISTED + 1 }, (_, at) => `s${at}`)
  lists.given(begun).when(orderList(many, owner)).thenRefused('reading-list-invalid')
  lists
    .given(begun)
    .when(orderList(many.slice(1), owner))
    .then('ReadingListOrdered')
})

t.test('what is another one’s, or never was, is not there', async () => {
  const other = { id: 'ben' }
  for (const given of [lists.given(begun), lists.given()]) {
    given.when(editList({ title: 'Mine' }, other)).thenRefused('reading-list-not-found')
    given.when(orderList(['a'], other)).thenRefused('reading-list-not-found')
    given.when(deleteList(other)).thenRefused('reading-list-not-found')
  }
})
