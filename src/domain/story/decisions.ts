/** What its authors may do to a story: begin it, describe it, show it, hide it, end it. */
import type { By, Decide, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { sameJson } from '../json.ts'
import { isRefusal, refuse } from '../refusal.ts'
import { readStory, type StoryInput } from './content.ts'
import type { StoryChanges, StoryEvent } from './events.ts'
import type { StoryRefusal } from './refusals.ts'
import { asAuthor, onStory, type Story, type StoryState, shownChapters } from './story.ts'

type StoryDecide = Decide<StoryState, StoryEvent, StoryRefusal>
type StoryDecision = Decision<StoryEvent, StoryRefusal>

/** Stories are people's: a service has no byline, and nobody to be asked about it. */
export const isPerson = ({ kind }: By): boolean => kind === undefined || kind === 'account'

const ids = (story: Story): string[] => [...shownChapters(story)]

const incomplete = () =>
  refuse('story-incomplete', 'A story has at least one published chapter before it is published.', {
    errors: [{ pointer: '', code: 'too-few', detail: 'No chapter of it is published.' }],
  })

/** `language`: canonical tag of a registered language. The id follows from the command, so that the same one sent again finds it. */
export const beginStory =
  (language: string, input: StoryInput, by: By): StoryDecide =>
  story => {
    if (story) return refuse('conflict', 'There is a story of this id.')
    if (!isPerson(by)) return refuse('permission-denied', 'Stories are written by people: sign in with an account.')
    const text = readStory({ ...input, title: input.title ?? null })
    if (isRefusal(text)) return text
    const { title = '', summary, tags = [], warnings = [] } = text
    return [
      {
        type: 'StoryBegun',
        data: {
          author: by.id,
          language,
          title,
          ...defined({ summary: summary ?? undefined }),
          tags: [...tags],
          warnings: [...warnings],
          rating: input.rating ?? 'general',
          visibility: input.visibility ?? 'private',
        },
      },
    ]
  }

const changesOf = (
  story: Story,
  input: StoryInput,
  text: Exclude<ReturnType<typeof readStory>, { refused: string }>,
) => {
  const rating = input.rating === undefined ? undefined : (input.rating ?? 'general')
  const { title, summary, tags, warnings } = text
  const changes: StoryChanges = defined({
    title: title === story.title ? undefined : title,
    summary: summary === (story.summary ?? null) ? undefined : summary,
    tags: tags === undefined || sameJson(tags, story.tags) ? undefined : [...tags],
    warnings: warnings === undefined || sameJson(warnings, story.warnings) ? undefined : [...warnings],
    rating: rating === story.rating ? undefined : rating,
  })
  return changes
}

/** A JSON Merge Patch over what can be changed: a member that is absent stays, null takes it back to what it is at first. */
export const editStory = (input: StoryInput, by: By): StoryDecide =>
  asAuthor(by, story => {
    const text = readStory(input)
    if (isRefusal(text)) return text
    const changes = changesOf(story, input, text)
    const visibility = input.visibility === undefined ? story.visibility : (input.visibility ?? 'private')
    const edited: StoryDecision =
      Object.keys(changes).length === 0 ? [] : [{ type: 'StoryEdited', data: { changes, chapters: ids(story) } }]
    const moved: StoryDecision =
      visibility === story.visibility
        ? []
        : [{ type: 'StoryVisibilityChanged', data: { visibility, chapters: ids(story) } }]
    // What is told of a change is told to those for whom the story is after it: none of it to those who may not see it any more.
    return visibility === 'public' ? [...edited, ...moved] : [...moved, ...edited]
  })

const published = (story: Story): StoryDecision => {
  const chapters = ids(story)
  return chapters.length === 0 ? incomplete() : [{ type: 'StoryPublished', data: { chapters } }]
}

const isHeld = () =>
  refuse('story-held', 'A decision holds the story back: it is published again once that is overturned.')

/** Shows what is published of it to those whom its visibility lets see it. */
export const publishStory = (by: By): StoryDecide =>
  asAuthor(by, story => (story.held ? isHeld() : story.isPublished ? [] : published(story)))

export const unpublishStory = (by: By): StoryDecide =>
  asAuthor(by, story =>
    story.isPublished || story.held?.isPublished ? [{ type: 'StoryUnpublished', data: { chapters: ids(story) } }] : [],
  )

export const completeStory = (by: By): StoryDecide =>
  asAuthor(by, story => (story.isCompleted ? [] : [{ type: 'StoryCompleted', data: {} }]))

export const reopenStory = (by: By): StoryDecide =>
  asAuthor(by, story => (story.isCompleted ? [{ type: 'StoryReopened', data: {} }] : []))

/** Publishes at `due`, unless its authors have planned otherwise meanwhile. What has nothing to show by then stays as it is. */
export const publishAsPlanned =
  (due: string): StoryDecide =>
  story => {
    if (!story || story.isDeleted || story.isPublished || story.schedule?.due !== due) return []
    const decided = story.held ? isHeld() : published(story)
    return isRefusal(decided) ? [{ type: 'StoryScheduleCancelled', data: {} }] : decided
  }

/** `local`: by the clock of the zone; `due`: the instant, which has been looked for already. */
export const scheduleStory = (
  plan: { readonly at: string; readonly timeZone: string; readonly due: Date },
  by: By,
): StoryDecide =>
  asAuthor(by, story => {
    if (story.held) return isHeld()
    if (story.isPublished) return refuse('story-published', 'The story is published already.')
    if (plan.due.getTime() <= by.now.getTime())
      return refuse('schedule-invalid', 'The time has passed.', {
        errors: [{ pointer: '/at', code: 'past', detail: 'This time has passed.' }],
      })
    const chapters = ids(story)
    if (chapters.length === 0) return incomplete()
    const { at, timeZone } = plan
    const next = { at, timeZone, due: plan.due.toISOString() }
    return sameJson(next, story.schedule) ? [] : [{ type: 'StoryScheduled', data: next }]
  })

export const cancelSchedule = (by: By): StoryDecide =>
  asAuthor(by, story => (story.schedule ? [{ type: 'StoryScheduleCancelled', data: {} }] : []))

/** The end of its text, in every copy. Repeated there is no such story any more. */
export const deleteStory = (by: By): StoryDecide =>
  asAuthor(by, story => [
    { type: 'StoryDeleted', data: { chapters: story.chapters.map(({ id }) => id), ground: 'author' } },
  ])

/** As `deleteStory`, since its only author is erased. Not of what others have a part in. */
export const deleteWithAuthor = (account: string): StoryDecide =>
  onStory(story =>
    story.authors.some(author => author !== account) || !story.authors.includes(account)
      ? []
      : [{ type: 'StoryDeleted', data: { chapters: story.chapters.map(({ id }) => id), ground: 'erasure' } }],
  )
