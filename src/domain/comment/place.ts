/** What comments may be about, as who asks may see it now: published stories, their published chapters, published entries. */
import { chapterNotFound } from '../chapter/decisions.ts'
import type { Entry } from '../entry/entry.ts'
import type { Visibility } from '../event.ts'
import { type Refusal, refuse } from '../refusal.ts'
import type { Permission } from '../roles.ts'
import { storySight, type Viewer } from '../story/sight.ts'
import { type Story, type StoryState, storyAggregate, storyNotFound } from '../story/story.ts'
import { isForAdults } from '../story/terms.ts'
import type { CommentRefusal } from './refusals.ts'
import type { Target } from './target.ts'

/**
 * Something that comments are about. `authors`: whose work it is, who may close its thread; nobody's of an entry. `isOpen`: it is published, so that
 * something may be said of it. `audience`: for whom it is in lists and on live channels.
 */
export type Place = {
  readonly target: Target
  readonly story?: string
  readonly authors: readonly string[]
  readonly isOpen: boolean
  readonly isAdult: boolean
  readonly audience: Visibility
}

/** Finds it by its streams, with the revision at which it was looked at. */
export type Places = (
  target: Target,
  viewer: Viewer,
) => Promise<{ readonly place: Place; readonly revision: string } | Refusal>

export const notOpen = (): Refusal<CommentRefusal> =>
  refuse('comments-not-open', 'Comments are on what is published, and on none of its drafts.')

export const storyPlace = (id: string, story: StoryState, viewer: Viewer): Place | Refusal => {
  const sight = story ? storySight(story, viewer) : 'nothing'
  if (!story || sight === 'nothing') return storyNotFound()
  return {
    target: { kind: 'story', id },
    story: id,
    authors: story.authors,
    isOpen: story.isPublished,
    isAdult: sight !== 'authored' && isForAdults(story),
    audience: storyAggregate.route(story).visibility,
  }
}

/** `storyId`: the one that the chapter names. */
export const chapterPlace = (
  id: string,
  { storyId, story }: { readonly storyId: string; readonly story: Story | undefined },
  viewer: Viewer,
): Place | Refusal => {
  const of = storyPlace(storyId, story, viewer)
  const known = story?.chapters.find(chapter => chapter.id === id)
  const isAuthors = story !== undefined && storySight(story, viewer) === 'authored'
  if ('refused' in of || !known || !(known.isShown || isAuthors)) return chapterNotFound()
  return { ...of, target: { kind: 'chapter', id }, isOpen: of.isOpen && known.isShown }
}

/** To those who see drafts it is said that there are no comments on them; to all others there is no such entry. */
export const entryPlace = (
  id: string,
  entry: Entry | undefined,
  permissions: ReadonlySet<Permission>,
): Place | Refusal => {
  const absent = () => refuse('entry-not-found', 'There is no such entry, or it is not visible to you.')
  if (!entry || entry.removed) return absent()
  if (entry.status === 'held' && !permissions.has('decisions:take')) return absent()
  if (entry.status !== 'published') return permissions.has('entries:read-drafts') ? notOpen() : absent()
  return {
    target: { kind: 'entry', id },
    authors: [],
    isOpen: true,
    isAdult: false,
    audience: 'public',
  }
}
