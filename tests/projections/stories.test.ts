/** The read models of stories and series: folded twice the same, gone with their text, in the lists they belong in. */
import t from 'tap'
import type { StoryEvent } from '../../src/domain/story/events.ts'
import type { SeriesEvent } from '../../src/domain/story/series.ts'
import { type SeriesDocument, seriesProjection } from '../../src/projections/series.ts'
import { type StoryDocument, storiesProjection, tagKeysIn } from '../../src/projections/stories.ts'
import { recordedOf } from '../support/recorded.ts'

const begun: StoryEvent = {
  type: 'StoryBegun',
  data: {
    author: 'ada',
    language: 'en',
    title: 'Été',
    tags: ['Sea', 'Été'],
    warnings: [],
    rating: 'general',
    visibility: 'public',
  },
}
const lived: readonly StoryEvent[] = [
  begun,
  { type: 'ChapterAdded', data: { chapter: 'one', by: 'ada' } },
  { type: 'ChapterShown', data: { chapter: 'one', words: 120, chapterRevision: 2 } },
  { type: 'StoryPublished', data: { chapters: ['one'] } },
]
const deleted: StoryEvent = { type: 'StoryDeleted', data: { chapters: ['one'], ground: 'author' } }

const stories = (events: readonly StoryEvent[]): StoryDocument | undefined =>
  recordedOf('story-1', events).reduce<StoryDocument | undefined>(
    (document, event) => storiesProjection.evolve(document, event, '1'),
    undefined,
  )

t.test('a story as it is found', async t => {
  const document = stories(lived)
  t.same(stories(lived), document, 'replayed it is the same')
  t.match(document, { listing: 'public', words: 120, revision: '3', titleKey: /^ete/, isPublished: true })
  t.same(tagKeysIn(document?.tagLine ?? ''), document?.tagKeys)
  t.match([...(document?.tagKeys ?? []), document?.titleKey].join(), /^[\t -~]+$/, 'in ASCII')
  t.same(stories([...lived, deleted]), undefined)
  t.same(
    stories([...lived, deleted, { type: 'StoryEdited', data: { changes: { title: 'x' }, chapters: [] } }]),
    undefined,
  )
  t.same(storiesProjection.removals, ['StoryDeleted'])
  const [event] = recordedOf('story-1', lived)
  t.same(event && storiesProjection.key(event), '1')
})

t.test('in which lists it is', async t => {
  const listing = (...more: readonly StoryEvent[]) => stories([...lived, ...more])?.listing
  const moved = (visibility: 'private' | 'unlisted' | 'members' | 'public'): StoryEvent => ({
    type: 'StoryVisibilityChanged',
    data: { visibility, chapters: ['one'] },
  })
  const adult: StoryEvent = { type: 'StoryEdited', data: { changes: { rating: 'mature' }, chapters: ['one'] } }
  t.same(
    [listing(), listing(adult), listing(moved('members')), listing(moved('members'), adult)],
    ['public', 'public-adult', 'members', 'members-adult'],
  )
  const unpublished: StoryEvent = { type: 'StoryUnpublished', data: { chapters: ['one'] } }
  for (const event of [moved('private'), moved('unlisted'), unpublished]) t.equal(listing(event), 'none')
})

t.test('a series as it is found', async t => {
  const fold = (events: readonly SeriesEvent[]): SeriesDocument | undefined =>
    recordedOf('series-1', events).reduce<SeriesDocument | undefined>(
      (document, event) => seriesProjection.evolve(document, event, '1'),
      undefined,
    )
  const events: readonly SeriesEvent[] = [
    { type: 'SeriesBegun', data: { author: 'ada', title: 'Lights' } },
    { type: 'SeriesOrdered', data: { stories: ['b', 'a'] } },
  ]
  t.match(fold(events), { title: 'Lights', stories: ['b', 'a'], revision: '1' })
  t.same(fold(events), fold(events))
  t.same(fold([...events, { type: 'SeriesDeleted', data: { ground: 'author' } }]), undefined)
})
