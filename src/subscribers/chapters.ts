/**
 * Completes what concerns a chapter and its story: the story is told what is published, where the request that published it ended before
 * that; and what the story names no longer is deleted. Each is decided again, so that repeating it, or coming late, is harmless.
 */

import { tellStory } from '../commands/chapters.ts'
import { operator } from '../commands/tokens.ts'
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import {
  type ChapterState,
  chapterCategory,
  chapterIdOf,
  chapterStream,
  isChapterEvent,
} from '../domain/chapter/chapter.ts'
import { deleteWithStory } from '../domain/chapter/decisions.ts'
import { ChapterEdited, type ChapterEvent, ChapterPublished } from '../domain/chapter/events.ts'
import type { Recorded } from '../domain/event.ts'
import { stepId } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal } from '../domain/refusal.ts'
import { ChapterWithdrawn, StoryDeleted, type StoryEvent } from '../domain/story/events.ts'
import { type StoryState, storyCategory } from '../domain/story/story.ts'
import type { Clock } from '../ports/clock.ts'
import { isStoryEvent } from '../projections/stories.ts'

/** The chapters that a story names no longer after the event. */
const leftBy = (event: Recorded<StoryEvent>): readonly string[] => {
  if (event.type === 'StoryDeleted') return event.data.chapters
  return event.type === 'ChapterWithdrawn' ? [event.data.chapter] : []
}

export const chapterSubscriber = (deps: {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'run'>
  readonly chapters: Pick<Transactor<ChapterState, ChapterEvent>, 'load' | 'run'>
  readonly clock: Pick<Clock, 'now'>
}): Subscriber => {
  const { stories, chapters, clock } = deps
  const envelope = ({ id, meta }: Recorded, step: string): Envelope => ({
    commandId: stepId(id, step),
    actor: operator,
    correlationId: meta.correlationId,
    at: clock.now(),
  })
  /** What the chapter is now: what it was at the event may be past. A story that is gone is told nothing. */
  const tell = async (event: Recorded<ChapterEvent>): Promise<void> => {
    const { state } = await chapters.load(event.stream)
    if (!state?.isPublished) return
    const told = await tellStory({ stories }, chapterIdOf(event), state, envelope(event, 'told'))
    // It names the chapter no longer, or not yet: then a repeat of what begins the chapter completes it.
    if (told && isRefusal(told) && told.refused !== 'story-not-found' && told.refused !== 'chapter-unknown')
      throw new OwnError(`the story of ${event.stream} was not told: ${told.refused}`)
  }
  return subscriber({
    name: 'chapters',
    categories: [storyCategory, chapterCategory],
    types: [StoryDeleted.type, ChapterWithdrawn.type, ChapterPublished.type, ChapterEdited.type],
    handle: async events => {
      for (const event of events) {
        if (isChapterEvent(event)) await tell(event)
        if (!isStoryEvent(event)) continue
        for (const chapter of leftBy(event)) {
          const result = await chapters.run(chapterStream(chapter), deleteWithStory, envelope(event, chapter))
          if (isRefusal(result)) throw new OwnError(`the chapter ${chapter} was not deleted: ${result.refused}`)
        }
      }
    },
  })
}
