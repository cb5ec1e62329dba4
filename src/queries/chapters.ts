/** Reading chapters: the table of contents of a story, and one chapter as readers have it. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Query } from '../core/query/define.ts'
import { chapterNotFound } from '../domain/chapter/decisions.ts'
import type { Rendering } from '../domain/chapter/rendering.ts'
import { readingMinutes } from '../domain/chapter/words.ts'
import { defined } from '../domain/defined.ts'
import { refuse } from '../domain/refusal.ts'
import type { StorySight } from '../domain/story/sight.ts'
import { type StoryChapter, shownChapters } from '../domain/story/story.ts'
import {
  type ChapterDocument,
  type ChapterTextDocument,
  chaptersProjection,
  chapterTextsProjection,
} from '../projections/chapters.ts'
import type { People } from '../projections/people.ts'
import { type StoryDocument, storiesProjection } from '../projections/stories.ts'
import { shownStory, viewerOf } from './story-view.ts'

const text = Type.String()
const count = Type.Integer({ minimum: 0 })

const DraftSummary = Type.Object({ title: text, words: count, savedAt: text })
/** A line of a table of contents. What its authors alone are shown stands last. */
export const ChapterItem = Type.Object(
  {
    id: text,
    title: text,
    words: count,
    readingMinutes: count,
    publishedAt: Type.Optional(text),
    editedAt: Type.Optional(text),
    published: Type.Optional(Type.Boolean()),
    held: Type.Optional(Type.Array(text, { description: 'The decisions that hold it back.' })),
    draft: Type.Optional(DraftSummary),
  },
  { $id: 'ChapterItem' },
)
export type ChapterItem = Static<typeof ChapterItem>
export const ChapterListSchema = Type.Object({ items: Type.Array(ChapterItem) }, { $id: 'ChapterList' })

export const ChapterSchema = Type.Object(
  {
    id: text,
    storyId: text,
    title: text,
    note: Type.Optional(text),
    text: Type.String({ description: 'CommonMark, as its authors wrote it.' }),
    html: Type.String({ description: 'The text as HTML of a closed list of elements, safe to be shown as it is.' }),
    words: count,
    readingMinutes: count,
    publishedAt: text,
    editedAt: text,
    previous: Type.Union([text, Type.Null()]),
    next: Type.Union([text, Type.Null()]),
    revision: text,
  },
  { $id: 'Chapter' },
)
export type ChapterView = Static<typeof ChapterSchema>

export type ChapterReads = {
  readonly stories: View<StoryDocument>
  readonly chapters: View<ChapterDocument>
  readonly texts: View<ChapterTextDocument>
  readonly people: Pick<People, 'wantsAdult'>
}

const itemOf = (
  id: string,
  { draft, published, isPublished, publishedAt }: ChapterDocument,
  { isShown, held, sight }: Pick<StoryChapter, 'isShown' | 'held'> & { readonly sight: StorySight },
): ChapterItem | undefined => {
  const seen = isShown && isPublished ? published : undefined
  if (!seen && sight !== 'authored') return undefined
  const { title, words } = seen ?? draft
  return {
    id,
    title,
    words,
    readingMinutes: readingMinutes(words),
    ...defined({ publishedAt: seen && publishedAt, editedAt: seen?.at }),
    ...(sight === 'authored' && {
      published: seen !== undefined,
      ...defined({ held: held && [...held.decisions] }),
      draft: { title: draft.title, words: draft.words, savedAt: draft.at },
    }),
  }
}

export type ContentsInput = { readonly id: string; readonly adult: boolean }

/** The chapters in their order: the published ones, to authors all with what their drafts are. */
export const listChapters = ({
  stories,
  chapters,
  people,
}: Omit<ChapterReads, 'texts'>): Query<ContentsInput, Static<typeof ChapterListSchema>> => ({
  name: 'list-chapters',
  permission: 'stories:read',
  output: ChapterListSchema,
  reads: [storiesProjection, chaptersProjection],
  closed: ['adult'],
  run: async ({ id, adult }, reader) => {
    // Before the reads: what is read then reflects these positions at least.
    const [story, chapter] = [stories.position(), chapters.position()]
    const found = (await stories.get([id])).get(id)
    const shown = shownStory(found?.body, viewerOf(reader, people, adult))
    if ('refused' in shown) return shown
    const { sight } = shown
    const known = shown.story.chapters.filter(({ isShown }) => isShown || sight === 'authored')
    const documents = await chapters.get(known.map(each => each.id))
    const items = known.flatMap(({ id: chapterId, isShown, held }) => {
      const document = documents.get(chapterId)
      return document?.body.story === id
        ? (itemOf(chapterId, document.body, { isShown, sight, ...defined({ held }) }) ?? [])
        : []
    })
    return { value: { items }, position: story < chapter ? story : chapter }
  },
})

export type ChapterInput = ContentsInput & { readonly chapterId: string; readonly images: boolean }

/** The HTML of a text; `key` names the text for good. 'busy': too many wait for theirs. */
export type RenderText = (key: string, text: string) => Promise<Rendering | 'busy'>

/** One chapter as readers have it, its authors too. */
export const getChapter = ({
  stories,
  texts,
  people,
  render,
}: Omit<ChapterReads, 'chapters'> & { readonly render: RenderText }): Query<ChapterInput, ChapterView> => ({
  name: 'get-chapter',
  permission: 'stories:read',
  output: ChapterSchema,
  reads: [storiesProjection, chapterTextsProjection],
  closed: ['adult', 'images', 'fields'],
  run: async ({ id, chapterId, adult, images }, reader) => {
    const [story, chapter] = [stories.position(), texts.position()]
    const found = (await stories.get([id])).get(id)
    const shown = shownStory(found?.body, viewerOf(reader, people, adult))
    if ('refused' in shown) return shown
    const order = shownChapters(shown.story)
    const at = order.indexOf(chapterId)
    const document = at < 0 ? undefined : (await texts.get([chapterId])).get(chapterId)?.body
    if (!document?.isShown || document.text === undefined || document.story !== id) return chapterNotFound()
    const { title, note, text: written, words, publishedAt = '', editedAt = '', revision, mark } = document
    const rendering = await render(`${chapterId} ${revision} ${mark}`, written)
    if (rendering === 'busy') return refuse('chapters-busy', 'More chapters wait to be rendered than can be soon.')
    const { html, withImages } = rendering
    return {
      value: {
        id: chapterId,
        storyId: id,
        title,
        ...defined({ note }),
        text: written,
        html: images ? (withImages ?? html) : html,
        words,
        readingMinutes: readingMinutes(words),
        publishedAt,
        editedAt,
        previous: order[at - 1] ?? null,
        next: order[at + 1] ?? null,
        revision,
      },
      position: story < chapter ? story : chapter,
      mark,
    }
  },
})
