/**
 * Imports stories by the commands that people give. The ids of these follow from the author and the source's own keys: what is there is
 * found again, what broke off is completed, and what its authors have made of it since stays.
 */
import type { Static } from 'typebox'
import { type AccountState, accountStream } from '../domain/account/account.ts'
import { endFault } from '../domain/account/standing.ts'
import { chapterStream } from '../domain/chapter/chapter.ts'
import { readChapter } from '../domain/chapter/content.ts'
import { LEAST_TEXT } from '../domain/chapter/limits.ts'
import { digestOf } from '../domain/chapter/packed.ts'
import { lengthOf } from '../domain/chapter/words.ts'
import { defined } from '../domain/defined.ts'
import { actorId, begunId, stepId, storyImportId } from '../domain/ids.ts'
import { sameJson } from '../domain/json.ts'
import { type Fault, isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { readStory } from '../domain/story/content.ts'
import { completeStory, publishStory } from '../domain/story/decisions.ts'
import { type Story, shownChapters, storyStream } from '../domain/story/story.ts'
import { storyLimits } from '../domain/story/terms.ts'
import { NOT_A_LANGUAGE, registeredLanguage } from '../domain/text/registered-languages.ts'
import type { Clock } from '../ports/clock.ts'
import { beginChapter, type Call, type ChapterDeps, publishChapter, saveDraft } from './chapters.ts'
import { beginStory, type StoryBody } from './stories.ts'

export type StoryImportDeps = ChapterDeps & {
  readonly accounts: { load(stream: string): Promise<{ readonly state: AccountState }> }
  readonly clock: Clock
}

/** `key`: what the source knows it by. */
export type ChapterRecord = {
  readonly key: string
  readonly title: string
  readonly note?: string | null
  readonly text: string
}
/** `isPublished`: with all of its chapters. */
export type StoryRecord = {
  readonly key: string
  readonly about: Static<typeof StoryBody>
  readonly isPublished: boolean
  readonly isCompleted: boolean
  readonly chapters: readonly ChapterRecord[]
}

/** What became of a story. `kept`: it is there, and not as the source has it. */
export type StoryOutcome =
  | { readonly outcome: 'written' | 'unchanged' }
  | { readonly outcome: 'kept' | 'fault'; readonly reason: string; readonly errors?: readonly Fault[] }

/** Who imports, and for whom. */
const importer = { kind: 'import', id: actorId('import', 'stories') } as const

/** All that is wrong with a record; nothing of it is written then. */
export const storyFaults = ({ about, chapters, isPublished }: StoryRecord): readonly Fault[] => {
  const faults: Fault[] = []
  const add = (at: string, refused: Refusal): void => {
    const errors = refused.errors ?? [{ pointer: '', code: refused.refused, detail: refused.detail }]
    for (const { pointer, code, detail } of errors) faults.push({ pointer: `${at}${pointer}`, code, detail })
  }
  if (registeredLanguage(about.language) === undefined)
    faults.push({ pointer: '/language', code: 'language-unknown', detail: NOT_A_LANGUAGE })
  const story = readStory(about)
  if (isRefusal(story)) add('', story)
  if (chapters.length > storyLimits.chapters)
    faults.push({
      pointer: '/chapters',
      code: 'too-many',
      detail: `A story has ${storyLimits.chapters} chapters at most.`,
    })
  if (isPublished && chapters.length === 0)
    faults.push({ pointer: '/chapters', code: 'too-few', detail: 'What is published has one chapter at least.' })
  const keys = new Set<string>()
  for (const [n, chapter] of chapters.slice(0, storyLimits.chapters).entries()) {
    const at = `/chapters/${n}`
    const content = readChapter(chapter)
    if (isRefusal(content)) add(at, content)
    else if (isPublished && lengthOf(content.text) < LEAST_TEXT)
      faults.push({
        pointer: `${at}/text`,
        code: 'too-short',
        detail: `A chapter has ${LEAST_TEXT} characters at least before it is published.`,
      })
    if (keys.has(chapter.key))
      faults.push({ pointer: `${at}/id`, code: 'repeated', detail: 'There is another chapter of this id.' })
    keys.add(chapter.key)
  }
  return faults
}

/** The account that stories are imported for. @throws the ports' errors. */
export const authorFault = async (
  { accounts }: Pick<StoryImportDeps, 'accounts'>,
  author: string,
): Promise<Refusal | undefined> => endFault((await accounts.load(accountStream(author))).state)

const isSame = (story: Story, about: StoryRecord['about']): boolean => {
  const said = readStory(about)
  if (isRefusal(said)) return false
  const { title, summary = null, tags = [], warnings = [] } = said
  return (
    title === story.title &&
    summary === (story.summary ?? null) &&
    sameJson(tags, story.tags) &&
    sameJson(warnings, story.warnings)
  )
}

const kept = (reason: string): StoryOutcome => ({ outcome: 'kept', reason })

/** A step that did not go well ends the work on its story; the same import run again goes on. */
class StepError extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.detail)
    this.refusal = refusal
  }
}
const must = <T extends object>(result: T | Refusal): T => {
  if (isRefusal(result)) throw new StepError(result)
  return result
}

type Work = {
  readonly deps: StoryImportDeps
  readonly author: string
  readonly runId: string
  readonly commandId: string
  readonly storyId: string
}

const callOf = ({ deps, author, runId }: Work, commandId: string): Call => {
  const at = deps.clock.now()
  const permissions = new Set(['stories:read', 'stories:write'] as const)
  return {
    by: { id: author, permissions, now: at, commandId },
    envelope: { commandId, actor: importer, correlationId: runId, at },
  }
}

/** What is missing of a chapter; whether it is as the source has it. */
const importChapter = async (work: Work, record: ChapterRecord, isPublished: boolean) => {
  const { deps, storyId } = work
  const commandId = stepId(work.commandId, `chapter ${record.key}`)
  const chapterId = begunId('chapter', commandId)
  const stream = chapterStream(chapterId)
  const content = must(readChapter(record))
  let isWritten = false
  let { state } = await deps.chapters.load(stream)
  const story = (await deps.stories.load(storyStream(storyId))).state
  const isNamed = story?.chapters.some(({ id }) => id === chapterId) === true
  if (state?.isDeleted || (state && !isNamed && state.revision > 0)) return { isWritten, isSame: false }
  if (!state || !isNamed) {
    must(await beginChapter(deps, storyId, { title: record.title }, callOf(work, commandId)))
    isWritten = true
    state = (await deps.chapters.load(stream)).state
  }
  const ref = { storyId, chapterId }
  if (state?.revision === 0) {
    const saved = await saveDraft(deps, ref, content, callOf(work, stepId(commandId, 'draft')))
    state = must(saved).state
    isWritten = true
  }
  const isSameText = state?.draft.digest === digestOf(content.text) && state.draft.title === content.title
  if (isPublished && isSameText && !state?.published) {
    must(await publishChapter(deps, ref, callOf(work, stepId(commandId, 'publish'))))
    isWritten = true
  }
  return { isWritten, isSame: isSameText && (!isPublished || isWritten || state?.isPublished === true) }
}

const importWhole = async (work: Work, record: StoryRecord): Promise<StoryOutcome> => {
  const { deps, commandId, storyId } = work
  const stream = storyStream(storyId)
  const { stories } = deps
  let story = (await stories.load(stream)).state
  if (story?.isDeleted) return kept('The story was imported before, and deleted since.')
  if (story && !story.authors.includes(work.author))
    return kept('The story was imported before, and is no longer one of this author.')
  let isWritten = false
  if (!story) {
    const call = callOf(work, commandId)
    const decide = await beginStory.decide({ body: record.about }, call.by)
    story = must(await stories.run(stream, decide, call.envelope)).state
    isWritten = true
  }
  if (record.isCompleted && story && story.chapters.length === 0 && !story.isCompleted) {
    const call = callOf(work, stepId(commandId, 'complete'))
    must(await stories.run(stream, completeStory(call.by), call.envelope))
    isWritten = true
  }
  let isWhole = story !== undefined && isSame(story, record.about)
  for (const chapter of record.chapters) {
    const done = await importChapter(work, chapter, record.isPublished)
    isWritten ||= done.isWritten
    isWhole &&= done.isSame
  }
  story = (await stories.load(stream)).state
  if (record.isPublished && story && story.publishedAt === undefined && shownChapters(story).length > 0) {
    const call = callOf(work, stepId(commandId, 'publish'))
    must(await stories.run(stream, publishStory(call.by), call.envelope))
    isWritten = true
  }
  if (!isWhole) return kept('The story is not as the source has it: it was edited since, here or there.')
  return { outcome: isWritten ? 'written' : 'unchanged' }
}

/** Imports one story, or what is missing of it. @throws the ports' errors: what was written stays, and the same again goes on. */
export const importStory = async (
  deps: StoryImportDeps,
  record: StoryRecord,
  { author, runId }: { readonly author: string; readonly runId: string },
): Promise<StoryOutcome> => {
  const errors = storyFaults(record)
  if (errors.length > 0)
    return { outcome: 'fault', reason: errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join(' '), errors }
  const commandId = storyImportId(author, record.key)
  const work = { deps, author, runId, commandId, storyId: begunId('story', commandId) }
  try {
    return await importWhole(work, record)
  } catch (error) {
    if (!(error instanceof StepError)) throw error
    const { detail, errors: faults } = error.refusal
    return { outcome: 'fault', reason: detail, ...defined({ errors: faults }) }
  }
}

/** Nothing is written for an author who is not there. */
export const noAuthor = (): Refusal =>
  refuse('account-not-found', 'There is no such account: --author takes the id of one, as GET /v1/me shows it.')
