/**
 * What stories are found by: a document of each story with the terms of its title, tags and summary, which are there while it is in
 * a list of anybody; and one of each chapter with the terms of its text, which are there while the chapter is published. Who may see the
 * story a chapter cannot know without being written again with all its terms each time that this changes: it is looked up.
 */
import { projection } from '../core/project/define.ts'
import { chapterCategory, isChapterEvent } from '../domain/chapter/chapter.ts'
import { ChapterDeleted } from '../domain/chapter/events.ts'
import { evolvePublished, type Published, publishedTypes } from '../domain/chapter/published.ts'
import { defined } from '../domain/defined.ts'
import { idOf } from '../domain/ids.ts'
import { type TextTerms, textTerms, titleStems } from '../domain/search/story-words.ts'
import {
  StoryBegun,
  StoryDeleted,
  StoryEdited,
  StoryHeld,
  StoryPublished,
  StoryReleased,
  StoryUnpublished,
  StoryVisibilityChanged,
} from '../domain/story/events.ts'
import { evolveStory, type Story, storyCategory, storyStream } from '../domain/story/story.ts'
import type { Indexes } from '../ports/read-store.ts'
import { isStoryEvent, type Listing, listingOf } from './stories.ts'

/** `heading`: of title and tags; `about`: of these and the summary; `brevity`: how many the heading has. */
type StoryTerms = {
  readonly listing: Listing
  readonly heading: readonly string[]
  readonly about: readonly string[]
  readonly brevity: number
}
/** `story`: the id of the chapter's. */
type ChapterTerms = TextTerms & { readonly story: string }

/** What it is folded of stands in `told` or `written`, where no index finds it. */
export type StorySearchDocument = Partial<StoryTerms> &
  Partial<ChapterTerms> & {
    readonly language: string
    readonly told?: Story
    readonly written?: Published
  }

const indexes: Indexes = [
  // What says the least beside the words that are asked for says them best.
  { name: 'heading', on: ['listing', 'heading', 'brevity'], terms: 'heading' },
  { name: 'about', on: ['listing', 'about', 'brevity'], terms: 'about' },
  { name: 'text', on: ['stems', 'story'], terms: 'stems' },
  // By the words that it has: which entries of the dictionary it uses.
  { name: 'words', on: ['words', 'story'], terms: 'words' },
  // Read of what the others find, without its text.
  { name: 'story', on: ['story', 'language'] },
]

/** The document of a story as it stands. */
export const storySearchDocument = (told: Story, before?: StorySearchDocument): StorySearchDocument => {
  const { language, title, tags, summary } = told
  const listing = listingOf(told)
  if (listing === 'none') return { language, told }
  const isSame =
    before?.heading !== undefined &&
    before.told?.title === title &&
    before.told.tags === tags &&
    before.told.summary === summary
  if (isSame) return { ...before, listing, told }
  const heading = titleStems([title, ...tags], language)
  const about = [...new Set([...heading, ...titleStems(summary === undefined ? [] : [summary], language)])]
  return { language, listing, heading, about, brevity: heading.length, told }
}

/** Those of a chapter's document; undefined: nobody finds it by its text. */
export const termsIn = ({ words, wordPlaces, stems, places }: StorySearchDocument): TextTerms | undefined =>
  words && wordPlaces && stems && places && { words, wordPlaces, stems, places }

/** The document of a chapter as readers have it. */
export const chapterSearchDocument = (
  written: Published,
  language: string,
  before?: StorySearchDocument,
): StorySearchDocument => {
  const { isShown, story, text } = written
  if (!isShown || text === undefined) return { language, written }
  const known = before?.written?.text === text ? termsIn(before) : undefined
  return { language, story, ...(known ?? textTerms(text, language)), written }
}

export const storySearchProjection = projection<StorySearchDocument>({
  name: 'story-search',
  version: 2,
  categories: [storyCategory, chapterCategory],
  types: [
    StoryBegun.type,
    StoryEdited.type,
    StoryVisibilityChanged.type,
    StoryPublished.type,
    StoryUnpublished.type,
    StoryHeld.type,
    StoryReleased.type,
    StoryDeleted.type,
    ...publishedTypes,
  ],
  removals: [StoryDeleted.type, ChapterDeleted.type],
  indexes,
  // A story and a chapter may have the same id.
  key: ({ stream }) => stream,
  evolve: (document, event) => {
    if (isStoryEvent(event)) {
      const story = evolveStory(document?.told, event)
      return !story || story.isDeleted ? undefined : storySearchDocument(story, document)
    }
    if (!isChapterEvent(event)) return document
    const written = evolvePublished(document?.written, event)
    if (written === document?.written) return document
    const language = event.type === 'ChapterBegun' ? event.data.language : document?.language
    return written && chapterSearchDocument(written, language ?? 'und', document)
  },
})

/** The story that a document is of, whichever it is. */
export const storyOfDocument = ({ id, body }: { readonly id: string; readonly body: StorySearchDocument }): string =>
  body.story ?? idOf(id)

/** The document of a story by the story's id. */
export const documentOfStory = storyStream

/** What stands in a chapter's document to be shown. */
export const textOfDocument = ({ stems, places, written }: StorySearchDocument) =>
  defined({ stems, places, text: stems && written?.text })
