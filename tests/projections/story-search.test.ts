/** What stories are found by, as it is folded: the same when it is folded again, and nothing of what nobody is shown. */
import t from 'tap'
import type { ChapterEvent } from '../../src/domain/chapter/events.ts'
import { digestOf, pack } from '../../src/domain/chapter/packed.ts'
import { MOST_UNITS, MOST_WORDS } from '../../src/domain/search/story-words.ts'
import type { StoryEvent } from '../../src/domain/story/events.ts'
import { type StorySearchDocument, storySearchProjection } from '../../src/projections/story-search.ts'
import { recordedOf } from '../support/recorded.ts'

type Event = StoryEvent | ChapterEvent
type Given = Event & { readonly removed?: true }

const fold = (stream: string, events: readonly Given[]): StorySearchDocument | undefined =>
  recordedOf<Event>(stream, events).reduce<StorySearchDocument | undefined>((document, event) => {
    t.same(storySearchProjection.key(event), stream)
    return storySearchProjection.evolve(document, event, stream)
  }, undefined)
const story = (...events: readonly Given[]) => fold('story-1', events)
const chapter = (...events: readonly Given[]) => fold('chapter-1', events)

const begun: Given = {
  type: 'StoryBegun',
  data: {
    author: 'ada',
    language: 'en',
    title: 'The Lights',
    summary: 'Of storms.',
    tags: ['Sea'],
    warnings: [],
    rating: 'general',
    visibility: 'public',
  },
}
const published: Given = { type: 'StoryPublished', data: { chapters: ['1'] } }
const written = (text: string): Given => ({
  type: 'ChapterPublished',
  data: {
    storyRevision: '0',
    title: 'One',
    change: { form: 'whole', digest: digestOf(text), packed: pack(text), words: 3, characters: text.length },
  },
})
const started: Given = {
  type: 'ChapterBegun',
  data: { story: '1', language: 'en', author: 'ada', storyRevision: '0', title: 'One' },
}

t.test('a story is found while it is in a list', async t => {
  const listed = story(begun, published)
  t.same(story(begun, published), listed, 'replayed it is the same')
  t.match(listed, { listing: 'public', heading: ['the', 'light', 'sea'], brevity: 3 })
  t.same(listed?.about, ['the', 'light', 'sea', 'of', 'storm'])
  const found = (...more: readonly Given[]) => {
    const { listing, heading, about } = story(begun, published, ...more) ?? {}
    return [listing, heading?.length, about?.length]
  }
  const none = [undefined, undefined, undefined]
  t.same(story(begun)?.heading, undefined, 'not before it is published')
  t.same(found({ type: 'StoryUnpublished', data: { chapters: ['1'] } }), none)
  for (const visibility of ['private', 'unlisted'] as const)
    t.same(found({ type: 'StoryVisibilityChanged', data: { visibility, chapters: ['1'] } }), none)
  t.same(found({ type: 'StoryVisibilityChanged', data: { visibility: 'members', chapters: [] } }), ['members', 3, 5])
  t.same(found({ type: 'StoryEdited', data: { changes: { rating: 'mature' }, chapters: [] } }), ['public-adult', 3, 5])
  t.same(found({ type: 'StoryEdited', data: { changes: { summary: null }, chapters: [] } }), ['public', 3, 3])
  t.same(story(begun, published, { type: 'StoryDeleted', data: { chapters: [], ground: 'author' } }), undefined)
  t.same(story({ ...begun, removed: true }, published), undefined, 'its text is gone')
})

t.test('a chapter is found while it is published', async t => {
  const shown = chapter(started, written('The sea was *calm*, the SEA.'))
  t.same(chapter(started, written('The sea was *calm*, the SEA.')), shown, 'replayed it is the same')
  t.match(shown, { story: '1', language: 'en', stems: ['sea', 'calm'], places: [4, 13] })
  t.same(chapter(started)?.stems, undefined)
  const hidden = chapter(started, written('The sea.'), { type: 'ChapterUnpublished', data: { storyRevision: '0' } })
  t.same([hidden?.stems, hidden?.places, hidden?.story], [undefined, undefined, undefined])
  t.same(chapter(started, written('The sea.'), written('The storm.'))?.stems, ['storm'])
  t.same(chapter(started, { ...written('The sea.'), removed: true })?.stems, undefined)
  t.same(chapter(started, written('The sea.'), { type: 'ChapterDeleted', data: { ground: 'author' } }), undefined)
  t.same(storySearchProjection.removals, ['StoryDeleted', 'ChapterDeleted'])
})

t.test('of a long chapter the first stems are taken', async t => {
  const words = Array.from({ length: MOST_WORDS + 500 }, (_, n) => `w${n.toString(36)}q`)
  const document = chapter(started, written(words.join(' ')))
  t.equal(document?.stems?.length, MOST_WORDS)
  t.equal(document?.places?.length, MOST_WORDS)
})

t.test('of long words so many letters are taken, and each is its own stem', async t => {
  const words = Array.from({ length: 500 }, (_, n) => `${n.toString(36).padStart(100, 'q')}ations`)
  const document = chapter(started, written(words.join(' ')))
  t.equal(document?.words?.length, Math.ceil(MOST_UNITS / 106))
  t.same(document?.stems, document?.words)
})
