/** What a chapter's authors alone are shown, read from its own stream: the draft, the history, what a revision said, what differs. */
import Type, { type Static } from 'typebox'
import type { Log } from '../core/log/log.ts'
import type { Page, Query, Reader } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import { type Chapter, type ChapterState, chapterStream } from '../domain/chapter/chapter.ts'
import { chapterNotFound, revisionUnknown } from '../domain/chapter/decisions.ts'
import { passagesBetween, shownPassages } from '../domain/chapter/differences.ts'
import type { ChapterEvent } from '../domain/chapter/events.ts'
import { type Moment, momentAt } from '../domain/chapter/past.ts'
import type { ChapterTexts } from '../domain/chapter/texts.ts'
import { readingMinutes } from '../domain/chapter/words.ts'
import { defined } from '../domain/defined.ts'
import { countWithin, itemAt } from '../domain/growing.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { type StoryState, storyStream } from '../domain/story/story.ts'
import type { People } from '../projections/people.ts'
import { shownStory, viewerOf } from './story-view.ts'

export type ChapterStreams = {
  readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'load'>
  readonly chapters: Pick<Transactor<ChapterState, ChapterEvent>, 'load'>
  readonly texts: ChapterTexts
  readonly log: Pick<Log, 'head'>
  readonly people: Pick<People, 'wantsAdult'>
}

const text = Type.String()
const count = Type.Integer({ minimum: 0 })
const note = Type.Optional(text)

export const DraftSchema = Type.Object(
  {
    id: text,
    storyId: text,
    title: text,
    note,
    text: Type.Optional(Type.String({ description: 'CommonMark. Absent in the answer to what saved it.' })),
    words: count,
    readingMinutes: count,
    characters: count,
    savedAt: text,
    savedBy: text,
    published: Type.Boolean({ description: 'Do readers have this chapter?' }),
    changed: Type.Boolean({ description: 'Does the draft say something else than what was published last?' }),
    revision: text,
  },
  { $id: 'Draft' },
)
export type DraftView = Static<typeof DraftSchema>

const kinds = ['begun', 'saved', 'restored', 'published', 'edited', 'unpublished', 'purged'] as const
const moment = { revision: text, kind: Type.Enum([...kinds]), at: text, by: text, words: count }
export const ChapterMoment = Type.Object(moment, { $id: 'ChapterMoment' })
export type ChapterMoment = Static<typeof ChapterMoment>
export const ChapterHistoryPage = Type.Object(
  { items: Type.Array(ChapterMoment), next: Type.Union([text, Type.Null()]) },
  { $id: 'ChapterHistoryPage' },
)
export const ChapterRevisionSchema = Type.Object(
  { ...moment, title: text, note, text: Type.String({ description: 'CommonMark.' }) },
  { $id: 'ChapterRevision' },
)
const Passage = Type.Object({
  kind: Type.Enum(['same', 'removed', 'added']),
  text,
  leftOut: Type.Optional(Type.Integer({ minimum: 1, description: 'So many characters are the same and not shown.' })),
})
export const ChapterDifferences = Type.Object(
  { from: Type.Object(moment), to: Type.Object(moment), passages: Type.Array(Passage) },
  { $id: 'ChapterDifferences' },
)

/** The chapter without its text, as it is answered to who writes it. */
export const draftView = (id: string, chapter: Chapter): DraftView => {
  const { story, draft, published, isPublished, revision } = chapter
  const isSame = published?.digest === draft.digest && published.title === draft.title && published.note === draft.note
  return {
    id,
    storyId: story,
    title: draft.title,
    ...defined({ note: draft.note }),
    words: draft.words,
    readingMinutes: readingMinutes(draft.words),
    characters: draft.characters,
    savedAt: draft.at,
    savedBy: draft.by,
    published: isPublished,
    changed: !isSame,
    revision: String(revision),
  }
}

const momentView = ({ revision, kind, at, by, words }: Moment): ChapterMoment => ({
  revision: String(revision),
  kind,
  at: new Date(at).toISOString(),
  by,
  words,
})

/** Whom what is shown names. */
const peopleIn = (shown: unknown): readonly string[] => {
  const { by, savedBy }: { readonly by?: unknown; readonly savedBy?: unknown } = Object(shown)
  return [by, savedBy].filter(each => typeof each === 'string')
}

export type AuthorsInput = { readonly id: string; readonly chapterId: string }

/** The chapter, for one of its story's authors; to others who may see the story this is not theirs, to the rest it is not there. */
const authored = async (
  { stories, chapters, people }: ChapterStreams,
  { id, chapterId }: AuthorsInput,
  reader: Reader,
): Promise<Chapter | Refusal> => {
  const { state: story } = await stories.load(storyStream(id))
  const shown = shownStory(story, viewerOf(reader, people, true))
  if ('refused' in shown) return shown
  if (shown.sight !== 'authored') return refuse('permission-denied', 'Only its authors see how a chapter was written.')
  const { state: chapter } = await chapters.load(chapterStream(chapterId))
  return chapter && !chapter.isDeleted && chapter.story === id ? chapter : chapterNotFound()
}

const isChapter = (found: Chapter | Refusal): found is Chapter => !isRefusal(found)
const gone = (): Refusal => refuse('conflict', 'The text was removed at the same moment; read again.')

const base = { permission: 'account:read', reads: [], people: peopleIn } as const

/** The draft as it stands. */
export const getDraft = (streams: ChapterStreams): Query<AuthorsInput, DraftView> => ({
  ...base,
  name: 'get-draft',
  output: DraftSchema,
  closed: ['fields'],
  run: async (input, reader) => {
    const position = await streams.log.head()
    const chapter = await authored(streams, input, reader)
    if (!isChapter(chapter)) return chapter
    const written = await streams.texts.current(input.chapterId, chapter.draft, 'draft')
    if (written === undefined) return gone()
    return { value: { ...draftView(input.chapterId, chapter), text: written }, position, mark: chapter.mark }
  },
})

/** `below`: revisions before this one. */
export type ChapterHistoryInput = AuthorsInput & {
  readonly limit: number
  readonly after?: { readonly key: unknown }
}

/** What happened to the chapter, newest first: a page costs what it shows. */
export const chapterHistory = (streams: ChapterStreams): Query<ChapterHistoryInput, Page<ChapterMoment>> => ({
  ...base,
  name: 'chapter-history',
  output: ChapterHistoryPage,
  closed: ['limit'],
  run: async (input, reader) => {
    const position = await streams.log.head()
    const chapter = await authored(streams, input, reader)
    if (!isChapter(chapter)) return chapter
    const { moments } = chapter
    const key = input.after?.key
    const below = typeof key === 'string' ? Number(key) : Number.POSITIVE_INFINITY
    const end = countWithin(moments, ({ revision }) => revision < below)
    const items: ChapterMoment[] = []
    for (let at = end - 1; at >= 0 && items.length < input.limit; at -= 1) {
      const found = itemAt(moments, at)
      if (found) items.push(momentView(found))
    }
    const last = items.at(-1)
    const next = last && items.length < end ? { generation: 'log', key: last.revision } : null
    return { value: { items, next }, position }
  },
})

/** What the chapter said at a revision of its history. */
export const getChapterRevision = (
  streams: ChapterStreams,
): Query<AuthorsInput & { readonly revision: number }, Static<typeof ChapterRevisionSchema>> => ({
  ...base,
  name: 'get-chapter-revision',
  output: ChapterRevisionSchema,
  run: async (input, reader) => {
    const position = await streams.log.head()
    const chapter = await authored(streams, input, reader)
    if (!isChapter(chapter)) return chapter
    const found = momentAt(chapter.moments, input.revision)
    if (!found) return revisionUnknown('')
    const said = await streams.texts.at(input.chapterId, chapter, found)
    return said ? { value: { ...momentView(found), ...said }, position } : gone()
  },
})

/** What differs between two revisions, word by word. */
export const chapterDifferences = (
  streams: ChapterStreams,
): Query<AuthorsInput & { readonly from: number; readonly to: number }, Static<typeof ChapterDifferences>> => ({
  ...base,
  name: 'chapter-differences',
  output: ChapterDifferences,
  people: () => [],
  closed: ['from', 'to'],
  run: async (input, reader) => {
    const position = await streams.log.head()
    const chapter = await authored(streams, input, reader)
    if (!isChapter(chapter)) return chapter
    const [from, to] = [momentAt(chapter.moments, input.from), momentAt(chapter.moments, input.to)]
    if (!from || !to) return revisionUnknown(from ? '/to' : '/from')
    const before = await streams.texts.at(input.chapterId, chapter, from)
    const after = await streams.texts.at(input.chapterId, chapter, to)
    if (!before || !after) return gone()
    const passages = shownPassages(passagesBetween(before.text, after.text)).map(passage => ({ ...passage }))
    return { value: { from: momentView(from), to: momentView(to), passages }, position }
  },
})
