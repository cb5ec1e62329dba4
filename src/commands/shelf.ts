/**
 * Keeping stories on one's shelf and in one's lists. What somebody may not see, they can neither bookmark nor follow: to them it is not
 * there. What they keep already they may always let go of.
 */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import type { By } from '../domain/decider.ts'
import { defined } from '../domain/defined.ts'
import { UUID } from '../domain/forms.ts'
import { uuidv5 } from '../domain/ids.ts'
import { type Refusal, refuse, type TextRefusal } from '../domain/refusal.ts'
import {
  beginList,
  deleteList,
  editList,
  orderList,
  type ReadingListEvent,
  type ReadingListState,
  readingListStream,
} from '../domain/shelf/reading-list.ts'
import {
  bookmark,
  type Following,
  forgetProgress,
  markProgress,
  removeBookmark,
  type Shelf,
  type ShelfEvent,
  type SubscriptionKind,
  shelfStream,
  subscribe,
  tagTarget,
  unsubscribe,
} from '../domain/shelf/shelf.ts'
import { tagKey } from '../domain/story/content.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { type SeriesEvent, type SeriesState, seriesNotFound, seriesStream } from '../domain/story/series.ts'
import { storySight, type Viewer } from '../domain/story/sight.ts'
import { type Story, type StoryState, storyNotFound, storyStream } from '../domain/story/story.ts'
import { storyLimits } from '../domain/story/terms.ts'
import { readText } from '../domain/text/text.ts'

export type ShelfDeps = {
  readonly shelves: Transactor<Shelf, ShelfEvent>
  readonly lists: Transactor<ReadingListState, ReadingListEvent>
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load'>
  readonly series: Pick<Transactor<SeriesState, SeriesEvent>, 'load'>
}

/** Whose shelf it is, with what they may. */
export type Owner = Viewer & { readonly account: string }

/** The story as it stands now, where its owner may see it who asks. */
const seenStory = async ({ stories }: ShelfDeps, owner: Viewer, id: string): Promise<Story | undefined> => {
  const { state } = await stories.load(storyStream(id))
  return state && storySight(state, owner) !== 'nothing' ? state : undefined
}

export const keepBookmark = async (
  deps: ShelfDeps,
  owner: Owner,
  given: { readonly story: string; readonly isPrivate: boolean; readonly note?: string },
  envelope: Envelope,
): Promise<Result<Shelf>> => {
  if (!(await seenStory(deps, owner, given.story))) return storyNotFound()
  return deps.shelves.run(shelfStream(owner.account, given.story), bookmark(owner.account, given), envelope)
}

export const dropBookmark = (
  { shelves }: ShelfDeps,
  { account }: Owner,
  story: string,
  envelope: Envelope,
): Promise<Result<Shelf>> => shelves.run(shelfStream(account, story), removeBookmark(account, story), envelope)

/** What is to be followed, as people name it: a tag by its text, all else by its id. */
export type Followed = { readonly kind: SubscriptionKind; readonly target: string }

const uuid = new RegExp(UUID)
const wrongTarget = (detail: string): Refusal<TextRefusal> =>
  refuse('text-invalid', detail, { errors: [{ pointer: '/target', code: 'format', detail }] })

/** A tag by what stands for it, and by its text; all else by its id in one case. */
export const followingOf = ({ kind, target }: Followed): Following | Refusal<TextRefusal> => {
  if (kind !== 'tag') return uuid.test(target) ? { kind, target: target.toLowerCase() } : wrongTarget('It is no id.')
  const { text, fault } = readText(target.trim(), { max: storyLimits.tag, multiline: false, keyed: true })
  return fault === undefined ? { kind, target: tagTarget(tagKey(text)), tag: text } : wrongTarget(fault)
}

/** A series is there for those who may see one of its stories, and for who made it. */
const seesSeries = async (deps: ShelfDeps, owner: Owner, id: string): Promise<boolean> => {
  const { state } = await deps.series.load(seriesStream(id))
  if (!state || state.isDeleted) return false
  if (state.author === owner.account) return true
  for (const story of state.stories) if (await seenStory(deps, owner, story)) return true
  return false
}

const followFault = async (
  deps: ShelfDeps,
  owner: Owner,
  { kind, target }: Following,
): Promise<Refusal | undefined> => {
  if (kind === 'story' && !(await seenStory(deps, owner, target))) return storyNotFound()
  if (kind === 'series' && !(await seesSeries(deps, owner, target))) return seriesNotFound()
  // Whether an account is there is nobody's business; a tag is there whether or not a story has it.
  return undefined
}

export const follow = async (
  deps: ShelfDeps,
  owner: Owner,
  followed: Followed,
  envelope: Envelope,
): Promise<Result<Shelf>> => {
  const following = followingOf(followed)
  if ('refused' in following) return following
  const fault = await followFault(deps, owner, following)
  if (fault) return fault
  const { account } = owner
  return deps.shelves.run(shelfStream(account, following.target), subscribe(account, following), envelope)
}

export const unfollow = async (
  { shelves }: ShelfDeps,
  { account }: Owner,
  followed: Followed,
  envelope: Envelope,
): Promise<Result<Shelf>> => {
  const following = followingOf(followed)
  if ('refused' in following) return following
  return shelves.run(shelfStream(account, following.target), unsubscribe(account, following), envelope)
}

/** One reads what is published of a story, and its authors their drafts too. */
const mayRead = (story: Story, owner: Owner, chapter: string): boolean => {
  const known = story.chapters.find(({ id }) => id === chapter)
  return known !== undefined && (known.isShown || storySight(story, owner) === 'authored')
}

export const keepProgress = async (
  deps: ShelfDeps,
  owner: Owner,
  place: { readonly story: string; readonly chapter: string; readonly fraction: number },
  envelope: Envelope,
): Promise<Result<Shelf>> => {
  const { account } = owner
  const story = await seenStory(deps, owner, place.story)
  if (!story) return storyNotFound()
  if (!mayRead(story, owner, place.chapter)) return refuse('chapter-unknown', 'The story has no such chapter.')
  return deps.shelves.run(shelfStream(account, place.story), markProgress(account, place, envelope.at), envelope)
}

export const dropProgress = (
  { shelves }: ShelfDeps,
  { account }: Owner,
  story: string,
  envelope: Envelope,
): Promise<Result<Shelf>> => shelves.run(shelfStream(account, story), forgetProgress(account, story), envelope)

/** The id of the list that a command begins. */
export const newListId = (commandId: string): string => uuidv5(commandId, 'list')

const ofOwner = ({ account: id }: Owner): Pick<By, 'id'> => ({ id })

export const beginReadingList = (
  { lists }: ShelfDeps,
  owner: Owner,
  given: { readonly title: string; readonly isPrivate: boolean },
  envelope: Envelope,
): Promise<Result<ReadingListState>> =>
  lists.run(readingListStream(newListId(envelope.commandId)), beginList(given, ofOwner(owner)), envelope)

export const editReadingList = (
  { lists }: ShelfDeps,
  owner: Owner,
  { id, ...change }: { readonly id: string; readonly title?: string; readonly isPrivate?: boolean },
  envelope: Envelope,
): Promise<Result<ReadingListState>> =>
  lists.run(readingListStream(id), editList(defined(change), ofOwner(owner)), envelope)

/** Stories that stand in it already may stay, whether or not they can still be seen: the list is sent back as it was read. */
export const orderReadingList = async (
  deps: ShelfDeps,
  owner: Owner,
  { id, stories }: { readonly id: string; readonly stories: readonly string[] },
  envelope: Envelope,
): Promise<Result<ReadingListState>> => {
  const stream = readingListStream(id)
  const { state } = await deps.lists.load(stream)
  const known = new Set(state?.owner === owner.account ? state.stories : [])
  for (const [at, story] of stories.entries()) {
    if (known.has(story) || (await seenStory(deps, owner, story))) continue
    const detail = 'There is no such story, or it is not for you to see.'
    return refuse('reading-list-invalid', detail, { errors: [{ pointer: `/stories/${at}`, code: 'unknown', detail }] })
  }
  return deps.lists.run(stream, orderList(stories, ofOwner(owner)), envelope)
}

export const deleteReadingList = (
  { lists }: ShelfDeps,
  owner: Owner,
  id: string,
  envelope: Envelope,
): Promise<Result<ReadingListState>> => lists.run(readingListStream(id), deleteList(ofOwner(owner)), envelope)
