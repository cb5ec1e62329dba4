/** What decisions hold of stories, chapters, entries and threads: each its own, and nothing is left of one that has ended. */
import t from 'tap'
import * as threads from '../../../src/domain/comment/thread.ts'
import type { By } from '../../../src/domain/decider.ts'
import { emptyContent } from '../../../src/domain/entry/content.ts'
import { edit, publish, retire } from '../../../src/domain/entry/decisions.ts'
import type { EntryEvent } from '../../../src/domain/entry/events.ts'
import { holdEntry, releaseEntry } from '../../../src/domain/entry/holds.ts'
import { standingAt } from '../../../src/domain/entry/past.ts'
import { pastIn, pastJson } from '../../../src/domain/entry/snapshot.ts'
import { entryAggregate } from '../../../src/domain/entry/state.ts'
import { publishStory, scheduleStory, unpublishStory } from '../../../src/domain/story/decisions.ts'
import type { StoryEvent } from '../../../src/domain/story/events.ts'
import { holdChapter, holdStory, releaseChapter, releaseStory } from '../../../src/domain/story/holds.ts'
import { isListedFor, storySight } from '../../../src/domain/story/sight.ts'
import { storyAggregate, wordsOf } from '../../../src/domain/story/story.ts'
import { permissionsOf } from '../../support/roles.ts'
import { type Given, scenario } from '../../support/scenario.ts'

const aStory = scenario(storyAggregate)
const ada: By = {
  id: 'ada',
  permissions: permissionsOf('contributor'),
  now: new Date('2026-01-02T00:00:00Z'),
  commandId: '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11',
}
const begun: Given<StoryEvent> = {
  type: 'StoryBegun',
  data: {
    author: 'ada',
    language: 'en',
    title: 'Tides',
    tags: [],
    warnings: [],
    rating: 'general',
    visibility: 'public',
  },
}
const chapter = (id: string): readonly Given<StoryEvent>[] => [
  { type: 'ChapterAdded', data: { chapter: id, by: 'ada' } },
  { type: 'ChapterShown', data: { chapter: id, words: 10, chapterRevision: 1 } },
]
const published: readonly Given<StoryEvent>[] = [
  begun,
  ...chapter('one'),
  ...chapter('two'),
  { type: 'StoryPublished', data: { chapters: ['one', 'two'] } },
]
const held = (decision: string, hides = true): Given<StoryEvent> => ({
  type: 'StoryHeld',
  data: { decision, hides, chapters: ['one', 'two'] },
})

t.test('a held story is as if it were not published, for all but its authors and moderators', async t => {
  const { state } = aStory.given(...published, held('d1'))
  if (!state) throw new Error('there is no story')
  const as = (role: 'contributor' | 'moderator', account = 'ben') => ({ account, permissions: permissionsOf(role) })
  t.equal(storySight(state, as('contributor')), 'nothing')
  t.equal(storySight(state, as('contributor', 'ada')), 'authored')
  t.equal(storySight(state, as('moderator')), 'everything')
  t.notOk(isListedFor(state, as('moderator')), 'and it is in no list')
  t.equal(storyAggregate.route(state).visibility, 'owner', 'nor told on any channel')
})

t.test('each decision holds and releases once, and the last one brings back what was', async t => {
  const before = aStory.given(...published).state
  aStory
    .given(...published)
    .when(holdStory('d1'))
    .thenEvents(held('d1'))
    .again()
    .thenNothing()
  aStory
    .given(...published, held('d1'))
    .when(holdStory('d2'))
    .thenEvents(held('d2', false))
  aStory
    .given(...published, held('d1'))
    .when(releaseStory('d2'))
    .thenNothing()
  const both = aStory.given(...published, held('d1'), held('d2', false))
  const one = both.when(releaseStory('d1'))
  t.match(one.events[0]?.data, { shows: false })
  one.thenState(state => t.match(state, { isPublished: false, held: { decisions: ['d2'] } }))
  const none = one.again(releaseStory('d2'))
  t.match(none.events[0]?.data, { shows: true })
  none.thenState(state => t.same(state, before))
  aStory.given().when(holdStory('d1')).thenRefused('story-not-found')
})

t.test('its author neither publishes nor plans it meanwhile, and may unpublish it for later', async t => {
  const story = aStory.given(...published, held('d1'))
  story.when(publishStory(ada)).thenRefused('story-held')
  const plan = { at: '2026-02-01T10:00', timeZone: 'Europe/Madrid', due: new Date('2026-02-01T09:00:00Z') }
  story.when(scheduleStory(plan, ada)).thenRefused('story-held')
  const unpublished = story.when(unpublishStory(ada)).then('StoryUnpublished')
  unpublished.again().thenNothing()
  const released = unpublished.again(releaseStory('d1'))
  t.match(released.events[0]?.data, { shows: false })
  released.thenState(state => t.match(state, { isPublished: false, held: undefined }))
})

t.test('a held chapter is not shown, however often it is published', async t => {
  const story = aStory.given(...published)
  const outcome = story.when(holdChapter('one', 'd1')).then('ChapterHeld')
  outcome.again().thenNothing()
  outcome.thenState(state => t.equal(state && wordsOf(state), 10))
  story.when(holdChapter('three', 'd1')).thenRefused('chapter-unknown')
  story.when(releaseChapter('one', 'd1')).thenNothing()
  const shown: Given<StoryEvent> = { type: 'ChapterShown', data: { chapter: 'one', words: 30, chapterRevision: 2 } }
  const heldOne: Given<StoryEvent> = { type: 'ChapterHeld', data: { chapter: 'one', decision: 'd1', hides: true } }
  const again = aStory.given(...published, heldOne, shown)
  t.equal(again.state && wordsOf(again.state), 10)
  const released = again.when(releaseChapter('one', 'd1')).then('ChapterReleased')
  t.match(released.events[0]?.data, { shows: true })
  released.thenState(state => t.equal(state && wordsOf(state), 40))
  const hidden: Given<StoryEvent> = { type: 'ChapterHidden', data: { chapter: 'one', chapterRevision: 3 } }
  const unpublished = aStory.given(...published, heldOne, hidden).when(releaseChapter('one', 'd1'))
  t.match(unpublished.events[0]?.data, { shows: false })
  unpublished.thenState(state => t.equal(state && wordsOf(state), 10))
})

t.test('a thread that a decision froze is reopened by its end alone', async t => {
  const aThread = scenario(threads.threadAggregate)
  const name = 'story-s1'
  const because = { by: 'mia', decision: 'd1' }
  const own = { by: 'ada' }
  const closed = aThread.given().when(threads.closeThread(name, because)).then('ThreadClosed')
  closed.again().thenNothing()
  closed.again(threads.reopenThread(name, own)).thenNothing()
  const both = closed.again(threads.closeThread(name, own)).then('ThreadClosed')
  const over = both.again(threads.reopenThread(name, because)).then('ThreadReopened')
  over.thenState(state => t.ok(threads.isClosed(state), 'what its author closed stays so'))
  over.again(threads.reopenThread(name, own)).thenState(state => t.notOk(threads.isClosed(state)))
  const branch = { comment: 'c1', path: 'aaaaaaaaaaaaa' }
  const frozen = aThread
    .given()
    .when(threads.freeze(name, branch, because))
    .then('SubtreeFrozen')
  frozen.thenState(state => t.ok(threads.isFrozen(state, branch.path)))
  frozen.again(threads.thaw(name, branch, own)).thenNothing()
  frozen.again(threads.thaw(name, branch, because)).thenState(state => t.notOk(threads.isFrozen(state, branch.path)))
})

t.test('a held entry has a status of its own, and stays held whatever is edited or imported', async t => {
  const anEntry = scenario(entryAggregate)
  const identity = { language: 'en', lemma: 'tide', partOfSpeech: 'noun', homograph: 1 } as const
  const imported = (record: string): Given<EntryEvent> => ({
    type: 'EntryImported',
    data: { ...identity, content: emptyContent, rank: 0, licence: 'CC0-1.0', source: 'wordnet', record },
  })
  const heldBy = (decision: string, hides = true): Given<EntryEvent> => ({
    type: 'EntryHeld',
    data: { decision, hides },
  })
  const before = anEntry.given(imported('1')).state.entry
  anEntry.given(imported('1')).when(holdEntry('d1')).thenEvents(heldBy('d1')).again().thenNothing()
  anEntry.given(imported('1'), heldBy('d1')).when(holdEntry('d2')).thenEvents(heldBy('d2', false))
  anEntry.given().when(holdEntry('d1')).thenRefused('entry-not-found')
  const both = anEntry.given(imported('1'), heldBy('d1'), heldBy('d2', false))
  const one = both.when(releaseEntry('d1'))
  t.match(one.events[0]?.data, { shows: false })
  one.thenState(({ entry }) => t.match(entry, { status: 'held', holds: ['d2'] }))
  one.again().thenNothing()
  one.again(releaseEntry('d2')).thenState(({ entry }) => t.same(entry, before))
  anEntry.given(imported('1'), heldBy('d1')).when(publish).thenRefused('entry-held')
  anEntry
    .given(imported('1'), heldBy('d1'))
    .when(retire('e1', 'Wrong.', undefined))
    .thenRefused('entry-held')
  const again = anEntry.given(imported('1'), heldBy('d1'), imported('2'))
  t.match(again.state.entry, { status: 'held', holds: ['d1'], record: '2' })
  const patch = edit({ categories: ['sea'] }, 'e1', { ...ada, permissions: permissionsOf('editor') })
  anEntry
    .given(imported('1'), heldBy('d1'))
    .when(patch)
    .then('EntryEdited')
    .thenState(({ entry }) => t.match(entry, { status: 'held', holds: ['d1'] }))
  t.equal(entryAggregate.route(again.state).visibility, 'owner')
  const { past } = again.state
  const kept = pastIn(pastJson(past))
  t.same(kept && standingAt(kept, 1), { ...standingAt(past, 1), status: 'held', holds: ['d1'] }, 'a snapshot has it')
  t.match(standingAt(past, 0), { status: 'published', holds: undefined })
})
