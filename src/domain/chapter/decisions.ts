/**
 * What its authors may do to a chapter. Whose it is the story says: each decision is given the story as it stood, and records the
 * story's revision. The text comes prepared (`prepareText`), since it is work, and parts of it are written before.
 */
import type { By, Decide, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { itemAt } from '../growing.ts'
import { isStated, type StatedRevision } from '../mark.ts'
import { type CommonRefusal, type Refusal, refuse } from '../refusal.ts'
import { storySight } from '../story/sight.ts'
import { isAuthorOf, type StoryState, storyNotFound } from '../story/story.ts'
import type { Chapter, ChapterState, Version } from './chapter.ts'
import type { ChapterContent } from './content.ts'
import type { ChapterEvent, TextChange } from './events.ts'
import { LEAST_TEXT, PART_LENGTH, SAVES, SAVES_MS } from './limits.ts'
import { digestOf, partsOf, stepTo } from './packed.ts'
import { emptyHead, type Head, partsFor, type Which } from './past.ts'
import type { ChapterRefusal } from './refusals.ts'
import { countWords, lengthOf } from './words.ts'

/** Where the story is not for somebody to see, nothing is said of its chapters either. */
type Code = ChapterRefusal | 'story-not-found'
export type ChapterDecide = Decide<ChapterState, ChapterEvent, Code>
type ChapterDecision = Decision<ChapterEvent, Code>
type Refused = Refusal<Code | CommonRefusal>

/** Who decides, on the story as it stood at a revision. `stated`: what the client has seen of the chapter, one of these. */
export type OnStory = {
  readonly by: By
  readonly storyId: string
  readonly story: StoryState
  readonly storyRevision: string
  readonly stated?: readonly StatedRevision[]
}

export const chapterNotFound = () =>
  refuse('chapter-not-found', 'There is no such chapter, or it is not for you to see.')

export const revisionUnknown = (pointer: string) =>
  refuse('chapter-revision-unknown', 'The history of this chapter has no such revision.', {
    errors: [{ pointer, code: 'unknown', detail: 'There is no such revision.' }],
  })

/** Why somebody may not write here; to those who may not even see the story, there is nothing. */
export const notAuthor = ({ by, story }: Pick<OnStory, 'by' | 'story'>): Refused | undefined => {
  const account = by.kind === undefined || by.kind === 'account' ? by.id : undefined
  if (story && !story.isDeleted && isAuthorOf(story, account)) return undefined
  const sees = story && storySight(story, { ...defined({ account }), permissions: by.permissions }) !== 'nothing'
  return sees ? refuse('permission-denied', 'Only its authors may do this to a chapter.') : storyNotFound()
}

const stale = ({ stated }: OnStory, { revision, mark }: Chapter): Refused | undefined =>
  stated === undefined || stated.some(each => isStated(each, BigInt(revision), mark))
    ? undefined
    : refuse('revision-stale', 'If-Match names a revision that is not the current one: read again and decide again.', {
        context: { currentRevision: String(revision) },
      })

const onChapter =
  (on: OnStory, then: (chapter: Chapter) => ChapterDecision): ChapterDecide =>
  chapter => {
    const refused = notAuthor(on)
    if (refused) return refused
    if (!chapter || chapter.isDeleted || chapter.story !== on.storyId) return chapterNotFound()
    return stale(on, chapter) ?? then(chapter)
  }

/** The id follows from the command, so that the same one sent again finds it. */
export const beginChapter =
  (title: string, on: OnStory): ChapterDecide =>
  chapter => {
    const refused = notAuthor(on)
    if (refused) return refused
    if (chapter) return refuse('conflict', 'There is a chapter of this id.')
    const { by, storyId, story, storyRevision } = on
    if (!story) return storyNotFound()
    const { language } = story
    return [{ type: 'ChapterBegun', data: { story: storyId, language, author: by.id, storyRevision, title } }]
  }

/** A text ready to be written, as a change of the one before (`from` is its digest); no change: it is the same. */
export type Prepared = {
  readonly from: string
  readonly words: number
  readonly characters: number
  readonly digest: string
  readonly change?: TextChange
  /** Where it is more than one event takes. */
  readonly parts: readonly string[]
}

/** `before`: the text as it stands, with what is known of it; without, the text is a whole. */
export const prepareText = (
  text: string,
  before: { readonly head: Head; readonly text: string } | undefined,
  from: Head = emptyHead,
): Prepared => {
  const digest = digestOf(text)
  const head = before?.head ?? from
  if (before && head.digest === digest) {
    const { words, characters } = head
    return { from: digest, words, characters, digest, parts: [] }
  }
  const step = stepTo(text, digest, before && { text: before.text, digest: head.digest, since: head.since })
  const { form, base, packed } = step
  const parts = packed.length > PART_LENGTH ? partsOf(packed) : []
  const [words, characters] = [countWords(text), lengthOf(text)]
  const said = { form, ...defined({ base }), digest, words, characters }
  const change = parts.length > 0 ? { ...said, parts: parts.map(digestOf) } : { ...said, packed }
  return { from: head.digest, words, characters, digest, change, parts }
}

/** The same with all of its text in parts: for an event that has more than one text. */
export const inParts = (prepared: Prepared): Prepared => {
  const { change, parts } = prepared
  if (change?.packed === undefined || parts.length > 0) return prepared
  const { packed, ...said } = change
  return { ...prepared, change: { ...said, parts: [digestOf(packed)] }, parts: [packed] }
}

/** One part of a prepared text; `begins`: under the next key. */
export const addPart =
  (of: Which, part: string, begins: boolean): ChapterDecide =>
  chapter => {
    if (!chapter || chapter.isDeleted) return chapterNotFound()
    if (!begins && chapter.waiting.some(each => each.of === of && each.digest === digestOf(part))) return []
    return [{ type: 'TextPart', data: { of, part, ...defined({ begins: begins ? (true as const) : undefined }) } }]
  }

const moved = (): Refused => refuse('conflict', 'Others keep changing this at the same moment; try again.')

/** Was it prepared for the text that stands, and have its parts come? */
const unfit = (
  prepared: Prepared,
  version: Head | undefined,
  chapter: Chapter,
  isDry: boolean,
): Refused | undefined => {
  if (prepared.from !== (version ?? emptyHead).digest) return moved()
  return isDry || partsFor(prepared.change ?? {}, chapter.waiting) ? undefined : moved()
}

/** Milliseconds until the draft may be saved again; 0: now. */
export const saveWait = ({ moments }: Chapter, now: Date): number => {
  const since = now.getTime() - SAVES_MS
  let saves = 0
  for (let at = moments.length - 1; at >= 0; at -= 1) {
    const moment = itemAt(moments, at)
    if (!moment || moment.at <= since) return 0
    if (moment.kind !== 'saved' && moment.kind !== 'restored') continue
    saves += 1
    if (saves === SAVES) return moment.at - since
  }
  return 0
}

const tooOften = (chapter: Chapter, { by }: OnStory): Refused | undefined => {
  const wait = saveWait(chapter, by.now)
  return wait === 0
    ? undefined
    : refuse('saves-too-many', `A draft is saved ${SAVES} times a minute at most.`, {
        context: { retryAfterSeconds: Math.ceil(wait / 1000) },
      })
}

/** `isDry`: nothing is written of it, not even parts. `restored`: the revision whose text it is. */
export type Saving = { readonly prepared: Prepared; readonly isDry?: boolean; readonly restored?: string }

const same = (version: Version, { title, note }: Pick<ChapterContent, 'title' | 'note'>): boolean =>
  version.title === title && version.note === note

export const saveDraft = (
  { title, note }: Pick<ChapterContent, 'title' | 'note'>,
  { prepared, isDry = false, restored }: Saving,
  on: OnStory,
): ChapterDecide =>
  onChapter(on, chapter => {
    const { change } = prepared
    if (!change && prepared.from === chapter.draft.digest && same(chapter.draft, { title, ...defined({ note }) }))
      return []
    const refused = tooOften(chapter, on) ?? unfit(prepared, chapter.draft, chapter, isDry)
    if (refused) return refused
    const { storyRevision } = on
    return [{ type: 'DraftSaved', data: { storyRevision, title, ...defined({ note, change, restored }) } }]
  })

/** `prepared`: the draft's text, as a change of the published one. */
export const publishChapter = ({ prepared, isDry = false }: Saving, on: OnStory): ChapterDecide =>
  onChapter(on, chapter => {
    const { draft, published, isPublished } = chapter
    if (draft.characters < LEAST_TEXT)
      return refuse('chapter-too-short', `A chapter has ${LEAST_TEXT} characters at least before it is published.`, {
        errors: [{ pointer: '/text', code: 'too-short', detail: `The draft has ${draft.characters} characters.` }],
      })
    const { change } = prepared
    if (prepared.digest !== draft.digest) return moved()
    const isSame = published?.digest === draft.digest && same(published, draft)
    if (isPublished && isSame) return []
    const refused = unfit(prepared, published, chapter, isDry)
    if (refused) return refused
    const { title, note } = draft
    const data = { storyRevision: on.storyRevision, title, ...defined({ note, change }) }
    return [{ type: isPublished ? 'ChapterEdited' : 'ChapterPublished', data }]
  })

/** The story has hidden it already. */
export const unpublishChapter = (on: OnStory): ChapterDecide =>
  onChapter(on, ({ isPublished }) =>
    isPublished ? [{ type: 'ChapterUnpublished', data: { storyRevision: on.storyRevision } }] : [],
  )

type Purging = { readonly draft: Prepared; readonly published?: Prepared; readonly isDry?: boolean }

const kept = ({ title, note }: Version, { change }: Prepared) => change && { title, ...defined({ note }), change }

/** Both texts as wholes under the next key, which their parts have begun where they have some. */
export const purgeHistory = ({ draft, published, isDry = false }: Purging, on: OnStory): ChapterDecide =>
  onChapter(on, chapter => {
    if (chapter.moments.length === 1 && itemAt(chapter.moments, 0)?.kind === 'purged') return []
    if (draft.digest !== chapter.draft.digest || published?.digest !== chapter.published?.digest) return moved()
    const prepared = published ? [draft, published] : [draft]
    if (!isDry && !prepared.every(({ change }) => partsFor(change ?? {}, chapter.waiting))) return moved()
    const inParts = prepared.some(({ parts }) => parts.length > 0)
    const now = kept(chapter.draft, draft)
    const before = chapter.published && published && kept(chapter.published, published)
    if (!now) return moved()
    const continues = inParts ? (true as const) : undefined
    const { storyRevision } = on
    return [
      { type: 'HistoryPurged', data: { storyRevision, draft: now, ...defined({ published: before, continues }) } },
    ]
  })

/** The end of its text, in every copy; repeated it is gone already. */
export const deleteChapter =
  (on: OnStory): ChapterDecide =>
  chapter => {
    const refused = notAuthor(on)
    if (refused) return refused
    if (!chapter || chapter.story !== on.storyId) return chapterNotFound()
    if (chapter.isDeleted) return []
    return stale(on, chapter) ?? [{ type: 'ChapterDeleted', data: { ground: 'author' } }]
  }

/** As `deleteChapter`, since its story is gone, or names it no longer. */
export const deleteWithStory: ChapterDecide = chapter =>
  chapter && !chapter.isDeleted ? [{ type: 'ChapterDeleted', data: { ground: 'story' } }] : []
