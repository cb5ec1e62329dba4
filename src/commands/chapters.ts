/**
 * The commands of chapters. Whose a chapter is its story says, which is looked up first; what concerns both is told to the story in its
 * own stream, by commands whose ids follow from the first one, so that a repeat completes what was left.
 */
import Type, { type Static } from 'typebox'
import type { Accepted, Envelope, Result, Transactor } from '../core/write/transact.ts'
import { type Chapter, type ChapterState, chapterStream } from '../domain/chapter/chapter.ts'
import { checkTitle, readChapter } from '../domain/chapter/content.ts'
import * as decide from '../domain/chapter/decisions.ts'
import type { ChapterEvent } from '../domain/chapter/events.ts'
import { PART_LENGTH } from '../domain/chapter/limits.ts'
import { emptyHead, momentAt, type Which } from '../domain/chapter/past.ts'
import type { ChapterTexts } from '../domain/chapter/texts.ts'
import type { By } from '../domain/decider.ts'
import { defined } from '../domain/defined.ts'
import { REVISION } from '../domain/forms.ts'
import { begunId, stepId } from '../domain/ids.ts'
import type { StatedRevision } from '../domain/mark.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { addChapter, hideChapter, showChapter, withdrawChapter } from '../domain/story/chapters.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { isShownByAuthors, type StoryState, storyStream } from '../domain/story/story.ts'

export type ChapterDeps = {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load' | 'run'>
  readonly chapters: Pick<Transactor<ChapterState, ChapterEvent>, 'load' | 'run'>
  readonly texts: ChapterTexts
}

const strict = { additionalProperties: false }
export const ChapterBody = Type.Object({ title: Type.String() }, { ...strict, $id: 'ChapterBeginning' })
export const DraftBody = Type.Object(
  {
    title: Type.String(),
    note: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    text: Type.String({ description: 'CommonMark.' }),
  },
  { ...strict, $id: 'ChapterDraft' },
)
export type Draft = Static<typeof DraftBody>
export const RestoreBody = Type.Object(
  { revision: Type.String({ pattern: REVISION }) },
  { ...strict, $id: 'ChapterRestoring' },
)

/** Which chapter, of which story. */
export type ChapterRef = { readonly storyId: string; readonly chapterId: string }
/** Who commands, and what they have seen of the chapter, one of these. */
export type Call = {
  readonly by: By
  readonly envelope: Envelope
  readonly stated?: readonly StatedRevision[] | undefined
}
type ChapterResult = Result<ChapterState>

/** Text that others change at the same moment is prepared again so often. */
const ATTEMPTS = 4

/** A step of a command on the other stream, or before its own event: another command, which needs no hash of the body. */
const stepOf = ({ envelope: { fingerprint: _, dryRun: _d, ...rest } }: Call, name: string): Envelope => ({
  ...rest,
  commandId: stepId(rest.commandId, name),
})

const onStory = async ({ stories }: ChapterDeps, storyId: string, { by, stated }: Call): Promise<decide.OnStory> => {
  const { state: story, revision } = await stories.load(storyStream(storyId))
  return {
    by,
    storyId,
    story,
    storyRevision: revision === 'none' ? '0' : String(revision),
    ...defined({ stated: stated }),
  }
}

type Found = { readonly on: decide.OnStory; readonly chapter: Chapter }

/** The chapter, where there is one that the caller may write on. */
const find = async (deps: ChapterDeps, { storyId, chapterId }: ChapterRef, call: Call): Promise<Found | Refusal> => {
  const on = await onStory(deps, storyId, call)
  const refused = decide.notAuthor(on)
  if (refused) return refused
  const { state: chapter } = await deps.chapters.load(chapterStream(chapterId))
  return !chapter || chapter.isDeleted || chapter.story !== storyId ? decide.chapterNotFound() : { on, chapter }
}

const gone = (): Refusal => refuse('conflict', 'The text was removed at the same moment; read again.')

/** Parts of a text; `turn`: of which attempt, since others may have made those of the one before worthless. */
type Writing = {
  readonly chapterId: string
  readonly of: Which
  readonly parts: readonly string[]
  readonly turn: number
  readonly begins?: boolean
}

/** Writes what has to stand before an event that names it. */
const writeParts = async (
  deps: ChapterDeps,
  { chapterId, of, parts, turn, begins = false }: Writing,
  call: Call,
): Promise<Refusal | undefined> => {
  for (const [index, part] of parts.entries()) {
    const add = decide.addPart(of, part, begins && index === 0)
    const result = await deps.chapters.run(chapterStream(chapterId), add, stepOf(call, `part ${of} ${index} ${turn}`))
    if (isRefusal(result)) return result
  }
  return undefined
}

/** Runs a decision with a prepared text, its parts before it; `decideOn` is asked dry first, so that what is refused writes no part. */
const write = async (
  deps: ChapterDeps,
  { chapterId, of, parts, turn }: Writing,
  decideOn: (isDry: boolean) => decide.ChapterDecide,
  call: Call,
): Promise<ChapterResult> => {
  const stream = chapterStream(chapterId)
  const isDry = call.envelope.dryRun === true
  if (parts.length > 0 && !isDry) {
    const early = decideOn(true)((await deps.chapters.load(stream)).state)
    if (isRefusal(early)) return early
    const refused = await writeParts(deps, { chapterId, of, parts, turn }, call)
    if (refused) return refused
  }
  return deps.chapters.run(stream, decideOn(isDry), call.envelope)
}

/** Prepares and decides again while others change the text at the same moment. */
const attempts = async (attempt: (turn: number) => Promise<ChapterResult>): Promise<ChapterResult> => {
  let result = await attempt(0)
  for (let turn = 1; turn < ATTEMPTS && isRefusal(result) && result.refused === 'conflict'; turn += 1)
    result = await attempt(turn)
  return result
}

const later = <State>(result: Accepted<State>, { position }: { readonly position: bigint }): Accepted<State> =>
  position > result.position ? { ...result, position } : result

/** Begins a chapter, then adds it to its story: between the two it is shown to nobody. */
export const beginChapter = async (
  deps: ChapterDeps,
  storyId: string,
  { title: given }: Static<typeof ChapterBody>,
  call: Call,
): Promise<ChapterResult> => {
  const title = checkTitle(given)
  if (typeof title !== 'string') return title
  const chapterId = begunId('chapter', call.envelope.commandId)
  const add = addChapter(chapterId, call.by)
  const on = await onStory(deps, storyId, call)
  const early = add(on.story)
  if (isRefusal(early)) return early
  const begun = await deps.chapters.run(chapterStream(chapterId), decide.beginChapter(title, on), call.envelope)
  if (isRefusal(begun) || call.envelope.dryRun) return begun
  const added = await deps.stories.run(storyStream(storyId), add, stepOf(call, 'story'))
  return isRefusal(added) ? added : later(begun, added)
}

/** Saves the draft, whole as it is sent. */
export const saveDraft = async (
  deps: ChapterDeps,
  ref: ChapterRef,
  draft: Draft,
  call: Call,
): Promise<ChapterResult> => {
  const content = readChapter(draft)
  if (isRefusal(content)) return content
  return attempts(async turn => {
    const found = await find(deps, ref, call)
    if ('refused' in found) return found
    const { on, chapter } = found
    const { chapterId } = ref
    const text = await deps.texts.current(chapterId, chapter.draft, 'draft')
    if (text === undefined) return gone()
    const prepared = decide.prepareText(content.text, { head: chapter.draft, text })
    const result = await write(
      deps,
      { chapterId, of: 'draft', parts: prepared.parts, turn },
      isDry => decide.saveDraft(content, { prepared, isDry }, on),
      call,
    )
    if (!isRefusal(result) && !call.envelope.dryRun) deps.texts.keep(chapterId, prepared.digest, content.text)
    return result
  })
}

/** Gives the draft what it said at a revision of its history. */
export const restoreRevision = async (
  deps: ChapterDeps,
  ref: ChapterRef,
  { revision }: Static<typeof RestoreBody>,
  call: Call,
): Promise<ChapterResult> =>
  attempts(async turn => {
    const found = await find(deps, ref, call)
    if ('refused' in found) return found
    const { on, chapter } = found
    const { chapterId } = ref
    const moment = momentAt(chapter.moments, Number(revision))
    if (!moment) return decide.revisionUnknown('/revision')
    const content = await deps.texts.at(chapterId, chapter, moment)
    const text = await deps.texts.current(chapterId, chapter.draft, 'draft')
    if (!content || text === undefined) return gone()
    const prepared = decide.prepareText(content.text, { head: chapter.draft, text })
    return write(
      deps,
      { chapterId, of: 'draft', parts: prepared.parts, turn },
      isDry => decide.saveDraft(content, { prepared, isDry, restored: revision }, on),
      call,
    )
  })

/** Tells the story what it shows of the chapter. Told again, or too late, it changes nothing. */
export const tellStory = (
  { stories }: { readonly stories: Pick<ChapterDeps['stories'], 'run'> },
  chapterId: string,
  { story, published }: Pick<Chapter, 'story' | 'published'>,
  envelope: Envelope,
): Promise<Result<StoryState>> | undefined =>
  published &&
  stories.run(
    storyStream(story),
    showChapter({ chapter: chapterId, words: published.words, revision: published.revision }),
    envelope,
  )

/** Gives readers what the draft says. */
export const publishChapter = async (deps: ChapterDeps, ref: ChapterRef, call: Call): Promise<ChapterResult> =>
  attempts(async turn => {
    const found = await find(deps, ref, call)
    if ('refused' in found) return found
    const { on, chapter } = found
    const { chapterId } = ref
    const { published: head = emptyHead } = chapter
    const text = await deps.texts.current(chapterId, chapter.draft, 'draft')
    if (text === undefined) return gone()
    const before = chapter.published && (await deps.texts.current(chapterId, chapter.published, 'published'))
    const prepared = decide.prepareText(text, before === undefined ? undefined : { head, text: before }, head)
    const result = await write(
      deps,
      { chapterId, of: 'published', parts: prepared.parts, turn },
      isDry => decide.publishChapter({ prepared, isDry }, on),
      call,
    )
    if (isRefusal(result) || call.envelope.dryRun || !result.state?.isPublished) return result
    const told = await tellStory(deps, chapterId, result.state, stepOf(call, 'story'))
    return !told || isRefusal(told) ? result : later(result, told)
  })

/** Hides the chapter: in the story first, so that nobody is shown it between the two. */
export const unpublishChapter = async (deps: ChapterDeps, ref: ChapterRef, call: Call): Promise<ChapterResult> => {
  const found = await find(deps, ref, call)
  if ('refused' in found) return found
  const { on, chapter } = found
  const stream = chapterStream(ref.chapterId)
  const unpublish = decide.unpublishChapter(on)
  const early = unpublish(chapter)
  if (isRefusal(early)) return early
  const hide = hideChapter({ chapter: ref.chapterId, revision: chapter.revision }, call.by)
  const isShown = on.story?.chapters.some(known => known.id === ref.chapterId && isShownByAuthors(known)) === true
  if (!isShown) return deps.chapters.run(stream, unpublish, call.envelope)
  const refused = call.envelope.dryRun
    ? hide(on.story)
    : await deps.stories.run(storyStream(ref.storyId), hide, stepOf(call, 'story'))
  if (isRefusal(refused)) return refused
  const result = await deps.chapters.run(stream, unpublish, call.envelope)
  return isRefusal(result) || !('position' in refused) ? result : later(result, refused)
}

/** Deletes the chapter: the story names it no longer first, so that nobody is shown it between the two. */
export const deleteChapter = async (deps: ChapterDeps, ref: ChapterRef, call: Call): Promise<ChapterResult> => {
  const on = await onStory(deps, ref.storyId, call)
  const stream = chapterStream(ref.chapterId)
  const remove = decide.deleteChapter(on)
  const early = remove((await deps.chapters.load(stream)).state)
  if (isRefusal(early)) return early
  const withdraw = withdrawChapter(ref.chapterId, call.by)
  const refused = call.envelope.dryRun
    ? withdraw(on.story)
    : await deps.stories.run(storyStream(ref.storyId), withdraw, stepOf(call, 'story'))
  if (isRefusal(refused)) return refused
  const result = await deps.chapters.run(stream, remove, call.envelope)
  return isRefusal(result) || !('position' in refused) ? result : later(result, refused)
}

/** Ends the history: what stands is written whole under the next key, and the keys before are destroyed. */
export const purgeHistory = async (deps: ChapterDeps, ref: ChapterRef, call: Call): Promise<ChapterResult> =>
  attempts(async turn => {
    const found = await find(deps, ref, call)
    if ('refused' in found) return found
    const { on, chapter } = found
    const { chapterId } = ref
    const text = await deps.texts.current(chapterId, chapter.draft, 'draft')
    const before = chapter.published && (await deps.texts.current(chapterId, chapter.published, 'published'))
    if (text === undefined || (chapter.published && before === undefined)) return gone()
    const draft = decide.prepareText(text, undefined)
    const published = before === undefined ? undefined : decide.prepareText(before, undefined)
    const sizes = [draft, published].map(each => each?.change?.packed?.length ?? 0)
    const isLarge =
      draft.parts.length > 0 || (published?.parts.length ?? 0) > 0 || sizes.reduce((a, b) => a + b) > PART_LENGTH
    const purging = isLarge
      ? { draft: decide.inParts(draft), ...defined({ published: published && decide.inParts(published) }) }
      : { draft, ...defined({ published }) }
    const early = decide.purgeHistory({ ...purging, isDry: true }, on)(chapter)
    const isDry = call.envelope.dryRun === true
    if (isRefusal(early)) return early
    if (!isDry && early.length > 0) {
      const first = await writeParts(
        deps,
        { chapterId, of: 'draft', parts: purging.draft.parts, turn, begins: true },
        call,
      )
      const parts = purging.published?.parts ?? []
      const second = first ?? (await writeParts(deps, { chapterId, of: 'published', parts, turn }, call))
      if (second) return second
    }
    return deps.chapters.run(chapterStream(chapterId), decide.purgeHistory({ ...purging, isDry }, on), call.envelope)
  })
