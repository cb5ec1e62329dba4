/**
 * The chapters of a story as the story knows them: which there are, in which order, and which are published. The story says what is
 * shown: a chapter is hidden here first, and then in its own stream.
 */
import type { By, Decide } from '../decider.ts'
import { type Fault, refuse } from '../refusal.ts'
import { MAX_FAULTS } from '../shape.ts'
import type { StoryEvent } from './events.ts'
import type { StoryRefusal } from './refusals.ts'
import {
  asAuthor,
  isShownByAuthors,
  onStory,
  type Story,
  type StoryChapter,
  type StoryState,
  shownChapters,
} from './story.ts'
import { storyLimits } from './terms.ts'

type StoryDecide = Decide<StoryState, StoryEvent, StoryRefusal>

const chapterOf = (story: Story, id: string): StoryChapter | undefined =>
  story.chapters.find(chapter => chapter.id === id)

const unknownChapter = () => refuse('chapter-unknown', 'The story has no such chapter.')

/** At the end of the story. The chapter's own stream has begun already. */
export const addChapter = (chapter: string, by: By): StoryDecide =>
  asAuthor(by, story => {
    if (chapterOf(story, chapter)) return []
    return story.chapters.length >= storyLimits.chapters
      ? refuse('chapters-full', `A story has ${storyLimits.chapters.toLocaleString('en-US')} chapters at most.`)
      : [{ type: 'ChapterAdded', data: { chapter, by: by.id } }]
  })

const orderFaults = (story: Story, order: readonly string[]): readonly Fault[] => {
  const seen = new Set<string>()
  const faults = order.flatMap((id, i): readonly Fault[] => {
    const pointer = `/chapters/${i}`
    const isRepeated = seen.has(id)
    seen.add(id)
    if (isRepeated) return [{ pointer, code: 'repeated', detail: 'This chapter stands in the order already.' }]
    return chapterOf(story, id) ? [] : [{ pointer, code: 'unknown', detail: 'The story has no such chapter.' }]
  })
  const missing = story.chapters.filter(({ id }) => !seen.has(id))
  const all = [
    ...faults,
    ...missing.map(({ id }) => ({ pointer: '/chapters', code: 'missing', detail: `The chapter ${id} is missing.` })),
  ]
  return all.slice(0, MAX_FAULTS)
}

/** Every chapter once, drafts too: nothing else is an order of them. */
export const orderChapters = (order: readonly string[], by: By): StoryDecide =>
  asAuthor(by, story => {
    const errors = orderFaults(story, order)
    if (errors.length > 0)
      return refuse('chapter-order-invalid', 'The order names every chapter of the story once.', { errors })
    return story.chapters.every(({ id }, i) => id === order[i])
      ? []
      : [{ type: 'ChaptersOrdered', data: { chapters: [...order] } }]
  })

/** Readers who have a story before them do not lose all of it: it is unpublished, or deleted. */
const lastFault = (story: Story, chapter: string) => {
  const isLast = shownChapters(story).every(id => id === chapter)
  const isOpen = story.isPublished || story.schedule !== undefined
  return isOpen && chapterOf(story, chapter)?.isShown && isLast
    ? refuse('last-chapter', 'It is the only published chapter: unpublish the story, or delete it.')
    : undefined
}

/**
 * A chapter was published, or its published text has changed: with so many words, as of a revision of its own stream. What the story
 * was told of later already is passed over.
 */
export const showChapter = (told: {
  readonly chapter: string
  readonly words: number
  readonly revision: number
}): StoryDecide =>
  onStory(story => {
    const known = chapterOf(story, told.chapter)
    if (!known) return unknownChapter()
    if (told.revision <= known.revision) return []
    const { chapter, words, revision } = told
    return [{ type: 'ChapterShown', data: { chapter, words, chapterRevision: revision } }]
  })

/** Before its own stream is told: `revision` is where that stands now, so that nothing older shows the chapter again. */
export const hideChapter = (
  { chapter, revision }: { readonly chapter: string; readonly revision: number },
  by: By,
): StoryDecide =>
  asAuthor(by, story => {
    const known = chapterOf(story, chapter)
    if (!known) return unknownChapter()
    return (
      lastFault(story, chapter) ??
      (isShownByAuthors(known) || revision > known.revision
        ? [{ type: 'ChapterHidden', data: { chapter, chapterRevision: revision } }]
        : [])
    )
  })

/** The chapter is none of the story's any more: it is about to be deleted. */
export const withdrawChapter = (chapter: string, by: By): StoryDecide =>
  asAuthor(by, story => {
    if (!chapterOf(story, chapter)) return []
    return lastFault(story, chapter) ?? [{ type: 'ChapterWithdrawn', data: { chapter } }]
  })
