/** A story: what it is called, whose it is, who may see it, and which chapters it has in which order. */
import type { Aggregate, By, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import type { EventRoute, Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import { type StoryChanges, type StoryEvent, storyEvents } from './events.ts'
import type { StoryRefusal } from './refusals.ts'
import { storySight } from './sight.ts'
import { isForAdults, type Rating, type StoryVisibility, type Warning } from './terms.ts'

// Stream

export const storyCategory = 'story'
export const storyStream = (id: string): string => streamName(storyCategory, id)
/** The story's id from the name of its stream. */
export const storyIdOf = ({ stream }: { readonly stream: string }): string => stream.slice(storyCategory.length + 1)

// Fold

/** The decisions that hold something back, and whether its authors have it published. */
export type Held = { readonly decisions: readonly string[]; readonly isPublished: boolean }

/** A chapter as far as its story knows it. `by`: the account that began it; `revision`: how far it was when the story was told last. */
export type StoryChapter = {
  readonly id: string
  readonly by: string
  readonly isShown: boolean
  readonly words: number
  readonly revision: number
  readonly held?: Held
}

/** When it is to be published: `at` by the clock of `timeZone`, which is the instant `due` (RFC 3339). */
export type StorySchedule = { readonly at: string; readonly timeZone: string; readonly due: string }

/** `authors` are accounts, the one who began it first; `former` are those who orphaned it, whom nobody is told of. What is `held` is not published. */
export type Story = {
  readonly authors: readonly string[]
  readonly former: readonly string[]
  readonly invited: readonly string[]
  readonly language: string
  readonly title: string
  readonly summary?: string
  readonly tags: readonly string[]
  readonly warnings: readonly Warning[]
  readonly rating: Rating
  readonly visibility: StoryVisibility
  readonly isPublished: boolean
  readonly held?: Held
  readonly isCompleted: boolean
  readonly isDeleted: boolean
  readonly schedule?: StorySchedule
  /** In their order. */
  readonly chapters: readonly StoryChapter[]
  readonly createdAt: string
  /** Of the last change of what readers see. */
  readonly updatedAt: string
  /** Of the first publication. */
  readonly publishedAt?: string
}
export type StoryState = Story | undefined

/** The chapters that are published, in their order. */
export const shownChapters = ({ chapters }: Pick<Story, 'chapters'>): readonly string[] =>
  chapters.flatMap(({ id, isShown }) => (isShown ? [id] : []))
/** Words of the published chapters. */
export const wordsOf = ({ chapters }: Pick<Story, 'chapters'>): number =>
  chapters.reduce((sum, { isShown, words }) => sum + (isShown ? words : 0), 0)

const without = (ids: readonly string[], id: string): readonly string[] => ids.filter(other => other !== id)

const begun = (event: Recorded<Extract<StoryEvent, { type: 'StoryBegun' }>>): Story => {
  const { author, language, title, summary, tags, warnings, rating, visibility } = event.data
  const { at } = event.meta
  return {
    authors: [author],
    former: [],
    invited: [],
    language,
    title: event.removed ? '' : title,
    ...defined({ summary: event.removed ? undefined : summary }),
    tags: event.removed ? [] : tags,
    warnings,
    rating,
    visibility,
    isPublished: false,
    isCompleted: false,
    isDeleted: event.removed === true,
    chapters: [],
    createdAt: at,
    updatedAt: at,
  }
}

const edited = (story: Story, { summary, ...changes }: StoryChanges): Story => {
  const { summary: before, ...rest } = story
  const after = summary === undefined ? before : (summary ?? undefined)
  return { ...rest, ...changes, ...defined({ summary: after }) }
}

const withoutText = (story: Story): Story => {
  const { summary: _, schedule: _s, held: _h, ...rest } = story
  return { ...rest, title: '', tags: [], invited: [], chapters: [], isPublished: false, isDeleted: true }
}

/** Held by one more decision. */
const holding = (held: Held | undefined, decision: string, isPublished: boolean): Held => {
  const { decisions, isPublished: before } = held ?? { decisions: [], isPublished }
  return { isPublished: before, decisions: decisions.includes(decision) ? decisions : [...decisions, decision] }
}
/** Held by one decision less; undefined: by none any more. */
const releasing = (held: Held | undefined, decision: string): Held | undefined => {
  const decisions = held ? without(held.decisions, decision) : []
  return held && decisions.length > 0 ? { ...held, decisions } : undefined
}

/** As its authors have it, or held back. */
const publishing = (story: Story, isPublished: boolean): Story =>
  story.held ? { ...story, held: { ...story.held, isPublished } } : { ...story, isPublished }

const released = (story: Story, decision: string): Story => {
  const { held, ...rest } = story
  if (!held) return story
  const still = releasing(held, decision)
  return still ? { ...rest, held: still } : { ...rest, isPublished: held.isPublished }
}

/** Shown to readers, or held back while it would be. */
const showing = (chapter: StoryChapter, isShown: boolean): StoryChapter =>
  chapter.held ? { ...chapter, held: { ...chapter.held, isPublished: isShown } } : { ...chapter, isShown }

const chapterReleased = (chapter: StoryChapter, decision: string): StoryChapter => {
  const { held, ...rest } = chapter
  if (!held) return chapter
  const still = releasing(held, decision)
  return still ? { ...rest, held: still } : { ...rest, isShown: held.isPublished }
}

/** Is it published, whether or not a decision holds it back? */
export const isShownByAuthors = ({ isShown, held }: StoryChapter): boolean => isShown || held?.isPublished === true

const chapterChanged = (story: Story, id: string, change: (chapter: StoryChapter) => StoryChapter): Story => ({
  ...story,
  chapters: story.chapters.map(chapter => (chapter.id === id ? change(chapter) : chapter)),
})

/** The order that is named, as far as it names what there is; what it does not name stays, behind. */
const ordered = (story: Story, order: readonly string[]): Story => {
  const byId = new Map(story.chapters.map(chapter => [chapter.id, chapter]))
  const named = [...new Set(order)].flatMap(id => byId.get(id) ?? [])
  const isNamed = new Set(named)
  return { ...story, chapters: [...named, ...story.chapters.filter(chapter => !isNamed.has(chapter))] }
}

const unscheduled = ({ schedule: _, ...story }: Story): Story => story

const left = (story: Story, account: string): Story => ({ ...story, authors: without(story.authors, account) })

/** What readers see is as of the event. */
const touched = (story: Story, event: Recorded<StoryEvent>): Story => ({ ...story, updatedAt: event.meta.at })

/** The story after the event. An event that cannot follow leaves it as it is; nothing throws. */
export const evolveStory = (story: StoryState, event: Recorded<StoryEvent>): StoryState => {
  if (event.type === 'StoryBegun') return story ?? begun(event)
  // Nothing that comes after a deletion brings text back.
  if (!story || story.isDeleted) return story
  switch (event.type) {
    case 'StoryEdited':
      return event.removed ? withoutText(story) : touched(edited(story, event.data.changes), event)
    case 'StoryVisibilityChanged':
      return touched({ ...story, visibility: event.data.visibility }, event)
    case 'StoryPublished':
      return touched(
        unscheduled({ ...publishing(story, true), publishedAt: story.publishedAt ?? event.meta.at }),
        event,
      )
    case 'StoryUnpublished':
      return touched(publishing(story, false), event)
    case 'StoryScheduled':
      return { ...story, schedule: event.data }
    case 'StoryScheduleCancelled':
      return unscheduled(story)
    case 'StoryCompleted':
    case 'StoryReopened':
      return touched({ ...story, isCompleted: event.type === 'StoryCompleted' }, event)
    case 'AuthorInvited':
      return { ...story, invited: [...without(story.invited, event.data.account), event.data.account] }
    case 'InvitationAccepted': {
      const { account } = event.data
      return {
        ...story,
        invited: without(story.invited, account),
        authors: [...without(story.authors, account), account],
      }
    }
    case 'InvitationDeclined':
    case 'InvitationWithdrawn':
      return { ...story, invited: without(story.invited, event.data.account) }
    case 'AuthorLeft':
      return left(story, event.data.account)
    case 'StoryOrphaned': {
      const { account } = event.data
      return { ...left(story, account), former: [...without(story.former, account), account] }
    }
    case 'ChapterAdded': {
      const { chapter: id, by } = event.data
      if (story.chapters.some(chapter => chapter.id === id)) return story
      return { ...story, chapters: [...story.chapters, { id, by, isShown: false, words: 0, revision: -1 }] }
    }
    case 'ChaptersOrdered':
      return touched(ordered(story, event.data.chapters), event)
    case 'ChapterWithdrawn': {
      const { chapter: id } = event.data
      const after = { ...story, chapters: story.chapters.filter(chapter => chapter.id !== id) }
      // Of a draft that goes nobody has seen anything.
      return story.chapters.some(chapter => chapter.id === id && chapter.isShown) ? touched(after, event) : after
    }
    case 'ChapterShown': {
      const { chapter, words, chapterRevision: revision } = event.data
      return touched(
        chapterChanged(story, chapter, known => ({ ...showing(known, true), words, revision })),
        event,
      )
    }
    case 'ChapterHidden': {
      const { chapter, chapterRevision: revision } = event.data
      return touched(
        chapterChanged(story, chapter, known => ({ ...showing(known, false), revision })),
        event,
      )
    }
    // When its authors changed it last stays what it was.
    case 'StoryHeld':
      return { ...story, held: holding(story.held, event.data.decision, story.isPublished), isPublished: false }
    case 'StoryReleased':
      return released(story, event.data.decision)
    case 'ChapterHeld': {
      const { chapter, decision } = event.data
      return chapterChanged(story, chapter, known => ({
        ...known,
        held: holding(known.held, decision, known.isShown),
        isShown: false,
      }))
    }
    case 'ChapterReleased': {
      const { chapter, decision } = event.data
      return chapterChanged(story, chapter, known => chapterReleased(known, decision))
    }
    case 'StoryDeleted':
      return { ...withoutText(story), updatedAt: event.meta.at }
    default:
      return story
  }
}

/** Who is told of what happens to it: nobody beside its authors of what is in no list. */
const routeOf = (story: StoryState): EventRoute => {
  if (!story) return { visibility: 'owner' }
  const { language, authors, isPublished, visibility: wanted } = story
  const isOpen = isPublished && !isForAdults(story) && (wanted === 'public' || wanted === 'members')
  return { language, visibility: isOpen ? wanted : 'owner', ...defined({ owner: authors[0] }) }
}

export const storyAggregate: Aggregate<StoryState, StoryEvent> = {
  category: storyCategory,
  events: storyEvents,
  initial: undefined,
  evolve: evolveStory,
  route: routeOf,
  isRemoved: story => story?.isDeleted === true,
  isAskedForByAnybody: true,
}

// Decide: src/domain/story/decisions.ts, authors.ts, chapters.ts

type StoryDecision = Decision<StoryEvent, StoryRefusal>
export const storyNotFound = () => refuse('story-not-found', 'There is no such story, or it is not for you to see.')

/** Is the account one of its authors now? */
export const isAuthorOf = ({ authors }: Pick<Story, 'authors'>, account: string | undefined): boolean =>
  account !== undefined && authors.includes(account)

/** What is decided on a story that is there. */
export const onStory =
  (then: (story: Story) => StoryDecision) =>
  (story: StoryState): StoryDecision =>
    !story || story.isDeleted ? storyNotFound() : then(story)

/** As `onStory`, by one of its authors: to all others it is not there, or not theirs, as they may see it. */
export const asAuthor = (by: By, then: (story: Story) => StoryDecision) =>
  onStory(story => {
    if (isAuthorOf(story, by.id)) return then(story)
    const account = by.kind === undefined || by.kind === 'account' ? by.id : undefined
    return storySight(story, { ...defined({ account }), permissions: by.permissions }) === 'nothing'
      ? storyNotFound()
      : refuse('permission-denied', 'Only its authors may do this to the story.')
  })
