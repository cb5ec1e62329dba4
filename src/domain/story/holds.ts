/**
 * What decisions of moderators do to a story and its chapters: they hold them back, each once, and each releases what it holds alone.
 * Meanwhile what is held is as if it were not published, wherever it is looked at, and its authors see by which decision.
 */
import type { Decide } from '../decider.ts'
import { refuse } from '../refusal.ts'
import type { StoryEvent } from './events.ts'
import type { StoryRefusal } from './refusals.ts'
import { onStory, type StoryState, shownChapters } from './story.ts'

type StoryDecide = Decide<StoryState, StoryEvent, StoryRefusal>

export const holdStory = (decision: string): StoryDecide =>
  onStory(story =>
    story.held?.decisions.includes(decision)
      ? []
      : [{ type: 'StoryHeld', data: { decision, hides: story.isPublished, chapters: [...shownChapters(story)] } }],
  )

export const releaseStory = (decision: string): StoryDecide =>
  onStory(story => {
    const { held } = story
    if (!held?.decisions.includes(decision)) return []
    const shows = held.isPublished && held.decisions.length === 1
    return [{ type: 'StoryReleased', data: { decision, shows, chapters: [...shownChapters(story)] } }]
  })

const unknownChapter = () => refuse('chapter-unknown', 'The story has no such chapter.')

export const holdChapter = (chapter: string, decision: string): StoryDecide =>
  onStory(({ chapters }) => {
    const known = chapters.find(({ id }) => id === chapter)
    if (!known) return unknownChapter()
    if (known.held?.decisions.includes(decision)) return []
    return [{ type: 'ChapterHeld', data: { chapter, decision, hides: known.isShown } }]
  })

export const releaseChapter = (chapter: string, decision: string): StoryDecide =>
  onStory(({ chapters }) => {
    const known = chapters.find(({ id }) => id === chapter)
    if (!known) return unknownChapter()
    const { held } = known
    if (!held?.decisions.includes(decision)) return []
    const shows = held.isPublished && held.decisions.length === 1
    return [{ type: 'ChapterReleased', data: { chapter, decision, shows } }]
  })
